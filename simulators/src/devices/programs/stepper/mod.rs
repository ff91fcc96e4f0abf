//! A stepper terminal in the manner of EL7041: velocity, position and positioning by process data, an encoder with
//! latches, and a motor that loses steps. By the vendor's public documentation of EL70x1; what it leaves open is said.

mod description;
mod encoder;
mod motor;
mod objects;
mod positioning;

pub use description::StepperDescription;

use super::super::DeviceImage;
use super::servo::RangeDescription;
use super::servo::plant::{TICK_NS, TICK_S};
use crate::description::DescriptionError;
use crate::program::{Cell, Program, ProgramIo, Trigger};
use encoder::Encoder;
use motor::{MICROSTEPS, Motor};
use objects::{Item, Read, SHOWN};
use positioning::Positioning;

/// As of a servo.
const TICKS_MAX: u64 = 160_000;
/// By how much of the rest a cyclic position is approached a second (assumed).
const POSITION_GAIN: f64 = 200.0;
/// Below this voltage the stage goes off.
const LEAST_VOLTAGE_V: f64 = 8.0;
/// A motor turns where it is faster than this, in full steps a second.
const MOVES_FULL_STEPS_PER_S: f64 = 2.0;

/// How the field is led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Velocity,
    Position,
    Positioning,
}

struct Stepper {
    settings: StepperDescription,
    read: Option<Read>,
    shown: [(Option<Cell>, Option<i64>); SHOWN.len()],
    motor: Motor,
    encoder: Encoder,
    positioning: Positioning,
    mode: Mode,
    velocity: f64,
    /// Position of the field as it is told, beside where it is.
    offset: f64,
    enabled_s: f64,
    error: bool,
    was_reset: bool,
    toggle: bool,
    writes: Option<u64>,
    last_tick: Option<u64>,
}

pub(super) fn program(
    settings: &StepperDescription,
    device: &DeviceImage,
) -> Result<Box<dyn Program>, DescriptionError> {
    settings.check()?;
    if !device.has_object(0x7010, 1) || !device.has_object(0x6010, 1) {
        let message = "a stepper needs objects 0x7010 and 0x6010, which the device does not have";
        return Err(DescriptionError::new("/kind", message));
    }
    Ok(Box::new(Stepper {
        settings: settings.clone(),
        read: None,
        shown: [(None, None); SHOWN.len()],
        motor: Motor::new(settings, 200.0),
        encoder: Encoder::default(),
        positioning: Positioning::default(),
        mode: Mode::Velocity,
        velocity: 0.0,
        offset: 0.0,
        enabled_s: 0.0,
        error: false,
        was_reset: false,
        toggle: false,
        writes: None,
        last_tick: None,
    }))
}

impl Program for Stepper {
    fn start(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        self.read = Some(Read::new(device));
        self.shown = SHOWN.map(|(index, subindex)| (device.cell(index, subindex), None));
        self.encoder = Encoder::default();
        self.positioning = Positioning::default();
        (self.enabled_s, self.error, self.writes) = (0.0, false, None);
        self.motor.rest();
        self.last_tick = Some(now_ns / TICK_NS);
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, trigger: Trigger) {
        let Some(mut read) = self.read.take() else { return };
        match trigger {
            Trigger::Frame => {
                self.take(&mut read, device);
                self.advance(&read, now_ns);
            }
            Trigger::Pulse(_) => {
                self.advance(&read, now_ns);
                self.take(&mut read, device);
            }
        }
        self.toggle = !self.toggle;
        let values = self.shown(&read);
        for ((cell, last), value) in self.shown.iter_mut().zip(values) {
            if let Some(cell) = cell
                && *last != Some(value)
            {
                *last = Some(value);
                device.set(*cell, value);
            }
        }
        self.read = Some(read);
    }
}

