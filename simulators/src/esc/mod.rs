//! One EtherCAT SubDevice controller: its memory, and what its registers do.
//!
//! A file per group of registers. Reads happen as the frame passes, writes to registers take effect at
//! its end, and process RAM is written at once, as in the silicon (Beckhoff ESC data sheet, section I).

mod al;
mod buffers;
mod chip;
mod dc;
mod dl;
mod eeprom;
mod events;
mod fmmu;
mod latch;
mod mail;
mod mapping;
mod memory;
mod modules;
mod observation;
mod process_data;
mod profile;
mod protection;
mod quirks;
mod release;
mod spoiled;
mod start;
mod sync;
mod sync_manager;
mod sync_program;
mod watchdog;

pub use chip::{Chip, RegisterAccess, Row, Source, rows};
pub(crate) use dc::mixed;
pub(crate) use modules::OTHER_MODULES;
pub(crate) use process_data::DRIVEN;
pub use profile::{
    Application, ClockLevel, Direction, ExpectedSyncManager, Point, ProcessArea, Profile, Refusal,
    RefusalCondition, Role,
};
pub(crate) use protection::Reset;
pub use quirks::{Quirk, Quirks};
pub use release::InternalEvent;
pub use start::Start;
pub use sync::SyncPulse;
pub use sync_program::SyncSettings;

use crate::mailbox::Mailbox;
use ecat_wire::register as reg;
use memory::{Memory, RAM, Staged};

/// Everything from here to process RAM is memory without effects: digital outputs and user RAM.
const PLAIN: usize = reg::DIGITAL_OUTPUTS as usize;

/// How a read enters the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    Replace,
    Or,
}

/// Reading, writing, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Access {
    /// What an ESC adds to the working counter of a datagram: 1 for a read; 1 for a write, or 2 where the
    /// datagram wants both.
    pub(crate) fn working_counter(self, wanted: Self) -> u16 {
        let write = if wanted.read { 2 } else { 1 };
        u16::from(self.read) + u16::from(self.write) * write
    }
}

/// When a frame reached an ESC's processing unit, and when it was received at its ports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    pub(crate) arrival_ns: u64,
    pub(crate) port_ns: [Option<u64>; 4],
}

/// What the end of a frame changed that the segment keeps an index of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) addresses: bool,
    pub(crate) mappings: bool,
    pub(crate) ports: bool,
    pub(crate) event_mask: bool,
    /// A reset has begun.
    pub(crate) reset: bool,
}

/// An ESC with its EEPROM and the application behind it.
#[derive(Clone, Debug)]
pub struct Esc {
    profile: Profile,
    sii: Vec<u8>,
    memory: Memory,
    staged: Staged,
    ports: dl::Ports,
    /// Ports changed without a frame's doing.
    reverted: bool,
    mappings: fmmu::Mappings,
    sync_managers: sync_manager::SyncManagers,
    al: al::Al,
    eeprom: eeprom::Eeprom,
    clock: dc::Clock,
    sync: sync::Sync,
    sync_program: sync_program::SyncProgram,
    watchdog: watchdog::Watchdog,
    protection: protection::Protection,
    /// What answers mail, if the program does.
    mailbox: Option<Box<Mailbox>>,
    mail: mail::Mail,
    /// The process image that the PDO mapping makes; none: the default one.
    image: Option<mapping::Image>,
    /// Values of modules that are not there.
    absent: modules::Absent,
    /// Levels at the device's inputs, in the order of its input areas.
    pins: Vec<u8>,
    /// Events whose register was read in the passing frame.
    read_events: u16,
    /// Latch events whose time was read in the passing frame, two bits a unit.
    read_latches: u8,
    /// When the MainDevice exchanged a buffer last, where register 0x09F0 does not say so yet.
    buffer_changed_ns: Option<u64>,
    /// The passing frame has a bad checksum: but for process RAM, nothing takes effect.
    damaged: bool,
    /// Something waits for the end of the frame.
    pending: bool,
    /// How often it was powered on, from 1.
    power_ons: u32,
    release: release::Release,
    spoiled: spoiled::Spoiled,
}

