//! The loop of the cycle thread and what one cycle does. Allocates nothing, takes no lock, logs nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ecat_wire::Link;
use ecat_wire::ethernet::FRAME_BYTES_MAX;

use super::al::AlEngine;
use super::census::Census;
use super::control::{Control, StartOrder};
use super::counters::{Verdict, WorkingCounters};
use super::exchange::{Arrival, Exchange, Images};
use super::fit::LeastTime;
use super::frames::{CyclicFrames, Overview};
use super::phase::{Surroundings, Way};
use super::publish::{Publisher, Slot};
use super::quality::Qualities;
use super::registers::RegisterReads;
use super::reporter::Reporter;
use super::schedule::{Due, Schedule};
use super::states::SubDeviceStates;
use super::strangers::Strangers;
use super::urgent::UrgentFrame;
use super::wait;
use super::window::AcyclicFrame;
use crate::clock::{self, Clock};
use crate::engine::BringUp;
use crate::event::EventKind;
use crate::herald::Ear;
use crate::link::{bytes_in, sys};
use crate::shared::atomics::newer_by;
use crate::shared::layout::EngineState;
use crate::shared::statistics::{Statistics, add};
use crate::shared::{InterlockEvent, InterlockEventKind, LaneState, Lockstep, OutputMerger, Seen};

/// A SubDevice is asked for its state at most so often while it is on its way to another.
const AL_POLL_NS: u64 = 1_000_000;
/// Rounds of the census that find nothing, and the search for lost SubDevices, come at least so often.
const CENSUS_INTERVAL_NS: u64 = 100_000_000;
/// Intervals of that for which SubDevices have to answer that nobody knows: one that returns is found before.
const STRANGERS_INTERVALS: u64 = 2;
/// How long after its start a cycle's frames are waited for at most on the way down, where time is short.
const RECEIVE_CLOSING_NS: u64 = 20_000_000;
/// How long a wait for a grant does not sleep at first: who runs cycles one by one grants the next sooner than a
/// sleeping thread is woken.
const WATCH_NS: u64 = 100_000;

/// How long a wait for a grant sleeps at most before it looks again.
const LOOK_NS: u64 = 1_000_000_000;
/// What an exchange gets beyond its least time when a cycle began late: so much, and no more than this part of a period,
/// so that a short one is not passed on late to the next.
const LATE_ALLOWANCE_NS: u64 = 50_000;
const LATE_ALLOWANCE_PART: u64 = 4;

/// Everything that the cycles need; made before the first of them.
pub struct Run {
    pub(super) control: Arc<Control>,
    pub(super) link: Box<dyn Link>,
    pub(super) stations: Vec<u16>,
    pub(super) frames: CyclicFrames,
    pub(super) exchange: Exchange,
    pub(super) acyclic: AcyclicFrame,
    pub(super) registers: RegisterReads,
    pub(super) urgent: UrgentFrame,
    pub(super) merger: OutputMerger,
    pub(super) states: SubDeviceStates,
    pub(super) counters: WorkingCounters,
    pub(super) verdicts: Vec<Verdict>,
    /// Which datagrams went wrong with this cycle.
    pub(super) turned: Vec<bool>,
    pub(super) qualities: Qualities,
    pub(super) census: Census,
    pub(super) al: AlEngine,
    pub(super) way: Way,
    pub(super) schedule: Schedule,
    pub(super) statistics: Statistics,
    pub(super) reporter: Reporter,
    pub(super) inputs: Vec<u8>,
    pub(super) working_counters: Vec<Option<u16>>,
    /// Cycles run, this one included: the time that the census and the counters count in.
    pub(super) ordinal: u64,
    /// What the last first frame that came back said.
    pub(super) overview: Overview,
    pub(super) census_interval: u64,
    pub(super) strangers: Strangers,
    lockstep: Lockstep,
    /// The cycle that ran last.
    latest: u32,
    publisher: Publisher,
    engine_state: EngineState,
    least: LeastTime,
    late_allowance_ns: u64,
    receive_deadline_ns: u64,
    lossy_cycles: u32,
    link_down: bool,
    missed_unreported: u64,
    next_missed_report: u64,
}

