//! CANopen over EtherCAT (type 3; ETG1000.6, "CoE").
//!
//! The body begins with two bytes: number (9 bits, 0) and service (the highest 4). What follows is one file
//! a service: [`sdo`], [`info`], [`emergency`].

mod abort;
pub mod emergency;
pub mod info;
pub mod sdo;

pub use abort::AbortCode;

use super::MailError;
use super::cursor::Reader;

/// Bytes of the header.
pub const HEADER_BYTES: usize = 2;

/// The service of a CoE mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// 1: an emergency.
    Emergency,
    /// 2: an SDO request, or an abort by either side.
    SdoRequest,
    /// 3: an SDO response.
    SdoResponse,
    /// 4: a TxPDO.
    TxPdo,
    /// 5: an RxPDO.
    RxPdo,
    /// 6: a request for a TxPDO.
    TxPdoRemoteRequest,
    /// 7: a request for an RxPDO.
    RxPdoRemoteRequest,
    /// 8: SDO information.
    SdoInformation,
    /// Any other.
    Other(u8),
}

impl Service {
    /// From the four bits of a header.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code & 0x0F {
            1 => Self::Emergency,
            2 => Self::SdoRequest,
            3 => Self::SdoResponse,
            4 => Self::TxPdo,
            5 => Self::RxPdo,
            6 => Self::TxPdoRemoteRequest,
            7 => Self::RxPdoRemoteRequest,
            8 => Self::SdoInformation,
            other => Self::Other(other),
        }
    }

    /// The four bits of a header.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Emergency => 1,
            Self::SdoRequest => 2,
            Self::SdoResponse => 3,
            Self::TxPdo => 4,
            Self::RxPdo => 5,
            Self::TxPdoRemoteRequest => 6,
            Self::RxPdoRemoteRequest => 7,
            Self::SdoInformation => 8,
            Self::Other(code) => code & 0x0F,
        }
    }

    /// Reads the header; returns the service and what follows.
    ///
    /// # Errors
    /// With fewer than two bytes.
    pub fn parse(body: &[u8]) -> Result<(Self, &[u8]), MailError> {
        let mut reader = Reader(body);
        let header = reader.u16("CoE header")?;
        Ok((Self::from_code((header >> 12) as u8), reader.rest()))
    }

    /// The header, with number 0.
    #[must_use]
    pub const fn header(self) -> [u8; HEADER_BYTES] {
        ((self.code() as u16) << 12).to_le_bytes()
    }
}

/// Where an SDO points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Object.
    pub index: u16,
    /// Subindex; with complete access where to begin: 0 or 1.
    pub subindex: u8,
    /// The whole object at once.
    pub complete: bool,
}
