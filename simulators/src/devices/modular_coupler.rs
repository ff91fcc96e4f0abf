//! A coupler with slots for modules (ETG5001, "Modular device profile"), like no real one. The objects of a slot stand 0x10
//! higher than those of the slot before, its PDOs 1; only those of the modules in 0xF030 are there. What it does when
//! modules are plugged and pulled is in [`crate::mailbox::modules`] and `esc/modules.rs`.

use ecat_wire::sii::{FmmuUsage, Pdo, PdoDirection, PdoEntry, SyncManagerKind};

use super::mail::Points;
use super::objects::{BOOLEAN, MODULAR_DEVICE, add_mailboxes, mailbox, number};
use super::process_data::ChannelType;
use super::programs::modular_coupler::{
    COUNT_DOWN, COUNTER, COUNTER_VALUE, INHIBIT, INPUTS, ModularCouplerDescription, OUTPUTS,
    PULSES, SET, SET_DONE, SETTINGS, STATUS,
};
use super::terminal::{
    BOOL, Built, INT16, UINT16, UINT32, entry, fixed_pdo, gap, sii, simulated, sync_manager,
};
use crate::description::{
    DescriptionError, DeviceDescription, ModuleDescription, ModuleName, ProgramDescription,
};
use crate::esc::{Chip, Direction, Profile};
use crate::mailbox::modules::{ModuleKind, Slots};
use crate::mailbox::object_dictionary::{Entry, Object, ObjectCode, READ, WRITE};

const SLOTS: usize = 8;
const INDEX_DISTANCE: u16 = 0x10;
const MAILBOX_BYTES: u16 = 256;
const OUTPUTS_START: u16 = 0x1200;
const INPUTS_START: u16 = 0x1400;
/// SDO, SDO information, PDO assignment, complete access.
const COE_DETAILS: u8 = 0x27;
const PDI_CONTROL: u16 = 0x0008;
const PORTS_MII: u16 = 0x0011;
const EEPROM_BYTES: usize = 4096;
/// The coupler's own inputs: XB6S couplers have theirs there.
const STATUS_PDO: u16 = 0x1AFF;
/// PDOs of the first slot.
const RX_PDO: u16 = 0x1600;
const TX_PDO: u16 = 0x1A00;
/// Subindex of the first analogue value.
const VALUES: u8 = 0x11;
const REAL64: u16 = 0x0011;

/// What a module that is no counter has.
#[derive(Clone, Copy)]
enum Channels {
    Bits(u8),
    Words(u8),
}

pub(super) fn device(device: &DeviceDescription) -> Result<Built, DescriptionError> {
    let kinds = kinds();
    let slots = Slots {
        plugged: plugged(device.modules.as_deref().unwrap_or_default(), &kinds)?,
        kinds,
        index_distance: INDEX_DISTANCE,
        own_inputs: Some(vec![STATUS_PDO]),
        hot_swap: device.hot_swap.unwrap_or(false),
    };
    let texts = ["Simulated", "modular-coupler", "Coupler with slots for modules, simulated"];
    let mut sii = sii(simulated(0x5001_0001), PDI_CONTROL, texts, 0, PORTS_MII);
    sii.size_bytes = EEPROM_BYTES;
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, false);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    let status = entry(STATUS.0, STATUS.1, "Coupler status", UINT16, 16);
    let status = fixed_pdo(PdoDirection::Tx, STATUS_PDO, "Coupler", vec![status]);
    let (outputs, inputs): (Vec<Pdo>, Vec<Pdo>) =
        slots.pdos().into_iter().partition(|pdo| pdo.direction == PdoDirection::Rx);
    let inputs: Vec<Pdo> = std::iter::once(status).chain(inputs).collect();
    let bytes = |pdos: &[Pdo]| {
        let bits: usize = pdos.iter().map(Pdo::bit_length).sum();
        u16::try_from(bits.div_ceil(8)).unwrap_or(u16::MAX)
    };
    let (output_bytes, input_bytes) = (bytes(&outputs), bytes(&inputs));
    let enable = u8::from(output_bytes > 0);
    sii.sync_managers.extend([
        sync_manager((OUTPUTS_START, output_bytes, 0x64, enable), SyncManagerKind::ProcessDataOut),
        sync_manager((INPUTS_START, input_bytes, 0x20, 1), SyncManagerKind::ProcessDataIn),
    ]);
    sii.pdos = outputs.into_iter().chain(inputs).collect();
    Ok(Built {
        profile: Profile { port_descriptor: 0x0F, ..Chip::Et1100.profile() },
        mailbox: Some(mailbox(vec![number(0x1000, "Device type", MODULAR_DEVICE, false)])),
        program: Some(ProgramDescription::ModularCoupler(ModularCouplerDescription::default())),
        slots: Some(slots),
        ..Built::plain(sii)
    })
}

