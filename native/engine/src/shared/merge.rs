//! From the lanes to the output image, once a cycle, on the cycle thread. Nothing here allocates,
//! locks, or calls the operating system.
//!
//! A cycle is: [`OutputMerger::merge`], the frames, [`OutputMerger::evaluate`],
//! [`super::ring::SlotWriter::publish`], [`OutputMerger::settle`]. The order in the image is lanes, loss
//! values, interlocks: what an interlock forces is forced whatever the lanes say, and when it is released,
//! the outputs follow the lanes again. What owners read of their lane is said in `settle`, when the slot with
//! the image is published, so that who resumes finds the image that belongs to the epoch.

use std::ops::Range;
use std::sync::Arc;

use super::atomics::{Atomics, Native, Ordering, Word};
use super::change_log::LogMemory;
use super::interlocks::{InterlockEvent, InterlockRunner, Seen};
use super::lane::{Commit, LaneMemory, LanePickup};
use super::layout::{Control, LaneState};
use super::plan::{Intent, LanePlan, Plan, PlanExchange, PlanWord};
use super::receipts::{Reach, ReceiptWriter};
use super::ring::Published;

/// A lane changed its state, as [`OutputMerger::settle`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneEvent {
    /// The lane.
    pub lane: u32,
    /// Its new state.
    pub state: LaneState,
    /// The cycle.
    pub cycle: u32,
}

/// What [`OutputMerger::settle`] counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Commits that went into the frames of this cycle.
    pub commits: u32,
    /// Commits whose receipt says failed.
    pub commits_failed: u32,
    /// Lanes that missed their deadline.
    pub lanes_lost: u32,
    /// Receipts that were written, for their owners to read.
    pub receipts: u32,
}

struct Lane<A: Atomics> {
    pickup: LanePickup<A>,
    receipts: ReceiptWriter<A>,
    taken: Option<Commit>,
    state: LaneState,
    said: LaneState,
    epoch: u32,
    applied_seq: u32,
    changed_cycle: u32,
    /// Cycles since the last commit.
    age: u32,
    /// Whether an urgent merge took a commit that is not decided yet.
    early: bool,
}

/// The cycle thread's end of all lanes, with the image that they are merged into.
pub struct OutputMerger<A: Atomics = Native> {
    /// What the lanes want.
    image: Box<[[u8; 8]]>,
    /// What was sent last: the same, with what the interlocks force.
    sent: Box<[[u8; 8]]>,
    /// What an urgent frame would send.
    next: Box<[[u8; 8]]>,
    /// The cycle that the last urgent merge came before, until that cycle.
    early: Option<u32>,
    /// Whether an urgent frame since the last cycle did not arrive: what was sent is not what is there.
    doubtful: bool,
    output_bytes: usize,
    lanes: Box<[Lane<A>]>,
    control: A::View<Control<A>>,
    plans: Arc<PlanExchange<A>>,
    plan: Option<Box<Plan>>,
    interlocks: InterlockRunner<A>,
    adopted: bool,
    closing: bool,
    counts: Settled,
}

impl<A: Atomics> OutputMerger<A> {
    /// A merger with an image of zeros; see [`super::memory::Attached::outputs`].
    #[must_use]
    pub fn new(
        output_bytes: usize,
        lanes: Vec<(LaneMemory<A>, LogMemory<A>)>,
        control: A::View<Control<A>>,
        plans: Arc<PlanExchange<A>>,
        interlocks: InterlockRunner<A>,
    ) -> Self {
        let lane = |(memory, receipts): (LaneMemory<A>, LogMemory<A>)| Lane {
            taken: None,
            state: LaneState::Free,
            said: LaneState::Free,
            epoch: memory.cycle.epoch.load(Ordering::Relaxed),
            applied_seq: memory.cycle.applied_seq.load(Ordering::Relaxed),
            changed_cycle: memory.cycle.changed_cycle.load(Ordering::Relaxed),
            age: 0,
            early: false,
            receipts: ReceiptWriter::new(receipts),
            pickup: LanePickup::new(memory),
        };
        Self {
            image: vec![[0; 8]; output_bytes.div_ceil(8)].into(),
            sent: vec![[0; 8]; output_bytes.div_ceil(8)].into(),
            next: vec![[0; 8]; output_bytes.div_ceil(8)].into(),
            early: None,
            doubtful: false,
            output_bytes,
            lanes: lanes.into_iter().map(lane).collect(),
            control,
            plans,
            plan: None,
            interlocks,
            adopted: false,
            closing: false,
            counts: Settled::default(),
        }
    }

