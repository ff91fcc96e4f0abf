//! Analogue inputs in the manner of EL3xxx: a status and a value a channel in SyncManager 3, CoE in
//! SyncManagers 0 and 1; and, simpler than any real one, values alone.

use ecat_wire::sii::{FmmuUsage, Pdo, PdoDirection, PdoEntry, Sii, SyncManagerKind};

use super::objects::{
    BIT3, BOOLEAN, INTEGER16, INTEGER32, Row, UNSIGNED16, add_mailboxes, list, mailbox,
    modular_device,
};
use super::programs::analogue_inputs::AnalogueInputsDescription;
use super::terminal::{
    BECKHOFF, BIT2, BOOL, Built, INT16, INT32, PDI_MICROCONTROLLER, PDO_FLAGS, PORTS_E_BUS,
    PROCESS_RAM, entry, gap, sii, simulated, sync_manager,
};
use crate::description::ProgramDescription;
use crate::description::mailbox::ObjectDescription;
use crate::esc::Profile;

const GROUP: &str = "AnaIn";
const MAILBOX_BYTES: u16 = 128;
const INPUTS_START: u16 = 0x1180;
/// SII word 0; the register as the EL3004 of a recording has it.
const PDI_CONTROL: u16 = 0x0C05;
const COE_DETAILS: u8 = 0x07;
const VALUE: u8 = 0x11;

/// What comes between the error bit and the value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StatusForm {
    /// Seven bits of nothing, state and toggle, by a recording.
    Plain,
    /// Six bits of nothing, synchronisation error, state and toggle.
    WithSyncError,
    /// Seven bits of nothing, and state and toggle as entries of 0x1800 and following.
    Early,
}

/// What distinguishes the types.
struct Family<'a> {
    identity: (u32, u32, u32),
    order: &'a str,
    channels: u16,
    form: StatusForm,
    value_type: u8,
    value_bits: u8,
    /// Module profile of the channels.
    profile: u16,
    /// Whether the filter is on by default.
    filter: bool,
}

/// Identity, chip, SyncManagers and standard PDOs as in a recording; its compact PDOs and its other objects
/// by the vendor's documentation of EL30xx.
pub(super) fn el3004() -> Built {
    let mut built = built(&Family {
        identity: (BECKHOFF, 0x0BBC_3052, 0x0015_0000),
        order: "EL3004",
        channels: 4,
        form: StatusForm::Plain,
        value_type: INT16,
        value_bits: 16,
        profile: 300,
        filter: true,
    });
    if let Some(general) = &mut built.sii.general {
        general.ebus_current_ma = 130;
    }
    built
}

/// By the vendor's documentation of EL31xx, from revision 16 on.
pub(super) fn el3102_like() -> Built {
    built(&Family {
        identity: simulated(0x0C1E_3052),
        order: "EL3102-like",
        channels: 2,
        form: StatusForm::WithSyncError,
        value_type: INT16,
        value_bits: 16,
        profile: 300,
        filter: false,
    })
}

/// By the vendor's documentation of EL32xx and what IgH's tools list for the real one. Values are tenths of a
/// degree.
pub(super) fn el3204_like() -> Built {
    built(&Family {
        identity: simulated(0x0C84_3052),
        order: "EL3204-like",
        channels: 4,
        form: StatusForm::Early,
        value_type: INT16,
        value_bits: 16,
        profile: 320,
        filter: true,
    })
}

/// By what IgH's tools list for the real one.
pub(super) fn el3602_like() -> Built {
    built(&Family {
        identity: simulated(0x0E12_3052),
        order: "EL3602-like",
        channels: 2,
        form: StatusForm::Early,
        value_type: INT32,
        value_bits: 32,
        profile: 300,
        filter: true,
    })
}

/// With any number of channels, in the manner of an EL31xx.
pub(super) fn el3xxx_like(channels: u16) -> Built {
    built(&Family {
        identity: simulated(6 << 16 | u32::from(channels)),
        order: "EL3xxx-like",
        channels,
        form: StatusForm::WithSyncError,
        value_type: INT16,
        value_bits: 16,
        profile: 300,
        filter: false,
    })
}

