//! What lies where in shared memory: the one truth that Rust runs on, that
//! `src/core/generated/layout.ts` and `docs/shared-memory.md` are printed from, and that the layout
//! hash covers.
//!
//! Sections of different writers stand 128 bytes apart, so that no processor's line is shared by two
//! writers (128 and not 64: processors fetch lines in pairs). The sizes that depend on the segment
//! are run-time data: [`Header`] says them, [`super::geometry`] computes them.

use super::describe::{Enumeration, Section, constants, enumeration, layout_hash, section};

section! {
    /// Sizes and offsets of everything. Written once by the native side; `magic`, `version` and
    /// `layout_hash` last.
    pub struct Header: 108 bytes {
        /// [`MAGIC`], stored last of all with Release: what follows is then complete.
        0 => magic: U32,
        /// [`VERSION`].
        4 => version: U32,
        /// [`LAYOUT_HASH`] of the build that wrote this.
        8 => layout_hash: U32,
        /// Bytes of the whole shared memory.
        12 => total_bytes: U32,
        /// Period of the cycle, in nanoseconds.
        16 => cycle_period_ns: U32,
        /// Number of the first cycle.
        20 => first_cycle: U32,
        /// Bytes of the input image.
        24 => input_bytes: U32,
        /// Bytes of the output image.
        28 => output_bytes: U32,
        /// Number of SubDevices, which is the number of quality bytes in a slot.
        32 => sub_device_count: U32,
        /// Number of process-data datagrams, which is the number of working counters in a slot.
        36 => datagram_count: U32,
        /// Byte offset of the first slot of the input ring.
        40 => ring_offset: U32,
        /// Number of slots, a power of two. Cycle k stands in slot k modulo this number.
        44 => slot_count: U32,
        /// Distance of two slots, in bytes.
        48 => slot_stride_bytes: U32,
        /// Bytes of a slot that are copied to a reader: a multiple of 8.
        52 => slot_bytes: U32,
        /// Byte offset of the quality bytes from the start of a slot, one a SubDevice.
        56 => slot_quality_offset: U32,
        /// Byte offset of the working counters from the start of a slot, 16 bits a datagram.
        60 => slot_working_counters_offset: U32,
        /// Byte offset of the input image from the start of a slot.
        64 => slot_inputs_offset: U32,
        /// Byte offset of the output image, as it was sent, from the start of a slot.
        68 => slot_outputs_offset: U32,
        /// Number of output lanes.
        72 => lane_count: U32,
        /// Byte offset of the lines of lane 0; those of lane n follow `LANE_STRIDE_BYTES` × n further.
        76 => lanes_offset: U32,
        /// Byte offset of the first buffer of lane 0. Each lane has three.
        80 => lane_buffers_offset: U32,
        /// Distance of two lane buffers, in bytes.
        84 => lane_buffer_stride_bytes: U32,
        /// Byte offset of the receipts of lane 0; those of lane n follow `RECEIPTS_STRIDE_BYTES` × n
        /// further: a cursor on a line of its own, then the records.
        88 => receipts_offset: U32,
        /// Byte offset of the change log of partition 0; those of partition n follow `log_stride_bytes` × n
        /// further: a cursor on a line of its own, then the records.
        92 => log_offset: U32,
        /// Number of records of each partition's change log, a power of two.
        96 => log_records: U32,
        /// Number of partitions.
        100 => partition_count: U32,
        /// Distance of two partitions' change logs, in bytes.
        104 => log_stride_bytes: U32,
    }
}

section! {
    /// State of the engine. Written by the cycle thread.
    pub struct Control: 24 bytes {
        /// An [`EngineState`].
        0 => engine_state: U32,
        /// Number of the newest published cycle; `first_cycle` − 1 before the first.
        4 => latest_cycle: U32,
        /// Changes with every published cycle and every change of `engine_state`; readers sleep on
        /// it (a futex, native only).
        8 => signal: U32,
        /// Generation of the claims that the cycle thread merges by.
        12 => plan_generation: U32,
        /// The cycle that carried that generation first.
        16 => plan_cycle: U32,
        /// Not 0 while the cycle thread waits for acknowledgements of consumers in lockstep.
        20 => awaits: U32,
    }
}

section! {
    /// Who sleeps. Written by readers.
    pub struct Waiters: 4 bytes {
        /// Number of threads that sleep on `signal`, or are about to.
        0 => readers: U32,
    }
}

