//! One quality byte a SubDevice and cycle, from its state and the verdicts on its datagrams.
//!
//! A SubDevice is good only if it is in OP, answers, and every datagram that it is a member of came back
//! with a working counter that proves its part. One without process data (a coupler) is judged by the
//! state check: the frame came back, and as many SubDevices took part in it as are known to be there.

use ecat_wire::al::AlState;

use super::counters::{Verdict, WorkingCounters};
use super::states::SubDeviceStates;
use crate::shared::receipts::Reach;

/// Quality of a SubDevice's data in one cycle. Numbers are part of the contract with `src/core`; a
/// larger one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Quality {
    /// In OP, and every datagram of its has the expected working counter.
    Good = 0,
    /// The frame was lost: the data are those of an earlier cycle.
    Stale = 1,
    /// A working counter that does not prove its part, or SAFE-OP.
    Uncertain = 2,
    /// It does not answer, or is below SAFE-OP.
    Bad = 3,
}

/// The quality bytes of the present cycle.
#[derive(Clone, Debug)]
pub struct Qualities {
    by_state: Vec<u8>,
    bytes: Vec<u8>,
    /// SubDevices that are a member of no datagram.
    without_data: Vec<usize>,
}

impl Qualities {
    /// For the SubDevices and datagrams of a segment.
    #[must_use]
    pub fn new(states: &SubDeviceStates, counters: &WorkingCounters) -> Self {
        let mut member = vec![false; states.len()];
        for datagram in 0..counters.len() {
            counters.members(datagram).iter().for_each(|m| member[m.device] = true);
        }
        let without_data = (0..states.len()).filter(|&index| !member[index]).collect();
        let mut qualities = Self {
            by_state: vec![Quality::Bad as u8; states.len()],
            bytes: vec![Quality::Bad as u8; states.len()],
            without_data,
        };
        qualities.expect(states);
        qualities
    }

    /// Takes over what is known of the SubDevices.
    pub fn expect(&mut self, states: &SubDeviceStates) {
        for (byte, state) in self.by_state.iter_mut().zip(states.iter()) {
            let quality = match state.state() {
                Some(AlState::Op) if state.answers => Quality::Good,
                Some(AlState::SafeOp) if state.answers => Quality::Uncertain,
                _ => Quality::Bad,
            };
            *byte = quality as u8;
        }
    }

    /// Begins a cycle with what the states alone say.
    pub fn begin(&mut self) {
        self.bytes.copy_from_slice(&self.by_state);
    }

    /// Applies a datagram's verdict to its members.
    pub fn apply(&mut self, counters: &WorkingCounters, datagram: usize, verdict: Verdict) {
        let floor = match verdict {
            Verdict::Right => return,
            Verdict::Lost => Quality::Stale,
            Verdict::Tolerated | Verdict::Wrong => Quality::Uncertain,
        };
        for member in counters.members(datagram) {
            worsen(&mut self.bytes[member.device], floor);
        }
    }

    /// Applies the state check to the SubDevices without process data: the number that took part in it,
    /// or `None` for a lost frame, against the number that should have.
    pub fn apply_state_check(&mut self, took_part: Option<u16>, present: u16) {
        let floor = match took_part {
            None => Quality::Stale,
            Some(count) if count < present => Quality::Uncertain,
            Some(_) => return,
        };
        for &device in &self.without_data {
            worsen(&mut self.bytes[device], floor);
        }
    }

    /// The bytes, one a SubDevice.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What became of the outputs of the SubDevice at `index` in this cycle.
    #[must_use]
    pub fn reach(&self, index: usize) -> Reach {
        if self.is_good(index) {
            Reach::Arrived
        } else if self.by_state[index] == Quality::Good as u8 {
            Reach::Missing
        } else {
            Reach::Away
        }
    }

    /// Whether the SubDevice at `index` is good in this cycle.
    #[must_use]
    pub fn is_good(&self, index: usize) -> bool {
        self.bytes[index] == Quality::Good as u8
    }
}

fn worsen(byte: &mut u8, floor: Quality) {
    *byte = (*byte).max(floor as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{DatagramKind, DatagramMember, ProcessDatagram, ProcessLayout};

    fn segment(of: &[u16]) -> (SubDeviceStates, WorkingCounters, Qualities) {
        let mut states = SubDeviceStates::new(of.len());
        for (index, &status) in of.iter().enumerate() {
            states.observe(index, Some((status, 0)), 0);
        }
        // Device 0 is a coupler; 1 is in the first datagram, 2 in both, 3 in the second.
        let member = |device| DatagramMember { device, operational: 1, safe_operational: 1 };
        let datagram = |members: &[usize], frame| ProcessDatagram {
            kind: DatagramKind::ReadWrite,
            logical: 0,
            length: 1,
            frame,
            members: members.iter().map(|&device| member(device)).collect(),
        };
        let layout = ProcessLayout {
            datagrams: vec![datagram(&[1, 2], 0), datagram(&[2, 3], 1)],
            ..ProcessLayout::default()
        };
        let counters = WorkingCounters::new(&layout);
        let qualities = Qualities::new(&states, &counters);
        (states, counters, qualities)
    }

    #[test]
    fn a_lost_frame_makes_its_members_stale_and_nobody_else() {
        let (_, counters, mut qualities) = segment(&[8, 8, 8, 8]);
        qualities.begin();
        qualities.apply(&counters, 0, Verdict::Right);
        qualities.apply(&counters, 1, Verdict::Lost);
        qualities.apply_state_check(Some(4), 4);
        assert_eq!(qualities.bytes(), [0, 0, 1, 1]);
    }

    #[test]
    fn a_wrong_counter_makes_all_its_members_uncertain_in_that_cycle_only() {
        let (_, counters, mut qualities) = segment(&[8, 8, 8, 8]);
        qualities.begin();
        qualities.apply(&counters, 0, Verdict::Wrong);
        qualities.apply(&counters, 1, Verdict::Lost);
        assert_eq!(qualities.bytes(), [0, 2, 2, 1]);
        qualities.begin();
        assert_eq!(qualities.bytes(), [0, 0, 0, 0]);
    }

    #[test]
    fn states_outweigh_counters() {
        let (mut states, counters, mut qualities) = segment(&[8, 4, 2, 8]);
        states.observe(3, None, 1);
        qualities.expect(&states);
        qualities.begin();
        qualities.apply(&counters, 0, Verdict::Right);
        qualities.apply(&counters, 1, Verdict::Lost);
        assert_eq!(qualities.bytes(), [0, 2, 3, 3]);
        // Whoever is known not to be in OP is not waited for; whoever lost a frame is.
        qualities.begin();
        qualities.apply(&counters, 0, Verdict::Lost);
        assert_eq!(
            [0, 1, 2, 3].map(|device| qualities.reach(device)),
            [Reach::Arrived, Reach::Away, Reach::Away, Reach::Away]
        );
        states.observe(1, Some((8, 0)), 2);
        qualities.expect(&states);
        qualities.begin();
        qualities.apply(&counters, 0, Verdict::Lost);
        assert_eq!(qualities.reach(1), Reach::Missing);
    }

    #[test]
    fn a_device_without_process_data_follows_the_state_check() {
        let (_, _, mut qualities) = segment(&[8, 8, 8, 8]);
        qualities.begin();
        qualities.apply_state_check(Some(3), 4);
        assert_eq!(qualities.bytes(), [2, 0, 0, 0]);
        qualities.begin();
        qualities.apply_state_check(None, 4);
        assert_eq!(qualities.bytes(), [1, 0, 0, 0]);
        assert!(qualities.is_good(1));
    }
}
