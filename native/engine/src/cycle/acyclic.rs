//! What is left of a period: the acyclic frame back and forth, and the sleep until the next cycle.

use std::os::fd::BorrowedFd;

use super::operation::{self, Operation};
use super::run::Run;
use super::wait;
use super::window::Asker;
use crate::clock;
use crate::link::wire_time_ns;
use crate::shared::layout::EngineState;
use ecat_wire::al::AlState;

/// How long the answer to an acyclic frame is awaited: two cycles, within these limits.
const ANSWER_NS_MIN: u64 = 2_000_000;
const ANSWER_NS_MAX: u64 = 20_000_000;

impl Run {
    /// Does acyclic work until the next cycle is due, or returns at once when the engine is to stop, so that
    /// the way down begins with a cycle of its own. Returns the time.
    pub(super) fn window(&mut self) -> u64 {
        let start_ns = self.schedule.next_start_ns();
        // One frame a cycle is reserved, however full the cycle is.
        let (mut reserved, mut link_takes) = (true, true);
        let mut now_ns = clock::now_ns();
        loop {
            if self.stopping() && !self.way.is_closing() {
                self.way.close(now_ns);
                return now_ns;
            }
            self.serve_urgent();
            while self.awaited_ns().is_some() && self.take_frame() {
                now_ns = clock::now_ns();
            }
            self.expire_urgent(now_ns);
            if self.acyclic.deadline_ns().is_some_and(|deadline_ns| now_ns >= deadline_ns) {
                self.give_up_acyclic();
            }
            if self.way.is_closing() {
                if self.is_link_down() {
                    self.way.give_up();
                } else if self.al.pending() == 0 {
                    // The way down does not wait for cycles: long ones would not leave it the time.
                    self.step();
                }
                if self.way.has_ended() {
                    return now_ns;
                }
            }
            let fits = now_ns + wire_time_ns(self.acyclic.bytes_max()) < start_ns;
            let may_send = link_takes && (reserved || fits);
            if may_send && self.acyclic.deadline_ns().is_none() {
                // Offered once, also where nothing was due: not again when the next cycle is.
                reserved = false;
                if let Some(taken) = self.send_acyclic(now_ns) {
                    link_takes = taken;
                    now_ns = clock::now_ns();
                    continue;
                }
            }
            if now_ns >= start_ns {
                return now_ns;
            }
            let awaited = self.awaited_ns();
            let next_ns = match awaited {
                Some(deadline_ns) => deadline_ns,
                None if link_takes => self.al.next_due_ns().unwrap_or(start_ns),
                None => start_ns,
            };
            let next_ns = if fits || awaited.is_some() { next_ns.min(start_ns) } else { start_ns };
            let descriptor: Option<BorrowedFd<'_>> = awaited.and_then(|_| self.link.poll_fd());
            // Asleep until the spin, and once around: what the processor forgot meanwhile it then learns
            // again before the start and not after it.
            let spin_ns = if next_ns == start_ns { self.control.options.pre_spin_ns } else { 0 };
            let asleep_until_ns = next_ns - spin_ns;
            let (until_ns, spin_ns) =
                if now_ns < asleep_until_ns { (asleep_until_ns, 0) } else { (next_ns, spin_ns) };
            now_ns = wait::until(until_ns, spin_ns, descriptor, &self.control.doorbell);
        }
    }

    /// Until when the first of the answers on their way is awaited.
    fn awaited_ns(&self) -> Option<u64> {
        self.acyclic.deadline_ns().into_iter().chain(self.urgent.deadline_ns()).min()
    }

    /// Sends the next acyclic frame; `None` where nothing is due, else whether the link took it.
    fn send_acyclic(&mut self, now_ns: u64) -> Option<bool> {
        let salt = self.exchange.salt();
        let (al, census, registers) = (&mut self.al, &mut self.census, &mut self.registers);
        let frame = self.acyclic.compose(al, census, registers, &self.stations, salt, now_ns)?;
        let counters = &self.statistics.counters;
        let taken = self.exchange.send_one(&mut *self.link, frame, counters);
        if taken {
            let two_cycles = 2 * self.control.options.cycle_period_ns;
            let deadline_ns = now_ns + two_cycles.clamp(ANSWER_NS_MIN, ANSWER_NS_MAX);
            self.acyclic.on_its_way(now_ns, deadline_ns);
        } else {
            self.give_up_acyclic();
        }
        Some(taken)
    }

    /// Hands the answers in the frame that was taken last to whoever asked.
    pub(super) fn settle_acyclic(&mut self) {
        let now_ns = clock::now_ns();
        let round_trip_ns = now_ns.saturating_sub(self.acyclic.sent_ns());
        for index in 0..self.acyclic.finish() {
            let sent = self.acyclic.sent(index);
            let (data, working_counter) = sent.answer(self.exchange.frame());
            if sent.asker == Asker::Application {
                self.registers.answered(data, working_counter, round_trip_ns);
                self.reporter.news();
                continue;
            }
            let reading = operation::reading(data, working_counter);
            if let Operation::ReadState { device } = sent.operation {
                self.observe(device, reading);
                if let Some((status, _)) = reading {
                    self.al.observe(device, status, now_ns);
                }
                if sent.asker == Asker::Census {
                    self.census.answered(device);
                }
            }
            if sent.asker == Asker::Al {
                self.al.answer(sent.operation, working_counter, reading, now_ns);
            }
        }
    }

    /// Has everything in the frame that was sent last asked again.
    fn give_up_acyclic(&mut self) {
        self.registers.frame_lost();
        self.reporter.news();
        for index in 0..self.acyclic.finish() {
            let sent = self.acyclic.sent(index);
            match (sent.asker, sent.operation) {
                (Asker::Al, operation) => self.al.frame_lost(operation),
                (Asker::Census, Operation::ReadState { device }) => self.census.frame_lost(device),
                _ => {}
            }
        }
    }

    /// The end of the last cycle: whoever is not known to be in INIT is told to go there by a broadcast that
    /// needs no address and waits for no answer.
    pub(super) fn leave_in_init(&mut self) {
        let in_init = |state: &super::states::SubDeviceState| {
            state.answers && state.state() == Some(AlState::Init)
        };
        if !self.states.iter().all(in_init) {
            let operation = Operation::BroadcastControl { state: AlState::Init };
            if let Some(frame) = self.acyclic.compose_one(operation, self.exchange.salt()) {
                let counters = &self.statistics.counters;
                let _taken = self.exchange.send_one(&mut *self.link, frame, counters);
            }
        }
        self.enter(EngineState::Closed);
    }
}