section! {
    /// Ends of a broadcast log: a partition's change log, or a lane's receipts. Counts of records
    /// since the start, wrapping; record n stands at n modulo the capacity.
    pub struct LogCursor: 8 bytes {
        /// Where `head` will be once the batch being written is complete. Records older than this
        /// minus the capacity may be overwritten at any moment.
        0 => starting_head: U32,
        /// End of the complete records.
        4 => head: U32,
    }
}

section! {
    /// State of the interlocks, by their place. Written by the cycle thread before it publishes the cycle.
    pub struct InterlockTable: 1024 bytes {
        /// Low half an [`InterlockState`]; high half the number of its latch, which changes whenever it
        /// fires, fires again while it is latched, or refuses an acknowledgement.
        0 => states: U64[INTERLOCKS_MAX],
    }
}

section! {
    /// Acknowledgements of interlocks, by their place. Written by any thread of JavaScript.
    pub struct InterlockAcknowledgements: 1024 bytes {
        /// Number of the latch that was acknowledged last.
        0 => latches: U64[INTERLOCKS_MAX],
    }
}

section! {
    /// Counters since the start. Written by the cycle thread; each is exact, two of them need not be
    /// of the same cycle.
    pub struct Counters: 120 bytes {
        /// Cycles run.
        0 => cycles: U64,
        /// Periods in which no cycle ran, since the thread was late.
        8 => periods_missed: U64,
        /// Frames sent.
        16 => frames_sent: U64,
        /// Frames that came back in their cycle.
        24 => frames_received: U64,
        /// Frames that did not come back in their cycle.
        32 => frames_lost: U64,
        /// Frames of an earlier cycle that came back late, and were thrown away.
        40 => frames_late: U64,
        /// Frames received that were not ours, or damaged.
        48 => frames_foreign: U64,
        /// Datagrams that came back with a wrong working counter.
        56 => working_counter_errors: U64,
        /// Cycles that ended after the next one should have begun.
        64 => overruns: U64,
        /// Commits of all lanes that were merged into a frame.
        72 => commits: U64,
        /// Receipts with the verdict failed.
        80 => commits_failed: U64,
        /// Lanes that missed their deadline.
        88 => lanes_lost: U64,
        /// Events dropped since nobody took them.
        96 => events_dropped: U64,
        /// Frames with urgent commits, out of cycle.
        104 => urgent_frames: U64,
        /// System calls of the cycle thread up to its last cycle. Readings of the clock are none.
        112 => system_calls: U64,
    }
}

section! {
    /// A log-linear histogram of durations. Written by the cycle thread.
    ///
    /// A value v below 16 ns counts in bucket v; any other, with e the exponent of its highest bit,
    /// in bucket (e − 4) × 16 + (v >> (e − 4)).
    pub struct Histogram: 3992 bytes {
        /// Number of values.
        0 => count: U64,
        /// Their sum, in nanoseconds.
        8 => sum_ns: U64,
        /// The largest, in nanoseconds.
        16 => max_ns: U64,
        /// How many values each bucket counted.
        24 => buckets: U64[HISTOGRAM_BUCKETS],
    }
}

section! {
    /// A consumer in lockstep, on a line of its own. Written by the consumer's thread.
    pub struct ConsumerLine: 8 bytes {
        /// The cycle up to which it is done.
        0 => acknowledged: U32,
        /// Number of its registration; 0 while there is none.
        4 => registered: U32,
    }
}

section! {
    /// A lane's first line, written by the lane's owner (and `state` swapped by both sides).
    pub struct LaneWriterLine: 16 bytes {
        /// Index of the middle buffer in bits 0–1; bit 2, [`LANE_DIRTY`], where it holds a commit
        /// that the cycle thread has not taken.
        0 => state: U32,
        /// Changes as long as the owner is alive.
        4 => heartbeat: U32,
        /// Number of the owner's newest commit; wraps.
        8 => committed_seq: U32,
        /// Generation of the claims that the owner's commits are made under.
        12 => generation: U32,
    }
}

section! {
    /// A lane's second line, written by the cycle thread after it has published the cycle.
    pub struct LaneCycleLine: 20 bytes {
        /// A [`LaneState`].
        0 => lane_state: U32,
        /// Changes when the lane is lost or freed; a commit of another epoch is ignored.
        4 => epoch: U32,
        /// Number of the newest commit that went into a frame.
        8 => applied_seq: U32,
        /// Cycle of the last change of `lane_state`.
        12 => changed_cycle: U32,
        /// Index of the buffer that the cycle thread holds.
        16 => front: U32,
    }
}

