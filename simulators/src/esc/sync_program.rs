//! The program's side of the distributed clock: what it wants of the SYNC unit on the way to SAFE-OP and OP,
//! and what makes it leave OP (ETG1000.6, AL status codes 0x001A and 0x002C–0x0037; ETG1020,
//! "Synchronization"). Only of devices that are described so; others run at whatever comes.

use ecat_wire::register as reg;

use super::{Esc, al};
use crate::mailbox::sync_objects::{self, Figures};

const SYNC_ERROR: u16 = 0x001A;
const NO_OUTPUTS: u16 = 0x001B;
const FATAL_SYNC_ERROR: u16 = 0x002C;
const NO_SYNC: u16 = 0x002D;
const INVALID_CONFIGURATION: u16 = 0x0030;
const PLL_ERROR: u16 = 0x0032;
const INVALID_SYNC0_CYCLE: u16 = 0x0036;
const INVALID_SYNC1_CYCLE: u16 = 0x0037;

/// 0x0981: SYNC0 and SYNC1.
const SYNC0: u8 = 0x02;
const SYNC1: u8 = 0x04;
/// Cycles with outputs, one after another, until the program takes itself to be in step.
const CYCLES_IN_STEP: u16 = 3;
/// Cycles without SYNC0 until it takes the pulses to be gone.
const CYCLES_WITHOUT: u64 = 4;

/// What a program wants of the SYNC unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncSettings {
    /// SAFE-OP needs the SYNC unit to be on.
    pub required: bool,
    /// Values of 0x0981 bits 0–2 that the program can work with; none: any with SYNC0.
    pub activations: Vec<u8>,
    /// Shortest SYNC0 cycle, in ns.
    pub minimum_cycle_ns: u32,
    /// Longest SYNC0 cycle, in ns.
    pub maximum_cycle_ns: u32,
    /// Cycles without outputs, one after another, that it bears in OP.
    pub missed_cycles: u16,
    /// The largest mean difference to the reference clock (0x092C) that it takes for being in step, in ns.
    pub tolerance_ns: u32,
    /// How long it waits for pulses and outputs on the way to OP, in ns.
    pub timeout_ns: u64,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            required: true,
            activations: Vec::new(),
            minimum_cycle_ns: 62_500,
            maximum_cycle_ns: 100_000_000,
            missed_cycles: 4,
            tolerance_ns: u32::MAX,
            timeout_ns: 200_000_000,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct SyncProgram {
    /// How often outputs were written.
    writes: u64,
    /// Outputs were written since the last pulse, and since the program waits for them.
    outputs: bool,
    any_outputs: bool,
    /// Cycles in step, and cycles without outputs, one after another.
    good: u16,
    missed: u16,
    /// All cycles without outputs in OP.
    missed_in_all: u16,
    last_pulse_ns: Option<u64>,
    /// Since when pulses should come.
    since_ns: u64,
    failed: bool,
}

impl Esc {
    fn sync_settings(&self) -> Option<&SyncSettings> {
        self.profile.application.sync.as_ref()
    }

    fn activation(&self) -> u8 {
        self.memory.u8(reg::DC_SYNC_ACTIVATION) & 0x07
    }

    /// Why the configuration of the SYNC unit is refused on the way to SAFE-OP.
    pub(super) fn refuse_sync(&self) -> Option<u16> {
        let settings = self.sync_settings()?;
        let dictionary = self.mailbox.as_ref().and_then(|mailbox| mailbox.dictionary());
        let wants_pulses = dictionary.is_some_and(sync_objects::wants_pulses);
        let activation = self.activation();
        if !self.sync_active() {
            return (settings.required || wants_pulses).then_some(INVALID_CONFIGURATION);
        }
        let known = settings.activations.is_empty() || settings.activations.contains(&activation);
        if activation & SYNC0 == 0 || !known {
            return Some(INVALID_CONFIGURATION);
        }
        let cycle = self.memory.u32(reg::DC_SYNC0_CYCLE);
        if !(settings.minimum_cycle_ns..=settings.maximum_cycle_ns).contains(&cycle) {
            return Some(INVALID_SYNC0_CYCLE);
        }
        // Longer than SYNC0's, it has to be a multiple: else SYNC1 has no place in the program's cycle.
        let after = self.memory.u32(reg::DC_SYNC1_CYCLE);
        let uneven = activation & SYNC1 != 0 && after > cycle && !after.is_multiple_of(cycle);
        uneven.then_some(INVALID_SYNC1_CYCLE)
    }

