//! Prints how long an hour of a plant of ten devices with a cycle of 1 ms takes in virtual time.
//!
//! `cargo run --release -p ecat-simulator --example hour [CYCLES]`

#[path = "../tests/hour/plant.rs"]
mod plant;

use std::time::Instant;

const AN_HOUR: u64 = 3_600_000;

fn main() {
    let cycles = std::env::args().nth(1).and_then(|cycles| cycles.parse().ok());
    let cycles: u64 = cycles.unwrap_or(AN_HOUR);
    let start = Instant::now();
    let outcome = plant::run(1, cycles);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{cycles} ms in {seconds:.1} s: {:.0} times as fast; {} frames, {} good cycles, {} answers",
        cycles as f64 / 1e3 / seconds,
        outcome.frames,
        outcome.good,
        outcome.answers
    );
}
