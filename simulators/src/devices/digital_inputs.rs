//! Digital inputs in the manner of EL1xxx: one bit a channel in one buffer that the MainDevice reads.

use ecat_wire::sii::{FmmuUsage, Pdo, PdoDirection, SyncManagerKind};

use super::terminal::{
    BECKHOFF, BOOL, Built, PDI_DIGITAL, PDO_FLAGS, PORTS_E_BUS, PROCESS_RAM, entry, sii, simulated,
    sync_manager,
};

const GROUP: &str = "DigIn";

/// Identity and chip as in a recording of TwinCAT; PDOs as IgH's tools list them for the real one. Where its
/// buffer stands is assumed.
pub(super) fn el1004() -> Built {
    built((BECKHOFF, 0x03EC_3052, 0x0013_0000), [GROUP, "EL1004", "EL1004, simulated"], 4)
}

/// Like a real one with this many channels and a PDO each.
pub(super) fn like(order: &str, product_code: u32, channels: u16) -> Built {
    let name = format!("{channels} digital inputs, simulated");
    built(simulated(product_code), ["Simulated", order, &name], channels)
}

/// With any number of channels.
pub(super) fn simple(channels: u16) -> Built {
    let order = format!("EL10{channels:02}-like");
    let name = format!("{channels}-channel digital inputs, simulated");
    built(simulated(1 << 16 | u32::from(channels)), ["Simulated", &order, &name], channels)
}

fn built(identity: (u32, u32, u32), texts: [&str; 3], channels: u16) -> Built {
    let mut sii = sii(identity, PDI_DIGITAL, texts, 100, PORTS_E_BUS);
    sii.fmmu_usage = vec![FmmuUsage::Inputs];
    let buffer = (PROCESS_RAM, channels.div_ceil(8), 0x00, 0x01);
    sii.sync_managers = vec![sync_manager(buffer, SyncManagerKind::ProcessDataIn)];
    sii.pdos = (0..channels)
        .map(|n| Pdo {
            direction: PdoDirection::Tx,
            index: 0x1A00 + n,
            sync_manager: Some(0),
            name: format!("Channel {}", n + 1),
            flags: PDO_FLAGS,
            entries: vec![entry(0x6000 + n * 0x10, 1, "Input", BOOL, 1)],
            ..Pdo::default()
        })
        .collect();
    Built::plain(sii)
}
