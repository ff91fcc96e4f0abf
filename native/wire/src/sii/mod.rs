//! The SII: the EEPROM image in which a SubDevice describes itself.
//!
//! ```text
//! word 0x00  configuration of the ESC (7 words) and their CRC-8 in word 7
//!      0x08  vendor, product, revision, serial number (32 bit each)
//!      0x14  mailboxes of BOOT, 0x18 standard mailboxes, 0x1C protocols
//!      0x3E  size in kilobit less one, 0x3F version
//!      0x40  categories: type, length in words, content …; until type 0xFFFF
//! ```
//! Everything little-endian. Sources: ETG1000.6, tables 16 to 27; ETG2010. Offsets of the general category
//! agree with the images of real devices in `test/fixtures/eeprom`: the flags stand at 0x0B of its content,
//! the physical ports at 0x10.

mod build;
mod category;
mod checksum;
mod error;
mod parse;

#[cfg(test)]
mod tests;

pub use build::build;
pub use category::{Category, CategoryKind, bytes_needed, categories};
pub use checksum::{CHECKSUM_BYPASS, checksum};
pub use error::SiiError;

use crate::sync_manager::{
    CONTROL_DIRECTION, CONTROL_ECAT_WRITES, CONTROL_MODE, CONTROL_MODE_MAILBOX,
};

/// Byte at which the categories begin (word 0x40).
pub const CATEGORIES_START_BYTES: usize = 0x80;

/// What a SII image says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sii {
    /// Words 0x00–0x07: what the ESC loads at power-on.
    pub configuration: Configuration,
    /// Words 0x08–0x0F.
    pub identity: SiiIdentity,
    /// Words 0x14–0x17: mailboxes in BOOT.
    pub boot_mailbox: MailboxAreas,
    /// Words 0x18–0x1B: mailboxes from PRE-OP on.
    pub mailbox: MailboxAreas,
    /// Word 0x1C: bit 0 AoE, 1 EoE, 2 CoE, 3 FoE, 4 SoE, 5 VoE.
    pub protocols: u16,
    /// Size of the EEPROM in bytes (word 0x3E).
    pub size_bytes: usize,
    /// Word 0x3F; 1 everywhere.
    pub version: u16,
    /// Category 30.
    pub general: Option<General>,
    /// Category 40: what each FMMU is meant for. Trailing unused ones are left out.
    pub fmmu_usage: Vec<FmmuUsage>,
    /// Category 41, in the order of the SyncManagers.
    pub sync_managers: Vec<SiiSyncManager>,
    /// Categories 50 and 51, in the order of the image.
    pub pdos: Vec<Pdo>,
    /// Category 60.
    pub dc: Vec<DcMode>,
    /// Category 10: all strings; an index in the image counts from 1.
    pub strings: Vec<String>,
    /// Every other category, in the order of the image.
    pub others: Vec<OtherCategory>,
}

/// A category that this crate does not take apart: data types, SyncUnits (43), time-outs, those of a device or
/// of a vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherCategory {
    /// Its type.
    pub code: u16,
    /// Its content; in an image whole words, filled up with 0xFF.
    pub content: Vec<u8>,
}

/// Words 0x00–0x07: what the ESC loads into its registers at power-on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Word 0: registers 0x0140 (low byte) and 0x0141.
    pub pdi_control: u16,
    /// Word 1: registers 0x0150–0x0151.
    pub pdi_configuration: u16,
    /// Word 2: register 0x0982, pulse length of SYNC signals in 10 ns.
    pub sync_pulse_length: u16,
    /// Word 3: registers 0x0152–0x0153.
    pub pdi_configuration_2: u16,
    /// Word 4: register 0x0012.
    pub station_alias: u16,
    /// Words 5 and 6.
    pub reserved: [u16; 2],
    /// Whether the CRC in word 7 is right, or is the bypass 0x88A4. With a wrong one, the ESC does not load
    /// this configuration.
    pub checksum_ok: bool,
}

