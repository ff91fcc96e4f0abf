//! The EEPROM interface (0x0500–0x050F) and the SII image behind it.

use std::ops::Range;

use ecat_wire::register as reg;
use ecat_wire::sii::{CHECKSUM_BYPASS, checksum};

use super::release::InternalEvent;
use super::{ClockLevel, Esc, Start};
use crate::faults::{EepromError, Effect, Occasion};

const WRITE_ENABLE: u16 = 0x0001;
const READ_EIGHT: u16 = 0x0040;
const COMMAND: u16 = 0x0700;
const READ: u16 = 0x0100;
const WRITE: u16 = 0x0200;
const RELOAD: u16 = 0x0400;
const CHECKSUM_ERROR: u16 = 0x0800;
const NOT_LOADED: u16 = 0x1000;
const NO_ACKNOWLEDGE: u16 = 0x2000;
const WRITE_ENABLE_ERROR: u16 = 0x4000;
const BUSY: u16 = 0x8000;

/// Bit 4 of 0x0502, set in an ET1200, is gone once the device's program has used the interface: an EL3004
/// reads 0x50 before its first PRE-OP and 0x40 ever after.
const UNTIL_USED: u8 = 0x10;

/// After a write the EEPROM answers nothing for so long, though the interface is no longer busy. One recording
/// shows 3 to 4 ms; SOEM tries no longer than 2.4 ms, and writes whole EEPROMs word by word.
const WRITE_CYCLE_NS: u64 = 2_000_000;

#[derive(Clone, Debug, Default)]
pub(super) struct Eeprom {
    /// The command under way, and when it ends.
    running: Option<(u64, u16)>,
    /// The end of a write cycle that is under way.
    silent_until_ns: Option<u64>,
    /// The command that the write cycle made fail.
    refused: Option<u16>,
    loaded: bool,
    /// The device's program has used the interface.
    used_by_device: bool,
    /// Words of the image that are known, where not all are, and registers that show an unknown one.
    known: Option<Vec<Range<u32>>>,
    unknown_registers: Vec<u16>,
    /// Bytes of 0x0508 that come from words which are not known, a bit each.
    unknown_data: u8,
}

impl Eeprom {
    pub(super) fn done_due_ns(&self) -> Option<u64> {
        self.running.map(|(due_ns, _)| due_ns)
    }

    pub(super) fn ready_due_ns(&self) -> Option<u64> {
        self.silent_until_ns
    }
}

impl Esc {
    /// Takes over what is known of the image, and an access that is under way.
    pub(super) fn begin_eeprom(&mut self, start: &Start, now_ns: u64) {
        self.eeprom.known = start.known_words.clone();
        let given = |address: &u16| {
            *address <= reg::ESC_CONFIGURATION && self.profile.pdi_control.is_some()
                || start.registers.iter().any(|(first, bytes)| {
                    address.checked_sub(*first).is_some_and(|at| usize::from(at) < bytes.len())
                })
        };
        let unknown = (0x0012..0x0984)
            .filter(|&address| Self::loaded_from(address).is_some_and(|word| !self.is_known(word)));
        let unknown: Vec<u16> = unknown.filter(|address| !given(address)).collect();
        self.eeprom.unknown_registers = unknown;
        if start.eeprom_busy {
            self.eeprom.running = Some((now_ns + self.profile.eeprom_access_ns, READ));
            let status = u16::from(self.static_eeprom_status());
            self.memory.set_u16(reg::EEPROM_CONTROL, status | READ | BUSY);
        }
    }

    fn is_known(&self, word: u32) -> bool {
        let known = self.eeprom.known.as_ref();
        known.is_none_or(|known| known.iter().any(|words| words.contains(&word)))
    }

    /// The word that a register shows and of which nothing is known.
    pub(super) fn unknown_word(&self, address: u16) -> Option<u32> {
        if let Some(at) = address.checked_sub(reg::EEPROM_DATA).filter(|&at| at < 8) {
            let word = self.memory.u32(reg::EEPROM_ADDRESS).saturating_add(u32::from(at / 2));
            return (self.eeprom.unknown_data & 1 << at != 0).then_some(word);
        }
        let shown = self.eeprom.unknown_registers.contains(&address);
        shown.then(|| Self::loaded_from(address)).flatten()
    }

