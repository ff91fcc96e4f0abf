//! An incremental encoder interface in the manner of EL5101: four counts a line, latch, set, reset, period and
//! frequency, by the vendor's documentation. What the encoder sits on is a position in turns.

use serde::Deserialize;

use super::super::process_data::ProcessData;
use super::fields::{self, Field};
use super::needs;
use crate::description::DescriptionError;
use crate::esc::Point;
use crate::program::{Cell, Program, ProgramIo, Trigger};

const OBJECT: u16 = 0x6010;
const OUTPUTS: u16 = OBJECT + 0x1000;
const SETTINGS: u16 = OBJECT + 0x2000;
const LINES: u32 = 1_024;
const COUNTS_A_LINE: f64 = 4.0;
const COUNTS: f64 = 4_294_967_296.0;
const THIRD: u32 = u32::MAX / 3;
/// Unit of the period; the frequency has a hundredth of a Hz. Both of lines; assumed.
const PERIOD_UNIT_S: f64 = 100e-9;

/// Settings of an encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncoderDescription {
    /// Lines a turn of the encoder; 1024 by default. Each is four counts.
    pub lines: Option<u32>,
}

/// Channels: position in turns, external latch, gate.
pub(super) fn add_fields(process_data: &mut ProcessData) {
    fields::replace(process_data, &[Field::Real, Field::Level, Field::Level], &[]);
}

pub(super) fn program(
    settings: &EncoderDescription,
    points: &[Point],
) -> Result<Box<dyn Program>, DescriptionError> {
    let places = fields::places(points).filter(|_| points.iter().any(|p| p.index == OBJECT));
    let Some([position, latch, gate]) = places else {
        return needs("the encoder's objects 0x6010 and 0x7010 in its process data");
    };
    let lines = settings.lines.unwrap_or(LINES);
    if !(1..=1_000_000).contains(&lines) {
        return Err(DescriptionError::new("/lines", "an encoder has 1 to 1000000 lines"));
    }
    Ok(Box::new(Encoder {
        position,
        latch,
        gate,
        lines: f64::from(lines),
        turns: 0.0,
        latch_was: false,
        counter: Counter::default(),
        latched: 0,
        valid: [false; 2],
        armed: [false; 2],
        was_set: false,
        window: (0, 0.0),
        measured: [0; 2],
        toggle: false,
        cells: Cells::default(),
    }))
}

/// A count of 32 bits, and whether it went over its ends.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    value: u32,
    underflow: bool,
    overflow: bool,
}

impl Counter {
    fn add(&mut self, counts: i64) {
        let before = self.value;
        self.value = before.wrapping_add(counts as u32);
        if counts > 0 && self.value < before {
            (self.overflow, self.underflow) = (true, false);
        } else if counts < 0 && self.value > before {
            (self.underflow, self.overflow) = (true, false);
        }
        // "Reset when the counter has exceeded 1/3 of the counting range", "fallen below 2/3".
        self.overflow &= self.value <= THIRD;
        self.underflow &= self.value >= 2 * THIRD;
    }

    fn set(&mut self, value: u32) {
        *self = Self { value, ..Self::default() };
    }
}

#[derive(Clone, Copy, Default)]
struct Cells {
    inputs: [Option<Cell>; 15],
    controls: [Option<Cell>; 5],
    settings: [Option<Cell>; 5],
}

struct Encoder {
    position: u32,
    latch: u32,
    gate: u32,
    lines: f64,
    turns: f64,
    latch_was: bool,
    counter: Counter,
    latched: u32,
    /// By the index C, and by the latch input.
    valid: [bool; 2],
    armed: [bool; 2],
    was_set: bool,
    /// When the measurement began, and at which position.
    window: (u64, f64),
    /// Frequency and period.
    measured: [i64; 2],
    toggle: bool,
    cells: Cells,
}

