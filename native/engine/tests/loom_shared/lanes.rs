//! Output lanes: whole commits, the newest of them, and writers that die.

use std::sync::Arc;

use ecat_engine::shared::lane::{CommitStep, LaneMemory, LanePickup, LaneWriter};
use ecat_engine::shared::layout::{LaneCycleLine, LaneState, LaneWriterLine};
use ecat_engine::shared::ring::{RingReader, RingWriter};

use crate::atomics::{Loom, explore, race, words};
use crate::ring::{FIRST, publish, ring};

pub fn lane() -> LaneMemory<Loom> {
    let lane = LaneMemory {
        writer: Arc::new(LaneWriterLine::zeroed()),
        cycle: Arc::new(LaneCycleLine::zeroed()),
        buffers: words(3 * 4),
        output_bytes: 16,
    };
    lane.initialise(FIRST);
    lane
}

fn image(n: u32) -> [u8; 16] {
    let mut image = [0; 16];
    image[..8].copy_from_slice(&u64::from(n).to_le_bytes());
    image[8..].copy_from_slice(&u64::from(n).to_le_bytes());
    image
}

#[test]
fn who_resumes_with_the_new_epoch_finds_the_image_that_was_sent_with_the_loss() {
    explore(3, || {
        let ring = ring();
        let lane = LaneMemory { output_bytes: 8, ..lane() };
        let mut ring_writer = RingWriter::new(ring.clone());
        let mut writer = LaneWriter::new(lane.clone(), RingReader::new(ring));
        let pickup = LanePickup::new(lane);
        let losing = move || {
            publish(&mut ring_writer, FIRST);
            pickup.publish(LaneState::Lost, 1, 0, FIRST);
        };
        race(losing, move || {
            let mut shadow = [0xFF; 8];
            if writer.resume(&mut shadow) == Some(1) {
                assert_eq!(u64::from_le_bytes(shadow), u64::from(FIRST));
            }
        });
    });
}

#[test]
fn a_commit_arrives_whole_and_the_newest_is_never_lost() {
    explore(3, || {
        let lane = lane();
        let pickup = LanePickup::new(lane.clone());
        let mut writer = LaneWriter::new(lane, RingReader::new(ring()));
        let writing = move || (1..=3).for_each(|n| assert_eq!(writer.commit(&image(n)), n));
        let taking = move || {
            let mut taker = Taker { pickup, last: 0 };
            taker.take();
            taker.take();
            taker
        };
        let mut taker = race(writing, taking);
        taker.take();
        assert_eq!(taker.last, 3);
        assert!(taker.pickup.take().is_none(), "a commit was taken twice");
    });
}

/// The cycle thread's end of a lane, with what must hold of every commit taken.
struct Taker {
    pickup: LanePickup<Loom>,
    last: u32,
}

impl Taker {
    fn take(&mut self) {
        if let Some(commit) = self.pickup.take() {
            assert!(commit.seq > self.last, "an older commit after a newer one");
            self.last = commit.seq;
            self.look();
        }
    }

    fn look(&self) {
        let words = [self.pickup.word(0), self.pickup.word(1)];
        assert_eq!(words, [u64::from(self.last); 2], "parts of two commits");
    }
}

#[test]
fn a_writer_may_die_at_any_step_and_the_next_owner_goes_on() {
    for &step in CommitStep::ALL {
        explore(2, move || {
            let lane = lane();
            let mut taker = Taker { pickup: LanePickup::new(lane.clone()), last: 0 };
            let mut dying = LaneWriter::new(lane.clone(), RingReader::new(ring()));
            let writing = move || {
                dying.commit(&image(1));
                dying.commit_until(&image(2), |reached| reached == step);
            };
            let mut taker = race(writing, move || {
                taker.take();
                taker
            });
            taker.take();
            // What the cycle thread says when it frees the lane.
            taker.pickup.publish(LaneState::Free, 1, 0, FIRST);
            let writing = move || {
                let mut next = LaneWriter::new(lane, RingReader::new(ring()));
                // Numbers go on behind the last complete commit.
                for _ in 0..2 {
                    next.commit(&image(next.seq() + 1));
                }
            };
            let seen = taker.last;
            let mut taker = race(writing, move || {
                // The new owner leaves the buffer alone that the cycle thread still reads.
                taker.look();
                taker.take();
                taker
            });
            taker.take();
            assert_eq!(taker.last, seen + 2, "the newest commit was lost");
        });
    }
}
