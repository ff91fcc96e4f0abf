//! What moves the process data of a segment: signals that drive inputs, and wires from outputs to inputs.

mod number;
mod signal;

use std::collections::HashSet;

pub(in crate::devices) use number::Number;
use signal::Signal;

use super::{Channel, DeviceImage};
use crate::description::{DescriptionError, SegmentDescription};
use crate::plant::{Behaviour, Plant};

/// The process data of a segment's devices, seen from the side of the process.
pub trait ProcessData {
    /// Sets `bit_length` (1 to 64) bits of a device's inputs from `bit_offset` on.
    fn set_input(&mut self, device: u16, bit_offset: u32, bit_length: u8, value: u64);

    /// Reads `bit_length` (1 to 64) bits of what a device drives at its outputs from `bit_offset` on.
    fn output(&self, device: u16, bit_offset: u32, bit_length: u8) -> u64;
}

impl ProcessData for Plant<'_> {
    fn set_input(&mut self, device: u16, bit_offset: u32, bit_length: u8, value: u64) {
        Plant::set_input(self, device, bit_offset, bit_length, value);
    }

    fn output(&self, device: u16, bit_offset: u32, bit_length: u8) -> u64 {
        Plant::output(self, device, bit_offset, bit_length)
    }
}

/// All signals and wires of a description. A step allocates nothing.
#[derive(Clone, Debug)]
pub struct Wiring {
    signals: Vec<(Signal, Terminal)>,
    wires: Vec<(Terminal, Terminal)>,
}

/// One channel of one device.
#[derive(Clone, Copy, Debug)]
struct Terminal {
    device: u16,
    channel: Channel,
}

impl Wiring {
    /// Resolves the signals and wires of `description` on its devices.
    ///
    /// # Errors
    /// With the JSON pointer to the channel that does not exist, is driven twice, or cannot hold a number.
    pub fn new(
        description: &SegmentDescription,
        devices: &[DeviceImage],
    ) -> Result<Self, DescriptionError> {
        let mut wiring = Self {
            signals: Vec::with_capacity(description.signals.len()),
            wires: Vec::with_capacity(description.wires.len()),
        };
        let mut driven = HashSet::new();
        let mut drives = |path: String, input: Terminal| {
            if driven.insert((input.device, input.channel.bit_offset)) {
                return Ok(input);
            }
            Err(DescriptionError::new(path, "another signal or wire drives this input already"))
        };
        for (index, signal) in description.signals.iter().enumerate() {
            let path = format!("/signals/{index}");
            let input = terminal(devices, &signal.input, |device| &device.inputs, "inputs")
                .map_err(|message| DescriptionError::new(format!("{path}/input"), message))?;
            let input = drives(format!("{path}/input"), input)?;
            let signal = Signal::new(signal).map_err(|error| {
                DescriptionError::new(format!("{path}{}", error.path), error.message)
            })?;
            wiring.signals.push((signal, input));
        }
        for (index, wire) in description.wires.iter().enumerate() {
            let path = format!("/wires/{index}");
            let from = terminal(devices, &wire.from, |device| &device.outputs, "outputs")
                .map_err(|message| DescriptionError::new(format!("{path}/from"), message))?;
            let to = terminal(devices, &wire.to, |device| &device.inputs, "inputs")
                .map_err(|message| DescriptionError::new(format!("{path}/to"), message))?;
            wiring.wires.push((from, drives(format!("{path}/to"), to)?));
        }
        Ok(wiring)
    }

    /// Whether nothing is driven.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.signals.is_empty() && self.wires.is_empty()
    }

    /// Drives every input that a signal or a wire is on.
    pub fn apply(&self, io: &mut impl ProcessData, now_ns: u64) {
        for (signal, Terminal { device, channel }) in &self.signals {
            let value = signal.at(now_ns).encode(*channel);
            io.set_input(*device, channel.bit_offset, channel.bit_length, value);
        }
        for (from, to) in &self.wires {
            let bits = io.output(from.device, from.channel.bit_offset, from.channel.bit_length);
            let value = Number::decode(from.channel, bits).encode(to.channel);
            io.set_input(to.device, to.channel.bit_offset, to.channel.bit_length, value);
        }
    }
}

impl Behaviour for Wiring {
    fn step(&mut self, plant: &mut Plant<'_>, now_ns: u64) {
        self.apply(plant, now_ns);
    }
}

/// Finds `<device name>.<n>`.
fn terminal(
    devices: &[DeviceImage],
    text: &str,
    channels: impl Fn(&DeviceImage) -> &[Channel],
    direction: &str,
) -> Result<Terminal, String> {
    let Some((name, number)) = text.rsplit_once('.') else {
        return Err(format!("{text:?} is no channel: <device name>.<number from 1> was expected"));
    };
    let Some(index) = devices.iter().position(|device| device.name == name) else {
        return Err(format!("no device is called {name:?}"));
    };
    let channels = channels(&devices[index]);
    let number: usize = number
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{number:?} is no channel number: they count from 1"))?;
    let Some(&channel) = channels.get(number - 1) else {
        return Err(format!("{name:?} has {} {direction}, no channel {number}", channels.len()));
    };
    if channel.bit_length > 64 {
        return Err(format!(
            "channel {number} of {name:?} is longer than 64 bits: it holds no number"
        ));
    }
    let device =
        u16::try_from(index).map_err(|_| "a segment has at most 65535 devices".to_owned())?;
    Ok(Terminal { device, channel })
}
