//! When a fault acts: a window of time, and within it which of its occasions meet it.
//!
//! What an occasion is depends on the effect: a frame, a mail, a request, a pulse; for conditions (a cable that is
//! cut) and events (a reset) it is the beginning of each `on` phase, so that `count` counts flaps.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::esc::mixed;

/// Everything: in 10⁻⁶.
const CERTAIN_PPM: u32 = 1_000_000;
/// Longest time that a fault may name, in ms: 2^53 ns, about 104 days.
const MS_MAX: f64 = 9_007_199_254.0;
/// Shortest flap, in ns.
pub(super) const FLAP_NS_MIN: u64 = 10_000;
/// More phases than these at once are not made up for.
const PHASES_BEHIND_MAX: u64 = 1_000;

/// Times of a fault. Without anything, from now on at every occasion, until it is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct When<D = u16, F = u32> {
    /// What it waits for first; everything below counts from there on.
    pub at: Option<Milestone<D, F>>,
    /// Begins so long after, in ns.
    #[serde(default, rename = "afterMs", deserialize_with = "ms")]
    pub after_ns: u64,
    /// Begins when so many further frames were sent.
    #[serde(default)]
    pub after_frames: u64,
    /// Ends so long after it began, in ns.
    #[serde(default, rename = "forMs", deserialize_with = "some_ms")]
    pub for_ns: Option<u64>,
    /// So many occasions pass first.
    #[serde(default)]
    pub after: u32,
    /// Ends when so many occasions have met it.
    pub count: Option<u32>,
    /// The chance of an occasion to meet it, in 10⁻⁶; without it, all do.
    pub rate_ppm: Option<u32>,
    /// By chance so many occasions at a time meet it, one after another.
    pub burst: Option<u32>,
    /// Flapping: so long it is there, in ns …
    #[serde(default, rename = "onMs", deserialize_with = "some_ms")]
    pub on_ns: Option<u64>,
    /// … and then so long it is not, in ns.
    #[serde(default, rename = "offMs", deserialize_with = "some_ms")]
    pub off_ns: Option<u64>,
}

/// Something that happens in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Milestone<D = u16, F = u32> {
    /// A device is in a state, as in register 0x0130: 1 INIT, 2 PRE-OP, 3 BOOT, 4 SAFE-OP, 8 OP.
    State {
        /** The device; none: all that see frames. */
        device: Option<D>,
        /** The state. */
        #[serde(deserialize_with = "super::description::state")]
        state: u8,
    },
    /// A frame with a logical address was answered by anybody for the first time.
    ProcessData {},
    /// The n-th request by SDO has come, from 1, counted from when the fault was injected.
    Sdo {
        /** At this device; none: at any. */
        device: Option<D>,
        /** Which one. */
        number: u32,
    },
    /// Another fault has acted for the first time.
    Fault {
        /** Which one. */
        name: F,
    },
}

impl<D, F> Default for When<D, F> {
    fn default() -> Self {
        Self {
            at: None,
            after_ns: 0,
            after_frames: 0,
            for_ns: None,
            after: 0,
            count: None,
            rate_ppm: None,
            burst: None,
            on_ns: None,
            off_ns: None,
        }
    }
}

fn ms<'de, R: Deserializer<'de>>(deserializer: R) -> Result<u64, R::Error> {
    let ms = f64::deserialize(deserializer)?;
    if !(0.0..=MS_MAX).contains(&ms) {
        return Err(R::Error::custom(format!("expected ms from 0 to {MS_MAX}, got {ms}")));
    }
    Ok((ms * 1e6).round() as u64)
}

pub(super) fn some_ms<'de, R: Deserializer<'de>>(deserializer: R) -> Result<Option<u64>, R::Error> {
    ms(deserializer).map(Some)
}

/// Where a fault is in its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has not begun, or waits for its next `on`; when time alone will change that (`u64::MAX`: not time).
    Off(u64),
    /// It is there, until then.
    On(u64),
    /// It never comes again.
    Over,
}

/// A fault's times, as far as they have come.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    when: When,
    /// Time and number of frames when it began to wait; none while its milestone has not come.
    since: Option<(u64, u64)>,
    /// When its window began.
    started_ns: Option<u64>,
    passed: u32,
    pub(super) met: u32,
    burst_left: u32,
    random: u64,
}

impl Schedule {
    pub(super) fn new(when: When, seed: u64, now_ns: u64, frames: u64) -> Self {
        let since = when.at.is_none().then_some((now_ns, frames));
        Self { when, since, started_ns: None, passed: 0, met: 0, burst_left: 0, random: seed }
    }

