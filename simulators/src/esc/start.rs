//! A state to begin in other than that after power-on: a MainDevice has been here before.

use super::Esc;

/// What is different from an ESC that was just powered on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Contents of memory, by address of the first byte. They have no effects, but those that follow from
    /// what they say.
    pub registers: Vec<(u16, Vec<u8>)>,
    /// Register 0x0210: what is pending, and nothing else.
    pub ecat_events: Option<u16>,
}

impl Esc {
    /// Takes a state over.
    pub(crate) fn begin(&mut self, start: &Start) {
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
    }

    fn overwrite(&mut self, contents: &[(u16, Vec<u8>)]) {
        for (address, bytes) in contents {
            for (address, &byte) in (usize::from(*address)..self.memory.len()).zip(bytes) {
                self.memory.slice_mut(address, address + 1)[0] = byte;
            }
        }
    }
}
