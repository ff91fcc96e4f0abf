//! The built-in terminals.

use ecat_wire::sii::{
    Configuration, FmmuUsage, General, Pdo, PdoDirection, PdoEntry, Sii, SiiIdentity,
    SiiSyncManager, SyncManagerKind,
};

use super::{EEPROM_BYTES, SIMULATED_VENDOR_ID, known};
use crate::description::{DescriptionError, DeviceDescription, DeviceType};
use crate::esc::Profile;

const CHANNELS_MAX: u16 = 64;
/// Up to here, digital outputs have one-byte SyncManagers, which are no buffers, as in the EL2889.
const BYTE_OUTPUTS_MAX: u16 = 16;
const PROCESS_RAM: u16 = 0x1000;
const DIGITAL_OUTPUT_REGISTERS: u16 = 0x0F00;

/// SII word 0 of the EL2004, EL2828 and EL2889: digital I/O, device emulation.
const PDI_DIGITAL: u16 = 0x0104;
/// A microcontroller behind SPI, without device emulation.
const PDI_MICROCONTROLLER: u16 = 0x0005;
/// Mandatory, fixed content: flags of every PDO of the EL2004, EL2828 and EL2889.
const PDO_FLAGS: u16 = 0x0011;
/// Two E-bus ports.
const PORTS_E_BUS: u16 = 0x0033;

const BOOL: u8 = 1;
const INT16: u8 = 3;

/// What is special about a type of terminal.
struct Layout {
    direction: PdoDirection,
    order: String,
    what: &'static str,
    product: u32,
    pdi_control: u16,
    channels: u16,
    pdo_index: u16,
    /// Between the indices of two channels' PDOs: 2 where real ones have a long form between.
    pdo_step: u16,
    object: u16,
    entry: PdoEntry,
    sync_managers: Vec<SiiSyncManager>,
}

/// The SII and the ESC of a built-in terminal.
pub(super) fn device(
    device: &DeviceDescription,
    kind: DeviceType,
) -> Result<(Sii, Profile), DescriptionError> {
    if device.pdos.is_some() {
        return Err(DescriptionError::new("/pdos", "belongs to the type generic"));
    }
    if kind == DeviceType::Ek1100 {
        return match device.channels {
            Some(_) => Err(DescriptionError::new("/channels", "an EK1100 has no channels")),
            None => Ok((coupler(), known::coupler())),
        };
    }
    let analogue = matches!(kind, DeviceType::AnalogueInputs | DeviceType::AnalogueOutputs);
    let channels = device.channels.unwrap_or(if analogue { 4 } else { 8 });
    if !(1..=CHANNELS_MAX).contains(&channels) {
        let message = format!("{channels} is not in 1 to {CHANNELS_MAX}");
        return Err(DescriptionError::new("/channels", message));
    }
    let layout = match kind {
        DeviceType::DigitalInputs => digital_inputs(channels),
        DeviceType::DigitalOutputs => digital_outputs(channels),
        DeviceType::AnalogueInputs => analogue_inputs(channels),
        _ => analogue_outputs(channels),
    };
    Ok((sii(layout), known::terminal()))
}

/// The texts and numbers of the real EK1100's image.
fn coupler() -> Sii {
    Sii {
        configuration: Configuration {
            pdi_control: 0x0D00,
            checksum_ok: true,
            ..Configuration::default()
        },
        identity: SiiIdentity {
            vendor_id: 2,
            product_code: 0x044C_2C52,
            revision: 0x0012_0000,
            serial: 0,
        },
        size_bytes: EEPROM_BYTES,
        version: 1,
        general: Some(General {
            group: "SystemBk".to_owned(),
            order: "EK1100".to_owned(),
            name: "EK1100 EtherCAT-Koppler (2A E-Bus)".to_owned(),
            ebus_current_ma: -2000,
            ports: 0x0131,
            ..General::default()
        }),
        ..Sii::default()
    }
}

/// Like an EL1008: one bit a channel in one buffer that the MainDevice reads.
fn digital_inputs(channels: u16) -> Layout {
    Layout {
        direction: PdoDirection::Tx,
        order: format!("EL10{channels:02}-like"),
        what: "digital inputs",
        product: 1,
        pdi_control: PDI_DIGITAL,
        channels,
        pdo_index: 0x1A00,
        pdo_step: 1,
        object: 0x6000,
        entry: entry("Input", 1, BOOL, 1),
        sync_managers: vec![sync_manager(PROCESS_RAM, channels.div_ceil(8), 0x00, false)],
    }
}

