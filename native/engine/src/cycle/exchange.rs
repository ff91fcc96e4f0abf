//! One exchange: every frame of the cycle is sent before the first is awaited; then whatever comes is told
//! apart until the cycle is complete or its time is over.

use ecat_wire::ethernet::FRAME_BYTES_MAX;
use ecat_wire::{Link, LinkError};

use super::frames::{CyclicFrames, Overview};
use super::urgent::{URGENT_FRAME, UrgentFrame};
use super::window::{ACYCLIC_FRAME, AcyclicFrame};
use crate::clock::{self, Clock};
use crate::link::sys;
use crate::shared::layout::Counters;
use crate::shared::statistics::add;
use crate::stamp::{Origin, Stamp};

/// How long after the last frame was sent its answer is awaited by polling, before the thread sleeps: a
/// wake-up takes longer than most round trips.
const SPIN_NS: u64 = 30_000;

/// What a received frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A frame of this cycle.
    Cyclic,
    /// The answer to the acyclic frame; it stands in [`Exchange::frame`].
    Acyclic,
    /// The answer to the urgent frame; it stands in [`Exchange::frame`].
    Urgent,
    /// Something of no use, counted.
    Other,
}

/// The images that an exchange fills.
pub struct Images<'a> {
    /// Inputs; those of frames that do not come back stay as they were.
    pub inputs: &'a mut [u8],
    /// One working counter a datagram; `None` where its frame did not come back.
    pub working_counters: &'a mut [Option<u16>],
}

/// The receiving side of a cycle thread.
#[derive(Debug)]
pub struct Exchange {
    buffer: Box<[u8]>,
    received: Vec<bool>,
    missing: usize,
    sequence: u32,
    salt: u16,
    overview: Option<Overview>,
    /// Whether the link said with the last frame that the carrier is gone.
    down: bool,
}

impl Exchange {
    /// For cycles of `frame_count` frames, told from all others by `salt`.
    #[must_use]
    pub fn new(frame_count: usize, salt: u16) -> Self {
        Self {
            buffer: vec![0; FRAME_BYTES_MAX].into_boxed_slice(),
            received: vec![true; frame_count],
            missing: 0,
            sequence: 0,
            salt,
            overview: None,
            down: false,
        }
    }

    /// Sends all frames of cycle `cycle`. A frame that the link does not take is lost.
    pub fn send(
        &mut self,
        link: &mut dyn Link,
        frames: &mut CyclicFrames,
        cycle: u32,
        counters: &Counters,
    ) {
        self.sequence = cycle;
        self.missing = frames.count();
        self.received.fill(false);
        self.overview = None;
        for number in 0..frames.count() {
            let frame = frames.stamped(number, cycle, self.salt);
            self.send_one(link, frame, counters);
        }
    }

    /// Sends one frame. Returns whether the link took it.
    pub fn send_one(&mut self, link: &mut dyn Link, frame: &[u8], counters: &Counters) -> bool {
        let sent = link.send(frame, clock::now_ns());
        self.down = sent == Err(LinkError::Down);
        if sent.is_ok() {
            add(&counters.frames_sent, 1);
        }
        sent.is_ok()
    }

    /// Takes one frame that waits, if there is one.
    pub fn take(
        &mut self,
        link: &mut dyn Link,
        frames: &CyclicFrames,
        (acyclic, urgent): (&AcyclicFrame, &UrgentFrame),
        images: &mut Images<'_>,
        counters: &Counters,
    ) -> Option<Arrival> {
        // A link that fails to receive has nothing to give; that it is down shows when it is sent on.
        let length = link.receive(&mut self.buffer, clock::now_ns()).ok().flatten()?;
        let answer = &self.buffer[..length];
        let asked = Stamp { sequence: self.sequence, frame: 0, salt: self.salt };
        let stamp = match asked.classify(answer) {
            Origin::Own(frame) => Stamp { frame, ..asked },
            Origin::Stale(stamp) => stamp,
            Origin::Unprocessed | Origin::Foreign => {
                add(&counters.frames_foreign, 1);
                return Some(Arrival::Other);
            }
        };
        if acyclic.is_answer(stamp, length) {
            add(&counters.frames_received, 1);
            return Some(Arrival::Acyclic);
        }
        if urgent.is_answer(stamp, length) {
            add(&counters.frames_received, 1);
            return Some(Arrival::Urgent);
        }
        let number = usize::from(stamp.frame);
        let awaited = stamp.sequence == self.sequence
            && self.received.get(number).is_some_and(|received| !received);
        if !awaited || stamp.frame == ACYCLIC_FRAME || stamp.frame == URGENT_FRAME {
            add(&counters.frames_late, 1);
            return Some(Arrival::Other);
        }
        if !frames.matches(number, answer) {
            add(&counters.frames_foreign, 1);
            return Some(Arrival::Other);
        }
        frames.take(number, answer, images.inputs, images.working_counters);
        if number == 0 {
            self.overview = Some(frames.overview(answer));
        }
        self.received[number] = true;
        self.missing -= 1;
        add(&counters.frames_received, 1);
        Some(Arrival::Cyclic)
    }

    /// Waits until a frame may have come; `false` when there is nothing more to wait for, because it is
    /// past `deadline_ns` or the link answers at once or never. `spin_until_ns` bounds the polling.
    pub fn wait(&self, link: &dyn Link, spin_until_ns: u64, deadline_ns: u64) -> bool {
        let Some(descriptor) = link.poll_fd() else { return false };
        if clock::clock() == Clock::Virtual {
            clock::advance_to(deadline_ns);
            return false;
        }
        let now = clock::now_ns();
        if now >= deadline_ns {
            return false;
        }
        if now < spin_until_ns {
            std::hint::spin_loop();
        } else if sys::wait_readable([Some(descriptor)], deadline_ns).is_err() {
            // The card is gone: nothing will come.
            return false;
        }
        true
    }

    /// The instant up to which an exchange that was sent at `sent_ns` is polled for.
    #[must_use]
    pub fn spin_until_ns(sent_ns: u64) -> u64 {
        sent_ns + SPIN_NS
    }

    /// How many frames of the cycle have not come back.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// What the first frame of the cycle said, if it came back.
    #[must_use]
    pub fn overview(&self) -> Option<Overview> {
        self.overview
    }

    /// The frame that was taken last.
    #[must_use]
    pub fn frame(&self) -> &[u8] {
        &self.buffer
    }

    /// Whether the link said that the carrier is gone.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.down
    }

    /// By what the frames of this thread are told from others.
    #[must_use]
    pub fn salt(&self) -> u16 {
        self.salt
    }
}
