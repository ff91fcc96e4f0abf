//! A servo drive like no real one: CiA 402 with one or two axes, PDOs for each cyclic mode and one for all, DC. PDOs as the
//! slave stack code and ETG6010 have them: 0x1600 for everything, 0x1601 csp, 0x1602 csv, 0x1603 cst; those of the second
//! axis stand 0x10 higher, its objects 0x800.

use ecat_wire::sii::{DcMode, FmmuUsage, Pdo, PdoDirection, PdoEntry, SyncManagerKind};

use super::objects::{add_mailboxes, mailbox, number};
use super::programs::servo::ServoDescription;
use super::programs::servo::objects::{AXIS_DISTANCE, RECORDS, Row, Use, rows};
use super::terminal::{Built, entry, gap, sii, simulated, sync_manager};
use crate::description::mailbox::{
    AccessDescription, MappingDescription, ObjectDescription, ObjectEntryDescription,
    ValueDescription,
};
use crate::description::{DescriptionError, DeviceDescription, ProgramDescription};
use crate::esc::{Chip, Profile};

const MAILBOX_BYTES: u16 = 256;
const OUTPUTS_START: u16 = 0x1200;
const INPUTS_START: u16 = 0x1600;
/// SDO, SDO information, PDO assignment and configuration, complete access.
const COE_DETAILS: u8 = 0x2F;
const PDI_MICROCONTROLLER: u16 = 0x0008;
const PORTS_MII: u16 = 0x0011;
const EEPROM_BYTES: usize = 8192;
const PDOS_OF_AXIS: u16 = 0x10;
/// A servo drive: object 0x1000.
const DEVICE_TYPE: u32 = 0x0002_0192;
/// Bits of a data type that PDOs of drives have (ETG1000.6: 2 to 7).
const fn bits(data_type: u16) -> u8 {
    match data_type {
        0x02 | 0x05 => 8,
        0x03 | 0x06 => 16,
        _ => 32,
    }
}

/// PDOs of an axis: index, name, objects; 0 is a byte of nothing. The first of a direction is the default.
const PDOS: [(u16, &str, &[u16]); 8] = [
    (0x1600, "All modes", &[0x6040, 0x6060, 0, 0x607A, 0x60FF, 0x6071, 0x60B8]),
    (0x1601, "csp", &[0x6040, 0x607A]),
    (0x1602, "csv", &[0x6040, 0x60FF]),
    (0x1603, "cst", &[0x6040, 0x6071]),
    (
        0x1A00,
        "All modes",
        &[0x6041, 0x6061, 0, 0x6064, 0x606C, 0x6077, 0x603F, 0x60F4, 0x60FD, 0x60B9, 0x60BA],
    ),
    (0x1A01, "csp", &[0x6041, 0x6064]),
    (0x1A02, "csv", &[0x6041, 0x6064, 0x606C]),
    (0x1A03, "cst", &[0x6041, 0x6064, 0x6077]),
];

