//! A window of an engine's histogram: what it counted between two looks.

use ecat_engine::shared::atomics::{Native, Ordering};
use ecat_engine::shared::layout::{HISTOGRAM_BUCKETS, Histogram};
use ecat_engine::shared::statistics::bucket_end;

use crate::samples::Figures;

/// What a histogram had counted at a moment.
pub struct Look([u64; HISTOGRAM_BUCKETS]);

impl Look {
    /// Looks at a histogram.
    pub fn at(histogram: &Histogram<Native>) -> Self {
        Self(std::array::from_fn(|bucket| histogram.buckets[bucket].load(Ordering::Relaxed)))
    }

    /// What was counted since, each value rounded up to the end of its bucket (6 % at most).
    pub fn figures_since(&self, before: &Self) -> Figures {
        let counts: Vec<u64> = self.0.iter().zip(&before.0).map(|(now, then)| now - then).collect();
        let count: u64 = counts.iter().sum();
        let at = |share: f64| {
            let rank = ((count as f64 * share).ceil() as u64).max(1);
            let mut seen = 0;
            let reached = |&bucket: &usize| {
                seen += counts[bucket];
                seen >= rank
            };
            (0..counts.len()).find(reached).map_or(0, bucket_end)
        };
        Figures {
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: at(1.0),
            count: count as usize,
        }
    }
}
