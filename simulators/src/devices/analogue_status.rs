//! The status beside the values of analogue inputs: underrange, overrange, error, and a bit that toggles with
//! every conversion.

use super::process_data::{Channel, ProcessData};
use super::{ChannelType, DeviceImage};
use crate::esc::Direction;
use crate::plant::{Behaviour, Plant};

/// How long a conversion of all channels takes; assumed.
const CONVERSION_NS: u64 = 1_000_000;
const UNDERRANGE: u8 = 1;
const OVERRANGE: u8 = 2;
const ERROR: u8 = 7;
const TOGGLE: u8 = 0x10;
/// Subindex of the toggle bit where it is an entry of the PDO's parameters.
const PARAMETER_TOGGLE: u8 = 9;
/// Objects of one channel to the next.
const MODULE_DISTANCE: u16 = 0x10;

/// How a type of terminal says what its values are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AnalogueInputs {
    /// Subindex of the values; what stands beside them is no channel.
    pub(super) value_subindex: u8,
    /// Where the toggle bits are, if not among the objects of the channel: the first of such objects.
    pub(super) state_and_toggle_at: Option<u16>,
    /// Where the measuring range ends, in raw units.
    pub(super) range: (i64, i64),
}

/// Where one channel has its status, as bits of the device's inputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusChannel {
    value: Channel,
    range: (i64, i64),
    underrange: u32,
    overrange: u32,
    error: u32,
    toggle: u32,
}

/// Finds the status of each channel, and takes it out of the device's channels, so that signals and wires
/// name values.
pub(super) fn of(inputs: AnalogueInputs, process_data: &mut ProcessData) -> Vec<StatusChannel> {
    let bit = |index, subindex| {
        let points = process_data.points.iter();
        let mut inputs = points.filter(|point| point.direction == Direction::Input);
        inputs.find(|p| (p.index, p.subindex) == (index, subindex)).map(|p| p.bit_offset)
    };
    let values: Vec<(u16, u32)> = process_data
        .points
        .iter()
        .filter(|point| {
            point.direction == Direction::Input && point.subindex == inputs.value_subindex
        })
        .map(|point| (point.index, point.bit_offset))
        .collect();
    let first = values.first().map_or(0, |(index, _)| *index);
    let channels = values.iter().filter_map(|&(index, bit_offset)| {
        let value = *process_data.inputs.iter().find(|one| one.bit_offset == bit_offset)?;
        let toggle = match inputs.state_and_toggle_at {
            Some(start) => bit(start + (index - first) / MODULE_DISTANCE, PARAMETER_TOGGLE)?,
            None => bit(index, TOGGLE)?,
        };
        Some(StatusChannel {
            value,
            range: inputs.range,
            underrange: bit(index, UNDERRANGE)?,
            overrange: bit(index, OVERRANGE)?,
            error: bit(index, ERROR)?,
            toggle,
        })
    });
    let channels = channels.collect();
    process_data.inputs.retain(|one| values.iter().any(|(_, bit)| *bit == one.bit_offset));
    channels
}

/// The conversions of all terminals of a segment.
pub(super) struct Conversions {
    channels: Vec<(u16, StatusChannel)>,
    due_ns: u64,
    toggle: bool,
}

impl Conversions {
    /// Those that a segment needs; none where no terminal has a status.
    pub(super) fn of(images: &[DeviceImage]) -> Option<Self> {
        let channels: Vec<_> = (0..)
            .zip(images)
            .flat_map(|(device, image)| image.status.iter().map(move |one| (device, *one)))
            .collect();
        (!channels.is_empty()).then_some(Self { channels, due_ns: 0, toggle: false })
    }
}

impl Behaviour for Conversions {
    fn step(&mut self, plant: &mut Plant<'_>, now_ns: u64) {
        if now_ns < self.due_ns {
            return;
        }
        self.due_ns = now_ns - now_ns % CONVERSION_NS + CONVERSION_NS;
        self.toggle = !self.toggle;
        for &(device, one) in &self.channels {
            let value =
                number(one.value, plant.input(device, one.value.bit_offset, one.value.bit_length));
            let (under, over) = (value <= one.range.0, value >= one.range.1);
            let bits = [
                (one.underrange, under),
                (one.overrange, over),
                (one.error, under || over),
                (one.toggle, self.toggle),
            ];
            for (bit, level) in bits {
                if plant.input(device, bit, 1) != u64::from(level) {
                    plant.set_input(device, bit, 1, level.into());
                }
            }
        }
    }
}

fn number(channel: Channel, bits: u64) -> i64 {
    let unused = 64 - u32::from(channel.bit_length.clamp(1, 64));
    let shifted = bits << unused;
    if channel.r#type == ChannelType::Signed {
        shifted.cast_signed() >> unused
    } else {
        (shifted >> unused).cast_signed()
    }
}
