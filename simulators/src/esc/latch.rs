//! The latch units (0x09A8–0x09CF), which note when an input of the ESC changed; and when buffers did
//! (0x09F0–0x09FF). ESC data sheet, section I, "LatchSignals", section II, tables 119 to 129.

use ecat_wire::register as reg;

use super::{ClockLevel, Esc, events};

/// 0x09A8, 0x09A9: only the first edge counts until it has been read. A bit for each edge.
const SINGLE: [u8; 2] = [0x01, 0x02];
/// 0x09AE, 0x09AF: the level.
const LEVEL: u8 = 0x04;
/// 0x0980: the device's own program has the latch unit. A bit for each.
const BY_DEVICE: [u8; 2] = [0x10, 0x20];
/// Bytes of one time.
const TIME_BYTES: u16 = 8;
/// Local time of the frame that changed a buffer; of the program's access that began, or ended, one.
const ECAT_BUFFER_CHANGE: u16 = 0x09F0;
const PDI_BUFFER_START: u16 = 0x09F8;
const PDI_BUFFER_CHANGE: u16 = 0x09FC;

impl Esc {
    fn latch_is_ours(&self, unit: usize) -> bool {
        self.memory.u8(reg::DC_UNIT_CONTROL) & BY_DEVICE[unit] == 0
    }

    /// Whether 0x09A8 or 0x09A9 takes a write of the MainDevice.
    pub(super) fn latch_writable(&self, address: u16) -> bool {
        self.latch_is_ours(usize::from(address - reg::DC_LATCH_CONTROL) & 1)
    }

    /// A latch input (0 or 1) has a level from now on. Its change is noted.
    pub(crate) fn set_latch_input(&mut self, unit: u8, level: bool, now_ns: u64) {
        let unit = usize::from(unit & 1);
        let status_address = reg::DC_LATCH_STATUS + unit as u16;
        let status = self.memory.u8(status_address);
        if self.profile.clock != ClockLevel::Full || (status & LEVEL != 0) == level {
            return;
        }
        let mut status = status & !LEVEL | if level { LEVEL } else { 0 };
        let edge = usize::from(!level);
        let single = self.memory.u8(reg::DC_LATCH_CONTROL + unit as u16) & SINGLE[edge] != 0;
        let taken = status & SINGLE[edge] != 0;
        if !(single && taken) {
            let address = reg::DC_LATCH_TIMES + TIME_BYTES * (2 * unit + edge) as u16;
            let wide = if self.wide_clock() { 8 } else { 4 };
            let time = self.device_time(now_ns).to_le_bytes();
            self.memory.set(address, &time[..wide]);
            if single {
                status |= SINGLE[edge];
                if self.latch_is_ours(unit) {
                    self.raise_event(events::LATCH);
                }
            }
        }
        self.memory.set_u8(status_address, status);
    }

    /// Times from `start` to before `end` are being read: that acknowledges their events.
    pub(super) fn latch_times_read(&mut self, start: usize, end: usize) {
        for n in 0..4_usize {
            let first = usize::from(reg::DC_LATCH_TIMES) + usize::from(TIME_BYTES) * n;
            let (unit, edge) = (n / 2, n % 2);
            // The first byte is the one that holds the others, too.
            if (start..end).contains(&first) && self.latch_is_ours(unit) {
                self.read_latches |= SINGLE[edge] << (4 * unit);
                self.pending = true;
            }
        }
    }

    /// Forgets the events whose times the passing frame has read.
    pub(super) fn end_of_frame_latches(&mut self) {
        let read = std::mem::take(&mut self.read_latches);
        if read == 0 {
            return;
        }
        let mut any = 0;
        for unit in 0..2_u16 {
            let address = reg::DC_LATCH_STATUS + unit;
            let status = self.memory.u8(address) & !(read >> (4 * unit) & 0x03);
            self.memory.set_u8(address, status);
            if self.latch_is_ours(usize::from(unit)) {
                any |= status & !LEVEL;
            }
        }
        if any == 0 {
            self.clear_event(events::LATCH);
        }
    }

    /// A frame that arrived at `arrival_ns` has been in process RAM: whether it took or gave a buffer.
    #[inline]
    pub(super) fn buffers_accessed(&mut self, arrival_ns: u64) {
        let (changed, outputs) = self.sync_managers.take_changes();
        if outputs {
            self.outputs_written_sync();
        }
        if changed {
            self.buffer_changed_ns = Some(arrival_ns);
        }
    }

    /// Brings 0x09F0 up to date: before it is read, and before the clock changes by which it goes. Most frames
    /// change a buffer, and hardly anybody reads when.
    pub(super) fn show_buffer_change(&mut self) {
        if let Some(changed_ns) = self.buffer_changed_ns.take() {
            self.note_buffer(ECAT_BUFFER_CHANGE, changed_ns);
        }
    }

    /// The program has read or written a buffer.
    pub(super) fn buffer_changed_by_program(&mut self, now_ns: u64) {
        self.note_buffer(PDI_BUFFER_START, now_ns);
        self.note_buffer(PDI_BUFFER_CHANGE, now_ns);
    }

    fn note_buffer(&mut self, register: u16, now_ns: u64) {
        if self.profile.clock == ClockLevel::Full {
            let time = self.event_time(now_ns);
            self.memory.set(register, &time);
        }
    }
}
