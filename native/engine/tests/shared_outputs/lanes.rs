//! Lanes that fall silent, die, resume, and are given up.

use ecat_engine::error::ErrorCode;
use ecat_engine::shared::Claims;
use ecat_engine::shared::lane::CommitStep;
use ecat_engine::shared::layout::{LaneState, Verdict};

use crate::plant::{OUTPUT_BYTES, Plant, bytes, bytes_or, owner, within};

const FAILED: u32 = Verdict::Failed as u32;

#[test]
fn a_silent_lane_is_lost_and_its_bits_take_their_loss_values() {
    let mut plant = Plant::new();
    let mut claims = bytes_or(0..4, 0xEE);
    claims.mask[4..8].fill(0xFF);
    claims.deadline_cycles = 3;
    let mut lane = plant.claim(0, &claims);
    lane.commit(&[9; OUTPUT_BYTES]);
    plant.run();
    for _ in 0..3 {
        assert_eq!(plant.run(), within(0..8, 9));
    }
    // The last four bytes hold.
    let mut expected = within(0..8, 9);
    expected[..4].fill(0xEE);
    assert_eq!(plant.run(), expected);
    assert_eq!(plant.take_events(), [(0, LaneState::Live), (0, LaneState::Lost)]);
    assert_eq!(plant.settled.lanes_lost, 1);
    assert_eq!(lane.state(), LaneState::Lost);
}

#[test]
fn a_heartbeat_keeps_a_lane_without_commits_alive() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &Claims { deadline_cycles: 2, ..bytes_or(0..4, 0) });
    lane.commit(&[9; OUTPUT_BYTES]);
    for _ in 0..20 {
        lane.beat();
        assert_eq!(plant.run(), within(0..4, 9));
        assert_eq!(plant.run(), within(0..4, 9));
    }
}

#[test]
fn an_owner_that_promised_commits_is_lost_without_them_in_spite_of_its_heartbeat() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &Claims { commit_deadline_cycles: 3, ..bytes_or(0..4, 0xEE) });
    lane.commit(&[9; OUTPUT_BYTES]);
    plant.run();
    for _ in 0..3 {
        lane.beat();
        assert_eq!(plant.run(), within(0..4, 9));
    }
    lane.beat();
    assert_eq!(plant.run(), within(0..4, 0xEE));
}

#[test]
fn a_lane_that_never_committed_is_not_lost() {
    let mut plant = Plant::new();
    let _lane = plant.claim(0, &Claims { deadline_cycles: 2, ..bytes_or(0..4, 0xEE) });
    plant.run_many(10);
    assert_eq!(plant.run(), [0; OUTPUT_BYTES]);
    assert_eq!(plant.take_events(), [(0, LaneState::Claimed)]);
}

#[test]
fn a_loss_latches_until_the_lane_resumes_from_the_last_image_sent() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &Claims { deadline_cycles: 1, ..bytes_or(0..4, 0xEE) });
    let mut tail = 0;
    lane.commit(&[9; OUTPUT_BYTES]);
    plant.run_many(4);
    plant.receipts(0, &mut tail);
    plant.take_events();
    // A main thread that wakes late: stale values must not come back.
    let stale = lane.commit(&[9; OUTPUT_BYTES]);
    assert_eq!(plant.run(), within(0..4, 0xEE));
    let cycle = plant.cycle.wrapping_sub(1);
    assert_eq!(plant.receipts(0, &mut tail), [[stale, cycle, cycle, FAILED]]);
    let mut shadow = [0; OUTPUT_BYTES];
    lane.resume(&mut shadow).unwrap();
    assert_eq!(shadow, within(0..4, 0xEE));
    shadow[0] = 1;
    lane.commit(&shadow);
    assert_eq!(plant.run(), shadow);
    assert_eq!(plant.take_events(), [(0, LaneState::Live)]);
}

