//! A spectrum that a MainDevice finds again in the samples that it reads.

use std::f64::consts::TAU;

use crate::machine::Machine;

const DEVICE: &str = r#"{ "type": "generic", "distributedClock": true, "mailbox": {},
  "pdos": [
    { "direction": "input", "index": 6656, "entries": [{ "index": 24576, "subindex": 1, "bits": 16, "dataType": 3 }] },
    { "direction": "output", "index": 5632, "entries": [{ "index": 28672, "subindex": 1, "bits": 8 }] } ],
  "program": { "kind": "accelerometer", "axes": [{ "input": 1, "offset": 250,
    "lines": [{ "frequencyHz": 50, "amplitude": 1000 }, { "frequencyHz": 120, "amplitude": 300 }], "noise": 20 }] } }"#;

/// Amplitude of one line in samples of 1 ms.
fn amplitude(samples: &[f64], frequency_hz: f64) -> f64 {
    let turn = |n: usize| TAU * frequency_hz * n as f64 * 1e-3;
    let part = |wave: fn(f64) -> f64| -> f64 {
        samples.iter().enumerate().map(|(n, sample)| sample * wave(turn(n))).sum()
    };
    part(f64::cos).hypot(part(f64::sin)) * 2.0 / samples.len() as f64
}

fn sampled(machine: &mut Machine) -> Vec<f64> {
    let sample = |machine: &mut Machine| {
        machine.cycle();
        machine.signed(0x6000, 1) as f64
    };
    (0..1_000).map(|_| sample(machine)).collect()
}

fn has_the_spectrum(samples: &[f64]) {
    assert!((amplitude(samples, 50.0) - 1_000.0).abs() < 5.0);
    assert!((amplitude(samples, 120.0) - 300.0).abs() < 5.0);
    assert!(amplitude(samples, 80.0) < 5.0);
    let mean = samples.iter().sum::<f64>() / samples.len() as f64;
    assert!((mean - 250.0).abs() < 5.0);
}

#[test]
fn the_lines_of_an_accelerometer_are_in_what_is_read() {
    let mut machine = Machine::new(DEVICE);
    machine.operate();
    has_the_spectrum(&sampled(&mut machine));
}

#[test]
fn with_sync0_it_samples_at_the_pulses() {
    let mut machine = Machine::new(DEVICE);
    machine.synchronise(1_000_000);
    machine.operate();
    machine.cycles(50);
    has_the_spectrum(&sampled(&mut machine));
}

#[test]
fn an_input_that_is_not_there_is_named() {
    let json = format!(r#"{{"devices":[{}]}}"#, DEVICE.replace(r#""input": 1"#, r#""input": 2"#));
    let description = ecat_simulator::SegmentDescription::from_json(&json).unwrap();
    let error = ecat_simulator::Segment::new(&description).err().unwrap();
    assert_eq!(error.path, "/devices/0/program/axes/0/input");
}
