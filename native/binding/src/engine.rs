//! `BindingEngine`: one MainDevice, held by the environment that opened it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecat_engine::EngineError;
use ecat_engine::cycle::registers::RegisterRead;
use ecat_engine::engine::{Bell, Engine, StartOptions};
use ecat_engine::event::{Event, EventKind};
use ecat_engine::shared::Geometry;
use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Function};
use napi_derive::napi;

use crate::bell::StrongBell;
use crate::cleanup::{EndsWithEnvironment, ends_with};
use crate::failure::{BindingFailure, failures, guarded, invalid, released};
use crate::interlock::{self, BindingInterlock};
use crate::network::BindingNetwork;
use crate::options::{
    BindingEngineOptions, BindingOutputOptions, BindingStartOptions, dimensions, prepare,
    start_options,
};
use crate::pinned::{Argument, Natural, PrivateArray, SharedView};
use crate::registers::BindingRegisterAnswer;
use crate::segment::{BindingSegment, EngineKeeper};

/// How long an end of any kind waits for the cycle thread: it takes its SubDevices down within 300 ms, and
/// its longest cycle is 100 ms.
const END: Duration = Duration::from_millis(400);

/// How long the end of an environment waits on for a cycle thread that did not stop in [`END`].
const LAST_END: Duration = Duration::from_secs(10);

/// Words of an event in [`BindingEngine::drain_events`].
const EVENT_WORDS: usize = 5;

/// How the bring-up ended: with a `network`, or with at least one failure.
#[napi(object)]
pub struct BindingBringUp {
    /// What was found and how it lies in the process image.
    pub network: Option<BindingNetwork>,
    /// Why there is no network.
    pub failures: Vec<BindingFailure>,
}

/// What an open engine owns. Fields are dropped in this order: the view, which the engine's thread writes
/// to, is the last.
struct Open {
    engine: Arc<Engine>,
    bell: Arc<StrongBell>,
    view: Option<SharedView>,
}

/// Where the memories of the engines of this process begin: by number of the engine.
static MEMORIES: Mutex<Vec<(u32, usize)>> = Mutex::new(Vec::new());

/// Refuses a view that is not of the memory of that engine.
///
/// The engine touches its memory on behalf of attachments too (claims); each environment's view keeps that
/// memory alive only if it is the same one.
///
/// # Errors
/// `ECAT_ERR_INVALID_ARGUMENT`.
pub fn check_memory(engine_id: u32, view: &SharedView) -> Result<(), EngineError> {
    let memories = MEMORIES.lock().unwrap_or_else(PoisonError::into_inner);
    if memories.contains(&(engine_id, view.address())) {
        return Ok(());
    }
    Err(invalid(format!("the view does not begin where the memory of engine {engine_id} does")))
}

fn set_memory(engine_id: u32, address: Option<usize>) {
    let mut memories = MEMORIES.lock().unwrap_or_else(PoisonError::into_inner);
    memories.retain(|(id, _)| *id != engine_id);
    memories.extend(address.map(|address| (engine_id, address)));
}

/// Outlives its JavaScript object where the environment's clean-up hook holds it.
struct EngineCell {
    open: RefCell<Option<Open>>,
}

/// One MainDevice: its cycle thread runs from the constructor until it is closed.
#[napi]
pub struct BindingEngine {
    id: u32,
    cell: Rc<EngineCell>,
    /// Events on their way out, so that draining allocates nothing.
    events: RefCell<Vec<Event>>,
}

