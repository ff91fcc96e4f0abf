//! The modes of operation: step responses against closed forms, handshakes, bits of the statusword.

use std::f64::consts::TAU;

use crate::machine::Machine;
use crate::servo::*;

const NO_FEED_FORWARD: &str = r#", "control": { "velocityFeedForward": 0 }"#;
/// Of the position controller by default, in 1/s.
const POSITION_GAIN: f64 = 15.0 * TAU;
/// Of the velocity controller by default, in 1/s.
const VELOCITY_BANDWIDTH: f64 = 100.0 * TAU;

/// What `show` is, cycle by cycle.
fn response(machine: &mut Machine, cycles: usize, show: fn(&Machine) -> i64) -> Vec<f64> {
    let sample = |_| {
        machine.cycle();
        show(machine) as f64
    };
    (0..cycles).map(sample).collect()
}

/// Cycles from 10 % to 90 % of a step.
fn rise(samples: &[f64], step: f64) -> f64 {
    let over = |share: f64| samples.iter().position(|value| value / step >= share).unwrap() as f64;
    over(0.9) - over(0.1)
}

#[test]
fn csp_without_feed_forward_approaches_as_its_position_gain_says() {
    let mut machine = drive(NO_FEED_FORWARD);
    machine.enable(CSP);
    let step = TURN / 100;
    machine.set(TARGET_POSITION, 0, step);
    let samples = response(&mut machine, 150, Drive::position);
    // A pole at the gain: 10 % to 90 % in ln 9 / K, a little less for the velocity loop behind it.
    let rise_s = rise(&samples, step as f64) * 1e-3;
    assert!((0.7..1.15).contains(&(rise_s * POSITION_GAIN / 9f64.ln())), "{rise_s} s");
    let most = samples.iter().fold(0.0, |most: f64, &value| most.max(value));
    assert!(most <= step as f64 * 1.05, "overshoot to {most}");
    assert!((samples[149] - step as f64).abs() <= 3.0, "settled at {}", samples[149]);
}

#[test]
fn csp_lags_behind_a_ramp_by_velocity_over_gain() {
    let mut machine = drive(NO_FEED_FORWARD);
    machine.enable(CSP);
    let step = TURN / 500;
    for n in 1..=300 {
        machine.set(TARGET_POSITION, 0, n * step);
        machine.cycle();
    }
    let lag = machine.signed(FOLLOWING_ERROR, 0) as f64;
    let expected = step as f64 * 1e3 / POSITION_GAIN;
    assert!((lag / expected - 1.0).abs() < 0.05, "{lag} of {expected}");
}

#[test]
fn csp_with_feed_forward_follows_a_ramp_closely() {
    let mut machine = drive("");
    machine.enable(CSP);
    let step = TURN / 500;
    for n in 1..=300 {
        machine.set(TARGET_POSITION, 0, n * step);
        machine.cycle();
    }
    let lag = machine.signed(FOLLOWING_ERROR, 0) as f64;
    assert!(lag.abs() < 0.03 * step as f64 * 1e3 / POSITION_GAIN, "{lag}");
    assert!(machine.has(12), "it follows");
    assert!(machine.velocity() > 0);
}

#[test]
fn csv_overshoots_as_a_pi_controller_with_two_equal_poles() {
    let mut machine = drive("");
    machine.enable(CSV);
    machine.cycle_ns = 125_000;
    let step = TURN / 2;
    machine.set(TARGET_VELOCITY, 0, step);
    let samples = response(&mut machine, 800, Drive::velocity);
    // 1 − (1 − x) e^−x at x = 2: e^−2 above, at 4 / bandwidth; current loop and filter add to it.
    let most = samples.iter().fold(0.0, |most: f64, &value| most.max(value)) / step as f64;
    assert!((1.11..1.28).contains(&most), "overshoot to {most}");
    let peak = samples.iter().position(|&value| value / step as f64 == most).unwrap() as f64;
    let peak_s = peak * 125e-6;
    assert!((0.6..1.6).contains(&(peak_s * VELOCITY_BANDWIDTH / 4.0)), "{peak_s} s");
    let settled = &samples[700..];
    assert!(settled.iter().all(|value| (value / step as f64 - 1.0).abs() < 0.02));
}

