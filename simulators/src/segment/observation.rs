//! What a replay needs to see of a segment, and to do to it, beside frames: copies of it, the work under
//! way in its devices, and where the bytes of an answer come from.

use ecat_wire::Command;

use super::Segment;
use crate::description::{DescriptionError, SegmentDescription};
use crate::devices;
use crate::esc::InternalEvent;

/// What kind of thing a byte of a device's memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// A function of what the MainDevice did.
    Exact,
    /// Part of the value of a clock.
    Clock,
    /// Input process data.
    Live,
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
    /// Builds a segment without its signals and wires.
    pub(crate) fn without_behaviours(
        description: &SegmentDescription,
    ) -> Result<Self, DescriptionError> {
        let parts = devices::build(description)?;
        Ok(Self::build(devices::Parts { behaviours: Vec::new(), ..parts }))
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
            corrupt: self.corrupt,
            pending: self.pending.clone(),
            scratch: self.scratch.clone(),
            due_ns: self.due_ns,
            stepped_ns: self.stepped_ns,
        }
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
        let present = &self.line.present;
        let at_position = |position: u16| {
            let place = usize::from(position.wrapping_neg());
            if place < present.len() { place..place + 1 } else { 0..0 }
        };
        let mut physical = |places: &mut dyn Iterator<Item = usize>, register: u16| {
            for place in places {
                let device = usize::from(present[place]);
                for (index, physical) in (0..length).zip(register..) {
                    let kind = self.devices[device].esc.kind_of(physical);
                    found.push(Source { device, index, mask: 0xFF, physical, kind });
                }
            }
        };
        match command {
            Command::Aprd { position, register }
            | Command::Aprw { position, register }
            | Command::Armw { position, register } => {
                physical(&mut at_position(position), register);
            }
            Command::Fprd { station, register }
            | Command::Fprw { station, register }
            | Command::Frmw { station, register } => {
                let stations = self.line.stations(station);
                physical(&mut stations.map(|n| self.line.station(n)), register);
            }
            Command::Brd { register } | Command::Brw { register } => {
                physical(&mut (0..present.len()), register);
            }
            Command::Lrd { logical } | Command::Lrw { logical } => {
                for &device in present {
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

    /// A byte of a device's memory as it is now, without effects.
    pub(crate) fn peek(&self, device: usize, address: u16) -> u8 {
        self.devices[device].esc.peek(address)
    }
}