#[napi]
impl BindingEngine {
    /// Opens the link and begins the bring-up on the cycle thread; `bell` rings when there is something to
    /// take or to drain. The bell holds the event loop until `release()`, or until `closeNow()` has
    /// returned true. A `segment` is taken until the cycle thread has ended.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        #[napi(ts_arg_type = "BindingEngineOptions")] options: Argument<BindingEngineOptions>,
        #[napi(ts_arg_type = "() => void")] bell: Argument<Function<'_, (), ()>>,
        #[napi(ts_arg_type = "BindingSegment | null")] segment: Option<
            ClassInstance<'_, BindingSegment>,
        >,
    ) -> napi::Result<Self> {
        let host = segment.as_ref().map(|segment| segment.host());
        let (engine_options, opener) = guarded(&env, || prepare(options.0, host))?;
        let bell = Arc::new(StrongBell::new(&bell.0)?);
        let engine = guarded(&env, || {
            Engine::open(engine_options, opener, Arc::clone(&bell) as Arc<dyn Bell>)
                .inspect_err(|_| bell.silence())
        })?;
        if let Some(host) = host {
            host.set_keeper(Arc::new(EngineKeeper(engine.messenger())));
        }
        let id = engine.id();
        let cell =
            Rc::new(EngineCell { open: RefCell::new(Some(Open { engine, bell, view: None })) });
        ends_with(&env, &cell)?;
        Ok(Self { id, cell, events: RefCell::new(Vec::new()) })
    }

    /// Number of the engine in this process, for attachments in any environment.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// How the bring-up ended, once; `null` while it runs and after it was taken.
    #[napi(catch_unwind)]
    pub fn take_bring_up(&self, env: Env) -> napi::Result<Option<BindingBringUp>> {
        guarded(&env, || {
            let taken = self.with(|open| Ok(open.engine.take_bring_up()))?;
            Ok(taken.map(|outcome| match outcome {
                Ok((network, layout)) => BindingBringUp {
                    network: Some(BindingNetwork::new(&network, &layout)),
                    failures: Vec::new(),
                },
                Err(error) => BindingBringUp { network: None, failures: failures(error) },
            }))
        })
    }

    /// Bytes of the shared memory for these sizes; only after a bring-up that succeeded.
    #[napi(catch_unwind)]
    pub fn memory_bytes(
        &self,
        env: Env,
        #[napi(ts_arg_type = "BindingStartOptions")] options: Argument<BindingStartOptions>,
    ) -> napi::Result<f64> {
        guarded(&env, || {
            let dimensions = self.with(|open| dimensions(&open.engine, &options.0))?;
            Ok(Geometry::new(&dimensions)?.total_bytes as f64)
        })
    }

    /// Lays out the shared memory and lets the cycle begin. `view` is a `Uint8Array` over a SharedArrayBuffer
    /// of at least `memoryBytes` bytes; it is held until the cycle thread has ended.
    #[napi(catch_unwind)]
    pub fn start(
        &self,
        env: Env,
        #[napi(ts_arg_type = "Uint8Array")] view: SharedView,
        #[napi(ts_arg_type = "BindingStartOptions")] options: Argument<BindingStartOptions>,
        #[napi(ts_arg_type = "BindingOutputOptions")] outputs: Option<
            Argument<BindingOutputOptions>,
        >,
    ) -> napi::Result<()> {
        guarded(&env, || {
            let start_options = match outputs {
                None => StartOptions::default(),
                Some(Argument(outputs)) => start_options(outputs)?,
            };
            self.with_mut(|open| {
                if open.view.is_some() {
                    return Err(invalid("the engine has been started already"));
                }
                let dimensions = dimensions(&open.engine, &options.0)?;
                let (memory, address) = (view.memory()?, view.address());
                // Held before the thread gets it; a start that fails has not handed it on.
                open.view = Some(view);
                open.engine
                    .start(memory, dimensions, &start_options)
                    .inspect_err(|_| open.view = None)?;
                set_memory(self.id, Some(address));
                Ok(())
            })
        })
    }

    /// Declares all interlocks, in place of those declared before, from the next frame on. Returns the place of
    /// each in the table of states. An interlock whose name was declared before keeps its place and its latch;
    /// one that is not declared any more is released.
    #[napi(catch_unwind)]
    pub fn set_interlocks(
        &self,
        env: Env,
        #[napi(ts_arg_type = "Array<BindingInterlock>")] interlocks: Vec<BindingInterlock>,
    ) -> napi::Result<Vec<u32>> {
        guarded(&env, || {
            let specs = interlock::specs(interlocks)?;
            self.with(|open| open.engine.set_interlocks(&specs))
        })
    }

    /// Failures since the start (a state refused, a defect caught), each once.
    #[napi(catch_unwind)]
    pub fn take_failures(&self, env: Env) -> napi::Result<Vec<BindingFailure>> {
        guarded(&env, || {
            let failures = self.with(|open| Ok(open.engine.take_failures()))?;
            Ok(failures.into_iter().map(BindingFailure::from).collect())
        })
    }

    /// Copies waiting events into `out`, five words each (kind, cycle, subject, a, b), and returns how many.
    #[napi(catch_unwind)]
    pub fn drain_events(
        &self,
        env: Env,
        #[napi(ts_arg_type = "Uint32Array")] mut out: PrivateArray<'_, u32>,
    ) -> napi::Result<u32> {
        guarded(&env, || {
            let out = out.as_mut_slice();
            if out.len() < EVENT_WORDS {
                return Err(invalid(format!(
                    "expected room for at least one event of {EVENT_WORDS} words"
                )));
            }
            let mut events = self.events.borrow_mut();
            events.resize(out.len() / EVENT_WORDS, NO_EVENT);
            let count = self.with(|open| Ok(open.engine.take_events(&mut events)))?;
            for (words, event) in out.chunks_exact_mut(EVENT_WORDS).zip(&events[..count]) {
                words.copy_from_slice(&[
                    event.kind as u32,
                    event.cycle,
                    event.subject,
                    event.a,
                    event.b,
                ]);
            }
            Ok(count as u32)
        })
    }

    /// Queues a read of `length` bytes (1 to 64) of registers below 0x1000 of the SubDevice at `position`. The bell
    /// rings when `takeRegisterAnswers` has the answer with this `id`. False where too many wait already.
    #[napi(catch_unwind)]
    pub fn read_register(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] id: Argument<Natural>,
        #[napi(ts_arg_type = "number")] position: Argument<Natural>,
        #[napi(ts_arg_type = "number")] register: Argument<Natural>,
        #[napi(ts_arg_type = "number")] length: Argument<Natural>,
    ) -> napi::Result<bool> {
        guarded(&env, || {
            let read = RegisterRead {
                id: id.0.0,
                position: word("position", position.0)?,
                register: word("register", register.0)?,
                length: word("length", length.0)?,
            };
            self.with(|open| open.engine.read_register(read))
        })
    }

    /// Answers to reads of registers, each once.
    #[napi(catch_unwind)]
    pub fn take_register_answers(&self, env: Env) -> napi::Result<Vec<BindingRegisterAnswer>> {
        guarded(&env, || {
            self.with(|open| {
                let answers = std::iter::from_fn(|| open.engine.take_register_answer());
                Ok(answers.map(BindingRegisterAnswer::from).collect())
            })
        })
    }

    /// Virtual time: lets `cycles` more cycles run; −1 lets all run, as fast as they can.
    #[napi(catch_unwind)]
    pub fn grant(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] cycles: Argument<i64>,
    ) -> napi::Result<()> {
        guarded(&env, || {
            let cycles = match cycles.0 {
                -1 => u64::MAX,
                cycles => u64::try_from(cycles)
                    .map_err(|_| invalid(format!("expected cycles ≥ −1, got {cycles}")))?,
            };
            self.with(|open| {
                open.engine.grant(cycles);
                Ok(())
            })
        })
    }

    /// Asks for the orderly stop and returns; the bell rings when the engine has closed.
    #[napi(catch_unwind)]
    pub fn request_close(&self, env: Env) -> napi::Result<()> {
        guarded(&env, || {
            if let Some(open) = &*self.cell.open.borrow() {
                open.engine.request_close();
            }
            Ok(())
        })
    }

    /// Stops in order and waits for it, `timeoutMs` at most; true when the cycle thread has ended, which
    /// takes it 300 ms and one cycle where the segment does not answer. For `process.on('exit')`.
    #[napi(catch_unwind)]
    pub fn close_now(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] timeout_ms: Argument<Natural>,
    ) -> napi::Result<bool> {
        guarded(&env, || {
            Ok(match &*self.cell.open.borrow() {
                Some(open) => open.close(Duration::from_millis(timeout_ms.0.0.into())),
                None => true,
            })
        })
    }

    /// Lets go of the engine, the bell and the memory. An engine that has not closed yet is closed first, as
    /// `closeNow` does.
    #[napi(catch_unwind)]
    pub fn release(&self, env: Env) -> napi::Result<()> {
        guarded(&env, || {
            self.cell.finish(END);
            Ok(())
        })
    }

    fn with<T>(
        &self,
        body: impl FnOnce(&Open) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.cell.open.borrow().as_ref().ok_or_else(|| released("the engine")).and_then(body)
    }

    fn with_mut<T>(
        &self,
        body: impl FnOnce(&mut Open) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.cell.open.borrow_mut().as_mut().ok_or_else(|| released("the engine")).and_then(body)
    }
}

