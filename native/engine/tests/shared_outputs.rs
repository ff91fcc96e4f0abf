//! From `commit` to the output image and back to a receipt: claims, lanes, merging, losses.

use std::sync::atomic::{AtomicU64, Ordering};

use ecat_engine::error::ErrorCode;
use ecat_engine::shared::lane::CommitStep;
use ecat_engine::shared::layout::{LaneState, Verdict};
use ecat_engine::shared::receipts::RECEIPT_CYCLES;
use ecat_engine::shared::{
    Attached, ClaimRegistry, Claims, Dimensions, Drained, LaneEvent, LaneWriter, OutputMerger,
    RingWriter, Settled, SharedMemory, required_bytes,
};
use proptest::prelude::*;

const OUTPUT_BYTES: usize = 20;
const FIRST: u32 = u32::MAX - 5;
const OK: u32 = Verdict::Ok as u32;
const FAILED: u32 = Verdict::Failed as u32;

/// The cycle side, and the registry. Area 0 is the first ten bytes, area 1 the rest.
struct Plant {
    memory: Attached,
    registry: ClaimRegistry,
    merger: OutputMerger,
    ring: RingWriter,
    cycle: u32,
    areas_arrive: [bool; 2],
    operational: bool,
    events: Vec<(u32, LaneState)>,
    settled: Settled,
}

impl Plant {
    fn new() -> Self {
        let dimensions = Dimensions {
            output_bytes: OUTPUT_BYTES as u32,
            slot_count: 4,
            log_records: 64,
            lane_count: 3,
            first_cycle: FIRST,
            ..Dimensions::default()
        };
        let shared = region(required_bytes(&dimensions));
        let memory = shared.initialise(&dimensions).unwrap();
        let (registry, merger) = memory.outputs(&[0..10, 10..OUTPUT_BYTES]);
        let ring = memory.ring_writer();
        Self {
            memory,
            registry,
            merger,
            ring,
            cycle: FIRST,
            areas_arrive: [true; 2],
            operational: true,
            events: Vec::new(),
            settled: Settled::default(),
        }
    }

    /// Runs a cycle and returns the image that it sent.
    fn run(&mut self) -> [u8; OUTPUT_BYTES] {
        let image = self.merger.merge(self.cycle).try_into().unwrap();
        self.finish(image)
    }

    fn run_many(&mut self, cycles: u32) {
        for _ in 0..cycles {
            self.run();
        }
    }

    fn finish(&mut self, image: [u8; OUTPUT_BYTES]) -> [u8; OUTPUT_BYTES] {
        let mut slot = self.ring.begin(self.cycle);
        slot.set_times(0, 0);
        slot.set_flags(0);
        slot.outputs(&image);
        let published = slot.publish();
        let (events, arrived) = (&mut self.events, self.areas_arrive);
        self.settled = self.merger.settle(
            published,
            self.operational,
            |area| arrived[area as usize],
            |LaneEvent { lane, state, .. }| events.push((lane, state)),
        );
        self.cycle = self.cycle.wrapping_add(1);
        image
    }

    /// Claims, and commits nothing yet.
    fn claim(&self, lane: u32, claims: &Claims) -> LaneWriter {
        self.registry.claim(lane, owner(lane), claims).unwrap();
        self.memory.lane_writer(lane).unwrap()
    }

    fn take_events(&mut self) -> Vec<(u32, LaneState)> {
        std::mem::take(&mut self.events)
    }

    fn receipts(&self, lane: u32, tail: &mut u32) -> Vec<[u32; 4]> {
        let mut out = [[0; 4]; 64];
        match self.memory.receipt_reader(lane).unwrap().drain(tail, &mut out) {
            Drained::Records(count) => out[..count].to_vec(),
            Drained::Empty => Vec::new(),
            Drained::Lapped => panic!("lapped"),
        }
    }
}

fn region(bytes: usize) -> SharedMemory {
    let words = (0..bytes / 8).map(|_| AtomicU64::new(0)).collect();
    SharedMemory::from_static(Vec::leak(words))
}

fn owner(lane: u32) -> u64 {
    u64::from(lane) + 100
}

/// Claims whole bytes, which hold on loss.
fn bytes(range: std::ops::Range<usize>) -> Claims {
    let mut mask = [0; OUTPUT_BYTES];
    mask[range].fill(0xFF);
    Claims {
        mask: mask.into(),
        loss_mask: [0; OUTPUT_BYTES].into(),
        loss_image: [0; OUTPUT_BYTES].into(),
        ..Claims::default()
    }
}

/// As [`bytes`], and on loss they take `value`.
fn bytes_or(range: std::ops::Range<usize>, value: u8) -> Claims {
    let claims = bytes(range);
    let (loss_mask, loss_image) = (claims.mask.clone(), [value; OUTPUT_BYTES].into());
    Claims { loss_mask, loss_image, ..claims }
}

