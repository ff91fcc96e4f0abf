//! Where a fault is: on the MainDevice's link, at a port, in a device; and which frames it concerns.

use ecat_wire::Command;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// Which way a frame goes, from the MainDevice's view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// To the segment: what is lost here was processed by nobody.
    Out,
    /// Back from it: what is lost here was processed by all.
    #[default]
    In,
}

/// A place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct On<D = u16> {
    /// The MainDevice's link, and which way.
    pub link: Option<Way>,
    /// A device.
    pub device: Option<D>,
    /// A port of that device, 0 to 3; port 0 leads to the MainDevice.
    pub port: Option<u8>,
    /// Of faults of frames: only frames that carry such a datagram. Faults of datagrams change those and no others.
    pub frames: Option<Frames<D>>,
}

/// Datagrams that have all of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Frames<D = u16> {
    /// One of these commands, a bit each by its code.
    #[serde(default, rename = "command", deserialize_with = "commands")]
    pub commands: Option<u16>,
    /// A physical address within.
    pub register: Option<Range<u16>>,
    /// A logical address that they overlap.
    pub logical: Option<Range<u32>>,
    /// This station address.
    pub station: Option<u16>,
    /// They address this device: by its position or station, by a broadcast, or by logical addresses that it maps.
    pub device: Option<D>,
}

/// Addresses from the first to the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range<T> {
    /// The first one.
    pub first: T,
    /// The last one.
    pub last: T,
}

/// Names of the commands, by their codes.
const COMMANDS: [&str; 15] = [
    "NOP", "APRD", "APWR", "APRW", "FPRD", "FPWR", "FPRW", "BRD", "BWR", "BRW", "LRD", "LWR",
    "LRW", "ARMW", "FRMW",
];

/// Name of a command by its code.
pub(crate) fn command_name(code: u8) -> &'static str {
    COMMANDS.get(usize::from(code)).copied().unwrap_or("unknown")
}

impl<T: Copy> From<T> for Range<T> {
    fn from(only: T) -> Self {
        Self { first: only, last: only }
    }
}

impl<T: PartialOrd + Copy> Range<T> {
    fn meets(self, first: T, last: T) -> bool {
        self.first <= last && first <= self.last
    }
}

impl<'de, T: Deserialize<'de> + Copy + PartialOrd> Deserialize<'de> for Range<T> {
    fn deserialize<R: Deserializer<'de>>(deserializer: R) -> Result<Self, R::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<T> {
            Only(T),
            Both([T; 2]),
        }
        match Form::deserialize(deserializer) {
            Ok(Form::Only(only)) => Ok(Self { first: only, last: only }),
            Ok(Form::Both([first, last])) if first <= last => Ok(Self { first, last }),
            _ => Err(R::Error::custom(
                "expected an address, or a list of the first and the last one",
            )),
        }
    }
}

fn commands<'de, R: Deserializer<'de>>(deserializer: R) -> Result<Option<u16>, R::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        One(String),
        Some(Vec<String>),
    }
    let names = match Option::<Form>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Form::One(name)) => vec![name],
        Some(Form::Some(names)) => names,
    };
    let mut bits = 0;
    for name in names {
        let code = COMMANDS.iter().position(|known| name == *known);
        let code = code.ok_or_else(|| {
            R::Error::custom(format!("expected a command such as LRW or FPRD, got {name:?}"))
        })?;
        bits |= 1 << code;
    }
    Ok(Some(bits))
}

impl<D: Copy> Frames<D> {
    /// Datagrams with one of these commands.
    #[must_use]
    pub fn of(commands: &[&str]) -> Self {
        let bit =
            |name: &&str| COMMANDS.iter().position(|known| known == name).map_or(0, |n| 1 << n);
        Self {
            commands: Some(commands.iter().map(bit).sum()),
            register: None,
            logical: None,
            station: None,
            device: None,
        }
    }

    /// Whether a datagram is one of them, as far as its header says.
    pub(super) fn selects(&self, command: Command, bytes: usize) -> bool {
        if self.commands.is_some_and(|commands| commands >> command.code() & 1 == 0) {
            return false;
        }
        let more = bytes.saturating_sub(1);
        let (physical, logical, station) = parts(command);
        let register = self.register.is_none_or(|range| {
            physical.is_some_and(|at| range.meets(at, at.saturating_add(more as u16)))
        });
        let logical = self.logical.is_none_or(|range| {
            logical.is_some_and(|at| range.meets(at, at.saturating_add(more as u32)))
        });
        register && logical && self.station.is_none_or(|wanted| station == Some(wanted))
    }
}

/// Register, logical address and station of a command.
pub(super) const fn parts(command: Command) -> (Option<u16>, Option<u32>, Option<u16>) {
    match command {
        Command::Nop => (None, None, None),
        Command::Aprd { register, .. }
        | Command::Apwr { register, .. }
        | Command::Aprw { register, .. }
        | Command::Armw { register, .. }
        | Command::Brd { register }
        | Command::Bwr { register }
        | Command::Brw { register } => (Some(register), None, None),
        Command::Fprd { station, register }
        | Command::Fpwr { station, register }
        | Command::Fprw { station, register }
        | Command::Frmw { station, register } => (Some(register), None, Some(station)),
        Command::Lrd { logical } | Command::Lwr { logical } | Command::Lrw { logical } => {
            (None, Some(logical), None)
        }
    }
}
