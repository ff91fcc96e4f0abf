//! What a capture tells of the devices that were recorded: what a segment file of them can say, and what nobody saw.
//!
//! Only what devices answered counts, and of each register, word and object the first answer: what they were when the
//! capture began. Nothing is guessed here; what was not seen is not in the report.

mod mail;

use std::collections::{BTreeMap, BTreeSet};

use ecat_wire::frame::{Datagram, datagrams};
use ecat_wire::sync_manager::SYNC_MANAGER_BYTES;
use ecat_wire::{Command, register as reg};
use serde::Serialize;

use crate::replay::{CaptureError, Exchange, packets, pair};
use mail::Mailbox;
pub use mail::{Refused, Upload};

/// EEPROM control: read.
const READ: u16 = 0x0100;
/// EEPROM status: the interface gives eight bytes at once.
const EIGHT_BYTES: u8 = 0x40;
/// A busy EEPROM, which shows no data.
const BUSY: u8 = 0x80;
const AL_ERROR: u8 = 0x10;
/// Where mailboxes may be.
const RAM: u16 = 0x1000;

/// What a capture tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TwinReport {
    /// Frames of the capture.
    pub frames: usize,
    /// How many devices the first broadcast found; 0 where there was none.
    pub counted: u16,
    /// Events that the first answer showed, before anybody wrote a mask.
    pub first_events: u16,
    /// Events that an answer showed first after a mask had been written; `None`: none was.
    pub masked_events: Option<u16>,
    /// The devices, in the order of their positions; those of which nobody knows it, by station address.
    pub devices: Vec<TwinDevice>,
}

/// What a capture tells of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TwinDevice {
    /// Its position, where it was addressed by that.
    pub position: Option<u16>,
    /// The address that it has, or gets.
    pub station_address: Option<u16>,
    /// Whether it had that address before the capture began.
    pub had_address: bool,
    /// Bytes of registers, as they were read before anybody wrote them.
    pub registers: BTreeMap<u16, u8>,
    /// Registers that were read and that it does not have.
    pub missing_registers: BTreeSet<u16>,
    /// Words of its EEPROM.
    pub sii_words: BTreeMap<u16, u16>,
    /// Whether AL status was AL control, with its acknowledge bit (device emulation).
    pub emulated: bool,
    /// AL state before anything was requested.
    pub al_state: Option<u8>,
    /// States that it refused, with the AL status code.
    pub refused: Vec<(u8, u16)>,
    /// How long transitions took until it was seen, in ns: least and greatest.
    pub transition_ns: Option<(u64, u64)>,
    /// Objects that it uploaded.
    pub uploads: Vec<Upload>,
    /// Uploads that it refused.
    pub refused_uploads: Vec<Refused>,
    /// Mail of protocols that were not looked into, by type.
    pub other_mail: BTreeMap<u8, usize>,
    /// Emergencies that it sent.
    pub emergencies: usize,
    /// How long answers to mail took until they were fetched, in ns: least and greatest.
    pub mail_ns: Option<(u64, u64)>,
}

/// Looks through a capture.
///
/// # Errors
/// If the file is no capture.
pub fn twin(capture: &[u8]) -> Result<TwinReport, CaptureError> {
    let packets = packets(capture)?;
    let paired = pair(&packets);
    let mut seen = Seen::default();
    for exchange in &paired.exchanges {
        seen.take(exchange);
    }
    let (counted, first_events) = (seen.counted, seen.first_events.unwrap_or(0));
    let masked_events = seen.masked_events;
    let mut devices: Vec<_> = seen.devices.into_iter().map(|device| device.found).collect();
    devices.sort_by_key(|device| (device.position.unwrap_or(u16::MAX), device.station_address));
    Ok(TwinReport { frames: packets.len(), counted, first_events, masked_events, devices })
}

#[derive(Default)]
struct Seen {
    counted: u16,
    first_events: Option<u16>,
    masked_events: Option<u16>,
    /// A mask of events was written.
    masked: bool,
    /// AL control as a broadcast wrote it last, and when.
    control: Option<(u8, u64)>,
    /// Registers that were written by broadcasts: of devices that had not been addressed too.
    written: BTreeSet<u16>,
    devices: Vec<Device>,
}

/// Whom a datagram is for.
#[derive(Clone, Copy)]
enum To {
    Position(u16),
    Station(u16),
}

