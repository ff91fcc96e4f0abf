//! Values of clocks: the first sample sets a device's clock, all further ones must stay near it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::segment::{Segment, Source, SourceKind};

/// By how much a recorded clock may run away from the simulated one, in 10⁻⁶ of the time since its first
/// sample. Crystals differ by up to 100, and so does the clock that stamped the capture.
pub const CLOCK_PPM: u64 = 200;
/// By how much a sample may be off beside that, in ns: hosts stamp captures, some by the millisecond.
pub const CLOCK_JITTER_NS: u64 = 1_000_000;

/// Registers that hold one value each: address and bytes.
const VALUES: [(u16, u16); 15] = [
    (0x0900, 4),
    (0x0904, 4),
    (0x0908, 4),
    (0x090C, 4),
    (0x0910, 8),
    (0x0918, 8),
    (DIFFERENCE, 4),
    (SPEED, 2),
    (0x0990, 8),
    (0x0998, 8),
    (0x09B0, 8),
    (0x09B8, 8),
    (0x09C0, 8),
    (0x09C8, 8),
    (0x09F0, 4),
];
/// Sign and magnitude of a mean difference: no time, but one of a few ns when all is well.
const DIFFERENCE: u16 = 0x092C;
/// How far the loop has tuned the clock: no time either.
const SPEED: u16 = 0x0932;

/// A value in the answer to a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// The device it comes from, where it is one alone.
    pub(super) device: Option<usize>,
    pub(super) register: u16,
    /// Where in the data.
    pub(super) index: usize,
    pub(super) bytes: usize,
    /// Whether it begins at its first byte.
    whole: bool,
}

/// The values in what a datagram reads.
pub(super) fn values(sources: &[Source]) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for source in sources.iter().filter(|source| source.kind == SourceKind::Clock) {
        let holds =
            |&&(start, bytes): &&(u16, u16)| (start..start + bytes).contains(&source.physical);
        let start = VALUES.iter().find(holds).map_or(source.physical, |&(start, _)| start);
        let same = |value: &&mut Value| {
            value.register == start
                && (value.index..=value.index + value.bytes).contains(&source.index)
        };
        match found.iter_mut().find(same) {
            Some(value) => {
                value.bytes = value.bytes.max(source.index + 1 - value.index);
                value.device = value.device.filter(|&device| device == source.device);
            }
            None => found.push(Value {
                device: Some(source.device),
                register: start,
                index: source.index,
                bytes: 1,
                whole: source.physical == start,
            }),
        }
    }
    found
}

/// A value that was recorded, beside ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    device: usize,
    /// Recorded minus ours, and minus that of a first sample in the same frame.
    residual_ns: i64,
    wide: bool,
    now_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct State {
    first_ns: u64,
    /// Set by 8 bytes; before, the upper half is unknown.
    wide: bool,
    samples: usize,
    worst_ns: u64,
}

/// The clocks of a segment's devices.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    known: BTreeMap<usize, State>,
}

/// How well a device's clock followed the recorded one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockReport {
    /// The device's place on the line, from 0.
    pub device: usize,
    /// Samples beside the first.
    pub samples: usize,
    /// The largest difference, in ns.
    pub worst_residual_ns: u64,
}

impl Clocks {
    /// Judges a value that differs: a sample to learn from, nothing where there is no model, or the
    /// residual that is too large.
    pub(super) fn judge(
        &self,
        value: &Value,
        theirs: &[u8],
        ours: &[u8],
        now_ns: u64,
        before: &[Sample],
    ) -> Result<Option<Sample>, i64> {
        let Some(device) = value.device.filter(|_| value.whole && value.bytes >= 4) else {
            return Ok(None);
        };
        // The first sample of all may be in this frame, and has not set the clock yet.
        let first = before.iter().find(|sample| sample.device == device);
        let first = first.filter(|_| !self.known.contains_key(&device));
        let begun =
            |first: &Sample| State { first_ns: now_ns, wide: first.wide, samples: 0, worst_ns: 0 };
        let known = self.known.get(&device).copied().or_else(|| first.map(begun));
        let ahead_ns = first.map_or(0, |sample| sample.residual_ns);
        if value.register == DIFFERENCE && value.bytes == 4 {
            let signed = |bytes: &[u8]| {
                let magnitude = (number(bytes) & 0x7FFF_FFFF) as i64;
                if bytes[3] & 0x80 == 0 { magnitude } else { -magnitude }
            };
            // Nothing is known of a loop that has not been shown a time that fits.
            let residual_ns = signed(theirs) - signed(ours);
            let fits = known.is_none() || residual_ns.unsigned_abs() <= CLOCK_JITTER_NS;
            return if fits { Ok(None) } else { Err(residual_ns) };
        }
        let wide = value.bytes >= 8;
        let difference = number(theirs).wrapping_sub(number(ours)).wrapping_sub(ahead_ns as u64);
        let low = i64::from(difference as u32 as i32);
        let unknown_half = wide && known.is_none_or(|state| !state.wide);
        let residual_ns = if wide { difference as i64 } else { low };
        let sample = Sample { device, residual_ns, wide, now_ns };
        let Some(state) = known else { return Ok(Some(sample)) };
        let judged_ns = if unknown_half { low } else { residual_ns };
        let elapsed_ns = now_ns.saturating_sub(state.first_ns);
        let limit_ns = CLOCK_JITTER_NS + elapsed_ns / 1_000_000 * CLOCK_PPM;
        if judged_ns.unsigned_abs() <= limit_ns { Ok(Some(sample)) } else { Err(judged_ns) }
    }

    pub(super) fn take(&mut self, sample: Sample, segment: &mut Segment) {
        let Sample { device, residual_ns, wide, now_ns } = sample;
        match self.known.get_mut(&device) {
            None => {
                segment.shift_clock(device, residual_ns as u64);
                self.known
                    .insert(device, State { first_ns: now_ns, wide, samples: 0, worst_ns: 0 });
            }
            Some(state) => {
                if wide && !state.wide {
                    state.wide = true;
                    // The upper half alone: the lower one has been set.
                    let upper = residual_ns.wrapping_sub(i64::from(residual_ns as i32));
                    segment.shift_clock(device, upper as u64);
                }
                state.samples += 1;
                state.worst_ns = state.worst_ns.max(i64::from(residual_ns as i32).unsigned_abs());
            }
        }
    }

    pub(super) fn report(&self) -> Vec<ClockReport> {
        let known = self.known.iter();
        known
            .map(|(&device, state)| ClockReport {
                device,
                samples: state.samples,
                worst_residual_ns: state.worst_ns,
            })
            .collect()
    }
}

fn number(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    let length = bytes.len().min(8);
    wide[..length].copy_from_slice(&bytes[..length]);
    u64::from_le_bytes(wide)
}
