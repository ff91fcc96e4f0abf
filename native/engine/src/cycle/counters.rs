//! Working counters: what every process-data datagram should come back with, and what a wrong one says.
//!
//! The expected value is the sum of what the datagram's members add in the AL states that they are
//! known to be in. Where a member may add more or less (in SAFE-OP, or on the way between states) the
//! sum is a range. The largest value of the range proves that everybody took part. Any smaller one
//! within it proves nothing about a single member: another one may be gone, and its data our own echo.
//! Such a value is *learnt* once reads of their own have found every member in its known state while
//! the value stood still; from then on it is as good as an exact one.

use ecat_wire::al::AlState;

use super::states::{SubDeviceState, SubDeviceStates};
use crate::layout::{DatagramMember, ProcessLayout};

/// What a datagram's working counter says of its members in one cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every member that is expected to take part did.
    Right,
    /// Possible in the present states, but no proof that every member took part.
    Tolerated,
    /// Impossible if everything known of the members is true.
    Wrong,
    /// The frame did not come back.
    Lost,
}

/// A verdict, and whether it turned with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// `Some(true)` when the counter went wrong with this cycle, `Some(false)` when it is right again.
    pub turned_wrong: Option<bool>,
}

/// The expectations of all process-data datagrams.
#[derive(Clone, Debug)]
pub struct WorkingCounters {
    datagrams: Vec<Expectation>,
}

#[derive(Clone, Debug)]
struct Expectation {
    members: Vec<DatagramMember>,
    /// What each member adds, at least and at most, in its present state.
    adds: Vec<(u16, u16)>,
    least: u16,
    most: u16,
    learnt: Option<u16>,
    /// Value of the last frame that came back, and the executed cycle since which it has stood.
    value: u16,
    since: u64,
    wrong: bool,
}

impl WorkingCounters {
    /// The expectations of a layout; [`WorkingCounters::expect`] fills them in.
    #[must_use]
    pub fn new(layout: &ProcessLayout) -> Self {
        let datagrams = layout.datagrams.iter().map(|datagram| Expectation {
            members: datagram.members.clone(),
            adds: vec![(0, 0); datagram.members.len()],
            least: 0,
            most: 0,
            learnt: None,
            value: 0,
            since: u64::MAX,
            wrong: false,
        });
        Self { datagrams: datagrams.collect() }
    }

    /// Derives the expected values from what is known of the members. What was learnt in other states is
    /// forgotten.
    pub fn expect(&mut self, states: &SubDeviceStates) {
        for datagram in &mut self.datagrams {
            let (mut least, mut most, mut changed) = (0, 0, false);
            for (member, adds) in datagram.members.iter().zip(&mut datagram.adds) {
                let now = range(member, states.get(member.device));
                changed |= *adds != now;
                *adds = now;
                least += now.0;
                most += now.1;
            }
            (datagram.least, datagram.most) = (least, most);
            if changed {
                datagram.learnt = None;
                datagram.since = u64::MAX;
            }
        }
    }

    /// How many datagrams there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// Whether there is no process data at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// The members of a datagram.
    #[must_use]
    pub fn members(&self, datagram: usize) -> &[DatagramMember] {
        &self.datagrams[datagram].members
    }

    /// The value that a datagram should come back with: the learnt one, or the largest possible.
    #[must_use]
    pub fn expected(&self, datagram: usize) -> u16 {
        let datagram = &self.datagrams[datagram];
        datagram.learnt.unwrap_or(datagram.most)
    }

    /// The value of the last frame with this datagram that came back.
    #[must_use]
    pub fn received(&self, datagram: usize) -> u16 {
        self.datagrams[datagram].value
    }

    /// Judges a working counter, or a lost frame (`None`), of executed cycle `ordinal`.
    pub fn judge(&mut self, datagram: usize, received: Option<u16>, ordinal: u64) -> Judgement {
        let datagram = &mut self.datagrams[datagram];
        let Some(received) = received else {
            return Judgement { verdict: Verdict::Lost, turned_wrong: None };
        };
        if received != datagram.value || datagram.since == u64::MAX {
            (datagram.value, datagram.since) = (received, ordinal);
        }
        let verdict = match datagram.learnt {
            Some(learnt) if learnt == received => Verdict::Right,
            Some(_) => {
                datagram.learnt = None;
                Verdict::Wrong
            }
            None if received == datagram.most => Verdict::Right,
            None if (datagram.least..datagram.most).contains(&received) => Verdict::Tolerated,
            None => Verdict::Wrong,
        };
        let wrong = verdict == Verdict::Wrong;
        let turned_wrong = (wrong != datagram.wrong).then_some(wrong);
        datagram.wrong = wrong;
        Judgement { verdict, turned_wrong }
    }

    /// Whether a tolerated value keeps a member from being good, so that its members should be read.
    #[must_use]
    pub fn worth_learning(&self, datagram: usize, states: &SubDeviceStates) -> bool {
        self.datagrams[datagram].members.iter().any(|m| states.get(m.device).operational())
    }

    /// Learns a tolerated value after cycle `ordinal`, if it has stood since before every answering
    /// member was last read, in the state in which it is known. Returns whether it did.
    pub fn learn(&mut self, datagram: usize, states: &SubDeviceStates, ordinal: u64) -> bool {
        let datagram = &mut self.datagrams[datagram];
        let confirmed = |member: &DatagramMember| {
            let state = states.get(member.device);
            !state.answers
                || (state.requested.is_none()
                    && (datagram.since..ordinal).contains(&state.confirmed))
        };
        if !datagram.members.iter().all(confirmed) {
            return false;
        }
        datagram.learnt = Some(datagram.value);
        true
    }
}

