//! What may be asked of a segment besides frames: values, objects, files, states, and to be told when something is so.
//!
//! A request brings every buffer that its answer needs, and the answer brings them back: whoever serves it on a
//! thread that cycles allocates nothing and frees nothing.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value as Json, json};

use crate::command::SegmentCommand;
use crate::devices::ChannelType;

/// What a buffer of unknown need begins with, in bytes. An answer that does not fit says how long it is.
const BUFFER_BYTES: usize = 256;
/// Conditions of one watch.
pub const TERMS_MAX: usize = 64;

/// One request. Devices are numbered as in [`SegmentCommand`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Request {
    /// Carries a command out.
    Command {
        /** The command. */
        command: SegmentCommand,
    },
    /// Reads a value.
    Read {
        /** Which device. */
        device: u16,
        /** What of it. */
        subject: Subject,
        /** Takes a value that is no number. */
        #[serde(skip)]
        into: Vec<u8>,
    },
    /// Gives an object a value, as the device's own program would: whatever an SDO may do.
    Write {
        /** Which device. */
        device: u16,
        /** Index. */
        index: u16,
        /** Subindex. */
        subindex: u8,
        /** The value; none: the bytes that were attached. */
        value: Option<Number>,
        /** The value as bytes, lowest first. */
        #[serde(skip)]
        bytes: Vec<u8>,
    },
    /// Reads a file.
    ReadFile {
        /** Which device. */
        device: u16,
        /** Its name. */
        name: String,
        /** Takes its content. */
        #[serde(skip)]
        into: Vec<u8>,
    },
    /// Gives a file another content.
    WriteFile {
        /** Which device. */
        device: u16,
        /** Its name. */
        name: String,
        /** The content. */
        #[serde(skip)]
        content: Vec<u8>,
    },
    /// Looks into the ESC's memory without a frame, and so without effects.
    ReadMemory {
        /** Which device. */
        device: u16,
        /** The first register. */
        address: u16,
        /** How many bytes, 1 to 4096. */
        length: u16,
        /** Takes them. */
        #[serde(skip)]
        into: Vec<u8>,
    },
    /// What state a device is in.
    State {
        /** Which device. */
        device: u16,
    },
    /// Is answered as soon as its conditions hold: at once, or after a frame.
    Watch(Box<Watch>),
    /// Ends a watch, which is answered as ended; without effect where it was answered already.
    Unwatch {
        /** The number of its request. */
        watch: u32,
    },
    /// Lets time pass without frames. Only of a segment that nobody has on a wire.
    Advance {
        /** How much. */
        by_ns: u64,
    },
}

impl Request {
    /// Gives a request from JSON the bytes that belong to it, and room for its answer.
    pub fn attach(&mut self, data: Vec<u8>) {
        match self {
            Self::Read { into, .. } | Self::ReadFile { into, .. } => {
                into.reserve(BUFFER_BYTES);
            }
            Self::ReadMemory { length, into, .. } => into.reserve(usize::from(*length)),
            Self::Write { bytes: to, .. } | Self::WriteFile { content: to, .. } => *to = data,
            _ => {}
        }
    }

    /// Makes room for an answer that was too long.
    pub(crate) fn make_room(&mut self, bytes: usize) {
        if let Self::Read { into, .. } | Self::ReadFile { into, .. } = self {
            into.clear();
            into.reserve(bytes);
        }
    }

    /// The bytes that the answer brings, where it brings any.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Read { into, .. }
            | Self::ReadFile { into, .. }
            | Self::ReadMemory { into, .. } => into,
            _ => Vec::new(),
        }
    }
}

/// A value of a device.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(tag = "of", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Subject {
    /// Bits of its inputs.
    Input {
        /** First bit, over its input areas. */
        bit_offset: u32,
        /** Bits, 1 to 64. */
        bit_length: u8,
        /** How they are a number. */
        r#type: ChannelType,
    },
    /// Bits that it drives at its outputs.
    Output {
        /** First bit, over its output areas. */
        bit_offset: u32,
        /** Bits, 1 to 64. */
        bit_length: u8,
        /** How they are a number. */
        r#type: ChannelType,
    },
    /// An object: where it is process data, the value that is there.
    Object {
        /** Index. */
        index: u16,
        /** Subindex. */
        subindex: u8,
        /** How it is a number where the device has no dictionary. */
        r#type: ChannelType,
    },
    /// AL state: 1, 2, 3, 4 or 8; 0 without power.
    AlState,
    /// AL status code.
    AlStatusCode,
    /// One register of the ESC, or two bytes of one.
    Register {
        /** Its address. */
        address: u16,
        /** Bytes, 1 to 8. */
        bytes: u8,
    },
}

/// A number of a device. JSON has integers as text, which loses no bit, and reals as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Of a boolean or an integer.
    Integer(i128),
    /// Of a floating-point type.
    Real(f64),
}

impl Number {
    /// How one is to the other; `None` where either is no number.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        #[expect(clippy::cast_precision_loss, reason = "a real is compared as such")]
        let real = |number| match number {
            Self::Integer(value) => value as f64,
            Self::Real(value) => value,
        };
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(&other)),
            _ => real(self).partial_cmp(&real(other)),
        }
    }

    fn json(self) -> Json {
        match self {
            Self::Integer(value) => value.to_string().into(),
            Self::Real(value) if value.is_finite() => value.into(),
            Self::Real(value) => value.to_string().into(),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Integer(String),
            Real(f64),
        }
        match Form::deserialize(deserializer)? {
            Form::Real(value) => Ok(Self::Real(value)),
            Form::Integer(text) => match (text.as_str(), text.parse()) {
                ("NaN", _) => Ok(Self::Real(f64::NAN)),
                ("Infinity", _) => Ok(Self::Real(f64::INFINITY)),
                ("-Infinity", _) => Ok(Self::Real(f64::NEG_INFINITY)),
                (_, Ok(value)) => Ok(Self::Integer(value)),
                (_, Err(error)) => Err(serde::de::Error::custom(error)),
            },
        }
    }
}

