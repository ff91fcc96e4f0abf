//! Opening and closing at any moment, many times: everything is given back. One test, since it counts what
//! the process has.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{PATIENCE, Plant, real, virtual_time};
use ecat_engine::engine::{Bell, Engine, EngineOptions};
use ecat_engine::error::ErrorCode;
use ecat_engine::shared::layout::EngineState;
use ecat_simulator::{Segment, SegmentLink};

fn count(what: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

struct Silent;

impl Bell for Silent {
    fn ring(&self) {}
}

fn open(options: EngineOptions) -> Arc<Engine> {
    let (link, _) = SegmentLink::new(Segment::new(&real(&["ek1100", "el2889"])).unwrap());
    Engine::open(options, Box::new(move || Ok(Box::new(link))), Arc::new(Silent)).unwrap()
}

#[test]
fn whatever_the_moment_of_the_end_threads_and_descriptors_are_given_back() {
    let before = (count("task"), count("fd"));
    for round in 0..20 {
        let options = EngineOptions { virtual_time: round % 2 == 0, ..virtual_time() };
        // At once, or somewhere in the bring-up.
        let engine = open(options.clone());
        std::thread::sleep(Duration::from_micros(round * 100));
        assert!(engine.close_now(PATIENCE));
        if let Some(Err(error)) = engine.take_bring_up() {
            assert_eq!(error.first.code, ErrorCode::Aborted);
        }
        drop(engine);
        // Dropped, without a word.
        drop(open(options.clone()));
        // On the way up, and in OP.
        let plant = Plant::start(&real(&["ek1100", "akd"]), options.clone());
        plant.close();
        assert_eq!(plant.state(), EngineState::Closed);
        drop(plant);
        drop(Plant::in_op(&real(&["ek1100"]), options));
        assert_eq!((count("task"), count("fd")), before, "round {round}");
    }
}
