//! Ethernet cables between the sockets of devices (EoE): frames on their way, at 100 Mbit/s.

use std::collections::VecDeque;

use crate::mailbox::EthernetFrame;
use crate::plant::{Behaviour, Plant};

/// A socket of a device: the device by its place, and the socket from 1.
pub(crate) type Socket = (u16, u8);

/// More frames than this are not on their way in one direction: a sender that is faster loses them.
const ON_THE_WAY_MAX: usize = 64;
/// A byte at 100 Mbit/s; preamble, checksum and the gap after a frame have 24 bytes.
const BYTE_NS: u64 = 80;
const OVERHEAD_BYTES: u64 = 24;

/// One direction of a cable.
#[derive(Debug)]
struct Lane {
    from: Socket,
    to: Socket,
    /// Frames, and when they arrive.
    frames: VecDeque<(u64, EthernetFrame)>,
    /// When the last one is out.
    free_ns: u64,
}

/// All cables.
#[derive(Debug)]
pub(crate) struct Cables {
    lanes: Vec<Lane>,
}

impl Cables {
    pub(crate) fn new(cables: &[[Socket; 2]]) -> Self {
        let lane = |from, to| Lane { from, to, frames: VecDeque::new(), free_ns: 0 };
        Self { lanes: cables.iter().flat_map(|&[a, b]| [lane(a, b), lane(b, a)]).collect() }
    }

    /// Puts what devices have sent onto the cables; what leaves by a socket without one is lost.
    fn collect(&mut self, plant: &mut Plant<'_>, now_ns: u64) {
        for (number, device) in (0..).zip(plant.devices_mut()) {
            while let Some((socket, frame)) = device.esc.next_outgoing() {
                let lane = self.lanes.iter_mut().find(|lane| lane.from == (number, socket));
                if let Some(lane) = lane
                    && lane.frames.len() < ON_THE_WAY_MAX
                {
                    let bytes = frame.bytes.len() as u64 + OVERHEAD_BYTES;
                    lane.free_ns = lane.free_ns.max(now_ns) + bytes * BYTE_NS;
                    lane.frames.push_back((lane.free_ns, frame));
                }
            }
        }
    }

    /// The lane whose next frame arrives first, until now.
    fn arrived(&mut self, now_ns: u64) -> Option<(Socket, u64, EthernetFrame)> {
        let due = |lane: &Lane| lane.frames.front().map(|(at_ns, _)| *at_ns);
        let next = self.lanes.iter_mut().filter(|lane| due(lane).is_some_and(|at| at <= now_ns));
        let lane = next.min_by_key(|lane| due(lane))?;
        let (at_ns, frame) = lane.frames.pop_front()?;
        Some((lane.to, at_ns, frame))
    }
}

impl Behaviour for Cables {
    /// Ends, since a frame has only so many hops, and a lane only so many frames.
    fn step(&mut self, plant: &mut Plant<'_>, now_ns: u64) {
        self.collect(plant, now_ns);
        while let Some(((device, socket), at_ns, frame)) = self.arrived(now_ns) {
            let Some(device) = plant.devices_mut().get_mut(usize::from(device)) else { continue };
            if device.esc.receive_at_socket(socket, frame, at_ns) {
                plant.wake();
            }
            self.collect(plant, at_ns);
        }
    }
}
