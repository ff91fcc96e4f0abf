//! The AL engine: takes many SubDevices at once from state to state, inside the running cycle.
//!
//! Nothing here blocks. The engine says which operation is next ([`AlEngine::next_operation`]), is told what became
//! of it ([`AlEngine::answer`], [`AlEngine::frame_lost`]), and keeps one outcome a SubDevice.
//!
//! The rules (`IEC 61158-6-12`, and what real devices do):
//! - the EEPROM is given to the PDI before each request;
//! - working counter 0 on a write of 0x0120 means that the device has not read the last one yet: retried;
//! - a device with emulation (0x0141 bit 0) copies control to status, so its error bit means nothing and it
//!   is never acknowledged; any other one with the error bit set is acknowledged before the request;
//! - states are compared by their low nibble (bit 5 is the explicit device identification).

use ecat_wire::al::AlState;

use super::operation::Operation;
use super::states::ERROR;

const ACKNOWLEDGE: u16 = 0x10;

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
    /// Give the EEPROM to the PDI.
    GiveEeprom,
    /// Write the request.
    Request,
    /// Wait for the state.
    AwaitState,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    emulated: bool,
    target: AlState,
    step: Step,
    in_flight: bool,
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
    /// An engine for SubDevices of which `emulated` says whether register 0x0141 bit 0 is set. A SubDevice
    /// is asked for its state once in `poll_interval_ns`.
    #[must_use]
    pub fn new(emulated: impl IntoIterator<Item = bool>, poll_interval_ns: u64) -> Self {
        let job = |emulated| Job {
            emulated,
            target: AlState::PreOp,
            step: Step::Done,
            in_flight: false,
            due_ns: 0,
            deadline_ns: 0,
            outcome: None,
        };
        let jobs = emulated.into_iter().map(job).collect();
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

    /// How many requests have no outcome yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// What became of the last request of a SubDevice; `None` while it is in progress.
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
                Step::Acknowledge { state } => {
                    Operation::WriteControl { device, value: state | ACKNOWLEDGE }
                }
                Step::Request => Operation::WriteControl { device, value: job.target as u16 },
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
            Operation::WriteControl { device, .. } => {
                let job = &mut self.jobs[device];
                job.in_flight = false;
                if working_counter == 0 {
                    job.due_ns = now_ns + self.poll_interval_ns;
                    return;
                }
                job.step = match job.step {
                    Step::Acknowledge { .. } => Step::AwaitAcknowledge,
                    Step::Request => Step::AwaitState,
                    step => step,
                };
                job.due_ns = now_ns;
            }
            Operation::ReadState { device } => self.read(device, reading, now_ns),
            Operation::GiveEeprom { .. } | Operation::BroadcastControl { .. } => {}
        }
    }

    /// Takes note that the frame with an operation of this engine was lost: it is sent again.
    pub fn frame_lost(&mut self, operation: Operation) {
        if let Operation::WriteControl { device, .. } | Operation::ReadState { device } = operation
        {
            self.jobs[device].in_flight = false;
        }
    }

    /// Ends the requests whose time is over.
    pub fn expire(&mut self, now_ns: u64) {
        if self.pending == 0 {
            return;
        }
        for job in &mut self.jobs {
            if job.step != Step::Done && now_ns >= job.deadline_ns {
                job.outcome = Some(Outcome::TimedOut);
                job.step = Step::Done;
                job.in_flight = false;
                self.pending -= 1;
            }
        }
    }

    fn read(&mut self, device: usize, reading: Option<(u16, u16)>, now_ns: u64) {
        let job = &mut self.jobs[device];
        job.in_flight = false;
        let Some((status, code)) = reading else {
            job.due_ns = now_ns + self.poll_interval_ns;
            return;
        };
        let error = status & ERROR != 0 && !job.emulated;
        let there = status & 0x0F == job.target as u16;
        let (step, outcome) = match job.step {
            Step::Look | Step::AwaitAcknowledge if there && !error => {
                (Step::Done, Some(Outcome::Reached))
            }
            Step::Look if error => (Step::Acknowledge { state: status & 0x0F }, None),
            Step::Look | Step::AwaitAcknowledge if !error => (Step::GiveEeprom, None),
            Step::AwaitState if error => (Step::Done, Some(Outcome::Refused { status, code })),
            Step::AwaitState if there => (Step::Done, Some(Outcome::Reached)),
            step => {
                job.due_ns = now_ns + self.poll_interval_ns;
                (step, None)
            }
        };
        if step == Step::Done && job.step != Step::Done {
            self.pending -= 1;
            job.outcome = outcome;
        }
        job.step = step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: u64 = 1_000;
    const TIMEOUT: u64 = 100_000;

    /// A device that takes a request only when it has read the last one, as a device stack does.
    struct Device {
        emulated: bool,
        status: u16,
        code: u16,
        refuses: Option<(u16, u16)>,
        busy_writes: u32,
        controls: Vec<u16>,
    }

    impl Device {
        fn new(emulated: bool, status: u16) -> Self {
            Self { emulated, status, code: 0, refuses: None, busy_writes: 0, controls: Vec::new() }
        }

        fn write(&mut self, value: u16) -> u16 {
            if self.busy_writes > 0 {
                self.busy_writes -= 1;
                return 0;
            }
            self.controls.push(value);
            match self.refuses {
                _ if self.emulated => self.status = value,
                _ if self.status & 0x10 != 0 => {
                    if value & 0x10 != 0 {
                        (self.status, self.code) = (self.status & 0x0F, 0);
                    }
                }
                Some((state, code)) if state == value => {
                    (self.status, self.code) = (self.status | 0x10, code);
                }
                _ => self.status = value,
            }
            1
        }
    }

    fn run(engine: &mut AlEngine, devices: &mut [Device], mut now: u64) -> u64 {
        while engine.pending() > 0 {
            while let Some(operation) = engine.next_operation(now) {
                match operation {
                    Operation::WriteControl { device, value } => {
                        let counter = devices[device].write(value);
                        engine.answer(operation, counter, None, now);
                    }
                    Operation::ReadState { device } => {
                        let read = (devices[device].status, devices[device].code);
                        engine.answer(operation, 1, Some(read), now);
                    }
                    _ => engine.answer(operation, 1, None, now),
                }
            }
            now += POLL;
            engine.expire(now);
        }
        now
    }

    #[test]
    fn many_devices_climb_at_once_and_one_refusal_stops_nobody() {
        let mut devices: Vec<_> = (0..20).map(|n| Device::new(n % 2 == 0, 2)).collect();
        devices[7].refuses = Some((4, 0x001E));
        let mut engine = AlEngine::new(devices.iter().map(|d| d.emulated), POLL);
        (0..20).for_each(|device| engine.request(device, AlState::SafeOp, 0, TIMEOUT));
        run(&mut engine, &mut devices, 0);
        for (index, device) in devices.iter().enumerate() {
            let expected = if index == 7 {
                Outcome::Refused { status: 0x12, code: 0x001E }
            } else {
                assert_eq!(device.controls, [4]);
                Outcome::Reached
            };
            assert_eq!(engine.outcome(index), Some(expected), "device {index}");
        }
    }

    #[test]
    fn a_write_that_was_not_read_yet_is_repeated_until_the_timeout() {
        let mut devices = [Device::new(false, 2), Device::new(false, 2)];
        devices[0].busy_writes = 5;
        devices[1].busy_writes = u32::MAX;
        let mut engine = AlEngine::new([false, false], POLL);
        (0..2).for_each(|device| engine.request(device, AlState::SafeOp, 0, TIMEOUT));
        let end = run(&mut engine, &mut devices, 0);
        assert_eq!(engine.outcome(0), Some(Outcome::Reached));
        assert_eq!(engine.outcome(1), Some(Outcome::TimedOut));
        assert_eq!(end, TIMEOUT);
    }

    #[test]
    fn an_error_is_acknowledged_before_the_request() {
        let mut devices = [Device::new(false, 0x14)];
        let mut engine = AlEngine::new([false], POLL);
        engine.request(0, AlState::Op, 0, TIMEOUT);
        run(&mut engine, &mut devices, 0);
        assert_eq!(devices[0].controls, [0x14, 8]);
        assert_eq!(engine.outcome(0), Some(Outcome::Reached));
    }

    #[test]
    fn an_emulated_device_is_never_acknowledged_and_its_bit_4_is_no_error() {
        let mut devices = [Device::new(true, 0x14)];
        let mut engine = AlEngine::new([true], POLL);
        engine.request(0, AlState::Op, 0, TIMEOUT);
        run(&mut engine, &mut devices, 0);
        assert_eq!(devices[0].controls, [8]);
    }

    #[test]
    fn bit_5_of_the_status_does_not_matter() {
        let mut engine = AlEngine::new([false], POLL);
        engine.request(0, AlState::SafeOp, 0, TIMEOUT);
        let look = engine.next_operation(0).unwrap();
        engine.answer(look, 1, Some((0x24, 0)), 0);
        assert_eq!(engine.outcome(0), Some(Outcome::Reached));
    }

    #[test]
    fn the_eeprom_goes_to_the_pdi_right_before_each_request() {
        let mut engine = AlEngine::new([false], POLL);
        engine.request(0, AlState::SafeOp, 0, TIMEOUT);
        let look = engine.next_operation(0).unwrap();
        engine.answer(look, 1, Some((2, 0)), 0);
        assert_eq!(engine.next_operation(0), Some(Operation::GiveEeprom { device: 0 }));
        assert_eq!(engine.next_operation(0), Some(Operation::WriteControl { device: 0, value: 4 }));
        assert_eq!(engine.next_operation(0), None);
    }

    #[test]
    fn a_lost_frame_is_repeated_at_once_and_a_silent_device_after_an_interval() {
        let mut engine = AlEngine::new([false], POLL);
        engine.request(0, AlState::SafeOp, 0, TIMEOUT);
        let look = engine.next_operation(0).unwrap();
        assert_eq!(engine.next_operation(0), None, "in flight");
        engine.frame_lost(look);
        assert_eq!(engine.next_operation(0), Some(look));
        engine.answer(look, 0, None, 0);
        assert_eq!(engine.next_operation(POLL - 1), None);
        assert_eq!(engine.next_due_ns(), Some(POLL));
        assert_eq!(engine.next_operation(POLL), Some(look));
        engine.expire(TIMEOUT);
        assert_eq!((engine.outcome(0), engine.pending()), (Some(Outcome::TimedOut), 0));
    }

    #[test]
    fn any_state_is_left_downward_in_one_step() {
        let mut devices = [Device::new(false, 8), Device::new(true, 8)];
        let mut engine = AlEngine::new([false, true], POLL);
        (0..2).for_each(|device| engine.request(device, AlState::Init, 0, TIMEOUT));
        run(&mut engine, &mut devices, 0);
        assert!(devices.iter().all(|device| device.status == 1));
    }
}