impl Configuration {
    /// Whether AL status simply follows AL control (register 0x0141 bit 0), as far as the image decides it.
    #[must_use]
    pub const fn device_emulation(&self) -> bool {
        self.pdi_control & 0x0100 != 0
    }
}

/// Who a device is (words 0x08–0x0F).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiiIdentity {
    /// Vendor.
    pub vendor_id: u32,
    /// Product code.
    pub product_code: u32,
    /// Revision.
    pub revision: u32,
    /// Serial number.
    pub serial: u32,
}

/// The two mailboxes of a device; all in bytes, all 0 without a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxAreas {
    /// Physical address of the mailbox that the device receives by (MainDevice to SubDevice).
    pub receive_offset: u16,
    /// Its size.
    pub receive_size: u16,
    /// Physical address of the mailbox that the device sends by (SubDevice to MainDevice).
    pub send_offset: u16,
    /// Its size.
    pub send_size: u16,
}

/// Category 30.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct General {
    /// Group text, for example `DigOut`.
    pub group: String,
    /// Image text.
    pub image: String,
    /// Order text, for example `EL2889`; what people call the device.
    pub order: String,
    /// Name text.
    pub name: String,
    /// Name of the group, for example `Digitale Ausgangsklemmen (EL2xxx)`: byte 0x0E in every image seen.
    pub group_name: String,
    /// Bit 0 SDO, 1 SDO information, 2 PDO assignment, 3 PDO configuration, 4 upload at start-up, 5
    /// complete access.
    pub coe_details: u8,
    /// File access over EtherCAT; 0 is none.
    pub foe_details: u8,
    /// Ethernet over EtherCAT; 0 is none.
    pub eoe_details: u8,
    /// Channels of the servo drive profile (SoE).
    pub soe_channels: u8,
    /// Channels of the drive profile CiA 402.
    pub ds402_channels: u8,
    /// Bit 0 EnableSafeOp, 1 EnableNotLRW, 2 MboxDataLinkLayer, 3 IdentALSts, 4 IdentPhyM.
    pub flags: u8,
    /// Current drawn from the E-bus in mA; negative: fed in.
    pub ebus_current_ma: i16,
    /// Four bits a port: 0 unused, 1 MII, 3 E-bus, 4 fast hot connect.
    pub ports: u16,
    /// Where the identification stands, with the flag IdentPhyM.
    pub identification_address: u16,
}

impl General {
    /// The device must not be addressed by LRW (flag EnableNotLRW).
    #[must_use]
    pub const fn enable_not_lrw(&self) -> bool {
        self.flags & 0x02 != 0
    }

    /// The device wants the state SAFE-OP to be requested on its own (flag EnableSafeOp).
    #[must_use]
    pub const fn enable_safe_op(&self) -> bool {
        self.flags & 0x01 != 0
    }
}

/// What an FMMU is meant for (category 40).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FmmuUsage {
    /// Not used (0 or 0xFF).
    #[default]
    Unused,
    /// Outputs (1).
    Outputs,
    /// Inputs (2).
    Inputs,
    /// Status of a mailbox SyncManager (3).
    SyncManagerStatus,
    /// A use that this crate does not know.
    Other(u8),
}

/// One SyncManager as the image proposes it (category 41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiiSyncManager {
    /// Physical address.
    pub start: u16,
    /// Bytes; a default, the PDOs that are mapped decide. 1 at 0x0F00 and above triggers only the watchdog.
    pub length: u16,
    /// Control byte (register 0x0804 + 8·n).
    pub control: u8,
    /// Bit 0 enable, 1 fixed content, 2 virtual (never written), 3 only in OP.
    pub enable: u8,
    /// What it is for.
    pub kind: SyncManagerKind,
}

