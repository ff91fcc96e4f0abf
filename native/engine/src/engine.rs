//! An engine as a binding holds it: one MainDevice with its cycle thread, found by number within the process.
//!
//! Order of use: [`Engine::open`] → bell → [`Engine::take_bring_up`] → [`Engine::dimensions`] →
//! [`Engine::start`] → events and failures until OP → … → [`Engine::request_close`] → bell →
//! [`Engine::is_closed`]. Dropping the last handle closes too.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use ecat_wire::Link;
use ecat_wire::register::PROCESS_RAM;

use crate::bringup::DISCOVER_STACK_BYTES;
use crate::cycle::control::Control;
use crate::cycle::registers::{REGISTER_BYTES_MAX, RegisterAnswer, RegisterRead};
use crate::cycle::thread;
use crate::error::{EngineError, ErrorCode, Failure};
use crate::event::Event;
use crate::herald::{self, Announcer, Ear};
use crate::layout::ProcessLayout;
use crate::network::Network;
use crate::shared::layout::PARTITIONS_MAX;
use crate::shared::{
    ClaimRegistry, Claims, Dimensions, InterlockSpec, LaneOwner, SharedMemory, UrgentAreas,
};

/// Shortest period of a cycle; below 250 µs for small images only (256 bytes), since a frame has its time on the wire.
pub const CYCLE_PERIOD_NS_MIN: u64 = 100_000;
/// Longest period of a cycle.
pub const CYCLE_PERIOD_NS_MAX: u64 = 100_000_000;
/// What an engine that is dropped without having been closed may take for it.
const DROP_TIMEOUT: Duration = Duration::from_millis(300);

/// How to run an engine. Times in nanoseconds.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Period of the cycle, [`CYCLE_PERIOD_NS_MIN`] to [`CYCLE_PERIOD_NS_MAX`].
    pub cycle_period_ns: u64,
    /// How long before a cycle's start the thread stops sleeping and spins. No longer than half a period.
    pub pre_spin_ns: u64,
    /// SCHED_FIFO priority (1–99). Where the system refuses it, the engine runs all the same and says so with
    /// an event.
    pub priority: Option<u8>,
    /// The processor that the thread is bound to; as `priority`.
    pub cpu: Option<usize>,
    /// Whether the bring-up sets up distributed clocks, and the cycle keeps them.
    pub distributed_clocks: bool,
    /// Whether time is virtual: no cycle then waits for a clock, but, once the climb to OP has ended, for
    /// [`Engine::grant`].
    pub virtual_time: bool,
    /// Limit for everything up to PRE-OP.
    pub bring_up_timeout_ns: u64,
    /// Limit for each SubDevice's way to SAFE-OP and to OP; 10 s each by default.
    pub state_timeout_ns: Option<u64>,
    /// How long after a cycle's start its frames are waited for; three quarters of the period by default.
    pub receive_deadline_ns: Option<u64>,
    /// Virtual time: how long on the wall clock a cycle waits for the consumers in lockstep, before it goes on
    /// without those that stay away; 10 s by default.
    pub lockstep_timeout_ns: u64,
    /// Number of the first cycle; other than 0 for tests of the wrap.
    pub first_cycle: u32,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            cycle_period_ns: 1_000_000,
            pre_spin_ns: 50_000,
            priority: None,
            cpu: None,
            distributed_clocks: true,
            virtual_time: false,
            bring_up_timeout_ns: 120_000_000_000,
            state_timeout_ns: None,
            receive_deadline_ns: None,
            lockstep_timeout_ns: 10_000_000_000,
            first_cycle: 0,
        }
    }
}

/// Sizes of the shared memory that its users choose; see [`Dimensions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySizes {
    /// Slots of the input ring: a power of two, at least 2.
    pub slot_count: u32,
    /// Records of each partition's change log: a power of two, at least 64.
    pub log_records: u32,
    /// Partitions, 1 to 8.
    pub partition_count: u32,
    /// Output lanes, 1 to 64.
    pub lane_count: u32,
}

impl Default for MemorySizes {
    fn default() -> Self {
        let Dimensions { slot_count, log_records, partition_count, lane_count, .. } =
            Dimensions::default();
        Self { slot_count, log_records, partition_count, lane_count }
    }
}

