//! Blocking exchange of many datagrams at once, for everything that is not cyclic yet.
//!
//! A batch of requests becomes as few stamped frames as hold it, several of them in flight. A frame
//! without an answer is sent again, so a request must be one that may happen twice (register reads and
//! writes are; mailbox transfers are not).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use ecat_wire::ethernet::{FRAME_BYTES_MAX, MacAddress};
use ecat_wire::frame::{DATAGRAM_OVERHEAD_BYTES, DatagramSpan};
use ecat_wire::{Command, FrameWriter, Link, LinkError};

use crate::clock;
use crate::error::{EngineError, ErrorCode};
use crate::link::{self, wire_time_ns};
use crate::stamp::{Origin, Stamp};

/// Frames in flight at most: enough to fill the wire, few enough for any card's queue.
const WINDOW: usize = 16;
/// How long a frame's answer is waited for before it is sent again. Hosts stall for tens of
/// milliseconds; a frame that is really lost costs this once.
const ATTEMPT_NS: u64 = 50_000_000;
/// How often a frame is sent before its SubDevices are given up.
const ATTEMPTS: u32 = 20;
/// Longest wait between two looks at the stop flag.
const SLICE_NS: u64 = 5_000_000;

/// One datagram to exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Command and address.
    pub command: Command,
    /// Data to write; zeroes of the wanted length for a read.
    pub data: Vec<u8>,
}

impl Request {
    /// A read of `length` bytes.
    #[must_use]
    pub fn read(station: u16, register: u16, length: usize) -> Self {
        Self { command: Command::Fprd { station, register }, data: vec![0; length] }
    }

    /// A write of `data`.
    #[must_use]
    pub fn write(station: u16, register: u16, data: &[u8]) -> Self {
        Self { command: Command::Fpwr { station, register }, data: data.to_vec() }
    }
}

/// What came back of one datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The data.
    pub data: Vec<u8>,
    /// The working counter.
    pub working_counter: u16,
}

impl Reply {
    /// The data, if exactly one SubDevice worked on it.
    #[must_use]
    pub fn one(&self) -> Option<&[u8]> {
        (self.working_counter == 1).then_some(self.data.as_slice())
    }

    /// The data as a little-endian word, if exactly one SubDevice gave it.
    #[must_use]
    pub fn word(&self) -> Option<u16> {
        Some(u16::from_le_bytes(self.one()?.get(..2)?.try_into().ok()?))
    }
}

/// Exchanges datagrams over a link and waits for their answers.
pub struct Exchanger<'a> {
    link: &'a mut dyn Link,
    stop: &'a AtomicBool,
    stamp: Stamp,
    deadline_ns: u64,
    buffer: Box<[u8; FRAME_BYTES_MAX]>,
}

struct Flight {
    frame: Vec<u8>,
    spans: Vec<(usize, DatagramSpan)>,
    due_ns: u64,
    attempts: u32,
    answered: bool,
}

impl<'a> Exchanger<'a> {
    /// An exchanger that gives up at `deadline_ns` of the thread's clock, or when `stop` is set.
    pub fn new(link: &'a mut dyn Link, stop: &'a AtomicBool, deadline_ns: u64) -> Self {
        Self {
            link,
            stop,
            stamp: Stamp { sequence: 0, frame: 0, salt: salt() },
            deadline_ns,
            buffer: Box::new([0; FRAME_BYTES_MAX]),
        }
    }

    /// Exchanges all `requests` and returns their replies in the same order. A working counter of 0
    /// is a reply, not an error.
    ///
    /// # Errors
    /// `Timeout` when a frame stays without an answer, `Aborted` after the stop flag, `LinkDown`
    /// without a carrier, `LinkOs`; `InvalidArgument` for data that fit no frame.
    pub fn exchange(&mut self, requests: &[Request]) -> Result<Vec<Reply>, EngineError> {
        self.stamp.sequence = self.stamp.sequence.wrapping_add(1);
        let mut flights = self.compose(requests)?;
        let mut replies = vec![Reply::default(); requests.len()];
        let mut first_open = 0;
        while first_open < flights.len() {
            let now = self.check()?;
            let end = flights.len().min(first_open + WINDOW);
            let mut next_due = self.deadline_ns;
            for flight in flights[first_open..end].iter_mut().filter(|flight| !flight.answered) {
                if flight.due_ns <= now {
                    self.send(flight)?;
                }
                next_due = next_due.min(flight.due_ns);
            }
            if !self.receive(&mut flights, &mut replies)? {
                link::wait(self.link, next_due.min(clock::now_ns() + SLICE_NS));
            }
            first_open += flights[first_open..].iter().take_while(|flight| flight.answered).count();
        }
        Ok(replies)
    }

    /// Lets time pass: at most `ns`, and no longer than the stop flag may go unseen.
    ///
    /// # Errors
    /// As [`Exchanger::exchange`].
    pub fn pause(&mut self, ns: u64) -> Result<(), EngineError> {
        let now = self.check()?;
        let until = now + ns.min(SLICE_NS);
        match clock::clock() {
            clock::Clock::Virtual => clock::advance_to(until),
            clock::Clock::Wall => link::sys::sleep_until(until),
        }
        Ok(())
    }

