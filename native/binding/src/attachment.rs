//! `BindingAttachment`: what one environment reads and writes of an engine's shared memory.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ecat_engine::EngineError;
use ecat_engine::engine::{Bell, Engine};
use ecat_engine::error::ErrorCode;
use ecat_engine::shared::layout::RECORD_BYTES;
use ecat_engine::shared::{
    Attached, Claims, Drained, LaneOwner, LaneWriter, LogReader, LogWriter, ReceiptReader,
    RingReader,
};
use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;

use crate::bell::WeakBell;
use crate::cleanup::{EndsWithEnvironment, ends_with};
use crate::engine::check_memory;
use crate::failure::{guarded, invalid, released};
use crate::pinned::{Argument, CopiedBytes, Natural, PrivateArray, SharedView, Tail};

/// The longest that a call waits natively, in ms. Nothing can interrupt a native wait: `terminate()` on the
/// worker and the end of its environment take effect when it returns.
const WAIT_SLICE_MS: u32 = 50;

/// How often `resume` tries to copy the newest cycle. One failure takes a stall of a whole round of the ring.
const RESUME_ATTEMPTS: usize = 64;

/// Words of a receipt: sequence, first cycle, deciding cycle, verdict.
const RECEIPT_WORDS: usize = 4;

static NEXT_OWNER: AtomicU64 = AtomicU64::new(1);

/// What a lane takes over. The three arrays are as long as the output image.
#[napi(object, object_to_js = false)]
pub struct BindingClaims {
    /// What the lane's owner is called: in the errors of whoever claims the same. Empty by default.
    #[napi(ts_type = "string")]
    pub name: Option<String>,
    /// 1 bits are claimed.
    #[napi(ts_type = "Uint8Array")]
    pub mask: CopiedBytes,
    /// Of a lost lane, 1 bits take their loss value and 0 bits hold what was last sent.
    #[napi(ts_type = "Uint8Array")]
    pub loss_mask: CopiedBytes,
    /// The loss values.
    #[napi(ts_type = "Uint8Array")]
    pub loss_image: CopiedBytes,
    /// Cycles without a commit or a beat after which the lane is lost; 0 never.
    #[napi(ts_type = "number")]
    pub deadline_cycles: Natural,
    /// Cycles without a commit after which the lane is lost, for owners that commit periodically; 0 (the
    /// default) never.
    #[napi(ts_type = "number")]
    pub commit_deadline_cycles: Option<Natural>,
}

/// Who has an output lane.
#[napi(object, object_from_js = false)]
pub struct BindingLane {
    /// What its owner called itself; absent where nobody has it.
    pub name: Option<String>,
    /// Whether it is this attachment's.
    pub own: bool,
    /// 0 free, 1 claimed, 2 live, 3 lost, 4 releasing.
    pub state: u32,
}

impl BindingLane {
    fn new(lane: LaneOwner, own: u64) -> Self {
        Self { name: lane.name, own: lane.owner == Some(own), state: lane.state as u32 }
    }
}

/// Fields are dropped in this order: the view, which all others point into, is the last.
struct Open {
    engine: Arc<Engine>,
    /// Number of this attachment in this process: who owns its lanes.
    owner: u64,
    bell: Option<Arc<WeakBell>>,
    lanes: Vec<Lane>,
    partitions: Vec<Partition>,
    ring: RingReader,
    memory: Attached,
    _view: SharedView,
}

struct Partition {
    /// Of the partitions that this attachment publishes.
    writer: Option<LogWriter>,
    reader: LogReader,
}

struct Lane {
    /// Of the lanes that this attachment has claimed.
    writer: Option<LaneWriter>,
    receipts: ReceiptReader,
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
    /// rings every bell of the engine. A partition has one publisher: the attachment that began last, and
    /// `ECAT_ERR_INVALID_ARGUMENT` for every other from then on.
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
                open.engine.ring_all();
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

