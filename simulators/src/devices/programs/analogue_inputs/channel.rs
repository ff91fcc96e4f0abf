//! One analogue input: filter, calibration, scale, limits, presentation, status.

use super::filter::{Filter, Memory};
use super::range::RangeDescription;
use super::thermometer;
use crate::esc::Point;
use crate::program::{Cell, ProgramIo};

const SETTINGS: u16 = 0x2000;
const RAW: u16 = SETTINGS + 0x0E;
const VENDOR: u16 = SETTINGS + 0x0F;
/// State and toggle of early terminals stand in the parameters of the PDO.
const PARAMETERS: u16 = 0x1800;
/// Digits below 0 of a channel that has no negative values, from which on it is out of range.
const UNDERRANGE: f64 = -256.0;
/// How far a current of 4 to 20 mA may be off until that is an error.
const LIVE_ZERO_TOLERANCE_MA: f64 = 0.5;
/// What a thermometer shows below its range.
const COLDEST: f64 = -32_767.0;
const TENTHS: f64 = 10.0;

/// 0x80n0, as far as they matter.
#[derive(Clone, Copy, Debug, Default)]
struct Settings {
    user_scale: Option<(f64, f64)>,
    user_calibration: Option<(f64, f64)>,
    vendor_calibration: Option<(f64, f64)>,
    presentation: i64,
    siemens_bits: bool,
    limits: [Option<f64>; 2],
    swap_limits: bool,
    element: i64,
}

/// Where the channel has its status.
#[derive(Clone, Copy, Debug, Default)]
struct Cells {
    value: Option<Cell>,
    raw: Option<Cell>,
    underrange: Option<Cell>,
    overrange: Option<Cell>,
    limits: [Option<Cell>; 2],
    error: Option<Cell>,
    toggle: Option<Cell>,
}

pub(super) struct AnalogueInput {
    /// From 0.
    number: u16,
    object: u16,
    value_bits: u8,
    field_bit: u32,
    range: Option<RangeDescription>,
    thermometer: bool,
    settings: Settings,
    cells: Cells,
    memory: Memory,
    /// What it last put into the process data: anything else was put there in place of the field.
    shown: i64,
    forced: Option<f64>,
    field: f64,
}

impl AnalogueInput {
    pub(super) fn new(
        number: u16,
        value: &Point,
        field: &Point,
        range: Option<RangeDescription>,
    ) -> Self {
        Self {
            number,
            object: value.index,
            value_bits: value.bit_length,
            field_bit: field.bit_offset,
            range,
            thermometer: false,
            settings: Settings::default(),
            cells: Cells::default(),
            memory: Memory::settled(0.0),
            shown: 0,
            forced: None,
            field: 0.0,
        }
    }

    pub(super) const fn is_thermometer(&self) -> bool {
        self.thermometer
    }

    /// Looks up its objects.
    pub(super) fn find(&mut self, device: &ProgramIo<'_>) {
        let at = |subindex| device.cell(self.object, subindex);
        self.thermometer = device.cell(self.object + SETTINGS, 0x19).is_some();
        self.cells = Cells {
            value: at(0x11),
            raw: device.cell(self.object + RAW, 1),
            underrange: at(1),
            overrange: at(2),
            limits: [at(3), at(5)],
            error: at(7),
            toggle: at(0x10).or_else(|| device.cell(PARAMETERS + self.number, 9)),
        };
    }

    pub(super) fn read_settings(&mut self, device: &ProgramIo<'_>) {
        let cell = |object, subindex| device.cell(self.object + object, subindex);
        let number = |object, subindex, otherwise| {
            cell(object, subindex).map_or(otherwise, |c| device.get(c))
        };
        let on = |subindex| number(SETTINGS, subindex, 0) != 0;
        let real = |subindex| number(SETTINGS, subindex, 0) as f64;
        self.settings = Settings {
            user_scale: on(0x01).then(|| (real(0x11), real(0x12) / 65_536.0)),
            user_calibration: on(0x0A).then(|| (real(0x17), real(0x18) / 16_384.0)),
            vendor_calibration: on(0x0B).then(|| {
                (number(VENDOR, 1, 0) as f64, number(VENDOR, 2, 0x4000) as f64 / 16_384.0)
            }),
            presentation: number(SETTINGS, 0x02, 0),
            siemens_bits: on(0x05),
            limits: [on(0x07).then(|| real(0x13)), on(0x08).then(|| real(0x14))],
            swap_limits: on(0x0E),
            element: number(SETTINGS, 0x19, 0),
        };
    }

    /// Takes what goes in as having been there for long.
    pub(super) fn settle(&mut self, device: &ProgramIo<'_>) {
        self.forced = None;
        self.shown = self.cells.value.map_or(0, |value| device.get(value));
        self.memory = Memory::settled(self.digits(self.field(device)));
    }

    fn field(&self, device: &ProgramIo<'_>) -> f64 {
        f64::from_bits(device.input(self.field_bit, 64))
    }

