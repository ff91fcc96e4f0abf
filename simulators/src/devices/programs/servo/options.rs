//! Option codes 0x605A to 0x605E and 0x6007, and how a drive comes to rest by them.
//!
//! IEC 61800-7-201, "Option code objects". Where the tables leave open what a ramp of current or voltage is, both push
//! against the motion with all that there is until it ends: the limits of the objects with the one, the motor's peak with
//! the other (assumed).

use super::controller::Demand;
use super::plant::TICK_S;

/// How a motion ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The power goes, and the motor coasts.
    Coast,
    /// On the ramp of the mode: 0x6084, in homing 0x609A.
    SlowDown,
    /// On 0x6085.
    QuickStopRamp,
    /// With all the torque that the objects allow.
    CurrentLimit,
    /// With all the torque that the motor has.
    VoltageLimit,
}

impl Reaction {
    /// By 0x605A: quick stop, and whether the drive stays in quick stop active.
    #[must_use]
    pub const fn of_quick_stop(code: i64) -> (Self, bool) {
        match code {
            0 => (Self::Coast, false),
            1 => (Self::SlowDown, false),
            3 => (Self::CurrentLimit, false),
            4 => (Self::VoltageLimit, false),
            5 => (Self::SlowDown, true),
            6 => (Self::QuickStopRamp, true),
            7 => (Self::CurrentLimit, true),
            8 => (Self::VoltageLimit, true),
            _ => (Self::QuickStopRamp, false),
        }
    }

    /// By 0x605B (shutdown) or 0x605C (disable operation).
    #[must_use]
    pub const fn of_disabling(code: i64) -> Self {
        if code == 1 { Self::SlowDown } else { Self::Coast }
    }

    /// By 0x605D (halt) or 0x605E (fault reaction).
    #[must_use]
    pub const fn of_halt_or_fault(code: i64) -> Self {
        match code {
            0 => Self::Coast,
            1 => Self::SlowDown,
            3 => Self::CurrentLimit,
            4 => Self::VoltageLimit,
            _ => Self::QuickStopRamp,
        }
    }
}

/// What 0x6007 asks for where the connection is gone: OP is left, or outputs are no longer valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionLoss {
    /// Nothing.
    Ignore,
    /// A fault.
    Fault,
    /// The command "disable voltage".
    DisableVoltage,
    /// The command "quick stop".
    QuickStop,
}

impl ConnectionLoss {
    /// By 0x6007.
    #[must_use]
    pub const fn of(code: i64) -> Self {
        match code {
            0 => Self::Ignore,
            2 => Self::DisableVoltage,
            3 => Self::QuickStop,
            _ => Self::Fault,
        }
    }
}

/// A drive is at rest where it moves no faster than this share of a revolution a second.
const REST_REVOLUTIONS_PER_S: f64 = 0.02;
/// What is not at rest so long after its ramp is held by somebody else.
const PATIENCE_S: f64 = 1.0;

/// A motion that comes to rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stop {
    reaction: Reaction,
    deceleration: f64,
    position: f64,
    velocity: f64,
    torque_nm: f64,
    rest: f64,
    waited_s: f64,
    pub(super) done: bool,
}

impl Stop {
    /// From a position and a velocity on, on a ramp of so many units/s², or with so much torque.
    pub(super) fn new(
        reaction: Reaction,
        (position, velocity): (f64, f64),
        deceleration: f64,
        torque_nm: f64,
        units_per_revolution: f64,
    ) -> Self {
        Self {
            reaction,
            deceleration: deceleration.max(1.0),
            position,
            velocity,
            torque_nm,
            rest: REST_REVOLUTIONS_PER_S * units_per_revolution,
            waited_s: 0.0,
            done: reaction == Reaction::Coast,
        }
    }

    /// Whether the power goes at once.
    pub(super) fn coasts(&self) -> bool {
        self.reaction == Reaction::Coast
    }

    /// Whether the motor's peak counts, and not what the objects allow.
    pub(super) fn takes_all(&self) -> bool {
        !self.done && self.reaction == Reaction::VoltageLimit
    }

    /// One tick. At its end it holds where it came to rest.
    pub(super) fn step(&mut self, actual: (f64, f64)) -> Demand {
        if self.done {
            return Demand::position(self.position, 0.0);
        }
        if matches!(self.reaction, Reaction::CurrentLimit | Reaction::VoltageLimit) {
            if actual.1.abs() <= self.rest || actual.1 * self.velocity < 0.0 {
                (self.position, self.done) = (actual.0, true);
                return Demand::position(self.position, 0.0);
            }
            self.velocity = actual.1;
            return Demand::torque(-self.torque_nm.copysign(actual.1));
        }
        let step = self.deceleration * TICK_S;
        self.velocity -= self.velocity.clamp(-step, step);
        self.position += self.velocity * TICK_S;
        if self.velocity == 0.0 {
            self.waited_s += TICK_S;
            self.done = actual.1.abs() <= self.rest || self.waited_s >= PATIENCE_S;
        }
        Demand::position(self.position, self.velocity)
    }
}
