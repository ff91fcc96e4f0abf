//! A bounded log of 16-byte records, broadcast from one writer to any number of readers that it
//! knows nothing of: the change log, and the receipts of a lane.
//!
//! The writer never waits. A reader keeps its own tail; if the writer laps it, it is told so, and
//! resynchronises from the input ring.

use super::atomics::{Atomics, Native, Ordering, Word, load_bytes, newer_by, store_bytes};
use super::layout::{LogCursor, RECORD_BYTES};
use crate::error::{EngineError, ErrorCode};

/// Words of 8 bytes of a record.
const RECORD_WORDS: usize = RECORD_BYTES / 8;

/// The parts of shared memory that a log is made of.
pub struct LogMemory<A: Atomics> {
    /// Its ends.
    pub cursor: A::View<LogCursor<A>>,
    /// Its records, a power of two of them.
    pub words: A::View<[A::U64]>,
}

impl<A: Atomics> Clone for LogMemory<A> {
    fn clone(&self) -> Self {
        Self { cursor: self.cursor.clone(), words: self.words.clone() }
    }
}

impl<A: Atomics> LogMemory<A> {
    /// Records that the log holds.
    fn capacity(&self) -> usize {
        self.words.len() / RECORD_WORDS
    }

    /// The records from number `start` on, in one piece or two.
    fn pieces(&self, start: u32, count: usize) -> [&[A::U64]; 2] {
        let start = start as usize & (self.capacity() - 1);
        let first = count.min(self.capacity() - start);
        [
            &self.words[start * RECORD_WORDS..(start + first) * RECORD_WORDS],
            &self.words[..(count - first) * RECORD_WORDS],
        ]
    }
}

/// The writing end.
pub struct LogWriter<A: Atomics = Native> {
    log: LogMemory<A>,
}

impl<A: Atomics> LogWriter<A> {
    /// The one writer of `log`. Goes on where a former one, dead or alive, last completed a batch.
    #[must_use]
    pub const fn new(log: LogMemory<A>) -> Self {
        Self { log }
    }

    /// Appends whole batches: readers see all of `staging` or nothing.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where the length is not a multiple of 16 bytes, or is more than
    /// the log holds. Nothing is written then.
    pub fn publish(&mut self, staging: &[u8]) -> Result<(), EngineError> {
        let count = staging.len() / RECORD_BYTES;
        if !staging.len().is_multiple_of(RECORD_BYTES) || count > self.log.capacity() {
            return Err(EngineError::new(
                ErrorCode::InvalidArgument,
                format!(
                    "{} bytes are not whole records of {RECORD_BYTES} bytes, or more than the log's \
                     {} records",
                    staging.len(),
                    self.log.capacity()
                ),
            ));
        }
        self.append(staging);
        Ok(())
    }

    /// As [`LogWriter::publish`], for records that are known to be whole and to fit. Neither
    /// allocates nor fails.
    pub(super) fn append(&mut self, records: &[u8]) {
        let count = records.len() / RECORD_BYTES;
        let cursor = &self.log.cursor;
        let head = cursor.head.load(Ordering::Relaxed);
        // `count` is at most the capacity, which `Geometry` bounds to 2²⁴.
        let end = head.wrapping_add(count as u32);
        cursor.starting_head.store(end, Ordering::Relaxed);
        // A reader that sees a record stored after this fence sees `starting_head` when it checks.
        A::fence(Ordering::Release);
        let [first, second] = self.log.pieces(head, count);
        let (to_first, to_second) = records.split_at(first.len() * 8);
        store_bytes(first, to_first);
        store_bytes(second, to_second);
        cursor.head.store(end, Ordering::Release);
    }
}

/// What [`LogReader::drain`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// This many records were copied, and the tail advanced over them; at least 1.
    Records(usize),
    /// The writer overwrote records that were not read. The tail now stands at the end of the log:
    /// resynchronise from the newest slot, and skip records that are not newer than that.
    Lapped,
    /// Nothing new.
    Empty,
}

/// A reading end; keeps nothing but the way to the log.
pub struct LogReader<A: Atomics = Native> {
    log: LogMemory<A>,
}

impl<A: Atomics> Clone for LogReader<A> {
    fn clone(&self) -> Self {
        Self { log: self.log.clone() }
    }
}

impl<A: Atomics> LogReader<A> {
    /// A reader of `log`.
    #[must_use]
    pub const fn new(log: LogMemory<A>) -> Self {
        Self { log }
    }

    /// Records that the log holds. A buffer of that many always gets whole batches.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.log.capacity()
    }

    /// The end of the log: a tail for who wants only what follows.
    #[must_use]
    pub fn head(&self) -> u32 {
        self.log.cursor.head.load(Ordering::Acquire)
    }

    /// Copies what was published since `tail`, as much as `out` holds, and advances `tail`.
    pub fn drain(&self, tail: &mut u32, out: &mut [u8]) -> Drained {
        let head = self.head();
        let available = newer_by(head, *tail);
        if available == 0 {
            return Drained::Empty;
        }
        let capacity = self.log.capacity();
        let lapped = |end: u32| end.wrapping_sub(*tail) as usize > capacity;
        if available < 0 || lapped(head) {
            *tail = head;
            return Drained::Lapped;
        }
        let count = (available.cast_unsigned() as usize).min(out.len() / RECORD_BYTES);
        if count == 0 {
            return Drained::Empty;
        }
        let [first, second] = self.log.pieces(*tail, count);
        let (from_first, from_second) = out[..count * RECORD_BYTES].split_at_mut(first.len() * 8);
        load_bytes(first, from_first);
        load_bytes(second, from_second);
        // The records were loaded before the check: if one of them belongs to a later lap, its
        // `starting_head` is seen here.
        A::fence(Ordering::Acquire);
        if lapped(self.log.cursor.starting_head.load(Ordering::Relaxed)) {
            *tail = self.head();
            return Drained::Lapped;
        }
        *tail = tail.wrapping_add(count as u32);
        Drained::Records(count)
    }
}
