//! An AKD: a servo drive with CoE. Identity, mailboxes, SyncManagers, PDOs and DC mode as in its EEPROM image;
//! its default assignment, its mapping and what it refuses as in a recording. Nothing turns: its actual values
//! are what signals and wires make of them.

use ecat_wire::sii::{
    DcMode, FmmuUsage, MailboxAreas, Pdo, PdoDirection, PdoEntry, SyncManagerKind,
};

use super::objects::{Row, UNSIGNED8, UNSIGNED16, UNSIGNED32, list, mailbox};
use super::terminal::{Built, INT16, INT32, UINT16, UINT32, entry, sii, sync_manager};
use crate::description::eoe::EoeDescription;
use crate::description::mailbox::{MailboxDescription, MappingDescription, ObjectDescription};
use crate::esc::{Refusal, RefusalCondition};

const KOLLMORGEN: u32 = 0x0000_006A;
const OUT: u16 = 0x1800;
const IN: u16 = 0x1C00;
const MAILBOX_BYTES: u16 = 1024;
/// EoE, CoE and FoE.
const PROTOCOLS: u16 = 0x000E;
const INTEGER8: u16 = 0x0002;
const SAFE_OP: u8 = 4;
/// AL status code: invalid output configuration.
const INVALID_OUTPUTS: u16 = 0x001D;

