//! Values whose length varies: names, units, texts, lists of IDNs.

use super::super::MailError;
use super::super::cursor::Reader;

/// Bytes before the content.
pub const LIST_HEADER_BYTES: usize = 4;

/// A list: how long it is, how long it can be, and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List<'a> {
    /// The most that it can have, in bytes.
    pub maximum: u16,
    /// What it has.
    pub content: &'a [u8],
}

impl<'a> List<'a> {
    /// Reads a list, and returns what follows it.
    ///
    /// # Errors
    /// When it is shorter than it says.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), MailError> {
        let mut reader = Reader(bytes);
        let length = reader.u16("SoE list")?;
        let maximum = reader.u16("SoE list")?;
        let content = reader.bytes(usize::from(length), "SoE list")?;
        Ok((Self { maximum, content }, reader.rest()))
    }

    /// Its bytes. A content of more than 65535 is cut.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let content = &self.content[..self.content.len().min(usize::from(u16::MAX))];
        let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
        [&length.to_le_bytes(), &self.maximum.to_le_bytes(), content].concat()
    }
}
