//! A frame on its way through a line of ESCs.

mod asked;
mod datagrams;
mod faults;
mod frames;
mod observation;

pub(crate) use observation::{Source, SourceKind};

use std::sync::Arc;

use ecat_wire::mailbox::soe::{Emergency as DriveEmergency, Idn};

use crate::description::{DescriptionError, SegmentDescription};
use crate::device::Device;
use crate::devices;
use crate::esc::{Changes, Esc, SyncPulse};
use crate::faults::{Desk, Fault, Faults};
use crate::line::Line;
use crate::plant::{Behaviour, Plant};
use crate::topology::{Attachment, MainPort, Ring, Topology};

/// More data than a datagram can carry (11 bits of length).
const SCRATCH_BYTES: usize = 2_048;

/// The longest time between two looks at the pulses that somebody takes.
const PULSES_NS: u64 = 100_000_000;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// It came back, processed in place.
    Returned,
    /// It did not come back.
    Lost,
    /// It came out at the MainDevice's other port: the ring is closed.
    Crossed,
}

/// Simulated devices and the cables between them: a deterministic function of frames and time.
///
/// Datagrams are processed one after another, each by all devices in their order. Register effects wait
/// for the end of the frame, so this cannot be told from the order on a wire.
pub struct Segment {
    devices: Vec<Device>,
    behaviours: Vec<Box<dyn Behaviour>>,
    topology: Topology,
    /// What a frame sees from the MainDevice's port that it enters by.
    line: Line,
    /// The same from the other port.
    other_line: Line,
    /// Ports have changed in the passing frame.
    connect_anew: bool,
    /// Some device has begun a reset.
    resets: bool,
    faults: Faults,
    /// Faults of the description, with their numbers, and whether their time has begun.
    described: Vec<(u32, Fault)>,
    begun: bool,
    /// What begins now was there before power-on.
    beginning: bool,
    /// Until when faults have acted.
    faults_stepped_ns: u64,
    /// Somebody else counts the frames that are sent.
    numbered: bool,
    /// Places on the line that wait for the end of the frame.
    pending: Vec<usize>,
    scratch: Box<[u8; SCRATCH_BYTES]>,
    /// When a program or a watchdog has something to do next.
    due_ns: u64,
    stepped_ns: Option<u64>,
    /// A behaviour runs at the devices' pulses.
    takes_pulses: bool,
    /// Pulses that it has not seen yet.
    pulses: Vec<(u16, SyncPulse)>,
}

impl Segment {
    /// Builds a segment from its description, with all devices just powered on.
    ///
    /// # Errors
    /// [`DescriptionError`] names the offending value by its JSON pointer.
    pub fn new(description: &SegmentDescription) -> Result<Self, DescriptionError> {
        let mut segment = Self::build(devices::build(description)?, 0);
        segment.describe_faults(&description.faults)?;
        Ok(segment)
    }

    fn build(parts: devices::Parts, now_ns: u64) -> Self {
        let (attachments, ring) = (&parts.attachments, parts.ring);
        let mut segment = Self::wired(parts.devices, parts.behaviours, attachments, ring);
        for &outlet in &parts.outside {
            segment.topology.lead_outside(outlet);
        }
        segment.connect();
        for (device, start) in segment.devices.iter_mut().zip(&parts.starts) {
            device.esc.begin(start, now_ns);
        }
        segment.connect();
        segment.faults.set_seed(parts.seed);
        segment
    }

    /// Builds a line from devices in their order, and what moves their process data.
    #[must_use]
    pub fn from_parts(devices: Vec<Device>, behaviours: Vec<Box<dyn Behaviour>>) -> Self {
        let attachments: Vec<_> =
            (0..).zip(&devices).map(|(index, _)| Attachment::in_line(index)).collect();
        Self::wired(devices, behaviours, &attachments, None::<Ring>)
    }

