//! What holds a motion back: ends of the way in software and by switches, speeds, torques. Statusword bit 11 tells.

use super::objects::{Parameter, Parameters};
use super::switches::Signals;

/// The limits of an axis at this moment, in units of the machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    least: f64,
    greatest: f64,
    pub(super) velocity: f64,
    pub(super) acceleration: f64,
    pub(super) deceleration: f64,
    /// By which it gets to rest at an end of the way.
    quick_stop: f64,
    /// Torque in negative and positive direction, in Nm.
    pub(super) torque_nm: [f64; 2],
    no_way_down: bool,
    no_way_up: bool,
}

impl Limits {
    /// `zero` is where position 0 of the axis is. Software limits count as positions of the axis; one of which the lower
    /// end is not below the upper one is none.
    pub(super) fn new(
        parameters: &Parameters,
        zero: f64,
        units_per_revolution: f64,
        [rated_nm, peak_nm]: [f64; 2],
    ) -> Self {
        let (least, greatest) = (
            parameters.real(Parameter::LeastPosition),
            parameters.real(Parameter::GreatestPosition),
        );
        let (least, greatest) = if least < greatest
            && (least > f64::from(i32::MIN) || greatest < f64::from(i32::MAX))
        {
            (least + zero, greatest + zero)
        } else {
            (f64::NEG_INFINITY, f64::INFINITY)
        };
        let torque = |of_direction| {
            let most = parameters.real(Parameter::MaxTorque).min(parameters.real(of_direction));
            (most * rated_nm * 1e-3).min(peak_nm)
        };
        let motor = parameters.real(Parameter::MaxMotorSpeed) / 60.0 * units_per_revolution;
        Self {
            least,
            greatest,
            velocity: motor,
            acceleration: parameters.real(Parameter::MaxAcceleration),
            deceleration: parameters.real(Parameter::MaxDeceleration),
            quick_stop: parameters.real(Parameter::QuickStopDeceleration).max(1.0),
            torque_nm: [
                torque(Parameter::NegativeTorqueLimit),
                torque(Parameter::PositiveTorqueLimit),
            ],
            no_way_down: false,
            no_way_up: false,
        }
    }

    pub(super) fn with_signals(self, signals: Signals) -> Self {
        Self { no_way_down: signals.negative_limit, no_way_up: signals.positive_limit, ..self }
    }

    /// A position that the axis may go to.
    pub(super) fn position(&self, wanted: f64) -> f64 {
        wanted.clamp(self.least, self.greatest)
    }

    /// A velocity that lets it come to rest at the end of the way, on the ramp of a quick stop.
    pub(super) fn velocity(&self, wanted: f64, position: f64) -> f64 {
        let towards = |rest: f64| (2.0 * self.quick_stop * rest.max(0.0)).sqrt();
        let up = if self.no_way_up { 0.0 } else { towards(self.greatest - position) };
        let down = if self.no_way_down { 0.0 } else { towards(position - self.least) };
        wanted.clamp(-self.velocity, self.velocity).clamp(-down, up)
    }

    /// Whether a switch forbids to go on in the direction of a velocity.
    pub(super) fn forbid(&self, velocity: f64) -> bool {
        velocity < 0.0 && self.no_way_down || velocity > 0.0 && self.no_way_up
    }
}
