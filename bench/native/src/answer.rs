//! How long a segment on a network interface takes to answer: one cyclic frame a period, as a MainDevice sends
//! it, from its sending to its return. Whoever measures polls, so that its own wake-ups are no part of that.

use ecat_engine::link::sys;
use ecat_wire::Link;
use ecat_wire::ethernet::FRAME_BYTES_MAX;

use crate::arguments::Arguments;
use crate::exchange::Ours;
use crate::samples::Samples;
use crate::{Outcome, plant, report};

/// How long before its time a frame is waited for by spinning.
const SPIN_NS: u64 = 100_000;
/// How long an answer is waited for.
const LOST_NS: u64 = 1_000_000_000;

/// Prints the distribution of the answers, for each repeat.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let interface = arguments.text("interface").ok_or("answer needs interface=NAME")?;
    let period_ns = arguments.number::<u64>("period_us", 1_000)? * 1_000;
    let seconds = arguments.number::<u64>("seconds", 20)?;
    let repeats = arguments.number("repeats", 3)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let mut link = plant::interface(&interface)?;
    let mut ours = Ours::in_op(&mut link)?;
    if ours.frames.count() != 1 {
        return Err(format!("the image takes {} frames; one is measured", ours.frames.count()));
    }
    let frame = ours.frames.stamped(0, 0, 0).to_vec();
    let granted = place.take();
    let mut buffer = [0; FRAME_BYTES_MAX];
    for _ in 0..repeats {
        let count = seconds * 1_000_000_000 / period_ns;
        let mut samples = Samples::new(count as usize);
        let mut due_ns = sys::monotonic_ns() + period_ns;
        for _ in 0..count {
            sys::sleep_until(due_ns - SPIN_NS);
            while sys::monotonic_ns() < due_ns {
                std::hint::spin_loop();
            }
            let sent_ns = sys::monotonic_ns();
            link.send(&frame, sent_ns).map_err(|error| format!("{error:?}"))?;
            while link
                .receive(&mut buffer, sent_ns)
                .map_err(|error| format!("{error:?}"))?
                .is_none()
            {
                if sys::monotonic_ns() - sent_ns > LOST_NS {
                    return Err("a frame was not answered".to_owned());
                }
                std::hint::spin_loop();
            }
            let now_ns = sys::monotonic_ns();
            samples.push(now_ns - sent_ns);
            due_ns = (due_ns + period_ns).max(now_ns + SPIN_NS);
        }
        report::value("ours", "bytes", frame.len() as f64);
        report::figures("ours", "answer", samples.figures());
    }
    report::granted(place, granted);
    Ok(())
}