#[test]
fn a_writer_killed_at_any_step_never_blocks_the_cycle_and_is_found_by_its_age() {
    for &step in CommitStep::ALL {
        let mut plant = Plant::new();
        let claims = Claims { deadline_cycles: 3, ..bytes_or(0..OUTPUT_BYTES, 0xEE) };
        let mut lane = plant.claim(0, &claims);
        lane.commit(&[1; OUTPUT_BYTES]);
        plant.run();
        lane.commit_until(&[2; OUTPUT_BYTES], |reached| reached == step);
        // The cycle goes on with one of both commits, whole.
        let arrived = u8::from(CommitStep::ALL.iter().position(|s| *s == step).unwrap() >= 4) + 1;
        let mut cycles = 0;
        while plant.events.last() != Some(&(0, LaneState::Lost)) {
            let image = plant.run();
            assert!(image == [arrived; OUTPUT_BYTES] || image == [0xEE; OUTPUT_BYTES], "{step:?}");
            cycles += 1;
            assert!(cycles <= 5, "not found lost: {step:?}");
        }
        // The environment's clean-up hook, then a new owner in the same lane.
        plant.registry.release_all(owner(0));
        plant.run_many(3);
        let mut next = plant.claim(0, &claims);
        let mut shadow = [0; OUTPUT_BYTES];
        next.resume(&mut shadow).unwrap();
        assert_eq!(shadow, [0xEE; OUTPUT_BYTES]);
        next.commit(&[3; OUTPUT_BYTES]);
        assert_eq!(plant.run(), [3; OUTPUT_BYTES], "{step:?}");
    }
}

#[test]
fn a_released_lane_goes_to_its_loss_values_and_is_free_one_cycle_later() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes_or(0..4, 0xEE));
    lane.commit(&[9; OUTPUT_BYTES]);
    plant.run();
    plant.take_events();
    plant.registry.release(0, owner(0)).unwrap();
    assert_eq!(plant.run(), within(0..4, 0xEE));
    assert_eq!(plant.take_events(), [(0, LaneState::Releasing)]);
    let early = plant.registry.claim(0, owner(1), &bytes(0..1)).unwrap_err();
    assert_eq!(early.first.code, ErrorCode::LaneBusy);
    plant.run();
    assert_eq!(plant.take_events(), [(0, LaneState::Free)]);
    // A commit of the former owner, however late, is nobody's.
    lane.commit(&[8; OUTPUT_BYTES]);
    let mut next = plant.registry.claim(0, owner(1), &bytes(0..1)).map(|_| lane).unwrap();
    assert_eq!(plant.run(), within(0..4, 0xEE));
    next.resume(&mut [0; OUTPUT_BYTES]).unwrap();
    next.commit(&[7; OUTPUT_BYTES]);
    assert_eq!(plant.run()[..2], [7, 0xEE]);
}

#[test]
fn a_release_by_somebody_else_changes_nothing() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes_or(0..4, 0xEE));
    lane.commit(&[9; OUTPUT_BYTES]);
    plant.run();
    plant.registry.release(0, 12345).unwrap();
    plant.run_many(3);
    assert_eq!(plant.run(), within(0..4, 9));
}

#[test]
fn on_close_every_live_lane_goes_to_its_loss_values_for_good() {
    let mut plant = Plant::new();
    let mut first = plant.claim(0, &bytes_or(0..4, 0xEE));
    let mut second = plant.claim(1, &bytes_or(4..8, 0xDD));
    let _silent = plant.claim(2, &bytes_or(8..12, 0xCC));
    first.commit(&[1; OUTPUT_BYTES]);
    second.commit(&[2; OUTPUT_BYTES]);
    plant.run();
    first.commit(&[3; OUTPUT_BYTES]);
    let image = plant.merger.lose_all(plant.cycle).try_into().unwrap();
    let image = plant.finish(image);
    let mut expected = within(0..4, 0xEE);
    expected[4..8].fill(0xDD);
    assert_eq!(image, expected);
    first.resume(&mut [0; OUTPUT_BYTES]).unwrap();
    first.commit(&[4; OUTPUT_BYTES]);
    assert_eq!(plant.run(), expected);
}
