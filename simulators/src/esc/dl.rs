//! The data link layer: loop control (0x0101), alias enable (0x0103), port status (0x0110), counters.

use ecat_wire::register as reg;

use super::Esc;

const PDI_OPERATIONAL: u16 = 0x0001;
const PDI_WATCHDOG: u16 = 0x0002;
/// Register 0x0141: at all ports. A LAN9252 with it shows [`ENHANCED_LINK_STATUS`], terminals without do not.
const ENHANCED_LINK_DETECTION: u8 = 0x02;
const ENHANCED_LINK_STATUS: u16 = 0x0004;
/// Loop control of port 1 in 0x0101: 3 is closed whatever the link.
const PORT_1_LOOP: u8 = 0x0C;
const ALIAS_ENABLE: u8 = 0x01;
const FORWARD_ETHERCAT_ONLY: u8 = 0x01;

/// Links at the two ports of a device in a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) before: bool,
    pub(crate) behind: bool,
}

impl Esc {
    pub(super) fn power_on_dl(&mut self) {
        self.memory.set(reg::DL_CONTROL, &[0x01, 0x00, 0x07, 0x00]);
        self.ports = Ports::default();
        self.show_ports();
    }

    /// Station address, and the alias where it is enabled.
    pub(crate) fn addresses(&self) -> (u16, Option<u16>) {
        let enabled = self.memory.u8(reg::DL_CONTROL + 3) & ALIAS_ENABLE != 0;
        (
            self.memory.u16(reg::STATION_ADDRESS),
            enabled.then(|| self.memory.u16(reg::STATION_ALIAS)),
        )
    }

    /// Whether loop control has closed the port to the devices behind.
    pub(crate) fn closed_behind(&self) -> bool {
        self.memory.u8(reg::DL_CONTROL + 1) & PORT_1_LOOP == PORT_1_LOOP
    }

    /// Whether frames that are not EtherCAT are destroyed (0x0100 bit 0).
    pub(crate) fn ethercat_only(&self) -> bool {
        self.memory.u8(reg::DL_CONTROL) & FORWARD_ETHERCAT_ONLY != 0
    }

    /// Connects or cuts the ports. A change is an event, and a lost link is counted.
    pub(crate) fn connect(&mut self, ports: Ports) {
        if ports == self.ports {
            return;
        }
        if self.ports.before && !ports.before {
            self.memory.count(reg::LOST_LINKS);
        }
        if self.ports.behind && !ports.behind {
            self.memory.count(reg::LOST_LINKS + 1);
        }
        self.ports = ports;
        self.show_ports();
        self.raise_event(super::events::DL_STATUS);
    }

    /// Writes 0x0110: a port is open when its pair reads loop 0, communication 1.
    pub(super) fn show_ports(&mut self) {
        let mut status = 0;
        if self.application_runs() {
            status |= PDI_OPERATIONAL;
        }
        if self.profile.pdi_watchdog {
            status |= PDI_WATCHDOG;
        }
        if self.memory.u8(reg::ESC_CONFIGURATION) & ENHANCED_LINK_DETECTION != 0 {
            status |= ENHANCED_LINK_STATUS;
        }
        for (port, link) in
            [self.ports.before, self.ports.behind, false, false].into_iter().enumerate()
        {
            let open = link && !(port == 1 && self.closed_behind());
            status |= u16::from(link) << (4 + port);
            status |= if open { 0b10 } else { 0b01 } << (8 + 2 * port);
        }
        self.memory.set_u16(reg::DL_STATUS, status);
    }

    /// A frame whose lengths contradict each other passed the processing unit.
    pub(crate) fn count_malformed(&mut self) {
        self.memory.count(reg::PROCESSING_ERRORS);
    }

    /// Any write to an error counter clears its whole group.
    pub(super) fn clear_counters(&mut self, address: u16) {
        let (start, bytes): (u16, &[u8]) = match address {
            reg::RX_ERRORS..reg::PROCESSING_ERRORS => (reg::RX_ERRORS, &[0; 12]),
            reg::LOST_LINKS..=0x0313 => (reg::LOST_LINKS, &[0; 4]),
            reg::WATCHDOG_COUNTER_SM | reg::WATCHDOG_COUNTER_PDI => {
                (reg::WATCHDOG_COUNTER_SM, &[0; 2])
            }
            other => (other, &[0]),
        };
        self.memory.set(start, bytes);
    }
}
