//! Three buffers of a SyncManager (ESC data sheet, section I, "Buffered mode"): either side has one of its own,
//! the third holds what was written last. Nobody waits, and whoever reads gets the newest one that is whole.
//!
//! The buffers follow one another in process RAM. Both sides use the first one's addresses: the ESC turns them
//! to the buffer that is meant. The MainDevice's exchanges take place at the end of a frame, and a buffer that
//! it has begun to read stays the same until it has read the last byte.

use ecat_wire::register as reg;
use ecat_wire::sync_manager::{STATUS_OFFSET, STATUS_READ_EVENT, STATUS_WRITE_EVENT};

use super::Esc;
use super::memory::Memory;
use super::sync_manager::{Area, LAST_BUFFER, SyncManagers};

/// In place of the number of a buffer: none was written yet.
const NONE: u8 = 3;
/// Status bits 6 and 7: a buffer is being read or written.
const IN_USE: u8 = 0xC0;

/// Which buffer is whose.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Buffers {
    last: u8,
    /// The MainDevice's, while it has one open.
    opened: u8,
    /// The one that the device writes at the moment.
    device: Option<u8>,
    /// Without room for three there is one.
    single: bool,
}

impl Buffers {
    /// As the status register has it. What the MainDevice has opened stays open.
    pub(super) fn new(status: u8, room_for_three: bool, before: Option<Self>) -> Self {
        Self {
            last: (status & LAST_BUFFER) >> 4,
            // Where there is no room for the others, nothing is in them.
            opened: before.filter(|_| room_for_three).map_or(0, |before| before.opened),
            device: None,
            single: !room_for_three,
        }
    }

    /// The MainDevice accesses the first byte.
    #[inline]
    pub(super) const fn open(&mut self, writes: bool) {
        self.opened = if writes { self.free(None) } else { self.newest() };
    }

    /// How far behind the first buffer the MainDevice's is.
    #[inline]
    pub(super) const fn opened_offset(&self, bytes: usize) -> usize {
        self.opened as usize * bytes
    }

    /// The buffer to read.
    #[inline]
    const fn newest(&self) -> u8 {
        if self.single || self.last == NONE { 0 } else { self.last }
    }

    /// A buffer to write: not the newest, and not one that is being read.
    #[inline]
    const fn free(&self, read: Option<u8>) -> u8 {
        if self.single {
            return 0;
        }
        let next = if self.last == NONE { 0 } else { (self.last + 1) % 3 };
        match read {
            Some(read) if read == next => (next + 1) % 3,
            _ => next,
        }
    }
}

impl Area {
    fn bytes(&self) -> usize {
        self.end - self.start
    }

    fn status(&self) -> u16 {
        reg::sync_manager(self.number) + STATUS_OFFSET
    }

    /// A buffer was completely written.
    #[inline]
    fn written(&mut self, buffer: u8, memory: &mut Memory) {
        self.buffers.last = buffer;
        let status = memory.u8(self.status()) & !(LAST_BUFFER | IN_USE | STATUS_READ_EVENT);
        memory.set_u8(self.status(), status | buffer << 4 | STATUS_WRITE_EVENT);
    }
}

impl SyncManagers {
    /// The frame's end: buffers that it completely read or wrote change hands.
    #[inline]
    pub(super) fn exchange(&mut self, memory: &mut Memory) {
        let exchanged = std::mem::take(&mut self.exchanged);
        for area in &mut self.areas[..self.count] {
            if exchanged & 1 << area.number == 0 {
                continue;
            }
            area.opened = false;
            if area.ecat_writes {
                area.written(area.buffers.opened, memory);
            } else {
                let status = memory.u8(area.status()) & !IN_USE;
                memory.set_u8(area.status(), status | STATUS_READ_EVENT);
            }
        }
    }

    /// The area of three buffers that holds `at` for the device, to write inputs or to read outputs.
    fn device_area(&self, at: usize, outputs: bool) -> Option<usize> {
        self.areas[..self.count].iter().position(|area| {
            (area.start..area.end).contains(&at)
                && !area.mailbox
                && !area.locked
                && area.ecat_writes == outputs
        })
    }
}

