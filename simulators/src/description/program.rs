//! What a device's microcontroller runs, as a user describes it.

use serde::Deserialize;

use crate::devices::programs::accelerometer::AccelerometerDescription;
use crate::devices::programs::analogue_inputs::AnalogueInputsDescription;
use crate::devices::programs::counter::CounterDescription;
use crate::devices::programs::encoder::EncoderDescription;
use crate::devices::programs::modular_coupler::ModularCouplerDescription;
use crate::devices::programs::oversampling::OversamplingDescription;
use crate::devices::programs::safety::SafetyDescription;
use crate::devices::programs::servo::ServoDescription;
use crate::devices::programs::ssi_encoder::SsiEncoderDescription;
use crate::devices::programs::stepper::StepperDescription;
use crate::devices::programs::stress::StressDescription;

/// A program by its kind. Each needs certain objects; a device without them refuses it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProgramDescription {
    /// Vibration at an input: a spectrum of lines, and noise.
    Accelerometer(AccelerometerDescription),
    /// Converters that take several samples a cycle.
    Oversampling(OversamplingDescription),
    /// Converters with filters, calibration, scales and limits behind inputs 0x60n0:11.
    AnalogueInputs(AnalogueInputsDescription),
    /// A CiA 402 drive with its motor and machine. Needs at least control- and statusword.
    Servo(Box<ServoDescription>),
    /// An up/down counter with an output.
    Counter(CounterDescription),
    /// What a coupler does with its modules.
    ModularCoupler(ModularCouplerDescription),
    /// An incremental encoder.
    Encoder(EncoderDescription),
    /// Misbehaves on command.
    Stress(StressDescription),
    /// An absolute encoder.
    SsiEncoder(SsiEncoderDescription),
    /// Safe inputs and outputs behind FSoE; no safety function.
    Safety(SafetyDescription),
    /// A stepper terminal with its motor. Needs 0x6010 and 0x7010 of EL70x1.
    Stepper(Box<StepperDescription>),
}
