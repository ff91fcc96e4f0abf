//! What the stress device does: it sends its outputs back, and misbehaves as its object 0x2000 says. A number that is
//! written there counts the next requests that meet a fault, beginning with the one after.

use serde::Deserialize;

use ecat_wire::mailbox::coe::emergency::Emergency;

use super::needs;
use crate::description::DescriptionError;
use crate::esc::{Direction, Point};
use crate::mailbox::{MailEffect, MailFault};
use crate::program::{Cell, Program, ProgramIo, Trigger};

/// Object of the commands.
pub(in crate::devices) const COMMANDS: u16 = 0x2000;
/// Objects of its outputs, and of the inputs that show them again.
pub(in crate::devices) const OUTPUTS: u16 = 0x7000;
pub(in crate::devices) const INPUTS: u16 = 0x6000;
const SECOND_NS: u64 = 1_000_000_000;
/// A mailbox has room for no more at once.
const EMERGENCIES_AT_ONCE: u64 = 64;
const GENERIC_ERROR: u16 = 0x1000;

/// Settings of the stress device: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StressDescription {}

pub(super) fn program(points: &[Point]) -> Result<Box<dyn Program>, DescriptionError> {
    let inputs = points.iter().filter(|p| p.direction == Direction::Input && p.index == INPUTS);
    let echoes: Vec<u8> = inputs.map(|point| point.subindex).collect();
    if echoes.is_empty() {
        return needs("inputs in object 0x6000 and outputs in 0x7000");
    }
    Ok(Box::new(Stress {
        echoes: echoes.into_iter().map(|subindex| (subindex, None)).collect(),
        commands: [None; 9],
        writes: 0,
        storm_since_ns: 0,
        sent: 0,
        rate: 0,
        inverted: false,
    }))
}

struct Stress {
    /// By subindex: an input, and the output that it shows.
    echoes: Vec<(u8, Option<(Cell, Cell)>)>,
    commands: [Option<Cell>; 9],
    writes: u64,
    storm_since_ns: u64,
    sent: u64,
    rate: u64,
    inverted: bool,
}

impl Program for Stress {
    fn start(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        for (subindex, cells) in &mut self.echoes {
            *cells = device.cell(INPUTS, *subindex).zip(device.cell(OUTPUTS, *subindex));
        }
        self.commands = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(|sub| device.cell(COMMANDS, sub));
        (self.writes, self.rate, self.storm_since_ns) = (device.object_writes(), 0, now_ns);
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, _trigger: Trigger) {
        if device.object_writes() != self.writes {
            self.writes = device.object_writes();
            self.obey(device, now_ns);
        }
        self.storm(device, now_ns);
        let toggles = self.commands[8].is_some_and(|cell| device.get(cell) != 0);
        self.inverted = toggles && !self.inverted;
        for (input, output) in self.echoes.iter().filter_map(|(_, cells)| *cells) {
            let value = if device.drives_outputs() { device.get(output) } else { 0 };
            device.set(input, if self.inverted { !value } else { value });
        }
    }
}

impl Stress {
    /// Commands are taken once: a counter reads 0 again.
    fn obey(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        let taken = |device: &mut ProgramIo<'_>, cell: Option<Cell>| {
            let value = cell.map_or(0, |cell| device.get(cell));
            if let Some(cell) = cell.filter(|_| value != 0) {
                device.set(cell, 0);
            }
            value as u32
        };
        let [rate, late, late_ms, silent, repeated, out_of_order, state, code, _] = self.commands;
        let number = |cell: Option<Cell>| cell.map_or(0, |cell| device.get(cell));
        let (rate, delay_ms, code) =
            (number(rate) as u64, number(late_ms) as u32, number(code) as u16);
        if rate != self.rate {
            (self.rate, self.storm_since_ns, self.sent) = (rate, now_ns, 0);
        }
        for (cell, effect) in [
            (late, MailEffect::Late { delay_ms }),
            (silent, MailEffect::Silence),
            (repeated, MailEffect::WrongCounter),
            (out_of_order, MailEffect::BehindNext),
        ] {
            let count = taken(device, cell);
            if count > 0 {
                device.disturb_mail(MailFault { after: 0, count, protocol: None, effect });
            }
        }
        let state = taken(device, state) as u8;
        if matches!(state, 1 | 2 | 4) {
            device.leave_state(state, code);
        }
    }

    fn storm(&mut self, device: &mut ProgramIo<'_>, now_ns: u64) {
        let elapsed_ns = now_ns.saturating_sub(self.storm_since_ns);
        let due = (u128::from(elapsed_ns) * u128::from(self.rate) / u128::from(SECOND_NS)) as u64;
        for n in self.sent..due.min(self.sent + EMERGENCIES_AT_ONCE) {
            let [a, b, c, d, ..] = n.to_le_bytes();
            let emergency = Emergency { code: GENERIC_ERROR, register: 1, data: [a, b, c, d, 0] };
            device.raise_emergency(emergency);
        }
        self.sent = self.sent.max(due);
    }
}
