//! Replay of captures against a simulated segment.

use ecat_engine::EngineError;
use ecat_engine::error::ErrorCode;
use ecat_simulator::replay::ReplayError;
use ecat_simulator::{SegmentDescription, replay as played};
use napi::Env;
use napi_derive::napi;

use crate::failure::{guarded, invalid};
use crate::pinned::{Argument, PrivateArray};

/// Plays a capture (pcap or pcapng) to the segment that the JSON of a `SegmentDescription` describes, and
/// returns the JSON of what was found. Blocks for as long as that takes.
#[napi(catch_unwind)]
pub fn replay(
    env: Env,
    #[napi(ts_arg_type = "Uint8Array")] capture: PrivateArray<'_, u8>,
    #[napi(ts_arg_type = "string")] segment: Argument<String>,
) -> napi::Result<String> {
    guarded(&env, || {
        let refused = |error: ReplayError| match error {
            ReplayError::Capture(error) => invalid(format!("capture: {error}")),
            ReplayError::Segment(error) => {
                EngineError::new(ErrorCode::SegmentInvalid, error.to_string())
            }
        };
        let description = SegmentDescription::from_json(&segment.0)
            .map_err(|error| refused(ReplayError::Segment(error)))?;
        let report = played(capture.as_slice(), &description).map_err(refused)?;
        serde_json::to_string(&report).map_err(|error| invalid(error.to_string()))
    })
}
