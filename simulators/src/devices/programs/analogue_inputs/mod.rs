//! Analogue inputs in the manner of EL30xx, EL31xx and EL32xx: what a converter sees becomes a value with a
//! status, by the settings 0x80n0 of its channel.
//!
//! The order of the steps, their formulas and the meaning of the settings are those of the vendor's public
//! documentation ("Data stream and calibration", "Limit", "Underrange/overrange", "FIR and IIR filter").

mod channel;
mod filter;
mod range;
mod thermometer;

use serde::Deserialize;

use super::super::process_data::{Channel, ChannelType, ProcessData};
use crate::description::DescriptionError;
use crate::esc::{Direction, Point};
use crate::program::{Program, ProgramIo, Trigger};
use channel::AnalogueInput;
use filter::Filter;
pub use range::RangeDescription;

/// Subindex of the values, 0x60n0:11.
const VALUE: u8 = 0x11;
const INPUTS: std::ops::Range<u16> = 0x6000..0x7000;
/// What goes into a channel is a real number of 64 bits.
const FIELD_BITS: u8 = 64;
/// A conversion without a filter that says otherwise, and of thermometers at least; assumed.
const CONVERSION_NS: u64 = 1_000_000;
/// Settings of channel 1, whose filter is that of all.
const FIRST_SETTINGS: u16 = 0x8000;
const ENABLE_FILTER: u8 = 0x06;
const FILTER_SETTINGS: u8 = 0x15;

/// Settings of analogue inputs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnalogueInputsDescription {
    /// What goes into the channels, and what the converters make of it; digits, without it.
    pub range: Option<RangeDescription>,
    /// How long a conversion takes in µs, where the filter does not tell; 1000 by default.
    pub conversion_us: Option<f64>,
}

/// Gives each value a field behind it, from which it is made: signals and wires set that. It stands behind all
/// process data, where no PDO can carry it.
pub(in crate::devices) fn add_fields(process_data: &mut ProcessData) {
    let values: Vec<Point> =
        process_data.points.iter().filter(|point| is_value(point)).copied().collect();
    let areas: u32 = process_data.input_areas.iter().map(|area| u32::from(area.bytes) * 8).sum();
    let mut bit_offset = areas.next_multiple_of(64);
    for value in values {
        let Some(channel) =
            process_data.inputs.iter_mut().find(|one| one.bit_offset == value.bit_offset)
        else {
            continue;
        };
        *channel = Channel { bit_offset, bit_length: FIELD_BITS, r#type: ChannelType::Real64 };
        process_data.points.push(Point {
            direction: Direction::Input,
            index: 0,
            subindex: 0,
            bit_offset,
            bit_length: FIELD_BITS,
        });
        bit_offset += u32::from(FIELD_BITS);
    }
}

fn is_value(point: &Point) -> bool {
    point.direction == Direction::Input
        && point.subindex == VALUE
        && INPUTS.contains(&point.index)
        && point.index.is_multiple_of(0x10)
}

pub(in crate::devices) fn program(
    settings: &AnalogueInputsDescription,
    points: &[Point],
) -> Result<Box<dyn Program>, DescriptionError> {
    let fields = points.iter().filter(|p| p.direction == Direction::Input && p.index == 0);
    let values = points.iter().filter(|point| is_value(point));
    let channels: Vec<AnalogueInput> = values
        .zip(fields)
        .enumerate()
        .map(|(n, (value, field))| AnalogueInput::new(n as u16, value, field, settings.range))
        .collect();
    if channels.is_empty() {
        let message = "needs a device with inputs 0x60n0:11 in its process data";
        return Err(DescriptionError::new("/kind", message));
    }
    let conversion_us = settings.conversion_us.unwrap_or(CONVERSION_NS as f64 / 1e3);
    if !(1.0..=1e7).contains(&conversion_us) {
        return Err(DescriptionError::new("/conversionUs", "a conversion takes 1 to 10000000 µs"));
    }
    Ok(Box::new(AnalogueInputs {
        channels,
        conversion_ns: (conversion_us * 1e3) as u64,
        filter: Filter::Off,
        settings_read: u64::MAX,
        converted: 0,
        toggle: false,
    }))
}

/// A terminal.
struct AnalogueInputs {
    channels: Vec<AnalogueInput>,
    conversion_ns: u64,
    filter: Filter,
    /// By how many writes of objects its settings are known.
    settings_read: u64,
    /// Conversions since time 0.
    converted: u64,
    toggle: bool,
}

impl Program for AnalogueInputs {
    fn start(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        for channel in &mut self.channels {
            channel.find(device);
        }
        self.read_settings(device);
        self.converted = now_ns / self.interval_ns();
        for channel in &mut self.channels {
            channel.settle(device);
        }
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, _trigger: Trigger) {
        if device.object_writes() != self.settings_read {
            let interval_ns = self.interval_ns();
            self.read_settings(device);
            if self.interval_ns() != interval_ns {
                self.converted = now_ns / self.interval_ns();
            }
        }
        let conversions = now_ns / self.interval_ns();
        let steps = conversions.saturating_sub(self.converted);
        self.converted = conversions;
        // Without a filter, a terminal converts in step with its MainDevice.
        if steps == 0 && self.filter != Filter::Off {
            return;
        }
        self.toggle = !self.toggle;
        for channel in &mut self.channels {
            channel.convert(device, self.filter, steps.max(1), self.toggle);
        }
    }
}

impl AnalogueInputs {
    fn read_settings(&mut self, device: &ProgramIo<'_>) {
        self.settings_read = device.object_writes();
        let setting =
            |subindex| device.cell(FIRST_SETTINGS, subindex).map_or(0, |cell| device.get(cell));
        let thermometer = self.channels[0].is_thermometer();
        self.filter = if setting(ENABLE_FILTER) == 0 {
            Filter::Off
        } else {
            Filter::by_setting(setting(FILTER_SETTINGS), thermometer)
        };
        for channel in &mut self.channels {
            channel.read_settings(device);
        }
    }

    fn interval_ns(&self) -> u64 {
        self.filter.interval_ns(self.conversion_ns)
    }
}
