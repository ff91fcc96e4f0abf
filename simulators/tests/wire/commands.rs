//! Commands, addresses and working counters.

use ecat_simulator::{Forward, Segment};
use ecat_wire::ethernet::{MacAddress, SOURCE_PROCESSED};
use ecat_wire::frame::FrameWriter;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated};

const RAM: u16 = reg::PROCESS_RAM;

fn three() -> Wire {
    Wire::new(vec![emulated(), emulated(), emulated()])
}

#[test]
fn a_position_counts_up_in_every_device_and_the_one_that_sees_0_answers() {
    let mut wire = three();
    let command = Command::Aprd { position: Command::position(1), register: reg::STATION_ADDRESS };
    let answer = wire.exchange(command, &[0, 0]);
    assert_eq!((answer.data, answer.working_counter), (vec![0x02, 0x10], 1));
    assert_eq!(answer.address, [2, 0, 0x10, 0x00]);
    let behind = Command::Aprd { position: Command::position(3), register: reg::STATION_ADDRESS };
    assert_eq!(wire.read(behind, 2), (vec![0, 0], 0));
}

#[test]
fn a_broadcast_read_ors_and_counts_every_device() {
    let mut wire = three();
    let answer = wire.exchange(Command::Brd { register: reg::STATION_ADDRESS }, &[0, 0x80]);
    assert_eq!((answer.data, answer.working_counter), (vec![0x03, 0x90], 3));
    assert_eq!(answer.address[..2], [3, 0]);
    let answer = wire.exchange(Command::Bwr { register: RAM }, &[0x5A]);
    assert_eq!((answer.data, answer.working_counter), (vec![0x5A], 3));
    assert_eq!(wire.get(0x1003, RAM, 1), [0x5A]);
}

#[test]
fn a_read_write_returns_what_was_there_and_counts_three() {
    let mut wire = three();
    wire.set(0x1002, RAM, &[1, 2]);
    let position = Command::position(1);
    for command in [
        Command::Aprw { position, register: RAM },
        Command::Fprw { station: 0x1002, register: RAM },
    ] {
        let answer = wire.exchange(command, &[3, 4]);
        assert_eq!((answer.data, answer.working_counter), (vec![1, 2], 3));
        assert_eq!(wire.get(0x1002, RAM, 2), [3, 4]);
        wire.set(0x1002, RAM, &[1, 2]);
    }
    let answer = wire.exchange(Command::Brw { register: RAM }, &[8, 8]);
    assert_eq!((answer.data, answer.working_counter), (vec![9, 10], 9));
}

#[test]
fn a_read_multiple_write_is_read_by_one_and_written_by_all_others() {
    for by_position in [false, true] {
        let mut wire = three();
        wire.set(0x1002, RAM, &[7]);
        let command = if by_position {
            Command::Armw { position: Command::position(1), register: RAM }
        } else {
            Command::Frmw { station: 0x1002, register: RAM }
        };
        let answer = wire.exchange(command, &[1]);
        assert_eq!((answer.data, answer.working_counter), (vec![7], 3));
        // In front of the reader passes what was sent, behind it what was read.
        assert_eq!(wire.get(0x1001, RAM, 1), [1]);
        assert_eq!(wire.get(0x1002, RAM, 1), [7]);
        assert_eq!(wire.get(0x1003, RAM, 1), [7]);
    }
}

#[test]
fn devices_with_one_station_address_all_answer() {
    let mut wire = three();
    assert_eq!(wire.write(Command::Bwr { register: reg::STATION_ADDRESS }, &[0, 0]), 3);
    let (_, working_counter) = wire.read(Command::Fprd { station: 0, register: reg::TYPE }, 1);
    assert_eq!(working_counter, 3);
    let (_, working_counter) = wire.read(Command::Fprd { station: 0x1001, register: reg::TYPE }, 1);
    assert_eq!(working_counter, 0);
}

#[test]
fn a_nop_and_an_unknown_command_pass_untouched() {
    let mut wire = three();
    let answer = wire.exchange(Command::Nop, &[1, 2, 3]);
    assert_eq!((answer.data, answer.working_counter), (vec![1, 2, 3], 0));
    assert_eq!(answer.address, [0; 4]);
}

#[test]
fn many_datagrams_of_a_frame_are_each_processed() {
    let mut wire = three();
    let answers = wire.send(&[
        (Command::Brd { register: reg::TYPE }, &[0]),
        (Command::Fpwr { station: 0x1001, register: RAM }, &[9]),
        (Command::Fprd { station: 0x1001, register: RAM }, &[0]),
    ]);
    let counters: Vec<_> = answers.iter().map(|answer| answer.working_counter).collect();
    assert_eq!(counters, [3, 1, 1]);
    // Process RAM is written at once.
    assert_eq!(answers[2].data, [9]);
}

fn segment() -> Segment {
    three().segment
}

#[test]
fn the_source_address_shows_that_the_frame_was_processed() {
    let mut frame = [0; 60];
    let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
    writer.push(Command::Nop, 0, 1).unwrap();
    let length = writer.finish();
    assert_eq!(segment().process(&mut frame[..length], 0), Forward::Returned);
    assert_eq!(frame[6], MacAddress::MAIN_DEVICE.0[0] | SOURCE_PROCESSED);
}

#[test]
fn other_ethernet_frames_pass_only_where_the_forwarding_rule_lets_them() {
    // 0x0100 bit 0 is 1 after power-on.
    let mut wire = three();
    let mut arp = [0; 60];
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    assert_eq!(wire.segment.process(&mut arp, 0), Forward::Lost);
    wire.write(Command::Bwr { register: reg::DL_CONTROL }, &[0]);
    assert_eq!(wire.segment.process(&mut arp, wire.now_ns), Forward::Returned);
    // As it was: only with bit 0 the source address is changed (ESC data sheet, section II, 2.4.1).
    assert_eq!(arp[6], 0);
}

#[test]
fn a_frame_with_contradicting_lengths_is_counted() {
    // Register 0x030C, processing unit errors.
    let mut wire = three();
    let mut frame = [0; 60];
    let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
    writer.push(Command::Nop, 0, 4).unwrap();
    let length = writer.finish();
    frame[22] = 0xFF;
    wire.segment.process(&mut frame[..length], wire.now_ns);
    assert_eq!(wire.get(0x1001, reg::PROCESSING_ERRORS, 1), [1]);
}
