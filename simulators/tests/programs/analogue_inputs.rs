//! Analogue inputs beside the tables of the vendor's public documentation of EL30xx, EL31xx, EL32xx and EL5032.

use crate::machine::Machine;

const UNDERRANGE: u8 = 1;
const OVERRANGE: u8 = 2;
const LIMIT_1: u8 = 3;
const LIMIT_2: u8 = 5;
const ERROR: u8 = 7;
const VALUE: u8 = 0x11;

fn machine(kind: &str, settings: &str) -> Machine {
    let mut machine = Machine::new(&format!(
        r#"{{ "type": "{kind}", "program": {{ "kind": "analogue-inputs" {settings} }} }}"#
    ));
    machine.operate();
    machine
}

fn value(machine: &mut Machine, field: f64) -> i64 {
    machine.feed(1, field);
    // Longer than the slowest of the filters that these tests use.
    machine.cycles(60);
    machine.signed(0x6000, VALUE)
}

fn status(machine: &Machine) -> [i64; 3] {
    [UNDERRANGE, OVERRANGE, ERROR].map(|bit| machine.input(0x6000, bit))
}

#[test]
fn voltages_and_currents_become_digits_of_their_range() {
    // "Data stream": 0x7FFF at the end of the range, 0x8000 at the other.
    let tables: [(&str, &[(f64, i64)]); 4] = [
        (
            "-10..10 V",
            &[(10.0, 32_767), (5.0, 16_384), (0.0, 0), (-5.0, -16_384), (-10.0, -32_768)],
        ),
        ("0..10 V", &[(10.0, 32_767), (5.0, 16_384), (0.0, 0), (-0.05, 0)]),
        ("0..20 mA", &[(20.0, 32_767), (10.0, 16_384), (0.0, 0)]),
        ("4..20 mA", &[(20.0, 32_767), (12.0, 16_384), (4.0, 0)]),
    ];
    for (range, table) in tables {
        let mut machine = machine("EL3102-like", &format!(r#", "range": "{range}""#));
        for (field, digits) in table {
            assert_eq!(value(&mut machine, *field), *digits, "{field} of {range}");
        }
    }
}

#[test]
fn what_is_out_of_range_is_told_and_limited() {
    let mut bipolar = machine("EL3102-like", r#", "range": "-10..10 V""#);
    for (field, shown, bits) in
        [(11.0, 32_767, [0, 1, 1]), (-11.0, -32_768, [1, 0, 1]), (9.99, 32_735, [0, 0, 0])]
    {
        assert_eq!((value(&mut bipolar, field), status(&bipolar)), (shown, bits), "{field} V");
    }
    // "Below -256 (approx. 0.8 % of the final value)"; "of approx. 3.5 mA" is an error of 4..20 mA.
    let mut current = machine("EL3102-like", r#", "range": "4..20 mA""#);
    for (field, bits) in [
        (3.95, [0, 0, 0]),
        (3.8, [1, 0, 0]),
        (3.4, [1, 0, 1]),
        (0.0, [1, 0, 1]),
        (20.2, [0, 1, 0]),
        (21.0, [0, 1, 1]),
    ] {
        value(&mut current, field);
        assert_eq!(status(&current), bits, "{field} mA");
    }
}

#[test]
fn limits_are_compared_before_the_presentation() {
    let mut machine = machine("EL3102-like", r#", "range": "-10..10 V""#);
    // The documented example: 2.8 V and 7.4 V.
    machine.download(0x8000, 0x13, 2, 9_174).unwrap();
    machine.download(0x8000, 0x14, 2, 24_247).unwrap();
    assert_eq!(value(&mut machine, 5.0), 16_384);
    let limits = |machine: &Machine| [LIMIT_1, LIMIT_2].map(|bit| machine.input(0x6000, bit));
    assert_eq!(limits(&machine), [0, 0], "not active");
    machine.download(0x8000, 0x07, 1, 1).unwrap();
    machine.download(0x8000, 0x08, 1, 1).unwrap();
    let volts = |digits: f64| digits / 32_768.0 * 10.0;
    let table = [
        (1.8, [1, 1]),
        (volts(9_174.0), [3, 1]),
        (4.2, [2, 1]),
        (volts(24_247.0), [2, 3]),
        (8.5, [2, 2]),
    ];
    for (field, bits) in table {
        value(&mut machine, field);
        assert_eq!(limits(&machine), bits, "{field} V");
    }
    // As a magnitude, −10 V is 32767; to the limits it is still below.
    machine.download(0x8000, 0x02, 1, 1).unwrap();
    assert_eq!((value(&mut machine, -10.0), limits(&machine)), (32_767, [1, 1]));
    machine.download(0x8000, 0x0E, 1, 1).unwrap();
    value(&mut machine, -10.0);
    assert_eq!(limits(&machine), [2, 2], "swapped");
}

#[test]
fn presentations_show_the_same_value_otherwise() {
    let mut machine = machine("EL3102-like", r#", "range": "-10..10 V""#);
    for (presentation, positive, negative) in
        [(0, 16_384, -16_384), (1, 16_384, 16_384), (2, 16_384, 0xC000_u16 as i16 as i64)]
    {
        machine.download(0x8000, 0x02, 1, presentation).unwrap();
        assert_eq!([5.0, -5.0].map(|v| value(&mut machine, v)), [positive, negative]);
    }
    machine.download(0x8000, 0x02, 1, 0).unwrap();
    machine.download(0x8000, 0x05, 1, 1).unwrap();
    assert_eq!((value(&mut machine, 5.001) & 7, value(&mut machine, 11.0) & 7), (0, 1), "S5 bits");
}

#[test]
fn calibration_and_scale_follow_the_documented_formulas() {
    let mut machine = machine("EL3102-like", r#", "range": "-10..10 V""#);
    assert_eq!(value(&mut machine, 2.5), 8_192);
    // YA = (YH − BA) · AA · 2^-14, YS = YA · AS · 2^-16 + BS.
    for (subindex, bytes, number) in
        [(0x17, 2, 192), (0x18, 2, 0x2000), (0x11, 2, -100), (0x12, 4, 0x0003_0000)]
    {
        machine.download(0x8000, subindex, bytes, number).unwrap();
    }
    assert_eq!(value(&mut machine, 2.5), 8_192, "nothing is enabled");
    machine.download(0x8000, 0x0A, 1, 1).unwrap();
    assert_eq!(value(&mut machine, 2.5), 4_000);
    machine.download(0x8000, 0x01, 1, 1).unwrap();
    assert_eq!(value(&mut machine, 2.5), 11_900);
    assert_eq!(machine.upload(0x800E, 1), Ok(8_192), "the converter's value stays");
}

/// Cycles from 10 to 90 % of a step.
fn rise(machine: &mut Machine) -> usize {
    // Without its filter it forgets at once.
    machine.feed(1, 0.0);
    for enable in [0, 1] {
        machine.download(0x8000, 0x06, 1, enable).unwrap();
        machine.cycles(2);
    }
    machine.feed(1, 10_000.0);
    let (mut cycles, mut at_10) = (0, 0);
    loop {
        machine.cycle();
        cycles += 1;
        let value = machine.signed(0x6000, VALUE);
        if value < 1_000 {
            at_10 = cycles;
        }
        if value >= 9_000 {
            return cycles - at_10;
        }
    }
}

#[test]
fn recursive_filters_rise_in_the_samples_that_are_listed() {
    // Difference equation and rise times in samples: "Filter operation" of the EL5032.
    let mut machine = machine("EL3102-like", "");
    machine.download(0x8000, 0x06, 1, 1).unwrap();
    for (setting, samples) in (2..).zip([3_usize, 8, 17, 34, 69, 140, 280, 562]) {
        machine.download(0x8000, 0x15, 2, setting).unwrap();
        let measured = rise(&mut machine);
        assert!(measured.abs_diff(samples) <= 1, "IIR {}: {measured}, not {samples}", setting - 1);
    }
}

#[test]
fn a_notch_filter_takes_its_frequency_away_and_has_the_listed_limit_frequency() {
    use std::f64::consts::TAU;
    let mut machine = machine("EL3004", "");
    machine.cycle_ns = 625_000;
    let mut amplitude = |frequency_hz: f64| {
        let mut most = 0.0_f64;
        for n in 0..3_200 {
            let t = machine.now_ns as f64 * 1e-9;
            machine.feed(1, 10_000.0 * (TAU * frequency_hz * t).sin());
            machine.cycle();
            if n > 1_600 {
                most = most.max(machine.signed(0x6000, VALUE).abs() as f64);
            }
        }
        most / 10_000.0
    };
    // "> 50 dB", "22 Hz (-3 dB)".
    assert!(amplitude(50.0) < 10f64.powf(-50.0 / 20.0));
    assert!((amplitude(22.0) - 0.707).abs() < 0.02);
    assert!(amplitude(2.0) > 0.98);
}

#[test]
fn a_step_takes_one_period_of_the_mains() {
    let mut machine = machine("EL3004", "");
    assert_eq!(value(&mut machine, 0.0), 0);
    machine.feed(1, 16_000.0);
    let values: Vec<i64> = (0..25)
        .map(|_| {
            machine.cycle();
            machine.signed(0x6000, VALUE)
        })
        .collect();
    assert!(values.windows(2).all(|two| two[0] <= two[1]));
    assert!((values[9] - 8_000).abs() <= 1_000, "{values:?}");
    assert!(values[17] < 16_000 && values[21] == 16_000, "{values:?}");
}

#[test]
fn the_first_channel_sets_the_filter_of_all() {
    let mut machine = machine("EL3004", "");
    machine.download(0x8010, 0x06, 1, 0).unwrap();
    machine.feed(2, 1_000.0);
    machine.cycles(2);
    assert!(machine.signed(0x6010, VALUE) < 1_000);
    machine.download(0x8000, 0x06, 1, 0).unwrap();
    machine.feed(2, 2_000.0);
    machine.cycles(2);
    assert_eq!(machine.signed(0x6010, VALUE), 2_000);
}

#[test]
fn resistance_becomes_temperature_by_the_element() {
    let mut machine = machine("EL3204-like", r#", "range": "ohm""#);
    // IEC 60751; "T > 850 °C (R > 400 Ω)" and "T < -200 °C (R < 18 Ω)", "0x8001 corresponds to -32767".
    for (ohms, tenths) in [(100.0, 0), (138.506, 1_000), (60.256, -1_000), (18.52, -2_000)] {
        assert!((value(&mut machine, ohms) - tenths).abs() <= 1, "{ohms} Ω");
    }
    assert_eq!((value(&mut machine, 0.0), status(&machine)), (-32_767, [1, 0, 1]), "a short");
    let broken = value(&mut machine, 1e9);
    assert!(broken > 8_500 && status(&machine) == [0, 1, 1], "a broken wire: {broken}");
    machine.download(0x8000, 0x02, 1, 2).unwrap();
    assert!((value(&mut machine, 138.506) - 10_000).abs() <= 5, "hundredths");
    machine.download(0x8000, 0x02, 1, 0).unwrap();
    machine.download(0x8000, 0x19, 2, 2).unwrap();
    assert!((value(&mut machine, 1_385.06) - 1_000).abs() <= 1, "a Pt1000");
}

#[test]
fn digits_go_through_where_no_range_is_named_and_what_is_put_into_the_process_data_counts() {
    let mut machine = Machine::new(r#"{ "type": "EL3102-like" }"#);
    machine.operate();
    assert_eq!(value(&mut machine, -1_234.0), -1_234);
    machine.segment.set_input(0, 16, 16, 77);
    machine.cycles(5);
    assert_eq!(machine.signed(0x6000, VALUE), 77);
    assert_eq!(value(&mut machine, 5.0), 5);
}

#[test]
fn a_device_without_values_refuses_the_program() {
    let json = r#"{"devices":[{"type":"generic","pdos":[],"program":{"kind":"analogue-inputs"}}]}"#;
    let description = ecat_simulator::SegmentDescription::from_json(json).unwrap();
    let error = ecat_simulator::Segment::new(&description).err().unwrap();
    assert_eq!(error.path, "/devices/0/program/kind");
}
