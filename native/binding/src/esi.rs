//! ESI files: what is in them. Devices of them go the way of described ones.

use ecat_esi::{EsiFile, compare};
use napi::Env;
use napi_derive::napi;
use serde_json::{Value, json};

use crate::failure::{guarded, invalid};
use crate::pinned::PrivateArray;

/// Reads an ESI file and returns as JSON which devices and modules it has, and what is odd in it. An error names
/// line and column.
#[napi(catch_unwind)]
pub fn read_esi(
    env: Env,
    #[napi(ts_arg_type = "Uint8Array")] file: PrivateArray<'_, u8>,
) -> napi::Result<String> {
    guarded(&env, || {
        let file = EsiFile::parse(file.as_slice()).map_err(|error| invalid(error.to_string()))?;
        Ok(view(&file).to_string())
    })
}

/// Everything in which two SII images differ, as JSON: an array of places with what each image has.
#[napi(catch_unwind)]
pub fn compare_sii(
    env: Env,
    #[napi(ts_arg_type = "Uint8Array")] first: PrivateArray<'_, u8>,
    #[napi(ts_arg_type = "Uint8Array")] second: PrivateArray<'_, u8>,
) -> napi::Result<String> {
    guarded(&env, || {
        let differences = compare(first.as_slice(), second.as_slice())
            .map_err(|error| invalid(error.to_string()))?;
        let differences = differences.into_iter().map(|one| {
            json!({
                "place": one.place, "first": one.first, "second": one.second, "reason": one.reason,
            })
        });
        Ok(Value::Array(differences.collect()).to_string())
    })
}

fn view(file: &EsiFile) -> Value {
    let english = ecat_esi::ENGLISH;
    let place = |place: ecat_esi::Place| json!({ "line": place.line, "column": place.column });
    json!({
        "vendor": {
            "id": file.vendor.id, "name": file.vendor.name.get(english),
            "fileVersion": file.vendor.file_version,
        },
        "isBus": file.is_bus, "references": file.references,
        "devices": file.devices.iter().map(|device| json!({
            "type": device.r#type, "name": device.name.get(english), "group": device.group,
            "productCode": device.product_code, "revision": device.revision, "invisible": device.invisible,
            "place": place(device.place), "slots": device.slots.as_ref().map_or(0, |s| s.slots.len()),
            "pdos": device.pdos.len(),
            "objects": device.dictionaries().map(|one| one.objects.len()).sum::<usize>(),
            "protocols": device.mailbox.protocols(),
            "dcModes": device.dc.iter().flat_map(|dc| &dc.modes).map(|mode| &mode.name).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "modules": file.modules.iter().map(|module| json!({
            "type": module.r#type, "name": module.name.get(english), "ident": module.ident,
            "class": module.class, "place": place(module.place),
        })).collect::<Vec<_>>(),
        "warnings": file.warnings.iter().map(|warning| json!({
            "place": place(warning.place), "path": warning.path, "message": warning.message,
        })).collect::<Vec<_>>(),
        "ignored": file.ignored,
    })
}
