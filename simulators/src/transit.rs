//! Frames between a MainDevice's ports and a segment, and what faults of the link do to them on both ways.
//!
//! A frame that is delayed on its way out waits here, and passes the segment when its time has come; one that is
//! delayed on its way back waits here, too. All buffers are there from the beginning.

use ecat_wire::LinkError;
use ecat_wire::ethernet::{FRAME_BYTES_MIN, TAGGED_FRAME_BYTES_MAX};

use crate::faults::{REPLAY_AGE_MAX, Way};
use crate::segment::{Forward, Segment};
use crate::topology::MainPort;

/// Answers that may wait, delayed ones included; then `send` says [`LinkError::Full`].
const ANSWERS: usize = 64;
/// Frames that are kept of each way: the newest, and those that may be replayed.
const RECENT: usize = REPLAY_AGE_MAX + 1;
/// What Linux answers to a frame that is longer than the interface takes.
const EMSGSIZE: i32 = 90;

/// All frames that are under way.
pub(crate) struct Transit {
    buffers: Vec<[u8; TAGGED_FRAME_BYTES_MAX]>,
    /// A stack, so that a short exchange touches few buffers.
    free: Vec<usize>,
    waiting: Vec<Held>,
    /// The frames that passed last on each way, while faults may replay one.
    recent: [Recent; 2],
    frames_sent: u64,
}

/// A frame that waits.
#[derive(Clone, Copy, Debug)]
struct Held {
    buffer: usize,
    length: usize,
    number: u64,
    way: Way,
    port: MainPort,
    /// It goes on as soon as this many frames were sent …
    due_frame: u64,
    /// … and this moment has come.
    due_ns: u64,
    /// Its place among those that may go on.
    rank: u64,
}

/// Frames that have passed, the newest last.
#[derive(Default)]
struct Recent {
    buffers: Vec<[u8; TAGGED_FRAME_BYTES_MAX]>,
    lengths: [usize; RECENT],
    count: usize,
}

impl Transit {
    pub(crate) fn new() -> Self {
        let recent =
            || Recent { buffers: vec![[0; TAGGED_FRAME_BYTES_MAX]; RECENT], ..Recent::default() };
        Self {
            buffers: vec![[0; TAGGED_FRAME_BYTES_MAX]; ANSWERS],
            free: (0..ANSWERS).rev().collect(),
            waiting: Vec::with_capacity(ANSWERS),
            recent: [recent(), recent()],
            frames_sent: 0,
        }
    }

    /// Whether there is a carrier by now. Without one, what is under way is lost.
    pub(crate) fn is_up(&mut self, segment: &Segment) -> bool {
        let up = segment.has_carrier();
        if !up {
            self.free.extend(self.waiting.drain(..).map(|held| held.buffer));
        }
        up
    }

    /// Sends a frame from one of the MainDevice's ports.
    pub(crate) fn send(
        &mut self,
        segment: &mut Segment,
        port: MainPort,
        frame: &[u8],
        now_ns: u64,
    ) -> Result<(), LinkError> {
        if !self.is_up(segment) {
            return Err(LinkError::Down);
        }
        let length = frame.len().max(FRAME_BYTES_MIN);
        if length > TAGGED_FRAME_BYTES_MAX {
            return Err(LinkError::Os(EMSGSIZE));
        }
        let buffer = self.free.pop().ok_or(LinkError::Full)?;
        self.frames_sent += 1;
        let number = segment.frame_sent();
        let bytes = &mut self.buffers[buffer][..length];
        bytes[..frame.len()].copy_from_slice(frame);
        bytes[frame.len()..].fill(0);
        let held = Held {
            buffer,
            length,
            number,
            way: Way::Out,
            port,
            due_frame: 0,
            due_ns: 0,
            rank: 2 * self.frames_sent,
        };
        if self.waiting.iter().any(|held| held.way == Way::Out) {
            self.meet(segment, held, now_ns);
            self.move_on(segment, now_ns);
        } else if let Some(held) = self.pass_faults(segment, held, now_ns) {
            self.pass_segment(segment, held, now_ns);
        }
        Ok(())
    }

    /// Takes the next frame that has come back at a port.
    pub(crate) fn receive(
        &mut self,
        segment: &mut Segment,
        port: MainPort,
        buffer: &mut [u8],
        now_ns: u64,
    ) -> Result<Option<usize>, LinkError> {
        if !self.is_up(segment) {
            return Err(LinkError::Down);
        }
        self.move_on(segment, now_ns);
        while let Some(n) = self.next(Way::In, Some(port), now_ns) {
            let held = self.waiting.remove(n);
            self.free.push(held.buffer);
            if held.length <= buffer.len() {
                let bytes = &self.buffers[held.buffer][..held.length];
                buffer[..held.length].copy_from_slice(bytes);
                return Ok(Some(held.length));
            }
        }
        Ok(None)
    }

