//! Motor, load, brake and end stops: what turns.
//!
//! A winding behind a voltage, an inertia with Coulomb and viscous friction, and a constant torque. Every step is the
//! same [`TICK_NS`], counted on the segment's clock, so that what turns depends on time alone.

use std::f64::consts::TAU;

use super::description::{ServoDescription, StopsDescription};

/// Period of the controllers and of the plant.
pub const TICK_NS: u64 = 62_500;
/// The same in seconds.
pub const TICK_S: f64 = TICK_NS as f64 * 1e-9;

/// What turns.
#[derive(Clone, Debug)]
pub struct Plant {
    inertia_kg_m2: f64,
    viscous_nm_s_per_rad: f64,
    coulomb_nm: f64,
    load_nm: f64,
    brake_nm: f64,
    torque_constant_nm_per_a: f64,
    resistance_ohm: f64,
    bus_voltage_v: f64,
    /// What is left of a current after a tick without voltage.
    decay: f64,
    stops_rad: [f64; 2],
    /// Position.
    pub angle_rad: f64,
    /// Speed.
    pub speed_rad_s: f64,
    /// Current of the winding.
    pub current_a: f64,
}

impl Plant {
    /// At rest where the axis stands at power-on.
    #[must_use]
    pub fn new(settings: &ServoDescription) -> Self {
        let (motor, load) = (&settings.motor, &settings.load);
        let rad_per_unit = TAU / f64::from(settings.encoder.units_per_revolution);
        let StopsDescription { negative, positive } = settings.stops;
        Self {
            inertia_kg_m2: motor.inertia_kg_m2 + load.inertia_kg_m2,
            viscous_nm_s_per_rad: load.viscous_nm_s_per_rad,
            coulomb_nm: load.coulomb_nm,
            load_nm: load.torque_nm,
            brake_nm: settings.brake.as_ref().map_or(0.0, |brake| brake.torque_nm),
            torque_constant_nm_per_a: motor.torque_constant_nm_per_a,
            resistance_ohm: motor.resistance_ohm,
            bus_voltage_v: motor.bus_voltage_v,
            decay: (-TICK_S * motor.resistance_ohm / (motor.inductance_mh * 1e-3)).exp(),
            stops_rad: [
                negative.map_or(f64::NEG_INFINITY, |at| at * rad_per_unit),
                positive.map_or(f64::INFINITY, |at| at * rad_per_unit),
            ],
            angle_rad: settings.start_position * rad_per_unit,
            speed_rad_s: 0.0,
            current_a: 0.0,
        }
    }

    /// Stands still and without current, as after a loss of power.
    pub(super) fn at_rest(self) -> Self {
        Self { speed_rad_s: 0.0, current_a: 0.0, ..self }
    }

    /// One tick. Without a voltage the power stage is off, and the current is gone at once.
    pub fn step(&mut self, voltage: Option<f64>, braked: bool) {
        let before_a = self.current_a;
        self.current_a = voltage.map_or(0.0, |voltage| {
            let voltage = voltage.clamp(-self.bus_voltage_v, self.bus_voltage_v);
            let towards_a =
                (voltage - self.torque_constant_nm_per_a * self.speed_rad_s) / self.resistance_ohm;
            towards_a + (before_a - towards_a) * self.decay
        });
        let mean_a = if voltage.is_some() { (before_a + self.current_a) / 2.0 } else { 0.0 };
        self.turn(self.torque_constant_nm_per_a * mean_a, braked);
    }

    /// One tick with this torque of the motor.
    pub fn turn(&mut self, motor_nm: f64, braked: bool) {
        let drive_nm = motor_nm - self.load_nm;
        let friction_nm = self.coulomb_nm + if braked { self.brake_nm } else { 0.0 };
        let before = self.speed_rad_s;
        let direction = if before == 0.0 { drive_nm } else { before };
        let holds = drive_nm.abs() <= friction_nm;
        let after = if before == 0.0 && holds {
            0.0
        } else {
            let torque_nm = drive_nm - friction_nm.copysign(direction);
            let gain = TICK_S / self.inertia_kg_m2;
            let after = (before + torque_nm * gain) / (1.0 + self.viscous_nm_s_per_rad * gain);
            // Friction ends a motion; it begins none.
            if holds && after * before < 0.0 { 0.0 } else { after }
        };
        // The trapezoid keeps the balance of energy exact: ΔE = torque · Δangle.
        self.angle_rad += (before + after) / 2.0 * TICK_S;
        self.speed_rad_s = after;
        let [lowest, highest] = self.stops_rad;
        if self.angle_rad < lowest || self.angle_rad > highest {
            self.angle_rad = self.angle_rad.clamp(lowest, highest);
            self.speed_rad_s = 0.0;
        }
    }

    /// Torque of the motor, without friction and load.
    #[must_use]
    pub fn torque_nm(&self) -> f64 {
        self.current_a * self.torque_constant_nm_per_a
    }

    /// Energy of what turns.
    #[must_use]
    pub fn energy_j(&self) -> f64 {
        self.inertia_kg_m2 * self.speed_rad_s * self.speed_rad_s / 2.0
    }
}
