//! A state to begin in other than that after power-on: a MainDevice has been here before.

use std::ops::Range;

use ecat_wire::register as reg;

use super::Esc;

/// What is different from an ESC that was just powered on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Contents of memory, by address of the first byte. They have no effects, but those that follow from
    /// what they say.
    pub registers: Vec<(u16, Vec<u8>)>,
    /// Register 0x0210: what is pending, and nothing else.
    pub ecat_events: Option<u16>,
    /// Register 0x0120: a request that the program has not handled.
    pub al_control: Option<u16>,
    /// The EEPROM interface is busy with a read.
    pub eeprom_busy: bool,
    /// The local clock, in ns.
    pub local_time_ns: Option<u64>,
    /// Words of the EEPROM that are known; without it, all are.
    pub known_words: Option<Vec<Range<u32>>>,
}

impl Esc {
    /// Takes a state over, at a moment in ns.
    pub(crate) fn begin(&mut self, start: &Start, now_ns: u64) {
        self.overwrite(&start.registers);
        self.apply_loop_control();
        // What the ports would now read may be given otherwise.
        self.overwrite(&start.registers);
        self.mappings.decode(&self.memory, self.profile.fmmu_count);
        let state = self.al_state();
        self.apply_locks(state, false);
        self.decode_sync_managers();
        self.begin_mail(state);
        if let Some(events) = start.ecat_events {
            self.clear_event(u16::MAX);
            self.raise_event(events);
        }
        self.begin_eeprom(start, now_ns);
        if let Some(time_ns) = start.local_time_ns {
            self.begin_clock(time_ns, now_ns);
        }
        if let Some([low, high]) = start.al_control.map(u16::to_le_bytes) {
            self.request_al(low, Some(high));
            self.end_of_frame_al(now_ns);
        }
    }

    fn overwrite(&mut self, contents: &[(u16, Vec<u8>)]) {
        for (address, bytes) in contents {
            for (address, &byte) in (usize::from(*address)..self.memory.len()).zip(bytes) {
                self.memory.slice_mut(address, address + 1)[0] = byte;
            }
        }
    }

    /// Registers that the configuration area fills at power-on, word by word of it.
    pub(super) fn loaded_from(address: u16) -> Option<u32> {
        match address {
            reg::PDI_CONTROL | reg::ESC_CONFIGURATION => Some(0),
            0x0150 | 0x0151 => Some(1),
            0x0982 | 0x0983 => Some(2),
            0x0152 | 0x0153 => Some(3),
            0x0012 | 0x0013 => Some(4),
            _ => None,
        }
    }
}
