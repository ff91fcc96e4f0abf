//! A device with the PDOs of its description: outputs in SyncManager 2, inputs in SyncManager 3, as a
//! drive has them; 0 and 1, where its mailboxes would be, are not used.

use ecat_wire::sii::{
    Configuration, FmmuUsage, General, Pdo, PdoDirection, PdoEntry, Sii, SiiIdentity,
    SiiSyncManager, SyncManagerKind,
};

use super::{EEPROM_BYTES, SIMULATED_VENDOR_ID};
use crate::description::{DescriptionError, DeviceDescription, Direction, PdoDescription};
use crate::esc::{ClockLevel, Profile};

const PROCESS_RAM_START: usize = 0x1000;
/// The largest process RAM that an ESC can address.
const PROCESS_RAM_KB_MAX: usize = 60;
const PROCESS_RAM_KB_MIN: usize = 8;
const OUTPUTS: u8 = 2;
const INPUTS: u8 = 3;
const PRODUCT_CODE: u32 = 5 << 16;
const PDI_MICROCONTROLLER: u16 = 0x0008;
/// Two MII ports.
const PORTS_MII: u16 = 0x0011;

pub(super) fn device(device: &DeviceDescription) -> Result<(Sii, Profile), DescriptionError> {
    if device.channels.is_some() {
        return Err(DescriptionError::new(
            "/channels",
            "a generic device has the entries of its pdos",
        ));
    }
    let Some(descriptions) = &device.pdos else {
        return Err(DescriptionError::new("/pdos", "a generic device needs them"));
    };
    let mut pdos = Vec::with_capacity(descriptions.len());
    for (index, description) in descriptions.iter().enumerate() {
        pdos.push(pdo(description, &format!("/pdos/{index}"))?);
    }
    let bytes = |direction| -> usize {
        let of_direction = pdos.iter().filter(|pdo: &&Pdo| pdo.direction == direction);
        of_direction.map(Pdo::bit_length).sum::<usize>().div_ceil(8)
    };
    let (output_bytes, input_bytes) = (bytes(PdoDirection::Rx), bytes(PdoDirection::Tx));
    // Three buffers each; the next SyncManager begins at a round address.
    let inputs_start = PROCESS_RAM_START + (output_bytes * 3).next_multiple_of(0x80);
    let ram_kb = (inputs_start + input_bytes * 3 - PROCESS_RAM_START).div_ceil(1024);
    if ram_kb > PROCESS_RAM_KB_MAX {
        let message = format!(
            "{output_bytes} output and {input_bytes} input bytes need {ram_kb} KB of process RAM in three \
             buffers; an ESC has at most {PROCESS_RAM_KB_MAX}"
        );
        return Err(DescriptionError::new("/pdos", message));
    }
    let sync_managers = vec![
        SiiSyncManager::default(),
        SiiSyncManager::default(),
        sync_manager(PROCESS_RAM_START, output_bytes, 0x64, SyncManagerKind::ProcessDataOut),
        sync_manager(inputs_start, input_bytes, 0x20, SyncManagerKind::ProcessDataIn),
    ];
    let sii = Sii {
        configuration: Configuration {
            pdi_control: PDI_MICROCONTROLLER,
            checksum_ok: true,
            ..Configuration::default()
        },
        identity: SiiIdentity {
            vendor_id: SIMULATED_VENDOR_ID,
            product_code: PRODUCT_CODE,
            revision: 1,
            serial: 0,
        },
        size_bytes: EEPROM_BYTES,
        version: 1,
        general: Some(General {
            group: "Simulated".to_owned(),
            order: "generic".to_owned(),
            name: "generic device, simulated".to_owned(),
            ports: PORTS_MII,
            ..General::default()
        }),
        fmmu_usage: vec![FmmuUsage::Outputs, FmmuUsage::Inputs],
        sync_managers,
        pdos,
        ..Sii::default()
    };
    Ok((sii, profile(ram_kb)))
}

/// An IP core with two MII ports.
fn profile(ram_kb: usize) -> Profile {
    Profile {
        kind: 0x04,
        revision: 2,
        build: 0,
        fmmu_count: 8,
        sync_manager_count: 8,
        ram_kb: u8::try_from(ram_kb.max(PROCESS_RAM_KB_MIN)).unwrap_or(u8::MAX),
        port_descriptor: 0x0F,
        features: 0x01CC,
        clock: ClockLevel::Full,
        eeprom_status: 0x40,
        ..Profile::default()
    }
}

fn sync_manager(start: usize, bytes: usize, control: u8, kind: SyncManagerKind) -> SiiSyncManager {
    if bytes == 0 {
        return SiiSyncManager::default();
    }
    let word = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    SiiSyncManager { start: word(start), length: word(bytes), control, enable: 0x01, kind }
}

fn pdo(description: &PdoDescription, path: &str) -> Result<Pdo, DescriptionError> {
    let mut entries = Vec::with_capacity(description.entries.len());
    for (index, entry) in description.entries.iter().enumerate() {
        if entry.bits == 0 {
            let path = format!("{path}/entries/{index}/bits");
            return Err(DescriptionError::new(path, "an entry has at least one bit"));
        }
        entries.push(PdoEntry {
            index: entry.index,
            subindex: entry.subindex,
            name: entry.name.clone(),
            data_type: entry.data_type.unwrap_or_else(|| unsigned(entry.bits)),
            bit_length: entry.bits,
            flags: 0,
        });
    }
    let (direction, sync_manager) = match description.direction {
        Direction::Input => (PdoDirection::Tx, INPUTS),
        Direction::Output => (PdoDirection::Rx, OUTPUTS),
    };
    Ok(Pdo {
        direction,
        index: description.index,
        sync_manager: Some(sync_manager),
        synchronization: 0,
        name: description.name.clone(),
        flags: 0,
        entries,
    })
}

/// BOOL, UINT8, UINT16, UINT32, UINT64, or 0 (unknown).
const fn unsigned(bits: u8) -> u8 {
    match bits {
        1 => 0x01,
        8 => 0x05,
        16 => 0x06,
        32 => 0x07,
        64 => 0x1B,
        _ => 0,
    }
}
