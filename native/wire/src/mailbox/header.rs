//! The header that every mail begins with (ETG1000.4, "Mailbox protocol data unit").

use super::MailError;
use super::cursor::{Reader, Writer};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 6;

/// What a mail carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 0: the reply to mail that the device cannot work with.
    Error,
    /// 1: ADS over EtherCAT.
    Aoe,
    /// 2: Ethernet over EtherCAT.
    Eoe,
    /// 3: CANopen over EtherCAT.
    Coe,
    /// 4: file access over EtherCAT.
    Foe,
    /// 5: servo drive profile over EtherCAT.
    Soe,
    /// 15: vendor specific.
    Voe,
    /// A type that is reserved.
    Other(u8),
}

impl Kind {
    /// From the four bits of a header.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code & 0x0F {
            0 => Self::Error,
            1 => Self::Aoe,
            2 => Self::Eoe,
            3 => Self::Coe,
            4 => Self::Foe,
            5 => Self::Soe,
            15 => Self::Voe,
            other => Self::Other(other),
        }
    }

    /// The four bits of a header.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Error => 0,
            Self::Aoe => 1,
            Self::Eoe => 2,
            Self::Coe => 3,
            Self::Foe => 4,
            Self::Soe => 5,
            Self::Voe => 15,
            Self::Other(code) => code & 0x0F,
        }
    }
}

/// The header of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the body.
    pub length: u16,
    /// Station of the sender (request) or receiver, for mail between SubDevices; 0 otherwise.
    pub station: u16,
    /// 0; no other channel is in use (6 bits).
    pub channel: u8,
    /// 0 lowest to 3 highest.
    pub priority: u8,
    /// What the body is.
    pub kind: Kind,
    /// 1 to 7, then 1 again; the same twice is a duplicate. 0: counters are not used. Each side counts
    /// its own mails.
    pub counter: u8,
}

impl Header {
    /// A header as most mails have it.
    #[must_use]
    pub const fn new(kind: Kind, length: u16, counter: u8) -> Self {
        Self { length, station: 0, channel: 0, priority: 0, kind, counter }
    }

    /// Reads the header and what of its body is there.
    ///
    /// # Errors
    /// With fewer than six bytes. A body that ends early is no error here: compare its length.
    pub fn parse(mail: &[u8]) -> Result<(Self, &[u8]), MailError> {
        let mut reader = Reader(mail);
        let length = reader.u16("length")?;
        let station = reader.u16("station")?;
        let channel = reader.u8("channel")?;
        let kind = reader.u8("type")?;
        let header = Self {
            length,
            station,
            channel: channel & 0x3F,
            priority: channel >> 6,
            kind: Kind::from_code(kind),
            counter: kind >> 4 & 0x07,
        };
        let body = reader.rest();
        Ok((header, &body[..body.len().min(usize::from(length))]))
    }

    /// Writes the header.
    ///
    /// # Errors
    /// [`MailError::NoRoom`] with a buffer of less than six bytes.
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        writer
            .u16(self.length)?
            .u16(self.station)?
            .u8(self.channel & 0x3F | self.priority << 6)?
            .u8(self.kind.code() | (self.counter & 0x07) << 4)?;
        Ok(writer.length())
    }
}

/// The counter of the mail after one with `counter`: 1 to 7, never 0.
#[must_use]
pub const fn next_counter(counter: u8) -> u8 {
    counter % 7 + 1
}
