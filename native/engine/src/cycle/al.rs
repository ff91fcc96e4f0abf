//! The AL engine: takes many SubDevices at once from state to state, inside the running cycle.
//!
//! Nothing here blocks. The engine says which operation is next ([`AlEngine::next_operation`]), is told what became
//! of it ([`AlEngine::answer`], [`AlEngine::frame_lost`]), and keeps one outcome a SubDevice.
//!
//! The rules (`IEC 61158-6-12`, and what real devices do):
//! - the EEPROM is given to the PDI before each request;
//! - working counter 0 on a write of 0x0120 means that the device has not read the last one yet: retried;
//!   while it is retried the device is read in between, since one that is gone gives the same answer;
//! - a device with emulation (0x0141 bit 0) copies control to status, so its error bit means nothing and it
//!   is never acknowledged; any other one with the error bit set is acknowledged before the request;
//! - states are compared by their low nibble (bit 5 is the explicit device identification);
//! - a SyncManager that is for OP only is switched on right before OP is requested, and off once the device has
//!   left OP or has not got there. Not before it has left: a program in OP takes that for a wrong configuration.

use ecat_wire::al::AlState;

use super::operation::Operation;
use super::states::{ERROR, STATE};

const ACKNOWLEDGE: u16 = 0x10;
/// Limit for switching SyncManagers off; after it, the next look at the SubDevice tries again.
const SWITCH_OFF_NS: u64 = 50_000_000;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The SubDevice is in the state.
    Reached,
    /// It set its error bit.
    Refused {
        /** Register 0x0130. */
        status: u16,
        /** Register 0x0134. */
        code: u16,
    },
    /// The time is over, and it is neither there nor has it refused.
    TimedOut,
    /// It does not answer any more.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing to do.
    Done,
    /// Read where it stands.
    Look,
    /// Write its state with the acknowledge bit.
    Acknowledge { state: u16 },
    /// Wait for the error bit to go.
    AwaitAcknowledge,
    /// Switch this one of the SyncManagers for OP only on.
    SwitchOn(usize),
    /// Give the EEPROM to the PDI.
    GiveEeprom,
    /// Write the request.
    Request,
    /// Wait for the state.
    AwaitState,
    /// The outcome is known: switch this one of the SyncManagers for OP only off.
    SwitchOff(usize),
}

#[derive(Clone, Debug)]
struct Job {
    emulated: bool,
    /// SyncManagers that are for OP only.
    op_only: Box<[u8]>,
    /// Whether any of them may be on.
    on: bool,
    target: AlState,
    step: Step,
    in_flight: bool,
    /// Read it before the write is tried again.
    doubted: bool,
    /// Since when no read has been answered, and for how long that was so at the last one.
    silent_since_ns: Option<u64>,
    silent_ns: u64,
    due_ns: u64,
    deadline_ns: u64,
    outcome: Option<Outcome>,
}

/// Requests of many SubDevices in progress.
#[derive(Clone, Debug)]
pub struct AlEngine {
    jobs: Vec<Job>,
    cursor: usize,
    pending: usize,
    poll_interval_ns: u64,
}

impl AlEngine {
    /// An engine for SubDevices, each given by whether its register 0x0141 bit 0 is set, and by the numbers of
    /// its SyncManagers that are for OP only; these are off. A SubDevice is asked for its state once in
    /// `poll_interval_ns`.
    #[must_use]
    pub fn new(
        devices: impl IntoIterator<Item = (bool, Box<[u8]>)>,
        poll_interval_ns: u64,
    ) -> Self {
        let job = |(emulated, op_only)| Job {
            emulated,
            op_only,
            on: false,
            target: AlState::PreOp,
            step: Step::Done,
            in_flight: false,
            doubted: false,
            silent_since_ns: None,
            silent_ns: 0,
            due_ns: 0,
            deadline_ns: 0,
            outcome: None,
        };
        let jobs = devices.into_iter().map(job).collect();
        Self { jobs, cursor: 0, pending: 0, poll_interval_ns }
    }