    /// The MainDevice has written 0x0504–0x050F.
    pub(super) fn eeprom_data_written(&mut self, address: u16) {
        if let Some(at) = address.checked_sub(reg::EEPROM_DATA) {
            self.eeprom.unknown_data &= !(1 << at);
        }
    }

    /// Loads the configuration area, as after power-on.
    pub(super) fn power_on_eeprom(&mut self) {
        self.eeprom = Eeprom::default();
        let mut status = u16::from(self.profile.eeprom_status);
        if self.sii_checksum_fits() {
            self.eeprom.loaded = true;
            let control = self.profile.pdi_control.unwrap_or_else(|| self.sii_word(0));
            self.memory.set_u16(reg::PDI_CONTROL, control);
            self.memory.set_u16(reg::PDI_CONFIGURATION, self.sii_word(1));
            self.memory.set_u16(reg::PDI_CONFIGURATION + 2, self.sii_word(3));
            self.memory.set_u16(reg::STATION_ALIAS, self.sii_word(4));
            if self.profile.clock == ClockLevel::Full {
                self.memory.set_u16(reg::DC_PULSE_LENGTH, self.sii_word(2));
            }
        } else {
            status |= CHECKSUM_ERROR | NOT_LOADED;
        }
        self.memory.set_u16(reg::EEPROM_CONTROL, status);
        if self.spoiled.eeprom_busy {
            self.show_eeprom_busy(true);
        }
    }

    /// Whether the device's program runs: it needs the configuration area.
    pub(super) fn application_runs(&self) -> bool {
        self.eeprom.loaded
    }

    /// Word of the image; 0xFFFF behind its end.
    pub(super) fn sii_word(&self, word: u32) -> u16 {
        if let Some(spoiled) = self.spoiled.sii_word(word) {
            return spoiled;
        }
        let at = word as usize * 2;
        match self.sii.get(at..at + 2) {
            Some(bytes) => u16::from_le_bytes([bytes[0], bytes[1]]),
            None => 0xFFFF,
        }
    }

    fn sii_checksum_fits(&self) -> bool {
        if self.spoiled.spoils_checksum() {
            return false;
        }
        let Some(configuration) = self.sii.first_chunk::<14>() else { return false };
        let word = self.sii_word(7);
        word == CHECKSUM_BYPASS || word & 0x00FF == u16::from(checksum(configuration))
    }

    /// Whether 0x0502–0x050F take a write now: owned by the MainDevice, and not busy.
    pub(super) fn eeprom_writable(&self) -> bool {
        self.memory.u8(reg::EEPROM_OWNER) & 1 == 0 && self.eeprom.running.is_none()
    }

    /// The bits of 0x0502 that no command changes.
    fn static_eeprom_status(&self) -> u8 {
        let used = if self.eeprom.used_by_device { UNTIL_USED } else { 0 };
        self.profile.eeprom_status & !used
    }

    /// The program reads its settings on the way to PRE-OP, if the MainDevice has given it the EEPROM.
    pub(super) fn entered_eeprom(&mut self, state: u8) {
        if state == super::al::PRE_OP && self.memory.u8(reg::EEPROM_OWNER) & 1 != 0 {
            self.eeprom.used_by_device = true;
            let status = self.memory.u16(reg::EEPROM_CONTROL);
            self.memory.set_u16(reg::EEPROM_CONTROL, status & !u16::from(UNTIL_USED));
        }
    }

