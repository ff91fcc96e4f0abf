//! Ramps and trapezoids: how a velocity or a position is reached in ticks.

use super::plant::TICK_S;

/// What a motion may do, in units/s and units/s².
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) velocity: f64,
    pub(super) acceleration: f64,
    pub(super) deceleration: f64,
}

/// The velocity of the next tick on the way to `target`.
pub(super) fn ramp(velocity: f64, target: f64, acceleration: f64, deceleration: f64) -> f64 {
    let slows = velocity * target < 0.0 || target.abs() < velocity.abs();
    if !slows {
        let step = acceleration * TICK_S;
        return velocity + (target - velocity).clamp(-step, step);
    }
    let step = deceleration * TICK_S;
    // Through zero it is a deceleration first, and an acceleration from there on.
    let least = if velocity * target < 0.0 { 0.0 } else { target };
    velocity + (least - velocity).clamp(-step, step)
}

/// A position on a trapezoid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Trapezoid {
    pub(super) position: f64,
    pub(super) velocity: f64,
}

impl Trapezoid {
    /// One tick towards `target`; whether it is there and stands. With `on`, it goes through the target without
    /// slowing down.
    pub(super) fn step(&mut self, target: f64, bounds: Bounds, on: bool) -> bool {
        let rest = target - self.position;
        let Bounds { velocity, acceleration, deceleration } = bounds;
        let quantum = deceleration * TICK_S * TICK_S;
        if !on && rest.abs() <= quantum && self.velocity.abs() <= 2.0 * deceleration * TICK_S {
            (self.position, self.velocity) = (target, 0.0);
            return true;
        }
        // From v, ticks of v, v − a·T, … cover v²/(2a) + v·T/2.
        let half = deceleration * TICK_S / 2.0;
        let stoppable = (half * half + 2.0 * deceleration * rest.abs()).sqrt() - half;
        let most = if on { velocity } else { velocity.min(stoppable) };
        self.velocity = ramp(self.velocity, most.copysign(rest), acceleration, deceleration);
        self.position += self.velocity * TICK_S;
        false
    }
}
