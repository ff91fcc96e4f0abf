//! What became of a commit.

use std::sync::atomic::Ordering;

use ecat_engine::shared::Claims;
use ecat_engine::shared::layout::{LaneState, Verdict};
use ecat_engine::shared::receipts::{RECEIPT_CYCLES, Reach};

use crate::plant::{ARRIVED, OUTPUT_BYTES, Plant, bytes, owner, within};

const OK: u32 = Verdict::Ok as u32;
const FAILED: u32 = Verdict::Failed as u32;
const PARTIAL: u32 = Verdict::Partial as u32;
const AWAY: Reach = Reach::Away;
const MISSING: Reach = Reach::Missing;

#[test]
fn a_receipt_names_the_first_cycle_and_the_one_that_arrived() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..4));
    let mut tail = 0;
    plant.areas = [MISSING, ARRIVED];
    let seq = lane.commit(&[1; OUTPUT_BYTES]);
    let first = plant.cycle;
    plant.run_many(3);
    assert_eq!(plant.receipts(0, &mut tail), [[0; 4]; 0]);
    plant.areas = [ARRIVED, MISSING];
    plant.run();
    let arrived = first.wrapping_add(3);
    assert_eq!(plant.receipts(0, &mut tail), [[seq, first, arrived, OK]]);
}

#[test]
fn a_receipt_waits_only_for_the_areas_of_the_lane() {
    let mut plant = Plant::new();
    let mut both = plant.claim(0, &bytes(8..12));
    let mut tail = 0;
    plant.areas = [ARRIVED, MISSING];
    both.commit(&[1; OUTPUT_BYTES]);
    plant.run();
    assert_eq!(plant.receipts(0, &mut tail), [[0; 4]; 0]);
    let mut second = plant.claim(1, &bytes(0..1));
    second.commit(&[1; OUTPUT_BYTES]);
    plant.run();
    assert_eq!(plant.receipts(1, &mut 0).len(), 1);
}

#[test]
fn nobody_waits_for_an_area_that_is_away_and_the_receipt_says_that_it_did_not_take_it() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(8..12));
    let mut tail = 0;
    plant.areas = [AWAY, MISSING];
    let seq = lane.commit(&[1; OUTPUT_BYTES]);
    let first = plant.cycle;
    plant.run();
    assert_eq!(plant.receipts(0, &mut tail), [[0; 4]; 0], "the other may still take it");
    plant.areas = [AWAY, ARRIVED];
    plant.run();
    assert_eq!(plant.receipts(0, &mut tail), [[seq, first, first.wrapping_add(1), PARTIAL]]);
    let second = lane.commit(&[2; OUTPUT_BYTES]);
    let cycle = plant.cycle;
    plant.areas = [AWAY, AWAY];
    plant.run();
    assert_eq!(plant.receipts(0, &mut tail), [[second, cycle, cycle, PARTIAL]]);
    plant.areas = [ARRIVED; 2];
    let third = lane.commit(&[3; OUTPUT_BYTES]);
    let cycle = plant.cycle;
    plant.run();
    assert_eq!(plant.receipts(0, &mut tail), [[third, cycle, cycle, OK]]);
}

#[test]
fn a_commit_that_does_not_arrive_in_time_has_failed() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..4));
    let mut tail = 0;
    plant.areas = [MISSING; 2];
    let first = lane.commit(&[1; OUTPUT_BYTES]);
    let begun = plant.cycle;
    plant.run();
    let second = lane.commit(&[2; OUTPUT_BYTES]);
    plant.run_many(RECEIPT_CYCLES - 1);
    let last = begun.wrapping_add(RECEIPT_CYCLES - 1);
    assert_eq!(plant.receipts(0, &mut tail), [[first, begun, last, FAILED]]);
    assert_eq!(plant.settled.commits_failed, 1);
    plant.areas = [ARRIVED; 2];
    plant.run();
    let good = last.wrapping_add(1);
    assert_eq!(plant.receipts(0, &mut tail), [[second, begun.wrapping_add(1), good, OK]]);
}

#[test]
fn losing_the_lane_or_leaving_op_fails_what_is_pending() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &Claims { deadline_cycles: 2, ..bytes(0..4) });
    let mut tail = 0;
    plant.areas = [MISSING; 2];
    lane.commit(&[1; OUTPUT_BYTES]);
    plant.run();
    plant.operational = false;
    plant.run();
    assert_eq!(plant.receipts(0, &mut tail)[0][3], FAILED);
    plant.operational = true;
    lane.commit(&[2; OUTPUT_BYTES]);
    plant.run_many(4);
    assert_eq!(lane.state(), LaneState::Lost);
    assert_eq!(plant.receipts(0, &mut tail)[0][3], FAILED);
}

#[test]
fn a_commit_overwritten_before_any_cycle_gets_no_receipt_of_its_own() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..4));
    lane.commit(&[1; OUTPUT_BYTES]);
    let newest = lane.commit(&[0; OUTPUT_BYTES]);
    let cycle = plant.cycle;
    plant.run();
    assert_eq!(plant.receipts(0, &mut 0), [[newest, cycle, cycle, OK]]);
}

#[test]
fn the_numbers_of_commits_wrap() {
    let mut plant = Plant::new();
    plant.claim(0, &bytes(0..4));
    let line = plant.memory.lane_lines(0).unwrap().0;
    line.committed_seq.store(u32::MAX - 99, Ordering::Relaxed);
    line.heartbeat.store(u32::MAX - 99, Ordering::Relaxed);
    let mut lane = plant.memory.lane_writer(0).unwrap();
    let mut tail = 0;
    for step in 0..200_u32 {
        let seq = lane.commit(&[step as u8; OUTPUT_BYTES]);
        assert_eq!(seq, (u32::MAX - 98).wrapping_add(step));
        assert_eq!(plant.run(), within(0..4, step as u8));
        assert_eq!(plant.receipts(0, &mut tail)[0][0], seq);
    }
}

#[test]
fn a_commit_made_under_claims_long_forgotten_fails() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..4));
    let seq = lane.commit(&[1; OUTPUT_BYTES]);
    // Claims change again and again, and no cycle comes by.
    for end in 5..15 {
        plant.registry.claim(0, owner(0), &bytes(0..end)).unwrap();
    }
    assert_eq!(plant.run(), [0; OUTPUT_BYTES]);
    let receipts = plant.receipts(0, &mut 0);
    assert_eq!((receipts.len(), receipts[0][0], receipts[0][3]), (1, seq, FAILED));
}
