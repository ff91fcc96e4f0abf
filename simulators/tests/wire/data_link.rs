//! DL control and status (0x0100, 0x0110), addresses, error counters.

use ecat_simulator::SegmentCommand;
use ecat_simulator::esc::{Esc, Profile};
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, image};

fn three() -> Wire {
    Wire::new(vec![emulated(), emulated(), emulated()])
}

#[test]
fn port_status_shows_a_line() {
    // Real values: 0x5A31 with a device behind, 0x5611 at the end of the line; bit 1 is the device's.
    let mut wire = three();
    assert_eq!(wire.word(0x1001, reg::DL_STATUS), 0x5A31);
    assert_eq!(wire.word(0x1002, reg::DL_STATUS), 0x5A31);
    assert_eq!(wire.word(0x1003, reg::DL_STATUS), 0x5611);
    let mut wire = Wire::new(vec![Esc::new(Profile::default(), image(0x0005, 0))]);
    assert_eq!(wire.word(0x1001, reg::DL_STATUS), 0x5613);
}

#[test]
fn a_port_that_loop_control_closes_ends_the_line() {
    // 0x0101: two bits a port, 3 is closed.
    let mut wire = three();
    wire.set(0x1002, reg::DL_CONTROL + 1, &[0x0C]);
    assert_eq!(wire.read(Command::Brd { register: reg::TYPE }, 1).1, 2);
    assert_eq!(wire.word(0x1002, reg::DL_STATUS), 0x5631);
    wire.set(0x1002, reg::DL_CONTROL + 1, &[0x00]);
    assert_eq!(wire.read(Command::Brd { register: reg::TYPE }, 1).1, 3);
}

#[test]
fn an_alias_answers_only_while_it_is_enabled() {
    // 0x0012 from the SII; 0x0103 bit 0.
    let mut wire = Wire::new(vec![emulated(), Esc::new(Profile::default(), image(0x0100, 0x0777))]);
    let by_alias = Command::Fprd { station: 0x0777, register: reg::STATION_ALIAS };
    assert_eq!(wire.read(by_alias, 2), (vec![0, 0], 0));
    wire.set(0x1002, reg::DL_CONTROL + 3, &[0x01]);
    assert_eq!(wire.read(by_alias, 2), (vec![0x77, 0x07], 1));
    assert_eq!(wire.word(0x1002, reg::STATION_ALIAS), 0x0777);
}

#[test]
fn a_cut_cable_shows_at_the_device_in_front_of_it() {
    // 0x0110 port 1, lost link counter 0x0311, DL event.
    let mut wire = three();
    wire.segment.apply(SegmentCommand::CutCable { after: 1 }, wire.now_ns);
    assert_eq!(wire.read(Command::Brd { register: reg::TYPE }, 1).1, 2);
    assert_eq!(wire.word(0x1002, reg::DL_STATUS), 0x5611);
    assert_eq!(wire.get(0x1002, reg::LOST_LINKS, 4), [0, 1, 0, 0]);
    wire.segment.apply(SegmentCommand::MendCable, wire.now_ns);
    assert_eq!(wire.word(0x1002, reg::DL_STATUS), 0x5A31);
    // The devices behind kept their power.
    assert_eq!(wire.get(0x1003, reg::LOST_LINKS, 4), [1, 0, 0, 0]);
}

#[test]
fn a_write_to_an_error_counter_clears_its_group() {
    let mut wire = three();
    wire.segment.apply(SegmentCommand::CutCable { after: 1 }, wire.now_ns);
    wire.segment.apply(SegmentCommand::MendCable, wire.now_ns);
    assert_eq!(wire.set(0x1002, reg::RX_ERRORS, &[0; 8]), 1);
    assert_eq!(wire.get(0x1002, reg::LOST_LINKS, 4), [0, 1, 0, 0]);
    assert_eq!(wire.set(0x1002, reg::LOST_LINKS, &[0xFF]), 1);
    assert_eq!(wire.get(0x1002, reg::LOST_LINKS, 4), [0; 4]);
}