/// What an engine is started with besides its memory.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// Whether the outputs of each SubDevice, by position, may be sent out of cycle; those beyond the end may
    /// not. An extra output event disturbs a SubDevice that is synchronous to its SyncManager or to
    /// distributed clocks.
    pub urgent_allowed: Vec<bool>,
    /// The interlocks; their places are their positions here.
    pub interlocks: Vec<InterlockSpec>,
}

/// Makes the link, on the cycle thread (a link need not be `Send`).
pub type LinkOpener = Box<dyn FnOnce() -> Result<Box<dyn Link>, EngineError> + Send>;

/// What a bring-up found, and where it lies in the process image.
pub type BringUp = (Arc<Network>, Arc<ProcessLayout>);

/// Wakes one environment. Called by the herald and by whoever calls [`Engine::ring_all`], never by a cycle
/// thread.
pub trait Bell: Send + Sync {
    /// Has the environment look for news. Must not block.
    fn ring(&self);
}

/// One MainDevice.
pub struct Engine {
    control: Arc<Control>,
    announcer: Arc<dyn Announcer>,
    ear: Arc<Ear>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Who publishes to each partition; 0 nobody.
    publishers: [AtomicU64; PARTITIONS_MAX],
}

static ENGINES: Mutex<Vec<Weak<Engine>>> = Mutex::new(Vec::new());
static NEXT_ID: AtomicU32 = AtomicU32::new(1);

impl Engine {
    /// Starts the cycle thread, which opens the link and brings the segment to PRE-OP. `bell` rings when
    /// that has ended, one way or the other, and with everything later that is to be taken.
    ///
    /// # Errors
    /// `InvalidArgument` for options out of range, `LinkOs` when the system has no thread or descriptor left.
    /// Everything else comes by [`Engine::take_bring_up`].
    pub fn open(
        options: EngineOptions,
        opener: LinkOpener,
        bell: Arc<dyn Bell>,
    ) -> Result<Arc<Self>, EngineError> {
        check(&options)?;
        let system = |error: std::io::Error| {
            EngineError::new(ErrorCode::LinkOs, format!("cannot start the engine: {error}"))
        };
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let control = Arc::new(Control::new(id, options, bell).map_err(system)?);
        let announcer = Arc::clone(&control) as Arc<dyn Announcer>;
        let ear = herald::attach(Arc::clone(&announcer)).map_err(system)?;
        let spawned = std::thread::Builder::new()
            .name("ecat-cycle".to_owned())
            .stack_size(DISCOVER_STACK_BYTES)
            .spawn({
                let (control, ear) = (Arc::clone(&control), Arc::clone(&ear));
                move || thread::live(&control, &ear, opener)
            });
        let thread = spawned.inspect_err(|_| herald::detach(&announcer)).map_err(system)?;
        let engine = Arc::new(Self {
            control,
            announcer,
            ear,
            thread: Mutex::new(Some(thread)),
            publishers: Default::default(),
        });
        let mut engines = lock(&ENGINES);
        engines.retain(|engine| engine.strong_count() > 0);
        engines.push(Arc::downgrade(&engine));
        Ok(engine)
    }

    /// The engine of that number, as long as somebody holds it.
    #[must_use]
    pub fn by_id(id: u32) -> Option<Arc<Self>> {
        lock(&ENGINES).iter().filter_map(Weak::upgrade).find(|engine| engine.id() == id)
    }