fn built(family: &Family<'_>) -> Built {
    let &Family { identity, order, channels, profile, .. } = family;
    let name = format!("{order}, simulated: {channels} analogue inputs");
    let mut sii = sii(identity, PDI_CONTROL, [GROUP, order, &name], 150, PORTS_E_BUS);
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, true);
    sii.fmmu_usage = vec![FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    for n in 0..channels {
        sii.pdos.extend(pdos(family, n));
    }
    let bits: usize =
        sii.pdos.iter().filter(|pdo| pdo.sync_manager.is_some()).map(Pdo::bit_length).sum();
    let bytes = u16::try_from(bits / 8).unwrap_or(u16::MAX);
    let none = (PROCESS_RAM + 2 * MAILBOX_BYTES, 0, 0x04, 0x00);
    let inputs = (INPUTS_START, bytes, 0x20, 0x01);
    sii.sync_managers.extend([
        sync_manager(none, SyncManagerKind::ProcessDataOut),
        sync_manager(inputs, SyncManagerKind::ProcessDataIn),
    ]);
    let mut objects = modular_device(order, profile, channels);
    for n in 0..channels {
        objects.extend(channel_objects(family, n));
    }
    let ram_bytes = INPUTS_START - PROCESS_RAM + 3 * bytes;
    let terminal = Built::plain(sii);
    Built {
        profile: Profile {
            // Terminals of this size do not exist; they get the memory of a larger chip.
            ram_kb: if ram_bytes > 1024 { 8 } else { terminal.profile.ram_kb },
            ..terminal.profile
        },
        mailbox: Some(mailbox(objects)),
        values_only: true,
        program: Some(ProgramDescription::AnalogueInputs(AnalogueInputsDescription::default())),
        ..terminal
    }
}

/// The standard PDO of channel `n` (from 0), and where the type has one the compact PDO beside it.
fn pdos(family: &Family<'_>, n: u16) -> Vec<Pdo> {
    let object = 0x6000 + n * 0x10;
    let value = || entry(object, VALUE, "Value", family.value_type, family.value_bits);
    let mut entries = vec![
        entry(object, 1, "Underrange", BOOL, 1),
        entry(object, 2, "Overrange", BOOL, 1),
        entry(object, 3, "Limit 1", BIT2, 2),
        entry(object, 5, "Limit 2", BIT2, 2),
        entry(object, 7, "Error", BOOL, 1),
    ];
    entries.extend(end_of_status(family.form, object, n));
    entries.push(value());
    let pdo = |index, name: &str, sync_manager, entries| Pdo {
        direction: PdoDirection::Tx,
        index,
        sync_manager,
        name: format!("{name} Ch.{}", n + 1),
        flags: Pdo::FIXED_CONTENT,
        entries,
        ..Pdo::default()
    };
    if family.form == StatusForm::Early {
        return vec![pdo(0x1A00 + n, "AI TxPDO-Map Inputs", Some(3), entries)];
    }
    vec![
        pdo(0x1A00 + 2 * n, "AI TxPDO-Map Standard", Some(3), entries),
        pdo(0x1A01 + 2 * n, "AI TxPDO-Map Compact", None, vec![value()]),
    ]
}

fn end_of_status(form: StatusForm, object: u16, n: u16) -> Vec<PdoEntry> {
    let state = |index, subindex| entry(index, subindex, "TxPDO State", BOOL, 1);
    let toggle = |index, subindex| entry(index, subindex, "TxPDO Toggle", BOOL, 1);
    match form {
        StatusForm::Plain => vec![gap(1), gap(6), state(object, 0x0F), toggle(object, 0x10)],
        StatusForm::WithSyncError => vec![
            gap(1),
            gap(5),
            entry(object, 0x0E, "Sync error", BOOL, 1),
            state(object, 0x0F),
            toggle(object, 0x10),
        ],
        StatusForm::Early => vec![gap(7), state(0x1800 + n, 7), toggle(0x1800 + n, 9)],
    }
}

