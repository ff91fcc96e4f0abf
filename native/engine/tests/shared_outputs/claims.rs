//! Who may write which bit, and what the image becomes.

use ecat_engine::error::ErrorCode;
use ecat_engine::shared::layout::LaneState;
use ecat_engine::shared::{Claims, LaneWriter, Settled};
use proptest::prelude::*;

use crate::plant::{OUTPUT_BYTES, Plant, bytes, owner, within};

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
    let mut claims = Claims { name: "late".to_owned(), ..bytes(12..14) };
    claims.mask[9] = 0b0001_0000;
    let error = plant.registry.claim(2, owner(2), &claims).unwrap_err();
    assert_eq!(error.first.code, ErrorCode::OutputClaimed);
    for part in ["bit 76 (byte 9, bit 4)", "lane 2 \"late\"", "lane 0 \"owner 0\""] {
        assert!(error.first.message.contains(part), "{error}");
    }
    assert_eq!(error.first.position, Some(0), "the area that has the bit");
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
    let busy = plant.registry.claim(0, 2, &bytes(0..1)).unwrap_err();
    assert_eq!(busy.first.code, ErrorCode::LaneBusy, "{busy}");
    assert!(plant.memory.lane_writer(3).is_err());
    assert!(plant.memory.receipt_reader(3).is_err());
}

#[test]
fn who_asks_for_any_lane_gets_the_first_one_that_is_free() {
    let mut plant = Plant::new();
    let named = |name: &str, at: usize| Claims { name: name.to_owned(), ..bytes(at..at + 1) };
    assert_eq!(plant.registry.claim_any(1, &named("a", 0)).unwrap().0, 0);
    assert_eq!(plant.registry.claim_any(1, &named("b", 1)).unwrap().0, 1);
    plant.registry.claim(2, 2, &named("c", 2)).unwrap();
    let none = plant.registry.claim_any(3, &named("d", 3)).unwrap_err();
    assert_eq!(none.first.code, ErrorCode::LaneBusy);
    for part in ["\"d\"", "lane 0 \"a\"", "lane 1 \"b\"", "lane 2 \"c\""] {
        assert!(none.first.message.contains(part), "{none}");
    }
    let names = |plant: &Plant| -> Vec<_> {
        plant.registry.lanes().into_iter().map(|lane| (lane.name, lane.state)).collect()
    };
    plant.run();
    let claimed = |name: &str| (Some(name.to_owned()), LaneState::Claimed);
    assert_eq!(names(&plant), [claimed("a"), claimed("b"), claimed("c")]);
    plant.registry.release(1, 1).unwrap();
    assert!(
        plant.registry.claim_any(3, &named("d", 3)).is_err(),
        "the cycle thread has not freed it"
    );
    plant.run_many(2);
    assert_eq!(names(&plant)[1], (None, LaneState::Free));
    assert_eq!(plant.registry.claim_any(3, &named("d", 3)).unwrap().0, 1);
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