impl Esc {
    /// An ESC at power-on, with its EEPROM's content.
    #[must_use]
    pub fn new(profile: Profile, sii: Vec<u8>) -> Self {
        let word = sii.first_chunk::<2>().map_or(0, |bytes| u16::from_le_bytes(*bytes));
        let digital_io = profile.pdi_control.unwrap_or(word) & 0x00FF == 0x04;
        let pins = mapping::levels(&profile.application);
        let mut esc = Self {
            pins,
            memory: Memory::new(&profile, digital_io),
            profile,
            sii,
            staged: Staged::new(),
            ports: dl::Ports::default(),
            reverted: false,
            mappings: fmmu::Mappings::default(),
            sync_managers: sync_manager::SyncManagers::default(),
            al: al::Al::default(),
            eeprom: eeprom::Eeprom::default(),
            clock: dc::Clock::default(),
            sync: sync::Sync::default(),
            sync_program: sync_program::SyncProgram::default(),
            watchdog: watchdog::Watchdog::default(),
            protection: protection::Protection::default(),
            mailbox: None,
            mail: mail::Mail::default(),
            image: None,
            absent: modules::Absent::default(),
            read_events: 0,
            read_latches: 0,
            buffer_changed_ns: None,
            damaged: false,
            pending: false,
            power_ons: 0,
            release: release::Release::default(),
            spoiled: spoiled::Spoiled::default(),
        };
        esc.new_mailbox();
        esc.power_on(0);
        esc
    }

    /// What it is made of.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The EEPROM's content.
    #[must_use]
    pub fn sii(&self) -> &[u8] {
        &self.sii
    }

    /// Everything but the EEPROM, and what is connected to the inputs, as after power-on.
    pub(crate) fn power_on(&mut self, now_ns: u64) {
        self.power_ons = self.power_ons.wrapping_add(1);
        self.memory.clear();
        self.staged.clear();
        self.protection = protection::Protection::default();
        (self.read_events, self.read_latches, self.pending) = (0, 0, false);
        self.buffer_changed_ns = None;
        let profile = &self.profile;
        self.memory.set(reg::TYPE, &[profile.kind, profile.revision]);
        self.memory.set_u16(reg::BUILD, profile.build);
        self.memory.set(
            reg::FMMU_COUNT,
            &[
                profile.fmmu_count,
                profile.sync_manager_count,
                profile.ram_kb,
                profile.port_descriptor,
            ],
        );
        self.memory.set_u16(reg::FEATURES, profile.features);
        self.memory.set(reg::PDI_EVENT_MASK, &[0x0F, 0xFF, 0xFF, 0x00]);
        self.power_on_eeprom();
        self.power_on_dl();
        self.power_on_watchdog(now_ns);
        self.power_on_clock(now_ns);
        self.power_on_sync();
        self.sync_program = sync_program::SyncProgram::default();
        self.mappings.decode(&self.memory, self.profile.fmmu_count);
        self.decode_sync_managers();
        self.power_on_mail();
        self.power_on_al();
        self.find_absent();
        self.show_inputs_anew();
    }

    /// How often it was powered on or reset, from 1: its program begins anew each time.
    pub(crate) fn power_ons(&self) -> u32 {
        self.power_ons
    }

    /// A byte as it is now, without effects.
    pub(crate) fn peek(&self, address: u16) -> u8 {
        if usize::from(address) < self.memory.len() { self.memory.u8(address) } else { 0 }
    }

    /// A physical read. Returns whether any byte was accessible.
    pub(crate) fn read(
        &mut self,
        address: u16,
        data: &mut [u8],
        merge: Merge,
        now_ns: u64,
    ) -> bool {
        let start = usize::from(address);
        let end = (start + data.len()).min(self.memory.len());
        if start >= end {
            return false;
        }
        let mut accessible = false;
        if start < RAM {
            let to = end.min(RAM);
            accessible |= self.read_registers(start, &mut data[..to - start], merge, now_ns);
        }
        if end > RAM {
            let from = start.max(RAM);
            accessible |=
                self.read_ram(from, &mut data[from - start..end - start], merge == Merge::Or);
            self.buffers_accessed(now_ns);
        }
        accessible
    }

