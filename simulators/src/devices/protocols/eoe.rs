//! A device's Ethernet from its description, and the cables between sockets.

use std::net::Ipv4Addr;

use ecat_wire::ethernet::MacAddress;

use crate::description::eoe::{EoeDescription, EthernetHostDescription};
use crate::description::{DescriptionError, SegmentDescription};
use crate::devices::DeviceImage;
use crate::esc::mixed;
use crate::ethernet::Socket;
use crate::mailbox::{EoeSettings, HostSettings};

const SOCKETS_MAX: u8 = 8;
const NAME_BYTES_MAX: usize = 32;
const UDP_ECHO: u16 = 7;
const FRAGMENT_TIMEOUT_MS: u32 = 1_000;
/// IEEE 802.1D.
const AGING_S: u32 = 300;
/// Of an address that nobody has given out.
const LOCALLY_ADMINISTERED: u8 = 0x02;
const GROUP: u8 = 0x01;
/// Makes the addresses others than the seeds of clocks.
const ADDRESSES: u64 = 0x6574_6865_726E_6574;

fn error(path: impl Into<String>, message: impl Into<String>) -> DescriptionError {
    DescriptionError::new(path.into(), message.into())
}

/// What a description says of a device's Ethernet; `index` is the device's place.
pub(in crate::devices) fn eoe(
    described: &EoeDescription,
    index: usize,
) -> Result<EoeSettings, DescriptionError> {
    let sockets = described.sockets.unwrap_or(0);
    if sockets > SOCKETS_MAX {
        return Err(error("/sockets", format!("a device has at most {SOCKETS_MAX} sockets")));
    }
    let address =
        |text: &Option<String>, key: &str| text.as_deref().map(|text| ip(text, key)).transpose();
    let mac = described.mac.as_deref().map_or_else(|| Ok(made_of(index)), |text| mac(text, "/mac"));
    let dns_name = described.dns_name.as_ref().map(|name| name.clone().into_bytes());
    if dns_name.as_ref().is_some_and(|name| name.len() > NAME_BYTES_MAX) {
        return Err(error("/dnsName", format!("a name has at most {NAME_BYTES_MAX} bytes")));
    }
    let host = HostSettings {
        ip: address(&described.ip, "/ip")?,
        mask: address(&described.mask, "/mask")?,
        gateway: address(&described.gateway, "/gateway")?,
        dns_server: address(&described.dns_server, "/dnsServer")?,
        dns_name,
        echo_ports: described.udp_echo.clone().unwrap_or_else(|| vec![UDP_ECHO]),
    };
    let mut neighbours: Vec<(u8, MacAddress, HostSettings)> = Vec::new();
    for (n, one) in described.behind.iter().enumerate() {
        let at = |key: &str| format!("/behind/{n}{key}");
        if !(1..=sockets).contains(&one.socket) {
            return Err(error(at("/socket"), format!("is none of the sockets 1 to {sockets}")));
        }
        if neighbours.iter().any(|(socket, ..)| *socket == one.socket) {
            return Err(error(at("/socket"), "another host is plugged in there"));
        }
        neighbours.push(neighbour(one, &at)?);
    }
    let has_host = described.host.unwrap_or(sockets == 0);
    Ok(EoeSettings {
        mac: mac?,
        host: has_host.then_some(host),
        sockets,
        linked: Vec::new(),
        filter: described.filter.unwrap_or(sockets > 0),
        neighbours,
        fragment_timeout_ns: u64::from(
            described.fragment_timeout_ms.unwrap_or(FRAGMENT_TIMEOUT_MS),
        ) * 1_000_000,
        aging_ns: u64::from(described.aging_s.unwrap_or(AGING_S)) * 1_000_000_000,
    })
}

fn neighbour(
    one: &EthernetHostDescription,
    at: &dyn Fn(&str) -> String,
) -> Result<(u8, MacAddress, HostSettings), DescriptionError> {
    let host = HostSettings {
        ip: Some(ip(&one.ip, &at("/ip"))?),
        echo_ports: one.udp_echo.clone().unwrap_or_else(|| vec![UDP_ECHO]),
        ..HostSettings::default()
    };
    Ok((one.socket, mac(&one.mac, &at("/mac"))?, host))
}

fn ip(text: &str, path: &str) -> Result<Ipv4Addr, DescriptionError> {
    text.parse().map_err(|_| {
        error(path, format!("{text:?} is no IPv4 address, for example \"192.168.1.7\""))
    })
}

fn mac(text: &str, path: &str) -> Result<MacAddress, DescriptionError> {
    let bytes: Option<Vec<u8>> = text
        .split(':')
        .map(|part| u8::from_str_radix(part, 16).ok().filter(|_| part.len() == 2))
        .collect();
    let bytes = bytes.and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
    match bytes {
        Some(bytes) if bytes[0] & GROUP == 0 => Ok(MacAddress(bytes)),
        Some(_) => Err(error(path, format!("{text:?} is the address of a group"))),
        None => {
            let message = format!("{text:?} is no MAC address, for example \"02:00:5e:00:00:01\"");
            Err(error(path, message))
        }
    }
}

/// An address for the device at a place, the same each time.
fn made_of(index: usize) -> MacAddress {
    let [a, b, c, d, e, ..] = mixed(ADDRESSES ^ index as u64).to_le_bytes();
    MacAddress([LOCALLY_ADMINISTERED, a, b, c, d, e])
}

/// The Ethernet cables of a segment. Tells the devices which of their sockets have one.
pub(in crate::devices) fn cables(
    description: &SegmentDescription,
    images: &mut [DeviceImage],
) -> Result<Vec<[Socket; 2]>, DescriptionError> {
    let mut cables = Vec::new();
    for (n, cable) in description.ethernet.iter().enumerate() {
        let mut ends = [(0, 0); 2];
        for (end, (key, name)) in ends.iter_mut().zip([("from", &cable.from), ("to", &cable.to)]) {
            *end = plug(images, name, &format!("/ethernet/{n}/{key}"))?;
        }
        cables.push(ends);
    }
    Ok(cables)
}

fn plug(images: &mut [DeviceImage], name: &str, path: &str) -> Result<Socket, DescriptionError> {
    let parts = name.rsplit_once('.').and_then(|(name, socket)| Some((name, socket.parse().ok()?)));
    let Some((name, socket)) = parts else {
        let message = format!("{name:?} is no socket: <device name>.<number>");
        return Err(error(path, message));
    };
    let found = images.iter().position(|image| image.name == name);
    let Some((index, image)) = found.and_then(|index| Some((index, images.get_mut(index)?))) else {
        return Err(error(path, format!("no device is called {name:?}")));
    };
    let mailbox = image.profile.application.mailbox.as_mut();
    let Some(eoe) = mailbox.and_then(|mailbox| mailbox.eoe.as_mut()) else {
        return Err(error(path, format!("{name:?} has no Ethernet; it comes with mailbox.eoe")));
    };
    if !(1..=eoe.sockets).contains(&socket) {
        let message = format!("{name:?} has no socket {socket}; it has {}", eoe.sockets);
        return Err(error(path, message));
    }
    let behind = eoe.neighbours.iter().any(|(taken, ..)| *taken == socket);
    if behind || eoe.linked.contains(&socket) {
        return Err(error(path, format!("socket {socket} of {name:?} is taken")));
    }
    eoe.linked.push(socket);
    let place = u16::try_from(index).map_err(|_| error(path, "is too far away"))?;
    Ok((place, socket))
}
