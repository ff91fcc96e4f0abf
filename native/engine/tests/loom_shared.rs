//! The shared memory's protocols under loom: every interleaving (with at most a few preemptions) of
//! the code that ships, with every value that the memory model lets a load return.
//!
//! loom's atomics stand in for the processor's, in memory of a few words; nothing else is replaced.
//! Where loom cannot look, the argument is in `docs/shared-memory.md`.

use std::sync::Arc;

use ecat_engine::shared::atomics::{Atomics, Ordering, Pointer, Word};
use ecat_engine::shared::change_log::{Drained, LogMemory, LogReader, LogWriter};
use ecat_engine::shared::claims::{ClaimRegistry, Claims};
use ecat_engine::shared::lane::{CommitStep, LaneMemory, LanePickup, LaneWriter};
use ecat_engine::shared::layout::{
    Control, EngineState, LaneCycleLine, LaneState, LaneWriterLine, LogCursor, RECEIPT_RECORDS,
    Waiters,
};
use ecat_engine::shared::merge::OutputMerger;
use ecat_engine::shared::plan::{LanePlan, Plan, PlanExchange, PlanWord};
use ecat_engine::shared::receipts::{ReceiptReader, ReceiptWriter};
use ecat_engine::shared::ring::{Copied, RingMemory, RingReader, RingShape, RingWriter};
use loom::cell::UnsafeCell;
use loom::sync::atomic;
use loom::sync::{Condvar, Mutex};
use loom::thread;

/// Cycle numbers wrap within every test.
const FIRST: u32 = u32::MAX;

struct Loom;
struct U32(atomic::AtomicU32);
struct U64(atomic::AtomicU64);
struct Place<T>(atomic::AtomicPtr<T>);

macro_rules! loom_word {
    ($word:ident, $atomic:ty, $value:ty) => {
        impl Word<$value> for $word {
            fn new(value: $value) -> Self {
                Self(<$atomic>::new(value))
            }
            fn load(&self, order: Ordering) -> $value {
                self.0.load(order)
            }
            fn store(&self, value: $value, order: Ordering) {
                self.0.store(value, order);
            }
            fn swap(&self, value: $value, order: Ordering) -> $value {
                self.0.swap(value, order)
            }
            fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.0.fetch_add(value, order)
            }
            fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.0.fetch_sub(value, order)
            }
        }
    };
}
loom_word!(U32, atomic::AtomicU32, u32);
loom_word!(U64, atomic::AtomicU64, u64);

impl<T: Send + 'static> Pointer<T> for Place<T> {
    fn null() -> Self {
        Self(atomic::AtomicPtr::new(std::ptr::null_mut()))
    }
    fn swap(&self, pointer: *mut T, order: Ordering) -> *mut T {
        self.0.swap(pointer, order)
    }
}

loom::lazy_static! {
    /// The kernel's queue of sleepers. Without a timeout: a lost wake-up is a deadlock, which loom
    /// reports.
    static ref SLEEPERS: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
}

impl Atomics for Loom {
    type U32 = U32;
    type U64 = U64;
    type Pointer<T: Send + 'static> = Place<T>;
    type View<T: ?Sized + Send + Sync + 'static> = Arc<T>;

    fn fence(order: Ordering) {
        atomic::fence(order);
    }

    fn wait(word: &U32, expected: u32, _timeout_ns: u64) {
        let guard = SLEEPERS.0.lock().unwrap();
        if word.load(Ordering::SeqCst) == expected {
            drop(SLEEPERS.1.wait(guard).unwrap());
        }
    }

    fn wake_all(_word: &U32) {
        let _guard = SLEEPERS.0.lock().unwrap();
        SLEEPERS.1.notify_all();
    }
}

/// Explores with at most so many preemptions, which find almost every defect that more would.
fn explore(preemptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(test);
}

fn words(count: usize) -> Arc<[U64]> {
    (0..count).map(|_| Word::new(0)).collect()
}

