//! What stands behind the devices and moves their process data.

use crate::device::Device;
use crate::esc::SyncPulse;

/// The process side of a segment's devices, as behaviours see it.
pub struct Plant<'a> {
    devices: &'a mut [Device],
    /// Some device has something to do now.
    woken: bool,
}

impl<'a> Plant<'a> {
    pub(crate) fn new(devices: &'a mut [Device]) -> Self {
        Self { devices, woken: false }
    }

    /// The devices themselves, by their place in the description.
    pub(crate) fn devices_mut(&mut self) -> &mut [Device] {
        self.devices
    }

    /// Some device got something to do outside the frames: it is looked at before the next one.
    pub(crate) fn wake(&mut self) {
        self.woken = true;
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.woken
    }

    /// Sets `bit_length` (1 to 64) bits from `bit_offset` on of a device's input process data, counted
    /// over its input areas in their order. Bits behind its end, and a device that does not exist, are
    /// ignored.
    pub fn set_input(&mut self, device: u16, bit_offset: u32, bit_length: u8, value: u64) {
        if let Some(device) = self.devices.get_mut(usize::from(device)) {
            device.esc.set_input(bit_offset, bit_length, value);
        }
    }

    /// Reads bits of a device's inputs as [`Plant::set_input`] has set them: 0 where there are none.
    #[must_use]
    pub fn input(&self, device: u16, bit_offset: u32, bit_length: u8) -> u64 {
        self.devices
            .get(usize::from(device))
            .map_or(0, |device| device.esc.input(bit_offset, bit_length))
    }

    /// Reads `bit_length` (1 to 64) bits from `bit_offset` on of what a device drives at its outputs: 0
    /// where it is not in OP, its watchdog has expired, or it has no such bits.
    #[must_use]
    pub fn output(&self, device: u16, bit_offset: u32, bit_length: u8) -> u64 {
        self.devices
            .get(usize::from(device))
            .map_or(0, |device| device.esc.output(bit_offset, bit_length))
    }
}

/// Something that moves process data: a signal, a wire, a machine.
pub trait Behaviour: Send {
    /// Called before a frame when time has passed since the last call. `now_ns` is the segment's clock.
    fn step(&mut self, plant: &mut Plant<'_>, now_ns: u64);

    /// Whether [`Behaviour::pulse`] is to be called. Asked once.
    fn takes_pulses(&self) -> bool {
        false
    }

    /// Called for each pulse of a device's SYNC unit, in the order of time, before the frame that follows it
    /// and before [`Behaviour::step`] for that: the place for a program that runs at SYNC0. Process data are
    /// those that the frames before it left.
    fn pulse(&mut self, plant: &mut Plant<'_>, device: u16, pulse: SyncPulse) {
        let _ = (plant, device, pulse);
    }
}
