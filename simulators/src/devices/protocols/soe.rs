//! Drives and their IDNs from their descriptions, with those that every drive has.

use ecat_wire::al::AlState;
use ecat_wire::mailbox::soe::{Attribute, DataType, Idn};

use crate::description::DescriptionError;
use crate::description::soe::{
    CyclicDescription, DriveCommandDescription, DriveDescription, IdnDescription, IdnElement,
    IdnNumber, IdnType, IdnValue, SoeDescription,
};
use crate::mailbox::{Cyclic, Drive, DriveCommand, Parameter, Value};

/// Three bits of a header.
const DRIVES_MAX: usize = 8;
const PASSWORD: Idn = Idn::standard(267);
const STATES: [&str; 3] = ["PRE-OP", "SAFE-OP", "OP"];

type Result<T> = std::result::Result<T, DescriptionError>;

fn error<T>(path: impl Into<String>, message: impl Into<String>) -> Result<T> {
    Err(DescriptionError::new(path.into(), message.into()))
}

/// The drives of a built-in type with what a description says of them; its IDNs replace those of the type.
pub(in crate::devices) fn merge(
    of_type: &SoeDescription,
    described: SoeDescription,
) -> SoeDescription {
    let mut drives = described.drives;
    drives.resize_with(drives.len().max(of_type.drives.len()), DriveDescription::default);
    for (drive, known) in drives.iter_mut().zip(&of_type.drives) {
        // The places of described ones in errors are those of the description.
        let missing =
            known.idns.iter().filter(|one| drive.idns.iter().all(|own| own.idn != one.idn));
        let missing: Vec<_> = missing.cloned().collect();
        drive.idns.extend(missing);
        drive.password = drive.password.take().or_else(|| known.password.clone());
    }
    SoeDescription { drives }
}

pub(in crate::devices) fn drives(described: &SoeDescription) -> Result<Vec<Drive>> {
    if !(1..=DRIVES_MAX).contains(&described.drives.len()) {
        return error("/drives", format!("a device has 1 to {DRIVES_MAX} drives"));
    }
    let drives = described.drives.iter().enumerate();
    drives
        .map(|(n, one)| {
            drive(one).map_err(|error| DescriptionError {
                path: format!("/drives/{n}{}", error.path),
                ..error
            })
        })
        .collect()
}

fn drive(described: &DriveDescription) -> Result<Drive> {
    let mut drive = Drive {
        password: described.password.as_ref().map(|text| text.clone().into_bytes()),
        ..Drive::default()
    };
    for (n, one) in described.idns.iter().enumerate() {
        let at = |key: &str| format!("/idns/{n}{key}");
        let idn: Idn = match one.idn.parse() {
            Ok(idn) => idn,
            Err(no) => return error(at("/idn"), format!("{:?} {no}", one.idn)),
        };
        let parameter =
            parameter(one).map_err(|error| DescriptionError { path: at(&error.path), ..error })?;
        if drive.parameters.insert(idn, parameter).is_some() {
            return error(at("/idn"), "is there twice");
        }
    }
    for (number, name, list) in STANDARD {
        drive.parameters.entry(Idn::standard(number)).or_insert_with(|| standard(name, list));
    }
    if drive.password.is_some() {
        drive.parameters.insert(PASSWORD, password());
    }
    drive.fill_lists();
    Ok(drive)
}

/// What every drive has: lists that follow from the other IDNs, and the telegrams that it can be configured for.
const STANDARD: [(u16, &str, bool); 6] = [
    (16, "Configuration list of AT", false),
    (17, "IDN-list of all operation data", true),
    (24, "Configuration list of MDT", false),
    (25, "IDN-list of all procedure commands", true),
    (187, "IDN-list of configurable data in the AT", true),
    (188, "IDN-list of configurable data in the MDT", true),
];
/// What a configuration list of an AX5000 can have: 14 IDNs.
const TELEGRAM_BYTES_MAX: u16 = 28;

fn standard(name: &str, read_only: bool) -> Parameter {
    let maximum = if read_only { 0 } else { TELEGRAM_BYTES_MAX };
    Parameter {
        name: name.to_owned(),
        attribute: Attribute {
            conversion: 1,
            length: 1,
            list: true,
            data_type: DataType::Idn,
            protected_pre_op: read_only,
            protected_safe_op: true,
            protected_op: true,
            ..Attribute::default()
        },
        value: Value { content: Vec::new(), maximum: Some(maximum) },
        ..Parameter::default()
    }
}

