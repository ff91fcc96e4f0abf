//! An EK1914: a coupler with four digital inputs, four digital outputs and a safe logic, as far as a recording
//! shows it (mailboxes, SyncManagers, PDOs). Names of entries are assumed.

use ecat_wire::sii::{FmmuUsage, PdoDirection, PdoEntry, SyncManagerKind};

use super::objects::{add_mailboxes, mailbox, text};
use super::terminal::{
    BECKHOFF, BOOL, Built, UINT8, UINT16, entry, fixed_pdo, gap, sii, sync_manager,
};

const MAILBOX_BYTES: u16 = 256;

pub(super) fn device() -> Built {
    let texts = ["Safety", "EK1914", "EK1914, simulated: coupler with digital channels"];
    let mut sii = sii((BECKHOFF, 0x077A_2C52, 0x0012_0000), 0x0C08, texts, -500, 0x0131);
    add_mailboxes(&mut sii, MAILBOX_BYTES, 0x03, true);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    sii.sync_managers.extend([
        sync_manager((0x1200, 8, 0x24, 0x01), SyncManagerKind::ProcessDataOut),
        sync_manager((0x1900, 8, 0x20, 0x01), SyncManagerKind::ProcessDataIn),
    ]);
    sii.pdos = vec![
        fixed_pdo(PdoDirection::Tx, 0x1A00, "Safe messages", safe_message(0x6000)),
        fixed_pdo(PdoDirection::Tx, 0x1A01, "Inputs", bits(0x6010, 4, "Input", 12)),
        fixed_pdo(PdoDirection::Rx, 0x1600, "Safe messages", safe_message(0x7000)),
        fixed_pdo(PdoDirection::Rx, 0x1601, "Outputs", bits(0x7010, 6, "Output", 10)),
    ];
    Built {
        mailbox: Some(mailbox(vec![text(0x1008, "Device name", "EK1914")])),
        ..Built::plain(sii)
    }
}

/// A message of the safety protocol: command, one byte of two safe bits, checksum, connection.
fn safe_message(index: u16) -> Vec<PdoEntry> {
    vec![
        entry(index, 1, "Command", UINT8, 8),
        entry(index + 1, 1, "Safe bit 1", BOOL, 1),
        entry(index + 1, 2, "Safe bit 2", BOOL, 1),
        gap(6),
        entry(index, 3, "Checksum", UINT16, 16),
        entry(index, 2, "Connection", UINT16, 16),
    ]
}

fn bits(index: u16, count: u8, name: &str, rest: u8) -> Vec<PdoEntry> {
    let mut entries: Vec<_> =
        (1..=count).map(|n| entry(index, n, &format!("{name} {n}"), BOOL, 1)).collect();
    entries.push(gap(rest));
    entries
}
