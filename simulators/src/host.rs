//! Where a segment is: at home, or on the wire of whoever has taken it. It is asked in either case, and it outlives
//! those who take it.
//!
//! ```text
//! SegmentHost ── ask ──► at home: served at once, on the asker's thread
//!             └─ ask ──► away: queue ──► station (in the link's send, receive and idle) ──► queue ──► take_answer
//! ```
//! Both queues have one writer and one reader and are wait-free, so that the thread that has the segment waits for
//! nobody; the askers share theirs by locks that it never takes while it cycles.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::command::SegmentCommand;
use crate::faults::{Desk, FaultDescription, FaultError, ReadHits};
use crate::link::SegmentLink;
use crate::request::{Answer, Outcome, Refusal, Request, TERMS_MAX, Watch};
use crate::ring::{RingLink, ring_of};
use crate::segment::Segment;

/// Requests that wait for their answer, at most; those who watch among them.
pub const REQUESTS_MAX: usize = 256;
/// The number of a request that nobody wants an answer to.
const NOBODY: u32 = 0;

/// Whoever has taken a segment, as those see it who ask something of the segment meanwhile.
pub trait Keeper: Send + Sync {
    /// Has its thread call [`ecat_wire::Link::idle`] soon. Called by those who ask.
    fn wake(&self);
    /// There are answers to take. Called on the thread that has the segment: it must neither block nor allocate.
    fn answered(&self);
}

/// A queue is full: too many wait for their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFull;

/// Why a fault was not taken, or not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InjectError {
    /// Something is wrong with it.
    Fault(FaultError),
    /// No fault has that name.
    UnknownName(String),
    /// See [`QueueFull`].
    QueueFull,
}

impl fmt::Display for InjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(error) => error.fmt(f),
            Self::UnknownName(name) => write!(f, "no fault is called {name:?}"),
            Self::QueueFull => f.write_str("too many requests wait for the simulated segment"),
        }
    }
}

impl From<FaultError> for InjectError {
    fn from(error: FaultError) -> Self {
        Self::Fault(error)
    }
}

impl From<QueueFull> for InjectError {
    fn from(_: QueueFull) -> Self {
        Self::QueueFull
    }
}

/// Somebody has the segment on a wire already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken;

/// A segment that is built once and taken by one after another.
#[derive(Clone)]
pub struct SegmentHost {
    home: Arc<Home>,
}

struct Home {
    place: Mutex<Place>,
    counter: Mutex<Counter>,
    /// The log of faults, and names.
    desk: Arc<Desk>,
    /// The segment's time when it was seen last.
    now_ns: AtomicU64,
}

enum Place {
    Here(Box<Station>),
    Away(KeeperSlot),
}

type KeeperSlot = Arc<OnceLock<Arc<dyn Keeper>>>;

/// The askers' side.
struct Counter {
    requests: Producer<Ask>,
    answers: Consumer<Answer>,
    next_id: u32,
    waiting: usize,
}

struct Ask {
    id: u32,
    request: Request,
}

impl SegmentHost {
    /// A segment at home.
    #[must_use]
    pub fn new(segment: Segment) -> Self {
        let desk = Arc::clone(segment.desk());
        let (station, counter) = Station::new(segment);
        Self::at(Place::Here(station), counter, desk)
    }

    /// A segment that was taken as soon as it was built.
    pub(crate) fn held(segment: Segment) -> (Held, Self) {
        let desk = Arc::clone(segment.desk());
        let (station, counter) = Station::new(segment);
        let keeper = KeeperSlot::default();
        let host = Self::at(Place::Away(Arc::clone(&keeper)), counter, desk);
        (Held { station: Some(station), home: Arc::clone(&host.home), keeper }, host)
    }

    fn at(place: Place, counter: Counter, desk: Arc<Desk>) -> Self {
        let (place, counter) = (Mutex::new(place), Mutex::new(counter));
        Self { home: Arc::new(Home { place, counter, desk, now_ns: AtomicU64::new(0) }) }
    }

    /// Takes the segment on a wire. It comes home when the link is dropped, as it is then.
    ///
    /// # Errors
    /// [`Taken`].
    pub fn link(&self) -> Result<SegmentLink, Taken> {
        self.take().map(SegmentLink::on)
    }