    /// Takes over a lane for this attachment, with the bits that it may drive; −1 the first lane that is free.
    /// Again for a lane that this attachment has: with other bits, of which those in both go on without a break.
    /// Returns the lane. `ECAT_ERR_OUTPUT_CLAIMED` names the bit, both lanes and both owners;
    /// `ECAT_ERR_LANE_BUSY` where the lane has another owner or is being released, or none is free.
    #[napi(catch_unwind)]
    pub fn claim(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] lane: Argument<i64>,
        #[napi(ts_arg_type = "BindingClaims")] claims: Argument<BindingClaims>,
    ) -> napi::Result<u32> {
        guarded(&env, || {
            let claims = Claims {
                name: claims.0.name.unwrap_or_default(),
                mask: claims.0.mask.0,
                loss_mask: claims.0.loss_mask.0,
                loss_image: claims.0.loss_image.0,
                deadline_cycles: claims.0.deadline_cycles.0,
                commit_deadline_cycles: claims
                    .0
                    .commit_deadline_cycles
                    .map_or(0, |cycles| cycles.0),
            };
            self.with_mut(|open| {
                let lane = match u32::try_from(lane.0) {
                    Ok(lane) => {
                        open.lane(lane)?;
                        let _generation = open.engine.claim(lane, open.owner, &claims)?;
                        lane
                    }
                    Err(_) if lane.0 == -1 => open.engine.claim_any(open.owner, &claims)?,
                    Err(_) => {
                        return Err(invalid(format!("lane: expected −1 or more, got {}", lane.0)));
                    }
                };
                let writer = open.memory.lane_writer(lane)?;
                open.lane(lane)?.writer.get_or_insert(writer);
                Ok(lane)
            })
        })
    }

    /// Gives a lane of this attachment up: its bits take their loss values with the next cycle, and the lane is
    /// free one cycle later (event 15). Does nothing where this attachment does not have it.
    #[napi(catch_unwind)]
    pub fn release_lane(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] lane: Argument<Natural>,
    ) -> napi::Result<()> {
        guarded(&env, || {
            self.with_mut(|open| {
                // Nothing can commit any more once the release is offered.
                open.lane(lane.0.0)?.writer = None;
                open.engine.release_lane(lane.0.0, open.owner)
            })
        })
    }

    /// Every lane, in order.
    #[napi(catch_unwind)]
    pub fn lanes(&self, env: Env) -> napi::Result<Vec<BindingLane>> {
        guarded(&env, || {
            self.with(|open| {
                let lanes = open.engine.lanes().into_iter();
                Ok(lanes.map(|lane| BindingLane::new(lane, open.owner)).collect())
            })
        })
    }

    /// Commits `shadow`, a whole output image, as this lane's next outputs. Returns its sequence number.
    #[napi(catch_unwind)]
    pub fn commit(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] lane: Argument<Natural>,
        #[napi(ts_arg_type = "Uint8Array")] shadow: PrivateArray<'_, u8>,
    ) -> napi::Result<u32> {
        guarded(&env, || {
            self.with_lane(lane.0.0, |lane| {
                check_shadow(lane, shadow.as_slice())?;
                Ok(lane.commit(shadow.as_slice()))
            })
        })
    }

    /// Shows that the lane's writer lives, without a commit.
    #[napi(catch_unwind)]
    pub fn beat(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] lane: Argument<Natural>,
    ) -> napi::Result<()> {
        guarded(&env, || {
            self.with_lane(lane.0.0, |lane| {
                lane.beat();
                Ok(())
            })
        })
    }

    /// Begins anew after a loss: fills `shadow` with the image last sent and returns the lane's epoch.
    #[napi(catch_unwind)]
    pub fn resume(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] lane: Argument<Natural>,
        #[napi(ts_arg_type = "Uint8Array")] mut shadow: PrivateArray<'_, u8>,
    ) -> napi::Result<u32> {
        guarded(&env, || {
            self.with_lane(lane.0.0, |lane| {
                let shadow = shadow.as_mut_slice();
                check_shadow(lane, shadow)?;
                (0..RESUME_ATTEMPTS).find_map(|_| lane.resume(shadow)).ok_or_else(|| {
                    EngineError::new(
                        ErrorCode::Timeout,
                        "the newest cycle was overwritten while it was copied",
                    )
                })
            })
        })
    }

    /// State of a lane: 0 free, 1 claimed, 2 live, 3 lost, 4 releasing.
    #[napi(catch_unwind)]
    pub fn lane_state(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] lane: Argument<Natural>,
    ) -> napi::Result<u32> {
        guarded(&env, || self.with(|open| Ok(open.memory.lane_state(lane.0.0)? as u32)))
    }

    /// Copies receipts from `tail[0]` on to `out`, four words each (sequence, first cycle, cycle in which it
    /// was seen to arrive, verdict: 1 arrived, 2 failed), advances `tail[0]`, and returns their number, or −1
    /// when more than 64 were not read.
    #[napi(catch_unwind)]
    pub fn drain_receipts(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] lane: Argument<Natural>,
        #[napi(ts_arg_type = "Uint32Array")] mut tail: Tail<'_>,
        #[napi(ts_arg_type = "Uint32Array")] mut out: PrivateArray<'_, u32>,
    ) -> napi::Result<i32> {
        guarded(&env, || {
            let mut at = tail.get();
            let out = out.as_mut_slice();
            at_least("out", out.len(), RECEIPT_WORDS)?;
            let (receipts, _rest) = out.as_chunks_mut::<RECEIPT_WORDS>();
            let drained =
                self.with_mut(|open| Ok(open.lane(lane.0.0)?.receipts.drain(&mut at, receipts)))?;
            tail.set(at);
            Ok(count(drained))
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

    fn with<T>(
        &self,
        body: impl FnOnce(&Open) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.cell.open.borrow().as_ref().ok_or_else(|| released("the attachment")).and_then(body)
    }

    fn with_mut<T>(
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

    fn with_lane<T>(
        &self,
        lane: u32,
        body: impl FnOnce(&mut LaneWriter) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.with_mut(|open| {
            let writer = open.lane(lane)?.writer.as_mut();
            body(
                writer.ok_or_else(|| {
                    invalid(format!("lane {lane} is not claimed by this attachment"))
                })?,
            )
        })
    }
}

impl Open {
    fn new(engine_id: u32, view: SharedView) -> Result<Self, EngineError> {
        let engine = Engine::by_id(engine_id).ok_or_else(|| {
            let message = format!("there is no open engine with the number {engine_id}");
            EngineError::new(ErrorCode::Closed, message)
        })?;
        check_memory(engine_id, &view)?;
        let memory = view.memory()?.attach()?;
        let partitions = (0..memory.dimensions().partition_count)
            .map(|partition| Ok(Partition { writer: None, reader: memory.log_reader(partition)? }))
            .collect::<Result<_, EngineError>>()?;
        let lanes = (0..memory.dimensions().lane_count)
            .map(|lane| Ok(Lane { writer: None, receipts: memory.receipt_reader(lane)? }))
            .collect::<Result<_, EngineError>>()?;
        Ok(Self {
            engine,
            owner: NEXT_OWNER.fetch_add(1, Ordering::Relaxed),
            bell: None,
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

    fn lane(&mut self, lane: u32) -> Result<&mut Lane, EngineError> {
        let count = self.lanes.len();
        self.lanes
            .get_mut(lane as usize)
            .ok_or_else(|| invalid(format!("lane: expected a number below {count}, got {lane}")))
    }

    fn check_slot<'a>(&self, slot: &'a mut [u8]) -> Result<&'a mut [u8], EngineError> {
        at_least("slot", slot.len(), self.ring.slot_bytes())?;
        Ok(slot)
    }
}

impl EndsWithEnvironment for AttachmentCell {
    fn ask(&self) {}

    fn end(&self) {
        let Some(open) = self.open.borrow_mut().take() else { return };
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

fn cycle(number: i64) -> Result<u32, EngineError> {
    u32::try_from(number)
        .map_err(|_| invalid(format!("expected a cycle number of 32 bits, got {number}")))
}

fn count(drained: Drained) -> i32 {
    match drained {
        Drained::Records(count) => count as i32,
        Drained::Empty => 0,
        Drained::Lapped => -1,
    }
}

fn at_least(name: &str, length: usize, least: usize) -> Result<(), EngineError> {
    if length >= least {
        return Ok(());
    }
    Err(invalid(format!("{name}: expected a length of at least {least}, got {length}")))
}

fn check_shadow(lane: &LaneWriter, shadow: &[u8]) -> Result<(), EngineError> {
    if shadow.len() == lane.output_bytes() {
        return Ok(());
    }
    Err(invalid(format!(
        "shadow: expected the {} bytes of the output image, got {}",
        lane.output_bytes(),
        shadow.len()
    )))
}
