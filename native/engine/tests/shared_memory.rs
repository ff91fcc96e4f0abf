//! The shared memory on the real processor: handshake, input ring, change log, statistics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ecat_engine::error::ErrorCode;
use ecat_engine::shared::layout::{
    EngineState, HISTOGRAM_BUCKETS, LINE_BYTES, RECORD_BYTES, SLOT_FLAG_DC_TIME,
};
use ecat_engine::shared::statistics::{add, bucket_of};
use ecat_engine::shared::{
    Attached, Copied, Dimensions, Drained, Geometry, RingWriter, SharedMemory, default_slot_count,
    required_bytes,
};
use proptest::prelude::*;

/// The numbers wrap in every test that runs more than 100 cycles.
const FIRST: u32 = u32::MAX - 99;

const SMALL: Dimensions = Dimensions {
    input_bytes: 13,
    output_bytes: 21,
    sub_device_count: 3,
    datagram_count: 5,
    slot_count: 8,
    log_records: 64,
    partition_count: 3,
    lane_count: 2,
    cycle_period_ns: 1_000_000,
    first_cycle: FIRST,
};

fn region(bytes: usize) -> SharedMemory {
    let words = (0..bytes / 8).map(|_| AtomicU64::new(0)).collect();
    SharedMemory::from_static(Vec::leak(words))
}

fn memory(dimensions: &Dimensions) -> Attached {
    region(required_bytes(dimensions)).initialise(dimensions).unwrap()
}

/// The bytes of every section follow from the cycle's number.
fn publish(writer: &mut RingWriter, cycle: u32) {
    let byte = cycle as u8;
    let mut slot = writer.begin(cycle);
    slot.set_times(u64::from(cycle) << 20, u64::from(cycle) << 10);
    slot.set_flags(SLOT_FLAG_DC_TIME);
    slot.quality(&[byte; 3]);
    slot.working_counters(&[cycle as u16; 5]);
    slot.inputs(&[byte; 13]);
    slot.outputs(&[byte; 21]);
    let _ = slot.publish();
}

fn assert_whole(memory: &Attached, slot: &[u8], cycle: u32) {
    let g = memory.geometry();
    let u32_at = |at: usize| u32::from_le_bytes(slot[at..at + 4].try_into().unwrap());
    let u64_at = |at: usize| u64::from_le_bytes(slot[at..at + 8].try_into().unwrap());
    assert_eq!(u32_at(4), cycle);
    assert_eq!(u64_at(8), u64::from(cycle) << 20);
    assert_eq!(u64_at(16), u64::from(cycle) << 10);
    assert_eq!([u32_at(24), u32_at(28)], [SLOT_FLAG_DC_TIME, EngineState::Op as u32]);
    let filled = |from: usize, bytes: usize| {
        slot[from..from + bytes].iter().all(|&byte| byte == cycle as u8)
    };
    assert!(filled(g.slot_quality_offset, 3));
    for datagram in 0..5 {
        let at = g.slot_working_counters_offset + 2 * datagram;
        assert_eq!(u16::from_le_bytes(slot[at..at + 2].try_into().unwrap()), cycle as u16);
    }
    assert!(filled(g.slot_inputs_offset, 13));
    assert!(filled(g.slot_outputs_offset, 21));
}

fn op_writer(memory: &Attached) -> RingWriter {
    let mut writer = memory.ring_writer();
    writer.set_engine_state(EngineState::Op);
    writer
}

#[test]
fn a_region_that_was_not_laid_out_by_this_build_is_refused() {
    let shared = region(required_bytes(&SMALL));
    assert_eq!(shared.attach().unwrap_err().first.code, ErrorCode::LayoutMismatch);
    shared.initialise(&SMALL).unwrap();
    assert_eq!(shared.attach().unwrap().dimensions(), &SMALL);
    assert_eq!(region(0).attach().unwrap_err().first.code, ErrorCode::LayoutMismatch);
}

