//! A CiA 402 servo drive with its motor and machine: csp, csv, cst, pp, pv and hm.
//!
//! ```text
//! run ── read (objects) ── ticks of 62.5 µs ── show (objects)
//!                            │
//!                            └ axis: state_machine → motion (mode, stop, nothing) → controller → plant → encoder
//! ```
//! A tick stands on the segment's clock, wherever frames or pulses lie: what turns depends on time and on when set points
//! came, and on nothing else.

mod axis;
mod controller;
mod core;
mod description;
mod limits;
mod modes;
mod monitoring;
pub(crate) mod objects;
pub mod options;
pub mod plant;
mod probe;
mod profile;
pub mod state_machine;
mod status;
mod switches;

pub use description::{
    BrakeDescription, ControlDescription, EncoderDescription, LoadDescription, MotorDescription,
    RangeDescription, ServoDescription, StopsDescription, SwitchesDescription,
};
pub use modes::Mode;

use super::super::DeviceImage;
use crate::description::DescriptionError;
use crate::esc::mixed;
use crate::program::{Cell, Program, ProgramIo, Trigger};
use axis::Axis;
use objects::AXIS_DISTANCE;
use plant::{Plant, TICK_NS};

/// More ticks than these are not made up for: 10 s. A machine that nobody has looked at for longer stands.
const TICKS_MAX: u64 = 160_000;
const ERROR_REGISTER: u16 = 0x1001;

struct Servo {
    settings: ServoDescription,
    seed: u64,
    axes: Vec<Axis>,
    error_register: Option<Cell>,
    last_tick: Option<u64>,
    output_writes: u64,
}

pub(super) fn program(
    settings: &ServoDescription,
    device: &DeviceImage,
    seed: u64,
) -> Result<Box<dyn Program>, DescriptionError> {
    settings.check()?;
    for axis in 0..u16::from(settings.axes) {
        for index in [0x6040, 0x6041].map(|index| index + axis * AXIS_DISTANCE) {
            if !device.has_object(index, 0) {
                let message =
                    format!("a servo needs object {index:#06x}, which the device does not have");
                return Err(DescriptionError::new("/kind", message));
            }
        }
    }
    Ok(Box::new(Servo {
        settings: settings.clone(),
        seed,
        axes: Vec::new(),
        error_register: None,
        last_tick: None,
        output_writes: 0,
    }))
}

impl Program for Servo {
    fn start(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        self.error_register = device.cell(ERROR_REGISTER, 0);
        let settings = &self.settings;
        // What turns stays where it is, whatever becomes of the drive.
        let mut plants = self.axes.drain(..).map(|axis| axis.core.plant).collect::<Vec<_>>();
        plants.resize_with(settings.axes.into(), || Plant::new(settings));
        self.axes = (0..)
            .zip(plants)
            .map(|(n, plant)| {
                let seed = mixed(self.seed ^ mixed(n.into()));
                Axis::new(settings, n * AXIS_DISTANCE, seed, plant.at_rest(), device)
            })
            .collect();
        self.last_tick = Some(now_ns / TICK_NS);
        self.output_writes = device.output_writes();
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, trigger: Trigger) {
        let writes = device.output_writes();
        let came = std::mem::replace(&mut self.output_writes, writes) != writes;
        // Before a frame, what the one before has brought counts since then; at SYNC0 it counts from now on.
        match trigger {
            Trigger::Frame => {
                self.read(device, false);
                self.advance(now_ns);
            }
            Trigger::Pulse(_) => {
                self.advance(now_ns);
                self.read(device, !came);
            }
        }
        let mut register = 0;
        for axis in &mut self.axes {
            axis.show(device);
            for emergency in axis.take_emergencies() {
                device.raise_emergency(emergency);
            }
            register |= axis::error_register(axis.error_code);
        }
        if let Some(cell) = self.error_register
            && device.get(cell) != i64::from(register)
        {
            device.set(cell, register.into());
        }
    }
}

impl Servo {
    fn read(&mut self, device: &ProgramIo<'_>, missing: bool) {
        self.axes.iter_mut().for_each(|axis| axis.read(device, missing));
    }

    fn advance(&mut self, now_ns: u64) {
        let now = now_ns / TICK_NS;
        let last = self.last_tick.replace(now).unwrap_or(now);
        let ticks = now.saturating_sub(last).min(TICKS_MAX);
        for tick in last + 1..=last + ticks {
            self.axes.iter_mut().for_each(|axis| axis.tick(tick));
        }
    }
}
