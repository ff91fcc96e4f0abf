//! From a bring-up to OP and back to INIT, on simulated segments in virtual time.

mod common;

use std::sync::Arc;

use common::{Plant, bring_up, described, real, virtual_time};
use ecat_engine::engine::{Bell, Engine, EngineOptions};
use ecat_engine::error::ErrorCode;
use ecat_engine::event::EventKind;
use ecat_engine::shared::layout::{EngineState, SLOT_FLAG_DC_TIME};
use ecat_simulator::SegmentCommand;

const GOOD: u8 = 0;

struct Silent;

impl Bell for Silent {
    fn ring(&self) {}
}

#[test]
fn real_images_climb_to_op_and_exchange() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889", "el2828"]), virtual_time());
    let slots = plant.run(5);
    for slot in &slots {
        assert_eq!(slot.quality, [GOOD; 3], "cycle {}", slot.cycle);
        assert_eq!((slot.flags & 3, slot.outputs.len()), (0, 3));
    }
    let states: Vec<_> =
        plant.events_of(EventKind::EngineState).iter().map(|event| (event.b, event.a)).collect();
    assert_eq!(states, [(0, 1), (1, 2), (2, 3)]);
    assert!(plant.engine.take_failures().is_empty());
    assert_eq!(plant.events_of(EventKind::WorkingCounter), []);
    plant.close();
    assert_eq!(plant.state(), EngineState::Closed);
}

#[test]
fn an_engine_is_found_by_its_number_as_long_as_it_is_held() {
    let plant = Plant::in_op(&real(&["ek1100"]), virtual_time());
    let id = plant.engine.id();
    assert_eq!(Engine::by_id(id).map(|engine| engine.id()), Some(id));
    drop(plant);
    assert!(Engine::by_id(id).is_none());
}

#[test]
fn options_out_of_range_are_refused() {
    for options in [
        EngineOptions { cycle_period_ns: 99_999, ..virtual_time() },
        EngineOptions { cycle_period_ns: 100_000_001, ..virtual_time() },
        EngineOptions { pre_spin_ns: 500_001, ..virtual_time() },
        EngineOptions { priority: Some(100), ..virtual_time() },
    ] {
        let opener = Box::new(|| panic!("not opened"));
        let refused = Engine::open(options, opener, Arc::new(Silent)).err().unwrap();
        assert_eq!(refused.first.code, ErrorCode::InvalidArgument);
    }
}

#[test]
fn a_bring_up_that_fails_says_why_and_ends_the_engine() {
    let (engine, _, outcome) = bring_up(&described(r#"{"devices":[]}"#), virtual_time());
    assert_eq!(outcome.unwrap_err().first.code, ErrorCode::NoSubDevices);
    assert!(engine.close_now(common::PATIENCE));
    assert!(engine.is_closed());
}

#[test]
fn a_refused_state_names_the_device_and_its_code_and_all_others_go_on() {
    let mut plant = Plant::start(
        &described(
            r#"{"devices":[
                {"type":"EK1100"},
                {"name":"in","type":"digital-inputs"},
                {"name":"servo","type":"generic","orderName":"servo","deviceEmulation":false,
                 "pdos":[{"direction":"output","index":5632,
                          "entries":[{"index":28672,"subindex":1,"bits":16}]}],
                 "refuse":[{"to":"SAFE-OP","code":29}]},
                {"name":"out","type":"digital-outputs"}]}"#,
        ),
        virtual_time(),
    );
    let failures = plant.await_failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    let failure = &failures[0];
    assert_eq!(failure.code, ErrorCode::StateRefused);
    assert_eq!((failure.position, failure.sub_device.as_deref()), (Some(2), Some("servo")));
    assert_eq!((failure.requested_state, failure.state), (Some(4), Some(2)));
    assert_eq!(failure.al_status_code, Some(0x001D));
    plant.await_state(EngineState::Op);
    let slots = plant.run(20);
    let last = slots.last().unwrap();
    assert_eq!(last.quality, [GOOD, GOOD, 3, GOOD]);
}

