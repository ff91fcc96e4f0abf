//! The queues from the cycle thread to whoever holds its engine: bounded, one writer, one reader, and wait-free
//! on both sides. A queue of several writers would not do: a reader that is preempted in the middle of taking an
//! entry makes the writer of a nearly full one spin, and the cycle thread waits for nobody.

use rtrb::{Consumer, Producer, RingBuffer};

use super::record::Record;
use super::registers::{REGISTER_QUEUE_CAPACITY, RegisterAnswer, RegisterRead, RegisterReads};
use crate::event::{EVENT_QUEUE_CAPACITY, Event};

/// Failures that wait to be taken, by SubDevice: one on the way to SAFE-OP and one on the way to OP.
const RECORDS_PER_DEVICE: usize = 2;

/// The cycle thread's end.
pub struct Outbox {
    events: Producer<Event>,
    records: Producer<Record>,
}

/// The other end.
pub struct Inbox {
    events: Consumer<Event>,
    records: Consumer<Record>,
    register_reads: Producer<RegisterRead>,
    register_answers: Consumer<RegisterAnswer>,
}

/// Both ends of the queues of one engine with so many SubDevices; those of register reads go both ways.
#[must_use]
pub fn queues(devices: usize) -> (Outbox, RegisterReads, Inbox) {
    let (events, events_out) = RingBuffer::new(EVENT_QUEUE_CAPACITY);
    let (records, records_out) = RingBuffer::new(RECORDS_PER_DEVICE * devices.max(1));
    let (register_reads, register_reads_out) = RingBuffer::new(REGISTER_QUEUE_CAPACITY);
    let (register_answers, register_answers_out) = RingBuffer::new(REGISTER_QUEUE_CAPACITY);
    let registers = RegisterReads::new(register_reads_out, register_answers);
    let inbox = Inbox {
        events: events_out,
        records: records_out,
        register_reads,
        register_answers: register_answers_out,
    };
    (Outbox { events, records }, registers, inbox)
}

impl Outbox {
    /// Queues an event; `false` where there is no room.
    pub fn event(&mut self, event: Event) -> bool {
        self.events.push(event).is_ok()
    }

    /// Queues a failure; `false` where there is no room. There is room for one of each SubDevice, twice.
    pub fn record(&mut self, record: Record) -> bool {
        self.records.push(record).is_ok()
    }
}

impl Inbox {
    /// The oldest event.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop().ok()
    }

    /// Queues a read of registers; `false` where there is no room.
    pub fn read_register(&mut self, read: RegisterRead) -> bool {
        self.register_reads.push(read).is_ok()
    }

    /// The oldest answer to a read.
    pub fn register_answer(&mut self) -> Option<RegisterAnswer> {
        self.register_answers.pop().ok()
    }

    /// The oldest failure.
    pub fn record(&mut self) -> Option<Record> {
        self.records.pop().ok()
    }
}
