//! Devices that are lost on the way to SAFE-OP and OP. Simulated segments in virtual time.

mod common;
#[path = "common/tap.rs"]
mod tap;

use common::{Plant, described, virtual_time};
use ecat_engine::engine::EngineOptions;
use ecat_engine::error::ErrorCode;
use ecat_engine::event::EventKind;
use ecat_engine::shared::layout::EngineState;
use ecat_simulator::{Segment, SegmentCommand, SegmentControl, SegmentLink};
use ecat_wire::register::AL_CONTROL;
use tap::{Tap, Tapped};

/// A program that takes its time over every transition, among terminals.
const PLANT: &str = r#"{"devices":[
    {"type":"EK1100"}, {"type":"digital-inputs"},
    {"name":"slow","type":"generic","orderName":"slow","deviceEmulation":false,"transitionDelayMs":300,
     "pdos":[{"direction":"output","index":5632,"entries":[{"index":28672,"subindex":1,"bits":16}]}]},
    {"type":"digital-outputs"}]}"#;
const SLOW: u16 = 0x1002;

/// Takes devices away so many frames after a state was requested of the slow one.
struct Thief {
    segment: SegmentControl,
    devices: &'static [u16],
    state: u8,
    frames: u32,
    armed: bool,
}

impl Thief {
    fn strike(&mut self) {
        for &device in self.devices {
            self.segment.send(SegmentCommand::Unplug { device }).unwrap();
        }
        self.devices = &[];
    }
}

impl Tap for Thief {
    fn frame(&mut self) {
        match self.frames.checked_sub(u32::from(self.armed)) {
            Some(frames) => self.frames = frames,
            None => self.strike(),
        }
    }

    fn write(&mut self, station: u16, register: u16, value: u8) -> bool {
        self.armed |= (station, register, value) == (SLOW, AL_CONTROL, self.state);
        if self.armed && self.frames == 0 {
            self.strike();
        }
        true
    }
}

fn start(devices: &'static [u16], state: u8, frames: u32, options: EngineOptions) -> Plant {
    let (inner, segment) = SegmentLink::new(Segment::new(&described(PLANT)).unwrap());
    let tap = Thief { segment, devices, state, frames, armed: false };
    Plant::start_on(Box::new(move || Ok(Box::new(Tapped { inner, tap }))), options)
}

#[test]
fn a_device_that_is_lost_on_its_way_up_is_named_soon_and_all_others_go_on() {
    for state in [4, 8] {
        // With the request itself, and while it is waited for.
        for frames in [0, 1, 2, 20, 50] {
            let mut plant = start(&[2], state, frames, virtual_time());
            let failures = plant.await_failures();
            assert_eq!(failures.len(), 1, "{failures:?}");
            assert_eq!(failures[0].code, ErrorCode::SubDeviceLost, "{failures:?}");
            assert_eq!(failures[0].position, Some(2));
            assert_eq!(failures[0].requested_state, Some(state));
            plant.await_state(EngineState::Op);
            assert_eq!(plant.run(20)[19].quality, [0, 0, 3, 0]);
            let lost = plant.events_of(EventKind::SubDeviceLost);
            assert_eq!(lost.len(), 1, "{lost:?}");
            let then = plant.events_of(EventKind::EngineState);
            let next = then.iter().find(|event| event.cycle > lost[0].cycle).unwrap();
            let waited = next.cycle - lost[0].cycle;
            assert!((195..230).contains(&waited), "{waited} cycles at {state} after {frames}");
            plant.close();
        }
    }
}

#[test]
fn where_nobody_answers_any_more_the_time_limit_decides() {
    let options = EngineOptions { state_timeout_ns: Some(500_000_000), ..virtual_time() };
    let mut plant = start(&[0, 1, 2, 3], 4, 0, options);
    let failures = plant.await_failures();
    assert!(plant.latest() >= 500, "at cycle {}", plant.latest());
    assert!(failures.iter().any(|failure| failure.position == Some(2)), "{failures:?}");
    plant.close();
}