fn password() -> Parameter {
    const BYTES_MAX: u16 = 64;
    Parameter {
        name: "Password".to_owned(),
        attribute: Attribute {
            conversion: 1,
            list: true,
            data_type: DataType::Text,
            ..Attribute::default()
        },
        value: Value { content: Vec::new(), maximum: Some(BYTES_MAX) },
        secret: true,
        ..Parameter::default()
    }
}

fn parameter(one: &IdnDescription) -> Result<Parameter> {
    let shown = one.value.as_ref().or(one.default.as_ref());
    let is_command = one.command.is_some();
    let kind = one.r#type.unwrap_or(match shown {
        Some(IdnValue::Text(_)) => IdnType::Text,
        Some(IdnValue::List(list)) if list.iter().any(|e| matches!(e, IdnElement::Idn(_))) => {
            IdnType::Idn
        }
        Some(IdnValue::Number(IdnNumber::Real(_))) => IdnType::Float,
        _ if is_command => IdnType::Binary,
        _ => IdnType::Unsigned,
    });
    let default_bytes = match kind {
        IdnType::Text => 1,
        IdnType::Float => 4,
        _ => 2,
    };
    let bytes = usize::from(one.bytes.unwrap_or(default_bytes));
    let length = match bytes {
        1 => 0,
        2 => 1,
        4 => 2,
        8 => 3,
        _ => return error("/bytes", format!("{bytes} is none of 1, 2, 4, 8")),
    };
    if is_command && bytes != 2 {
        return error("/bytes", "a procedure command has 2");
    }
    if one.decimals > 15 {
        return error("/decimals", "are at most 15");
    }
    let list = kind == IdnType::Text
        || one.maximum_length.is_some()
        || matches!(shown, Some(IdnValue::List(_)));
    let form = Form { kind, bytes, list };
    let default = one.default.as_ref().map(|value| form.content(value, "/default")).transpose()?;
    let content = match (&one.value, &default) {
        (Some(value), _) => form.content(value, "/value")?,
        (None, Some(default)) => default.clone(),
        (None, None) if list => Vec::new(),
        (None, None) => vec![0; bytes],
    };
    let maximum = list.then(|| one.maximum_length.map_or(content.len(), usize::from));
    let longest = content.len().max(default.as_ref().map_or(0, Vec::len));
    let too_long = |maximum: usize| longest > maximum || maximum > usize::from(u16::MAX);
    if maximum.is_some_and(too_long) {
        return error("/maximumLength", format!("the list has {longest} bytes"));
    }
    let [protected_pre_op, protected_safe_op, protected_op] = protection(one.write.as_deref())?;
    let limit = |number: &Option<IdnNumber>, path: &str| -> Result<Option<Vec<u8>>> {
        number.map(|number| form.number(number, path)).transpose()
    };
    Ok(Parameter {
        name: one.name.clone(),
        unit: one.unit.clone(),
        attribute: Attribute {
            conversion: one.conversion.unwrap_or(1),
            length,
            list,
            command: is_command,
            data_type: data_type(kind),
            decimals: one.decimals,
            protected_pre_op,
            protected_safe_op,
            protected_op,
        },
        minimum: limit(&one.minimum, "/minimum")?,
        maximum: limit(&one.maximum, "/maximum")?,
        default,
        value: Value { content, maximum: maximum.map(|bytes| bytes as u16) },
        invalid: one.invalid,
        password: one.password,
        cyclic: cyclic(one, list)?,
        command: one.command.as_ref().map(command).transpose()?,
        secret: false,
    })
}

fn cyclic(one: &IdnDescription, list: bool) -> Result<Cyclic> {
    if one.cyclic.is_some() && list {
        return error("/cyclic", "a telegram carries no list");
    }
    Ok(match one.cyclic {
        None => Cyclic::default(),
        Some(CyclicDescription::Input) => Cyclic { input: true, output: false },
        Some(CyclicDescription::Output) => Cyclic { input: false, output: true },
        Some(CyclicDescription::Both) => Cyclic { input: true, output: true },
    })
}

