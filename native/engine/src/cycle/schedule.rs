//! The absolute schedule: cycle `k` starts at `start + k · period`, whatever the cycles before it took.
//!
//! A period that nobody was there to start is missed and consumes its number, so that at any time
//! cycles run + periods missed = periods begun.

/// When cycles start.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    start_ns: u64,
    period_ns: u64,
    next: u64,
}

/// A cycle that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Index of the cycle since the start.
    pub index: u64,
    /// When it should have started.
    pub start_ns: u64,
    /// Periods that passed without a cycle since the last one.
    pub missed: u64,
}

impl Schedule {
    /// A schedule whose cycle 0 starts at `start_ns`. `period_ns` is greater than 0.
    #[must_use]
    pub const fn new(start_ns: u64, period_ns: u64) -> Self {
        Self { start_ns, period_ns, next: 0 }
    }

    /// When the next cycle starts.
    #[must_use]
    pub const fn next_start_ns(&self) -> u64 {
        self.start_ns + self.next * self.period_ns
    }

    /// Index of the next cycle, if none is missed.
    #[must_use]
    pub const fn next_index(&self) -> u64 {
        self.next
    }

    /// Takes the newest cycle whose time has come at `now_ns`, or the next one where none has.
    ///
    /// A late cycle is still run as long as its own period lasts; only whole periods are missed.
    pub const fn take(&mut self, now_ns: u64) -> Due {
        let begun = now_ns.saturating_sub(self.start_ns) / self.period_ns;
        let index = if begun > self.next { begun } else { self.next };
        let missed = index - self.next;
        self.next = index + 1;
        Due { index, start_ns: self.start_ns + index * self.period_ns, missed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_that_start_within_their_period_are_late_but_not_missed() {
        let mut schedule = Schedule::new(1_000, 100);
        assert_eq!(schedule.take(1_000), Due { index: 0, start_ns: 1_000, missed: 0 });
        assert_eq!(schedule.next_start_ns(), 1_100);
        assert_eq!(schedule.take(1_199), Due { index: 1, start_ns: 1_100, missed: 0 });
        assert_eq!(schedule.next_start_ns(), 1_200);
    }

    #[test]
    fn whole_periods_that_passed_consume_their_numbers() {
        let mut schedule = Schedule::new(0, 100);
        schedule.take(0);
        assert_eq!(schedule.take(1_050), Due { index: 10, start_ns: 1_000, missed: 9 });
        assert_eq!(schedule.next_start_ns(), 1_100);
    }

    #[test]
    fn a_cycle_woken_too_early_keeps_its_own_number() {
        let mut schedule = Schedule::new(500, 100);
        assert_eq!(schedule.take(400).index, 0);
        assert_eq!(schedule.take(590), Due { index: 1, start_ns: 600, missed: 0 });
    }

    #[test]
    fn cycles_run_and_missed_add_up_to_the_schedule() {
        let mut schedule = Schedule::new(7, 250);
        let (mut now, mut run, mut missed, mut last) = (7, 0, 0, 0);
        for step in 0..10_000_u64 {
            let due = schedule.take(now.max(schedule.next_start_ns()));
            run += 1;
            missed += due.missed;
            last = due.index;
            now = due.start_ns + step * 7_919 % 900;
        }
        assert_eq!(run + missed, last + 1);
    }
}
