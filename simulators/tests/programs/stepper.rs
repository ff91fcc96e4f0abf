//! A stepper terminal: process data in all their variants, travel commands, latches, and a motor that loses steps where the
//! torque that it needs is more than it has. Expected are the words of the vendor's documentation and closed forms.

use crate::machine::Machine;

/// Position units of a revolution: increments of the encoder, or microsteps.
const ENCODER: i64 = 4_096;
const MICROSTEPS: i64 = 200 * 64;

/// A terminal with settings beside its kind (JSON, with a comma in front), in PRE-OP.
fn prepared(settings: &str) -> Machine {
    let program = format!(r#"{{ "kind": "stepper"{settings} }}"#);
    Machine::new(&format!(r#"{{ "type": "EL7041-like", "program": {program} }}"#))
}

/// The same in OP with other PDOs, enabled and ready.
fn ready(mut machine: Machine, rx: &[i64], tx: &[i64]) -> Machine {
    for (assignment, pdos) in [(0x1C12, rx), (0x1C13, tx)] {
        write(&mut machine, assignment, 0, 1, 0);
        for (subindex, &pdo) in (1..).zip(pdos) {
            write(&mut machine, assignment, subindex, 2, pdo);
        }
        write(&mut machine, assignment, 0, 1, pdos.len() as i64);
    }
    machine.operate();
    machine.set(0x7010, 1, 1);
    assert!(machine.until(150, |machine| machine.input(0x6010, 2) == 1), "ready");
    machine
}

fn write(machine: &mut Machine, index: u16, subindex: u8, bytes: u8, value: i64) {
    let written = machine.download(index, subindex, bytes, value);
    assert_eq!(written, Ok(()), "{index:#06x}:{subindex:02x}");
}

const VELOCITY: [&[i64]; 2] = [&[0x1601, 0x1602, 0x1604], &[0x1A01, 0x1A03, 0x1A07]];
const POSITION: [&[i64]; 2] = [&[0x1601, 0x1602, 0x1603], &[0x1A01, 0x1A03]];
const POSITIONING: [&[i64]; 2] = [&[0x1601, 0x1602, 0x1606], &[0x1A01, 0x1A03, 0x1A06]];

fn counter(machine: &Machine) -> i64 {
    machine.signed(0x6000, 0x11)
}

/// Gives a share of the speed range on a ramp that no motor loses steps on.
fn ramp(machine: &mut Machine, from: f64, to: f64) {
    for n in 1..=200 {
        let share = from + (to - from) * f64::from(n) / 200.0;
        machine.set(0x7010, 0x21, (share * 32_767.0) as i64);
        machine.cycle();
    }
}

#[test]
fn by_default_it_has_the_process_data_of_the_scan() {
    let mut machine = prepared("");
    machine.operate();
    let application = &machine.segment.devices()[0].esc;
    assert_eq!((application.output_bytes(), application.input_bytes()), (8, 8));
    for (assignment, pdos) in
        [(0x1C12, [0x1600, 0x1602, 0x1604].as_slice()), (0x1C13, &[0x1A00, 0x1A03])]
    {
        for (subindex, &pdo) in (1..).zip(pdos) {
            assert_eq!(machine.upload(assignment, subindex), Ok(pdo));
        }
    }
}

#[test]
fn enabling_takes_the_time_of_drive_on_delay() {
    let mut machine = prepared("");
    write(&mut machine, 0x8010, 0x10, 2, 40);
    machine.operate();
    machine.cycles(5);
    assert_eq!((machine.input(0x6010, 1), machine.input(0x6010, 2)), (1, 0));
    machine.set(0x7010, 1, 1);
    machine.cycles(38);
    assert_eq!(machine.input(0x6010, 2), 0);
    machine.cycles(6);
    assert_eq!(machine.input(0x6010, 2), 1);
    machine.set(0x7010, 1, 0);
    machine.cycles(3);
    assert_eq!(machine.input(0x6010, 2), 0);
}

#[test]
fn a_velocity_is_a_share_of_the_speed_range() {
    // 0x8012:05 is 0 for 1000 full steps a second, and one more for twice as many.
    for range in 0..4 {
        let mut machine = prepared("");
        write(&mut machine, 0x8012, 0x05, 1, range);
        let mut machine = ready(machine, VELOCITY[0], VELOCITY[1]);
        let share = 0.4 / f64::from(1 << range);
        ramp(&mut machine, 0.0, share);
        let from = counter(&machine);
        machine.cycles(500);
        // 400 full steps a second are two revolutions.
        let way = counter(&machine) - from;
        assert!((way - ENCODER).abs() < 30, "range {range}: {way}");
        assert_eq!((machine.input(0x6010, 5), machine.input(0x6010, 6)), (1, 0));
        ramp(&mut machine, share, -share);
        assert_eq!((machine.input(0x6010, 5), machine.input(0x6010, 6)), (0, 1));
    }
}

#[test]
fn below_the_start_velocity_it_stands() {
    let mut machine = prepared("");
    write(&mut machine, 0x8010, 0x09, 2, 500);
    let mut machine = ready(machine, VELOCITY[0], VELOCITY[1]);
    let from = counter(&machine);
    machine.set(0x7010, 0x21, 32_767 * 4 / 100);
    machine.cycles(100);
    assert!((counter(&machine) - from).abs() <= 2);
    machine.set(0x7010, 0x21, 32_767 * 6 / 100);
    machine.cycles(100);
    assert!(counter(&machine) - from > 100);
}

#[test]
fn steps_are_lost_above_the_torque_of_the_motor_and_not_below() {
    for (load, loses) in [(0.6, false), (1.5, true)] {
        let settings = format!(r#", "load": {{ "inertiaKgM2": 5e-5, "coulombNm": {load} }}"#);
        let mut machine = ready(prepared(&settings), VELOCITY[0], VELOCITY[1]);
        let (field, shaft) = (machine.signed(0x6010, 0x14), counter(&machine));
        ramp(&mut machine, 0.0, 0.1);
        machine.cycles(1_000);
        ramp(&mut machine, 0.1, 0.0);
        machine.cycles(100);
        let steps = (machine.signed(0x6010, 0x14) - field) as f64 / 64.0;
        let turned = (counter(&machine) - shaft) as f64 / ENCODER as f64 * 200.0;
        assert!(steps > 100.0);
        if loses {
            assert!(turned < steps / 2.0, "{turned} of {steps}");
        } else {
            assert!((turned - steps).abs() < 1.0, "{turned} of {steps}");
        }
    }
}

#[test]
fn what_is_lost_is_lost_in_periods_of_four_full_steps() {
    // Far too sudden: 4000 full steps a second from standstill.
    let mut machine = prepared("");
    write(&mut machine, 0x8012, 0x05, 1, 3);
    let mut machine = ready(machine, VELOCITY[0], VELOCITY[1]);
    let (field, shaft) = (machine.signed(0x6010, 0x14), counter(&machine));
    machine.set(0x7010, 0x21, 16_384);
    machine.cycles(100);
    machine.set(0x7010, 0x21, 0);
    machine.cycles(300);
    let steps = (machine.signed(0x6010, 0x14) - field) as f64 / 64.0;
    let turned = (counter(&machine) - shaft) as f64 / ENCODER as f64 * 200.0;
    let lost = (steps - turned) / 4.0;
    assert!(lost > 2.0, "{lost} periods");
    assert!((lost - lost.round()).abs() < 0.1, "{lost} periods");
}

#[test]
fn less_current_is_less_torque() {
    let settings = r#", "load": { "inertiaKgM2": 5e-5, "coulombNm": 0.6 }"#;
    let mut machine = prepared(settings);
    write(&mut machine, 0x8010, 0x02, 2, 1_000);
    let mut machine = ready(machine, VELOCITY[0], VELOCITY[1]);
    machine.set(0x7010, 3, 1);
    machine.cycles(3);
    assert_eq!(machine.input(0x6010, 7), 1, "torque reduced");
    let from = counter(&machine);
    ramp(&mut machine, 0.0, 0.1);
    machine.cycles(500);
    assert!(counter(&machine) - from < 50);
    machine.set(0x7010, 3, 0);
    ramp(&mut machine, 0.0, 0.1);
    machine.cycles(500);
    assert!(counter(&machine) - from > ENCODER / 4);
}

#[test]
fn a_cyclic_position_is_followed() {
    for (feedback, turn) in [(0, ENCODER), (1, MICROSTEPS)] {
        let mut machine = prepared("");
        write(&mut machine, 0x8012, 0x08, 1, feedback);
        let mut machine = ready(machine, POSITION[0], POSITION[1]);
        for n in 1..=500 {
            machine.set(0x7010, 0x11, n * turn / 250);
            machine.cycle();
        }
        machine.cycles(200);
        assert!((counter(&machine) - 2 * turn).abs() <= turn / 400, "{}", counter(&machine));
    }
}

/// Starts a travel command and waits for its end.
fn travel(machine: &mut Machine, kind: i64, target: i64) {
    machine.set(0x7020, 1, 0);
    machine.cycles(3);
    machine.set(0x7020, 0x11, target);
    machine.set(0x7020, 0x22, kind);
    machine.set(0x7020, 1, 1);
    machine.cycles(3);
    assert_eq!((machine.input(0x6020, 1), machine.input(0x6020, 2)), (1, 0), "busy");
    assert!(machine.until(10_000, |machine| machine.input(0x6020, 1) == 0), "comes to an end");
    machine.cycles(50);
}

#[test]
fn travel_commands_by_their_start_types() {
    let mut machine = prepared("");
    write(&mut machine, 0x8020, 0x0E, 4, ENCODER);
    let mut machine = ready(machine, POSITIONING[0], POSITIONING[1]);
    for (parameter, value) in [(0x21, 5_000), (0x23, 500), (0x24, 500)] {
        machine.set(0x7020, parameter, value);
    }
    for (kind, target, position) in [
        (0x0001, 3 * ENCODER, 3 * ENCODER),
        (0x0002, -ENCODER, 2 * ENCODER),
        (0x0006, ENCODER / 2, 5 * ENCODER / 2),
        // Modulo a revolution: the shortest way, upwards, downwards.
        (0x0105, ENCODER / 4, 9 * ENCODER / 4),
        (0x0205, 0, 3 * ENCODER),
        (0x0305, ENCODER / 2, 5 * ENCODER / 2),
    ] {
        travel(&mut machine, kind, target);
        let is = machine.signed(0x6020, 0x11);
        assert!((is - position).abs() <= 2, "{kind:#06x}: {is} in place of {position}");
        assert_eq!(machine.input(0x6020, 2), 1, "{kind:#06x}: in target");
        assert!((counter(&machine) - position).abs() <= 10, "the shaft too");
    }
    machine.set(0x7020, 1, 0);
    machine.cycles(3);
    machine.set(0x7020, 0x22, 0x0042);
    machine.set(0x7020, 1, 1);
    machine.cycles(3);
    assert_eq!((machine.input(0x6020, 1), machine.input(0x6020, 4)), (0, 1), "no start type");
}

#[test]
fn a_travel_command_takes_the_time_of_its_trapezoid() {
    let mut machine = ready(prepared(""), POSITIONING[0], POSITIONING[1]);
    for (parameter, value) in [(0x21, 5_000), (0x23, 400), (0x24, 400)] {
        machine.set(0x7020, parameter, value);
    }
    travel(&mut machine, 1, 10 * ENCODER);
    // 1000 full steps a second are 5 revolutions; 400 ms to 10 of them.
    let expected_ms = 10.0 / 5.0 * 1e3 + 200.0;
    let took_ms = machine.input(0x6020, 0x22) as f64;
    assert!((took_ms - expected_ms).abs() < 20.0, "{took_ms} ms of {expected_ms}");
}

#[test]
fn endless_travel_ends_with_execute_and_with_the_emergency_stop() {
    for (kind, sign) in [(3, 1), (4, -1)] {
        let mut machine = ready(prepared(""), POSITIONING[0], POSITIONING[1]);
        machine.set(0x7020, 0x21, 2_000);
        machine.set(0x7020, 0x22, kind);
        machine.set(0x7020, 1, 1);
        machine.cycles(500);
        assert!((machine.signed(0x6020, 0x21) - sign * 2_000).abs() < 20);
        if kind == 3 {
            machine.set(0x7020, 1, 0);
        } else {
            machine.set(0x7020, 2, 1);
        }
        machine.cycles(3);
        assert_eq!(machine.input(0x6020, 7), 1, "decelerates");
        assert!(machine.until(500, |machine| machine.input(0x6020, 1) == 0));
        assert_eq!(machine.signed(0x6020, 0x21), 0);
        assert_eq!(machine.input(0x6020, 2), 0, "no target");
    }
}

#[test]
fn a_calibration_finds_the_cam() {
    // The cam on input 1, below the start; positions of inputs are in microsteps of the machine.
    let settings = r#", "inputs": [{ "from": -30000, "to": -20000 }]"#;
    let mut machine = prepared(settings);
    write(&mut machine, 0x8020, 0x09, 2, 2_000);
    write(&mut machine, 0x8020, 0x0A, 2, 200);
    write(&mut machine, 0x8020, 0x08, 4, 5_000);
    let mut machine = ready(machine, POSITIONING[0], POSITIONING[1]);
    machine.set(0x7020, 0x22, 0x6000);
    machine.set(0x7020, 1, 1);
    assert!(machine.until(10_000, |machine| machine.input(0x6020, 5) == 1), "calibrated");
    machine.cycles(500);
    assert_eq!(machine.input(0x6010, 0x0C), 0, "off the cam");
    let position = machine.signed(0x6020, 0x11);
    assert!((5_000..5_200).contains(&position), "{position}");
    machine.set(0x7020, 1, 0);
    machine.cycles(3);
    machine.set(0x7020, 0x22, 0x6F00);
    machine.set(0x7020, 1, 1);
    machine.cycles(3);
    assert_eq!(machine.input(0x6020, 5), 0, "cleared");
}

#[test]
fn the_counter_can_be_set() {
    let mut machine = ready(prepared(""), VELOCITY[0], VELOCITY[1]);
    machine.set(0x7000, 0x11, 123_456);
    machine.set(0x7000, 3, 1);
    machine.cycles(3);
    assert_eq!((machine.input(0x6000, 3), counter(&machine)), (1, 123_456));
    machine.set(0x7000, 3, 0);
    machine.cycles(3);
    assert_eq!((machine.input(0x6000, 3), counter(&machine)), (0, 123_456));
}

#[test]
fn latches_keep_the_counter_at_their_edges() {
    // From a quarter to half a revolution.
    let settings = r#", "latch": { "from": 3200, "to": 6400 }"#;
    for (bit, valid, expected) in [(2, 2, ENCODER / 4), (4, 2, ENCODER / 2), (1, 1, ENCODER)] {
        let mut machine = ready(prepared(settings), VELOCITY[0], VELOCITY[1]);
        machine.set(0x7000, bit, 1);
        ramp(&mut machine, 0.0, 0.1);
        machine.cycles(1_500);
        assert_eq!(machine.input(0x6000, valid), 1);
        let latched = machine.signed(0x6000, 0x12);
        assert!((latched - expected).abs() <= 2, "{latched} in place of {expected}");
        machine.cycles(1_500);
        assert_eq!(machine.signed(0x6000, 0x12), latched, "until it is armed anew");
        machine.set(0x7000, bit, 0);
        machine.cycles(3);
        assert_eq!(machine.input(0x6000, valid), 0);
    }
}

#[test]
fn a_compact_counter_is_the_lower_half() {
    let mut machine = ready(prepared(""), &[0x1600, 0x1602, 0x1604], &[0x1A00, 0x1A03]);
    machine.set(0x7000, 0x11, 0xFFF0);
    machine.set(0x7000, 3, 1);
    machine.cycles(3);
    assert_eq!(machine.input(0x6000, 0x11), 0xFFF0);
    assert_eq!(machine.upload(0x6000, 0x11), Ok(0xFFF0));
    ramp(&mut machine, 0.0, 0.1);
    machine.cycles(500);
    assert!(machine.input(0x6000, 0x11) < 0xFF00, "it has wrapped");
    assert!(machine.upload(0x6000, 0x11).unwrap() > 0x1_0000, "the object has not");
}

#[test]
fn the_supply_is_watched() {
    for (volts, warning, error) in [(50, 0, 0), (38, 1, 0), (56, 1, 0), (7, 1, 1)] {
        let mut machine = prepared(&format!(r#", "supplyVoltageV": {volts}"#));
        machine.operate();
        machine.set(0x7010, 1, 1);
        machine.cycles(150);
        assert_eq!(machine.input(0x6010, 3), warning, "{volts} V");
        assert_eq!(machine.input(0x6010, 4), error, "{volts} V");
        assert_eq!(machine.input(0x6010, 2), 1 - error, "{volts} V: ready");
    }
}

#[test]
fn a_lag_beyond_its_limit_is_an_error_that_reset_takes_away() {
    let settings = r#", "load": { "inertiaKgM2": 5e-5, "coulombNm": 2 }"#;
    let mut machine = prepared(settings);
    write(&mut machine, 0x8020, 0x10, 2, 200);
    write(&mut machine, 0x8021, 0x14, 1, 1);
    let mut machine = ready(machine, POSITIONING[0], POSITIONING[1]);
    machine.set(0x7020, 0x11, 4 * ENCODER);
    machine.set(0x7020, 0x22, 1);
    machine.set(0x7020, 1, 1);
    assert!(machine.until(2_000, |machine| machine.input(0x6020, 4) == 1));
    machine.cycles(3);
    assert_eq!((machine.input(0x6010, 4), machine.input(0x6010, 2)), (1, 0));
    machine.set(0x7020, 1, 0);
    machine.set(0x7010, 2, 1);
    machine.cycles(3);
    assert_eq!((machine.input(0x6010, 4), machine.input(0x6020, 4)), (0, 0));
}

#[test]
fn the_toggle_bits_toggle() {
    let mut machine = ready(prepared(""), VELOCITY[0], VELOCITY[1]);
    let toggles = |machine: &mut Machine| {
        machine.cycle();
        (machine.input(0x6000, 0x10), machine.input(0x6010, 0x10))
    };
    let once = toggles(&mut machine);
    assert_ne!(toggles(&mut machine), once);
    assert_eq!(toggles(&mut machine), once);
}
