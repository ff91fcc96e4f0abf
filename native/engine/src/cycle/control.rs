//! What a cycle thread shares with whoever holds its engine.
//!
//! While the thread cycles it touches only the atomics in here and its end of the wait-free queues; the mutexes are for
//! what comes before the first cycle and after the last.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::outbox::{self, Inbox, Outbox};
use super::plant::Plant;
use super::registers::{RegisterAnswer, RegisterRead, RegisterReads};
use crate::engine::{Bell, BringUp, EngineOptions, StartOptions};
use crate::error::{EngineError, ErrorCode, Failure};
use crate::event::Event;
use crate::herald::Announcer;
use crate::link::sys::Doorbell;
use crate::shared::layout::EngineState;
use crate::shared::{
    Attached, ClaimRegistry, ConsumerRegistry, Dimensions, Followers, InterlockSpec, Lockstep,
    OutputMerger, SharedMemory, UrgentAreas, UrgentRequest,
};

/// The order to begin with the first cycle.
pub struct StartOrder {
    /// Where to publish.
    pub memory: Attached,
    /// The cycle thread's end of the lanes.
    pub merger: OutputMerger,
    /// The cycle thread's end of the queues to the engine's holders.
    pub outbox: Outbox,
    /// The cycle thread's end of the queues of register reads.
    pub registers: RegisterReads,
    /// Which outputs may be sent out of cycle.
    pub urgent: UrgentAreas,
    /// The consumers that virtual time waits for.
    pub lockstep: Lockstep,
}

/// The shared part of an engine.
pub struct Control {
    /// Number of the engine in this process.
    pub id: u32,
    /// How to run.
    pub options: EngineOptions,
    /// Wakes the cycle thread.
    pub doorbell: Doorbell,
    /// Asks it to send what was committed out of cycle.
    pub urgent: UrgentRequest,
    /// The consumers that follow the change logs.
    pub followers: Followers,
    urgent_areas: OnceLock<UrgentAreas>,
    consumers: OnceLock<Arc<ConsumerRegistry>>,
    /// Set when the engine is to stop; also ends a bring-up.
    pub stop: AtomicBool,
    granted: AtomicU64,
    inbox: Mutex<Option<Inbox>>,
    news: AtomicBool,
    bells: Mutex<Vec<Environment>>,
    bring_up: Mutex<Option<Result<BringUp, EngineError>>>,
    plant: OnceLock<Plant>,
    start: Mutex<Start>,
    claims: OnceLock<Arc<ClaimRegistry>>,
    failures: Mutex<Vec<Failure>>,
    ended: Mutex<bool>,
    has_ended: Condvar,
}

/// An environment that is woken when there is news.
struct Environment {
    bell: Arc<dyn Bell>,
    /// Attachments of it that follow the change logs.
    followers: u32,
}

enum Start {
    Open,
    Ordered(Box<StartOrder>),
    Taken,
}

impl Control {
    /// For an engine that is about to start.
    ///
    /// # Errors
    /// What the system says when it has no descriptor left.
    pub fn new(id: u32, options: EngineOptions, bell: Arc<dyn Bell>) -> std::io::Result<Self> {
        Ok(Self {
            id,
            options,
            doorbell: Doorbell::new()?,
            urgent: UrgentRequest::default(),
            followers: Followers::default(),
            urgent_areas: OnceLock::new(),
            consumers: OnceLock::new(),
            stop: AtomicBool::new(false),
            granted: AtomicU64::new(0),
            inbox: Mutex::new(None),
            news: AtomicBool::new(false),
            bells: Mutex::new(vec![Environment { bell, followers: 0 }]),
            bring_up: Mutex::new(None),
            plant: OnceLock::new(),
            start: Mutex::new(Start::Open),
            claims: OnceLock::new(),
            failures: Mutex::new(Vec::new()),
            ended: Mutex::new(false),
            has_ended: Condvar::new(),
        })
    }

    // What the engine's holders call.

    /// How the bring-up ended, once.
    pub fn take_bring_up(&self) -> Option<Result<BringUp, EngineError>> {
        lock(&self.bring_up).take()
    }

    /// What is kept of the bring-up, where it succeeded.
    pub fn plant(&self) -> Option<&Plant> {
        self.plant.get()
    }