    /// Begins to take a SubDevice to `target`, for at most `timeout_ns`.
    pub fn request(&mut self, device: usize, target: AlState, now_ns: u64, timeout_ns: u64) {
        let job = &mut self.jobs[device];
        if job.step == Step::Done {
            self.pending += 1;
        }
        job.target = target;
        job.step = Step::Look;
        job.doubted = false;
        (job.silent_since_ns, job.silent_ns) = (None, 0);
        job.due_ns = now_ns;
        job.deadline_ns = now_ns.saturating_add(timeout_ns);
        job.outcome = None;
    }

    /// Forgets every request that has no outcome yet.
    pub fn cancel(&mut self) {
        for job in &mut self.jobs {
            job.step = Step::Done;
            job.in_flight = false;
        }
        self.pending = 0;
    }

    /// Takes note of a SubDevice's status (0x0130), whoever has read it: one that has left OP on its own has
    /// its SyncManagers for OP only switched off.
    pub fn observe(&mut self, device: usize, status: u16, now_ns: u64) {
        let job = &mut self.jobs[device];
        let in_op = status & STATE == AlState::Op as u16;
        if job.on && !in_op && job.step == Step::Done {
            job.switch_off(now_ns);
            self.pending += 1;
        }
    }

    /// How many requests have not ended yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// What became of the last request of a SubDevice; `None` as long as that is open.
    #[must_use]
    pub fn outcome(&self, device: usize) -> Option<Outcome> {
        self.jobs[device].outcome
    }

    /// The operation to send next, or `None` when nothing is due.
    pub fn next_operation(&mut self, now_ns: u64) -> Option<Operation> {
        if self.pending == 0 {
            return None;
        }
        for _ in 0..self.jobs.len() {
            let device = self.cursor;
            let job = &mut self.jobs[device];
            if job.step == Step::Done || job.in_flight || job.due_ns > now_ns {
                self.cursor = (device + 1) % self.jobs.len();
                continue;
            }
            if job.step == Step::GiveEeprom {
                // Its answer says nothing, so the request follows in the same frame.
                job.step = Step::Request;
                return Some(Operation::GiveEeprom { device });
            }
            job.in_flight = true;
            return Some(match job.step {
                _ if job.doubted => Operation::ReadState { device },
                Step::Acknowledge { state } => {
                    Operation::WriteControl { device, value: state | ACKNOWLEDGE }
                }
                Step::Request => Operation::WriteControl { device, value: job.target as u16 },
                Step::SwitchOn(index) => {
                    job.on = true;
                    let sync_manager = job.op_only[index];
                    Operation::Activate { device, sync_manager, on: true }
                }
                Step::SwitchOff(index) => {
                    let sync_manager = job.op_only[index];
                    Operation::Activate { device, sync_manager, on: false }
                }
                _ => Operation::ReadState { device },
            });
        }
        None
    }

    /// When the next operation is due at the earliest; `None` when nothing waits for its time.
    #[must_use]
    pub fn next_due_ns(&self) -> Option<u64> {
        if self.pending == 0 {
            return None;
        }
        let due = |job: &&Job| job.step != Step::Done && !job.in_flight;
        self.jobs.iter().filter(due).map(|job| job.due_ns).min()
    }

    /// Takes the answer to an operation of this engine: its working counter, and for a read of the state
    /// what it read.
    pub fn answer(
        &mut self,
        operation: Operation,
        working_counter: u16,
        reading: Option<(u16, u16)>,
        now_ns: u64,
    ) {
        match operation {
            Operation::WriteControl { device, .. } | Operation::Activate { device, .. } => {
                let job = &mut self.jobs[device];
                job.in_flight = false;
                job.due_ns = now_ns;
                if working_counter == 0 {
                    job.doubted = true;
                    return;
                }
                if job.written(operation) {
                    self.pending -= 1;
                }
            }
            Operation::ReadState { device } => self.read(device, reading, now_ns),
            Operation::GiveEeprom { .. }
            | Operation::ReadRegister { .. }
            | Operation::BroadcastControl { .. } => {}
        }
    }

    /// Takes note that the frame with an operation of this engine was lost: it is sent again.
    pub fn frame_lost(&mut self, operation: Operation) {
        if let Operation::WriteControl { device, .. }
        | Operation::Activate { device, .. }
        | Operation::ReadState { device } = operation
        {
            self.jobs[device].in_flight = false;
        }
    }

