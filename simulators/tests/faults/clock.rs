//! The distributed clock and its pulses. ESC data sheet, section I, "Distributed clocks"; section II, 0x092C, 0x0932, 0x0984;
//! ETG.1000.6, AL status codes.

use ecat_simulator::{Effect, Fault, When};
use ecat_wire::{Command, register as reg};

use crate::bench::{AXIS, Bench, MS, NOTHING, station};

/// Hands the time of a clock that runs true over to the axis, so many times, one a ms.
fn follow(bench: &mut Bench, times: usize) {
    for _ in 0..times {
        let time = bench.now_ns + bench.step_ns;
        let command = Command::Fpwr { station: station(AXIS), register: reg::DC_SYSTEM_TIME };
        assert_eq!(bench.write(command, &time.to_le_bytes()), Some(1));
        bench.cycle();
    }
}

/// The mean difference of the axis to what it was told (0x092C), in ns.
fn difference(bench: &mut Bench) -> i64 {
    let read = bench.peek(AXIS, reg::DC_SYSTEM_TIME_DIFFERENCE, 4);
    let read = u32::from_le_bytes(read.try_into().unwrap());
    let magnitude = i64::from(read & 0x7FFF_FFFF);
    if read >> 31 == 1 { -magnitude } else { magnitude }
}

/// By how much the axis's clock is ahead, in ns.
fn ahead(bench: &mut Bench) -> i64 {
    bench.axis_time().wrapping_sub(bench.now_ns) as i64
}

/// What is different, without the axis's clock and its control loop.
fn beside_the_clock(bench: &mut Bench) -> Vec<String> {
    let mut all = bench.differences();
    let clock = ["axis 0x0910 ", "axis 0x092c ", "axis 0x0932", "axis 0x0933"];
    all.retain(|line| !clock.iter().any(|register| line.starts_with(register)));
    all
}

#[test]
fn a_clock_that_runs_true_has_no_difference() {
    let mut bench = Bench::new();
    follow(&mut bench, 200);
    assert_eq!(beside_the_clock(&mut bench), NOTHING);
    assert!(difference(&mut bench).abs() < 10);
}

#[test]
fn a_clock_that_runs_fast_gains() {
    // 100 ppm of 100 ms are 10 µs.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::ClockDrift { ppb: 100_000 }));
    bench.cycles(100);
    let fast = ["axis 0x0910 clock is ahead: 0 ns to 10000 ns"];
    assert_eq!(bench.differences_without_frames(), fast);
    // What it has gained it keeps.
    bench.clear();
    bench.cycles(100);
    assert_eq!(bench.differences(), fast);
    assert_eq!(bench.hits(), ["clock-drift axis: began", "clock-drift axis: ended"]);
}

#[test]
fn the_loop_makes_up_for_a_clock_that_runs_fast_and_shows_it_in_the_speed_counter() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::ClockDrift { ppb: 100_000 }));
    follow(&mut bench, 2_000);
    assert!(difference(&mut bench).abs() < 100, "{}", difference(&mut bench));
    assert_eq!(beside_the_clock(&mut bench), NOTHING);
    // Section II, 0x0932: deviation = diff / (5 · (start + diff + 2) · (start − diff + 2)), start from 0x0930.
    let diff = f64::from(bench.word(AXIS, reg::DC_SPEED_DIFFERENCE) as i16);
    let start = f64::from(bench.word(AXIS, reg::DC_SPEED_START));
    let deviation = diff / (5.0 * (start + diff + 2.0) * (start - diff + 2.0));
    assert!((deviation.abs() - 100e-6).abs() < 5e-6, "{deviation}");
}

