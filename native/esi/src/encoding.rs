//! From bytes to text: byte order marks, UTF-16, and the encoding that an XML declaration names.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::EsiError;

/// The declaration stands within so many bytes.
const DECLARATION_BYTES: usize = 256;

/// The text of a file, without what an XML reader stumbles over at its ends.
///
/// Editors leave a second byte order mark, blank lines or a comment before the declaration, and tools fill the end up
/// with zeros. What the declaration says is known by then: blanks take its place, so that places stay.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, EsiError> {
    let mut text = decoded(bytes)?;
    text.truncate(text.trim_end_matches('\0').len());
    let marks = text.len() - text.trim_start_matches('\u{FEFF}').len();
    text.drain(..marks);
    if let Some(declaration) = declaration(&text) {
        let blank: String =
            text[declaration.clone()].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        text.replace_range(declaration, &blank);
    }
    Ok(text)
}

/// Where the XML declaration stands: first of all but comments and blanks.
fn declaration(text: &str) -> Option<std::ops::Range<usize>> {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix("<!--") {
        rest = comment.split_once("-->")?.1.trim_start();
    }
    let start = text.len() - rest.len();
    let named = rest.strip_prefix("<?xml")?;
    named.starts_with(char::is_whitespace).then_some(())?;
    Some(start..start + rest.find("?>")? + "?>".len())
}

/// A byte order mark decides, then zeros between the first letters (UTF-16 without a mark), then the declaration,
/// then UTF-8. Where a file says UTF-8 and is not, Windows-1252 is tried: it is what such files are.
fn decoded(bytes: &[u8]) -> Result<String, EsiError> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return decode_as(encoding, &bytes[length..]);
    }
    match bytes {
        [b'<', 0, ..] => return decode_as(UTF_16LE, bytes),
        [0, b'<', ..] => return decode_as(UTF_16BE, bytes),
        _ => {}
    }
    match declared(bytes) {
        Some(name) => match Encoding::for_label(name) {
            // A declaration in bytes cannot be in UTF-16, whatever it says.
            Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
                decode_as(UTF_8, bytes)
            }
            Some(encoding) => decode_as(encoding, bytes),
            None => Err(EsiError {
                message: format!("the encoding {:?} is not known", String::from_utf8_lossy(name)),
                hint: "save the file as UTF-8".to_owned(),
                ..top()
            }),
        },
        None => decode_as(UTF_8, bytes),
    }
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> Result<String, EsiError> {
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text.into_owned());
    }
    if encoding == UTF_8 {
        let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
        return Ok(text.into_owned());
    }
    Err(EsiError {
        message: format!("the file is not in {}, which it says it is", encoding.name()),
        hint: "save the file as UTF-8".to_owned(),
        ..top()
    })
}

/// The value of `encoding` in an XML declaration.
fn declared(bytes: &[u8]) -> Option<&[u8]> {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
    let trimmed = head.trim_ascii_start();
    let end = find(trimmed, b"?>")?;
    let declaration = trimmed.strip_prefix(b"<?xml")?.get(..end.saturating_sub(5))?;
    let rest = &declaration[find(declaration, b"encoding")? + b"encoding".len()..];
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, rest) = rest.split_first()?;
    let length = rest.iter().position(|byte| *byte == quote)?;
    matches!(quote, b'"' | b'\'').then(|| &rest[..length])
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn top() -> EsiError {
    EsiError {
        place: crate::Place { line: 1, column: 1 },
        path: String::new(),
        message: String::new(),
        hint: String::new(),
    }
}