    /// A write to the control register took effect.
    pub(super) fn command_eeprom(&mut self, control: u16, now_ns: u64) {
        let keep = CHECKSUM_ERROR | NOT_LOADED;
        let status =
            self.memory.u16(reg::EEPROM_CONTROL) & keep | u16::from(self.static_eeprom_status());
        let command = control & COMMAND;
        let refused = match command {
            0 => {
                self.memory.set_u16(reg::EEPROM_CONTROL, status);
                return;
            }
            READ | RELOAD => 0,
            WRITE if control & WRITE_ENABLE != 0 => 0,
            WRITE => WRITE_ENABLE_ERROR,
            _ => NO_ACKNOWLEDGE,
        };
        self.end_write_cycle(now_ns);
        let writes = command == WRITE;
        let met = self.meet(Occasion::Eeprom { writes }, now_ns);
        let refused = match met.filter(|_| refused == 0) {
            Some(Effect::EepromError { error: EepromError::WriteEnable }) => WRITE_ENABLE_ERROR,
            Some(_) => NO_ACKNOWLEDGE,
            None => refused,
        };
        let silent = self.eeprom.silent_until_ns.is_some();
        self.eeprom.refused = (silent && refused == 0).then_some(control);
        let refused = if silent { NO_ACKNOWLEDGE } else { refused };
        if refused != 0 {
            self.memory.set_u16(reg::EEPROM_CONTROL, status | refused);
            return;
        }
        self.eeprom.running = Some((now_ns + self.profile.eeprom_access_ns, command));
        self.memory.set_u16(reg::EEPROM_CONTROL, status | command | BUSY);
    }

    /// Ends the write cycle when its time has come.
    pub(super) fn end_write_cycle(&mut self, now_ns: u64) {
        let Some(due) = self.eeprom.silent_until_ns else { return };
        if self.release.take(InternalEvent::EepromReady, due, now_ns) {
            self.eeprom.silent_until_ns = None;
            // Said after the fact, when the recording shows that it had not failed.
            if let Some(control) = self.eeprom.refused.take() {
                self.command_eeprom(control, now_ns);
            }
        }
    }

    /// Fault: the interface is busy and stays so, or no longer; what was under way is lost.
    pub(super) fn show_eeprom_busy(&mut self, busy: bool) {
        self.eeprom.running = busy.then_some((u64::MAX, READ));
        let status = self.memory.u16(reg::EEPROM_CONTROL) & !(COMMAND | BUSY);
        let busy = if busy { BUSY } else { 0 };
        self.memory.set_u16(reg::EEPROM_CONTROL, status | busy);
    }

    /// Ends the command under way when its time has come.
    pub(super) fn refresh_eeprom(&mut self, now_ns: u64) {
        if self.spoiled.eeprom_busy {
            return;
        }
        let Some((due, command)) = self.eeprom.running else { return };
        if !self.release.take(InternalEvent::EepromDone, due, now_ns) {
            return;
        }
        self.eeprom.running = None;
        let mut status = self.memory.u16(reg::EEPROM_CONTROL) & !(BUSY | COMMAND);
        let word = self.memory.u32(reg::EEPROM_ADDRESS);
        let sparse = self.eeprom.known.is_some();
        if command != RELOAD && !sparse && word as usize * 2 + 1 >= self.sii.len() {
            status |= NO_ACKNOWLEDGE;
        } else if command == READ {
            let words = if status & READ_EIGHT == 0 { 2 } else { 4 };
            for (n, address) in (0..words).zip((reg::EEPROM_DATA..).step_by(2)) {
                let word = word.saturating_add(n);
                self.memory.set_u16(address, self.sii_word(word));
                let both = 3 << (2 * n);
                let unknown = if self.is_known(word) { 0 } else { both };
                self.eeprom.unknown_data = self.eeprom.unknown_data & !both | unknown;
            }
        } else if command == WRITE {
            let data = self.memory.array::<2>(reg::EEPROM_DATA);
            let at = word as usize * 2;
            if let Some(bytes) = self.sii.get_mut(at..at + 2) {
                bytes.copy_from_slice(&data);
                if let Some(known) = &mut self.eeprom.known {
                    known.push(word..word + 1);
                }
            }
            self.eeprom.silent_until_ns = Some(due + WRITE_CYCLE_NS);
        } else if self.sii_checksum_fits() {
            // The alias keeps what it was loaded with after power-on.
            status &= !(CHECKSUM_ERROR | NOT_LOADED);
        } else {
            status |= CHECKSUM_ERROR;
        }
        self.memory.set_u16(reg::EEPROM_CONTROL, status);
    }
}