#[test]
fn a_region_that_is_too_small_is_refused() {
    let shared = region(required_bytes(&SMALL) - 8);
    assert_eq!(shared.initialise(&SMALL).unwrap_err().first.code, ErrorCode::LayoutInvalid);
}

#[test]
fn sizes_that_cannot_work_are_named() {
    for (wrong, name) in [
        (Dimensions { slot_count: 12, ..SMALL }, "slot_count"),
        (Dimensions { slot_count: 1, ..SMALL }, "slot_count"),
        (Dimensions { log_records: 100, ..SMALL }, "log_records"),
        (Dimensions { partition_count: 0, ..SMALL }, "partition_count"),
        (Dimensions { partition_count: 9, ..SMALL }, "partition_count"),
        (Dimensions { lane_count: 0, ..SMALL }, "lane_count"),
        (Dimensions { input_bytes: u32::MAX, ..SMALL }, "input_bytes"),
    ] {
        let error = Geometry::new(&wrong).unwrap_err();
        assert_eq!(error.first.code, ErrorCode::LayoutInvalid);
        assert!(error.first.message.contains(name), "{error}");
        assert_eq!(required_bytes(&wrong), 0);
    }
    let huge = Dimensions { input_bytes: 1 << 24, slot_count: 1 << 20, ..SMALL };
    assert_eq!(Geometry::new(&huge).unwrap_err().first.code, ErrorCode::LayoutInvalid);
}

#[test]
fn the_default_history_covers_a_garbage_collection() {
    assert_eq!(default_slot_count(250_000), 128);
    assert_eq!(default_slot_count(1_000_000), 32);
    assert_eq!(default_slot_count(100_000_000), 8);
}

proptest! {
    #[test]
    fn sections_never_share_a_line_nor_overlap(
        input_bytes in 0_u32..2000,
        output_bytes in 0_u32..2000,
        sub_device_count in 0_u32..600,
        datagram_count in 0_u32..40,
        slots in 1_u32..9,
        lane_count in 1_u32..9,
    ) {
        let dimensions = Dimensions {
            input_bytes, output_bytes, sub_device_count, datagram_count,
            slot_count: 1 << slots, lane_count, ..SMALL
        };
        let g = Geometry::new(&dimensions).unwrap();
        let lanes = lane_count as usize;
        let ends = [
            (g.lanes_offset, lanes * 2 * LINE_BYTES),
            (g.lane_buffers_offset, lanes * 3 * g.lane_buffer_stride_bytes),
            (g.receipts_offset, lanes * (LINE_BYTES + 64 * RECORD_BYTES)),
            (g.ring_offset, g.slot_stride_bytes << slots),
            (g.log_offset, 64 * RECORD_BYTES),
            (g.total_bytes, 0),
        ];
        for pair in ends.windows(2) {
            prop_assert!(pair[0].0.is_multiple_of(LINE_BYTES));
            prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0);
        }
        prop_assert!(g.slot_bytes <= g.slot_stride_bytes);
        prop_assert!(g.slot_outputs_offset + output_bytes as usize <= g.slot_bytes);
        let attached = memory(&dimensions);
        prop_assert_eq!(attached.geometry(), &g);
    }

    #[test]
    fn a_bucket_is_at_most_a_sixteenth_wide(a in 0_u64..16_000_000_000, b in 0_u64..16_000_000_000) {
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(bucket_of(low) <= bucket_of(high));
        prop_assert!(bucket_of(high) < HISTOGRAM_BUCKETS);
        if bucket_of(low) == bucket_of(high) {
            prop_assert!(high - low <= low / 16);
        }
    }
}

#[test]
fn a_reader_follows_every_cycle_across_the_wrap() {
    let memory = memory(&SMALL);
    let mut writer = op_writer(&memory);
    let reader = memory.ring_reader();
    let mut slot = vec![0; reader.slot_bytes()];
    let mut after = None;
    for step in 0..300 {
        let cycle = FIRST.wrapping_add(step);
        assert_eq!(reader.wait_copy(after, 0, &mut slot), Copied::Timeout);
        publish(&mut writer, cycle);
        assert_eq!(reader.wait_copy(after, 0, &mut slot), Copied::Fresh { cycle });
        assert_whole(&memory, &slot, cycle);
        after = Some(cycle);
    }
}

