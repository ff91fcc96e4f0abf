//! Who may write which output bit: the registry that JavaScript's threads share.
//!
//! It proves that no bit has two owners, and turns every change into an immutable merge plan. The
//! cycle thread never sees its mutex.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::atomics::{Atomics, Native, Ordering, Word, newer_by};
use super::interlock::{InterlockSpec, compile};
use super::interlocks::Interlocks;
use super::lane::LaneMemory;
use super::layout::{Control, INTERLOCKS_MAX, LaneState};
use super::plan::{Earlier, Intent, LanePlan, Plan, PlanExchange, PlanWord};
use crate::error::{EngineError, ErrorCode, Failure};

/// What a lane wants to write, and what becomes of it without its owner. The images are as long as
/// the output image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Who claims, in words: for the error of whoever claims the same.
    pub name: String,
    /// Claimed bits are 1.
    pub mask: Box<[u8]>,
    /// Bits that take the loss value when the lane is lost or given up are 1; the others hold.
    pub loss_mask: Box<[u8]>,
    /// Loss values.
    pub loss_image: Box<[u8]>,
    /// Cycles that the owner's heartbeat may stand still before the lane is lost; 0: any number.
    pub deadline_cycles: u32,
    /// Cycles that may pass between two commits before the lane is lost; 0: any number. For owners
    /// that commit periodically.
    pub commit_deadline_cycles: u32,
}

/// Who has a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneOwner {
    /// What the owner called itself; `None` where nobody has the lane.
    pub name: Option<String>,
    /// The owner's number.
    pub owner: Option<u64>,
    /// State of the lane.
    pub state: LaneState,
}

/// The registry. Share it by reference or `Arc` among the threads of JavaScript.
pub struct ClaimRegistry<A: Atomics = Native> {
    words: usize,
    output_bytes: usize,
    areas: Box<[Range<usize>]>,
    lanes: Vec<LaneMemory<A>>,
    control: A::View<Control<A>>,
    plans: Arc<PlanExchange<A>>,
    table: Mutex<Table>,
}

impl<A: Atomics> fmt::Debug for ClaimRegistry<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimRegistry").field("output_bytes", &self.output_bytes).finish()
    }
}

struct Table {
    generation: u32,
    entries: Vec<Entry>,
    interlocks: Interlocks,
    /// Name and serial of the interlock at each place.
    places: Vec<Option<(String, u32)>>,
    last_serial: u32,
}

#[derive(Default)]
struct Entry {
    owner: Option<u64>,
    /// What the owner calls itself; after a release, what it called itself.
    name: String,
    plan: LanePlan,
    mask: Vec<u64>,
    /// Claims before the present ones, the newest last: how a commit on its way is to be read.
    history: Vec<Past>,
    /// Bits given up, not yet out of every frame and commit on its way.
    vacating: Vec<u64>,
}

struct Past {
    generation: u32,
    /// Generation of the claims that followed.
    successor: u32,
    /// Bits claimed then and ever since.
    mask: Vec<u64>,
}

/// Earlier claims that are remembered while the cycle thread does not come by. Commits made under
/// older ones fail.
const HISTORY_LIMIT: usize = 8;

impl<A: Atomics> ClaimRegistry<A> {
    /// A registry without claims; see [`super::memory::Attached::outputs`].
    #[must_use]
    pub fn new(
        output_bytes: usize,
        areas: &[Range<usize>],
        lanes: Vec<LaneMemory<A>>,
        control: A::View<Control<A>>,
    ) -> Self {
        let words = output_bytes.div_ceil(8);
        let entry = || Entry { mask: vec![0; words], vacating: vec![0; words], ..Entry::default() };
        let entries = lanes.iter().map(|_| entry()).collect();
        Self {
            words,
            output_bytes,
            areas: areas.into(),
            lanes,
            control,
            plans: Arc::default(),
            table: Mutex::new(Table {
                generation: 0,
                entries,
                interlocks: Arc::new([]),
                places: vec![None; INTERLOCKS_MAX],
                last_serial: 0,
            }),
        }
    }

    /// The way to the cycle thread.
    #[must_use]
    pub fn plans(&self) -> Arc<PlanExchange<A>> {
        Arc::clone(&self.plans)
    }

