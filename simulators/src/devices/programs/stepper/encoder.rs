//! The encoder interface of the terminal: counter, set counter, latches (0x6000, 0x7000).

use super::objects::{Item, Read};

/// Counter and latch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Encoder {
    offset: i64,
    counts: i64,
    set: bool,
    latch_input: bool,
    enabled: [bool; 3],
    /// Latch C is valid, the external latch is.
    pub(super) valid: [bool; 2],
    pub(super) latched: i64,
    pub(super) set_done: bool,
}

impl Encoder {
    /// What the counter shows.
    pub(super) const fn value(&self) -> i64 {
        self.counts + self.offset
    }

    pub(super) const fn counts(&self) -> i64 {
        self.counts
    }

    /// One tick: counts of the shaft, and the latch input.
    pub(super) fn tick(&mut self, counts: i64, increments: i64, input: bool) {
        let before = std::mem::replace(&mut self.counts, counts);
        let was = std::mem::replace(&mut self.latch_input, input);
        // The zero pulse comes once a revolution.
        let turn = |counts: i64| counts.div_euclid(increments.max(1));
        let [c, rising, falling] = self.enabled;
        if c && !self.valid[0] && turn(counts) != turn(before) {
            let index = turn(counts).max(turn(before)) * increments;
            (self.latched, self.valid[0]) = (index + self.offset, true);
        }
        if (rising && input && !was || falling && !input && was) && !self.valid[1] {
            (self.latched, self.valid[1]) = (self.value(), true);
        }
    }

    /// Reads the outputs. A latch is armed by the rising edge of its bit and valid until the bit falls.
    pub(super) fn read(&mut self, read: &Read) {
        let set = read.on(Item::SetCounter);
        if set && !self.set {
            self.offset = read.get(Item::SetCounterValue) - self.counts;
        }
        (self.set, self.set_done) = (set, set);
        self.enabled =
            [Item::LatchC, Item::LatchRising, Item::LatchFalling].map(|item| read.on(item));
        let [c, rising, falling] = self.enabled;
        self.valid = [self.valid[0] && c, self.valid[1] && (rising || falling)];
    }

    /// The counter begins anew.
    pub(super) fn set_value(&mut self, value: i64) {
        self.offset = value - self.counts;
    }
}
