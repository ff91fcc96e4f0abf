//! The bytes themselves: the only place that turns a pointer into sections.
#![allow(unsafe_code)]

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::atomics::Native;
use super::change_log::{LogMemory, LogReader, LogWriter};
use super::claims::ClaimRegistry;
use super::consumers::{ConsumerMemory, ConsumerRegistry, Lockstep};
use super::geometry::{Dimensions, Geometry};
use super::interlocks::{InterlockMemory, InterlockRunner};
use super::lane::{LaneMemory, LaneWriter};
use super::layout::{
    CONSUMERS_MAX, CONSUMERS_OFFSET, CONTROL_OFFSET, COUNTERS_OFFSET, ConsumerLine, Control,
    Counters, HEADER_OFFSET, Header, Histogram, INTERLOCK_ACKNOWLEDGEMENTS_OFFSET, INTERLOCKS_MAX,
    INTERLOCKS_OFFSET, LANE_BUFFERS, LANE_CYCLE_LINE_OFFSET, LANE_STRIDE_BYTES, LATENESS_OFFSET,
    LAYOUT_HASH, LINE_BYTES, LOG_RECORDS_OFFSET, LaneCycleLine, LaneState, LaneWriterLine,
    LogCursor, MAGIC, PUBLISH_OFFSET, RECEIPT_RECORDS, RECEIPT_RECORDS_OFFSET,
    RECEIPTS_STRIDE_BYTES, ROUND_TRIP_OFFSET, VERSION, WAITERS_OFFSET, Waiters,
};

use super::merge::OutputMerger;
use super::receipts::ReceiptReader;
use super::ring::{RingMemory, RingReader, RingShape, RingWriter};
use super::statistics::Statistics;
use crate::error::{EngineError, ErrorCode};

/// A reference into shared memory that can be stored and sent to another thread.
///
/// Only [`SharedMemory`] makes one; who made that one promised that the bytes outlive it.
pub struct View<T: ?Sized>(NonNull<T>);

impl<T: ?Sized> Clone for View<T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<T: ?Sized> Deref for View<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: `SharedMemory::view` and `SharedMemory::views` made the pointer from a checked,
        // aligned range of bytes that the caller of `from_raw` keeps alive; `T` is made of atomics,
        // for which every content is valid and which JavaScript may change at any time.
        unsafe { self.0.as_ref() }
    }
}

// SAFETY: a `View<T>` is a `&T` without a lifetime, and `&T` is `Send` and `Sync` where `T` is `Sync`.
unsafe impl<T: ?Sized + Sync> Send for View<T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Sync> Sync for View<T> {}

/// What may lie in shared memory: atomics, and `#[repr(C)]` structs of atomics.
///
/// # Safety
/// Every bit pattern is a valid value, every mutation goes through atomics, and the alignment is at
/// most 8.
pub(super) unsafe trait Section: Send + Sync {}

// SAFETY: atomics.
unsafe impl Section for AtomicU32 {}
// SAFETY: atomics.
unsafe impl Section for AtomicU64 {}

macro_rules! sections {
    ($($section:ident),*) => { $(
        // SAFETY: a `#[repr(C)]` struct of atomics, see `section!`.
        unsafe impl Section for $section<Native> {}
    )* };
}
sections!(
    Header,
    Control,
    Waiters,
    LogCursor,
    Counters,
    Histogram,
    LaneWriterLine,
    LaneCycleLine,
    ConsumerLine
);

/// A region of bytes shared between the cycle thread and JavaScript.
///
/// Nothing ever forms a `&[u8]` or `&mut [u8]` over it: only references to atomics.
#[derive(Clone)]
pub struct SharedMemory {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: all access goes through atomics; the caller of `from_raw` keeps the bytes alive.
unsafe impl Send for SharedMemory {}
// SAFETY: see above.
unsafe impl Sync for SharedMemory {}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemory").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl SharedMemory {
    /// Takes bytes that JavaScript allocated, as a `SharedArrayBuffer`.
    ///
    /// # Safety
    /// `base` points to `bytes` bytes that were initialised once, are writable, and stay allocated
    /// until this value, its clones, everything made from them ([`Attached`], readers, writers), and
    /// every thread that uses one of these are gone. While any of them exists, Rust code touches the
    /// bytes through this module only.
    ///
    /// # Errors
    /// [`ErrorCode::LayoutInvalid`] where the address is not a multiple of 8.
    pub unsafe fn from_raw(base: NonNull<u8>, bytes: usize) -> Result<Self, EngineError> {
        if !base.cast::<u64>().is_aligned() {
            return Err(EngineError::new(
                ErrorCode::LayoutInvalid,
                "the shared memory does not begin at a multiple of 8 bytes",
            ));
        }
        Ok(Self { base, bytes })
    }

