//! The SYNC unit (0x0980–0x09A7): pulses at times of the distributed clock.
//!
//! ESC data sheet, section I, "SyncSignal generation", and section II, tables 109 to 118.

use ecat_wire::register as reg;

use super::Esc;
use crate::faults::Occasion;

/// 0x0980: the device's own program has the unit.
const BY_DEVICE: u8 = 0x01;
/// 0x0981: the unit runs; SYNC0, SYNC1 are generated.
const ACTIVE: u8 = 0x01;
const SYNC0: u8 = 0x02;
const SYNC1: u8 = 0x04;
/// 0x0981: a write to the start time switches the unit on.
const AUTO_ACTIVATION: u8 = 0x08;
/// 0x0981: the upper half of the start time is made from the clock's.
const EXTENSION: u8 = 0x10;
/// 0x0981: a start time that is not in the near future is now.
const PLAUSIBILITY: u8 = 0x20;
/// 0x0981: the near future ends 2^31 ns from now.
const NEAR_FUTURE_SHORT: u8 = 0x40;
/// 0x0981: one pulse at once. Always read 0.
const DEBUG_PULSE: u8 = 0x80;
/// 0x0984: the start time was out of the near future.
const OUT_OF_NEAR_FUTURE: u8 = 0x04;
const NEVER: u64 = u64::MAX;
/// More pulses than these at once are not made up for: a second at the shortest cycle that anybody uses.
const PULSES_BEHIND_MAX: u64 = 1_000_000;
/// Pulses that are kept for who runs at them.
const PULSES_KEPT: usize = 4_096;

/// A pulse of SYNC0 or SYNC1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncPulse {
    /// 0 or 1.
    pub number: u8,
    /// When, by the segment's time, in ns.
    pub at_ns: u64,
    /// When, by the device's clock: its local copy of system time, in ns.
    pub system_time_ns: u64,
}

/// When pulses come next, by the device's time.
#[derive(Clone, Debug)]
pub(super) struct Sync {
    next_ns: [u64; 2],
    /// Somebody runs at the pulses.
    pub(super) observed: bool,
    pub(super) pulses: Vec<SyncPulse>,
}

impl Default for Sync {
    fn default() -> Self {
        Self { next_ns: [NEVER; 2], observed: false, pulses: Vec::new() }
    }
}

impl Esc {
    /// Pulses stop. Who runs at them stays.
    pub(super) fn power_on_sync(&mut self) {
        let observed = self.sync.observed;
        self.sync = Sync { observed, ..Sync::default() };
        if observed {
            self.sync.pulses.reserve(PULSES_KEPT);
        }
    }

    /// Whether 0x0981, 0x0990–0x0997 and 0x09A0–0x09A7 take a write of the MainDevice.
    pub(super) fn sync_unit_writable(&self, address: u16) -> bool {
        let ours = self.memory.u8(reg::DC_UNIT_CONTROL) & BY_DEVICE == 0;
        let start_time = (reg::DC_START_TIME..reg::DC_NEXT_SYNC1).contains(&address);
        ours && !(start_time && self.sync_active())
    }

    pub(crate) fn sync_active(&self) -> bool {
        self.memory.u8(reg::DC_SYNC_ACTIVATION) & ACTIVE != 0
    }

    /// A write is about to change when pulses come; those until now come first.
    pub(super) fn sync_unit_changes(&mut self, now_ns: u64) {
        self.tick_sync(now_ns);
    }

    /// 0x0980–0x09A7 or the clock's offset were written by bytes from `start` to before `end`; `before` is
    /// what 0x0981 was.
    pub(super) fn sync_unit_written(&mut self, start: u16, end: u16, before: u8, now_ns: u64) {
        let touches = |first: u16, last: u16| start <= last && end > first;
        let mut activation = self.memory.u8(reg::DC_SYNC_ACTIVATION);
        if before & ACTIVE == 0 && touches(reg::DC_START_TIME, 0x0997) {
            if activation & EXTENSION != 0 && !touches(reg::DC_START_TIME + 4, 0x0997) {
                self.extend_start_time(now_ns);
            }
            if activation & AUTO_ACTIVATION != 0 {
                activation |= ACTIVE;
            }
        }
        if activation & DEBUG_PULSE != 0 {
            let time = self.device_time(now_ns);
            (0..2)
                .filter(|n| activation & SYNC0 << n != 0)
                .for_each(|n| self.pulse(n, time, now_ns));
        }
        self.memory.set_u8(reg::DC_SYNC_ACTIVATION, activation & !DEBUG_PULSE);
        if activation & ACTIVE == 0 {
            self.sync.next_ns = [NEVER; 2];
            self.memory.set_u8(reg::DC_ACTIVATION_STATUS, 0);
        } else if before & ACTIVE == 0 {
            self.start_pulses(activation, now_ns);
        } else if touches(reg::DC_SYSTEM_TIME_OFFSET, 0x0927) {
            self.clock_jumped(now_ns);
        }
    }

    /// The unit compares for equality: times that were jumped over have not been.
    pub(super) fn clock_jumped(&mut self, now_ns: u64) {
        let time = self.device_time(now_ns);
        let missed = |next: u64| if next != NEVER && next <= time { NEVER } else { next };
        self.sync.next_ns = self.sync.next_ns.map(missed);
    }

    fn extend_start_time(&mut self, now_ns: u64) {
        let time = self.device_time(now_ns);
        let ahead = self.memory.u32(reg::DC_START_TIME).wrapping_sub(time as u32);
        let start = time.wrapping_add(u64::from(ahead));
        self.memory.set(reg::DC_START_TIME, &start.to_le_bytes());
    }

