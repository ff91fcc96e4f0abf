//! Homing: where home is by each method, from each side, worked out from where switches and index are and not from the way
//! there. The table is Bonfiglioli's (ACU 407, chapter 5.2): edge, and on which side of it the index counts.

use crate::machine::Machine;
use crate::servo::*;

const NEGATIVE_LIMIT: i64 = -4 * TURN;
const POSITIVE_LIMIT: i64 = 6 * TURN;
/// The home switch of methods 7 to 14.
const LEFT: i64 = 151_072;
const RIGHT: i64 = 230_000;
/// An index a revolution, a quarter into it.
const INDEX: i64 = TURN / 4;
const FAR: i64 = 1 << 30;

#[derive(Clone, Copy, Debug)]
enum Side {
    LeftOf,
    RightOf,
}
use Side::{LeftOf, RightOf};

/// Method, edge, on which side of it the index is looked for.
const METHODS: [(i64, i64, Side); 12] = [
    (1, NEGATIVE_LIMIT, RightOf),
    (2, POSITIVE_LIMIT, LeftOf),
    (7, LEFT, LeftOf),
    (8, LEFT, RightOf),
    (9, RIGHT, LeftOf),
    (10, RIGHT, RightOf),
    (11, RIGHT, RightOf),
    (12, RIGHT, LeftOf),
    (13, LEFT, RightOf),
    (14, LEFT, LeftOf),
    // By the stops, whose index is on the way back.
    (-1, 8 * TURN, LeftOf),
    (-2, -8 * TURN, RightOf),
];

/// The nearest index on a side of a position.
fn index_at(edge: i64, side: Side) -> i64 {
    let turns = (edge - INDEX).div_euclid(TURN);
    match side {
        LeftOf => INDEX + turns * TURN,
        RightOf => INDEX + (turns + 1) * TURN,
    }
}

fn machine(start: i64, switches: &str) -> Machine {
    let settings = format!(
        r#", "startPosition": {start}, "encoder": {{ "indexPosition": {INDEX} }},
           "stops": {{ "negative": {}, "positive": {} }}, "switches": {{ {switches} }}"#,
        -8 * TURN,
        8 * TURN
    );
    let mut machine = prepared(&settings);
    machine.write(0x6099, 1, 4, 5 * TURN);
    machine.write(0x6099, 2, 4, TURN / 2);
    machine.write(0x609A, 0, 4, 200 * TURN);
    machine
}

