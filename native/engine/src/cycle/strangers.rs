//! SubDevices that answer beside those that were brought up: plugged in since, or started anew without an address.
//!
//! The state check is a broadcast, which they take part in too. One that was lost and returns with its address does so
//! for as long as the census takes to find it, and is no stranger: hence the wait.

/// How many there are, and how many were told of.
#[derive(Clone, Copy, Debug)]
pub struct Strangers {
    /// Cycles that a number has to stand.
    patience: u64,
    count: u16,
    since: u64,
    told: u16,
}

impl Strangers {
    /// None yet. A number is told when it has stood for `patience` cycles.
    #[must_use]
    pub const fn new(patience: u64) -> Self {
        Self { patience, count: 0, since: 0, told: 0 }
    }

    /// Takes how many took part in the state check of executed cycle `ordinal`, and how many are known to be there. Returns
    /// how many more there are, where that is more than was told before.
    pub fn note(&mut self, took_part: u16, present: u16, ordinal: u64) -> Option<u16> {
        let count = took_part.saturating_sub(present);
        if count != self.count {
            (self.count, self.since) = (count, ordinal);
        }
        if ordinal - self.since < self.patience || count == self.told {
            return None;
        }
        let more = count > self.told;
        self.told = count;
        more.then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_told_once_when_it_has_stayed() {
        let mut strangers = Strangers::new(10);
        assert_eq!(strangers.note(3, 3, 1), None);
        assert!((2..12).all(|ordinal| strangers.note(4, 3, ordinal).is_none()));
        assert_eq!(strangers.note(4, 3, 12), Some(1));
        assert!((13..40).all(|ordinal| strangers.note(4, 3, ordinal).is_none()));
        assert!((40..50).all(|ordinal| strangers.note(5, 3, ordinal).is_none()));
        assert_eq!(strangers.note(5, 3, 50), Some(2));
        // It goes, and another one comes.
        assert!((51..70).all(|ordinal| strangers.note(3, 3, ordinal).is_none()));
        assert!((70..80).all(|ordinal| strangers.note(4, 3, ordinal).is_none()));
        assert_eq!(strangers.note(4, 3, 80), Some(1));
    }

    #[test]
    fn one_that_returns_with_its_address_is_none() {
        let mut strangers = Strangers::new(10);
        assert!((1..9).all(|ordinal| strangers.note(3, 2, ordinal).is_none()));
        assert!((9..40).all(|ordinal| strangers.note(3, 3, ordinal).is_none()));
    }
}
