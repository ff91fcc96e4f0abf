//! The faults that wait or act, in the order in which they came.

use std::sync::Arc;

use ecat_wire::mailbox::Kind;

use super::hits::{Change, Desk, Hit, Touched};
use super::when::{Phase, Schedule};
use super::{Effect, Fault, Milestone, Nature, Occasion};
use crate::esc::mixed;

/// Faults that may wait or act at a time.
pub const FAULTS_MAX: usize = 64;

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Armed {
    pub(super) number: u32,
    pub(super) fault: Fault,
    pub(super) nature: Nature,
    pub(super) schedule: Schedule,
    /// Of a condition: it holds. Of an event: its phase has begun.
    in_phase: bool,
    holds: bool,
    /// Requests by SDO that it has seen.
    sdos: u32,
    cleared: bool,
}

/// What has to be done about a condition or an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// A condition began or ended: what depends on it is to be worked out anew.
    Condition(Fault),
    /// An event happens.
    Event(Fault),
}

/// All faults of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    pub(super) armed: Vec<Armed>,
    pub(super) desk: Arc<Desk>,
    seed: u64,
    /// Frames that were sent, and the number of the one that passes.
    frames: u64,
    pub(super) frame: u64,
    /// When time will change something; 0 while frames may.
    due_ns: u64,
    /// How far time has come where faults have not: what lies too far back is left out.
    horizon_ns: u64,
    /// The device whose turn it is.
    device: u16,
    process_data: bool,
}

impl Armed {
    pub(super) fn is_cleared(&self) -> bool {
        self.cleared
    }
}

