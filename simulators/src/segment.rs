//! A frame on its way through a line of ESCs.

mod observation;

pub(crate) use observation::{Source, SourceKind};

use ecat_wire::Command;
use ecat_wire::ethernet::{HEADER_BYTES, SOURCE_PROCESSED};
use ecat_wire::frame::{DatagramMut, FrameError, for_each_datagram_mut};

use crate::command::SegmentCommand;
use crate::description::{DescriptionError, SegmentDescription};
use crate::device::Device;
use crate::devices;
use crate::esc::{Access, Changes, Merge};
use crate::line::Line;
use crate::plant::{Behaviour, Plant};

/// More data than a datagram can carry (11 bits of length).
const SCRATCH_BYTES: usize = 2_048;

const READ: Access = Access { read: true, write: false };
const WRITE: Access = Access { read: false, write: true };
const BOTH: Access = Access { read: true, write: true };

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// It came back, processed in place.
    Returned,
    /// It did not come back.
    Lost,
}

/// A line of simulated devices: a deterministic function of frames and time.
///
/// Datagrams are processed one after another, each by all devices in their order. Register effects wait
/// for the end of the frame, so this cannot be told from the order on a wire.
pub struct Segment {
    devices: Vec<Device>,
    behaviours: Vec<Box<dyn Behaviour>>,
    line: Line,
    /// Places on the line that wait for the end of the frame.
    pending: Vec<usize>,
    scratch: Box<[u8; SCRATCH_BYTES]>,
    /// When a program or a watchdog has something to do next.
    due_ns: u64,
    stepped_ns: Option<u64>,
}

impl Segment {
    /// Builds a segment from its description, with all devices just powered on.
    ///
    /// # Errors
    /// [`DescriptionError`] names the offending value by its JSON pointer.
    pub fn new(description: &SegmentDescription) -> Result<Self, DescriptionError> {
        Ok(Self::build(devices::build(description)?))
    }

    fn build(parts: devices::Parts) -> Self {
        let mut segment = Self::from_parts(parts.devices, parts.behaviours);
        for (device, start) in segment.devices.iter_mut().zip(&parts.starts) {
            device.esc.begin(start);
        }
        segment.line.connect(&mut segment.devices);
        segment
    }

    /// Builds a segment from devices in their order on the line, and what moves their process data.
    #[must_use]
    pub fn from_parts(mut devices: Vec<Device>, behaviours: Vec<Box<dyn Behaviour>>) -> Self {
        let line = Line::new(&mut devices);
        Self {
            pending: Vec::with_capacity(devices.len()),
            devices,
            behaviours,
            line,
            scratch: Box::new([0; SCRATCH_BYTES]),
            due_ns: 0,
            stepped_ns: None,
        }
    }

    /// How many devices the description has, powered or not.
    #[must_use]
    pub fn sub_device_count(&self) -> usize {
        self.devices.len()
    }

    /// The devices, in their order on the line.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// Sets bits of a device's inputs; see [`Plant::set_input`].
    pub fn set_input(&mut self, device: u16, bit_offset: u32, bit_length: u8, value: u64) {
        Plant::new(&mut self.devices).set_input(device, bit_offset, bit_length, value);
    }

    /// Reads bits that a device drives at its outputs; see [`Plant::output`]. As of the last frame or
    /// [`Segment::advance`].
    #[must_use]
    pub fn output(&self, device: u16, bit_offset: u32, bit_length: u8) -> u64 {
        self.devices
            .get(usize::from(device))
            .map_or(0, |device| device.esc.output(bit_offset, bit_length))
    }

    /// Carries a command out. Those that concern frames on their way, or the carrier, are the link's:
    /// here they do nothing.
    pub fn apply(&mut self, command: SegmentCommand, now_ns: u64) {
        match command {
            SegmentCommand::Unplug { device } => {
                if self.line.power(device, false) {
                    // Outputs fall with the power.
                    self.devices[usize::from(device)].esc.power_on(now_ns);
                    self.line.connect(&mut self.devices);
                }
            }
            SegmentCommand::Plug { device } => {
                if self.line.power(device, true) {
                    self.devices[usize::from(device)].esc.power_on(now_ns);
                    self.line.connect(&mut self.devices);
                }
            }
            SegmentCommand::CutCable { after } => {
                self.line.cut(Some(after));
                self.line.connect(&mut self.devices);
            }
            SegmentCommand::MendCable => {
                self.line.cut(None);
                self.line.connect(&mut self.devices);
            }
            SegmentCommand::SetInput { device, bit_offset, bit_length, value } => {
                self.set_input(device, bit_offset, bit_length, value);
            }
            SegmentCommand::LoseFrames { .. }
            | SegmentCommand::DelayFrames { .. }
            | SegmentCommand::LinkDown
            | SegmentCommand::LinkUp
            | SegmentCommand::Panic => {}
        }
    }