    /// Builds a segment from devices, what moves their process data, where each of them is plugged in, and
    /// the cable that leads as a ring to the MainDevice's second port.
    #[must_use]
    pub fn wired(
        mut devices: Vec<Device>,
        behaviours: Vec<Box<dyn Behaviour>>,
        attachments: &[Attachment],
        ring: Option<impl Into<Ring>>,
    ) -> Self {
        devices.truncate(attachments.len());
        let topology = Topology::new(&attachments[..devices.len()], ring.map(Into::into));
        let count = devices.len();
        let takes_pulses = behaviours.iter().any(|behaviour| behaviour.takes_pulses());
        if takes_pulses {
            devices.iter_mut().for_each(|device| device.esc.observe_pulses());
        }
        let names = devices.iter().map(|device| device.name.clone()).collect();
        let mut segment = Self {
            pending: Vec::with_capacity(count),
            devices,
            behaviours,
            topology,
            line: Line::with_capacity(count),
            other_line: Line::with_capacity(count),
            connect_anew: false,
            resets: false,
            faults: Faults::new(Arc::new(Desk::new(names))),
            described: Vec::new(),
            begun: false,
            beginning: false,
            faults_stepped_ns: 0,
            numbered: false,
            scratch: Box::new([0; SCRATCH_BYTES]),
            due_ns: 0,
            stepped_ns: None,
            takes_pulses,
            pulses: Vec::new(),
        };
        segment.connect();
        segment.describe_mail_faults();
        segment
    }

    /// Cables, power or loop control have changed.
    fn connect(&mut self) {
        self.topology.connect(&mut self.devices, self.beginning);
        self.line.connect(&self.topology, &self.devices, MainPort::First);
        self.other_line.connect(&self.topology, &self.devices, MainPort::Second);
    }