    /// What it still waits for before it begins to count.
    pub(super) fn milestone(&self) -> Option<Milestone> {
        self.when.at.filter(|_| self.since.is_none())
    }

    /// The milestone has come.
    pub(super) fn begin(&mut self, now_ns: u64, frames: u64) {
        self.since.get_or_insert((now_ns, frames));
    }

    /// Whether frames alone may begin it.
    pub(super) fn waits_for_frames(&self) -> bool {
        self.when.after_frames > 0 && self.started_ns.is_none() && self.since.is_some()
    }

    /// Where it is at a moment. `frames` counts those that were sent, the present one included.
    pub(super) fn phase(&mut self, now_ns: u64, frames: u64) -> Phase {
        let Some((since_ns, since_frames)) = self.since else { return Phase::Off(u64::MAX) };
        if self.when.count.is_some_and(|count| self.met >= count) && !self.flaps() {
            return Phase::Over;
        }
        let started_ns = match self.started_ns {
            Some(started_ns) => started_ns,
            None => {
                let due_ns = since_ns.saturating_add(self.when.after_ns);
                if now_ns < due_ns {
                    return Phase::Off(due_ns);
                }
                if self.when.after_frames > 0 {
                    if frames.saturating_sub(since_frames) <= self.when.after_frames {
                        return Phase::Off(u64::MAX);
                    }
                    *self.started_ns.insert(now_ns)
                } else {
                    *self.started_ns.insert(due_ns)
                }
            }
        };
        let end_ns = self.when.for_ns.map_or(u64::MAX, |ns| started_ns.saturating_add(ns));
        if now_ns >= end_ns {
            return Phase::Over;
        }
        if !self.flaps() {
            return Phase::On(end_ns);
        }
        let (on_ns, period_ns) = self.flap_ns();
        let begun_ns = now_ns - (now_ns - started_ns) % period_ns;
        let off_ns = begun_ns.saturating_add(on_ns);
        if now_ns < off_ns {
            return Phase::On(off_ns.min(end_ns));
        }
        if self.when.count.is_some_and(|count| self.met >= count) {
            return Phase::Over;
        }
        let next_ns = begun_ns.saturating_add(period_ns);
        if next_ns >= end_ns { Phase::Off(end_ns) } else { Phase::Off(next_ns) }
    }

    fn flaps(&self) -> bool {
        self.when.on_ns.is_some() || self.when.off_ns.is_some()
    }

    /// How long it is there, and after how long it is there again.
    fn flap_ns(&self) -> (u64, u64) {
        let on_ns = self.when.on_ns.unwrap_or(FLAP_NS_MIN).max(1);
        (on_ns, on_ns.saturating_add(self.when.off_ns.unwrap_or(0)).max(FLAP_NS_MIN))
    }

    /// Leaves out what lies too far behind to be made up for: the first moment at which to look again.
    pub(super) fn catch_up(&self, due_ns: u64, now_ns: u64) -> u64 {
        if !self.flaps() {
            return due_ns;
        }
        let (_, period_ns) = self.flap_ns();
        let behind = now_ns.saturating_sub(due_ns) / period_ns;
        due_ns + behind.saturating_sub(PHASES_BEHIND_MAX) * period_ns
    }

    /// Something comes by that it concerns, while it is [`Phase::On`]; whether that meets it.
    pub(super) fn meets(&mut self) -> bool {
        if self.when.count.is_some_and(|count| self.met >= count) {
            return false;
        }
        if self.passed < self.when.after {
            self.passed += 1;
            return false;
        }
        if self.burst_left > 0 {
            self.burst_left -= 1;
        } else if let Some(rate_ppm) = self.when.rate_ppm.filter(|&rate| rate < CERTAIN_PPM) {
            self.random = self.random.wrapping_add(1);
            if mixed(self.random) % u64::from(CERTAIN_PPM) >= u64::from(rate_ppm) {
                return false;
            }
            self.burst_left = self.when.burst.unwrap_or(1).saturating_sub(1);
        }
        self.met = self.met.saturating_add(1);
        true
    }
}

impl Schedule {
    /// Whether no further occasion can meet it.
    pub(super) fn is_spent(&self) -> bool {
        self.when.count.is_some_and(|count| self.met >= count)
    }

    /// Whether the next occasion will pass it, whatever else happens.
    pub(super) fn lets_pass(&self) -> bool {
        self.passed < self.when.after
    }
}
