//! `BindingAttachment`: what one environment reads and writes of an engine's shared memory.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ecat_engine::EngineError;
use ecat_engine::engine::{Bell, Engine};
use ecat_engine::error::ErrorCode;
use ecat_engine::shared::layout::{LogBatch, RECORD_BYTES};
use ecat_engine::shared::{Acknowledged, Attached, Drained, LogReader, LogWriter, RingReader};
use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;

use crate::bell::WeakBell;
use crate::cleanup::{EndsWithEnvironment, ends_with};
use crate::engine::check_memory;
use crate::failure::{guarded, invalid, released};
use crate::lane::Lane;
use crate::pinned::{Argument, Natural, PrivateArray, SharedView, Tail};

/// The longest that a call waits natively, in ms. Nothing can interrupt a native wait: `terminate()` on the
/// worker and the end of its environment take effect when it returns.
const WAIT_SLICE_MS: u32 = 50;

static NEXT_OWNER: AtomicU64 = AtomicU64::new(1);

/// Fields are dropped in this order: the view, which all others point into, is the last.
pub struct Open {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Number of this attachment in this process: who owns its lanes.
    pub owner: u64,
    bell: Option<Arc<WeakBell>>,
    /// Whether this attachment follows the change logs.
    follows: bool,
    /// Number of this attachment as a consumer in lockstep.
    consumer: Option<u32>,
    /// Every lane, whoever has it.
    pub lanes: Vec<Lane>,
    partitions: Vec<Partition>,
    ring: RingReader,
    /// The engine's memory.
    pub memory: Attached,
    _view: SharedView,
}

struct Partition {
    /// Of the partitions that this attachment publishes.
    writer: Option<LogWriter>,
    reader: LogReader,
}

struct AttachmentCell {
    open: RefCell<Option<Open>>,
}

/// One environment's access to an engine. Each environment, workers included, makes its own.
#[napi]
pub struct BindingAttachment {
    cell: Rc<AttachmentCell>,
}