section! {
    /// Head of a lane buffer; the whole output image follows.
    pub struct LaneBufferHeader: 16 bytes {
        /// Number of the commit.
        0 => seq: U32,
        /// Epoch that the owner had.
        4 => epoch: U32,
        /// Generation of the claims that the commit was made under.
        8 => generation: U32,
        /// Always 0.
        12 => reserved: U32,
    }
}

section! {
    /// One receipt: what became of a commit.
    pub struct Receipt: 16 bytes {
        /// Number of the commit. Commits below it that got no receipt of their own were superseded
        /// before any frame carried them.
        0 => seq: U32,
        /// First cycle whose frames carried it.
        4 => first_cycle: U32,
        /// The cycle that decided.
        8 => cycle: U32,
        /// A [`Verdict`].
        12 => verdict: U32,
    }
}

section! {
    /// Head of a slot of the input ring. The quality bytes, working counters, inputs and outputs
    /// follow at the offsets that the header says. A reader's copy has the same layout.
    pub struct SlotHeader: 32 bytes {
        /// Twice the number of publications up to this one, modulo 2³², plus 1 while the slot is
        /// being written (and before it was written first).
        0 => seq: U32,
        /// Number of the cycle.
        4 => cycle: U32,
        /// Host time at the start of the cycle, in nanoseconds since the epoch.
        8 => host_time_ns: U64,
        /// System time of the distributed clocks at the start of the cycle, in nanoseconds since
        /// 2000-01-01; 0 without distributed clocks.
        16 => dc_time_ns: U64,
        /// Bits `SLOT_FLAG_…`.
        24 => flags: U32,
        /// The [`EngineState`] in that cycle.
        28 => engine_state: U32,
    }
}

section! {
    /// Head of a batch of the change log: two records.
    pub struct LogBatch: 32 bytes {
        /// [`LOG_BATCH_MARKER`].
        0 => marker: U32,
        /// The cycle that the entries are of.
        4 => cycle: U32,
        /// Number of entries in bits 0–30; bit 31, [`LOG_BATCH_FULL`], where there are none and the
        /// whole slot is to be decoded instead.
        8 => count: U32,
        /// Cycles that were published and not looked at since the batch before.
        12 => missed: U32,
        /// `host_time_ns` of the slot.
        16 => host_time_ns: U64,
        /// `dc_time_ns` of the slot.
        24 => dc_time_ns: U64,
    }
}

section! {
    /// An entry of the change log: one record.
    pub struct LogEntry: 16 bytes {
        /// Index of the tag in bits 0–23, quality of its SubDevice in bits 24–31.
        0 => tag: U32,
        /// The cycle.
        4 => cycle: U32,
        /// A float64 for everything up to 32 bits and scaled tags, the bit pattern of an unscaled
        /// 64-bit tag, and nothing for wide tags, whose bytes come from the slot.
        8 => value: U64,
    }
}

enumeration! {
    /// State of the engine.
    pub enum EngineState {
        /// Before the first cycle.
        Starting = 0,
        /// Cycles run, the segment is in PRE-OP or on its way to SAFE-OP.
        PreOp = 1,
        /// The segment is in SAFE-OP or on its way to OP.
        SafeOp = 2,
        /// The segment is in OP.
        Op = 3,
        /// On the way down.
        Closing = 4,
        /// The cycle thread has ended as it should.
        Closed = 5,
        /// The cycle thread has ended since it could not go on.
        Faulted = 6,
    }
}

impl EngineState {
    /// Whether no cycle will follow.
    #[must_use]
    pub const fn ended(self) -> bool {
        matches!(self, Self::Closed | Self::Faulted)
    }
}

enumeration! {
    /// State of an output lane.
    pub enum LaneState {
        /// Nobody's.
        Free = 0,
        /// Claimed, and nothing committed yet: its bits keep the values last sent.
        Claimed = 1,
        /// Its commits are merged into the frames.
        Live = 2,
        /// It missed its deadline; its bits took their loss values, until it resumes.
        Lost = 3,
        /// Given up: its bits take their loss values in this cycle, then it is free.
        Releasing = 4,
    }
}

