//! Modules in the slots of a device, as a user describes them.

use serde::Deserialize;

/// One module.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModuleDescription {
    /// Slot, from 1; by default the next one.
    pub slot: Option<u16>,
    /// Its type, its name, or its number.
    pub module: ModuleName,
}

/// What a module is called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ModuleName {
    /// By its number (`ModuleIdent`).
    Ident(u32),
    /// By its type or name, or its number as text.
    Text(String),
}
