//! An SSI absolute encoder behind an interface in the manner of EL5001: settings and bits by the vendor's
//! documentation.

use serde::Deserialize;

use super::super::process_data::ProcessData;
use super::fields::{self, Field};
use super::needs;
use crate::description::DescriptionError;
use crate::esc::Point;
use crate::program::{Cell, Program, ProgramIo, Trigger};

const OBJECT: u16 = 0x6000;
const SETTINGS: u16 = 0x8000;
const DATA_BITS: u32 = 24;
const SINGLE_TURN_BITS: u32 = 12;
/// Frame types of 0x8000:0F, with the bits of their data: multi-turn, single-turn; else 0x8000:12.
const FRAME_TYPES: [u32; 2] = [24, 12];

/// The encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SsiEncoderDescription {
    /// How it sends its position; Gray by default.
    #[serde(default)]
    pub code: SsiCode,
    /// Bits of a turn; 12 by default.
    pub single_turn_bits: Option<u8>,
    /// Bits of all data that it sends, turns first; 24 by default.
    pub data_bits: Option<u8>,
}

/// A code of positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SsiCode {
    /// One bit changes at a time.
    #[default]
    Gray,
    /// A number.
    Binary,
}

/// Channels: position in turns, power failure of the encoder, broken cable.
pub(super) fn add_fields(process_data: &mut ProcessData) {
    fields::replace(process_data, &[Field::Real, Field::Level, Field::Level], &[]);
}

pub(super) fn program(
    settings: &SsiEncoderDescription,
    points: &[Point],
) -> Result<Box<dyn Program>, DescriptionError> {
    let places = fields::places(points).filter(|_| points.iter().any(|p| p.index == OBJECT));
    let Some(places) = places else {
        return needs("the encoder's object 0x6000 in its process data");
    };
    let data_bits = settings.data_bits.map_or(DATA_BITS, u32::from);
    let turn_bits = settings.single_turn_bits.map_or(SINGLE_TURN_BITS, u32::from);
    if !(1..=32).contains(&data_bits) {
        return Err(DescriptionError::new("/dataBits", "an encoder sends 1 to 32 bits"));
    }
    if !(1..=data_bits).contains(&turn_bits) {
        return Err(DescriptionError::new(
            "/singleTurnBits",
            "a turn has 1 bit to all of the data",
        ));
    }
    Ok(Box::new(SsiEncoder {
        places,
        code: settings.code,
        data_bits,
        turn_bits,
        toggle: false,
        cells: [None; 5],
        settings: [None; 5],
    }))
}

struct SsiEncoder {
    places: [u32; 3],
    code: SsiCode,
    data_bits: u32,
    turn_bits: u32,
    toggle: bool,
    cells: [Option<Cell>; 5],
    settings: [Option<Cell>; 5],
}

impl Program for SsiEncoder {
    fn start(&mut self, device: &mut ProgramIo<'_>, _now_ns: u64) {
        self.cells = [1, 2, 3, 0x10, 0x11].map(|sub| device.cell(OBJECT, sub));
        self.settings = [1, 2, 6, 0x0F, 0x12].map(|sub| device.cell(SETTINGS, sub));
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, _now_ns: u64, _trigger: Trigger) {
        let get = |cell: Option<Cell>| cell.map_or(0, |cell| device.get(cell));
        let [hides_frame_error, shows_power, gray, frame_type, length] = self.settings.map(get);
        let [position, power_failure, broken] = self.places;
        let turns = f64::from_bits(device.input(position, 64));
        let power_failure = device.input(power_failure, 1) != 0;
        let broken = device.input(broken, 1) != 0;
        let mask = u32::MAX >> (32 - self.data_bits);
        let steps = (turns * 2f64.powi(self.turn_bits as i32)).floor();
        let sent = (steps.rem_euclid(2f64.powi(self.data_bits as i32)) as u64 as u32) & mask;
        let sent = if self.code == SsiCode::Gray { sent ^ sent >> 1 } else { sent };
        let bits = usize::try_from(frame_type).ok().and_then(|n| FRAME_TYPES.get(n)).copied();
        let bits = bits.unwrap_or(length.clamp(1, 32) as u32);
        // The first bit is the highest: what is read too short lacks the lowest ones.
        let read = if bits <= self.data_bits {
            sent >> (self.data_bits - bits)
        } else {
            sent.checked_shl(bits - self.data_bits).unwrap_or(0)
        };
        let value = if gray != 0 { binary(read) } else { read };
        // Without an encoder the data line stays as it is: no start, no end.
        let frame_error = broken && hides_frame_error == 0;
        self.toggle = !self.toggle;
        let shown = [
            broken.into(),
            frame_error.into(),
            (power_failure && shows_power != 0).into(),
            self.toggle.into(),
            if broken { 0 } else { i64::from(value) },
        ];
        for (cell, value) in self.cells.into_iter().zip(shown) {
            if let Some(cell) = cell {
                device.set(cell, value);
            }
        }
    }
}

fn binary(gray: u32) -> u32 {
    [16, 8, 4, 2, 1].into_iter().fold(gray, |value, shift| value ^ value >> shift)
}
