//! The way up to OP and the way down to INIT, in steps of the running cycle.
//!
//! Up: a few cycles in PRE-OP (some devices want to see frames first), all SubDevices to SAFE-OP, then a
//! gate: OP is requested only once outputs have flowed with the right working counter for
//! [`GATE_CYCLES`] cycles in a row. What a SubDevice does not achieve becomes a record, and all others go
//! on. The records are handed over together when the way has ended.
//!
//! Down: one cycle with the outputs' loss values, then SAFE-OP, PRE-OP and INIT, each for everybody who
//! answers, within [`DOWN_NS`] in all.

use ecat_wire::al::AlState;

use super::al::{AlEngine, Outcome};
use super::counters::{Verdict, WorkingCounters};
use super::record::{Record, RecordKind};
use super::states::SubDeviceStates;
use crate::shared::layout::EngineState;

/// Cycles in PRE-OP before the first request.
const PRE_OP_CYCLES: u32 = 3;
/// Cycles in a row with no lost frame and no wrong working counter that open the way to OP.
pub const GATE_CYCLES: u32 = 10;
/// Limit for the way to SAFE-OP, and to OP (ETG.1020, where the device gives no other).
const UP_NS: u64 = 10_000_000_000;
/// A SubDevice on its way up that has answered nothing for so long, while others did, is lost. A shorter
/// interruption of the wire costs nobody its way.
const LOST_NS: u64 = 200_000_000;
/// Limit for the whole way down. Less than the 300 ms that an end may take in all, since the cycle in
/// progress and the one with the loss values come before it.
pub const DOWN_NS: u64 = 180_000_000;
/// The states of the way down.
const DOWN: [AlState; 3] = [AlState::SafeOp, AlState::PreOp, AlState::Init];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Cycling in PRE-OP, for so many cycles more.
    PreOp(u32),
    ToSafeOp,
    /// Waiting for cycles without fault: so many in a row so far, until then.
    Gate {
        right: u32,
        deadline_ns: u64,
    },
    ToOp,
    /// The way up has ended.
    Running,
    /// The way down: the next cycle carries the loss values.
    LossValues {
        deadline_ns: u64,
    },
    /// The way down: on the way to this state of [`DOWN`].
    ToDown {
        step: usize,
        deadline_ns: u64,
    },
    Ended,
}

/// What the way depends on in each cycle.
pub struct Surroundings<'a> {
    /// Requests.
    pub al: &'a mut AlEngine,
    /// What is known of the SubDevices.
    pub states: &'a mut SubDeviceStates,
    /// The process-data datagrams.
    pub counters: &'a WorkingCounters,
    /// Their verdicts in this cycle.
    pub verdicts: &'a [Verdict],
    /// Whether every frame of this cycle came back.
    pub frames_complete: bool,
    /// Whether anybody took part in the state check of this cycle.
    pub anybody_answers: bool,
    /// The thread's clock.
    pub now_ns: u64,
}

/// Where the engine stands on its way.
#[derive(Clone, Debug)]
pub struct Way {
    phase: Phase,
    timeout_ns: u64,
    failed: Vec<Option<Record>>,
}

impl Way {
    /// At the beginning, with `count` SubDevices in PRE-OP and a limit for each state.
    #[must_use]
    pub fn new(count: usize, timeout_ns: Option<u64>) -> Self {
        Self {
            phase: Phase::PreOp(PRE_OP_CYCLES),
            timeout_ns: timeout_ns.unwrap_or(UP_NS),
            failed: vec![None; count],
        }
    }

    /// Whether the way up has ended, one way or the other.
    #[must_use]
    pub fn is_up(&self) -> bool {
        !matches!(self.phase, Phase::PreOp(_) | Phase::ToSafeOp | Phase::Gate { .. } | Phase::ToOp)
    }

