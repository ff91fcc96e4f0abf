//! Interlocks as the cycle thread runs them: evaluated on the inputs of the cycle, latched until they are
//! acknowledged. Nothing here allocates, locks, or calls the operating system.
//!
//! An acknowledgement names the latch that it was made for. The number changes whenever the interlock
//! fires (again) or refuses, so that one made for what was seen never releases what came after.

use std::sync::Arc;

use super::atomics::{Atomics, Native, Ordering, Word};
use super::interlock::Interlock;
use super::layout::InterlockState;

/// The two sections of the interlocks.
pub struct InterlockMemory<A: Atomics> {
    /// State and latch, by place: [`super::layout::InterlockTable`], the cycle thread's.
    pub states: A::View<[A::U64]>,
    /// Latches that were acknowledged, by place: [`super::layout::InterlockAcknowledgements`], everybody else's.
    pub acknowledgements: A::View<[A::U64]>,
}

impl<A: Atomics> Clone for InterlockMemory<A> {
    fn clone(&self) -> Self {
        Self { states: self.states.clone(), acknowledgements: self.acknowledgements.clone() }
    }
}

/// What a cycle received.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// The input image.
    pub inputs: &'a [u8],
    /// One quality byte a SubDevice; 0 is good.
    pub quality: &'a [u8],
}

/// Something happened to an interlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterlockEvent {
    /// Its place.
    pub slot: u32,
    /// What.
    pub kind: InterlockEventKind,
}

/// What happened to an interlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterlockEventKind {
    /// It fired: its condition holds, or its input is not good.
    Fired {
        /// Whether the input is not good.
        invalid: bool,
    },
    /// Its outputs are free again: it was acknowledged, or is no longer declared.
    Released {
        /// Whether it is no longer declared.
        removed: bool,
    },
    /// It was acknowledged, but its condition holds, or its input is not good.
    Refused,
}

/// What came of an acknowledgement, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// The next cycle releases it, or refuses where the condition holds again by then.
    Requested,
    /// It has not fired.
    NotFired,
    /// Its condition holds, or its input is not good.
    Holds,
}

impl<A: Atomics> InterlockMemory<A> {
    /// Asks for the release of the interlock at that place. For any thread.
    #[must_use]
    pub fn acknowledge(&self, slot: u32) -> Acknowledged {
        let Some(word) = self.states.get(slot as usize) else {
            return Acknowledged::NotFired;
        };
        // State and latch in one load: the latch is the one that is seen latched.
        let word = word.load(Ordering::Acquire);
        match InterlockState::from_number(word as u32) {
            Some(InterlockState::Fired) => Acknowledged::Holds,
            Some(InterlockState::Latched) => {
                self.acknowledgements[slot as usize].store(word >> 32, Ordering::Release);
                Acknowledged::Requested
            }
            _ => Acknowledged::NotFired,
        }
    }
}

#[derive(Clone, Copy)]
struct Slot {
    state: InterlockState,
    latch: u32,
    serial: u32,
    /// Taken away while it forced: to be told.
    removed: bool,
}

/// The cycle thread's end.
pub struct InterlockRunner<A: Atomics = Native> {
    memory: InterlockMemory<A>,
    slots: Box<[Slot]>,
    removals: bool,
}

impl<A: Atomics> InterlockRunner<A> {
    /// Without interlocks.
    #[must_use]
    pub fn new(memory: InterlockMemory<A>) -> Self {
        let slot = Slot { state: InterlockState::Unused, latch: 0, serial: 0, removed: false };
        Self { slots: vec![slot; memory.states.len()].into(), memory, removals: false }
    }

