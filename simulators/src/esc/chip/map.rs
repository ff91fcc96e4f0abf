//! The registers of 0x0000–0x0FFF: which chips have them, and what a MainDevice may do with them.

use ecat_wire::register as reg;

use super::Chip;
use super::evidence;
use crate::esc::profile::{ClockLevel, Profile};

/// What a MainDevice may do with a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterAccess {
    /// The byte is reserved, or not in this chip: no datagram counts there.
    Absent,
    /// It may be read.
    Read,
    /// It may be read and written.
    ReadWrite,
}

/// Who says what a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A recording of hardware, or a section of a data sheet.
    Verified(&'static str),
    /// Nobody at hand; why it is as it is.
    Assumed(&'static str),
}

/// Bytes of the address space that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Address of the first one.
    pub first: u16,
    /// Address of the last one.
    pub last: u16,
    /// What a MainDevice may do with them.
    pub access: RegisterAccess,
    /// Who says so.
    pub source: Source,
}

use RegisterAccess::{Absent, Read, ReadWrite};
use Source::{Assumed, Verified};

/// One past the last address of the map.
const END: u16 = reg::PROCESS_RAM;

/// Sets of chips, a bit each.
const fn set(chips: &[Chip]) -> u8 {
    let (mut bits, mut n) = (0, 0);
    while n < chips.len() {
        bits |= 1 << chips[n] as u8;
        n += 1;
    }
    bits
}

const ALL: u8 = 0x7F;
const BECKHOFF_ASIC: u8 = set(&[Chip::Et1100, Chip::Et1200, Chip::Terminal, Chip::ClockTerminal]);
const SMALL: u8 = set(&[Chip::Et1200, Chip::Terminal, Chip::ClockTerminal]);
const CORE: u8 = set(&[Chip::IpCore, Chip::Lan9252, Chip::Ax58100]);

/// Where no document at hand lists the register chip by chip.
const EVERY_CHIP: Source = Assumed(
    "in the ESC data sheet (section II, table 1), which leaves each chip's share to section III",
);
const NOT_ET1200: Source = Assumed("an option of larger chips");
const IP_CORE: Source =
    Assumed("in IP cores by ESC data sheet, section II; taken to be in chips made from it");

