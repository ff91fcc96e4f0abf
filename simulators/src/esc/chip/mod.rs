//! The ESCs that devices are built on: what each of them is, and which of its registers there are.
//!
//! [`Chip::profile`] gives what its registers read, [`rows`] its access mask: every byte of 0x0000–0x0FFF
//! once, with who says so. A profile may be changed after that (fewer FMMUs, another clock): the mask
//! follows.

mod evidence;
mod map;

pub use map::{RegisterAccess, Row, Source, rows};

use super::profile::{ClockLevel, Profile};

/// What receive times of unused ports read in Beckhoff's chips: "hoff" at port 1, "Verl" at port 3.
const STALE_PORT_TIMES: [u32; 4] =
    [0, u32::from_le_bytes(*b"hoff"), 0, u32::from_le_bytes(*b"Verl")];

/// A kind of ESC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chip {
    /// Beckhoff's ET1100, as in the EK1100 and the EK1914.
    Et1100,
    /// Beckhoff's ET1200.
    Et1200,
    /// Beckhoff's core for FPGAs, with all its options, as in an AKD.
    IpCore,
    /// Microchip's LAN9252.
    Lan9252,
    /// ASIX's AX58100.
    Ax58100,
    /// The chip of small Beckhoff terminals (EL1004, EL2828, EL3004): 3 FMMUs, 4 SyncManagers, 1 KB, and of
    /// the distributed clock only the receive times.
    Terminal,
    /// The same with a full distributed clock (EL2889).
    ClockTerminal,
}

impl Chip {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Et1100,
        Self::Et1200,
        Self::IpCore,
        Self::Lan9252,
        Self::Ax58100,
        Self::Terminal,
        Self::ClockTerminal,
    ];

    /// Its name in descriptions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Et1100 => "ET1100",
            Self::Et1200 => "ET1200",
            Self::IpCore => "IP-core",
            Self::Lan9252 => "LAN9252",
            Self::Ax58100 => "AX58100",
            Self::Terminal => "terminal",
            Self::ClockTerminal => "clock-terminal",
        }
    }

    /// The chip of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chip| chip.name() == name)
    }

    /// An ESC of this kind, before anything is known of the device around it.
    ///
    /// Identity block, counts and status bytes are those that recordings show (EK1100, EL1004, EL2889,
    /// LAN9252) or the ESC data sheet gives (section II, 2.1; ET1200). Type and revision of the IP core are
    /// an AKD's; its features with 64-bit clocks, and the AX58100's registers 0x0001–0x0003 and 0x0008, are
    /// assumed.
    #[must_use]
    pub fn profile(self) -> Profile {
        let of = |kind, revision, build, fmmu_count, sync_manager_count, ram_kb| Profile {
            chip: self,
            kind,
            revision,
            build,
            fmmu_count,
            sync_manager_count,
            ram_kb,
            ..Profile::bare()
        };
        match self {
            Self::Et1100 => Profile {
                port_descriptor: 0x0A,
                features: 0x00FC,
                eeprom_status: 0x40,
                stale_port_times: STALE_PORT_TIMES,
                ..of(0x11, 0, 3, 8, 8, 8)
            },
            Self::Et1200 => Profile {
                port_descriptor: 0x4A,
                features: 0x00FC,
                eeprom_status: 0x40,
                stale_port_times: STALE_PORT_TIMES,
                ..of(0x12, 0, 1, 3, 4, 1)
            },
            Self::IpCore => Profile {
                port_descriptor: 0x0F,
                features: 0x018C,
                eeprom_status: 0x80,
                buffers_in_use: true,
                stale_port_times: STALE_PORT_TIMES,
                ..of(0x04, 2, 3, 8, 8, 8)
            },
            Self::Lan9252 => Profile {
                port_descriptor: 0x1F,
                features: 0x01CC,
                eeprom_status: 0x80,
                buffers_in_use: true,
                ..of(0xC0, 2, 0, 3, 4, 4)
            },
            Self::Ax58100 => Profile {
                port_descriptor: 0x0F,
                features: 0x01CC,
                eeprom_status: 0x80,
                buffers_in_use: true,
                ..of(0xC8, 0, 0, 8, 8, 9)
            },
            Self::Terminal => Profile {
                port_descriptor: 0x4A,
                features: 0x01FC,
                clock: ClockLevel::ReceiveTimes,
                eeprom_status: 0x50,
                buffers_in_use: true,
                stale_port_times: STALE_PORT_TIMES,
                ..of(0x12, 1, 1, 3, 4, 1)
            },
            Self::ClockTerminal => Profile {
                port_descriptor: 0x4A,
                features: 0x00FC,
                eeprom_status: 0x40,
                stale_port_times: STALE_PORT_TIMES,
                ..of(0x12, 1, 1, 3, 4, 1)
            },
        }
    }
}
