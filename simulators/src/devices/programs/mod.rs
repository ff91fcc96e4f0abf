//! The programs that devices run, a file or folder a kind, and how a description becomes one.

pub(crate) mod accelerometer;
pub(crate) mod analogue_inputs;
pub mod servo;

use super::DeviceImage;
use crate::description::{DescriptionError, ProgramDescription};
use crate::program::Program;

/// Makes the program of a device; `seed` is its own, made of that of the segment. Errors begin at `program`.
pub(super) fn program(
    description: &ProgramDescription,
    device: &DeviceImage,
    seed: u64,
) -> Result<Box<dyn Program>, DescriptionError> {
    match description {
        ProgramDescription::Accelerometer(settings) => {
            accelerometer::program(settings, device, seed)
        }
        ProgramDescription::AnalogueInputs(settings) => {
            analogue_inputs::program(settings, &device.profile.application.points)
        }
        ProgramDescription::Servo(settings) => servo::program(settings, device, seed),
    }
}