enumeration! {
    /// State of an interlock. It forces its outputs in every state but `Unused` and `Armed`.
    pub enum InterlockState {
        /// No interlock has this place.
        Unused = 0,
        /// Its input has not been good yet: forces, but does not latch.
        Waiting = 1,
        /// Its condition does not hold.
        Armed = 2,
        /// Its condition holds, or its input is not good.
        Fired = 3,
        /// It had fired, the condition holds no more, and it was not acknowledged yet.
        Latched = 4,
    }
}

enumeration! {
    /// What became of a commit.
    pub enum Verdict {
        /// Frames with it came back with the expected working counters.
        Ok = 1,
        /// They did not in time, the lane was lost or given up, or the segment is not in OP.
        Failed = 2,
        /// Frames with it came back with the expected working counters before its first cycle: it was urgent,
        /// or was there when something else was.
        Early = 3,
        /// Frames with it came back as they should, but some SubDevices of the lane are known to be away or not in
        /// OP, and did not take it: the quality bytes of the deciding cycle say which.
        Partial = 4,
    }
}

enumeration! {
    /// What came of an attempt to copy a slot.
    pub enum CopyOutcome {
        /// The slot was copied, whole.
        Fresh = 0,
        /// Nothing new within the timeout.
        Timeout = 1,
        /// Nothing new, and nothing will come: the engine is closed or faulted.
        Closed = 2,
        /// The slot asked for has been overwritten. Copy the newest, and resynchronise.
        Overtaken = 3,
        /// The cycle is still to come, or none has been published yet.
        Empty = 4,
        /// There never was a slot of that cycle: its period was missed.
        Missed = 5,
    }
}

/// `offset`, rounded up to the next line.
#[must_use]
pub const fn next_line(offset: usize) -> usize {
    offset.next_multiple_of(LINE_BYTES)
}