#[test]
fn a_device_that_does_not_climb_in_time_is_named() {
    let mut plant = Plant::start(
        &described(
            r#"{"devices":[
                {"name":"slow","type":"generic","orderName":"slow","deviceEmulation":false,
                 "transitionDelayMs":500,
                 "pdos":[{"direction":"input","index":6656,
                          "entries":[{"index":24576,"subindex":1,"bits":16}]}]},
                {"name":"in","type":"digital-inputs"}]}"#,
        ),
        EngineOptions { state_timeout_ns: Some(200_000_000), ..virtual_time() },
    );
    let failures = plant.await_failures();
    assert_eq!(failures[0].code, ErrorCode::StateTimeout);
    assert_eq!((failures[0].position, failures[0].requested_state), (Some(0), Some(4)));
    plant.await_state(EngineState::Op);
}

#[test]
fn close_leaves_every_device_in_init() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889", "akd"]), virtual_time());
    plant.run(3);
    plant.close();
    let mut last = [0; 3];
    for event in plant.events_of(EventKind::SubDeviceState) {
        last[event.subject as usize] = event.a;
    }
    assert_eq!(last, [1; 3]);
}

#[test]
fn a_panic_becomes_a_failure_and_the_process_opens_the_next_engine() {
    let description = real(&["ek1100", "el2889"]);
    let mut plant = Plant::in_op(&description, virtual_time());
    plant.command(SegmentCommand::Panic);
    plant.engine.grant(1);
    let failures = plant.await_failures();
    assert_eq!(failures[0].code, ErrorCode::Panic);
    assert!(failures[0].message.contains("commanded to panic"), "{}", failures[0].message);
    assert!(failures[0].message.contains(".rs:"), "{}", failures[0].message);
    assert_eq!(plant.state(), EngineState::Faulted);
    plant.close();
    let again = Plant::in_op(&description, virtual_time());
    again.close();
}

#[test]
fn closing_before_the_start_ends_at_once() {
    let (engine, _, outcome) = bring_up(&real(&["ek1100"]), virtual_time());
    assert!(outcome.is_ok());
    assert!(engine.close_now(common::PATIENCE));
}

#[test]
fn a_hundred_devices_climb_at_once() {
    let devices: Vec<&str> =
        (0..100).map(|n| ["ek1100", "el2889", "el2828", "akd"][n.min(1 + n % 3)]).collect();
    let mut plant = Plant::in_op(&real(&devices), virtual_time());
    let slots = plant.run(3);
    assert!(slots.iter().all(|slot| slot.quality == [GOOD; 100]));
    assert!(plant.latest() < 100, "OP at cycle {}", plant.latest());
}

#[test]
fn the_time_of_the_reference_clock_is_read_in_every_cycle() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889"]), virtual_time());
    assert!(plant.run(5).iter().all(|slot| slot.flags & SLOT_FLAG_DC_TIME != 0));
    plant.close();
    let without = EngineOptions { distributed_clocks: false, ..virtual_time() };
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889"]), without);
    assert!(plant.run(5).iter().all(|slot| slot.flags & SLOT_FLAG_DC_TIME == 0));
    plant.close();
}

#[test]
fn cycle_numbers_wrap_and_go_on() {
    let mut plant = Plant::in_op(
        &real(&["ek1100", "el2889"]),
        EngineOptions { first_cycle: u32::MAX - 99, ..virtual_time() },
    );
    let slots = plant.run(300);
    assert!(slots.iter().all(|slot| slot.quality == [GOOD; 2]));
    assert!(plant.latest() < 400);
}

#[test]
fn five_hundred_devices_of_every_kind_reach_op() {
    const KINDS: [&str; 4] =
        ["digital-inputs", "digital-outputs", "analogue-inputs", "analogue-outputs"];
    let device = |n: usize| match n % 25 {
        0 => r#"{"type":"EK1100"}"#.to_owned(),
        _ => format!(r#"{{"type":"{}"}}"#, KINDS[n % 4]),
    };
    let devices: Vec<_> = (0..500).map(device).collect();
    let segment = described(&format!(r#"{{"devices":[{}]}}"#, devices.join(",")));
    let mut plant = Plant::in_op(&segment, virtual_time());
    assert_eq!(plant.found.0.sub_devices.len(), 500);
    let slots = plant.run(3);
    assert!(slots.iter().all(|slot| slot.quality == [GOOD; 500]));
    plant.close();
}
