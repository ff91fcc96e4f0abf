//! One IDN: its elements, and what may be written to it.

use ecat_wire::mailbox::soe::{
    Attribute, DataType, Elements, LIST_HEADER_BYTES, List, SoeError, command,
};

use super::DriveCommand;
use crate::mailbox::object_dictionary::number;

const PRE_OP: u8 = 2;
const SAFE_OP: u8 = 4;

/// Which telegram can carry a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cyclic {
    /// The drive's telegram (AT), an input.
    pub input: bool,
    /// The MainDevice's (MDT), an output.
    pub output: bool,
}

/// A value: bytes, lowest first, and of a list how many it can have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The bytes; of a list without its header.
    pub content: Vec<u8>,
    /// Of a list, the most that it can have, in bytes.
    pub maximum: Option<u16>,
}

impl Value {
    /// As it is sent.
    fn to_vec(&self) -> Vec<u8> {
        match self.maximum {
            Some(maximum) => List { maximum, content: &self.content }.to_vec(),
            None => self.content.clone(),
        }
    }
}

/// One IDN of a drive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// Name; empty: none.
    pub name: String,
    /// Unit.
    pub unit: Option<String>,
    /// Type, length, decimals, protection by states.
    pub attribute: Attribute,
    /// Least value.
    pub minimum: Option<Vec<u8>>,
    /// Largest value.
    pub maximum: Option<Vec<u8>>,
    /// Default; of a list without its header.
    pub default: Option<Vec<u8>>,
    /// The value.
    pub value: Value,
    /// Whether the value is invalid (data state, bit 8).
    pub invalid: bool,
    /// Whether it needs the drive's password to be written.
    pub password: bool,
    /// Which telegrams can carry it.
    pub cyclic: Cyclic,
    /// What it does, of a procedure command.
    pub command: Option<DriveCommand>,
    /// Reads as stars.
    pub secret: bool,
}

impl Parameter {
    /// One element, as it is sent.
    pub(super) fn element(&self, element: Elements) -> Result<Vec<u8>, SoeError> {
        let text = |text: &str| {
            let content = text.as_bytes();
            let maximum = u16::try_from(content.len()).unwrap_or(u16::MAX);
            List { maximum, content }.to_vec()
        };
        match element {
            Elements::DATA_STATE => Ok(self.data_state().to_le_bytes().to_vec()),
            Elements::NAME if self.name.is_empty() => Err(SoeError::NO_NAME),
            Elements::NAME => Ok(text(&self.name)),
            Elements::ATTRIBUTE => Ok(self.attribute.bits().to_le_bytes().to_vec()),
            Elements::UNIT => self.unit.as_deref().map(text).ok_or(SoeError::NO_UNIT),
            Elements::MINIMUM => self.minimum.clone().ok_or(SoeError::NO_MINIMUM),
            Elements::MAXIMUM => self.maximum.clone().ok_or(SoeError::NO_MAXIMUM),
            Elements::VALUE if self.secret => Ok(text("***")),
            Elements::VALUE => Ok(self.value.to_vec()),
            Elements::DEFAULT => {
                let content = self.default.clone().ok_or(SoeError::NO_DEFAULT)?;
                Ok(Value { content, ..self.value }.to_vec())
            }
            _ => Err(SoeError::NO_ELEMENT),
        }
    }

    fn data_state(&self) -> u16 {
        let invalid = if self.invalid { command::INVALID } else { 0 };
        invalid | self.command.as_ref().map_or(0, |command| command.state)
    }

    /// The value as a number of its type; of a list or a longer one 0.
    #[must_use]
    pub fn integer(&self) -> i64 {
        if self.value.maximum.is_some() {
            return 0;
        }
        number(&self.value.content, self.attribute.data_type == DataType::Signed) as i64
    }

    /// Gives a value that is a number this one, cut to its length. Allocates nothing.
    pub fn set_integer(&mut self, value: i64) {
        if self.value.maximum.is_none() {
            let bytes = value.to_le_bytes();
            let length = self.value.content.len().min(bytes.len());
            self.value.content[..length].copy_from_slice(&bytes[..length]);
        }
    }

