//! Spin gaps: for how long the host takes the processor away from a thread that does nothing but look
//! at the clock. Every other figure of a run stands beside these.

use ecat_engine::link::sys;

use crate::Outcome;
use crate::arguments::Arguments;
use crate::report;
use crate::samples::Samples;

/// A gap is looked for in every window; this is the cycle time of most other cases.
const WINDOW_NS: u64 = 1_000_000;
/// A thread under SCHED_FIFO that never sleeps is stopped by the kernel (950 ms of each second are its
/// share): it spins for so long, then sleeps for the rest of the second.
const BURST_NS: u64 = 800_000_000;
const PAUSE_NS: u64 = 200_000_000;
/// What a look at the clock never takes by itself.
const STOLEN_NS: u64 = 1_000;

/// Prints the largest gap of each millisecond as a distribution, and the share of time that was taken.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let seconds: f64 = arguments.number("seconds", 4.0)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let granted = place.take();
    let spinning_ns = (seconds * 1e9) as u64;
    let mut samples = Samples::new((spinning_ns / WINDOW_NS) as usize + 1);
    let (mut spun_ns, mut stolen_ns) = (0, 0);
    while spun_ns < spinning_ns {
        let begun = sys::monotonic_ns();
        let end = begun + BURST_NS.min(spinning_ns - spun_ns);
        let (mut last, mut window_end, mut largest) = (begun, begun + WINDOW_NS, 0);
        while last < end {
            let now = sys::monotonic_ns();
            let gap = now - last;
            last = now;
            largest = gap.max(largest);
            if gap > STOLEN_NS {
                stolen_ns += gap;
            }
            // A gap that covers several windows was the largest of each of them.
            while now >= window_end {
                samples.push(largest);
                window_end += WINDOW_NS;
                if now < window_end {
                    largest = 0;
                }
            }
        }
        spun_ns += last - begun;
        sys::sleep_until(last + PAUSE_NS);
    }
    report::figures("host", "gap", samples.figures());
    report::value("host", "stolen", stolen_ns as f64 / spun_ns as f64);
    report::granted(place, granted);
    Ok(())
}
