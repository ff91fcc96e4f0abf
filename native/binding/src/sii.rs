//! SII images: what they say, and those of described devices.

use ecat_engine::EngineError;
use ecat_engine::error::ErrorCode;
use ecat_simulator::SegmentDescription;
use ecat_simulator::devices::DeviceImage;
use ecat_wire::sii::{
    CATEGORIES_START_BYTES, CHECKSUM_BYPASS, CategoryKind, FmmuUsage, MailboxAreas, Pdo,
    PdoDirection, Sii, SyncManagerKind, bytes_needed, categories, checksum,
};
use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use serde_json::{Value, json};

use crate::failure::{guarded, invalid};
use crate::pinned::{Argument, PrivateArray};

/// One device of a described segment.
#[napi(object)]
pub struct BindingDeviceImage {
    /// Its name, or `device 3` by its place.
    pub name: String,
    /// Its EEPROM's content.
    pub sii: Buffer,
    /// What was decided because its ESI file leaves it open, or contradicts itself.
    pub notes: Vec<String>,
}

/// Reads an SII image and returns as JSON what it says. An error names the byte.
#[napi(catch_unwind)]
pub fn read_sii(
    env: Env,
    #[napi(ts_arg_type = "Uint8Array")] image: PrivateArray<'_, u8>,
) -> napi::Result<String> {
    guarded(&env, || {
        let image = image.as_slice();
        let sii = Sii::parse(image).map_err(|error| invalid(error.to_string()))?;
        Ok(view(image, &sii)?.to_string())
    })
}

/// The SII images of the devices that the JSON of a `SegmentDescription` describes, in their order.
#[napi(catch_unwind)]
pub fn device_images(
    env: Env,
    #[napi(ts_arg_type = "string")] segment: Argument<String>,
) -> napi::Result<Vec<BindingDeviceImage>> {
    guarded(&env, || {
        let images = SegmentDescription::from_json(&segment.0)
            .and_then(|description| DeviceImage::all(&description))
            .map_err(|error| EngineError::new(ErrorCode::SegmentInvalid, error.to_string()))?;
        let images = images.into_iter();
        let image = |one: DeviceImage| BindingDeviceImage {
            name: one.name,
            sii: one.sii.into(),
            notes: one.notes,
        };
        Ok(images.map(image).collect())
    })
}

fn view(image: &[u8], sii: &Sii) -> Result<Value, EngineError> {
    let word = |n: usize| u16::from_le_bytes([image[2 * n], image[2 * n + 1]]);
    let (configuration, identity) = (&sii.configuration, &sii.identity);
    let computed = checksum(&image[..14]);
    // Words that no table of ETG1000.6 names.
    let reserved: Vec<Value> = (0x10..0x14)
        .chain(0x1D..0x3E)
        .filter(|n| word(*n) != 0)
        .map(|n| json!({ "word": n, "value": word(n) }))
        .collect();
    let mut listed = Vec::new();
    for category in categories(image) {
        let category = category.map_err(|error| invalid(error.to_string()))?;
        let (code, name) = named(category.kind);
        let mut one = json!({
            "code": code, "name": name, "offset": category.offset - 4,
            "bytes": category.content.len(),
        });
        if let CategoryKind::Other(_) = category.kind {
            one["data"] = hex(category.content).into();
        }
        listed.push(one);
    }
    // Behind the end marker nothing is expected but a blank EEPROM.
    let end = bytes_needed(image).max(CATEGORIES_START_BYTES).min(image.len());
    let behind = image[end..].iter().filter(|byte| !matches!(byte, 0x00 | 0xFF)).count();
    Ok(json!({
        "bytes": image.len(),
        "checksum": {
            "stored": word(7), "computed": computed, "right": configuration.checksum_ok,
            "bypassed": word(7) == CHECKSUM_BYPASS,
        },
        "configuration": {
            "pdiControl": configuration.pdi_control,
            "pdiConfiguration": configuration.pdi_configuration,
            "syncPulseLength": configuration.sync_pulse_length,
            "pdiConfiguration2": configuration.pdi_configuration_2,
            "stationAlias": configuration.station_alias,
            "reserved": configuration.reserved,
            "deviceEmulation": configuration.device_emulation(),
        },
        "identity": {
            "vendorId": identity.vendor_id, "productCode": identity.product_code,
            "revision": identity.revision, "serial": identity.serial,
        },
        "bootMailbox": mailbox(&sii.boot_mailbox),
        "mailbox": mailbox(&sii.mailbox),
        "protocols": sii.protocols,
        "sizeBytes": sii.size_bytes,
        "version": sii.version,
        "reservedWords": reserved,
        "general": sii.general.as_ref().map(|general| json!({
            "group": general.group, "image": general.image, "order": general.order,
            "name": general.name, "coeDetails": general.coe_details,
            "foeDetails": general.foe_details, "eoeDetails": general.eoe_details,
            "soeChannels": general.soe_channels,
            "flags": general.flags, "ebusCurrentMa": general.ebus_current_ma,
            "ports": general.ports, "identificationAddress": general.identification_address,
        })),
        "strings": sii.strings,
        "fmmuUsage": sii.fmmu_usage.iter().map(fmmu).collect::<Vec<_>>(),
        "syncManagers": sii.sync_managers.iter().map(|sm| json!({
            "start": sm.start, "length": sm.length, "control": sm.control, "enable": sm.enable,
            "kind": kind(sm.kind),
        })).collect::<Vec<_>>(),
        "pdos": sii.pdos.iter().map(pdo).collect::<Vec<_>>(),
        "dcModes": sii.dc.iter().map(|mode| json!({
            "name": mode.name, "description": mode.description,
            "cycleTime0Ns": mode.cycle_time_0_ns, "shiftTime0Ns": mode.shift_time_0_ns,
            "shiftTime1Ns": mode.shift_time_1_ns, "sync1CycleFactor": mode.sync_1_cycle_factor,
            "assignActivate": mode.assign_activate, "sync0CycleFactor": mode.sync_0_cycle_factor,
        })).collect::<Vec<_>>(),
        "categories": listed,
        "bytesBehind": behind,
    }))
}

