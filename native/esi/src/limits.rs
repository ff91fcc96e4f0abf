//! What the XML library takes quadratic time for, refused before it sees it.

use crate::error::{EsiError, Place};

/// Attributes of one element; real files have some ten.
const ATTRIBUTES_MAX: usize = 256;
/// Declarations of namespaces in a file; real files have two or three.
const NAMESPACES_MAX: usize = 256;

/// Refuses an element with too many attributes, and a file with too many namespaces.
pub(crate) fn check(text: &str) -> Result<(), EsiError> {
    let mut namespaces = 0;
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|found| at + found) {
        let rest = &text[start..];
        let marked = |mark: &str, end: &str| {
            let found = rest.strip_prefix(mark)?.find(end);
            Some(found.map_or(rest.len(), |found| mark.len() + found))
        };
        if let Some(length) = marked("<!--", "-->").or_else(|| marked("<![CDATA[", "]]>")) {
            at = start + length;
            continue;
        }
        let tag = Tag::of(rest);
        namespaces += tag.namespaces;
        let refused = |count: usize, what: &str, most: usize| {
            Err(EsiError {
                place: Place::of(text, start),
                path: String::new(),
                message: format!("{count} {what}, more than {most}"),
                hint: "this is no ESI file of a vendor; fetch it again".to_owned(),
            })
        };
        if tag.attributes > ATTRIBUTES_MAX {
            return refused(tag.attributes, "attributes in one element", ATTRIBUTES_MAX);
        }
        if namespaces > NAMESPACES_MAX {
            return refused(namespaces, "namespaces", NAMESPACES_MAX);
        }
        at = start + tag.bytes;
    }
    Ok(())
}

/// The beginning of an element, or something else in angle brackets.
struct Tag {
    bytes: usize,
    attributes: usize,
    namespaces: usize,
}

impl Tag {
    /// The tag that a text begins with; what is no tag ends somewhere, and the XML library says what is wrong with it.
    fn of(text: &str) -> Self {
        let mut tag = Self { bytes: 1, attributes: 0, namespaces: 0 };
        while let Some(found) = text[tag.bytes..].find(['"', '\'', '<', '>']) {
            let name = &text[tag.bytes..tag.bytes + found];
            let mark = text.as_bytes()[tag.bytes + found];
            if mark == b'<' {
                tag.bytes += found;
                return tag;
            }
            tag.bytes += found + 1;
            if mark == b'>' {
                return tag;
            }
            tag.attributes += 1;
            tag.namespaces += usize::from(name.contains("xmlns"));
            let value = text[tag.bytes..].find(char::from(mark));
            tag.bytes = value.map_or(text.len(), |length| tag.bytes + length + 1);
        }
        tag.bytes = text.len();
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_what_is_in_elements_counts() {
        let many = |n: usize| (0..n).map(|i| format!(" a{i}='>'")).collect::<String>();
        assert_eq!(check(&format!("<a{}><b{}/></a>", many(256), many(256))), Ok(()));
        let error = check(&format!("<a>\n <b{}/></a>", many(257))).unwrap_err();
        assert_eq!((error.place.line, error.place.column), (2, 2));
        assert!(error.message.starts_with("257 attributes in one element"), "{error}");
        let quoted = "<x a=\"1\">".repeat(999);
        assert_eq!(
            check(&format!("<a><!--{quoted}{}--><![CDATA[<b{}>]]></a>", many(300), many(300))),
            Ok(())
        );
        let spaces = "<b xmlns:c=\"d\">".repeat(257);
        assert!(check(&spaces).unwrap_err().message.starts_with("257 namespaces"));
        for cut in ["<", "<a", "<a b", "<a b=\"", "<!--", "<![CDATA[", "a<b<c", "<a b='é'ü"] {
            assert_eq!(check(cut), Ok(()), "{cut}");
        }
    }
}