/// Like an EL2828 or EL2889: one-byte SyncManagers on the output registers, eight channels each. With
/// more than 16 channels, one buffer.
fn digital_outputs(channels: u16) -> Layout {
    let bytes = channels.div_ceil(8);
    Layout {
        direction: PdoDirection::Rx,
        order: format!("EL20{channels:02}-like"),
        what: "digital outputs",
        product: 2,
        pdi_control: PDI_DIGITAL,
        channels,
        pdo_index: 0x1600,
        pdo_step: 1,
        object: 0x7000,
        entry: entry("Output", 1, BOOL, 1),
        sync_managers: if channels <= BYTE_OUTPUTS_MAX {
            (0..bytes).map(|n| sync_manager(DIGITAL_OUTPUT_REGISTERS + n, 1, 0x44, true)).collect()
        } else {
            vec![sync_manager(PROCESS_RAM, bytes, 0x44, true)]
        },
    }
}

/// Like an EL3104 with its compact PDOs (no status): a microcontroller with an AL state machine of its
/// own. Other than the real one it has no mailbox, and therefore its inputs in SyncManager 0.
fn analogue_inputs(channels: u16) -> Layout {
    Layout {
        direction: PdoDirection::Tx,
        order: format!("EL31{channels:02}-like"),
        what: "analogue inputs",
        product: 3,
        pdi_control: PDI_MICROCONTROLLER,
        channels,
        pdo_index: 0x1A01,
        pdo_step: 2,
        object: 0x6000,
        entry: entry("Value", 0x11, INT16, 16),
        sync_managers: vec![sync_manager(PROCESS_RAM, channels * 2, 0x20, false)],
    }
}

/// Like an EL4104, without its mailbox: its outputs are in SyncManager 0.
fn analogue_outputs(channels: u16) -> Layout {
    Layout {
        direction: PdoDirection::Rx,
        order: format!("EL41{channels:02}-like"),
        what: "analogue outputs",
        product: 4,
        pdi_control: PDI_MICROCONTROLLER,
        channels,
        pdo_index: 0x1600,
        pdo_step: 1,
        object: 0x7000,
        entry: entry("Analog output", 1, INT16, 16),
        sync_managers: vec![sync_manager(PROCESS_RAM, channels * 2, 0x64, true)],
    }
}

fn entry(name: &str, subindex: u8, data_type: u8, bit_length: u8) -> PdoEntry {
    PdoEntry { index: 0, subindex, name: name.to_owned(), data_type, bit_length, flags: 0 }
}

const fn sync_manager(start: u16, length: u16, control: u8, outputs: bool) -> SiiSyncManager {
    SiiSyncManager {
        start,
        length,
        control,
        // Outputs only in OP, as in the real images.
        enable: if outputs { 0x09 } else { 0x01 },
        kind: if outputs {
            SyncManagerKind::ProcessDataOut
        } else {
            SyncManagerKind::ProcessDataIn
        },
    }
}

fn sii(layout: Layout) -> Sii {
    let Layout { direction, channels, .. } = layout;
    let pdos = (0..channels).map(|n| Pdo {
        direction,
        index: layout.pdo_index + n * layout.pdo_step,
        sync_manager: Some(if layout.sync_managers.len() > 1 { u8::from(n >= 8) } else { 0 }),
        synchronization: 0,
        name: format!("Channel {}", n + 1),
        flags: PDO_FLAGS,
        entries: vec![PdoEntry { index: layout.object + n * 0x10, ..layout.entry.clone() }],
    });
    Sii {
        configuration: Configuration {
            pdi_control: layout.pdi_control,
            checksum_ok: true,
            ..Configuration::default()
        },
        identity: SiiIdentity {
            vendor_id: SIMULATED_VENDOR_ID,
            product_code: layout.product << 16 | u32::from(channels),
            revision: 1,
            serial: 0,
        },
        size_bytes: EEPROM_BYTES,
        version: 1,
        general: Some(General {
            group: "Simulated".to_owned(),
            order: layout.order,
            name: format!("{channels}-channel {}, simulated", layout.what),
            ebus_current_ma: 100,
            ports: PORTS_E_BUS,
            ..General::default()
        }),
        fmmu_usage: vec![match direction {
            PdoDirection::Rx => FmmuUsage::Outputs,
            PdoDirection::Tx => FmmuUsage::Inputs,
        }],
        pdos: pdos.collect(),
        sync_managers: layout.sync_managers,
        ..Sii::default()
    }
}
