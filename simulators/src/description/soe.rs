//! Drives and their IDNs, as a user describes them.

use serde::Deserialize;

/// Servo drive profile over EtherCAT: drives 0, 1, … in their order.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SoeDescription {
    /// The drives, at most 8. Those of a built-in type have its IDNs besides.
    pub drives: Vec<DriveDescription>,
}

/// One drive.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriveDescription {
    /// What must be written to S-0-0267 before protected values can be.
    pub password: Option<String>,
    /// Its IDNs, besides those that every drive has, or in their place.
    #[serde(default)]
    pub idns: Vec<IdnDescription>,
}

/// One IDN.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdnDescription {
    /// Its number, `S-0-0047` or `P-0-0100`.
    pub idn: String,
    /// Name; none by default.
    #[serde(default)]
    pub name: String,
    /// How its value is shown; that of the value by default.
    pub r#type: Option<IdnType>,
    /// Bytes of the value, or of each element of a list: 1, 2, 4 or 8; 2 by default, 1 of text.
    pub bytes: Option<u8>,
    /// Of a list or text, the most that it can have in bytes; what it has by default.
    pub maximum_length: Option<u16>,
    /// Digits behind the point, at most 15. Values here are raw, without it.
    #[serde(default)]
    pub decimals: u8,
    /// Factor from the value to what is shown; 1 by default.
    pub conversion: Option<u16>,
    /// Unit.
    pub unit: Option<String>,
    /// Least value.
    pub minimum: Option<IdnNumber>,
    /// Largest value.
    pub maximum: Option<IdnNumber>,
    /// Default, as procedure command S-0-0262 loads it.
    pub default: Option<IdnValue>,
    /// Value after power-on; the default, 0, or empty.
    pub value: Option<IdnValue>,
    /// The states in which it can be written, of PRE-OP, SAFE-OP and OP; all by default, none: read only.
    pub write: Option<Vec<String>>,
    /// Whether it needs the password.
    #[serde(default)]
    pub password: bool,
    /// Whether the value is invalid until it is written.
    #[serde(default)]
    pub invalid: bool,
    /// Which telegrams can carry it; none by default.
    pub cyclic: Option<CyclicDescription>,
    /// What it does, of a procedure command.
    pub command: Option<DriveCommandDescription>,
}

/// How a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IdnType {
    /// Bits.
    Binary,
    /// An unsigned number.
    Unsigned,
    /// A signed number.
    Signed,
    /// Hexadecimal digits.
    Hexadecimal,
    /// Characters.
    Text,
    /// IDNs.
    Idn,
    /// A floating-point number.
    Float,
}

/// Which telegrams can carry a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CyclicDescription {
    /// The drive's telegram (AT).
    Input,
    /// The MainDevice's telegram (MDT).
    Output,
    /// Either.
    Both,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum IdnNumber {
    /// An integer.
    Integer(i64),
    /// An integer that needs all of 64 bits.
    Natural(u64),
    /// A number.
    Real(f64),
}

/// A value: a number, text, or the elements of a list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum IdnValue {
    /// A number.
    Number(IdnNumber),
    /// Text.
    Text(String),
    /// Elements of a list: numbers, or IDNs as text.
    List(Vec<IdnElement>),
}

/// An element of a list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum IdnElement {
    /// A number.
    Number(IdnNumber),
    /// An IDN.
    Idn(String),
}

/// A procedure command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriveCommandDescription {
    /// How long it takes, in ms.
    #[serde(default)]
    pub duration_ms: u32,
    /// Whether it ends with an error.
    #[serde(default)]
    pub fails: bool,
    /// Whether it can be interrupted and cancelled while it runs; true by default.
    pub interruptible: Option<bool>,
    /// The states in which it can be executed; all by default.
    pub states: Option<Vec<String>>,
    /// Whether the drive tells its end; true by default.
    pub notifies: Option<bool>,
}
