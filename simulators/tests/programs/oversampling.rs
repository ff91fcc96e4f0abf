//! Several samples a cycle: by SYNC0 and SYNC1, by SYNC0 alone, and by frames; always the same function of time.

use std::f64::consts::TAU;

use crate::machine::Machine;

const SAMPLES: usize = 10;
const MS: u64 = 1_000_000;

fn device(axes: &str) -> Machine {
    Machine::new(&format!(
        r#"{{ "type": "EL3632-like", "distributedClock": true,
             "program": {{ "kind": "oversampling", "samples": {SAMPLES}, "axes": [{axes}] }} }}"#
    ))
}

fn vibrating() -> Machine {
    device(
        r#"{ "input": 1, "offset": 100, "lines": [{ "frequencyHz": 2300, "amplitude": 8000 }] },
           { "input": 2, "lines": [{ "frequencyHz": 50, "amplitude": 1000, "phaseDegrees": 90 }] }"#,
    )
}

/// What the two axes above are at a moment.
fn expected(at_ns: u64) -> [f64; 2] {
    let angle = |hz: f64| (at_ns as f64 * 1e-9 * hz).fract() * TAU;
    [100.0 + 8_000.0 * angle(2_300.0).sin(), 1_000.0 * angle(50.0).cos()]
}

/// The samples of both channels as the last cycle brought them.
fn samples(machine: &Machine) -> Vec<[i64; 2]> {
    let sample = |n: u8| [machine.signed(0x6001, n), machine.signed(0x6011, n)];
    (1..=SAMPLES as u8).map(sample).collect()
}

/// Samples are those of these times.
fn assert_taken_at(machine: &Machine, times: impl Iterator<Item = u64>, what: &str) {
    for (found, at_ns) in samples(machine).into_iter().zip(times) {
        for (found, expected) in found.into_iter().zip(expected(at_ns)) {
            // Rounded, and 2300 Hz turn by 0.1 digits in 1 ns.
            assert!(
                (found as f64 - expected).abs() <= 1.0,
                "{what}: {found} at {at_ns}: {expected}"
            );
        }
    }
}

#[test]
fn sync0_takes_samples_and_sync1_hands_them_over_with_the_time_of_the_next() {
    const SYNC0_NS: u64 = MS / SAMPLES as u64;
    let mut machine = vibrating();
    // As the real one is configured: SYNC1 is a cycle less one SYNC0.
    machine.synchronise_both(SYNC0_NS as u32, (MS - SYNC0_NS) as u32);
    machine.operate();
    machine.cycles(50);
    let mut counts = Vec::new();
    for _ in 0..20 {
        machine.cycle();
        let next = machine.input(0x6020, 1).cast_unsigned();
        // The block ends one sample before the SYNC1 before the next one.
        let begun = next - 2 * MS;
        let times = (0..SAMPLES as u64).map(|n| begun + n * SYNC0_NS);
        assert_taken_at(&machine, times, "SYNC1");
        assert_eq!(machine.input(0x6000, 0x0E), 0, "no synchronisation error");
        counts.push(machine.input(0x6021, 1));
    }
    assert!(counts.windows(2).all(|two| two[1] - two[0] == SAMPLES as i64), "{counts:?}");
}

#[test]
fn sync0_alone_brings_samples_of_the_time_since_the_last_one() {
    let mut machine = vibrating();
    machine.synchronise(MS as u32);
    machine.operate();
    machine.cycles(50);
    for _ in 0..20 {
        machine.cycle();
        let next = machine.input(0x6020, 1).cast_unsigned();
        let last = next - MS;
        let step = MS / SAMPLES as u64;
        let times = (0..SAMPLES as u64).map(|n| last - (SAMPLES as u64 - 1 - n) * step);
        assert_taken_at(&machine, times, "SYNC0");
    }
}

#[test]
fn without_pulses_samples_lie_between_the_frames() {
    let mut machine = vibrating();
    machine.operate();
    let mut toggles = Vec::new();
    for period_ns in [MS, 2 * MS, 700_000] {
        machine.cycle_ns = period_ns;
        machine.cycles(2);
        let step = |n: u64| period_ns * (SAMPLES as u64 - 1 - n) / SAMPLES as u64;
        let sent = machine.now_ns;
        assert_taken_at(&machine, (0..SAMPLES as u64).map(|n| sent - step(n)), "frames");
        toggles.push(machine.input(0x6000, 0x10));
        assert_eq!(machine.input(0x6020, 1), 0, "no pulse");
    }
    machine.cycle();
    assert_ne!(machine.input(0x6000, 0x10), toggles[2]);
}

#[test]
fn what_is_measured_is_limited_and_the_status_says_so() {
    let mut machine = device("");
    machine.operate();
    for (value, shown, status) in [
        (1_234.4, 1_234, [0, 0, 0]),
        (-40_000.0, -32_768, [1, 0, 1]),
        (32_768.0, 32_767, [0, 1, 1]),
    ] {
        machine.feed(2, value);
        machine.cycles(2);
        assert!(samples(&machine).iter().all(|[first, second]| (*first, *second) == (0, shown)));
        assert_eq!([1, 2, 7].map(|bit| machine.input(0x6010, bit)), status);
        assert_eq!([1, 2, 7].map(|bit| machine.input(0x6000, bit)), [0; 3]);
    }
}

#[test]
fn as_many_samples_come_as_are_assigned() {
    let mut machine = vibrating();
    machine.download(0x1C13, 0, 1, 0).unwrap();
    for (n, pdo) in (1..).zip([0x1A00, 0x1A01, 0x1A02, 0x1A81]) {
        machine.download(0x1C13, n, 2, pdo).unwrap();
    }
    machine.download(0x1C13, 0, 1, 4).unwrap();
    machine.operate();
    machine.cycles(2);
    let sent = machine.now_ns;
    assert_eq!(machine.input_bytes().len(), 8);
    for (subindex, at_ns) in [(1, sent - MS / 2), (2, sent)] {
        let found = machine.signed(0x6001, subindex) as f64;
        assert!((found - expected(at_ns)[0]).abs() <= 1.0, "{found}");
    }
    let before = machine.input(0x6021, 1);
    machine.cycle();
    assert_eq!(machine.input(0x6021, 1) - before, 2);
}

#[test]
fn numbers_of_samples_and_inputs_that_there_are_not_are_named() {
    let error = |program: &str| {
        let json = format!(r#"{{"devices":[{{"type":"EL3632-like","program":{program}}}]}}"#);
        let description = ecat_simulator::SegmentDescription::from_json(&json).unwrap();
        ecat_simulator::Segment::new(&description).err().unwrap().path
    };
    assert_eq!(error(r#"{"kind":"oversampling","samples":3}"#), "/devices/0/program/samples");
    let axis = r#"{"kind":"oversampling","axes":[{"input":3}]}"#;
    assert_eq!(error(axis), "/devices/0/program/axes/0/input");
    assert_eq!(error(r#"{"kind":"counter"}"#), "/devices/0/program/kind");
}
