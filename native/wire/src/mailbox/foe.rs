//! File access over EtherCAT (type 4; ETG1000.6, "FoE").
//!
//! ```text
//! opcode u8, reserved u8, then a word of 32 bits (password, packet number, error code, or done and
//! entire of 16 bits each), then the rest: file name, data, or text
//! ```
//! Packets count from 1. One that is shorter than the mailbox, even an empty one, ends the file. The
//! receiver acknowledges each; 0 is the acknowledgement of a write request.

use super::MailError;
use super::cursor::{Reader, Writer};

/// Bytes before file name, data or text.
pub const HEADER_BYTES: usize = 6;

/// One mail of a file transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// 1: give me this file.
    ReadRequest {
        /// 0 without one.
        password: u32,
        /// File name, in the device's character set.
        name: &'a [u8],
    },
    /// 2: take this file.
    WriteRequest {
        /// 0 without one.
        password: u32,
        /// File name, in the device's character set.
        name: &'a [u8],
    },
    /// 3: a part of the file.
    Data {
        /// From 1.
        number: u32,
        /// As many bytes as fit into the mailbox, or fewer in the last one.
        data: &'a [u8],
    },
    /// 4: this part has arrived.
    Acknowledge {
        /// Which one; 0 answers a write request.
        number: u32,
    },
    /// 5: no more of this transfer.
    Error {
        /// Why.
        code: FoeError,
        /// In words, or empty.
        text: &'a [u8],
    },
    /// 6: not yet; send the last packet again.
    Busy {
        /// How much is done, of `entire`.
        done: u16,
        /// How much there is to do; 0: unknown.
        entire: u16,
        /// In words, or empty.
        text: &'a [u8],
    },
}

/// An error code of a file transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoeError(pub u32);

impl FoeError {
    /// Not defined.
    pub const NOT_DEFINED: Self = Self(0x8000);
    /// No such file.
    pub const NOT_FOUND: Self = Self(0x8001);
    /// Access denied.
    pub const ACCESS: Self = Self(0x8002);
    /// The disk is full.
    pub const DISK_FULL: Self = Self(0x8003);
    /// An opcode that is not possible now.
    pub const ILLEGAL: Self = Self(0x8004);
    /// A packet number that was not expected.
    pub const PACKET_NUMBER: Self = Self(0x8005);
    /// The file exists already.
    pub const EXISTS: Self = Self(0x8006);
    /// No user is logged in.
    pub const NO_USER: Self = Self(0x8007);
    /// In BOOT only.
    pub const BOOTSTRAP_ONLY: Self = Self(0x8008);
    /// Not in BOOT.
    pub const NOT_BOOTSTRAP: Self = Self(0x8009);
    /// No right to do so; a wrong password.
    pub const NO_RIGHTS: Self = Self(0x800A);
    /// A fault of the program.
    pub const PROGRAM: Self = Self(0x800B);
    /// A wrong checksum.
    pub const CHECKSUM: Self = Self(0x800C);
    /// Firmware that does not fit the hardware.
    pub const WRONG_FIRMWARE: Self = Self(0x800D);

    /// The meaning, in a few words; empty for a code that the standard does not define.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NOT_DEFINED => "not defined",
            Self::NOT_FOUND => "not found",
            Self::ACCESS => "access denied",
            Self::DISK_FULL => "disk full",
            Self::ILLEGAL => "illegal",
            Self::PACKET_NUMBER => "packet number wrong",
            Self::EXISTS => "already exists",
            Self::NO_USER => "no user",
            Self::BOOTSTRAP_ONLY => "bootstrap only",
            Self::NOT_BOOTSTRAP => "not bootstrap",
            Self::NO_RIGHTS => "no rights",
            Self::PROGRAM => "program error",
            Self::CHECKSUM => "checksum wrong",
            Self::WRONG_FIRMWARE => "firmware does not fit hardware",
            _ => "",
        }
    }
}

impl<'a> Packet<'a> {
    /// Reads the body of a mail.
    ///
    /// # Errors
    /// When it is short, or the opcode is unknown.
    pub fn parse(body: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(body);
        let opcode = reader.u8("FoE opcode")?;
        reader.u8("FoE header")?;
        let word = reader.u32("FoE header")?;
        let rest = reader.rest();
        Ok(match opcode {
            1 => Self::ReadRequest { password: word, name: rest },
            2 => Self::WriteRequest { password: word, name: rest },
            3 => Self::Data { number: word, data: rest },
            4 => Self::Acknowledge { number: word },
            5 => Self::Error { code: FoeError(word), text: rest },
            6 => Self::Busy { done: word as u16, entire: (word >> 16) as u16, text: rest },
            _ => return Err(MailError::Unknown { what: "FoE opcode", value: u32::from(opcode) }),
        })
    }

    /// Writes the body; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let (opcode, word, rest): (u8, u32, &[u8]) = match *self {
            Self::ReadRequest { password, name } => (1, password, name),
            Self::WriteRequest { password, name } => (2, password, name),
            Self::Data { number, data } => (3, number, data),
            Self::Acknowledge { number } => (4, number, &[]),
            Self::Error { code, text } => (5, code.0, text),
            Self::Busy { done, entire, text } => {
                (6, u32::from(done) | u32::from(entire) << 16, text)
            }
        };
        let mut writer = Writer::new(buffer);
        writer.u8(opcode)?.u8(0)?.u32(word)?.bytes(rest)?;
        Ok(writer.length())
    }
}