impl Stepper {
    /// Reads what the MainDevice wants.
    fn take(&mut self, read: &mut Read, device: &ProgramIo<'_>) {
        let writes = Some(device.object_writes());
        let settings = self.writes != writes;
        read.refresh(device, settings);
        if settings {
            self.writes = writes;
        }
        let by_positioning = read.carries(device, Item::Execute);
        // 0 is automatic: by what the PDOs carry. The other modes of the documentation are not simulated.
        self.mode = match read.get(Item::OperationMode) {
            1 => Mode::Velocity,
            3 if !by_positioning => Mode::Position,
            _ if by_positioning => Mode::Positioning,
            _ if read.carries(device, Item::Position) => Mode::Position,
            _ => Mode::Velocity,
        };
        let reset = read.on(Item::Reset);
        if !std::mem::replace(&mut self.was_reset, reset) && reset {
            (self.error, self.positioning.error) = (false, false);
        }
        self.encoder.read(read);
        let (position, range, scale) = (self.set_position(read), range(read), scale(read));
        let carried = read.carries(device, Item::StartType);
        if self.is_ready(read) {
            self.positioning.read(read, position, range, scale, carried);
        } else {
            self.positioning.abandon();
        }
    }

    fn is_ready(&self, read: &Read) -> bool {
        self.enabled_s * 1e3 >= read.real(Item::DriveOnDelay).max(TICK_S) && self.enabled_s > 0.0
    }

    /// Where the field is, in units of positions.
    fn set_position(&self, read: &Read) -> f64 {
        self.motor.field * scale(read) / MICROSTEPS * sign(read) + self.offset
    }

    /// Where the encoder, or where there is none the field, says that the shaft is.
    fn actual_position(&self, read: &Read) -> f64 {
        if read.on(Item::FeedbackType) {
            self.set_position(read)
        } else {
            self.encoder.counts() as f64 * sign(read) + self.offset
        }
    }

    fn advance(&mut self, read: &Read, now_ns: u64) {
        let now = now_ns / TICK_NS;
        let last = self.last_tick.replace(now).unwrap_or(now);
        let ticks = now.saturating_sub(last).min(TICKS_MAX);
        (0..ticks).for_each(|_| self.tick(read));
    }

    fn tick(&mut self, read: &Read) {
        if self.settings.supply_voltage_v < LEAST_VOLTAGE_V && read.on(Item::Enable) {
            self.error = true;
        }
        let powered = read.on(Item::Enable) && !self.error;
        if powered && self.enabled_s == 0.0 {
            // The counting of the field goes on where it was; the rotor moves to the nearest place of its period.
            let before = self.set_position(read);
            self.motor.align();
            self.offset += before - self.set_position(read);
        }
        self.enabled_s = if powered { self.enabled_s + TICK_S } else { 0.0 };
        let (range, scale) = (range(read), scale(read));
        let ready = self.is_ready(read);
        let position = self.set_position(read);
        let wanted = match self.mode {
            _ if !ready => 0.0,
            Mode::Velocity => {
                let share = read.real(Item::Velocity) / 32_767.0;
                let least = read.real(Item::StartVelocity) / 10_000.0;
                if share.abs() < least { 0.0 } else { share * range }
            }
            Mode::Position => {
                let target = f64::from(read.get(Item::Position) as u32 as i32);
                (target - position) * POSITION_GAIN / scale
            }
            Mode::Positioning => {
                let cam = self.input(read, 0);
                self.positioning.tick(read, position, cam, range, scale) / scale
            }
        };
        self.velocity = wanted.clamp(-range, range);
        let current =
            if read.on(Item::ReduceTorque) { Item::ReducedCurrent } else { Item::MaximalCurrent };
        let current_a = if powered { read.real(current) * 1e-3 } else { 0.0 };
        self.motor.step(self.velocity * sign(read), current_a);
        if let Some(value) = self.positioning.set_position.take() {
            self.offset += value - position;
            self.encoder.set_value(value as i64);
        }
        let increments = read.get(Item::EncoderIncrements);
        let counts = self.motor.position() / (read.real(Item::FullSteps).max(1.0) * MICROSTEPS)
            * increments as f64;
        let reversed = if read.on(Item::Reversion) { -1.0 } else { 1.0 };
        let latch = self.settings.latch.as_ref().is_some_and(|range| self.is_within(range));
        self.encoder.tick((counts * reversed).floor() as i64, increments, latch);
        let lag = self.lag(read).abs();
        let most = read.real(Item::LagMaximum);
        if most > 0.0 && lag > most && self.positioning.is_busy() {
            self.positioning.error = true;
            if read.on(Item::StopOnLag) {
                self.positioning.abandon();
                self.error = true;
            }
        }
    }

