//! The input ring: one slot a cycle, one writer that never waits, any number of readers.
//!
//! A reader gets one whole cycle or a name for what happened instead. The argument of every memory
//! ordering is in `docs/shared-memory.md`.

use super::atomics::{Atomics, Native, Ordering, Word, load_bytes, newer_by, store_bytes};
use super::layout::{Control, CopyOutcome, EngineState, SlotHeader, Waiters};

/// Words of a slot before its sections. The first word holds `seq` (low half) and `cycle`.
const HEADER_WORDS: usize = SlotHeader::SECTION.size / 8;
const HOST_TIME_WORD: usize = 1;
const DC_TIME_WORD: usize = 2;
const FLAGS_WORD: usize = 3;
const WRITING: u32 = 1;
/// Attempts at the newest slot before a reader gives up: each failure means that the writer went
/// once round the whole ring during one copy.
const NEWEST_ATTEMPTS: usize = 4;

/// Sizes of a ring, in words of 8 bytes from the start of a slot.
#[derive(Clone, Copy, Debug)]
pub struct RingShape {
    /// Slots, a power of two, at least 2.
    pub slot_count: u32,
    /// Distance of two slots.
    pub stride_words: usize,
    /// Words of a slot that are in use.
    pub slot_words: usize,
    /// First word of the quality bytes.
    pub quality_word: usize,
    /// Quality bytes.
    pub quality_bytes: usize,
    /// First word of the working counters.
    pub working_counters_word: usize,
    /// Working counters.
    pub datagram_count: usize,
    /// First word of the input image.
    pub inputs_word: usize,
    /// Bytes of the input image.
    pub input_bytes: usize,
    /// First word of the output image.
    pub outputs_word: usize,
    /// Bytes of the output image.
    pub output_bytes: usize,
}

/// The parts of shared memory that the ring is made of.
pub struct RingMemory<A: Atomics> {
    /// Newest cycle and the word to sleep on.
    pub control: A::View<Control<A>>,
    /// Who sleeps.
    pub waiters: A::View<Waiters<A>>,
    /// All slots.
    pub words: A::View<[A::U64]>,
    /// Sizes.
    pub shape: RingShape,
}

impl<A: Atomics> Clone for RingMemory<A> {
    fn clone(&self) -> Self {
        Self {
            control: self.control.clone(),
            waiters: self.waiters.clone(),
            words: self.words.clone(),
            shape: self.shape,
        }
    }
}

impl<A: Atomics> RingMemory<A> {
    /// Marks every slot as not yet written, so that `first_cycle` is the next one. Before any
    /// reader or writer exists.
    pub fn initialise(&self, first_cycle: u32) {
        for back in 1..=self.shape.slot_count {
            let cycle = first_cycle.wrapping_sub(back);
            self.slot(cycle)[0].store(mark(WRITING, cycle), Ordering::Relaxed);
        }
        self.control.latest_cycle.store(first_cycle.wrapping_sub(1), Ordering::Release);
    }

    #[inline]
    fn slot(&self, cycle: u32) -> &[A::U64] {
        let start = (cycle & (self.shape.slot_count - 1)) as usize * self.shape.stride_words;
        &self.words[start..start + self.shape.slot_words]
    }
}

/// The cycle thread's end.
pub struct RingWriter<A: Atomics = Native> {
    ring: RingMemory<A>,
    publications: u32,
    signals: u32,
    state: EngineState,
}

/// Proof that a cycle was published, which [`super::merge::OutputMerger::settle`] asks for.
#[derive(Debug)]
#[must_use = "settle the outputs of this cycle with it"]
pub struct Published {
    cycle: u32,
}

impl Published {
    /// The cycle.
    #[must_use]
    pub const fn cycle(&self) -> u32 {
        self.cycle
    }
}

impl<A: Atomics> RingWriter<A> {
    /// The one writer of `ring`.
    #[must_use]
    pub fn new(ring: RingMemory<A>) -> Self {
        let signals = ring.control.signal.load(Ordering::Relaxed);
        Self { ring, publications: 0, signals, state: EngineState::Starting }
    }

