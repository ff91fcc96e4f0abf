//! What a replay needs to see of a segment, and to do to it, beside frames: copies of it, the work under
//! way in its devices, and where the bytes of an answer come from.

use ecat_wire::Command;

use super::Segment;
use crate::description::{DescriptionError, SegmentDescription};
use crate::devices;
use crate::esc::{InternalEvent, Merge};

/// What kind of thing a byte of a device's memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// A function of what the MainDevice did.
    Exact,
    /// Part of the value of a clock.
    Clock,
    /// Input process data.
    Live,
    /// Half of a word of the EEPROM of which nothing is known.
    Unknown {
        /// Its address.
        word: u32,
    },
    /// A byte of the mail in a mailbox.
    Mail {
        /// Where in the mail.
        offset: usize,
    },
}

/// A device's memory that enters the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// The device's place on the line.
    pub(crate) device: usize,
    /// Index in the datagram's data.
    pub(crate) index: usize,
    /// Which bits of that byte.
    pub(crate) mask: u8,
    /// Physical address of the memory.
    pub(crate) physical: u16,
    pub(crate) kind: SourceKind,
}

impl Segment {
    /// Builds a segment without its signals and wires, which is as described at a moment in ns.
    pub(crate) fn without_behaviours(
        description: &SegmentDescription,
        now_ns: u64,
    ) -> Result<Self, DescriptionError> {
        let parts = devices::build(description)?;
        Ok(Self::build(devices::Parts { behaviours: Vec::new(), ..parts }, now_ns))
    }

    /// A copy at this moment, without the signals and wires.
    pub(crate) fn fork(&self) -> Self {
        Self {
            devices: self.devices.clone(),
            behaviours: Vec::new(),
            topology: self.topology.clone(),
            line: self.line.clone(),
            other_line: self.other_line.clone(),
            resets: self.resets,
            connect_anew: self.connect_anew,
            faults: self.faults.clone(),
            described: self.described.clone(),
            begun: self.begun,
            beginning: false,
            faults_stepped_ns: self.faults_stepped_ns,
            numbered: self.numbered,
            pending: self.pending.clone(),
            scratch: self.scratch.clone(),
            due_ns: self.due_ns,
            stepped_ns: self.stepped_ns,
            takes_pulses: false,
            pulses: Vec::new(),
        }
    }

    /// What a register of a device reads at a moment, without a frame and without what reading does. Bytes that cannot
    /// be read are 0.
    #[must_use]
    pub fn register(&self, device: u16, register: u16, bytes: usize, now_ns: u64) -> Vec<u8> {
        let mut data = vec![0; bytes];
        if let Some(device) = self.devices.get(usize::from(device)) {
            device.esc.clone().read(register, &mut data, Merge::Replace, now_ns);
        }
        data
    }

    /// Whether a device has power. Without, nothing of it is there to be read.
    #[must_use]
    pub fn has_power(&self, device: u16) -> bool {
        usize::from(device) < self.devices.len() && self.topology.is_powered(device)
    }

    /// From here on, the devices' work ends when [`Segment::release`] says so.
    pub(crate) fn hold(&mut self) {
        self.devices.iter_mut().for_each(|device| device.esc.hold());
    }

    /// What is under way: device, event, and when the device's model would end it, in ns.
    pub(crate) fn under_way(&self) -> Vec<(usize, InternalEvent, u64)> {
        let devices = self.devices.iter().enumerate();
        devices
            .flat_map(|(n, device)| {
                device.esc.under_way().map(move |(event, due_ns)| (n, event, due_ns))
            })
            .collect()
    }

    /// Ends a piece of work of a device now.
    pub(crate) fn release(&mut self, device: usize, event: InternalEvent, now_ns: u64) {
        self.devices[device].esc.release(event, now_ns);
    }

    /// Sets a device's local clock forward, and what it has latched.
    pub(crate) fn shift_clock(&mut self, device: usize, by_ns: u64) {
        self.devices[device].esc.shift_clock(by_ns);
    }

    /// Where the bytes of the answer to a datagram would come from, as the segment is now. A byte of no
    /// source leaves the segment as it came.
    pub(crate) fn sources(&self, command: Command, length: usize) -> Vec<Source> {
        let mut found = Vec::new();
        let mut physical = |register: u16| {
            for device in self.addressed(command) {
                for (index, physical) in (0..length).zip(register..) {
                    let kind = self.devices[device].esc.kind_of(physical);
                    found.push(Source { device, index, mask: 0xFF, physical, kind });
                }
            }
        };
        match command {
            Command::Aprd { register, .. }
            | Command::Aprw { register, .. }
            | Command::Armw { register, .. }
            | Command::Fprd { register, .. }
            | Command::Fprw { register, .. }
            | Command::Frmw { register, .. }
            | Command::Brd { register }
            | Command::Brw { register } => physical(register),
            Command::Lrd { logical } | Command::Lrw { logical } => {
                for &device in &self.line.present {
                    let device = usize::from(device);
                    let esc = &self.devices[device].esc;
                    esc.mapped_reads(logical, length, |index, mask, physical| {
                        let kind = esc.kind_of(physical);
                        found.push(Source { device, index, mask, physical, kind });
                    });
                }
            }
            Command::Nop
            | Command::Apwr { .. }
            | Command::Fpwr { .. }
            | Command::Bwr { .. }
            | Command::Lwr { .. } => {}
        }
        found
    }

    /// Devices that a position, a station address or a broadcast reaches, the writing half of ARMW and
    /// FRMW aside.
    pub(crate) fn addressed(&self, command: Command) -> Vec<usize> {
        let present = &self.line.present;
        let [low, high, ..] = command.address();
        let number = u16::from_le_bytes([low, high]);
        let places: Vec<usize> = match command {
            Command::Aprd { .. }
            | Command::Apwr { .. }
            | Command::Aprw { .. }
            | Command::Armw { .. } => {
                let place = usize::from(number.wrapping_neg());
                (place < present.len()).then_some(place).into_iter().collect()
            }
            Command::Fprd { .. }
            | Command::Fpwr { .. }
            | Command::Fprw { .. }
            | Command::Frmw { .. } => {
                self.line.stations(number).map(|n| self.line.station(n)).collect()
            }
            Command::Brd { .. } | Command::Bwr { .. } | Command::Brw { .. } => {
                (0..present.len()).collect()
            }
            Command::Nop | Command::Lrd { .. } | Command::Lwr { .. } | Command::Lrw { .. } => {
                Vec::new()
            }
        };
        places.into_iter().map(|place| usize::from(present[place])).collect()
    }

    /// A device's name in the description.
    pub(crate) fn name(&self, device: usize) -> &str {
        &self.devices[device].name
    }

    /// A byte of a device's memory as it is now, without effects.
    pub(crate) fn peek(&self, device: usize, address: u16) -> u8 {
        self.devices[device].esc.peek(address)
    }
}
