//! Devices of ESI files, as a user describes them. The files' content stands beside the devices, once.

use serde::Deserialize;

use super::{ModuleDescription, base64};

/// One ESI file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EsiFileDescription {
    /// What devices and messages call it.
    pub name: String,
    /// Its content: base64 text or byte values.
    #[serde(deserialize_with = "base64::bytes")]
    pub content: Vec<u8>,
}

/// A device of ESI files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EsiDescription {
    /// Names of the files: that of the device, and others with modules.
    pub files: Vec<String>,
    /// Type or name of the device; may be left out where the files have only one product.
    pub device: Option<String>,
    /// Its product code.
    pub product_code: Option<u32>,
    /// Its revision; the newest by default.
    pub revision: Option<u32>,
    /// Its modules; by default those that its slots have by default.
    pub modules: Option<Vec<ModuleDescription>>,
    /// PDOs that are assigned by default, in place of those that the file assigns.
    pub assigned_pdos: Option<Vec<u16>>,
    /// Whether the EEPROM has the PDOs of modules, too, and enables every SyncManager that carries something, for a
    /// MainDevice that reads nothing else; true where nothing is said. A real device's has only its own PDOs.
    pub modules_in_eeprom: Option<bool>,
    /// Language of texts (`LcId`); 1033, English, by default.
    pub language: Option<u32>,
}
