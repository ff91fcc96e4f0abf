//! Profile velocity: ramps 0x6083 and 0x6084 to 0x60FF.

use super::super::controller::Demand;
use super::super::objects::Parameter;
use super::super::profile::ramp;
use super::View;

/// The ramp.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Pv {
    velocity: f64,
    pub(in super::super) limited: bool,
}

impl Pv {
    pub(in super::super) fn enter(&mut self, view: &View<'_>) {
        *self = Self { velocity: view.actual.1, limited: false };
    }

    pub(in super::super) fn tick(&mut self, view: &View<'_>) -> Demand {
        let most = view.parameters.real(Parameter::MaxProfileVelocity);
        let wanted = view.commands.target_velocity;
        let target = wanted.clamp(-most, most);
        let acceleration =
            view.parameters.real(Parameter::ProfileAcceleration).min(view.limits.acceleration);
        let deceleration =
            view.parameters.real(Parameter::ProfileDeceleration).min(view.limits.deceleration);
        let ramped = ramp(self.velocity, target, acceleration.max(1.0), deceleration.max(1.0));
        self.velocity = view.limits.velocity(ramped, view.actual.0);
        self.limited = target != wanted || self.velocity != ramped;
        Demand::velocity(self.velocity)
    }
}
