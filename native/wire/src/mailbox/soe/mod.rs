//! Servo drive profile over EtherCAT (type 5; ETG1000.6, "SoE"): the service channel of a SERCOS drive (IEC 61491).
//!
//! ```text
//! opcode 3 bits, more follows 1, error 1, drive 3
//! elements u8   data state, name, attribute, unit, minimum, maximum, value, default
//! IDN u16       or how many fragments follow, while more follows
//! then          the elements one behind the other, in the order of their bits; or an error u16
//! ```
//! An element that is longer than a mail comes in fragments, each with the same elements, without anything asked in
//! between (SOEM, `ec_soe.c`; IgH, `fsm_soe.c`).

mod attribute;
mod error;
mod idn;
mod list;

pub use attribute::{Attribute, DataType};
pub use error::SoeError;
pub use idn::Idn;
pub use list::{LIST_HEADER_BYTES, List};

use super::MailError;
use super::cursor::{Reader, Writer};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 4;

/// Elements of an IDN, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elements(pub u8);

impl Elements {
    /// Whether the value is valid, and how far a procedure command is (2 bytes).
    pub const DATA_STATE: Self = Self(0x01);
    /// Name (a list of characters).
    pub const NAME: Self = Self(0x02);
    /// [`Attribute`] (4 bytes).
    pub const ATTRIBUTE: Self = Self(0x04);
    /// Unit (a list of characters).
    pub const UNIT: Self = Self(0x08);
    /// Least value.
    pub const MINIMUM: Self = Self(0x10);
    /// Largest value.
    pub const MAXIMUM: Self = Self(0x20);
    /// The value itself, in SERCOS the operation data.
    pub const VALUE: Self = Self(0x40);
    /// Its default.
    pub const DEFAULT: Self = Self(0x80);

    /// Whether it has one of these elements.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Bits of what is written to a procedure command, and of its data state (IEC 61491; Beckhoff's `E_SoE_CmdControl`
/// and `E_SoE_CmdState` have the values that they make).
pub mod command {
    /// Written, and in the state: the command is set.
    pub const SET: u16 = 0x0001;
    /// Written, and in the state: its execution is allowed.
    pub const ENABLED: u16 = 0x0002;
    /// In the state: not yet executed.
    pub const NOT_EXECUTED: u16 = 0x0004;
    /// In the state: an error.
    pub const ERROR: u16 = 0x0008;
    /// In the data state of any IDN: the value is invalid.
    pub const INVALID: u16 = 0x0100;

    /// Not set.
    pub const STATE_NOT_SET: u16 = 0;
    /// Executed.
    pub const STATE_EXECUTED: u16 = SET | ENABLED;
    /// Interrupted.
    pub const STATE_INTERRUPTED: u16 = SET | NOT_EXECUTED;
    /// Being executed.
    pub const STATE_RUNNING: u16 = SET | ENABLED | NOT_EXECUTED;
    /// Ended with an error.
    pub const STATE_ERROR: u16 = SET | ENABLED | NOT_EXECUTED | ERROR;
}

/// What a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// 1: read elements.
    ReadRequest,
    /// 2: the answer to that.
    ReadResponse,
    /// 3: write an element.
    WriteRequest,
    /// 4: the answer to that.
    WriteResponse,
    /// 5: something has changed, by the drive.
    Notification,
    /// 6: something is wrong, by the drive.
    Emergency,
}

impl Opcode {
    const ALL: [Self; 6] = [
        Self::ReadRequest,
        Self::ReadResponse,
        Self::WriteRequest,
        Self::WriteResponse,
        Self::Notification,
        Self::Emergency,
    ];

    /// From the three bits of a header.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let place = usize::from(code & 0x07).checked_sub(1)?;
        Self::ALL.get(place).copied()
    }

    /// The three bits of a header.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::ReadRequest => 1,
            Self::ReadResponse => 2,
            Self::WriteRequest => 3,
            Self::WriteResponse => 4,
            Self::Notification => 5,
            Self::Emergency => 6,
        }
    }
}