    /// Devices by their place in the description, in the order that frames from the first port take: the
    /// one with auto-increment position 0 first.
    #[must_use]
    pub fn positions(&self) -> &[u16] {
        &self.line.present
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

    /// A latch input of a device's ESC has a level from now on; its change gets a time stamp.
    pub fn set_latch_input(&mut self, device: u16, input: u8, level: bool, now_ns: u64) {
        if let Some(device) = self.devices.get_mut(usize::from(device)) {
            device.esc.set_latch_input(input, level, now_ns);
        }
    }

    /// A drive of a device's program sends an emergency (SoE).
    pub fn raise_emergency_of_drive(
        &mut self,
        device: u16,
        emergency: DriveEmergency,
        now_ns: u64,
    ) {
        if let Some(device) = self.devices.get_mut(usize::from(device)) {
            device.esc.raise_emergency_of_drive(emergency, now_ns);
            self.due_ns = now_ns;
        }
    }

    /// A drive of a device's program tells the value of an IDN (SoE).
    pub fn notify(&mut self, device: u16, drive: u8, idn: Idn, now_ns: u64) {
        if let Some(device) = self.devices.get_mut(usize::from(device)) {
            device.esc.notify(drive, idn, now_ns);
            self.due_ns = now_ns;
        }
    }

    /// The selector of a device's explicit identification is turned.
    pub fn set_identification(&mut self, device: u16, identification: u16) {
        if let Some(device) = self.devices.get_mut(usize::from(device)) {
            device.esc.set_identification(identification);
        }
    }

    /// A module is plugged into a slot, from 1, of a device, in place of what was there; 0: it is pulled.
    pub fn plug_module(&mut self, device: u16, slot: u8, ident: u32, now_ns: u64) {
        if let Some(device) = self.devices.get_mut(usize::from(device)) {
            device.esc.plug_module(slot, ident, now_ns);
            self.due_ns = now_ns;
        }
    }

    /// Reads bits that a device drives at its outputs; see [`Plant::output`]. As of the last frame or
    /// [`Segment::advance`].
    #[must_use]
    pub fn output(&self, device: u16, bit_offset: u32, bit_length: u8) -> u64 {
        self.devices
            .get(usize::from(device))
            .map_or(0, |device| device.esc.output(bit_offset, bit_length))
    }

    /// Lets time pass without a frame: programs, watchdogs, behaviours.
    pub fn advance(&mut self, now_ns: u64) {
        self.follow_faults(now_ns);
        while self.takes_pulses && self.due_ns < now_ns.saturating_sub(PULSES_NS) {
            self.tick(self.due_ns + PULSES_NS);
        }
        self.tick(now_ns);
        if self.stepped_ns != Some(now_ns) && !self.behaviours.is_empty() {
            self.stepped_ns = Some(now_ns);
            let mut plant = Plant::new(&mut self.devices);
            for behaviour in &mut self.behaviours {
                behaviour.step(&mut plant, now_ns);
            }
            if plant.is_woken() {
                self.due_ns = self.due_ns.min(now_ns);
            }
            self.take_wanted_faults(now_ns);
        }
    }

    fn tick(&mut self, now_ns: u64) {
        if now_ns >= self.due_ns {
            self.due_ns = u64::MAX;
            for n in 0..self.devices.len() {
                let next_ns = self.with_esc(n as u16, |esc| esc.tick(now_ns));
                self.due_ns = self.due_ns.min(next_ns);
            }
            let mut reverted = false;
            for device in &mut self.devices {
                reverted |= device.esc.take_reverted();
            }
            if reverted {
                self.connect();
            }
            if self.takes_pulses {
                self.hand_pulses_out();
            }
        }
    }

    fn hand_pulses_out(&mut self) {
        for (n, device) in (0..).zip(&mut self.devices) {
            self.pulses.extend(device.esc.take_pulses().map(|pulse| (n, pulse)));
        }
        self.pulses.sort_unstable_by_key(|&(n, pulse)| (pulse.at_ns, n, pulse.number));
        let mut plant = Plant::new(&mut self.devices);
        for (device, pulse) in self.pulses.drain(..) {
            for behaviour in &mut self.behaviours {
                behaviour.pulse(&mut plant, device, pulse);
            }
        }
    }

    /// Takes one Ethernet frame (without FCS) through the segment, in place. `now_ns` is when it was sent,
    /// by a clock that never goes back.
    pub fn process(&mut self, frame: &mut [u8], now_ns: u64) -> Forward {
        self.begin_frame(now_ns);
        let forward = self.take_through(frame, now_ns);
        if std::mem::take(&mut self.connect_anew) {
            self.connect();
        }
        forward
    }

    /// As [`Segment::process`], from either of the MainDevice's ports.
    pub fn process_from(&mut self, port: MainPort, frame: &mut [u8], now_ns: u64) -> Forward {
        if port == MainPort::First {
            return self.process(frame, now_ns);
        }
        self.begin_frame(now_ns);
        std::mem::swap(&mut self.line, &mut self.other_line);
        let forward = self.take_through(frame, now_ns);
        std::mem::swap(&mut self.line, &mut self.other_line);
        if std::mem::take(&mut self.connect_anew) {
            self.connect();
        }
        match forward {
            Forward::Returned => Forward::Crossed,
            Forward::Crossed => Forward::Returned,
            Forward::Lost => Forward::Lost,
        }
    }

    fn begin_frame(&mut self, now_ns: u64) {
        if !self.numbered {
            self.faults.frame_sent();
        }
        self.advance(now_ns);
    }

    /// Takes a device's turn, with the segment's faults where they concern it.
    fn with_esc<T>(&mut self, device: u16, turn: impl FnOnce(&mut Esc) -> T) -> T {
        let esc = &mut self.devices[usize::from(device)].esc;
        if !esc.is_concerned() {
            return turn(esc);
        }
        esc.begin_turn(self.faults.lend(device));
        let result = turn(esc);
        if let Some(faults) = esc.end_turn() {
            self.faults = faults;
        }
        result
    }

    /// Events show in all datagrams of a frame alike: they change at its end.
    fn irq(&mut self) -> u16 {
        if !self.line.events {
            return 0;
        }
        let devices = &mut self.devices;
        let reached = &self.line.present[..self.line.reached];
        reached.iter().fold(0, |irq, &n| irq | devices[usize::from(n)].esc.irq())
    }

    /// The frame's end, with a good checksum: staged writes take effect.
    fn end_of_frame(&mut self, now_ns: u64) {
        if self.pending.is_empty() {
            return;
        }
        let mut changes = Changes::default();
        for n in 0..self.pending.len() {
            let place = self.pending[n];
            let device = self.line.present[place];
            if self.devices[usize::from(device)].esc.end_of_exchange() {
                continue;
            }
            let passage = self.line.passage(place, now_ns);
            let (changed, next_ns) = self.with_esc(device, |esc| {
                let changed = esc.end_of_frame(passage);
                let next_ns = esc.tick(passage.arrival_ns);
                (changed, if esc.has_pulses() { now_ns } else { next_ns })
            });
            changes.addresses |= changed.addresses;
            changes.mappings |= changed.mappings;
            changes.ports |= changed.ports;
            changes.event_mask |= changed.event_mask;
            self.resets |= changed.reset;
            self.due_ns = self.due_ns.min(next_ns);
        }
        self.pending.clear();
        if changes.ports {
            self.connect_anew = true;
            return;
        }
        for line in [&mut self.line, &mut self.other_line] {
            if changes.addresses {
                line.index_addresses(&self.devices);
            }
            if changes.mappings {
                line.index_windows(&self.devices);
            }
            if changes.event_mask {
                line.index_events(&self.devices);
            }
        }
    }
}
