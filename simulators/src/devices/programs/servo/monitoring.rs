//! What a drive watches while it moves: following error, target reached, velocity reached, standstill.
//!
//! IEC 61800-7-201: a window counts for its time without a break. 0 and 0xFFFFFFFF switch the following error and the
//! position window off.

use super::objects::{Parameter, Parameters};
use super::plant::TICK_S;

/// For how long something has been so.
#[derive(Clone, Copy, Debug, Default)]
struct Since(f64);

impl Since {
    /// One tick; whether it is so for at least `ms`.
    fn tick(&mut self, is_so: bool, ms: f64) -> bool {
        self.0 = if is_so { self.0 + TICK_S } else { 0.0 };
        is_so && self.0 * 1e3 >= ms
    }
}

/// What is watched.
#[derive(Clone, Debug, Default)]
pub(super) struct Monitoring {
    following: Since,
    position: Since,
    velocity: Since,
    moving: Since,
    /// The following error has been outside its window for its time.
    pub(super) lost: bool,
    pub(super) position_reached: bool,
    pub(super) velocity_reached: bool,
    pub(super) moves: bool,
}

impl Monitoring {
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// One tick. `error` is the following error, `rest` how far the target is away, `difference` that of velocities.
    pub(super) fn tick(
        &mut self,
        parameters: &Parameters,
        error: Option<f64>,
        rest: f64,
        difference: f64,
        velocity: f64,
    ) {
        let outside = match (error, parameters.window(Parameter::FollowingErrorWindow)) {
            (Some(error), Some(window)) => error.abs() > window,
            _ => false,
        };
        let timeout_ms = parameters.real(Parameter::FollowingErrorTimeout);
        self.lost = self.following.tick(outside, timeout_ms);
        // Without a window the target is reached when the set point is there.
        let window = parameters.window(Parameter::PositionWindow).unwrap_or(f64::INFINITY);
        let time_ms = parameters.real(Parameter::PositionWindowTime);
        self.position_reached = self.position.tick(rest.abs() <= window, time_ms);
        let window = parameters.real(Parameter::VelocityWindow);
        let time_ms = parameters.real(Parameter::VelocityWindowTime);
        self.velocity_reached = self.velocity.tick(difference.abs() <= window, time_ms);
        let threshold = parameters.real(Parameter::VelocityThreshold);
        let time_ms = parameters.real(Parameter::VelocityThresholdTime);
        self.moves = self.moving.tick(velocity.abs() > threshold, time_ms);
    }

    /// A new target: what was reached is not any more.
    pub(super) fn restart_position(&mut self) {
        (self.position, self.position_reached) = (Since::default(), false);
    }
}
