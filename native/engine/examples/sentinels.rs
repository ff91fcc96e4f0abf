//! Fills a shared memory with a number of its own in every field that Rust writes, through the structs and writers
//! that the engine uses, and prints the bytes beside what was written where: for `test/memory/sentinels.test.ts`,
//! which looks for them by the generated layout.

use std::fmt::Write;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, Ordering};

use ecat_engine::shared::layout::{
    LogBatch, LogEntry, RECORD_BYTES, Verdict, WAITERS_OFFSET, Waiters,
};
use ecat_engine::shared::receipts::Reach;
use ecat_engine::shared::{Attached, Claims, Dimensions, Seen, SharedMemory, required_bytes};

/// Number of the first cycle, none of whose bytes are equal.
const FIRST_CYCLE: u32 = 0xA4B4_C410;

/// What was written: section, field, element, value.
type Written = Vec<(&'static str, &'static str, usize, u64)>;

/// A number of 32 bits that no other field has.
fn narrow(written: &Written) -> u32 {
    0xA500_0000 + written.len() as u32
}

/// The same of 64 bits, its halves different.
fn wide(written: &Written) -> u64 {
    u64::from(narrow(written)) << 32 | (0x5B00_0000 + written.len() as u64)
}

macro_rules! fill {
    ($written:ident, $section:literal, $view:expr, $number:ident: $($field:ident),*) => { $(
        let value = $number(&$written);
        $view.$field.store(value, Ordering::Relaxed);
        $written.push(($section, stringify!($field), 0, value.into()));
    )* };
}

/// What is written byte by byte, at the places that the compiler gave the fields of a struct.
macro_rules! place {
    ($written:ident, $section:literal, $struct:ident in $bytes:expr, $number:ident: $($field:ident),*) => { $(
        let value = $number(&$written);
        let at = offset_of!($struct, $field);
        $bytes[at..at + size_of_val(&value)].copy_from_slice(&value.to_le_bytes());
        $written.push(($section, stringify!($field), 0, value.into()));
    )* };
}

