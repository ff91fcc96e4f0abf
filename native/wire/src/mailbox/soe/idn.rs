//! The number of a parameter.

use std::fmt;
use std::str::FromStr;

const PRODUCT: u16 = 0x8000;
const SET_SHIFT: u32 = 12;
const SETS: u16 = 7;
const NUMBER: u16 = 0x0FFF;

/// An identification number: standard or of the product, parameter set, and a number; written `S-0-0047`, `P-0-0100`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Idn(pub u16);

impl Idn {
    /// Of the standard, in parameter set 0.
    #[must_use]
    pub const fn standard(number: u16) -> Self {
        Self(number & NUMBER)
    }

    /// Whether it is the product's, and not the standard's.
    #[must_use]
    pub const fn is_product(self) -> bool {
        self.0 & PRODUCT != 0
    }

    /// Parameter set, 0 to 7.
    #[must_use]
    pub const fn set(self) -> u16 {
        self.0 >> SET_SHIFT & SETS
    }

    /// Number, 0 to 4095.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0 & NUMBER
    }
}

impl fmt::Display for Idn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_product() { 'P' } else { 'S' };
        write!(f, "{kind}-{}-{:04}", self.set(), self.number())
    }
}

/// A text that is no IDN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoIdn;

impl fmt::Display for NoIdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "is no IDN: S or P, parameter set 0 to 7, number 0 to 4095, for example \"S-0-0047\"",
        )
    }
}

impl std::error::Error for NoIdn {}

impl FromStr for Idn {
    type Err = NoIdn;

    fn from_str(text: &str) -> Result<Self, NoIdn> {
        let mut parts = text.split('-');
        let kind = match parts.next() {
            Some("S" | "s") => 0,
            Some("P" | "p") => PRODUCT,
            _ => return Err(NoIdn),
        };
        let mut number = |most: u16| -> Result<u16, NoIdn> {
            let digits = parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            let number = digits.and_then(|digits| digits.parse().ok());
            number.filter(|number| *number <= most).ok_or(NoIdn)
        };
        let (set, number) = (number(SETS)?, number(NUMBER)?);
        if parts.next().is_some() { Err(NoIdn) } else { Ok(Self(kind | set << SET_SHIFT | number)) }
    }
}