    /// Number of the engine in this process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.control.id
    }

    /// How the bring-up ended, once; `None` while it runs and after it was taken.
    #[must_use]
    pub fn take_bring_up(&self) -> Option<Result<BringUp, EngineError>> {
        self.control.take_bring_up()
    }

    /// The sizes of the shared memory, with those that JavaScript chooses; `None` before a bring-up that
    /// succeeded.
    #[must_use]
    pub fn dimensions(&self, chosen: MemorySizes) -> Option<Dimensions> {
        let plant = self.control.plant()?;
        let u32 = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        Some(Dimensions {
            input_bytes: u32(plant.input_bytes),
            output_bytes: u32(plant.output_bytes),
            sub_device_count: u32(plant.devices.len()),
            datagram_count: u32(plant.datagram_count),
            slot_count: chosen.slot_count,
            log_records: chosen.log_records,
            partition_count: chosen.partition_count,
            lane_count: chosen.lane_count,
            cycle_period_ns: u32::try_from(self.control.options.cycle_period_ns)
                .unwrap_or(u32::MAX),
            first_cycle: self.control.options.first_cycle,
        })
    }

    /// Lays the shared memory out and lets the cycle begin. On return readers may attach.
    ///
    /// # Errors
    /// `Closed`; `InvalidArgument` before a bring-up that succeeded or when started already; what
    /// `SharedMemory::initialise` and [`Engine::set_interlocks`] say.
    pub fn start(
        &self,
        memory: SharedMemory,
        dimensions: Dimensions,
        options: &StartOptions,
    ) -> Result<(), EngineError> {
        self.control.start(memory, dimensions, options)
    }

    /// Declares all interlocks, in place of those declared before; see
    /// [`crate::shared::ClaimRegistry::set_interlocks`], whose result this is.
    ///
    /// # Errors
    /// `Closed` before the start and after the end, `InvalidArgument`.
    pub fn set_interlocks(&self, specs: &[InterlockSpec]) -> Result<Vec<u32>, EngineError> {
        let registry = self.registry()?;
        self.control.set_interlocks(registry, specs)
    }

    /// Failures since the last call, in the order in which they became known: what SubDevices did on the way
    /// to OP (all at once when the way has ended), and a defect that was caught.
    #[must_use]
    pub fn take_failures(&self) -> Vec<Failure> {
        self.control.take_failures()
    }

    /// Moves waiting events into `out`, oldest first; returns how many.
    pub fn take_events(&self, out: &mut [Event]) -> usize {
        self.control.take_events(out)
    }

    /// Queues a read of registers while the bus runs. The answer comes by [`Engine::take_register_answer`]: in virtual
    /// time with the next cycle that is granted, otherwise with the next that leaves time for it. `false` where too many
    /// wait already.
    ///
    /// # Errors
    /// `Closed` before the start and after the end; `InvalidArgument` for a SubDevice that is not there, or anything
    /// but 1 to [`REGISTER_BYTES_MAX`] bytes of the registers 0x0000 to 0x0FFF.
    pub fn read_register(&self, read: RegisterRead) -> Result<bool, EngineError> {
        let invalid = |message: String| Err(EngineError::new(ErrorCode::InvalidArgument, message));
        let RegisterRead { position, register, length, .. } = read;
        let Some(plant) =
            self.control.plant().filter(|_| self.control.claims().is_some() && !self.is_closed())
        else {
            let message = "registers can be read of a running engine only";
            return Err(EngineError::new(ErrorCode::Closed, message));
        };
        let count = plant.devices.len();
        if usize::from(position) >= count {
            return invalid(format!("there is no SubDevice at position {position}, but {count}"));
        }
        let end = usize::from(register) + usize::from(length);
        if !(1..=REGISTER_BYTES_MAX).contains(&usize::from(length))
            || end > usize::from(PROCESS_RAM)
        {
            return invalid(format!(
                "expected 1 to {REGISTER_BYTES_MAX} bytes below {PROCESS_RAM:#06X}, got {length} bytes at {register:#06X}"
            ));
        }
        Ok(self.control.read_register(read))
    }

    /// The oldest answer to a read of registers that was not taken yet.
    #[must_use]
    pub fn take_register_answer(&self) -> Option<RegisterAnswer> {
        self.control.take_register_answer()
    }

    /// Claims output bits for a lane of `owner`, any number that tells attachments apart; see
    /// [`crate::shared::ClaimRegistry::claim`], whose result this is.
    ///
    /// # Errors
    /// `Closed` before the start and after the end, `OutputClaimed`, `LaneBusy`, `InvalidArgument`.
    pub fn claim(&self, lane: u32, owner: u64, claims: &Claims) -> Result<u32, EngineError> {
        self.registry()?.claim(lane, owner, claims)
    }

    fn registry(&self) -> Result<&ClaimRegistry, EngineError> {
        self.control.claims().map(|registry| &**registry).filter(|_| !self.is_closed()).ok_or_else(
            || {
                let message = "outputs can be claimed and released of a running engine only";
                EngineError::new(ErrorCode::Closed, message)
            },
        )
    }

    /// As [`Engine::claim`], for the first lane that nobody has; returns it.
    ///
    /// # Errors
    /// As [`Engine::claim`], and `LaneBusy` where no lane is free.
    pub fn claim_any(&self, owner: u64, claims: &Claims) -> Result<u32, EngineError> {
        Ok(self.registry()?.claim_any(owner, claims)?.0)
    }

    /// Gives up one lane of `owner`; see [`crate::shared::ClaimRegistry::release`].
    ///
    /// # Errors
    /// `Closed` before the start and after the end, `InvalidArgument` where there is no such lane.
    pub fn release_lane(&self, lane: u32, owner: u64) -> Result<(), EngineError> {
        self.registry()?.release(lane, owner)
    }

    /// Who has which lane; empty before the start.
    #[must_use]
    pub fn lanes(&self) -> Vec<LaneOwner> {
        self.control.claims().map_or_else(Vec::new, |registry| registry.lanes())
    }

    /// Gives up every lane of `owner`: their bits take their loss values, then nobody owns them.
    pub fn release_lanes(&self, owner: u64) {
        if let Some(registry) = self.control.claims().filter(|_| !self.is_closed()) {
            registry.release_all(owner);
        }
    }

    /// `owner` begins to publish to a partition's change log, and is from now on the one who may.
    pub fn begin_publishing(&self, partition: u32, owner: u64) {
        if let Some(publisher) = self.publishers.get(partition as usize) {
            publisher.store(owner, Ordering::Release);
        }
    }

    /// Whether nobody has begun to publish to the partition since `owner` did.
    #[must_use]
    pub fn publishes(&self, partition: u32, owner: u64) -> bool {
        self.publishers
            .get(partition as usize)
            .is_some_and(|publisher| publisher.load(Ordering::Acquire) == owner)
    }

    /// A consumer begins to follow the change logs, or does no longer. One that begins copies the newest slot after
    /// this, and finds everything that changes in later ones in the logs. `bell` is that of its environment; the first
    /// one's where it has none of its own.
    pub fn follow(&self, bell: Option<&Arc<dyn Bell>>, on: bool) {
        self.control.follow(bell, on);
    }

    /// Whether anybody follows the change logs. A decode worker that has copied a slot and finds nobody may leave
    /// out what changed in it.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.control.followers.any()
    }

    /// Asks the cycle thread to send what was committed before this out of cycle: changed outputs of the
    /// SubDevices that allow it ([`StartOptions::urgent_allowed`]), in a frame of their own, if it leaves before the
    /// next cycle begins. Everything else goes with that cycle. One system call.
    pub fn request_urgent(&self) {
        self.control.urgent.raise();
        self.control.doorbell.ring();
    }

    /// Which outputs may be sent out of cycle; none before the start.
    #[must_use]
    pub fn urgent_areas(&self) -> UrgentAreas {
        self.control.urgent_areas().cloned().unwrap_or_default()
    }

    /// Registers a consumer in lockstep: in virtual time a granted cycle waits until it has acknowledged the one
    /// before. Without effect on the wall clock, and in free run. Returns its number.
    ///
    /// # Errors
    /// `Closed` before the start and after the end, `InvalidArgument` where there are too many.
    pub fn register_consumer(&self) -> Result<u32, EngineError> {
        let closed = || EngineError::new(ErrorCode::Closed, "the engine does not run");
        let consumers = self.control.consumers().filter(|_| !self.is_closed());
        consumers.ok_or_else(closed)?.register()
    }

    /// The consumer is done with everything up to `cycle`.
    pub fn acknowledge(&self, consumer: u32, cycle: u32) {
        let consumers = self.control.consumers().filter(|_| !self.is_closed());
        if consumers.is_some_and(|consumers| consumers.memory().acknowledge(consumer, cycle)) {
            self.control.doorbell.ring();
        }
    }

    /// Ends a registration.
    pub fn unregister_consumer(&self, consumer: u32) {
        let consumers = self.control.consumers().filter(|_| !self.is_closed());
        if consumers.is_some_and(|consumers| consumers.unregister(consumer)) {
            self.control.doorbell.ring();
        }
    }

    /// Adds a further environment.
    pub fn add_bell(&self, bell: Arc<dyn Bell>) {
        self.control.add_bell(bell);
    }

    /// Removes an environment that was added, or the first one.
    pub fn remove_bell(&self, bell: &Arc<dyn Bell>) {
        self.control.remove_bell(bell);
    }

    /// Rings every bell now, on the calling thread.
    pub fn ring_all(&self) {
        self.announcer.ring();
    }

    /// Rings the bells of those that follow the change logs, on the calling thread.
    pub fn ring_followers(&self) {
        self.control.ring_followers();
    }

    /// Wakes the cycle thread from its sleep, for it to look at what it was asked.
    pub fn doorbell(&self) {
        self.control.doorbell.ring();
    }

    /// What wakes the cycle thread and has the bells rung, and keeps no engine alive.
    #[must_use]
    pub fn messenger(&self) -> Messenger {
        Messenger { control: Arc::clone(&self.control), ear: Arc::clone(&self.ear) }
    }

    /// Virtual time: lets `cycles` more cycles run once the climb to OP has ended; `u64::MAX` lets all run,
    /// as fast as they can, until the next other grant. Without effect on the wall clock.
    pub fn grant(&self, cycles: u64) {
        self.control.grant(cycles);
    }

    /// Asks for the orderly stop and returns. The bells ring when it is done.
    ///
    /// The stop: every lane's outputs take their loss values for one cycle; then, with cycles going on, all
    /// SubDevices go to SAFE-OP, PRE-OP and INIT, which takes 300 ms at most. A bring-up ends at once, with
    /// `Aborted`.
    pub fn request_close(&self) {
        self.control.request_close();
    }

    /// Asks for the orderly stop, and waits for the end of the cycle thread; `false` where it has not come
    /// within `timeout`. Idempotent.
    pub fn close_now(&self, timeout: Duration) -> bool {
        self.control.request_close();
        if !self.control.wait_ended(timeout) {
            return false;
        }
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // `live` catches every panic; one of its own destructors would have been printed.
            let _panicked = thread.join();
            herald::detach(&self.announcer);
        }
        true
    }

    /// Whether the cycle thread has ended, in order or by a defect.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.control.ended()
    }
}

