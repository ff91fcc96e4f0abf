//! The input ring: whole slots, and sleepers that wake.

use std::sync::Arc;

use ecat_engine::shared::layout::{Control, EngineState, Waiters};
use ecat_engine::shared::ring::{Copied, RingMemory, RingReader, RingShape, RingWriter};

use crate::atomics::{Loom, explore, race, words};

/// Cycle numbers wrap within every test.
pub const FIRST: u32 = u32::MAX;

/// Two slots of a mark and two words, which [`publish`] fills with the cycle's number.
pub fn ring() -> RingMemory<Loom> {
    let shape = RingShape {
        slot_count: 2,
        stride_words: 3,
        slot_words: 3,
        quality_word: 3,
        quality_bytes: 0,
        working_counters_word: 3,
        datagram_count: 0,
        inputs_word: 3,
        input_bytes: 0,
        // The second word counts as outputs, too.
        outputs_word: 2,
        output_bytes: 8,
    };
    let ring = RingMemory {
        control: Arc::new(Control::zeroed()),
        waiters: Arc::new(Waiters::zeroed()),
        words: words(6),
        shape,
    };
    ring.initialise(FIRST);
    ring
}

pub fn publish(writer: &mut RingWriter<Loom>, cycle: u32) {
    let mut slot = writer.begin(cycle);
    slot.set_times(u64::from(cycle), u64::from(cycle));
    let _ = slot.publish();
}

fn assert_whole(slot: &[u8], cycle: u32) {
    let word = |n: usize| u64::from_le_bytes(slot[n * 8..n * 8 + 8].try_into().unwrap());
    assert_eq!(word(0) as u32 & 1, 0, "the copy says that it is being written");
    assert_eq!((word(0) >> 32) as u32, cycle);
    assert_eq!([word(1), word(2)], [u64::from(cycle); 2], "parts of two cycles");
}

#[test]
fn a_reader_never_sees_parts_of_two_cycles_and_being_overtaken_is_named() {
    explore(3, || {
        let ring = ring();
        let mut writer = RingWriter::new(ring.clone());
        let reader = RingReader::new(ring);
        let writing = move || (0..3).for_each(|n| publish(&mut writer, FIRST.wrapping_add(n)));
        race(writing, move || {
            let mut slot = [0; 24];
            match reader.copy_cycle(FIRST, &mut slot) {
                Copied::Fresh { cycle } => {
                    assert_eq!(cycle, FIRST);
                    assert_whole(&slot, cycle);
                }
                // Cycle FIRST + 2 takes its slot.
                Copied::Overtaken { by } => assert_eq!(by, 1),
                Copied::Empty => {}
                other => panic!("{other:?}"),
            }
        });
    });
}

#[test]
fn the_newest_slot_is_whole_and_never_older_than_one_seen_before() {
    explore(2, || {
        let ring = ring();
        let mut writer = RingWriter::new(ring.clone());
        let reader = RingReader::new(ring);
        let writing = move || (0..3).for_each(|n| publish(&mut writer, FIRST.wrapping_add(n)));
        race(writing, move || {
            let mut slot = [0; 24];
            let seen = reader.latest();
            match reader.copy_newest(&mut slot) {
                Copied::Fresh { cycle } => {
                    assert!(cycle.wrapping_sub(seen) < 4);
                    assert_whole(&slot, cycle);
                }
                Copied::Empty => assert_eq!(seen, FIRST.wrapping_sub(1)),
                Copied::Overtaken { by } => assert!(by > 0),
                other => panic!("{other:?}"),
            }
        });
    });
}

#[test]
fn a_sleeping_reader_is_always_woken() {
    explore(3, || {
        let ring = ring();
        let mut writer = RingWriter::new(ring.clone());
        let reader = RingReader::new(ring);
        race(
            move || publish(&mut writer, FIRST),
            move || {
                let mut slot = [0; 24];
                let before = Some(FIRST.wrapping_sub(1));
                let outcome = reader.wait_copy(before, 1, &mut slot);
                assert_eq!(outcome, Copied::Fresh { cycle: FIRST });
                assert_whole(&slot, FIRST);
            },
        );
    });
}

#[test]
fn a_reader_that_sleeps_while_the_engine_closes_is_told() {
    explore(3, || {
        let ring = ring();
        let mut writer = RingWriter::new(ring.clone());
        let reader = RingReader::new(ring);
        let writing = move || {
            publish(&mut writer, FIRST);
            writer.set_engine_state(EngineState::Closed);
        };
        race(writing, move || {
            let mut slot = [0; 24];
            match reader.wait_copy(None, 1, &mut slot) {
                // What was published before the end is still delivered.
                Copied::Fresh { cycle } => assert_whole(&slot, cycle),
                other => panic!("{other:?}"),
            }
            // The wake-up for the cycle may come late, and end this wait without a cause.
            while reader.wait_copy(Some(FIRST), 1, &mut slot) == Copied::Timeout {}
            assert_eq!(reader.wait_copy(Some(FIRST), 1, &mut slot), Copied::Closed);
        });
    });
}

#[test]
fn the_end_is_told_only_when_every_cycle_was_delivered() {
    explore(3, || {
        let ring = ring();
        let mut writer = RingWriter::new(ring.clone());
        let reader = RingReader::new(ring);
        let writing = move || {
            publish(&mut writer, FIRST);
            writer.set_engine_state(EngineState::Closed);
        };
        race(writing, move || {
            let mut slot = [0; 24];
            match reader.wait_copy(None, 0, &mut slot) {
                Copied::Fresh { cycle } => assert_whole(&slot, cycle),
                Copied::Timeout => {}
                other => panic!("{other:?}"),
            }
        });
    });
}
