//! What the bring-up found, as plain objects.

use ecat_engine::layout::{DeviceLayout, Direction, EntryLayout, ProcessLayout};
use ecat_engine::network::{Network, SubDevice};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

/// One PDO entry. Gaps (index 0) are entries too.
#[napi(object)]
pub struct BindingEntry {
    /// From the MainDevice's view.
    #[napi(ts_type = "'input' | 'output'")]
    pub direction: String,
    /// Object index of the PDO (0x1600…, 0x1A00…).
    pub pdo_index: u32,
    /// Name of the PDO, or empty.
    pub pdo_name: String,
    /// Object index of the entry; 0 is a gap.
    pub index: u32,
    /// Subindex of the entry.
    pub subindex: u32,
    /// Name of the entry, or empty.
    pub name: String,
    /// CoE data type code; 0 unknown.
    pub data_type: u32,
    /// Bits from the start of the image of `direction`.
    pub bit_offset: u32,
    /// Length in bits.
    pub bit_length: u32,
}

/// One SubDevice and its part of the process image.
#[napi(object)]
pub struct BindingSubDevice {
    /// Position in the segment, from 0.
    pub position: u32,
    /// Configured station address (register 0x0010).
    pub station_address: u32,
    /// Station alias (register 0x0012).
    pub alias: u32,
    /// Order text of the SII, for example `EL2889`; may be empty.
    pub name: String,
    /// Name text of the SII; may be empty.
    pub description: String,
    /// Vendor.
    pub vendor_id: u32,
    /// Product code.
    pub product_code: u32,
    /// Revision.
    pub revision: u32,
    /// Serial number.
    pub serial: u32,
    /// Whether its clock registers answer.
    pub has_distributed_clock: bool,
    /// Whether its ESC goes from state to state by itself (register 0x0140, bit 8): a simple device without a
    /// program of its own.
    pub device_emulation: bool,
    /// Delay from the reference clock, in ns.
    pub propagation_delay_ns: u32,
    /// Mailbox protocols of the SII (word 0x1C): 0x01 AoE, 0x02 EoE, 0x04 CoE, 0x08 FoE, 0x10 SoE, 0x20 VoE.
    pub mailbox_protocols: u32,
    /// Its EEPROM's content as far as it is understood, the rest blank.
    pub sii: Buffer,
    /// First byte in the input image.
    pub input_offset: u32,
    /// Bytes in the input image.
    pub input_bytes: u32,
    /// First byte in the output image.
    pub output_offset: u32,
    /// Bytes in the output image.
    pub output_bytes: u32,
    /// Every PDO entry, gaps included, in the order of the images.
    pub entries: Vec<BindingEntry>,
}

/// The segment as the bring-up found and laid it out.
#[napi(object)]
pub struct BindingNetwork {
    /// In the order of their positions.
    pub sub_devices: Vec<BindingSubDevice>,
    /// Bytes of the input image.
    pub input_bytes: u32,
    /// Bytes of the output image.
    pub output_bytes: u32,
    /// Process-data datagrams of a cycle.
    pub datagram_count: u32,
    /// Frames of a cycle that carry them.
    pub frame_count: u32,
}

impl BindingNetwork {
    /// The same, as JavaScript gets it.
    pub fn new(network: &Network, layout: &ProcessLayout) -> Self {
        Self {
            sub_devices: network.sub_devices.iter().zip(&layout.devices).map(sub_device).collect(),
            input_bytes: layout.input_bytes as u32,
            output_bytes: layout.output_bytes as u32,
            datagram_count: layout.datagrams.len() as u32,
            frame_count: layout
                .datagrams
                .iter()
                .map(|datagram| datagram.frame as u32 + 1)
                .max()
                .unwrap_or(0),
        }
    }
}

fn sub_device((device, layout): (&SubDevice, &DeviceLayout)) -> BindingSubDevice {
    BindingSubDevice {
        position: device.position.into(),
        station_address: device.station_address.into(),
        alias: device.alias.into(),
        name: device.name.clone(),
        description: device.description.clone(),
        vendor_id: device.identity.vendor_id,
        product_code: device.identity.product_code,
        revision: device.identity.revision,
        serial: device.identity.serial,
        has_distributed_clock: device.has_distributed_clock,
        device_emulation: device.device_emulation,
        propagation_delay_ns: device.propagation_delay_ns,
        mailbox_protocols: device.sii.protocols.into(),
        sii: ecat_wire::sii::build(&device.sii).unwrap_or_default().into(),
        input_offset: layout.inputs.start as u32,
        input_bytes: layout.inputs.len() as u32,
        output_offset: layout.outputs.start as u32,
        output_bytes: layout.outputs.len() as u32,
        entries: layout.entries.iter().map(entry).collect(),
    }
}

fn entry(entry: &EntryLayout) -> BindingEntry {
    BindingEntry {
        direction: match entry.direction {
            Direction::Input => "input",
            Direction::Output => "output",
        }
        .to_owned(),
        pdo_index: entry.pdo_index.into(),
        pdo_name: entry.pdo_name.clone(),
        index: entry.index.into(),
        subindex: entry.subindex.into(),
        name: entry.name.clone(),
        data_type: entry.data_type.into(),
        bit_offset: entry.bit_offset,
        bit_length: entry.bit_length.into(),
    }
}
