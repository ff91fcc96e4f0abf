//! A segment behind two links: the MainDevice's ports at both ends of a ring (cable redundancy).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ecat_wire::{Link, LinkError};

use crate::host::{Held, SegmentHost};
use crate::link::SegmentControl;
use crate::segment::Segment;
use crate::topology::MainPort;
use crate::transit::Transit;

struct Shared {
    held: Held,
    transit: Transit,
}

/// One of a MainDevice's two ports at a simulated segment. A frame that is sent by one comes out at the other
/// while the ring is whole, and at the same one where it is cut. Faults of the link concern both ports alike.
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
    let shared = Arc::new(Mutex::new(Shared { held, transit: Transit::new() }));
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

impl Link for RingLink {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        let Shared { held, transit } = &mut *self.shared();
        let now_ns = held.serve(now_ns);
        transit.send(held.segment_mut(), self.port, frame, now_ns)?;
        held.look();
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        let Shared { held, transit } = &mut *self.shared();
        let now_ns = held.serve(now_ns);
        transit.receive(held.segment_mut(), self.port, buffer, now_ns)
    }

    fn idle(&mut self, now_ns: u64) {
        self.shared().held.serve(now_ns);
    }

    fn due_ns(&self) -> u64 {
        let shared = self.shared();
        shared.held.outside(shared.transit.due_ns())
    }

    fn is_up(&self) -> bool {
        self.shared().held.segment().has_carrier()
    }
}
