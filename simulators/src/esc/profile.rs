//! What a device is made of: everything that power does not change.

use super::chip::Chip;
use super::quirks::Quirks;
use super::sync_program::SyncSettings;
use crate::mailbox::MailboxSettings;

/// Which of the distributed-clock registers an ESC has. The feature bit 0x0008.2 does not tell: real
/// EL2828 and EL1004 set it and have no system time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockLevel {
    /// None at all.
    None,
    /// Receive times 0x0900–0x090F only.
    ReceiveTimes,
    /// All: system time, control loop, SYNC and latch units.
    Full,
}

/// An ESC and the application behind it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Which registers it has, as far as the other fields do not say.
    pub chip: Chip,
    /// Register 0x0000: type of the ESC.
    pub kind: u8,
    /// Register 0x0001.
    pub revision: u8,
    /// Register 0x0002.
    pub build: u16,
    /// Register 0x0004, at most 16.
    pub fmmu_count: u8,
    /// Register 0x0005, at most 16.
    pub sync_manager_count: u8,
    /// Register 0x0006: process RAM from 0x1000 on, at most 60.
    pub ram_kb: u8,
    /// Register 0x0007: two bits a port.
    pub port_descriptor: u8,
    /// Register 0x0008.
    pub features: u16,
    /// Registers 0x0140 (low byte) and 0x0141 where they are not those of SII word 0.
    pub pdi_control: Option<u16>,
    /// Which distributed-clock registers there are.
    pub clock: ClockLevel,
    /// By how much the local clock runs fast, in 10⁻⁹.
    pub clock_drift_ppb: i32,
    /// By how much a time stamp may be off, either way, in ns.
    pub clock_jitter_ns: u32,
    /// What the jitter is made of: equal seeds give equal stamps.
    pub clock_seed: u64,
    /// Local time at power-on, in ns.
    pub clock_offset_ns: u64,
    /// What the receive times of ports that never saw a frame read.
    pub stale_port_times: [u32; 4],
    /// Static low byte of register 0x0502. Bit 6: eight bytes a read.
    pub eeprom_status: u8,
    /// How long one EEPROM access takes, in ns.
    pub eeprom_access_ns: u64,
    /// Status bits 6 and 7 of SyncManagers: a buffer is being read or written. An EL3004, a LAN9252
    /// and an AKD show them, an EK1914 does not.
    pub buffers_in_use: bool,
    /// Register 0x0110 bit 1, where it does not follow from there being a process-data interface.
    pub pdi_watchdog: Option<bool>,
    /// What it does otherwise than others.
    pub quirks: Quirks,
    /// How long a frame takes through this ESC to the next one by an E-bus port, in ns.
    pub forward_ns: u32,
    /// The same by an MII port, without the cable.
    pub forward_mii_ns: u32,
    /// The same by each port, in place of these two.
    pub forward_port_ns: Option<[u32; 4]>,
    /// How much longer it takes through the processing unit than past it, in ns.
    pub processing_ns: u32,
    /// The application behind the process-data interface.
    pub application: Application,
}

impl Default for Profile {
    /// An ET1100 behind an E-bus, with 8 KB of RAM and a full distributed clock.
    fn default() -> Self {
        Chip::Et1100.profile()
    }
}

impl Profile {
    /// What no chip needs to say of itself.
    pub(super) fn bare() -> Self {
        Self {
            chip: Chip::Et1100,
            kind: 0,
            revision: 0,
            build: 0,
            fmmu_count: 0,
            sync_manager_count: 0,
            ram_kb: 0,
            port_descriptor: 0,
            features: 0,
            pdi_control: None,
            clock: ClockLevel::Full,
            clock_drift_ppb: 0,
            clock_jitter_ns: 0,
            clock_seed: 0,
            clock_offset_ns: 0,
            stale_port_times: [0; 4],
            eeprom_status: 0,
            eeprom_access_ns: 500_000,
            buffers_in_use: false,
            pdi_watchdog: None,
            quirks: Quirks::default(),
            forward_ns: 150,
            forward_mii_ns: 500,
            forward_port_ns: None,
            processing_ns: 0,
            application: Application::default(),
        }
    }

    /// Whether port `n` (0 to 3) exists and is configured (register 0x0007).
    #[must_use]
    pub const fn has_port(&self, n: u8) -> bool {
        self.port_descriptor >> (2 * n) & 3 >= 2
    }
}

