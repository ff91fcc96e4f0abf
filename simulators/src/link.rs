//! A segment behind [`Link`], in the thread that uses it.

use std::collections::VecDeque;

use ecat_wire::ethernet::{FRAME_BYTES_MIN, TAGGED_FRAME_BYTES_MAX};
use ecat_wire::{Link, LinkError};

use crate::command::SegmentCommand;
use crate::host::{Held, QueueFull, SegmentHost};
use crate::segment::{Forward, Segment};

/// Answers that may wait, delayed ones included; then `send` says [`LinkError::Full`].
const ANSWERS: usize = 64;

/// A simulated segment as a link. The answer to a frame is ready when `send` returns, and neither
/// allocates.
pub struct SegmentLink {
    held: Held,
    buffers: Vec<[u8; TAGGED_FRAME_BYTES_MAX]>,
    /// A stack, so that a short exchange touches few buffers.
    free: Vec<usize>,
    ready: VecDeque<Answer>,
    frames_sent: u64,
}

struct Answer {
    buffer: usize,
    length: usize,
    /// Readable as soon as this many frames were sent.
    due: u64,
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
}

impl SegmentLink {
    /// Puts a segment behind a link, and returns what commands it.
    #[must_use]
    pub fn new(segment: Segment) -> (Self, SegmentControl) {
        let (held, host) = SegmentHost::held(segment);
        (Self::on(held), SegmentControl::new(host))
    }

    pub(crate) fn on(held: Held) -> Self {
        Self {
            held,
            buffers: vec![[0; TAGGED_FRAME_BYTES_MAX]; ANSWERS],
            free: (0..ANSWERS).rev().collect(),
            ready: VecDeque::with_capacity(ANSWERS),
            frames_sent: 0,
        }
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

    /// Serves what was asked; the segment's time, or no carrier.
    fn serve(&mut self, now_ns: u64) -> Result<u64, LinkError> {
        let now_ns = self.held.serve(now_ns);
        if self.held.cable().up {
            return Ok(now_ns);
        }
        self.free.extend(self.ready.drain(..).map(|answer| answer.buffer));
        Err(LinkError::Down)
    }
}

impl Link for SegmentLink {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        let served = self.serve(now_ns);
        assert!(!self.held.cable().panics, "the simulated link was commanded to panic");
        let now_ns = served?;
        let length = frame.len().max(FRAME_BYTES_MIN);
        if length > TAGGED_FRAME_BYTES_MAX {
            return Err(LinkError::Os(EMSGSIZE));
        }
        let buffer = self.free.pop().ok_or(LinkError::Full)?;
        self.frames_sent += 1;
        let answer = &mut self.buffers[buffer][..length];
        answer[..frame.len()].copy_from_slice(frame);
        answer[frame.len()..].fill(0);
        let returned = self.held.segment_mut().process(answer, now_ns) == Forward::Returned;
        self.held.look();
        let cable = self.held.cable_mut();
        let lost = cable.lose > 0;
        cable.lose = cable.lose.saturating_sub(1);
        if !returned || lost {
            self.free.push(buffer);
            return Ok(());
        }
        let late = if cable.delay > 0 { u64::from(cable.delay_by) } else { 0 };
        cable.delay = cable.delay.saturating_sub(1);
        self.ready.push_back(Answer { buffer, length, due: self.frames_sent + late });
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        self.serve(now_ns)?;
        let mut at = 0;
        while at < self.ready.len() {
            if self.ready[at].due > self.frames_sent {
                at += 1;
                continue;
            }
            let Some(answer) = self.ready.remove(at) else { break };
            self.free.push(answer.buffer);
            if answer.length <= buffer.len() {
                buffer[..answer.length]
                    .copy_from_slice(&self.buffers[answer.buffer][..answer.length]);
                return Ok(Some(answer.length));
            }
        }
        Ok(None)
    }

    fn idle(&mut self, now_ns: u64) {
        // No carrier is nothing to say here.
        let _carrier = self.serve(now_ns);
    }

    fn is_up(&self) -> bool {
        self.held.cable().up
    }
}

/// What Linux answers to a frame that is longer than the interface takes.
pub(crate) const EMSGSIZE: i32 = 90;
