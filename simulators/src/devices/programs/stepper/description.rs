//! What a user says of a stepper terminal's motor and machine.

use serde::Deserialize;

use super::super::servo::{LoadDescription, RangeDescription, StopsDescription};
use crate::description::DescriptionError;

/// A stepper terminal: motor, load, and what is wired to its inputs. Positions are in microsteps, 64 a full step.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StepperDescription {
    /// The motor.
    pub stepper_motor: StepperMotorDescription,
    /// What it moves.
    pub load: LoadDescription,
    /// Where the way ends.
    pub stops: StopsDescription,
    /// Digital inputs 1 and 2: on between two positions.
    pub inputs: Vec<RangeDescription>,
    /// The latch input: on between two positions.
    pub latch: Option<RangeDescription>,
    /// Voltage of the motor's supply.
    pub supply_voltage_v: f64,
}

impl Default for StepperDescription {
    fn default() -> Self {
        Self {
            stepper_motor: StepperMotorDescription::default(),
            load: LoadDescription { inertia_kg_m2: 5e-5, ..LoadDescription::default() },
            stops: StopsDescription::default(),
            inputs: Vec::new(),
            latch: None,
            supply_voltage_v: 50.0,
        }
    }
}

/// A stepper motor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StepperMotorDescription {
    /// Inertia of the rotor.
    pub inertia_kg_m2: f64,
    /// What it holds with its rated current.
    pub holding_torque_nm: f64,
    /// That current.
    pub rated_current_a: f64,
    /// Full steps a second at which the torque has fallen to 71 %.
    pub corner_full_steps_per_s: f64,
}

impl Default for StepperMotorDescription {
    fn default() -> Self {
        Self {
            inertia_kg_m2: 5e-5,
            holding_torque_nm: 1.2,
            rated_current_a: 5.0,
            corner_full_steps_per_s: 4_000.0,
        }
    }
}

impl StepperDescription {
    /// Looks for values that no machine has.
    ///
    /// # Errors
    /// With the place below the program.
    pub fn check(&self) -> Result<(), DescriptionError> {
        let motor = &self.stepper_motor;
        let positive = [
            ("/stepperMotor/inertiaKgM2", motor.inertia_kg_m2),
            ("/stepperMotor/holdingTorqueNm", motor.holding_torque_nm),
            ("/stepperMotor/ratedCurrentA", motor.rated_current_a),
            ("/stepperMotor/cornerFullStepsPerS", motor.corner_full_steps_per_s),
            ("/supplyVoltageV", self.supply_voltage_v),
        ];
        if let Some((path, _)) =
            positive.into_iter().find(|(_, value)| !(1e-9..1e9).contains(value))
        {
            return Err(DescriptionError::new(path, "is a number above 0"));
        }
        let load = &self.load;
        let not_negative = [
            ("/load/inertiaKgM2", load.inertia_kg_m2),
            ("/load/viscousNmSPerRad", load.viscous_nm_s_per_rad),
            ("/load/coulombNm", load.coulomb_nm),
        ];
        if let Some((path, _)) =
            not_negative.into_iter().find(|(_, value)| !(0.0..1e9).contains(value))
        {
            return Err(DescriptionError::new(path, "is a number from 0"));
        }
        if self.inputs.len() > 2 {
            return Err(DescriptionError::new("/inputs", "there are two digital inputs"));
        }
        // The rotor swings about its field; faster, a tick is too long for it.
        let inertia = motor.inertia_kg_m2 + load.inertia_kg_m2;
        if (50.0 * motor.holding_torque_nm / inertia).sqrt() > 4_000.0 {
            let message = "is too large for so little inertia: the rotor would swing faster than \
                           it is calculated";
            return Err(DescriptionError::new("/stepperMotor/holdingTorqueNm", message));
        }
        Ok(())
    }
}
