//! Percentiles of raw durations.

use serde::Serialize;

/// Percentiles in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// Half of all values do not exceed it.
    pub p50: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p999: u64,
    /// The largest.
    pub max: u64,
    /// How many values.
    pub count: usize,
}

/// Durations, in memory that was touched before the measurement.
pub struct Samples(Vec<u64>);

impl Samples {
    /// Room for `capacity` durations.
    pub fn new(capacity: usize) -> Self {
        // Written once, so that no page is faulted in while measuring.
        let mut values = vec![u64::MAX; capacity];
        values.clear();
        Self(values)
    }

    /// Keeps a duration; one beyond the capacity is dropped.
    pub fn push(&mut self, ns: u64) {
        if self.0.len() < self.0.capacity() {
            self.0.push(ns);
        }
    }

    /// The percentiles.
    pub fn figures(mut self) -> Figures {
        self.0.sort_unstable();
        let count = self.0.len();
        let at = |share: f64| {
            let rank = (count as f64 * share).ceil() as usize;
            self.0.get(rank.max(1) - 1).copied().unwrap_or(0)
        };
        Figures { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1.0), count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut samples = Samples::new(1_000);
        (1..=1_000).rev().for_each(|ns| samples.push(ns));
        samples.push(9);
        let figures = samples.figures();
        assert_eq!((figures.p50, figures.p99, figures.p999, figures.max), (500, 990, 999, 1_000));
        assert_eq!(Samples::new(3).figures().max, 0);
    }
}