    /// Begins the slot of `cycle`, which must be newer than the one before. Every section is to be
    /// written: what is not keeps the bytes of an earlier cycle.
    pub fn begin(&mut self, cycle: u32) -> SlotWriter<'_, A> {
        self.publications = self.publications.wrapping_add(1);
        let seq = self.publications << 1;
        self.ring.slot(cycle)[0].store(mark(seq | WRITING, cycle), Ordering::Relaxed);
        // A reader that sees a word stored after this fence sees the mark above when it checks.
        A::fence(Ordering::Release);
        SlotWriter { writer: self, cycle, seq }
    }

    /// Says which state the engine is in, and wakes who sleeps. Slots begun from now on carry it.
    pub fn set_engine_state(&mut self, state: EngineState) {
        self.state = state;
        self.ring.control.engine_state.store(state as u32, Ordering::Release);
        self.signal();
    }

    /// The state said last.
    #[must_use]
    pub const fn engine_state(&self) -> EngineState {
        self.state
    }

    fn signal(&mut self) {
        self.signals = self.signals.wrapping_add(1);
        self.ring.control.signal.store(self.signals, Ordering::Release);
        // Store-load: either the reader's count is seen here, or the reader, which fences between
        // its count and its load, sees the new signal and does not sleep.
        A::fence(Ordering::SeqCst);
        if self.ring.waiters.readers.load(Ordering::Relaxed) != 0 {
            A::wake_all(&self.ring.control.signal);
        }
    }
}

/// One slot being written. Nobody can read it until [`SlotWriter::publish`].
pub struct SlotWriter<'a, A: Atomics = Native> {
    writer: &'a mut RingWriter<A>,
    cycle: u32,
    seq: u32,
}

impl<A: Atomics> SlotWriter<'_, A> {
    /// Host time (since the epoch) and time of the distributed clocks (since 2000; 0 without), both
    /// in nanoseconds, at the start of the cycle.
    pub fn set_times(&mut self, host_time_ns: u64, dc_time_ns: u64) {
        let slot = self.slot();
        slot[HOST_TIME_WORD].store(host_time_ns, Ordering::Relaxed);
        slot[DC_TIME_WORD].store(dc_time_ns, Ordering::Relaxed);
    }

    /// Flags, bits `SLOT_FLAG_…`, and with them the engine's state.
    pub fn set_flags(&mut self, flags: u32) {
        let word = u64::from(flags) | u64::from(self.writer.state as u32) << 32;
        self.slot()[FLAGS_WORD].store(word, Ordering::Relaxed);
    }

    /// One quality byte a SubDevice.
    pub fn quality(&mut self, quality: &[u8]) {
        let shape = &self.writer.ring.shape;
        debug_assert_eq!(quality.len(), shape.quality_bytes);
        store_bytes(&self.slot()[shape.quality_word..shape.working_counters_word], quality);
    }

    /// One working counter a datagram.
    pub fn working_counters(&mut self, working_counters: &[u16]) {
        let shape = &self.writer.ring.shape;
        debug_assert_eq!(working_counters.len(), shape.datagram_count);
        let words = &self.slot()[shape.working_counters_word..shape.inputs_word];
        for (word, four) in words.iter().zip(working_counters.chunks(4)) {
            let packed = four.iter().rev().fold(0, |packed, &wkc| packed << 16 | u64::from(wkc));
            word.store(packed, Ordering::Relaxed);
        }
    }

    /// The input image.
    pub fn inputs(&mut self, inputs: &[u8]) {
        let shape = &self.writer.ring.shape;
        debug_assert_eq!(inputs.len(), shape.input_bytes);
        store_bytes(&self.slot()[shape.inputs_word..shape.outputs_word], inputs);
    }

    /// The output image as it was sent.
    pub fn outputs(&mut self, outputs: &[u8]) {
        let shape = &self.writer.ring.shape;
        debug_assert_eq!(outputs.len(), shape.output_bytes);
        store_bytes(&self.slot()[shape.outputs_word..], outputs);
    }

    /// Makes the slot the newest, and wakes who sleeps (a system call only where somebody does).
    pub fn publish(self) -> Published {
        let ring = &self.writer.ring;
        ring.slot(self.cycle)[0].store(mark(self.seq, self.cycle), Ordering::Release);
        ring.control.latest_cycle.store(self.cycle, Ordering::Release);
        self.writer.signal();
        Published { cycle: self.cycle }
    }

    fn slot(&self) -> &[A::U64] {
        self.writer.ring.slot(self.cycle)
    }
}

/// What came of an attempt to copy a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The slot was copied, whole.
    Fresh {
        /// Its cycle.
        cycle: u32,
    },
    /// Nothing new within the timeout.
    Timeout,
    /// Nothing new, and nothing will come: the engine is closed or faulted.
    Closed,
    /// The slot asked for has been overwritten. Copy the newest, and resynchronise.
    Overtaken {
        /// How many cycle numbers, from the one asked for on, are gone.
        by: u32,
    },
    /// The cycle is still to come (or none has been published yet).
    Empty,
    /// There never was a slot of that cycle: its period was missed.
    Missed,
}

