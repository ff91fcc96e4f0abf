//! From working counters to names: verdicts on the datagrams of a cycle, and who is read on their own
//! account because of them.

use super::counters::Verdict;
use super::run::Run;
use super::states::Finding;
use crate::event::EventKind;
use crate::shared::statistics::add;

impl Run {
    /// Judges every datagram of the cycle, and derives the SubDevices' quality.
    pub(super) fn judge(&mut self) {
        if self.states.take_changed() {
            self.counters.expect(&self.states);
            self.qualities.expect(&self.states);
        }
        self.qualities.begin();
        for datagram in 0..self.counters.len() {
            let received = self.working_counters[datagram];
            let expected = self.counters.expected(datagram);
            let judgement = self.counters.judge(datagram, received, self.ordinal);
            let mut verdict = judgement.verdict;
            if verdict == Verdict::Tolerated
                && self.counters.worth_learning(datagram, &self.states)
                && self.counters.learn(datagram, &self.states, self.ordinal)
            {
                verdict = Verdict::Right;
            }
            self.verdicts[datagram] = verdict;
            self.qualities.apply(&self.counters, datagram, verdict);
            if verdict == Verdict::Wrong {
                add(&self.statistics.counters.working_counter_errors, 1);
            }
            if let Some(wrong) = judgement.turned_wrong {
                let received = received.map_or(0, u32::from);
                let (kind, a, b) = if wrong {
                    (EventKind::WorkingCounter, received, expected.into())
                } else {
                    (EventKind::WorkingCounterRestored, received, 0)
                };
                self.event(kind, Some(datagram), a, b);
            }
            self.turned[datagram] = judgement.turned_wrong == Some(true);
        }
        let took_part = self.exchange.overview().map(|overview| overview.count);
        self.qualities.apply_state_check(took_part, self.states.present());
    }

    /// Has the census read whoever this cycle makes a suspect.
    pub(super) fn look_for_suspects(&mut self) {
        if self.way.is_closing() {
            return;
        }
        let (mut fresh, mut standing) = (self.turned.contains(&true), false);
        for datagram in 0..self.counters.len() {
            standing |= self.is_suspicious(datagram);
        }
        let check = self.exchange.overview();
        // On the way up the AL engine reads everybody anyway.
        let at_rest = self.al.pending() == 0;
        let mut everybody = false;
        if let Some(overview) = check.filter(|_| at_rest) {
            let seen = (overview.status, overview.count);
            let known = (self.states.statuses(), self.states.present());
            everybody = seen != known;
            fresh |= everybody && seen != (self.overview.status, self.overview.count);
            self.overview = overview;
            let (seen, present) = (overview.count, self.states.present());
            if let Some(count) = self.strangers.note(seen, present, self.ordinal) {
                self.event(EventKind::Strangers, None, count.into(), 0);
            }
        }
        standing |= everybody;
        let lost = self.states.present() < self.states.len() as u16
            && self.ordinal.is_multiple_of(self.census_interval);
        if !standing && !lost {
            self.census.calm(self.ordinal);
            return;
        }
        if standing && self.census.may_begin(self.ordinal, fresh) {
            for datagram in 0..self.counters.len() {
                if self.is_suspicious(datagram) {
                    for member in self.counters.members(datagram) {
                        self.census.suspect(member.device);
                    }
                }
            }
            if everybody {
                (0..self.states.len()).for_each(|device| self.census.suspect(device));
            }
        }
        if lost {
            for (device, state) in self.states.iter().enumerate() {
                if !state.answers {
                    self.census.suspect(device);
                }
            }
        }
    }

    /// Takes a reading of a SubDevice's state, and reports what is new.
    pub(super) fn observe(&mut self, device: usize, reading: Option<(u16, u16)>) {
        let finding = self.states.observe(device, reading, self.ordinal);
        let (status, code) = reading.map_or((0, 0), |(status, code)| (status.into(), code.into()));
        match finding {
            Finding::Same => {}
            Finding::State => self.event(EventKind::SubDeviceState, Some(device), status, code),
            Finding::Lost => self.event(EventKind::SubDeviceLost, Some(device), 0, 0),
            Finding::Returned => {
                self.event(EventKind::SubDeviceReturned, Some(device), status, code)
            }
        }
    }

    /// Whether the members of a datagram should be read: its counter is wrong, or keeps an operational member
    /// from being good.
    fn is_suspicious(&self, datagram: usize) -> bool {
        match self.verdicts[datagram] {
            Verdict::Wrong => true,
            Verdict::Tolerated => self.counters.worth_learning(datagram, &self.states),
            Verdict::Right | Verdict::Lost => false,
        }
    }
}
