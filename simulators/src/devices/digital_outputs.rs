//! Digital outputs in the manner of EL2xxx: one-byte SyncManagers on the output registers, eight channels
//! each.

use ecat_wire::sii::{FmmuUsage, Pdo, PdoDirection, SyncManagerKind};

use super::terminal::{
    BECKHOFF, BOOL, Built, PDI_DIGITAL, PDO_FLAGS, PORTS_E_BUS, PROCESS_RAM, entry, sii, simulated,
    sync_manager,
};

const GROUP: &str = "DigOut";
/// Up to here, digital outputs have one-byte SyncManagers, which are no buffers, as in the EL2889.
const BYTE_OUTPUTS_MAX: u16 = 16;
const DIGITAL_OUTPUT_REGISTERS: u16 = 0x0F00;
/// Outputs only in OP, as in the real images.
const ENABLE: u8 = 0x09;
/// Written by the MainDevice, triggers the watchdog.
const CONTROL: u8 = 0x44;

/// As in its EEPROM image: a SyncManager of length 0, which is that of its PDOs.
pub(super) fn el2004() -> Built {
    let texts = [GROUP, "EL2004", "EL2004, simulated: 4 digital outputs"];
    let mut built = built((BECKHOFF, 0x07D4_3052, 0x0010_0000), texts, 4, 100);
    built.sii.configuration.pdi_configuration_2 = 0x000F;
    built.sii.sync_managers[0].length = 0;
    built
}

/// As in its EEPROM image.
pub(super) fn el2828() -> Built {
    let texts = [GROUP, "EL2828", "EL2828, simulated: 8 digital outputs"];
    let mut built = built((BECKHOFF, 0x0B0C_3052, 0x0011_0000), texts, 8, 110);
    built.sii.configuration.pdi_configuration_2 = 0x00FF;
    built
}

/// As in its EEPROM image.
pub(super) fn el2889() -> Built {
    let texts = [GROUP, "EL2889", "EL2889, simulated: 16 digital outputs"];
    let mut built = built((BECKHOFF, 0x0B49_3052, 0x0011_0000), texts, 16, 140);
    built.sii.configuration.pdi_configuration_2 = 0x00FF;
    built
}

/// Like a real one with this many channels and a PDO each.
pub(super) fn like(order: &str, product_code: u32, channels: u16) -> Built {
    let name = format!("{channels} digital outputs, simulated");
    built(simulated(product_code), ["Simulated", order, &name], channels, 100)
}

/// With any number of channels. With more than 16, they are in one buffer.
pub(super) fn simple(channels: u16) -> Built {
    let order = format!("EL20{channels:02}-like");
    let name = format!("{channels}-channel digital outputs, simulated");
    let identity = simulated(2 << 16 | u32::from(channels));
    built(identity, ["Simulated", &order, &name], channels, 100)
}

fn built(identity: (u32, u32, u32), texts: [&str; 3], channels: u16, current_ma: i16) -> Built {
    let mut sii = sii(identity, PDI_DIGITAL, texts, current_ma, PORTS_E_BUS);
    sii.fmmu_usage = vec![FmmuUsage::Outputs];
    let bytes = channels.div_ceil(8);
    let sm = |start, length| {
        sync_manager((start, length, CONTROL, ENABLE), SyncManagerKind::ProcessDataOut)
    };
    sii.sync_managers = if channels <= BYTE_OUTPUTS_MAX {
        (0..bytes).map(|n| sm(DIGITAL_OUTPUT_REGISTERS + n, 1)).collect()
    } else {
        vec![sm(PROCESS_RAM, bytes)]
    };
    let several = sii.sync_managers.len() > 1;
    sii.pdos = (0..channels)
        .map(|n| Pdo {
            direction: PdoDirection::Rx,
            index: 0x1600 + n,
            sync_manager: Some(u8::from(several && n >= 8)),
            name: format!("Channel {}", n + 1),
            flags: PDO_FLAGS,
            entries: vec![entry(0x7000 + n * 0x10, 1, "Output", BOOL, 1)],
            ..Pdo::default()
        })
        .collect();
    Built::plain(sii)
}
