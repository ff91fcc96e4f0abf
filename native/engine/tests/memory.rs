//! What a MainDevice with 100 SubDevices and 10,000 tags holds while it cycles: what the allocator counts, the
//! shared memory and the stack that was touched. A file with a single test, hence a process of its own;
//! `npm run bench -- --only memory` shows what it prints.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use common::{PATIENCE, described, virtual_time};
use ecat_engine::cycle::thread::CYCLE_STACK_BYTES;
use ecat_engine::engine::{Bell, Engine, LinkOpener, MemorySizes, StartOptions};
use ecat_engine::shared::layout::EngineState;
use ecat_engine::shared::{SharedMemory, required_bytes};
use ecat_simulator::{Segment, SegmentLink};
use ecat_wire::{Link, LinkError};

const DEVICES: usize = 100;
/// Bits of each device in either direction, a tag each: 10,000 altogether.
const CHANNELS: usize = 50;
/// What the whole may be.
const BYTES_MAX: u64 = 512_000;
/// Stack of the frames above the cycle's and of the thread's own variables.
const STACK_TOP_BYTES: u64 = 32 * 1024;
/// Records of the change log that `src/core/change-log.ts` asks for with 10,000 tags.
const LOG_RECORDS: u32 = 8192;

static LIVE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    /// Whether what this thread allocates is not the engine's: the segment's, or the test's.
    static FOREIGN: Cell<bool> = const { Cell::new(false) };
}

/// Counts the bytes of the engine that are allocated and not freed.
struct Counting;

impl Counting {
    fn note(bytes: i64) {
        if !FOREIGN.get() {
            LIVE.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

// SAFETY: every call is handed on to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size() as i64);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::note(-(layout.size() as i64));
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        Self::note(bytes as i64 - layout.size() as i64);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(pointer, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn foreign<T>(body: impl FnOnce() -> T) -> T {
    let before = FOREIGN.replace(true);
    let value = body();
    FOREIGN.set(before);
    value
}

/// A segment of this process that does not count.
struct Uncounted(Option<SegmentLink>);

impl Link for Uncounted {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        foreign(|| self.0.as_mut().unwrap().send(frame, now_ns))
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        foreign(|| self.0.as_mut().unwrap().receive(buffer, now_ns))
    }

    fn is_up(&self) -> bool {
        self.0.as_ref().unwrap().is_up()
    }
}

impl Drop for Uncounted {
    fn drop(&mut self) {
        foreign(|| self.0.take());
    }
}

struct ChannelBell(Sender<()>);

impl Bell for ChannelBell {
    fn ring(&self) {
        let _heard = self.0.send(());
    }
}

fn until<T>(rings: &Receiver<()>, mut found: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = found() {
            return found;
        }
        rings.recv_timeout(PATIENCE).expect("the bell rings when there is something to take");
    }
}

/// Pages of the mapping with `address` in it that are there, in bytes.
fn resident_bytes(address: usize) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut is_it = false;
    for line in maps.lines() {
        let range = line.split_whitespace().next().and_then(|range| range.split_once('-'));
        let range = range.and_then(|(from, to)| {
            let number = |text| usize::from_str_radix(text, 16).ok();
            Some(number(from)?..number(to)?)
        });
        match range {
            Some(range) => is_it = range.contains(&address),
            None if is_it && line.starts_with("Rss:") => {
                let kib = line.split_whitespace().nth(1).unwrap();
                return kib.parse::<u64>().unwrap() * 1024;
            }
            None => {}
        }
    }
    panic!("no mapping holds {address:#x}")
}

#[test]
fn a_hundred_sub_devices_with_ten_thousand_tags_take_less_than_512_kb() {
    FOREIGN.set(true);
    let entries: Vec<_> =
        (1..=CHANNELS).map(|n| format!(r#"{{"index":24576,"subindex":{n},"bits":1}}"#)).collect();
    let device = format!(
        r#"{{"type":"generic","pdos":[
            {{"direction":"output","index":5632,"entries":[{0}]}},
            {{"direction":"input","index":6656,"entries":[{0}]}}]}}"#,
        entries.join(",")
    );
    let devices = vec![device; DEVICES].join(",");
    let segment = described(&format!(r#"{{"devices":[{devices}]}}"#));
    let (link, _control) = SegmentLink::new(Segment::new(&segment).unwrap());
    let stack = Arc::new(AtomicUsize::new(0));
    let noted = Arc::clone(&stack);
    let opener: LinkOpener = Box::new(move || {
        let here = 0_u8;
        noted.store(std::ptr::from_ref(&here).addr(), Ordering::Relaxed);
        Ok(Box::new(Uncounted(Some(link))) as Box<dyn Link>)
    });
    let (ring, rings) = channel();
    let bell: Arc<dyn Bell> = Arc::new(ChannelBell(ring));

    FOREIGN.set(false);
    let live = || LIVE.load(Ordering::Relaxed);
    let before = live();
    let engine = Engine::open(virtual_time(), opener, bell).unwrap();
    let found = until(&rings, || engine.take_bring_up()).unwrap();
    let with_bring_up = live() - before;
    drop(found);
    let sizes = MemorySizes { log_records: LOG_RECORDS, ..MemorySizes::default() };
    let dimensions = engine.dimensions(sizes).unwrap();
    assert!(
        dimensions.input_bytes as usize >= DEVICES * CHANNELS / 8
            && dimensions.output_bytes == dimensions.input_bytes
    );
    let shared = required_bytes(&dimensions);
    let memory = foreign(|| {
        let words: Vec<AtomicU64> = (0..shared / 8).map(|_| AtomicU64::new(0)).collect();
        SharedMemory::from_static(Vec::leak(words))
    });
    engine.start(memory.clone(), dimensions, &StartOptions::default()).unwrap();
    let control = memory.attach().unwrap().control();
    until(&rings, || {
        let state = control.engine_state.load(Ordering::Acquire);
        (state == EngineState::Op as u32).then_some(())
    });
    engine.grant(1_000);
    while control.latest_cycle.load(Ordering::Acquire) < 1_000 {
        std::thread::yield_now();
    }
    let allocated = u64::try_from(live() - before).unwrap();
    let touched = resident_bytes(stack.load(Ordering::Relaxed));
    let all = allocated + shared as u64 + touched;
    println!(
        r#"{{"allocated":{allocated},"withBringUp":{with_bring_up},"shared":{shared},"stack":{touched}}}"#
    );
    assert!(engine.close_now(PATIENCE));
    // No cycle went deeper than what is touched before the first.
    assert!(touched <= CYCLE_STACK_BYTES as u64 + STACK_TOP_BYTES, "{touched} bytes of stack");
    assert!(all <= BYTES_MAX, "{all} bytes");
}
