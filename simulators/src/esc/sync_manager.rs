//! SyncManagers (0x0800): buffers in process RAM, and who may reach them.
//! How three buffers change hands is in `buffers.rs`.

use ecat_wire::register as reg;
use ecat_wire::sync_manager::{
    ACTIVATE_ENABLE, ACTIVATE_OFFSET, CONTROL_OFFSET, CONTROL_WATCHDOG, PDI_CONTROL_LOCKED,
    PDI_CONTROL_OFFSET, STATUS_MAILBOX_FULL, STATUS_OFFSET, STATUS_READ_EVENT, STATUS_WRITE_EVENT,
    SYNC_MANAGER_BYTES, SyncManager,
};

use super::Esc;
use super::buffers::Buffers;
use super::memory::{Memory, RAM};

/// Control bit 4: the SyncManager shows in the ECAT event register.
const CONTROL_ECAT_INTERRUPT: u8 = 0x10;
/// Status bit 7: the buffer is being written.
const STATUS_WRITE_BUFFER_IN_USE: u8 = 0x80;
/// Status bit 6: the buffer is being read.
const STATUS_READ_BUFFER_IN_USE: u8 = 0x40;
/// Status bits 4–5, which of the three buffers was written last; 3 is none yet.
pub(super) const LAST_BUFFER: u8 = 0x30;

/// The memory of an active SyncManager.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Area {
    pub(super) number: u8,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) mailbox: bool,
    pub(super) ecat_writes: bool,
    pub(super) locked: bool,
    /// The MainDevice's access has begun at the first byte and not reached the last one.
    pub(super) opened: bool,
    pub(super) buffers: Buffers,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SyncManagers {
    pub(super) areas: [Area; 16],
    pub(super) count: usize,
    /// Status bits 6 and 7 are there.
    shows_use: bool,
    /// Addresses whose write completes an SM that triggers the watchdog.
    triggers: [usize; 16],
    trigger_count: usize,
    /// Bit per mailbox that was completely transferred in the passing frame.
    completed: u16,
    /// A buffer or mailbox was completely transferred since this was last asked; outputs were.
    changed: bool,
    outputs_changed: bool,
    /// Bit per area of three buffers that was.
    pub(super) exchanged: u16,
    /// Areas that were open before the passing frame, which is damaged; a bit each.
    opened_before: u16,
}

impl SyncManagers {
    /// Reads the configuration anew.
    pub(super) fn decode(&mut self, memory: &Memory, count: u8, shows_use: bool) {
        self.shows_use = shows_use;
        let (before, before_count) = (self.areas, self.count);
        (self.count, self.trigger_count) = (0, 0);
        for number in 0..count.min(16) {
            let address = reg::sync_manager(number);
            let sm = SyncManager::from_bytes(&memory.array::<SYNC_MANAGER_BYTES>(address));
            if !sm.enabled || sm.length == 0 {
                continue;
            }
            let start = usize::from(sm.start);
            let end = start + usize::from(sm.length);
            if sm.ecat_writes() && sm.control & CONTROL_WATCHDOG != 0 {
                self.triggers[self.trigger_count] = end - 1;
                self.trigger_count += 1;
            }
            // One byte activates no buffer and protects nothing.
            if sm.length > 1 {
                let locked = memory.u8(address + PDI_CONTROL_OFFSET) & PDI_CONTROL_LOCKED != 0;
                let old = before[..before_count]
                    .iter()
                    .find(|old| old.number == number && old.start == start && old.opened);
                let fits = start + 3 * (end - start) <= memory.len();
                let status = memory.u8(address + STATUS_OFFSET);
                self.areas[self.count] = Area {
                    number,
                    start,
                    end,
                    mailbox: sm.is_mailbox(),
                    ecat_writes: sm.ecat_writes(),
                    locked,
                    opened: old.is_some() && !locked,
                    buffers: Buffers::new(status, fits, old.map(|old| old.buffers)),
                };
                self.count += 1;
            }
        }
    }

    /// A damaged frame begins.
    pub(super) fn keep_opened(&mut self) {
        let opened = (0..).zip(&self.areas[..self.count]).filter(|(_, area)| area.opened);
        self.opened_before = opened.fold(0, |bits, (n, _)| bits | 1 << n);
    }

    /// It has ended: what it opened is as if it had not.
    pub(super) fn restore_opened(&mut self) {
        for (n, area) in (0..).zip(&mut self.areas[..self.count]) {
            area.opened &= self.opened_before >> n & 1 != 0;
        }
    }

