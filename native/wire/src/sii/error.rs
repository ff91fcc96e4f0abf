use std::fmt;

/// What is wrong with an image, or with a description from which none can be built. Offsets are in bytes
/// from the start of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SiiError {
    /// Nothing was ever written into the EEPROM: all 0xFF or all zeros from the product code on, as far as
    /// the first categories.
    Blank,
    /// The image ends, or its category ends, inside something.
    Truncated {
        /// What.
        what: &'static str,
        /// Where it begins.
        offset: usize,
        /// How many bytes it needs.
        needed: usize,
        /// How many there are.
        available: usize,
    },
    /// More of something than an image can hold.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A text that an image cannot hold: longer than 255 characters, or not in ISO 8859-1.
    Text {
        /// The text.
        text: String,
    },
}

impl fmt::Display for SiiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("the EEPROM is blank from byte 0x0014 on"),
            Self::Truncated { what, offset, needed, available } => write!(
                f,
                "the EEPROM image ends inside the {what} at byte {offset:#06x} (word {:#06x}): it needs \
                 {needed} bytes, {available} are there",
                offset / 2
            ),
            Self::TooMany { what, count, limit } => {
                write!(f, "an EEPROM image holds at most {limit} {what}, not {count}")
            }
            Self::Text { text } => write!(
                f,
                "an EEPROM image cannot hold the text {text:?}: at most 255 characters of ISO 8859-1"
            ),
        }
    }
}

impl std::error::Error for SiiError {}