/// What can be plugged in. Numbers are channels and kind.
fn kinds() -> Vec<ModuleKind> {
    let plain = [
        (0x0401, "4DI", PdoDirection::Tx, Channels::Bits(4)),
        (0x0801, "8DI", PdoDirection::Tx, Channels::Bits(8)),
        (0x0402, "4DO", PdoDirection::Rx, Channels::Bits(4)),
        (0x0802, "8DO", PdoDirection::Rx, Channels::Bits(8)),
        (0x0203, "2AI", PdoDirection::Tx, Channels::Words(2)),
        (0x0204, "2AO", PdoDirection::Rx, Channels::Words(2)),
    ];
    let plain = plain.map(|(ident, name, direction, channels)| ModuleKind {
        ident,
        name: name.to_owned(),
        pdos: vec![channels_pdo(direction, channels)],
        objects: Vec::new(),
    });
    plain.into_iter().chain([counter()]).collect()
}

fn channels_pdo(direction: PdoDirection, channels: Channels) -> Pdo {
    let (index, object, what) = match direction {
        PdoDirection::Rx => (RX_PDO, OUTPUTS, "Output"),
        PdoDirection::Tx => (TX_PDO, INPUTS, "Input"),
    };
    let mut entries: Vec<PdoEntry> = match channels {
        Channels::Bits(count) => {
            (1..=count).map(|n| entry(object, n, &format!("{what} {n}"), BOOL, 1)).collect()
        }
        Channels::Words(count) => (0..count)
            .map(|n| entry(object, VALUES + n, &format!("{what} {}", n + 1), INT16, 16))
            .collect(),
    };
    if let Channels::Bits(count @ 1..=7) = channels {
        entries.push(gap(8 - count));
    }
    fixed_pdo(direction, index, &format!("{what}s"), entries)
}

/// A counter of 32 bits that can be set and stopped; what it counts is a field that no PDO carries.
fn counter() -> ModuleKind {
    let inputs = vec![
        entry(INPUTS, SET_DONE, "Set counter done", BOOL, 1),
        gap(7),
        entry(INPUTS, COUNTER_VALUE, "Counter value", UINT32, 32),
    ];
    let outputs = vec![
        entry(OUTPUTS, SET, "Set counter", BOOL, 1),
        entry(OUTPUTS, INHIBIT, "Inhibit counter", BOOL, 1),
        gap(6),
        entry(OUTPUTS, COUNTER_VALUE, "Set counter value", UINT32, 32),
    ];
    let one = |name: &str, (subindex, what): (u8, &str), data_type, access, value| {
        let entry = Entry::new(what, data_type, access, value);
        Object::list(name, ObjectCode::Record, 0, READ, [(subindex, entry)])
    };
    let bit = Entry { bit_length: 1, ..Entry::new("Count down", BOOLEAN, READ | WRITE, vec![0]) };
    let settings = Object::list("Settings", ObjectCode::Record, 0, READ, [(COUNT_DOWN, bit)]);
    ModuleKind {
        ident: COUNTER,
        name: "1CNT".to_owned(),
        pdos: vec![
            fixed_pdo(PdoDirection::Rx, RX_PDO, "Outputs", outputs),
            fixed_pdo(PdoDirection::Tx, TX_PDO, "Inputs", inputs),
        ],
        objects: vec![
            (INPUTS, one("Inputs", (PULSES, "Pulses"), REAL64, READ, vec![0; 8])),
            (SETTINGS, settings),
        ],
    }
}

