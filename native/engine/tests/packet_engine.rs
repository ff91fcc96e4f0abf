//! An engine on a network card: a veth pair with a simulated segment at its other end.

mod common;
#[path = "common/veth.rs"]
mod veth;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::Plant;
use ecat_engine::engine::{EngineOptions, StartOptions};
use ecat_engine::event::EventKind;
use ecat_engine::link::packet::PacketLink;
use ecat_engine::shared::layout::{EngineState, Verdict};
use ecat_engine::shared::{Claims, Drained};
use ecat_wire::Link;

#[test]
fn an_engine_on_a_network_card_climbs_to_op_and_survives_its_carrier() {
    veth::in_own_namespace("engine_on_a_card");
}

/// Commits to the second SubDevice until a frame out of cycle has come back over the cable.
fn commit_urgently(plant: &mut Plant) {
    let outputs = plant.found.1.devices[1].outputs.clone();
    let mut mask = vec![0; plant.found.1.output_bytes];
    mask[outputs.clone()].fill(0xFF);
    let none: Box<[u8]> = vec![0; mask.len()].into();
    let claims = Claims {
        mask: mask.into(),
        loss_mask: none.clone(),
        loss_image: none.clone(),
        ..Claims::default()
    };
    plant.engine.claim(0, 1, &claims).unwrap();
    let mut lane = plant.memory.lane_writer(0).unwrap();
    let receipts = plant.memory.receipt_reader(0).unwrap();
    let (mut image, mut tail, mut verdict) = (none, 0, 0);
    while verdict != Verdict::Early as u32 {
        image[outputs.start] = image[outputs.start].wrapping_add(1);
        lane.commit(&image);
        plant.engine.request_urgent();
        let mut out = [[0; 4]; 4];
        plant.await_that(|_| receipts.drain(&mut tail, &mut out) == Drained::Records(1));
        verdict = out[0][3];
    }
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
        let outputs =
            StartOptions { urgent_allowed: vec![false, true, false], ..StartOptions::default() };
        let mut plant = Plant::in_op_on(opener, options, |_| outputs);
        let begun = plant.latest();
        plant.await_that(|plant| plant.latest() - begun > 50);
        commit_urgently(&mut plant);
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
