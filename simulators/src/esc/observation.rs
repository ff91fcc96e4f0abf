//! What the bytes of an ESC's memory are, for who compares them with those of another.

use ecat_wire::register as reg;

use super::profile::ClockLevel;
use super::{Esc, memory::RAM};
use crate::segment::SourceKind;

/// Registers whose content is a time, or follows from one, in an ESC with a full clock: system time and
/// time of the processing unit; their difference to the reference; the speed counters; latched times.
const CLOCK_REGISTERS: [(u16, u16); 5] =
    [(0x0910, 0x091F), (0x092C, 0x092F), (0x0932, 0x0933), (0x0998, 0x099F), (0x09B0, 0x09FF)];

const FEATURE_64_BIT_CLOCK: u16 = 0x0008;

/// Where in a mail its type and counter stand.
const MAIL_TYPE: usize = 5;

impl Esc {
    /// What the byte at `address` is.
    pub(crate) fn kind_of(&self, address: u16) -> SourceKind {
        if (reg::DC_RECEIVE_TIME..reg::DC_SYSTEM_TIME).contains(&address) {
            let there = self.profile.clock != ClockLevel::None;
            return if there { SourceKind::Clock } else { SourceKind::Exact };
        }
        let clock = |&(first, last): &(u16, u16)| (first..=last).contains(&address);
        if self.profile.clock == ClockLevel::Full && CLOCK_REGISTERS.iter().any(clock) {
            return SourceKind::Clock;
        }
        // While pulses come, the time of the next one.
        let next_pulse = (reg::DC_START_TIME..reg::DC_NEXT_SYNC1).contains(&address);
        if next_pulse && self.sync_active() {
            return SourceKind::Clock;
        }
        if usize::from(address) < RAM {
            let unknown = self.unknown_word(address);
            return unknown.map_or(SourceKind::Exact, |word| SourceKind::Unknown { word });
        }
        if let Some((start, mailbox)) = self.sync_managers.read_area(usize::from(address)) {
            let offset = usize::from(address) - start;
            let foreign = mailbox && offset != MAIL_TYPE && self.presents_foreign_mail();
            let mail = mailbox && !foreign;
            return if mail { SourceKind::Mail { offset } } else { SourceKind::Live };
        }
        let at = usize::from(address);
        let input = self.profile.application.inputs.iter().any(|area| {
            (usize::from(area.start)..usize::from(area.start) + usize::from(area.bytes))
                .contains(&at)
        });
        if input { SourceKind::Live } else { SourceKind::Exact }
    }

    /// Sets the local clock forward, and what it has latched so far.
    pub(crate) fn shift_clock(&mut self, by_ns: u64) {
        self.shift_local_clock(by_ns);
        if self.profile.clock == ClockLevel::None {
            return;
        }
        let stale = self.profile.stale_port_times;
        for (stale, address) in stale.into_iter().zip((reg::DC_RECEIVE_TIME..).step_by(4)) {
            let time = self.memory.u32(address);
            if time != stale {
                self.memory.set(address, &time.wrapping_add(by_ns as u32).to_le_bytes());
            }
        }
        if self.profile.clock == ClockLevel::Full {
            let wide = self.profile.features & FEATURE_64_BIT_CLOCK != 0;
            let time = self.memory.u64(reg::DC_RECEIVE_TIME_PROCESSING).wrapping_add(by_ns);
            let bytes = if wide { 8 } else { 4 };
            self.memory.set(reg::DC_RECEIVE_TIME_PROCESSING, &time.to_le_bytes()[..bytes]);
        }
    }
}