fn limits() -> String {
    format!(r#""negativeLimit": {NEGATIVE_LIMIT}, "positiveLimit": {POSITIVE_LIMIT}"#)
}

fn with_home(from: i64, to: i64) -> String {
    format!(r#"{}, "home": {{ "from": {from}, "to": {to} }}"#, limits())
}

/// Starts a method, with an offset, and waits for its end; where home is in the machine, if it was found.
fn home(machine: &mut Machine, method: i64) -> Option<i64> {
    const OFFSET: i64 = 1_234;
    machine.write(0x6098, 0, 1, method);
    machine.write(0x607C, 0, 4, OFFSET);
    machine.operate();
    machine.enable(HM);
    assert!(!machine.has(12) && !machine.has(13));
    machine.cycle_ns = 4_000_000;
    machine.set(CONTROLWORD, 0, 0x1F);
    machine.cycles(3);
    let ended = |machine: &Machine| machine.has(10) && (machine.has(12) || machine.has(13));
    assert!(machine.until(4_000, ended), "method {method} does not end");
    machine.cycles(5);
    assert_eq!(machine.state(), OPERATION_ENABLED);
    assert!(
        machine.velocity().abs() < TURN / 50,
        "{method}: {} at {}",
        machine.velocity(),
        machine.position()
    );
    if machine.has(13) {
        assert!(!machine.has(12));
        return None;
    }
    // 2^20 counts a revolution of 2^16 units.
    let counts = machine.upload(0x6063, 0).unwrap().cast_signed();
    Some(i64::from(counts) / 16 - (machine.position() - OFFSET))
}

/// Speed of the approach a tick, and rounding.
const EDGE_TOLERANCE: i64 = 12;

fn finds(start: i64, switches: &str, method: i64, expected: i64, tolerance: i64) {
    let mut machine = machine(start, switches);
    let found = home(&mut machine, method);
    let is_right = found.is_some_and(|found| (found - expected).abs() <= tolerance);
    assert!(is_right, "method {method} from {start}: {found:?} in place of {expected}");
}

/// Methods 1 and 2 from the middle and from their switch, 7 to 14 from the left, from the switch and from the right.
fn starts(method: i64) -> &'static [i64] {
    match method {
        1 | 17 => &[0, NEGATIVE_LIMIT - TURN / 3],
        2 | 18 => &[0, POSITIVE_LIMIT + TURN / 3],
        _ => &[0, 190_000, 300_000],
    }
}

#[test]
fn with_the_index_home_is_at_it() {
    for (method, edge, side) in METHODS.into_iter().filter(|row| row.0 > 0) {
        for &start in starts(method) {
            finds(start, &with_home(LEFT, RIGHT), method, index_at(edge, side), 3);
        }
    }
}

#[test]
fn without_the_index_home_is_at_the_edge() {
    for (method, edge, _) in METHODS.into_iter().filter(|row| row.0 > 0) {
        for &start in starts(method) {
            finds(start, &with_home(LEFT, RIGHT), method + 16, edge, EDGE_TOLERANCE);
        }
    }
}

#[test]
fn home_switches_that_are_on_to_an_end_of_the_way() {
    // Methods 3 and 4: on above the edge; 5 and 6: on below it.
    for (method, side, from, to) in [
        (3, LeftOf, LEFT, FAR),
        (4, RightOf, LEFT, FAR),
        (5, RightOf, -FAR, LEFT),
        (6, LeftOf, -FAR, LEFT),
    ] {
        for start in [0, 300_000] {
            let switches = with_home(from, to);
            finds(start, &switches, method, index_at(LEFT, side), 3);
            finds(start, &switches, method + 16, LEFT, EDGE_TOLERANCE);
        }
    }
}

#[test]
fn by_the_index_alone() {
    finds(100_000, "", 33, index_at(100_000, LeftOf), 3);
    finds(100_000, "", 34, index_at(100_000, RightOf), 3);
}

#[test]
fn where_it_stands() {
    finds(100_000, "", 35, 100_000, 3);
    finds(100_000, "", 37, 100_000, 3);
}

#[test]
fn by_a_stop() {
    for (method, edge, side) in METHODS.into_iter().filter(|row| row.0 < 0) {
        finds(0, "", method, index_at(edge, side), 3);
        finds(0, "", method - 2, edge, 3);
    }
}

#[test]
fn a_stop_is_touched_with_the_torque_that_is_allowed() {
    let mut machine = machine(0, "");
    machine.write(0x2010, 0, 2, 150);
    machine.write(0x6098, 0, 1, -3);
    machine.operate();
    machine.enable(HM);
    machine.set(CONTROLWORD, 0, 0x1F);
    let mut most = 0;
    for _ in 0..5_000 {
        machine.cycle();
        most = most.max(machine.torque());
    }
    assert!(machine.has(12));
    // The impact takes the back EMF away at once, which adds a moment of current.
    assert!((145..=190).contains(&most), "{most}");
}

#[test]
fn a_switch_that_does_not_come_is_an_error() {
    for method in [19, 21, 23, 27, 7, 14] {
        let mut machine = machine(0, &limits());
        assert_eq!(home(&mut machine, method), None, "method {method}");
    }
}

#[test]
fn a_method_that_is_none_is_an_error() {
    for method in [0, 15, 16, 31, 32, 36, 38, -5] {
        let mut machine = machine(0, &limits());
        assert_eq!(home(&mut machine, method), None, "method {method}");
        assert!(machine.position().abs() <= 3);
    }
}

#[test]
fn an_index_that_does_not_come_before_the_limit_switch_is_an_error() {
    // The next index is at 16384.
    let mut machine = machine(0, r#""positiveLimit": 10000"#);
    assert_eq!(home(&mut machine, 34), None);
}

#[test]
fn a_homing_that_is_interrupted_is_not_attained() {
    let mut machine = machine(0, &limits());
    machine.write(0x6098, 0, 1, 17);
    machine.operate();
    machine.enable(HM);
    assert!(machine.has(10), "not started");
    machine.command(0x1F);
    machine.cycles(50);
    assert!(!machine.has(10) && !machine.has(12) && !machine.has(13), "under way");
    assert!(machine.velocity() < -4 * TURN);
    machine.command(0x0F);
    machine.cycles(100);
    assert!(machine.has(10) && !machine.has(12) && !machine.has(13), "interrupted");
    // And halted, it goes on where it was.
    machine.command(0x1F);
    machine.cycles(20);
    machine.command(0x11F);
    machine.cycles(200);
    assert!(machine.velocity().abs() < TURN / 50 && machine.has(10) && !machine.has(12));
    machine.command(0x1F);
    assert!(machine.until(10_000, |machine| machine.has(10) && machine.has(12)));
}

#[test]
fn positions_of_other_modes_count_from_home() {
    let mut machine = machine(100_000, "");
    machine.write(0x6098, 0, 1, 35);
    machine.operate();
    machine.enable(HM);
    machine.command(0x1F);
    machine.cycles(10);
    assert!(machine.position().abs() <= 2, "{}", machine.position());
    machine.set(TARGET_POSITION, 0, machine.position());
    machine.set(MODE, 0, CSP);
    machine.command(0x0F);
    for n in 1..=200 {
        machine.set(TARGET_POSITION, 0, n * 50);
        machine.cycle();
    }
    machine.cycles(100);
    assert!((machine.position() - 10_000).abs() <= 2);
}
