//! Receipts: which cycle carried a commit, and whether it arrived.

use super::atomics::{Atomics, Native};
use super::change_log::{Drained, LogMemory, LogReader, LogWriter};
use super::layout::{RECEIPT_RECORDS, Verdict};

/// Cycles that a commit is given to arrive in: its values are sent again with each.
pub const RECEIPT_CYCLES: u32 = 8;

/// What became of the outputs of an area, or of a lane, in one cycle; the worst of its areas is that of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// They arrived.
    Arrived,
    /// They did not, as was to be expected: the SubDevice is away or not in OP. Waiting would change nothing.
    Away,
    /// They did not, and may with the next cycle.
    Missing,
}

#[derive(Clone, Copy, Default)]
struct Pending {
    seq: u32,
    first_cycle: u32,
    cycles: u32,
}

/// The cycle thread's end: the commits of one lane that were carried and not yet decided.
pub struct ReceiptWriter<A: Atomics = Native> {
    log: LogWriter<A>,
    pending: [Pending; RECEIPT_RECORDS],
    start: usize,
    count: usize,
    written: u32,
}

impl<A: Atomics> ReceiptWriter<A> {
    /// The one writer of `log`.
    #[must_use]
    pub fn new(log: LogMemory<A>) -> Self {
        let pending = [Pending::default(); RECEIPT_RECORDS];
        Self { log: LogWriter::new(log), pending, start: 0, count: 0, written: 0 }
    }

    /// The frames of `cycle` carry commit `seq`.
    pub fn carry(&mut self, seq: u32, cycle: u32) {
        if self.count == RECEIPT_RECORDS {
            self.decide_first(cycle, Verdict::Failed);
        }
        self.pending[(self.start + self.count) % RECEIPT_RECORDS] =
            Pending { seq, first_cycle: cycle, cycles: 0 };
        self.count += 1;
    }

    /// The frames of `cycle` came back, or not, with the bits of the lane. Returns how many commits failed.
    pub fn settle(&mut self, cycle: u32, reach: Reach) -> u32 {
        let verdict = match reach {
            Reach::Arrived => Some(Verdict::Ok),
            Reach::Away => Some(Verdict::Partial),
            Reach::Missing => None,
        };
        if let Some(verdict) = verdict {
            while self.count > 0 {
                self.decide_first(cycle, verdict);
            }
            return 0;
        }
        let mut failed = 0;
        for n in 0..self.count {
            self.pending[(self.start + n) % RECEIPT_RECORDS].cycles += 1;
        }
        while self.count > 0 && self.pending[self.start].cycles >= RECEIPT_CYCLES {
            self.decide_first(cycle, Verdict::Failed);
            failed += 1;
        }
        failed
    }

    /// Everything that was carried has arrived, out of cycle.
    pub fn settle_early(&mut self, cycle: u32) {
        while self.count > 0 {
            self.decide_first(cycle, Verdict::Early);
        }
    }

    /// What was to be carried by cycle `from` first is by `cycle`: those between were missed.
    pub fn renumber(&mut self, from: u32, cycle: u32) {
        for n in 0..self.count {
            let pending = &mut self.pending[(self.start + n) % RECEIPT_RECORDS];
            if pending.first_cycle == from {
                pending.first_cycle = cycle;
            }
        }
    }

    /// Every commit not yet decided has failed: the lane was lost or given up, or the segment is not
    /// in OP. Returns how many.
    pub fn fail_all(&mut self, cycle: u32) -> u32 {
        let failed = self.count as u32;
        while self.count > 0 {
            self.decide_first(cycle, Verdict::Failed);
        }
        failed
    }

    /// A commit failed without being carried.
    pub fn refuse(&mut self, seq: u32, cycle: u32) {
        self.write(Pending { seq, first_cycle: cycle, cycles: 0 }, cycle, Verdict::Failed);
    }

    /// How many receipts were written since the last call.
    pub const fn take_written(&mut self) -> u32 {
        std::mem::replace(&mut self.written, 0)
    }

    fn decide_first(&mut self, cycle: u32, verdict: Verdict) {
        let pending = self.pending[self.start];
        self.start = (self.start + 1) % RECEIPT_RECORDS;
        self.count -= 1;
        self.write(pending, cycle, verdict);
    }

    fn write(&mut self, pending: Pending, cycle: u32, verdict: Verdict) {
        let words = [pending.seq, pending.first_cycle, cycle, verdict as u32];
        let mut record = [0; 16];
        for (bytes, word) in record.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        self.log.append(&record);
        self.written += 1;
    }
}

/// The owner's end.
pub struct ReceiptReader<A: Atomics = Native> {
    log: LogReader<A>,
}

impl<A: Atomics> ReceiptReader<A> {
    /// A reader of `log`.
    #[must_use]
    pub const fn new(log: LogMemory<A>) -> Self {
        Self { log: LogReader::new(log) }
    }

    /// The end of the receipts: the tail for a new owner.
    #[must_use]
    pub fn head(&self) -> u32 {
        self.log.head()
    }

    /// Copies the receipts since `tail`, each `[seq, first cycle, cycle, verdict]`, and advances
    /// `tail`. `Lapped` cannot happen to an owner that leaves at most 64 commits outstanding.
    pub fn drain(&self, tail: &mut u32, out: &mut [[u32; 4]]) -> Drained {
        let mut bytes = [0; 16 * RECEIPT_RECORDS];
        let room = out.len().min(RECEIPT_RECORDS);
        let drained = self.log.drain(tail, &mut bytes[..16 * room]);
        if let Drained::Records(count) = drained {
            for (words, record) in out.iter_mut().zip(bytes.chunks_exact(16)).take(count) {
                for (word, bytes) in words.iter_mut().zip(record.as_chunks::<4>().0) {
                    *word = u32::from_ne_bytes(*bytes);
                }
            }
        }
        drained
    }
}