/// Everything but FMMUs, SyncManagers and the distributed clock. What is not listed is reserved.
#[rustfmt::skip]
const REGISTERS: &[(u16, u16, RegisterAccess, u8, Source)] = &[
    (0x0000, 0x0009, Read,      ALL, Verified("ESC data sheet II, 2.1")),
    (0x0010, 0x0011, ReadWrite, ALL, Verified("ESC data sheet II, 2.2.1")),
    (0x0012, 0x0013, Read,      ALL, Verified("ESC data sheet II, 2.2.2")),
    (0x0020, 0x0021, ReadWrite, ALL, EVERY_CHIP),
    (0x0030, 0x0031, ReadWrite, ALL, EVERY_CHIP),
    (0x0040, 0x0040, ReadWrite, ALL, EVERY_CHIP),
    (0x0041, 0x0041, Read,      CORE, IP_CORE),
    (0x0100, 0x0103, ReadWrite, ALL, Verified("ESC data sheet II, 2.4.1")),
    (0x0108, 0x0109, ReadWrite, ALL & !SMALL, NOT_ET1200),
    (0x0110, 0x0111, Read,      ALL, Verified("ESC data sheet II, 2.4.3")),
    (0x0120, 0x0121, ReadWrite, ALL, Verified("ESC data sheet II, 2.5.1")),
    (0x0130, 0x0131, Read,      ALL, Verified("ESC data sheet II, 2.5.2")),
    (0x0134, 0x0135, Read,      ALL, Verified("ESC data sheet II, 2.5.3")),
    (0x0138, 0x0139, ReadWrite, CORE, IP_CORE),
    (0x0140, 0x0141, Read,      ALL, Verified("ESC data sheet II, 2.6")),
    (0x014E, 0x014F, Read,      CORE, IP_CORE),
    (0x0150, 0x0153, Read,      ALL, Verified("ESC data sheet II, 2.6.6")),
    (0x0200, 0x0201, ReadWrite, ALL, Verified("ESC data sheet II, 2.8.1")),
    (0x0204, 0x0207, Read,      ALL, Verified("ESC data sheet II, 2.8.2")),
    (0x0210, 0x0211, Read,      ALL, Verified("ESC data sheet II, 2.8.4")),
    (0x0220, 0x0223, Read,      ALL, Verified("ESC data sheet II, 2.8.5")),
    (0x0300, 0x0307, ReadWrite, ALL, Verified("ESC data sheet II, 2.9.1")),
    (0x0308, 0x030B, ReadWrite, ALL, EVERY_CHIP),
    (0x030C, 0x030D, ReadWrite, ALL, EVERY_CHIP),
    (0x030E, 0x030E, Read,      CORE, IP_CORE),
    (0x0310, 0x0313, ReadWrite, ALL, EVERY_CHIP),
    (0x0400, 0x0401, ReadWrite, ALL, EVERY_CHIP),
    (0x0410, 0x0411, ReadWrite, ALL, EVERY_CHIP),
    (0x0420, 0x0421, ReadWrite, ALL, EVERY_CHIP),
    (0x0440, 0x0441, Read,      ALL, EVERY_CHIP),
    (0x0442, 0x0443, ReadWrite, ALL, EVERY_CHIP),
    (0x0500, 0x0500, ReadWrite, ALL, Verified("ESC data sheet II, 2.11.1")),
    (0x0501, 0x0501, Read,      ALL, Verified("ESC data sheet II, 2.11.2")),
    (0x0502, 0x0503, ReadWrite, ALL, Verified("ESC data sheet II, 2.11.3")),
    (0x0504, 0x0507, ReadWrite, ALL, Verified("ESC data sheet II, 2.11.4")),
    (0x0508, 0x0509, ReadWrite, ALL, Verified("ESC data sheet II, 2.11.5")),
    (0x050A, 0x050B, Read,      ALL, Verified("ESC data sheet II, 2.11.5: data behind the first word is read only")),
    (0x050C, 0x050F, Read,      BECKHOFF_ASIC, Verified("ESC data sheet II, 2.11.3: eight bytes a read")),
    (0x0E00, 0x0E01, Read,      BECKHOFF_ASIC, Verified("ESC data sheet II, table 1: power-on values of ASICs")),
    (0x0E00, 0x0E0F, Read,      CORE, Verified("ESC data sheet II, table 1: product and vendor of cores")),
    (0x0F80, 0x0FFF, ReadWrite, ALL, Verified("ESC data sheet II, table 1: user RAM")),
];

/// Registers of the distributed clock: first, last, the last without 64-bit clocks, and what it takes.
#[rustfmt::skip]
const CLOCK: &[(u16, u16, u16, RegisterAccess, ClockLevel)] = &[
    (0x0900, 0x0903, 0x0903, ReadWrite, ClockLevel::ReceiveTimes),
    (0x0904, 0x090F, 0x090F, Read,      ClockLevel::ReceiveTimes),
    (0x0910, 0x0917, 0x0913, ReadWrite, ClockLevel::Full),
    (0x0918, 0x091F, 0x091B, Read,      ClockLevel::Full),
    (0x0920, 0x0927, 0x0923, ReadWrite, ClockLevel::Full),
    (0x0928, 0x092B, 0x092B, ReadWrite, ClockLevel::Full),
    (0x092C, 0x092F, 0x092F, Read,      ClockLevel::Full),
    (0x0930, 0x0931, 0x0931, ReadWrite, ClockLevel::Full),
    (0x0932, 0x0933, 0x0933, Read,      ClockLevel::Full),
    (0x0934, 0x0935, 0x0935, ReadWrite, ClockLevel::Full),
    (0x0980, 0x0981, 0x0981, ReadWrite, ClockLevel::Full),
    (0x0982, 0x0984, 0x0984, Read,      ClockLevel::Full),
    (0x098E, 0x098F, 0x098F, Read,      ClockLevel::Full),
    (0x0990, 0x0997, 0x0993, ReadWrite, ClockLevel::Full),
    (0x0998, 0x099F, 0x099B, Read,      ClockLevel::Full),
    (0x09A0, 0x09A7, 0x09A7, ReadWrite, ClockLevel::Full),
    (0x09A8, 0x09A9, 0x09A9, ReadWrite, ClockLevel::Full),
    (0x09AE, 0x09AF, 0x09AF, Read,      ClockLevel::Full),
    (0x09B0, 0x09B7, 0x09B3, Read,      ClockLevel::Full),
    (0x09B8, 0x09BF, 0x09BB, Read,      ClockLevel::Full),
    (0x09C0, 0x09C7, 0x09C3, Read,      ClockLevel::Full),
    (0x09C8, 0x09CF, 0x09CB, Read,      ClockLevel::Full),
    (0x09F0, 0x09F3, 0x09F3, Read,      ClockLevel::Full),
    (0x09F8, 0x09FF, 0x09FF, Read,      ClockLevel::Full),
];

