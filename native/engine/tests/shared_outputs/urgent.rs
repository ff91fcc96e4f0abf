//! Urgent merges between cycles: what counts as sent, what gets a receipt, and that no time passes by them.

use ecat_engine::shared::layout::{LaneState, Verdict};
use ecat_engine::shared::{BitsKind, Claims, Comparison, InterlockSpec, Seen, Threshold};

use crate::plant::{OUTPUT_BYTES, Plant, bytes, bytes_or, owner, within};

const OK: u32 = Verdict::Ok as u32;
const EARLY: u32 = Verdict::Early as u32;
const FAILED: u32 = Verdict::Failed as u32;

impl Plant {
    /// As the cycle thread does, with SubDevices of four bytes: sends those that changed, and returns which.
    fn urgent(&mut self) -> Vec<usize> {
        let seen = Seen { inputs: &self.inputs, quality: &self.quality };
        self.merger.merge_urgent(self.cycle, seen);
        let parts = (0..OUTPUT_BYTES).step_by(4).map(|at| at..at + 4);
        let changed: Vec<_> = parts.filter(|part| self.merger.differs(part)).collect();
        changed.iter().for_each(|part| self.merger.mark_sent(part));
        changed.into_iter().map(|part| part.start).collect()
    }
}

#[test]
fn only_what_changed_is_sent_and_a_commit_that_went_as_a_whole_has_its_receipt() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..12));
    let mut tail = 0;
    assert!(plant.urgent().is_empty());
    lane.commit(&within(5..6, 7));
    assert_eq!(plant.urgent(), [4]);
    assert_eq!(plant.merger.settle_urgent(|_| true), 1);
    assert_eq!(plant.receipts(0, &mut tail), [[1, plant.cycle, plant.cycle, EARLY]]);
    assert_eq!(plant.run(), within(5..6, 7));
    assert_eq!(plant.receipts(0, &mut tail), [[0; 4]; 0], "no second one");
    assert!(plant.urgent().is_empty(), "nothing is sent twice");
}

#[test]
fn a_commit_that_did_not_go_as_a_whole_is_the_next_cycles_to_decide() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..12));
    let mut tail = 0;
    lane.commit(&within(0..12, 7));
    plant.merger.merge_urgent(plant.cycle, Seen::default());
    plant.merger.mark_sent(&(4..8));
    assert_eq!(plant.merger.settle_urgent(|_| true), 0);
    let cycle = plant.cycle;
    assert_eq!(plant.run(), within(0..12, 7));
    assert_eq!(plant.receipts(0, &mut tail), [[1, cycle, cycle, OK]]);
    // Neither does one whose SubDevices are not good have its receipt early.
    lane.commit(&within(0..12, 8));
    assert_eq!(plant.urgent(), [0, 4, 8]);
    assert_eq!(plant.merger.settle_urgent(|area| area != 1), 0);
}

#[test]
fn an_urgent_frame_that_was_lost_leaves_nothing_to_trust_until_the_next_cycle() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..12));
    let mut tail = 0;
    lane.commit(&within(0..4, 7));
    assert_eq!(plant.urgent(), [0]);
    plant.merger.doubt();
    // The second one arrives, but the first one's bytes are not there.
    lane.commit(&within(0..8, 7));
    assert_eq!(plant.urgent(), [4]);
    assert_eq!(plant.merger.settle_urgent(|_| true), 0);
    let cycle = plant.cycle;
    plant.run();
    assert_eq!(plant.receipts(0, &mut tail), [[1, cycle, cycle, OK], [2, cycle, cycle, OK]]);
    lane.commit(&within(0..8, 9));
    plant.urgent();
    assert_eq!(plant.merger.settle_urgent(|_| true), 1);
    assert_eq!(plant.receipts(0, &mut tail)[0][3], EARLY);
}

#[test]
fn a_commit_that_waits_for_a_cycle_names_the_one_that_ran() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..4));
    let mut tail = 0;
    lane.commit(&within(0..4, 7));
    plant.merger.merge_urgent(plant.cycle, Seen::default());
    // Nothing left, and two periods were missed.
    plant.cycle = plant.cycle.wrapping_add(2);
    let cycle = plant.cycle;
    assert_eq!(plant.run(), within(0..4, 7));
    assert_eq!(plant.receipts(0, &mut tail), [[1, cycle, cycle, OK]]);
}

#[test]
fn an_interlock_wins_over_an_urgent_commit_of_the_same_cycle_whichever_came_first() {
    let guard = InterlockSpec {
        name: "guard".to_owned(),
        bit_offset: 0,
        bit_length: 1,
        kind: BitsKind::Unsigned,
        when: Comparison::Is(Threshold::Integer(1)),
        force_mask: within(3..4, 0xFF).into(),
        force_image: within(3..4, 0x55).into(),
    };
    let mut forced = within(0..8, 7);
    forced[3] = 0x55;
    for urgent_first in [true, false] {
        let mut plant = Plant::new();
        let mut lane = plant.claim(0, &bytes(0..8));
        plant.registry.set_interlocks(std::slice::from_ref(&guard), &[0..2, 2..4]).unwrap();
        lane.commit(&within(0..8, 9));
        plant.run();
        if urgent_first {
            // It is sent before anybody knows of the input that comes with the cycle behind it.
            lane.commit(&within(0..8, 7));
            assert_eq!(plant.urgent(), [0, 4]);
            plant.inputs[0] = 1;
            assert_eq!(plant.run(), within(0..8, 7));
        } else {
            plant.inputs[0] = 1;
            assert_eq!(plant.run(), within(0..8, 9));
            lane.commit(&within(0..8, 7));
        }
        // Between the two cycles: what is forced leaves with the urgent frame, if there is one, and with the cycle.
        assert_eq!(plant.urgent(), if urgent_first { vec![0] } else { vec![0, 4] });
        assert_eq!(plant.merger.next(&(0..8)), &forced[..8]);
        assert_eq!(plant.run(), forced);
    }
}

#[test]
fn nobody_falls_silent_by_urgent_merges_and_a_lost_lane_is_refused_in_them() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &Claims { deadline_cycles: 2, ..bytes_or(0..4, 0xEE) });
    let mut tail = 0;
    lane.commit(&within(0..4, 7));
    plant.run();
    (0..50).for_each(|_| assert!(plant.urgent().is_empty()));
    assert_eq!(plant.run(), within(0..4, 7));
    plant.run_many(3);
    assert_eq!(lane.state(), LaneState::Lost);
    plant.receipts(0, &mut tail);
    lane.commit(&within(0..4, 9));
    assert!(plant.urgent().is_empty());
    assert_eq!(plant.merger.settle_urgent(|_| true), 1);
    assert_eq!(plant.receipts(0, &mut tail)[0][3], FAILED);
    // Claims that change are adopted between cycles too.
    plant.registry.release(0, owner(0)).unwrap();
    plant.urgent();
    plant.run_many(2);
    assert_eq!(lane.state(), LaneState::Free);
}