/// What a member adds at least and at most.
fn range(member: &DatagramMember, state: &SubDeviceState) -> (u16, u16) {
    if !state.answers {
        return (0, 0);
    }
    let in_state = |state: Option<AlState>| match state {
        Some(AlState::Op) => (member.operational, member.operational),
        Some(AlState::SafeOp) => {
            (member.safe_operational.min(member.operational), member.operational)
        }
        // A device that checks locks its SyncManagers below SAFE-OP; in a simple one they are open.
        _ => (0, member.operational),
    };
    let now = in_state(state.state());
    match state.requested {
        None => now,
        Some(_) => {
            let then = in_state(state.requested);
            (now.0.min(then.0), now.1.max(then.1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{DatagramKind, ProcessDatagram};

    fn counters(members: &[(usize, u16, u16)]) -> WorkingCounters {
        let members = members.iter().map(|&(device, operational, safe_operational)| {
            DatagramMember { device, operational, safe_operational }
        });
        let datagram = ProcessDatagram {
            kind: DatagramKind::ReadWrite,
            logical: 0,
            length: 4,
            frame: 0,
            members: members.collect(),
        };
        WorkingCounters::new(&ProcessLayout {
            datagrams: vec![datagram],
            ..ProcessLayout::default()
        })
    }

    fn states(of: &[u16]) -> SubDeviceStates {
        let mut states = SubDeviceStates::new(of.len());
        for (index, &status) in of.iter().enumerate() {
            states.observe(index, Some((status, 0)), 0);
        }
        states
    }

    #[test]
    fn in_op_the_value_is_exact_and_turns_once() {
        let mut counters = counters(&[(0, 3, 1), (1, 1, 1)]);
        counters.expect(&states(&[8, 8]));
        assert_eq!(counters.expected(0), 4);
        let right = Judgement { verdict: Verdict::Right, turned_wrong: None };
        let wrong = Judgement { verdict: Verdict::Wrong, turned_wrong: None };
        assert_eq!(counters.judge(0, Some(4), 1), right);
        assert_eq!(counters.judge(0, Some(3), 2), Judgement { turned_wrong: Some(true), ..wrong });
        assert_eq!(counters.judge(0, Some(3), 3), wrong);
        assert_eq!(counters.judge(0, None, 4).verdict, Verdict::Lost);
        assert_eq!(counters.judge(0, Some(4), 5), Judgement { turned_wrong: Some(false), ..right });
    }

    #[test]
    fn a_lost_member_shrinks_the_expected_value() {
        let mut counters = counters(&[(0, 3, 1), (1, 1, 1)]);
        let mut states = states(&[8, 8]);
        states.observe(0, None, 1);
        counters.expect(&states);
        assert_eq!(counters.judge(0, Some(1), 2).verdict, Verdict::Right);
        assert_eq!(counters.judge(0, Some(4), 3).verdict, Verdict::Wrong);
    }

    #[test]
    fn pre_op_tolerates_everything_from_nothing_to_all() {
        let mut counters = counters(&[(0, 3, 1), (1, 1, 1)]);
        counters.expect(&states(&[2, 2]));
        assert_eq!(counters.judge(0, Some(0), 1).verdict, Verdict::Tolerated);
        assert_eq!(counters.judge(0, Some(4), 1).verdict, Verdict::Right);
        assert_eq!(counters.judge(0, Some(5), 1).verdict, Verdict::Wrong);
    }

    #[test]
    fn a_value_within_a_range_never_hides_a_lost_member() {
        let mut counters = counters(&[(0, 3, 1), (1, 1, 1)]);
        let mut states = states(&[4, 8]);
        counters.expect(&states);
        // Device 0 adds 3 in SAFE-OP, device 1 is gone: 3 lies within 2..=4.
        assert_eq!(counters.judge(0, Some(3), 10).verdict, Verdict::Tolerated);
        assert!(counters.worth_learning(0, &states));
        assert!(!counters.learn(0, &states, 11));
        states.observe(0, Some((4, 0)), 11);
        states.observe(1, None, 11);
        counters.expect(&states);
        assert_eq!(counters.judge(0, Some(3), 12).verdict, Verdict::Right);
    }

    #[test]
    fn a_value_that_stood_while_all_members_were_read_is_learnt() {
        let mut counters = counters(&[(0, 3, 1), (1, 1, 1)]);
        let mut states = states(&[4, 8]);
        counters.expect(&states);
        assert_eq!(counters.judge(0, Some(2), 10).verdict, Verdict::Tolerated);
        states.observe(0, Some((4, 0)), 10);
        states.observe(1, Some((8, 0)), 11);
        assert_eq!(counters.judge(0, Some(2), 11).verdict, Verdict::Tolerated);
        assert!(!counters.learn(0, &states, 11), "device 1 was read after the frame of cycle 11");
        assert_eq!(counters.judge(0, Some(2), 12).verdict, Verdict::Tolerated);
        assert!(counters.learn(0, &states, 12));
        assert_eq!(counters.judge(0, Some(2), 13).verdict, Verdict::Right);
        assert_eq!(counters.judge(0, Some(1), 14).verdict, Verdict::Wrong);
        assert_eq!(counters.judge(0, Some(2), 15).verdict, Verdict::Tolerated, "forgotten");
    }

    #[test]
    fn on_the_way_between_states_both_ends_are_possible() {
        let mut counters = counters(&[(0, 3, 1)]);
        let mut states = states(&[8]);
        states.request(0, Some(AlState::SafeOp));
        counters.expect(&states);
        assert_eq!(counters.judge(0, Some(1), 1).verdict, Verdict::Tolerated);
        assert_eq!(counters.judge(0, Some(0), 2).verdict, Verdict::Wrong);
    }
}