    /// Brings the image up to date: takes new commits and new claims, applies them, gives lanes whose
    /// owner is silent for too long their loss values, and forces what the interlocks force. Bits that
    /// nobody changes keep their value. `seen` is what the cycle before received.
    pub fn merge(&mut self, cycle: u32, seen: Seen<'_>) -> &[u8] {
        self.merge_lanes(cycle, seen);
        self.compose();
        self.image()
    }

    /// Out of cycle, before `cycle`: takes new commits and new claims, and composes what a frame would send
    /// now, with interlocks. Counts no time: nobody falls silent by it.
    pub fn merge_urgent(&mut self, cycle: u32, seen: Seen<'_>) {
        self.early = Some(cycle);
        self.take_news(cycle, seen);
        for index in 0..self.lanes.len() {
            self.lanes[index].early |= self.lanes[index].taken.is_some();
            self.apply_taken(index, cycle);
        }
        compose(&self.image, self.plan.as_deref(), &self.interlocks, &mut self.next);
    }

    /// Whether an urgent frame would change these bytes.
    #[must_use]
    pub fn differs(&self, bytes: &Range<usize>) -> bool {
        self.next.as_flattened()[bytes.clone()] != self.sent.as_flattened()[bytes.clone()]
    }

    /// These bytes, as an urgent frame sends them.
    #[must_use]
    pub fn next(&self, bytes: &Range<usize>) -> &[u8] {
        &self.next.as_flattened()[bytes.clone()]
    }

    /// Takes note that the urgent frame with these bytes is on its way.
    pub fn mark_sent(&mut self, bytes: &Range<usize>) {
        let next = &self.next.as_flattened()[bytes.clone()];
        self.sent.as_flattened_mut()[bytes.clone()].copy_from_slice(next);
    }

    /// The urgent frame did not arrive as it should: until the next cycle has sent everything again, nothing
    /// counts as arrived.
    pub const fn doubt(&mut self) {
        self.doubtful = true;
    }

    /// The urgent frame arrived, before the cycle that it came before: receipts for the lanes whose commits
    /// went with it as a whole, where their areas are good (`is_good`). Returns how many were written.
    pub fn settle_urgent(&mut self, is_good: impl Fn(u32) -> bool) -> u32 {
        let (Some(cycle), Some(plan)) = (self.early, &self.plan) else { return 0 };
        let trusted = !self.doubtful;
        let (next, sent) = (&self.next, &self.sent);
        let mut written = 0;
        for (lane, plan) in self.lanes.iter_mut().zip(&plan.lanes) {
            let on_its_way = |word: &PlanWord| {
                let of = |image: &[[u8; 8]]| u64::from_le_bytes(image[word.index as usize]);
                (of(next) ^ of(sent)) & word.mask == 0
            };
            let whole = trusted
                && std::mem::take(&mut lane.early)
                && lane.state == LaneState::Live
                && plan.areas.iter().all(|&area| is_good(area))
                && plan.words.iter().all(on_its_way);
            if whole {
                lane.receipts.settle_early(cycle);
            }
            // Refusals of the urgent merge too.
            written += lane.receipts.take_written();
        }
        written
    }

    fn merge_lanes(&mut self, cycle: u32, seen: Seen<'_>) {
        self.doubtful = false;
        // What an urgent merge took and no urgent frame carried to its end is this cycle's.
        if let Some(expected) = self.early.take() {
            for lane in &mut self.lanes {
                if std::mem::take(&mut lane.early) {
                    lane.receipts.renumber(expected, cycle);
                }
            }
        }
        self.take_news(cycle, seen);
        for index in 0..self.lanes.len() {
            self.merge_lane(index, cycle);
        }
    }

    fn take_news(&mut self, cycle: u32, seen: Seen<'_>) {
        // Commits first, claims second: the claims that a commit was made under were offered before
        // it, so they are found for every commit that is.
        for lane in &mut self.lanes {
            lane.taken = lane.pickup.take();
        }
        if let Some(plan) = self.plans.take() {
            self.adopt(plan, cycle, seen);
        }
    }

