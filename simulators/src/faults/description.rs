//! Faults as they are written down, with devices and faults by their names.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::hits::{Desk, default_name};
use super::when::FLAP_NS_MIN;
use super::{Effect, Fault, Frames, Milestone, On, Way, When};

const PORTS: u8 = 4;
const CERTAIN_PPM: u32 = 1_000_000;
const AGE_MAX: u8 = super::REPLAY_AGE_MAX as u8;

/// A fault, in JSON:
///
/// ```json
/// { "name": "bad plug", "on": { "device": "axis", "port": 0, "frames": { "command": "LRW" } },
///   "when": { "at": { "state": { "device": "axis", "state": "OP" } }, "afterMs": 20, "ratePpm": 1000, "burst": 3 },
///   "effect": { "kind": "corrupt" } }
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultDescription {
    /// How hits call it, and who clears it; by default its kind and a number.
    pub name: Option<String>,
    /// Where.
    #[serde(default = "anywhere")]
    pub on: On<DeviceName>,
    /// When.
    #[serde(default)]
    pub when: When<DeviceName, String>,
    /// What.
    pub effect: Effect<DeviceName>,
}

const fn anywhere() -> On<DeviceName> {
    On { link: None, device: None, port: None, frames: None }
}

/// A device by its name, or by its place in the description, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum DeviceName {
    /// Its place.
    Place(u16),
    /// Its name.
    Name(String),
}

/// What is wrong with a fault, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError {
    /// JSON pointer to the value.
    pub path: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault{}: {}", self.path, self.message)
    }
}

impl std::error::Error for FaultError {}

/// A state by its name, or as in register 0x0130.
pub(super) fn state<'de, R: Deserializer<'de>>(deserializer: R) -> Result<u8, R::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Code(u8),
        Name(String),
    }
    let form = Form::deserialize(deserializer)?;
    let code = match &form {
        Form::Code(code) => Some(*code).filter(|code| matches!(code, 1..=4 | 8)),
        Form::Name(name) => match name.as_str() {
            "INIT" => Some(1),
            "PRE-OP" => Some(2),
            "BOOT" => Some(3),
            "SAFE-OP" => Some(4),
            "OP" => Some(8),
            _ => None,
        },
    };
    code.ok_or_else(|| R::Error::custom("expected a state: INIT, PRE-OP, BOOT, SAFE-OP or OP"))
}

pub(super) fn some_state<'de, R: Deserializer<'de>>(
    deserializer: R,
) -> Result<Option<u8>, R::Error> {
    state(deserializer).map(Some)
}

fn wrong<T>(path: &'static str, message: impl Into<String>) -> Result<T, FaultError> {
    Err(FaultError { path, message: message.into() })
}

impl FaultDescription {
    /// The fault, with devices by their places; checks that its parts fit together.
    pub(crate) fn resolve(&self, desk: &Desk) -> Result<Fault, FaultError> {
        let place = |path: &'static str, device: &DeviceName| {
            let found = match device {
                DeviceName::Place(place) => {
                    Some(*place).filter(|&place| usize::from(place) < desk.device_count())
                }
                DeviceName::Name(name) => desk.device(name),
            };
            found.map_or_else(
                || match device {
                    DeviceName::Place(place) => wrong(path, format!("there is no device {place}")),
                    DeviceName::Name(name) => wrong(path, format!("no device is called {name:?}")),
                },
                Ok,
            )
        };
        let optional = |path: &'static str, device: &Option<DeviceName>| {
            device.as_ref().map(|device| place(path, device)).transpose()
        };
        let frames = match &self.on.frames {
            None => None,
            Some(frames) => Some(Frames {
                commands: frames.commands,
                register: frames.register,
                logical: frames.logical,
                station: frames.station,
                device: optional("/on/frames/device", &frames.device)?,
            }),
        };
        let on = On {
            link: self.on.link,
            device: optional("/on/device", &self.on.device)?,
            port: self.on.port,
            frames,
        };
        let effect = self.effect.clone().with_devices(|with| place("/effect/with", &with))?;
        let at = match &self.when.at {
            None => None,
            Some(Milestone::State { device, state }) => {
                let device = optional("/when/at/state/device", device)?;
                Some(Milestone::State { device, state: *state })
            }
            Some(Milestone::ProcessData {}) => Some(Milestone::ProcessData {}),
            Some(Milestone::Sdo { device, number }) => {
                let device = optional("/when/at/sdo/device", device)?;
                Some(Milestone::Sdo { device, number: *number })
            }
            Some(Milestone::Fault { name }) => {
                let Some(&number) = desk.numbers(name).last() else {
                    return wrong("/when/at/fault/name", format!("no fault is called {name:?}"));
                };
                Some(Milestone::Fault { name: number })
            }
        };
        let When {
            after_ns,
            after_frames,
            for_ns,
            after,
            count,
            rate_ppm,
            burst,
            on_ns,
            off_ns,
            ..
        } = self.when;
        let when = When {
            at,
            after_ns,
            after_frames,
            for_ns,
            after,
            count,
            rate_ppm,
            burst,
            on_ns,
            off_ns,
        };
        Fault { on, when, effect }.checked()
    }

    /// Its name, or what it is called without one.
    pub(crate) fn name_of(&self, number: u32) -> String {
        self.name.clone().unwrap_or_else(|| default_name(self.effect.kind(), number))
    }
}

