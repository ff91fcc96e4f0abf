//! Capture-clocked release: the devices' work ends when the recording shows that it had.
//!
//! A frame is sent through a copy of the segment. Where the answer is not the recorded one, further copies
//! are tried in which work that is under way has ended, piece by piece. Which answer that gives is the
//! devices' own doing: no recorded byte enters the segment. Work is ended as late as the recording allows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::compare::{Comparison, Learnt, attempt};
use super::pairing::Exchange;
use crate::esc::InternalEvent;
use crate::segment::Segment;

/// Pieces of work of one device that may end one after another between two frames.
const CHAIN_MAX: usize = 4;
/// Pieces that are tried one by one; with more under way, only all together.
const PIECES_MAX: usize = 64;

type Piece = (usize, InternalEvent, u64);

/// How far a device's own model of time was off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyReport {
    /// Which work.
    pub event: String,
    /// How often it ended.
    pub count: usize,
    /// Recorded minus modelled time, the least one, in ns. The recording shows it at the next frame that
    /// tells, so that the time between two polls is in it.
    pub least_ns: i64,
    /// The mean, in ns.
    pub mean_ns: i64,
    /// The greatest, in ns.
    pub greatest_ns: i64,
}

/// When work ended, against the devices' models of time.
#[derive(Debug, Default)]
pub(super) struct Latencies(BTreeMap<InternalEvent, Vec<i64>>);

impl Latencies {
    fn note(&mut self, pieces: &[Piece], now_ns: u64) {
        for &(_, event, due_ns) in pieces.iter().filter(|piece| piece.2 != u64::MAX) {
            self.0.entry(event).or_default().push(now_ns.wrapping_sub(due_ns) as i64);
        }
    }

    pub(super) fn report(&self) -> Vec<LatencyReport> {
        let all = self.0.iter();
        all.map(|(event, errors)| LatencyReport {
            event: format!("{event:?}"),
            count: errors.len(),
            least_ns: errors.iter().copied().min().unwrap_or(0),
            mean_ns: errors.iter().sum::<i64>() / errors.len().max(1) as i64,
            greatest_ns: errors.iter().copied().max().unwrap_or(0),
        })
        .collect()
    }
}

struct Trial {
    segment: Segment,
    ended: Vec<Piece>,
    comparison: Comparison,
}

/// Takes an exchange through the segment, with the work ended that makes the answer the recorded one.
pub(super) fn settle(
    segment: &mut Segment,
    exchange: &Exchange,
    now_ns: u64,
    learnt: &Learnt,
    latencies: &mut Latencies,
) -> Comparison {
    segment.advance(now_ns);
    if exchange.answer.is_none() || segment.under_way().is_empty() {
        return attempt(segment, exchange, now_ns, learnt);
    }
    let trial = |ended: Vec<Piece>| {
        let mut copy = segment.fork();
        for &(device, event, _) in &ended {
            copy.release(device, event, now_ns);
        }
        let comparison = attempt(&mut copy, exchange, now_ns, learnt);
        Trial { segment: copy, ended, comparison }
    };
    let mut best = trial(Vec::new());
    while best.comparison.weight > 0 {
        let mut better: Option<Trial> = None;
        for ended in candidates(segment, &best.ended, now_ns) {
            let found = trial(ended);
            let limit = better.as_ref().unwrap_or(&best).comparison.weight;
            if found.comparison.weight < limit {
                let settled = found.comparison.weight == 0;
                better = Some(found);
                if settled {
                    break;
                }
            }
        }
        match better {
            Some(found) => best = found,
            None => break,
        }
    }
    latencies.note(&best.ended, now_ns);
    *segment = best.segment;
    best.comparison
}

/// What else may have ended by now, the least first.
fn candidates(segment: &Segment, ended: &[Piece], now_ns: u64) -> Vec<Vec<Piece>> {
    let mut base = segment.fork();
    for &(device, event, _) in ended {
        base.release(device, event, now_ns);
    }
    let mut found = Vec::new();
    let pieces = base.under_way();
    if pieces.len() <= PIECES_MAX {
        for &piece in &pieces {
            let mut chain = ended.to_vec();
            let mut copy = base.fork();
            let mut next = Some(piece);
            while let Some(piece) = next.filter(|_| chain.len() < ended.len() + CHAIN_MAX) {
                copy.release(piece.0, piece.1, now_ns);
                chain.push(piece);
                found.push(chain.clone());
                // What this piece was in the way of.
                next = copy
                    .under_way()
                    .into_iter()
                    .find(|one| one.0 == piece.0 && !pieces.contains(one));
            }
        }
        found.sort_by_key(Vec::len);
    }
    let mut all = ended.to_vec();
    for _ in 0..CHAIN_MAX {
        let pieces = base.under_way();
        if pieces.is_empty() {
            break;
        }
        for piece in pieces {
            base.release(piece.0, piece.1, now_ns);
            all.push(piece);
        }
        found.push(all.clone());
    }
    found
}