impl Program for Encoder {
    fn start(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        self.cells = Cells {
            inputs: [1, 2, 3, 4, 5, 9, 0x0A, 0x0B, 0x0C, 0x0D, 0x10, 0x11, 0x12, 0x13, 0x14]
                .map(|sub| device.cell(OBJECT, sub)),
            controls: [1, 2, 3, 4, 0x11].map(|sub| device.cell(OUTPUTS, sub)),
            settings: [1, 2, 4, 0x0E, 0x11].map(|sub| device.cell(SETTINGS, sub)),
        };
        self.counter = Counter::default();
        (self.latched, self.valid, self.armed, self.was_set) = (0, [false; 2], [false; 2], false);
        self.turns = self.turned(device);
        self.window = (now_ns, self.turns);
        self.latch_was = device.input(self.latch, 1) != 0;
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, _trigger: Trigger) {
        let get = |cell: Option<Cell>| cell.map_or(0, |cell| device.get(cell));
        let [latch_c, latch_rise, set, latch_fall, set_value] = self.cells.controls.map(get);
        let [c_resets, latch_resets, gate_polarity, _, window_us] = self.cells.settings.map(get);
        let turns = self.turned(device);
        let gate = device.input(self.gate, 1) != 0;
        let latch = device.input(self.latch, 1) != 0;
        // 0x80n0:04: 0 the gate does nothing, 1 it stops the counter while high, 2 while low.
        let stopped = gate_polarity == 1 && gate || gate_polarity == 2 && !gate;
        let before = self.turns;
        if !stopped {
            self.counter.add(self.counts(turns) - self.counts(before));
        }
        self.turns = turns;
        self.arm(0, latch_c != 0);
        self.arm(1, latch_rise | latch_fall != 0);
        if let Some(index) = passed(before, turns) {
            // What the counter was at the index itself, however far the shaft went since.
            let since = if stopped { 0 } else { self.counts(turns) - self.counts(index) };
            let at_index = self.counter.value.wrapping_sub(since as u32);
            self.take(0, at_index);
            if c_resets != 0 {
                self.counter.set(since as u32);
            }
        }
        let edge = latch && !self.latch_was && latch_rise != 0
            || !latch && self.latch_was && latch_fall != 0;
        if edge {
            self.take(1, self.counter.value);
        }
        if latch && !self.latch_was && latch_resets != 0 {
            self.counter.set(0);
        }
        self.latch_was = latch;
        if set != 0 && !self.was_set {
            self.counter.set(set_value as u32);
        }
        self.was_set = set != 0;
        self.measure(now_ns, window_us.max(1) as u64 * 1_000);
        self.toggle = !self.toggle;
        let line = (turns * self.lines).rem_euclid(1.0);
        let shown = [
            self.valid[0].into(),
            self.valid[1].into(),
            i64::from(set != 0),
            self.counter.underflow.into(),
            self.counter.overflow.into(),
            (line < 0.5).into(),
            ((0.25..0.75).contains(&line)).into(),
            (self.counts(turns).rem_euclid((self.lines * COUNTS_A_LINE) as i64) == 0).into(),
            gate.into(),
            latch.into(),
            self.toggle.into(),
            self.counter.value.into(),
            self.latched.into(),
            self.measured[0],
            self.measured[1],
        ];
        for (cell, value) in self.cells.inputs.into_iter().zip(shown) {
            if let Some(cell) = cell {
                device.set(cell, value);
            }
        }
    }
}

impl Encoder {
    /// The position, the other way round with 0x80n0:0E.
    fn turned(&self, device: &ProgramIo<'_>) -> f64 {
        let turns = f64::from_bits(device.input(self.position, 64));
        let turns = if turns.is_finite() { turns.clamp(-COUNTS, COUNTS) } else { 0.0 };
        let reversed = self.cells.settings[3].is_some_and(|cell| device.get(cell) != 0);
        if reversed { -turns } else { turns }
    }

    fn counts(&self, turns: f64) -> i64 {
        (turns * self.lines * COUNTS_A_LINE).floor() as i64
    }

    /// A latch is armed by its bit, and again only after that was cleared.
    fn arm(&mut self, by: usize, enable: bool) {
        if !enable {
            (self.valid[by], self.armed[by]) = (false, false);
        } else if !self.valid[by] {
            self.armed[by] = true;
        }
    }

    fn take(&mut self, by: usize, value: u32) {
        if self.armed[by] {
            (self.armed[by], self.valid[by], self.latched) = (false, true, value);
        }
    }

    fn measure(&mut self, now_ns: u64, window_ns: u64) {
        let (since, from) = self.window;
        let elapsed = now_ns.saturating_sub(since);
        if elapsed < window_ns {
            return;
        }
        let lines = (self.turns - from).abs() * self.lines;
        let hz = lines / (elapsed as f64 * 1e-9);
        let period = if hz > 0.0 { 1.0 / hz / PERIOD_UNIT_S } else { 0.0 };
        self.measured =
            [hz * 100.0, period].map(|value| value.round().min(f64::from(u32::MAX)) as i64);
        self.window = (now_ns, self.turns);
    }
}

/// The last whole turn between two positions: where the index C is.
fn passed(before: f64, now: f64) -> Option<f64> {
    if now > before {
        (now.floor() > before.floor()).then(|| now.floor())
    } else {
        (now.ceil() < before.ceil()).then(|| now.ceil())
    }
}
