//! An up/down counter in the manner of EL1502, one channel: modes, thresholds and bits by the vendor's documentation.

use serde::Deserialize;

use super::super::process_data::ProcessData;
use super::fields::{self, Field};
use super::needs;
use crate::description::DescriptionError;
use crate::esc::Point;
use crate::program::{Cell, Program, ProgramIo, Trigger};

/// Objects of the channel; its outputs and settings stand 0x1000 and 0x2000 above.
const OBJECT: u16 = 0x6020;
const OUTPUTS: u16 = OBJECT + 0x1000;
const SETTINGS: u16 = OBJECT + 0x2000;
/// Modes, 0x80n0:05: the other input says the direction, or stops the counter while it is high, or low.
const UP_DOWN: i64 = 0;
const POSITIVE_GATE: i64 = 1;

/// Settings of a counter: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterDescription {}

/// Channels: pulses (a number that rises by one a pulse; a level works alike), the other input; the output.
pub(super) fn add_fields(process_data: &mut ProcessData) {
    fields::replace(process_data, &[Field::Real, Field::Level], &[Field::Level]);
}

pub(super) fn program(points: &[Point]) -> Result<Box<dyn Program>, DescriptionError> {
    let places = fields::places(points).filter(|_| points.iter().any(|p| p.index == OBJECT));
    let Some([pulses, other, output]) = places else {
        return needs("the counter's objects 0x6020 and 0x7020 in its process data");
    };
    Ok(Box::new(Counter {
        pulses,
        other,
        output,
        count: Count::default(),
        toggle: false,
        cells: Cells::default(),
    }))
}

#[derive(Clone, Copy, Default)]
struct Cells {
    inputs: [Option<Cell>; 8],
    controls: [Option<Cell>; 5],
    settings: [Option<Cell>; 6],
}

struct Counter {
    pulses: u32,
    other: u32,
    output: u32,
    count: Count,
    toggle: bool,
    cells: Cells,
}

impl Program for Counter {
    fn start(&mut self, device: &mut ProgramIo<'_>, _now_ns: u64) {
        self.cells = Cells {
            inputs: [1, 2, 3, 4, 5, 6, 0x10, 0x11].map(|sub| device.cell(OBJECT, sub)),
            controls: [1, 2, 3, 4, 0x11].map(|sub| device.cell(OUTPUTS, sub)),
            settings: [1, 2, 4, 5, 0x11, 0x12].map(|sub| device.cell(SETTINGS, sub)),
        };
        self.count = Count::from(f64::from_bits(device.input(self.pulses, 64)));
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, _now_ns: u64, _trigger: Trigger) {
        let get = |cell: Option<Cell>| cell.map_or(0, |cell| device.get(cell));
        let [enable_output, set_output, set, inhibit, set_value] = self.cells.controls.map(get);
        let [sets, resets, down, mode, on_at, off_at] = self.cells.settings.map(get);
        let pulses = f64::from_bits(device.input(self.pulses, 64));
        let other = device.input(self.other, 1) != 0;
        let (downwards, stopped) = match mode {
            UP_DOWN => (!other, false),
            POSITIVE_GATE => (down != 0, other),
            _ => (down != 0, !other),
        };
        let inhibited = inhibit != 0 || stopped;
        let set_to = (set != 0).then_some(set_value as u32);
        let rise = self.count.step(pulses, downwards, inhibited, set_to);
        let count = i64::from(self.count.value);
        let output = if enable_output == 0 {
            set_output != 0
        } else {
            let reached = sets == 0 || count >= (on_at & 0xFFFF_FFFF);
            let left = resets != 0 && count >= (off_at & 0xFFFF_FFFF);
            sets | resets != 0 && reached && !left
        };
        let output = output && device.drives_outputs();
        device.set_input(self.output, 1, output.into());
        self.toggle = !self.toggle;
        let clock = pulses.rem_euclid(1.0) < 0.5 && rise > 0;
        let shown = [
            enable_output,
            output.into(),
            i64::from(set != 0),
            inhibit,
            other.into(),
            clock.into(),
            self.toggle.into(),
            count,
        ];
        for (cell, value) in self.cells.inputs.into_iter().zip(shown) {
            if let Some(cell) = cell {
                device.set(cell, value);
            }
        }
    }
}

/// What a counter has counted.
#[derive(Clone, Copy, Default)]
pub(super) struct Count {
    /// It wraps.
    pub(super) value: u32,
    /// Pulses up to now.
    seen: f64,
    was_set: bool,
}

impl From<f64> for Count {
    /// From 0, with so many pulses before.
    fn from(seen: f64) -> Self {
        Self { seen, ..Self::default() }
    }
}

impl Count {
    /// Counts the pulses since the last step, and takes a value over when it is set anew. Returns how many pulses came; what
    /// falls is the end of a pulse.
    pub(super) fn step(
        &mut self,
        pulses: f64,
        downwards: bool,
        inhibited: bool,
        set_to: Option<u32>,
    ) -> u32 {
        let rise = (pulses.floor() - self.seen.floor()).clamp(0.0, f64::from(u32::MAX)) as u32;
        self.seen = pulses;
        if !inhibited {
            self.value = if downwards {
                self.value.wrapping_sub(rise)
            } else {
                self.value.wrapping_add(rise)
            };
        }
        if let Some(value) = set_to.filter(|_| !self.was_set) {
            self.value = value;
        }
        self.was_set = set_to.is_some();
        rise
    }
}