    /// See [`crate::engine::Engine::start`].
    pub fn start(
        &self,
        memory: SharedMemory,
        dimensions: Dimensions,
        options: &StartOptions,
    ) -> Result<(), EngineError> {
        let mut start = lock(&self.start);
        if self.ended() || self.stop.load(Ordering::Acquire) {
            return Err(closed());
        }
        let Some(plant) = self.plant.get() else {
            return Err(EngineError::new(
                ErrorCode::InvalidArgument,
                "an engine can be started only after a bring-up that succeeded",
            ));
        };
        if !matches!(*start, Start::Open) {
            let message = "the engine has been started already";
            return Err(EngineError::new(ErrorCode::InvalidArgument, message));
        }
        let memory = memory.initialise(&dimensions)?;
        // One range a SubDevice and not a datagram: a commit has arrived when the SubDevices that it is for
        // are good, even if another one in the same datagram is not.
        let outputs: Vec<_> = plant.devices.iter().map(|device| device.outputs.clone()).collect();
        let (registry, merger) = memory.outputs(&outputs);
        self.set_interlocks(&registry, &options.interlocks)?;
        let allowed = options.urgent_allowed.iter().copied().chain(std::iter::repeat(false));
        let urgent = UrgentAreas { areas: outputs.into_iter().zip(allowed).collect() };
        let (consumers, lockstep) = memory.lockstep();
        // Set once: `start` is ordered once.
        let _first = self.claims.set(Arc::new(registry));
        let _first = self.urgent_areas.set(urgent.clone());
        let _first = self.consumers.set(Arc::new(consumers));
        let (outbox, registers, inbox) = outbox::queues(plant.devices.len());
        *lock(&self.inbox) = Some(inbox);
        *start = Start::Ordered(Box::new(StartOrder {
            memory,
            merger,
            outbox,
            registers,
            urgent,
            lockstep,
        }));
        drop(start);
        self.doorbell.ring();
        Ok(())
    }

    /// See [`crate::engine::Engine::set_interlocks`].
    pub fn set_interlocks(
        &self,
        registry: &ClaimRegistry,
        specs: &[InterlockSpec],
    ) -> Result<Vec<u32>, EngineError> {
        let devices = self.plant.get().into_iter().flat_map(|plant| &plant.devices);
        let inputs: Vec<_> = devices.map(|device| device.inputs.clone()).collect();
        registry.set_interlocks(specs, &inputs)
    }

    /// Who may write which output; `None` before the start.
    pub fn claims(&self) -> Option<&Arc<ClaimRegistry>> {
        self.claims.get()
    }

    /// Which outputs may be sent out of cycle; `None` before the start.
    pub fn urgent_areas(&self) -> Option<&UrgentAreas> {
        self.urgent_areas.get()
    }

    /// The consumers in lockstep; `None` before the start.
    pub fn consumers(&self) -> Option<&Arc<ConsumerRegistry>> {
        self.consumers.get()
    }

    /// Failures since the last call.
    pub fn take_failures(&self) -> Vec<Failure> {
        let mut failures = Vec::new();
        if let (Some(plant), Some(inbox)) = (self.plant.get(), &mut *lock(&self.inbox)) {
            failures
                .extend(std::iter::from_fn(|| inbox.record()).map(|record| record.describe(plant)));
        }
        failures.append(&mut lock(&self.failures));
        failures
    }

    /// Moves waiting events into `out`.
    pub fn take_events(&self, out: &mut [Event]) -> usize {
        let mut inbox = lock(&self.inbox);
        let Some(inbox) = inbox.as_mut() else { return 0 };
        out.iter_mut().map_while(|out| inbox.event().map(|event| *out = event)).count()
    }

    /// Queues a read of registers; `false` where too many wait, or before the start.
    pub fn read_register(&self, read: RegisterRead) -> bool {
        let queued = lock(&self.inbox).as_mut().is_some_and(|inbox| inbox.read_register(read));
        if queued {
            self.doorbell.ring();
        }
        queued
    }

    /// The oldest answer to a read of registers.
    pub fn take_register_answer(&self) -> Option<RegisterAnswer> {
        lock(&self.inbox).as_mut().and_then(Inbox::register_answer)
    }

    /// Adds a bell.
    pub fn add_bell(&self, bell: Arc<dyn Bell>) {
        lock(&self.bells).push(Environment { bell, followers: 0 });
    }

    /// Removes a bell.
    pub fn remove_bell(&self, bell: &Arc<dyn Bell>) {
        lock(&self.bells).retain(|other| !Arc::ptr_eq(&other.bell, bell));
    }