impl Seen {
    fn take(&mut self, exchange: &Exchange) {
        let Some(answer) = &exchange.answer else { return };
        let (Ok(requests), Ok(answers)) = (datagrams(&exchange.request), datagrams(&answer.frame))
        else {
            return;
        };
        for (request, answer) in requests.flatten().zip(answers.flatten()) {
            if request.data.len() == answer.data.len() {
                self.datagram(&request, &answer, exchange.time_ns);
            }
        }
    }

    fn datagram(&mut self, request: &Datagram<'_>, answer: &Datagram<'_>, time_ns: u64) {
        let Some(command) = Command::parse(request.code, request.address) else { return };
        let answered = answer.working_counter > 0;
        if answered {
            self.first_events.get_or_insert(answer.irq);
            if self.masked {
                self.masked_events.get_or_insert(answer.irq);
            }
        }
        let (to, register, reads, writes) = match command {
            Command::Brd { .. } => {
                self.counted = self.counted.max(answer.working_counter);
                return;
            }
            Command::Bwr { register } => {
                self.counted = self.counted.max(answer.working_counter);
                if answered {
                    let byte = |address| within(register, request.data, address);
                    self.masked |= byte(reg::ECAT_EVENT_MASK).is_some_and(|mask| mask != 0);
                    if let Some(control) = byte(reg::AL_CONTROL) {
                        self.control = Some((control & 0x1F, time_ns));
                    }
                    self.written.extend((register..).take(request.data.len()));
                }
                for device in self.devices.iter_mut().filter(|_| answered) {
                    device.written(register, request.data, time_ns);
                }
                return;
            }
            Command::Aprd { position, register } => (To::Position(position), register, true, false),
            Command::Apwr { position, register } => (To::Position(position), register, false, true),
            Command::Aprw { position, register } => (To::Position(position), register, true, true),
            Command::Fprd { station, register } => (To::Station(station), register, true, false),
            Command::Fpwr { station, register } => (To::Station(station), register, false, true),
            Command::Fprw { station, register } => (To::Station(station), register, true, true),
            _ => return,
        };
        // Of a device that nobody has seen answer, nothing is known.
        let Some(device) = self.device(to, answered) else { return };
        if !answered {
            if reads {
                device.found.missing_registers.insert(register);
            }
            return;
        }
        if reads {
            device.read(register, answer.data, time_ns);
        }
        if writes {
            device.written(register, request.data, time_ns);
        }
    }

    fn device(&mut self, to: To, add: bool) -> Option<&mut Device> {
        let is_it = |device: &Device| match to {
            To::Position(address) => device.found.position == Some(0u16.wrapping_sub(address)),
            To::Station(station) => device.found.station_address == Some(station),
        };
        let at = self.devices.iter().position(is_it);
        if at.is_none() && add {
            let mut device = Device {
                written: self.written.clone(),
                control: self.control.map_or(0, |(control, _)| control),
                requested: self.control.map(|(control, at_ns)| (control & 0x0F, at_ns)),
                ..Device::default()
            };
            match to {
                To::Position(address) => device.found.position = Some(0u16.wrapping_sub(address)),
                To::Station(station) => {
                    device.found.station_address = Some(station);
                    device.found.had_address = true;
                }
            }
            self.devices.push(device);
        }
        let at = at.or_else(|| self.devices.len().checked_sub(1).filter(|_| add))?;
        self.devices.get_mut(at)
    }
}

#[derive(Default)]
struct Device {
    found: TwinDevice,
    /// Registers that were written.
    written: BTreeSet<u16>,
    /// The word that the EEPROM was told to read.
    eeprom_word: Option<u16>,
    eeprom_eight: bool,
    eeprom_busy: bool,
    /// The state that was requested last, and when, until it is seen.
    requested: Option<(u8, u64)>,
    /// AL control as it was written last.
    control: u8,
    mailbox: Mailbox,
}

impl Device {
    fn read(&mut self, register: u16, data: &[u8], time_ns: u64) {
        if register >= RAM {
            return self.mailbox.fetched(register, data, time_ns, &mut self.found);
        }
        for (address, &byte) in (register..).zip(data) {
            if !self.written.contains(&address) && !is_changing(address) {
                self.found.registers.entry(address).or_insert(byte);
            }
        }
        self.read_eeprom(register, data);
        if let Some(status) = within(register, data, reg::AL_STATUS) {
            let code = within(register, data, reg::AL_STATUS_CODE).zip(within(
                register,
                data,
                reg::AL_STATUS_CODE + 1,
            ));
            self.read_al(status, code.map(|(low, high)| u16::from_le_bytes([low, high])), time_ns);
        } else if let (Some(low), Some(high), Some((state, _))) = (
            within(register, data, reg::AL_STATUS_CODE),
            within(register, data, reg::AL_STATUS_CODE + 1),
            self.requested,
        ) {
            // The code alone, behind a status with the error bit.
            self.refuse(state, u16::from_le_bytes([low, high]));
        }
    }

