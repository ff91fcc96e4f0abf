//! The distributed clock (0x0900–0x09FF): receive times, system time, and the loop that follows it.
//!
//! System time as the MainDevice reads it is local time + offset − delay. A value written to it is the
//! reference clock's; the loop slews the local clock towards it and never steps.

use ecat_wire::register as reg;

use super::{ClockLevel, Esc, Passage};

/// The loop corrects at most this much of an elapsed time: 1/1,000.
const SLEW_DIVISOR: i64 = 1_000;
/// Largest correction of the clock's rate, in 10⁻⁹.
const RATE_PPB_MAX: i64 = 300_000;
/// Feature bit 3 (0x0008): 64-bit clocks.
const CLOCK_64_BIT: u16 = 0x0008;
const PPB: i128 = 1_000_000_000;

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
    mean_difference_ns: i64,
    /// 0x0900 was written in the passing frame.
    latch: bool,
    /// 0x0910 was written in the passing frame, with 4 or 8 bytes.
    reference: Option<u64>,
}

impl Clock {
    fn local(&self, now_ns: u64, drift_ppb: i32) -> u64 {
        let elapsed = now_ns.saturating_sub(self.since_ns);
        let rate = i128::from(self.rate_ppb) + i128::from(drift_ppb);
        let drift = i128::from(elapsed) * rate / PPB;
        let bound = i64::try_from(elapsed).unwrap_or(i64::MAX) / SLEW_DIVISOR;
        let slew = self.slew_ns.clamp(-bound, bound);
        let change = i64::try_from(drift).unwrap_or(0) + slew;
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
        self.clock = Clock { since_ns: now_ns, ..Clock::default() };
        let stale = self.profile.stale_port_times;
        for (time, address) in stale.iter().zip((reg::DC_RECEIVE_TIME..).step_by(4)) {
            self.memory.set(address, &time.to_le_bytes());
        }
        self.memory.set_u16(reg::DC_SPEED_START, 0x1000);
        self.memory.set(reg::DC_FILTER_DIFFERENCE, &[4, 12]);
    }

    fn system_time(&self, now_ns: u64) -> u64 {
        self.clock
            .local(now_ns, self.profile.clock_drift_ppb)
            .wrapping_add(self.memory.u64(reg::DC_SYSTEM_TIME_OFFSET))
            .wrapping_sub(u64::from(self.memory.u32(reg::DC_SYSTEM_TIME_DELAY)))
    }

    /// Brings 0x0910 and 0x092C up to date.
    pub(super) fn refresh_clock(&mut self, now_ns: u64) {
        let time = self.system_time(now_ns);
        self.memory.set(reg::DC_SYSTEM_TIME, &time.to_le_bytes());
        let mean = self.clock.mean_difference_ns;
        let magnitude = mean.unsigned_abs().min(0x7FFF_FFFF) as u32;
        let difference = magnitude | if mean < 0 { 0x8000_0000 } else { 0 };
        self.memory.set(reg::DC_SYSTEM_TIME_DIFFERENCE, &difference.to_le_bytes());
    }

    /// Sets local time.
    pub(super) fn begin_clock(&mut self, time_ns: u64, now_ns: u64) {
        (self.clock.since_ns, self.clock.local_ns) = (now_ns, time_ns);
    }

    /// Sets local time forward. The loop has seen nothing of it.
    pub(super) fn shift_local_clock(&mut self, by_ns: u64) {
        self.clock.local_ns = self.clock.local_ns.wrapping_add(by_ns);
    }

    pub(super) fn latch_receive_times(&mut self) {
        self.clock.latch = true;
    }

    /// A write to system time; `data` begins at 0x0910.
    pub(super) fn compare_system_time(&mut self, data: &[u8], now_ns: u64) {
        let mut bytes = [0; 8];
        let length = data.len().min(8);
        bytes[..length].copy_from_slice(&data[..length]);
        let received = u64::from_le_bytes(bytes);
        self.clock.reference = match length {
            8 => Some(received),
            // Four bytes: the upper half is the one that brings it nearest.
            4..8 => {
                let own = self.system_time(now_ns);
                let ahead = (received as u32).wrapping_sub(own as u32) as i32;
                Some(own.wrapping_add_signed(i64::from(ahead)))
            }
            _ => None,
        };
    }

    pub(super) fn reset_clock_filters(&mut self) {
        self.clock.mean_difference_ns = 0;
        self.clock.rate_ppb = 0;
        self.clock.slew_ns = 0;
    }

    pub(super) fn end_of_frame_clock(&mut self, passage: Passage) {
        let drift = self.profile.clock_drift_ppb;
        if std::mem::take(&mut self.clock.latch) {
            let processed = self.clock.local(passage.arrival_ns, drift);
            if self.profile.clock == ClockLevel::Full {
                let wide = if self.profile.features & CLOCK_64_BIT == 0 { 4 } else { 8 };
                let bytes = &processed.to_le_bytes()[..wide];
                self.memory.set(reg::DC_RECEIVE_TIME_PROCESSING, bytes);
            }
            for (time, address) in passage.port_ns.iter().zip((reg::DC_RECEIVE_TIME..).step_by(4)) {
                if let Some(received_ns) = *time {
                    let received = self.clock.local(received_ns, drift);
                    self.memory.set(address, &received.to_le_bytes()[..4]);
                }
            }
        }
        if let Some(reference) = self.clock.reference.take() {
            self.follow(reference, passage.arrival_ns);
        }
    }

    /// One turn of the control loop: half of the phase by slewing, and a share of it by the rate.
    fn follow(&mut self, reference: u64, now_ns: u64) {
        let difference = self.system_time(now_ns).wrapping_sub(reference) as i64;
        self.clock.rebase(now_ns, self.profile.clock_drift_ppb);
        let clock = &mut self.clock;
        if let Some(before_ns) = clock.compared_ns.replace(now_ns) {
            let elapsed = i128::from(now_ns.saturating_sub(before_ns)).max(1);
            let share = -i128::from(difference) * PPB / (elapsed * 64);
            let change = share.clamp(-1_000, 1_000) as i64;
            clock.rate_ppb = (clock.rate_ppb + change).clamp(-RATE_PPB_MAX, RATE_PPB_MAX);
        }
        clock.slew_ns = -(difference / 2);
        clock.mean_difference_ns = clock.mean_difference_ns.midpoint(difference);
    }
}