    /// Whether the engine is on its way down.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::LossValues { .. } | Phase::ToDown { .. } | Phase::Ended)
    }

    /// Whether the way down has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Begins the way down.
    pub fn close(&mut self, now_ns: u64) {
        if !self.is_closing() {
            self.phase = Phase::LossValues { deadline_ns: now_ns + DOWN_NS };
        }
    }

    /// Ends the way down where it stands.
    pub fn give_up(&mut self) {
        self.phase = Phase::Ended;
    }

    /// The records of the way up, once it has ended.
    pub fn failures(&mut self) -> impl Iterator<Item = Record> {
        self.failed.iter_mut().filter_map(Option::take)
    }

    /// Goes on after a cycle. Returns the engine's new state, where it changes.
    pub fn step(&mut self, mut around: Surroundings<'_>) -> Option<EngineState> {
        around.al.expire(around.now_ns);
        if around.anybody_answers && !self.is_up() {
            around.al.lose_silent(LOST_NS);
        }
        let idle = around.al.pending() == 0;
        match self.phase {
            Phase::PreOp(cycles) if cycles > 0 => self.phase = Phase::PreOp(cycles - 1),
            Phase::PreOp(_) => {
                for device in 0..around.states.len() {
                    around.request(device, AlState::SafeOp, self.timeout_ns);
                }
                self.phase = Phase::ToSafeOp;
            }
            Phase::ToSafeOp if idle => {
                self.collect(&mut around, AlState::SafeOp);
                let deadline_ns = around.now_ns.saturating_add(self.timeout_ns);
                self.phase = Phase::Gate { right: 0, deadline_ns };
                return self.anybody().then_some(EngineState::SafeOp);
            }
            Phase::Gate { right, deadline_ns } => self.gate(&mut around, right, deadline_ns),
            Phase::ToOp if idle => {
                self.collect(&mut around, AlState::Op);
                self.phase = Phase::Running;
                return self.anybody().then_some(EngineState::Op);
            }
            Phase::LossValues { deadline_ns } => {
                around.al.cancel();
                around.release();
                self.phase = Phase::ToDown { step: 0, deadline_ns };
                around.request_down(0, deadline_ns);
                return Some(EngineState::Closing);
            }
            Phase::ToDown { step, deadline_ns } if idle || around.now_ns >= deadline_ns => {
                around.release();
                self.phase = if step + 1 < DOWN.len() && around.now_ns < deadline_ns {
                    around.request_down(step + 1, deadline_ns);
                    Phase::ToDown { step: step + 1, deadline_ns }
                } else {
                    Phase::Ended
                };
            }
            Phase::ToSafeOp
            | Phase::ToOp
            | Phase::Running
            | Phase::ToDown { .. }
            | Phase::Ended => {}
        }
        None
    }

    fn gate(&mut self, around: &mut Surroundings<'_>, right: u32, deadline_ns: u64) {
        let clean = around.frames_complete && !around.verdicts.contains(&Verdict::Wrong);
        let right = if clean { right + 1 } else { 0 };
        if right < GATE_CYCLES && around.now_ns < deadline_ns && self.anybody() {
            self.phase = Phase::Gate { right, deadline_ns };
            return;
        }
        if right < GATE_CYCLES {
            self.fail_at_the_gate(around);
        }
        for device in 0..self.failed.len() {
            if self.failed[device].is_none() {
                around.request(device, AlState::Op, self.timeout_ns);
            }
        }
        self.phase = Phase::ToOp;
    }

    /// The gate did not open in time: whoever is behind a wrong datagram, or everybody where no frame comes
    /// back, stays in SAFE-OP.
    fn fail_at_the_gate(&mut self, around: &Surroundings<'_>) {
        let mut fail = |device: usize, kind| {
            let state = around.states.get(device);
            let (status, code) = (state.status, state.code);
            let record = Record { device, requested: AlState::Op, status, code, kind };
            self.failed[device].get_or_insert(record);
        };
        if !around.frames_complete {
            (0..around.states.len()).for_each(|device| fail(device, RecordKind::NoFrames));
        }
        for (datagram, _) in
            around.verdicts.iter().enumerate().filter(|(_, verdict)| **verdict == Verdict::Wrong)
        {
            let kind = RecordKind::WorkingCounter {
                datagram,
                received: around.counters.received(datagram),
                expected: around.counters.expected(datagram),
            };
            around.counters.members(datagram).iter().for_each(|m| fail(m.device, kind));
        }
    }

    /// Notes who did not get to `requested`.
    fn collect(&mut self, around: &mut Surroundings<'_>, requested: AlState) {
        for device in 0..self.failed.len() {
            let state = around.states.get(device);
            let (status, code, answers) = (state.status, state.code, state.answers);
            let record = |kind, status, code| Record { device, requested, status, code, kind };
            let failed = match around.al.outcome(device) {
                Some(Outcome::Reached) | None => None,
                Some(Outcome::Refused { status, code }) => {
                    Some(record(RecordKind::Refused, status, code))
                }
                Some(Outcome::Lost) => Some(record(RecordKind::Lost, status, code)),
                Some(Outcome::TimedOut) if !answers => Some(record(RecordKind::Lost, status, code)),
                Some(Outcome::TimedOut) => Some(record(RecordKind::TimedOut, status, code)),
            };
            if self.failed[device].is_none() {
                self.failed[device] = failed;
            }
        }
        around.release();
    }

    /// Whether anybody has come this far.
    fn anybody(&self) -> bool {
        self.failed.iter().any(Option::is_none)
    }
}

impl Surroundings<'_> {
    fn request(&mut self, device: usize, state: AlState, timeout_ns: u64) {
        self.states.request(device, Some(state));
        self.al.request(device, state, self.now_ns, timeout_ns);
    }

    /// Requests a state of the way down of everybody who answers and is above it, with an even share of the
    /// time that is left.
    fn request_down(&mut self, step: usize, deadline_ns: u64) {
        let share = deadline_ns.saturating_sub(self.now_ns) / (DOWN.len() - step) as u64;
        for device in 0..self.states.len() {
            let state = self.states.get(device);
            let above = state.state().is_none_or(|state| state as u8 > DOWN[step] as u8);
            if state.answers && above {
                self.request(device, DOWN[step], share);
            }
        }
    }

    /// Ends every request in the table of states.
    fn release(&mut self) {
        (0..self.states.len()).for_each(|device| self.states.request(device, None));
    }
}
