//! Where everything stands in the process image: the one truth that is written to the SubDevices, read
//! back from them, exchanged by, and decoded by.
//!
//! There are two images, outputs and inputs, each byte-aligned per SyncManager in the order of the
//! SubDevices. In the logical address space the outputs begin at 0 and the inputs at
//! [`ProcessLayout::inputs_logical`]. A datagram never cuts an FMMU's range, unless one range alone is
//! larger than a frame.

use std::ops::Range;

use ecat_wire::fmmu::Fmmu;
use ecat_wire::sync_manager::SyncManager;

/// Which image a thing stands in. From the MainDevice's view, as everywhere in this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// MainDevice to SubDevice (RxPDO).
    Output,
    /// SubDevice to MainDevice (TxPDO).
    Input,
}

/// The process image of a whole segment.
#[derive(Clone, Debug, Default)]
pub struct ProcessLayout {
    /// Bytes of the output image.
    pub output_bytes: usize,
    /// Bytes of the input image.
    pub input_bytes: usize,
    /// Logical address of the first input byte.
    pub inputs_logical: u32,
    /// One entry a SubDevice, in the order of the network.
    pub devices: Vec<DeviceLayout>,
    /// The cyclic process-data datagrams, in the order they are sent.
    pub datagrams: Vec<ProcessDatagram>,
}

/// What one SubDevice contributes.
#[derive(Clone, Debug, Default)]
pub struct DeviceLayout {
    /// Byte range in the output image; empty where it has no outputs.
    pub outputs: Range<usize>,
    /// Byte range in the input image; empty where it has no inputs.
    pub inputs: Range<usize>,
    /// SyncManagers of process data to write, with their index (2 and up, or 0 and up for devices
    /// without a mailbox). Virtual ones (SII enable bit 2) are not in this list.
    pub sync_managers: Vec<(u8, SyncManager)>,
    /// SyncManagers of the above that the SII wants active in OP only (enable bit 3). They are
    /// configured like the others, but off; the AL engine switches them on right before OP and off after it.
    pub op_only: Vec<u8>,
    /// FMMUs to write, by index from 0.
    pub fmmus: Vec<Fmmu>,
    /// Every PDO entry, gaps included, in the order of the image.
    pub entries: Vec<EntryLayout>,
}

/// One PDO entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryLayout {
    /// Which image.
    pub direction: Direction,
    /// Object index of the PDO that holds the entry (0x1600…, 0x1A00…).
    pub pdo_index: u16,
    /// Name of the PDO, or empty.
    pub pdo_name: String,
    /// Object index of the entry; 0 is a gap.
    pub index: u16,
    /// Subindex of the entry.
    pub subindex: u8,
    /// Name of the entry, or empty.
    pub name: String,
    /// CoE data type code of the SII (ETG.1000.6, table of basic data types; 0x0001 BOOL …); 0 unknown.
    pub data_type: u8,
    /// Offset in bits from the start of the image of `direction`.
    pub bit_offset: u32,
    /// Length in bits.
    pub bit_length: u16,
}

/// How a process-data datagram addresses the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatagramKind {
    /// LRW, the rule.
    ReadWrite,
    /// LRD, where a SubDevice of the segment cannot do LRW.
    Read,
    /// LWR, where a SubDevice of the segment cannot do LRW.
    Write,
}

/// One process-data datagram of the cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessDatagram {
    /// Command.
    pub kind: DatagramKind,
    /// First logical address.
    pub logical: u32,
    /// Bytes of data; the part below [`ProcessLayout::output_bytes`] comes from the output image, the part from
    /// [`ProcessLayout::inputs_logical`] goes to the input image.
    pub length: usize,
    /// Index of the frame of the cycle that carries it, from 0.
    pub frame: usize,
    /// Who adds to the working counter, by index into [`ProcessLayout::devices`], ascending.
    pub members: Vec<DatagramMember>,
}

/// What one SubDevice adds to a datagram's working counter, by its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramMember {
    /// Index of the SubDevice.
    pub device: usize,
    /// In OP: 1 for its inputs, 2 for its outputs in an LRW (1 in an LWR).
    pub operational: u16,
    /// What it adds at least in SAFE-OP; at most it is `operational`. A device with a program may keep its
    /// outputs locked until OP, and whatever is active in OP only. A simple one locks nothing: where its
    /// SyncManager is off or has one byte, the FMMU reaches registers or plain RAM, and that counts.
    pub safe_operational: u16,
}
