//! The stress device: a generic device that is all that the protocols allow and few devices are, to torture a
//! MainDevice with. What it does wrong is commanded by its object 0x2000 ([`super::programs::stress`]), and by the
//! commands of the segment.

use super::objects::{Row, UNSIGNED8, UNSIGNED16, UNSIGNED32, list};
use super::programs::stress::{COMMANDS, INPUTS, OUTPUTS, StressDescription};
use crate::description::mailbox::{
    AccessDescription, MailboxDescription, ObjectDescription, ObjectEntryDescription,
    ValueDescription,
};
use crate::description::{
    DescriptionError, DeviceDescription, DeviceType, Direction, EntryDescription, PdoDescription,
    ProgramDescription,
};

/// Bytes of 0x2300: more than 16 bits can count, in bits and in bytes.
const LARGE_BYTES: usize = 100_000;
const OBJECTS: u16 = 1_000;
const OCTET_STRING: u16 = 0x000A;
const UNSIGNED8_BITS: u8 = 8;

/// Entries of its process data: bits and data type, by subindex from 1. None but the fourth begins at a byte.
pub(super) const ODD: [(u8, u8); 8] =
    [(3, 0x32), (24, 0x10), (1, 0x01), (40, 0x12), (11, 0x00), (64, 0x15), (5, 0x34), (56, 0x14)];

/// Data types that few devices have, with their bits (ETG1000.6, ETG1020) and a value.
const TYPES: [(u16, u32, &str); 24] = [
    (0x10, 24, "INTEGER24"),
    (0x12, 40, "INTEGER40"),
    (0x13, 48, "INTEGER48"),
    (0x14, 56, "INTEGER56"),
    (0x16, 24, "UNSIGNED24"),
    (0x18, 40, "UNSIGNED40"),
    (0x19, 48, "UNSIGNED48"),
    (0x1A, 56, "UNSIGNED56"),
    (0x30, 1, "BIT1"),
    (0x31, 2, "BIT2"),
    (0x32, 3, "BIT3"),
    (0x33, 4, "BIT4"),
    (0x34, 5, "BIT5"),
    (0x35, 6, "BIT6"),
    (0x36, 7, "BIT7"),
    (0x37, 8, "BIT8"),
    (0x2D, 8, "BITARR8"),
    (0x2E, 16, "BITARR16"),
    (0x2F, 32, "BITARR32"),
    (0x0B, 128, "UNICODE_STRING"),
    (0x0C, 48, "TIME_OF_DAY"),
    (0x0D, 48, "TIME_DIFFERENCE"),
    (0x1D, 128, "GUID"),
    (0x11, 64, "REAL64"),
];

/// The description of a generic device that a stress device is.
pub(super) fn described(device: &DeviceDescription) -> Result<DeviceDescription, DescriptionError> {
    if device.pdos.is_some() {
        return Err(DescriptionError::new("/pdos", "belongs to the type generic"));
    }
    let of_type = MailboxDescription { objects: objects(), ..MailboxDescription::default() };
    let given = device.mailbox.clone().unwrap_or_default();
    Ok(DeviceDescription {
        r#type: Some(DeviceType::Generic),
        pdos: Some(vec![
            pdo(Direction::Output, 0x1600, OUTPUTS),
            pdo(Direction::Input, 0x1A00, INPUTS),
        ]),
        order_name: device.order_name.clone().or_else(|| Some("stress".to_owned())),
        mailbox: super::mail::merge(Some(&of_type), Some(given)),
        program: device
            .program
            .clone()
            .or(Some(ProgramDescription::Stress(StressDescription::default()))),
        ..device.clone()
    })
}

fn pdo(direction: Direction, index: u16, object: u16) -> PdoDescription {
    let entries = (1..).zip(ODD).map(|(subindex, (bits, data_type))| EntryDescription {
        index: object,
        subindex,
        name: format!("{bits} bits"),
        bits,
        data_type: Some(data_type),
    });
    let (name, entries) = ("Odd".to_owned(), entries.collect());
    PdoDescription { direction, index, name, assigned: None, fixed: None, entries }
}

fn objects() -> Vec<ObjectDescription> {
    let commands = [
        Row(1, "Emergencies per second", UNSIGNED32, 0, true),
        Row(2, "Late answers", UNSIGNED32, 0, true),
        Row(3, "Late by ms", UNSIGNED32, 20, true),
        Row(4, "Unanswered requests", UNSIGNED32, 0, true),
        Row(5, "Repeated counters", UNSIGNED32, 0, true),
        Row(6, "Answers out of order", UNSIGNED32, 0, true),
        Row(7, "Take AL state", UNSIGNED8, 0, true),
        Row(8, "AL status code", UNSIGNED16, 1, true),
        Row(9, "Toggle inputs", UNSIGNED8, 0, true),
    ];
    let types = (1..).zip(TYPES).map(|(subindex, (data_type, bits, name))| {
        // Bytes 1, 2, 3 …, as far as the bits go.
        let bytes: Vec<u8> = (1..=bits.div_ceil(8)).map(|n| n as u8).collect();
        let last = (0xFF_u16 >> (bits.div_ceil(8) * 8 - bits)) as u8;
        let mut bytes = bytes;
        if let Some(byte) = bytes.last_mut() {
            *byte &= last;
        }
        ObjectEntryDescription {
            subindex,
            name: name.to_owned(),
            data_type: Some(data_type),
            bits: Some(bits),
            value: Some(ValueDescription::Bytes(bytes)),
            ..ObjectEntryDescription::default()
        }
    });
    let holes = [1, 3, 7, 200, 255].map(|subindex| ObjectEntryDescription {
        subindex,
        name: format!("Subindex {subindex}"),
        data_type: Some(UNSIGNED8),
        bits: Some(UNSIGNED8_BITS.into()),
        value: Some(ValueDescription::Integer(subindex.into())),
        ..ObjectEntryDescription::default()
    });
    let mut objects = vec![
        list(COMMANDS, "Commands", false, &commands),
        ObjectDescription {
            index: 0x2100,
            name: "Odd types".to_owned(),
            entries: Some(types.collect()),
            ..ObjectDescription::default()
        },
        ObjectDescription {
            index: 0x2200,
            name: "Array with holes".to_owned(),
            array: true,
            entries: Some(holes.to_vec()),
            ..ObjectDescription::default()
        },
        ObjectDescription {
            index: 0x2300,
            name: "More than 64 KB".to_owned(),
            data_type: Some(OCTET_STRING),
            bits: Some(LARGE_BYTES as u32 * 8),
            value: Some(ValueDescription::Bytes((0..LARGE_BYTES).map(|n| (n * 7) as u8).collect())),
            ..ObjectDescription::default()
        },
    ];
    objects.extend((0..OBJECTS).map(|n| ObjectDescription {
        index: 0x3000 + n,
        name: format!(
            "Object {n}, with a name that is longer than many a mailbox would like it to be"
        ),
        data_type: Some(UNSIGNED32),
        access: Some(AccessDescription::ReadWrite),
        value: Some(ValueDescription::Integer(n.into())),
        ..ObjectDescription::default()
    }));
    objects
}