/// What a device's program knows and does. Without one (device emulation) only the process areas count.
#[derive(Clone, Debug)]
pub struct Application {
    /// The SyncManagers that the program expects, checked on the way to PRE-OP (mailboxes) and SAFE-OP.
    pub sync_managers: Vec<ExpectedSyncManager>,
    /// Input process data: pieces of memory in the order of the process image.
    pub inputs: Vec<ProcessArea>,
    /// Output process data.
    pub outputs: Vec<ProcessArea>,
    /// What the bits of the process data are, where the program has objects for them.
    pub points: Vec<Point>,
    /// What the program does with mail; none: it reads it and never answers.
    pub mailbox: Option<MailboxSettings>,
    /// Transitions that the program refuses, whatever the configuration.
    pub refusals: Vec<Refusal>,
    /// What it wants of the distributed clock; none: nothing.
    pub sync: Option<SyncSettings>,
    /// Explicit device identification, where it has one.
    pub identification: Option<u16>,
    /// Whether it has a bootloader (state BOOT).
    pub boot: bool,
    /// How long until the program reads a request from register 0x0120, in ns.
    pub read_delay_ns: u64,
    /// How long it then takes to change its state, in ns.
    pub transition_delay_ns: u64,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            sync_managers: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            points: Vec::new(),
            mailbox: None,
            refusals: Vec::new(),
            sync: None,
            identification: None,
            boot: false,
            // A quick microcontroller; an AKD takes up to 7.4 ms. No more than one exchange on a wire: SOEM asks for
            // PRE-OP five exchanges after INIT without a look at the working counter (ecx_reconfig_slave).
            read_delay_ns: 20_000,
            transition_delay_ns: 200_000,
        }
    }
}

/// A SyncManager as the application expects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedSyncManager {
    /// Which one.
    pub number: u8,
    /// Physical address.
    pub start: u16,
    /// Bytes. 0 means that it must not be active.
    pub length: u16,
    /// What it is for.
    pub role: Role,
    /// Whether it must be active in OP only (SII enable bit 3).
    pub op_only: bool,
}

/// What a SyncManager is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Mail from the MainDevice.
    MailboxOut,
    /// Mail to the MainDevice.
    MailboxIn,
    /// Outputs.
    Outputs,
    /// Inputs.
    Inputs,
}

impl Role {
    pub(super) const fn is_mailbox(self) -> bool {
        matches!(self, Self::MailboxOut | Self::MailboxIn)
    }

    pub(super) const fn ecat_writes(self) -> bool {
        matches!(self, Self::MailboxOut | Self::Outputs)
    }
}

/// A piece of process data in the ESC's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessArea {
    /// Physical address: process RAM, or 0x0F00 and following for digital outputs.
    pub start: u16,
    /// Bytes.
    pub bytes: u16,
}

/// Which way process data goes, from the MainDevice's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// SubDevice to MainDevice.
    Input,
    /// MainDevice to SubDevice.
    Output,
}

/// A value of the device that PDOs can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Which way it goes.
    pub direction: Direction,
    /// Object.
    pub index: u16,
    /// Subindex.
    pub subindex: u8,
    /// First bit of the device's inputs or outputs, as behaviours count them. Values of the default
    /// process data come first, in their order.
    pub bit_offset: u32,
    /// Bits.
    pub bit_length: u8,
}

/// A transition that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// AL state (1, 2, 3, 4, 8) on the way to which.
    pub to: u8,
    /// AL status code given.
    pub code: u16,
    /// In which case.
    pub condition: RefusalCondition,
}

/// When a transition is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCondition {
    /// Every time.
    Always,
    /// One object is twice in the output image. An AKD refuses SAFE-OP for that, although all lengths fit.
    MappedTwice,
    /// The modules in its slots are not those that 0xF030 lists.
    OtherModules,
    /// An object has a value between these, both included.
    Value {
        /** Index. */
        index: u16,
        /** Subindex. */
        subindex: u8,
        /** Least value. */
        least: i64,
        /** Largest value. */
        most: i64,
    },
    /// A SyncManager has a length.
    SyncManagerLength {
        /** Which one. */
        number: u8,
        /** Bytes. */
        length: u16,
    },
    /// Bits of a byte of the ESC's memory have a value.
    Register {
        /** Where. */
        address: u16,
        /** Which bits. */
        mask: u8,
        /** What they are. */
        value: u8,
    },
    /// The state is requested for the n-th time since power-on, from 1.
    Attempts {
        /** The first that is refused. */
        first: u32,
        /** The last one. */
        last: u32,
    },
}
