//! A segment behind two links: the MainDevice's ports at both ends of a ring (cable redundancy).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ecat_wire::ethernet::{FRAME_BYTES_MIN, TAGGED_FRAME_BYTES_MAX};
use ecat_wire::{Link, LinkError};

use crate::host::{Held, SegmentHost};
use crate::link::SegmentControl;
use crate::segment::{Forward, Segment};
use crate::topology::MainPort;

/// Answers that may wait at each port; then `send` says [`LinkError::Full`].
const ANSWERS: usize = 64;

struct Shared {
    held: Held,
    /// Frames that came out at each port.
    out: [VecDeque<([u8; TAGGED_FRAME_BYTES_MAX], usize)>; 2],
}

/// One of a MainDevice's two ports at a simulated segment. A frame that is sent by one comes out at the other
/// while the ring is whole, and at the same one where it is cut. Of the commands that concern the link,
/// frames are lost and the carrier goes, at both ports alike.
pub struct RingLink {
    shared: Arc<Mutex<Shared>>,
    port: MainPort,
}

/// The two ports of a MainDevice at a segment, and what commands it.
#[must_use]
pub fn ring_links(segment: Segment) -> (RingLink, RingLink, SegmentControl) {
    let (held, host) = SegmentHost::held(segment);
    let (first, second) = ring_of(held);
    (first, second, SegmentControl::new(host))
}

pub(crate) fn ring_of(held: Held) -> (RingLink, RingLink) {
    let waiting = || VecDeque::with_capacity(ANSWERS);
    let shared = Arc::new(Mutex::new(Shared { held, out: [waiting(), waiting()] }));
    let first = RingLink { shared: Arc::clone(&shared), port: MainPort::First };
    (first, RingLink { shared, port: MainPort::Second })
}

impl RingLink {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the segment, or changes it.
    pub fn with_segment<T>(&self, look: impl FnOnce(&mut Segment) -> T) -> T {
        look(self.shared().held.segment_mut())
    }
}

impl Shared {
    /// Serves what was asked; the segment's time, or no carrier.
    fn serve(&mut self, now_ns: u64) -> Result<u64, LinkError> {
        let now_ns = self.held.serve(now_ns);
        if self.held.cable().up {
            return Ok(now_ns);
        }
        self.out.iter_mut().for_each(VecDeque::clear);
        Err(LinkError::Down)
    }
}

const fn index(port: MainPort) -> usize {
    match port {
        MainPort::First => 0,
        MainPort::Second => 1,
    }
}

impl Link for RingLink {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        let port = self.port;
        let shared = &mut *self.shared();
        let now_ns = shared.serve(now_ns)?;
        if frame.len() > TAGGED_FRAME_BYTES_MAX {
            return Err(LinkError::Os(crate::link::EMSGSIZE));
        }
        if shared.out.iter().any(|waiting| waiting.len() >= ANSWERS) {
            return Err(LinkError::Full);
        }
        let mut buffer = [0; TAGGED_FRAME_BYTES_MAX];
        buffer[..frame.len()].copy_from_slice(frame);
        let length = frame.len().max(FRAME_BYTES_MIN);
        let forward = shared.held.segment_mut().process_from(port, &mut buffer[..length], now_ns);
        shared.held.look();
        let cable = shared.held.cable_mut();
        if cable.lose > 0 {
            cable.lose -= 1;
            return Ok(());
        }
        let here = index(port);
        match forward {
            Forward::Returned => shared.out[here].push_back((buffer, length)),
            Forward::Crossed => shared.out[1 - here].push_back((buffer, length)),
            Forward::Lost => {}
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        let here = index(self.port);
        let shared = &mut *self.shared();
        shared.serve(now_ns)?;
        while let Some((frame, length)) = shared.out[here].pop_front() {
            if length <= buffer.len() {
                buffer[..length].copy_from_slice(&frame[..length]);
                return Ok(Some(length));
            }
        }
        Ok(None)
    }

    fn idle(&mut self, now_ns: u64) {
        // No carrier is nothing to say here.
        let _carrier = self.shared().serve(now_ns);
    }

    fn is_up(&self) -> bool {
        self.shared().held.cable().up
    }
}
