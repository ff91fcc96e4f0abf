//! An output lane: a triple buffer from one writer to the cycle thread.
//!
//! Neither side ever waits for the other. The writer fills the buffer `back`, which is its alone, and
//! swaps it with the middle one; the cycle thread swaps the middle one with `front`, which is its
//! alone. So a commit arrives whole, the newest wins, and a writer that dies anywhere leaves the
//! cycle thread with the last whole commit and a heartbeat that stands still.

use super::atomics::{Atomics, Native, Ordering, Word, newer_by, store_bytes};
use super::layout::{
    LANE_BUFFERS, LANE_DIRTY, LANE_INDEX_MASK, LaneBufferHeader, LaneCycleLine, LaneState,
    LaneWriterLine,
};
use super::ring::{Copied, RingReader};

/// Words of a buffer before the image: `seq` and `epoch`, then `generation`.
const HEADER_WORDS: usize = LaneBufferHeader::SECTION.size / 8;

/// The parts of shared memory that a lane is made of.
pub struct LaneMemory<A: Atomics> {
    /// The owner's line.
    pub writer: A::View<LaneWriterLine<A>>,
    /// The cycle thread's line.
    pub cycle: A::View<LaneCycleLine<A>>,
    /// The three buffers, at equal distances.
    pub buffers: A::View<[A::U64]>,
    /// Bytes of the output image.
    pub output_bytes: usize,
}

impl<A: Atomics> Clone for LaneMemory<A> {
    fn clone(&self) -> Self {
        Self {
            writer: self.writer.clone(),
            cycle: self.cycle.clone(),
            buffers: self.buffers.clone(),
            output_bytes: self.output_bytes,
        }
    }
}

impl<A: Atomics> LaneMemory<A> {
    /// A free lane: middle buffer 0, `front` 2. Before anybody uses it.
    pub fn initialise(&self, first_cycle: u32) {
        self.cycle.changed_cycle.store(first_cycle.wrapping_sub(1), Ordering::Relaxed);
        self.cycle.front.store(2, Ordering::Relaxed);
        self.writer.state.store(0, Ordering::Release);
    }

    /// State, as the cycle thread said it last.
    #[must_use]
    pub fn state(&self) -> LaneState {
        let number = self.cycle.lane_state.load(Ordering::Acquire);
        LaneState::from_number(number).unwrap_or(LaneState::Lost)
    }

    #[inline]
    fn buffer(&self, index: u32) -> &[A::U64] {
        let stride = self.buffers.len() / LANE_BUFFERS;
        let start = (index as usize).min(LANE_BUFFERS - 1) * stride;
        &self.buffers[start..start + stride]
    }
}

/// The steps of a commit, in their order, each named by what has just been done. A test may stop a
/// writer behind any of them, as a crash would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStep {
    /// Nothing yet.
    Begun,
    /// The head of the back buffer is written, its image is not.
    Stamped,
    /// The first half of the image is written.
    HalfCopied,
    /// The whole image is written.
    Copied,
    /// The back buffer has become the middle one.
    Swapped,
    /// The writer knows its new back buffer.
    Exchanged,
    /// The heartbeat has been given: complete.
    Beaten,
}

impl CommitStep {
    /// Every step.
    pub const ALL: &'static [Self] = &[
        Self::Begun,
        Self::Stamped,
        Self::HalfCopied,
        Self::Copied,
        Self::Swapped,
        Self::Exchanged,
        Self::Beaten,
    ];
}

/// The owner's end of a lane.
pub struct LaneWriter<A: Atomics = Native> {
    lane: LaneMemory<A>,
    ring: RingReader<A>,
    back: u32,
    seq: u32,
    epoch: u32,
}

impl<A: Atomics> LaneWriter<A> {
    /// The new owner of a lane that nobody commits to. `ring` is where [`LaneWriter::resume`] finds
    /// the last image sent.
    #[must_use]
    pub fn new(lane: LaneMemory<A>, ring: RingReader<A>) -> Self {
        let epoch = lane.cycle.epoch.load(Ordering::Acquire);
        let front = lane.cycle.front.load(Ordering::Relaxed);
        let middle = lane.writer.state.load(Ordering::Acquire) & LANE_INDEX_MASK;
        // Whatever a former owner died at: the buffer that is neither of both is free.
        let back = (0..LANE_BUFFERS as u32).find(|&b| b != front && b != middle).unwrap_or(1);
        let seq = lane.writer.committed_seq.load(Ordering::Relaxed);
        Self { lane, ring, back, seq, epoch }
    }

    /// Hands the whole output image over; the cycle thread takes those of its bits that the lane has
    /// claimed, with its next cycle. Returns the number of the commit, which its receipt will have.
    /// Also a [`LaneWriter::beat`].
    ///
    /// `image` is as long as the output image; of a shorter one the rest stays what an earlier
    /// commit left there.
    #[inline]
    pub fn commit(&mut self, image: &[u8]) -> u32 {
        self.commit_until(image, |_| false);
        self.seq
    }

