//! The census: reads of their own (FPRD 0x0130) that find out which SubDevice a wrong working counter or
//! a changed state check came from.
//!
//! Suspects are read in rounds. The first round follows a suspicion at once; while a suspicion stands
//! that no round could explain, rounds follow in growing intervals, so that a fault which the census
//! cannot name does not fill the wire.

use super::operation::Operation;

/// Who is to be read, and when.
#[derive(Clone, Debug)]
pub struct Census {
    suspects: Vec<bool>,
    in_flight: Vec<bool>,
    /// Suspects that are still to be read or whose answer is on its way.
    open: usize,
    cursor: usize,
    interval: u64,
    interval_most: u64,
    next_round: u64,
}

impl Census {
    /// A census of `count` SubDevices, with at most `interval_most` cycles between two rounds.
    #[must_use]
    pub fn new(count: usize, interval_most: u64) -> Self {
        Self {
            suspects: vec![false; count],
            in_flight: vec![false; count],
            open: 0,
            cursor: 0,
            interval: 1,
            interval_most: interval_most.max(1),
            next_round: 0,
        }
    }

    /// Whether a new round may begin in executed cycle `ordinal`; `fresh` for a suspicion that has just
    /// come up, which waits for nothing but the end of the round before.
    pub fn may_begin(&mut self, ordinal: u64, fresh: bool) -> bool {
        if fresh {
            self.interval = 1;
        } else if self.open > 0 || ordinal < self.next_round {
            return false;
        }
        self.next_round = ordinal + self.interval;
        self.interval = (self.interval * 2).min(self.interval_most);
        true
    }

    /// Takes note that nothing is suspicious any more: the next round need not wait.
    pub fn calm(&mut self, ordinal: u64) {
        (self.interval, self.next_round) = (1, ordinal);
    }

    /// Puts a SubDevice on the list.
    pub fn suspect(&mut self, device: usize) {
        if !self.suspects[device] {
            self.suspects[device] = true;
            self.open += usize::from(!self.in_flight[device]);
        }
    }

    /// Takes everybody off the list.
    pub fn clear(&mut self) {
        self.suspects.fill(false);
        self.open = self.in_flight.iter().filter(|&&flying| flying).count();
    }

    /// The operation to send next, or `None` where nobody is left to be read.
    pub fn next_operation(&mut self) -> Option<Operation> {
        if self.open == 0 {
            return None;
        }
        for _ in 0..self.suspects.len() {
            let device = self.cursor;
            self.cursor = (device + 1) % self.suspects.len();
            if self.suspects[device] && !self.in_flight[device] {
                self.suspects[device] = false;
                self.in_flight[device] = true;
                return Some(Operation::ReadState { device });
            }
        }
        None
    }

    /// Takes note that the read of a SubDevice came back.
    pub fn answered(&mut self, device: usize) {
        if std::mem::take(&mut self.in_flight[device]) && !self.suspects[device] {
            self.open -= 1;
        }
    }

    /// Takes note that the frame with the read of a SubDevice was lost: it is read again.
    pub fn frame_lost(&mut self, device: usize) {
        if std::mem::take(&mut self.in_flight[device]) {
            self.suspects[device] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(census: &mut Census) -> Vec<usize> {
        std::iter::from_fn(|| census.next_operation())
            .map(|operation| match operation {
                Operation::ReadState { device } => device,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn every_suspect_is_read_once_a_round() {
        let mut census = Census::new(5, 100);
        for device in [1, 3, 3, 4] {
            census.suspect(device);
        }
        assert_eq!(round(&mut census), [1, 3, 4]);
        assert!(!census.may_begin(0, false), "the round is not over");
        for device in [1, 3, 4] {
            census.answered(device);
        }
        assert!(census.may_begin(0, false));
        assert_eq!(census.next_operation(), None);
    }

    #[test]
    fn a_lost_frame_is_read_again() {
        let mut census = Census::new(2, 100);
        census.suspect(1);
        assert_eq!(round(&mut census), [1]);
        census.frame_lost(1);
        assert_eq!(round(&mut census), [1]);
        census.answered(1);
        assert!(census.may_begin(0, false));
    }

    #[test]
    fn a_suspect_again_while_its_read_is_in_flight_is_read_once_more() {
        let mut census = Census::new(2, 100);
        census.suspect(0);
        assert_eq!(round(&mut census), [0]);
        census.suspect(0);
        assert_eq!(round(&mut census), [0; 0]);
        census.answered(0);
        assert!(!census.may_begin(0, false));
        assert_eq!(round(&mut census), [0]);
        census.answered(0);
        assert!(census.may_begin(0, false));
    }

    #[test]
    fn rounds_without_a_result_grow_rarer_and_a_fresh_suspicion_starts_over() {
        let mut census = Census::new(1, 8);
        let began: Vec<u64> = (0..40).filter(|&cycle| census.may_begin(cycle, false)).collect();
        assert_eq!(began, [0, 1, 3, 7, 15, 23, 31, 39]);
        assert!(census.may_begin(40, true));
        assert!(census.may_begin(41, false));
        census.calm(42);
        assert!(census.may_begin(42, false));
    }
}