constants! {
    /// First word of an initialised shared memory: `BFR1` in memory order.
    pub const MAGIC: u32 = u32::from_le_bytes(*b"BFR1");
    /// Version of the protocols, for changes that no offset shows.
    pub const VERSION: u32 = 1;
    /// Distance of sections with different writers.
    pub const LINE_BYTES: usize = 128;

    /// Linear parts of a power of two: 16, so that a bucket is at most 6.25 % wide.
    pub const HISTOGRAM_PARTS: usize = 16;
    /// Buckets of a histogram; the last one also holds everything from 16.6 s up.
    pub const HISTOGRAM_BUCKETS: usize = 496;

    /// Bit 2 of a lane's `state`: the middle buffer holds a commit that was not taken yet.
    pub const LANE_DIRTY: u32 = 1 << 2;
    /// Bits 0–1 of a lane's `state`: index of the middle buffer.
    pub const LANE_INDEX_MASK: u32 = 3;
    /// Buffers of a lane: the owner's, the middle, the cycle thread's.
    pub const LANE_BUFFERS: usize = 3;
    /// Distance of two lanes' lines.
    pub const LANE_STRIDE_BYTES: usize = 2 * LINE_BYTES;
    /// Byte offset of [`LaneCycleLine`] from the start of a lane's lines.
    pub const LANE_CYCLE_LINE_OFFSET: usize = LINE_BYTES;

    /// Consumers in lockstep at most.
    pub const CONSUMERS_MAX: usize = 32;
    /// Interlocks at most.
    pub const INTERLOCKS_MAX: usize = 128;

    /// Receipts that a lane keeps, which is how many commits may be outstanding.
    pub const RECEIPT_RECORDS: usize = 64;
    /// Byte offset of the first receipt from the start of a lane's receipts.
    pub const RECEIPT_RECORDS_OFFSET: usize = LINE_BYTES;
    /// Distance of two lanes' receipts.
    pub const RECEIPTS_STRIDE_BYTES: usize = RECEIPT_RECORDS_OFFSET + RECEIPT_RECORDS * RECORD_BYTES;

    /// Partitions at most: change logs with a publisher each.
    pub const PARTITIONS_MAX: usize = 8;
    /// Byte offset of the first record from the start of a partition's change log.
    pub const LOG_RECORDS_OFFSET: usize = LINE_BYTES;
    /// Bytes of a record of the change log, and of a receipt.
    pub const RECORD_BYTES: usize = 16;
    /// First word of a batch of the change log; no entry begins so.
    pub const LOG_BATCH_MARKER: u32 = u32::MAX;
    /// Bit 31 of a batch's `count`: decode the whole slot.
    pub const LOG_BATCH_FULL: u32 = 1 << 31;
    /// Where the quality begins in an entry's first word.
    pub const LOG_ENTRY_QUALITY_SHIFT: u32 = 24;

    /// Slot flag: at least one frame of the cycle did not come back.
    pub const SLOT_FLAG_FRAMES_LOST: u32 = 1 << 0;
    /// Slot flag: at least one datagram came back with a wrong working counter.
    pub const SLOT_FLAG_WORKING_COUNTER: u32 = 1 << 1;
    /// Slot flag: `dc_time_ns` was read in this cycle.
    pub const SLOT_FLAG_DC_TIME: u32 = 1 << 2;
    /// Slot flag: periods before this one were missed.
    pub const SLOT_FLAG_PERIODS_MISSED: u32 = 1 << 3;

    /// Byte offset of [`Header`].
    pub const HEADER_OFFSET: usize = 0;
    /// Byte offset of [`Control`].
    pub const CONTROL_OFFSET: usize = next_line(HEADER_OFFSET + Header::SECTION.size);
    /// Byte offset of [`Waiters`].
    pub const WAITERS_OFFSET: usize = next_line(CONTROL_OFFSET + Control::SECTION.size);
    /// Byte offset of [`Counters`].
    pub const COUNTERS_OFFSET: usize = next_line(WAITERS_OFFSET + Waiters::SECTION.size);
    /// Byte offset of the [`Histogram`] of how late a cycle began.
    pub const LATENESS_OFFSET: usize = next_line(COUNTERS_OFFSET + Counters::SECTION.size);
    /// Byte offset of the [`Histogram`] of the time from the first frame sent to the last one back.
    pub const ROUND_TRIP_OFFSET: usize = next_line(LATENESS_OFFSET + Histogram::SECTION.size);
    /// Byte offset of the [`Histogram`] of the time that publishing a slot took.
    pub const PUBLISH_OFFSET: usize = next_line(ROUND_TRIP_OFFSET + Histogram::SECTION.size);
    /// Byte offset of [`InterlockTable`].
    pub const INTERLOCKS_OFFSET: usize = next_line(PUBLISH_OFFSET + Histogram::SECTION.size);
    /// Byte offset of [`InterlockAcknowledgements`].
    pub const INTERLOCK_ACKNOWLEDGEMENTS_OFFSET: usize =
        next_line(INTERLOCKS_OFFSET + InterlockTable::SECTION.size);
    /// Byte offset of the [`ConsumerLine`] of consumer 0; those of the others follow line by line.
    pub const CONSUMERS_OFFSET: usize =
        next_line(INTERLOCK_ACKNOWLEDGEMENTS_OFFSET + InterlockAcknowledgements::SECTION.size);
    /// Byte offset of the first section whose place depends on the segment.
    pub const DYNAMIC_OFFSET: usize = CONSUMERS_OFFSET + CONSUMERS_MAX * LINE_BYTES;
}

/// Every section, in the order of the memory.
pub const SECTIONS: &[Section] = &[
    Header::SECTION,
    Control::SECTION,
    Waiters::SECTION,
    LogCursor::SECTION,
    Counters::SECTION,
    Histogram::SECTION,
    InterlockTable::SECTION,
    InterlockAcknowledgements::SECTION,
    ConsumerLine::SECTION,
    LaneWriterLine::SECTION,
    LaneCycleLine::SECTION,
    LaneBufferHeader::SECTION,
    Receipt::SECTION,
    SlotHeader::SECTION,
    LogBatch::SECTION,
    LogEntry::SECTION,
];

/// Every set of numbers.
pub const ENUMERATIONS: &[Enumeration] = &[
    EngineState::ENUMERATION,
    LaneState::ENUMERATION,
    InterlockState::ENUMERATION,
    Verdict::ENUMERATION,
    CopyOutcome::ENUMERATION,
];

/// Hash of everything in this file that both sides must agree on.
pub const LAYOUT_HASH: u32 = layout_hash(SECTIONS, ENUMERATIONS, CONSTANTS);

// JavaScript reaches the halves of 64-bit words by 32-bit indices, low half first.
#[cfg(not(target_endian = "little"))]
compile_error!("the shared memory is laid out for little-endian processors");
