//! The programs that devices run, a file or folder a kind, and how a description becomes one.

pub(crate) mod accelerometer;
pub(crate) mod analogue_inputs;
pub(crate) mod counter;
pub(crate) mod encoder;
mod fields;
pub(crate) mod modular_coupler;
pub(crate) mod oversampling;
pub(crate) mod safety;
pub mod servo;
pub(crate) mod ssi_encoder;
pub(crate) mod stepper;
pub(crate) mod stress;

use super::DeviceImage;
use super::process_data::ProcessData;
use crate::description::{DescriptionError, ProgramDescription};
use crate::program::Program;

/// Gives a program's channels places of their own where what goes in is not what the process data show.
pub(super) fn add_fields(description: &ProgramDescription, process_data: &mut ProcessData) {
    match description {
        ProgramDescription::AnalogueInputs(_) => analogue_inputs::add_fields(process_data),
        ProgramDescription::Oversampling(_) => oversampling::add_fields(process_data),
        ProgramDescription::Safety(_) => safety::add_fields(process_data),
        ProgramDescription::Counter(_) => counter::add_fields(process_data),
        ProgramDescription::Encoder(_) => encoder::add_fields(process_data),
        ProgramDescription::SsiEncoder(_) => ssi_encoder::add_fields(process_data),
        _ => {}
    }
}

/// Makes the program of a device; `seed` is its own, made of that of the segment. Errors begin at `program`.
pub(super) fn program(
    description: &ProgramDescription,
    device: &DeviceImage,
    seed: u64,
) -> Result<Box<dyn Program>, DescriptionError> {
    let points = &device.profile.application.points;
    match description {
        ProgramDescription::Accelerometer(settings) => {
            accelerometer::program(settings, device, seed)
        }
        ProgramDescription::Oversampling(settings) => oversampling::program(settings, points, seed),
        ProgramDescription::Stress(_) => stress::program(points),
        ProgramDescription::Counter(_) => counter::program(points),
        ProgramDescription::ModularCoupler(_) => modular_coupler::program(device),
        ProgramDescription::Encoder(settings) => encoder::program(settings, points),
        ProgramDescription::SsiEncoder(settings) => ssi_encoder::program(settings, points),
        ProgramDescription::Safety(settings) => safety::program(settings, points, seed),
        ProgramDescription::AnalogueInputs(settings) => analogue_inputs::program(settings, points),
        ProgramDescription::Servo(settings) => servo::program(settings, device, seed),
        ProgramDescription::Stepper(settings) => stepper::program(settings, device),
    }
}

/// A device that has not what a program works with.
fn needs<T>(what: &str) -> Result<T, DescriptionError> {
    Err(DescriptionError::new("/kind", format!("needs a device with {what}")))
}
