//! SyncManagers that are for OP only (SII enable bit 3): what is written to whom, in which order. Simulated
//! segments in virtual time, behind a link that listens.

mod common;
#[path = "common/tap.rs"]
mod tap;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use common::{Plant, described, real, virtual_time};
use ecat_engine::error::ErrorCode;
use ecat_engine::event::EventKind;
use ecat_engine::shared::layout::EngineState;
use ecat_simulator::{Segment, SegmentCommand, SegmentControl, SegmentDescription, SegmentLink};
use ecat_wire::register::{AL_CONTROL, sync_manager};
use ecat_wire::sync_manager::ACTIVATE_OFFSET;
use tap::{Tap, Tapped};

const SWITCH_0: u16 = sync_manager(0) + ACTIVATE_OFFSET;
const SWITCH_1: u16 = sync_manager(1) + ACTIVATE_OFFSET;

/// A write to one SubDevice: station address, register, first byte.
type Write = (u16, u16, u8);

/// What a link has heard, and how many frames that switch something on it still loses.
#[derive(Clone, Default)]
struct Ears {
    writes: Arc<Mutex<Vec<Write>>>,
    to_lose: Arc<AtomicU32>,
}

impl Ears {
    /// State requests and switches of one SubDevice, from its request of SAFE-OP on.
    fn since_safe_op(&self, station: u16) -> Vec<(u16, u8)> {
        let writes = self.writes.lock().unwrap();
        let of_it = writes.iter().filter(|write| write.0 == station);
        let concerned = |register| matches!(register, AL_CONTROL | SWITCH_0 | SWITCH_1);
        of_it
            .map(|&(_, register, value)| (register, value))
            .filter(|&(register, _)| concerned(register))
            .skip_while(|&write| write != (AL_CONTROL, 4))
            .collect()
    }
}

impl Tap for Ears {
    fn write(&mut self, station: u16, register: u16, value: u8) -> bool {
        self.writes.lock().unwrap().push((station, register, value));
        let switches_on = matches!(register, SWITCH_0 | SWITCH_1) && value == 1;
        let fewer = |count: u32| count.checked_sub(1);
        let order = Ordering::Relaxed;
        !(switches_on && self.to_lose.fetch_update(order, order, fewer).is_ok())
    }
}

fn listened(description: &SegmentDescription, to_lose: u32) -> (Plant, Ears, SegmentControl) {
    let (inner, control) = SegmentLink::new(Segment::new(description).unwrap());
    let ears = Ears { to_lose: Arc::new(AtomicU32::new(to_lose)), ..Ears::default() };
    let link = Tapped { inner, tap: ears.clone() };
    let plant = Plant::start_on(Box::new(move || Ok(Box::new(link))), virtual_time());
    (plant, ears, control)
}

/// A coupler, outputs behind a program, and outputs without one.
const PLANT: &str = r#"{"devices":[
    {"type":"EK1100"}, {"type":"analogue-outputs"}, {"type":"digital-outputs","channels":16}]}"#;

#[test]
fn they_are_on_right_before_op_and_off_right_after_it() {
    let (mut plant, ears, _control) = listened(&described(PLANT), 0);
    plant.await_state(EngineState::Op);
    assert!(plant.run(20).iter().all(|slot| slot.quality == [0; 3]));
    assert_eq!(
        ears.since_safe_op(0x1001),
        [(AL_CONTROL, 4), (SWITCH_0, 1), (AL_CONTROL, 8)],
        "a program that checks its SyncManagers"
    );
    let climb = [(AL_CONTROL, 4), (SWITCH_0, 1), (SWITCH_1, 1), (AL_CONTROL, 8)];
    assert_eq!(ears.since_safe_op(0x1002), climb);
    assert_eq!(ears.since_safe_op(0x1000), [(AL_CONTROL, 4), (AL_CONTROL, 8)]);
    plant.close();
    assert_eq!(
        ears.since_safe_op(0x1001)[3..],
        [(AL_CONTROL, 4), (SWITCH_0, 0), (AL_CONTROL, 2), (AL_CONTROL, 1)]
    );
    assert_eq!(
        ears.since_safe_op(0x1002)[4..],
        [(AL_CONTROL, 4), (SWITCH_0, 0), (SWITCH_1, 0), (AL_CONTROL, 2), (AL_CONTROL, 1)]
    );
    let states = plant.events_of(EventKind::SubDeviceState);
    assert!(states.iter().all(|event| event.a & 0x10 == 0), "nobody objects: {states:?}");
    assert_eq!(plant.events_of(EventKind::WorkingCounter), []);
}

#[test]
fn a_switch_that_gets_lost_is_written_again_before_op_is_requested() {
    let (mut plant, ears, _control) = listened(&real(&["ek1100", "el2889"]), 3);
    plant.await_state(EngineState::Op);
    let on = (SWITCH_0, 1);
    let climb = [(AL_CONTROL, 4), on, on, on, on, (SWITCH_1, 1), (AL_CONTROL, 8)];
    assert_eq!(ears.since_safe_op(0x1001), climb);
    assert_eq!(plant.run(5)[4].quality, [0; 2]);
    plant.close();
}

#[test]
fn a_device_that_falls_out_of_op_has_them_switched_off() {
    let (mut plant, ears, control) = listened(&described(PLANT), 0);
    plant.await_state(EngineState::Op);
    plant.run(3);
    // The process-data watchdog of 100 ms runs out: a program leaves OP, a simple terminal does not.
    control.send(SegmentCommand::LinkDown).unwrap();
    plant.run(150);
    control.send(SegmentCommand::LinkUp).unwrap();
    let slots = plant.run(60);
    assert_eq!(slots[59].quality, [0, 2, 0]);
    assert_eq!(ears.since_safe_op(0x1001)[3..], [(SWITCH_0, 0)]);
    assert_eq!(ears.since_safe_op(0x1002).len(), 4);
    plant.close();
}

#[test]
fn a_refused_op_has_them_switched_off_again() {
    let description = PLANT
        .replace(r#""analogue-outputs""#, r#""analogue-outputs","refuse":[{"to":"OP","code":29}]"#);
    let (mut plant, ears, _control) = listened(&described(&description), 0);
    let failures = plant.await_failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!((failures[0].code, failures[0].position), (ErrorCode::StateRefused, Some(1)));
    assert_eq!(
        ears.since_safe_op(0x1001),
        [(AL_CONTROL, 4), (SWITCH_0, 1), (AL_CONTROL, 8), (SWITCH_0, 0)]
    );
    plant.await_state(EngineState::Op);
    assert_eq!(plant.run(20)[19].quality, [0, 2, 0]);
    plant.close();
}
