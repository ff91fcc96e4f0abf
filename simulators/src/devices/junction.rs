//! Junctions: boxes that lead frames to several sockets, without process data.

use super::known;
use super::terminal::{BECKHOFF, Built, sii, simulated};
use crate::esc::Profile;

/// How many ESCs the box of a CU1128 has.
pub(super) const CU1128_ESCS: usize = 3;
/// Sockets of a CU1128: 1 leads to the MainDevice.
pub(super) const CU1128_SOCKETS: std::ops::RangeInclusive<u8> = 2..=8;

/// A two-port junction on an E-bus. Ports by its device description (ESI, revision 0x00120000): 0 and 2
/// E-bus, 3 the socket X1, 1 the socket X2. Its chip is assumed to be that of an EK1100.
pub(super) fn ek1122() -> Built {
    let texts = ["System", "EK1122", "EK1122, simulated: junction with two sockets"];
    let sii = sii((BECKHOFF, 0x0462_2C52, 0x0012_0000), 0x0D00, texts, 220, 0x1313);
    // Port 3 MII, 2 E-bus, 1 MII, 0 E-bus.
    Built { profile: Profile { port_descriptor: 0xEE, ..known::coupler() }, ..Built::plain(sii) }
}

/// One of the three ESCs in the box of a CU1128, which are one behind the other (public documentation of the
/// CU112x, "Basic function principles"). Which ports lead from one to the next is assumed: port 3 of each to
/// port 0 of the next. Of an EK1100's chip, with four MII ports.
pub(super) fn cu1128(part: usize) -> Built {
    let orders = ["CU1128-like", "CU1128-like B", "CU1128-like C"];
    let order = orders[part.min(CU1128_ESCS - 1)];
    let (vendor, product, _) = simulated(0x0468_5432);
    // A revision each, so that a MainDevice can tell them apart; assumed.
    let revision = u32::try_from(part).unwrap_or(0) + 1;
    let texts = ["System", order, "junction with eight sockets, simulated"];
    let sii = sii((vendor, product, revision), 0x0D00, texts, 0, 0x1111);
    Built { profile: Profile { port_descriptor: 0xFF, ..known::coupler() }, ..Built::plain(sii) }
}

/// Where a socket of a CU1128 is: which of its ESCs, and the port of that.
pub(super) const fn cu1128_socket(socket: u8) -> (usize, u8) {
    match socket {
        2 => (0, 1),
        3 => (0, 2),
        4 => (1, 1),
        5 => (1, 2),
        6 => (2, 3),
        7 => (2, 1),
        _ => (2, 2),
    }
}