const NO_EVENT: Event = Event { kind: EventKind::EngineState, cycle: 0, subject: 0, a: 0, b: 0 };

impl Open {
    /// Requests the stop and joins the thread; the bell is of no more use when that succeeded.
    fn close(&self, timeout: Duration) -> bool {
        let joined = self.engine.close_now(timeout);
        if joined {
            self.bell.silence();
        }
        joined
    }
}

impl EngineCell {
    /// Closes within `timeout` and lets go of everything; false where the cycle thread did not stop in time.
    fn finish(&self, timeout: Duration) -> bool {
        let Some(mut open) = self.open.borrow_mut().take() else { return true };
        set_memory(open.engine.id(), None);
        let joined = open.close(timeout);
        if !joined {
            open.bell.silence();
            // The thread still writes there: the buffer stays, for as long as the environment lives.
            std::mem::forget(open.view.take());
        }
        joined
    }
}

impl EndsWithEnvironment for EngineCell {
    fn ask(&self) {
        if let Some(open) = &*self.open.borrow() {
            open.engine.request_close();
        }
    }

    /// The environment's memory is about to be freed: here a thread that does not stop is waited for longer,
    /// and if that does not help either, an end with a message is better than one by corruption.
    fn end(&self) {
        let engine = self.open.borrow().as_ref().map(|open| Arc::clone(&open.engine));
        if self.finish(END) || engine.is_none_or(|engine| engine.close_now(LAST_END)) {
            return;
        }
        eprintln!(
            "bifrost-ethercat: the cycle thread does not stop, and its memory is about to be freed"
        );
        std::process::abort();
    }
}

impl Drop for EngineCell {
    fn drop(&mut self) {
        self.finish(END);
    }
}

fn word(name: &str, value: Natural) -> Result<u16, EngineError> {
    u16::try_from(value.0).map_err(|_| invalid(format!("{name}: {} is out of range", value.0)))
}