    /// A physical write. Returns whether any byte was accessible.
    pub(crate) fn write(&mut self, address: u16, data: &[u8], now_ns: u64) -> bool {
        let start = usize::from(address);
        let end = (start + data.len()).min(self.memory.len());
        if start >= end {
            return false;
        }
        let mut accessible = false;
        if start < PLAIN {
            let to = end.min(PLAIN);
            let data = &data[..to - start];
            accessible |= if self.protection.is_on() {
                self.stage_protected(start, data, now_ns)
            } else {
                self.stage(start, data, now_ns)
            };
        }
        if end > PLAIN && start < RAM {
            let from = start.max(PLAIN);
            let to = end.min(RAM);
            accessible |= self.write_plain(from, &data[from - start..to - start], now_ns);
        }
        if end > RAM && !self.protection.refuses(reg::PROCESS_RAM) {
            let from = start.max(RAM);
            accessible |= self.write_ram(from, &data[from - start..end - start], now_ns);
            self.buffers_accessed(now_ns);
        }
        accessible
    }

    fn read_registers(&mut self, start: usize, data: &mut [u8], merge: Merge, now_ns: u64) -> bool {
        let end = start + data.len();
        if !self.memory.any_readable(start, end) {
            return false;
        }
        let touches = |register: u16, bytes: u16| {
            start < usize::from(register + bytes) && end > usize::from(register)
        };
        if touches(reg::EEPROM_OWNER, 16) {
            self.refresh_eeprom(now_ns);
        }
        if touches(reg::DC_SYSTEM_TIME, 0x28) && self.profile.clock == ClockLevel::Full {
            self.refresh_clock(now_ns);
        }
        if start < 0x0A00
            && end > usize::from(reg::DC_UNIT_CONTROL)
            && self.profile.clock == ClockLevel::Full
        {
            self.refresh_sync(now_ns);
            self.show_buffer_change();
            self.latch_times_read(start, end);
        }
        if touches(reg::ECAT_EVENT, 2) {
            self.refresh_events();
        }
        if touches(reg::DL_STATUS, 2) {
            self.read_events |= events::DL_STATUS;
            self.pending = true;
        }
        if touches(reg::AL_STATUS, 2) {
            self.read_events |= events::AL_STATUS;
            self.pending = true;
        }
        // Bytes that do not exist hold 0 in memory, and read as that within a longer read.
        let source = self.memory.slice(start, end);
        if merge == Merge::Or {
            data.iter_mut().zip(source).for_each(|(byte, &value)| *byte |= value);
        } else {
            data.copy_from_slice(source);
        }
        true
    }

    /// Keeps a register write for the end of the frame.
    fn stage(&mut self, start: usize, data: &[u8], now_ns: u64) -> bool {
        let end = start + data.len();
        if start < 0x0510 && end > 0x0500 {
            self.refresh_eeprom(now_ns);
        }
        let accessible = (start..end).any(|address| self.takes_write(address));
        if accessible {
            self.staged.push(start, data);
            self.pending = true;
            if (start..end).contains(&usize::from(reg::AL_CONTROL)) {
                self.al_control_staged();
            }
        }
        accessible
    }

    /// Whether a register byte takes a write at the moment.
    fn takes_write(&self, address: usize) -> bool {
        let register = address as u16;
        self.memory.writable(address)
            && match register {
                reg::AL_CONTROL..=0x0121 => self.al_control_free(),
                reg::EEPROM_CONTROL..=0x050F => self.eeprom_writable(),
                reg::SYNC_MANAGER..=0x087F => self.sync_manager_writable(register),
                reg::DC_SYNC_ACTIVATION
                | reg::DC_START_TIME..=0x0997
                | reg::DC_SYNC0_CYCLE..=0x09A7 => self.sync_unit_writable(register),
                reg::DC_LATCH_CONTROL..=0x09A9 => self.latch_writable(register),
                _ => true,
            }
    }

