//! Simulated segments and their commands, from JSON.

use ecat_engine::EngineError;
use ecat_engine::error::ErrorCode;
use ecat_simulator::{Segment, SegmentCommand, SegmentDescription};

use crate::failure::invalid;

/// Builds the segment that the JSON of a `SegmentDescription` describes.
///
/// # Errors
/// `ECAT_ERR_SEGMENT_INVALID` with the JSON pointer of what does not fit.
pub fn build(json: &str) -> Result<Segment, EngineError> {
    SegmentDescription::from_json(json)
        .and_then(|description| Segment::new(&description))
        .map_err(|error| EngineError::new(ErrorCode::SegmentInvalid, error.to_string()))
}

/// A command of JSON, for example `{"kind": "unplug", "device": 3}`.
///
/// # Errors
/// `ECAT_ERR_INVALID_ARGUMENT` with what is wrong.
pub fn command(json: &str) -> Result<SegmentCommand, EngineError> {
    serde_json::from_str(json).map_err(|error| invalid(format!("segment command: {error}")))
}
