//! SyncManagers (0x0800): buffers in process RAM, and who may reach them.
//!
//! A buffered SyncManager has one buffer here instead of three: frames and the application never run at
//! the same time in the simulator, so what either sees is consistent all the same.

use ecat_wire::register as reg;
use ecat_wire::sync_manager::{
    ACTIVATE_ENABLE, ACTIVATE_OFFSET, CONTROL_OFFSET, CONTROL_WATCHDOG, PDI_CONTROL_LOCKED,
    PDI_CONTROL_OFFSET, STATUS_MAILBOX_FULL, STATUS_OFFSET, STATUS_READ_EVENT, STATUS_WRITE_EVENT,
    SYNC_MANAGER_BYTES, SyncManager,
};

use super::Esc;
use super::memory::{Memory, RAM};

/// Control bit 4: the SyncManager shows in the ECAT event register.
const CONTROL_ECAT_INTERRUPT: u8 = 0x10;
/// Status bit 7: the buffer is being written.
const STATUS_WRITE_BUFFER_IN_USE: u8 = 0x80;
/// Status bits 4–5, which of the three buffers was written last; 3 is none yet.
const LAST_BUFFER: u8 = 0x30;

/// The memory of an active SyncManager.
#[derive(Clone, Copy, Debug, Default)]
struct Area {
    number: u8,
    start: usize,
    end: usize,
    mailbox: bool,
    ecat_writes: bool,
    locked: bool,
    /// A mailbox access has begun at the first byte and not reached the last one.
    opened: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SyncManagers {
    areas: [Area; 16],
    count: usize,
    /// Addresses whose write completes an SM that triggers the watchdog.
    triggers: [usize; 16],
    trigger_count: usize,
    /// Bit per mailbox that was completely transferred in the passing frame.
    completed: u16,
    /// A buffer or mailbox was completely transferred since this was last asked; outputs were.
    changed: bool,
    outputs_changed: bool,
}

impl SyncManagers {
    /// Reads the configuration anew.
    pub(super) fn decode(&mut self, memory: &Memory, count: u8) {
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
                let opened = before[..before_count]
                    .iter()
                    .any(|old| old.number == number && old.start == start && old.opened);
                self.areas[self.count] = Area {
                    number,
                    start,
                    end,
                    mailbox: sm.is_mailbox(),
                    ecat_writes: sm.ecat_writes(),
                    locked: memory.u8(address + PDI_CONTROL_OFFSET) & PDI_CONTROL_LOCKED != 0,
                    opened,
                };
                self.count += 1;
            }
        }
    }

    /// Whether a buffer or mailbox was completely transferred since this was last asked, and whether it was
    /// one of outputs.
    pub(super) fn take_changes(&mut self) -> (bool, bool) {
        (std::mem::take(&mut self.changed), std::mem::take(&mut self.outputs_changed))
    }

    /// Whether any SyncManager triggers the watchdog.
    pub(super) fn any_trigger(&self) -> bool {
        self.trigger_count > 0
    }

    /// Whether writing this range completes an SM that triggers the watchdog.
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

    /// Whether the MainDevice may access `at` in this direction now. Opens a mailbox at its first byte.
    fn admit(&mut self, index: usize, at: usize, writes: bool, memory: &Memory) -> bool {
        let area = &mut self.areas[index];
        if area.locked || area.ecat_writes != writes {
            return false;
        }
        if area.mailbox {
            let status = memory.u8(reg::sync_manager(area.number) + STATUS_OFFSET);
            let full = status & STATUS_MAILBOX_FULL != 0;
            if at == area.start && full != writes && self.completed & 1 << area.number == 0 {
                area.opened = true;
            }
            return area.opened;
        }
        true
    }

    /// Notes an access that was admitted, in the status register.
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
            if area.mailbox {
                // Full or empty only from the end of the frame on.
                area.opened = false;
                self.completed |= 1 << area.number;
            } else if area.ecat_writes {
                let last =
                    if status & LAST_BUFFER >= 0x20 { 0 } else { (status & LAST_BUFFER) + 0x10 };
                new = new & !LAST_BUFFER | last | STATUS_WRITE_EVENT;
            } else {
                new |= STATUS_READ_EVENT;
            }
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

impl Esc {
    /// Reads process RAM, piece by piece as SyncManagers cover it. `data` begins at `start`.
    pub(super) fn read_ram(&mut self, start: usize, data: &mut [u8], or: bool) -> bool {
        let end = start + data.len();
        let (mut at, mut accessible) = (start, false);
        while at < end {
            let (area, next) = self.sync_managers.locate(at, end);
            let admitted =
                area.is_none_or(|index| self.sync_managers.admit(index, at, false, &self.memory));
            if admitted {
                accessible = true;
                let source = self.memory.slice(at, next);
                let target = &mut data[at - start..next - start];
                if or {
                    target.iter_mut().zip(source).for_each(|(byte, &value)| *byte |= value);
                } else {
                    target.copy_from_slice(source);
                }
                if let Some(index) = area.filter(|_| !self.damaged) {
                    self.sync_managers.accessed(index, at, next, &mut self.memory);
                    self.pending |= self.sync_managers.completed != 0;
                }
            }
            at = next;
        }
        accessible
    }

    /// Writes process RAM, at once. `data` begins at `start`.
    pub(super) fn write_ram(&mut self, start: usize, data: &[u8], now_ns: u64) -> bool {
        let end = start + data.len();
        let (mut at, mut accessible) = (start, false);
        while at < end {
            let (area, next) = self.sync_managers.locate(at, end);
            let admitted =
                area.is_none_or(|index| self.sync_managers.admit(index, at, true, &self.memory));
            if admitted {
                accessible = true;
                self.memory.slice_mut(at, next).copy_from_slice(&data[at - start..next - start]);
                if let Some(index) = area.filter(|_| !self.damaged) {
                    self.sync_managers.accessed(index, at, next, &mut self.memory);
                    self.pending |= self.sync_managers.completed != 0;
                }
                if self.sync_managers.triggered_by(at, next) {
                    self.trigger_watchdog(now_ns);
                }
            }
            at = next;
        }
        accessible
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
            let address = reg::sync_manager(number) + PDI_CONTROL_OFFSET;
            self.memory.set_u8(address, u8::from(locked) * PDI_CONTROL_LOCKED);
        }
    }

    /// Takes the mail out of a mailbox that the MainDevice filled.
    pub(super) fn empty_mailbox(&mut self, number: u8) {
        let address = reg::sync_manager(number) + STATUS_OFFSET;
        let status = self.memory.u8(address) & !(STATUS_MAILBOX_FULL | STATUS_WRITE_EVENT);
        self.memory.set_u8(address, status | STATUS_READ_EVENT);
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
