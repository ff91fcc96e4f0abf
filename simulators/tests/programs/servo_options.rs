//! Every value of every option code (0x605A to 0x605E, 0x6007): how a moving drive comes to rest, and where it ends up.
//! Expected are the tables of IEC 61800-7-201, "Option code objects", typed off public manuals.

use crate::machine::Machine;
use crate::servo::*;

/// How a drive at 10 revolutions a second comes to rest.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rest {
    /// No torque: friction alone.
    Coasts,
    /// On a ramp of so many ms.
    Ramp(usize),
    /// Within a few ms, with at most so many ‰ of torque.
    Torque(i64),
}

/// 0x6084 is 20 revolutions/s², 0x6085 is 100: 500 and 100 ms from 10 revolutions/s.
const SLOW_DOWN: Rest = Rest::Ramp(500);
const QUICK_STOP: Rest = Rest::Ramp(100);
/// 0x6072, and the motor's peak.
const CURRENT_LIMIT: Rest = Rest::Torque(600);
const VOLTAGE_LIMIT: Rest = Rest::Torque(3_000);

/// A drive at 10 revolutions/s in pv, with an option code.
fn moving(index: u16, code: i64) -> Machine {
    let mut machine = prepared("");
    machine.write(0x6083, 0, 4, 500 * TURN);
    machine.write(0x6084, 0, 4, 20 * TURN);
    machine.write(0x6085, 0, 4, 100 * TURN);
    machine.write(0x6072, 0, 2, 600);
    machine.write(index, 0, 2, code);
    machine.operate();
    machine.enable(PV);
    machine.set(TARGET_VELOCITY, 0, 10 * TURN);
    machine.cycles(300);
    assert!((machine.velocity() - 10 * TURN).abs() < TURN / 5);
    machine
}

/// Lets it come to rest, in steps of 125 µs, and compares how it does. Its states, one after another.
fn rests(machine: &mut Machine, expected: Rest) -> Vec<i64> {
    machine.cycle_ns = 125_000;
    let (mut states, mut cycles, mut torque) = (vec![machine.state()], 0usize, 0);
    // Two cycles until the word is there and its answer is back.
    while machine.velocity().abs() > TURN / 20 && cycles < 8 * 600 {
        machine.cycle();
        cycles += 1;
        torque = torque.min(machine.torque());
        if states.last() != Some(&machine.state()) {
            states.push(machine.state());
        }
    }
    let ms = cycles / 8;
    match expected {
        Rest::Coasts => {
            assert!(ms >= 150, "coasts for {ms} ms");
            assert!(torque > -50, "brakes with {torque}");
        }
        Rest::Ramp(expected) => {
            assert!(ms.abs_diff(expected) < 20, "{ms} ms of {expected}");
            assert!(torque > -550, "brakes with {torque}");
        }
        Rest::Torque(most) => {
            assert!(ms <= 20, "{ms} ms");
            assert!(torque >= -most - 20, "{torque} of {most}");
            assert!(-torque > most * 2 / 5, "{torque} of {most}");
        }
    }
    machine.cycle_ns = 1_000_000;
    machine.cycles(5);
    states.push(machine.state());
    states.dedup();
    states
}

#[test]
fn quick_stop_option_code() {
    for (code, rest, stays) in [
        (0, Rest::Coasts, false),
        (1, SLOW_DOWN, false),
        (2, QUICK_STOP, false),
        (3, CURRENT_LIMIT, false),
        (4, VOLTAGE_LIMIT, false),
        (5, SLOW_DOWN, true),
        (6, QUICK_STOP, true),
        (7, CURRENT_LIMIT, true),
        (8, VOLTAGE_LIMIT, true),
    ] {
        let mut machine = moving(0x605A, code);
        machine.set(CONTROLWORD, 0, 0x02);
        let states = rests(&mut machine, rest);
        let expected: &[i64] = match (stays, rest) {
            // With nothing to wait for, transition 12 follows 11 between two frames.
            (false, Rest::Coasts) => &[OPERATION_ENABLED, SWITCH_ON_DISABLED],
            (false, _) => &[OPERATION_ENABLED, QUICK_STOP_ACTIVE, SWITCH_ON_DISABLED],
            (true, _) => &[OPERATION_ENABLED, QUICK_STOP_ACTIVE],
        };
        assert_eq!(states, expected, "0x605A = {code}");
        assert_eq!(machine.has(10), stays, "0x605A = {code}: stands, and says so");
        assert_eq!(machine.has(4), stays, "0x605A = {code}: has power");
        // Only where it stays, enabling leads back.
        machine.set(TARGET_VELOCITY, 0, 0);
        machine.command(0x0F);
        let expected = if stays { OPERATION_ENABLED } else { SWITCH_ON_DISABLED };
        assert_eq!(machine.state(), expected, "0x605A = {code}");
    }
}

#[test]
fn shutdown_option_code() {
    for (code, rest) in [(0, Rest::Coasts), (1, SLOW_DOWN)] {
        let mut machine = moving(0x605B, code);
        machine.set(CONTROLWORD, 0, 0x06);
        let states = rests(&mut machine, rest);
        assert_eq!(states, [OPERATION_ENABLED, READY_TO_SWITCH_ON], "0x605B = {code}");
    }
}

#[test]
fn disable_operation_option_code() {
    for (code, rest) in [(0, Rest::Coasts), (1, SLOW_DOWN)] {
        let mut machine = moving(0x605C, code);
        machine.set(CONTROLWORD, 0, 0x07);
        let states = rests(&mut machine, rest);
        assert_eq!(states, [OPERATION_ENABLED, SWITCHED_ON], "0x605C = {code}");
    }
}

