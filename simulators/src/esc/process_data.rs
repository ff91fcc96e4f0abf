//! The process data as the application sees it: bits of the memory that its areas name.

use super::profile::ProcessArea;
use super::{Esc, al};

/// Added to the place of a level that a program drives itself, beside what its outputs carry: it stands among the
/// levels at the device's inputs, behind its process data.
pub(crate) const DRIVEN: u32 = 1 << 31;

impl Esc {
    /// Bytes of input process data.
    #[must_use]
    pub fn input_bytes(&self) -> u32 {
        self.profile.application.inputs.iter().map(|area| u32::from(area.bytes)).sum()
    }

    /// Bytes of output process data.
    #[must_use]
    pub fn output_bytes(&self) -> u32 {
        self.profile.application.outputs.iter().map(|area| u32::from(area.bytes)).sum()
    }

    /// Sets bits of the inputs; see [`crate::plant::Plant::set_input`].
    pub(crate) fn set_input(&mut self, bit_offset: u32, bit_length: u8, value: u64) {
        let (mut at, mut rest, mut value) = (bit_offset, u32::from(bit_length.min(64)), value);
        while rest > 0 {
            let bits = rest.min(8 - at % 8);
            if let Some(pin) = self.pins.get_mut((at / 8) as usize) {
                let mask = (((1u16 << bits) - 1) as u8) << (at % 8);
                *pin = *pin & !mask | ((value & 0xFF) as u8) << (at % 8) & mask;
                let byte = *pin;
                self.show_pin(at / 8, byte);
            }
            value >>= bits;
            at += bits;
            rest -= bits;
        }
        self.device_inputs_done();
    }

    /// Reads bits of the inputs; see [`crate::plant::Plant::input`].
    pub(crate) fn input(&self, bit_offset: u32, bit_length: u8) -> u64 {
        let length = u32::from(bit_length.min(64));
        let level = |bit: u32| {
            let pin = self.pins.get(((bit_offset + bit) / 8) as usize).copied().unwrap_or(0);
            u64::from(pin >> ((bit_offset + bit) % 8) & 1)
        };
        (0..length).fold(0, |value, bit| value | level(bit) << bit)
    }

    /// Takes all inputs in, as after power-on, or when a SyncManager has become active: what is connected to a
    /// device outlives both.
    pub(super) fn show_inputs_anew(&mut self) {
        if self.image.is_some() {
            self.show_inputs();
        } else {
            for n in 0..self.pins.len() {
                self.show_pin(n as u32, self.pins[n]);
            }
        }
        self.device_inputs_done();
    }

    fn show_pin(&mut self, n: u32, value: u8) {
        if self.halted_outputs().is_some() {
            return;
        }
        if self.image.is_some() {
            return self.show_input_byte(n);
        }
        if let Some(address) = byte_address(&self.profile.application.inputs, n) {
            self.set_device_input(address, value);
        }
    }

    /// Whether the outputs are what the MainDevice sends: in OP, and as long as the watchdog holds.
    pub(crate) fn drives_outputs(&self) -> bool {
        self.al_state() == al::OP && self.watchdog_holds()
    }

    /// Reads bits of the outputs as they are driven; see [`crate::plant::Plant::output`].
    pub(crate) fn output(&self, bit_offset: u32, bit_length: u8) -> u64 {
        if bit_offset & DRIVEN != 0 {
            return self.input(bit_offset & !DRIVEN, bit_length);
        }
        if let Some(outputs) = self.halted_outputs() {
            let bit = |at: u32| {
                let byte = outputs.get((at / 8) as usize).copied().unwrap_or(0);
                u64::from(byte >> (at % 8) & 1)
            };
            let length = u32::from(bit_length.min(64));
            return (0..length).fold(0, |value, n| value | bit(bit_offset + n) << n);
        }
        if !self.drives_outputs() {
            return 0;
        }
        let (mut at, mut done, mut value) = (bit_offset, 0, 0);
        let length = u32::from(bit_length.min(64));
        while done < length {
            let mut bits = (length - done).min(8 - at % 8);
            let mut from = Some(at);
            if let Some(image) = &self.image {
                bits = 1;
                from = image.output_bit(at).filter(|_| !self.absent.has_output(at));
            }
            let piece = from.map_or(0, |from| {
                let byte = byte_address(&self.profile.application.outputs, from / 8)
                    .map_or(0, |address| self.device_output(address));
                u64::from(byte >> (from % 8)) & ((1 << bits) - 1)
            });
            value |= piece << done;
            at += bits;
            done += bits;
        }
        value
    }
}

/// Physical address of the `n`-th byte of process data.
pub(super) fn byte_address(areas: &[ProcessArea], mut n: u32) -> Option<u16> {
    for area in areas {
        if n < u32::from(area.bytes) {
            return area.start.checked_add(u16::try_from(n).ok()?);
        }
        n -= u32::from(area.bytes);
    }
    None
}