#[test]
fn a_step_shows_as_a_difference_and_is_slewed_away() {
    // Section I: the local copy of system time is never set, it runs faster or slower until it fits.
    let mut bench = Bench::new();
    follow(&mut bench, 50);
    bench.settle();
    let settled = ahead(&mut bench);
    bench.inject(Fault::on_device(AXIS, Effect::ClockStep { by_ns: 50_000 }));
    assert_eq!(ahead(&mut bench) - settled, 50_000);
    let (mut before, mut time, mut largest) = (ahead(&mut bench), bench.axis_time(), 0);
    for _ in 0..400 {
        follow(&mut bench, 1);
        let now = ahead(&mut bench);
        assert!(now <= before.max(settled + 100), "it comes nearer: {before} ns, {now} ns");
        assert!(bench.axis_time() > time, "and never goes back");
        (before, time) = (now, bench.axis_time());
        largest = largest.max(difference(&mut bench));
    }
    // Less than the step itself: 0x092C is a mean, and grows while the clock comes nearer.
    assert!((20_000..50_000).contains(&largest), "{largest} ns");
    assert!((before - settled).abs() < 100 && difference(&mut bench).abs() < 100, "{before} ns");
    assert_eq!(beside_the_clock(&mut bench), NOTHING);
    assert_eq!(bench.hits(), ["clock-step axis: done"]);
}

#[test]
fn a_step_that_nobody_corrects_stays() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::ClockStep { by_ns: -50_000 }));
    assert_eq!(bench.differences(), ["axis 0x0910 clock is ahead: 0 ns to -50000 ns"]);
}

#[test]
fn a_step_moves_the_pulses() {
    // SYNC0 comes when the local copy of system time is 0x0990: a clock that jumps ahead has it earlier.
    let mut bench = Bench::synchronised(r#"{ "missedCycles": 200 }"#);
    bench.inject(Fault::on_device(AXIS, Effect::ClockStep { by_ns: 50_000 }));
    bench.cycles(20);
    let differ = bench.differences();
    assert_eq!(differ.len(), 2, "{differ:?}");
    assert_eq!(differ[0], "axis 0x0910 clock is ahead: 0 ns to 50000 ns");
    let moved = differ[1].strip_prefix("axis 0x0990 SYNC0 comes at: ").unwrap();
    let ns: Vec<i64> =
        moved.split(" to ").map(|ns| ns.trim_end_matches(" ns").parse().unwrap()).collect();
    assert_eq!((ns[0] - ns[1]).rem_euclid(MS as i64), 50_000);
}

#[test]
fn a_clock_that_follows_nothing_drifts_away() {
    // 0x092C grows with what 100 ppm make of 300 ms, as far as its filter lets it.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::ClockDrift { ppb: 100_000 }));
    bench.inject(Fault::on_device(AXIS, Effect::PllLoss {}));
    let from = bench.now_ns;
    follow(&mut bench, 150);
    let gained = (bench.now_ns - from) as i64 / 10_000;
    // Each value that it is told may cost a fraction of a ns.
    assert!((gained - 150..=gained).contains(&ahead(&mut bench)), "{gained}");
    assert!((gained - 3_000..=gained).contains(&difference(&mut bench)), "{gained}");
    assert_eq!(beside_the_clock(&mut bench), NOTHING);
    // Once it follows again, both are gone.
    bench.clear();
    follow(&mut bench, 400);
    assert!(ahead(&mut bench).abs() < 500 && difference(&mut bench).abs() < 100);
    let hits = bench.hits();
    assert_eq!(hits[..2], ["clock-drift axis: began", "pll-loss axis: began"]);
    assert_eq!(hits[2..], ["clock-drift axis: ended", "pll-loss axis: ended"]);
}

#[test]
fn stamps_that_jitter_differ_from_the_clock_itself() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::ClockJitter { ns: 500 }));
    let offsets: Vec<_> = (0..50)
        .map(|_| {
            bench.now_ns += MS;
            ahead(&mut bench)
        })
        .collect();
    assert!(offsets.iter().all(|ns| ns.abs() <= 500), "{offsets:?}");
    let apart = offsets.iter().max().unwrap() - offsets.iter().min().unwrap();
    assert!(apart > 500, "{offsets:?}");
    assert_eq!(beside_the_clock(&mut bench), NOTHING);
    bench.clear();
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["clock-jitter axis: began", "clock-jitter axis: ended"]);
}

