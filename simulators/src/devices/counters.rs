//! Counters and encoder interfaces in the manner of EL1502, EL5101 and EL5001: objects by the vendor's public
//! documentation, PDOs shortened to one each way; identities and the order of bits without a documented place are
//! assumed.

use ecat_wire::sii::{FmmuUsage, Pdo, PdoDirection, PdoEntry, SyncManagerKind};

use super::objects::{
    BOOLEAN, Row, UNSIGNED8, UNSIGNED16, UNSIGNED32, add_mailboxes, list, mailbox, modular_device,
};
use super::programs::counter::CounterDescription;
use super::programs::encoder::EncoderDescription;
use super::programs::ssi_encoder::SsiEncoderDescription;
use super::terminal::{
    BOOL, Built, PORTS_E_BUS, PROCESS_RAM, UINT32, entry, fixed_pdo, gap, sii, simulated,
    sync_manager,
};
use crate::description::ProgramDescription;
use crate::description::mailbox::ObjectDescription;

const MAILBOX_BYTES: u16 = 128;
const OUTPUTS_START: u16 = PROCESS_RAM + 2 * MAILBOX_BYTES;
const INPUTS_START: u16 = OUTPUTS_START + 0x80;
const PDI_CONTROL: u16 = 0x0C05;
const COE_DETAILS: u8 = 0x07;
/// Profiles of modules (ETG.5001): counters, encoders.
const COUNTER: u16 = 150;
const ENCODER: u16 = 511;

pub(super) fn el1502_like() -> Built {
    let inputs = [
        (1, "Output function enabled"),
        (2, "Status of output"),
        (3, "Set counter done"),
        (4, "Counter inhibited"),
        (5, "Status of input UD"),
        (6, "Status of input clock"),
    ];
    let outputs = [
        (1, "Enable output function"),
        (2, "Set output"),
        (3, "Set counter"),
        (4, "Inhibit counter"),
    ];
    let settings = [
        Row(0x01, "Enable function to set output", BOOLEAN, 0, true),
        Row(0x02, "Enable function to reset output", BOOLEAN, 0, true),
        Row(0x04, "Count down", BOOLEAN, 0, true),
        Row(0x05, "Operating mode", UNSIGNED8, 0, true),
        Row(0x11, "Switch on threshold value", UNSIGNED32, 0, true),
        Row(0x12, "Switch off threshold value", UNSIGNED32, 0, true),
    ];
    built(
        ("EL1502-like", 0x05DE_3052, "an up/down counter", COUNTER),
        tx(0x1A02, 0x6020, &inputs, &[(0x11, "Counter value")]),
        Some(rx(0x1602, 0x7020, &outputs, 0x11)),
        vec![list(0x8020, "CNT Settings", false, &settings)],
        ProgramDescription::Counter(CounterDescription::default()),
    )
}

pub(super) fn el5101_like() -> Built {
    let inputs = [
        (1, "Latch C valid"),
        (2, "Latch extern valid"),
        (3, "Set counter done"),
        (4, "Counter underflow"),
        (5, "Counter overflow"),
        (9, "Status of input A"),
        (0x0A, "Status of input B"),
        (0x0B, "Status of input C"),
        (0x0C, "Status of input gate"),
        (0x0D, "Status of extern latch"),
    ];
    let values = [
        (0x11, "Counter value"),
        (0x12, "Latch value"),
        (0x13, "Frequency value"),
        (0x14, "Period value"),
    ];
    let outputs = [
        (1, "Enable latch C"),
        (2, "Enable latch extern on positive edge"),
        (3, "Set counter"),
        (4, "Enable latch extern on negative edge"),
    ];
    let settings = [
        Row(0x01, "Enable C reset", BOOLEAN, 0, true),
        Row(0x02, "Enable extern reset", BOOLEAN, 0, true),
        Row(0x04, "Gate polarity", UNSIGNED8, 1, true),
        Row(0x0E, "Reversion of rotation", BOOLEAN, 0, true),
        Row(0x11, "Frequency window", UNSIGNED16, 10_000, true),
    ];
    built(
        ("EL5101-like", 0x13ED_3052, "an incremental encoder", ENCODER),
        tx(0x1A00, 0x6010, &inputs, &values),
        Some(rx(0x1600, 0x7010, &outputs, 0x11)),
        vec![list(0x8010, "ENC Settings", false, &settings)],
        ProgramDescription::Encoder(EncoderDescription::default()),
    )
}

