//! Ethernet over EtherCAT (type 2; ETG1000.6, "Ethernet over EtherCAT").
//!
//! ```text
//! info u16     type 4 bits, port 4, last fragment 1, time stamp appended 1, time stamp requested 1
//! data u16     fragment 6, offset or size in 32 bytes 6, frame 4; or a result
//! ```
//! Layouts were held against Wireshark's dissector (`packet-ecatmb.h`), SOEM (`ec_eoe.h`) and IgH
//! (`ecrt.h`): all three have these types and results.

mod filter;
mod fragment;
mod parameters;

pub use filter::{AddressFilter, FILTERS_MAX, MASKS_MAX};
pub use fragment::{Arrived, Assembler, BLOCK_BYTES, Cutter, Fragment};
pub use parameters::IpParameters;

use super::MailError;
use super::cursor::{Reader, Writer};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 4;
/// The largest frame: with a VLAN tag, without its checksum.
pub const FRAME_BYTES_MAX: usize = crate::ethernet::TAGGED_FRAME_BYTES_MAX;

const TYPE: u16 = 0x000F;
const LAST: u16 = 0x0100;
const TIME_STAMP_APPENDED: u16 = 0x0200;
const TIME_STAMP_REQUESTED: u16 = 0x0400;

/// What became of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EoeResult(pub u16);

impl EoeResult {
    /// It is done.
    pub const SUCCESS: Self = Self(0x0000);
    /// It failed.
    pub const UNSPECIFIED: Self = Self(0x0001);
    /// The device knows no such type of mail.
    pub const UNSUPPORTED_TYPE: Self = Self(0x0002);
    /// The device has no IP.
    pub const NO_IP: Self = Self(0x0201);
    /// The device has no DHCP.
    pub const NO_DHCP: Self = Self(0x0202);
    /// The device has no address filter.
    pub const NO_FILTER: Self = Self(0x0401);

    /// The meaning, in a few words; empty for a code that no source defines.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::SUCCESS => "success",
            Self::UNSPECIFIED => "unspecified error",
            Self::UNSUPPORTED_TYPE => "type not supported",
            Self::NO_IP => "no IP",
            Self::NO_DHCP => "no DHCP",
            Self::NO_FILTER => "no address filter",
            _ => "",
        }
    }
}

/// One mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mail<'a> {
    /// Which port of the device; 0: none in particular (4 bits).
    pub port: u8,
    /// What it carries.
    pub message: Message<'a>,
}

/// What a mail carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// 0: a piece of an Ethernet frame.
    Fragment(Fragment<'a>),
    /// 1: when a frame, for which that was requested, left the device.
    TimeStamp {
        /// Number of the frame (4 bits).
        frame: u8,
        /// In ns, the lower half of the system time.
        time_ns: u32,
    },
    /// 2: have these addresses.
    SetIp(IpParameters<'a>),
    /// 3: the answer to that, and to a type that the device does not know.
    SetIpResult(EoeResult),
    /// 4: let only these frames through.
    SetFilter(AddressFilter),
    /// 5: the answer to that.
    SetFilterResult(EoeResult),
    /// 6: which addresses do you have?
    GetIp,
    /// 7: the answer to that.
    Ip(Result<IpParameters<'a>, EoeResult>),
    /// 8: which filter do you have?
    GetFilter,
    /// 9: the answer to that.
    Filter(Result<AddressFilter, EoeResult>),
}

impl Message<'_> {
    const fn code(&self) -> u16 {
        match self {
            Self::Fragment(_) => 0,
            Self::TimeStamp { .. } => 1,
            Self::SetIp(_) => 2,
            Self::SetIpResult(_) => 3,
            Self::SetFilter(_) => 4,
            Self::SetFilterResult(_) => 5,
            Self::GetIp => 6,
            Self::Ip(_) => 7,
            Self::GetFilter => 8,
            Self::Filter(_) => 9,
        }
    }
}

impl<'a> Mail<'a> {
    /// Reads the body of a mail.
    ///
    /// # Errors
    /// When it is short, or of a type that no source defines.
    pub fn parse(body: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(body);
        let info = reader.u16("EoE header")?;
        let data = reader.u16("EoE header")?;
        let rest = reader.rest();
        let result = EoeResult(data);
        let message = match info & TYPE {
            0 => Message::Fragment(Fragment {
                number: (data & 0x3F) as u8,
                blocks: (data >> 6 & 0x3F) as u8,
                frame: (data >> 12) as u8,
                last: info & LAST != 0,
                time_stamp_appended: info & TIME_STAMP_APPENDED != 0,
                time_stamp_requested: info & TIME_STAMP_REQUESTED != 0,
                data: rest,
            }),
            1 => Message::TimeStamp {
                frame: (data >> 12) as u8,
                time_ns: Reader(rest).u32("EoE time stamp")?,
            },
            2 => Message::SetIp(IpParameters::parse(rest)?),
            3 => Message::SetIpResult(result),
            4 => Message::SetFilter(AddressFilter::parse(rest)?),
            5 => Message::SetFilterResult(result),
            6 => Message::GetIp,
            7 if result == EoeResult::SUCCESS => Message::Ip(Ok(IpParameters::parse(rest)?)),
            7 => Message::Ip(Err(result)),
            8 => Message::GetFilter,
            9 if result == EoeResult::SUCCESS => Message::Filter(Ok(AddressFilter::parse(rest)?)),
            9 => Message::Filter(Err(result)),
            value => {
                return Err(MailError::Unknown { what: "EoE type", value: u32::from(value) });
            }
        };
        Ok(Self { port: (info >> 4 & 0x0F) as u8, message })
    }

    /// Writes the body; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        let info = self.message.code() | u16::from(self.port & 0x0F) << 4;
        // Settings come in one mail: SOEM, and the device stack SOES, call it the last one.
        let (flags, data) = match self.message {
            Message::Fragment(fragment) => {
                let flag = |on: bool, bit: u16| if on { bit } else { 0 };
                let flags = flag(fragment.last, LAST)
                    | flag(fragment.time_stamp_appended, TIME_STAMP_APPENDED)
                    | flag(fragment.time_stamp_requested, TIME_STAMP_REQUESTED);
                let place = u16::from(fragment.number & 0x3F)
                    | u16::from(fragment.blocks & 0x3F) << 6
                    | u16::from(fragment.frame & 0x0F) << 12;
                (flags, place)
            }
            Message::TimeStamp { frame, .. } => (LAST, u16::from(frame & 0x0F) << 12),
            Message::SetIpResult(result)
            | Message::SetFilterResult(result)
            | Message::Ip(Err(result))
            | Message::Filter(Err(result)) => (LAST, result.0),
            _ => (LAST, 0),
        };
        writer.u16(info | flags)?.u16(data)?;
        match self.message {
            Message::Fragment(fragment) => {
                writer.bytes(fragment.data)?;
            }
            Message::TimeStamp { time_ns, .. } => {
                writer.u32(time_ns)?;
            }
            Message::SetIp(parameters) | Message::Ip(Ok(parameters)) => {
                parameters.emit(&mut writer)?
            }
            Message::SetFilter(filter) | Message::Filter(Ok(filter)) => filter.emit(&mut writer)?,
            _ => {}
        }
        Ok(writer.length())
    }
}