    /// Takes words that live for ever: for an engine without JavaScript.
    #[must_use]
    pub fn from_static(words: &'static [AtomicU64]) -> Self {
        Self { base: NonNull::from(words).cast(), bytes: size_of_val(words) }
    }

    /// Bytes of the region.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Lays the sections out: everything to zero, sizes and offsets into the header, the version and
    /// the layout hash last, and the magic with Release behind them. Also touches every page.
    ///
    /// # Errors
    /// [`ErrorCode::LayoutInvalid`] where the dimensions are not valid or the region is too small.
    pub fn initialise(&self, dimensions: &Dimensions) -> Result<Attached, EngineError> {
        let geometry = Geometry::new(dimensions)?;
        if self.bytes < geometry.total_bytes {
            return Err(EngineError::new(
                ErrorCode::LayoutInvalid,
                format!(
                    "the shared memory has {} bytes, {} are needed",
                    self.bytes, geometry.total_bytes
                ),
            ));
        }
        for word in self.words(0, geometry.total_bytes / 8).iter() {
            word.store(0, Ordering::Relaxed);
        }
        let header = self.view::<Header>(HEADER_OFFSET);
        for (word, value) in header_words(&header, &geometry) {
            word.store(value, Ordering::Relaxed);
        }
        let attached = Attached { memory: self.clone(), geometry };
        attached.ring().initialise(dimensions.first_cycle);
        for lane in 0..dimensions.lane_count {
            attached.lane_memory(lane).initialise(dimensions.first_cycle);
        }
        header.version.store(VERSION, Ordering::Relaxed);
        header.layout_hash.store(LAYOUT_HASH, Ordering::Relaxed);
        header.magic.store(MAGIC, Ordering::Release);
        Ok(attached)
    }

    /// Checks that the region was laid out by this build, and gives access to its parts.
    ///
    /// # Errors
    /// [`ErrorCode::LayoutMismatch`] where it was not, or not (yet) at all.
    pub fn attach(&self) -> Result<Attached, EngineError> {
        let mismatch = |what: String| EngineError::new(ErrorCode::LayoutMismatch, what);
        if self.bytes < Header::SECTION.size {
            return Err(mismatch(format!("the shared memory has {} bytes only", self.bytes)));
        }
        let header = self.view::<Header>(HEADER_OFFSET);
        let magic = header.magic.load(Ordering::Acquire);
        let version = header.version.load(Ordering::Relaxed);
        let hash = header.layout_hash.load(Ordering::Relaxed);
        if (magic, version, hash) != (MAGIC, VERSION, LAYOUT_HASH) {
            return Err(mismatch(format!(
                "the shared memory says {magic:#010x}/{version}/{hash:#010x}, this build is \
                 {MAGIC:#010x}/{VERSION}/{LAYOUT_HASH:#010x}"
            )));
        }
        // JavaScript can write the header too: only the dimensions are taken from it, everything
        // else is computed again and compared, so that no offset leads outside.
        let geometry = Geometry::new(&dimensions_of(&header))
            .map_err(|error| mismatch(error.first.message.clone()))?;
        if geometry.total_bytes > self.bytes {
            return Err(mismatch(format!(
                "the header speaks of {} bytes, the shared memory has {}",
                geometry.total_bytes, self.bytes
            )));
        }
        let damaged = header_words(&header, &geometry)
            .into_iter()
            .any(|(word, value)| word.load(Ordering::Relaxed) != value);
        if damaged {
            return Err(mismatch("the header's offsets do not follow from its sizes".into()));
        }
        Ok(Attached { memory: self.clone(), geometry })
    }

