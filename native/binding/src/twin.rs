//! What a capture tells of its devices.

use napi::Env;
use napi_derive::napi;

use crate::failure::{guarded, invalid};
use crate::pinned::PrivateArray;

/// Looks through a capture (pcap or pcapng) and returns as JSON what it tells of each device.
#[napi(catch_unwind)]
pub fn twin_of_capture(
    env: Env,
    #[napi(ts_arg_type = "Uint8Array")] capture: PrivateArray<'_, u8>,
) -> napi::Result<String> {
    guarded(&env, || {
        let report = ecat_simulator::twin::twin(capture.as_slice())
            .map_err(|error| invalid(format!("capture: {error}")))?;
        serde_json::to_string(&report).map_err(|error| invalid(error.to_string()))
    })
}