    /// The output image, as it is sent.
    #[must_use]
    pub fn image(&self) -> &[u8] {
        &self.sent.as_flattened()[..self.output_bytes]
    }

    /// Evaluates the interlocks on what a cycle received, for the next frame.
    pub fn evaluate(&mut self, seen: Seen<'_>, event: impl FnMut(InterlockEvent)) {
        if let Some(plan) = &self.plan {
            self.interlocks.evaluate(&plan.interlocks, seen, event);
        }
    }

    /// Composes what is sent.
    fn compose(&mut self) {
        compose(&self.image, self.plan.as_deref(), &self.interlocks, &mut self.sent);
    }

    /// Takes the outputs of every lane to their loss values, for good: later commits are refused. For
    /// `close()`; in place of [`OutputMerger::merge`].
    pub fn lose_all(&mut self, cycle: u32) -> &[u8] {
        self.closing = true;
        self.merge_lanes(cycle, Seen::default());
        for index in 0..self.lanes.len() {
            if self.lanes[index].state == LaneState::Live {
                self.lose(index, cycle);
            }
        }
        self.compose();
        self.image()
    }

    /// Ends a cycle: writes receipts, and says what changed. `operational` is whether outputs take
    /// effect (OP); `area_reach` what became of the outputs of the area of that index
    /// ([`super::memory::Attached::outputs`]) in this cycle.
    pub fn settle(
        &mut self,
        published: Published,
        operational: bool,
        area_reach: impl Fn(u32) -> Reach,
        mut event: impl FnMut(LaneEvent),
    ) -> Settled {
        let cycle = published.cycle();
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            let areas = self.plan.as_ref().map(|plan| &plan.lanes[index].areas);
            let worst = || areas.and_then(|areas| areas.iter().map(|&area| area_reach(area)).max());
            self.counts.commits_failed += if operational && lane.state == LaneState::Live {
                lane.receipts.settle(cycle, worst().unwrap_or(Reach::Arrived))
            } else {
                lane.receipts.fail_all(cycle)
            };
            self.counts.receipts += lane.receipts.take_written();
            lane.pickup.publish(lane.state, lane.epoch, lane.applied_seq, lane.changed_cycle);
            if lane.said != lane.state {
                lane.said = lane.state;
                event(LaneEvent { lane: index as u32, state: lane.state, cycle });
            }
        }
        if let Some(plan) = self.plan.as_ref().filter(|_| self.adopted) {
            self.control.plan_cycle.store(cycle, Ordering::Relaxed);
            self.control.plan_generation.store(plan.generation, Ordering::Release);
        }
        self.adopted = false;
        std::mem::take(&mut self.counts)
    }

    fn adopt(&mut self, plan: Box<Plan>, cycle: u32, seen: Seen<'_>) {
        let before = self.plan.as_ref().map_or(&[][..], |plan| &plan.interlocks);
        if !std::ptr::eq(before, &raw const *plan.interlocks) {
            self.interlocks.adopt(before, &plan.interlocks, seen);
        }
        for index in 0..self.lanes.len() {
            let lane = &mut self.lanes[index];
            let before = self.plan.as_ref().map_or(0, |plan| plan.lanes[index].generation);
            if plan.lanes[index].generation == before {
                continue;
            }
            match (plan.lanes[index].intent, lane.state) {
                (Intent::Claimed, LaneState::Free | LaneState::Releasing) => {
                    lane.change(LaneState::Claimed, cycle);
                }
                (Intent::Releasing, LaneState::Live) => {
                    // By the claims before the release, which the plan in force still has.
                    self.apply_loss(index);
                    self.lanes[index].change(LaneState::Releasing, cycle);
                }
                (Intent::Releasing, LaneState::Claimed | LaneState::Lost) => {
                    lane.change(LaneState::Releasing, cycle);
                }
                _ => {}
            }
        }
        if let Some(retired) = self.plan.replace(plan) {
            self.plans.retire(retired);
        }
        self.adopted = true;
    }

    fn merge_lane(&mut self, index: usize, cycle: u32) {
        let lane = &mut self.lanes[index];
        if lane.state == LaneState::Releasing && lane.changed_cycle != cycle {
            lane.epoch = lane.epoch.wrapping_add(1);
            lane.change(LaneState::Free, cycle);
        }
        if lane.state == LaneState::Free {
            return;
        }
        lane.age = lane.age.saturating_add(1);
        self.apply_taken(index, cycle);
        let Some(plan) = &self.plan else { return };
        let plan = &plan.lanes[index];
        let lane = &mut self.lanes[index];
        let beat_age = lane.pickup.beat_age();
        let silent = plan.beat_limit != 0 && beat_age > plan.beat_limit;
        let idle = plan.commit_limit != 0 && lane.age > plan.commit_limit;
        if lane.state == LaneState::Live && (silent || idle) {
            self.counts.lanes_lost += 1;
            self.lose(index, cycle);
        }
    }

    /// Merges the commit that was taken from a lane, or refuses it.
    fn apply_taken(&mut self, index: usize, cycle: u32) {
        let Some(plan) = &self.plan else { return };
        let plan = &plan.lanes[index];
        let lane = &mut self.lanes[index];
        if lane.state == LaneState::Free {
            return;
        }
        if let Some(commit) = lane.taken.take() {
            let accepted = commit.epoch == lane.epoch
                && !self.closing
                && lane.state != LaneState::Releasing
                && apply_commit(&mut self.image, &lane.pickup, plan, commit.generation);
            if accepted {
                lane.age = 0;
                lane.applied_seq = commit.seq;
                lane.receipts.carry(commit.seq, cycle);
                self.counts.commits += 1;
                if lane.state != LaneState::Live {
                    lane.pickup.forget_age();
                    lane.change(LaneState::Live, cycle);
                }
            } else {
                lane.receipts.refuse(commit.seq, cycle);
                self.counts.commits_failed += 1;
            }
        }
    }

    fn lose(&mut self, index: usize, cycle: u32) {
        self.apply_loss(index);
        let lane = &mut self.lanes[index];
        lane.epoch = lane.epoch.wrapping_add(1);
        lane.change(LaneState::Lost, cycle);
    }

    fn apply_loss(&mut self, index: usize) {
        let Some(plan) = &self.plan else { return };
        for word in plan.lanes[index].words.iter() {
            merge_word(&mut self.image[word.index as usize], word.loss_mask, word.loss_value);
        }
    }
}

