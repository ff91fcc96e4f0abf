//! What a vendor defines (type 15; ETG1000.6, "Vendor specific profile over EtherCAT").
//!
//! ```text
//! vendor u32, vendor's type u16, then whatever that type is
//! ```

use super::MailError;
use super::cursor::{Reader, Writer};

/// Bytes before the vendor's data.
pub const HEADER_BYTES: usize = 6;

/// A mail of a vendor's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The vendor, by the number that the EtherCAT Technology Group gave it.
    pub vendor_id: u32,
    /// Which of its protocols.
    pub vendor_type: u16,
    /// The rest.
    pub data: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the body of a mail.
    ///
    /// # Errors
    /// When it is shorter than six bytes.
    pub fn parse(body: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(body);
        Ok(Self {
            vendor_id: reader.u32("VoE vendor")?,
            vendor_type: reader.u16("VoE type")?,
            data: reader.rest(),
        })
    }

    /// Writes the body; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        writer.u32(self.vendor_id)?.u16(self.vendor_type)?.bytes(self.data)?;
        Ok(writer.length())
    }
}