impl Run {
    /// Makes everything ready for the first cycle. `frames` are those of the layout.
    #[must_use]
    pub fn new(
        control: Arc<Control>,
        ear: Arc<Ear>,
        link: Box<dyn Link>,
        (network, layout): &BringUp,
        (frames, least): (CyclicFrames, LeastTime),
        order: StartOrder,
    ) -> Self {
        let options = &control.options;
        let period_ns = options.cycle_period_ns;
        let count = network.sub_devices.len();
        let states = SubDeviceStates::new(count);
        let counters = WorkingCounters::new(layout);
        let census_interval = (CENSUS_INTERVAL_NS / period_ns).max(1);
        let devices = network.sub_devices.iter().zip(&layout.devices);
        let devices =
            devices.map(|(found, placed)| (found.device_emulation, placed.op_only.clone().into()));
        // The sequence numbers begin with the cycle numbers, as those of the bring-up did somewhere else:
        // the salt keeps late frames of the one from being taken for the other.
        let salt = salt(control.id);
        Self {
            stations: network.sub_devices.iter().map(|device| device.station_address).collect(),
            exchange: Exchange::new(frames.count(), salt),
            acyclic: AcyclicFrame::new(acyclic_bytes(period_ns, least)),
            registers: order.registers,
            urgent: UrgentFrame::new(&order.urgent),
            lockstep: order.lockstep,
            latest: options.first_cycle.wrapping_sub(1),
            verdicts: vec![Verdict::Lost; counters.len()],
            turned: vec![false; counters.len()],
            qualities: Qualities::new(&states, &counters),
            census: Census::new(count, census_interval),
            al: AlEngine::new(devices, AL_POLL_NS.min(period_ns)),
            way: Way::new(count, options.state_timeout_ns),
            schedule: Schedule::new(clock::now_ns() + period_ns, period_ns),
            statistics: order.memory.statistics(),
            reporter: Reporter::new(Arc::clone(&control), order.outbox, ear, options.first_cycle),
            inputs: vec![0; layout.input_bytes],
            working_counters: vec![None; counters.len()],
            ordinal: 0,
            overview: Overview::default(),
            census_interval,
            strangers: Strangers::new(STRANGERS_INTERVALS * census_interval),
            merger: order.merger,
            publisher: Publisher::new(order.memory.ring_writer(), counters.len()),
            engine_state: EngineState::Starting,
            late_allowance_ns: LATE_ALLOWANCE_NS.min(period_ns / LATE_ALLOWANCE_PART),
            receive_deadline_ns: options
                .receive_deadline_ns
                .unwrap_or((period_ns / 10 * 9).max(least.total_ns())),
            least,
            lossy_cycles: 0,
            link_down: false,
            missed_unreported: 0,
            next_missed_report: 0,
            states,
            counters,
            frames,
            link,
            control,
        }
    }

    /// Runs cycles until the engine has been closed.
    pub fn run(&mut self) {
        self.enter(EngineState::PreOp);
        while !self.way.has_ended() {
            self.await_grant();
            let now_ns = self.window();
            if self.way.has_ended() {
                break;
            }
            let due = self.schedule.take(now_ns);
            self.cycle(due, now_ns);
            self.step();
            self.reporter.announce();
        }
        self.leave_in_init();
    }

    /// Says that the engine is in another state.
    pub fn enter(&mut self, state: EngineState) {
        let before = std::mem::replace(&mut self.engine_state, state);
        self.publisher.set_engine_state(state);
        self.event(EventKind::EngineState, None, state as u32, before as u32);
        self.reporter.announce();
    }

    /// Queues an event of a SubDevice, datagram or lane, or of nothing in particular.
    pub fn event(&mut self, kind: EventKind, subject: Option<usize>, a: u32, b: u32) {
        self.reporter.event(kind, subject, a, b, &self.statistics.counters);
    }

    /// Whether the carrier is gone, as the last cycle found.
    pub(super) fn is_link_down(&self) -> bool {
        self.link_down
    }

    /// Whether the engine is to stop.
    pub(super) fn stopping(&self) -> bool {
        self.control.stop.load(Ordering::Acquire)
    }

    /// Goes on with the way up or down.
    pub(super) fn step(&mut self) {
        let was_up = self.way.is_up();
        let state = self.way.step(Surroundings {
            al: &mut self.al,
            states: &mut self.states,
            counters: &self.counters,
            verdicts: &self.verdicts,
            frames_complete: self.exchange.missing() == 0,
            anybody_answers: self.exchange.overview().is_some_and(|overview| overview.count > 0),
            now_ns: clock::now_ns(),
        });
        if !was_up && self.way.is_up() {
            self.way.failures().for_each(|record| self.reporter.failure(record));
        }
        if let Some(state) = state {
            self.enter(state);
        }
    }

    /// Number of the next cycle, if none is missed.
    pub(super) fn next_cycle(&self) -> u32 {
        self.control.options.first_cycle.wrapping_add(self.schedule.next_index() as u32)
    }

    /// State of the engine.
    pub(super) fn engine_state(&self) -> EngineState {
        self.engine_state
    }

