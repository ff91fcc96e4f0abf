//! Interlocks of a running engine, from an input on the wire to the next frame.

mod common;

use common::{Plant, described, virtual_time};
use ecat_engine::engine::{EngineOptions, StartOptions};
use ecat_engine::error::ErrorCode;
use ecat_engine::event::EventKind;
use ecat_engine::shared::{
    Acknowledged, BitsKind, Claims, Comparison, InterlockSpec, LaneWriter, Threshold,
};
use ecat_simulator::SegmentCommand;

/// One byte of outputs, one of inputs.
const SEGMENT: &str = r#"{"devices":[
    {"type":"EK1100"},
    {"name":"in","type":"digital-inputs","channels":8},
    {"name":"out","type":"digital-outputs","channels":8}]}"#;

fn guard(name: &str, bit_offset: u32, force_mask: u8, force_image: u8) -> InterlockSpec {
    InterlockSpec {
        name: name.to_owned(),
        bit_offset,
        bit_length: 1,
        kind: BitsKind::Unsigned,
        when: Comparison::Is(Threshold::Integer(1)),
        force_mask: [force_mask].into(),
        force_image: [force_image].into(),
    }
}

fn guarded(interlocks: Vec<InterlockSpec>) -> (Plant, LaneWriter) {
    let options = EngineOptions { first_cycle: u32::MAX - 99, ..virtual_time() };
    let mut plant = Plant::in_op_with(&described(SEGMENT), options, |_| StartOptions {
        interlocks,
        ..StartOptions::default()
    });
    let claims = Claims {
        mask: [0xFF].into(),
        loss_mask: [0xFF].into(),
        loss_image: [0x11].into(),
        ..Claims::default()
    };
    plant.engine.claim(0, 1, &claims).unwrap();
    let mut lane = plant.memory.lane_writer(0).unwrap();
    lane.commit(&[0xFF]);
    plant.run(120);
    (plant, lane)
}

fn set_input(plant: &Plant, value: u64) {
    plant.command(SegmentCommand::SetInput { device: 1, bit_offset: 0, bit_length: 8, value });
}

#[test]
fn an_input_forces_outputs_with_the_next_frame_until_it_is_acknowledged() {
    let (mut plant, _lane) = guarded(vec![guard("door", 0, 0x0F, 0x02)]);
    assert_eq!(plant.events_of(EventKind::InterlockFired), []);
    assert_eq!(plant.run(1)[0].outputs, [0xFF]);
    set_input(&plant, 1);
    let slots = plant.run(3);
    let fired = plant.events_of(EventKind::InterlockFired);
    assert_eq!((fired[0].cycle, fired[0].subject, fired[0].a), (slots[0].cycle, 0, 0));
    let sent: Vec<_> = slots.iter().map(|slot| (slot.inputs[0], slot.outputs[0])).collect();
    assert_eq!(sent, [(1, 0xFF), (1, 0xF2), (1, 0xF2)]);
    let interlocks = plant.memory.interlocks();
    assert_eq!(interlocks.acknowledge(0), Acknowledged::Holds);
    set_input(&plant, 0);
    assert!(plant.run(50).iter().all(|slot| slot.outputs == [0xF2]), "latched");
    assert_eq!(interlocks.acknowledge(0), Acknowledged::Requested);
    let slots = plant.run(2);
    assert_eq!([slots[0].outputs[0], slots[1].outputs[0]], [0xF2, 0xFF]);
    let released = plant.events_of(EventKind::InterlockReleased);
    assert_eq!((released[0].cycle, released[0].a), (slots[0].cycle, 0));
    assert_eq!(plant.events_of(EventKind::InterlockFired).len(), 1);
    plant.close();
}

#[test]
fn the_way_up_fires_nothing_and_a_lost_input_does() {
    let (mut plant, _lane) = guarded(vec![guard("door", 0, 0x0F, 0x00)]);
    plant.command(SegmentCommand::LoseFrames { count: 1 });
    let slots = plant.run(2);
    assert_eq!([slots[0].outputs[0], slots[1].outputs[0]], [0xFF, 0xF0], "one lost frame");
    let fired = plant.events_of(EventKind::InterlockFired);
    assert_eq!(fired.iter().map(|event| event.a).collect::<Vec<_>>(), [1]);
    assert_eq!(plant.memory.interlocks().acknowledge(0), Acknowledged::Requested);
    assert_eq!(plant.run(2)[1].outputs, [0xFF]);
    plant.command(SegmentCommand::Unplug { device: 1 });
    plant.run(30);
    assert_eq!(plant.memory.interlocks().acknowledge(0), Acknowledged::Holds);
    plant.close();
    // On the way down nothing fires any more.
    assert_eq!(plant.events_of(EventKind::InterlockFired).len(), 2);
}

#[test]
fn interlocks_are_declared_anew_while_the_bus_runs() {
    let (mut plant, _lane) = guarded(vec![guard("door", 0, 0x01, 0)]);
    set_input(&plant, 1);
    plant.run(2);
    let slots =
        plant.engine.set_interlocks(&[guard("hood", 1, 0x02, 0), guard("door", 0, 0x01, 0)]);
    assert_eq!(slots.unwrap(), [1, 0]);
    assert_eq!(plant.run(1)[0].outputs, [0xFE], "the old one goes on, the new one has no cause");
    set_input(&plant, 3);
    assert_eq!(plant.run(2)[1].outputs, [0xFC]);
    let wrong = plant.engine.set_interlocks(&[guard("far", 99, 1, 0)]).unwrap_err();
    assert_eq!(wrong.first.code, ErrorCode::InvalidArgument);
    assert!(plant.engine.set_interlocks(&[]).unwrap().is_empty());
    assert_eq!(plant.run(1)[0].outputs, [0xFF]);
    let removed: Vec<_> =
        plant.events_of(EventKind::InterlockReleased).iter().map(|e| (e.subject, e.a)).collect();
    assert_eq!(removed, [(0, 1), (1, 1)]);
    plant.close();
}

#[test]
fn interlocks_outweigh_the_loss_values_of_the_way_down() {
    let (mut plant, _lane) = guarded(vec![guard("door", 0, 0x01, 0)]);
    set_input(&plant, 1);
    plant.run(2);
    plant.close();
    assert_eq!(plant.slot(plant.latest()).outputs, [0x10]);
}
