//! Prints how long an hour of a plant of ten devices with a cycle of 1 ms takes in virtual time.
//!
//! `cargo run --release -p ecat-simulator --example hour`

#[path = "../tests/hour/plant.rs"]
mod plant;

use std::time::Instant;

const CYCLES: u64 = 3_600_000;

fn main() {
    let start = Instant::now();
    let outcome = plant::run(1, CYCLES);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "an hour in {seconds:.1} s: {:.0} times as fast; {} frames, {} good cycles, {} answers",
        3_600.0 / seconds,
        outcome.frames,
        outcome.good,
        outcome.answers
    );
}