impl Copied {
    /// The outcome without its numbers.
    #[must_use]
    pub const fn outcome(self) -> CopyOutcome {
        match self {
            Self::Fresh { .. } => CopyOutcome::Fresh,
            Self::Timeout => CopyOutcome::Timeout,
            Self::Closed => CopyOutcome::Closed,
            Self::Overtaken { .. } => CopyOutcome::Overtaken,
            Self::Empty => CopyOutcome::Empty,
            Self::Missed => CopyOutcome::Missed,
        }
    }

    /// Its number for TypeScript.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.outcome() as u32
    }
}

/// How the attempt at one slot ended.
enum Attempt {
    Whole,
    /// It holds this newer cycle, or is about to.
    Newer(u32),
    /// It has not been published (yet).
    Absent,
}

/// A reader; keeps nothing but the way to the ring.
pub struct RingReader<A: Atomics = Native> {
    ring: RingMemory<A>,
}

impl<A: Atomics> Clone for RingReader<A> {
    fn clone(&self) -> Self {
        Self { ring: self.ring.clone() }
    }
}

impl<A: Atomics> RingReader<A> {
    /// A reader of `ring`.
    #[must_use]
    pub const fn new(ring: RingMemory<A>) -> Self {
        Self { ring }
    }

    /// Bytes that a slot needs in the reader's buffer. A shorter buffer gets the first part of the
    /// slot only.
    #[must_use]
    pub fn slot_bytes(&self) -> usize {
        self.ring.shape.slot_words * 8
    }

    /// Number of the newest published cycle, or `first_cycle` − 1.
    #[must_use]
    pub fn latest(&self) -> u32 {
        self.ring.control.latest_cycle.load(Ordering::Acquire)
    }

    /// Copies the first published cycle after `after` (the newest one where that is `None`), and
    /// sleeps for it for at most `timeout_ns` where there is none yet. May return `Timeout` early. What
    /// was published before the engine closed is still delivered.
    ///
    /// Outcomes: `Fresh`, `Timeout`, `Closed`, `Overtaken`.
    pub fn wait_copy(&self, after: Option<u32>, timeout_ns: u64, out: &mut [u8]) -> Copied {
        let mut copied = self.look(after, out);
        if copied == Copied::Empty && timeout_ns > 0 {
            let control = &self.ring.control;
            self.ring.waiters.readers.fetch_add(1, Ordering::Relaxed);
            // See `RingWriter::signal`.
            A::fence(Ordering::SeqCst);
            let signal = control.signal.load(Ordering::Acquire);
            copied = self.look(after, out);
            if copied == Copied::Empty {
                A::wait(&control.signal, signal, timeout_ns);
                copied = self.look(after, out);
            }
            self.ring.waiters.readers.fetch_sub(1, Ordering::Relaxed);
        }
        if copied == Copied::Empty { Copied::Timeout } else { copied }
    }

    /// Copies the newest cycle. Outcomes: `Fresh`, `Empty`, and `Overtaken` where the writer went
    /// round the whole ring during each of several attempts.
    pub fn copy_newest(&self, out: &mut [u8]) -> Copied {
        self.copy_newest_from(0, out)
    }

    /// Copies the outputs as sent of the newest cycle. Outcomes as of [`RingReader::copy_newest`].
    pub fn copy_newest_outputs(&self, out: &mut [u8]) -> Copied {
        let bytes = out.len().min(self.ring.shape.output_bytes);
        self.copy_newest_from(self.ring.shape.outputs_word, &mut out[..bytes])
    }

    /// Copies one particular cycle. Outcomes: `Fresh`, `Overtaken`, `Empty` (still to come),
    /// `Missed`.
    pub fn copy_cycle(&self, cycle: u32, out: &mut [u8]) -> Copied {
        // Before the attempt: what is published by now cannot be absent by then.
        let published = newer_by(self.latest(), cycle) >= 0;
        match self.attempt(cycle, 0, out) {
            Attempt::Whole => Copied::Fresh { cycle },
            Attempt::Newer(newer) => self.overtaken(cycle, newer),
            Attempt::Absent if published => Copied::Missed,
            Attempt::Absent => Copied::Empty,
        }
    }