#[napi]
impl BindingAttachment {
    /// Attaches to a started engine. `view` is this environment's `Uint8Array` over the engine's
    /// SharedArrayBuffer; it is held until `release()`. `bell` rings when there is something to drain; it
    /// does not hold the event loop.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        #[napi(ts_arg_type = "number")] engine_id: Argument<Natural>,
        #[napi(ts_arg_type = "Uint8Array")] view: SharedView,
        #[napi(ts_arg_type = "(() => void) | null")] bell: Option<Argument<Function<'_, (), ()>>>,
    ) -> napi::Result<Self> {
        let mut open = guarded(&env, || Open::new(engine_id.0.0, view))?;
        if let Some(bell) = bell {
            let bell = open.bell.insert(Arc::new(WeakBell::new(&bell.0)?));
            open.engine.add_bell(Arc::clone(bell) as Arc<dyn Bell>);
        }
        let cell = Rc::new(AttachmentCell { open: RefCell::new(Some(open)) });
        ends_with(&env, &cell)?;
        Ok(Self { cell })
    }

    /// Blocks the calling thread until a cycle newer than `after` is published (−1: any), and copies it to
    /// `slot`. Waits `timeoutMs` at most and never longer than 50 ms. Returns 0 fresh, 1 timeout, 2 closed,
    /// 3 overtaken, 4 nothing published yet.
    #[napi(catch_unwind)]
    pub fn wait_copy(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] after: Argument<i64>,
        #[napi(ts_arg_type = "number")] timeout_ms: Argument<f64>,
        #[napi(ts_arg_type = "Uint8Array")] mut slot: PrivateArray<'_, u8>,
    ) -> napi::Result<u32> {
        guarded(&env, || {
            let after = match after.0 {
                -1 => None,
                after => Some(cycle(after)?),
            };
            let timeout_ns = (timeout_ms.0.clamp(0.0, WAIT_SLICE_MS.into()) * 1e6) as u64;
            self.with(|open| {
                let slot = open.check_slot(slot.as_mut_slice())?;
                Ok(open.ring.wait_copy(after, timeout_ns, slot).code())
            })
        })
    }

    /// Copies the newest cycle to `slot`. Returns as `waitCopy`.
    #[napi(catch_unwind)]
    pub fn copy_newest(
        &self,
        env: Env,
        #[napi(ts_arg_type = "Uint8Array")] mut slot: PrivateArray<'_, u8>,
    ) -> napi::Result<u32> {
        guarded(&env, || {
            self.with(|open| {
                Ok(open.ring.copy_newest(open.check_slot(slot.as_mut_slice())?).code())
            })
        })
    }

    /// Copies one cycle of the history to `slot`. Returns as `waitCopy`.
    #[napi(catch_unwind)]
    pub fn copy_cycle(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] cycle: Argument<i64>,
        #[napi(ts_arg_type = "Uint8Array")] mut slot: PrivateArray<'_, u8>,
    ) -> napi::Result<u32> {
        guarded(&env, || {
            let cycle = self::cycle(cycle.0)?;
            self.with(|open| {
                Ok(open.ring.copy_cycle(cycle, open.check_slot(slot.as_mut_slice())?).code())
            })
        })
    }

    /// Publishes the first `byteLength` bytes of `staging` (whole batches) to the change log of a partition and
    /// rings the bells of those that follow the logs, or every bell for a batch without entries. A partition has one
    /// publisher: the attachment that began last, and `ECAT_ERR_INVALID_ARGUMENT` for every other from then on.
    #[napi(catch_unwind)]
    pub fn publish(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] partition: Argument<Natural>,
        #[napi(ts_arg_type = "Uint8Array")] staging: PrivateArray<'_, u8>,
        #[napi(ts_arg_type = "number")] byte_length: Argument<Natural>,
    ) -> napi::Result<()> {
        guarded(&env, || {
            let staging = staging.as_slice();
            let batches = staging.get(..byte_length.0.0 as usize).ok_or_else(|| {
                invalid(format!(
                    "byteLength: expected at most {}, got {}",
                    staging.len(),
                    byte_length.0.0
                ))
            })?;
            self.with_mut(|open| {
                open.publish(partition.0.0, batches)?;
                // A batch without entries is for whoever waits for its cycle, whether he follows or not.
                if is_empty(batches) {
                    open.engine.ring_all();
                } else {
                    open.engine.ring_followers();
                }
                Ok(())
            })
        })
    }

    /// Copies records of a partition from `tail[0]` on to `records`, 16 bytes each, and advances `tail[0]`.
    /// Returns their number, or −1 when the log has lapped this consumer.
    #[napi(catch_unwind)]
    pub fn drain(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] partition: Argument<Natural>,
        #[napi(ts_arg_type = "Uint32Array")] mut tail: Tail<'_>,
        #[napi(ts_arg_type = "Uint8Array")] mut records: PrivateArray<'_, u8>,
    ) -> napi::Result<i32> {
        guarded(&env, || {
            let mut at = tail.get();
            let records = records.as_mut_slice();
            at_least("records", records.len(), RECORD_BYTES)?;
            let drained = self.with_mut(|open| {
                Ok(open.partition(partition.0.0)?.reader.drain(&mut at, records))
            })?;
            tail.set(at);
            Ok(count(drained))
        })
    }

    /// Says whether this attachment follows the change logs: as long as nobody does, `isFollowed` tells the decode
    /// workers so. Whoever begins to follow copies the newest cycle afterwards, and finds everything that changes in
    /// later ones in the logs. Ends with `release`, or the environment. Idempotent.
    #[napi(catch_unwind)]
    pub fn follow(
        &self,
        env: Env,
        #[napi(ts_arg_type = "boolean")] on: Argument<bool>,
    ) -> napi::Result<()> {
        guarded(&env, || {
            self.with_mut(|open| {
                open.follow(on.0);
                Ok(())
            })
        })
    }

    /// Whether any attachment of the engine follows the change logs. To be asked after a cycle was copied: where
    /// nobody does, what changed in it need not be published.
    #[napi(catch_unwind)]
    pub fn is_followed(&self, env: Env) -> napi::Result<bool> {
        guarded(&env, || self.with(|open| Ok(open.engine.is_followed())))
    }

    /// Acknowledges the interlock at that place. True: event 17 says with the next cycle that it is released, or
    /// event 18 that its condition holds again. False: it has not fired. `ECAT_ERR_INTERLOCK_HOLDS` where its
    /// condition holds or its input is not good.
    #[napi(catch_unwind)]
    pub fn acknowledge_interlock(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] interlock: Argument<Natural>,
    ) -> napi::Result<bool> {
        guarded(&env, || {
            let slot = interlock.0.0;
            match self.with(|open| Ok(open.memory.interlocks().acknowledge(slot)))? {
                Acknowledged::Requested => Ok(true),
                Acknowledged::NotFired => Ok(false),
                Acknowledged::Holds => Err(EngineError::new(
                    ErrorCode::InterlockHolds,
                    format!("the condition of interlock {slot} holds, or its input is not good"),
                )),
            }
        })
    }

    /// Registers this attachment as a consumer in lockstep: in virtual time a granted cycle waits until it has
    /// acknowledged the cycle before. Without effect on the wall clock and in free run. Idempotent; ends with
    /// `leaveLockstep`, `release`, or the environment. Returns the consumer's number, which event 19 names when it
    /// has not acknowledged for too long (`lockstepTimeoutMs`).
    #[napi(catch_unwind)]
    pub fn enter_lockstep(&self, env: Env) -> napi::Result<u32> {
        guarded(&env, || {
            self.with_mut(|open| match open.consumer {
                Some(consumer) => Ok(consumer),
                None => Ok(*open.consumer.insert(open.engine.register_consumer()?)),
            })
        })
    }

    /// Says that this consumer in lockstep is done with everything up to `cycle`, writes included. Does nothing
    /// for one that is not registered.
    #[napi(catch_unwind)]
    pub fn acknowledge(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] cycle: Argument<i64>,
    ) -> napi::Result<()> {
        guarded(&env, || {
            let cycle = self::cycle(cycle.0)?;
            self.with(|open| {
                if let Some(consumer) = open.consumer {
                    open.engine.acknowledge(consumer, cycle);
                }
                Ok(())
            })
        })
    }

    /// Ends the registration of `enterLockstep`. Idempotent.
    #[napi(catch_unwind)]
    pub fn leave_lockstep(&self, env: Env) -> napi::Result<()> {
        guarded(&env, || {
            self.with_mut(|open| {
                open.leave_lockstep();
                Ok(())
            })
        })
    }

    /// Lets go of the lanes, the bell and the memory. Idempotent.
    #[napi(catch_unwind)]
    pub fn release(&self, env: Env) -> napi::Result<()> {
        guarded(&env, || {
            self.cell.end();
            Ok(())
        })
    }

    /// Runs `body` on what an attachment that was not released has.
    pub(crate) fn with<T>(
        &self,
        body: impl FnOnce(&Open) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.cell.open.borrow().as_ref().ok_or_else(|| released("the attachment")).and_then(body)
    }

    /// The same, where `body` changes something.
    pub(crate) fn with_mut<T>(
        &self,
        body: impl FnOnce(&mut Open) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.cell
            .open
            .borrow_mut()
            .as_mut()
            .ok_or_else(|| released("the attachment"))
            .and_then(body)
    }
}