    fn view<T: Section>(&self, offset: usize) -> View<T> {
        self.check::<T>(offset, size_of::<T>());
        // SAFETY: `check` proved that the range lies within the region.
        let pointer = unsafe { self.base.add(offset) };
        View(pointer.cast())
    }

    fn words(&self, offset: usize, count: usize) -> View<[AtomicU64]> {
        self.check::<AtomicU64>(offset, count * 8);
        // SAFETY: `check` proved that the range lies within the region.
        let pointer = unsafe { self.base.add(offset) };
        View(NonNull::slice_from_raw_parts(pointer.cast(), count))
    }

    fn check<T>(&self, offset: usize, bytes: usize) {
        assert!(
            offset.is_multiple_of(align_of::<T>())
                && offset.checked_add(bytes).is_some_and(|end| end <= self.bytes),
            "section at {offset} with {bytes} bytes leaves the shared memory of {} bytes",
            self.bytes
        );
    }
}

/// A checked region: makes the readers and writers of its parts.
///
/// Each `…_writer` is one of a kind: making a second one for the same part while the first is in use
/// breaks the promises of the protocol (never memory safety).
#[derive(Clone, Debug)]
pub struct Attached {
    memory: SharedMemory,
    geometry: Geometry,
}

impl Attached {
    /// Where everything stands.
    #[must_use]
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Sizes that the region was laid out for.
    #[must_use]
    pub const fn dimensions(&self) -> &Dimensions {
        &self.geometry.dimensions
    }

    /// State and newest cycle.
    #[must_use]
    pub fn control(&self) -> View<Control> {
        self.memory.view(CONTROL_OFFSET)
    }

