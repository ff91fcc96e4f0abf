//! A segment behind two links: the MainDevice's ports at both ends of a ring (cable redundancy).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_queue::ArrayQueue;
use ecat_wire::ethernet::{FRAME_BYTES_MIN, TAGGED_FRAME_BYTES_MAX};
use ecat_wire::{Link, LinkError};

use crate::command::SegmentCommand;
use crate::link::SegmentControl;
use crate::segment::{Forward, Segment};
use crate::topology::MainPort;

/// Answers that may wait at each port; then `send` says [`LinkError::Full`].
const ANSWERS: usize = 64;

struct Shared {
    segment: Segment,
    commands: Arc<ArrayQueue<SegmentCommand>>,
    /// Frames that came out at each port.
    out: [VecDeque<([u8; TAGGED_FRAME_BYTES_MAX], usize)>; 2],
    lose: u32,
    up: bool,
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
    let (control, commands) = SegmentControl::new();
    let waiting = || VecDeque::with_capacity(ANSWERS);
    let shared = Shared { segment, commands, out: [waiting(), waiting()], lose: 0, up: true };
    let shared = Arc::new(Mutex::new(shared));
    let first = RingLink { shared: Arc::clone(&shared), port: MainPort::First };
    (first, RingLink { shared, port: MainPort::Second }, control)
}

impl RingLink {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the segment, or changes it.
    pub fn with_segment<T>(&self, look: impl FnOnce(&mut Segment) -> T) -> T {
        look(&mut self.shared().segment)
    }
}

impl Shared {
    fn take_commands(&mut self, now_ns: u64) {
        while let Some(command) = self.commands.pop() {
            match command {
                SegmentCommand::LoseFrames { count } => self.lose = count,
                SegmentCommand::LinkDown => {
                    self.up = false;
                    self.out.iter_mut().for_each(VecDeque::clear);
                }
                SegmentCommand::LinkUp => self.up = true,
                other => self.segment.apply(other, now_ns),
            }
        }
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
        shared.take_commands(now_ns);
        if !shared.up {
            return Err(LinkError::Down);
        }
        if frame.len() > TAGGED_FRAME_BYTES_MAX {
            return Err(LinkError::Os(crate::link::EMSGSIZE));
        }
        if shared.out.iter().any(|waiting| waiting.len() >= ANSWERS) {
            return Err(LinkError::Full);
        }
        let mut buffer = [0; TAGGED_FRAME_BYTES_MAX];
        buffer[..frame.len()].copy_from_slice(frame);
        let length = frame.len().max(FRAME_BYTES_MIN);
        let forward = shared.segment.process_from(port, &mut buffer[..length], now_ns);
        if shared.lose > 0 {
            shared.lose -= 1;
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
        shared.take_commands(now_ns);
        if !shared.up {
            return Err(LinkError::Down);
        }
        while let Some((frame, length)) = shared.out[here].pop_front() {
            if length <= buffer.len() {
                buffer[..length].copy_from_slice(&frame[..length]);
                return Ok(Some(length));
            }
        }
        Ok(None)
    }

    fn is_up(&self) -> bool {
        self.shared().up
    }
}