/// Settings and raw values of channel `n` (from 0).
fn channel_objects(family: &Family<'_>, n: u16) -> [ObjectDescription; 3] {
    let &Family { form, profile, filter, value_bits, .. } = family;
    let limit = if value_bits > 16 { INTEGER32 } else { INTEGER16 };
    let base = 0x8000 + n * 0x10;
    let mut rows = vec![
        Row(0x01, "Enable user scale", BOOLEAN, 0, true),
        Row(0x02, "Presentation", BIT3, 0, true),
        Row(0x05, "Siemens bits", BOOLEAN, 0, true),
        Row(0x06, "Enable filter", BOOLEAN, filter.into(), true),
        Row(0x07, "Enable limit 1", BOOLEAN, 0, true),
        Row(0x08, "Enable limit 2", BOOLEAN, 0, true),
        Row(0x0A, "Enable user calibration", BOOLEAN, 0, true),
        Row(0x0B, "Enable vendor calibration", BOOLEAN, 1, true),
        Row(0x0E, "Swap limit bits", BOOLEAN, 0, true),
        Row(0x11, "User scale offset", INTEGER16, 0, true),
        Row(0x12, "User scale gain", INTEGER32, 0x0001_0000, true),
        Row(0x13, "Limit 1", limit, 0, true),
        Row(0x14, "Limit 2", limit, 0, true),
        Row(0x15, "Filter settings", UNSIGNED16, 0, true),
        Row(0x17, "User calibration offset", INTEGER16, 0, true),
        Row(0x18, "User calibration gain", INTEGER16, 0x4000, true),
    ];
    let thermometer = form == StatusForm::Early && profile == 320;
    if thermometer {
        rows.extend([
            Row(0x19, "RTD element", UNSIGNED16, 0, true),
            Row(0x1A, "Connection technology", UNSIGNED16, 0, true),
            Row(0x1B, "Wire calibration 1/32 Ohm", INTEGER16, 0, true),
        ]);
    }
    let (settings, internal) = if thermometer {
        ("RTD Settings", "RTD Internal data")
    } else {
        ("AI Settings", "AI Internal data")
    };
    let raw = [Row(0x01, "ADC raw value", UNSIGNED16, 0, false)];
    let vendor = [
        Row(0x01, "Calibration offset", INTEGER16, 0, false),
        Row(0x02, "Calibration gain", INTEGER16, 0x4000, false),
    ];
    [
        list(base, &format!("{settings} Ch.{}", n + 1), false, &rows),
        list(base + 0x0E, &format!("{internal} Ch.{}", n + 1), false, &raw),
        list(base + 0x0F, &format!("Vendor data Ch.{}", n + 1), false, &vendor),
    ]
}

/// Like an EL3104 with its compact PDOs (no status): a microcontroller with an AL state machine of its
/// own. Other than the real one it has no mailbox, and therefore its inputs in SyncManager 0.
pub(super) fn simple(channels: u16) -> Built {
    let order = format!("EL31{channels:02}-like");
    let name = format!("{channels}-channel analogue inputs, simulated");
    let identity = simulated(3 << 16 | u32::from(channels));
    let texts = ["Simulated", &order, &name];
    let mut sii: Sii = sii(identity, PDI_MICROCONTROLLER, texts, 100, PORTS_E_BUS);
    sii.fmmu_usage = vec![FmmuUsage::Inputs];
    let buffer = (PROCESS_RAM, channels * 2, 0x20, 0x01);
    sii.sync_managers = vec![sync_manager(buffer, SyncManagerKind::ProcessDataIn)];
    sii.pdos = (0..channels)
        .map(|n| Pdo {
            direction: PdoDirection::Tx,
            // Real ones have a long form between.
            index: 0x1A01 + 2 * n,
            sync_manager: Some(0),
            name: format!("Channel {}", n + 1),
            flags: PDO_FLAGS,
            entries: vec![entry(0x6000 + n * 0x10, VALUE, "Value", INT16, 16)],
            ..Pdo::default()
        })
        .collect();
    Built::plain(sii)
}
