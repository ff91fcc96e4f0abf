//! The distributed clock and its pulses. ESC data sheet, section II, 0x092C, 0x0984; ETG.1000.6, AL status codes.

use ecat_simulator::{Effect, Fault};
use ecat_wire::{Command, register as reg};

use crate::bench::{AXIS, Bench, MS, station};

/// The difference that the clock of the axis has to a reference that runs true, after so many ms (0x092C).
fn difference(bench: &mut Bench, ms: usize) -> u32 {
    let start = bench.axis_time();
    let from = bench.now_ns;
    for _ in 0..ms {
        let time = start + (bench.now_ns + bench.step_ns - from);
        let command = Command::Fpwr { station: station(AXIS), register: reg::DC_SYSTEM_TIME };
        bench.write(command, &time.to_le_bytes());
    }
    let read = bench.peek(AXIS, reg::DC_SYSTEM_TIME_DIFFERENCE, 4);
    u32::from_le_bytes(read.try_into().unwrap()) & 0x7FFF_FFFF
}

#[test]
fn a_clock_that_runs_true_has_no_difference() {
    let mut bench = Bench::new();
    assert!(difference(&mut bench, 200) < 10);
}

#[test]
fn a_step_shows_as_a_difference_and_is_slewed_away() {
    let mut bench = Bench::new();
    let before = bench.axis_time();
    bench.inject(Fault::on_device(AXIS, Effect::ClockStep { by_ns: 50_000 }));
    assert_eq!(bench.axis_time() - before, 50_000);
    assert_eq!(bench.differences(), [""; 0]);
    assert_eq!(bench.hits(), ["clock-step axis: done"]);
}

#[test]
fn a_clock_that_follows_nothing_drifts_away() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::ClockDrift { ppb: 100_000 }));
    let followed = difference(&mut bench, 300);
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::ClockDrift { ppb: 100_000 }));
    bench.inject(Fault::on_device(AXIS, Effect::PllLoss {}));
    // 100 ppm of 300 ms are 30 µs.
    let lost = difference(&mut bench, 300);
    assert!(lost > 10_000 && lost > 20 * followed.max(1), "{followed} and {lost}");
}

#[test]
fn stamps_that_jitter_differ_from_the_clock_itself() {
    let mut bench = Bench::new();
    let read = |bench: &mut Bench| bench.axis_time() as i64 - bench.now_ns as i64;
    let true_offset = read(&mut bench);
    bench.inject(Fault::on_device(AXIS, Effect::ClockJitter { ns: 500 }));
    let offsets: Vec<_> = (0..50)
        .map(|_| {
            bench.now_ns += MS;
            read(&mut bench) - true_offset
        })
        .collect();
    assert!(offsets.iter().any(|&ns| ns != 0));
    assert!(offsets.iter().all(|ns| ns.abs() <= 500), "{offsets:?}");
    bench.clear();
    assert_eq!(read(&mut bench), true_offset);
}

#[test]
fn without_pulses_a_synchronous_program_leaves_op() {
    // 0x002C: pulses of SYNC0 are gone.
    let mut bench = Bench::synchronised(r#"{ "missedCycles": 200 }"#);
    bench.inject(Fault::on_device(AXIS, Effect::Sync0Loss {}));
    bench.cycles(20);
    assert_eq!(bench.al(AXIS), (0x14, 0x002C));
    assert!(bench.hits().iter().all(|hit| hit == "sync0-loss axis: done"));
}

#[test]
fn a_lost_lock_takes_a_program_with_a_tolerance_out_of_op() {
    // 0x0032: PLL error.
    let mut bench = Bench::synchronised(r#"{ "toleranceNs": 2000, "missedCycles": 200 }"#);
    bench.inject(Fault::on_device(AXIS, Effect::PllLoss {}));
    bench.inject(Fault::on_device(AXIS, Effect::ClockDrift { ppb: 200_000 }));
    let start = bench.axis_time();
    let from = bench.now_ns;
    for _ in 0..60 {
        let time = start + (bench.now_ns + bench.step_ns - from);
        let command = Command::Fpwr { station: station(AXIS), register: reg::DC_SYSTEM_TIME };
        bench.write(command, &time.to_le_bytes());
        bench.cycle();
    }
    assert_eq!(bench.al(AXIS), (0x14, 0x0032));
}

#[test]
fn a_start_in_the_past_begins_no_pulses() {
    // 0x0984 bit 2: the start time is out of the near future.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::StartInPast {}).next(1));
    bench.start_pulses(bench.now_ns + 20 * MS);
    bench.cycles(30);
    assert_eq!(bench.peek(AXIS, reg::DC_ACTIVATION_STATUS, 1)[0] & 0x04, 0x04);
    assert_eq!(bench.hits(), ["start-in-past axis: done"]);
}
