//! The objects that every CoE device has, made from its SII (ETG1000.6, "Communication profile area";
//! ETG1020).

use ecat_wire::sii::{Pdo, PdoDirection, Sii, SyncManagerKind};

use super::diagnosis;
use super::object_dictionary::{
    Entry, Object, ObjectCode, ObjectDictionary, READ, RX_MAPPABLE, TX_MAPPABLE, UNSIGNED8,
    UNSIGNED16, UNSIGNED32, VISIBLE_STRING, WRITE, WRITE_PRE_OP,
};
use super::pdo::ASSIGNMENT;

/// Data type of a record of PDO mappings.
const PDO_MAPPING: u16 = 0x0021;
/// Data type of the record of an identity.
const IDENTITY: u16 = 0x0023;
/// The fewest entries that a PDO whose content can be changed has room for.
const MAPPING_ROOM: u8 = 8;

/// Device type, names, identity, diagnosis history, kinds of SyncManagers, and the PDOs with their
/// assignment and the objects that they carry.
#[must_use]
pub fn standard_objects(sii: &Sii) -> ObjectDictionary {
    let mut dictionary = ObjectDictionary::default();
    let mut put = |index: u16, object: Object| {
        dictionary.objects.insert(index, object);
    };
    let word =
        |name: &str, value: u32| Entry::new(name, UNSIGNED32, READ, value.to_le_bytes().to_vec());
    let text = |name: &str, value: &str| {
        let value = value.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
        Object::variable(Entry::new(name, VISIBLE_STRING, READ, value))
    };
    let general = sii.general.clone().unwrap_or_default();
    let name = if general.name.is_empty() { &general.order } else { &general.name };
    let number = |name, value| Object::variable(word(name, value));
    put(0x1000, number("Device type", 0));
    put(0x1001, Object::variable(Entry::new("Error register", UNSIGNED8, READ, vec![0])));
    put(0x1008, text("Device name", name));
    put(0x1009, text("Hardware version", "1"));
    put(0x100A, text("Software version", "1"));
    let identity = [
        ("Vendor ID", sii.identity.vendor_id),
        ("Product code", sii.identity.product_code),
        ("Revision", sii.identity.revision),
        ("Serial number", sii.identity.serial),
    ];
    let entries = (1..).zip(identity.map(|(name, value)| word(name, value)));
    put(0x1018, Object::list("Identity", ObjectCode::Record, IDENTITY, READ, entries));
    put(diagnosis::INDEX, diagnosis::object());

    let kinds = (1..).zip(&sii.sync_managers).map(|(subindex, sync_manager)| {
        let kind = match sync_manager.effective_kind() {
            SyncManagerKind::Unused => 0,
            SyncManagerKind::MailboxOut => 1,
            SyncManagerKind::MailboxIn => 2,
            SyncManagerKind::ProcessDataOut => 3,
            SyncManagerKind::ProcessDataIn => 4,
        };
        (subindex, Entry::new("SubIndex", UNSIGNED8, READ, vec![kind]))
    });
    let kinds = Object::list("Sync manager type", ObjectCode::Array, UNSIGNED8, READ, kinds);
    put(0x1C00, kinds);
    for (number, sync_manager) in (0..).zip(&sii.sync_managers) {
        let direction = match sync_manager.effective_kind() {
            SyncManagerKind::ProcessDataOut => PdoDirection::Rx,
            SyncManagerKind::ProcessDataIn => PdoDirection::Tx,
            _ => continue,
        };
        let of_direction = || sii.pdos.iter().filter(|pdo| pdo.direction == direction);
        let carried = of_direction().filter(|pdo| pdo.sync_manager == Some(number as u8));
        let assigned: Vec<u16> = carried.map(|pdo| pdo.index).collect();
        put(ASSIGNMENT + number, assignment(direction, &assigned, of_direction().count()));
    }
    for pdo in &sii.pdos {
        add_pdo(&mut dictionary, pdo);
    }
    dictionary
}

/// A PDO, and the objects that it carries.
pub(super) fn add_pdo(dictionary: &mut ObjectDictionary, pdo: &Pdo) {
    dictionary.objects.insert(pdo.index, mapping(pdo));
    mapped_objects(dictionary, pdo);
}

/// What a SyncManager carries, with room for so many PDOs.
pub(super) fn assignment(direction: PdoDirection, assigned: &[u16], room: usize) -> Object {
    let access = READ | WRITE_PRE_OP;
    let entries = (1..=u8::MAX).zip(0..room).map(|(subindex, n)| {
        let value = assigned.get(n).copied().unwrap_or(0).to_le_bytes().to_vec();
        (subindex, Entry::new("SubIndex", UNSIGNED16, access, value))
    });
    let name = if direction == PdoDirection::Rx { "RxPDO assign" } else { "TxPDO assign" };
    let mut object = Object::list(name, ObjectCode::Array, UNSIGNED16, access, entries);
    set_count(&mut object, assigned.len());
    object
}

fn mapping(pdo: &Pdo) -> Object {
    let fixed = pdo.flags & Pdo::FIXED_CONTENT != 0;
    let access = if fixed { READ } else { READ | WRITE_PRE_OP };
    let used = u8::try_from(pdo.entries.len()).unwrap_or(u8::MAX);
    let room = if fixed { used } else { used.max(MAPPING_ROOM) };
    let entries = (1..=room).map(|subindex| {
        let value = pdo.entries.get(usize::from(subindex) - 1).map_or(0, |entry| {
            u32::from(entry.index) << 16
                | u32::from(entry.subindex) << 8
                | u32::from(entry.bit_length)
        });
        (subindex, Entry::new("SubIndex", UNSIGNED32, access, value.to_le_bytes().to_vec()))
    });
    let mut object = Object::list(&pdo.name, ObjectCode::Record, PDO_MAPPING, access, entries);
    set_count(&mut object, usize::from(used));
    object
}

fn set_count(object: &mut Object, count: usize) {
    if let Some(entry) = object.entries.get_mut(&0) {
        entry.value = vec![u8::try_from(count).unwrap_or(u8::MAX)];
        entry.default = entry.value.clone();
    }
}

/// The objects behind the entries of a PDO.
fn mapped_objects(dictionary: &mut ObjectDictionary, pdo: &Pdo) {
    let access = match pdo.direction {
        PdoDirection::Rx => READ | WRITE | RX_MAPPABLE,
        PdoDirection::Tx => READ | TX_MAPPABLE,
    };
    for entry in pdo.entries.iter().filter(|entry| entry.index != 0) {
        let value = vec![0; usize::from(entry.bit_length).div_ceil(8)];
        let value = Entry {
            bit_length: u32::from(entry.bit_length),
            ..Entry::new(&entry.name, u16::from(entry.data_type), access, value)
        };
        if let Some(known) = dictionary.entry_mut(entry.index, entry.subindex) {
            known.access |= access;
            continue;
        }
        let object = dictionary.objects.entry(entry.index).or_insert_with(|| {
            if entry.subindex == 0 {
                Object::variable(value.clone())
            } else {
                Object::list(&pdo.name, ObjectCode::Record, 0, READ, [])
            }
        });
        object.entries.insert(entry.subindex, value);
        if object.code != ObjectCode::Variable {
            let highest = usize::from(object.max_subindex());
            set_count(object, highest);
        }
    }
}
