//! Consumers in lockstep: virtual time waits for them, and for nobody who is gone.

mod common;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::{PATIENCE, Plant, described, virtual_time};
use ecat_engine::engine::EngineOptions;
use ecat_engine::event::EventKind;
use ecat_engine::shared::Copied;

const SEGMENT: &str =
    r#"{"devices":[{"type":"EK1100"},{"name":"out","type":"digital-outputs","channels":8}]}"#;

fn plant(lockstep_timeout_ns: u64) -> Plant {
    let options =
        EngineOptions { first_cycle: u32::MAX - 99, lockstep_timeout_ns, ..virtual_time() };
    let mut plant = Plant::in_op(&described(SEGMENT), options);
    plant.run(1);
    plant
}

const LONG_NS: u64 = 600_000_000_000;

/// Waits until so many cycles have run after `before`, and a little longer for one too many.
fn ran(plant: &Plant, before: u32) -> impl Fn(u32) {
    let reader = plant.memory.ring_reader();
    move |cycles| {
        let begun = Instant::now();
        while reader.latest().wrapping_sub(before) < cycles {
            assert!(
                begun.elapsed() < PATIENCE,
                "{} of {cycles}",
                reader.latest().wrapping_sub(before)
            );
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(5));
        assert_eq!(reader.latest().wrapping_sub(before), cycles);
    }
}

#[test]
fn a_cycle_waits_until_every_consumer_is_done_with_the_one_before() {
    let plant = plant(LONG_NS);
    let before = plant.latest();
    let ran = ran(&plant, before);
    let consumers = [0, 1].map(|_| plant.engine.register_consumer().unwrap());
    plant.engine.grant(4);
    // A new consumer is done with what was there: one cycle runs.
    ran(1);
    plant.engine.acknowledge(consumers[0], before.wrapping_add(1));
    ran(1);
    plant.engine.acknowledge(consumers[1], before.wrapping_add(1));
    ran(2);
    for consumer in consumers {
        plant.engine.acknowledge(consumer, before.wrapping_add(3));
    }
    ran(4);
    // One that goes is not waited for.
    plant.engine.unregister_consumer(consumers[0]);
    plant.engine.grant(2);
    plant.engine.acknowledge(consumers[1], before.wrapping_add(5));
    ran(6);
    plant.close();
}

#[test]
fn a_write_made_in_reaction_to_a_cycle_always_rides_the_next() {
    let mut plant = plant(LONG_NS);
    plant.claim_one_byte();
    let (mut lane, reader) = (plant.memory.lane_writer(0).unwrap(), plant.memory.ring_reader());
    let (engine, first) = (Arc::clone(&plant.engine), plant.latest());
    let consumer = engine.register_consumer().unwrap();
    const CYCLES: u32 = 2_000;
    let reacting = thread::spawn(move || {
        let mut slot = vec![0; reader.slot_bytes()];
        let mut seen = first;
        while seen != first.wrapping_add(CYCLES) {
            if let Copied::Fresh { cycle } = reader.wait_copy(Some(seen), 50_000_000, &mut slot) {
                assert_eq!(cycle, seen.wrapping_add(1), "a cycle ran ahead");
                seen = cycle;
                lane.commit(&[cycle as u8]);
                engine.acknowledge(consumer, cycle);
            }
        }
    });
    let slots = plant.run(CYCLES);
    reacting.join().unwrap();
    for slot in &slots[1..] {
        assert_eq!(slot.outputs, [slot.cycle.wrapping_sub(1) as u8], "cycle {}", slot.cycle);
    }
    plant.close();
}

#[test]
fn a_consumer_that_hangs_is_reported_once_and_waited_for_again_when_it_is_back() {
    let mut plant = plant(40_000_000);
    let consumer = plant.engine.register_consumer().unwrap();
    let before = plant.latest();
    let slots = plant.run(10);
    let late = plant.events_of(EventKind::ConsumerLate);
    let told: Vec<_> = late.iter().map(|event| (event.subject, event.a, event.b)).collect();
    assert_eq!(told, [(consumer, before, 1)]);
    assert_eq!(slots.len(), 10);
    plant.engine.acknowledge(consumer, before.wrapping_add(10));
    let begun = Instant::now();
    plant.run(2);
    assert!(begun.elapsed() >= Duration::from_millis(40), "it was not waited for again");
    assert_eq!(plant.events_of(EventKind::ConsumerLate).len(), 2);
    plant.close();
}

#[test]
fn nobody_is_late_while_nothing_is_granted() {
    let mut plant = plant(20_000_000);
    let consumer = plant.engine.register_consumer().unwrap();
    let before = plant.latest();
    plant.run(1);
    thread::sleep(Duration::from_millis(60));
    plant.engine.acknowledge(consumer, before.wrapping_add(1));
    plant.run(1);
    assert_eq!(plant.events_of(EventKind::ConsumerLate), []);
    plant.close();
}

#[test]
fn free_run_and_the_wall_clock_wait_for_nobody() {
    let mut plant = plant(LONG_NS);
    plant.engine.register_consumer().unwrap();
    let before = plant.latest();
    plant.engine.grant(u64::MAX);
    plant.await_that(|plant| plant.latest().wrapping_sub(before) > 1_000);
    plant.close();
    let mut plant = Plant::in_op(&described(SEGMENT), EngineOptions::default());
    plant.engine.register_consumer().unwrap();
    let before = plant.latest();
    plant.await_that(|plant| plant.latest().wrapping_sub(before) > 20);
    plant.close();
}