    /// Claims bits for a lane: a free one, or again for one that `owner` has, with other bits (those
    /// in both lists go on without a break, those given up keep the value last sent). `owner` is any
    /// number that tells attachments apart. To be called on the thread that commits to the lane.
    ///
    /// Returns the generation of the plan ([`ClaimRegistry::acknowledged`]). Commits may follow at
    /// once. Seed the shadow before ([`super::lane::LaneWriter::resume`]): a claimed bit keeps the
    /// value last sent until a commit made after this.
    ///
    /// # Errors
    /// - [`ErrorCode::OutputClaimed`] where another lane has one of the bits, or gave it up less
    ///   than two cycles ago; the message names the bit, both lanes and both owners. Nothing is changed.
    /// - [`ErrorCode::LaneBusy`] where the lane is another owner's or still being released.
    /// - [`ErrorCode::InvalidArgument`] where there is no such lane, or a length is wrong.
    pub fn claim(&self, lane: u32, owner: u64, claims: &Claims) -> Result<u32, EngineError> {
        let mut table = self.lock();
        let index = self.index(lane)?;
        self.claim_in(&mut table, index, owner, claims)
    }

    /// As [`ClaimRegistry::claim`], for the first lane that nobody has; returns it with the generation.
    ///
    /// # Errors
    /// As [`ClaimRegistry::claim`]; [`ErrorCode::LaneBusy`], which names the owners, where no lane is free.
    pub fn claim_any(&self, owner: u64, claims: &Claims) -> Result<(u32, u32), EngineError> {
        let mut table = self.lock();
        let free = (0..table.entries.len())
            .find(|&index| table.entries[index].owner.is_none() && self.is_free(&table, index));
        let Some(index) = free else {
            let owners: Vec<_> = (0..).zip(&table.entries).map(|(lane, e)| e.who(lane)).collect();
            return Err(EngineError::new(
                ErrorCode::LaneBusy,
                format!("no lane is free for {:?}: there are {}", claims.name, owners.join(", ")),
            ));
        };
        let generation = self.claim_in(&mut table, index, owner, claims)?;
        Ok((index as u32, generation))
    }

    /// Every lane, in order: who has it, and its state as the cycle thread said it last.
    #[must_use]
    pub fn lanes(&self) -> Vec<LaneOwner> {
        let table = self.lock();
        let of = |(entry, lane): (&Entry, &LaneMemory<A>)| LaneOwner {
            name: entry.owner.map(|_| entry.name.clone()),
            owner: entry.owner,
            state: lane.state(),
        };
        table.entries.iter().zip(&self.lanes).map(of).collect()
    }

    fn claim_in(
        &self,
        table: &mut Table,
        index: usize,
        owner: u64,
        claims: &Claims,
    ) -> Result<u32, EngineError> {
        let lane = index as u32;
        for (name, image) in [
            ("mask", &claims.mask),
            ("loss mask", &claims.loss_mask),
            ("loss image", &claims.loss_image),
        ] {
            if image.len() != self.output_bytes {
                return Err(invalid(format!(
                    "the {name} of lane {lane}'s claims has {} bytes, the output image has {}",
                    image.len(),
                    self.output_bytes
                )));
            }
        }
        self.check_owner(table, index, owner)?;
        self.forget_settled(table);
        let mask = words_of(&claims.mask, self.words);
        self.check_conflicts(table, lane, &mask, &claims.name)?;

        let generation = table.generation.wrapping_add(1);
        let entry = &mut table.entries[index];
        entry.history.retain(|past| !self.settled(past.successor));
        if entry.plan.intent == Intent::Claimed {
            entry.history.push(Past {
                generation: entry.plan.generation,
                successor: generation,
                mask: entry.mask.clone(),
            });
            for (vacating, (old, new)) in
                entry.vacating.iter_mut().zip(entry.mask.iter().zip(&mask))
            {
                *vacating |= old & !new;
            }
        }
        let excess = entry.history.len().saturating_sub(HISTORY_LIMIT);
        entry.history.drain(..excess);
        for past in &mut entry.history {
            past.mask.iter_mut().zip(&mask).for_each(|(then, now)| *then &= now);
        }
        entry.owner = Some(owner);
        entry.name.clone_from(&claims.name);
        entry.plan = LanePlan {
            intent: Intent::Claimed,
            generation,
            words: plan_words(&mask, claims),
            earlier: entry.history.iter().map(Past::for_plan).collect(),
            areas: self.areas_of(&claims.mask),
            beat_limit: claims.deadline_cycles,
            commit_limit: claims.commit_deadline_cycles,
        };
        entry.mask = mask;
        self.lanes[index].writer.generation.store(generation, Ordering::Relaxed);
        self.offer(table, generation);
        Ok(generation)
    }

