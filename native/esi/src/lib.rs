//! ESI files: what a vendor says of its devices (ETG.2000), and what follows from it.
//!
//! ```text
//! bytes ─ encoding ─ XML ─ EsiFile ──────────────── one idea a module, with its line and column
//!                             │ Choice: which device, which modules in which slots
//!                             ▼
//!                       ConfiguredDevice ── PDOs by SyncManager, objects, init commands
//!                             │
//!                             ├── Sii, image (ETG.2010)
//!                             └── compare: an image held against that of a real device
//! ```
//! What is read is what the schema has (`EtherCATInfo.xsd`, `EtherCATModule.xsd`, version 1.6 and what came before
//! it), not what a validator would let pass: vendors' files break it in many ways. An [`EsiError`] is for what
//! nothing sensible could follow from, a [`Warning`] for everything else that is odd; both have their place.
//! Elements that nothing here reads are counted ([`EsiFile::ignored`]).
#![forbid(unsafe_code)]

mod choice;
mod compare;
mod configured;
mod data_type;
mod dc;
mod device;
mod dictionary;
mod eeprom;
mod encoding;
mod error;
mod file;
mod flags;
mod info;
mod limits;
mod mailbox;
mod module;
mod number;
mod objects;
mod pdo;
mod reader;
mod sii;
mod sync_manager;
mod text;

pub use choice::{Choice, ChoiceError, ChoicePart, ModuleChoice};
pub use compare::{Difference, compare};
pub use configured::{ConfiguredDevice, ConfiguredModule};
pub use data_type::{
    ArrayInfo, DataType, EnumValue, SubItem, basic_type, basic_type_bits, has_variable_length,
};
pub use dc::{Dc, OpMode, Sync};
pub use device::{Device, Esc, Hidden, Profile};
pub use dictionary::{Dictionary, DictionaryObject, Limit, ValueInfo};
pub use eeprom::{Eeprom, EepromCategory};
pub use error::{EsiError, Place, Warning};
pub use file::{EsiFile, Group, Vendor};
pub use flags::{Access, Category, Flags, States};
pub use info::{Behavior, Controller, Identification, Info, Port, PortKind, Timeouts};
pub use mailbox::{Aoe, Coe, Eoe, InitCommand, Mailbox, Soe, Target};
pub use module::{Module, PdoGroup, Slot, SlotModule, Slots};
pub use number::{parse_bytes, parse_integer};
pub use objects::{ObjectCode, ResolvedEntry, ResolvedObject};
pub use pdo::{Pdo, PdoEntry, SlotIndex};
pub use sii::SiiImage;
pub use sync_manager::{Fmmu, SyncManager, SyncUnit};
pub use text::{ENGLISH, Texts};