impl<A: Atomics> Lane<A> {
    const fn change(&mut self, state: LaneState, cycle: u32) {
        self.state = state;
        self.changed_cycle = cycle;
    }
}

/// Merges a commit into the image, by the claims that it was made under; false where those are
/// forgotten.
#[inline]
fn apply_commit<A: Atomics>(
    image: &mut [[u8; 8]],
    commit: &LanePickup<A>,
    plan: &LanePlan,
    generation: u32,
) -> bool {
    let mut apply = |index: u32, mask: u64| {
        merge_word(&mut image[index as usize], mask, commit.word(index as usize));
    };
    if generation == plan.generation {
        plan.words.iter().for_each(|word| apply(word.index, word.mask));
        return true;
    }
    let earlier = plan.earlier.iter().find(|earlier| earlier.generation == generation);
    if let Some(earlier) = earlier {
        earlier.words.iter().for_each(|&(index, mask)| apply(index, mask));
    }
    earlier.is_some()
}

/// Puts what the interlocks force over what the lanes want.
fn compose<A: Atomics>(
    image: &[[u8; 8]],
    plan: Option<&Plan>,
    interlocks: &InterlockRunner<A>,
    composed: &mut [[u8; 8]],
) {
    composed.copy_from_slice(image);
    let declared = plan.map_or(&[][..], |plan| &plan.interlocks);
    for interlock in declared.iter().filter(|one| interlocks.forces(one.slot)) {
        for word in interlock.words.iter() {
            merge_word(&mut composed[word.index as usize], word.mask, word.value);
        }
    }
}

#[inline]
const fn merge_word(bytes: &mut [u8; 8], mask: u64, value: u64) {
    let kept = u64::from_le_bytes(*bytes) & !mask;
    *bytes = (kept | value & mask).to_le_bytes();
}