    /// Takes the segment on two wires, for the MainDevice's two ports at a ring.
    ///
    /// # Errors
    /// [`Taken`].
    pub fn ring_links(&self) -> Result<(RingLink, RingLink), Taken> {
        self.take().map(ring_of)
    }

    fn take(&self) -> Result<Held, Taken> {
        let mut place = lock(&self.home.place);
        let keeper = KeeperSlot::default();
        match std::mem::replace(&mut *place, Place::Away(Arc::clone(&keeper))) {
            Place::Here(station) => {
                Ok(Held { station: Some(station), home: Arc::clone(&self.home), keeper })
            }
            away @ Place::Away(_) => {
                *place = away;
                Err(Taken)
            }
        }
    }

    /// Names whoever has taken the segment. Once each time; without effect while it is at home.
    pub fn set_keeper(&self, keeper: Arc<dyn Keeper>) {
        if let Place::Away(slot) = &*lock(&self.home.place) {
            // The first one counts.
            let _named = slot.set(keeper);
        }
    }

    /// Whether nobody has it on a wire.
    #[must_use]
    pub fn is_at_home(&self) -> bool {
        matches!(*lock(&self.home.place), Place::Here(_))
    }

    /// The segment's time when it was seen last, in ns.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.home.now_ns.load(Ordering::Acquire)
    }

    /// Asks something. The answer with the returned number is to be taken by [`SegmentHost::take_answer`]: at once
    /// where the segment is at home, else when whoever has it has served it. Requests are served in their order.
    /// `now_ns` is the time at home, where time passes there.
    ///
    /// # Errors
    /// [`QueueFull`] where [`REQUESTS_MAX`] wait already; nothing was asked.
    pub fn ask(&self, request: Request, now_ns: Option<u64>) -> Result<u32, QueueFull> {
        self.put(request, now_ns, true)
    }

    /// Carries a command out in its turn; nobody is told.
    ///
    /// # Errors
    /// [`QueueFull`]; the command was not taken.
    pub fn command(&self, command: SegmentCommand, now_ns: Option<u64>) -> Result<(), QueueFull> {
        self.put(Request::Command { command }, now_ns, false).map(|_| ())
    }

    /// Hands a fault over in its turn; returns its name.
    ///
    /// # Errors
    /// [`InjectError`]; the fault was not taken.
    pub fn inject(
        &self,
        description: &FaultDescription,
        now_ns: Option<u64>,
    ) -> Result<String, InjectError> {
        let desk = &self.home.desk;
        let fault = description.resolve(desk)?;
        let number = desk.number();
        let name = description.name_of(number);
        self.command(SegmentCommand::Inject { number, fault }, now_ns)?;
        desk.name(number, name.clone());
        Ok(name)
    }

    /// Ends the faults of a name in its turn, also those of the segment's description.
    ///
    /// # Errors
    /// [`InjectError::UnknownName`], [`InjectError::QueueFull`].
    pub fn clear(&self, name: &str, now_ns: Option<u64>) -> Result<(), InjectError> {
        let numbers = self.home.desk.numbers(name);
        if numbers.is_empty() {
            return Err(InjectError::UnknownName(name.to_owned()));
        }
        for number in numbers {
            self.command(SegmentCommand::ClearFault { number }, now_ns)?;
        }
        Ok(())
    }

    /// Takes out of the log what faults have done since it was last read.
    #[must_use]
    pub fn read_hits(&self) -> ReadHits {
        self.home.desk.read()
    }

    fn put(&self, request: Request, now_ns: Option<u64>, answered: bool) -> Result<u32, QueueFull> {
        let mut place = lock(&self.home.place);
        let mut counter = lock(&self.home.counter);
        if answered && counter.waiting >= REQUESTS_MAX {
            return Err(QueueFull);
        }
        let id = if answered { counter.next_id } else { NOBODY };
        match &mut *place {
            Place::Here(station) => {
                if let Some(now_ns) = now_ns {
                    station.let_pass(now_ns);
                }
                station.serve(Ask { id, request }, true);
                station.look();
                self.home.now_ns.store(station.now_ns, Ordering::Release);
            }
            Place::Away(keeper) => {
                // What nobody waits for comes in its turn: before the next frame, or cycle.
                let is_awaited = answered && !matches!(request, Request::Watch(_));
                counter.requests.push(Ask { id, request }).map_err(|_| QueueFull)?;
                if let Some(keeper) = keeper.get().filter(|_| is_awaited) {
                    keeper.wake();
                }
            }
        }
        if answered {
            counter.next_id = counter.next_id.checked_add(1).unwrap_or(1);
            counter.waiting += 1;
        }
        Ok(id)
    }

    /// The oldest answer that was not taken yet. One that did not fit into its buffer is asked again first.
    #[must_use]
    pub fn take_answer(&self) -> Option<Answer> {
        loop {
            let answer = {
                let mut counter = lock(&self.home.counter);
                let answer = counter.answers.pop().ok()?;
                counter.waiting = counter.waiting.saturating_sub(1);
                answer
            };
            let Err(Refusal::Room { bytes }) = answer.outcome else { return Some(answer) };
            let mut request = answer.request.clone();
            request.make_room(bytes);
            if !self.again(answer.id, request) {
                return Some(answer);
            }
        }
    }

    fn again(&self, id: u32, request: Request) -> bool {
        let mut place = lock(&self.home.place);
        let mut counter = lock(&self.home.counter);
        match &mut *place {
            Place::Here(station) => {
                station.serve(Ask { id, request }, true);
            }
            Place::Away(keeper) => {
                if counter.requests.push(Ask { id, request }).is_err() {
                    return false;
                }
                if let Some(keeper) = keeper.get() {
                    keeper.wake();
                }
            }
        }
        counter.waiting += 1;
        true
    }
}

