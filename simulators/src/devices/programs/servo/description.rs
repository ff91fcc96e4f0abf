//! What a user says of a servo drive.

use serde::Deserialize;

use super::modes::Mode;
use crate::description::DescriptionError;

/// A servo drive: the motor that it drives, what hangs on it, and what it looks at.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServoDescription {
    /// Axes, 1 or 2; the objects of the second one stand 0x800 higher.
    pub axes: u8,
    /// Modes that it has.
    pub modes: Vec<Mode>,
    /// The motor.
    pub motor: MotorDescription,
    /// What the motor moves, beside its own rotor.
    pub load: LoadDescription,
    /// What tells the position.
    pub encoder: EncoderDescription,
    /// How it is tuned.
    pub control: ControlDescription,
    /// Switches along the way, in position units of the machine: those of power-on.
    pub switches: SwitchesDescription,
    /// Where the way ends.
    pub stops: StopsDescription,
    /// A brake that holds the motor while it has no power.
    pub brake: Option<BrakeDescription>,
    /// Where the axis stands at power-on, in position units.
    pub start_position: f64,
    /// It faults when so many set points are missing at SYNC0, one after another; 0: never.
    pub missed_set_points: u16,
}

impl Default for ServoDescription {
    fn default() -> Self {
        Self {
            axes: 1,
            modes: Mode::ALL.to_vec(),
            motor: MotorDescription::default(),
            load: LoadDescription::default(),
            encoder: EncoderDescription::default(),
            control: ControlDescription::default(),
            switches: SwitchesDescription::default(),
            stops: StopsDescription::default(),
            brake: None,
            start_position: 0.0,
            // An AX5000 faults when two are missing, one after another.
            missed_set_points: 2,
        }
    }
}

/// A motor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MotorDescription {
    /// Inertia of the rotor.
    pub inertia_kg_m2: f64,
    /// Torque that it gives for good; 1000 in objects of torque.
    pub rated_torque_nm: f64,
    /// The most that it gives for a moment.
    pub peak_torque_nm: f64,
    /// Torque of one ampere, and voltage of one rad/s.
    pub torque_constant_nm_per_a: f64,
    /// Resistance of the winding.
    pub resistance_ohm: f64,
    /// Inductance of the winding.
    pub inductance_mh: f64,
    /// Voltage of the DC link.
    pub bus_voltage_v: f64,
}

impl Default for MotorDescription {
    fn default() -> Self {
        Self {
            inertia_kg_m2: 5e-5,
            rated_torque_nm: 1.0,
            peak_torque_nm: 3.0,
            torque_constant_nm_per_a: 0.5,
            resistance_ohm: 2.0,
            inductance_mh: 8.0,
            bus_voltage_v: 320.0,
        }
    }
}

/// A load.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LoadDescription {
    /// Inertia.
    pub inertia_kg_m2: f64,
    /// Friction that grows with the speed.
    pub viscous_nm_s_per_rad: f64,
    /// Friction that does not.
    pub coulomb_nm: f64,
    /// A torque that acts towards negative positions, as gravity does.
    pub torque_nm: f64,
}

impl Default for LoadDescription {
    fn default() -> Self {
        Self { inertia_kg_m2: 5e-5, viscous_nm_s_per_rad: 1e-4, coulomb_nm: 0.02, torque_nm: 0.0 }
    }
}

/// An encoder, and the units that positions are told in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EncoderDescription {
    /// What it can tell apart in a revolution (0x608F).
    pub counts_per_revolution: u32,
    /// By how much a count may be off, either way.
    pub noise_counts: f64,
    /// Position units of a revolution (0x6092).
    pub units_per_revolution: u32,
    /// Where in a revolution the index is, in position units.
    pub index_position: f64,
}

impl Default for EncoderDescription {
    fn default() -> Self {
        Self {
            counts_per_revolution: 1 << 20,
            noise_counts: 0.0,
            units_per_revolution: 1 << 16,
            index_position: 0.0,
        }
    }
}

/// How the controllers are tuned; gains follow from bandwidths and the inertia.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ControlDescription {
    /// PI controller of the current.
    pub current_bandwidth_hz: f64,
    /// PI controller of the velocity.
    pub velocity_bandwidth_hz: f64,
    /// P controller of the position.
    pub position_bandwidth_hz: f64,
    /// Share of the demanded velocity that goes past the position controller, 0 to 1.
    pub velocity_feed_forward: f64,
    /// How fast the demanded torque may change; 0: at once.
    pub torque_slew_nm_per_ms: f64,
}

