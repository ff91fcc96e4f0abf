//! What a fault does. Each effect is of one nature: it changes frames, spoils what a device is about to do, holds
//! as a condition, or happens at once.

use ecat_wire::mailbox::Kind;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::when::some_ms;
use crate::mailbox::{MailEffect, MailProtocol};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Effect<D = u16> {
    /// The frame is lost: on the link, or as it reaches a port.
    Drop {},
    /// The frame ends too early.
    Truncate {
        /** Bytes that are left, from the destination address on. */
        bytes: u16,
    },
    /// The frame comes later.
    Delay {
        /** After so many further frames were sent. */
        #[serde(default)]
        by_frames: u32,
        /** So long after, in ns. */
        #[serde(default, rename = "byMs", deserialize_with = "some_ms")]
        by_ns: Option<u64>,
    },
    /// The frame comes more than once.
    Duplicate {
        /** How often in addition; 1 by default. */
        #[serde(default = "one")]
        copies: u8,
    },
    /// The frames behind this one overtake it.
    Reorder {
        /** How many; 1 by default. */
        #[serde(default = "one_u32")]
        by: u32,
    },
    /// An old frame comes in its place.
    Replay {
        /** How many frames before this one it passed, 1 to 8; 1 by default. */
        #[serde(default = "one")]
        age: u8,
    },
    /// The index of datagrams is another one.
    WrongIndex {
        /** Added to it; 1 by default. */
        #[serde(default = "one")]
        by: u8,
    },
    /// The length of datagrams is not theirs.
    WrongLength {
        /** Added to it; 1 by default. */
        #[serde(default = "one_i16")]
        by: i16,
    },
    /// Bits of the frame are others, behind a checksum that fits.
    FlipBits {
        /** Which byte, from the destination address on: 12 is the EtherType, 14 EtherCAT's header. */
        offset: u16,
        /** Which bits. */
        mask: u8,
    },
    /// The working counter of datagrams is wrong.
    WorkingCounter {
        /** Added to it, wrapping. */
        by: i16,
    },
    /// The frame gets a bad checksum on its way into a port, as by a bad cable or plug.
    Corrupt {},

    /// The cable in a port is cut, or not plugged in.
    Cut {},
    /// A port is closed: frames loop inside the device, whatever is plugged in (loop control 0x0101).
    PortClosed {},
    /// The MainDevice's own carrier is gone: sending fails, and what was on its way is lost.
    CarrierLoss {},
    /// The device and another one have changed places; each keeps its power, its EEPROM and its settings.
    Swap {
        /** The other one. */
        with: D,
    },

    /// The device has no power: its neighbours lose their links to it. When it returns: station address 0, INIT, no
    /// SyncManager and no FMMU, the local clock from its beginning.
    PowerOff {},
    /// The device is out of the line, and its cables are joined: frames pass where it was. It returns as from
    /// `power-off`.
    Bypass {},
    /// The ESC is reset, as by register 0x0040.
    Reset {},
    /// The program hangs: it handles no request and no mail, and its watchdog expires.
    PdiHang {},

    /// The EEPROM tells of another device.
    Identity(Identity),
    /// The checksum of the EEPROM is wrong; seen when it is loaded next (power-on, reset, reload).
    SiiChecksum {},
    /// The EEPROM is blank; seen when it is loaded or read next.
    SiiEmpty {},
    /// The EEPROM interface stays busy.
    EepromBusy {},
    /// A command to the EEPROM interface fails.
    EepromError {
        /** How; for want of an acknowledge by default. */
        #[serde(default)]
        error: EepromError,
    },

    /// The program takes a lower AL state by itself and says why. Not with device emulation.
    LeaveState {
        /** The state, as in register 0x0130. */
        #[serde(deserialize_with = "super::description::state")]
        state: u8,
        /** AL status code. */
        code: u16,
    },
    /// A request for a state is refused. Not with device emulation.
    Refuse {
        /** Which state, as in register 0x0130; none: any. */
        #[serde(default, deserialize_with = "super::description::some_state")]
        to: Option<u8>,
        /** AL status code. */
        code: u16,
    },
    /// A transition takes longer. Not with device emulation.
    SlowTransition {
        /** Which state, as in register 0x0130; none: any. */
        #[serde(default, deserialize_with = "super::description::some_state")]
        to: Option<u8>,
        /** By how much, in ms. */
        delay_ms: u32,
    },
    /// The SyncManager watchdog expires, whatever was written.
    Watchdog {},

    /// Something happens to a mail, or to its answer.
    Mail {
        /** What. */
        does: MailEffect,
        /** Which protocol's requests it concerns; all that the effect can happen to by default. */
        protocol: Option<MailProtocol>,
    },
    /// The program sends emergencies.
    Emergency {
        /** Error code. */
        code: u16,
        /** Error register. */
        #[serde(default)]
        register: u8,
        /** Five bytes. */
        #[serde(default)]
        data: [u8; 5],
        /** How many at once; 1 by default. */
        #[serde(default = "one")]
        times: u8,
    },

    /// The local clock runs fast by this, in addition to what it does anyhow.
    ClockDrift {
        /** In 10⁻⁹. */
        #[serde(rename = "ppm", deserialize_with = "ppb")]
        ppb: i32,
    },
    /// The local clock jumps.
    ClockStep {
        /** By how much, in ns. */
        by_ns: i64,
    },
    /// Time stamps are off by up to this, either way, in addition to what they are anyhow.
    ClockJitter {
        /** In ns. */
        ns: u16,
    },
    /// The pulses of SYNC0 do not come.
    Sync0Loss {},
    /// When the SYNC unit is switched on, its start time lies in the past.
    StartInPast {},
    /// The clock does not follow the reference any more: what is written to 0x0910 is compared and corrects nothing.
    PllLoss {},
}

