//! Converters that take several samples a cycle, in the manner of EL3632: one at each pulse of SYNC0, which SYNC1 hands
//! over together. Where SYNC0 runs alone, or nothing does, the samples lie evenly in the time since the last pulse, or
//! the last frame. What goes into a channel is a real number in digits, and vibration by its axis on top.

use serde::Deserialize;

use super::super::process_data::ProcessData;
use super::accelerometer::AxisDescription;
use super::fields::{self, Field};
use super::needs;
use crate::description::DescriptionError;
use crate::esc::{Point, SyncPulse, mixed};
use crate::program::{Cell, Program, ProgramIo, Trigger};

/// The most samples of a channel.
pub(in crate::devices) const SAMPLES_MAX: u8 = 50;
/// How many samples a cycle there can be.
pub(in crate::devices) const SAMPLE_COUNTS: [u8; 11] =
    [1, 2, 4, 5, 8, 10, 16, 20, 25, 40, SAMPLES_MAX];
const CHANNELS: usize = 2;
/// Objects of the first channel: its status, and its samples by subindex.
const STATUS: u16 = 0x6000;
const SAMPLES: u16 = 0x6001;
const CHANNEL_DISTANCE: u16 = 0x10;
const NEXT_SYNC: u16 = 0x6020;
const SAMPLE_COUNT: u16 = 0x6021;
/// Bits of a status.
const UNDERRANGE: u8 = 0x01;
const OVERRANGE: u8 = 0x02;
const ERROR: u8 = 0x07;
const SYNC_ERROR: u8 = 0x0E;
const TOGGLE: u8 = 0x10;
/// What is assigned of the inputs, and the PDO of the first sample.
const ASSIGNED: u16 = 0x1C13;
const FIRST_SAMPLE: u16 = 0x1A01;
/// Samples that wait for SYNC1.
const WAITING: usize = 2 * SAMPLES_MAX as usize;

/// Settings of converters with oversampling.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OversamplingDescription {
    /// How many samples of a channel are assigned by default: 1, 2, 4, 5, 8, 10, 16, 20, 25, 40 or 50; 1 where nothing is
    /// said.
    pub samples: Option<u8>,
    /// Vibration at the inputs.
    #[serde(default)]
    pub axes: Vec<AxisDescription>,
}

impl OversamplingDescription {
    /// Refuses numbers of samples, channels and lines that there are not.
    pub(in crate::devices) fn check(&self) -> Result<(), DescriptionError> {
        if self.samples.is_some_and(|samples| !SAMPLE_COUNTS.contains(&samples)) {
            let message = "is none of 1, 2, 4, 5, 8, 10, 16, 20, 25, 40 and 50";
            return Err(DescriptionError::new("/samples", message));
        }
        for (n, axis) in self.axes.iter().enumerate() {
            let at = |path: &str| format!("/axes/{n}{path}");
            if !(1..=CHANNELS).contains(&usize::from(axis.input)) {
                let message = format!("the device has {CHANNELS} inputs, counted from 1");
                return Err(DescriptionError::new(at("/input"), message));
            }
            axis.check().map_err(|error| DescriptionError { path: at(&error.path), ..error })?;
        }
        Ok(())
    }
}

/// Channels: what is measured, in digits.
pub(super) fn add_fields(process_data: &mut ProcessData) {
    fields::replace(process_data, &[Field::Real; CHANNELS], &[]);
}

pub(super) fn program(
    settings: &OversamplingDescription,
    points: &[Point],
    seed: u64,
) -> Result<Box<dyn Program>, DescriptionError> {
    settings.check()?;
    let has_samples = points.iter().any(|point| point.index == SAMPLES);
    let Some(measured) = fields::places(points).filter(|_| has_samples) else {
        return needs("the objects of an EL3632: samples in 0x6001");
    };
    Ok(Box::new(Oversampling {
        measured,
        axes: settings.axes.clone(),
        seed,
        waiting: Vec::with_capacity(WAITING),
        ready: Vec::with_capacity(WAITING),
        before_ns: None,
        writes: None,
        wanted: 0,
        count: 0,
        toggle: false,
        cells: Vec::new(),
        next: None,
        samples: None,
    }))
}

/// One moment.
#[derive(Clone, Copy)]
struct Sample {
    at_ns: u64,
    values: [f64; CHANNELS],
}

/// The objects of a channel.
struct ChannelCells {
    /// Underrange, overrange, error, synchronisation error, toggle.
    status: [Option<Cell>; 5],
    samples: Vec<Option<Cell>>,
}

struct Oversampling {
    /// First bits of what is measured.
    measured: [u32; CHANNELS],
    axes: Vec<AxisDescription>,
    seed: u64,
    /// Samples that SYNC1 has not handed over yet.
    waiting: Vec<Sample>,
    /// Those that are shown next.
    ready: Vec<Sample>,
    /// The last pulse or frame.
    before_ns: Option<u64>,
    writes: Option<u64>,
    /// How many samples are assigned.
    wanted: usize,
    count: u16,
    toggle: bool,
    cells: Vec<ChannelCells>,
    next: Option<Cell>,
    samples: Option<Cell>,
}