    /// In virtual time, once the way up has ended, a cycle runs only when it was granted, and every consumer in
    /// lockstep is done with the one before. Free run waits for nobody.
    fn await_grant(&mut self) {
        if clock::clock() == Clock::Wall || !self.way.is_up() || self.way.is_closing() {
            return;
        }
        let mut waiting_since_ns = None;
        let watch_until_ns = sys::monotonic_ns() + WATCH_NS;
        while !self.stopping() {
            self.serve_urgent();
            let granted = self.control.granted();
            // In this order: what was asked before the grant is served before its cycle, at the time that stands.
            self.link.idle(clock::now_ns());
            match granted {
                0 => {
                    waiting_since_ns = None;
                    if sys::monotonic_ns() < watch_until_ns {
                        std::thread::yield_now();
                    } else {
                        wait::for_doorbell(&self.control.doorbell, LOOK_NS);
                    }
                }
                u64::MAX => return,
                _ if self.lockstep.missing(self.latest).is_some() => {
                    let now_ns = sys::monotonic_ns();
                    self.await_consumers(*waiting_since_ns.get_or_insert(now_ns));
                }
                _ => {
                    if self.control.take_grant() {
                        return;
                    }
                }
            }
        }
    }

    /// Sleeps until an acknowledgement, or something else, may have come. A consumer that has stayed away for too
    /// long on the wall clock is given up and reported.
    fn await_consumers(&mut self, since_ns: u64) {
        self.lockstep.announce();
        if let Some(missing) = self.lockstep.missing(self.latest) {
            let deadline_ns = since_ns.saturating_add(self.control.options.lockstep_timeout_ns);
            let left_ns = deadline_ns.saturating_sub(sys::monotonic_ns());
            if left_ns > 0 {
                wait::for_doorbell(&self.control.doorbell, left_ns.min(LOOK_NS));
            } else {
                self.lockstep.give_up(missing);
                let consumer = missing.consumer as usize;
                let behind = newer_by(self.latest, missing.acknowledged).cast_unsigned();
                self.event(EventKind::ConsumerLate, Some(consumer), missing.acknowledged, behind);
                self.reporter.announce();
            }
        }
        self.lockstep.awake();
    }

    /// Runs the cycle that is due, whose wait ended at `started_ns`.
    fn cycle(&mut self, due: Due, started_ns: u64) {
        let cycle = self.control.options.first_cycle.wrapping_add(due.index as u32);
        self.ordinal += 1;
        self.latest = cycle;
        self.reporter.set_cycle(cycle);
        self.note_missed(due.missed);
        self.statistics.lateness.record(started_ns.saturating_sub(due.start_ns));
        self.publisher.begin(due.start_ns);

        let outputs = if self.way.is_closing() {
            self.merger.lose_all(cycle)
        } else {
            let seen = Seen { inputs: &self.inputs, quality: self.qualities.bytes() };
            self.merger.merge(cycle, seen)
        };
        self.frames.fill(outputs, &self.inputs);
        self.exchange_frames(cycle, due.start_ns);
        self.judge();
        self.run_interlocks();

        let counters = &*self.statistics.counters;
        // Whoever sees the slot finds its cycle counted.
        add(&counters.cycles, 1);
        let publishing_ns = clock::now_ns();
        let missing = self.exchange.missing();
        let published = self.publisher.publish(Slot {
            cycle,
            missed: due.missed > 0,
            frames_lost: missing > 0,
            system_time_ns: self.exchange.overview().and_then(|o| o.system_time_ns),
            quality: self.qualities.bytes(),
            working_counters: &self.working_counters,
            verdicts: &self.verdicts,
            inputs: &self.inputs,
            outputs: self.merger.image(),
        });
        let published_ns = clock::now_ns();
        self.statistics.publish.record(published_ns - publishing_ns);

        let operational = self.engine_state == EngineState::Op;
        let (qualities, reporter) = (&self.qualities, &mut self.reporter);
        let settled = self.merger.settle(
            published,
            operational,
            |device| qualities.reach(device as usize),
            |lane| match lane.state {
                LaneState::Lost => {
                    reporter.event(EventKind::LaneLost, Some(lane.lane as usize), 0, 0, counters);
                }
                LaneState::Live => {
                    reporter.event(EventKind::LaneLive, Some(lane.lane as usize), 0, 0, counters);
                }
                LaneState::Free => {
                    reporter.event(EventKind::LaneFree, Some(lane.lane as usize), 0, 0, counters);
                }
                LaneState::Claimed | LaneState::Releasing => {}
            },
        );
        if settled.receipts > 0 {
            reporter.news();
        }
        add(&counters.commits, settled.commits.into());
        add(&counters.commits_failed, settled.commits_failed.into());
        add(&counters.lanes_lost, settled.lanes_lost.into());
        counters.system_calls.store(sys::calls(), Ordering::Relaxed);
        if published_ns > self.schedule.next_start_ns() {
            add(&counters.overruns, 1);
        }
        self.note_losses(missing);
        self.look_for_suspects();
    }

