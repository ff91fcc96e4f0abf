//! Signals: what an input does by itself, as a function of the segment's time.

use super::number::Number;
use crate::description::{DescriptionError, SignalDescription};

/// Periods are held in ns; below one there is nothing to see, and above this the time has no place.
const PERIOD_MS_MAX: f64 = 1e12;

/// A value over time. Deterministic: nothing but the time goes in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Signal {
    Sine { amplitude: f64, offset: f64, period_ns: u64 },
    Counter { period_ns: u64 },
    Square { period_ns: u64 },
    Constant { value: f64 },
}

impl Signal {
    /// Reads the one of the four that a description has; errors begin at the signal.
    pub(super) fn new(description: &SignalDescription) -> Result<Self, DescriptionError> {
        let SignalDescription { sine, counter, square, constant, .. } = *description;
        match (sine, counter, square, constant) {
            (Some(sine), None, None, None) => Ok(Self::Sine {
                amplitude: sine.amplitude,
                offset: sine.offset,
                period_ns: period_ns("/sine/periodMs", sine.period_ms)?,
            }),
            (None, Some(counter), None, None) => {
                Ok(Self::Counter { period_ns: period_ns("/counter/periodMs", counter.period_ms)? })
            }
            (None, None, Some(square), None) => {
                Ok(Self::Square { period_ns: period_ns("/square/periodMs", square.period_ms)? })
            }
            (None, None, None, Some(value)) => Ok(Self::Constant { value }),
            _ => Err(DescriptionError::new(
                "",
                "a signal is exactly one of sine, counter, square and constant",
            )),
        }
    }

    pub(super) fn at(self, now_ns: u64) -> Number {
        match self {
            Self::Sine { amplitude, offset, period_ns } => {
                // Within the period first: a time since boot has more digits than a real.
                #[expect(clippy::cast_precision_loss, reason = "a period above 104 days loses ns")]
                let turns = (now_ns % period_ns) as f64 / period_ns as f64;
                Number::Real(offset + amplitude * (turns * std::f64::consts::TAU).sin())
            }
            Self::Counter { period_ns } => Number::Count(now_ns / period_ns),
            Self::Square { period_ns } => {
                Number::Integer(i128::from(now_ns % period_ns < period_ns.div_ceil(2)))
            }
            Self::Constant { value } => Number::Real(value),
        }
    }
}

fn period_ns(path: &str, period_ms: f64) -> Result<u64, DescriptionError> {
    let period_ns = (period_ms * 1e6).round();
    if !(1.0..=PERIOD_MS_MAX * 1e6).contains(&period_ns) {
        let message =
            format!("{period_ms} ms is no period: it must be above 0 and at most {PERIOD_MS_MAX}");
        return Err(DescriptionError::new(path, message));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Ok(period_ns as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::{PeriodDescription, SineDescription};

    const MS: u64 = 1_000_000;

    #[test]
    fn a_sine_goes_through_its_offset_and_its_extremes() {
        let sine = Signal::Sine { amplitude: 100.0, offset: 10.0, period_ns: 8 * MS };
        let at = |ms| match sine.at(ms * MS) {
            Number::Real(value) => value.round(),
            other => panic!("{other:?}"),
        };
        assert_eq!([at(0), at(2), at(4), at(6), at(8)], [10.0, 110.0, 10.0, -90.0, 10.0]);
        // After a year of running, as at the beginning.
        assert_eq!(at(8 * 3_942_000_000 + 2), 110.0);
    }

    #[test]
    fn a_counter_counts_periods_and_a_square_halves_them() {
        let counter = Signal::Counter { period_ns: 5 * MS };
        assert_eq!(
            [0, 4, 5, 14, 15].map(|ms| counter.at(ms * MS)),
            [0, 0, 1, 2, 3].map(Number::Count)
        );
        let square = Signal::Square { period_ns: 4 * MS };
        assert_eq!(
            [0, 1, 2, 3, 4].map(|ms| square.at(ms * MS)),
            [1, 1, 0, 0, 1].map(Number::Integer)
        );
    }

    #[test]
    fn a_signal_is_exactly_one_thing_with_a_real_period() {
        let period = |period_ms| Some(PeriodDescription { period_ms });
        let signal = |counter, square| {
            Signal::new(&SignalDescription { counter, square, ..SignalDescription::default() })
        };
        assert_eq!(signal(period(0.5), None), Ok(Signal::Counter { period_ns: 500_000 }));
        assert!(signal(None, None).unwrap_err().message.contains("exactly one"));
        assert!(signal(period(1.0), period(1.0)).unwrap_err().message.contains("exactly one"));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(signal(None, period(wrong)).unwrap_err().path, "/square/periodMs");
        }
        let sine = SineDescription { amplitude: 1.0, offset: 0.0, period_ms: 0.0 };
        let description = SignalDescription { sine: Some(sine), ..SignalDescription::default() };
        assert_eq!(Signal::new(&description).unwrap_err().path, "/sine/periodMs");
    }
}