    /// Counters and histograms.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics {
            counters: self.memory.view(COUNTERS_OFFSET),
            lateness: self.memory.view(LATENESS_OFFSET),
            round_trip: self.memory.view(ROUND_TRIP_OFFSET),
            publish: self.memory.view(PUBLISH_OFFSET),
        }
    }

    /// The cycle thread's end of the input ring.
    #[must_use]
    pub fn ring_writer(&self) -> RingWriter {
        RingWriter::new(self.ring())
    }

    /// A reader of the input ring; any number, on any thread.
    #[must_use]
    pub fn ring_reader(&self) -> RingReader {
        RingReader::new(self.ring())
    }

    /// Ends of a partition's change log.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there is no such partition.
    pub fn log_cursor(&self, partition: u32) -> Result<View<LogCursor>, EngineError> {
        Ok(self.log(partition)?.cursor)
    }

    /// The decode worker's end of a partition's change log.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there is no such partition.
    pub fn log_writer(&self, partition: u32) -> Result<LogWriter, EngineError> {
        Ok(LogWriter::new(self.log(partition)?))
    }

    /// A consumer of a partition's change log; any number, on any thread.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there is no such partition.
    pub fn log_reader(&self, partition: u32) -> Result<LogReader, EngineError> {
        Ok(LogReader::new(self.log(partition)?))
    }

    /// The owner's end of a lane. Its claims must have been accepted before
    /// ([`ClaimRegistry::claim`]), and the former owner's writer be gone.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there is no such lane.
    pub fn lane_writer(&self, lane: u32) -> Result<LaneWriter, EngineError> {
        self.check_lane(lane)?;
        Ok(LaneWriter::new(self.lane_memory(lane), self.ring_reader()))
    }

    /// State of a lane, whoever owns it.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there is no such lane.
    pub fn lane_state(&self, lane: u32) -> Result<LaneState, EngineError> {
        self.check_lane(lane)?;
        Ok(self.lane_memory(lane).state())
    }

    /// Both lines of a lane: the owner's and the cycle thread's.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there is no such lane.
    pub fn lane_lines(
        &self,
        lane: u32,
    ) -> Result<(View<LaneWriterLine>, View<LaneCycleLine>), EngineError> {
        self.check_lane(lane)?;
        let LaneMemory { writer, cycle, .. } = self.lane_memory(lane);
        Ok((writer, cycle))
    }

    /// A reader of a lane's receipts.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there is no such lane.
    pub fn receipt_reader(&self, lane: u32) -> Result<ReceiptReader, EngineError> {
        self.check_lane(lane)?;
        Ok(ReceiptReader::new(self.receipts(lane)))
    }

    /// The registry of claims, for the threads of JavaScript, and the merger, for the cycle thread:
    /// one pair an engine. An area is a byte range of the output image of which the cycle thread knows
    /// whether it arrived, say that of a SubDevice ([`OutputMerger::settle`]); it may be empty.
    #[must_use]
    pub fn outputs(&self, areas: &[std::ops::Range<usize>]) -> (ClaimRegistry, OutputMerger) {
        let lanes: Vec<_> = (0..self.dimensions().lane_count)
            .map(|lane| (self.lane_memory(lane), self.receipts(lane)))
            .collect();
        let memories = lanes.iter().map(|(lane, _)| lane.clone()).collect();
        let interlocks = InterlockRunner::new(self.interlocks());
        let registry = ClaimRegistry::new(
            self.dimensions().output_bytes as usize,
            areas,
            memories,
            self.control(),
        );
        let merger = OutputMerger::new(
            self.dimensions().output_bytes as usize,
            lanes,
            self.control(),
            registry.plans(),
            interlocks,
        );
        (registry, merger)
    }

    /// States of the interlocks, and the way to acknowledge them; for any thread.
    #[must_use]
    pub fn interlocks(&self) -> InterlockMemory<Native> {
        InterlockMemory {
            states: self.memory.words(INTERLOCKS_OFFSET, INTERLOCKS_MAX),
            acknowledgements: self.memory.words(INTERLOCK_ACKNOWLEDGEMENTS_OFFSET, INTERLOCKS_MAX),
        }
    }

    /// The registry of consumers in lockstep, for the threads of JavaScript, and the cycle thread's end: one
    /// pair an engine.
    #[must_use]
    pub fn lockstep(&self) -> (ConsumerRegistry, Lockstep) {
        let line = |consumer| self.memory.view(CONSUMERS_OFFSET + consumer * LINE_BYTES);
        let lines = (0..CONSUMERS_MAX).map(line).collect();
        let memory = ConsumerMemory { lines, control: self.control() };
        (ConsumerRegistry::new(memory.clone()), Lockstep::new(memory))
    }

    fn check_lane(&self, lane: u32) -> Result<(), EngineError> {
        if lane < self.dimensions().lane_count {
            return Ok(());
        }
        Err(EngineError::new(
            ErrorCode::InvalidArgument,
            format!("there is no lane {lane}, only {}", self.dimensions().lane_count),
        ))
    }

    fn ring(&self) -> RingMemory<Native> {
        let g = &self.geometry;
        let slot_count = g.dimensions.slot_count;
        RingMemory {
            control: self.control(),
            waiters: self.memory.view::<Waiters>(WAITERS_OFFSET),
            words: self.memory.words(g.ring_offset, slot_count as usize * g.slot_stride_bytes / 8),
            shape: RingShape {
                slot_count,
                stride_words: g.slot_stride_bytes / 8,
                slot_words: g.slot_bytes / 8,
                quality_word: g.slot_quality_offset / 8,
                quality_bytes: g.dimensions.sub_device_count as usize,
                working_counters_word: g.slot_working_counters_offset / 8,
                datagram_count: g.dimensions.datagram_count as usize,
                inputs_word: g.slot_inputs_offset / 8,
                input_bytes: g.dimensions.input_bytes as usize,
                outputs_word: g.slot_outputs_offset / 8,
                output_bytes: g.dimensions.output_bytes as usize,
            },
        }
    }

    fn log(&self, partition: u32) -> Result<LogMemory<Native>, EngineError> {
        let g = &self.geometry;
        let count = g.dimensions.partition_count;
        if partition >= count {
            return Err(EngineError::new(
                ErrorCode::InvalidArgument,
                format!("there is no partition {partition}, only {count}"),
            ));
        }
        let offset = g.log_offset + partition as usize * g.log_stride_bytes;
        Ok(LogMemory {
            cursor: self.memory.view(offset),
            words: self
                .memory
                .words(offset + LOG_RECORDS_OFFSET, 2 * g.dimensions.log_records as usize),
        })
    }

    fn receipts(&self, lane: u32) -> LogMemory<Native> {
        let offset = self.geometry.receipts_offset + lane as usize * RECEIPTS_STRIDE_BYTES;
        LogMemory {
            cursor: self.memory.view(offset),
            words: self.memory.words(offset + RECEIPT_RECORDS_OFFSET, 2 * RECEIPT_RECORDS),
        }
    }

    fn lane_memory(&self, lane: u32) -> LaneMemory<Native> {
        let g = &self.geometry;
        let lines = g.lanes_offset + lane as usize * LANE_STRIDE_BYTES;
        let buffers = LANE_BUFFERS * g.lane_buffer_stride_bytes;
        LaneMemory {
            writer: self.memory.view(lines),
            cycle: self.memory.view(lines + LANE_CYCLE_LINE_OFFSET),
            buffers: self
                .memory
                .words(g.lane_buffers_offset + lane as usize * buffers, buffers / 8),
            output_bytes: g.dimensions.output_bytes as usize,
        }
    }
}