#[test]
fn readers_of_different_speeds_each_get_what_they_missed_named() {
    let memory = memory(&SMALL);
    let mut writer = op_writer(&memory);
    let (fast, slow) = (memory.ring_reader(), memory.ring_reader());
    let mut slot = vec![0; fast.slot_bytes()];
    let mut seen = FIRST.wrapping_sub(1);
    for step in 0..250 {
        let cycle = FIRST.wrapping_add(step);
        publish(&mut writer, cycle);
        assert_eq!(
            fast.wait_copy(Some(cycle.wrapping_sub(1)), 0, &mut slot),
            Copied::Fresh { cycle }
        );
        // Every eleventh cycle, of a ring of eight.
        if step % 11 == 10 {
            assert_eq!(slow.wait_copy(Some(seen), 0, &mut slot), Copied::Overtaken { by: 3 });
            assert_eq!(slow.copy_newest(&mut slot), Copied::Fresh { cycle });
            assert_whole(&memory, &slot, cycle);
            seen = cycle;
        }
    }
}

#[test]
fn a_reader_within_the_ring_gets_every_cycle_in_order() {
    let memory = memory(&SMALL);
    let mut writer = op_writer(&memory);
    let reader = memory.ring_reader();
    let mut slot = vec![0; reader.slot_bytes()];
    (0..8).for_each(|step| publish(&mut writer, FIRST.wrapping_add(step)));
    let mut after = Some(FIRST.wrapping_sub(1));
    for step in 0..8 {
        let cycle = FIRST.wrapping_add(step);
        assert_eq!(reader.wait_copy(after, 0, &mut slot), Copied::Fresh { cycle });
        after = Some(cycle);
    }
}

#[test]
fn a_missed_period_is_named_and_stepped_over() {
    let memory = memory(&SMALL);
    let mut writer = op_writer(&memory);
    let reader = memory.ring_reader();
    let mut slot = vec![0; reader.slot_bytes()];
    publish(&mut writer, FIRST);
    publish(&mut writer, FIRST + 3);
    assert_eq!(reader.copy_cycle(FIRST + 1, &mut slot), Copied::Missed);
    assert_eq!(reader.copy_cycle(FIRST + 4, &mut slot), Copied::Empty);
    assert_eq!(reader.copy_cycle(FIRST.wrapping_sub(1), &mut slot), Copied::Missed);
    assert_eq!(reader.wait_copy(Some(FIRST), 0, &mut slot), Copied::Fresh { cycle: FIRST + 3 });
}

#[test]
fn before_the_first_cycle_there_is_nothing() {
    let memory = memory(&SMALL);
    let reader = memory.ring_reader();
    let mut slot = vec![0; reader.slot_bytes()];
    assert_eq!(reader.latest(), FIRST - 1);
    assert_eq!(reader.copy_newest(&mut slot), Copied::Empty);
    assert_eq!(reader.copy_cycle(FIRST, &mut slot), Copied::Empty);
    assert_eq!(reader.wait_copy(None, 1_000, &mut slot), Copied::Timeout);
}

#[test]
fn a_sleeping_reader_wakes_with_the_cycle_and_with_the_end() {
    let memory = memory(&SMALL);
    let mut writer = op_writer(&memory);
    let reader = memory.ring_reader();
    let bytes = reader.slot_bytes();
    let sleeper = thread::spawn(move || {
        let mut slot = vec![0; bytes];
        let first = reader.wait_copy(None, 60_000_000_000, &mut slot);
        let Copied::Fresh { cycle } = first else { return [first; 2] };
        [first, reader.wait_copy(Some(cycle), 60_000_000_000, &mut slot)]
    });
    thread::sleep(Duration::from_millis(20));
    let begun = Instant::now();
    publish(&mut writer, FIRST);
    thread::sleep(Duration::from_millis(20));
    writer.set_engine_state(EngineState::Closed);
    assert_eq!(sleeper.join().unwrap(), [Copied::Fresh { cycle: FIRST }, Copied::Closed]);
    assert!(begun.elapsed() < Duration::from_secs(30), "slept through");
}