    /// Gives a lane up: its bits take their loss values with the next cycle, and the lane is free
    /// for another owner one cycle later. Does nothing where `owner` does not have it.
    ///
    /// To be called when nothing can commit to the lane any more: by its owner, or by the clean-up
    /// hook of the owner's environment.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] where there is no such lane.
    pub fn release(&self, lane: u32, owner: u64) -> Result<(), EngineError> {
        let mut table = self.lock();
        let index = self.index(lane)?;
        let generation = table.generation.wrapping_add(1);
        let entry = &mut table.entries[index];
        if entry.owner != Some(owner) {
            return Ok(());
        }
        entry.owner = None;
        entry.plan.intent = Intent::Releasing;
        entry.plan.generation = generation;
        for (vacating, mask) in entry.vacating.iter_mut().zip(&mut entry.mask) {
            *vacating |= std::mem::take(mask);
        }
        entry.history.clear();
        self.offer(&mut table, generation);
        Ok(())
    }

    /// Gives up every lane of `owner`.
    pub fn release_all(&self, owner: u64) {
        for lane in 0..self.lanes.len() as u32 {
            // The lane exists.
            let _ = self.release(lane, owner);
        }
    }

    /// Declares all interlocks, in place of those declared before; they hold from the next frame on. One
    /// whose name was declared before keeps its place and its state, latched or not; one that is no longer
    /// declared is released. `input_areas` are the byte ranges of the SubDevices in the input image.
    ///
    /// Returns the place of each in the table of states, in the order of `specs`.
    ///
    /// # Errors
    /// As [`compile`]; nothing is changed then.
    pub fn set_interlocks(
        &self,
        specs: &[InterlockSpec],
        input_areas: &[Range<usize>],
    ) -> Result<Vec<u32>, EngineError> {
        let mut table = self.lock();
        let mut places = vec![None; INTERLOCKS_MAX];
        let mut slots = vec![0; specs.len()];
        let mut last_serial = table.last_serial;
        let kept = |spec: &InterlockSpec| {
            table
                .places
                .iter()
                .position(|place| place.as_ref().is_some_and(|(name, _)| *name == spec.name))
        };
        for (slot, spec) in slots.iter_mut().zip(specs) {
            if let Some(at) = kept(spec) {
                places[at].clone_from(&table.places[at]);
                *slot = at as u32;
            }
        }
        for (slot, spec) in slots.iter_mut().zip(specs) {
            if kept(spec).is_none() {
                // One too many is refused below, by its number.
                let at = places.iter().position(Option::is_none).unwrap_or(0);
                last_serial = last_serial.wrapping_add(1);
                places[at] = Some((spec.name.clone(), last_serial));
                *slot = at as u32;
            }
        }
        let place = |index: usize| {
            let slot: u32 = slots[index];
            (slot, places[slot as usize].as_ref().map_or(0, |(_, serial)| *serial))
        };
        let interlocks = compile(specs, self.output_bytes, input_areas, place)?;
        let generation = table.generation.wrapping_add(1);
        table.places = places;
        table.last_serial = last_serial;
        table.interlocks = interlocks;
        self.offer(&mut table, generation);
        Ok(slots)
    }

    /// The first cycle whose frames were merged by the plan of that generation or a newer one, where
    /// there is one.
    #[must_use]
    pub fn acknowledged(&self, generation: u32) -> Option<u32> {
        let adopted = self.control.plan_generation.load(Ordering::Acquire);
        (newer_by(adopted, generation) >= 0)
            .then(|| self.control.plan_cycle.load(Ordering::Relaxed))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        // No invariant is broken where a panic can happen; the registry outlives a dead thread.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self, lane: u32) -> Result<usize, EngineError> {
        let index = lane as usize;
        if index < self.lanes.len() {
            return Ok(index);
        }
        Err(invalid(format!("there is no lane {lane}, only {}", self.lanes.len())))
    }

    /// Whether that generation was adopted, and a cycle begun after that was published, so that no
    /// commit from before it is on its way.
    fn settled(&self, generation: u32) -> bool {
        let latest = self.control.latest_cycle.load(Ordering::Acquire);
        self.acknowledged(generation).is_some_and(|cycle| newer_by(latest, cycle) > 0)
    }

