//! A frame on its way through a line of ESCs.

mod asked;
mod datagrams;
mod frames;
mod observation;

pub(crate) use observation::{Source, SourceKind};

use ecat_wire::mailbox::coe::emergency::Emergency;
use ecat_wire::mailbox::soe::{Emergency as DriveEmergency, Idn};

use crate::command::SegmentCommand;
use crate::description::{DescriptionError, SegmentDescription};
use crate::device::Device;
use crate::devices;
use crate::esc::{Changes, SyncPulse};
use crate::line::Line;
use crate::plant::{Behaviour, Plant};
use crate::topology::{Attachment, MainPort, Outlet, Ring, Topology};

/// More data than a datagram can carry (11 bits of length).
const SCRATCH_BYTES: usize = 2_048;

/// The longest time between two looks at the pulses that somebody takes.
const PULSES_NS: u64 = 100_000_000;

/// Loop control of a port (0x0101).
const AUTO: u8 = 0;
const CLOSED: u8 = 3;

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
    /// Where frames get a bad checksum, and how many still do.
    corrupt: Option<(Outlet, u32)>,
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
        Ok(Self::build(devices::build(description)?, 0))
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
        let mut segment = Self {
            pending: Vec::with_capacity(count),
            devices,
            behaviours,
            topology,
            line: Line::with_capacity(count),
            other_line: Line::with_capacity(count),
            connect_anew: false,
            resets: false,
            corrupt: None,
            scratch: Box::new([0; SCRATCH_BYTES]),
            due_ns: 0,
            stepped_ns: None,
            takes_pulses,
            pulses: Vec::new(),
        };
        segment.connect();
        segment
    }

    /// Cables, power or loop control have changed.
    fn connect(&mut self) {
        self.topology.connect(&mut self.devices);
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
                if self.topology.power(device, false) {
                    // Outputs fall with the power.
                    self.devices[usize::from(device)].esc.power_on(now_ns);
                    self.devices[usize::from(device)].esc.set_powered(false);
                    self.connect();
                }
            }
            SegmentCommand::Plug { device } => {
                if self.topology.power(device, true) {
                    self.devices[usize::from(device)].esc.power_on(now_ns);
                    self.connect();
                }
            }
            SegmentCommand::CutCable { after } => {
                if self.topology.cut_behind(after) {
                    self.connect();
                }
            }
            SegmentCommand::MendCable => {
                self.topology.mend();
                self.connect();
            }
            SegmentCommand::HaltProgram { device, halted } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.halt_program(halted, now_ns);
                    self.due_ns = now_ns;
                }
            }
            SegmentCommand::CutCableAt { device, port } => {
                if self.topology.cut(device, port, true) {
                    self.connect();
                }
            }
            SegmentCommand::MendCableAt { device, port } => {
                if self.topology.cut(device, port, false) {
                    self.connect();
                }
            }
            SegmentCommand::ClosePort { device, port } => self.control_port(device, port, CLOSED),
            SegmentCommand::OpenPort { device, port } => self.control_port(device, port, AUTO),
            SegmentCommand::CorruptFrames { device, port, count } => {
                self.corrupt = (count > 0).then_some(((device, port), count));
            }
            SegmentCommand::SetInput { device, bit_offset, bit_length, value } => {
                self.set_input(device, bit_offset, bit_length, value);
            }
            SegmentCommand::SetLatchInput { device, input, level } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.set_latch_input(input, level, now_ns);
                }
            }
            SegmentCommand::LeaveState { device, state, code } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.leave_state(state, code);
                    self.due_ns = now_ns;
                }
            }
            SegmentCommand::SetIdentification { device, identification } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.set_identification(identification);
                }
            }
            SegmentCommand::RaiseEmergency { device, code, register, data } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.raise_emergency(Emergency { code, register, data }, now_ns);
                    self.due_ns = now_ns;
                }
            }
            SegmentCommand::RaiseDriveEmergency { device, drive, code, register, data } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    let emergency = DriveEmergency { drive, code, register, data };
                    device.esc.raise_emergency_of_drive(emergency, now_ns);
                    self.due_ns = now_ns;
                }
            }
            SegmentCommand::NotifyIdn { device, drive, idn } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.notify(drive, Idn(idn), now_ns);
                    self.due_ns = now_ns;
                }
            }
            SegmentCommand::DisturbMail { device, fault } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.disturb_mail(fault);
                }
            }
            SegmentCommand::LosePulses { device, count } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.lose_pulses(count);
                }
            }
            SegmentCommand::SetClockDrift { device, drift_ppb } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.set_drift(drift_ppb, now_ns);
                    // Pulses come at other times now.
                    self.due_ns = now_ns;
                }
            }
            SegmentCommand::StepClock { device, by_ns } => {
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.step_clock(by_ns, now_ns);
                    self.due_ns = now_ns;
                }
            }
            SegmentCommand::LoseFrames { .. }
            | SegmentCommand::DelayFrames { .. }
            | SegmentCommand::LinkDown
            | SegmentCommand::LinkUp
            | SegmentCommand::Panic => {}
        }
    }

    fn control_port(&mut self, device: u16, port: u8, control: u8) {
        if let Some(device) = self.devices.get_mut(usize::from(device)) {
            device.esc.control_port(port, control);
            self.connect();
        }
    }

    /// Lets time pass without a frame: programs, watchdogs, behaviours.
    pub fn advance(&mut self, now_ns: u64) {
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
        }
    }

    fn tick(&mut self, now_ns: u64) {
        if now_ns >= self.due_ns {
            self.due_ns = self
                .devices
                .iter_mut()
                .map(|device| device.esc.tick(now_ns))
                .fold(u64::MAX, u64::min);
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
        self.advance(now_ns);
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
        self.advance(now_ns);
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
        for &place in &self.pending {
            let esc = &mut self.devices[usize::from(self.line.present[place])].esc;
            if esc.end_of_exchange() {
                continue;
            }
            let passage = self.line.passage(place, now_ns);
            let changed = esc.end_of_frame(passage);
            changes.addresses |= changed.addresses;
            changes.mappings |= changed.mappings;
            changes.ports |= changed.ports;
            changes.event_mask |= changed.event_mask;
            self.resets |= changed.reset;
            let next_ns = esc.tick(passage.arrival_ns);
            let next_ns = if esc.has_pulses() { now_ns } else { next_ns };
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
