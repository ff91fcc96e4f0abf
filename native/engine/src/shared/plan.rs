//! The merge plan: which lane gives which bits of the output image. Immutable, built by JavaScript's
//! threads, handed to the cycle thread and back without a lock.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::Arc;

use super::atomics::{Atomics, Native, Ordering, Pointer};
use super::interlocks::Interlocks;

/// What the registry wants of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// Nobody has it.
    #[default]
    Idle,
    /// Its bits are merged.
    Claimed,
    /// Its bits go to their loss values, then the lane is free.
    Releasing,
}

/// Eight bytes of the output image in which a lane has claimed bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanWord {
    /// Index of the eight bytes.
    pub index: u32,
    /// Claimed bits.
    pub mask: u64,
    /// Claimed bits that take `loss_value` when the lane is lost; the others hold.
    pub loss_mask: u64,
    /// Their values.
    pub loss_value: u64,
}

/// Claims that a lane had before, while a commit made under them may still be on its way.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// Their generation.
    pub generation: u32,
    /// Bits that were claimed then and ever since: index of the eight bytes, and mask.
    pub words: Arc<[(u32, u64)]>,
}

/// A lane's part of a plan.
#[derive(Clone, Debug, Default)]
pub struct LanePlan {
    /// What is wanted.
    pub intent: Intent,
    /// Generation of the plan in which this part changed last.
    pub generation: u32,
    /// Claimed words, ascending.
    pub words: Arc<[PlanWord]>,
    /// What commits made under earlier claims still may change.
    pub earlier: Arc<[Earlier]>,
    /// Areas with at least one claimed bit.
    pub areas: Arc<[u32]>,
    /// Cycles that the heartbeat may stand still; 0 where it may for ever.
    pub beat_limit: u32,
    /// Cycles that may pass between two commits; 0 where any number may.
    pub commit_limit: u32,
}

/// A plan: one part a lane, and the interlocks.
#[derive(Debug)]
pub struct Plan {
    /// Counts plans.
    pub generation: u32,
    /// One part a lane.
    pub lanes: Vec<LanePlan>,
    /// What forces outputs whatever the lanes say.
    pub interlocks: Interlocks,
    older: Option<Box<Plan>>,
}

impl Plan {
    /// A plan.
    #[must_use]
    pub const fn new(generation: u32, lanes: Vec<LanePlan>, interlocks: Interlocks) -> Self {
        Self { generation, lanes, interlocks, older: None }
    }
}

/// Two places for plans: one on its way to the cycle thread, the newest displacing any before it, and
/// the retired ones on their way back, as a chain. Wait-free at both ends (a queue would let the cycle
/// thread spin while a thread of lower priority is between the two steps of its push).
pub struct PlanExchange<A: Atomics = Native> {
    offered: A::Pointer<Plan>,
    retired: A::Pointer<Plan>,
}

impl<A: Atomics> Default for PlanExchange<A> {
    fn default() -> Self {
        Self { offered: Pointer::null(), retired: Pointer::null() }
    }
}

impl<A: Atomics> PlanExchange<A> {
    /// Offers a plan, and drops the retired ones and the one that was offered before and not taken.
    /// Not for the cycle thread.
    pub fn offer(&self, plan: Box<Plan>) {
        drop(take(&self.retired));
        // Release: the plan is complete before it can be found. Acquire: so is the one that returns.
        let displaced = self.offered.swap(Box::into_raw(plan), Ordering::AcqRel);
        drop(own(displaced));
    }

    /// Takes the newest plan, if there is one that was not taken before. For the cycle thread.
    pub fn take(&self) -> Option<Box<Plan>> {
        take(&self.offered)
    }

    /// Gives a plan back, to be dropped by a later [`PlanExchange::offer`]. For the cycle thread;
    /// neither allocates nor frees.
    pub fn retire(&self, mut plan: Box<Plan>) {
        // Only this thread ever puts anything here, so the place stays empty between both swaps.
        plan.older = take(&self.retired);
        let before = self.retired.swap(Box::into_raw(plan), Ordering::AcqRel);
        debug_assert!(before.is_null());
    }
}

impl<A: Atomics> Drop for PlanExchange<A> {
    fn drop(&mut self) {
        drop(take(&self.offered));
        drop(take(&self.retired));
    }
}

fn take<P: Pointer<Plan>>(place: &P) -> Option<Box<Plan>> {
    own(place.swap(ptr::null_mut(), Ordering::AcqRel))
}

fn own(pointer: *mut Plan) -> Option<Box<Plan>> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: every pointer that is not null came from `Box::into_raw` and was stored once; the swap
    // that returned it took it out, so that nobody else can own it.
    Some(unsafe { Box::from_raw(pointer) })
}