/// What an EEPROM says of its device; what is not here stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// Vendor.
    pub vendor_id: Option<u32>,
    /// Product code.
    pub product_code: Option<u32>,
    /// Revision.
    pub revision: Option<u32>,
    /// Serial number.
    pub serial: Option<u32>,
}

/// How a command to the EEPROM interface fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EepromError {
    /// The EEPROM does not acknowledge (0x0502 bit 13).
    #[default]
    Acknowledge,
    /// Writes are not enabled (bit 14); only commands that write.
    WriteEnable,
}

const fn one() -> u8 {
    1
}

const fn one_u32() -> u32 {
    1
}

const fn one_i16() -> i16 {
    1
}

/// Largest drift of a fault, in 10⁻⁶.
const DRIFT_PPM_MAX: f64 = 1_000.0;

fn ppb<'de, R: Deserializer<'de>>(deserializer: R) -> Result<i32, R::Error> {
    let ppm = f64::deserialize(deserializer)?;
    if ppm.abs() > DRIFT_PPM_MAX || ppm.is_nan() {
        let expected = format!("expected ppm from -{DRIFT_PPM_MAX} to {DRIFT_PPM_MAX}, got {ppm}");
        return Err(R::Error::custom(expected));
    }
    Ok((ppm * 1_000.0).round() as i32)
}

/// How an effect takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// It changes frames on the link.
    Frame,
    /// It changes frames at a port.
    Port,
    /// It meets what a device is about to do.
    Occasion,
    /// It holds for a while.
    Condition,
    /// It happens at once.
    Event,
}

/// What a device is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// It has read a mail of this kind; whether that is a request by SDO.
    Mail(Kind, bool),
    /// A command to its EEPROM interface; whether it writes.
    Eeprom { writes: bool },
    /// A request for an AL state.
    Request { to: u8 },
    /// It sends a fragment of an Ethernet frame.
    Fragment,
    /// A pulse of SYNC0.
    Pulse,
    /// The SYNC unit is switched on.
    SyncStart,
}