impl Default for ControlDescription {
    fn default() -> Self {
        Self {
            current_bandwidth_hz: 800.0,
            velocity_bandwidth_hz: 100.0,
            position_bandwidth_hz: 15.0,
            velocity_feed_forward: 1.0,
            torque_slew_nm_per_ms: 0.0,
        }
    }
}

/// Switches along the way; those that are not said are not there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SwitchesDescription {
    /// On at this position and below it.
    pub negative_limit: Option<f64>,
    /// On at this position and above it.
    pub positive_limit: Option<f64>,
    /// On between two positions.
    pub home: Option<RangeDescription>,
    /// Inputs of touch probes 1 and 2.
    pub probes: Vec<RangeDescription>,
}

/// From one position to another.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RangeDescription {
    /// Lower end.
    pub from: f64,
    /// Upper end.
    pub to: f64,
}

/// Where nothing goes on.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StopsDescription {
    /// Lower end of the way.
    pub negative: Option<f64>,
    /// Upper end of the way.
    pub positive: Option<f64>,
}

/// A brake.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BrakeDescription {
    /// What it holds.
    pub torque_nm: f64,
    /// How long it takes to open; the drive waits for it on the way to operation enabled.
    pub release_ms: f64,
}

impl Default for BrakeDescription {
    fn default() -> Self {
        Self { torque_nm: 2.0, release_ms: 25.0 }
    }
}

impl ServoDescription {
    /// Looks for values that no machine has.
    ///
    /// # Errors
    /// With the place below the program.
    pub fn check(&self) -> Result<(), DescriptionError> {
        let refused = |path: &str, message: &str| {
            Err(DescriptionError::new(path.to_owned(), message.to_owned()))
        };
        if !(1..=2).contains(&self.axes) {
            return refused("/axes", "a drive has 1 or 2 axes");
        }
        if self.modes.is_empty() {
            return refused("/modes", "a drive has at least one mode");
        }
        let (motor, load, control) = (&self.motor, &self.load, &self.control);
        let positive = [
            ("/motor/inertiaKgM2", motor.inertia_kg_m2),
            ("/motor/ratedTorqueNm", motor.rated_torque_nm),
            ("/motor/peakTorqueNm", motor.peak_torque_nm),
            ("/motor/torqueConstantNmPerA", motor.torque_constant_nm_per_a),
            ("/motor/resistanceOhm", motor.resistance_ohm),
            ("/motor/inductanceMh", motor.inductance_mh),
            ("/motor/busVoltageV", motor.bus_voltage_v),
            ("/encoder/countsPerRevolution", f64::from(self.encoder.counts_per_revolution)),
            ("/encoder/unitsPerRevolution", f64::from(self.encoder.units_per_revolution)),
            ("/control/currentBandwidthHz", control.current_bandwidth_hz),
            ("/control/velocityBandwidthHz", control.velocity_bandwidth_hz),
            ("/control/positionBandwidthHz", control.position_bandwidth_hz),
        ];
        if let Some((path, _)) =
            positive.into_iter().find(|(_, value)| !(1e-12..1e12).contains(value))
        {
            return refused(path, "is a number above 0");
        }
        let not_negative = [
            ("/load/inertiaKgM2", load.inertia_kg_m2),
            ("/load/viscousNmSPerRad", load.viscous_nm_s_per_rad),
            ("/load/coulombNm", load.coulomb_nm),
            ("/encoder/noiseCounts", self.encoder.noise_counts),
            ("/control/torqueSlewNmPerMs", control.torque_slew_nm_per_ms),
            ("/brake/torqueNm", self.brake.as_ref().map_or(0.0, |brake| brake.torque_nm)),
            ("/brake/releaseMs", self.brake.as_ref().map_or(0.0, |brake| brake.release_ms)),
        ];
        if let Some((path, _)) =
            not_negative.into_iter().find(|(_, value)| !(0.0..1e9).contains(value))
        {
            return refused(path, "is a number from 0");
        }
        // Above, the loops are no longer stable at the period in which they run.
        for (path, value, most) in [
            ("/control/currentBandwidthHz", control.current_bandwidth_hz, 1_500.0),
            ("/control/velocityBandwidthHz", control.velocity_bandwidth_hz, 250.0),
            ("/control/positionBandwidthHz", control.position_bandwidth_hz, 60.0),
            ("/control/velocityFeedForward", control.velocity_feed_forward, 1.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return refused(path, &format!("is at most {most}"));
            }
        }
        if self.switches.probes.len() > 2 {
            return refused("/switches/probes", "there are two touch probes");
        }
        Ok(())
    }
}