#[test]
fn without_pulses_a_synchronous_program_leaves_op() {
    // 0x002C: pulses of SYNC0 are gone. The SYNC unit itself goes on, its registers show nothing.
    let mut bench = Bench::synchronised(r#"{ "missedCycles": 200 }"#);
    bench.inject(Fault::on_device(AXIS, Effect::Sync0Loss {}));
    bench.cycles(20);
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x8",
            "axis 0x0130 AL status: 0x8 to 0x14",
            "axis 0x0134 AL status code: 0x0 to 0x2c",
            "axis 0x0210 events: 0x0 to 0x8",
            "axis drives: 0x5a5a5a5a to 0x0",
        ]
    );
    assert!(bench.hits().iter().all(|hit| hit == "sync0-loss axis: done"));
}

#[test]
fn a_pulse_that_is_missing_now_and_then_is_no_reason_to_leave_op() {
    let mut bench = Bench::synchronised(r#"{ "missedCycles": 200 }"#);
    bench.inject(Fault::on_device(AXIS, Effect::Sync0Loss {}).next(2));
    bench.cycles(20);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["sync0-loss axis: done"; 2]);
}

#[test]
fn a_lost_lock_takes_a_program_with_a_tolerance_out_of_op() {
    // 0x0032: PLL error.
    let mut bench = Bench::synchronised(r#"{ "toleranceNs": 2000, "missedCycles": 200 }"#);
    bench.inject(Fault::on_device(AXIS, Effect::PllLoss {}));
    follow(&mut bench, 30);
    assert_eq!(beside_the_clock(&mut bench), NOTHING, "it runs true by itself");
    bench.inject(Fault::on_device(AXIS, Effect::ClockDrift { ppb: 200_000 }));
    follow(&mut bench, 30);
    let mut differ = beside_the_clock(&mut bench);
    differ.retain(|line| !line.starts_with("axis 0x0990 SYNC0 comes at"));
    assert_eq!(
        differ,
        [
            "IRQ: 0x0 to 0x8",
            "axis 0x0130 AL status: 0x8 to 0x14",
            "axis 0x0134 AL status code: 0x0 to 0x32",
            "axis 0x0210 events: 0x0 to 0x8",
            "axis drives: 0x5a5a5a5a to 0x0",
        ]
    );
}

#[test]
fn a_start_in_the_past_begins_no_pulses() {
    // 0x0984: bit 0, the first pulse of SYNC0 is yet to come; bit 2, its time is not in the near future.
    let (mut without, mut with) = (Bench::new(), Bench::new());
    with.inject(Fault::on_device(AXIS, Effect::StartInPast {}).next(1));
    for bench in [&mut without, &mut with] {
        bench.start_pulses(bench.now_ns + 20 * MS);
        bench.cycles(30);
    }
    assert_eq!(
        with.differences_from(&mut without),
        ["axis 0x0984 SYNC activation status: 0x0 to 0x5"]
    );
    assert_eq!(with.hits(), ["start-in-past axis: done"]);
}

#[test]
fn a_program_that_waits_for_pulses_which_do_not_come_does_not_reach_op() {
    // 0x002D: no SYNC.
    let mut bench = Bench::powered("", r#", "sync": { "timeoutMs": 50 }"#, "");
    bench.inject(Fault::on_device(AXIS, Effect::StartInPast {}).when(When::default()));
    bench.prepare_pulses();
    assert_eq!(bench.request(AXIS, 4), 4);
    assert_eq!(bench.request(AXIS, 8), 0x14);
    assert_eq!(bench.al(AXIS), (0x14, 0x002D));
}