#[test]
fn slots_stay_whole_while_the_writer_laps_the_readers() {
    let memory = memory(&Dimensions { slot_count: 2, ..SMALL });
    let mut writer = op_writer(&memory);
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let memory = memory.clone();
            thread::spawn(move || {
                let reader = memory.ring_reader();
                let mut slot = vec![0; reader.slot_bytes()];
                let mut whole = 0;
                loop {
                    match reader.copy_newest(&mut slot) {
                        Copied::Fresh { cycle } => {
                            assert_whole(&memory, &slot, cycle);
                            whole += 1;
                        }
                        Copied::Empty | Copied::Overtaken { .. } => {}
                        other => panic!("{other:?}"),
                    }
                    let state = memory.control().engine_state.load(Ordering::Acquire);
                    if state == EngineState::Closed as u32 {
                        return whole;
                    }
                }
            })
        })
        .collect();
    (0..100_000).for_each(|step| publish(&mut writer, FIRST.wrapping_add(step)));
    writer.set_engine_state(EngineState::Closed);
    for reader in readers {
        assert!(reader.join().unwrap() > 0);
    }
}

#[test]
fn consumers_of_different_speeds_share_one_log() {
    let memory = memory(&SMALL);
    let mut writer = memory.log_writer(0).unwrap();
    let (fast, slow) = (memory.log_reader(0).unwrap(), memory.log_reader(0).unwrap());
    let (mut fast_tail, mut slow_tail) = (0, 0);
    let mut records = vec![0; fast.capacity() * RECORD_BYTES];
    for step in 0..100_u8 {
        writer.publish(&[step; 3 * RECORD_BYTES]).unwrap();
        assert_eq!(fast.drain(&mut fast_tail, &mut records), Drained::Records(3));
        assert_eq!(records[..3 * RECORD_BYTES], [step; 3 * RECORD_BYTES]);
        // 66 records behind, of 64; then 63.
        if step == 21 {
            assert_eq!(slow.drain(&mut slow_tail, &mut records), Drained::Lapped);
            assert_eq!(slow_tail, 66);
        }
        if step == 42 {
            assert_eq!(slow.drain(&mut slow_tail, &mut records), Drained::Records(63));
            assert_eq!(records[..RECORD_BYTES], [22; RECORD_BYTES]);
            assert_eq!(slow.drain(&mut slow_tail, &mut records), Drained::Empty);
        }
    }
}

#[test]
fn every_partition_has_a_log_of_its_own() {
    let memory = memory(&SMALL);
    let mut writers: Vec<_> = (0..3).map(|p| memory.log_writer(p).unwrap()).collect();
    // Partition 0 falls silent, 1 publishes a little, 2 laps whoever does not read.
    for step in 0..80_u8 {
        if step < 5 {
            writers[1].publish(&[step; RECORD_BYTES]).unwrap();
        }
        writers[2].publish(&[step; RECORD_BYTES]).unwrap();
    }
    let drain = |partition| {
        let reader = memory.log_reader(partition).unwrap();
        let (mut tail, mut records) = (0, vec![0; reader.capacity() * RECORD_BYTES]);
        (reader.drain(&mut tail, &mut records), records[RECORD_BYTES], tail)
    };
    assert_eq!(drain(0), (Drained::Empty, 0, 0));
    assert_eq!(drain(1), (Drained::Records(5), 1, 5));
    assert_eq!(drain(2), (Drained::Lapped, 0, 80));
    assert!(memory.log_writer(3).is_err() && memory.log_reader(3).is_err());
}