    /// A commit that stops dead behind the first step for which `dies` says so: the fault hook.
    /// A writer that died must not be used again.
    #[inline]
    pub fn commit_until(&mut self, image: &[u8], mut dies: impl FnMut(CommitStep) -> bool) {
        if dies(CommitStep::Begun) {
            return;
        }
        self.seq = self.seq.wrapping_add(1);
        let line = &self.lane.writer;
        let buffer = self.lane.buffer(self.back);
        let generation = line.generation.load(Ordering::Relaxed);
        buffer[0].store(u64::from(self.seq) | u64::from(self.epoch) << 32, Ordering::Relaxed);
        buffer[1].store(u64::from(generation), Ordering::Relaxed);
        if dies(CommitStep::Stamped) {
            return;
        }
        let image = &image[..image.len().min(self.lane.output_bytes)];
        let words = &buffer[HEADER_WORDS..];
        let half = image.len() / 16;
        store_bytes(words, &image[..half * 8]);
        if dies(CommitStep::HalfCopied) {
            return;
        }
        store_bytes(&words[half..], &image[half * 8..]);
        if dies(CommitStep::Copied) {
            return;
        }
        line.committed_seq.store(self.seq, Ordering::Relaxed);
        // Release: the buffer is complete before the other side finds it. Acquire: the buffer that
        // comes back is no longer being read.
        let old = line.state.swap(self.back | LANE_DIRTY, Ordering::AcqRel);
        if dies(CommitStep::Swapped) {
            return;
        }
        self.back = old & LANE_INDEX_MASK;
        if dies(CommitStep::Exchanged) {
            return;
        }
        self.beat();
        dies(CommitStep::Beaten);
    }

    /// Says that the owner is alive.
    #[inline]
    pub fn beat(&self) {
        let heartbeat = &self.lane.writer.heartbeat;
        // The owner is the only one who writes it.
        heartbeat.store(heartbeat.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Begins anew after a loss, or at the start: learns the epoch, and fills `shadow` with the last
    /// image sent (zeros where none was), so that the next commit changes nothing that the
    /// application does not change. The lane is live with the next commit.
    ///
    /// Returns the epoch, or `None` where the newest slot could not be copied; then try again.
    pub fn resume(&mut self, shadow: &mut [u8]) -> Option<u32> {
        // The cycle thread says a new epoch after it has published the loss values: with the epoch
        // acquired, the newest slot holds them.
        let epoch = self.lane.cycle.epoch.load(Ordering::Acquire);
        match self.ring.copy_newest_outputs(shadow) {
            Copied::Fresh { .. } => {}
            Copied::Empty => shadow.fill(0),
            _ => return None,
        }
        self.epoch = epoch;
        self.beat();
        Some(epoch)
    }

    /// State, as the cycle thread said it last. A lane that is lost needs [`LaneWriter::resume`].
    #[must_use]
    pub fn state(&self) -> LaneState {
        self.lane.state()
    }

    /// Number of the newest commit; wraps.
    #[must_use]
    pub const fn seq(&self) -> u32 {
        self.seq
    }

    /// Bytes that a shadow has.
    #[must_use]
    pub const fn output_bytes(&self) -> usize {
        self.lane.output_bytes
    }
}

/// Head of a commit that the cycle thread took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Number of the commit.
    pub seq: u32,
    /// Epoch that its writer had.
    pub epoch: u32,
    /// Generation of the claims that its writer had.
    pub generation: u32,
}

/// The cycle thread's end of a lane.
pub struct LanePickup<A: Atomics = Native> {
    lane: LaneMemory<A>,
    front: u32,
    heartbeat: u32,
    beat_age: u32,
}

impl<A: Atomics> LanePickup<A> {
    /// The one reader of `lane`.
    #[must_use]
    pub fn new(lane: LaneMemory<A>) -> Self {
        let front = lane.cycle.front.load(Ordering::Relaxed);
        let heartbeat = lane.writer.heartbeat.load(Ordering::Relaxed);
        Self { lane, front, heartbeat, beat_age: 0 }
    }

    /// Takes the newest commit, if there is one that was not taken before. Its image stays readable
    /// by [`LanePickup::word`] until the next one is taken.
    #[inline]
    pub fn take(&mut self) -> Option<Commit> {
        let state = &self.lane.writer.state;
        if state.load(Ordering::Relaxed) & LANE_DIRTY == 0 {
            return None;
        }
        // Acquire: the buffer found is complete. Release: the buffer given is no longer read.
        let old = state.swap(self.front, Ordering::AcqRel);
        self.front = old & LANE_INDEX_MASK;
        let buffer = self.lane.buffer(self.front);
        let first = buffer[0].load(Ordering::Relaxed);
        Some(Commit {
            seq: first as u32,
            epoch: (first >> 32) as u32,
            generation: buffer[1].load(Ordering::Relaxed) as u32,
        })
    }

    /// Eight bytes of the image of the commit taken last.
    #[inline]
    #[must_use]
    pub fn word(&self, index: usize) -> u64 {
        self.lane.buffer(self.front)[HEADER_WORDS + index].load(Ordering::Relaxed)
    }

    /// Looks at the heartbeat, once a cycle: for how many looks it has stood still.
    #[inline]
    pub fn beat_age(&mut self) -> u32 {
        let heartbeat = self.lane.writer.heartbeat.load(Ordering::Relaxed);
        if newer_by(heartbeat, self.heartbeat) == 0 {
            self.beat_age = self.beat_age.saturating_add(1);
        } else {
            self.heartbeat = heartbeat;
            self.beat_age = 0;
        }
        self.beat_age
    }

    /// Begins to count the heartbeat's age anew.
    pub const fn forget_age(&mut self) {
        self.beat_age = 0;
    }

    /// Says everything that the owner reads.
    pub fn publish(&self, state: LaneState, epoch: u32, applied_seq: u32, changed_cycle: u32) {
        let line = &self.lane.cycle;
        line.front.store(self.front, Ordering::Relaxed);
        line.applied_seq.store(applied_seq, Ordering::Relaxed);
        line.changed_cycle.store(changed_cycle, Ordering::Relaxed);
        line.epoch.store(epoch, Ordering::Release);
        line.lane_state.store(state as u32, Ordering::Release);
    }
}
