//! What real ESCs do otherwise than the data sheet has it. Feature bits of 0x0008 where there are such; the
//! rest follows what Texas Instruments lists as known of its ESC (PINDSW-47, PINDSW-141). What then happens
//! is not written anywhere: here a datagram that is not supported passes the device untouched.

use super::profile::Profile;
use super::{Access, Esc};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// No LRW (0x0008 bit 9).
    NoLrw,
    /// No LRW where inputs and outputs of the device do not overlap in the logical addresses (PINDSW-141).
    InterleavedLrwOnly,
    /// Of an LRD or LWR that several FMMUs map, only the first one serves (PINDSW-47).
    OneFmmuPerDatagram,
    /// No BRW, APRW and FPRW (0x0008 bit 10).
    NoReadWrite,
    /// Clocks of 32 bits (0x0008 bit 3 is 0).
    Clock32Bit,
    /// An FMMU that maps bits must begin more than three bytes behind the one before it.
    BitwiseFmmuGap,
}

impl Quirk {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NoLrw,
        Self::InterleavedLrwOnly,
        Self::OneFmmuPerDatagram,
        Self::NoReadWrite,
        Self::Clock32Bit,
        Self::BitwiseFmmuGap,
    ];

    /// Its name in descriptions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoLrw => "no-lrw",
            Self::InterleavedLrwOnly => "interleaved-lrw-only",
            Self::OneFmmuPerDatagram => "one-fmmu-per-datagram",
            Self::NoReadWrite => "no-read-write",
            Self::Clock32Bit => "32-bit-clock",
            Self::BitwiseFmmuGap => "bitwise-fmmu-gap",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quirk| quirk.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Those that a device has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks(u8);

impl Quirks {
    /// Whether it is one of them.
    #[must_use]
    pub const fn has(self, quirk: Quirk) -> bool {
        self.0 & quirk.bit() != 0
    }
}

impl Profile {
    /// Adds one, and what register 0x0008 says of it.
    pub fn add_quirk(&mut self, quirk: Quirk) {
        const CLOCK_64_BIT: u16 = 0x0008;
        const NO_LRW: u16 = 0x0200;
        const NO_READ_WRITE: u16 = 0x0400;
        self.quirks.0 |= quirk.bit();
        match quirk {
            Quirk::NoLrw => self.features |= NO_LRW,
            Quirk::NoReadWrite => self.features |= NO_READ_WRITE,
            Quirk::Clock32Bit => self.features &= !CLOCK_64_BIT,
            Quirk::InterleavedLrwOnly | Quirk::OneFmmuPerDatagram | Quirk::BitwiseFmmuGap => {}
        }
    }
}

/// Bytes that [`Quirk::BitwiseFmmuGap`] needs between two FMMUs.
const GAP_BYTES: u32 = 3;

impl Esc {
    /// Whether APRW, FPRW and BRW do nothing here.
    pub(crate) const fn ignores_read_write(&self) -> bool {
        self.profile.quirks.has(Quirk::NoReadWrite)
    }

    /// Which of the active FMMUs serve a datagram, a bit each.
    pub(super) fn serving(&self, address: u32, length: usize, wanted: Access) -> u16 {
        let quirks = self.profile.quirks;
        if quirks == Quirks::default() {
            return u16::MAX;
        }
        let exchange = wanted.read && wanted.write;
        if exchange && quirks.has(Quirk::NoLrw) {
            return 0;
        }
        let active = self.mappings.active();
        let meets = |n: usize| {
            let one = &active[n];
            (wanted.read && one.read || wanted.write && one.write)
                && one.overlap(address, length).is_some()
        };
        let mut serving: u16 =
            (0..active.len()).filter(|&n| meets(n)).fold(0, |set, n| set | 1 << n);
        let is = |set: u16, n: usize| set & 1 << n != 0;
        if quirks.has(Quirk::BitwiseFmmuGap) {
            for n in 0..active.len() {
                let near = active.iter().any(|other| {
                    !other.plain
                        && other.first <= active[n].first
                        && (other.last < active[n].first
                            || other.last == active[n].first && other.first < active[n].first)
                        && active[n].first - other.last <= GAP_BYTES
                });
                if !active[n].plain && near {
                    serving &= !(1 << n);
                }
            }
        }
        if !exchange && quirks.has(Quirk::OneFmmuPerDatagram) {
            serving &= serving.wrapping_neg();
        }
        if exchange && quirks.has(Quirk::InterleavedLrwOnly) {
            let reads = || (0..active.len()).filter(|&n| is(serving, n) && active[n].read);
            let writes = || (0..active.len()).filter(|&n| is(serving, n) && active[n].write);
            let apart = |r: usize, w: usize| {
                active[r].last < active[w].first || active[w].last < active[r].first
            };
            if reads().any(|r| writes().any(|w| apart(r, w))) {
                return 0;
            }
        }
        serving
    }
}
