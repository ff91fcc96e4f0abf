//! A capture of other devices, played to a segment: does it answer as they did?
//!
//! The requests of the capture go through the segment at their times, and every answer is compared with
//! the recorded one, datagram by datagram ([`compare`]). What a device does inside ends when the capture
//! shows it ([`release`]).

mod clock;
mod compare;
mod explain;
mod pairing;
mod pcap;
mod release;
mod statics;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use clock::{CLOCK_JITTER_NS, CLOCK_PPM, ClockReport};
pub use compare::{Difference, UnknownWord};
pub(crate) use pairing::{Exchange, pair};
pub use pcap::{CaptureError, Link, Packet, packets};
pub use release::LatencyReport;

use crate::description::{DescriptionError, SegmentDescription};
use crate::segment::Segment;
use compare::{Class, Learnt};
use release::Latencies;
use statics::Statics;

/// Structural differences beyond these are only counted.
const DIFFERENCES_MAX: usize = 20;

/// The segment's time at the first request: its devices have been powered for a while.
const START_NS: u64 = 1_000_000_000;

/// Why a capture could not be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// The file is no capture of Ethernet frames.
    Capture(CaptureError),
    /// The segment cannot be built.
    Segment(DescriptionError),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture(error) => error.fmt(f),
            Self::Segment(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReplayError {}

/// Datagrams by what their comparison ended in. They sum up to `total`, which is counted apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Equal, a mail by the rules of mails.
    pub identical: usize,
    /// Equal but for values of clocks, which fit their model.
    pub clock: usize,
    /// Equal but for input process data, unknown words of EEPROMs, and bits that are not compared.
    pub live: usize,
    /// Requests whose answer the capture does not have. The segment got them.
    pub unanswered: usize,
    /// Answers without a request, and one for every frame of another protocol.
    pub skipped: usize,
    /// Different.
    pub structural: usize,
    /// All datagrams of requests and of skipped answers, and other frames.
    pub total: usize,
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayReport {
    /// Frames in the capture.
    pub frames: usize,
    /// Requests among them.
    pub requests: usize,
    /// Datagrams by class.
    pub counts: Counts,
    /// What was skipped, by what it is.
    pub skipped: BTreeMap<&'static str, usize>,
    /// The first structural differences.
    pub differences: Vec<Difference>,
    /// How well clocks fitted.
    pub clocks: Vec<ClockReport>,
    /// Words of EEPROMs that were read and that the description does not tell. They are compared as live.
    pub unknown_words: Vec<UnknownWord>,
    /// How far the devices' own models of time were off.
    pub latencies: Vec<LatencyReport>,
}

/// Plays a capture (pcap or pcapng) to a segment that is as described when the capture begins. Signals
/// and wires of the description do nothing.
///
/// # Errors
/// If the file is no capture, or the segment cannot be built.
pub fn replay(
    capture: &[u8],
    description: &SegmentDescription,
) -> Result<ReplayReport, ReplayError> {
    let packets = packets(capture).map_err(ReplayError::Capture)?;
    let mut segment =
        Segment::without_behaviours(description, START_NS).map_err(ReplayError::Segment)?;
    let statics = Statics::new(description, &segment).map_err(ReplayError::Segment)?;
    segment.hold();
    let paired = pairing::pair(&packets);
    let first_ns = paired.exchanges.first().map_or(0, |exchange| exchange.time_ns);

    let mut learnt = Learnt::new(statics);
    let mut latencies = Latencies::default();
    let mut counts = Counts { total: paired.total, ..Counts::default() };
    counts.skipped = paired.skipped.values().sum();
    let mut differences = Vec::new();
    let mut now_ns = START_NS;
    for exchange in &paired.exchanges {
        // Stamps may go back; time does not.
        now_ns = now_ns.max(START_NS + exchange.time_ns.saturating_sub(first_ns));
        let compared = release::settle(&mut segment, exchange, now_ns, &learnt, &mut latencies);
        if exchange.answer.is_none() {
            counts.unanswered += pairing::count_datagrams(&exchange.request);
        }
        for verdict in compared.verdicts {
            match verdict.class {
                Class::Identical => counts.identical += 1,
                Class::Clock => counts.clock += 1,
                Class::Live => counts.live += 1,
                Class::Structural => counts.structural += 1,
            }
            if differences.len() < DIFFERENCES_MAX {
                differences.extend(verdict.difference);
            }
        }
        learnt.take(compared.lessons, &mut segment);
    }
    Ok(ReplayReport {
        frames: packets.len(),
        requests: paired.exchanges.len(),
        counts,
        skipped: paired.skipped,
        differences,
        clocks: learnt.clocks.report(),
        unknown_words: learnt.unknown_words(),
        latencies: latencies.report(),
    })
}