fn within(range: std::ops::Range<usize>, value: u8) -> [u8; OUTPUT_BYTES] {
    let mut image = [0; OUTPUT_BYTES];
    image[range].fill(value);
    image
}

#[test]
fn a_commit_changes_the_claimed_bits_only_and_with_the_next_cycle() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(3..12));
    lane.commit(&[0xA5; OUTPUT_BYTES]);
    assert_eq!(plant.run(), within(3..12, 0xA5));
    assert_eq!(plant.take_events(), [(0, LaneState::Live)]);
    assert_eq!(lane.state(), LaneState::Live);
    assert_eq!(plant.settled, Settled { commits: 1, receipts: 1, ..Settled::default() });
}

#[test]
fn lanes_share_a_byte_bit_by_bit() {
    let mut plant = Plant::new();
    let bits = |bits: u8| {
        let mut claims = bytes(0..0);
        claims.mask[7] = bits;
        claims
    };
    let mut low = plant.claim(0, &bits(0x0F));
    let mut high = plant.claim(1, &bits(0xF0));
    low.commit(&[0x55; OUTPUT_BYTES]);
    high.commit(&[0xAA; OUTPUT_BYTES]);
    assert_eq!(plant.run(), within(7..8, 0xA5));
}

#[test]
fn two_lanes_cannot_claim_the_same_bit() {
    let mut plant = Plant::new();
    let _first = plant.claim(0, &bytes(0..10));
    let mut claims = bytes(12..14);
    claims.mask[9] = 0b0001_0000;
    let error = plant.registry.claim(2, owner(2), &claims).unwrap_err();
    assert_eq!(error.first.code, ErrorCode::OutputClaimed);
    for part in ["bit 76 (byte 9, bit 4)", "lane 2", "lane 0"] {
        assert!(error.first.message.contains(part), "{error}");
    }
    plant.run();
    assert_eq!(plant.take_events(), [(0, LaneState::Claimed)]);
}

#[test]
fn claims_of_wrong_sizes_lanes_and_owners_are_refused() {
    let plant = Plant::new();
    let refused = |lane, owner, claims: &Claims| {
        let error = plant.registry.claim(lane, owner, claims).unwrap_err();
        assert_eq!(error.first.code, ErrorCode::InvalidArgument, "{error}");
    };
    refused(0, 1, &Claims::default());
    refused(3, 1, &bytes(0..1));
    plant.registry.claim(0, 1, &bytes(0..1)).unwrap();
    refused(0, 2, &bytes(0..1));
    assert!(plant.memory.lane_writer(3).is_err());
    assert!(plant.memory.receipt_reader(3).is_err());
}

#[test]
fn a_claimed_bit_keeps_the_value_last_sent_until_it_is_committed() {
    let mut plant = Plant::new();
    let mut first = plant.claim(0, &bytes(0..8));
    first.commit(&[7; OUTPUT_BYTES]);
    plant.run();
    plant.registry.release(0, owner(0)).unwrap();
    plant.run_many(3);
    // Nobody owns them, then a new owner that is silent does.
    assert_eq!(plant.run(), within(0..8, 7));
    let mut second = plant.claim(1, &bytes(4..8));
    assert_eq!(plant.run(), within(0..8, 7));
    let mut shadow = [0; OUTPUT_BYTES];
    second.resume(&mut shadow).unwrap();
    assert_eq!(shadow, within(0..8, 7));
    second.commit(&shadow);
    assert_eq!(plant.run(), within(0..8, 7));
}

#[test]
fn changed_claims_go_on_without_a_break_for_the_bits_in_both() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..8));
    lane.commit(&[1; OUTPUT_BYTES]);
    plant.run();
    // Under way while the claims change: what was claimed then counts, what is given up holds.
    lane.commit(&[2; OUTPUT_BYTES]);
    plant.registry.claim(0, owner(0), &bytes(4..12)).unwrap();
    let mut expected = within(0..4, 1);
    expected[4..8].fill(2);
    assert_eq!(plant.run(), expected);
    lane.commit(&[3; OUTPUT_BYTES]);
    expected[4..12].fill(3);
    assert_eq!(plant.run(), expected);
    assert_eq!(plant.take_events(), [(0, LaneState::Live)]);
}