    /// The digits that the converter makes of what goes in; thermometers make tenths of a degree.
    fn digits(&self, field: f64) -> f64 {
        let field = if field.is_finite() { field } else { 0.0 };
        match self.range {
            None => field,
            Some(RangeDescription::Ohm) => {
                thermometer::reading(self.settings.element, field).degrees * TENTHS
            }
            Some(range) => {
                let (zero, span) = range.zero_and_span();
                (field - zero) / span * self.full_scale()
            }
        }
        .clamp(-self.full_scale(), self.full_scale() - 1.0)
    }

    fn full_scale(&self) -> f64 {
        2f64.powi(i32::from(self.value_bits) - 1)
    }

    /// Takes a sample `times` times, and shows what comes of it.
    pub(super) fn convert(
        &mut self,
        device: &mut ProgramIo<'_>,
        filter: Filter,
        times: u64,
        toggle: bool,
    ) {
        let Some(value_cell) = self.cells.value else { return };
        let there = device.get(value_cell);
        let field = self.field(device);
        if there != self.shown {
            self.forced = Some(there as f64);
        }
        if field.to_bits() != self.field.to_bits() {
            (self.field, self.forced) = (field, None);
        }
        let raw = self.forced.unwrap_or_else(|| self.digits(field));
        let filtered = self.memory.take(raw, times, filter);
        let scaled = self.scaled(filtered);
        let (below, above, error) = self.out_of_range(scaled, field);
        let shown = self.presented(scaled, below, above);
        let set = |device: &mut ProgramIo<'_>, cell: Option<Cell>, value: i64| {
            // Only what changes: setting bits hands the buffer over.
            if let Some(cell) = cell
                && device.get(cell) != value
            {
                device.set(cell, value);
            }
        };
        set(device, self.cells.raw, (raw.round() as i64) & 0xFFFF);
        set(device, self.cells.underrange, below.into());
        set(device, self.cells.overrange, above.into());
        set(device, self.cells.error, error.into());
        for (cell, limit) in self.cells.limits.into_iter().zip(self.settings.limits) {
            set(device, cell, limit.map_or(0, |limit| self.compared(scaled.round(), limit)));
        }
        set(device, self.cells.toggle, toggle.into());
        set(device, self.cells.value, shown);
        self.shown = device.get(value_cell);
    }

    /// `YH = (X − BH) · AH`, `YA = (YH − BA) · AA`, `YS = YA · AS + BS`.
    fn scaled(&self, filtered: f64) -> f64 {
        let calibrated = |value: f64, by: Option<(f64, f64)>| {
            by.map_or(value, |(offset, gain)| (value - offset) * gain)
        };
        let value = calibrated(filtered, self.settings.vendor_calibration);
        let value = calibrated(value, self.settings.user_calibration);
        self.settings.user_scale.map_or(value, |(offset, gain)| value * gain + offset)
    }

    /// Underrange, overrange, error.
    fn out_of_range(&self, scaled: f64, field: f64) -> (bool, bool, bool) {
        let value = scaled.round();
        let (below, above) = match self.range {
            Some(RangeDescription::Ohm) => {
                let reading = thermometer::reading(self.settings.element, field);
                (reading.below, reading.above)
            }
            // −200 to 850 °C.
            None if self.thermometer => (value <= -2_000.0, value >= 8_500.0),
            Some(range) if !range.is_bipolar() => {
                (value < UNDERRANGE, value >= self.full_scale() - 1.0)
            }
            _ => (value <= -self.full_scale(), value >= self.full_scale() - 1.0),
        };
        let error = if self.range == Some(RangeDescription::LiveZero) {
            !(4.0 - LIVE_ZERO_TOLERANCE_MA..=20.0 + LIVE_ZERO_TOLERANCE_MA).contains(&field)
        } else {
            below || above
        };
        (below, above, error)
    }

    /// 1 smaller, 2 larger, 3 equal; thermometers, and with swapped bits, the first two the other way round.
    fn compared(&self, value: f64, limit: f64) -> i64 {
        let (smaller, larger) =
            if self.settings.swap_limits == self.thermometer { (1, 2) } else { (2, 1) };
        if value < limit {
            smaller
        } else if value > limit {
            larger
        } else {
            3
        }
    }

    /// The bits of the value: limits are compared before, in signed representation.
    fn presented(&self, scaled: f64, below: bool, above: bool) -> i64 {
        let mut value = scaled;
        if self.thermometer {
            if below && self.range.is_some() {
                value = COLDEST;
            } else if self.settings.presentation == 2 {
                value *= 10.0;
            }
        } else if self.range.is_some_and(|range| !range.is_bipolar()) {
            value = value.max(0.0);
        }
        let full_scale = self.full_scale();
        let value = value.round().clamp(-full_scale, full_scale - 1.0) as i64;
        let magnitude = value.abs().min(full_scale as i64 - 1);
        let with_sign = if value < 0 { magnitude - full_scale as i64 } else { magnitude };
        let value = match (self.settings.presentation, self.thermometer) {
            (1, false) => magnitude,
            (2, false) | (1, true) => with_sign,
            _ => value,
        };
        if self.settings.siemens_bits { value & !7 | i64::from(below || above) } else { value }
    }
}