    /// Ends the requests of SubDevices that have left every read unanswered for `limit_ns`, though the frames
    /// came back.
    pub fn lose_silent(&mut self, limit_ns: u64) {
        if self.pending == 0 {
            return;
        }
        for job in &mut self.jobs {
            if job.step != Step::Done && job.silent_ns >= limit_ns {
                job.outcome.get_or_insert(Outcome::Lost);
                job.in_flight = false;
                self.pending -= usize::from(job.done());
            }
        }
    }

    /// Ends the requests whose time is over.
    pub fn expire(&mut self, now_ns: u64) {
        if self.pending == 0 {
            return;
        }
        for job in &mut self.jobs {
            if job.step != Step::Done && now_ns >= job.deadline_ns {
                job.in_flight = false;
                let ended = match job.step {
                    Step::SwitchOff(_) => job.done(),
                    _ => job.finish(Outcome::TimedOut, now_ns),
                };
                self.pending -= usize::from(ended);
            }
        }
    }

    fn read(&mut self, device: usize, reading: Option<(u16, u16)>, now_ns: u64) {
        let job = &mut self.jobs[device];
        job.in_flight = false;
        job.doubted = false;
        let Some((status, code)) = reading else {
            job.silent_ns = now_ns - *job.silent_since_ns.get_or_insert(now_ns);
            job.due_ns = now_ns + self.poll_interval_ns;
            return;
        };
        (job.silent_since_ns, job.silent_ns) = (None, 0);
        let error = status & ERROR != 0 && !job.emulated;
        let there = status & STATE == job.target as u16;
        let outcome = match job.step {
            Step::Look | Step::AwaitAcknowledge if there && !error => Outcome::Reached,
            Step::Look if error => {
                job.step = Step::Acknowledge { state: status & STATE };
                return;
            }
            Step::Look | Step::AwaitAcknowledge if !error => {
                let switches = job.target == AlState::Op && !job.op_only.is_empty();
                job.step = if switches { Step::SwitchOn(0) } else { Step::GiveEeprom };
                return;
            }
            Step::AwaitState if error => Outcome::Refused { status, code },
            Step::AwaitState if there => Outcome::Reached,
            _ => {
                job.due_ns = now_ns + self.poll_interval_ns;
                return;
            }
        };
        self.pending -= usize::from(job.finish(outcome, now_ns));
    }
}

impl Job {
    /// Goes on after a write that was taken. Returns whether the request has ended with it.
    fn written(&mut self, operation: Operation) -> bool {
        let last = |index| index + 1 == self.op_only.len();
        let is = |index: usize, to: bool| {
            // Not a late answer to the opposite.
            matches!(operation, Operation::Activate { sync_manager, on, .. }
                if on == to && sync_manager == self.op_only[index])
        };
        self.step = match self.step {
            Step::Acknowledge { .. } => Step::AwaitAcknowledge,
            Step::Request => Step::AwaitState,
            Step::SwitchOn(index) if is(index, true) && last(index) => Step::GiveEeprom,
            Step::SwitchOn(index) if is(index, true) => Step::SwitchOn(index + 1),
            Step::SwitchOff(index) if is(index, false) && last(index) => {
                self.on = false;
                return self.done();
            }
            Step::SwitchOff(index) if is(index, false) => Step::SwitchOff(index + 1),
            step => step,
        };
        false
    }

    /// Notes the outcome. Returns whether nothing is left to do.
    fn finish(&mut self, outcome: Outcome, now_ns: u64) -> bool {
        self.outcome = Some(outcome);
        if self.on && (self.target, outcome) != (AlState::Op, Outcome::Reached) {
            self.switch_off(now_ns);
            return false;
        }
        self.done()
    }

    fn switch_off(&mut self, now_ns: u64) {
        self.step = Step::SwitchOff(0);
        self.due_ns = now_ns;
        self.deadline_ns = now_ns.saturating_add(SWITCH_OFF_NS);
    }

    fn done(&mut self) -> bool {
        self.step = Step::Done;
        true
    }
}

#[cfg(test)]
#[path = "al_tests.rs"]
mod tests;