    /// Lets time pass without a frame: programs, watchdogs, behaviours.
    pub fn advance(&mut self, now_ns: u64) {
        if now_ns >= self.due_ns {
            self.due_ns = self
                .devices
                .iter_mut()
                .map(|device| device.esc.tick(now_ns))
                .fold(u64::MAX, u64::min);
        }
        if self.stepped_ns != Some(now_ns) && !self.behaviours.is_empty() {
            self.stepped_ns = Some(now_ns);
            let mut plant = Plant::new(&mut self.devices);
            for behaviour in &mut self.behaviours {
                behaviour.step(&mut plant, now_ns);
            }
        }
    }

    /// Takes one Ethernet frame (without FCS) through the line, in place. `now_ns` is when it was sent,
    /// by a clock that never goes back.
    pub fn process(&mut self, frame: &mut [u8], now_ns: u64) -> Forward {
        self.advance(now_ns);
        let Some(&first) = self.line.present.first() else { return Forward::Lost };
        let irq = self.irq();
        let result = for_each_datagram_mut(frame, |mut datagram| {
            self.datagram(&mut datagram, now_ns);
            if irq != 0 {
                datagram.or_irq(irq);
            }
        });
        match result {
            Ok(()) => {}
            Err(FrameError::NotEtherCat) => {
                let destroyed = |&n: &u16| self.devices[usize::from(n)].esc.ethercat_only();
                let lost = self.line.present.iter().any(destroyed);
                if lost || frame.len() < HEADER_BYTES {
                    return Forward::Lost;
                }
            }
            Err(_) => self.devices[usize::from(first)].esc.count_malformed(),
        }
        frame[6] |= SOURCE_PROCESSED;
        self.end_of_frame(now_ns);
        Forward::Returned
    }

    /// Events show in all datagrams of a frame alike: they change at its end.
    fn irq(&mut self) -> u16 {
        if !self.line.events {
            return 0;
        }
        let devices = &mut self.devices;
        self.line.present.iter().fold(0, |irq, &n| irq | devices[usize::from(n)].esc.irq())
    }

    fn datagram(&mut self, datagram: &mut DatagramMut<'_>, now_ns: u64) {
        let Some(command) = datagram.command() else { return };
        let present = self.line.present.len();
        let counted_up = |position: u16| position.wrapping_add(present as u16).to_le_bytes();
        match command {
            Command::Nop => return,
            Command::Aprd { position, register } => {
                self.by_position(position, register, datagram, READ, now_ns);
            }
            Command::Apwr { position, register } => {
                self.by_position(position, register, datagram, WRITE, now_ns);
            }
            Command::Aprw { position, register } => {
                self.by_position(position, register, datagram, BOTH, now_ns);
            }
            Command::Fprd { station, register } => {
                self.by_station(station, register, datagram, READ, now_ns);
            }
            Command::Fpwr { station, register } => {
                self.by_station(station, register, datagram, WRITE, now_ns);
            }
            Command::Fprw { station, register } => {
                self.by_station(station, register, datagram, BOTH, now_ns);
            }
            Command::Brd { register } => self.broadcast(register, datagram, READ, now_ns),
            Command::Bwr { register } => self.broadcast(register, datagram, WRITE, now_ns),
            Command::Brw { register } => self.broadcast(register, datagram, BOTH, now_ns),
            Command::Lrd { logical } => self.logical(logical, datagram, READ, now_ns),
            Command::Lwr { logical } => self.logical(logical, datagram, WRITE, now_ns),
            Command::Lrw { logical } => self.logical(logical, datagram, BOTH, now_ns),
            Command::Armw { position, register } => {
                let reader = usize::from(position.wrapping_neg());
                for place in 0..present {
                    let wanted = if place == reader { READ } else { WRITE };
                    self.physical(place, register, datagram, wanted, Merge::Replace, now_ns);
                }
            }
            Command::Frmw { station, register } => {
                let readers = self.line.stations(station);
                for place in 0..present {
                    let reads = readers.clone().any(|n| self.line.station(n) == place);
                    let wanted = if reads { READ } else { WRITE };
                    self.physical(place, register, datagram, wanted, Merge::Replace, now_ns);
                }
            }
        }
        // Every ESC counts the position up, in broadcasts too.
        if matches!(datagram.header[0], 1..=3 | 7..=9 | 13) {
            let position = u16::from_le_bytes([datagram.header[2], datagram.header[3]]);
            datagram.header[2..4].copy_from_slice(&counted_up(position));
        }
    }