    /// Whether a buffer or mailbox was completely transferred since this was last asked, and whether it was
    /// one of outputs.
    #[inline]
    pub(super) fn take_changes(&mut self) -> (bool, bool) {
        (std::mem::take(&mut self.changed), std::mem::take(&mut self.outputs_changed))
    }

    /// Whether any SyncManager triggers the watchdog.
    pub(super) fn any_trigger(&self) -> bool {
        self.trigger_count > 0
    }

    /// Whether writing this range completes an SM that triggers the watchdog.
    #[inline]
    pub(super) fn triggered_by(&self, start: usize, end: usize) -> bool {
        self.triggers[..self.trigger_count].iter().any(|at| (start..end).contains(at))
    }

    /// Where the area that the MainDevice reads `at` from begins, and whether it is a mailbox.
    pub(super) fn read_area(&self, at: usize) -> Option<(usize, bool)> {
        let areas = self.areas[..self.count].iter();
        areas
            .filter(|area| !area.ecat_writes && (area.start..area.end).contains(&at))
            .map(|area| (area.start, area.mailbox))
            .next()
    }

    /// The area that holds `at`, if any, and how far from there on that answer holds.
    #[inline]
    fn locate(&self, at: usize, end: usize) -> (Option<usize>, usize) {
        let mut next = end;
        for (index, area) in self.areas[..self.count].iter().enumerate() {
            if area.start <= at && at < area.end {
                return (Some(index), next.min(area.end));
            }
            if area.start > at {
                next = next.min(area.start);
            }
        }
        (None, next)
    }

    /// Whether the MainDevice may access `at` in this direction now: how far behind the address its buffer
    /// stands. The first byte opens a mailbox or a buffer, without which nothing else of it is accessible
    /// (ESC data sheet, section I, "SyncManager").
    #[inline]
    fn admit(&mut self, index: usize, at: usize, writes: bool, memory: &Memory) -> Option<usize> {
        let area = &mut self.areas[index];
        if area.locked || area.ecat_writes != writes {
            return None;
        }
        if area.mailbox {
            let status = memory.u8(reg::sync_manager(area.number) + STATUS_OFFSET);
            let full = status & STATUS_MAILBOX_FULL != 0;
            if at == area.start && full != writes && self.completed & 1 << area.number == 0 {
                area.opened = true;
            }
            return area.opened.then_some(0);
        }
        if at == area.start && !area.opened {
            area.opened = true;
            area.buffers.open(writes);
        }
        area.opened.then(|| area.buffers.opened_offset(area.end - area.start))
    }

    /// Notes an access that was admitted, in the status register.
    #[inline]
    fn accessed(&mut self, index: usize, from: usize, to: usize, memory: &mut Memory) {
        let area = &mut self.areas[index];
        let status_address = reg::sync_manager(area.number) + STATUS_OFFSET;
        let status = memory.u8(status_address);
        let mut new = status;
        if from == area.start {
            new &= !(if area.ecat_writes { STATUS_READ_EVENT } else { STATUS_WRITE_EVENT });
        }
        if to == area.end {
            self.changed = true;
            self.outputs_changed |= area.ecat_writes && !area.mailbox;
        }
        // What is complete changes hands at the end of the frame.
        if to == area.end && area.mailbox {
            area.opened = false;
            self.completed |= 1 << area.number;
        } else if to == area.end {
            self.exchanged |= 1 << area.number;
        }
        if self.shows_use {
            let bit = in_use(area.ecat_writes);
            new = if area.opened { new | bit } else { new & !bit };
        }
        if new != status {
            memory.set_u8(status_address, new);
        }
    }

    /// Commits mailbox transfers; returns the mailboxes that the MainDevice filled, a bit each.
    pub(super) fn end_of_frame(&mut self, memory: &mut Memory) -> u16 {
        let mut filled = 0;
        for area in &self.areas[..self.count] {
            if self.completed & 1 << area.number == 0 {
                continue;
            }
            let address = reg::sync_manager(area.number) + STATUS_OFFSET;
            let status = memory.u8(address);
            if area.ecat_writes {
                filled |= 1 << area.number;
                memory.set_u8(address, status | STATUS_MAILBOX_FULL | STATUS_WRITE_EVENT);
            } else {
                memory.set_u8(address, status & !STATUS_MAILBOX_FULL | STATUS_READ_EVENT);
            }
        }
        self.completed = 0;
        filled
    }
}