impl Faults {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        Self { armed: Vec::with_capacity(FAULTS_MAX), ..Self::shell(desk) }
    }

    /// Without a place for any, as it stands in for those that a device has.
    fn shell(desk: Arc<Desk>) -> Self {
        Self {
            armed: Vec::new(),
            desk,
            seed: 0,
            frames: 0,
            frame: 0,
            due_ns: u64::MAX,
            horizon_ns: 0,
            device: 0,
            process_data: false,
        }
    }

    /// Lends them to a device for its turn.
    pub(crate) fn lend(&mut self, device: u16) -> Self {
        self.device = device;
        let shell = Self::shell(Arc::clone(&self.desk));
        std::mem::replace(self, shell)
    }

    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    pub(crate) fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// When a fault has something to do next.
    pub(crate) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// Time has come so far; steps up to it follow.
    pub(crate) fn look_ahead(&mut self, now_ns: u64) {
        self.horizon_ns = now_ns;
    }

    /// Whether a fault may change frames so.
    pub(crate) fn any(&self, nature: Nature) -> bool {
        self.armed.iter().any(|armed| armed.nature == nature)
    }

    /// Whether a device has to be asked at its occasions.
    pub(crate) fn concern(&self, device: u16) -> bool {
        self.armed.iter().any(|armed| {
            armed.nature == Nature::Occasion && armed.fault.on.device == Some(device)
                || matches!(armed.schedule.milestone(), Some(Milestone::Sdo { device: at, .. })
                    if at.is_none_or(|at| at == device))
        })
    }

    /// Takes a fault in; says so in the log where there are too many.
    pub(crate) fn arm(&mut self, number: u32, fault: Fault, now_ns: u64) {
        if self.armed.len() == FAULTS_MAX {
            self.desk.refuse();
            return;
        }
        let seed = mixed(self.seed ^ mixed(u64::from(number)));
        let nature = fault.nature();
        let mut when = fault.when;
        if when.on_ns.is_none() && when.off_ns.is_none() {
            // A condition has one occasion, which lasts; an event has one, which is over at once.
            match nature {
                Nature::Condition => when.count = None,
                Nature::Event => when.count = Some(1),
                _ => {}
            }
        }
        self.armed.push(Armed {
            number,
            fault,
            nature,
            schedule: Schedule::new(when, seed, now_ns, self.frames),
            in_phase: false,
            holds: false,
            sdos: 0,
            cleared: false,
        });
        self.due_ns = 0;
    }

    /// Ends faults; what holds by them ends at the next step.
    pub(crate) fn clear(&mut self, which: impl Fn(u32, &Fault) -> bool) {
        for armed in &mut self.armed {
            armed.cleared |= which(armed.number, &armed.fault);
        }
        self.due_ns = 0;
    }

    /// A new frame was sent; returns its number.
    pub(crate) fn frame_sent(&mut self) -> u64 {
        self.frames += 1;
        self.frame = self.frames;
        if self.armed.iter().any(|armed| armed.schedule.waits_for_frames()) {
            self.due_ns = 0;
        }
        self.frames
    }

    /// The frame of this number passes now, which may be a later one than was sent last.
    pub(crate) fn frame_passes(&mut self, number: u64) {
        self.frame = number;
    }

    /// Somebody has answered a logical address.
    pub(crate) fn process_data_exchanged(&mut self) {
        self.process_data = true;
    }

    /// Whether a milestone is waited for that the segment has to look for.
    pub(crate) fn await_milestones(&self) -> bool {
        self.armed.iter().any(|armed| armed.schedule.milestone().is_some())
    }

    /// Lets milestones begin what waits for them. `in_state` tells whether a device, or all, are in a state.
    pub(crate) fn look_for_milestones(
        &mut self,
        now_ns: u64,
        in_state: impl Fn(Option<u16>, u8) -> bool,
    ) {
        for n in 0..self.armed.len() {
            let come = match self.armed[n].schedule.milestone() {
                None => continue,
                Some(Milestone::State { device, state }) => in_state(device, state),
                Some(Milestone::ProcessData {}) => self.process_data,
                Some(Milestone::Sdo { number, .. }) => self.armed[n].sdos >= number,
                Some(Milestone::Fault { name }) => {
                    let other = self.armed.iter().find(|other| other.number == name);
                    other.is_some_and(|other| other.schedule.met > 0)
                }
            };
            if come {
                self.armed[n].schedule.begin(now_ns, self.frames);
                self.due_ns = 0;
            }
        }
    }

    /// The next thing to do about conditions and events at a moment; `None` when all is done. Faults that are
    /// over leave.
    pub(crate) fn step(&mut self, now_ns: u64) -> Option<Step> {
        let mut due_ns = u64::MAX;
        for n in 0..self.armed.len() {
            let armed = &mut self.armed[n];
            let phase =
                if armed.cleared { Phase::Over } else { armed.schedule.phase(now_ns, self.frames) };
            let on = matches!(phase, Phase::On(_));
            if let Phase::Off(at) | Phase::On(at) = phase {
                due_ns = due_ns.min(armed.schedule.catch_up(at, self.horizon_ns));
            }
            if !matches!(armed.nature, Nature::Condition | Nature::Event) || on == armed.in_phase {
                continue;
            }
            armed.in_phase = on;
            let fault = armed.fault;
            if on {
                let meets = armed.schedule.meets();
                if !meets {
                    continue;
                }
                if armed.nature == Nature::Event {
                    self.log(n, now_ns, None, Change::Done);
                    return Some(Step::Event(fault));
                }
                armed.holds = true;
                self.log(n, now_ns, None, Change::Began);
                return Some(Step::Condition(fault));
            }
            if std::mem::take(&mut armed.holds) {
                self.log(n, now_ns, None, Change::Ended);
                return Some(Step::Condition(fault));
            }
        }
        self.due_ns = due_ns;
        self.let_leave(now_ns);
        None
    }

    /// Those that are over leave; who has waited for one that has acted waits no more.
    fn let_leave(&mut self, now_ns: u64) {
        let frames = self.frames;
        for n in 0..self.armed.len() {
            let armed = &mut self.armed[n];
            armed.cleared |= armed.schedule.phase(now_ns, frames) == Phase::Over;
            if !armed.cleared || armed.schedule.met == 0 {
                continue;
            }
            let left = Milestone::Fault { name: armed.number };
            for waiting in &mut self.armed {
                if waiting.schedule.milestone() == Some(left) {
                    waiting.schedule.begin(now_ns, frames);
                    self.due_ns = 0;
                }
            }
        }
        self.armed.retain(|armed| !armed.cleared);
    }

    /// Faults that hold, in their order.
    pub(crate) fn holding(&self) -> impl Iterator<Item = &Fault> {
        self.armed.iter().filter(|armed| armed.holds).map(|armed| &armed.fault)
    }

    /// What the device whose turn it is meets at an occasion.
    pub(crate) fn meet(&mut self, occasion: Occasion, frame: u64, now_ns: u64) -> Option<Effect> {
        let device = self.device;
        if let Occasion::Mail(Kind::Coe, true) = occasion {
            self.count_sdo(device);
        }
        let mut met = None;
        for n in 0..self.armed.len() {
            let armed = &mut self.armed[n];
            if armed.cleared
                || armed.nature != Nature::Occasion
                || armed.fault.on.device != Some(device)
                || !armed.fault.effect.concerns(occasion)
                || !matches!(armed.schedule.phase(now_ns, self.frames), Phase::On(_))
                || met.is_some() && !armed.schedule.lets_pass()
                || !armed.schedule.meets()
            {
                continue;
            }
            met = Some(armed.fault.effect);
            if armed.schedule.is_spent() {
                self.due_ns = 0;
            }
            let touched = if frame == 0 { self.frame } else { frame };
            let passing = std::mem::replace(&mut self.frame, touched);
            self.log(n, now_ns, None, Change::Done);
            self.frame = passing;
        }
        met
    }

    fn count_sdo(&mut self, device: u16) {
        for armed in &mut self.armed {
            if let Some(Milestone::Sdo { device: at, .. }) = armed.schedule.milestone()
                && at.is_none_or(|at| at == device)
            {
                armed.sdos = armed.sdos.saturating_add(1);
            }
        }
    }

    /// Something comes by that the `n`-th fault concerns; whether that meets it.
    pub(super) fn meets(&mut self, n: usize) -> bool {
        let schedule = &mut self.armed[n].schedule;
        let meets = schedule.meets();
        if schedule.is_spent() {
            self.due_ns = 0;
        }
        meets
    }

    /// How many frames were sent.
    pub(super) fn frames_sent(&self) -> u64 {
        self.frames
    }

    /// Number of the frame that passes, or passed last.
    pub(crate) fn frame(&self) -> u64 {
        self.frame
    }

    /// Writes a hit of the `n`-th fault down.
    pub(super) fn log(&self, n: usize, time_ns: u64, datagram: Option<Touched>, change: Change) {
        let Armed { number, fault, .. } = &self.armed[n];
        self.desk.log(Hit {
            fault: *number,
            kind: fault.effect.kind(),
            time_ns,
            frame: self.frame,
            datagram,
            device: fault.on.device,
            port: fault.on.port,
            change,
        });
    }
}
