//! Cyclic synchronous position: a straight line to every new target in the time of 0x60C2, and velocity from its slope.

use super::super::controller::Demand;
use super::super::plant::TICK_S;
use super::View;

/// The line that the axis is on.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Csp {
    target: f64,
    position: f64,
    velocity: f64,
    rest_s: f64,
    /// The target lies beyond the limits.
    pub(in super::super) limited: bool,
}

impl Csp {
    pub(in super::super) fn enter(&mut self, view: &View<'_>) {
        *self = Self { target: view.demand.0, position: view.demand.0, ..Self::default() };
    }

    /// A set point did not come: it goes on as before for another period.
    pub(in super::super) fn miss(&mut self, view: &View<'_>) {
        let period_s = view.parameters.interpolation_s();
        self.rest_s = period_s;
        self.target = self.position + self.velocity * period_s;
    }

    /// Set points have come.
    pub(in super::super) fn take(&mut self, view: &View<'_>) {
        let commands = view.commands;
        let wanted = view.target(commands.target_position) + commands.position_offset;
        let target = view.limits.position(wanted);
        self.limited = target != wanted;
        if target != self.target {
            let period_s = view.parameters.interpolation_s();
            self.target = target;
            self.rest_s = period_s;
            self.velocity = (target - self.position) / period_s;
        }
    }

    pub(in super::super) fn tick(&mut self, view: &View<'_>) -> Demand {
        // Half a tick more or less is rounding.
        if self.rest_s > 1.5 * TICK_S {
            self.rest_s -= TICK_S;
            self.position += self.velocity * TICK_S;
        } else {
            if self.rest_s <= 0.0 {
                self.velocity = 0.0;
            }
            (self.position, self.rest_s) = (self.target, 0.0);
        }
        let mut demand =
            Demand::position(self.position, self.velocity + view.commands.velocity_offset);
        demand.torque_nm = view.commands.torque_offset * view.rated_nm * 1e-3;
        if view.limits.forbid(self.target - view.actual.0) {
            // At a limit switch: it holds where it is until the target is behind it.
            demand = Demand::position(view.demand.0, 0.0);
            self.limited = true;
        }
        demand
    }
}
