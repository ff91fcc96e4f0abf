//! Fills a shared memory with a number of its own in every field that Rust writes, through the structs and writers
//! that the engine uses, and prints the bytes beside what was written where: for `test/memory/sentinels.test.ts`,
//! which looks for them by the generated layout.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use ecat_engine::shared::{Dimensions, SharedMemory, required_bytes};

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
        first_cycle: 0,
    };
    let words: Vec<AtomicU64> =
        (0..required_bytes(&dimensions).div_ceil(8)).map(|_| AtomicU64::new(0)).collect();
    let words: &'static [AtomicU64] = Vec::leak(words);
    let memory = SharedMemory::from_static(words).initialise(&dimensions)?;
    let mut written = Written::new();

    // The slot of cycle 0, by the writer that the cycle thread has.
    let mut ring = memory.ring_writer();
    let mut slot = ring.begin(0);
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
    let cursor = memory.log_cursor(1)?;
    fill!(written, "LOG_CURSOR", cursor, narrow: starting_head, head);

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