#[test]
fn a_lapped_consumer_resynchronises_from_the_newest_slot() {
    let memory = memory(&SMALL);
    let mut writer = op_writer(&memory);
    let mut log = memory.log_writer(0).unwrap();
    let (ring, consumer) = (memory.ring_reader(), memory.log_reader(0).unwrap());
    let mut slot = vec![0; ring.slot_bytes()];
    let mut records = vec![0; consumer.capacity() * RECORD_BYTES];
    let mut tail = 0;
    let entry = |cycle: u32| {
        let mut record = [0; RECORD_BYTES];
        record[4..8].copy_from_slice(&cycle.to_le_bytes());
        record
    };
    for step in 0..70 {
        let cycle = FIRST.wrapping_add(step);
        publish(&mut writer, cycle);
        log.publish(&entry(cycle)).unwrap();
    }
    assert_eq!(consumer.drain(&mut tail, &mut records), Drained::Lapped);
    let newest = FIRST.wrapping_add(69);
    assert_eq!(ring.copy_newest(&mut slot), Copied::Fresh { cycle: newest });
    // From here on nothing is missed: every record is newer than the slot.
    publish(&mut writer, newest.wrapping_add(1));
    log.publish(&entry(newest.wrapping_add(1))).unwrap();
    assert_eq!(consumer.drain(&mut tail, &mut records), Drained::Records(1));
    assert_eq!(records[4..8], newest.wrapping_add(1).to_le_bytes());
}

#[test]
fn a_log_goes_on_across_the_wrap_of_its_counts_and_behind_a_writer_that_died() {
    let memory = memory(&SMALL);
    let cursor = memory.log_cursor(0).unwrap();
    let start = u32::MAX - 99;
    cursor.head.store(start, Ordering::Relaxed);
    // A former writer announced a batch and died.
    cursor.starting_head.store(start.wrapping_add(40), Ordering::Relaxed);
    let mut writer = memory.log_writer(0).unwrap();
    let reader = memory.log_reader(0).unwrap();
    let mut tail = start;
    let mut records = vec![0; reader.capacity() * RECORD_BYTES];
    for step in 0..100_u8 {
        writer.publish(&[step; 7 * RECORD_BYTES]).unwrap();
        assert_eq!(reader.drain(&mut tail, &mut records), Drained::Records(7));
        assert!(records[..7 * RECORD_BYTES].iter().all(|&byte| byte == step));
    }
    assert_eq!(tail, start.wrapping_add(700));
}

#[test]
fn a_batch_that_does_not_fit_is_refused_and_nothing_is_written() {
    let memory = memory(&SMALL);
    let mut writer = memory.log_writer(0).unwrap();
    for bytes in [8, 65 * RECORD_BYTES] {
        let error = writer.publish(&vec![1; bytes]).unwrap_err();
        assert_eq!(error.first.code, ErrorCode::InvalidArgument);
    }
    assert_eq!(memory.log_reader(0).unwrap().head(), 0);
}

#[test]
fn a_histogram_knows_its_quantiles() {
    let memory = memory(&SMALL);
    let statistics = memory.statistics();
    let histogram = &statistics.lateness;
    assert_eq!(histogram.quantile_ns(0.5), 0);
    (1..=1000).for_each(|us| histogram.record(us * 1_000));
    histogram.record(60_000_000_000);
    let within = |value: u64, wanted: u64| value >= wanted && value <= wanted + wanted / 16;
    assert!(within(histogram.quantile_ns(0.5), 501_000));
    assert!(within(histogram.quantile_ns(0.99), 991_000));
    assert_eq!(histogram.quantile_ns(1.0), 60_000_000_000);
    assert_eq!(histogram.count.load(Ordering::Relaxed), 1001);
    add(&statistics.counters.frames_sent, 3);
    assert_eq!(statistics.counters.frames_sent.load(Ordering::Relaxed), 3);
}