/// An object that PDOs carry: index, subindex, name, data type, bits.
type Value = (u16, u8, &'static str, u8, u8);

const CONTROLWORD: Value = (0x6040, 0, "Controlword", UINT16, 16);
const SET_POINT: Value = (0x60C1, 1, "1st set-point", INT32, 32);
const TARGET_POSITION: Value = (0x607A, 0, "Target position", INT32, 32);
const TARGET_VELOCITY: Value = (0x60FF, 0, "Target velocity", INT32, 32);
const LATCH_CONTROLWORD: Value = (0x20A4, 0, "Latch controlword", UINT16, 16);
const TORQUE_OFFSET: Value = (0x60B2, 0, "Torque offset", INT16, 16);
const PHYSICAL_OUTPUTS: Value = (0x60FE, 1, "Physical outputs", UINT32, 32);
const MAX_TORQUE: Value = (0x6072, 0, "Max torque", UINT16, 16);
const CLEAR_DIGITAL_INPUT: Value = (0x20B8, 0, "ClearDigInputChangedBit", UINT16, 16);
const ANALOGUE_OUTPUT: Value = (0x3470, 3, "AOUT.VALUE write", INT16, 16);
const STATUSWORD: Value = (0x6041, 0, "Statusword", UINT16, 16);
const INTERNAL_POSITION: Value = (0x6063, 0, "Position actual internal value", INT32, 32);
const ACTUAL_POSITION: Value = (0x6064, 0, "Position actual value", INT32, 32);
const SECOND_POSITION: Value = (0x2050, 0, "Second position feedback", INT32, 32);
const ACTUAL_VELOCITY: Value = (0x606C, 0, "Velocity actual value", INT32, 32);
const DIGITAL_INPUTS: Value = (0x60FD, 0, "Digital inputs", UINT32, 32);
const FOLLOWING_ERROR: Value = (0x60F4, 0, "Following error actual value", INT32, 32);
const LATCH_1_POSITIVE: Value = (0x20A0, 0, "Latch 1p", INT32, 32);
const LATCH_1_NEGATIVE: Value = (0x20A1, 0, "Latch 1n", INT32, 32);
const LATCH_1: Value = (0x20A6, 0, "Latch 1 pn", INT32, 32);
const LATCH_2: Value = (0x20A7, 0, "Latch 2 pn", INT32, 32);
const ACTUAL_TORQUE: Value = (0x6077, 0, "Torque actual value", INT16, 16);
const LATCH_STATUSWORD: Value = (0x20A5, 0, "Latch statusword", UINT16, 16);
const ANALOGUE_INPUT: Value = (0x3470, 4, "AIN.VALUE", INT16, 16);

/// RxPDOs with fixed entries.
const OUTPUTS: [(u16, &[Value]); 8] = [
    (0x1701, &[SET_POINT, CONTROLWORD]),
    (0x1702, &[TARGET_VELOCITY, CONTROLWORD]),
    (0x1720, &[CONTROLWORD, SET_POINT, LATCH_CONTROLWORD, TORQUE_OFFSET, PHYSICAL_OUTPUTS]),
    (0x1721, &[SET_POINT, CONTROLWORD, TORQUE_OFFSET]),
    (
        0x1722,
        &[CONTROLWORD, SET_POINT, LATCH_CONTROLWORD, TORQUE_OFFSET, PHYSICAL_OUTPUTS, MAX_TORQUE],
    ),
    (
        0x1723,
        &[
            CONTROLWORD,
            SET_POINT,
            LATCH_CONTROLWORD,
            TORQUE_OFFSET,
            PHYSICAL_OUTPUTS,
            CLEAR_DIGITAL_INPUT,
        ],
    ),
    (0x1724, &[TARGET_POSITION, CONTROLWORD, TORQUE_OFFSET]),
    (
        0x1725,
        &[
            CONTROLWORD,
            TARGET_POSITION,
            PHYSICAL_OUTPUTS,
            TORQUE_OFFSET,
            ANALOGUE_OUTPUT,
            MAX_TORQUE,
        ],
    ),
];

/// TxPDOs with fixed entries; those of ten differ in what they carry at one or two places.
const INPUTS: [(u16, &[Value]); 8] = [
    (0x1B01, &[INTERNAL_POSITION, STATUSWORD]),
    (0x1B20, &ten(SECOND_POSITION, ACTUAL_VELOCITY, LATCH_1_POSITIVE)),
    (0x1B21, &[INTERNAL_POSITION, STATUSWORD]),
    (0x1B22, &ten(SECOND_POSITION, ACTUAL_VELOCITY, LATCH_1_NEGATIVE)),
    (0x1B23, &ten(SECOND_POSITION, ACTUAL_VELOCITY, LATCH_1)),
    (0x1B24, &[ACTUAL_POSITION, STATUSWORD]),
    (0x1B25, &ten(SECOND_POSITION, LATCH_2, LATCH_1)),
    (
        0x1B26,
        &[
            STATUSWORD,
            ACTUAL_POSITION,
            ACTUAL_TORQUE,
            DIGITAL_INPUTS,
            ANALOGUE_INPUT,
            FOLLOWING_ERROR,
        ],
    ),
];

const fn ten(second: Value, third: Value, sixth: Value) -> [Value; 10] {
    [
        INTERNAL_POSITION,
        second,
        third,
        DIGITAL_INPUTS,
        FOLLOWING_ERROR,
        sixth,
        STATUSWORD,
        ACTUAL_TORQUE,
        LATCH_STATUSWORD,
        ANALOGUE_INPUT,
    ]
}

pub(super) fn device() -> Built {
    let texts = ["Drive", "AKD", "AKD, simulated: servo drive"];
    let mut sii = sii((KOLLMORGEN, 0x0041_4B44, 2), 0x0009, texts, 0, 0x0011);
    sii.configuration.pdi_configuration = 0x0800;
    let areas = MailboxAreas {
        receive_offset: OUT,
        receive_size: MAILBOX_BYTES,
        send_offset: IN,
        send_size: MAILBOX_BYTES,
    };
    (sii.mailbox, sii.boot_mailbox, sii.protocols) = (areas, areas, PROTOCOLS);
    if let Some(general) = &mut sii.general {
        (general.coe_details, general.foe_details, general.eoe_details) = (0x0D, 1, 3);
        general.flags = 0x05;
        general.ds402_channels = 1;
    }
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    sii.sync_managers = vec![
        sync_manager((OUT, MAILBOX_BYTES, 0x26, 1), SyncManagerKind::MailboxOut),
        sync_manager((IN, MAILBOX_BYTES, 0x22, 1), SyncManagerKind::MailboxIn),
        sync_manager((0x1100, 0, 0x24, 1), SyncManagerKind::ProcessDataOut),
        sync_manager((0x1140, 0, 0x20, 1), SyncManagerKind::ProcessDataIn),
    ];
    sii.pdos = pdos(PdoDirection::Tx, 0x1A00, STATUSWORD, &INPUTS);
    sii.pdos.extend(pdos(PdoDirection::Rx, 0x1600, CONTROLWORD, &OUTPUTS));
    sii.dc = vec![DcMode {
        sync_0_cycle_factor: 1,
        assign_activate: 0x0300,
        name: "DcSync".to_owned(),
        ..DcMode::default()
    }];
    Built {
        mailbox: Some(MailboxDescription {
            eoe: Some(EoeDescription::default()),
            ..mailbox(objects())
        }),
        program: None,
        refusals: vec![Refusal {
            to: SAFE_OP,
            code: INVALID_OUTPUTS,
            condition: RefusalCondition::MappedTwice,
        }],
        ..Built::plain(sii)
    }
}

/// Four PDOs whose entries can be changed, of which the first has one, and the fixed ones. The first fixed one
/// is the process data by default.
fn pdos(direction: PdoDirection, index: u16, first: Value, fixed: &[(u16, &[Value])]) -> Vec<Pdo> {
    let (name, number) = if direction == PdoDirection::Rx { ("Outputs", 2) } else { ("Inputs", 3) };
    let pdo = |index, sync_manager, flags, entries| Pdo {
        direction,
        index,
        sync_manager,
        name: name.to_owned(),
        flags,
        entries,
        ..Pdo::default()
    };
    let free = (0..4).map(|n| {
        let entries = if n == 0 { entries(&[first]) } else { Vec::new() };
        pdo(index + n, None, 0, entries)
    });
    let fixed = fixed.iter().enumerate().map(|(n, &(index, values))| {
        pdo(index, (n == 0).then_some(number), Pdo::FIXED_CONTENT, entries(values))
    });
    free.chain(fixed).collect()
}

fn entries(values: &[Value]) -> Vec<PdoEntry> {
    values
        .iter()
        .map(|&(index, subindex, name, data_type, bits)| {
            entry(index, subindex, name, data_type, bits)
        })
        .collect()
}

/// What the recording read, and the two objects that only its mapping names.
fn objects() -> Vec<ObjectDescription> {
    const MAPPINGS: [(u16, &[i64]); 8] = [
        (0x1600, &[0x6040_0010]),
        (0x1601, &[0x6040_0010, 0x6060_0008]),
        (0x1602, &[0x6040_0010, 0x607A_0020]),
        (0x1603, &[0x6040_0010, 0x60FF_0020]),
        (0x1A00, &[0x6041_0010]),
        (0x1A01, &[0x6041_0010, 0x6061_0008]),
        (0x1A02, &[0x6041_0010, 0x6064_0020]),
        (0x1A03, &[0x6041_0010, 0x606C_0020]),
    ];
    const ASSIGNMENTS: [(u16, &str, [i64; 4]); 2] = [
        (0x1C12, "RxPDO assign", [0x1600, 0x1601, 0x1602, 0x1603]),
        (0x1C13, "TxPDO assign", [0x1A00, 0x1A01, 0x1A02, 0x1A03]),
    ];
    let rows = |values: &[i64], data_type, writable| -> Vec<Row> {
        let numbered = (1..).zip(values);
        numbered.map(|(n, &value)| Row(n, "SubIndex", data_type, value, writable)).collect()
    };
    let mut objects =
        vec![list(0x1C00, "Sync manager type", true, &rows(&[1, 2, 3, 4], UNSIGNED8, false))];
    for (index, values) in MAPPINGS {
        // Room for what a MainDevice maps.
        let mut all = values.to_vec();
        all.resize(8, 0);
        let mut object = list(index, "PDO mapping", false, &rows(&all, UNSIGNED32, true));
        object.count = u8::try_from(values.len()).ok();
        objects.push(writable_count(object));
    }
    for (index, name, values) in ASSIGNMENTS {
        objects.push(writable_count(list(index, name, true, &rows(&values, UNSIGNED16, true))));
    }
    objects.push(mode(0x6060, "Modes of operation", MappingDescription::Output));
    objects.push(mode(0x6061, "Modes of operation display", MappingDescription::Input));
    objects
}

fn writable_count(object: ObjectDescription) -> ObjectDescription {
    use crate::description::mailbox::AccessDescription::ReadWritePreOp;
    ObjectDescription { access: Some(ReadWritePreOp), ..object }
}

fn mode(index: u16, name: &str, mapping: MappingDescription) -> ObjectDescription {
    ObjectDescription {
        index,
        name: name.to_owned(),
        data_type: Some(INTEGER8),
        mapping: Some(mapping),
        ..ObjectDescription::default()
    }
}
