//! Registers that an application reads while the bus runs.

mod common;

use common::{Plant, described, real, virtual_time};
use ecat_engine::cycle::registers::{RegisterAnswer, RegisterRead};
use ecat_engine::error::ErrorCode;
use ecat_simulator::SegmentCommand;
use ecat_wire::register;

fn answers(plant: &mut Plant, wanted: usize) -> Vec<RegisterAnswer> {
    let mut answers = Vec::new();
    for _ in 0..200 {
        plant.run(1);
        answers.extend(std::iter::from_fn(|| plant.engine.take_register_answer()));
        if answers.len() >= wanted {
            break;
        }
    }
    answers
}

#[test]
fn registers_of_any_subdevice_can_be_read_in_op() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889", "el2828"]), virtual_time());
    for (id, (position, register, length)) in
        [(0, register::TYPE, 10), (1, register::AL_STATUS, 2), (2, register::STATION_ADDRESS, 2)]
            .into_iter()
            .enumerate()
    {
        let read = RegisterRead { id: id as u32, position, register, length };
        assert!(plant.engine.read_register(read).unwrap());
    }
    let answers = answers(&mut plant, 3);
    assert_eq!(answers.iter().map(|answer| answer.id).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(answers.iter().all(|answer| answer.working_counter == Some(1)), "{answers:?}");
    assert_eq!(answers[0].data[..10], [0x11, 0, 3, 0, 8, 8, 8, 0x3B, 0xFC, 0]);
    assert_eq!(answers[1].data[..2], [8, 0]);
    let station = plant.found.0.sub_devices[2].station_address;
    assert_eq!(answers[2].data[..2], station.to_le_bytes());
}

#[test]
fn a_subdevice_that_is_away_counts_nothing_and_a_lost_frame_is_asked_again() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889"]), virtual_time());
    plant.command(SegmentCommand::Unplug { device: 1 });
    let read =
        |id, position| RegisterRead { id, position, register: register::AL_STATUS, length: 2 };
    assert!(plant.engine.read_register(read(1, 1)).unwrap());
    assert_eq!(answers(&mut plant, 1)[0].working_counter, Some(0));
    plant.command(SegmentCommand::LoseFrames { count: 3 });
    assert!(plant.engine.read_register(read(2, 0)).unwrap());
    assert_eq!(answers(&mut plant, 1)[0].working_counter, Some(1));
    plant.command(SegmentCommand::LinkDown);
    assert!(plant.engine.read_register(read(3, 0)).unwrap());
    assert_eq!(answers(&mut plant, 1)[0].working_counter, None);
}

#[test]
fn what_cannot_be_read_is_refused_at_the_call_and_a_full_queue_says_so() {
    let plant = Plant::in_op(&described(r#"{"devices":[{"type":"EK1100"}]}"#), virtual_time());
    for (position, register, length) in [(1, 0, 1), (0, 0, 0), (0, 0, 65), (0, 0x0FFF, 2)] {
        let read = RegisterRead { id: 0, position, register, length };
        let refused = plant.engine.read_register(read).unwrap_err();
        assert_eq!(refused.first.code, ErrorCode::InvalidArgument, "{read:?}");
    }
    let read = RegisterRead { id: 0, position: 0, register: 0, length: 1 };
    let queued = (0..200).take_while(|_| plant.engine.read_register(read).unwrap()).count();
    assert!((64..200).contains(&queued), "{queued}");
}