/// What is plugged into each slot at first.
fn plugged(
    modules: &[ModuleDescription],
    kinds: &[ModuleKind],
) -> Result<Vec<u32>, DescriptionError> {
    let mut plugged = vec![0; SLOTS];
    let mut next = 1;
    for (n, described) in modules.iter().enumerate() {
        let slot = described.slot.unwrap_or(next);
        let refused = |key: &str, message: String| {
            Err(DescriptionError::new(format!("/modules/{n}{key}"), message))
        };
        let known = kinds.iter().find(|kind| match &described.module {
            ModuleName::Ident(ident) => kind.ident == *ident,
            ModuleName::Text(name) => kind.name == *name,
        });
        let Some(kind) = known else {
            let known: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
            return refused(
                "/module",
                format!("there is no such module, but {}", known.join(", ")),
            );
        };
        let key = if described.slot.is_some() { "/slot" } else { "" };
        match usize::from(slot).checked_sub(1).and_then(|at| plugged.get_mut(at)) {
            None => return refused(key, format!("{slot} is no slot from 1 to {SLOTS}")),
            Some(0) => plugged[usize::from(slot) - 1] = kind.ident,
            Some(_) => return refused(key, format!("slot {slot} has a module already")),
        }
        next = slot + 1;
    }
    Ok(plugged)
}

/// Gives the values of every module that can be in a slot a place, and makes what is wired to their terminals the channels:
/// those of the modules that are plugged at first, then all others, each by slot.
pub(super) fn add_places(slots: &Slots, points: &mut Points<'_>) {
    let in_slots = || {
        let numbers = (1..=u8::MAX).zip(&slots.plugged);
        numbers.flat_map(|(slot, first)| {
            slots.kinds.iter().map(move |kind| (slot, kind, kind.ident == *first))
        })
    };
    for (slot, kind, _) in in_slots() {
        for pdo in &kind.pdos {
            let (pdo, direction) = (slots.placed(pdo, slot), direction(pdo.direction));
            for PdoEntry { index, subindex, data_type, bit_length, .. } in pdo.entries {
                let r#type = ChannelType::by(data_type, bit_length);
                if index != 0 {
                    points.add(direction, (index, subindex), bit_length.into(), r#type);
                }
            }
        }
        if kind.ident == COUNTER {
            let object = (INPUTS + slots.offset(slot), PULSES);
            points.add(Direction::Input, object, 64, ChannelType::Real64);
        }
    }
    let mut terminals = Vec::new();
    for wanted in [true, false] {
        for (slot, kind, _) in in_slots().filter(|(.., first)| *first == wanted) {
            if kind.ident == COUNTER {
                terminals.push((Direction::Input, INPUTS + slots.offset(slot), PULSES));
                continue;
            }
            for pdo in &kind.pdos {
                let (pdo, direction) = (slots.placed(pdo, slot), direction(pdo.direction));
                let entries = pdo.entries.iter().filter(|entry| entry.index != 0);
                terminals.extend(entries.map(|entry| (direction, entry.index, entry.subindex)));
            }
        }
    }
    points.keep_channels(&terminals);
}

const fn direction(of_pdo: PdoDirection) -> Direction {
    match of_pdo {
        PdoDirection::Rx => Direction::Output,
        PdoDirection::Tx => Direction::Input,
    }
}
