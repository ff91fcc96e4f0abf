//! What a cycle costs beside the processor's time: frames and system calls, counted.
//!
//! Frames are counted by the link, system calls by the thread itself, in the functions of
//! `native/engine/src/link/sys.rs` and the futexes, which are all that a cycle calls; `strace -ff` of this test shows the
//! same for the threads called `ecat-cycle`.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{Plant, described, virtual_time};
use ecat_engine::engine::{EngineOptions, LinkOpener, StartOptions};
use ecat_simulator::{Segment, SegmentLink};
use ecat_wire::{Link, LinkError};

const SEGMENT: &str = r#"{"devices":[
    {"type":"EK1100"},
    {"name":"in","type":"digital-inputs","channels":8},
    {"name":"out","type":"digital-outputs","channels":8}]}"#;

struct Counting {
    inner: SegmentLink,
    frames: Arc<AtomicU64>,
}

impl Link for Counting {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.inner.send(frame, now_ns)
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        self.inner.receive(buffer, now_ns)
    }

    fn is_up(&self) -> bool {
        self.inner.is_up()
    }
}

fn in_op(options: EngineOptions) -> (Plant, Arc<AtomicU64>) {
    let (inner, _) = SegmentLink::new(Segment::new(&described(SEGMENT)).unwrap());
    let frames = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&frames);
    let opener: LinkOpener =
        Box::new(move || Ok(Box::new(Counting { inner, frames: counted }) as Box<dyn Link>));
    let outputs =
        StartOptions { urgent_allowed: vec![false, false, true], ..StartOptions::default() };
    (Plant::in_op_on(opener, options, |_| outputs), frames)
}

/// In virtual time, cycles, frames on the link, and system calls, all of the moment after the newest cycle:
/// they are counted after it is published.
fn settled(plant: &mut Plant, frames: &AtomicU64) -> [u64; 3] {
    let cycles = u64::from(plant.latest()) + 1;
    plant.await_that(|plant| counts(plant, frames)[0] == cycles);
    counts(plant, frames)
}

/// Cycles, frames on the link, and system calls.
fn counts(plant: &Plant, frames: &AtomicU64) -> [u64; 3] {
    let counters = plant.memory.statistics().counters;
    [
        counters.cycles.load(Ordering::Relaxed),
        frames.load(Ordering::Relaxed),
        counters.system_calls.load(Ordering::Relaxed),
    ]
}

#[test]
fn a_cycle_is_one_frame_and_no_system_call_but_those_that_wait() {
    let (mut plant, frames) = in_op(virtual_time());
    plant.run(200);
    let [cycles, sent, calls] = settled(&mut plant, &frames);
    // Granted at once: nobody reads, nothing happens, nobody is waited for.
    let end = plant.latest().wrapping_add(10_000);
    plant.engine.grant(10_000);
    plant.await_that(|plant| plant.latest() == end);
    plant.close();
    let [cycles_after, sent_after, calls_after] = counts(&plant, &frames);
    let ran = cycles_after - cycles;
    assert!(ran >= 10_000);
    // The way down beside them: a few cycles, and frames for the states.
    assert!(sent_after - sent <= ran + 40, "{} frames in {ran} cycles", sent_after - sent);
    // The wait for the grant and its bell, and the news of the way down.
    assert!(calls_after - calls <= 60, "{} system calls in {ran} cycles", calls_after - calls);
}

#[test]
fn an_urgent_commit_is_one_frame_more() {
    let (mut plant, frames) = in_op(virtual_time());
    plant.claim_one_byte();
    let mut lane = plant.memory.lane_writer(0).unwrap();
    plant.run(200);
    let [cycles, sent, _] = settled(&mut plant, &frames);
    for n in 1..=50 {
        lane.commit(&[n]);
        plant.engine.request_urgent();
        let counters = plant.memory.statistics().counters;
        plant.await_that(|_| counters.urgent_frames.load(Ordering::Relaxed) == u64::from(n));
    }
    plant.run(10);
    let [cycles_after, sent_after, _] = settled(&mut plant, &frames);
    assert_eq!((cycles_after - cycles, sent_after - sent), (10, 60));
    plant.close();
}

#[test]
fn on_the_wall_clock_a_cycle_is_one_sleep() {
    let (mut plant, frames) = in_op(EngineOptions::default());
    let begun = plant.latest();
    plant.await_that(|plant| plant.latest().wrapping_sub(begun) > 50);
    let [cycles, sent, calls] = counts(&plant, &frames);
    plant.await_that(|plant| counts(plant, &frames)[0] >= cycles + 500);
    let [cycles_after, sent_after, calls_after] = counts(&plant, &frames);
    let (ran, calls) = (cycles_after - cycles, calls_after - calls);
    // Two counters may be of neighbouring cycles; a late cycle does not sleep at all; the periodic search of
    // the census and what a busy machine makes of it are a few more.
    assert!(calls <= ran + ran / 10 + 20, "{calls} system calls in {ran} cycles");
    assert!(sent_after - sent <= ran + ran / 10 + 20, "{} frames", sent_after - sent);
    println!("{calls} system calls and {} frames in {ran} cycles", sent_after - sent);
    plant.close();
}
