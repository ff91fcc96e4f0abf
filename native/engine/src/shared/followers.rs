//! How many consumers follow the change logs: while nobody does, the decode workers compare and publish nothing.
//!
//! A consumer that begins to follow says so first, and makes itself right from the newest slot then; a decode worker
//! copies a slot first, and looks whether anybody follows then. One of the two sees the other: either the worker
//! publishes what changed in that slot, or the consumer finds this slot, or a newer one, as the newest.

use super::atomics::{Atomics, Native, Ordering, Word};

/// The consumers of one engine that follow its change logs.
pub struct Followers<A: Atomics = Native> {
    count: A::U32,
}

impl<A: Atomics> Default for Followers<A> {
    fn default() -> Self {
        Self { count: Word::new(0) }
    }
}

impl<A: Atomics> Followers<A> {
    /// One more follows: it copies the newest slot after this.
    pub fn join(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        A::fence(Ordering::SeqCst);
    }

    /// One of them follows no longer.
    pub fn leave(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether anybody follows: a decode worker asks after it has copied a slot.
    #[must_use]
    pub fn any(&self) -> bool {
        A::fence(Ordering::SeqCst);
        self.count.load(Ordering::SeqCst) != 0
    }
}
