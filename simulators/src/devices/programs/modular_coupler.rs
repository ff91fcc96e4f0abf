//! What a modular coupler does beside its mailbox: it shows in its status word whether its modules are those that are
//! configured, and counts where a module is a counter.

use serde::Deserialize;

use super::super::DeviceImage;
use super::counter::Count;
use super::needs;
use crate::description::DescriptionError;
use crate::mailbox::modules::Fit;
use crate::program::{Cell, Program, ProgramIo, Trigger};

/// The number of counters among modules.
pub(in crate::devices) const COUNTER: u32 = 0x0105;
/// Object and subindex of the status word.
pub(in crate::devices) const STATUS: (u16, u8) = (0xF100, 1);
/// Subindices of a counter's inputs 0x60n0, outputs 0x70n0 and settings 0x80n0.
pub(in crate::devices) const COUNTER_VALUE: u8 = 0x21;
pub(in crate::devices) const SET_DONE: u8 = 0x22;
pub(in crate::devices) const PULSES: u8 = 0x2F;
pub(in crate::devices) const SET: u8 = 0x22;
pub(in crate::devices) const INHIBIT: u8 = 0x23;
pub(in crate::devices) const COUNT_DOWN: u8 = 0x21;
/// Objects of the first slot.
pub(in crate::devices) const INPUTS: u16 = 0x6000;
pub(in crate::devices) const OUTPUTS: u16 = 0x7000;
pub(in crate::devices) const SETTINGS: u16 = 0x8000;
/// Bits of the status word, as in a UR20-FBC-EC: the lists of modules differ; they do so that no process data is exchanged.
const DIFFERS: i64 = 1 << 6;
const REFUSES: i64 = 1 << 7;

/// Settings of a modular coupler's program: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModularCouplerDescription {}

pub(super) fn program(device: &DeviceImage) -> Result<Box<dyn Program>, DescriptionError> {
    let application = &device.profile.application;
    let slots = application.mailbox.as_ref().and_then(|mailbox| mailbox.slots.as_ref());
    let Some(slots) = slots.filter(|slots| slots.own_inputs.is_some()) else {
        return needs("slots, as the type modular-coupler is one");
    };
    let counters = (1..=u8::MAX).zip(&slots.plugged).filter_map(|(slot, _)| {
        let offset = slots.offset(slot);
        let mut points = application.points.iter();
        let pulses = points.find(|p| (p.index, p.subindex) == (INPUTS + offset, PULSES))?;
        Some(Counter { slot, offset, pulses: pulses.bit_offset, running: None })
    });
    Ok(Box::new(ModularCoupler { counters: counters.collect(), status: None }))
}

struct ModularCoupler {
    counters: Vec<Counter>,
    status: Option<Cell>,
}

impl Program for ModularCoupler {
    fn start(&mut self, device: &mut ProgramIo<'_>, _now_ns: u64) {
        self.status = device.cell(STATUS.0, STATUS.1);
        self.counters.iter_mut().for_each(|counter| counter.running = None);
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, _now_ns: u64, _trigger: Trigger) {
        for counter in &mut self.counters {
            counter.run(device);
        }
        let differs = if device.modules_fit() == Some(Fit::Same) { 0 } else { DIFFERS };
        let refuses = if device.refuses_modules() { REFUSES } else { 0 };
        if let Some(status) = self.status {
            device.set(status, differs | refuses);
        }
    }
}

/// A slot, and what a counter in it knows.
struct Counter {
    slot: u8,
    offset: u16,
    /// First bit of the pulses: a number that rises by one a pulse.
    pulses: u32,
    running: Option<Running>,
}

struct Running {
    count: Count,
    inputs: [Option<Cell>; 2],
    outputs: [Option<Cell>; 3],
    count_down: Option<Cell>,
}

impl Counter {
    fn run(&mut self, device: &mut ProgramIo<'_>) {
        if device.module(self.slot) != Some(COUNTER) {
            self.running = None;
            return;
        }
        let pulses = f64::from_bits(device.input(self.pulses, 64));
        let offset = self.offset;
        let running = self.running.get_or_insert_with(|| Running {
            count: Count::from(pulses),
            inputs: [COUNTER_VALUE, SET_DONE].map(|sub| device.cell(INPUTS + offset, sub)),
            outputs: [COUNTER_VALUE, SET, INHIBIT].map(|sub| device.cell(OUTPUTS + offset, sub)),
            count_down: device.cell(SETTINGS + offset, COUNT_DOWN),
        });
        let get = |cell: Option<Cell>| cell.map_or(0, |cell| device.get(cell));
        let [value, set, inhibit] = running.outputs.map(get);
        let downwards = get(running.count_down) != 0;
        let set_to = (set != 0).then_some(value as u32);
        running.count.step(pulses, downwards, inhibit != 0, set_to);
        let shown = [i64::from(running.count.value), i64::from(set != 0)];
        for (cell, value) in running.inputs.into_iter().zip(shown) {
            if let Some(cell) = cell {
                device.set(cell, value);
            }
        }
    }
}