#[test]
fn a_bit_that_was_given_up_is_free_two_cycles_later() {
    let mut plant = Plant::new();
    let _lane = plant.claim(0, &bytes(0..8));
    plant.run();
    let generation = plant.registry.claim(0, owner(0), &bytes(0..4)).unwrap();
    assert_eq!(plant.registry.acknowledged(generation), None);
    let early = plant.registry.claim(1, owner(1), &bytes(4..8)).unwrap_err();
    assert_eq!(early.first.code, ErrorCode::OutputClaimed);
    assert!(early.first.message.contains("given up"), "{early}");
    let cycle = plant.cycle;
    plant.run();
    assert_eq!(plant.registry.acknowledged(generation), Some(cycle));
    plant.run();
    plant.registry.claim(1, owner(1), &bytes(4..8)).unwrap();
}

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
    assert_eq!(early.first.code, ErrorCode::InvalidArgument);
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

#[test]
fn a_receipt_names_the_first_cycle_and_the_one_that_arrived() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..4));
    let mut tail = 0;
    plant.areas_arrive = [false, true];
    let seq = lane.commit(&[1; OUTPUT_BYTES]);
    let first = plant.cycle;
    plant.run_many(3);
    assert_eq!(plant.receipts(0, &mut tail), [[0; 4]; 0]);
    plant.areas_arrive = [true, false];
    plant.run();
    let arrived = first.wrapping_add(3);
    assert_eq!(plant.receipts(0, &mut tail), [[seq, first, arrived, OK]]);
}

#[test]
fn a_receipt_waits_only_for_the_areas_of_the_lane() {
    let mut plant = Plant::new();
    let mut both = plant.claim(0, &bytes(8..12));
    let mut tail = 0;
    plant.areas_arrive = [true, false];
    both.commit(&[1; OUTPUT_BYTES]);
    plant.run();
    assert_eq!(plant.receipts(0, &mut tail), [[0; 4]; 0]);
    let mut second = plant.claim(1, &bytes(0..1));
    second.commit(&[1; OUTPUT_BYTES]);
    plant.run();
    assert_eq!(plant.receipts(1, &mut 0).len(), 1);
}

#[test]
fn a_commit_that_does_not_arrive_in_time_has_failed() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..4));
    let mut tail = 0;
    plant.areas_arrive = [false; 2];
    let first = lane.commit(&[1; OUTPUT_BYTES]);
    let begun = plant.cycle;
    plant.run();
    let second = lane.commit(&[2; OUTPUT_BYTES]);
    plant.run_many(RECEIPT_CYCLES - 1);
    let last = begun.wrapping_add(RECEIPT_CYCLES - 1);
    assert_eq!(plant.receipts(0, &mut tail), [[first, begun, last, FAILED]]);
    assert_eq!(plant.settled.commits_failed, 1);
    plant.areas_arrive = [true; 2];
    plant.run();
    let good = last.wrapping_add(1);
    assert_eq!(plant.receipts(0, &mut tail), [[second, begun.wrapping_add(1), good, OK]]);
}

#[test]
fn losing_the_lane_or_leaving_op_fails_what_is_pending() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &Claims { deadline_cycles: 2, ..bytes(0..4) });
    let mut tail = 0;
    plant.areas_arrive = [false; 2];
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

proptest! {
    /// Against a model of one owner a bit: whatever lanes claim, commit and give up, and in whatever
    /// order, every bit has the value that its owner committed last since it claimed it, or the one
    /// last sent.
    #[test]
    fn every_bit_is_its_owners(
        steps in prop::collection::vec((0_u32..3, 0_u8..4, any::<[u8; OUTPUT_BYTES]>()), 1..60),
    ) {
        let mut plant = Plant::new();
        let mut owners = [[0_u8; OUTPUT_BYTES]; 3];
        let mut writers: [Option<LaneWriter>; 3] = [None, None, None];
        let mut expected = [0; OUTPUT_BYTES];
        for (lane, what, data) in steps {
            let index = lane as usize;
            match what {
                0 => {
                    let mut claims = bytes(0..0);
                    claims.mask = data.into();
                    let conflict = (0..3).any(|other| other != index
                        && owners[other].iter().zip(data).any(|(a, b)| a & b != 0));
                    let claimed = plant.registry.claim(lane, owner(lane), &claims);
                    prop_assert_eq!(claimed.is_err(), conflict);
                    if !conflict {
                        owners[index] = data;
                        if writers[index].is_none() {
                            writers[index] = plant.memory.lane_writer(lane).ok();
                        }
                    }
                }
                1 => {
                    plant.registry.release(lane, owner(lane)).unwrap();
                    owners[index] = [0; OUTPUT_BYTES];
                    writers[index] = None;
                }
                _ => {
                    let Some(writer) = &mut writers[index] else { continue };
                    writer.commit(&data);
                    for (byte, (mask, value)) in expected.iter_mut().zip(owners[index].iter().zip(data)) {
                        *byte = *byte & !mask | value & mask;
                    }
                }
            }
            // Three cycles settle everything; changes within one cycle have tests of their own.
            for _ in 0..3 {
                prop_assert_eq!(plant.run(), expected);
            }
        }
    }
}