pub(super) fn device(device: &DeviceDescription) -> Result<Built, DescriptionError> {
    let settings = match &device.program {
        Some(ProgramDescription::Servo(settings)) => settings.as_ref().clone(),
        Some(_) => {
            return Err(DescriptionError::new("/program/kind", "the type servo runs a servo"));
        }
        None => ServoDescription::default(),
    };
    settings
        .check()
        .map_err(|error| DescriptionError { path: format!("/program{}", error.path), ..error })?;
    let axes = u16::from(settings.axes);
    let rows = rows(&settings);
    let texts = ["Simulated", "servo", "CiA 402 servo drive, simulated"];
    let identity = simulated(0x0402_0000 | u32::from(axes));
    let mut sii = sii(identity, PDI_MICROCONTROLLER, texts, 0, PORTS_MII);
    sii.size_bytes = EEPROM_BYTES;
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, false);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    sii.pdos = (0..axes)
        .flat_map(|axis| PDOS.iter().map(move |pdo| (axis, pdo)))
        .map(|(axis, &(index, name, objects))| pdo(axis, index, name, objects, &rows))
        .collect();
    let bytes = |direction| {
        let assigned = |pdo: &&Pdo| pdo.direction == direction && pdo.sync_manager.is_some();
        let bits: usize = sii.pdos.iter().filter(assigned).map(Pdo::bit_length).sum();
        u16::try_from(bits.div_ceil(8)).unwrap_or(u16::MAX)
    };
    let (outputs, inputs) = (bytes(PdoDirection::Rx), bytes(PdoDirection::Tx));
    sii.sync_managers.extend([
        sync_manager((OUTPUTS_START, outputs, 0x64, 1), SyncManagerKind::ProcessDataOut),
        sync_manager((INPUTS_START, inputs, 0x20, 1), SyncManagerKind::ProcessDataIn),
    ]);
    sii.dc = vec![
        DcMode { name: "SM".to_owned(), ..DcMode::default() },
        DcMode {
            name: "DC".to_owned(),
            assign_activate: 0x0300,
            sync_0_cycle_factor: 1,
            ..DcMode::default()
        },
    ];
    let mut objects = vec![number(0x1000, "Device type", DEVICE_TYPE, false)];
    objects.extend((0..axes).flat_map(|axis| axis_objects(axis * AXIS_DISTANCE, &rows)));
    Ok(Built {
        profile: Profile { port_descriptor: 0x0F, ..Chip::IpCore.profile() },
        mailbox: Some(mailbox(objects)),
        program: Some(ProgramDescription::Servo(Box::new(settings))),
        ..Built::plain(sii)
    })
}

fn pdo(axis: u16, index: u16, name: &str, objects: &[u16], rows: &[Row]) -> Pdo {
    let direction = if index < 0x1A00 { PdoDirection::Rx } else { PdoDirection::Tx };
    let number = if direction == PdoDirection::Rx { 2 } else { 3 };
    let entries = objects.iter().map(|&object| -> PdoEntry {
        let row = rows.iter().find(|row| (row.index, row.subindex) == (object, 0));
        let index = object + axis * AXIS_DISTANCE;
        row.map_or_else(
            || gap(8),
            |row| entry(index, 0, row.name, row.data_type as u8, bits(row.data_type)),
        )
    });
    Pdo {
        direction,
        index: index + axis * PDOS_OF_AXIS,
        sync_manager: matches!(index, 0x1600 | 0x1A00).then_some(number),
        name: name.to_owned(),
        entries: entries.collect(),
        ..Pdo::default()
    }
}

/// The objects of an axis.
fn axis_objects(offset: u16, rows: &[Row]) -> Vec<ObjectDescription> {
    let singles = rows.iter().filter(|row| row.subindex == 0).map(|row| {
        let (access, mapping) = access(row.r#use);
        ObjectDescription {
            index: row.index + offset,
            name: row.name.to_owned(),
            data_type: Some(row.data_type),
            access: Some(access),
            mapping,
            minimum: row.range.map(|(least, _)| least),
            maximum: row.range.map(|(_, most)| most),
            value: Some(ValueDescription::Integer(row.value)),
            ..ObjectDescription::default()
        }
    });
    let records = RECORDS.iter().map(|&(index, name)| {
        let of_record = rows.iter().filter(|row| row.index == index);
        let entries = of_record.map(|row| ObjectEntryDescription {
            subindex: row.subindex,
            name: row.name.to_owned(),
            data_type: Some(row.data_type),
            access: Some(access(row.r#use).0),
            value: Some(ValueDescription::Integer(row.value)),
            ..ObjectEntryDescription::default()
        });
        ObjectDescription {
            index: index + offset,
            name: name.to_owned(),
            entries: Some(entries.collect()),
            ..ObjectDescription::default()
        }
    });
    singles.chain(records).collect()
}

const fn access(r#use: Use) -> (AccessDescription, Option<MappingDescription>) {
    match r#use {
        Use::Constant => (AccessDescription::ReadOnly, None),
        Use::Actual => (AccessDescription::ReadOnly, Some(MappingDescription::Input)),
        Use::Parameter => (AccessDescription::ReadWrite, None),
        Use::SetPoint => (AccessDescription::ReadWrite, Some(MappingDescription::Output)),
    }
}