impl fmt::Debug for SegmentHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentHost").field("now_ns", &self.now_ns()).finish_non_exhaustive()
    }
}

/// A segment with its time, and the other end of the queues.
pub(crate) struct Station {
    pub(crate) segment: Segment,
    /// The link panics in its next `send`.
    panics: bool,
    now_ns: u64,
    /// The segment's time minus that of whoever has it.
    shift_ns: Option<u64>,
    requests: Consumer<Ask>,
    answers: Producer<Answer>,
    watches: Vec<(u32, Box<Watch>)>,
}

impl Station {
    /// A segment that has never been seen, and the askers' ends of its queues.
    fn new(segment: Segment) -> (Box<Self>, Counter) {
        let (requests, requests_out) = RingBuffer::new(REQUESTS_MAX);
        let (answers, answers_out) = RingBuffer::new(REQUESTS_MAX);
        let station = Self {
            segment,
            panics: false,
            now_ns: 0,
            shift_ns: None,
            requests: requests_out,
            answers,
            watches: Vec::with_capacity(REQUESTS_MAX),
        };
        let counter = Counter { requests, answers: answers_out, next_id: 1, waiting: 0 };
        (Box::new(station), counter)
    }

    /// The segment's time at a time of whoever has it. It goes on where it stood: a MainDevice that comes later, with
    /// a clock that begins anew, does not turn it back.
    fn at(&mut self, now_ns: u64) -> u64 {
        let stood_ns = self.now_ns;
        let shift_ns = *self.shift_ns.get_or_insert(stood_ns.saturating_sub(now_ns));
        self.now_ns = stood_ns.max(now_ns + shift_ns);
        self.now_ns
    }

    /// Time passes at home.
    fn let_pass(&mut self, now_ns: u64) {
        self.now_ns = self.now_ns.max(now_ns);
        self.segment.advance(self.now_ns);
    }

    /// Serves everything that was asked; whether there are answers.
    fn serve_all(&mut self, at_home: bool) -> bool {
        let mut answered = false;
        while let Ok(ask) = self.requests.pop() {
            answered |= self.serve(ask, at_home);
        }
        answered
    }