    fn start_pulses(&mut self, activation: u8, now_ns: u64) {
        let time = self.device_time(now_ns);
        let (mut ahead, half) = if self.wide_clock() {
            (self.memory.u64(reg::DC_START_TIME).wrapping_sub(time), 1 << 63)
        } else {
            let start = self.memory.u32(reg::DC_START_TIME);
            (u64::from(start.wrapping_sub(time as u32)), 1 << 31)
        };
        if self.meet(Occasion::SyncStart, now_ns).is_some() {
            // As if it had been written a cycle too late.
            let late = u64::from(self.memory.u32(reg::DC_SYNC0_CYCLE)).max(1);
            ahead = if self.wide_clock() {
                late.wrapping_neg()
            } else {
                u64::from((late as u32).wrapping_neg())
            };
        }
        let near = if activation & NEAR_FUTURE_SHORT == 0 { half } else { 1 << 31 };
        let mut status = (activation & (SYNC0 | SYNC1)) >> 1;
        let mut start = time.wrapping_add(ahead);
        if ahead >= near {
            status |= OUT_OF_NEAR_FUTURE;
            if activation & PLAUSIBILITY != 0 {
                start = time;
            } else if self.wide_clock() {
                start = NEVER;
            }
        }
        self.memory.set_u8(reg::DC_ACTIVATION_STATUS, status);
        let after = u64::from(self.memory.u32(reg::DC_SYNC1_CYCLE));
        self.sync.next_ns = [start, start.saturating_add(after)];
        self.tick_sync(now_ns);
    }

    /// Lets pulses come; returns when the next one does.
    pub(super) fn tick_sync(&mut self, now_ns: u64) -> u64 {
        if self.sync.next_ns == [NEVER; 2] {
            return u64::MAX;
        }
        let time = self.device_time(now_ns);
        loop {
            // Where both come together, SYNC0 does first.
            let number = usize::from(self.sync.next_ns[1] < self.sync.next_ns[0]);
            let at = self.sync.next_ns[number];
            if at == NEVER {
                return NEVER;
            }
            if at > time {
                return self.when_device_time_is(at, now_ns);
            }
            let cycle = u64::from(self.memory.u32(reg::DC_SYNC0_CYCLE));
            let after = u64::from(self.memory.u32(reg::DC_SYNC1_CYCLE));
            let period = match (number, cycle) {
                (_, 0) => None,
                (0, _) => Some(cycle),
                // SYNC1 waits for the next SYNC0 behind its last pulse.
                _ => Some((after / cycle + 1) * cycle),
            };
            // A clock that was set far ahead, or wraps, leaves more behind it than there is time to make up for.
            let late = period.map_or(0, |period| (time - at) / period);
            let skipped = if late > PULSES_BEHIND_MAX { late } else { 0 };
            self.sync.next_ns[number] = period
                .map_or(NEVER, |period| at.saturating_add(period.saturating_mul(skipped + 1)));
            let host_ns = self.when_device_time_is(at, now_ns);
            self.pulse(number as u8, at, host_ns);
        }
    }

    fn pulse(&mut self, number: u8, system_time_ns: u64, at_ns: u64) {
        if self.memory.u8(reg::DC_SYNC_ACTIVATION) & SYNC0 << number == 0 {
            return;
        }
        if number == 0 && self.meet(Occasion::Pulse, at_ns).is_some() {
            return;
        }
        let pending = self.memory.u8(reg::DC_ACTIVATION_STATUS) & !(1 << number);
        self.memory.set_u8(reg::DC_ACTIVATION_STATUS, pending);
        // In acknowledge mode the signal stays until the program has read its status, which it does at once.
        let unread = self.emulated() || !self.application_runs();
        if self.memory.u16(reg::DC_PULSE_LENGTH) == 0 && unread {
            self.memory.set_u8(reg::DC_SYNC0_STATUS + u16::from(number), 1);
        }
        if number == 0 {
            self.run_at_pulse(at_ns);
        }
        if self.sync.observed && self.sync.pulses.len() < PULSES_KEPT {
            self.sync.pulses.push(SyncPulse { number, at_ns, system_time_ns });
        }
    }

    /// Brings the times of the next pulses up to date: 0x0990 while the unit runs, 0x0998.
    pub(super) fn refresh_sync(&mut self, now_ns: u64) {
        self.tick_sync(now_ns);
        let wide = if self.wide_clock() { 8 } else { 4 };
        let next = self.sync.next_ns;
        if self.sync_active() && next[0] != NEVER {
            self.memory.set(reg::DC_START_TIME, &next[0].to_le_bytes()[..wide]);
        }
        if self.sync_active() && next[1] != NEVER {
            self.memory.set(reg::DC_NEXT_SYNC1, &next[1].to_le_bytes()[..wide]);
        }
    }

    /// When the next pulse comes, of SYNC0 or SYNC1, by the device's system time; none: it does not run.
    pub(crate) fn next_pulse_ns(&self, number: u8) -> Option<u64> {
        let runs = ACTIVE | SYNC0 << number;
        let activation = self.memory.u8(reg::DC_SYNC_ACTIVATION);
        let next = self.sync.next_ns.get(usize::from(number))?;
        Some(*next).filter(|next| activation & runs == runs && *next != NEVER)
    }

    /// From now on pulses are kept for who runs at them.
    pub(crate) fn observe_pulses(&mut self) {
        self.sync.observed = true;
        self.sync.pulses.reserve(PULSES_KEPT);
    }

    /// Whether there are pulses that nobody has taken.
    pub(crate) fn has_pulses(&self) -> bool {
        !self.sync.pulses.is_empty()
    }

    /// Takes the pulses since this was last asked, in their order.
    pub(crate) fn take_pulses(&mut self) -> std::vec::Drain<'_, SyncPulse> {
        self.sync.pulses.drain(..)
    }
}
