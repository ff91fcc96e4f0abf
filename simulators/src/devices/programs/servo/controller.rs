//! P position → PI velocity → PI current, once a tick; and the encoder that closes the loops.

use std::f64::consts::TAU;

use super::description::ServoDescription;
use super::plant::{Plant, TICK_S};
use crate::esc::mixed;

/// Time constant of the filter behind the encoder, in s: velocities are differences of counts.
const VELOCITY_FILTER_S: f64 = 2e-4;
/// The velocity controller's integral time in units of 1/bandwidth: both poles at half the bandwidth.
const INTEGRAL_TIME: f64 = 4.0;

/// What the controllers are to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loop {
    /// Position, with what is known of velocity and torque.
    Position,
    /// Velocity.
    Velocity,
    /// Torque.
    Torque,
}

/// A set point of the controllers: position in units of the machine, velocity in units/s, torque in Nm. What the loop
/// does not control is added on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Which of the three is controlled.
    pub control: Loop,
    /// Position.
    pub position: f64,
    /// Velocity.
    pub velocity: f64,
    /// Torque.
    pub torque_nm: f64,
}

impl Demand {
    /// To be at a position, moving.
    pub(super) const fn position(position: f64, velocity: f64) -> Self {
        Self { control: Loop::Position, position, velocity, torque_nm: 0.0 }
    }

    /// To move.
    pub(super) const fn velocity(velocity: f64) -> Self {
        Self { control: Loop::Velocity, position: 0.0, velocity, torque_nm: 0.0 }
    }

    /// To push.
    pub(super) const fn torque(torque_nm: f64) -> Self {
        Self { control: Loop::Torque, position: 0.0, velocity: 0.0, torque_nm }
    }
}

/// What the encoder tells: in units of the machine, and in counts.
#[derive(Clone, Debug)]
pub struct Encoder {
    counts_per_rad: f64,
    units_per_count: f64,
    noise_counts: f64,
    seed: u64,
    counts: i64,
    /// Position in units.
    pub position: f64,
    /// Filtered velocity in units/s.
    pub velocity: f64,
}

impl Encoder {
    pub(super) fn new(settings: &ServoDescription, seed: u64, plant: &Plant) -> Self {
        let counts = f64::from(settings.encoder.counts_per_revolution);
        let mut encoder = Self {
            counts_per_rad: counts / TAU,
            units_per_count: f64::from(settings.encoder.units_per_revolution) / counts,
            noise_counts: settings.encoder.noise_counts,
            seed,
            counts: 0,
            position: 0.0,
            velocity: 0.0,
        };
        encoder.sample(plant, 0);
        encoder.velocity = 0.0;
        encoder
    }

    /// Reads what turns. The noise is a function of seed and tick alone.
    pub(super) fn sample(&mut self, plant: &Plant, tick: u64) {
        let noise = if self.noise_counts > 0.0 {
            let uniform = (mixed(self.seed ^ mixed(tick)) >> 11) as f64 / (1u64 << 53) as f64;
            self.noise_counts * (2.0 * uniform - 1.0)
        } else {
            0.0
        };
        let counts = (plant.angle_rad * self.counts_per_rad + noise).floor() as i64;
        let velocity = (counts - self.counts) as f64 * self.units_per_count / TICK_S;
        self.velocity += (velocity - self.velocity) * TICK_S / (TICK_S + VELOCITY_FILTER_S);
        self.counts = counts;
        self.position = counts as f64 * self.units_per_count;
    }

    /// What it counts, as 0x6063 has it.
    pub(super) const fn counts(&self) -> i64 {
        self.counts
    }
}

/// The cascade.
#[derive(Clone, Debug)]
pub struct Controller {
    rad_per_unit: f64,
    position_gain: f64,
    feed_forward: f64,
    velocity_gain: f64,
    velocity_integral_gain: f64,
    current_gain: f64,
    current_integral_gain: f64,
    torque_constant: f64,
    voltage_max: f64,
    slew_nm: f64,
    torque_integral_nm: f64,
    voltage_integral: f64,
    /// Torque that is demanded of the winding.
    pub torque_nm: f64,
    /// Whether the limits of torque hold it back.
    pub saturated: bool,
}

