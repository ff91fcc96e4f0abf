//! From an urgent commit to its frame on the link, on the wall clock: commit, doorbell, the cycle thread's
//! wake-up, merge, frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ecat_engine::cycle::urgent::URGENT_FRAME;
use ecat_engine::engine::{EngineOptions, StartOptions};
use ecat_engine::link::sys;
use ecat_engine::shared::Claims;
use ecat_wire::{Link, LinkError};

use crate::Outcome;
use crate::arguments::Arguments;
use crate::running::Running;
use crate::samples::Samples;
use crate::{plant, report};

/// Where a frame's stamp has the number of the frame.
pub const FRAME_AT: usize = 30;
const DEVICES: usize = 10;
const SETTLE: usize = 50;
/// A commit that comes when no frame would leave before the cycle rides it; it is waited for no longer than
/// this.
const PATIENCE_NS: u64 = 3_000_000;

/// A link that notes when an urgent frame was handed to it.
struct NotingLink<L> {
    link: L,
    sent_ns: Arc<AtomicU64>,
}

impl<L: Link> Link for NotingLink<L> {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        if frame.get(FRAME_AT..FRAME_AT + 2) == Some(&URGENT_FRAME.to_le_bytes()) {
            self.sent_ns.store(sys::monotonic_ns(), Ordering::Release);
        }
        self.link.send(frame, now_ns)
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        self.link.receive(buffer, now_ns)
    }
}

/// Prints the distribution for each repeat, and how many commits rode a cycle instead.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let count = arguments.number("count", 1_000)?;
    let repeats = arguments.number("repeats", 5)?;
    let bytes = arguments.number("bytes", 1_250)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let sent_ns = Arc::new(AtomicU64::new(0));
    let options = EngineOptions {
        cycle_period_ns: 1_000_000,
        priority: place.priority,
        cpu: Some(place.cpu),
        ..EngineOptions::default()
    };
    let opener = {
        let sent_ns = Arc::clone(&sent_ns);
        let inner = plant::opener(plant::describe(DEVICES, bytes));
        Box::new(move || Ok(Box::new(NotingLink { link: inner()?, sent_ns }) as Box<dyn Link>))
    };
    let start = StartOptions { urgent_allowed: vec![true; DEVICES], ..StartOptions::default() };
    let running = Running::to_op_with(options, opener, &start)?;
    let length = running.memory.dimensions().output_bytes as usize;
    let claims = Claims {
        mask: vec![0xFF; length].into(),
        loss_mask: vec![0; length].into(),
        loss_image: vec![0; length].into(),
        ..Claims::default()
    };
    running.engine.claim(0, 1, &claims).map_err(|error| error.to_string())?;
    let mut lane = running.memory.lane_writer(0).map_err(|error| error.to_string())?;
    let mut image = vec![0_u8; length];
    let mut random = 0x9E37_79B9_u64;
    for repeat in 0..=repeats {
        let count = if repeat == 0 { SETTLE } else { count };
        let mut samples = Samples::new(count);
        let mut rode = 0.0;
        for n in 0..count {
            // At any moment of a cycle.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            sys::sleep_until(sys::monotonic_ns() + 200_000 + (random >> 33) % 2_000_000);
            image[n % length] = image[n % length].wrapping_add(1);
            let begun_ns = sys::monotonic_ns();
            lane.commit(&image);
            running.engine.request_urgent();
            loop {
                let sent_ns = sent_ns.load(Ordering::Acquire);
                if sent_ns >= begun_ns {
                    samples.push(sent_ns - begun_ns);
                    break;
                }
                if sys::monotonic_ns() - begun_ns > PATIENCE_NS {
                    rode += 1.0;
                    break;
                }
                std::hint::spin_loop();
            }
        }
        if repeat > 0 {
            report::figures("ours", "called-to-sent", samples.figures());
            report::value("ours", "rode-a-cycle", rode / count as f64);
        }
    }
    running.close()
}
