//! Cycles down to 100 µs: small images run, and what cannot fit on the wire is refused before the first cycle.

mod common;

use std::sync::atomic::Ordering;

use common::{PATIENCE, Plant, bring_up, described, virtual_time};
use ecat_engine::EngineError;
use ecat_engine::cycle::registers::RegisterRead;
use ecat_engine::engine::EngineOptions;
use ecat_engine::error::ErrorCode;

/// `devices` with so many bytes of inputs and of outputs each; ports of E-bus (0x0A in register 0x0007) or MII.
fn segment(devices: usize, bytes: usize, ebus: bool) -> String {
    let entry = |n: usize| format!(r#"{{"index":24576,"subindex":{n},"bits":8}}"#);
    let entries = (1..=bytes).map(entry).collect::<Vec<_>>().join(",");
    let ports = if ebus { 0x0A } else { 0x0F };
    let device = format!(
        r#"{{"type":"generic","esc":{{"portDescriptor":{ports}}},"pdos":[
            {{"direction":"output","index":5632,"entries":[{entries}]}},
            {{"direction":"input","index":6656,"entries":[{entries}]}}]}}"#
    );
    format!(r#"{{"devices":[{}]}}"#, vec![device; devices].join(","))
}

fn cycle_of(us: u64) -> EngineOptions {
    EngineOptions { cycle_period_ns: us * 1_000, pre_spin_ns: 0, ..virtual_time() }
}

fn refusal(json: &str, us: u64) -> Option<EngineError> {
    let (engine, _, outcome) = bring_up(&described(json), cycle_of(us));
    assert!(engine.close_now(PATIENCE));
    outcome.err()
}

#[test]
fn a_cycle_of_100_us_exchanges_256_bytes_and_still_serves_what_is_not_cyclic() {
    let mut plant = Plant::in_op(&described(&segment(8, 16, true)), cycle_of(100));
    let start_ns = plant.slot(plant.latest()).host_time_ns;
    let first = plant.latest();
    for id in 0..16 {
        let position = (id % 8) as u16;
        let read = RegisterRead { id, position, register: 0x0130, length: 64 };
        assert!(plant.engine.read_register(read).unwrap());
    }
    plant.run(1_000);
    let answers = std::iter::from_fn(|| plant.engine.take_register_answer());
    assert_eq!(answers.filter(|answer| answer.working_counter == Some(1)).count(), 16);
    let last = plant.slot(plant.latest());
    assert_eq!(last.host_time_ns - start_ns, u64::from(plant.latest() - first) * 100_000);
    let counters = plant.memory.statistics().counters;
    assert_eq!(counters.frames_lost.load(Ordering::Relaxed), 0);
    assert_eq!(counters.periods_missed.load(Ordering::Relaxed), 0);
    assert_eq!(counters.working_counter_errors.load(Ordering::Relaxed), 0);
    plant.close();
}

#[test]
fn an_image_that_takes_longer_on_the_wire_than_the_cycle_lasts_is_refused_with_the_sum() {
    // 14 Ethernet, 2 EtherCAT, 20 stamp, 14 state check, 20 system time, 12 + 1200 LRW, and 24
    // more on the wire, 80 ns each; 100 SubDevices of 0.31 µs or 1.44 µs.
    let ebus = segment(100, 6, true);
    let error = refusal(&ebus, 100).unwrap();
    assert_eq!(error.first.code, ErrorCode::CycleTooShort);
    assert_eq!(
        error.first.message,
        "a cycle of 100 µs is too short: its frames (1 with 1282 bytes) take 104.5 µs at 100 Mbit/s, and 31.0 µs \
         through 100 SubDevices on E-bus and 0 on Ethernet; 136 µs is the least, without cables"
    );
    assert_eq!(refusal(&ebus, 136), None);
    let error = refusal(&segment(100, 6, false), 248).unwrap();
    assert!(error.first.message.contains("144.0 µs through 0 SubDevices on E-bus"), "{error}");
    assert!(error.first.message.contains("249 µs is the least"), "{error}");
    assert_eq!(refusal(&segment(100, 6, false), 249), None);
}

#[test]
fn a_long_cycle_is_held_to_the_wire_too() {
    // 20,000 bytes in 14 frames or so: 1.66 ms and the way through 100 SubDevices.
    let words = segment(100, 100, true);
    assert_eq!(refusal(&words, 1_000).unwrap().first.code, ErrorCode::CycleTooShort);
    assert_eq!(refusal(&words, 2_000), None);
}