const fn named(kind: CategoryKind) -> (u16, &'static str) {
    match kind {
        CategoryKind::Strings => (10, "strings"),
        CategoryKind::General => (30, "general"),
        CategoryKind::FmmuUsage => (40, "FMMU usage"),
        CategoryKind::SyncManagers => (41, "SyncManagers"),
        CategoryKind::TxPdos => (50, "TxPDOs"),
        CategoryKind::RxPdos => (51, "RxPDOs"),
        CategoryKind::DcModes => (60, "DC modes"),
        CategoryKind::Other(code) => (
            code,
            match code {
                20 => "data types",
                42 => "FMMU extension",
                43 => "SyncUnit",
                70 => "time-outs",
                0x0800..=0xFFFE => "of the vendor",
                _ => "unknown",
            },
        ),
    }
}

fn mailbox(areas: &MailboxAreas) -> Value {
    json!({
        "receiveOffset": areas.receive_offset, "receiveSize": areas.receive_size,
        "sendOffset": areas.send_offset, "sendSize": areas.send_size,
    })
}

fn fmmu(usage: &FmmuUsage) -> Value {
    match usage {
        FmmuUsage::Unused => "unused".into(),
        FmmuUsage::Outputs => "outputs".into(),
        FmmuUsage::Inputs => "inputs".into(),
        FmmuUsage::SyncManagerStatus => "SyncManager status".into(),
        FmmuUsage::Other(code) => (*code).into(),
    }
}

const fn kind(kind: SyncManagerKind) -> &'static str {
    match kind {
        SyncManagerKind::Unused => "unused",
        SyncManagerKind::MailboxOut => "mailbox out",
        SyncManagerKind::MailboxIn => "mailbox in",
        SyncManagerKind::ProcessDataOut => "outputs",
        SyncManagerKind::ProcessDataIn => "inputs",
    }
}

fn pdo(pdo: &Pdo) -> Value {
    json!({
        "direction": if pdo.direction == PdoDirection::Rx { "output" } else { "input" },
        "index": pdo.index, "name": pdo.name, "syncManager": pdo.sync_manager,
        "synchronization": pdo.synchronization, "flags": pdo.flags,
        "entries": pdo.entries.iter().map(|entry| json!({
            "index": entry.index, "subindex": entry.subindex, "name": entry.name,
            "dataType": entry.data_type, "bits": entry.bit_length, "flags": entry.flags,
        })).collect::<Vec<_>>(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
