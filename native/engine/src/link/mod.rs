//! The wires that this crate has itself, and the waiting on any of them.

pub mod packet;
pub mod sys;

use ecat_wire::Link;

use crate::clock::{self, Clock};

/// Poll interval on a link that gives no descriptor to wait on.
const POLL_NS: u64 = 20_000;
/// Preamble, FCS and inter-frame gap.
const FRAME_OVERHEAD_BYTES: usize = 8 + 4 + 12;
/// A byte at 100 Mbit/s.
const BYTE_NS: u64 = 80;

/// Time that a frame of `bytes` (without FCS) occupies a 100 Mbit/s wire.
#[must_use]
pub const fn wire_time_ns(bytes: usize) -> u64 {
    (bytes + FRAME_OVERHEAD_BYTES) as u64 * BYTE_NS
}

/// Bytes of the largest frame (without FCS) that occupies a 100 Mbit/s wire for `ns` at most; 0 where none does.
#[must_use]
pub const fn bytes_in(ns: u64) -> usize {
    ((ns / BYTE_NS) as usize).saturating_sub(FRAME_OVERHEAD_BYTES)
}

/// Waits on the calling thread's clock until a frame may have come, or until `deadline_ns`. May return
/// early. In virtual time nothing comes by waiting, so the clock jumps to the deadline.
pub fn wait(link: &dyn Link, deadline_ns: u64) {
    if clock::clock() == Clock::Virtual {
        clock::advance_to(deadline_ns);
        return;
    }
    let waited = link.poll_fd().map(|fd| sys::wait_readable([Some(fd)], deadline_ns));
    // A link that is not waited on, or whose descriptor fails (the card is gone), is polled.
    if !matches!(waited, Some(Ok(_))) {
        sys::sleep_until(deadline_ns.min(clock::now_ns() + POLL_NS));
    }
}
