//! A segment behind [`Link`], in the thread that uses it.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use ecat_wire::ethernet::{FRAME_BYTES_MIN, TAGGED_FRAME_BYTES_MAX};
use ecat_wire::{Link, LinkError};

use crate::command::SegmentCommand;
use crate::segment::{Forward, Segment};

/// Answers that may wait, delayed ones included; then `send` says [`LinkError::Full`].
const ANSWERS: usize = 64;
/// Commands that may wait for the link's thread.
const COMMANDS: usize = 64;

/// A simulated segment as a link. The answer to a frame is ready when `send` returns, and neither
/// allocates.
pub struct SegmentLink {
    segment: Segment,
    commands: Arc<ArrayQueue<SegmentCommand>>,
    buffers: Vec<[u8; TAGGED_FRAME_BYTES_MAX]>,
    /// A stack, so that a short exchange touches few buffers.
    free: Vec<usize>,
    ready: VecDeque<Answer>,
    frames_sent: u64,
    up: bool,
    panics: bool,
    lose: u32,
    delay: u32,
    delay_by: u32,
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
    commands: Arc<ArrayQueue<SegmentCommand>>,
}

/// The link has not taken its last 64 commands yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFull;

impl SegmentControl {
    /// A control, and the queue that its link takes commands from.
    pub(crate) fn new() -> (Self, Arc<ArrayQueue<SegmentCommand>>) {
        let commands = Arc::new(ArrayQueue::new(COMMANDS));
        (Self { commands: Arc::clone(&commands) }, commands)
    }

    /// Hands a command over. The link carries it out, in order, at its next `send` or `receive`.
    ///
    /// # Errors
    /// [`QueueFull`]; the command was not taken.
    pub fn send(&self, command: SegmentCommand) -> Result<(), QueueFull> {
        self.commands.push(command).map_err(|_| QueueFull)
    }
}

impl SegmentLink {
    /// Puts a segment behind a link, and returns what commands it.
    #[must_use]
    pub fn new(segment: Segment) -> (Self, SegmentControl) {
        let (control, commands) = SegmentControl::new();
        let link = Self {
            segment,
            commands,
            buffers: vec![[0; TAGGED_FRAME_BYTES_MAX]; ANSWERS],
            free: (0..ANSWERS).rev().collect(),
            ready: VecDeque::with_capacity(ANSWERS),
            frames_sent: 0,
            up: true,
            panics: false,
            lose: 0,
            delay: 0,
            delay_by: 0,
        };
        (link, control)
    }

    /// The segment, for process values.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The segment, for process values and commands.
    pub fn segment_mut(&mut self) -> &mut Segment {
        &mut self.segment
    }

    fn take_commands(&mut self, now_ns: u64) {
        while let Some(command) = self.commands.pop() {
            match command {
                SegmentCommand::LoseFrames { count } => self.lose = count,
                SegmentCommand::DelayFrames { count, by_frames } => {
                    self.delay = count;
                    self.delay_by = by_frames;
                }
                SegmentCommand::LinkDown => {
                    self.up = false;
                    self.free.extend(self.ready.drain(..).map(|answer| answer.buffer));
                }
                SegmentCommand::LinkUp => self.up = true,
                SegmentCommand::Panic => self.panics = true,
                other => self.segment.apply(other, now_ns),
            }
        }
    }
}

impl Link for SegmentLink {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        self.take_commands(now_ns);
        assert!(!self.panics, "the simulated link was commanded to panic");
        if !self.up {
            return Err(LinkError::Down);
        }
        let length = frame.len().max(FRAME_BYTES_MIN);
        if length > TAGGED_FRAME_BYTES_MAX {
            return Err(LinkError::Os(EMSGSIZE));
        }
        let buffer = self.free.pop().ok_or(LinkError::Full)?;
        self.frames_sent += 1;
        let answer = &mut self.buffers[buffer][..length];
        answer[..frame.len()].copy_from_slice(frame);
        answer[frame.len()..].fill(0);
        let returned = self.segment.process(answer, now_ns) == Forward::Returned;
        let lost = self.lose > 0;
        self.lose = self.lose.saturating_sub(1);
        if !returned || lost {
            self.free.push(buffer);
            return Ok(());
        }
        let late = if self.delay > 0 { u64::from(self.delay_by) } else { 0 };
        self.delay = self.delay.saturating_sub(1);
        self.ready.push_back(Answer { buffer, length, due: self.frames_sent + late });
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        self.take_commands(now_ns);
        if !self.up {
            return Err(LinkError::Down);
        }
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

    fn is_up(&self) -> bool {
        self.up
    }
}

/// What Linux answers to a frame that is longer than the interface takes.
pub(crate) const EMSGSIZE: i32 = 90;
