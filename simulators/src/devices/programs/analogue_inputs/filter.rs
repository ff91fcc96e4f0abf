//! The filters of analogue inputs.

/// A filter takes at most this many samples at once.
pub(super) const SAMPLES: usize = 32;
const SECOND_NS: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
/// Hz, by 0x80n0:15 of EL30xx and EL31xx; behind them IIR 1 to 8.
const NOTCHES: [u64; 2] = [50, 60];
/// Hz, by 0x80n0:15 of EL32xx.
const THERMOMETER_NOTCHES: [u64; 12] =
    [50, 60, 100, 500, 1_000, 2_000, 3_750, 7_500, 15_000, 30_000, 5, 10];

/// What a terminal does with its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Nothing.
    Off,
    /// The mean of one period (FIR): its frequency and multiples vanish. One of 20 ms has −3 dB at 22 Hz, one of
    /// 16.7 ms at 26 Hz, as the documentation lists; 32 samples take 625 and 521 µs each, as it lists as well.
    Mean {
        /// Between two samples.
        interval_ns: u64,
        /// Of a period.
        samples: usize,
    },
    /// `y = x / 2^level + y · (1 − 1 / 2^level)` (IIR), the documented difference equation.
    Recursive {
        /// 1 to 8.
        level: u8,
    },
}

impl Filter {
    pub(super) fn by_setting(setting: i64, thermometer: bool) -> Self {
        let setting = usize::try_from(setting).unwrap_or(usize::MAX);
        if thermometer {
            let notch = THERMOMETER_NOTCHES.get(setting).copied().unwrap_or(50);
            let period_ns = SECOND_NS / notch;
            let interval_ns = (period_ns / SAMPLES as u64).max(MS);
            let samples = (period_ns / interval_ns).max(1) as usize;
            return Self::Mean { interval_ns, samples };
        }
        match (NOTCHES.get(setting), setting) {
            (Some(notch), _) => {
                Self::Mean { interval_ns: SECOND_NS / notch / SAMPLES as u64, samples: SAMPLES }
            }
            (None, 2..=9) => Self::Recursive { level: setting as u8 - 1 },
            _ => Self::Off,
        }
    }

    /// Between two conversions.
    pub(super) fn interval_ns(self, conversion_ns: u64) -> u64 {
        match self {
            Self::Mean { interval_ns, .. } => interval_ns,
            Self::Off | Self::Recursive { .. } => conversion_ns,
        }
    }
}

/// What a channel's filter remembers.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    samples: [f64; SAMPLES],
    next: usize,
    output: f64,
}

impl Memory {
    pub(super) fn settled(value: f64) -> Self {
        Self { samples: [value; SAMPLES], next: 0, output: value }
    }

    /// Takes the same value so many times.
    pub(super) fn take(&mut self, value: f64, times: u64, filter: Filter) -> f64 {
        for _ in 0..times.min(SAMPLES as u64) {
            self.samples[self.next] = value;
            self.next = (self.next + 1) % SAMPLES;
        }
        self.output = match filter {
            Filter::Off => value,
            Filter::Mean { samples, .. } => {
                let latest =
                    (0..samples).map(|n| self.samples[(self.next + SAMPLES - 1 - n) % SAMPLES]);
                latest.sum::<f64>() / samples as f64
            }
            Filter::Recursive { level } => {
                let rest = 1.0 - 1.0 / f64::from(1u16 << level);
                value + (self.output - value) * rest.powi(times.min(100_000) as i32)
            }
        };
        self.output
    }
}