    fn by_position(
        &mut self,
        position: u16,
        register: u16,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        now_ns: u64,
    ) {
        let place = usize::from(position.wrapping_neg());
        if place < self.line.present.len() {
            self.physical(place, register, datagram, wanted, Merge::Replace, now_ns);
        }
    }

    fn by_station(
        &mut self,
        station: u16,
        register: u16,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        now_ns: u64,
    ) {
        for n in self.line.stations(station) {
            let place = self.line.station(n);
            self.physical(place, register, datagram, wanted, Merge::Replace, now_ns);
        }
    }

    fn broadcast(
        &mut self,
        register: u16,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        now_ns: u64,
    ) {
        for place in 0..self.line.present.len() {
            self.physical(place, register, datagram, wanted, Merge::Or, now_ns);
        }
    }

    /// One device's share of a datagram with a physical address.
    fn physical(
        &mut self,
        place: usize,
        register: u16,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        merge: Merge,
        now_ns: u64,
    ) {
        let esc = &mut self.devices[usize::from(self.line.present[place])].esc;
        let arrival_ns = self.line.arrival(place, now_ns);
        let waited = esc.is_pending();
        let mut done = Access::default();
        if wanted == BOTH {
            // What comes in is written; what was there before leaves.
            let incoming = &mut self.scratch[..datagram.data.len()];
            incoming.copy_from_slice(datagram.data);
            done.read = esc.read(register, datagram.data, merge, arrival_ns);
            done.write = esc.write(register, incoming, arrival_ns);
        } else if wanted.read {
            done.read = esc.read(register, datagram.data, merge, arrival_ns);
        } else {
            done.write = esc.write(register, datagram.data, arrival_ns);
        }
        if !waited && esc.is_pending() {
            self.pending.push(place);
        }
        datagram.add_working_counter(done.working_counter(wanted));
    }

    fn logical(
        &mut self,
        address: u32,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        now_ns: u64,
    ) {
        let Some(length) = datagram.data.len().checked_sub(1) else { return };
        let last = address.saturating_add(length as u32);
        let mut counter = 0;
        for (place, &(window_first, window_last)) in self.line.windows.iter().enumerate() {
            if window_first > last || window_last < address {
                continue;
            }
            let esc = &mut self.devices[usize::from(self.line.present[place])].esc;
            let arrival_ns = self.line.arrival(place, now_ns);
            let waited = esc.is_pending();
            counter +=
                esc.logical(address, datagram.data, wanted, arrival_ns).working_counter(wanted);
            if !waited && esc.is_pending() {
                self.pending.push(place);
            }
        }
        datagram.add_working_counter(counter);
    }

    /// The frame's end, with a good checksum: staged writes take effect.
    fn end_of_frame(&mut self, now_ns: u64) {
        if self.pending.is_empty() {
            return;
        }
        let mut changes = Changes::default();
        for &place in &self.pending {
            let passage = self.line.passage(place, now_ns);
            let esc = &mut self.devices[usize::from(self.line.present[place])].esc;
            let changed = esc.end_of_frame(passage);
            changes.addresses |= changed.addresses;
            changes.mappings |= changed.mappings;
            changes.ports |= changed.ports;
            changes.event_mask |= changed.event_mask;
            self.due_ns = self.due_ns.min(esc.tick(passage.arrival_ns));
        }
        self.pending.clear();
        if changes.ports {
            self.line.connect(&mut self.devices);
            return;
        }
        if changes.addresses {
            self.line.index_addresses(&self.devices);
        }
        if changes.mappings {
            self.line.index_windows(&self.devices);
        }
        if changes.event_mask {
            self.line.index_events(&self.devices);
        }
    }
}