    fn read_al(&mut self, status: u8, code: Option<u16>, time_ns: u64) {
        let Some((state, since_ns)) = self.requested else {
            self.found.al_state.get_or_insert(status & 0x0F);
            return;
        };
        if status & AL_ERROR != 0
            && status & 0x1F == self.control
            && code.is_none_or(|code| code == 0)
        {
            self.found.emulated = true;
            self.requested = None;
        } else if status & AL_ERROR != 0 {
            if let Some(code) = code {
                self.refuse(state, code);
            }
        } else if status & 0x0F == state {
            self.requested = None;
            spread(&mut self.found.transition_ns, time_ns.saturating_sub(since_ns));
        }
    }

    fn refuse(&mut self, state: u8, code: u16) {
        if code != 0 && !self.found.refused.contains(&(state, code)) {
            self.found.refused.push((state, code));
            self.requested = None;
        }
    }

    fn read_eeprom(&mut self, register: u16, data: &[u8]) {
        if let Some(status) = within(register, data, reg::EEPROM_CONTROL) {
            self.eeprom_eight = status & EIGHT_BYTES != 0;
        }
        if let Some(status) = within(register, data, reg::EEPROM_CONTROL + 1) {
            self.eeprom_busy = status & BUSY != 0;
        }
        let Some(word) = self.eeprom_word.filter(|_| !self.eeprom_busy) else { return };
        let count = if self.eeprom_eight { 4 } else { 2 };
        for n in 0..count {
            let at = reg::EEPROM_DATA + 2 * n;
            let bytes = (within(register, data, at), within(register, data, at + 1));
            if let (Some(low), Some(high)) = bytes {
                let value = u16::from_le_bytes([low, high]);
                self.found.sii_words.entry(word.saturating_add(n)).or_insert(value);
            }
        }
    }

    fn written(&mut self, register: u16, data: &[u8], time_ns: u64) {
        if register >= RAM {
            return self.mailbox.sent(register, data, time_ns);
        }
        self.written.extend((register..).take(data.len()));
        let pair = |at: u16| {
            let bytes = (within(register, data, at), within(register, data, at + 1));
            bytes.0.zip(bytes.1).map(|(low, high)| u16::from_le_bytes([low, high]))
        };
        if let Some(station) = pair(reg::STATION_ADDRESS) {
            self.found.station_address.get_or_insert(station);
        }
        if let Some(address) = pair(reg::EEPROM_ADDRESS) {
            self.eeprom_word = Some(address);
            self.eeprom_busy = true;
        }
        if pair(reg::EEPROM_CONTROL).is_some_and(|control| control & READ == 0) {
            self.eeprom_word = None;
        }
        if let Some(control) = within(register, data, reg::AL_CONTROL) {
            self.control = control & 0x1F;
            self.requested = Some((control & 0x0F, time_ns));
        }
        for number in 0..2 {
            let at = usize::from(reg::sync_manager(number)).checked_sub(usize::from(register));
            if let Some(bytes) = at.and_then(|at| data.get(at..at + SYNC_MANAGER_BYTES)) {
                self.mailbox.open(number, bytes);
            }
        }
    }
}

/// Counters, times, events and what the EEPROM interface and AL show: they tell nothing of how it began.
const fn is_changing(register: u16) -> bool {
    matches!(register, 0x0130..=0x0135 | 0x0210..=0x0223 | 0x0300..=0x0313 | 0x0440..=0x0443 | 0x0503..=0x050F
        | 0x0800..=0x08FF | 0x0910..=0x0FFF)
}

/// The byte of a register that a datagram holds.
fn within(register: u16, data: &[u8], address: u16) -> Option<u8> {
    data.get(usize::from(address.checked_sub(register)?)).copied()
}

fn spread(seen: &mut Option<(u64, u64)>, ns: u64) {
    let (least, greatest) = seen.unwrap_or((ns, ns));
    *seen = Some((least.min(ns), greatest.max(ns)));
}
