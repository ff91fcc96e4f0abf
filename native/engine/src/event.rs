//! What the cycle thread tells JavaScript besides data: small records in a bounded queue.

/// Events that wait for JavaScript at most; further ones are counted and dropped (the counters and
/// states in shared memory stay exact).
pub const EVENT_QUEUE_CAPACITY: usize = 1024;

/// [`Event::subject`] of an event that concerns nothing in particular.
pub const NO_SUBJECT: u32 = u32::MAX;

/// One event. Plain numbers, so that the cycle thread allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// In which cycle.
    pub cycle: u32,
    /// Index of the SubDevice, datagram or lane concerned, as the kind says; `u32::MAX` where none.
    pub subject: u32,
    /// First detail, as the kind says.
    pub a: u32,
    /// Second detail, as the kind says.
    pub b: u32,
}

/// What happened. Numbers are part of the contract with `src/core/events.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EventKind {
    /// The engine changed its state: `a` new ([`crate::shared::layout::EngineState`]), `b` old.
    EngineState = 1,
    /// A SubDevice changed its AL state: subject SubDevice, `a` register 0x0130, `b` AL status code.
    SubDeviceState = 2,
    /// A datagram's working counter went wrong (once until it is right again): subject datagram,
    /// `a` received, `b` expected.
    WorkingCounter = 3,
    /// A datagram's working counter is right again: subject datagram.
    WorkingCounterRestored = 4,
    /// A SubDevice does not answer: subject SubDevice.
    SubDeviceLost = 5,
    /// A SubDevice that was lost answers again: subject SubDevice, `a` register 0x0130, `b` AL status code.
    SubDeviceReturned = 6,
    /// Frames of the cycle did not come back (once until one does): `a` how many of the cycle.
    FramesLost = 7,
    /// Frames come back again: `a` number of cycles without one.
    FramesRestored = 8,
    /// The carrier went: nothing else.
    LinkDown = 9,
    /// The carrier came back.
    LinkUp = 10,
    /// A lane missed its deadline and went to its loss values: subject lane.
    LaneLost = 11,
    /// A lane's outputs are applied (again): subject lane.
    LaneLive = 12,
    /// Periods were missed: `a` how many, since the last event of this kind.
    PeriodsMissed = 13,
    /// The system refused something that the thread goes on without: `a` 1 the scheduling class, 2 the
    /// processor; `b` its error number.
    Degraded = 14,
    /// A lane that was given up is nobody's now, and can be claimed: subject lane.
    LaneFree = 15,
    /// An interlock forces its outputs from the next frame on: subject its place, `a` 1 where its input is not
    /// good, 0 where its condition holds.
    InterlockFired = 16,
    /// An interlock no longer forces its outputs: subject its place, `a` 1 where it is no longer declared, 0
    /// where it was acknowledged.
    InterlockReleased = 17,
    /// An interlock was acknowledged and is not released, since its condition holds (again) or its input is
    /// not good: subject its place.
    InterlockRefused = 18,
    /// A consumer in lockstep has not acknowledged for too long and is not waited for until it does: subject
    /// consumer, `a` the cycle that it acknowledged last, `b` how many cycles it is behind.
    ConsumerLate = 19,
    /// More SubDevices answer than were brought up: `a` how many more.
    Strangers = 20,
}
