//! The data link layer: loop control (0x0101), alias enable (0x0103), port status (0x0110), counters.

use ecat_wire::register as reg;

use super::{Chip, Esc};

const PDI_OPERATIONAL: u16 = 0x0001;
const PDI_WATCHDOG: u16 = 0x0002;
/// Register 0x0141: at all ports. A LAN9252 with it shows [`ENHANCED_LINK_STATUS`], terminals without do not.
const ENHANCED_LINK_DETECTION: u8 = 0x02;
const ENHANCED_LINK_STATUS: u16 = 0x0004;
/// How long a setting with 0x0100 bit 1 holds.
const TEMPORARY: u8 = 0x02;
const TEMPORARY_NS: u64 = 1_000_000_000;
/// Loop control of a port, two bits in 0x0101.
const AUTO: u8 = 0;
const AUTO_CLOSE: u8 = 1;
const OPEN: u8 = 2;
const LOOPS: u16 = reg::DL_CONTROL + 1;
/// Kind of a port, two bits in 0x0007: E-bus; above, MII. Below, there is none.
const E_BUS: u8 = 2;
const ALIAS_ENABLE: u8 = 0x01;
const FORWARD_ETHERCAT_ONLY: u8 = 0x01;

/// The ports: which have a link, which are open, and what is held closed until it is told to open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ports {
    links: [bool; 4],
    open: [bool; 4],
    held_closed: [bool; 4],
    /// When a temporary setting of 0x0101 ends, and what it was before.
    reverts: Option<(u64, u8)>,
}

impl Esc {
    pub(super) fn power_on_dl(&mut self) {
        // Port 3 of an ET1200 begins closed; bits 20–23 come from the EEPROM.
        let loops = if self.profile.chip == Chip::Et1200 { 0xC0 } else { 0x00 };
        let settings = if self.application_runs() { self.sii_word(5) as u8 & 0xF0 } else { 0 };
        self.memory.set(reg::DL_CONTROL, &[0x01, loops, 0x07 | settings, 0x00]);
        self.ports = Ports::default();
        self.open_ports();
        // What it begins with is no change.
        self.clear_event(super::events::DL_STATUS);
    }

    /// Station address, and the alias where it is enabled.
    pub(crate) fn addresses(&self) -> (u16, Option<u16>) {
        let enabled = self.memory.u8(reg::DL_CONTROL + 3) & ALIAS_ENABLE != 0;
        (
            self.memory.u16(reg::STATION_ADDRESS),
            enabled.then(|| self.memory.u16(reg::STATION_ALIAS)),
        )
    }

    /// Whether frames pass this port.
    pub(crate) fn port_open(&self, port: u8) -> bool {
        self.ports.open[usize::from(port)]
    }

    /// Whether this port is closed and would open for a frame that reaches it.
    pub(crate) fn port_waits(&self, port: u8) -> bool {
        let n = usize::from(port);
        self.ports.links[n] && self.ports.held_closed[n] && self.loop_control(port) == AUTO_CLOSE
    }

    /// Whether port 0 is closed because its link is gone: frames that pass it circulate.
    pub(crate) fn port_0_loops(&self) -> bool {
        !self.port_open(0) && matches!(self.loop_control(0), AUTO | AUTO_CLOSE)
    }

    /// How long a frame takes to leave by this port, in ns.
    pub(crate) fn forward_ns(&self, port: u8) -> u32 {
        let profile = &self.profile;
        if let Some(by_port) = profile.forward_port_ns {
            return by_port[usize::from(port)];
        }
        if self.port_kind(port) > E_BUS { profile.forward_mii_ns } else { profile.forward_ns }
    }

    fn port_kind(&self, port: u8) -> u8 {
        self.profile.port_descriptor >> (2 * port) & 3
    }

    fn loop_control(&self, port: u8) -> u8 {
        self.memory.u8(LOOPS) >> (2 * port) & 3
    }

    /// Changes the loop control of a port (0x0101), as a MainDevice could.
    pub(crate) fn control_port(&mut self, port: u8, control: u8) {
        let shift = 2 * (port & 3);
        let loops = self.memory.u8(LOOPS) & !(3 << shift) | (control & 3) << shift;
        self.memory.set_u8(LOOPS, loops);
        self.apply_loop_control();
    }

    /// Whether frames that are not EtherCAT are destroyed (0x0100 bit 0).
    pub(crate) fn ethercat_only(&self) -> bool {
        self.memory.u8(reg::DL_CONTROL) & FORWARD_ETHERCAT_ONLY != 0
    }

    /// Connects or cuts the ports. A change is an event, and a lost link is counted at ports that close
    /// by themselves; at power-on (`first`) those that are missing were never there.
    pub(crate) fn connect(&mut self, mut links: [bool; 4], first: bool) {
        for port in 0..4 {
            links[usize::from(port)] &= self.port_kind(port) >= E_BUS;
        }
        if links == self.ports.links {
            return;
        }
        for (port, link) in (0u8..).zip(links) {
            let n = usize::from(port);
            let automatic = matches!(self.loop_control(port), AUTO | AUTO_CLOSE);
            if self.ports.links[n] && self.ports.open[n] && !link && automatic && !first {
                self.memory.count(reg::LOST_LINKS + u16::from(port));
            }
            self.ports.held_closed[n] |= !link && self.loop_control(port) == AUTO_CLOSE;
        }
        self.ports.links = links;
        self.open_ports();
        if first && links == [false; 4] {
            self.clear_event(super::events::DL_STATUS);
        }
    }