const fn in_use(writes: bool) -> u8 {
    if writes { STATUS_WRITE_BUFFER_IN_USE } else { STATUS_READ_BUFFER_IN_USE }
}

impl Esc {
    /// Reads process RAM, piece by piece as SyncManagers cover it. `data` begins at `start`.
    #[inline]
    pub(super) fn read_ram(&mut self, start: usize, data: &mut [u8], or: bool) -> bool {
        let end = start + data.len();
        let (mut at, mut accessible) = (start, false);
        while at < end {
            let (area, next) = self.sync_managers.locate(at, end);
            if let Some(offset) = self.admit_ram(area, at, false) {
                accessible = true;
                let source = self.memory.slice(at + offset, next + offset);
                let target = &mut data[at - start..next - start];
                if or {
                    target.iter_mut().zip(source).for_each(|(byte, &value)| *byte |= value);
                } else {
                    target.copy_from_slice(source);
                }
                self.note_access(area, at, next);
            }
            at = next;
        }
        accessible
    }

    /// Writes process RAM, at once. `data` begins at `start`.
    #[inline]
    pub(super) fn write_ram(&mut self, start: usize, data: &[u8], now_ns: u64) -> bool {
        let end = start + data.len();
        let (mut at, mut accessible) = (start, false);
        while at < end {
            let (area, next) = self.sync_managers.locate(at, end);
            if let Some(offset) = self.admit_ram(area, at, true) {
                accessible = true;
                let target = self.memory.slice_mut(at + offset, next + offset);
                target.copy_from_slice(&data[at - start..next - start]);
                self.note_access(area, at, next);
                if self.sync_managers.triggered_by(at, next) {
                    self.trigger_watchdog(now_ns);
                }
            }
            at = next;
        }
        accessible
    }

    /// Writes the bits of one byte that `mask` has.
    pub(super) fn write_bits(&mut self, address: u16, value: u8, mask: u8, now_ns: u64) -> bool {
        let at = usize::from(address);
        if at < RAM || at >= self.memory.len() {
            let old = self.peek(address) & !mask;
            return self.write(address, &[old | value], now_ns);
        }
        let (area, _) = self.sync_managers.locate(at, at + 1);
        if self.protection.refuses(address) {
            return false;
        }
        let Some(offset) = self.admit_ram(area, at, true) else { return false };
        let byte = &mut self.memory.slice_mut(at + offset, at + offset + 1)[0];
        *byte = *byte & !mask | value;
        self.note_access(area, at, at + 1);
        if self.sync_managers.triggered_by(at, at + 1) {
            self.trigger_watchdog(now_ns);
        }
        self.buffers_accessed(now_ns);
        true
    }

    /// As [`SyncManagers::admit`]; memory without a SyncManager is always accessible.
    #[inline]
    fn admit_ram(&mut self, area: Option<usize>, at: usize, writes: bool) -> Option<usize> {
        let Some(index) = area else { return Some(0) };
        self.sync_managers.admit(index, at, writes, &self.memory)
    }

    #[inline]
    fn note_access(&mut self, area: Option<usize>, at: usize, next: usize) {
        if let Some(index) = area.filter(|_| !self.damaged) {
            self.sync_managers.accessed(index, at, next, &mut self.memory);
            self.pending |= self.sync_managers.completed != 0;
        }
    }

    /// Takes over one byte of a SyncManager's registers. Start, length and control of an active one
    /// cannot be changed.
    pub(super) fn write_sync_manager(&mut self, address: u16, value: u8) {
        let base = address & !7;
        let active = self.memory.u8(base + ACTIVATE_OFFSET) & ACTIVATE_ENABLE != 0;
        if address - base < ACTIVATE_OFFSET && active {
            return;
        }
        self.memory.set_u8(address, value);
        if address - base == ACTIVATE_OFFSET && !active && value & ACTIVATE_ENABLE != 0 {
            let sm = SyncManager::from_bytes(&self.memory.array::<SYNC_MANAGER_BYTES>(base));
            let status = if sm.is_mailbox() { 0 } else { LAST_BUFFER };
            self.memory.set_u8(base + STATUS_OFFSET, status);
        }
    }

    /// Whether this byte of the SyncManagers' registers would take a write now.
    pub(super) fn sync_manager_writable(&self, address: u16) -> bool {
        let base = address & !7;
        address - base >= ACTIVATE_OFFSET
            || self.memory.u8(base + ACTIVATE_OFFSET) & ACTIVATE_ENABLE == 0
    }

