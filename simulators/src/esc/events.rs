//! The ECAT event register (0x0210) and its mask (0x0200), which show in the IRQ field of datagrams.

use ecat_wire::register as reg;

use super::Esc;

/// Bit 0: a latch input changed; reading its time clears.
pub(super) const LATCH: u16 = 0x0001;
/// Bit 2: DL status changed; reading it clears.
pub(super) const DL_STATUS: u16 = 0x0004;
/// Bit 3: the program wrote AL status; reading it clears.
pub(super) const AL_STATUS: u16 = 0x0008;
const LATCHED: u16 = LATCH | DL_STATUS | AL_STATUS;

impl Esc {
    /// Latches an event, masked or not.
    pub(super) fn raise_event(&mut self, event: u16) {
        let events = self.memory.u16(reg::ECAT_EVENT) | event;
        self.memory.set_u16(reg::ECAT_EVENT, events);
    }

    /// Brings the SyncManager mirrors up to date.
    pub(super) fn refresh_events(&mut self) {
        let events = self.memory.u16(reg::ECAT_EVENT) & LATCHED | self.sync_manager_events();
        self.memory.set_u16(reg::ECAT_EVENT, events);
    }

    pub(super) fn clear_event(&mut self, event: u16) {
        let events = self.memory.u16(reg::ECAT_EVENT) & !event;
        self.memory.set_u16(reg::ECAT_EVENT, events);
    }

    /// Whether any event may show.
    pub(crate) fn has_event_mask(&self) -> bool {
        self.memory.u16(reg::ECAT_EVENT_MASK) != 0
    }

    /// What the ESC ORs into the IRQ field of each datagram of a frame.
    pub(crate) fn irq(&mut self) -> u16 {
        self.refresh_events();
        self.memory.u16(reg::ECAT_EVENT) & self.memory.u16(reg::ECAT_EVENT_MASK)
    }
}