/// Which of PRE-OP, SAFE-OP and OP protect a value, by those that do not.
fn protection(write: Option<&[String]>) -> Result<[bool; 3]> {
    let Some(write) = write else { return Ok([false; 3]) };
    let codes = states(write, "/write")?;
    Ok(STATES.map(|name| {
        let code = AlState::from_name(name).map_or(0, AlState::code);
        !codes.contains(&code)
    }))
}

fn states(names: &[String], path: &str) -> Result<Vec<u8>> {
    let mut codes = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let known = AlState::from_name(name).filter(|_| STATES.contains(&name.as_str()));
        let Some(state) = known else {
            let message = format!("{name:?} is none of {}", STATES.join(", "));
            return error(format!("{path}/{n}"), message);
        };
        codes.push(state.code());
    }
    Ok(codes)
}

fn command(described: &DriveCommandDescription) -> Result<DriveCommand> {
    let names = described.states.as_deref().unwrap_or_default();
    Ok(DriveCommand {
        duration_ns: u64::from(described.duration_ms) * 1_000_000,
        fails: described.fails,
        interruptible: described.interruptible.unwrap_or(true),
        states: states(names, "/command/states")?,
        notifies: described.notifies.unwrap_or(true),
        state: 0,
        ends_ns: None,
    })
}

const fn data_type(kind: IdnType) -> DataType {
    match kind {
        IdnType::Binary => DataType::Binary,
        IdnType::Unsigned => DataType::Unsigned,
        IdnType::Signed => DataType::Signed,
        IdnType::Hexadecimal => DataType::Hexadecimal,
        IdnType::Text => DataType::Text,
        IdnType::Idn => DataType::Idn,
        IdnType::Float => DataType::Float,
    }
}

/// How the values of an IDN are bytes.
#[derive(Clone, Copy)]
struct Form {
    kind: IdnType,
    bytes: usize,
    list: bool,
}

impl Form {
    fn content(self, value: &IdnValue, path: &str) -> Result<Vec<u8>> {
        match value {
            IdnValue::Text(text) if self.kind == IdnType::Text => Ok(text.clone().into_bytes()),
            IdnValue::Text(text) if self.kind == IdnType::Idn && !self.list => self.idn(text, path),
            IdnValue::Text(_) => error(path, "is text; the type is not"),
            IdnValue::Number(number) if !self.list => self.number(*number, path),
            IdnValue::Number(_) => error(path, "is one value; the IDN is a list"),
            IdnValue::List(elements) => {
                let mut content = Vec::new();
                for (n, element) in elements.iter().enumerate() {
                    let path = format!("{path}/{n}");
                    content.extend(match element {
                        IdnElement::Number(number) => self.number(*number, &path)?,
                        IdnElement::Idn(text) => self.idn(text, &path)?,
                    });
                }
                Ok(content)
            }
        }
    }

    fn idn(self, text: &str, path: &str) -> Result<Vec<u8>> {
        match text.parse::<Idn>() {
            Ok(idn) => self.number(IdnNumber::Integer(idn.0.into()), path),
            Err(no) => error(path, format!("{text:?} {no}")),
        }
    }

    fn number(self, number: IdnNumber, path: &str) -> Result<Vec<u8>> {
        let integer = match (number, self.kind, self.bytes) {
            (number, IdnType::Float, bytes) => {
                let real = match number {
                    IdnNumber::Integer(number) => number as f64,
                    IdnNumber::Natural(number) => number as f64,
                    IdnNumber::Real(number) => number,
                };
                return match bytes {
                    4 => Ok((real as f32).to_le_bytes().to_vec()),
                    8 => Ok(real.to_le_bytes().to_vec()),
                    _ => error("/bytes", "a floating-point number has 4 or 8"),
                };
            }
            (IdnNumber::Integer(number), ..) => i128::from(number),
            (IdnNumber::Natural(number), ..) => i128::from(number),
            (IdnNumber::Real(number), ..) => {
                return error(path, format!("{number} is no integer"));
            }
        };
        let bits = self.bytes * 8;
        let (least, most) = if self.kind == IdnType::Signed {
            (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
        } else {
            (0, (1_i128 << bits) - 1)
        };
        if !(least..=most).contains(&integer) {
            return error(path, format!("{integer} is not in {least} to {most}"));
        }
        Ok(integer.to_le_bytes()[..self.bytes].to_vec())
    }
}