#[test]
fn csv_accelerates_with_the_torque_that_there_is() {
    let mut machine = drive(r#", "load": { "viscousNmSPerRad": 0, "coulombNm": 0 }"#);
    machine.write(0x6072, 0, 2, 500);
    machine.enable(CSV);
    machine.set(TARGET_VELOCITY, 0, 50 * TURN);
    machine.cycles(5);
    let from = machine.velocity();
    machine.cycles(20);
    // Half of 1 Nm on 1e-4 kg m².
    let expected = 0.5 / 1e-4 / TAU * TURN as f64 * 0.02;
    let gained = (machine.velocity() - from) as f64;
    assert!((gained / expected - 1.0).abs() < 0.02, "{gained} of {expected}");
    assert!(machine.has(11), "a limit holds it back");
}

#[test]
fn offsets_of_the_cyclic_modes_are_added() {
    let mut machine = prepared("");
    machine.write(0x60B0, 0, 4, 700);
    machine.write(0x60B1, 0, 4, 3 * TURN);
    machine.operate();
    machine.enable(CSP);
    machine.cycles(200);
    // The position controller works against the velocity that is added.
    let balance = 3.0 * TURN as f64 / POSITION_GAIN;
    assert!((machine.position() as f64 - 700.0 - balance).abs() < 0.05 * balance);
    machine.command(0x07);
    machine.enable(CSV);
    machine.set(TARGET_VELOCITY, 0, TURN);
    machine.cycles(300);
    assert!((machine.velocity() - 4 * TURN).abs() < TURN / 50);
}

#[test]
fn a_mode_that_the_drive_does_not_have_is_not_taken() {
    let mut machine = drive(r#", "modes": ["csp", "csv"]"#);
    machine.enable(CSP);
    assert_eq!(machine.upload(0x6502, 0), Ok(0x180));
    for mode in [CST, PP, 2, -1] {
        machine.set(MODE, 0, mode);
        machine.cycles(3);
        assert_eq!(machine.signed(MODE_DISPLAY, 0), CSP);
    }
    machine.set(MODE, 0, CSV);
    machine.cycles(3);
    assert_eq!(machine.signed(MODE_DISPLAY, 0), CSV);
}

#[test]
fn a_process_image_of_one_mode_can_be_assigned() {
    for (rx, tx, mode, target) in [
        (0x1601, 0x1A01, CSP, TARGET_POSITION),
        (0x1602, 0x1A02, CSV, TARGET_VELOCITY),
        (0x1603, 0x1A03, CST, TARGET_TORQUE),
    ] {
        let mut machine = prepared("");
        for (assignment, pdo) in [(0x1C12, rx), (0x1C13, tx)] {
            machine.write(assignment, 0, 1, 0);
            machine.write(assignment, 1, 2, pdo);
            machine.write(assignment, 0, 1, 1);
        }
        machine.write(MODE, 0, 1, mode);
        machine.operate();
        for word in [0x06, 0x07, 0x0F] {
            machine.command(word);
        }
        assert_eq!(machine.state(), OPERATION_ENABLED);
        let far = if mode == CSV { TURN } else { 300 };
        machine.set(target, 0, far);
        machine.cycles(100);
        assert!(machine.position() > 100, "mode {mode} moves: {}", machine.position());
        assert_eq!(machine.upload(MODE_DISPLAY, 0), Ok(mode as u32));
    }
}

/// Sets a target by the handshake of pp; bits 5, 6 and 9 of the controlword beside it.
fn set_point(machine: &mut Machine, target: i64, bits: i64) {
    machine.set(TARGET_POSITION, 0, target);
    machine.command(0x1F | bits);
    machine.command(0x0F | bits);
}

#[test]
fn pp_goes_to_its_target_on_a_trapezoid() {
    let mut machine = drive("");
    machine.write(0x6081, 0, 4, 5 * TURN);
    machine.write(0x6083, 0, 4, 100 * TURN);
    machine.write(0x6084, 0, 4, 50 * TURN);
    machine.enable(PP);
    assert!(!machine.has(12));
    machine.set(TARGET_POSITION, 0, 3 * TURN);
    machine.set(CONTROLWORD, 0, 0x1F);
    let samples = response(&mut machine, 1_000, Drive::velocity);
    let most = samples.iter().fold(0.0, |most: f64, &value| most.max(value));
    assert!((most / (5 * TURN) as f64 - 1.0).abs() < 0.03, "as fast as 0x6081: {most}");
    // Way over velocity, and half of either ramp.
    let expected_s = 3.0 / 5.0 + 5.0 / 100.0 / 2.0 + 5.0 / 50.0 / 2.0;
    let moving = samples.iter().filter(|&&value| value > 0.01 * TURN as f64).count() as f64 * 1e-3;
    assert!((moving - expected_s).abs() < 0.05, "{moving} s of {expected_s}");
    // Half of the way up to speed.
    let half = samples.iter().position(|&value| value > 2.5 * TURN as f64).unwrap();
    assert!((20..=32).contains(&half), "{half} ms");
    assert!((machine.position() - 3 * TURN).abs() <= 3);
    assert!(machine.has(10), "target reached");
}

#[test]
fn pp_shakes_hands() {
    let mut machine = drive("");
    machine.enable(PP);
    machine.cycles(20);
    assert!(machine.has(10) && !machine.has(12));
    machine.set(TARGET_POSITION, 0, 2 * TURN);
    machine.command(0x1F);
    assert!(machine.has(12), "acknowledged");
    assert!(!machine.has(10), "not reached any more");
    machine.cycles(5);
    assert!(machine.has(12), "as long as the bit stands");
    machine.command(0x0F);
    assert!(!machine.has(12), "ready for the next");
    // One waits while the first is under way, and the acknowledgement says that there is no more room.
    set_point(&mut machine, 3 * TURN, 0);
    assert!(machine.has(12));
    set_point(&mut machine, -TURN, 0);
    assert!(machine.has(12));
    // Between the two it comes to rest.
    assert!(machine.until(2_000, |machine| (machine.position() - 2 * TURN).abs() < 200));
    assert!(machine.until(100, |machine| !machine.has(12)), "the next one has begun");
    assert!(machine.until(2_000, |machine| machine.has(10)));
    assert!((machine.position() - 3 * TURN).abs() <= TURN / 400);
}

#[test]
fn pp_changes_to_another_target_immediately_where_it_is_told() {
    let mut machine = drive("");
    machine.enable(PP);
    set_point(&mut machine, 20 * TURN, 0);
    machine.cycles(100);
    assert!(machine.velocity() > TURN);
    set_point(&mut machine, -TURN, 1 << 5);
    let samples = response(&mut machine, 2_000, Drive::position);
    let most = samples.iter().fold(0.0, |most: f64, &value| most.max(value));
    assert!(most < (5 * TURN) as f64, "it has turned round at {most}");
    assert!((machine.position() + TURN).abs() <= 3 && machine.has(10));
}

#[test]
fn pp_counts_relative_targets_from_the_last_one() {
    let mut machine = drive("");
    machine.enable(PP);
    for _ in 0..3 {
        set_point(&mut machine, TURN / 2, 1 << 6);
        assert!(machine.until(1_000, |machine| machine.has(10)));
    }
    machine.cycles(50);
    assert!((machine.position() - 3 * TURN / 2).abs() <= 3);
}

#[test]
fn pp_runs_through_a_set_point_with_bit_9() {
    let mut slowest = Vec::new();
    for bits in [0, 1 << 9] {
        let mut machine = drive("");
        machine.enable(PP);
        set_point(&mut machine, 3 * TURN, bits);
        set_point(&mut machine, 6 * TURN, bits);
        assert!(machine.until(2_000, |machine| machine.position() > 2 * TURN));
        let mut least = i64::MAX;
        while machine.position() < 4 * TURN {
            machine.cycle();
            least = least.min(machine.velocity());
        }
        slowest.push(least);
        assert!(machine.until(2_000, |machine| machine.has(10)));
        assert!((machine.position() - 6 * TURN).abs() <= TURN / 400);
    }
    assert!(slowest[0] < TURN / 2, "comes to rest in between: {}", slowest[0]);
    assert!(slowest[1] > 9 * TURN, "does not slow down: {}", slowest[1]);
}

#[test]
fn pp_halts_and_goes_on() {
    let mut machine = drive("");
    machine.enable(PP);
    set_point(&mut machine, 10 * TURN, 0);
    machine.cycles(200);
    machine.command(0x10F);
    assert!(machine.until(500, |machine| machine.has(10)), "target reached says that it stands");
    let stood = machine.position();
    machine.cycles(100);
    assert!((machine.position() - stood).abs() <= TURN / 100);
    assert!(stood < 9 * TURN);
    machine.command(0x0F);
    assert!(!machine.has(10));
    assert!(machine.until(3_000, |machine| machine.has(10)));
    assert!((machine.position() - 10 * TURN).abs() <= TURN / 400);
}

#[test]
fn pv_ramps_to_its_velocity_and_back() {
    let mut machine = drive("");
    machine.write(0x6083, 0, 4, 20 * TURN);
    machine.write(0x6084, 0, 4, 40 * TURN);
    machine.enable(PV);
    machine.cycles(20);
    assert!(machine.has(12), "speed is zero");
    machine.set(TARGET_VELOCITY, 0, 4 * TURN);
    machine.cycles(101);
    let half = machine.velocity() as f64 / (2 * TURN) as f64;
    assert!((0.93..1.07).contains(&half), "half of it after 100 ms: {half}");
    assert!(!machine.has(10) && !machine.has(12));
    machine.cycles(150);
    assert!((machine.velocity() - 4 * TURN).abs() < TURN / 10);
    assert!(machine.has(10), "reached");
    machine.set(TARGET_VELOCITY, 0, 0);
    machine.cycles(51);
    let half = machine.velocity() as f64 / (2 * TURN) as f64;
    assert!((0.93..1.07).contains(&half), "half of it after 50 ms: {half}");
    machine.cycles(120);
    assert!(machine.has(10) && machine.has(12));
}

#[test]
fn the_velocity_has_limits() {
    let mut machine = drive("");
    machine.write(0x607F, 0, 4, 6 * TURN);
    machine.write(0x6080, 0, 4, 600);
    machine.enable(PV);
    for (target, velocity) in [(20 * TURN, 6 * TURN), (-20 * TURN, -6 * TURN), (TURN, TURN)] {
        machine.set(TARGET_VELOCITY, 0, target);
        machine.cycles(400);
        assert!((machine.velocity() - velocity).abs() < TURN / 10, "{target}");
        assert_eq!(machine.has(11), target != velocity);
    }
    // 600 rpm, which counts in csv too.
    machine.set(TARGET_VELOCITY, 0, 15 * TURN);
    machine.set(MODE, 0, CSV);
    machine.cycles(400);
    assert!((machine.velocity() - 10 * TURN).abs() < TURN / 10);
}

#[test]
fn software_limits_hold_in_every_mode() {
    let mut machine = drive("");
    machine.write(0x607D, 1, 4, -TURN);
    machine.write(0x607D, 2, 4, TURN);
    machine.enable(CSP);
    for n in 1..=600 {
        machine.set(TARGET_POSITION, 0, n * TURN / 300);
        machine.cycle();
    }
    machine.cycles(100);
    assert!((machine.position() - TURN).abs() <= 3 && machine.has(11) && !machine.has(12));
    machine.set(MODE, 0, PP);
    machine.cycles(3);
    set_point(&mut machine, -5 * TURN, 0);
    assert!(machine.until(2_000, |machine| machine.has(10)));
    assert!((machine.position() + TURN).abs() <= TURN / 400 && machine.has(11));
    for (mode, target, end) in [(CSV, 5 * TURN, TURN), (PV, -5 * TURN, -TURN)] {
        machine.set(MODE, 0, mode);
        machine.set(TARGET_VELOCITY, 0, target);
        machine.cycles(3_000);
        assert!((machine.position() - end).abs() < TURN / 20, "{} of {end}", machine.position());
        assert!(machine.has(11));
    }
}

#[test]
fn a_limit_switch_lets_nothing_pass_but_the_way_back() {
    let mut machine = drive(r#", "switches": { "positiveLimit": 65536 }"#);
    machine.enable(CSV);
    machine.set(TARGET_VELOCITY, 0, 4 * TURN);
    machine.cycles(1_000);
    assert_eq!(machine.input(DIGITAL_INPUTS, 0) & 3, 2);
    assert!(machine.velocity().abs() < TURN / 50 && machine.has(11));
    let stood = machine.position();
    assert!(stood < 2 * TURN);
    machine.set(TARGET_VELOCITY, 0, -TURN);
    machine.cycles(500);
    assert!(machine.position() < stood - TURN / 4);
}

#[test]
fn the_following_error_faults_after_its_time_only() {
    for (window, timeout_ms, faults) in [
        (TURN / 100, 5, true),
        // Switched off by either value.
        (0, 5, false),
        (0xFFFF_FFFF, 5, false),
        // Too long for the error to last.
        (TURN / 100, 1_000, false),
        // Wider than the error.
        (TURN, 0, false),
    ] {
        let mut machine = drive("");
        machine.write(0x6065, 0, 4, window);
        machine.write(0x6066, 0, 2, timeout_ms);
        machine.enable(CSP);
        machine.set(TARGET_POSITION, 0, TURN / 4);
        machine.cycles(500);
        let expected = if faults { FAULT } else { OPERATION_ENABLED };
        assert_eq!(machine.state(), expected, "window {window}, {timeout_ms} ms");
        let code = if faults { 0x8611 } else { 0 };
        assert_eq!(machine.input(ERROR_CODE, 0), code);
        assert_eq!(machine.upload(0x1001, 0), Ok(if faults { 0x21 } else { 0 }));
    }
}

#[test]
fn missing_set_points_fault_at_sync0() {
    for (allowed, faults) in [(2, true), (0, false)] {
        let mut machine = prepared(&format!(r#", "missedSetPoints": {allowed}"#));
        machine.synchronise(1_000_000);
        machine.operate();
        machine.cycles(30);
        machine.enable(CSP);
        machine.cycles(20);
        assert_eq!(machine.state(), OPERATION_ENABLED);
        // A single one is made up for.
        machine.now_ns += 1_000_000;
        machine.cycles(5);
        assert_eq!(machine.state(), OPERATION_ENABLED);
        machine.now_ns += 3_000_000;
        machine.cycles(20);
        let expected = if faults { FAULT } else { OPERATION_ENABLED };
        assert_eq!(machine.state(), expected);
        assert_eq!(machine.input(ERROR_CODE, 0), if faults { 0x8700 } else { 0 });
    }
}

#[test]
fn a_set_point_that_is_missing_is_continued() {
    let mut machine = prepared(r#", "missedSetPoints": 0"#);
    machine.synchronise(1_000_000);
    machine.operate();
    machine.cycles(30);
    machine.enable(CSP);
    let mut target = machine.position();
    let step = TURN / 500;
    for _ in 0..100 {
        target += step;
        machine.set(TARGET_POSITION, 0, target);
        machine.cycle();
    }
    let lag = machine.signed(FOLLOWING_ERROR, 0);
    // One set point does not come; the next one is where it would have been.
    machine.now_ns += 1_000_000;
    target += 2 * step;
    machine.set(TARGET_POSITION, 0, target);
    machine.cycles(1);
    let worst = (machine.signed(FOLLOWING_ERROR, 0) - lag).abs();
    assert!(worst < step / 4, "{worst} of {step}");
}

#[test]
fn two_axes_are_two_drives() {
    let mut machine = drive(r#", "axes": 2"#);
    machine.enable(CSP);
    assert_eq!(machine.input(0x6841, 0) & 0x6F, SWITCH_ON_DISABLED);
    machine.set(0x6860, 0, CSV);
    for word in [0x06, 0x07, 0x0F] {
        machine.set(0x6840, 0, word);
        machine.cycles(3);
    }
    assert_eq!(machine.input(0x6841, 0) & 0x6F, OPERATION_ENABLED);
    machine.set(0x68FF, 0, TURN);
    machine.cycles(500);
    assert!((machine.signed(0x686C, 0) - TURN).abs() < TURN / 20);
    assert!(machine.position().abs() <= 2);
    assert_eq!(machine.upload(0x6D02, 0), Ok(0x3A5));
}

#[test]
fn a_touch_probe_keeps_the_position_of_its_edge() {
    let settings = r#", "switches": { "probes": [{ "from": 10000, "to": 20000 }] }"#;
    let mut machine = drive(settings);
    machine.enable(CSV);
    machine.set(0x60B8, 0, 0x31);
    machine.set(TARGET_VELOCITY, 0, TURN);
    machine.cycles(600);
    assert_eq!(machine.input(0x60B9, 0), 0x07, "enabled, both edges stored");
    let rising = machine.signed(0x60BA, 0);
    assert!((10_000..10_010).contains(&rising), "{rising}");
    let falling = machine.upload(0x60BB, 0).unwrap();
    assert!((20_000..20_010).contains(&falling), "{falling}");
    // The index, once.
    machine.set(0x60B8, 0, 0);
    machine.cycles(3);
    assert_eq!(machine.input(0x60B9, 0), 0);
    machine.set(0x60B8, 0, 0x15);
    machine.cycles(1_200);
    let index = machine.signed(0x60BA, 0);
    assert_eq!(index % TURN, 0, "{index}");
    machine.cycles(1_500);
    assert_eq!(machine.signed(0x60BA, 0), index);
}

#[test]
fn an_akd_can_have_the_program_with_the_objects_that_it_has() {
    let mut machine = Machine::new(r#"{ "type": "AKD", "program": { "kind": "servo" } }"#);
    for (assignment, pdo) in [(0x1C12, 0x1724), (0x1C13, 0x1B24)] {
        machine.write(assignment, 0, 1, 0);
        machine.write(assignment, 1, 2, pdo);
        machine.write(assignment, 0, 1, 1);
    }
    machine.write(MODE, 0, 1, CSP);
    // Its own default is not known.
    machine.write(0x6072, 0, 2, 3_000);
    machine.operate();
    for word in [0x06, 0x07, 0x0F] {
        machine.command(word);
    }
    assert_eq!(machine.state(), OPERATION_ENABLED);
    for n in 1..=200 {
        machine.set(TARGET_POSITION, 0, n * 50);
        machine.cycle();
    }
    machine.cycles(100);
    assert!((machine.position() - 10_000).abs() <= 2);
}
