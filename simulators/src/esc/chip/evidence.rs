//! What recordings of hardware show of access masks: for each chip the registers that were read or written,
//! alone or by broadcast, and the working counter that told whether they are there.

use super::{Chip, RegisterAccess, Row};
use crate::esc::profile::{ClockLevel, Profile};

/// First and last address of registers that answered as their row says.
type Seen = (u16, u16);

/// Read or written one by one or by broadcast, with ethercrab, in an EK1100, an EL2828, an EL2889, an EK1914
/// and an EL3004; 0x0300–0x0307 by TwinCAT in an EK1100 and an EL1004.
const ASIC: &[Seen] = &[
    (0x0000, 0x0009),
    (0x0010, 0x0013),
    (0x0110, 0x0111),
    (0x0120, 0x0121),
    (0x0130, 0x0135),
    (0x0300, 0x0307),
    (0x0500, 0x0500),
    (0x0502, 0x0507),
    (0x0508, 0x0509),
    (0x0600, 0x06FF),
    (0x0800, 0x087F),
    (0x0900, 0x090F),
];

/// Of the clock: written, or read, in an EK1100 and an EL2889; with working counter 0 in an EL2828, an EL3004
/// and an EK1914.
const ASIC_CLOCK: &[Seen] =
    &[(0x0910, 0x092F), (0x0930, 0x0931), (0x0934, 0x0935), (0x0990, 0x0997), (0x09A0, 0x09A7)];

/// SOEM's start-up and SDO information of an AKD (IP core) and of a LAN9252.
const BY_SOEM: &[Seen] = &[
    (0x0000, 0x0009),
    (0x0010, 0x0013),
    (0x0100, 0x0103),
    (0x0110, 0x0111),
    (0x0120, 0x0121),
    (0x0130, 0x0135),
    (0x0140, 0x0141),
    (0x0200, 0x0201),
    (0x0300, 0x0307),
    (0x0500, 0x0500),
    (0x0502, 0x0507),
    (0x0508, 0x050B),
    (0x0600, 0x062F),
    (0x0800, 0x081F),
    (0x0900, 0x0913),
    (0x0918, 0x091B),
    (0x0920, 0x0923),
    (0x0930, 0x0931),
    (0x0934, 0x0935),
];

/// Who has seen what a row says, if a recording has.
pub(super) fn of(profile: &Profile, row: &Row) -> Option<&'static str> {
    let seen_in =
        |all: &[Seen]| all.iter().any(|&(first, last)| first <= row.first && row.last <= last);
    let there = row.access != RegisterAccess::Absent;
    match profile.chip {
        Chip::Et1100 if seen_in(ASIC) => Some("working counters of an EK1100 (and an EK1914)"),
        Chip::Et1100 | Chip::ClockTerminal
            if profile.clock == ClockLevel::Full && seen_in(ASIC_CLOCK) =>
        {
            Some("working counters of an EK1100 and an EL2889")
        }
        Chip::Terminal
            if seen_in(ASIC)
                || !there && (0x0910..0x0E00).contains(&row.first) && row.last < 0x0E00 =>
        {
            Some("working counters of an EL2828, an EL3004 and an EL1004")
        }
        Chip::ClockTerminal if seen_in(ASIC) => Some("working counters of an EL2889"),
        Chip::IpCore if there && seen_in(BY_SOEM) => Some("working counters of an AKD"),
        Chip::Lan9252 if there && seen_in(BY_SOEM) => Some("working counters of a LAN9252"),
        _ => None,
    }
}
