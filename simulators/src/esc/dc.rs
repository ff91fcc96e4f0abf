//! The distributed clock (0x0900–0x0936): receive times, system time, and the loop that follows it.
//!
//! System time as the MainDevice reads it is local time + offset − delay; pulses and latches go by local
//! time + offset (ESC data sheet, section I, table 30). A value written to it is the reference clock's; the
//! loop slews the local clock towards it and never steps. How it does is not published beyond its
//! registers: here a share of the phase by slewing, and a smaller one by the rate.

use ecat_wire::register as reg;

use super::{ClockLevel, Esc, Passage};

/// The loop slews at most this share of an elapsed time. With [`RATE_PPB_MAX`] it stays below the 770·10⁻⁶
/// that the largest value of 0x0932 means.
const SLEW_DIVISOR: i64 = 2_500;
/// Largest correction of the clock's rate, in 10⁻⁹.
const RATE_PPB_MAX: i64 = 300_000;
/// Feature bit 3 (0x0008): 64-bit clocks.
const CLOCK_64_BIT: u16 = 0x0008;
const PPB: i128 = 1_000_000_000;
/// Bandwidth at which the loop corrects half of the phase with each value: the default of 0x0930.
const BANDWIDTH: i64 = 0x1000;
const BANDWIDTHS: std::ops::RangeInclusive<i64> = 0x0080..=0x3FFF;
/// Steps of the mean difference that make up a ns.
const MEAN_STEPS: i64 = 256;
/// What the loop takes for the time between two values before it knows it, in ns.
const COMPARISON_NS: u64 = 1_000_000;

#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// The host time at which local time was `local_ns`.
    since_ns: u64,
    local_ns: u64,
    /// Learnt by the loop, in 10⁻⁹.
    rate_ppb: i64,
    /// Phase still to be corrected, in ns.
    slew_ns: i64,
    compared_ns: Option<u64>,
    /// In 1/256 ns; none since the filters were reset.
    mean_difference: Option<i64>,
    /// 0x0900 was written in the passing frame.
    latch: bool,
    /// The lower half of what was written to 0x0910 in the passing frame.
    reference: Option<u32>,
}

impl Clock {
    fn local(&self, now_ns: u64, drift_ppb: i32) -> u64 {
        let Some(elapsed) = now_ns.checked_sub(self.since_ns) else {
            return self.local_ns.wrapping_sub(self.since_ns - now_ns);
        };
        let rate = self.rate_ppb + i64::from(drift_ppb);
        // The usual case needs no more than 64 bits.
        let drift = match i64::try_from(elapsed).ok().and_then(|ns| ns.checked_mul(rate)) {
            Some(product) => product / PPB as i64,
            None => i64::try_from(i128::from(elapsed) * i128::from(rate) / PPB).unwrap_or(0),
        };
        let bound = i64::try_from(elapsed).unwrap_or(i64::MAX) / SLEW_DIVISOR;
        let slew = self.slew_ns.clamp(-bound, bound);
        let change = drift + slew;
        self.local_ns.wrapping_add(elapsed).wrapping_add_signed(change)
    }

    fn rebase(&mut self, now_ns: u64, drift_ppb: i32) {
        let local = self.local(now_ns, drift_ppb);
        let elapsed = now_ns.saturating_sub(self.since_ns);
        let bound = i64::try_from(elapsed).unwrap_or(i64::MAX) / SLEW_DIVISOR;
        self.slew_ns -= self.slew_ns.clamp(-bound, bound);
        (self.since_ns, self.local_ns) = (now_ns, local);
    }
}

impl Esc {
    pub(super) fn power_on_clock(&mut self, now_ns: u64) {
        let local_ns = self.profile.clock_offset_ns;
        self.clock = Clock { since_ns: now_ns, local_ns, ..Clock::default() };
        // Bytes that do not exist read 0 within a longer read.
        if self.profile.clock == ClockLevel::None {
            return;
        }
        let stale = self.profile.stale_port_times;
        for (time, address) in stale.iter().zip((reg::DC_RECEIVE_TIME..).step_by(4)) {
            self.memory.set(address, &time.to_le_bytes());
        }
        if self.profile.clock != ClockLevel::Full {
            return;
        }
        self.memory.set_u16(reg::DC_SPEED_START, BANDWIDTH as u16);
        self.memory.set(reg::DC_FILTER_DIFFERENCE, &[4, 12]);
    }

    /// Whether the clock has 64 bits.
    pub(super) fn wide_clock(&self) -> bool {
        self.profile.features & CLOCK_64_BIT != 0
    }

    fn local_time(&self, now_ns: u64) -> u64 {
        self.clock.local(now_ns, self.drift_ppb())
    }