    /// A frame reached a port that waits for one.
    pub(crate) fn open_port(&mut self, port: u8) {
        self.ports.held_closed[usize::from(port)] = false;
        self.open_ports();
    }

    /// 0x0100–0x0103 were written: what a temporary setting replaces, and which ports may open again.
    pub(super) fn loop_control_written(&mut self, before: u8, now_ns: u64) {
        if self.memory.u8(reg::DL_CONTROL) & TEMPORARY != 0 {
            let kept = self.ports.reverts.map_or(before, |(_, kept)| kept);
            self.ports.reverts = Some((now_ns + TEMPORARY_NS, kept));
        } else {
            self.ports.reverts = None;
        }
        self.apply_loop_control();
    }

    /// Takes over what 0x0101 says.
    pub(super) fn apply_loop_control(&mut self) {
        for port in 0..4 {
            let n = usize::from(port);
            self.ports.held_closed[n] =
                self.loop_control(port) == AUTO_CLOSE && !self.ports.links[n];
        }
        self.open_ports();
    }

    /// Ends a temporary setting; returns when it would.
    pub(super) fn tick_ports(&mut self, now_ns: u64) -> u64 {
        let Some((due, before)) = self.ports.reverts else { return u64::MAX };
        if now_ns < due {
            return due;
        }
        self.ports.reverts = None;
        self.memory.set_u8(LOOPS, before);
        let open = self.ports.open;
        self.apply_loop_control();
        self.reverted |= open != self.ports.open;
        u64::MAX
    }

    /// Whether ports have opened or closed by themselves since this was last asked.
    pub(crate) fn take_reverted(&mut self) -> bool {
        std::mem::take(&mut self.reverted)
    }

    /// Opens and closes ports by their control and their links. Port 0 opens where all would be closed.
    fn open_ports(&mut self) {
        let mut open = [0, 1, 2, 3].map(|port| {
            let n = usize::from(port);
            let there = self.port_kind(port) >= E_BUS;
            there
                && match self.loop_control(port) {
                    AUTO => self.ports.links[n],
                    AUTO_CLOSE => self.ports.links[n] && !self.ports.held_closed[n],
                    control => control == OPEN,
                }
        });
        open[0] |= open == [false; 4];
        self.ports.open = open;
        self.show_ports();
    }

    /// Writes 0x0110, of which every change is an event: a port is open when its pair reads loop 0, communication 1.
    pub(super) fn show_ports(&mut self) {
        let mut status = 0;
        if self.application_runs() {
            status |= PDI_OPERATIONAL;
        }
        if self.profile.pdi_watchdog.unwrap_or(self.pdi_is_watched()) {
            status |= PDI_WATCHDOG;
        }
        if self.memory.u8(reg::ESC_CONFIGURATION) & ENHANCED_LINK_DETECTION != 0 {
            status |= ENHANCED_LINK_STATUS;
        }
        for (port, (link, open)) in self.ports.links.into_iter().zip(self.ports.open).enumerate() {
            status |= u16::from(link) << (4 + port);
            let pair = match (open, link) {
                (true, true) => 0b10,
                (true, false) => 0b00,
                (false, _) => 0b01,
            };
            status |= pair << (8 + 2 * port);
        }
        if status != self.memory.u16(reg::DL_STATUS) {
            self.memory.set_u16(reg::DL_STATUS, status);
            self.raise_event(super::events::DL_STATUS);
        }
    }

    /// A frame with an error of its own passed the processing unit: lengths that contradict each other, fewer
    /// than 64 bytes, not EtherCAT where only that is let through, or circulating.
    pub(crate) fn count_malformed(&mut self) {
        self.memory.count(reg::PROCESSING_ERRORS);
    }

    /// A frame with a bad checksum was received at a port; `forwarded` if an ESC before has found that out.
    /// At port 0 it reaches the processing unit, which counts it too.
    pub(crate) fn count_bad_checksum(&mut self, port: u8, forwarded: bool) {
        let port_offset = u16::from(port);
        if forwarded {
            self.memory.count(reg::FORWARDED_ERRORS + port_offset);
        } else {
            self.memory.count(reg::RX_ERRORS + 2 * port_offset);
            self.memory.count(reg::RX_ERRORS + 2 * port_offset + 1);
        }
        if port == 0 {
            self.memory.count(reg::PROCESSING_ERRORS);
        }
    }

    /// Any write to an error counter clears its whole group.
    pub(super) fn clear_counters(&mut self, address: u16) {
        let (start, bytes): (u16, &[u8]) = match address {
            reg::RX_ERRORS..=0x030B => (reg::RX_ERRORS, &[0; 12]),
            reg::LOST_LINKS..=0x0313 => (reg::LOST_LINKS, &[0; 4]),
            reg::PDI_ERRORS => (reg::PDI_ERRORS, &[0; 2]),
            reg::WATCHDOG_COUNTER_SM | reg::WATCHDOG_COUNTER_PDI => {
                (reg::WATCHDOG_COUNTER_SM, &[0; 2])
            }
            other => (other, &[0]),
        };
        self.memory.set(start, bytes);
    }
}
