//! Modules that are plugged into slots and pulled while the device runs: what its program then does, and which of its
//! process data nobody drives.

use std::ops::Range;

use ecat_wire::mailbox::coe::emergency::Emergency;

use super::profile::Direction;
use super::{Esc, al};
use crate::mailbox::modules::Fit;

/// AL status code: the list of modules (0xF030) is not the one that was found (0xF050).
pub(crate) const OTHER_MODULES: u16 = 0x0070;
/// Emergency error code: device specific; its data tell the slot.
const DEVICE_SPECIFIC: u16 = 0xFF00;
const NO_ERROR: u16 = 0;
/// Error register: manufacturer specific.
const MANUFACTURER_SPECIFIC: u8 = 0x80;

/// Values of slots without the module that is configured for them: bits of inputs and of outputs.
#[derive(Clone, Debug, Default)]
pub(super) struct Absent {
    inputs: Vec<Range<u32>>,
    outputs: Vec<Range<u32>>,
}

impl Absent {
    pub(super) fn has_input(&self, value_bit: u32) -> bool {
        self.inputs.iter().any(|range| range.contains(&value_bit))
    }

    pub(super) fn has_output(&self, value_bit: u32) -> bool {
        self.outputs.iter().any(|range| range.contains(&value_bit))
    }

    pub(super) fn has_inputs(&self) -> bool {
        !self.inputs.is_empty()
    }
}

impl Esc {
    /// Whether the modules are none that process data can be exchanged with.
    pub(crate) fn refuses_modules(&self) -> bool {
        let modules = self.mailbox.as_ref().and_then(|mailbox| mailbox.modules());
        modules.is_some_and(|modules| modules.refuses())
    }

    /// How the modules in its slots fit those that are configured; none: it has no slots.
    pub(crate) fn modules_fit(&self) -> Option<Fit> {
        Some(self.mailbox.as_ref()?.modules()?.fit())
    }

    /// The module in a slot, from 1, where it is the one that is configured for it.
    pub(crate) fn module(&self, slot: u8) -> Option<u32> {
        let modules = self.mailbox.as_ref()?.modules()?;
        modules.of(slot).filter(|_| modules.fits(slot)).map(|(plugged, _)| plugged)
    }

    /// A module is plugged into a slot, from 1, in place of what was there; 0: it is pulled. The program sends an emergency
    /// and, where it cannot exchange process data any longer, goes back to PRE-OP.
    pub(crate) fn plug_module(&mut self, slot: u8, ident: u32, now_ns: u64) {
        let Some(mailbox) = &mut self.mailbox else { return };
        if !mailbox.plug(slot, ident) {
            return;
        }
        self.find_absent();
        self.show_inputs_anew();
        let Some(modules) = self.mailbox.as_ref().and_then(|mailbox| mailbox.modules()) else {
            return;
        };
        let register = if modules.fit() == Fit::Same { 0 } else { MANUFACTURER_SPECIFIC };
        let code = if modules.fits(slot) { NO_ERROR } else { DEVICE_SPECIFIC };
        let refuses = modules.refuses();
        let [a, b, c, d] = ident.to_le_bytes();
        self.raise_emergency(Emergency { code, register, data: [slot, a, b, c, d] }, now_ns);
        if refuses && matches!(self.al_state(), al::SAFE_OP | al::OP) {
            self.leave_state(al::PRE_OP, OTHER_MODULES);
        }
    }

    /// Finds the values of slots whose module is not the one that is configured.
    pub(super) fn find_absent(&mut self) {
        let mut absent = Absent::default();
        if let Some(modules) = self.mailbox.as_ref().and_then(|mailbox| mailbox.modules()) {
            for point in &self.profile.application.points {
                let slot = modules.slots().slot_of(point.index);
                if slot.is_none_or(|slot| modules.fits(slot)) {
                    continue;
                }
                let ranges = match point.direction {
                    Direction::Input => &mut absent.inputs,
                    Direction::Output => &mut absent.outputs,
                };
                ranges.push(point.bit_offset..point.bit_offset + u32::from(point.bit_length));
            }
        }
        self.absent = absent;
    }
}