    /// Local time as a stamp shows it: no two are equally good. A function of seed and time alone.
    fn stamped(&self, now_ns: u64) -> u64 {
        self.local_time(now_ns).saturating_add_signed(self.jitter_ns(now_ns))
    }

    fn jitter_ns(&self, now_ns: u64) -> i64 {
        let jitter = u64::from(self.profile.clock_jitter_ns) + u64::from(self.spoiled.jitter_ns);
        if jitter == 0 {
            return 0;
        }
        let random = mixed(self.profile.clock_seed ^ mixed(now_ns)) % (2 * jitter + 1);
        random as i64 - jitter as i64
    }

    /// What 0x0910 reads in a frame that arrived at `now_ns`.
    fn system_time(&self, now_ns: u64) -> u64 {
        self.stamped(now_ns)
            .wrapping_add(self.memory.u64(reg::DC_SYSTEM_TIME_OFFSET))
            .wrapping_sub(u64::from(self.memory.u32(reg::DC_SYSTEM_TIME_DELAY)))
    }

    /// The time that pulses and latches go by.
    pub(super) fn device_time(&self, now_ns: u64) -> u64 {
        self.local_time(now_ns).wrapping_add(self.memory.u64(reg::DC_SYSTEM_TIME_OFFSET))
    }

    /// When [`Esc::device_time`] is `time`, in ns of the segment's time; `u64::MAX` if never.
    pub(super) fn when_device_time_is(&self, time: u64, now_ns: u64) -> u64 {
        let mut when = now_ns;
        // Rates differ by less than 10⁻³, so that each turn gains three digits.
        for _ in 0..6 {
            let missing = time.wrapping_sub(self.device_time(when)) as i64;
            let Some(better) = when.checked_add_signed(missing) else { return u64::MAX };
            if missing == 0 {
                break;
            }
            when = better;
        }
        when
    }

    /// Local time of an event at the device's own side, as 0x09F0–0x09FF have it.
    pub(super) fn event_time(&self, now_ns: u64) -> [u8; 4] {
        (self.local_time(now_ns) as u32).to_le_bytes()
    }

    /// Brings 0x0910, 0x092C and 0x0932 up to date.
    pub(super) fn refresh_clock(&mut self, now_ns: u64) {
        let wide = if self.wide_clock() { 8 } else { 4 };
        let time = self.system_time(now_ns).to_le_bytes();
        self.memory.set(reg::DC_SYSTEM_TIME, &time[..wide]);
        self.show_difference();
        let speed = speed_difference(self.clock.rate_ppb, self.bandwidth());
        self.memory.set(reg::DC_SPEED_DIFFERENCE, &speed.to_le_bytes());
    }

    /// Brings 0x092C up to date.
    fn show_difference(&mut self) {
        let mean = self.mean_difference_ns();
        let magnitude = mean.unsigned_abs().min(0x7FFF_FFFF) as u32;
        let difference = magnitude | if mean < 0 { 0x8000_0000 } else { 0 };
        self.memory.set(reg::DC_SYSTEM_TIME_DIFFERENCE, &difference.to_le_bytes());
    }

    /// By how much the local copy is ahead of the values received, in the mean, in ns (0x092C).
    pub(super) fn mean_difference_ns(&self) -> i64 {
        self.clock.mean_difference.unwrap_or(0) / MEAN_STEPS
    }

    fn bandwidth(&self) -> i64 {
        let start = i64::from(self.memory.u16(reg::DC_SPEED_START) & 0x7FFF);
        start.clamp(*BANDWIDTHS.start(), *BANDWIDTHS.end())
    }

    /// What went by the clock so far is settled before it changes.
    pub(super) fn clock_changes(&mut self, now_ns: u64) {
        self.show_buffer_change();
        self.sync_unit_changes(now_ns);
    }

    /// Sets local time.
    pub(super) fn begin_clock(&mut self, time_ns: u64, now_ns: u64) {
        (self.clock.since_ns, self.clock.local_ns) = (now_ns, time_ns);
    }

    /// Sets local time forward. The loop has seen nothing of it.
    pub(super) fn shift_local_clock(&mut self, by_ns: u64) {
        self.clock.local_ns = self.clock.local_ns.wrapping_add(by_ns);
    }

    /// Fault: the local clock jumps. Pulses whose time was jumped over do not come.
    pub(crate) fn step_clock(&mut self, by_ns: i64, now_ns: u64) {
        self.clock_changes(now_ns);
        self.clock.local_ns = self.clock.local_ns.wrapping_add_signed(by_ns);
        self.clock_jumped(now_ns);
    }

    /// By how much the local clock runs fast, in 10⁻⁹.
    fn drift_ppb(&self) -> i32 {
        self.profile.clock_drift_ppb.saturating_add(self.spoiled.drift_ppb)
    }

