//! Reading and writing one field after another.

use super::MailError;

pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], MailError> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(MailError::Short(what))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, MailError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, MailError> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, MailError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, MailError> {
        self.array(what).map(u64::from_le_bytes)
    }

    pub(super) fn bytes(
        &mut self,
        length: usize,
        what: &'static str,
    ) -> Result<&'a [u8], MailError> {
        let (first, rest) = self.0.split_at_checked(length).ok_or(MailError::Short(what))?;
        self.0 = rest;
        Ok(first)
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

pub(super) struct Writer<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, length: 0 }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<&mut Self, MailError> {
        let end = self.length + bytes.len();
        self.buffer.get_mut(self.length..end).ok_or(MailError::NoRoom)?.copy_from_slice(bytes);
        self.length = end;
        Ok(self)
    }

    pub(super) fn u8(&mut self, value: u8) -> Result<&mut Self, MailError> {
        self.bytes(&[value])
    }

    pub(super) fn u16(&mut self, value: u16) -> Result<&mut Self, MailError> {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn u32(&mut self, value: u32) -> Result<&mut Self, MailError> {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> Result<&mut Self, MailError> {
        self.bytes(&value.to_le_bytes())
    }

    /// Bytes written so far.
    pub(super) fn length(&self) -> usize {
        self.length
    }
}
