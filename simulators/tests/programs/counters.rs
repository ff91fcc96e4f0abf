//! Counters and encoders: the bits and rules that the vendor's public documentation lists.

use crate::machine::Machine;

fn machine(device: &str) -> Machine {
    let mut machine = Machine::new(device);
    machine.operate();
    machine
}

fn counted(machine: &mut Machine, object: u16) -> i64 {
    machine.cycles(3);
    machine.input(object, 0x11)
}

#[test]
fn a_counter_goes_up_and_down_by_its_other_input() {
    let mut machine = machine(r#"{ "type": "EL1502-like" }"#);
    machine.set_level(2, true);
    machine.cycles(2);
    machine.feed(1, 5.0);
    assert_eq!(counted(&mut machine, 0x6020), 5);
    machine.set_level(2, false);
    machine.cycles(2);
    machine.feed(1, 7.0);
    assert_eq!((counted(&mut machine, 0x6020), machine.input(0x6020, 5)), (3, 0));
    // Down over 0; and the end of a pulse is none.
    machine.feed(1, 12.0);
    assert_eq!(counted(&mut machine, 0x6020), 0xFFFF_FFFE);
    machine.feed(1, 11.0);
    assert_eq!(counted(&mut machine, 0x6020), 0xFFFF_FFFE);
}

#[test]
fn a_counter_is_set_and_inhibited_and_its_gate_stops_it() {
    let mut machine = machine(r#"{ "type": "EL1502-like" }"#);
    machine.set_level(2, true);
    machine.set(0x7020, 0x11, 1_000);
    machine.set(0x7020, 3, 1);
    assert_eq!((counted(&mut machine, 0x6020), machine.input(0x6020, 3)), (1_000, 1));
    machine.feed(1, 4.0);
    assert_eq!(counted(&mut machine, 0x6020), 1_004, "set once");
    machine.set(0x7020, 3, 0);
    machine.set(0x7020, 4, 1);
    assert_eq!((counted(&mut machine, 0x6020), machine.input(0x6020, 4)), (1_004, 1));
    machine.feed(1, 9.0);
    assert_eq!((counted(&mut machine, 0x6020), machine.input(0x6020, 3)), (1_004, 0));
    machine.set(0x7020, 4, 0);
    machine.cycles(3);
    // "Gate is inhibited by a positive level", then by a negative one.
    for (mode, level, stopped) in
        [(1, true, true), (1, false, false), (2, true, false), (2, false, true)]
    {
        machine.download(0x8020, 5, 1, mode).unwrap();
        machine.set_level(2, level);
        let before = counted(&mut machine, 0x6020);
        let pulses = before as f64;
        machine.feed(1, pulses + 10.0);
        machine.cycles(3);
        machine.feed(1, pulses + 13.0);
        let after = counted(&mut machine, 0x6020);
        assert_eq!(after == before, stopped, "mode {mode}, {level}");
    }
}

#[test]
fn a_counter_switches_its_output_at_thresholds() {
    let mut machine = machine(r#"{ "type": "EL1502-like" }"#);
    machine.set_level(2, true);
    for (subindex, bytes, value) in [(1, 1, 1), (2, 1, 1), (0x11, 4, 10), (0x12, 4, 20)] {
        machine.download(0x8020, subindex, bytes, value).unwrap();
    }
    machine.set(0x7020, 1, 1);
    for (pulses, on) in [(9.0, 0), (10.0, 1), (19.0, 1), (20.0, 0)] {
        machine.feed(1, pulses);
        counted(&mut machine, 0x6020);
        assert_eq!((machine.input(0x6020, 2), machine.driven()[0] as i64), (on, on), "{pulses}");
    }
}

#[test]
fn an_encoder_counts_four_edges_a_line_and_both_ways() {
    let mut machine =
        machine(r#"{ "type": "EL5101-like", "program": { "kind": "encoder", "lines": 500 } }"#);
    for (turns, counts) in [(0.25, 500), (1.0, 2_000), (2.5, 5_000), (0.0, 0), (-0.5, 0xFFFF_FC18)]
    {
        machine.feed(1, turns);
        assert_eq!(counted(&mut machine, 0x6010), counts, "{turns}");
    }
    machine.download(0x8010, 0x0E, 1, 1).unwrap();
    machine.feed(1, -1.0);
    counted(&mut machine, 0x6010);
    machine.feed(1, -2.0);
    let before = counted(&mut machine, 0x6010);
    machine.feed(1, -3.0);
    assert_eq!(counted(&mut machine, 0x6010) - before, 2_000, "reversed");
    // A quarter of a line each: A leads B.
    let mut seen = Vec::new();
    for n in 0..4 {
        machine.feed(1, -(f64::from(n) + 0.5) / 2_000.0);
        machine.cycles(3);
        seen.push([machine.input(0x6010, 9), machine.input(0x6010, 0x0A)]);
    }
    assert_eq!(seen, [[1, 0], [1, 1], [0, 1], [0, 0]]);
}

#[test]
fn the_ends_of_the_count_are_told_until_it_is_well_away_from_them() {
    let mut machine = machine(r#"{ "type": "EL5101-like" }"#);
    let set = |machine: &mut Machine, value: i64| {
        machine.set(0x7010, 0x11, value);
        for level in [1, 0] {
            machine.set(0x7010, 3, level);
            machine.cycles(3);
        }
    };
    let ends = |machine: &Machine| [machine.input(0x6010, 4), machine.input(0x6010, 5)];
    set(&mut machine, 0xFFFF_FF00);
    machine.feed(1, 1.0);
    assert_eq!((counted(&mut machine, 0x6010), ends(&machine)), (0x0F00, [0, 1]));
    // "The bit is reset when the counter value has exceeded 1/3 of the counting range."
    machine.feed(1, 1.0 + f64::from(u32::MAX / 3 + 1) / 4_096.0);
    machine.cycles(3);
    assert_eq!(ends(&machine), [0, 0]);
    set(&mut machine, 5);
    let turns = 1.0 + f64::from(u32::MAX / 3 + 1) / 4_096.0;
    machine.feed(1, turns - 1.0);
    machine.cycles(3);
    assert_eq!(ends(&machine), [1, 0]);
}

#[test]
fn the_index_and_the_latch_input_keep_the_count_once_for_each_time_they_are_enabled() {
    let mut machine = machine(r#"{ "type": "EL5101-like" }"#);
    machine.feed(1, 0.5);
    machine.set(0x7010, 1, 1);
    machine.cycles(3);
    assert_eq!(machine.input(0x6010, 1), 0);
    // Past the index by a third of a turn in one cycle.
    machine.feed(1, 1.3);
    machine.cycles(3);
    assert_eq!((machine.input(0x6010, 1), machine.input(0x6010, 0x12)), (1, 4_096));
    machine.feed(1, 2.4);
    machine.cycles(3);
    assert_eq!(machine.input(0x6010, 0x12), 4_096, "it stays");
    for level in [0, 1] {
        machine.set(0x7010, 1, level);
        machine.cycles(3);
    }
    assert_eq!(machine.input(0x6010, 1), 0);
    machine.feed(1, 1.9);
    machine.cycles(3);
    assert_eq!((machine.input(0x6010, 1), machine.input(0x6010, 0x12)), (1, 8_192), "backwards");
    machine.set(0x7010, 1, 0);
    // The latch input, by its falling edge.
    machine.set(0x7010, 4, 1);
    machine.set_level(2, true);
    machine.cycles(3);
    assert_eq!(machine.input(0x6010, 2), 0);
    machine.set_level(2, false);
    machine.cycles(3);
    let now = machine.input(0x6010, 0x11);
    assert_eq!((machine.input(0x6010, 2), machine.input(0x6010, 0x12)), (1, now));
}

#[test]
fn the_index_resets_the_count_where_it_shall_and_the_gate_stops_it() {
    let mut machine = machine(r#"{ "type": "EL5101-like" }"#);
    machine.download(0x8010, 1, 1, 1).unwrap();
    machine.feed(1, 1.25);
    assert_eq!(counted(&mut machine, 0x6010), 1_024);
    machine.set_level(3, true);
    machine.cycles(3);
    machine.feed(1, 1.75);
    assert_eq!((counted(&mut machine, 0x6010), machine.input(0x6010, 0x0C)), (1_024, 1));
}

#[test]
fn frequency_and_period_are_measured_over_the_window() {
    let mut machine = machine(r#"{ "type": "EL5101-like" }"#);
    // 3 turns a second of 1024 lines: 3072 Hz.
    for _ in 0..100 {
        machine.feed(1, machine.now_ns as f64 * 3e-9);
        machine.cycle();
    }
    let [hundredths, tenths_us] = [0x13, 0x14].map(|sub| machine.input(0x6010, sub) as f64);
    assert!((hundredths / 307_200.0 - 1.0).abs() < 0.01, "{hundredths}");
    assert!((tenths_us / 3_255.0 - 1.0).abs() < 0.01, "{tenths_us}");
    machine.cycles(30);
    assert_eq!([0x13, 0x14].map(|sub| machine.input(0x6010, sub)), [0, 0], "it stands");
}

#[test]
fn an_ssi_encoder_sends_gray_code_and_the_interface_reads_what_it_is_told_to() {
    let mut machine = machine(r#"{ "type": "EL5001-like" }"#);
    machine.feed(1, 3.5);
    assert_eq!(counted(&mut machine, 0x6000), 3 * 4_096 + 2_048);
    machine.feed(1, -0.25);
    assert_eq!(counted(&mut machine, 0x6000), 0x00FF_FC00, "below 0 it is at its end");
    machine.feed(1, 3.5);
    machine.download(0x8000, 6, 1, 0).unwrap();
    let position = 3 * 4_096 + 2_048_i64;
    assert_eq!(counted(&mut machine, 0x6000), position ^ position >> 1, "Gray, taken for a number");
    machine.download(0x8000, 6, 1, 1).unwrap();
    machine.download(0x8000, 0x0F, 1, 2).unwrap();
    machine.download(0x8000, 0x12, 2, 20).unwrap();
    assert_eq!(counted(&mut machine, 0x6000), position >> 4, "too short a frame");
    machine.set_level(2, true);
    counted(&mut machine, 0x6000);
    assert_eq!(machine.input(0x6000, 3), 0);
    machine.download(0x8000, 2, 1, 1).unwrap();
    machine.set_level(3, true);
    assert_eq!(counted(&mut machine, 0x6000), 0);
    assert_eq!([1, 2, 3].map(|bit| machine.input(0x6000, bit)), [1, 1, 1]);
    machine.download(0x8000, 1, 1, 1).unwrap();
    counted(&mut machine, 0x6000);
    assert_eq!(machine.input(0x6000, 2), 0, "frame errors are not to be shown");
}
