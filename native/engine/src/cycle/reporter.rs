//! What the cycle thread says besides data: events and failures, and the herald's ring once a cycle.

use std::sync::Arc;

use super::control::Control;
use super::outbox::Outbox;
use super::record::Record;
use crate::event::{Event, EventKind, NO_SUBJECT};
use crate::herald::Ear;
use crate::shared::layout::Counters;
use crate::shared::statistics::add;

/// The cycle thread's voice. Allocates nothing and takes no lock.
pub struct Reporter {
    control: Arc<Control>,
    outbox: Outbox,
    ear: Arc<Ear>,
    cycle: u32,
    news: bool,
}

impl Reporter {
    /// Speaks for `control`'s engine, to whoever `ear` belongs to.
    #[must_use]
    pub fn new(control: Arc<Control>, outbox: Outbox, ear: Arc<Ear>, cycle: u32) -> Self {
        Self { control, outbox, ear, cycle, news: false }
    }

    /// Sets the cycle that events are of.
    pub fn set_cycle(&mut self, cycle: u32) {
        self.cycle = cycle;
    }

    /// Queues an event, or counts it where there is no room.
    pub fn event(
        &mut self,
        kind: EventKind,
        subject: Option<usize>,
        a: u32,
        b: u32,
        counters: &Counters,
    ) {
        let subject = subject.and_then(|subject| subject.try_into().ok()).unwrap_or(NO_SUBJECT);
        if !self.outbox.event(Event { kind, cycle: self.cycle, subject, a, b }) {
            add(&counters.events_dropped, 1);
        }
        self.news = true;
    }

    /// Queues a failure.
    pub fn failure(&mut self, record: Record) {
        let _queued = self.outbox.record(record);
        self.news = true;
    }

    /// Takes note of something else that JavaScript should look at.
    pub fn news(&mut self) {
        self.news = true;
    }

    /// Rings the herald if there was anything since the last call.
    pub fn announce(&mut self) {
        if std::mem::take(&mut self.news) {
            self.control.has_news();
            self.ear.ring();
        }
    }
}