/// Carries news between an engine's link and whoever holds the engine. See [`Engine::messenger`].
pub struct Messenger {
    control: Arc<Control>,
    ear: Arc<Ear>,
}

impl Messenger {
    /// Has the cycle thread let its link look at what it was asked ([`Link::idle`]), where virtual time stands.
    pub fn wake(&self) {
        self.control.doorbell.ring();
    }

    /// Has the bells rung, by the herald. For the cycle thread: no lock, no allocation, one system call at most.
    pub fn announce(&self) {
        self.control.has_news();
        self.ear.ring();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !self.close_now(DROP_TIMEOUT) {
            // The thread goes on to its own end; nothing of this process waits for it any more.
            herald::detach(&self.announcer);
        }
    }
}

fn check(options: &EngineOptions) -> Result<(), EngineError> {
    let invalid = |message: String| Err(EngineError::new(ErrorCode::InvalidArgument, message));
    let period = options.cycle_period_ns;
    if !(CYCLE_PERIOD_NS_MIN..=CYCLE_PERIOD_NS_MAX).contains(&period) {
        return invalid(format!(
            "a cycle of {period} ns is not within {CYCLE_PERIOD_NS_MIN} to {CYCLE_PERIOD_NS_MAX} ns"
        ));
    }
    if options.pre_spin_ns > period / 2 {
        return invalid(format!(
            "spinning {} ns before each cycle is more than half the period of {period} ns",
            options.pre_spin_ns
        ));
    }
    match options.priority {
        Some(priority @ (0 | 100..)) => {
            invalid(format!("priority {priority} is not within 1 to 99"))
        }
        _ => Ok(()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
