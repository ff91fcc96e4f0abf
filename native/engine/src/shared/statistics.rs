//! Counters and histograms that JavaScript reads at any time. One writer: the cycle thread, which
//! therefore adds by a plain load and store.

use super::atomics::{Atomics, Native, Ordering, Word};
use super::layout::{Counters, HISTOGRAM_BUCKETS, HISTOGRAM_PARTS, Histogram};
use super::memory::View;

/// The cycle thread's statistics.
#[derive(Clone)]
pub struct Statistics {
    /// Counters; add with [`add`].
    pub counters: View<Counters>,
    /// How late a cycle began.
    pub lateness: View<Histogram>,
    /// Time from the first frame sent to the last one back.
    pub round_trip: View<Histogram>,
    /// Time that publishing a slot took.
    pub publish: View<Histogram>,
}

/// Adds to a word that only this thread writes.
#[inline]
pub fn add<W: Word<u64>>(counter: &W, amount: u64) {
    let value = counter.load(Ordering::Relaxed);
    counter.store(value.wrapping_add(amount), Ordering::Relaxed);
}

impl<A: Atomics> Histogram<A> {
    /// Counts a duration.
    #[inline]
    pub fn record(&self, duration_ns: u64) {
        add(&self.buckets[bucket_of(duration_ns)], 1);
        add(&self.count, 1);
        add(&self.sum_ns, duration_ns);
        if duration_ns > self.max_ns.load(Ordering::Relaxed) {
            self.max_ns.store(duration_ns, Ordering::Relaxed);
        }
    }
}

impl Histogram<Native> {
    /// The value that `share` (0 to 1) of all values do not exceed, rounded up to the end of its
    /// bucket; 0 where nothing was recorded.
    #[must_use]
    pub fn quantile_ns(&self, share: f64) -> u64 {
        let counts: Vec<u64> = self.buckets.iter().map(|b| b.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        let wanted = (share * total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return bucket_end(bucket).min(self.max_ns.load(Ordering::Relaxed));
            }
        }
        0
    }
}

const PARTS_BITS: u32 = HISTOGRAM_PARTS.trailing_zeros();

/// Index of the bucket that counts `value_ns`.
#[inline]
#[must_use]
pub fn bucket_of(value_ns: u64) -> usize {
    if value_ns < HISTOGRAM_PARTS as u64 {
        return value_ns as usize;
    }
    let shift = value_ns.ilog2() - PARTS_BITS;
    let bucket = shift as usize * HISTOGRAM_PARTS + (value_ns >> shift) as usize;
    bucket.min(HISTOGRAM_BUCKETS - 1)
}

/// Largest value that `bucket` counts.
#[must_use]
pub fn bucket_end(bucket: usize) -> u64 {
    match bucket {
        0..HISTOGRAM_PARTS => bucket as u64,
        _ if bucket == HISTOGRAM_BUCKETS - 1 => u64::MAX,
        _ => {
            let shift = bucket / HISTOGRAM_PARTS - 1;
            let part = (bucket % HISTOGRAM_PARTS + HISTOGRAM_PARTS) as u64;
            ((part + 1) << shift) - 1
        }
    }
}