impl Open {
    fn new(engine_id: u32, view: SharedView) -> Result<Self, EngineError> {
        let engine = Engine::by_id(engine_id).ok_or_else(|| {
            EngineError::new(ErrorCode::Closed, "the MainDevice of this handle is closed")
        })?;
        check_memory(engine_id, &view)?;
        let memory = view.memory()?.attach()?;
        let partitions = (0..memory.dimensions().partition_count)
            .map(|partition| Ok(Partition { writer: None, reader: memory.log_reader(partition)? }))
            .collect::<Result<_, EngineError>>()?;
        let lanes = (0..memory.dimensions().lane_count)
            .map(|lane| Ok(Lane { own: None, receipts: memory.receipt_reader(lane)? }))
            .collect::<Result<_, EngineError>>()?;
        Ok(Self {
            engine,
            owner: NEXT_OWNER.fetch_add(1, Ordering::Relaxed),
            bell: None,
            follows: false,
            consumer: None,
            lanes,
            partitions,
            ring: memory.ring_reader(),
            memory,
            _view: view,
        })
    }

    fn publish(&mut self, partition: u32, batches: &[u8]) -> Result<(), EngineError> {
        let begins = self.partition(partition)?.writer.is_none();
        if begins {
            let writer = self.memory.log_writer(partition)?;
            self.engine.begin_publishing(partition, self.owner);
            self.partition(partition)?.writer = Some(writer);
        }
        if !self.engine.publishes(partition, self.owner) {
            return Err(invalid(format!(
                "partition {partition} has another publisher, which began after this one"
            )));
        }
        match &mut self.partition(partition)?.writer {
            Some(writer) => writer.publish(batches),
            None => Ok(()),
        }
    }