    /// Until when the program waits for pulses and outputs before it enters OP; `None` if it does not.
    pub(super) fn synchronises_until(&mut self, now_ns: u64) -> Option<u64> {
        let timeout_ns = self.sync_settings()?.timeout_ns;
        if !self.sync_active() {
            return None;
        }
        (self.sync_program.good, self.sync_program.any_outputs) = (0, false);
        (self.sync_program.last_pulse_ns, self.sync_program.since_ns) = (None, now_ns);
        Some(now_ns + timeout_ns)
    }

    /// Whether pulses and outputs come one after the other, and the clock is near the reference.
    pub(super) fn in_step(&self) -> bool {
        self.sync_program.good >= CYCLES_IN_STEP
    }

    /// What has been missing for [`Esc::in_step`].
    pub(super) fn out_of_step_code(&self) -> u16 {
        match (self.sync_program.last_pulse_ns, self.sync_program.any_outputs) {
            (None, _) => NO_SYNC,
            (_, false) => NO_OUTPUTS,
            _ => PLL_ERROR,
        }
    }

    /// The MainDevice has written outputs.
    pub(super) fn outputs_written_sync(&mut self) {
        (self.sync_program.outputs, self.sync_program.any_outputs) = (true, true);
        self.sync_program.writes += 1;
    }

    /// How often outputs were written since power-on.
    pub(crate) fn output_writes(&self) -> u64 {
        self.sync_program.writes
    }

    /// The program runs at a pulse of SYNC0.
    pub(super) fn run_at_pulse(&mut self, at_ns: u64) {
        let Some(settings) = self.sync_settings() else { return };
        let (tolerance, limit) = (u64::from(settings.tolerance_ns), settings.missed_cycles);
        let near = self.mean_difference_ns().unsigned_abs() <= tolerance;
        let in_op = self.al_state() == al::OP;
        let program = &mut self.sync_program;
        program.last_pulse_ns = Some(at_ns);
        if std::mem::take(&mut program.outputs) {
            (program.good, program.missed) = (program.good.saturating_add(u16::from(near)), 0);
        } else {
            (program.good, program.missed) = (0, program.missed.saturating_add(1));
            program.missed_in_all = program.missed_in_all.saturating_add(u16::from(in_op));
        }
        if !near {
            program.good = 0;
        }
        if in_op && !near {
            self.leave_op_unsynchronised(PLL_ERROR);
        } else if in_op && self.sync_program.missed > limit {
            self.leave_op_unsynchronised(SYNC_ERROR);
        }
    }

    fn leave_op_unsynchronised(&mut self, code: u16) {
        self.sync_program.failed = true;
        self.leave_state(al::SAFE_OP, code);
    }

    /// The program has entered a state.
    pub(super) fn entered_sync(&mut self, state: u8, now_ns: u64) {
        let SyncProgram { missed_in_all, writes, .. } = self.sync_program;
        let failed = self.sync_program.failed && state == al::SAFE_OP;
        match state {
            al::OP => (self.sync_program.missed, self.sync_program.since_ns) = (0, now_ns),
            al::SAFE_OP => {}
            _ => {
                self.sync_program = SyncProgram { missed_in_all, writes, ..SyncProgram::default() }
            }
        }
        self.sync_program.failed = failed;
    }

    /// Lets the program see that pulses have stopped; returns when it would.
    pub(super) fn tick_sync_program(&mut self, now_ns: u64) -> u64 {
        let supervised = self.sync_settings().is_some_and(|settings| settings.required);
        if !supervised || self.al_state() != al::OP || self.emulated() {
            return u64::MAX;
        }
        let cycle = u64::from(self.memory.u32(reg::DC_SYNC0_CYCLE));
        let last = self.sync_program.last_pulse_ns.unwrap_or(0).max(self.sync_program.since_ns);
        let due = last.saturating_add(CYCLES_WITHOUT * cycle.max(1_000_000));
        if now_ns < due {
            return due;
        }
        self.leave_op_unsynchronised(FATAL_SYNC_ERROR);
        u64::MAX
    }

    /// Brings 0x1C32 and 0x1C33 up to date.
    pub(super) fn refresh_sync_objects(&mut self) {
        if self.sync_settings().is_none() {
            return;
        }
        let figures = Figures {
            running: matches!(self.al_state(), al::SAFE_OP | al::OP),
            sync0: self.sync_active(),
            sync1: self.activation() & SYNC1 != 0,
            sync0_cycle_ns: self.memory.u32(reg::DC_SYNC0_CYCLE),
            missed: self.sync_program.missed_in_all,
            failed: self.sync_program.failed,
        };
        let dictionary = self.mailbox.as_mut().and_then(|mailbox| mailbox.dictionary_mut());
        if let Some(dictionary) = dictionary {
            sync_objects::refresh(dictionary, &figures);
        }
    }
}
