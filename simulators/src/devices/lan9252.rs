//! The evaluation board of a LAN9252 with its sample program: eight bits in, eight bits out, and an analogue
//! value, as far as a recording shows it.

use ecat_wire::sii::{FmmuUsage, PdoDirection, PdoEntry, SyncManagerKind};

use super::objects::{add_mailboxes, mailbox};
use super::terminal::{BIT2, BOOL, Built, INT16, entry, fixed_pdo, gap, sii, sync_manager};

const MICROCHIP: u32 = 0x0000_0009;
const MAILBOX_BYTES: u16 = 128;
/// SDO, SDO information, complete access.
const COE_DETAILS: u8 = 0x23;

pub(super) fn device() -> Built {
    let texts = ["Evaluation", "LAN9252", "LAN9252, simulated: evaluation board"];
    let mut sii = sii((MICROCHIP, 0x0000_9252, 1), 0x0E89, texts, 0, 0x0011);
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, false);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    sii.sync_managers.extend([
        sync_manager((0x1100, 2, 0x64, 0x01), SyncManagerKind::ProcessDataOut),
        sync_manager((0x1400, 6, 0x20, 0x01), SyncManagerKind::ProcessDataIn),
    ]);
    sii.pdos = vec![
        fixed_pdo(PdoDirection::Tx, 0x1A00, "Switches", bits(0x6000, "Switch")),
        fixed_pdo(PdoDirection::Tx, 0x1A02, "Analogue input", analogue()),
        fixed_pdo(PdoDirection::Rx, 0x1601, "Lamps", bits(0x7010, "Lamp")),
    ];
    Built { mailbox: Some(mailbox(Vec::new())), ..Built::plain(sii) }
}

fn bits(index: u16, name: &str) -> Vec<PdoEntry> {
    let mut entries: Vec<_> =
        (1..=8).map(|n| entry(index, n, &format!("{name} {n}"), BOOL, 1)).collect();
    entries.push(gap(8));
    entries
}

fn analogue() -> Vec<PdoEntry> {
    vec![
        entry(0x6020, 1, "Underrange", BOOL, 1),
        entry(0x6020, 2, "Overrange", BOOL, 1),
        entry(0x6020, 3, "Limit 1", BIT2, 2),
        entry(0x6020, 5, "Limit 2", BIT2, 2),
        gap(8),
        entry(0x1802, 7, "TxPDO State", BOOL, 1),
        entry(0x1802, 9, "TxPDO Toggle", BOOL, 1),
        entry(0x6020, 0x11, "Analogue input", INT16, 16),
    ]
}