    fn compose(&self, requests: &[Request]) -> Result<Vec<Flight>, EngineError> {
        let mut flights = Vec::new();
        let mut next = 0;
        while next < requests.len() {
            #[expect(clippy::cast_possible_truncation, reason = "a batch is a few hundred frames")]
            let stamp = Stamp { frame: flights.len() as u16, ..self.stamp };
            let mut frame = vec![0; FRAME_BYTES_MAX];
            let mut spans = Vec::new();
            let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE)
                .and_then(|mut writer| stamp.push(&mut writer).map(|_| writer))
                .map_err(too_long)?;
            while let Some(request) = requests.get(next) {
                if request.data.len() > writer.room()
                    || (writer.room() == 0 && request.data.is_empty())
                {
                    break;
                }
                let span = writer.push_data(request.command, 0, &request.data).map_err(too_long)?;
                spans.push((next, span));
                next += 1;
            }
            if spans.is_empty() {
                return Err(too_long(ecat_wire::FrameError::Full));
            }
            let length = writer.finish();
            frame.truncate(length);
            flights.push(Flight { frame, spans, due_ns: 0, attempts: 0, answered: false });
        }
        Ok(flights)
    }

    fn send(&mut self, flight: &mut Flight) -> Result<(), EngineError> {
        if flight.attempts == ATTEMPTS {
            return Err(EngineError::new(
                ErrorCode::Timeout,
                format!("no answer to a frame that was sent {ATTEMPTS} times"),
            ));
        }
        let now = clock::now_ns();
        match self.link.send(&flight.frame, now) {
            Ok(()) => {
                flight.attempts += 1;
                clock::advance_to(now + wire_time_ns(flight.frame.len()));
                flight.due_ns = clock::now_ns() + ATTEMPT_NS;
            }
            // The queue drains at wire speed.
            Err(LinkError::Full) => flight.due_ns = now + wire_time_ns(FRAME_BYTES_MAX),
            Err(error) => return Err(link_failure(error)),
        }
        Ok(())
    }

    /// Takes every frame that is there; whether any was.
    fn receive(
        &mut self,
        flights: &mut [Flight],
        replies: &mut [Reply],
    ) -> Result<bool, EngineError> {
        let mut any = false;
        loop {
            let received = self.link.receive(&mut self.buffer[..], clock::now_ns());
            let length = match received {
                Ok(Some(length)) => length,
                Ok(None) | Err(LinkError::Full) => return Ok(any),
                Err(error) => return Err(link_failure(error)),
            };
            any = true;
            let frame = &self.buffer[..length];
            let Origin::Own(number) = self.stamp.classify(frame) else { continue };
            let Some(flight) = flights.get_mut(usize::from(number)) else { continue };
            if flight.answered || frame.len() < flight.frame.len() {
                continue;
            }
            flight.answered = true;
            for &(request, span) in &flight.spans {
                let counter = &frame[span.working_counter()];
                replies[request] = Reply {
                    data: frame[span.data()].to_vec(),
                    working_counter: u16::from_le_bytes([counter[0], counter[1]]),
                };
            }
        }
    }

    fn check(&self) -> Result<u64, EngineError> {
        let now = clock::now_ns();
        if self.stop.load(Ordering::Relaxed) {
            return Err(aborted());
        }
        if now >= self.deadline_ns {
            return Err(EngineError::new(ErrorCode::Timeout, "the time for the bring-up is over"));
        }
        if !self.link.is_up() {
            return Err(link_failure(LinkError::Down));
        }
        Ok(now)
    }
}

/// Datagrams of `data_bytes` each that one frame of the exchanger carries.
#[must_use]
pub const fn datagrams_per_frame(data_bytes: usize) -> usize {
    let room = FRAME_BYTES_MAX - 16 - crate::stamp::STAMP_DATAGRAM_BYTES;
    room / (data_bytes + DATAGRAM_OVERHEAD_BYTES)
}

/// The failure of an operation that `close()` ended.
pub(super) fn aborted() -> EngineError {
    EngineError::new(ErrorCode::Aborted, "closed while the segment was being brought up")
}

/// The failure for a link that refuses frames.
pub(super) fn link_failure(error: LinkError) -> EngineError {
    match error {
        LinkError::Os(number) => EngineError::new(
            ErrorCode::LinkOs,
            format!("the link: {}", std::io::Error::from_raw_os_error(number)),
        ),
        _ => EngineError::new(ErrorCode::LinkDown, "the link has no carrier"),
    }
}

fn too_long(_: ecat_wire::FrameError) -> EngineError {
    EngineError::new(ErrorCode::InvalidArgument, "a datagram does not fit into a frame")
}

/// Unpredictable enough that two exchangers on one wire rarely share it.
fn salt() -> u16 {
    let mixed = RandomState::new().build_hasher().finish();
    u16::from_le_bytes([mixed.to_le_bytes()[0], mixed.to_le_bytes()[1]])
}