    /// By how much the shaft is behind the field, in units of positions.
    fn lag(&self, read: &Read) -> f64 {
        (self.motor.field - self.motor.position()) * scale(read) / MICROSTEPS * sign(read)
    }

    fn is_within(&self, range: &RangeDescription) -> bool {
        (range.from..=range.to).contains(&self.motor.position())
    }

    fn input(&self, read: &Read, n: usize) -> bool {
        let inverted = read.on([Item::InvertInput1, Item::InvertInput2][n]);
        self.settings.inputs.get(n).is_some_and(|range| self.is_within(range)) != inverted
    }

    /// What it shows, in the order of [`SHOWN`].
    fn shown(&self, read: &Read) -> [i64; SHOWN.len()] {
        let bit = i64::from;
        let (encoder, positioning) = (&self.encoder, &self.positioning);
        let counts = encoder.counts();
        let (supply, nominal) =
            (self.settings.supply_voltage_v, read.real(Item::NominalVoltage) * 1e-3);
        let (under, over) = (supply < 0.8 * nominal, supply > 1.1 * nominal);
        let velocity = self.motor.velocity() * sign(read);
        let powered = self.enabled_s > 0.0;
        let latch = self.settings.latch.as_ref().is_some_and(|range| self.is_within(range));
        let value = if read.on(Item::FeedbackType) {
            self.set_position(read).round() as i64
        } else {
            encoder.value()
        };
        let share = |velocity: f64, most: f64| (velocity / range(read) * most).round() as i64;
        [
            bit(encoder.valid[0]),
            bit(encoder.valid[1]),
            bit(encoder.set_done),
            counts >> 1 & 1,
            (counts + 1) >> 1 & 1,
            bit(counts.rem_euclid(read.get(Item::EncoderIncrements).max(1)) == 0),
            bit(latch),
            bit(self.toggle),
            value,
            encoder.latched,
            bit(!self.error),
            bit(self.is_ready(read)),
            bit(under || over),
            bit(self.error),
            bit(powered && velocity > MOVES_FULL_STEPS_PER_S),
            bit(powered && velocity < -MOVES_FULL_STEPS_PER_S),
            bit(powered && read.on(Item::ReduceTorque)),
            bit(self.input(read, 0)),
            bit(self.input(read, 1)),
            bit(self.toggle),
            (self.motor.field * sign(read)).round() as i64,
            encoder.value(),
            bit(positioning.is_busy()),
            bit(self.is_in_target(read)),
            bit(under || over),
            bit(positioning.error || self.error),
            bit(positioning.calibrated),
            bit(positioning.accelerates),
            bit(positioning.decelerates),
            self.set_position(read).round() as i64,
            share(positioning.velocity() / scale(read), 10_000.0),
            (positioning.drive_time_s * 1e3) as i64,
            bit(under),
            bit(over),
            bit(self.error),
            self.lag(read).round() as i64,
            share(velocity, 10_000.0),
        ]
    }

    /// The command has ended at its target, and the shaft is within the window.
    fn is_in_target(&self, read: &Read) -> bool {
        let rest = self.actual_position(read) - self.set_position(read);
        self.positioning.in_target && rest.abs() <= read.real(Item::TargetWindow).max(1.0)
    }
}

/// Full steps a second at 100 % (0x8012:05).
fn range(read: &Read) -> f64 {
    1_000.0 * f64::from(1u32 << read.get(Item::SpeedRange).clamp(0, 5))
}

/// Units of positions of a full step: increments of the encoder, or microsteps.
fn scale(read: &Read) -> f64 {
    if read.on(Item::FeedbackType) {
        MICROSTEPS
    } else {
        read.real(Item::EncoderIncrements) / read.real(Item::FullSteps).max(1.0)
    }
}

/// 0x8012:09 turns the motor round.
fn sign(read: &Read) -> f64 {
    if read.on(Item::InvertPolarity) { -1.0 } else { 1.0 }
}