    /// Evaluates the interlocks on what the cycle received. On the way down no input is good any more, which
    /// says nothing.
    fn run_interlocks(&mut self) {
        if self.way.is_closing() {
            return;
        }
        let seen = Seen { inputs: &self.inputs, quality: self.qualities.bytes() };
        let (reporter, counters) = (&mut self.reporter, &self.statistics.counters);
        self.merger.evaluate(seen, |InterlockEvent { slot, kind }| {
            let (kind, a) = match kind {
                InterlockEventKind::Fired { invalid } => (EventKind::InterlockFired, invalid),
                InterlockEventKind::Released { removed } => (EventKind::InterlockReleased, removed),
                InterlockEventKind::Refused => (EventKind::InterlockRefused, false),
            };
            reporter.event(kind, Some(slot as usize), a.into(), 0, counters);
        });
    }

    /// Sends the frames of the cycle and takes what comes back in its time.
    fn exchange_frames(&mut self, cycle: u32, start_ns: u64) {
        self.working_counters.fill(None);
        let sent_ns = clock::now_ns();
        self.exchange.send(&mut *self.link, &mut self.frames, cycle, &self.statistics.counters);
        let allowance_ns = self.least.total_ns() + self.late_allowance_ns;
        let longest_ns = if self.way.is_closing() { RECEIVE_CLOSING_NS } else { u64::MAX };
        let deadline_ns =
            (start_ns + self.receive_deadline_ns.min(longest_ns)).max(sent_ns + allowance_ns);
        let spin_until_ns = Exchange::spin_until_ns(clock::now_ns() + self.least.frames_ns);
        while self.exchange.missing() > 0 {
            let taken = self.take_frame();
            if !taken && !self.exchange.wait(&*self.link, spin_until_ns, deadline_ns) {
                // What came while the thread was away still counts.
                while self.exchange.missing() > 0 && self.take_frame() {}
                break;
            }
        }
        let missing = self.exchange.missing();
        add(&self.statistics.counters.frames_lost, missing as u64);
        if missing == 0 {
            self.statistics.round_trip.record(clock::now_ns() - sent_ns);
        }
    }

    /// Takes one frame, if one is there.
    pub(super) fn take_frame(&mut self) -> bool {
        let images =
            &mut Images { inputs: &mut self.inputs, working_counters: &mut self.working_counters };
        let (link, counters) = (&mut *self.link, &self.statistics.counters);
        let others = (&self.acyclic, &self.urgent);
        match self.exchange.take(link, &self.frames, others, images, counters) {
            Some(Arrival::Acyclic) => self.settle_acyclic(),
            Some(Arrival::Urgent) => self.settle_urgent(),
            Some(Arrival::Cyclic | Arrival::Other) => {}
            None => return false,
        }
        true
    }

    /// Counts missed periods, and reports them in a lump now and then.
    fn note_missed(&mut self, missed: u64) {
        add(&self.statistics.counters.periods_missed, missed);
        self.missed_unreported += missed;
        if self.missed_unreported > 0 && self.ordinal >= self.next_missed_report {
            let missed = std::mem::take(&mut self.missed_unreported);
            self.next_missed_report = self.ordinal + self.census_interval;
            self.event(EventKind::PeriodsMissed, None, missed.try_into().unwrap_or(u32::MAX), 0);
        }
    }

    /// Reports lost frames and the carrier, on their edges.
    fn note_losses(&mut self, missing: usize) {
        match (missing, self.lossy_cycles) {
            (0, 0) => {}
            (0, cycles) => {
                self.lossy_cycles = 0;
                self.event(EventKind::FramesRestored, None, cycles, 0);
            }
            (missing, before) => {
                self.lossy_cycles = before.saturating_add(1);
                if before == 0 {
                    self.event(EventKind::FramesLost, None, missing as u32, 0);
                }
            }
        }
        let down =
            missing == self.frames.count() && (self.exchange.is_down() || !self.link.is_up());
        if down != self.link_down {
            self.link_down = down;
            let kind = if down { EventKind::LinkDown } else { EventKind::LinkUp };
            self.event(kind, None, 0, 0);
        }
    }
}

/// Bytes that the acyclic frame may have: what the cyclic frames leave of a period.
fn acyclic_bytes(period_ns: u64, least: LeastTime) -> usize {
    let left_ns = period_ns.saturating_sub(least.frames_ns);
    bytes_in(left_ns).min(FRAME_BYTES_MAX)
}

/// A number that differs between exchangers of one machine, most of the time.
fn salt(id: u32) -> u16 {
    let mixed = (clock_entropy() ^ u64::from(id) << 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 48) as u16
}

/// The wall clock even in virtual time: two engines may live at the same virtual instant.
fn clock_entropy() -> u64 {
    crate::link::sys::monotonic_ns() ^ u64::from(std::process::id()) << 20
}