const CLOCK_64_BIT: u16 = 0x0008;
const EIGHT_BYTES_A_READ: u8 = 0x40;

/// Every byte of 0x0000–0x0FFF once, ascending. `digital_io` is whether the process-data interface is that of
/// digital inputs and outputs (0x0140 is 4).
#[must_use]
pub fn rows(profile: &Profile, digital_io: bool) -> Vec<Row> {
    let chip = 1 << profile.chip as u8;
    let mut known: Vec<(u16, u16, RegisterAccess, Source)> = REGISTERS
        .iter()
        .filter(|&&(first, _, _, chips, _)| {
            chips & chip != 0
                && (first != 0x050C || profile.eeprom_status & EIGHT_BYTES_A_READ != 0)
        })
        .map(|&(first, last, access, _, source)| (first, last, access, source))
        .collect();
    let counted = Verified("as many as 0x0004 and 0x0005 say; ESC data sheet II, 2.13 and 2.14");
    for n in 0..profile.fmmu_count.min(16) {
        known.push((reg::fmmu(n), reg::fmmu(n) + 12, ReadWrite, counted));
        known.push((reg::fmmu(n) + 13, reg::fmmu(n) + 15, Read, counted));
    }
    for n in 0..profile.sync_manager_count.min(16) {
        let base = reg::sync_manager(n);
        known.push((base, base + 4, ReadWrite, counted));
        known.push((base + 5, base + 5, Read, counted));
        known.push((base + 6, base + 6, ReadWrite, counted));
        known.push((base + 7, base + 7, Read, counted));
    }
    let wide = profile.features & CLOCK_64_BIT != 0;
    for &(first, last, narrow, access, level) in CLOCK {
        let there = match profile.clock {
            ClockLevel::None => false,
            ClockLevel::ReceiveTimes => level == ClockLevel::ReceiveTimes,
            ClockLevel::Full => true,
        };
        if there {
            let source = Verified("ESC data sheet II, 2.15, for chips with a distributed clock");
            known.push((first, if wide { last } else { narrow }, access, source));
        }
    }
    if matches!(profile.chip, Chip::Et1200) && profile.clock == ClockLevel::Full {
        known.push((
            0x0936,
            0x0936,
            ReadWrite,
            Assumed("ET1200 alone latches receive times in two ways"),
        ));
    }
    if digital_io {
        let source = Verified("outputs of an EL2889 and an EL2828, mapped by FMMUs and written");
        known.push((reg::DIGITAL_OUTPUTS, reg::DIGITAL_OUTPUTS + 3, ReadWrite, source));
    }
    known.sort_unstable_by_key(|&(first, ..)| first);
    let mut rows = Vec::with_capacity(2 * known.len() + 1);
    let mut next = 0;
    let reserved = Verified("ESC data sheet II, table 1: not listed is reserved");
    for (first, last, access, source) in known.into_iter().chain([(END, END, Absent, reserved)]) {
        if next < first {
            rows.push(Row { first: next, last: first - 1, access: Absent, source: reserved });
        }
        if first < END {
            rows.push(Row { first, last, access, source });
        }
        next = last + 1;
    }
    for row in &mut rows {
        if let Some(seen) = evidence::of(profile, row) {
            row.source = Verified(seen);
        }
    }
    rows
}