impl<D> Effect<D> {
    /// Its name, as in descriptions.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Drop {} => "drop",
            Self::Truncate { .. } => "truncate",
            Self::Delay { .. } => "delay",
            Self::Duplicate { .. } => "duplicate",
            Self::Reorder { .. } => "reorder",
            Self::Replay { .. } => "replay",
            Self::WrongIndex { .. } => "wrong-index",
            Self::WrongLength { .. } => "wrong-length",
            Self::FlipBits { .. } => "flip-bits",
            Self::WorkingCounter { .. } => "working-counter",
            Self::Corrupt {} => "corrupt",
            Self::Cut {} => "cut",
            Self::PortClosed {} => "port-closed",
            Self::CarrierLoss {} => "carrier-loss",
            Self::Swap { .. } => "swap",
            Self::PowerOff {} => "power-off",
            Self::Bypass {} => "bypass",
            Self::Reset {} => "reset",
            Self::PdiHang {} => "pdi-hang",
            Self::Identity(_) => "identity",
            Self::SiiChecksum {} => "sii-checksum",
            Self::SiiEmpty {} => "sii-empty",
            Self::EepromBusy {} => "eeprom-busy",
            Self::EepromError { .. } => "eeprom-error",
            Self::LeaveState { .. } => "leave-state",
            Self::Refuse { .. } => "refuse",
            Self::SlowTransition { .. } => "slow-transition",
            Self::Watchdog {} => "watchdog",
            Self::Mail { .. } => "mail",
            Self::Emergency { .. } => "emergency",
            Self::ClockDrift { .. } => "clock-drift",
            Self::ClockStep { .. } => "clock-step",
            Self::ClockJitter { .. } => "clock-jitter",
            Self::Sync0Loss {} => "sync0-loss",
            Self::StartInPast {} => "start-in-past",
            Self::PllLoss {} => "pll-loss",
        }
    }

    /// The same with devices by their places.
    pub(super) fn with_devices<E>(
        self,
        place: impl FnOnce(D) -> Result<u16, E>,
    ) -> Result<Effect, E> {
        Ok(match self {
            Self::Swap { with } => Effect::Swap { with: place(with)? },
            Self::Drop {} => Effect::Drop {},
            Self::Truncate { bytes } => Effect::Truncate { bytes },
            Self::Delay { by_frames, by_ns } => Effect::Delay { by_frames, by_ns },
            Self::Duplicate { copies } => Effect::Duplicate { copies },
            Self::Reorder { by } => Effect::Reorder { by },
            Self::Replay { age } => Effect::Replay { age },
            Self::WrongIndex { by } => Effect::WrongIndex { by },
            Self::WrongLength { by } => Effect::WrongLength { by },
            Self::FlipBits { offset, mask } => Effect::FlipBits { offset, mask },
            Self::WorkingCounter { by } => Effect::WorkingCounter { by },
            Self::Corrupt {} => Effect::Corrupt {},
            Self::Cut {} => Effect::Cut {},
            Self::PortClosed {} => Effect::PortClosed {},
            Self::CarrierLoss {} => Effect::CarrierLoss {},
            Self::PowerOff {} => Effect::PowerOff {},
            Self::Bypass {} => Effect::Bypass {},
            Self::Reset {} => Effect::Reset {},
            Self::PdiHang {} => Effect::PdiHang {},
            Self::Identity(identity) => Effect::Identity(identity),
            Self::SiiChecksum {} => Effect::SiiChecksum {},
            Self::SiiEmpty {} => Effect::SiiEmpty {},
            Self::EepromBusy {} => Effect::EepromBusy {},
            Self::EepromError { error } => Effect::EepromError { error },
            Self::LeaveState { state, code } => Effect::LeaveState { state, code },
            Self::Refuse { to, code } => Effect::Refuse { to, code },
            Self::SlowTransition { to, delay_ms } => Effect::SlowTransition { to, delay_ms },
            Self::Watchdog {} => Effect::Watchdog {},
            Self::Mail { does, protocol } => Effect::Mail { does, protocol },
            Self::Emergency { code, register, data, times } => {
                Effect::Emergency { code, register, data, times }
            }
            Self::ClockDrift { ppb } => Effect::ClockDrift { ppb },
            Self::ClockStep { by_ns } => Effect::ClockStep { by_ns },
            Self::ClockJitter { ns } => Effect::ClockJitter { ns },
            Self::Sync0Loss {} => Effect::Sync0Loss {},
            Self::StartInPast {} => Effect::StartInPast {},
            Self::PllLoss {} => Effect::PllLoss {},
        })
    }

    /// Whether it belongs to the MainDevice's link where no device is named.
    pub(super) const fn is_of_link(&self) -> bool {
        matches!(
            self,
            Self::Truncate { .. }
                | Self::Delay { .. }
                | Self::Duplicate { .. }
                | Self::Reorder { .. }
                | Self::Replay { .. }
                | Self::WrongIndex { .. }
                | Self::WrongLength { .. }
                | Self::FlipBits { .. }
                | Self::WorkingCounter { .. }
                | Self::CarrierLoss {}
        )
    }

    /// Whether it is of a cable or port.
    pub(super) const fn is_of_port(&self) -> bool {
        matches!(self, Self::Corrupt {} | Self::Cut {} | Self::PortClosed {})
    }

    /// Whether it changes datagrams, and needs a frame that has some.
    pub(super) const fn is_of_datagrams(&self) -> bool {
        matches!(
            self,
            Self::WrongIndex { .. } | Self::WrongLength { .. } | Self::WorkingCounter { .. }
        )
    }

    /// How it takes place, at a port or not.
    pub(super) const fn nature(&self, at_port: bool) -> Nature {
        match self {
            Self::Drop {} if at_port => Nature::Port,
            Self::Corrupt {} => Nature::Port,
            Self::Drop {}
            | Self::Truncate { .. }
            | Self::Delay { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Replay { .. }
            | Self::WrongIndex { .. }
            | Self::WrongLength { .. }
            | Self::FlipBits { .. }
            | Self::WorkingCounter { .. } => Nature::Frame,
            Self::EepromError { .. }
            | Self::Refuse { .. }
            | Self::SlowTransition { .. }
            | Self::Mail { .. }
            | Self::Sync0Loss {}
            | Self::StartInPast {} => Nature::Occasion,
            Self::Reset {}
            | Self::LeaveState { .. }
            | Self::Watchdog {}
            | Self::Emergency { .. }
            | Self::ClockStep { .. } => Nature::Event,
            Self::Cut {}
            | Self::PortClosed {}
            | Self::CarrierLoss {}
            | Self::Swap { .. }
            | Self::PowerOff {}
            | Self::Bypass {}
            | Self::PdiHang {}
            | Self::Identity(_)
            | Self::SiiChecksum {}
            | Self::SiiEmpty {}
            | Self::EepromBusy {}
            | Self::ClockDrift { .. }
            | Self::ClockJitter { .. }
            | Self::PllLoss {} => Nature::Condition,
        }
    }

    /// Whether it meets what a device is about to do.
    pub(super) fn concerns(&self, occasion: Occasion) -> bool {
        match (self, occasion) {
            (Self::Mail { does, protocol }, Occasion::Mail(kind, _)) => {
                does.concerns(kind, *protocol)
            }
            (Self::Mail { does, .. }, Occasion::Fragment) => *does == MailEffect::LoseFragment,
            (Self::EepromError { error }, Occasion::Eeprom { writes }) => {
                *error == EepromError::Acknowledge || writes
            }
            (
                Self::Refuse { to: wanted, .. } | Self::SlowTransition { to: wanted, .. },
                Occasion::Request { to },
            ) => wanted.is_none_or(|wanted| wanted == to),
            (Self::Sync0Loss {}, Occasion::Pulse) => true,
            (Self::StartInPast {}, Occasion::SyncStart) => true,
            _ => false,
        }
    }
}