    fn serve(&mut self, Ask { id, mut request }: Ask, at_home: bool) -> bool {
        let outcome = match request {
            Request::Command { command } => {
                self.command(command);
                Ok(Outcome::Done)
            }
            Request::Watch(mut watch) => {
                let has_room = self.watches.len() < REQUESTS_MAX && watch.terms.len() <= TERMS_MAX;
                let holds = has_room && self.segment.holds(&mut watch);
                if has_room && !holds {
                    self.watches.push((id, watch));
                    return false;
                }
                request = Request::Watch(watch);
                if holds { Ok(Outcome::Done) } else { Err(Refusal::TooManyWatches) }
            }
            Request::Unwatch { watch } => {
                if let Some(at) = self.watches.iter().position(|(of, _)| *of == watch) {
                    let (of, watch) = self.watches.remove(at);
                    self.give(of, Request::Watch(watch), Ok(Outcome::Ended));
                }
                Ok(Outcome::Done)
            }
            Request::Advance { .. } if !at_home => Err(Refusal::NotParked),
            Request::Advance { by_ns } => {
                self.let_pass(self.now_ns.saturating_add(by_ns));
                Ok(Outcome::Done)
            }
            _ => self.segment.answer(&mut request, self.now_ns),
        };
        self.give(id, request, outcome)
    }

    fn command(&mut self, command: SegmentCommand) {
        self.panics |= command == SegmentCommand::Panic;
        self.segment.apply(command, self.now_ns);
    }

    /// Looks whether conditions hold, and tells those who watch for them. After frames alone, besides when a watch
    /// begins: what is asked while time stands is then the same however it is interrupted.
    fn look(&mut self) -> bool {
        let mut held = false;
        let mut at = 0;
        while let Some((_, watch)) = self.watches.get_mut(at) {
            if self.segment.holds(watch) {
                let (id, watch) = self.watches.remove(at);
                held |= self.give(id, Request::Watch(watch), Ok(Outcome::Done));
            } else {
                at += 1;
            }
        }
        held
    }

    fn give(&mut self, id: u32, request: Request, outcome: Result<Outcome, Refusal>) -> bool {
        // There is room: no more than fit wait for their answers.
        let answer = Answer { id, at_ns: self.now_ns, request, outcome };
        id != NOBODY && self.answers.push(answer).is_ok()
    }
}

/// A segment that is away from home, until this is dropped.
pub(crate) struct Held {
    /// `None` only while it is being dropped.
    station: Option<Box<Station>>,
    home: Arc<Home>,
    keeper: KeeperSlot,
}

impl Held {
    fn station(&self) -> &Station {
        self.station.as_deref().expect("it is here until this is dropped")
    }

    fn station_mut(&mut self) -> &mut Station {
        self.station.as_deref_mut().expect("it is here until this is dropped")
    }

    pub(crate) fn segment(&self) -> &Segment {
        &self.station().segment
    }

    pub(crate) fn segment_mut(&mut self) -> &mut Segment {
        &mut self.station_mut().segment
    }

    pub(crate) fn panics(&self) -> bool {
        self.station().panics
    }

    /// Serves what was asked, and returns the segment's time.
    pub(crate) fn serve(&mut self, now_ns: u64) -> u64 {
        let station = self.station_mut();
        let now_ns = station.at(now_ns);
        let answered = station.serve_all(false);
        station.segment.follow_faults(now_ns);
        if answered {
            self.tell();
        }
        self.home.now_ns.store(now_ns, Ordering::Release);
        now_ns
    }

    /// A moment of the segment's time by the clock of whoever has it; `u64::MAX` stays.
    pub(crate) fn outside(&self, at_ns: u64) -> u64 {
        let shift_ns = self.station().shift_ns.unwrap_or(0);
        if at_ns == u64::MAX { at_ns } else { at_ns.saturating_sub(shift_ns) }
    }

    /// A frame has passed: looks whether what is watched for is so now.
    pub(crate) fn look(&mut self) {
        if self.station_mut().look() {
            self.tell();
        }
    }

    fn tell(&self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.answered();
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut station) = self.station.take() else { return };
        let mut place = lock(&self.home.place);
        // Whoever asks from here on finds it at home.
        let answered = station.serve_all(false);
        station.shift_ns = None;
        *place = Place::Here(station);
        drop(place);
        if answered {
            self.tell();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
