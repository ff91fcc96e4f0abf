//! What bring-up found on the wire: plain data, without a type of ethercrab's.

use ecat_wire::sii::Sii;

/// The SubDevices of a segment, in the order of their positions.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// One entry a SubDevice; the index is the position.
    pub sub_devices: Vec<SubDevice>,
    /// Index of the SubDevice whose clock is the reference, where any has distributed clocks.
    pub dc_reference: Option<usize>,
}

/// One SubDevice in PRE-OP.
#[derive(Clone, Debug)]
pub struct SubDevice {
    /// Position in the segment, from 0.
    pub position: u16,
    /// Configured station address (register 0x0010), given by ethercrab: 0x1000 + position.
    pub station_address: u16,
    /// Station alias (register 0x0012).
    pub alias: u16,
    /// Order text of the SII's general category, for example `EL2889`; may be empty.
    pub name: String,
    /// Name text of the SII's general category; may be empty.
    pub description: String,
    /// Vendor, product, revision and serial number of the SII.
    pub identity: Identity,
    /// Register 0x0141 bit 0: AL status follows AL control; never acknowledge such a device.
    pub device_emulation: bool,
    /// Whether LRW may be used (register 0x0008 bit 9 and the SII's EnableNotLRW are both clear).
    pub lrw: bool,
    /// Whether its port towards the MainDevice is one of E-bus (register 0x0007, bits 0–1) and not Ethernet.
    pub ebus: bool,
    /// FMMUs that the ESC has (register 0x0004).
    pub fmmu_count: u8,
    /// SyncManagers that the ESC has (register 0x0005).
    pub sync_manager_count: u8,
    /// Whether the clock registers answer (0x0910; the feature bit alone does not tell).
    pub has_distributed_clock: bool,
    /// Delay from the reference clock, as ethercrab wrote it to 0x0928.
    pub propagation_delay_ns: u32,
    /// Parsed SII image.
    pub sii: Sii,
}

/// Identity of a SubDevice (SII words 0x08–0x0F).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Vendor.
    pub vendor_id: u32,
    /// Product code.
    pub product_code: u32,
    /// Revision.
    pub revision: u32,
    /// Serial number.
    pub serial: u32,
}
