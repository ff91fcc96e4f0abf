//! The mailbox of a device, as a user describes it.

use serde::Deserialize;

use super::aoe::{AoeDescription, VoeDescription};
use super::base64;
use super::eoe::EoeDescription;
use super::soe::SoeDescription;

/// What a device of type generic, or with an SII image that has mailboxes, does with mail. All of it may be
/// left out; an empty one has CoE with the objects that every device has.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailboxDescription {
    /// Bytes of each of the two mailboxes of a generic device, 16 to 1486; 128 by default.
    pub bytes: Option<u16>,
    /// How long an answer takes, in ms; 1 by default.
    pub delay_ms: Option<f64>,
    /// Whether whole objects can be read and written at once; true by default.
    pub complete_access: Option<bool>,
    /// Protocols that the device speaks and that are not simulated. It reads such mail and does not answer; in a
    /// replay it has mail of the first of them whenever the recording shows that it had.
    #[serde(default)]
    pub foreign: Vec<ForeignProtocol>,
    /// Whether an SDO may write in SAFE-OP and OP what an RxPDO carries; true by default. Else it gets
    /// 0x06010006.
    pub mapped_writable: Option<bool>,
    /// What goes wrong with mail.
    #[serde(default)]
    pub faults: Vec<crate::mailbox::MailFault>,
    /// Objects; in place of those that every device has, where they have the same index.
    #[serde(default)]
    pub objects: Vec<ObjectDescription>,
    /// Its Ethernet. With it, the device has EoE.
    pub eoe: Option<EoeDescription>,
    /// Its drives. With them, the device has SoE.
    pub soe: Option<SoeDescription>,
    /// What it is to ADS. With it, the device has AoE.
    pub aoe: Option<AoeDescription>,
    /// Its vendor's own protocol. With it, the device has VoE.
    pub voe: Option<VoeDescription>,
    /// Files. With any, the device has FoE.
    #[serde(default)]
    pub files: Vec<FileDescription>,
    /// Emergencies that the device sends.
    #[serde(default)]
    pub emergencies: Vec<EmergencyDescription>,
}

/// A mailbox protocol that is not simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ForeignProtocol {
    /// ADS.
    #[serde(rename = "AoE")]
    Aoe,
    /// Ethernet.
    #[serde(rename = "EoE")]
    Eoe,
    /// Servo drive profile.
    #[serde(rename = "SoE")]
    Soe,
    /// The vendor's own.
    #[serde(rename = "VoE")]
    Voe,
}

/// One object: a single value, or entries with subindices.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectDescription {
    /// Index.
    pub index: u16,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// `array` instead of `record` for one with entries.
    #[serde(default)]
    pub array: bool,
    /// Entries; none: the object is the value that the other keys describe.
    pub entries: Option<Vec<ObjectEntryDescription>>,
    /// Value of subindex 0, where it is not the highest subindex.
    pub count: Option<u8>,
    /// Data type of a single value; see [`ObjectEntryDescription::data_type`].
    pub data_type: Option<u16>,
    /// See [`ObjectEntryDescription::bits`].
    pub bits: Option<u32>,
    /// See [`ObjectEntryDescription::access`].
    pub access: Option<AccessDescription>,
    /// See [`ObjectEntryDescription::mapping`].
    pub mapping: Option<MappingDescription>,
    /// See [`ObjectEntryDescription::minimum`].
    pub minimum: Option<i64>,
    /// See [`ObjectEntryDescription::maximum`].
    pub maximum: Option<i64>,
    /// See [`ObjectEntryDescription::backup`].
    #[serde(default)]
    pub backup: bool,
    /// See [`ObjectEntryDescription::setting`].
    #[serde(default)]
    pub setting: bool,
    /// Value after power-on.
    pub value: Option<ValueDescription>,
}

/// One entry of an object.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectEntryDescription {
    /// Subindex, from 1.
    pub subindex: u8,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Data type (ETG1000.6: 1 BOOLEAN, 2 to 4 INTEGER8 to 32, 5 to 7 UNSIGNED8 to 32, 8 REAL32, 9
    /// VISIBLE_STRING, 10 OCTET_STRING, 17 REAL64, 21 INTEGER64, 27 UNSIGNED64, and the odd ones); by default that of the
    /// value: text 9, bytes 10, anything else 7.
    pub data_type: Option<u16>,
    /// Bits, where the data type does not tell; of text the most that it may have.
    pub bits: Option<u32>,
    /// Who may do what; `rw` by default.
    pub access: Option<AccessDescription>,
    /// Which PDOs can carry it; none by default.
    pub mapping: Option<MappingDescription>,
    /// Least value of an integer.
    pub minimum: Option<i64>,
    /// Largest value of an integer.
    pub maximum: Option<i64>,
    /// Whether it is to be stored for a replacement of the device (SDO information, list 4).
    #[serde(default)]
    pub backup: bool,
    /// Whether it is to be set at every start (SDO information, list 5).
    #[serde(default)]
    pub setting: bool,
    /// Value after power-on; 0, or empty, by default.
    pub value: Option<ValueDescription>,
}

/// What an SDO may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum AccessDescription {
    /// Read.
    #[serde(rename = "ro")]
    ReadOnly,
    /// Read and write.
    #[serde(rename = "rw")]
    ReadWrite,
    /// Read, and write in PRE-OP.
    #[serde(rename = "rw-pre-op")]
    ReadWritePreOp,
    /// Write.
    #[serde(rename = "wo")]
    WriteOnly,
}

/// Which PDOs can carry a value, from the MainDevice's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MappingDescription {
    /// Those of inputs.
    Input,
    /// Those of outputs.
    Output,
}

/// A value: a number, text, or bytes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum ValueDescription {
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// An integer that needs all of 64 bits.
    Natural(u64),
    /// A number.
    Real(f64),
    /// Text in ISO 8859-1.
    Text(String),
    /// Bytes, lowest first.
    Bytes(Vec<u8>),
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileDescription {
    /// Name.
    pub name: String,
    /// Content: base64 text or byte values; empty by default.
    #[serde(default, deserialize_with = "base64::optional_bytes")]
    pub content: Option<Vec<u8>>,
    /// `ro`, `wo` or `rw`, the default.
    pub access: Option<AccessDescription>,
    /// Whether it is firmware: in BOOT only.
    #[serde(default)]
    pub boot_only: bool,
    /// What a request must carry; 0: nothing.
    #[serde(default)]
    pub password: u32,
    /// How many times the device is busy before it takes a packet.
    #[serde(default)]
    pub busy_answers: u16,
}

/// An emergency that a device sends when it has entered a state.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmergencyDescription {
    /// The state, by its name.
    pub at: String,
    /// Error code.
    pub code: u16,
    /// Error register.
    #[serde(default)]
    pub register: u8,
    /// Five bytes.
    #[serde(default)]
    pub data: [u8; 5],
}