    fn check_owner(&self, table: &Table, index: usize, owner: u64) -> Result<(), EngineError> {
        let entry = &table.entries[index];
        let who = entry.who(index as u32);
        match entry.owner {
            Some(other) if other != owner => {
                Err(EngineError::new(ErrorCode::LaneBusy, format!("there is another owner: {who}")))
            }
            None if !self.is_free(table, index) => Err(EngineError::new(
                ErrorCode::LaneBusy,
                format!("{who} is still being released; try again two cycles later"),
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a lane without an owner can have a new one: nobody had it ever, or the cycle thread has freed it.
    fn is_free(&self, table: &Table, index: usize) -> bool {
        let plan = &table.entries[index].plan;
        plan.intent == Intent::Idle
            || self.acknowledged(plan.generation).is_some()
                && self.lanes[index].state() == LaneState::Free
    }

    fn forget_settled(&self, table: &mut Table) {
        for entry in &mut table.entries {
            if self.settled(entry.plan.generation) {
                entry.vacating.fill(0);
            }
        }
    }

    fn check_conflicts(
        &self,
        table: &Table,
        lane: u32,
        mask: &[u64],
        name: &str,
    ) -> Result<(), EngineError> {
        for (other, entry) in table.entries.iter().enumerate() {
            if other == lane as usize {
                continue;
            }
            for (word, &wanted) in mask.iter().enumerate() {
                let claimed = wanted & entry.mask[word];
                let vacating = wanted & entry.vacating[word];
                if claimed | vacating == 0 {
                    continue;
                }
                let bit = word * 64 + (claimed | vacating).trailing_zeros() as usize;
                let how = if claimed == 0 { "was just given up by" } else { "belongs to" };
                let failure = Failure::new(
                    ErrorCode::OutputClaimed,
                    format!(
                        "output bit {bit} (byte {}, bit {}), which lane {lane} {name:?} claims, {how} \
                         {}",
                        bit / 8,
                        bit % 8,
                        entry.who(other as u32)
                    ),
                );
                let position = self.areas.iter().position(|area| area.contains(&(bit / 8)));
                let position = position.and_then(|position| position.try_into().ok());
                return Err(Failure { position, ..failure }.into());
            }
        }
        Ok(())
    }

    fn areas_of(&self, mask: &[u8]) -> Arc<[u32]> {
        let touched = |range: &Range<usize>| {
            mask.get(range.clone()).is_some_and(|bytes| bytes.iter().any(|&byte| byte != 0))
        };
        (0..).zip(&self.areas).filter(|(_, area)| touched(area)).map(|(index, _)| index).collect()
    }

    fn offer(&self, table: &mut Table, generation: u32) {
        table.generation = generation;
        let lanes = table.entries.iter().map(|entry| entry.plan.clone()).collect();
        let interlocks = Arc::clone(&table.interlocks);
        self.plans.offer(Box::new(Plan::new(generation, lanes, interlocks)));
    }
}

impl Entry {
    /// A lane and its owner, for a message.
    fn who(&self, lane: u32) -> String {
        format!("lane {lane} {:?}", self.name)
    }
}

fn invalid(message: String) -> EngineError {
    EngineError::new(ErrorCode::InvalidArgument, message)
}

fn words_of(image: &[u8], words: usize) -> Vec<u64> {
    (0..words).map(|word| word_of(image, word)).collect()
}

pub(super) fn word_of(image: &[u8], word: usize) -> u64 {
    let mut bytes = [0; 8];
    let rest = &image[word * 8..image.len().min(word * 8 + 8)];
    bytes[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(bytes)
}

fn plan_words(mask: &[u64], claims: &Claims) -> Arc<[PlanWord]> {
    claimed(mask)
        .map(|(index, mask)| PlanWord {
            index,
            mask,
            loss_mask: mask & word_of(&claims.loss_mask, index as usize),
            loss_value: word_of(&claims.loss_image, index as usize),
        })
        .collect()
}

/// The words that are not 0, with their index. (The image has at most 2²⁴ bytes.)
fn claimed(mask: &[u64]) -> impl Iterator<Item = (u32, u64)> {
    (0..).zip(mask).filter(|(_, mask)| **mask != 0).map(|(index, &mask)| (index, mask))
}

impl Past {
    fn for_plan(&self) -> Earlier {
        Earlier { generation: self.generation, words: claimed(&self.mask).collect() }
    }
}