    /// An attachment begins to follow the change logs, or does no longer. `bell` is that of its environment; the first
    /// one's where it has none of its own.
    pub fn follow(&self, bell: Option<&Arc<dyn Bell>>, on: bool) {
        let mut bells = lock(&self.bells);
        let own = |one: &&mut Environment| bell.is_none_or(|bell| Arc::ptr_eq(&one.bell, bell));
        if let Some(environment) = bells.iter_mut().find(own) {
            let followers = environment.followers;
            environment.followers =
                if on { followers.saturating_add(1) } else { followers.saturating_sub(1) };
        }
        drop(bells);
        // The last step of the one: whoever publishes for it finds its bell.
        if on {
            self.followers.join();
        } else {
            self.followers.leave();
        }
    }

    /// Rings the bells of those that follow the change logs.
    pub fn ring_followers(&self) {
        for environment in lock(&self.bells).iter().filter(|one| one.followers > 0) {
            environment.bell.ring();
        }
    }

    /// Virtual time: raises the number of cycles that may run.
    pub fn grant(&self, cycles: u64) {
        let raise = |granted: u64| match (granted, cycles) {
            (_, u64::MAX) => Some(u64::MAX),
            // From free run back to counting.
            (u64::MAX, _) => Some(cycles),
            _ => Some(granted.saturating_add(cycles).min(u64::MAX - 1)),
        };
        // The closure always returns `Some`.
        let _before = self.granted.fetch_update(Ordering::AcqRel, Ordering::Acquire, raise);
        self.doorbell.ring();
    }

    /// Asks for the orderly stop.
    pub fn request_close(&self) {
        self.stop.store(true, Ordering::Release);
        self.doorbell.ring();
    }

    /// Whether the cycle thread has ended.
    pub fn ended(&self) -> bool {
        *lock(&self.ended)
    }

    /// Waits for the end of the cycle thread.
    pub fn wait_ended(&self, timeout: Duration) -> bool {
        let waited = self.has_ended.wait_timeout_while(lock(&self.ended), timeout, |ended| !*ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    // What the cycle thread calls while it cycles: no lock, no allocation.

    /// Cycles that are granted and have not run; `u64::MAX` where all may.
    pub fn granted(&self) -> u64 {
        self.granted.load(Ordering::Acquire)
    }

    /// Takes one of the granted cycles; `false` where none is left.
    pub fn take_grant(&self) -> bool {
        let take = |granted: u64| match granted {
            0 => None,
            u64::MAX => Some(u64::MAX),
            granted => Some(granted - 1),
        };
        self.granted.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Takes note that there is something for the bells.
    pub fn has_news(&self) {
        self.news.store(true, Ordering::Release);
    }

    // What the cycle thread calls before its first cycle and after its last.

    /// Publishes how the bring-up ended.
    pub fn set_bring_up(&self, outcome: Result<BringUp, EngineError>) {
        if let Ok((network, layout)) = &outcome {
            // Set once: a thread has one bring-up.
            let _first = self.plant.set(Plant::of(network, layout));
        }
        *lock(&self.bring_up) = Some(outcome);
        self.has_news();
    }

    /// Takes the order to start.
    pub fn take_start(&self) -> Option<Box<StartOrder>> {
        let mut start = lock(&self.start);
        if !matches!(*start, Start::Ordered(_)) {
            return None;
        }
        match std::mem::replace(&mut *start, Start::Taken) {
            Start::Ordered(order) => Some(order),
            Start::Open | Start::Taken => None,
        }
    }

    /// Adds a failure that is in words already.
    pub fn push_failure(&self, failure: Failure) {
        lock(&self.failures).push(failure);
        self.has_news();
    }

    /// Marks the end of the cycle thread; it has let go of the shared memory by then. Whoever reads memory
    /// that was handed over and never used learns that nothing will come.
    pub fn set_ended(&self) {
        let mut start = lock(&self.start);
        if let Start::Ordered(order) = std::mem::replace(&mut *start, Start::Taken) {
            order.memory.ring_writer().set_engine_state(EngineState::Closed);
        }
        *lock(&self.ended) = true;
        drop(start);
        self.has_news();
        self.has_ended.notify_all();
    }
}

impl Announcer for Control {
    fn ring_if_news(&self) {
        if self.news.swap(false, Ordering::AcqRel) {
            self.ring();
        }
    }

    fn ring(&self) {
        for environment in lock(&self.bells).iter() {
            environment.bell.ring();
        }
    }
}

fn closed() -> EngineError {
    EngineError::new(ErrorCode::Closed, "the engine is closed or closing")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
