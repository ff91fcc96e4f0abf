//! Where the time of a cycle goes: from its start to its frame on the link, to the frame back, and to the
//! slot in the hands of another thread. All by the time of day, which a slot carries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use ecat_engine::cycle::window::ACYCLIC_FRAME;
use ecat_engine::engine::EngineOptions;
use ecat_engine::shared::Copied;
use ecat_wire::{Link, LinkError};

use crate::Outcome;
use crate::arguments::Arguments;
use crate::running::Running;
use crate::samples::Samples;
use crate::{plant, report};

/// Cycles whose moments are remembered.
const REMEMBERED: usize = 1_024;
/// Where a frame's stamp has the number of its cycle, and that of the frame in it.
const SEQUENCE_AT: usize = 26;
const FRAME_AT: usize = 30;
/// Where a slot has the time at which its cycle began.
const HOST_TIME_AT: usize = 8;
const WAIT_NS: u64 = 50_000_000;
const DEVICES: usize = 10;
const SETTLE_CYCLES: usize = 200;

/// When the frames of the last cycles passed the link.
struct Moments {
    sent_ns: Vec<AtomicU64>,
    received_ns: Vec<AtomicU64>,
}

/// A link that notes when cyclic frames pass it.
struct NotingLink<L> {
    link: L,
    moments: Arc<Moments>,
}

impl Moments {
    fn new() -> Self {
        let empty = || (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect();
        Self { sent_ns: empty(), received_ns: empty() }
    }

    fn note(moments: &[AtomicU64], frame: &[u8]) {
        let (Some(sequence), Some(number)) = (word(frame, SEQUENCE_AT), word(frame, FRAME_AT))
        else {
            return;
        };
        if number as u16 != ACYCLIC_FRAME {
            moments[sequence as usize % REMEMBERED].store(time_of_day_ns(), Ordering::Relaxed);
        }
    }
}

impl<L: Link> Link for NotingLink<L> {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        Moments::note(&self.moments.sent_ns, frame);
        self.link.send(frame, now_ns)
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        let received = self.link.receive(buffer, now_ns)?;
        if let Some(length) = received {
            Moments::note(&self.moments.received_ns, &buffer[..length]);
        }
        Ok(received)
    }
}

/// Prints the three distributions for each repeat.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let cycles = arguments.number("cycles", 2_000)?;
    let repeats = arguments.number("repeats", 5)?;
    let bytes = arguments.number("bytes", 1_250)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let moments = Arc::new(Moments::new());
    let options = EngineOptions {
        cycle_period_ns: 1_000_000,
        priority: place.priority,
        cpu: Some(place.cpu),
        ..EngineOptions::default()
    };
    let description = plant::describe(DEVICES, bytes);
    let opener = {
        let moments = Arc::clone(&moments);
        let inner = plant::opener(description);
        Box::new(move || Ok(Box::new(NotingLink { link: inner()?, moments }) as Box<dyn Link>))
    };
    let running = Running::to_op(options, opener)?;
    let reader = running.memory.ring_reader();
    let mut slot = vec![0; reader.slot_bytes()];
    let mut last = None;
    for repeat in 0..=repeats {
        let count = if repeat == 0 { SETTLE_CYCLES } else { cycles };
        let [mut sent, mut received, mut copied] = [(); 3].map(|()| Samples::new(count));
        let mut seen = 0;
        while seen < count {
            let cycle = match reader.wait_copy(last, WAIT_NS, &mut slot) {
                Copied::Fresh { cycle } => cycle,
                Copied::Timeout => continue,
                Copied::Overtaken { .. } => {
                    last = None;
                    continue;
                }
                other => return Err(format!("the ring says {other:?}")),
            };
            let now_ns = time_of_day_ns();
            last = Some(cycle);
            seen += 1;
            let bytes = slot[HOST_TIME_AT..HOST_TIME_AT + 8].try_into();
            let began_ns = u64::from_le_bytes(bytes.unwrap_or_default());
            let at = cycle as usize % REMEMBERED;
            let sent_ns = moments.sent_ns[at].load(Ordering::Relaxed);
            let received_ns = moments.received_ns[at].load(Ordering::Relaxed);
            sent.push(sent_ns.saturating_sub(began_ns));
            received.push(received_ns.saturating_sub(began_ns));
            copied.push(now_ns.saturating_sub(received_ns));
        }
        if repeat > 0 {
            report::figures("ours", "begun-to-sent", sent.figures());
            report::figures("ours", "begun-to-received", received.figures());
            report::figures("ours", "received-to-copied", copied.figures());
        }
    }
    running.close()
}

fn word(frame: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(frame.get(at..at + 4)?.try_into().ok()?))
}

fn time_of_day_ns() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos() as u64)
}
