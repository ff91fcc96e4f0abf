//! Lockstep in virtual time: consumers that the cycle thread waits for before each cycle.
//!
//! A registered consumer has a line of its own, where it says up to which cycle it is done. Before the
//! next cycle the cycle thread looks at all of them, and sleeps where one is missing; who acknowledges
//! rings only where it sleeps. One that stays away for too long is given up, until it says something new.

use std::sync::{Mutex, PoisonError};

use super::atomics::{Atomics, Native, Ordering, Word, newer_by};
use super::layout::{CONSUMERS_MAX, ConsumerLine, Control};
use crate::error::{EngineError, ErrorCode};

/// The consumers' lines, and the word that says whether the cycle thread sleeps.
pub struct ConsumerMemory<A: Atomics> {
    /// One a consumer.
    pub lines: Vec<A::View<ConsumerLine<A>>>,
    /// The cycle thread's line.
    pub control: A::View<Control<A>>,
}

impl<A: Atomics> Clone for ConsumerMemory<A> {
    fn clone(&self) -> Self {
        Self { lines: self.lines.clone(), control: self.control.clone() }
    }
}

impl<A: Atomics> ConsumerMemory<A> {
    /// `consumer` is done with everything up to `cycle`. Returns whether the cycle thread is to be woken.
    #[must_use]
    pub fn acknowledge(&self, consumer: u32, cycle: u32) -> bool {
        let Some(line) = self.lines.get(consumer as usize) else { return false };
        // Release: what the consumer committed before is found by the cycle that follows.
        line.acknowledged.store(cycle, Ordering::Release);
        self.sleeps()
    }

    fn sleeps(&self) -> bool {
        // Of this fence and the one in `announce` one is first: either the cycle thread sees what was
        // stored before, or this sees that it sleeps.
        A::fence(Ordering::SeqCst);
        self.control.awaits.load(Ordering::Relaxed) != 0
    }
}

/// Who is registered; for the threads of JavaScript.
pub struct ConsumerRegistry<A: Atomics = Native> {
    memory: ConsumerMemory<A>,
    last: Mutex<u32>,
}

impl<A: Atomics> ConsumerRegistry<A> {
    /// The one registry of `memory`.
    #[must_use]
    pub const fn new(memory: ConsumerMemory<A>) -> Self {
        Self { memory, last: Mutex::new(0) }
    }

    /// Registers a consumer, which is done with everything up to the newest cycle. Returns its number.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there are [`CONSUMERS_MAX`] already.
    pub fn register(&self) -> Result<u32, EngineError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let free = |line: &A::View<ConsumerLine<A>>| line.registered.load(Ordering::Relaxed) == 0;
        let Some(consumer) = self.memory.lines.iter().position(free) else {
            return Err(EngineError::new(
                ErrorCode::InvalidArgument,
                format!("there are {CONSUMERS_MAX} consumers in lockstep already"),
            ));
        };
        *last = last.wrapping_add(1).max(1);
        let line = &self.memory.lines[consumer];
        let latest = self.memory.control.latest_cycle.load(Ordering::Acquire);
        line.acknowledged.store(latest, Ordering::Relaxed);
        line.registered.store(*last, Ordering::Release);
        Ok(consumer as u32)
    }

    /// Ends a registration. Returns whether the cycle thread is to be woken.
    #[must_use]
    pub fn unregister(&self, consumer: u32) -> bool {
        let Some(line) = self.memory.lines.get(consumer as usize) else { return false };
        line.registered.store(0, Ordering::Release);
        self.memory.sleeps()
    }

    /// The way to acknowledge.
    #[must_use]
    pub fn memory(&self) -> &ConsumerMemory<A> {
        &self.memory
    }
}

/// A consumer that has not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its number.
    pub consumer: u32,
    /// The cycle that it acknowledged last.
    pub acknowledged: u32,
    registration: u32,
}

/// The cycle thread's end.
pub struct Lockstep<A: Atomics = Native> {
    memory: ConsumerMemory<A>,
    given_up: [Option<Missing>; CONSUMERS_MAX],
}

impl<A: Atomics> Lockstep<A> {
    /// The one waiter.
    #[must_use]
    pub const fn new(memory: ConsumerMemory<A>) -> Self {
        Self { memory, given_up: [None; CONSUMERS_MAX] }
    }

    /// A consumer that is not done with `cycle` and is waited for, if there is one.
    pub fn missing(&mut self, cycle: u32) -> Option<Missing> {
        for (consumer, (line, given_up)) in
            (0..).zip(self.memory.lines.iter().zip(&mut self.given_up))
        {
            let registration = line.registered.load(Ordering::Acquire);
            let acknowledged = line.acknowledged.load(Ordering::Acquire);
            if registration == 0 || newer_by(acknowledged, cycle) >= 0 {
                *given_up = None;
                continue;
            }
            let missing = Missing { consumer, acknowledged, registration };
            if *given_up != Some(missing) {
                *given_up = None;
                return Some(missing);
            }
        }
        None
    }

    /// Says that this thread is about to sleep for an acknowledgement. Look for it once more afterwards.
    pub fn announce(&self) {
        self.memory.control.awaits.store(1, Ordering::Relaxed);
        A::fence(Ordering::SeqCst);
    }

    /// Says that it is awake.
    pub fn awake(&self) {
        self.memory.control.awaits.store(0, Ordering::Relaxed);
    }

    /// Waits for that consumer no longer, until it acknowledges something or registers anew.
    pub const fn give_up(&mut self, missing: Missing) {
        self.given_up[missing.consumer as usize] = Some(missing);
    }
}
