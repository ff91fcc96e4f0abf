//! An accelerometer: vibration at the inputs of a device, as a spectrum of lines and white noise.

use std::f64::consts::TAU;

use serde::Deserialize;

use super::super::DeviceImage;
use super::super::behaviour::Number;
use super::super::process_data::Channel;
use crate::description::DescriptionError;
use crate::esc::mixed;
use crate::program::{Program, ProgramIo, Trigger};

/// Settings of an accelerometer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccelerometerDescription {
    /// The axes, each with the input that shows it.
    pub axes: Vec<AxisDescription>,
}

/// One axis.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AxisDescription {
    /// Channel number among the device's inputs, from 1.
    pub input: u16,
    /// Middle in raw units: gravity, or the offset of the sensor.
    #[serde(default)]
    pub offset: f64,
    /// Lines of the spectrum.
    #[serde(default)]
    pub lines: Vec<LineDescription>,
    /// Standard deviation of white noise, in raw units.
    #[serde(default)]
    pub noise: f64,
}

/// One line of a spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineDescription {
    /// Frequency in Hz, above 0.
    pub frequency_hz: f64,
    /// Amplitude in raw units.
    pub amplitude: f64,
    /// Phase at time 0 in degrees.
    #[serde(default)]
    pub phase_degrees: f64,
}

struct Axis {
    channel: Channel,
    description: AxisDescription,
}

struct Accelerometer {
    axes: Vec<Axis>,
    seed: u64,
}

pub(super) fn program(
    settings: &AccelerometerDescription,
    device: &DeviceImage,
    seed: u64,
) -> Result<Box<dyn Program>, DescriptionError> {
    let mut axes = Vec::with_capacity(settings.axes.len());
    for (n, description) in settings.axes.iter().enumerate() {
        let refused = |key: &str, message: String| {
            Err(DescriptionError::new(format!("/axes/{n}/{key}"), message))
        };
        let place = usize::from(description.input).checked_sub(1);
        let Some(&channel) = place.and_then(|at| device.inputs.get(at)) else {
            let message = format!("the device has {} inputs, counted from 1", device.inputs.len());
            return refused("input", message);
        };
        description.check().map_err(|error| DescriptionError {
            path: format!("/axes/{n}{}", error.path),
            ..error
        })?;
        axes.push(Axis { channel, description: description.clone() });
    }
    Ok(Box::new(Accelerometer { axes, seed }))
}

impl Program for Accelerometer {
    fn start(&mut self, _device: &mut ProgramIo<'_>, _now_ns: u64) {}

    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, _trigger: Trigger) {
        for (n, Axis { channel, description }) in self.axes.iter().enumerate() {
            let value = description.at(self.seed ^ mixed(n as u64), now_ns);
            let bits = Number::Real(value).encode(*channel);
            device.set_input(channel.bit_offset, channel.bit_length, bits);
        }
    }
}

impl AxisDescription {
    /// Refuses lines that cannot be.
    pub(super) fn check(&self) -> Result<(), DescriptionError> {
        let positive = |line: &LineDescription| line.frequency_hz > 0.0 && line.frequency_hz < 1e6;
        match self.lines.iter().position(|line| !positive(line)) {
            Some(line) => Err(DescriptionError::new(
                format!("/lines/{line}/frequencyHz"),
                "a frequency is above 0 and below 1000000 Hz",
            )),
            None => Ok(()),
        }
    }

    /// The value at a moment: a function of the time and a seed alone.
    pub(super) fn at(&self, seed: u64, now_ns: u64) -> f64 {
        let lines = self.lines.iter().map(|line| line.at(now_ns));
        self.offset + lines.sum::<f64>() + self.noise * normal(seed, now_ns)
    }
}

impl LineDescription {
    fn at(&self, now_ns: u64) -> f64 {
        // Whole seconds and the rest on their own: a time since boot has more digits than a real.
        let (seconds, ns) = (now_ns / 1_000_000_000, now_ns % 1_000_000_000);
        let turns =
            (seconds as f64 * self.frequency_hz).fract() + ns as f64 * 1e-9 * self.frequency_hz;
        self.amplitude * (turns * TAU + self.phase_degrees.to_radians()).sin()
    }
}

/// A number of the standard normal distribution, from nothing but a seed and the time: the sum of four uniform
/// ones, scaled to a deviation of 1.
fn normal(seed: u64, now_ns: u64) -> f64 {
    const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
    let uniform = |n: u64| (mixed(seed ^ mixed(now_ns ^ n << 61)) >> 11) as f64 * UNIT;
    let sum: f64 = (0..4).map(uniform).sum();
    (sum - 2.0) * 3f64.sqrt()
}