    /// Goes over from the interlocks of `before` to those of `now`: one that is in both goes on as it was;
    /// a new one looks at `seen` at once, so that it forces nothing without a cause.
    pub fn adopt(&mut self, before: &[Interlock], now: &[Interlock], seen: Seen<'_>) {
        for interlock in before {
            let slot = &mut self.slots[interlock.slot as usize];
            if !now.iter().any(|kept| kept.serial == slot.serial) {
                slot.removed =
                    matches!(slot.state, InterlockState::Fired | InterlockState::Latched);
                self.removals |= slot.removed;
                self.set(interlock.slot, InterlockState::Unused);
            }
        }
        for interlock in now {
            let slot = &mut self.slots[interlock.slot as usize];
            if slot.serial == interlock.serial {
                continue;
            }
            slot.serial = interlock.serial;
            self.set(interlock.slot, InterlockState::Waiting);
            if look(interlock, seen) == Some(false) {
                self.set(interlock.slot, InterlockState::Armed);
            }
        }
    }

    /// Evaluates every interlock on what a cycle received.
    pub fn evaluate(
        &mut self,
        interlocks: &[Interlock],
        seen: Seen<'_>,
        mut event: impl FnMut(InterlockEvent),
    ) {
        if std::mem::take(&mut self.removals) {
            for (slot, state) in (0..).zip(&mut self.slots) {
                if std::mem::take(&mut state.removed) {
                    let kind = InterlockEventKind::Released { removed: true };
                    event(InterlockEvent { slot, kind });
                }
            }
        }
        for interlock in interlocks {
            let slot = interlock.slot;
            let kind = self.step(slot, look(interlock, seen));
            if let Some(kind) = kind {
                event(InterlockEvent { slot, kind });
            }
        }
    }

    /// Whether the interlock at that place forces its outputs.
    #[inline]
    #[must_use]
    pub fn forces(&self, slot: u32) -> bool {
        !matches!(self.slots[slot as usize].state, InterlockState::Unused | InterlockState::Armed)
    }

    fn step(&mut self, slot: u32, holds: Option<bool>) -> Option<InterlockEventKind> {
        use InterlockState::{Armed, Fired, Latched, Unused, Waiting};
        let Slot { state, latch, .. } = self.slots[slot as usize];
        let fires = holds != Some(false);
        match state {
            Unused | Waiting if holds.is_none() => None,
            Unused | Waiting | Armed if fires => {
                self.renew(slot, Fired);
                Some(InterlockEventKind::Fired { invalid: holds.is_none() })
            }
            Unused | Waiting => {
                self.set(slot, Armed);
                None
            }
            Armed => None,
            Fired | Latched => {
                let acknowledgement = &self.memory.acknowledgements[slot as usize];
                let acknowledged = acknowledgement.load(Ordering::Acquire) == u64::from(latch);
                match (fires, acknowledged) {
                    (true, true) => {
                        self.renew(slot, Fired);
                        Some(InterlockEventKind::Refused)
                    }
                    (true, false) => {
                        if state == Latched {
                            self.renew(slot, Fired);
                        }
                        None
                    }
                    (false, true) if state == Latched => {
                        self.set(slot, Armed);
                        Some(InterlockEventKind::Released { removed: false })
                    }
                    (false, _) => {
                        if state == Fired {
                            self.set(slot, Latched);
                        }
                        None
                    }
                }
            }
        }
    }

    /// Sets a state with a new latch, for which no acknowledgement can be there yet.
    fn renew(&mut self, slot: u32, state: InterlockState) {
        let latch = &mut self.slots[slot as usize].latch;
        *latch = latch.wrapping_add(1);
        self.set(slot, state);
    }

    fn set(&mut self, slot: u32, state: InterlockState) {
        let entry = &mut self.slots[slot as usize];
        entry.state = state;
        let word = u64::from(entry.latch) << 32 | u64::from(state as u32);
        self.memory.states[slot as usize].store(word, Ordering::Release);
    }
}

/// Whether the condition holds; `None` where the input is not good.
#[inline]
fn look(interlock: &Interlock, seen: Seen<'_>) -> Option<bool> {
    let good = seen.quality.get(interlock.device as usize) == Some(&0);
    good.then(|| interlock.holds(seen.inputs))
}

/// The interlocks of a plan.
pub type Interlocks = Arc<[Interlock]>;
