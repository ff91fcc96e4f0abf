//! Numbers, truth values and bytes as ESI files write them.

/// An integer: decimal, or hexadecimal after `#x` (`HexDecValue`). `0x` and a sign before it occur as well.
#[must_use]
pub fn parse_integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = ["#x", "#X", "0x", "0X"].iter().find_map(|mark| digits.strip_prefix(mark));
    let (digits, radix) = hexadecimal.map_or((digits, 10), |digits| (digits.trim(), 16));
    // The parser of the standard library would take a sign here.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// `xs:boolean`, in any case; other numbers than 0 are true.
pub(crate) fn parse_flag(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    if text.eq_ignore_ascii_case("false") || text.is_empty() {
        return Some(false);
    }
    parse_integer(text).map(|number| number != 0)
}

/// `xs:hexBinary`: two digits a byte, the lowest byte first. Spaces and line ends between them occur, and a mark
/// of hexadecimal numbers before them.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let text = ["#x", "0x"].iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text);
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::{parse_bytes, parse_flag, parse_integer};

    #[test]
    fn numbers_are_read_as_vendors_write_them() {
        let cases = [
            ("#x1A00", Some(0x1A00)),
            ("#X1a00", Some(0x1A00)),
            ("0x1A00", Some(0x1A00)),
            (" 42 ", Some(42)),
            ("00000000", Some(0)),
            ("-2147483648", Some(-2_147_483_648)),
            ("-#x10", Some(-16)),
            ("+7", Some(7)),
            ("#xFFFFFFFFFFFFFFFF", Some(0xFFFF_FFFF_FFFF_FFFF)),
            ("", None),
            ("#x", None),
            ("--1", None),
            ("#x-1", None),
            ("1A", None),
            ("1.5", None),
            ("#x123456789012345678901234567890123", None),
        ];
        for (text, number) in cases {
            assert_eq!(parse_integer(text), number, "{text:?}");
        }
    }

    #[test]
    fn truth_values_are_words_or_numbers_in_any_case() {
        for (text, value) in [("1", true), ("True", true), ("0", false), ("FALSE", false)] {
            assert_eq!(parse_flag(text), Some(value), "{text:?}");
        }
        assert_eq!(parse_flag("yes"), None);
    }

    #[test]
    fn bytes_may_have_white_space_between_them_but_no_half() {
        assert_eq!(parse_bytes("000D00000A00\n          "), Some(vec![0, 13, 0, 0, 10, 0]));
        assert_eq!(parse_bytes("#x08 26"), Some(vec![8, 0x26]));
        assert_eq!(parse_bytes(""), Some(vec![]));
        assert_eq!(parse_bytes("123"), None);
        assert_eq!(parse_bytes("zz"), None);
    }
}