    /// Locks or opens a SyncManager from the device's side (0x0807 bit 0).
    pub(super) fn lock_sync_manager(&mut self, number: u8, locked: bool) {
        if number < self.profile.sync_manager_count {
            let base = reg::sync_manager(number);
            let was = self.memory.u8(base + PDI_CONTROL_OFFSET) & PDI_CONTROL_LOCKED != 0;
            self.memory.set_u8(base + PDI_CONTROL_OFFSET, u8::from(locked) * PDI_CONTROL_LOCKED);
            let sm = SyncManager::from_bytes(&self.memory.array::<SYNC_MANAGER_BYTES>(base));
            // A SyncManager that the device deactivates is reset.
            if locked && !was && !sm.is_mailbox() {
                self.memory.set_u8(base + STATUS_OFFSET, LAST_BUFFER);
            }
        }
    }

    /// Takes the mail out of a mailbox that the MainDevice filled.
    pub(super) fn empty_mailbox(&mut self, number: u8) {
        let address = reg::sync_manager(number) + STATUS_OFFSET;
        let status = self.memory.u8(address) & !(STATUS_MAILBOX_FULL | STATUS_WRITE_EVENT);
        self.memory.set_u8(address, status | STATUS_READ_EVENT);
    }

    /// The device takes its mailbox out of use: what stands in it is gone.
    pub(super) fn discard_mail(&mut self, number: u8) {
        let address = reg::sync_manager(number) + STATUS_OFFSET;
        if self.mailbox_is_full(number) {
            let status = self.memory.u8(address) & !(STATUS_MAILBOX_FULL | STATUS_WRITE_EVENT);
            self.memory.set_u8(address, status);
        }
    }

    /// Whether the MainDevice has read a mailbox, and the device has not opened it since.
    pub(super) fn mailbox_was_read(&self, number: u8) -> bool {
        self.memory.u8(reg::sync_manager(number) + STATUS_OFFSET) & STATUS_READ_EVENT != 0
    }

    /// The device writes the first byte of a mailbox.
    pub(super) fn open_mailbox(&mut self, number: u8) {
        let address = reg::sync_manager(number) + STATUS_OFFSET;
        let in_use = u8::from(self.profile.buffers_in_use) * STATUS_WRITE_BUFFER_IN_USE;
        let status = self.memory.u8(address) & !STATUS_READ_EVENT | in_use;
        self.memory.set_u8(address, status);
    }

    /// Puts mail into a mailbox that the MainDevice reads. What is behind its end stays.
    pub(super) fn fill_mailbox(&mut self, number: u8, mail: &[u8]) {
        let base = reg::sync_manager(number);
        let sm = SyncManager::from_bytes(&self.memory.array::<SYNC_MANAGER_BYTES>(base));
        let start = usize::from(sm.start);
        let end = (start + mail.len().min(usize::from(sm.length))).min(self.memory.len());
        if start < RAM || start >= end {
            return;
        }
        self.memory.slice_mut(start, end).copy_from_slice(&mail[..end - start]);
        let status = self.memory.u8(base + STATUS_OFFSET)
            & !(STATUS_READ_EVENT | STATUS_WRITE_BUFFER_IN_USE);
        let status = status | STATUS_MAILBOX_FULL | STATUS_WRITE_EVENT;
        self.memory.set_u8(base + STATUS_OFFSET, status);
    }

    /// Whether a mailbox holds mail.
    pub(super) fn mailbox_is_full(&self, number: u8) -> bool {
        self.memory.u8(reg::sync_manager(number) + STATUS_OFFSET) & STATUS_MAILBOX_FULL != 0
    }

    /// Bits 4–11 of the ECAT event register: SyncManagers with an event for the MainDevice.
    pub(super) fn sync_manager_events(&self) -> u16 {
        let mut events = 0;
        for number in 0..self.profile.sync_manager_count.min(8) {
            let base = reg::sync_manager(number);
            let sm = SyncManager::from_bytes(&self.memory.array::<SYNC_MANAGER_BYTES>(base));
            if !sm.enabled || self.memory.u8(base + CONTROL_OFFSET) & CONTROL_ECAT_INTERRUPT == 0 {
                continue;
            }
            let event = if sm.ecat_writes() { STATUS_READ_EVENT } else { STATUS_WRITE_EVENT };
            if self.memory.u8(base + STATUS_OFFSET) & event != 0 {
                events |= 0x10 << number;
            }
        }
        events
    }
}