/// Conditions that are watched for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Watch {
    /// The conditions, at most [`TERMS_MAX`].
    pub terms: Vec<Term>,
    /// Whether one of them is enough.
    #[serde(default)]
    pub any: bool,
}

/// One condition.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Term {
    /// Which device.
    pub device: u16,
    /// What of it. A value that is not there, or no number, fulfils nothing.
    pub subject: Subject,
    /// What it is to be.
    pub comparison: Comparison,
    /// What is was to be compared with.
    pub than: Number,
    /// What it was when it was looked at last.
    #[serde(skip)]
    pub last: Option<Number>,
}

/// What a value is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Comparison {
    /// Equal.
    Is,
    /// Not equal.
    IsNot,
    /// Greater.
    Above,
    /// Greater or equal.
    AtLeast,
    /// Less.
    Below,
    /// Less or equal.
    AtMost,
}

impl Term {
    /// Whether a value fulfils it; takes note of the value.
    pub(crate) fn holds(&mut self, value: Option<Number>) -> bool {
        self.last = value;
        let Some(order) = value.and_then(|value| value.compare(self.than)) else { return false };
        match self.comparison {
            Comparison::Is => order.is_eq(),
            Comparison::IsNot => order.is_ne(),
            Comparison::Above => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
            Comparison::Below => order.is_lt(),
            Comparison::AtMost => order.is_le(),
        }
    }
}

/// What state a device is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceState {
    /// Whether it has power.
    pub powered: bool,
    /// Whether frames reach it.
    pub reached: bool,
    /// Register 0x0130.
    pub al_status: u16,
    /// Register 0x0134.
    pub al_status_code: u16,
    /// Register 0x0010.
    pub station_address: u16,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It was done, or its conditions hold.
    Done,
    /// A number, the data type of the object (0 where that is not known), and its bits.
    Number(Number, u16, u16),
    /// Bytes, in the buffer of the request, and the data type of the object (0: of no object).
    Bytes(u16),
    /// A state.
    State(DeviceState),
    /// A watch was ended before its conditions held.
    Ended,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such device.
    NoDevice,
    /// It has no such object, neither among its process data nor in a dictionary.
    NoObject,
    /// It has no such file.
    NoFile,
    /// The value has another number of bytes.
    Length {
        /** What it can have. */
        bytes: usize,
    },
    /// The value does not fit into the type.
    Range {
        /** The least. */
        least: i128,
        /** The largest. */
        most: i128,
    },
    /// The type takes whole numbers only.
    NotWhole,
    /// The type takes bytes only.
    NotBytes,
    /// The answer is longer than its buffer; it is asked again with a larger one.
    Room {
        /** What it needs. */
        bytes: usize,
    },
    /// Whoever has the segment on a wire has its time too.
    NotParked,
    /// As many are watched for already as can be.
    TooManyWatches,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDevice => f.write_str("there is no such device"),
            Self::NoObject => f.write_str("the device has no such object"),
            Self::NoFile => f.write_str("the device has no such file"),
            Self::Length { bytes } => write!(f, "the value can have {bytes} bytes"),
            Self::Range { least, most } => write!(f, "the value must be from {least} to {most}"),
            Self::NotWhole => f.write_str("the value must be a whole number"),
            Self::NotBytes => f.write_str("the value must be text or bytes"),
            Self::Room { bytes } => write!(f, "the answer has {bytes} bytes"),
            Self::NotParked => f.write_str("the time of the segment is that of its MainDevice"),
            Self::TooManyWatches => f.write_str("too much is watched for already"),
        }
    }
}

impl Refusal {
    const fn name(self) -> &'static str {
        match self {
            Self::NoDevice => "noDevice",
            Self::NoObject => "noObject",
            Self::NoFile => "noFile",
            Self::Length { .. } => "length",
            Self::Range { .. } => "range",
            Self::NotWhole => "notWhole",
            Self::NotBytes => "notBytes",
            Self::Room { .. } => "room",
            Self::NotParked => "notParked",
            Self::TooManyWatches => "tooManyWatches",
        }
    }
}

/// An answer, with the buffers of its request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The number of the request.
    pub id: u32,
    /// The segment's time when it was served.
    pub at_ns: u64,
    /// The request.
    pub request: Request,
    /// What came of it.
    pub outcome: Result<Outcome, Refusal>,
}

impl Answer {
    /// All of it but its bytes, as JSON.
    #[must_use]
    pub fn json(&self) -> Json {
        let mut all = json!({ "id": self.id, "atNs": self.at_ns });
        match self.outcome {
            Ok(Outcome::Done | Outcome::Ended) => {}
            Ok(Outcome::Number(number, data_type, bits)) => {
                all["value"] = number.json();
                all["real"] = matches!(number, Number::Real(_)).into();
                all["dataType"] = data_type.into();
                all["bits"] = bits.into();
            }
            Ok(Outcome::Bytes(data_type)) => all["dataType"] = data_type.into(),
            Ok(Outcome::State(state)) => all["state"] = json!(state),
            Err(refusal) => {
                all["refused"] = refusal.name().into();
                all["message"] = refusal.to_string().into();
            }
        }
        if let Request::Watch(watch) = &self.request {
            all["held"] = matches!(self.outcome, Ok(Outcome::Done)).into();
            let last = watch.terms.iter().map(|term| term.last.map(Number::json));
            all["last"] = last.collect::<Vec<_>>().into();
        }
        all
    }
}
