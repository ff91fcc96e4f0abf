//! Analogue outputs in the manner of EL4xxx: a value a channel in SyncManager 2, CoE in SyncManagers 0 and 1;
//! and, simpler than any real one, values alone.

use ecat_wire::sii::{FmmuUsage, Pdo, PdoDirection, SyncManagerKind};

use super::objects::{
    BIT2, BIT3, BOOLEAN, INTEGER16, INTEGER32, Row, UNSIGNED16, add_mailboxes, list, mailbox,
    modular_device, text,
};
use super::terminal::{
    Built, INT16, PDI_MICROCONTROLLER, PDO_FLAGS, PORTS_E_BUS, PROCESS_RAM, entry, sii, simulated,
    sync_manager,
};
use crate::description::mailbox::ObjectDescription;

const MAILBOX_BYTES: u16 = 128;
const OUTPUTS_START: u16 = PROCESS_RAM + 2 * MAILBOX_BYTES;
const PDI_CONTROL: u16 = 0x0C05;
const COE_DETAILS: u8 = 0x07;

/// By the vendor's documentation of EL40xx.
pub(super) fn el4004_like() -> Built {
    modular(0x0FA4_3052, "EL4004-like", 4)
}

/// With any number of channels, in the manner of an EL40xx.
pub(super) fn el4xxx_like(channels: u16) -> Built {
    modular(7 << 16 | u32::from(channels), "EL4xxx-like", channels)
}

/// As IgH's tools list the real one of revisions 0x03F9 and 0x03FB: objects 0x3001 and 0x3002, no settings by
/// channel.
pub(super) fn el4132_like() -> Built {
    let order = "EL4132-like";
    let objects = vec![text(0x1008, "Device name", order)];
    built(0x1024_3052, order, 2, |n| (0x3001 + n, "Output"), objects)
}

fn modular(product_code: u32, order: &str, channels: u16) -> Built {
    let mut objects = modular_device(order, 400, channels);
    for n in 0..channels {
        objects.extend(channel_objects(n));
    }
    built(product_code, order, channels, |n| (0x7000 + n * 0x10, "Analog output"), objects)
}

fn built(
    product_code: u32,
    order: &str,
    channels: u16,
    value: impl Fn(u16) -> (u16, &'static str),
    objects: Vec<ObjectDescription>,
) -> Built {
    let name = format!("{order}, simulated: {channels} analogue outputs");
    let texts = ["AnaOut", order, &name];
    let mut sii = sii(simulated(product_code), PDI_CONTROL, texts, 140, PORTS_E_BUS);
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, true);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::SyncManagerStatus];
    let bytes = channels * 2;
    let behind = OUTPUTS_START + (3 * bytes).next_multiple_of(0x80);
    sii.sync_managers.extend([
        sync_manager((OUTPUTS_START, bytes, 0x24, 0x01), SyncManagerKind::ProcessDataOut),
        sync_manager((behind, 0, 0x00, 0x00), SyncManagerKind::ProcessDataIn),
    ]);
    sii.pdos = (0..channels)
        .map(|n| {
            let (object, name) = value(n);
            Pdo {
                direction: PdoDirection::Rx,
                index: 0x1600 + n,
                sync_manager: Some(2),
                name: format!("AO RxPDO-Map Outputs Ch.{}", n + 1),
                flags: Pdo::FIXED_CONTENT,
                entries: vec![entry(object, 1, name, INT16, 16)],
                ..Pdo::default()
            }
        })
        .collect();
    let terminal = Built::plain(sii);
    Built { mailbox: Some(mailbox(objects)), ..terminal }
}

/// Settings and raw values of channel `n` (from 0).
fn channel_objects(n: u16) -> [ObjectDescription; 2] {
    let base = 0x8000 + n * 0x10;
    let rows = [
        Row(0x01, "Enable user scale", BOOLEAN, 0, true),
        Row(0x02, "Presentation", BIT3, 0, true),
        Row(0x05, "Watchdog", BIT2, 0, true),
        Row(0x07, "Enable user calibration", BOOLEAN, 0, true),
        Row(0x08, "Enable vendor calibration", BOOLEAN, 1, true),
        Row(0x11, "User scale offset", INTEGER16, 0, true),
        Row(0x12, "User scale gain", INTEGER32, 0x0001_0000, true),
        Row(0x13, "Default output", INTEGER16, 0, true),
        Row(0x14, "Default output ramp", UNSIGNED16, 0xFFFF, true),
        Row(0x15, "User calibration offset", INTEGER16, 0, true),
        Row(0x16, "User calibration gain", UNSIGNED16, 0x7FFF, true),
    ];
    let raw = [Row(0x01, "DAC raw value", UNSIGNED16, 0, false)];
    [
        list(base, &format!("AO Settings Ch.{}", n + 1), false, &rows),
        list(base + 0x0E, &format!("AO Internal data Ch.{}", n + 1), false, &raw),
    ]
}

/// Like an EL4104, without its mailbox: its outputs are in SyncManager 0.
pub(super) fn simple(channels: u16) -> Built {
    let order = format!("EL41{channels:02}-like");
    let name = format!("{channels}-channel analogue outputs, simulated");
    let identity = simulated(4 << 16 | u32::from(channels));
    let texts = ["Simulated", &order, &name];
    let mut sii = sii(identity, PDI_MICROCONTROLLER, texts, 100, PORTS_E_BUS);
    sii.fmmu_usage = vec![FmmuUsage::Outputs];
    // Only in OP, as outputs in the real images.
    let buffer = (PROCESS_RAM, channels * 2, 0x64, 0x09);
    sii.sync_managers = vec![sync_manager(buffer, SyncManagerKind::ProcessDataOut)];
    sii.pdos = (0..channels)
        .map(|n| Pdo {
            direction: PdoDirection::Rx,
            index: 0x1600 + n,
            sync_manager: Some(0),
            name: format!("Channel {}", n + 1),
            flags: PDO_FLAGS,
            entries: vec![entry(0x7000 + n * 0x10, 1, "Analog output", INT16, 16)],
            ..Pdo::default()
        })
        .collect();
    Built::plain(sii)
}
