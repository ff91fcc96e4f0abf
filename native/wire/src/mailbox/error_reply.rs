//! The reply to mail that a device cannot work with (type 0; ETG1000.4, "Mailbox error").

use super::MailError;
use super::cursor::{Reader, Writer};

/// What is wrong with the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorDetail {
    /// 1: the header has a wrong syntax.
    Syntax,
    /// 2: the device has no such protocol.
    UnsupportedProtocol,
    /// 3: the channel is wrong.
    InvalidChannel,
    /// 4: the protocol has no such service.
    ServiceNotSupported,
    /// 5: the header of the protocol is wrong.
    InvalidHeader,
    /// 6: the body is too short.
    SizeTooShort,
    /// 7: no memory.
    NoMoreMemory,
    /// 8: the length does not fit the mailbox.
    InvalidSize,
    /// 9: a service is being worked on.
    ServiceInWork,
    /// Any other.
    Other(u16),
}

impl ErrorDetail {
    const ALL: [(u16, Self); 9] = [
        (1, Self::Syntax),
        (2, Self::UnsupportedProtocol),
        (3, Self::InvalidChannel),
        (4, Self::ServiceNotSupported),
        (5, Self::InvalidHeader),
        (6, Self::SizeTooShort),
        (7, Self::NoMoreMemory),
        (8, Self::InvalidSize),
        (9, Self::ServiceInWork),
    ];

    /// By its code.
    #[must_use]
    pub fn from_code(code: u16) -> Self {
        let known = Self::ALL.iter().find(|(known, _)| *known == code);
        known.map_or(Self::Other(code), |(_, detail)| *detail)
    }

    /// Its code.
    #[must_use]
    pub fn code(self) -> u16 {
        if let Self::Other(code) = self {
            return code;
        }
        Self::ALL.iter().find(|(_, detail)| *detail == self).map_or(0, |(code, _)| *code)
    }
}

/// The body of mail of type 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorReply {
    /// What is wrong.
    pub detail: ErrorDetail,
}

impl ErrorReply {
    /// Bytes of the body.
    pub const BYTES: usize = 4;
    /// The only type of error reply.
    const TYPE: u16 = 1;

    /// Reads the body.
    ///
    /// # Errors
    /// When it is short or of another type than 1.
    pub fn parse(body: &[u8]) -> Result<Self, MailError> {
        let mut reader = Reader(body);
        match reader.u16("error type")? {
            Self::TYPE => {}
            value => {
                return Err(MailError::Unknown { what: "error type", value: u32::from(value) });
            }
        }
        Ok(Self { detail: ErrorDetail::from_code(reader.u16("error detail")?) })
    }

    /// Writes the body; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        writer.u16(Self::TYPE)?.u16(self.detail.code())?;
        Ok(writer.length())
    }
}
