//! Emergencies (CoE service 1; ETG1000.6, "Emergency"): five bytes of the device's own behind code and
//! error register.

use super::Service;
use crate::mailbox::MailError;
use crate::mailbox::cursor::{Reader, Writer};

/// One emergency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emergency {
    /// Error code; 0 says that an error is gone.
    pub code: u16,
    /// Error register, as object 0x1001.
    pub register: u8,
    /// What the device adds.
    pub data: [u8; 5],
}

impl Emergency {
    /// Bytes of the body, CoE header included.
    pub const BYTES: usize = 10;

    /// Reads what follows the CoE header.
    ///
    /// # Errors
    /// When it is shorter than eight bytes.
    pub fn parse(payload: &[u8]) -> Result<Self, MailError> {
        let mut reader = Reader(payload);
        Ok(Self {
            code: reader.u16("error code")?,
            register: reader.u8("error register")?,
            data: reader.array("emergency data")?,
        })
    }

    /// Writes the body, CoE header included; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        writer.bytes(&Service::Emergency.header())?.u16(self.code)?.u8(self.register)?;
        writer.bytes(&self.data)?;
        Ok(writer.length())
    }
}