    /// As [`RingReader::copy_after`], and `Closed` where there is nothing new and will not be.
    fn look(&self, after: Option<u32>, out: &mut [u8]) -> Copied {
        // Before the copy: with the end acquired, everything published before it is found.
        let state = self.ring.control.engine_state.load(Ordering::Acquire);
        let ended = EngineState::from_number(state).is_some_and(EngineState::ended);
        match self.copy_after(after, out) {
            Copied::Empty if ended => Copied::Closed,
            copied => copied,
        }
    }

    fn copy_newest_from(&self, first_word: usize, out: &mut [u8]) -> Copied {
        let mut cycle = self.latest();
        for _ in 1..NEWEST_ATTEMPTS {
            match self.attempt(cycle, first_word, out) {
                Attempt::Whole => return Copied::Fresh { cycle },
                Attempt::Absent => return Copied::Empty,
                Attempt::Newer(_) => cycle = self.latest(),
            }
        }
        match self.attempt(cycle, first_word, out) {
            Attempt::Whole => Copied::Fresh { cycle },
            Attempt::Absent => Copied::Empty,
            Attempt::Newer(newer) => self.overtaken(cycle, newer),
        }
    }

    /// As [`RingReader::wait_copy`], without waiting: `Empty` where there is nothing new.
    fn copy_after(&self, after: Option<u32>, out: &mut [u8]) -> Copied {
        let Some(after) = after else { return self.copy_newest(out) };
        let latest = self.latest();
        let ahead = newer_by(latest, after);
        if ahead <= 0 {
            return Copied::Empty;
        }
        if ahead.cast_unsigned() > self.ring.shape.slot_count {
            return self.overtaken(after.wrapping_add(1), latest);
        }
        for step in 1..=ahead.cast_unsigned() {
            let cycle = after.wrapping_add(step);
            match self.attempt(cycle, 0, out) {
                Attempt::Whole => return Copied::Fresh { cycle },
                Attempt::Newer(newer) => return self.overtaken(after.wrapping_add(1), newer),
                // A missed period: no slot has this number.
                Attempt::Absent => {}
            }
        }
        Copied::Empty
    }

    /// The reader wanted `wanted`, and a slot of the ring holds `newer`: everything a ring's length
    /// before `newer` is gone.
    fn overtaken(&self, wanted: u32, newer: u32) -> Copied {
        let oldest = newer.wrapping_sub(self.ring.shape.slot_count).wrapping_add(1);
        Copied::Overtaken { by: oldest.wrapping_sub(wanted) }
    }

    fn attempt(&self, cycle: u32, first_word: usize, out: &mut [u8]) -> Attempt {
        let slot = self.ring.slot(cycle);
        let before = slot[0].load(Ordering::Acquire);
        if let Some(absent) = classify(before, cycle) {
            return absent;
        }
        load_bytes(&slot[first_word..], out);
        // The words above were loaded before the mark is checked again: if one of them belongs to a
        // later cycle, that cycle's mark is seen here.
        A::fence(Ordering::Acquire);
        let after = slot[0].load(Ordering::Relaxed);
        if after != before {
            return Attempt::Newer(cycle_of(after));
        }
        Attempt::Whole
    }
}

/// `None` where the mark says that the slot holds `cycle`, whole.
fn classify(mark: u64, cycle: u32) -> Option<Attempt> {
    let held = cycle_of(mark);
    match newer_by(held, cycle) {
        0 if mark as u32 & WRITING == 0 => None,
        ..=0 => Some(Attempt::Absent),
        1.. => Some(Attempt::Newer(held)),
    }
}

const fn mark(seq: u32, cycle: u32) -> u64 {
    seq as u64 | (cycle as u64) << 32
}

const fn cycle_of(mark: u64) -> u32 {
    (mark >> 32) as u32
}

const _: () = {
    use std::mem::offset_of;
    assert!(offset_of!(SlotHeader, seq) == 0 && offset_of!(SlotHeader, cycle) == 4);
    assert!(offset_of!(SlotHeader, host_time_ns) == 8 * HOST_TIME_WORD);
    assert!(offset_of!(SlotHeader, dc_time_ns) == 8 * DC_TIME_WORD);
    assert!(offset_of!(SlotHeader, flags) == 8 * FLAGS_WORD);
    assert!(offset_of!(SlotHeader, engine_state) == 8 * FLAGS_WORD + 4);
    assert!(HEADER_WORDS == FLAGS_WORD + 1);
};