    fn partition(&mut self, partition: u32) -> Result<&mut Partition, EngineError> {
        let count = self.partitions.len();
        self.partitions.get_mut(partition as usize).ok_or_else(|| {
            invalid(format!("partition: expected a number below {count}, got {partition}"))
        })
    }

    fn follow(&mut self, on: bool) {
        if std::mem::replace(&mut self.follows, on) != on {
            let bell = self.bell.as_ref().map(|bell| Arc::clone(bell) as Arc<dyn Bell>);
            self.engine.follow(bell.as_ref(), on);
        }
    }

    fn leave_lockstep(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            self.engine.unregister_consumer(consumer);
        }
    }

    fn check_slot<'a>(&self, slot: &'a mut [u8]) -> Result<&'a mut [u8], EngineError> {
        at_least("slot", slot.len(), self.ring.slot_bytes())?;
        Ok(slot)
    }
}

impl EndsWithEnvironment for AttachmentCell {
    fn ask(&self) {}

    fn end(&self) {
        let Some(mut open) = self.open.borrow_mut().take() else { return };
        open.leave_lockstep();
        open.follow(false);
        if let Some(bell) = &open.bell {
            bell.silence();
            let bell: Arc<dyn Bell> = Arc::clone(bell) as _;
            open.engine.remove_bell(&bell);
        }
        open.engine.release_lanes(open.owner);
    }
}

impl Drop for AttachmentCell {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether the first batch has no entries, and is not FULL.
fn is_empty(batches: &[u8]) -> bool {
    let at = std::mem::offset_of!(LogBatch, count);
    batches.get(at..at + 4).is_none_or(|count| count == [0; 4])
}

fn cycle(number: i64) -> Result<u32, EngineError> {
    u32::try_from(number)
        .map_err(|_| invalid(format!("expected a cycle number of 32 bits, got {number}")))
}

/// What came of a drain, as JavaScript gets it: the number of records, or −1.
pub fn count(drained: Drained) -> i32 {
    match drained {
        Drained::Records(count) => count as i32,
        Drained::Empty => 0,
        Drained::Lapped => -1,
    }
}

/// Refuses an array that is too short.
pub fn at_least(name: &str, length: usize, least: usize) -> Result<(), EngineError> {
    if length >= least {
        return Ok(());
    }
    Err(invalid(format!("{name}: expected a length of at least {least}, got {length}")))
}