pub(super) fn el5001_like() -> Built {
    let inputs = [(1, "Data error"), (2, "Frame error"), (3, "Power failure")];
    let settings = [
        Row(0x01, "Disable frame error", BOOLEAN, 0, true),
        Row(0x02, "Enable power failure bit", BOOLEAN, 0, true),
        Row(0x06, "SSI coding", UNSIGNED8, 1, true),
        Row(0x0F, "SSI frame type", UNSIGNED8, 0, true),
        Row(0x11, "SSI frame size", UNSIGNED16, 25, true),
        Row(0x12, "SSI data length", UNSIGNED16, 24, true),
    ];
    built(
        ("EL5001-like", 0x1389_3052, "an SSI encoder", ENCODER),
        tx(0x1A00, 0x6000, &inputs, &[(0x11, "Counter value")]),
        None,
        vec![list(0x8000, "SSI Settings", false, &settings)],
        ProgramDescription::SsiEncoder(SsiEncoderDescription::default()),
    )
}

fn built(
    (order, product_code, what, profile): (&str, u32, &str, u16),
    inputs: Pdo,
    outputs: Option<Pdo>,
    settings: Vec<ObjectDescription>,
    program: ProgramDescription,
) -> Built {
    let name = format!("{order}, simulated: {what}");
    let texts = ["Counter", order, &name];
    let mut sii = sii(simulated(product_code), PDI_CONTROL, texts, 130, PORTS_E_BUS);
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, true);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    let bytes = |pdo: &Pdo| u16::try_from(pdo.bit_length().div_ceil(8)).unwrap_or(u16::MAX);
    let output_bytes = outputs.as_ref().map_or(0, bytes);
    let enable = u8::from(output_bytes > 0);
    sii.sync_managers.extend([
        sync_manager((OUTPUTS_START, output_bytes, 0x24, enable), SyncManagerKind::ProcessDataOut),
        sync_manager((INPUTS_START, bytes(&inputs), 0x20, 0x01), SyncManagerKind::ProcessDataIn),
    ]);
    sii.pdos = outputs.into_iter().chain([inputs]).collect();
    let mut objects = modular_device(order, profile, 1);
    objects.extend(settings);
    Built { mailbox: Some(mailbox(objects)), program: Some(program), ..Built::plain(sii) }
}

/// 15 bits of status, the toggle bit, and values of 32 bits.
fn tx(index: u16, object: u16, bits: &[(u8, &str)], values: &[(u8, &str)]) -> Pdo {
    let mut entries: Vec<PdoEntry> =
        bits.iter().map(|(sub, name)| entry(object, *sub, name, BOOL, 1)).collect();
    entries.push(gap(15 - bits.len() as u8));
    entries.push(entry(object, 0x10, "TxPDO Toggle", BOOL, 1));
    entries.extend(values.iter().map(|(sub, name)| entry(object, *sub, name, UINT32, 32)));
    pdo(PdoDirection::Tx, index, 3, entries)
}

/// 16 bits of control, and a value of 32 bits.
fn rx(index: u16, object: u16, bits: &[(u8, &str)], value: u8) -> Pdo {
    let mut entries: Vec<PdoEntry> =
        bits.iter().map(|(sub, name)| entry(object, *sub, name, BOOL, 1)).collect();
    entries.push(gap(16 - bits.len() as u8));
    entries.push(entry(object, value, "Set counter value", UINT32, 32));
    pdo(PdoDirection::Rx, index, 2, entries)
}

fn pdo(direction: PdoDirection, index: u16, sync_manager: u8, entries: Vec<PdoEntry>) -> Pdo {
    let name = if direction == PdoDirection::Rx { "Outputs" } else { "Inputs" };
    Pdo { sync_manager: Some(sync_manager), ..fixed_pdo(direction, index, name, entries) }
}
