//! Channels that a program has in place of its process data: what goes in is not what the MainDevice reads, and what
//! it drives is not what the MainDevice sends.

use super::super::process_data::{Channel, ChannelType, ProcessData};
use crate::esc::{DRIVEN, Direction, Point};

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A real number.
    Real,
    /// A level.
    Level,
}

impl Field {
    const fn bits(self) -> u8 {
        match self {
            Self::Real => 64,
            Self::Level => 1,
        }
    }
}

/// Makes these the only channels of a device. Each stands behind its process data, where no PDO reaches it; a program
/// finds their places, inputs first, by [`places`].
pub(super) fn replace(process_data: &mut ProcessData, inputs: &[Field], outputs: &[Field]) {
    let areas: u32 = process_data.input_areas.iter().map(|area| u32::from(area.bytes) * 8).sum();
    let mut bit_offset = areas.next_multiple_of(64);
    for (fields, channels, base) in
        [(inputs, &mut process_data.inputs, 0), (outputs, &mut process_data.outputs, DRIVEN)]
    {
        channels.clear();
        for field in fields {
            let bit_length = field.bits();
            let r#type =
                if *field == Field::Real { ChannelType::Real64 } else { ChannelType::Unsigned };
            channels.push(Channel { bit_offset: base | bit_offset, bit_length, r#type });
            process_data.points.push(Point {
                direction: Direction::Input,
                index: 0,
                subindex: 0,
                bit_offset,
                bit_length,
            });
            bit_offset += u32::from(bit_length);
        }
    }
}

/// First bits of the channels that [`replace`] has made; `N` of them.
pub(super) fn places<const N: usize>(points: &[Point]) -> Option<[u32; N]> {
    let places: Vec<u32> =
        points.iter().filter(|point| point.index == 0).map(|point| point.bit_offset).collect();
    places.try_into().ok()
}