impl Esc {
    /// Areas of three buffers of a program that runs, in a direction.
    fn program_areas(&self, outputs: bool) -> impl Iterator<Item = &Area> {
        let runs = self.application_runs() && !self.emulated();
        let areas = &self.sync_managers.areas[..self.sync_managers.count];
        areas.iter().filter(move |area| {
            runs && !area.mailbox && !area.locked && area.ecat_writes == outputs
        })
    }

    /// Whether the program has not read what the MainDevice wrote last. By its model it never shows that.
    pub(super) fn outputs_wait(&self) -> bool {
        let waits = |area: &Area| self.memory.u8(area.status()) & STATUS_WRITE_EVENT != 0;
        self.program_areas(true).any(waits)
    }

    /// The program reads the buffers of its outputs.
    pub(super) fn take_outputs(&mut self) {
        let taken: Vec<u16> = self.program_areas(true).map(Area::status).collect();
        for status in taken {
            let new = self.memory.u8(status) & !STATUS_WRITE_EVENT | STATUS_READ_EVENT;
            self.memory.set_u8(status, new);
        }
    }

    /// Whether the MainDevice has read what the program wrote last, or there is nothing yet.
    pub(super) fn inputs_were_read(&self) -> bool {
        let both = STATUS_WRITE_EVENT | STATUS_READ_EVENT;
        let read = |area: &Area| self.memory.u8(area.status()) & both != STATUS_WRITE_EVENT;
        self.program_areas(false).any(read)
    }

    /// The program writes the buffers of its inputs once more.
    pub(super) fn write_inputs(&mut self) {
        self.show_inputs_anew();
        self.device_inputs_done();
    }

    /// An output byte as the device reads it.
    pub(super) fn device_output(&self, address: u16) -> u8 {
        let at = usize::from(address);
        let offset = self.sync_managers.device_area(at, true).map_or(0, |index| {
            let area = &self.sync_managers.areas[index];
            usize::from(area.buffers.newest()) * area.bytes()
        });
        if at + offset < self.memory.len() {
            self.memory.slice(at + offset, at + offset + 1)[0]
        } else {
            0
        }
    }

    /// An input byte as the device wrote it last.
    pub(super) fn device_input(&self, address: u16) -> u8 {
        let at = usize::from(address);
        let offset = self.sync_managers.device_area(at, false).map_or(0, |index| {
            let area = &self.sync_managers.areas[index];
            usize::from(area.buffers.device.unwrap_or(area.buffers.newest())) * area.bytes()
        });
        if at + offset < self.memory.len() {
            self.memory.slice(at + offset, at + offset + 1)[0]
        } else {
            0
        }
    }

    /// The device writes an input byte; [`Esc::device_inputs_done`] hands it over, with what came before it.
    pub(super) fn set_device_input(&mut self, address: u16, value: u8) {
        let at = usize::from(address);
        if at >= self.memory.len() {
            return;
        }
        let mut offset = 0;
        if let Some(index) = self.sync_managers.device_area(at, false) {
            let area = &mut self.sync_managers.areas[index];
            let bytes = area.bytes();
            let buffer = match area.buffers.device {
                Some(buffer) => buffer,
                None => {
                    let buffer = area.buffers.free(area.opened.then_some(area.buffers.opened));
                    let newest = area.start + usize::from(area.buffers.newest()) * bytes;
                    let new = area.start + usize::from(buffer) * bytes;
                    if new != newest {
                        self.memory.copy(newest, bytes, new);
                    }
                    area.buffers.device = Some(buffer);
                    buffer
                }
            };
            offset = usize::from(buffer) * bytes;
        }
        self.memory.slice_mut(at + offset, at + offset + 1)[0] = value;
    }

    /// Hands over what the device has written.
    pub(super) fn device_inputs_done(&mut self) {
        for area in &mut self.sync_managers.areas[..self.sync_managers.count] {
            if let Some(buffer) = area.buffers.device.take() {
                area.written(buffer, &mut self.memory);
            }
        }
    }
}