fn dimensions_of(header: &Header) -> Dimensions {
    Dimensions {
        input_bytes: header.input_bytes.load(Ordering::Relaxed),
        output_bytes: header.output_bytes.load(Ordering::Relaxed),
        sub_device_count: header.sub_device_count.load(Ordering::Relaxed),
        datagram_count: header.datagram_count.load(Ordering::Relaxed),
        slot_count: header.slot_count.load(Ordering::Relaxed),
        log_records: header.log_records.load(Ordering::Relaxed),
        partition_count: header.partition_count.load(Ordering::Relaxed),
        lane_count: header.lane_count.load(Ordering::Relaxed),
        cycle_period_ns: header.cycle_period_ns.load(Ordering::Relaxed),
        first_cycle: header.first_cycle.load(Ordering::Relaxed),
    }
}

/// Every word of the header but the handshake's, with its value.
fn header_words<'a>(header: &'a Header, geometry: &Geometry) -> [(&'a AtomicU32, u32); 24] {
    let d = &geometry.dimensions;
    // `Geometry::new` keeps the total below 2³¹.
    let narrow = |bytes: usize| bytes as u32;
    [
        (&header.total_bytes, narrow(geometry.total_bytes)),
        (&header.cycle_period_ns, d.cycle_period_ns),
        (&header.first_cycle, d.first_cycle),
        (&header.input_bytes, d.input_bytes),
        (&header.output_bytes, d.output_bytes),
        (&header.sub_device_count, d.sub_device_count),
        (&header.datagram_count, d.datagram_count),
        (&header.ring_offset, narrow(geometry.ring_offset)),
        (&header.slot_count, d.slot_count),
        (&header.slot_stride_bytes, narrow(geometry.slot_stride_bytes)),
        (&header.slot_bytes, narrow(geometry.slot_bytes)),
        (&header.slot_quality_offset, narrow(geometry.slot_quality_offset)),
        (&header.slot_working_counters_offset, narrow(geometry.slot_working_counters_offset)),
        (&header.slot_inputs_offset, narrow(geometry.slot_inputs_offset)),
        (&header.slot_outputs_offset, narrow(geometry.slot_outputs_offset)),
        (&header.lane_count, d.lane_count),
        (&header.lanes_offset, narrow(geometry.lanes_offset)),
        (&header.lane_buffers_offset, narrow(geometry.lane_buffers_offset)),
        (&header.lane_buffer_stride_bytes, narrow(geometry.lane_buffer_stride_bytes)),
        (&header.receipts_offset, narrow(geometry.receipts_offset)),
        (&header.log_offset, narrow(geometry.log_offset)),
        (&header.log_records, d.log_records),
        (&header.partition_count, d.partition_count),
        (&header.log_stride_bytes, narrow(geometry.log_stride_bytes)),
    ]
}