#[test]
fn halt_option_code() {
    for (code, rest) in [(1, SLOW_DOWN), (2, QUICK_STOP), (3, CURRENT_LIMIT), (4, VOLTAGE_LIMIT)] {
        let mut machine = moving(0x605D, code);
        machine.set(CONTROLWORD, 0, 0x10F);
        let states = rests(&mut machine, rest);
        assert_eq!(states, [OPERATION_ENABLED], "0x605D = {code}");
        machine.cycles(20);
        assert!(machine.has(10), "0x605D = {code}: stands, and says so");
        machine.command(0x0F);
        machine.cycles(300);
        assert!((machine.velocity() - 10 * TURN).abs() < TURN / 5, "0x605D = {code}: goes on");
    }
}

#[test]
fn fault_reaction_option_code() {
    for (code, rest) in
        [(0, Rest::Coasts), (1, SLOW_DOWN), (2, QUICK_STOP), (3, CURRENT_LIMIT), (4, VOLTAGE_LIMIT)]
    {
        let mut machine = moving(0x605E, code);
        // SAFE-OP is a loss of the connection, which is a fault by default. Inputs are still read there.
        machine.send_request(4);
        let states = rests(&mut machine, rest);
        let expected: &[i64] = match rest {
            Rest::Coasts => &[OPERATION_ENABLED, FAULT],
            _ => &[OPERATION_ENABLED, FAULT_REACTION_ACTIVE, FAULT],
        };
        assert_eq!(states, expected, "0x605E = {code}");
        assert_eq!(machine.input(ERROR_CODE, 0), 0x7500);
        assert!(!machine.has(4), "no power");
    }
}

#[test]
fn abort_connection_option_code() {
    for (code, rest, state) in [
        (1, QUICK_STOP, FAULT),
        (2, Rest::Coasts, SWITCH_ON_DISABLED),
        (3, QUICK_STOP, SWITCH_ON_DISABLED),
    ] {
        let mut machine = moving(0x6007, code);
        machine.send_request(4);
        let states = rests(&mut machine, rest);
        assert_eq!(states.last(), Some(&state), "0x6007 = {code}");
    }
    let mut machine = moving(0x6007, 0);
    machine.send_request(4);
    machine.cycles(500);
    assert_eq!(machine.state(), OPERATION_ENABLED, "0x6007 = 0");
    assert!((machine.velocity() - 10 * TURN).abs() < TURN / 5, "goes on as it was told last");
    assert!(!machine.has(9), "and the controlword counts no more");
}

#[test]
fn values_that_are_none_are_refused() {
    const TOO_HIGH: u32 = 0x0609_0031;
    const TOO_LOW: u32 = 0x0609_0032;
    let mut machine = prepared("");
    for (index, least, most) in [
        (0x6007, 0, 3),
        (0x605A, 0, 8),
        (0x605B, 0, 1),
        (0x605C, 0, 1),
        (0x605D, 1, 4),
        (0x605E, 0, 4),
        (0x6086, 0, 0),
    ] {
        assert_eq!(machine.download(index, 0, 2, most + 1), Err(TOO_HIGH), "{index:#06x}");
        assert_eq!(machine.download(index, 0, 2, least - 1), Err(TOO_LOW), "{index:#06x}");
        for code in least..=most {
            machine.write(index, 0, 2, code);
        }
    }
}

#[test]
fn disable_voltage_lets_it_coast_whatever_the_option_codes() {
    let mut machine = moving(0x605A, 2);
    machine.set(CONTROLWORD, 0, 0x00);
    let states = rests(&mut machine, Rest::Coasts);
    assert_eq!(states, [OPERATION_ENABLED, SWITCH_ON_DISABLED]);
}

#[test]
fn an_emergency_tells_of_a_fault_and_of_its_end() {
    let mut machine = moving(0x605E, 2);
    machine.send_request(4);
    machine.cycles(200);
    assert_eq!(machine.state(), FAULT);
    assert_eq!(machine.request(8), (8, 0));
    // An edge: a level that is there already resets nothing.
    machine.command(0x00);
    machine.command(0x80);
    machine.reaches(10, SWITCH_ON_DISABLED);
    assert_eq!(machine.upload(0x603F, 0), Ok(0));
    let mut told = std::mem::take(&mut machine.other_mail);
    while let Some(mail) = machine.mail() {
        told.push(mail);
        machine.cycle();
    }
    // Mailbox header, CoE header, code, register.
    let codes: Vec<_> =
        told.iter().map(|mail| (u16::from_le_bytes([mail[8], mail[9]]), mail[10])).collect();
    assert_eq!(codes, [(0x7500, 0x11), (0, 0)]);
}

#[test]
fn a_brake_holds_a_load_and_opens_in_time() {
    let settings = r#", "load": { "torqueNm": 0.5 }, "brake": { "torqueNm": 2, "releaseMs": 40 }"#;
    let mut machine = drive(settings);
    machine.cycles(300);
    assert_eq!(machine.position(), 0);
    for word in [0x06, 0x07] {
        machine.command(word);
    }
    machine.set(MODE, 0, CSP);
    machine.command(0x0F);
    assert_eq!(machine.state(), SWITCHED_ON, "while the brake opens");
    machine.reaches(50, OPERATION_ENABLED);
    machine.cycles(200);
    // The load pulls until the controllers hold it.
    assert!(machine.position().abs() < 30 && (machine.torque() - 500).abs() < 60);
    machine.command(0x00);
    machine.cycles(300);
    assert!(machine.position().abs() < 60, "{}", machine.position());
}