    /// When time alone lets a frame go on; `u64::MAX`: never.
    pub(crate) fn due_ns(&self) -> u64 {
        let due = self.waiting.iter().filter(|held| held.due_frame <= self.frames_sent);
        due.map(|held| held.due_ns).fold(u64::MAX, u64::min)
    }

    /// Of the frames of one way that may go on, the first.
    fn next(&self, way: Way, port: Option<MainPort>, now_ns: u64) -> Option<usize> {
        let may_go = |held: &Held| {
            held.way == way
                && port.is_none_or(|port| port == held.port)
                && held.due_frame <= self.frames_sent
                && held.due_ns <= now_ns
        };
        let waiting = self.waiting.iter().enumerate().filter(|(_, held)| may_go(held));
        waiting.min_by_key(|(_, held)| held.rank).map(|(n, _)| n)
    }

    /// Lets frames pass the segment that were delayed on their way out.
    fn move_on(&mut self, segment: &mut Segment, now_ns: u64) {
        while let Some(n) = self.next(Way::Out, None, now_ns) {
            let held = self.waiting.remove(n);
            self.pass_segment(segment, held, now_ns);
        }
    }

    fn pass_segment(&mut self, segment: &mut Segment, held: Held, now_ns: u64) {
        segment.frame_passes(held.number);
        let bytes = &mut self.buffers[held.buffer][..held.length];
        let port = match (segment.process_from(held.port, bytes, now_ns), held.port) {
            (Forward::Returned, port) => port,
            (Forward::Crossed, MainPort::First) => MainPort::Second,
            (Forward::Crossed, MainPort::Second) => MainPort::First,
            (Forward::Lost, _) => {
                self.free.push(held.buffer);
                return;
            }
        };
        // Its delay on the way out is behind it.
        let rank = 2 * self.frames_sent.max(held.number);
        let back = Held { way: Way::In, port, due_frame: 0, due_ns: 0, rank, ..held };
        self.meet(segment, back, now_ns);
    }

    /// Takes a frame past the faults of its way; it then waits, at least for its turn.
    fn meet(&mut self, segment: &mut Segment, held: Held, now_ns: u64) {
        if let Some(held) = self.pass_faults(segment, held, now_ns) {
            self.waiting.push(held);
        }
    }

    /// Takes a frame past the faults of its way. `None`: it is lost, or waits.
    fn pass_faults(&mut self, segment: &mut Segment, held: Held, now_ns: u64) -> Option<Held> {
        if !segment.disturbs_link() {
            return Some(held);
        }
        let Held { buffer, length, number, way, rank, .. } = held;
        segment.frame_passes(number);
        let recent = &mut self.recent[way as usize];
        let bytes = &mut self.buffers[buffer];
        let fate = segment.meet_on_link(way, &mut bytes[..length], recent.count, now_ns);
        recent.keep(&bytes[..fate.length]);
        if fate.lost || fate.length == 0 {
            self.free.push(buffer);
            return None;
        }
        let length = recent.aged(fate.age, bytes).unwrap_or(fate.length);
        let overtaken = fate.overtaken_by > 0;
        let later = fate.by_frames.max(fate.overtaken_by);
        let held = Held {
            length,
            due_frame: if later > 0 { self.frames_sent + later } else { 0 },
            due_ns: if fate.by_ns > 0 { now_ns.saturating_add(fate.by_ns) } else { 0 },
            rank: if overtaken { 2 * (self.frames_sent + later) + 1 } else { rank },
            ..held
        };
        for _ in 0..fate.copies {
            let Some(copy) = self.free.pop() else { break };
            let bytes = self.buffers[buffer];
            self.buffers[copy] = bytes;
            self.waiting.push(Held { buffer: copy, ..held });
        }
        if way == Way::Out && (fate.copies > 0 || held.due_frame > 0 || held.due_ns > 0) {
            self.waiting.push(held);
            self.move_on(segment, now_ns);
            return None;
        }
        Some(held)
    }
}

impl Recent {
    /// Copies the frame that passed `age` frames before the newest; returns its length.
    fn aged(&self, age: u8, to: &mut [u8]) -> Option<usize> {
        let age = usize::from(age);
        if age == 0 || age >= self.count.min(RECENT) {
            return None;
        }
        let at = (self.count - 1 - age) % RECENT;
        let length = self.lengths[at];
        to[..length].copy_from_slice(&self.buffers[at][..length]);
        Some(length)
    }

    fn keep(&mut self, frame: &[u8]) {
        let at = self.count % RECENT;
        self.buffers[at][..frame.len()].copy_from_slice(frame);
        self.lengths[at] = frame.len();
        self.count += 1;
    }
}
