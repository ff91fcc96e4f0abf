//! The part of `npm run bench` that is not JavaScript: the host, the cycle thread, the exchange, the
//! bring-up. `bench/main.ts` runs it, pairs the variants and judges them.
//!
//! ```text
//! ecat-bench gaps     [seconds=4]
//! ecat-bench lateness [period_us=1000] [spin_us=50] [devices=10] [bytes=1250] [seconds=4] [repeats=5]
//! ecat-bench serve    interface=NAME [bytes=1250] [devices=10]
//! ecat-bench answer   interface=NAME [period_us=1000] [seconds=20] [repeats=3]
//! ecat-bench exchange [interface=NAME] [bytes=1250] [devices=10] [count=20000] [repeats=5]
//! ecat-bench open     [devices=10] [repeats=5]
//! ecat-bench memory   interface=NAME
//! ecat-bench path     [bytes=1250] [cycles=2000] [repeats=5]
//! ecat-bench urgent   [bytes=1250] [count=1000] [repeats=5]
//! ecat-bench segment  [devices=100] [bytes=1250] [count=20000] [repeats=5]
//! ecat-bench virtual  [seconds=360] [repeats=5]
//! all of them         [cpu=N] [priority=80]
//! ```
//! Prints JSON: one line an outcome of a variant, in the order in which they were measured, and a last
//! line with what was granted. Variants alternate: ours, reference, ours, … Nothing here judges.

mod answer;
mod arguments;
mod exchange;
mod gaps;
mod histogram;
mod lateness;
mod memory;
mod open;
mod path;
mod plant;
mod report;
mod running;
mod samples;
mod segment;
mod serve;
mod stock;
mod urgent;

use std::process::ExitCode;

use arguments::Arguments;

/// Stack of the measuring thread: ethercrab moves its groups by value.
const STACK_BYTES: usize = 64 << 20;

/// What goes wrong ends the process with one sentence.
type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    // A thread of its own, so that nothing else ever gets its priority.
    let spawned = std::thread::Builder::new()
        .name("ecat-bench".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(run);
    let outcome = spawned.map_err(|error| error.to_string()).and_then(|thread| {
        thread.join().unwrap_or_else(|_| Err("the measurement panicked".to_owned()))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("ecat-bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let mut arguments = Arguments::new(std::env::args().skip(1))?;
    match arguments.command() {
        "gaps" => gaps::run(&mut arguments),
        "lateness" => lateness::run(&mut arguments),
        "serve" => serve::run(&mut arguments),
        "answer" => answer::run(&mut arguments),
        "exchange" => exchange::run(&mut arguments),
        "open" => open::run(&mut arguments),
        "memory" => memory::run(&mut arguments),
        "path" => path::run(&mut arguments),
        "urgent" => urgent::run(&mut arguments),
        "segment" => segment::frames(&mut arguments),
        "virtual" => segment::virtual_time(&mut arguments),
        other => Err(format!("no such measurement: {other}")),
    }
}