    /// Digital outputs and user RAM.
    fn write_plain(&mut self, start: usize, data: &[u8], now_ns: u64) -> bool {
        let mut accessible = false;
        for (address, &value) in (start..).zip(data) {
            if self.memory.writable(address) && !self.protection.refuses(address as u16) {
                accessible = true;
                self.memory.slice_mut(address, address + 1)[0] = value;
            }
        }
        if accessible && self.sync_managers.triggered_by(start, start + data.len()) {
            self.trigger_watchdog(now_ns);
        }
        accessible
    }

    /// Whether [`Esc::end_of_frame`] has something to do.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending || self.sync_managers.exchanged != 0
    }

    /// Ends a frame that did nothing but exchange buffers, as most do; returns whether it did no more.
    pub(crate) fn end_of_exchange(&mut self) -> bool {
        self.sync_managers.exchange(&mut self.memory);
        !self.pending
    }

    /// The frame that is about to pass has a bad checksum, or no longer.
    pub(crate) fn set_damaged(&mut self, damaged: bool) {
        self.damaged = damaged;
        if damaged {
            self.sync_managers.keep_opened();
        }
    }

    /// The frame has passed, and its checksum was bad: what it wrote to registers is forgotten.
    pub(crate) fn abandon_frame(&mut self) {
        self.pending = false;
        (self.read_events, self.read_latches) = (0, 0);
        self.staged.clear();
        self.sync_managers.restore_opened();
        self.protection.end_of_frame();
        self.al_control_abandoned();
    }

    /// The frame has passed, and its checksum was good: what it wrote takes effect.
    pub(crate) fn end_of_frame(&mut self, passage: Passage) -> Changes {
        let now_ns = passage.arrival_ns;
        let mut changes = Changes::default();
        self.pending = false;
        self.protection.end_of_frame();
        let read_events = std::mem::take(&mut self.read_events);
        if read_events != 0 {
            self.clear_event(read_events);
        }
        self.end_of_frame_latches();
        let mut sync_managers_changed = false;
        let loops = self.memory.u8(reg::DL_CONTROL + 1);
        let staged = std::mem::replace(&mut self.staged, Staged::empty());
        for (start, data) in staged.iter() {
            let end = start + data.len() as u16;
            let touches = |first: u16, last: u16| start <= last && end > first;
            changes.addresses |= touches(reg::STATION_ADDRESS, 0x0011) || touches(0x0103, 0x0103);
            changes.ports |= touches(reg::DL_CONTROL, 0x0101);
            changes.mappings |= touches(reg::FMMU, 0x06FF);
            changes.event_mask |= touches(reg::ECAT_EVENT_MASK, 0x0201);
            sync_managers_changed |= touches(reg::SYNC_MANAGER, 0x087F);
            self.commit(start, data, now_ns);
        }
        self.staged = staged;
        self.staged.clear();
        if changes.mappings {
            self.mappings.decode(&self.memory, self.profile.fmmu_count);
        }
        if sync_managers_changed {
            self.decode_sync_managers();
            self.show_inputs_anew();
            self.sync_managers_written_al();
        }
        if changes.ports {
            self.loop_control_written(loops, now_ns);
        }
        let mail = self.sync_managers.end_of_frame(&mut self.memory);
        self.end_of_frame_mail(mail, now_ns);
        self.end_of_frame_clock(passage);
        self.end_of_frame_al(now_ns);
        changes.reset = self.resets();
        changes
    }

    /// Takes one staged write over.
    fn commit(&mut self, start: u16, data: &[u8], now_ns: u64) {
        let end = start + data.len() as u16;
        // What the SYNC unit goes by: its own registers, and the offset of the clock.
        let sync_unit = self.profile.clock == ClockLevel::Full
            && (start < 0x09A8 && end > reg::DC_UNIT_CONTROL
                || start < reg::DC_SYSTEM_TIME_DELAY && end > reg::DC_SYSTEM_TIME_OFFSET);
        let activation = self.memory.u8(reg::DC_SYNC_ACTIVATION);
        if sync_unit {
            self.sync_unit_changes(now_ns);
        }
        for (address, &value) in (start..end).zip(data) {
            if !self.memory.writable(usize::from(address)) {
                continue;
            }
            match address {
                reg::REGISTER_WRITE_ENABLE..=reg::RESET_ECAT => {
                    self.write_protection(address, value)
                }
                reg::AL_CONTROL..=0x0121 => {}
                reg::RX_ERRORS..=0x0313 | reg::WATCHDOG_COUNTER_SM | reg::WATCHDOG_COUNTER_PDI => {
                    self.clear_counters(address)
                }
                reg::SYNC_MANAGER..=0x087F => self.write_sync_manager(address, value),
                reg::EEPROM_CONTROL..=0x0503 => {}
                reg::EEPROM_ADDRESS..=0x050F => {
                    if self.eeprom_writable() {
                        self.memory.set_u8(address, value);
                        self.eeprom_data_written(address);
                    }
                }
                reg::DC_RECEIVE_TIME => self.latch_receive_times(),
                0x0901..=0x0903 => {}
                reg::DC_SYSTEM_TIME..=0x0917 => {}
                reg::DC_SYNC_ACTIVATION
                | reg::DC_START_TIME..=0x0997
                | reg::DC_SYNC0_CYCLE..=0x09A7
                | reg::DC_LATCH_CONTROL..=0x09A9 => {
                    if self.takes_write(usize::from(address)) {
                        self.memory.set_u8(address, value);
                    }
                }
                _ => self.memory.set_u8(address, value),
            }
        }
        let byte = |address: u16| {
            (start <= address && address < end).then(|| data[usize::from(address - start)])
        };
        if (start <= reg::EEPROM_CONTROL + 1 && end > reg::EEPROM_CONTROL) && self.eeprom_writable()
        {
            let low = byte(reg::EEPROM_CONTROL).unwrap_or(0);
            // A write of the low byte alone gives no command.
            if let Some(high) = byte(reg::EEPROM_CONTROL + 1) {
                self.command_eeprom(u16::from_le_bytes([low, high]), now_ns);
            }
        }
        if start <= reg::DC_SYSTEM_TIME
            && end > reg::DC_SYSTEM_TIME
            && self.memory.writable(usize::from(reg::DC_SYSTEM_TIME))
        {
            let data = &data[usize::from(reg::DC_SYSTEM_TIME - start)..];
            self.compare_system_time(data);
        }
        if let Some(low) = byte(reg::AL_CONTROL) {
            self.request_al(low, byte(reg::AL_CONTROL + 1));
        }
        if byte(reg::DC_SPEED_START).is_some() {
            self.reset_clock_filters(now_ns);
        }
        if sync_unit {
            self.sync_unit_written(start, end, activation, now_ns);
        }
    }

    fn decode_sync_managers(&mut self) {
        let shows_use = self.profile.buffers_in_use;
        self.sync_managers.decode(&self.memory, self.profile.sync_manager_count, shows_use);
    }

    /// Lets time pass; returns when something will happen next (`u64::MAX`: nothing).
    pub(crate) fn tick(&mut self, now_ns: u64) -> u64 {
        self.mail.now_ns = now_ns;
        let pulse = self.tick_sync(now_ns);
        let watchdog = self.tick_watchdog(now_ns);
        let ports = self.tick_ports(now_ns);
        if let Some(pdi) = self.tick_pdi_watchdog(now_ns) {
            return pdi.min(pulse).min(watchdog).min(ports);
        }
        watchdog
            .min(self.tick_al(now_ns))
            .min(self.tick_mail(now_ns))
            .min(self.tick_sync_program(now_ns))
            .min(ports)
            .min(pulse)
    }
}
