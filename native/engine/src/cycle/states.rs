//! What the MainDevice knows of every SubDevice: its AL state as last read, the state that was asked of
//! it, and whether it answers at all.
//!
//! The AL engine and the census both read register 0x0130 and tell this table; working counters and
//! quality are derived from it.

use ecat_wire::al::AlState;

/// Error bit of the AL status (register 0x0130 bit 4).
pub const ERROR: u16 = 0x10;
/// The state in the AL status; bit 5 and up say other things.
pub const STATE: u16 = 0x0F;

/// What is known of one SubDevice.
#[derive(Clone, Copy, Debug)]
pub struct SubDeviceState {
    /// Register 0x0130 as last read.
    pub status: u16,
    /// Register 0x0134 as read with it.
    pub code: u16,
    /// The state that the AL engine is taking it to.
    pub requested: Option<AlState>,
    /// Whether the last read of its own came back with working counter 1.
    pub answers: bool,
    /// The executed cycle (counted from 0) in whose window it last answered.
    pub confirmed: u64,
}

impl SubDeviceState {
    /// The AL state as last read, or `None` for a nibble that is no state.
    #[must_use]
    pub fn state(&self) -> Option<AlState> {
        AlState::from_nibble((self.status & STATE) as u8)
    }

    /// Whether it answers and is in OP.
    #[must_use]
    pub fn operational(&self) -> bool {
        self.answers && self.state() == Some(AlState::Op)
    }
}

/// What a reading of a SubDevice's state brought to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing new.
    Same,
    /// Another state, error bit or AL status code.
    State,
    /// It does not answer any more.
    Lost,
    /// It answers again.
    Returned,
}

/// All SubDevices of the segment.
#[derive(Clone, Debug)]
pub struct SubDeviceStates {
    entries: Vec<SubDeviceState>,
    changed: bool,
}

impl SubDeviceStates {
    /// `count` SubDevices that bring-up left in PRE-OP.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let entry = SubDeviceState {
            status: AlState::PreOp as u16,
            code: 0,
            requested: None,
            answers: true,
            confirmed: 0,
        };
        Self { entries: vec![entry; count], changed: true }
    }

    /// How many SubDevices the segment has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the segment is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known of the SubDevice at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> &SubDeviceState {
        &self.entries[index]
    }

    /// Every SubDevice, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SubDeviceState> {
        self.entries.iter()
    }

    /// How many SubDevices answer.
    #[must_use]
    pub fn present(&self) -> u16 {
        self.entries.iter().filter(|entry| entry.answers).count() as u16
    }

    /// The statuses of everybody who answers, ORed as a broadcast read gives them.
    #[must_use]
    pub fn statuses(&self) -> u16 {
        let answering = self.entries.iter().filter(|entry| entry.answers);
        answering.fold(0, |all, entry| all | entry.status)
    }

    /// Notes which state the AL engine takes a SubDevice to.
    pub fn request(&mut self, index: usize, state: Option<AlState>) {
        self.changed |= self.entries[index].requested != state;
        self.entries[index].requested = state;
    }

    /// Notes what a read of 0x0130 (6 bytes) in the window of executed cycle `ordinal` gave: status and
    /// code, or `None` for a working counter of 0.
    pub fn observe(&mut self, index: usize, reading: Option<(u16, u16)>, ordinal: u64) -> Finding {
        let entry = &mut self.entries[index];
        let finding = match reading {
            None if entry.answers => Finding::Lost,
            None => Finding::Same,
            Some(_) if !entry.answers => Finding::Returned,
            Some(read) if read != (entry.status, entry.code) => Finding::State,
            Some(_) => Finding::Same,
        };
        entry.answers = reading.is_some();
        if let Some((status, code)) = reading {
            (entry.status, entry.code, entry.confirmed) = (status, code, ordinal);
        }
        self.changed |= finding != Finding::Same;
        finding
    }

    /// Whether anything has changed since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_a_finding() {
        let mut states = SubDeviceStates::new(2);
        assert!(states.take_changed());
        assert_eq!(states.observe(1, Some((2, 0)), 5), Finding::Same);
        assert!(!states.take_changed());
        assert_eq!(states.get(1).confirmed, 5);
        assert_eq!(states.observe(1, Some((0x14, 0x1B)), 6), Finding::State);
        assert_eq!(states.get(1).state(), Some(AlState::SafeOp));
        assert_eq!(states.observe(1, None, 7), Finding::Lost);
        assert_eq!(states.observe(1, None, 8), Finding::Same);
        assert_eq!(states.observe(1, Some((0x14, 0x1B)), 9), Finding::Returned);
        assert!(states.take_changed());
    }
}