    /// The clock's rate changes now.
    pub(super) fn settle_clock(&mut self, now_ns: u64) {
        let drift_ppb = self.drift_ppb();
        self.clock.rebase(now_ns, drift_ppb);
    }

    pub(super) fn latch_receive_times(&mut self) {
        self.clock.latch = true;
    }

    /// A write to system time; `data` begins at 0x0910. Its lower half is compared (section II, table 100).
    pub(super) fn compare_system_time(&mut self, data: &[u8]) {
        if let Some(low) = data.first_chunk() {
            self.clock.reference = Some(u32::from_le_bytes(*low));
        }
    }

    /// 0x0930 was written: difference and speed are learnt anew.
    pub(super) fn reset_clock_filters(&mut self, now_ns: u64) {
        self.clock_changes(now_ns);
        self.settle_clock(now_ns);
        let clock = &mut self.clock;
        (clock.mean_difference, clock.compared_ns) = (None, None);
        (clock.rate_ppb, clock.slew_ns) = (0, 0);
    }

    pub(super) fn end_of_frame_clock(&mut self, passage: Passage) {
        if std::mem::take(&mut self.clock.latch) {
            let processed = self.stamped(passage.arrival_ns);
            if self.profile.clock == ClockLevel::Full {
                let wide = if self.wide_clock() { 8 } else { 4 };
                let bytes = &processed.to_le_bytes()[..wide];
                self.memory.set(reg::DC_RECEIVE_TIME_PROCESSING, bytes);
            }
            for (time, address) in passage.port_ns.iter().zip((reg::DC_RECEIVE_TIME..).step_by(4)) {
                if let Some(received_ns) = *time {
                    let received = self.stamped(received_ns);
                    self.memory.set(address, &received.to_le_bytes()[..4]);
                }
            }
        }
        if let Some(reference) = self.clock.reference.take() {
            self.follow(reference, passage.arrival_ns);
        }
    }

    /// One turn of the control loop.
    fn follow(&mut self, reference: u32, now_ns: u64) {
        let difference =
            i64::from((self.system_time(now_ns) as u32).wrapping_sub(reference) as i32);
        let depths = [reg::DC_FILTER_DIFFERENCE, reg::DC_FILTER_SPEED]
            .map(|register| u32::from(self.memory.u8(register) & 0x0F));
        let bandwidth = self.bandwidth();
        // Pulses that came before go by the clock as it was.
        self.clock_changes(now_ns);
        self.settle_clock(now_ns);
        let clock = &mut self.clock;
        // A larger bandwidth value means a smaller share.
        let share_of_phase = |value: i64| value * BANDWIDTH / (2 * bandwidth.max(BANDWIDTH));
        let before_ns = clock.compared_ns.replace(now_ns);
        let elapsed =
            before_ns.map_or(COMPARISON_NS, |before| now_ns.saturating_sub(before)).max(1);
        // No more than is done by the next value.
        let unlocked = self.spoiled.unlocked;
        let bound = (elapsed.min(1_000_000_000) as i64 / SLEW_DIVISOR).max(1);
        let wanted = if unlocked { 0 } else { -share_of_phase(difference) };
        // A large phase says nothing about the rate.
        if before_ns.is_some() && wanted.abs() <= bound {
            // Of the phase that is corrected, a share is taken for the clock's rate, the smaller the deeper
            // the filter; more than half of it would not be stable.
            let ppb = i128::from(wanted) * PPB / i128::from(elapsed);
            let change = (ppb >> (1 + depths[1] / 3)).clamp(-1_000, 1_000) as i64;
            clock.rate_ppb = (clock.rate_ppb + change).clamp(-RATE_PPB_MAX, RATE_PPB_MAX);
        }
        clock.slew_ns = wanted.clamp(-bound, bound);
        let scaled = difference * MEAN_STEPS;
        let mean =
            clock.mean_difference.map_or(scaled, |mean| mean + ((scaled - mean) >> depths[0]));
        clock.mean_difference = Some(mean);
        self.show_difference();
    }
}

/// Register 0x0932 for a correction of the clock's rate: the deviation is
/// diff / (5 · (start + diff + 2) · (start − diff + 2)), within ±(start − 0x7F) (section II, table 105). That a
/// clock which is held back reads positive is a choice.
fn speed_difference(rate_ppb: i64, start: i64) -> i16 {
    if rate_ppb == 0 {
        return 0;
    }
    let deviation = -(rate_ppb as f64) / 1e9;
    let start_2 = (start + 2) as f64;
    let root = (1.0 + 100.0 * deviation * deviation * start_2 * start_2).sqrt();
    let limit = (start - 0x7F) as f64;
    ((root - 1.0) / (10.0 * deviation)).round().clamp(-limit, limit) as i16
}

/// Bits that have nothing in common with those of a neighbour (the finaliser of SplitMix64).
pub(crate) const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}