/// One mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mail<'a> {
    /// What it is.
    pub opcode: Opcode,
    /// Which drive of the device (3 bits).
    pub drive: u8,
    /// What is asked for, or there.
    pub elements: Elements,
    /// What follows.
    pub content: Content<'a>,
}

/// What a mail carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// All there is, or the last fragment of it.
    Last {
        /// Of this IDN.
        idn: Idn,
        /// Elements; nothing in a read request or a write response.
        data: &'a [u8],
    },
    /// A fragment; only the last one names the IDN.
    Fragment {
        /// How many follow. IgH counts them exactly; SOEM's number is one too large where the last fragment is full.
        left: u16,
        /// A part of the elements.
        data: &'a [u8],
    },
    /// No: in an answer.
    Error {
        /// Of this IDN.
        idn: Idn,
        /// Why.
        code: SoeError,
    },
}

const INCOMPLETE: u8 = 0x08;
const ERROR: u8 = 0x10;
const ERROR_BYTES: usize = 2;

impl<'a> Mail<'a> {
    /// Reads the body of a mail.
    ///
    /// # Errors
    /// When it is short, or the opcode is unknown.
    pub fn parse(body: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(body);
        let control = reader.u8("SoE header")?;
        let elements = Elements(reader.u8("SoE header")?);
        let word = reader.u16("SoE header")?;
        let data = reader.rest();
        let code = control & 0x07;
        let opcode = Opcode::from_code(code)
            .ok_or(MailError::Unknown { what: "SoE opcode", value: u32::from(code) })?;
        let content = if control & ERROR != 0 {
            // IgH and SOEM take the last two bytes, whatever stands before them.
            let code = data.last_chunk::<ERROR_BYTES>().ok_or(MailError::Short("SoE error"))?;
            Content::Error { idn: Idn(word), code: SoeError(u16::from_le_bytes(*code)) }
        } else if control & INCOMPLETE != 0 {
            Content::Fragment { left: word, data }
        } else {
            Content::Last { idn: Idn(word), data }
        };
        Ok(Self { opcode, drive: control >> 5, elements, content })
    }

    /// Writes the body; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        let control = self.opcode.code() | self.drive << 5;
        let (flag, word, data) = match self.content {
            Content::Last { idn, data } => (0, idn.0, data),
            Content::Fragment { left, data } => (INCOMPLETE, left, data),
            Content::Error { idn, .. } => (ERROR, idn.0, &[][..]),
        };
        writer.u8(control | flag)?.u8(self.elements.0)?.u16(word)?.bytes(data)?;
        if let Content::Error { code, .. } = self.content {
            writer.u16(code.0)?;
        }
        Ok(writer.length())
    }
}

/// What a drive says in an emergency: in the place of the IDN an error code, then a register and five bytes, as CoE
/// has them. (acontis' `EC_T_SOE_EMERGENCY` has a header of two bytes and five bytes of data; code and register
/// between them are assumed.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emergency {
    /// Which drive (3 bits).
    pub drive: u8,
    /// Error code.
    pub code: u16,
    /// Error register.
    pub register: u8,
    /// The drive's own.
    pub data: [u8; 5],
}

impl Emergency {
    /// Reads it out of a mail; `None` of another one.
    ///
    /// # Errors
    /// When it is short.
    pub fn of(mail: &Mail<'_>) -> Result<Option<Self>, MailError> {
        let (Opcode::Emergency, Content::Last { idn, data }) = (mail.opcode, mail.content) else {
            return Ok(None);
        };
        let mut reader = Reader(data);
        let register = reader.u8("SoE emergency")?;
        let data = reader.array("SoE emergency")?;
        Ok(Some(Self { drive: mail.drive, code: idn.0, register, data }))
    }

    /// Writes the body of a mail; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let [a, b, c, d, e] = self.data;
        Mail {
            opcode: Opcode::Emergency,
            drive: self.drive,
            elements: Elements::default(),
            content: Content::Last { idn: Idn(self.code), data: &[self.register, a, b, c, d, e] },
        }
        .emit(buffer)
    }
}
