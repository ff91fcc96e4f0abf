//! Engines on the wall clock. Nothing here depends on how fast the machine is.

mod common;

use std::sync::atomic::Ordering;

use common::{PATIENCE, Plant, real};
use ecat_engine::engine::EngineOptions;
use ecat_engine::event::EventKind;
use ecat_engine::shared::layout::EngineState;

fn counts(plant: &Plant) -> (u64, u64) {
    let counters = plant.memory.statistics().counters;
    (counters.cycles.load(Ordering::Relaxed), counters.periods_missed.load(Ordering::Relaxed))
}

#[test]
fn cycles_run_and_missed_periods_add_up_to_the_schedule() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889", "el2828"]), EngineOptions::default());
    plant.await_that(|plant| plant.latest() > 200);
    plant.close();
    let (cycles, missed) = counts(&plant);
    assert_eq!(u64::from(plant.latest()) + 1, cycles + missed);
    assert_eq!(plant.memory.statistics().lateness.count.load(Ordering::Relaxed), cycles);
}

#[test]
fn the_longest_and_the_shortest_period_run_to_op_and_close() {
    for cycle_period_ns in [100_000, 100_000_000] {
        let options = EngineOptions { cycle_period_ns, pre_spin_ns: 0, ..EngineOptions::default() };
        let plant = Plant::in_op(&real(&["ek1100", "el2889"]), options);
        plant.close();
        assert_eq!(plant.state(), EngineState::Closed);
    }
}

#[test]
fn a_priority_and_a_processor_that_the_system_refuses_do_not_stop_the_engine() {
    let options =
        EngineOptions { priority: Some(1), cpu: Some(usize::MAX), ..EngineOptions::default() };
    let mut plant = Plant::in_op(&real(&["ek1100"]), options);
    let refused: Vec<_> =
        plant.events_of(EventKind::Degraded).iter().map(|event| event.a).collect();
    assert!(refused.contains(&2), "{refused:?}");
    plant.close();
}

#[test]
fn engines_run_side_by_side() {
    let plants: Vec<_> = (0..4)
        .map(|_| Plant::in_op(&real(&["ek1100", "el2889"]), EngineOptions::default()))
        .collect();
    for plant in &plants {
        plant.engine.request_close();
    }
    for plant in &plants {
        assert!(plant.engine.close_now(PATIENCE));
        assert_eq!(plant.state(), EngineState::Closed);
    }
}