/// Two slots of a mark and two words, which [`publish`] fills with the cycle's number.
fn ring() -> RingMemory<Loom> {
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

fn publish(writer: &mut RingWriter<Loom>, cycle: u32) {
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

fn lane() -> LaneMemory<Loom> {
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

fn log(records: usize) -> LogMemory<Loom> {
    LogMemory { cursor: Arc::new(LogCursor::zeroed()), words: words(2 * records) }
}

/// Runs both on threads of their own. (Not one of them on the spawning thread: loom takes that one's
/// first operation for ordered before the spawned thread.)
fn race<R: 'static>(one: impl FnOnce() + 'static, other: impl FnOnce() -> R + 'static) -> R {
    let one = thread::spawn(one);
    let other = thread::spawn(other);
    one.join().unwrap();
    other.join().unwrap()
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

#[test]
fn a_drain_gets_whole_records_in_order_or_is_told_that_it_was_lapped() {
    explore(2, || {
        let log = log(2);
        let mut writer = LogWriter::new(log.clone());
        let reader = LogReader::new(log);
        let writing = move || (1..=4).for_each(|n| writer.publish(&[n; 16]).unwrap());
        race(writing, move || {
            let mut tail = 0;
            for _ in 0..2 {
                let before = tail;
                let mut out = [0; 32];
                match reader.drain(&mut tail, &mut out) {
                    Drained::Records(count) => {
                        assert_eq!(tail, before + count as u32);
                        for (record, expected) in out.chunks(16).zip(before + 1..=tail) {
                            let whole = record.iter().all(|&byte| u32::from(byte) == expected);
                            assert!(whole, "parts of two laps");
                        }
                    }
                    Drained::Lapped => assert!(tail > before, "stands still"),
                    Drained::Empty => assert_eq!(tail, before),
                }
            }
        });
    });
}

#[test]
fn a_batch_is_seen_as_a_whole_or_not_at_all() {
    explore(3, || {
        let log = log(4);
        let mut writer = LogWriter::new(log.clone());
        let reader = LogReader::new(log);
        let writing = move || (1..=2).for_each(|n| writer.publish(&[n; 32]).unwrap());
        race(writing, move || {
            let mut tail = 0;
            let mut out = [0; 64];
            match reader.drain(&mut tail, &mut out) {
                Drained::Records(count) => assert!(count == 2 || count == 4),
                Drained::Empty => {}
                Drained::Lapped => panic!("nothing was overwritten"),
            }
        });
    });
}

#[test]
fn receipts_arrive_whole_and_in_order() {
    explore(3, || {
        let log = log(RECEIPT_RECORDS);
        let mut writer = ReceiptWriter::new(log.clone());
        let reader = ReceiptReader::new(log);
        writer.carry(1, 11);
        writer.carry(2, 12);
        let settling = move || assert_eq!(writer.settle(20, true), 0);
        race(settling, move || {
            let mut tail = 0;
            let mut expected = 1;
            for _ in 0..2 {
                let mut out = [[0; 4]; 4];
                if let Drained::Records(count) = reader.drain(&mut tail, &mut out) {
                    for receipt in &out[..count] {
                        assert_eq!(*receipt, [expected, 10 + expected, 20, 1]);
                        expected += 1;
                    }
                }
            }
        });
    });
}

#[test]
fn plans_arrive_newest_first_and_every_one_is_dropped_once() {
    explore(3, || {
        let words: Arc<[PlanWord]> = Arc::new([]);
        {
            let exchange = Arc::new(PlanExchange::<Loom>::default());
            // Stands for the content of each plan: loom reports a read that is not ordered behind
            // the write.
            let contents: Arc<[UnsafeCell<u32>]> = (0..3).map(UnsafeCell::new).collect();
            let (cycle, content) = (Arc::clone(&exchange), Arc::clone(&contents));
            let held = Arc::clone(&words);
            let offering = move || {
                for generation in 1..=3 {
                    let lane = LanePlan { words: Arc::clone(&held), ..LanePlan::default() };
                    contents[generation as usize - 1].with_mut(|_| ());
                    exchange.offer(Box::new(Plan::new(generation, vec![lane])));
                }
            };
            race(offering, move || {
                let mut held: Option<Box<Plan>> = None;
                for _ in 0..3 {
                    let Some(plan) = cycle.take() else { continue };
                    content[plan.generation as usize - 1].with(|_| ());
                    if let Some(before) = held.replace(plan) {
                        assert!(before.generation < held.as_ref().unwrap().generation);
                        cycle.retire(before);
                    }
                }
            });
        }
        assert_eq!(Arc::strong_count(&words), 1, "a plan leaked");
    });
}

#[test]
fn a_commit_made_under_new_claims_is_merged_by_them() {
    explore(3, || {
        let control: Arc<Control<Loom>> = Arc::new(Control::zeroed());
        let lane = LaneMemory { output_bytes: 8, ..lane() };
        let registry = ClaimRegistry::new(8, &[], vec![lane.clone()], Arc::clone(&control));
        let lanes = vec![(lane.clone(), log(RECEIPT_RECORDS))];
        let mut merger = OutputMerger::new(8, lanes, control, registry.plans());
        let mut writer = LaneWriter::new(lane, RingReader::new(ring()));
        let owner = move || {
            let claims = |first: u8| Claims {
                mask: Box::new([first, 0xFF, 0, 0, 0, 0, 0, 0]),
                loss_mask: Box::new([0; 8]),
                loss_image: Box::new([0; 8]),
                ..Claims::default()
            };
            registry.claim(0, 7, &claims(0)).unwrap();
            writer.commit(&[1; 8]);
            registry.claim(0, 7, &claims(0xFF)).unwrap();
            writer.commit(&[2; 8]);
        };
        let mut merger = race(owner, move || {
            for cycle in 0..2 {
                let image: [u8; 8] = merger.merge(cycle).try_into().unwrap();
                // The first byte was never claimed together with a 1.
                let possible = [[0, 0], [0, 1], [2, 2]];
                assert!(possible.contains(&[image[0], image[1]]), "{image:?}");
                assert_eq!(image[2..], [0; 6], "bits that nobody claimed");
            }
            merger
        });
        assert_eq!(merger.merge(2)[..2], [2, 2], "the newest commit was lost");
    });
}