/// One commit of lane 1, from its owner to its receipt, by the lane writer and the merger. Leaves the ring
/// behind its fourth cycle.
fn commit(memory: &Attached, written: &mut Written) -> Result<(), Box<dyn std::error::Error>> {
    let length = memory.dimensions().output_bytes as usize;
    let (line, cycle_line) = memory.lane_lines(1)?;
    let epoch = narrow(written);
    cycle_line.epoch.store(epoch, Ordering::Relaxed);
    line.committed_seq.store(!epoch, Ordering::Relaxed);
    let (registry, mut merger) = memory.outputs(std::slice::from_ref(&(0..length)));
    let mut ring = memory.ring_writer();
    let mut run = |nth: u32| {
        let cycle = FIRST_CYCLE + nth;
        let _sent = merger.merge(cycle, Seen::default());
        let published = ring.begin(cycle).publish();
        let reach = if nth == 3 { Reach::Arrived } else { Reach::Missing };
        merger.settle(published, true, |_| reach, |_| ());
    };
    run(0);
    let none = || vec![0; length].into();
    let claims = Claims {
        mask: vec![0xFF; length].into(),
        loss_mask: none(),
        loss_image: none(),
        ..Claims::default()
    };
    let generation = registry.claim(1, 1, &claims)?;
    run(1);
    let mut lane = memory.lane_writer(1)?;
    let seq = lane.commit(&vec![0x3C; length]);
    // One cycle carries it and loses it, so that another one decides.
    run(2);
    run(3);
    let head = [("seq", seq), ("epoch", epoch), ("generation", generation), ("reserved", 0)];
    let (carried, decided) = (FIRST_CYCLE + 2, FIRST_CYCLE + 3);
    let receipt = [
        ("seq", seq),
        ("first_cycle", carried),
        ("cycle", decided),
        ("verdict", Verdict::Ok as u32),
    ];
    for (section, fields) in [("LANE_BUFFER_HEADER", head), ("RECEIPT", receipt)] {
        written.extend(fields.map(|(field, value)| (section, field, 0, value.into())));
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dimensions = Dimensions {
        input_bytes: 21,
        output_bytes: 13,
        sub_device_count: 3,
        datagram_count: 2,
        slot_count: 2,
        log_records: 64,
        partition_count: 2,
        lane_count: 2,
        cycle_period_ns: 1_000_000,
        first_cycle: FIRST_CYCLE,
    };
    let words: Vec<AtomicU64> =
        (0..required_bytes(&dimensions).div_ceil(8)).map(|_| AtomicU64::new(0)).collect();
    let words: &'static [AtomicU64] = Vec::leak(words);
    let memory = SharedMemory::from_static(words).initialise(&dimensions)?;
    let mut written = Written::new();

    commit(&memory, &mut written)?;

    // A slot of the first place, by the writer that the cycle thread has.
    let mut ring = memory.ring_writer();
    let mut slot = ring.begin(FIRST_CYCLE + 4);
    let (host, dc) = (wide(&written), wide(&written) + 1);
    slot.set_times(host, dc);
    slot.set_flags(0xA5);
    slot.quality(&[11, 12, 13]);
    slot.working_counters(&[0x2122, 0x2324]);
    slot.inputs(&(31..52).collect::<Vec<u8>>());
    slot.outputs(&(61..74).collect::<Vec<u8>>());
    let _published = slot.publish();
    written.push(("SLOT_HEADER", "host_time_ns", 0, host));
    written.push(("SLOT_HEADER", "dc_time_ns", 0, dc));
    written.push(("SLOT_HEADER", "flags", 0, 0xA5));

    let control = memory.control();
    fill!(written, "CONTROL", control, narrow:
        engine_state, latest_cycle, signal, plan_generation, plan_cycle, awaits);
    let statistics = memory.statistics();
    let counters = &statistics.counters;
    fill!(written, "COUNTERS", counters, wide:
        cycles, periods_missed, frames_sent, frames_received, frames_lost, frames_late, frames_foreign,
        working_counter_errors, overruns, commits, commits_failed, lanes_lost, events_dropped, urgent_frames,
        system_calls);
    for (section, histogram) in [
        ("LATENESS", &statistics.lateness),
        ("ROUND_TRIP", &statistics.round_trip),
        ("PUBLISH", &statistics.publish),
    ] {
        for (field, word) in [
            ("count", &histogram.count),
            ("sum_ns", &histogram.sum_ns),
            ("max_ns", &histogram.max_ns),
        ] {
            let value = wide(&written);
            word.store(value, Ordering::Relaxed);
            written.push((section, field, 0, value));
        }
        for (element, bucket) in histogram.buckets.iter().enumerate() {
            let value = wide(&written);
            bucket.store(value, Ordering::Relaxed);
            written.push((section, "buckets", element, value));
        }
    }
    let interlocks = memory.interlocks();
    for (section, field, places) in [
        ("INTERLOCK_TABLE", "states", &interlocks.states),
        ("INTERLOCK_ACKNOWLEDGEMENTS", "latches", &interlocks.acknowledgements),
    ] {
        for (element, place) in places.iter().enumerate() {
            let value = wide(&written);
            place.store(value, Ordering::Relaxed);
            written.push((section, field, element, value));
        }
    }
    // The last lane and partition: their places follow from the distances in the header.
    let (writer, cycle) = memory.lane_lines(1)?;
    fill!(written, "LANE_WRITER_LINE", writer, narrow: state, heartbeat, committed_seq, generation);
    fill!(written, "LANE_CYCLE_LINE", cycle, narrow: lane_state, epoch, applied_seq, changed_cycle, front);
    // A batch with an entry, published as a decode worker publishes it, before the log's ends are overwritten.
    let mut staging = [0; size_of::<LogBatch>() + size_of::<LogEntry>()];
    assert_eq!(staging.len() % RECORD_BYTES, 0);
    let (batch, entry) = staging.split_at_mut(size_of::<LogBatch>());
    place!(written, "LOG_BATCH", LogBatch in batch, narrow: marker, cycle, count, missed);
    place!(written, "LOG_BATCH", LogBatch in batch, wide: host_time_ns, dc_time_ns);
    place!(written, "LOG_ENTRY", LogEntry in entry, narrow: tag, cycle);
    place!(written, "LOG_ENTRY", LogEntry in entry, wide: value);
    memory.log_writer(1)?.publish(&staging)?;
    let cursor = memory.log_cursor(1)?;
    fill!(written, "LOG_CURSOR", cursor, narrow: starting_head, head);

    // The last consumer of all.
    let (consumers, _) = memory.lockstep();
    let consumer = consumers.memory().lines.last().ok_or("no consumers")?;
    fill!(written, "CONSUMER_LINE", consumer, narrow: acknowledged, registered);
    // Readers count themselves while they sleep, and no longer: here by its place.
    let mut waiters = [0; 8];
    place!(written, "WAITERS", Waiters in waiters, narrow: readers);
    words[WAITERS_OFFSET / 8].store(u64::from_le_bytes(waiters), Ordering::Relaxed);

    let mut bytes = String::new();
    for word in words {
        for byte in word.load(Ordering::Relaxed).to_le_bytes() {
            write!(bytes, "{byte:02x}")?;
        }
    }
    let rows: Vec<_> = written
        .iter()
        .map(|(section, field, element, value)| {
            format!(r#"["{section}","{field}",{element},"{value}"]"#)
        })
        .collect();
    println!(r#"{{"bytes":"{bytes}","written":[{}]}}"#, rows.join(","));
    Ok(())
}
