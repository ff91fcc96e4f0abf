//! The output lanes of an attachment: claims, commits, receipts.

use ecat_engine::EngineError;
use ecat_engine::error::ErrorCode;
use ecat_engine::shared::{Claims, LaneOwner, LaneWriter, NOT_URGENT, ReceiptReader, UrgentGuard};
use napi::Env;
use napi_derive::napi;

use crate::attachment::{BindingAttachment, Open, at_least, count};
use crate::failure::{guarded, invalid};
use crate::pinned::{Argument, CopiedBytes, Natural, PrivateArray, Tail};

/// How often `resume` tries to copy the newest cycle. One failure takes a stall of a whole round of the ring.
const RESUME_ATTEMPTS: usize = 64;

/// Words of a receipt: sequence, first cycle, deciding cycle, verdict.
const RECEIPT_WORDS: usize = 4;

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

/// A lane, as an attachment sees it.
pub struct Lane {
    /// Of the lanes that this attachment has claimed.
    pub own: Option<OwnLane>,
    /// What became of its commits, whoever made them.
    pub receipts: ReceiptReader,
}

/// A lane that this attachment has claimed.
pub struct OwnLane {
    writer: LaneWriter,
    /// Where any output may be sent out of cycle: a commit costs a copy of the image then.
    guard: Option<UrgentGuard>,
}

impl OwnLane {
    fn commit(&mut self, image: &[u8]) -> u32 {
        self.note(image);
        self.writer.commit(image)
    }

    fn note(&mut self, image: &[u8]) {
        if let Some(guard) = &mut self.guard {
            guard.note(image);
        }
    }

    fn check_urgent(&self, image: &[u8]) -> Result<(), EngineError> {
        match &self.guard {
            Some(guard) => guard.check(image),
            None => Err(EngineError::new(
                ErrorCode::UrgentNotAllowed,
                format!("no SubDevice's outputs may be sent out of cycle: {NOT_URGENT}"),
            )),
        }
    }
}

#[napi]
impl BindingAttachment {
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
                open.own(lane, &claims.mask)?;
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
                open.lane(lane.0.0)?.own = None;
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

    /// As `commit`, and has the cycle thread send what changes at once, out of cycle, in a frame of its own; where
    /// that would not leave before the next cycle begins, the commit goes with that cycle. The receipt names the
    /// cycle that it came before, with the verdict 3 where the frame arrived out of cycle.
    /// `ECAT_ERR_URGENT_NOT_ALLOWED`, with nothing committed, where it changes outputs of a SubDevice that does
    /// not allow it (`urgentAllowed` at the start), compared with this lane's last commit or `resume`.
    #[napi(catch_unwind)]
    pub fn commit_urgent(
        &self,
        env: Env,
        #[napi(ts_arg_type = "number")] lane: Argument<Natural>,
        #[napi(ts_arg_type = "Uint8Array")] shadow: PrivateArray<'_, u8>,
    ) -> napi::Result<u32> {
        guarded(&env, || {
            let sequence = self.with_lane(lane.0.0, |lane| {
                check_shadow(lane, shadow.as_slice())?;
                lane.check_urgent(shadow.as_slice())?;
                Ok(lane.commit(shadow.as_slice()))
            })?;
            self.with(|open| {
                open.engine.request_urgent();
                Ok(sequence)
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
                lane.writer.beat();
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
                let resumed = (0..RESUME_ATTEMPTS).find_map(|_| lane.writer.resume(shadow));
                lane.note(shadow);
                resumed.ok_or_else(|| {
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

    fn with_lane<T>(
        &self,
        lane: u32,
        body: impl FnOnce(&mut OwnLane) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.with_mut(|open| {
            let own = open.lane(lane)?.own.as_mut();
            body(
                own.ok_or_else(|| {
                    invalid(format!("lane {lane} is not claimed by this attachment"))
                })?,
            )
        })
    }
}

impl Open {
    fn lane(&mut self, lane: u32) -> Result<&mut Lane, EngineError> {
        let count = self.lanes.len();
        self.lanes
            .get_mut(lane as usize)
            .ok_or_else(|| invalid(format!("lane: expected a number below {count}, got {lane}")))
    }

    /// Takes note of a claim that was accepted.
    fn own(&mut self, lane: u32, mask: &[u8]) -> Result<(), EngineError> {
        let areas = self.engine.urgent_areas();
        let writer = self.memory.lane_writer(lane)?;
        let own = self.lane(lane)?.own.get_or_insert(OwnLane { writer, guard: None });
        match &mut own.guard {
            Some(guard) => guard.claim(mask),
            None if areas.any() => own.guard = Some(UrgentGuard::new(areas, mask)),
            None => {}
        }
        Ok(())
    }
}

fn check_shadow(lane: &OwnLane, shadow: &[u8]) -> Result<(), EngineError> {
    if shadow.len() == lane.writer.output_bytes() {
        return Ok(());
    }
    Err(invalid(format!(
        "shadow: expected the {} bytes of the output image, got {}",
        lane.writer.output_bytes(),
        shadow.len()
    )))
}
