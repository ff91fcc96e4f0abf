//! Safe terminals in the manner of EL1904 (four inputs) and EL2904 (four outputs): an FSoE frame with one byte of safe
//! data each way. **No safety function, not certified, for tests only.** Order of the entries as a recording of an
//! EK1914 shows it; identity, addresses and everything else is assumed.

use ecat_wire::sii::{FmmuUsage, Pdo, PdoDirection, PdoEntry, SyncManagerKind};

use super::objects::{Row, UNSIGNED8, UNSIGNED16, add_mailboxes, list, mailbox, text};
use super::programs::safety::{ADDRESS, SafetyDescription};
use super::terminal::{
    BOOL, Built, PORTS_E_BUS, PROCESS_RAM, UINT8, UINT16, entry, fixed_pdo, sii, simulated,
    sync_manager,
};
use crate::description::ProgramDescription;

const MAILBOX_BYTES: u16 = 128;
const OUTPUTS_START: u16 = PROCESS_RAM + 2 * MAILBOX_BYTES;
const INPUTS_START: u16 = OUTPUTS_START + 0x80;
const PDI_CONTROL: u16 = 0x0C05;
const COE_DETAILS: u8 = 0x07;
const CHANNELS: u8 = 4;

pub(super) fn el1904_like() -> Built {
    built("EL1904-like", 0x0770_3052, "safe inputs", CHANNELS, 0)
}

pub(super) fn el2904_like() -> Built {
    built("EL2904-like", 0x0B58_3052, "safe outputs", 0, CHANNELS)
}

fn built(order: &str, product_code: u32, what: &str, inputs: u8, outputs: u8) -> Built {
    let name = format!("{order}, simulated: 4 {what}, not safe");
    let texts = ["Safety", order, &name];
    let mut sii = sii(simulated(product_code), PDI_CONTROL, texts, 200, PORTS_E_BUS);
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, false);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    sii.sync_managers.extend([
        sync_manager((OUTPUTS_START, 6, 0x24, 0x01), SyncManagerKind::ProcessDataOut),
        sync_manager((INPUTS_START, 6, 0x20, 0x01), SyncManagerKind::ProcessDataIn),
    ]);
    sii.pdos = vec![
        pdo(PdoDirection::Rx, 0x1600, 0x7000, outputs),
        pdo(PdoDirection::Tx, 0x1A00, 0x6000, inputs),
    ];
    let diagnosis =
        [Row(1, "Connection state", UNSIGNED8, 0, false), Row(2, "Error", UNSIGNED8, 0, false)];
    let objects = vec![
        text(0x1008, "Device name", order),
        list(0xA000, "FSoE diagnosis", false, &diagnosis),
        list(ADDRESS, "FSoE address", false, &[Row(1, "Address", UNSIGNED16, 1, false)]),
    ];
    Built {
        mailbox: Some(mailbox(objects)),
        program: Some(ProgramDescription::Safety(SafetyDescription::default())),
        ..Built::plain(sii)
    }
}

/// Command, a byte of safe data, checksum, connection.
fn pdo(direction: PdoDirection, index: u16, object: u16, bits: u8) -> Pdo {
    let mut entries: Vec<PdoEntry> = vec![entry(object, 1, "Command", UINT8, 8)];
    for n in 1..=bits {
        entries.push(entry(object + 1, n, &format!("Channel {n}"), BOOL, 1));
    }
    // An entry, no gap: while a connection begins, these bits carry what belongs to it.
    entries.push(entry(object + 1, bits + 1, "Not used", UINT8, 8 - bits));
    entries.push(entry(object, 3, "CRC 0", UINT16, 16));
    entries.push(entry(object, 2, "Connection", UINT16, 16));
    fixed_pdo(direction, index, "FSoE", entries)
}
