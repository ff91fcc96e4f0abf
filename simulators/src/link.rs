//! A segment behind [`Link`], in the thread that uses it.

use ecat_wire::{Link, LinkError};

use crate::command::SegmentCommand;
use crate::faults::{FaultDescription, ReadHits};
use crate::host::{Held, InjectError, QueueFull, SegmentHost};
use crate::segment::Segment;
use crate::topology::MainPort;
use crate::transit::Transit;

/// A simulated segment as a link. The answer to a frame is ready when `send` returns, unless a fault delays it, and
/// neither allocates.
pub struct SegmentLink {
    held: Held,
    transit: Transit,
}

/// Commands a [`SegmentLink`] from any thread.
#[derive(Clone, Debug)]
pub struct SegmentControl {
    host: SegmentHost,
}

impl SegmentControl {
    pub(crate) fn new(host: SegmentHost) -> Self {
        Self { host }
    }

    /// Hands a command over. The link carries it out, in order, at its next `send` or `receive`.
    ///
    /// # Errors
    /// [`QueueFull`]; the command was not taken.
    pub fn send(&self, command: SegmentCommand) -> Result<(), QueueFull> {
        self.host.command(command, None)
    }

    /// Where the segment is asked for more.
    #[must_use]
    pub fn host(&self) -> &SegmentHost {
        &self.host
    }

    /// Hands a fault over; returns its name.
    ///
    /// # Errors
    /// [`InjectError`]; the fault was not taken.
    pub fn inject(&self, description: &FaultDescription) -> Result<String, InjectError> {
        self.host.inject(description, None)
    }

    /// Ends the faults of a name, also those of the segment's description.
    ///
    /// # Errors
    /// [`InjectError::UnknownName`], [`InjectError::QueueFull`].
    pub fn clear(&self, name: &str) -> Result<(), InjectError> {
        self.host.clear(name, None)
    }

    /// Takes out of the log what faults have done since it was last read.
    #[must_use]
    pub fn read_hits(&self) -> ReadHits {
        self.host.read_hits()
    }
}

impl SegmentLink {
    /// Puts a segment behind a link, and returns what commands it.
    #[must_use]
    pub fn new(segment: Segment) -> (Self, SegmentControl) {
        let (held, host) = SegmentHost::held(segment);
        (Self::on(held), SegmentControl::new(host))
    }

    pub(crate) fn on(held: Held) -> Self {
        Self { held, transit: Transit::new() }
    }

    /// The segment, for process values.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        self.held.segment()
    }

    /// The segment, for process values and commands.
    pub fn segment_mut(&mut self) -> &mut Segment {
        self.held.segment_mut()
    }
}

impl Link for SegmentLink {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        let now_ns = self.held.serve(now_ns);
        assert!(!self.held.panics(), "the simulated link was commanded to panic");
        self.transit.send(self.held.segment_mut(), MainPort::First, frame, now_ns)?;
        self.held.look();
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        let now_ns = self.held.serve(now_ns);
        self.transit.receive(self.held.segment_mut(), MainPort::First, buffer, now_ns)
    }

    fn idle(&mut self, now_ns: u64) {
        self.held.serve(now_ns);
    }

    fn due_ns(&self) -> u64 {
        self.held.outside(self.transit.due_ns())
    }

    fn is_up(&self) -> bool {
        self.held.segment().has_carrier()
    }
}
