//! A stepper motor: a rotor on the spring of its field. Where the torque that it needs is more than the spring has, it falls
//! four full steps behind: steps are lost as they are in a real one, not by a rule.

use std::f64::consts::TAU;

use super::super::servo::plant::{Plant, TICK_S};
use super::super::servo::{EncoderDescription, MotorDescription, ServoDescription};
use super::description::{StepperDescription, StepperMotorDescription};

/// Full steps of one period of the field.
const FULL_STEPS_OF_PERIOD: f64 = 4.0;
/// Damping of the rotor against its field, as a share of the critical one.
const DAMPING: f64 = 0.3;
/// Microsteps of a full step.
pub(super) const MICROSTEPS: f64 = 64.0;

/// The motor and what it moves.
#[derive(Clone, Debug)]
pub(super) struct Motor {
    description: StepperMotorDescription,
    inertia_kg_m2: f64,
    plant: Plant,
    full_steps: f64,
    /// Where the field is, in microsteps.
    pub(super) field: f64,
}

impl Motor {
    pub(super) fn new(settings: &StepperDescription, full_steps: f64) -> Self {
        let motor = &settings.stepper_motor;
        let plant = Plant::new(&ServoDescription {
            motor: MotorDescription {
                inertia_kg_m2: motor.inertia_kg_m2,
                ..MotorDescription::default()
            },
            load: settings.load.clone(),
            stops: settings.stops.clone(),
            encoder: EncoderDescription {
                units_per_revolution: (full_steps * MICROSTEPS) as u32,
                ..EncoderDescription::default()
            },
            ..ServoDescription::default()
        });
        Self {
            description: motor.clone(),
            inertia_kg_m2: motor.inertia_kg_m2 + settings.load.inertia_kg_m2,
            plant,
            full_steps,
            field: 0.0,
        }
    }

    /// Where the rotor is, in microsteps.
    pub(super) fn position(&self) -> f64 {
        self.plant.angle_rad / TAU * self.full_steps * MICROSTEPS
    }

    /// How fast the rotor is, in full steps a second.
    pub(super) fn velocity(&self) -> f64 {
        self.plant.speed_rad_s / TAU * self.full_steps
    }

    /// The field stands where the rotor is, to within its period.
    pub(super) fn align(&mut self) {
        self.field = self.position();
    }

    /// The power was away.
    pub(super) fn rest(&mut self) {
        self.plant.speed_rad_s = 0.0;
    }

    /// One tick with the field turning at so many full steps a second, and a current; 0: the stage is off.
    pub(super) fn step(&mut self, velocity: f64, current_a: f64) {
        self.field += velocity * MICROSTEPS * TICK_S;
        let motor = &self.description;
        if current_a <= 0.0 {
            self.plant.turn(0.0, false);
            return;
        }
        // The winding's inductance lets less current in, the faster the field turns.
        let fast = velocity / motor.corner_full_steps_per_s;
        let torque = motor.holding_torque_nm * current_a / motor.rated_current_a;
        let torque = torque / (1.0 + fast * fast).sqrt();
        let period = FULL_STEPS_OF_PERIOD * MICROSTEPS;
        let behind = (self.field - self.position()) / period * TAU;
        let poles = self.full_steps / FULL_STEPS_OF_PERIOD;
        let damping = 2.0 * DAMPING * (torque * poles * self.inertia_kg_m2).sqrt();
        let field_rad_s = velocity / self.full_steps * TAU;
        let pull = torque * behind.sin() + damping * (field_rad_s - self.plant.speed_rad_s);
        // Spring and damping together come from the same current.
        self.plant.turn(pull.clamp(-torque, torque), false);
    }
}