impl Fault {
    /// The same, with the link or port that its effect has where nothing is said; refuses what does not fit.
    ///
    /// # Errors
    /// [`FaultError`], with the place of what does not fit.
    pub fn checked(mut self) -> Result<Self, FaultError> {
        let kind = self.effect.kind();
        let On { link, device, port, frames } = self.on;
        if port.is_some_and(|port| port >= PORTS) {
            return wrong("/on/port", "expected a port from 0 to 3");
        }
        if port.is_some() && device.is_none() {
            return wrong("/on/port", "a port needs the device that it belongs to (on.device)");
        }
        if link.is_some() && device.is_some() {
            return wrong("/on", "expected a link or a device, not both");
        }
        match self.effect {
            Effect::Drop {} => {
                if device.is_some() && port.is_none() {
                    return wrong(
                        "/on/port",
                        "frames are lost at a port of a device, or on the link",
                    );
                }
                self.on.link = link.or(device.is_none().then_some(Way::In));
            }
            effect if effect.is_of_link() => {
                if device.is_some() {
                    let hint =
                        "is on the MainDevice's link; use on.frames.device for those of a device";
                    return wrong("/on/device", format!("{kind} {hint}"));
                }
                self.on.link = link.or(Some(Way::In));
            }
            effect if effect.is_of_port() && (device.is_none() || port.is_none()) => {
                return wrong("/on", format!("{kind} needs a device and a port"));
            }
            _ if device.is_none() => return wrong("/on", format!("{kind} needs a device")),
            effect if !effect.is_of_port() && port.is_some() => {
                return wrong("/on/port", format!("{kind} is of a device, not of a port"));
            }
            _ => {}
        }
        let nature = self.nature();
        if frames.is_some() && !matches!(nature, super::Nature::Frame | super::Nature::Port) {
            return wrong("/on/frames", format!("{kind} does not concern frames"));
        }
        self.checked_times()
    }

    fn checked_times(self) -> Result<Self, FaultError> {
        let When { rate_ppm, burst, on_ns, off_ns, count, at, .. } = self.when;
        if rate_ppm.is_some_and(|rate| rate > CERTAIN_PPM) {
            return wrong("/when/ratePpm", format!("expected a rate from 0 to {CERTAIN_PPM} ppm"));
        }
        if burst.is_some() && rate_ppm.is_none() {
            return wrong("/when/burst", "a burst needs a rate; n in a row are count: n");
        }
        if burst == Some(0) {
            return wrong("/when/burst", "expected at least 1");
        }
        if count == Some(0) {
            return wrong("/when/count", "expected at least 1");
        }
        if on_ns.is_some() != off_ns.is_some() {
            return wrong("/when", "flapping needs both on_ms and off_ms");
        }
        if let (Some(on_ns), Some(off_ns)) = (on_ns, off_ns)
            && (on_ns == 0 || on_ns.saturating_add(off_ns) < FLAP_NS_MIN)
        {
            return wrong("/when/onMs", "expected more than 0, and with off_ms at least 0.01");
        }
        if matches!(at, Some(Milestone::Sdo { number: 0, .. })) {
            return wrong("/when/at/sdo/number", "expected a number from 1");
        }
        match self.effect {
            Effect::Replay { age } if age == 0 || age > AGE_MAX => {
                wrong("/effect/age", format!("expected an age from 1 to {AGE_MAX} frames"))
            }
            Effect::Swap { with } if self.on.device == Some(with) => {
                wrong("/effect/with", "a device cannot change places with itself")
            }
            Effect::Delay { by_frames: 0, by_ns: None } => {
                wrong("/effect", "delay needs by_frames or by_ms")
            }
            _ => Ok(self),
        }
    }

    pub(crate) fn nature(&self) -> super::Nature {
        self.effect.nature(self.on.port.is_some())
    }
}
