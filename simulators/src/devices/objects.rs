//! Objects of built-in devices, in the form of a description.

use ecat_wire::sii::{Sii, SyncManagerKind};

use super::protocols::{COE, FOE};
use super::terminal::{PROCESS_RAM, sync_manager};
use crate::description::mailbox::{
    AccessDescription, MailboxDescription, ObjectDescription, ObjectEntryDescription,
    ValueDescription,
};
use ecat_wire::sii::MailboxAreas;

pub(super) const BOOLEAN: u16 = 0x0001;
pub(super) const INTEGER16: u16 = 0x0003;
pub(super) const INTEGER32: u16 = 0x0004;
pub(super) const UNSIGNED8: u16 = 0x0005;
pub(super) const UNSIGNED16: u16 = 0x0006;
pub(super) const UNSIGNED32: u16 = 0x0007;
/// Two bits of one value (ETG1020, base data types).
pub(super) const BIT2: u16 = 0x0031;
pub(super) const BIT3: u16 = 0x0032;

/// Profile of modular devices (ETG5001), in the low word of object 0x1000.
pub(super) const MODULAR_DEVICE: u32 = 5001;

/// One entry: subindex, name, data type, value, and whether it can be written.
pub(super) struct Row(pub u8, pub &'static str, pub u16, pub i64, pub bool);

/// A record, or with `array` an array.
pub(super) fn list(index: u16, name: &str, array: bool, rows: &[Row]) -> ObjectDescription {
    let entries = rows.iter().map(|&Row(subindex, name, data_type, value, writable)| {
        ObjectEntryDescription {
            subindex,
            name: name.to_owned(),
            data_type: Some(data_type),
            bits: match data_type {
                BIT2 => Some(2),
                BIT3 => Some(3),
                _ => None,
            },
            access: Some(access(writable)),
            value: Some(ValueDescription::Integer(value)),
            ..ObjectEntryDescription::default()
        }
    });
    ObjectDescription {
        index,
        name: name.to_owned(),
        array,
        entries: Some(entries.collect()),
        ..ObjectDescription::default()
    }
}

/// One number.
pub(super) fn number(index: u16, name: &str, value: u32, writable: bool) -> ObjectDescription {
    ObjectDescription {
        index,
        name: name.to_owned(),
        data_type: Some(UNSIGNED32),
        access: Some(access(writable)),
        value: Some(ValueDescription::Natural(value.into())),
        ..ObjectDescription::default()
    }
}

/// One text that can be read.
pub(super) fn text(index: u16, name: &str, value: &str) -> ObjectDescription {
    ObjectDescription {
        index,
        name: name.to_owned(),
        access: Some(AccessDescription::ReadOnly),
        value: Some(ValueDescription::Text(value.to_owned())),
        ..ObjectDescription::default()
    }
}

const fn access(writable: bool) -> AccessDescription {
    if writable { AccessDescription::ReadWrite } else { AccessDescription::ReadOnly }
}

/// Objects of a modular device in general: 0x1000, 0x1008, 0x1011, 0x10F0, and 0xF000 to 0xF010, with as many
/// modules of one profile (300 analogue inputs, 320 resistance thermometers, 400 analogue outputs) as it has
/// channels. By the vendor's public documentation of EL30xx, EL31xx, EL32xx and EL40xx.
pub(super) fn modular_device(order: &str, profile: u16, channels: u16) -> Vec<ObjectDescription> {
    let device_type = u32::from(profile) << 16 | MODULAR_DEVICE;
    let mut modules = list(0xF010, "Module list", true, &[]);
    modules.entries = Some(
        (1..=u8::try_from(channels).unwrap_or(u8::MAX))
            .map(|subindex| ObjectEntryDescription {
                subindex,
                name: format!("SubIndex {subindex:03}"),
                data_type: Some(UNSIGNED32),
                value: Some(ValueDescription::Integer(profile.into())),
                ..ObjectEntryDescription::default()
            })
            .collect(),
    );
    vec![
        number(0x1000, "Device type", device_type, false),
        text(0x1008, "Device name", order),
        list(
            0x1011,
            "Restore default parameters",
            false,
            &[Row(1, "SubIndex 001", UNSIGNED32, 0, true)],
        ),
        list(
            0x10F0,
            "Backup parameter handling",
            false,
            &[Row(1, "Checksum", UNSIGNED32, 0, false)],
        ),
        list(
            0xF000,
            "Modular device profile",
            false,
            &[
                Row(1, "Module index distance", UNSIGNED16, 0x10, false),
                Row(2, "Maximum number of modules", UNSIGNED16, channels.into(), false),
            ],
        ),
        number(0xF008, "Code word", 0, true),
        modules,
    ]
}

/// Gives an SII two mailboxes one behind the other at the beginning of process RAM, as SyncManagers 0 and 1,
/// with CoE and, where `files`, FoE.
pub(super) fn add_mailboxes(sii: &mut Sii, bytes: u16, coe_details: u8, files: bool) {
    sii.mailbox = MailboxAreas {
        receive_offset: PROCESS_RAM,
        receive_size: bytes,
        send_offset: PROCESS_RAM + bytes,
        send_size: bytes,
    };
    sii.protocols = if files { COE | FOE } else { COE };
    if let Some(general) = &mut sii.general {
        general.coe_details = coe_details;
        general.foe_details = u8::from(files);
        // MboxDataLinkLayer: in the EK1914, EL3004 and LAN9252.
        general.flags = 0x04;
    }
    let receive = (PROCESS_RAM, bytes, 0x26, 0x01);
    let send = (PROCESS_RAM + bytes, bytes, 0x22, 0x01);
    sii.sync_managers = vec![
        sync_manager(receive, SyncManagerKind::MailboxOut),
        sync_manager(send, SyncManagerKind::MailboxIn),
    ];
}

/// A mailbox with objects.
pub(super) fn mailbox(objects: Vec<ObjectDescription>) -> MailboxDescription {
    MailboxDescription { objects, ..MailboxDescription::default() }
}