    /// The IDNs that a list of them has.
    pub(crate) fn idns(&self) -> impl Iterator<Item = u16> {
        let words = self.value.content.chunks_exact(2);
        words.map(|word| u16::from_le_bytes([word[0], word[1]]))
    }

    /// Whether the state lets it be written (its code: 2, 4, 8).
    pub(super) fn check_state(&self, state: u8) -> Result<(), SoeError> {
        let Attribute { protected_pre_op, protected_safe_op, protected_op, .. } = self.attribute;
        let now = match state {
            PRE_OP => protected_pre_op,
            SAFE_OP => protected_safe_op,
            _ => protected_op,
        };
        match (now, protected_pre_op && protected_safe_op && protected_op) {
            (_, true) => Err(SoeError::VALUE_READ_ONLY),
            (true, _) => Err(SoeError::VALUE_PROTECTED),
            _ => Ok(()),
        }
    }

    /// The content of a value that is written, if its length and range fit.
    pub(super) fn check_value<'a>(&self, data: &'a [u8]) -> Result<&'a [u8], SoeError> {
        let Some(maximum) = self.value.maximum else {
            let bytes = self.value.content.len();
            return match data.len() {
                length if length < bytes => Err(SoeError::VALUE_SHORT),
                length if length > bytes => Err(SoeError::VALUE_LONG),
                _ => self.check_range(data).map(|()| data),
            };
        };
        let (list, rest) = List::parse(data).map_err(|_| SoeError::VALUE_SHORT)?;
        if !rest.is_empty() || list.content.len() > usize::from(maximum) {
            return Err(SoeError::VALUE_LONG);
        }
        if !list.content.len().is_multiple_of(self.attribute.bytes()) {
            return Err(SoeError::VALUE_INVALID);
        }
        Ok(&data[LIST_HEADER_BYTES..])
    }

    fn check_range(&self, data: &[u8]) -> Result<(), SoeError> {
        let below = |limit: &Vec<u8>| self.compare(data, limit).is_some_and(|order| order.is_lt());
        let above = |limit: &Vec<u8>| self.compare(data, limit).is_some_and(|order| order.is_gt());
        if self.minimum.as_ref().is_some_and(below) {
            Err(SoeError::VALUE_TOO_LOW)
        } else if self.maximum.as_ref().is_some_and(above) {
            Err(SoeError::VALUE_TOO_HIGH)
        } else {
            Ok(())
        }
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Option<std::cmp::Ordering> {
        if self.attribute.data_type == DataType::Float {
            return real(a)?.partial_cmp(&real(b)?);
        }
        let signed = self.attribute.data_type == DataType::Signed;
        Some(number(a, signed).cmp(&number(b, signed)))
    }
}

fn real(bytes: &[u8]) -> Option<f64> {
    match bytes.len() {
        4 => bytes.first_chunk().map(|bytes| f64::from(f32::from_le_bytes(*bytes))),
        8 => bytes.first_chunk().map(|bytes| f64::from_le_bytes(*bytes)),
        _ => None,
    }
}

/// Only values can be written; what the others get names the first of them. The data state of a procedure command
/// is written by its value.
pub(super) fn writable_elements(elements: Elements) -> Result<(), SoeError> {
    let refused = [
        (Elements::DATA_STATE, SoeError::NO_DATA_STATE),
        (Elements::NAME, SoeError::NAME_READ_ONLY),
        (Elements::ATTRIBUTE, SoeError::ATTRIBUTE_READ_ONLY),
        (Elements::UNIT, SoeError::UNIT_READ_ONLY),
        (Elements::MINIMUM, SoeError::MINIMUM_READ_ONLY),
        (Elements::MAXIMUM, SoeError::MAXIMUM_READ_ONLY),
        (Elements::DEFAULT, SoeError::DEFAULT_READ_ONLY),
    ];
    let first = refused.iter().find(|(element, _)| elements.has(*element));
    first.map_or(Ok(()), |(_, code)| Err(*code))
}
