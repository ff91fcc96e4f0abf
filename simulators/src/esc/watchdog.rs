//! The SyncManager watchdog (0x0400, 0x0420, 0x0440, 0x0442): outputs that are no longer written fall.

use ecat_wire::register as reg;

use super::Esc;

/// Unit of the divider: (divider + 2) · 40 ns.
const DIVIDER_NS: u64 = 40;

#[derive(Clone, Debug, Default)]
pub(super) struct Watchdog {
    triggered_ns: Option<u64>,
    expired: bool,
}

impl Esc {
    pub(super) fn power_on_watchdog(&mut self) {
        self.watchdog = Watchdog::default();
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
        let unit = (u64::from(self.memory.u16(reg::WATCHDOG_DIVIDER)) + 2) * DIVIDER_NS;
        unit * u64::from(self.memory.u16(reg::WATCHDOG_TIME_SM))
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
        self.watchdog.expired = true;
        self.memory.set_u8(reg::WATCHDOG_STATUS, 0);
        self.memory.count(reg::WATCHDOG_COUNTER_SM);
        self.watchdog_expired_al();
        u64::MAX
    }

    /// Whether outputs may be driven, as far as the watchdog is concerned.
    pub(super) fn watchdog_holds(&self) -> bool {
        !self.watchdog.expired || !self.sync_managers.any_trigger() || self.watchdog_ns() == 0
    }
}
