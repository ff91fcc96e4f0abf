//! Faults on command: one value says *where* something goes wrong, *when*, and *what* happens.
//!
//! ```text
//!                 out            ports: drop, corrupt          in
//! MainDevice ─► on_link ─► Segment ─► ESC ─► ESC ─► … ─► Segment ─► on_link ─► MainDevice
//!                                      │ occasions: mail, AL requests, EEPROM commands, SYNC0
//!                                      └ conditions: power, cables, clocks; events: reset, states, emergencies
//! ```
//! Faults act in the order in which they were injected; each sees what those before it have left, and none sees a
//! frame that is lost already. A condition holds while any fault wants it. Chance is drawn from the segment's seed,
//! the fault's number and its occasions, so that equal runs are equal byte by byte. Nothing here allocates once a
//! segment is built: [`FAULTS_MAX`] at a time, [`HITS_MAX`] hits that nobody has read.

mod description;
mod effect;
mod frames;
mod hits;
mod on;
mod set;
mod when;

pub use description::{DeviceName, FaultDescription, FaultError};
pub use effect::{EepromError, Effect, Identity};
pub use hits::{Change, HITS_MAX, Hit, NamedHit, ReadHits, Touched};
pub use on::{Frames, On, Range, Way};
pub use when::{Milestone, When};

pub(crate) use effect::{Nature, Occasion};
pub(crate) use frames::{Addressing, Fate, REPLAY_AGE_MAX};
pub(crate) use hits::Desk;
pub use set::FAULTS_MAX;
pub(crate) use set::{Faults, Step};

/// Something that goes wrong: where, when, and what. Devices are numbered by their place in the description.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// Where.
    pub on: On,
    /// When.
    pub when: When,
    /// What.
    pub effect: Effect,
}

impl Fault {
    /// On a device, from now on until it is cleared.
    #[must_use]
    pub fn on_device(device: u16, effect: Effect) -> Self {
        Self { on: On { device: Some(device), ..On::default() }, when: When::default(), effect }
    }

    /// On a port of a device, from now on until it is cleared.
    #[must_use]
    pub fn on_port(device: u16, port: u8, effect: Effect) -> Self {
        let on = On { device: Some(device), port: Some(port), ..On::default() };
        Self { on, when: When::default(), effect }
    }

    /// On the MainDevice's link, from now on until it is cleared.
    #[must_use]
    pub fn on_link(way: Way, effect: Effect) -> Self {
        Self { on: On { link: Some(way), ..On::default() }, when: When::default(), effect }
    }

    /// The next `count` occasions alone.
    #[must_use]
    pub fn next(mut self, count: u32) -> Self {
        self.when.count = Some(count);
        self
    }

    /// At times of its own.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// Only frames that carry such a datagram.
    #[must_use]
    pub fn carrying(mut self, frames: Frames) -> Self {
        self.on.frames = Some(frames);
        self
    }
}