impl SiiSyncManager {
    /// Bit 0 of the enable byte.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enable & 0x01 != 0
    }

    /// Bit 2 of the enable byte: no SyncManager of the ESC, never to be written.
    #[must_use]
    pub const fn is_virtual(&self) -> bool {
        self.enable & 0x04 != 0
    }

    /// Bit 3 of the enable byte: to be enabled only in OP.
    #[must_use]
    pub const fn is_op_only(&self) -> bool {
        self.enable & 0x08 != 0
    }

    /// The kind, or for an enabled SyncManager without one, what its control byte says: old images leave
    /// the kind 0.
    #[must_use]
    pub const fn effective_kind(&self) -> SyncManagerKind {
        if !matches!(self.kind, SyncManagerKind::Unused) || !self.is_enabled() {
            return self.kind;
        }
        let writes = self.control & CONTROL_DIRECTION == CONTROL_ECAT_WRITES;
        match (self.control & CONTROL_MODE == CONTROL_MODE_MAILBOX, writes) {
            (true, true) => SyncManagerKind::MailboxOut,
            (true, false) => SyncManagerKind::MailboxIn,
            (false, true) => SyncManagerKind::ProcessDataOut,
            (false, false) => SyncManagerKind::ProcessDataIn,
        }
    }
}

/// What a SyncManager is for; out is from the MainDevice to the SubDevice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncManagerKind {
    /// Not used, or a code that this crate does not know.
    #[default]
    Unused,
    /// Mail to the SubDevice.
    MailboxOut,
    /// Mail to the MainDevice.
    MailboxIn,
    /// Outputs.
    ProcessDataOut,
    /// Inputs.
    ProcessDataIn,
}

/// Which way the data of a PDO goes, in the words of the standard: from the SubDevice's view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PdoDirection {
    /// RxPDO: the SubDevice receives, outputs (category 51).
    #[default]
    Rx,
    /// TxPDO: the SubDevice transmits, inputs (category 50).
    Tx,
}

/// One PDO (categories 50 and 51).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pdo {
    /// Direction.
    pub direction: PdoDirection,
    /// Object index, 0x1600… for RxPDOs and 0x1A00… for TxPDOs.
    pub index: u16,
    /// SyncManager that carries it by default; `None` (0xFF in the image): not mapped by default.
    pub sync_manager: Option<u8>,
    /// DC mode that it belongs to.
    pub synchronization: u8,
    /// Name, or empty.
    pub name: String,
    /// Bit 0 mandatory, 1 default, 4 fixed content, 5 virtual content …
    pub flags: u16,
    /// Entries in the order of their bits.
    pub entries: Vec<PdoEntry>,
}

impl Pdo {
    /// Flag: its entries cannot be changed.
    pub const FIXED_CONTENT: u16 = 0x0010;

    /// Bits of all entries.
    #[must_use]
    pub fn bit_length(&self) -> usize {
        self.entries.iter().map(|entry| usize::from(entry.bit_length)).sum()
    }
}

/// One entry of a PDO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PdoEntry {
    /// Object index; 0 is a gap.
    pub index: u16,
    /// Subindex.
    pub subindex: u8,
    /// Name, or empty.
    pub name: String,
    /// Data type (ETG1000.6, basic data types: 1 BOOL, 2 INT8, 3 INT16, 4 INT32, 5 UINT8, 6 UINT16, 7
    /// UINT32, 8 REAL32 …).
    pub data_type: u8,
    /// Bits.
    pub bit_length: u8,
    /// Flags; 0 in every image seen.
    pub flags: u16,
}

/// One way to run the distributed clock (category 60, 24 bytes an entry).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DcMode {
    /// SYNC0 cycle in ns; 0: the MainDevice's cycle.
    pub cycle_time_0_ns: u32,
    /// Shift of SYNC0 in ns.
    pub shift_time_0_ns: u32,
    /// Shift of SYNC1 in ns.
    pub shift_time_1_ns: u32,
    /// SYNC1 cycle as a factor of the SYNC0 cycle.
    pub sync_1_cycle_factor: i16,
    /// What goes into registers 0x0980 and 0x0981.
    pub assign_activate: u16,
    /// SYNC0 cycle as a factor of the MainDevice's cycle.
    pub sync_0_cycle_factor: i16,
    /// Name, for example `DcSync`.
    pub name: String,
    /// Description, or empty.
    pub description: String,
}
