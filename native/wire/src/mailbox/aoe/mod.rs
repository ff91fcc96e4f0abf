//! ADS over EtherCAT (type 1; ETG1020, "AoE"): Beckhoff's ADS as it goes over TCP, without the TCP header.
//!
//! ```text
//! target net id 6, port u16; source net id 6, port u16
//! command u16, flags u16, bytes of data u32, error u32, invoke id u32, then the data
//! ```
//! Layouts: Beckhoff, "ADS/AMS specification" (Infosys); codes as in its "ADS return codes".

mod error;
mod notification;
mod request;
mod response;

pub use error::AdsError;
pub use notification::{Sample, Samples};
pub use request::Request;
pub use response::{DeviceInfo, Response};

use std::fmt;
use std::str::FromStr;

use super::MailError;
use super::cursor::{Reader, Writer};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 32;

/// State flag: this is an answer.
const RESPONSE: u16 = 0x0001;
/// State flag: an ADS command.
const ADS_COMMAND: u16 = 0x0004;

/// Who sends or receives ADS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AmsAddress {
    /// The device.
    pub net_id: NetId,
    /// What answers within it.
    pub port: u16,
}

/// A device among those that speak ADS: six numbers, `5.1.2.3.4.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NetId(pub [u8; 6]);

impl fmt::Display for NetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a}.{b}.{c}.{d}.{e}.{g}")
    }
}

/// A text that is no net id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoNetId;

impl fmt::Display for NoNetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no AMS net id: six numbers of 0 to 255, for example \"5.1.2.3.4.5\"")
    }
}

impl std::error::Error for NoNetId {}

impl FromStr for NetId {
    type Err = NoNetId;

    fn from_str(text: &str) -> Result<Self, NoNetId> {
        let parts: Vec<u8> =
            text.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| NoNetId)?;
        parts.try_into().map(Self).map_err(|_| NoNetId)
    }
}

/// Commands of ADS.
pub mod command {
    /// Read the device's name and version.
    pub const READ_DEVICE_INFO: u16 = 1;
    /// Read.
    pub const READ: u16 = 2;
    /// Write.
    pub const WRITE: u16 = 3;
    /// Read the state.
    pub const READ_STATE: u16 = 4;
    /// Change the state.
    pub const WRITE_CONTROL: u16 = 5;
    /// Be told of changes.
    pub const ADD_NOTIFICATION: u16 = 6;
    /// No longer be told.
    pub const DELETE_NOTIFICATION: u16 = 7;
    /// What has changed.
    pub const NOTIFICATION: u16 = 8;
    /// Write, then read.
    pub const READ_WRITE: u16 = 9;
}

/// States of an ADS device that this crate's users need (Beckhoff, `ADSSTATE`).
pub mod state {
    /// Invalid.
    pub const INVALID: u16 = 0;
    /// Idle.
    pub const IDLE: u16 = 1;
    /// Reset.
    pub const RESET: u16 = 2;
    /// Initialised.
    pub const INIT: u16 = 3;
    /// Started.
    pub const START: u16 = 4;
    /// Runs.
    pub const RUN: u16 = 5;
    /// Stopped.
    pub const STOP: u16 = 6;
    /// Saves its configuration.
    pub const SAVE_CONFIGURATION: u16 = 7;
    /// Loads its configuration.
    pub const LOAD_CONFIGURATION: u16 = 8;
    /// In error.
    pub const ERROR: u16 = 11;
    /// Being configured.
    pub const CONFIG: u16 = 15;
}

/// What every mail begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who shall receive it.
    pub target: AmsAddress,
    /// Who sent it.
    pub source: AmsAddress,
    /// [`command`].
    pub command: u16,
    /// State flags: bit 0 an answer, bit 2 an ADS command.
    pub flags: u16,
    /// Bytes of data.
    pub length: u32,
    /// Of an answer that has no data: why.
    pub error: AdsError,
    /// The sender's; an answer has the same.
    pub invoke_id: u32,
}

impl Header {
    /// A request's.
    #[must_use]
    pub const fn request(target: AmsAddress, source: AmsAddress, invoke_id: u32) -> Self {
        Self {
            target,
            source,
            command: 0,
            flags: ADS_COMMAND,
            length: 0,
            error: AdsError::NONE,
            invoke_id,
        }
    }

    /// That of the answer to this one.
    #[must_use]
    pub const fn answer(&self) -> Self {
        Self {
            target: self.source,
            source: self.target,
            flags: self.flags | RESPONSE,
            length: 0,
            error: AdsError::NONE,
            ..*self
        }
    }

    /// Whether it is an answer's.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        self.flags & RESPONSE != 0
    }

    /// Reads the header, and what of its data is there.
    ///
    /// # Errors
    /// With fewer than 32 bytes. Data that ends early is no error here: compare its length.
    pub fn parse(body: &[u8]) -> Result<(Self, &[u8]), MailError> {
        let mut reader = Reader(body);
        let mut address = || -> Result<AmsAddress, MailError> {
            let net_id = NetId(reader.array("AMS address")?);
            Ok(AmsAddress { net_id, port: reader.u16("AMS address")? })
        };
        let (target, source) = (address()?, address()?);
        let header = Self {
            target,
            source,
            command: reader.u16("AMS header")?,
            flags: reader.u16("AMS header")?,
            length: reader.u32("AMS header")?,
            error: AdsError(reader.u32("AMS header")?),
            invoke_id: reader.u32("AMS header")?,
        };
        let data = reader.rest();
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        Ok((header, &data[..data.len().min(length)]))
    }

    /// Writes the header as it is.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        for address in [self.target, self.source] {
            writer.bytes(&address.net_id.0)?.u16(address.port)?;
        }
        writer
            .u16(self.command)?
            .u16(self.flags)?
            .u32(self.length)?
            .u32(self.error.0)?
            .u32(self.invoke_id)?;
        Ok(writer.length())
    }

    /// Writes a mail: this header with a command and the length of what `data` writes behind it.
    pub(super) fn emit_with(
        &self,
        command: u16,
        buffer: &mut [u8],
        data: impl FnOnce(&mut Writer<'_>) -> Result<(), MailError>,
    ) -> Result<usize, MailError> {
        let (head, rest) = buffer.split_at_mut_checked(HEADER_BYTES).ok_or(MailError::NoRoom)?;
        let mut writer = Writer::new(rest);
        data(&mut writer)?;
        let length = writer.length();
        let length_field = u32::try_from(length).map_err(|_| MailError::NoRoom)?;
        Self { command, length: length_field, ..*self }.emit(head)?;
        Ok(HEADER_BYTES + length)
    }
}
