//! The SyncManager watchdog (0x0400, 0x0420, 0x0440, 0x0442): outputs that are no longer written fall. The
//! watchdog of the process-data interface (0x0410, 0x0443, 0x0110 bit 1): the program has stopped.

use ecat_wire::register as reg;

use super::Esc;

/// Unit of the divider: (divider + 2) · 40 ns.
const DIVIDER_NS: u64 = 40;

#[derive(Clone, Debug, Default)]
pub(super) struct Watchdog {
    triggered_ns: Option<u64>,
    expired: bool,
    /// Since when the program does nothing, and what its outputs are then: there from the beginning.
    halted_ns: Option<u64>,
    halted_outputs: Vec<u8>,
    pdi_expired: bool,
}

impl Esc {
    /// A program that has stopped stands still after power-on, too.
    pub(super) fn power_on_watchdog(&mut self, now_ns: u64) {
        let Watchdog { halted_ns, mut halted_outputs, .. } = std::mem::take(&mut self.watchdog);
        halted_outputs.clear();
        halted_outputs.resize(self.output_bytes() as usize, 0);
        let halted_ns = halted_ns.map(|_| now_ns);
        self.watchdog = Watchdog { halted_ns, halted_outputs, ..Watchdog::default() };
        self.memory.set_u16(reg::WATCHDOG_DIVIDER, 2_498);
        self.memory.set_u16(reg::WATCHDOG_TIME_PDI, 1_000);
        self.memory.set_u16(reg::WATCHDOG_TIME_SM, 1_000);
    }

    /// A SyncManager with control bit 6 was completely written.
    pub(super) fn trigger_watchdog(&mut self, now_ns: u64) {
        if self.damaged {
            return;
        }
        // From rest it gets a new due time, which the segment must hear of.
        self.pending |= self.watchdog.expired || self.watchdog.triggered_ns.is_none();
        self.watchdog.triggered_ns = Some(now_ns);
        self.watchdog.expired = false;
        self.memory.set_u8(reg::WATCHDOG_STATUS, 1);
    }

    fn watchdog_ns(&self) -> u64 {
        self.watchdog_time_ns(reg::WATCHDOG_TIME_SM)
    }

    fn watchdog_time_ns(&self, register: u16) -> u64 {
        let unit = (u64::from(self.memory.u16(reg::WATCHDOG_DIVIDER)) + 2) * DIVIDER_NS;
        unit * u64::from(self.memory.u16(register))
    }

    /// The program stops, or goes on. While it has stopped, its outputs are as they were and its inputs are not
    /// handed over.
    pub(crate) fn halt_program(&mut self, halted: bool, now_ns: u64) {
        if !halted {
            self.watchdog.halted_ns = None;
            self.show_pdi_watchdog(false);
            self.show_inputs_anew();
        } else if self.watchdog.halted_ns.is_none() {
            let mut outputs = std::mem::take(&mut self.watchdog.halted_outputs);
            (0..).zip(&mut outputs).for_each(|(n, byte)| *byte = self.output(8 * n, 8) as u8);
            self.watchdog.halted_outputs = outputs;
            self.watchdog.halted_ns = Some(now_ns);
        }
    }

    /// What the outputs of a stopped program are.
    pub(super) fn halted_outputs(&self) -> Option<&[u8]> {
        self.watchdog.halted_ns.map(|_| &self.watchdog.halted_outputs[..])
    }

    /// Where the program has stopped, lets its watchdog expire; returns when it would.
    pub(super) fn tick_pdi_watchdog(&mut self, now_ns: u64) -> Option<u64> {
        let since = self.watchdog.halted_ns?;
        let time = self.watchdog_time_ns(reg::WATCHDOG_TIME_PDI);
        if time == 0 || self.watchdog.pdi_expired {
            return Some(u64::MAX);
        }
        let due = since.saturating_add(time);
        if now_ns < due {
            return Some(due);
        }
        self.memory.count(reg::WATCHDOG_COUNTER_PDI);
        self.show_pdi_watchdog(true);
        Some(u64::MAX)
    }

    fn show_pdi_watchdog(&mut self, expired: bool) {
        if self.watchdog.pdi_expired != expired {
            self.watchdog.pdi_expired = expired;
            self.show_ports();
        }
    }

    /// Whether there is a process-data interface whose watchdog has not expired.
    pub(super) fn pdi_is_watched(&self) -> bool {
        let there = self.application_runs() && self.memory.u8(reg::PDI_CONTROL) != 0;
        there && !self.watchdog.pdi_expired
    }

    /// Lets it expire; returns when it would.
    pub(super) fn tick_watchdog(&mut self, now_ns: u64) -> u64 {
        let Some(triggered) = self.watchdog.triggered_ns else { return u64::MAX };
        let time = self.watchdog_ns();
        if time == 0 || self.watchdog.expired {
            return u64::MAX;
        }
        let due = triggered.saturating_add(time);
        if now_ns < due {
            return due;
        }
        self.expire_watchdog();
        u64::MAX
    }

    /// It expires, if it runs.
    pub(crate) fn expire_watchdog(&mut self) {
        if self.watchdog.triggered_ns.is_none() || self.watchdog.expired {
            return;
        }
        self.watchdog.expired = true;
        self.memory.set_u8(reg::WATCHDOG_STATUS, 0);
        self.memory.count(reg::WATCHDOG_COUNTER_SM);
        self.watchdog_expired_al();
    }

    /// Whether outputs may be driven, as far as the watchdog is concerned.
    pub(super) fn watchdog_holds(&self) -> bool {
        !self.watchdog.expired || !self.sync_managers.any_trigger() || self.watchdog_ns() == 0
    }
}