impl Controller {
    pub(super) fn new(settings: &ServoDescription) -> Self {
        let (motor, control) = (&settings.motor, &settings.control);
        let inertia = motor.inertia_kg_m2 + settings.load.inertia_kg_m2;
        let [current, velocity, position] = [
            control.current_bandwidth_hz,
            control.velocity_bandwidth_hz,
            control.position_bandwidth_hz,
        ]
        .map(|hz| hz * TAU);
        let velocity_gain = inertia * velocity;
        let slew = control.torque_slew_nm_per_ms * TICK_S * 1e3;
        Self {
            rad_per_unit: TAU / f64::from(settings.encoder.units_per_revolution),
            position_gain: position,
            feed_forward: control.velocity_feed_forward,
            velocity_gain,
            velocity_integral_gain: velocity_gain * velocity / INTEGRAL_TIME,
            current_gain: motor.inductance_mh * 1e-3 * current,
            current_integral_gain: motor.resistance_ohm * current,
            torque_constant: motor.torque_constant_nm_per_a,
            voltage_max: motor.bus_voltage_v,
            slew_nm: if slew > 0.0 { slew } else { f64::INFINITY },
            torque_integral_nm: 0.0,
            voltage_integral: 0.0,
            torque_nm: 0.0,
            saturated: false,
        }
    }

    /// Forgets what it has integrated, as the power stage goes on or off.
    pub(super) fn reset(&mut self) {
        (self.torque_integral_nm, self.voltage_integral) = (0.0, 0.0);
        (self.torque_nm, self.saturated) = (0.0, false);
    }

    /// The voltage of this tick. `limits_nm` are the most in either direction, `velocity_max` in units/s.
    pub(super) fn step(
        &mut self,
        demand: &Demand,
        encoder: &Encoder,
        current_a: f64,
        limits_nm: [f64; 2],
        velocity_max: f64,
    ) -> f64 {
        let wanted = match demand.control {
            Loop::Torque => demand.torque_nm,
            Loop::Position => {
                let error = demand.position - encoder.position;
                let velocity = self.position_gain * error + self.feed_forward * demand.velocity;
                self.velocity(
                    velocity.clamp(-velocity_max, velocity_max),
                    encoder,
                    demand.torque_nm,
                )
            }
            Loop::Velocity => self.velocity(
                demand.velocity.clamp(-velocity_max, velocity_max),
                encoder,
                demand.torque_nm,
            ),
        };
        let [negative, positive] = limits_nm;
        let limited = wanted.clamp(-negative, positive);
        let slewed = limited.clamp(self.torque_nm - self.slew_nm, self.torque_nm + self.slew_nm);
        self.saturated = limited != wanted;
        if demand.control == Loop::Torque {
            self.torque_integral_nm = 0.0;
        } else if slewed != wanted {
            // Anti-windup: the integral is what makes the demand just reach the limit.
            let excess = wanted - slewed;
            let integral = self.torque_integral_nm - excess;
            if self.torque_integral_nm * excess > 0.0 {
                self.torque_integral_nm =
                    if integral * self.torque_integral_nm < 0.0 { 0.0 } else { integral };
            }
        }
        self.torque_nm = slewed;
        self.current(slewed / self.torque_constant, current_a, encoder.velocity)
    }

    fn velocity(&mut self, wanted: f64, encoder: &Encoder, feed_forward_nm: f64) -> f64 {
        let error = (wanted - encoder.velocity) * self.rad_per_unit;
        self.torque_integral_nm += self.velocity_integral_gain * error * TICK_S;
        self.velocity_gain * error + self.torque_integral_nm + feed_forward_nm
    }

    fn current(&mut self, wanted_a: f64, current_a: f64, velocity: f64) -> f64 {
        let error = wanted_a - current_a;
        let emf = self.torque_constant * velocity * self.rad_per_unit;
        let integral = self.voltage_integral + self.current_integral_gain * error * TICK_S;
        let voltage = self.current_gain * error + integral + emf;
        let possible = voltage.clamp(-self.voltage_max, self.voltage_max);
        if possible == voltage {
            self.voltage_integral = integral;
        }
        possible
    }
}