impl Program for Oversampling {
    fn start(&mut self, device: &mut ProgramIo<'_>, _now_ns: u64) {
        let channels = (0..CHANNELS as u16).map(|channel| channel * CHANNEL_DISTANCE);
        self.cells = channels
            .map(|offset| ChannelCells {
                status: [UNDERRANGE, OVERRANGE, ERROR, SYNC_ERROR, TOGGLE]
                    .map(|sub| device.cell(STATUS + offset, sub)),
                samples: (1..=SAMPLES_MAX).map(|sub| device.cell(SAMPLES + offset, sub)).collect(),
            })
            .collect();
        self.next = device.cell(NEXT_SYNC, 1);
        self.samples = device.cell(SAMPLE_COUNT, 1);
        self.waiting.clear();
        (self.before_ns, self.writes, self.count) = (None, None, 0);
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, trigger: Trigger) {
        if self.writes != Some(device.object_writes()) {
            self.writes = Some(device.object_writes());
            self.wanted = assigned_samples(device);
        }
        match trigger {
            Trigger::Pulse(SyncPulse { number: 1, .. }) => self.hand_over(device, now_ns),
            Trigger::Pulse(_) if device.next_pulse_ns(1).is_some() => {
                if self.waiting.len() == WAITING {
                    self.waiting.remove(0);
                }
                self.waiting.push(self.sample(device, now_ns));
            }
            Trigger::Pulse(_) | Trigger::Frame => self.spread(device, now_ns),
        }
    }

    fn wants_sync1(&self) -> bool {
        true
    }
}

/// How many samples of a channel the assignment has.
fn assigned_samples(device: &ProgramIo<'_>) -> usize {
    let number = |subindex| device.cell(ASSIGNED, subindex).map_or(0, |cell| device.get(cell));
    let of_first = |pdo: &i64| {
        let first = i64::from(FIRST_SAMPLE);
        (first..first + i64::from(SAMPLES_MAX)).contains(pdo)
    };
    let count = u8::try_from(number(0)).unwrap_or(0);
    let pdos = (1..=count).map(|subindex| number(subindex) & 0xFFFF);
    pdos.filter(of_first).count()
}

impl Oversampling {
    fn sample(&self, device: &ProgramIo<'_>, at_ns: u64) -> Sample {
        let mut values = self.measured.map(|place| f64::from_bits(device.input(place, 64)));
        for (n, axis) in self.axes.iter().enumerate() {
            values[usize::from(axis.input) - 1] += axis.at(self.seed ^ mixed(n as u64), at_ns);
        }
        Sample { at_ns, values }
    }

    /// SYNC1: the samples since the last one. That of the SYNC0 with which it comes is the first of the next ones.
    fn hand_over(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        let taken = self.waiting.iter().filter(|sample| sample.at_ns < now_ns).count();
        self.ready.clear();
        self.ready.extend(self.waiting.drain(..taken));
        let fits = taken == self.wanted;
        // Of more than are asked for the newest; of fewer there is no more to show.
        let more = taken.saturating_sub(self.wanted);
        self.ready.drain(..more);
        self.show(device, fits);
    }

    /// Samples at equal distances up to now.
    fn spread(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        let since_ns = now_ns - self.before_ns.unwrap_or(now_ns).min(now_ns);
        self.before_ns = Some(now_ns);
        self.ready.clear();
        self.waiting.clear();
        for n in 0..self.wanted as u64 {
            let ago_ns = u128::from(since_ns) * u128::from(self.wanted as u64 - 1 - n)
                / (self.wanted as u128).max(1);
            let sample = self.sample(device, now_ns - ago_ns as u64);
            self.ready.push(sample);
        }
        self.show(device, true);
    }

    fn show(&mut self, device: &mut ProgramIo<'_>, fits: bool) {
        const LEAST: f64 = i16::MIN as f64;
        const MOST: f64 = i16::MAX as f64;
        self.toggle = !self.toggle;
        self.count = self.count.wrapping_add(self.ready.len() as u16);
        let mut set = |cell: Option<Cell>, value: i64| {
            if let Some(cell) = cell {
                device.set(cell, value);
            }
        };
        for (channel, cells) in self.cells.iter().enumerate() {
            let values = self.ready.iter().map(|sample| sample.values[channel].round());
            let (under, over) = values.clone().fold((false, false), |(under, over), value| {
                (under || value < LEAST, over || value > MOST)
            });
            let status = [under, over, under || over, !fits, self.toggle];
            cells.status.iter().zip(status).for_each(|(cell, bit)| set(*cell, bit.into()));
            for (cell, value) in cells.samples.iter().zip(values) {
                set(*cell, value.clamp(LEAST, MOST) as i64);
            }
        }
        set(self.samples, self.count.into());
        let next = device.next_pulse_ns(1).or_else(|| device.next_pulse_ns(0));
        if let Some(cell) = self.next {
            device.set(cell, next.unwrap_or(0).cast_signed());
        }
    }
}
