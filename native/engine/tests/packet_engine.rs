//! An engine on a network card: a veth pair with a simulated segment at its other end.

mod common;
#[path = "common/veth.rs"]
mod veth;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::Plant;
use ecat_engine::engine::EngineOptions;
use ecat_engine::event::EventKind;
use ecat_engine::link::packet::PacketLink;
use ecat_engine::shared::layout::EngineState;
use ecat_wire::Link;

#[test]
fn an_engine_on_a_network_card_climbs_to_op_and_survives_its_carrier() {
    veth::in_own_namespace("engine_on_a_card");
}

/// Ends the segment's thread however the test ends, so that it fails and does not hang.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
#[ignore = "runs in a network namespace of its own, started by the test above"]
fn engine_on_a_card() {
    veth::make();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| veth::serve(&stop));
        let _stops = Stops(&stop);
        let opener =
            Box::new(|| PacketLink::open("bf0").map(|link| Box::new(link) as Box<dyn Link>));
        // Long cycles, so that a busy machine loses few frames.
        let options = EngineOptions { cycle_period_ns: 4_000_000, ..EngineOptions::default() };
        let mut plant = Plant::start_on(opener, options);
        plant.await_state(EngineState::Op);
        let begun = plant.latest();
        plant.await_that(|plant| plant.latest() - begun > 50);
        veth::ip("link set bf1 down");
        plant.await_that(|plant| !plant.events_of(EventKind::LinkDown).is_empty());
        veth::ip("link set bf1 up");
        plant.await_that(|plant| !plant.events_of(EventKind::LinkUp).is_empty());
        let begun = plant.latest();
        plant.await_that(|plant| plant.latest() - begun > 50);
        plant.close();
        assert_eq!(plant.state(), EngineState::Closed);
        let statistics = plant.memory.statistics();
        let cycles = statistics.counters.cycles.load(Ordering::Relaxed);
        let missed = statistics.counters.periods_missed.load(Ordering::Relaxed);
        assert_eq!(u64::from(plant.latest()) + 1, cycles + missed);
        println!(
            "lateness p50 {} ns, round trip p50 {} ns",
            statistics.lateness.quantile_ns(0.5),
            statistics.round_trip.quantile_ns(0.5)
        );
    });
}
