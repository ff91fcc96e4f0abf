//! The objects of a device of an ESI file.
//!
//! What its dictionary says is what the device says: names, types, access, limits, values. Where something else decides
//! (identity, kinds of SyncManagers, PDOs and their assignment, modules), the objects have those values.

use ecat_esi::{ConfiguredDevice, ObjectCode as Code, ResolvedEntry, ResolvedObject};

use crate::mailbox::diagnosis;
use crate::mailbox::modules::{CONFIGURED, DETECTED};
use crate::mailbox::object_dictionary::{
    BACKUP, Entry, Object, ObjectCode, ObjectDictionary, RX_MAPPABLE, SETTINGS, TX_MAPPABLE,
    VALUE_BYTES_MAX, WRITE,
};

const DEVICE_TYPE: u16 = 0x1000;
const IDENTITY: u16 = 0x1018;
const SYNC_MANAGER_TYPES: u16 = 0x1C00;
const ASSIGNMENTS: std::ops::RangeInclusive<u16> = 0x1C10..=0x1C2F;
const PDO_MAPPING: u16 = 0x0021;
const IDENTITY_TYPE: u16 = 0x0023;

pub(super) fn dictionary(
    device: &ConfiguredDevice,
    standard: ObjectDictionary,
) -> ObjectDictionary {
    let mut dictionary = standard;
    let described = device.objects();
    let has = |index: u16| described.iter().any(|object| object.index == index);
    let coe = device.device.mailbox.coe.clone().unwrap_or_default();
    if !coe.diagnosis_history && !has(diagnosis::INDEX) {
        dictionary.objects.remove(&diagnosis::INDEX);
    }
    if let Some((number, information)) = device.device.profile() {
        let value = u32::from(information) << 16 | u32::from(number);
        set(&mut dictionary, DEVICE_TYPE, 0, &value.to_le_bytes());
    }
    // Who may write assignments and mappings that the file does not describe.
    for (&index, object) in &mut dictionary.objects {
        let fixed = (ASSIGNMENTS.contains(&index) && !coe.pdo_assignment)
            || (is_mapping(index) && !coe.pdo_configuration);
        if fixed {
            object.entries.values_mut().for_each(|entry| entry.access &= !WRITE);
        }
    }
    if let Some(slots) = super::slots(device, false) {
        slots.add_lists(&mut dictionary);
    }
    for object in &described {
        let index = object.index;
        let converted = converted(object);
        let merged = match dictionary.objects.remove(&index) {
            None => converted,
            Some(known) if decided_elsewhere(device, index) => with_values(converted, known),
            Some(known) => with_entries(converted, known),
        };
        dictionary.objects.insert(index, merged);
    }
    dictionary
}

const fn is_mapping(index: u16) -> bool {
    matches!(index, 0x1600..=0x17FF | 0x1A00..=0x1BFF)
}

/// Whether the values of an object follow from something else than the dictionary.
fn decided_elsewhere(device: &ConfiguredDevice, index: u16) -> bool {
    let lists = matches!(index, CONFIGURED | DETECTED);
    matches!(index, IDENTITY | SYNC_MANAGER_TYPES)
        || ASSIGNMENTS.contains(&index)
        || lists && !device.modules.is_empty()
        || device.pdos.iter().any(|pdo| pdo.index.base == index)
}

/// The object as the file describes it, with the values that it has here. What it has no room for is added.
fn with_values(mut described: Object, known: Object) -> Object {
    for (subindex, entry) in known.entries {
        match described.entries.get_mut(&subindex) {
            Some(own) if own.bit_length == entry.bit_length => {
                own.value = entry.value;
                own.default = entry.default;
            }
            _ => {
                described.entries.insert(subindex, entry);
            }
        }
    }
    described
}

/// The object as the file describes it; what PDOs carry of it can be carried, and is there.
fn with_entries(mut described: Object, known: Object) -> Object {
    let is_variable = described.code == ObjectCode::Variable;
    for (subindex, entry) in known.entries {
        let carried = entry.access & (RX_MAPPABLE | TX_MAPPABLE);
        match described.entries.get_mut(&subindex) {
            Some(own) => own.access |= carried,
            None if carried != 0 && !is_variable => {
                described.entries.insert(subindex, entry);
            }
            None => {}
        }
    }
    described
}

fn converted(object: &ResolvedObject) -> Object {
    let entries = object.entries.iter().map(|one| (one.subindex, entry(one))).collect();
    let (code, data_type) = match object.code {
        Code::Variable => (ObjectCode::Variable, object.data_type),
        Code::Array => (ObjectCode::Array, object.data_type),
        Code::Record if is_mapping(object.index) => (ObjectCode::Record, PDO_MAPPING),
        Code::Record if object.index == IDENTITY => (ObjectCode::Record, IDENTITY_TYPE),
        Code::Record => (ObjectCode::Record, 0),
    };
    Object { name: object.name.clone(), code, data_type, entries }
}

fn entry(one: &ResolvedEntry) -> Entry {
    let flags = &one.flags;
    let bits = [
        (RX_MAPPABLE, flags.rx_pdo),
        (TX_MAPPABLE, flags.tx_pdo),
        (BACKUP, flags.backup),
        (SETTINGS, flags.setting),
    ];
    let usable = bits.into_iter().filter(|(_, there)| *there).fold(0, |all, (bit, _)| all | bit);
    let access = flags.access.read.bits() | flags.access.write.bits() << 3 | usable;
    let limits = one.minimum.is_some() || one.maximum.is_some();
    let range = limits.then(|| (one.minimum.unwrap_or(i64::MIN), one.maximum.unwrap_or(i64::MAX)));
    let mut value = one.value.clone();
    value.truncate(VALUE_BYTES_MAX);
    Entry {
        bit_length: one.bits.min(VALUE_BYTES_MAX as u32 * 8),
        range,
        ..Entry::new(&one.name, one.data_type, access, value)
    }
}

fn set(dictionary: &mut ObjectDictionary, index: u16, subindex: u8, value: &[u8]) {
    if let Some(entry) = dictionary.entry_mut(index, subindex) {
        entry.value = value.to_vec();
        entry.default = value.to_vec();
    }
}
