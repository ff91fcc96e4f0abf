//! How late a cycle begins: our cycle thread, against a loop with the same sleep and the same spin that
//! does nothing else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ecat_engine::cycle::schedule::Schedule;
use ecat_engine::cycle::wait;
use ecat_engine::engine::EngineOptions;
use ecat_engine::link::sys::{self, Doorbell};
use ecat_engine::shared::Statistics;
use ecat_engine::shared::statistics::add;

use crate::Outcome;
use crate::arguments::{Arguments, Granted, Place};
use crate::histogram::Look;
use crate::running::{Running, memory};
use crate::{plant, report};

/// What is done for the first time is over then.
const SETTLE_NS: u64 = 200_000_000;

/// How the cycle goes.
#[derive(Clone, Copy)]
struct Pace {
    period_ns: u64,
    spin_ns: u64,
    duration_ns: u64,
}

/// What our cycle exchanges.
#[derive(Clone, Copy)]
struct Load {
    devices: usize,
    bytes: usize,
}

/// Prints for each variant and repeat the lateness, the share of the periods that were missed, and the
/// share of a processor that the thread took.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let period_us: u64 = arguments.number("period_us", 1_000)?;
    let spin_us: u64 = arguments.number("spin_us", 50)?;
    let seconds: f64 = arguments.number("seconds", 4.0)?;
    let load = Load {
        devices: arguments.number("devices", 10)?,
        bytes: arguments.number("bytes", 1_250)?,
    };
    let repeats = arguments.number("repeats", 5)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let pace = Pace {
        period_ns: period_us * 1_000,
        spin_ns: spin_us * 1_000,
        duration_ns: (seconds * 1e9) as u64,
    };
    let mut granted = None;
    for _ in 0..repeats {
        ours(pace, place, load)?;
        granted = Some(bare(pace, place)?);
    }
    if let Some(granted) = granted {
        report::granted(place, granted);
    }
    Ok(())
}

/// The engine, on a segment of this process in OP.
fn ours(pace: Pace, place: Place, load: Load) -> Outcome {
    let options = EngineOptions {
        cycle_period_ns: pace.period_ns,
        pre_spin_ns: pace.spin_ns,
        priority: place.priority,
        cpu: Some(place.cpu),
        ..EngineOptions::default()
    };
    let description = plant::describe(load.devices, load.bytes);
    let running = Running::to_op(options, plant::opener(description))?;
    let task = task_of("ecat-cycle")?;
    measure("ours", &running.memory.statistics(), &task, pace)?;
    running.close()
}

/// The loop that does nothing.
fn bare(pace: Pace, place: Place) -> Outcome<Granted> {
    let memory = memory::small()?;
    let statistics = memory.statistics();
    let stop = Arc::new(AtomicBool::new(false));
    let spawned = std::thread::Builder::new().name("bare-cycle".to_owned()).spawn({
        let (statistics, stop) = (statistics.clone(), Arc::clone(&stop));
        move || {
            let doorbell = Doorbell::new().map_err(|error| error.to_string())?;
            let granted = place.take();
            let mut schedule = Schedule::new(sys::monotonic_ns() + pace.period_ns, pace.period_ns);
            loop {
                let start_ns = schedule.next_start_ns();
                if stop.load(Ordering::Relaxed) {
                    return Ok::<_, String>(granted);
                }
                // As the cycle thread waits: the same function, asleep first and then spinning.
                let sleep_until_ns = start_ns - pace.spin_ns;
                let mut now_ns = sys::monotonic_ns();
                while now_ns < start_ns {
                    let (until_ns, spin_ns) = if now_ns < sleep_until_ns {
                        (sleep_until_ns, 0)
                    } else {
                        (start_ns, pace.spin_ns)
                    };
                    now_ns = wait::until(until_ns, spin_ns, None, &doorbell);
                }
                let due = schedule.take(now_ns);
                statistics.lateness.record(now_ns.saturating_sub(due.start_ns));
                add(&statistics.counters.cycles, 1);
                add(&statistics.counters.periods_missed, due.missed);
            }
        }
    });
    let thread = spawned.map_err(|error| error.to_string())?;
    let measured = task_of("bare-cycle").and_then(|task| measure("bare", &statistics, &task, pace));
    stop.store(true, Ordering::Relaxed);
    let granted = thread.join().map_err(|_| "the bare loop panicked")??;
    measured.map(|()| granted)
}

/// Lets a thread cycle, and prints what it counted meanwhile.
fn measure(variant: &str, statistics: &Statistics, task: &Path, pace: Pace) -> Outcome {
    let look = || {
        let counters = &statistics.counters;
        Ok::<_, String>((
            Look::at(&statistics.lateness),
            Look::at(&statistics.round_trip),
            counters.cycles.load(Ordering::Relaxed),
            counters.periods_missed.load(Ordering::Relaxed),
            cpu_ns(task)?,
        ))
    };
    sys::sleep_until(sys::monotonic_ns() + SETTLE_NS);
    let begun_ns = sys::monotonic_ns();
    let before = look()?;
    sys::sleep_until(begun_ns + pace.duration_ns);
    let after = look()?;
    let took_ns = sys::monotonic_ns() - begun_ns;
    report::figures(variant, "lateness", after.0.figures_since(&before.0));
    let round_trip = after.1.figures_since(&before.1);
    if round_trip.count > 0 {
        report::figures(variant, "round-trip", round_trip);
    }
    let (cycles, missed) = (after.2 - before.2, after.3 - before.3);
    report::value(variant, "missed", missed as f64 / (cycles + missed).max(1) as f64);
    report::value(variant, "cpu", (after.4 - before.4) as f64 / took_ns as f64);
    Ok(())
}

/// Folder of the thread of that name; waits for it to have it.
fn task_of(name: &str) -> Outcome<PathBuf> {
    let give_up_ns = sys::monotonic_ns() + SETTLE_NS;
    while sys::monotonic_ns() < give_up_ns {
        let tasks = std::fs::read_dir("/proc/self/task").map_err(|error| error.to_string())?;
        let found = tasks.flatten().map(|task| task.path()).find(|task| {
            std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        });
        if let Some(task) = found {
            return Ok(task);
        }
        sys::sleep_until(sys::monotonic_ns() + 1_000_000);
    }
    Err(format!("there is no thread {name}"))
}

/// Time that a thread has had a processor, in nanoseconds.
fn cpu_ns(task: &Path) -> Outcome<u64> {
    let text =
        std::fs::read_to_string(task.join("schedstat")).map_err(|error| error.to_string())?;
    let first = text.split_whitespace().next().and_then(|word| word.parse().ok());
    first.ok_or_else(|| "schedstat is not what it was".to_owned())
}
