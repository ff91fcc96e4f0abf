//! The addresses of a device (ETG1000.6, "Set IP Parameter").
//!
//! ```text
//! flags u32    which of the others count: address, IP, mask, gateway, DNS server, name; bit 16: append time stamps
//! then         MAC address 6, IP 4, mask 4, gateway 4, DNS server 4 (each number's last part first), name 32
//! ```

use std::net::Ipv4Addr;

use super::super::MailError;
use super::super::cursor::{Reader, Writer};
use crate::ethernet::MacAddress;

const MAC: u32 = 0x01;
const IP: u32 = 0x02;
const MASK: u32 = 0x04;
const GATEWAY: u32 = 0x08;
const DNS_SERVER: u32 = 0x10;
const DNS_NAME: u32 = 0x20;
/// In Wireshark's dissector only.
const APPEND_TIME_STAMP: u32 = 0x0001_0000;

const MAC_BYTES: usize = 6;
const IP_BYTES: usize = 4;
const NAME_BYTES: usize = 32;

/// Where each part stands when all of them are there.
const FIXED: [(u32, usize); 6] = [
    (MAC, MAC_BYTES),
    (IP, IP_BYTES),
    (MASK, IP_BYTES),
    (GATEWAY, IP_BYTES),
    (DNS_SERVER, IP_BYTES),
    (DNS_NAME, NAME_BYTES),
];

/// Addresses; what is `None` stays as it is, or is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IpParameters<'a> {
    /// MAC address.
    pub mac: Option<MacAddress>,
    /// IP address.
    pub ip: Option<Ipv4Addr>,
    /// Subnet mask.
    pub mask: Option<Ipv4Addr>,
    /// Default gateway.
    pub gateway: Option<Ipv4Addr>,
    /// Name server.
    pub dns_server: Option<Ipv4Addr>,
    /// The device's own name, at most 32 bytes, without the zeros behind it.
    pub dns_name: Option<&'a [u8]>,
    /// Whether frames from the device are to carry the time at which it received them.
    pub append_time_stamp: bool,
}

impl<'a> IpParameters<'a> {
    /// Reads what follows a header. MainDevices send the parts that do not count along (TwinCAT, and what Wireshark
    /// expects) or leave them out (SOEM from 2.0 on): a length of exactly the parts that count tells.
    pub(super) fn parse(rest: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(rest);
        let flags = reader.u32("EoE flags")?;
        let rest = reader.rest();
        let counts = |flag: u32| flags & flag != 0;
        let of_those: usize =
            FIXED.iter().filter(|(flag, _)| counts(*flag)).map(|(_, bytes)| bytes).sum();
        let packed = rest.len() == of_those;
        let mut reader = Reader(rest);
        let mut part = |flag: u32, bytes: usize| -> Result<Option<&'a [u8]>, MailError> {
            if !counts(flag) {
                if !packed {
                    // Old bytes in the place of a part that does not count; behind the last one, nothing.
                    let there = bytes.min(reader.0.len());
                    reader.bytes(there, "EoE addresses")?;
                }
                return Ok(None);
            }
            let bytes = if flag == DNS_NAME { reader.0.len().clamp(1, bytes) } else { bytes };
            reader.bytes(bytes, "EoE addresses").map(Some)
        };
        let mac = part(MAC, MAC_BYTES)?;
        let mut number = |flag: u32| part(flag, IP_BYTES).map(|bytes| bytes.and_then(address));
        let (ip, mask) = (number(IP)?, number(MASK)?);
        let (gateway, dns_server) = (number(GATEWAY)?, number(DNS_SERVER)?);
        let dns_name = part(DNS_NAME, NAME_BYTES)?;
        Ok(Self {
            mac: mac.and_then(|bytes| bytes.first_chunk().copied().map(MacAddress)),
            ip,
            mask,
            gateway,
            dns_server,
            dns_name: dns_name.map(|name| name.split(|&byte| byte == 0).next().unwrap_or(name)),
            append_time_stamp: flags & APPEND_TIME_STAMP != 0,
        })
    }

    /// Writes all parts, as TwinCAT does.
    pub(super) fn emit(&self, writer: &mut Writer<'_>) -> Result<(), MailError> {
        let flag = |there: bool, flag: u32| if there { flag } else { 0 };
        let flags = flag(self.mac.is_some(), MAC)
            | flag(self.ip.is_some(), IP)
            | flag(self.mask.is_some(), MASK)
            | flag(self.gateway.is_some(), GATEWAY)
            | flag(self.dns_server.is_some(), DNS_SERVER)
            | flag(self.dns_name.is_some(), DNS_NAME)
            | flag(self.append_time_stamp, APPEND_TIME_STAMP);
        writer.u32(flags)?.bytes(&self.mac.unwrap_or(MacAddress([0; MAC_BYTES])).0)?;
        for number in [self.ip, self.mask, self.gateway, self.dns_server] {
            writer.u32(number.map_or(0, u32::from))?;
        }
        let name = self.dns_name.unwrap_or_default();
        let zeros = [0; NAME_BYTES];
        let padding = zeros.get(name.len()..).ok_or(MailError::NoRoom)?;
        writer.bytes(name)?.bytes(padding)?;
        Ok(())
    }
}

fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    bytes.first_chunk().map(|bytes| Ipv4Addr::from(u32::from_le_bytes(*bytes)))
}
