//! Profile position: set points by a handshake, one under way and one in waiting, on trapezoids.
//!
//! IEC 61800-7-201, "Profile position mode": controlword bits 4 (new set-point), 5 (change set immediately), 6 (relative),
//! 9 (change on set-point); statusword bits 10 (target reached), 12 (set-point acknowledge).

use super::super::controller::Demand;
use super::super::objects::Parameter;
use super::super::profile::{Bounds, Trapezoid};
use super::View;

const NEW_SET_POINT: u16 = 1 << 4;
const IMMEDIATELY: u16 = 1 << 5;
const RELATIVE: u16 = 1 << 6;
const ON_SET_POINT: u16 = 1 << 9;

/// A target with what it was given along.
#[derive(Clone, Copy, Debug, PartialEq)]
struct SetPoint {
    number: i32,
    relative: bool,
    velocity: f64,
    /// Whether the next one is begun without a stop.
    blend: bool,
}

/// The motion.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Pp {
    trapezoid: Trapezoid,
    target: f64,
    velocity: f64,
    moves: bool,
    waiting: Option<SetPoint>,
    last_bit: bool,
    pub(in super::super) acknowledges: bool,
    pub(in super::super) limited: bool,
    /// The profile has ended at its target.
    pub(in super::super) arrived: bool,
    /// A new target was begun in this tick.
    pub(in super::super) began: bool,
}

impl Pp {
    pub(in super::super) fn enter(&mut self, view: &View<'_>) {
        let (position, velocity) = view.demand;
        *self = Self {
            trapezoid: Trapezoid { position, velocity },
            target: position,
            // A level that is there already is no edge.
            last_bit: view.commands.controlword & NEW_SET_POINT != 0,
            arrived: true,
            ..Self::default()
        };
    }

    /// The demand stands where somebody else has left it: a halt, or a stop.
    pub(in super::super) fn resume(&mut self, view: &View<'_>) {
        (self.trapezoid.position, self.trapezoid.velocity) = view.demand;
    }

    pub(in super::super) fn target(&self) -> f64 {
        self.target
    }

    /// The handshake, also while the axis is halted.
    pub(in super::super) fn take(&mut self, view: &View<'_>) {
        let word = view.commands.controlword;
        let bit = word & NEW_SET_POINT != 0;
        let before = std::mem::replace(&mut self.last_bit, bit);
        self.began = false;
        if bit && !before {
            let set_point = SetPoint {
                number: view.commands.target_position,
                relative: word & RELATIVE != 0,
                velocity: view.parameters.real(Parameter::ProfileVelocity),
                blend: word & ON_SET_POINT != 0,
            };
            if word & IMMEDIATELY != 0 || !self.moves {
                self.waiting = None;
                self.begin(view, set_point);
                self.acknowledges = true;
            } else if self.waiting.is_none() {
                self.waiting = Some(set_point);
                self.acknowledges = true;
            }
            // With one in waiting there is no room: the acknowledgement stays, and the set point is lost.
        } else if !bit && self.waiting.is_none() {
            self.acknowledges = false;
        }
    }

    fn begin(&mut self, view: &View<'_>, set_point: SetPoint) {
        let wanted = if set_point.relative {
            self.target + f64::from(set_point.number)
        } else {
            view.target(set_point.number)
        };
        self.target = view.limits.position(wanted);
        self.limited = self.target != wanted;
        self.velocity = set_point.velocity;
        (self.moves, self.arrived, self.began) = (true, false, true);
    }

    pub(in super::super) fn tick(&mut self, view: &View<'_>) -> Demand {
        let parameters = view.parameters;
        let most = parameters.real(Parameter::MaxProfileVelocity).min(view.limits.velocity);
        let real = |parameter, most: f64| parameters.real(parameter).min(most).max(1.0);
        let bounds = Bounds {
            velocity: self.velocity.min(most).max(1.0),
            acceleration: real(Parameter::ProfileAcceleration, view.limits.acceleration),
            deceleration: real(Parameter::ProfileDeceleration, view.limits.deceleration),
        };
        if self.moves {
            let before = self.target - self.trapezoid.position;
            let blend = self.waiting.is_some_and(|next| next.blend);
            let arrives = self.trapezoid.step(self.target, bounds, blend);
            let passes = blend && (self.target - self.trapezoid.position) * before <= 0.0;
            if arrives || passes {
                self.moves = false;
                self.arrived = arrives;
                if let Some(next) = self.waiting.take() {
                    self.begin(view, next);
                }
            }
        }
        if view.limits.forbid(self.trapezoid.velocity) {
            // At a limit switch it comes to rest and forgets the target.
            self.trapezoid.velocity = 0.0;
            self.trapezoid.position = view.demand.0;
            (self.moves, self.waiting, self.limited) = (false, None, true);
        }
        Demand::position(self.trapezoid.position, self.trapezoid.velocity)
    }
}
