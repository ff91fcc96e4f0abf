//! SDO information (CoE service 8; ETG1000.6, "SDO information services"): what objects a device has.
//!
//! ```text
//! opcode 7 bits + incomplete 1, reserved u8, fragments left u16, then the body
//! ```
//! A body that is longer than the mailbox comes in fragments, each with this header; the fields of a body
//! stand in the first one only.

use super::{AbortCode, Service};
use crate::mailbox::MailError;
use crate::mailbox::cursor::{Reader, Writer};

/// Bytes of CoE header and information header.
pub const HEADER_BYTES: usize = 6;

const INCOMPLETE: u8 = 0x80;

/// What the body of an SDO information mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// 1.
    ListRequest,
    /// 2.
    ListResponse,
    /// 3.
    ObjectRequest,
    /// 4.
    ObjectResponse,
    /// 5.
    EntryRequest,
    /// 6.
    EntryResponse,
    /// 7.
    Error,
}

impl Opcode {
    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::ListRequest,
            2 => Self::ListResponse,
            3 => Self::ObjectRequest,
            4 => Self::ObjectResponse,
            5 => Self::EntryRequest,
            6 => Self::EntryResponse,
            7 => Self::Error,
            _ => return None,
        })
    }

    const fn code(self) -> u8 {
        match self {
            Self::ListRequest => 1,
            Self::ListResponse => 2,
            Self::ObjectRequest => 3,
            Self::ObjectResponse => 4,
            Self::EntryRequest => 5,
            Self::EntryResponse => 6,
            Self::Error => 7,
        }
    }
}

/// One mail of SDO information, its body not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// What the body is.
    pub opcode: Opcode,
    /// Further fragments follow.
    pub incomplete: bool,
    /// How many.
    pub fragments_left: u16,
    /// The body, or a part of it.
    pub body: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Reads what follows the CoE header.
    ///
    /// # Errors
    /// When it is short, or the opcode is unknown.
    pub fn parse(payload: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(payload);
        let code = reader.u8("information opcode")?;
        let opcode = Opcode::from_code(code & !INCOMPLETE)
            .ok_or(MailError::Unknown { what: "information opcode", value: u32::from(code) })?;
        reader.u8("information header")?;
        let fragments_left = reader.u16("fragments left")?;
        let incomplete = code & INCOMPLETE != 0;
        Ok(Self { opcode, incomplete, fragments_left, body: reader.rest() })
    }

    /// Writes the body of the mail, CoE header included; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        writer.bytes(&Service::SdoInformation.header())?;
        let flag = if self.incomplete { INCOMPLETE } else { 0 };
        writer.u8(self.opcode.code() | flag)?.u8(0)?;
        writer.u16(self.fragments_left)?.bytes(self.body)?;
        Ok(writer.length())
    }
}

/// Which objects a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// 0: how many objects each of the five lists has.
    Lengths,
    /// 1: all.
    All,
    /// 2: those that RxPDOs can carry.
    RxMappable,
    /// 3: those that TxPDOs can carry.
    TxMappable,
    /// 4: those to be stored for a replacement of the device.
    Backup,
    /// 5: those to be set at every start.
    Settings,
}

impl ListType {
    /// By its code.
    #[must_use]
    pub const fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            0 => Self::Lengths,
            1 => Self::All,
            2 => Self::RxMappable,
            3 => Self::TxMappable,
            4 => Self::Backup,
            5 => Self::Settings,
            _ => return None,
        })
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }
}

/// The body of [`Opcode::ObjectResponse`]: one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectDescription<'a> {
    /// Its index.
    pub index: u16,
    /// Its data type; for a record the type of the record.
    pub data_type: u16,
    /// Its highest subindex.
    pub max_subindex: u8,
    /// 7 variable, 8 array, 9 record.
    pub object_code: u8,
    /// Its name, in the device's character set.
    pub name: &'a [u8],
}

impl<'a> ObjectDescription<'a> {
    /// Reads a whole body.
    ///
    /// # Errors
    /// When it is shorter than six bytes.
    pub fn parse(body: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(body);
        Ok(Self {
            index: reader.u16("object index")?,
            data_type: reader.u16("data type")?,
            max_subindex: reader.u8("highest subindex")?,
            object_code: reader.u8("object code")?,
            name: reader.rest(),
        })
    }

    /// Writes the body (without header); returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        writer.u16(self.index)?.u16(self.data_type)?.u8(self.max_subindex)?.u8(self.object_code)?;
        writer.bytes(self.name)?;
        Ok(writer.length())
    }
}

/// The body of [`Opcode::EntryRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRequest {
    /// Object.
    pub index: u16,
    /// Subindex.
    pub subindex: u8,
    /// What to add: bit 3 unit, 4 default, 5 minimum, 6 maximum.
    pub value_info: u8,
}

impl EntryRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// When it is shorter than four bytes.
    pub fn parse(body: &[u8]) -> Result<Self, MailError> {
        let mut reader = Reader(body);
        Ok(Self {
            index: reader.u16("object index")?,
            subindex: reader.u8("subindex")?,
            value_info: reader.u8("value info")?,
        })
    }

    /// The body.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        let [low, high] = self.index.to_le_bytes();
        [low, high, self.subindex, self.value_info]
    }
}

/// The body of [`Opcode::EntryResponse`]: one entry of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryDescription<'a> {
    /// Object.
    pub index: u16,
    /// Subindex.
    pub subindex: u8,
    /// What [`EntryDescription::data`] begins with.
    pub value_info: u8,
    /// Data type (ETG1000.6, basic data types); 0 for an entry that is a gap.
    pub data_type: u16,
    /// Bits.
    pub bit_length: u16,
    /// Bits 0–2 read in PRE-OP, SAFE-OP, OP; 3–5 write in these; 6 RxPDO, 7 TxPDO; 8 backup; 9 settings.
    pub access: u16,
    /// The values that were asked for, then the name.
    pub data: &'a [u8],
}

impl<'a> EntryDescription<'a> {
    /// Reads a whole body.
    ///
    /// # Errors
    /// When it is shorter than ten bytes.
    pub fn parse(body: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(body);
        Ok(Self {
            index: reader.u16("object index")?,
            subindex: reader.u8("subindex")?,
            value_info: reader.u8("value info")?,
            data_type: reader.u16("data type")?,
            bit_length: reader.u16("bit length")?,
            access: reader.u16("object access")?,
            data: reader.rest(),
        })
    }

    /// Writes the body (without header); returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        writer.u16(self.index)?.u8(self.subindex)?.u8(self.value_info)?;
        writer.u16(self.data_type)?.u16(self.bit_length)?.u16(self.access)?.bytes(self.data)?;
        Ok(writer.length())
    }
}

/// The body of [`Opcode::Error`]: an abort code.
///
/// # Errors
/// When it is shorter than four bytes.
pub fn parse_error(body: &[u8]) -> Result<AbortCode, MailError> {
    Reader(body).u32("abort code").map(AbortCode)
}
