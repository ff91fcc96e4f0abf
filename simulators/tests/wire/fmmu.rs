//! FMMUs (0x0600): logical addressing, bit by bit.

use ecat_simulator::esc::Application;
use ecat_wire::fmmu::Fmmu;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, digital, emulated};

const STATION: u16 = 0x1001;
const RAM: u16 = reg::PROCESS_RAM;

fn bytes(logical_start: u32, length: u16, physical_start: u16) -> Fmmu {
    Fmmu {
        logical_start,
        length,
        logical_stop_bit: 7,
        physical_start,
        enabled: true,
        ..Fmmu::default()
    }
}

fn map(wire: &mut Wire, station: u16, n: u8, fmmu: Fmmu) {
    assert_eq!(wire.set(station, reg::fmmu(n), &fmmu.to_bytes()), 1);
}

#[test]
fn a_logical_read_write_counts_per_device_and_not_per_fmmu() {
    let mut wire = Wire::new(vec![emulated(), emulated()]);
    map(&mut wire, 0x1001, 0, Fmmu { write: true, ..bytes(0x100, 2, RAM) });
    map(&mut wire, 0x1001, 1, Fmmu { write: true, ..bytes(0x102, 2, RAM + 0x10) });
    map(&mut wire, 0x1002, 0, Fmmu { read: true, ..bytes(0x104, 2, RAM) });
    wire.set(0x1002, RAM, &[0xAA, 0xBB]);
    let logical = 0x100;
    // Two write FMMUs of one device add 2, one read FMMU of the other adds 1.
    let answer = wire.exchange(Command::Lrw { logical }, &[1, 2, 3, 4, 0, 0, 9]);
    assert_eq!((answer.data, answer.working_counter), (vec![1, 2, 3, 4, 0xAA, 0xBB, 9], 3));
    assert_eq!(wire.get(0x1001, RAM, 2), [1, 2]);
    assert_eq!(wire.get(0x1001, RAM + 0x10, 2), [3, 4]);
    assert_eq!(wire.write(Command::Lwr { logical }, &[5; 6]), 1);
    assert_eq!(wire.read(Command::Lrd { logical }, 6), (vec![0, 0, 0, 0, 0xAA, 0xBB], 1));
}

#[test]
fn a_device_that_maps_both_ways_counts_three() {
    let mut wire = Wire::new(vec![emulated()]);
    map(&mut wire, STATION, 0, Fmmu { write: true, ..bytes(0, 1, RAM) });
    map(&mut wire, STATION, 1, Fmmu { read: true, ..bytes(0, 1, RAM + 8) });
    wire.set(STATION, RAM + 8, &[0x77]);
    // Overlapping images: what comes in is written, what is read goes out in its place.
    let answer = wire.exchange(Command::Lrw { logical: 0 }, &[0x11]);
    assert_eq!((answer.data, answer.working_counter), (vec![0x77], 3));
    assert_eq!(wire.get(STATION, RAM, 1), [0x11]);
}

#[test]
fn one_fmmu_for_both_directions_exchanges() {
    let mut wire = Wire::new(vec![emulated()]);
    map(&mut wire, STATION, 0, Fmmu { read: true, write: true, ..bytes(0, 2, RAM) });
    wire.set(STATION, RAM, &[1, 2]);
    let answer = wire.exchange(Command::Lrw { logical: 0 }, &[3, 4]);
    assert_eq!((answer.data, answer.working_counter), (vec![1, 2], 3));
    assert_eq!(wire.get(STATION, RAM, 2), [3, 4]);
}

#[test]
fn a_datagram_may_cover_a_part_of_an_fmmu() {
    let mut wire = Wire::new(vec![emulated()]);
    map(&mut wire, STATION, 0, Fmmu { read: true, ..bytes(0x10, 8, RAM) });
    wire.set(STATION, RAM, &[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(wire.read(Command::Lrd { logical: 0x16 }, 4), (vec![6, 7, 0, 0], 1));
    assert_eq!(wire.read(Command::Lrd { logical: 0x0E }, 4), (vec![0, 0, 0, 1], 1));
    assert_eq!(wire.read(Command::Lrd { logical: 0x18 }, 4).1, 0);
    assert_eq!(wire.read(Command::Lrd { logical: 0x0C }, 4).1, 0);
}

#[test]
fn bits_are_mapped_and_their_neighbours_left_alone() {
    let mut wire = Wire::new(vec![emulated(), emulated()]);
    // Four bits each, packed into one logical byte.
    let low = Fmmu { logical_stop_bit: 3, read: true, ..bytes(0, 1, RAM) };
    let high = Fmmu { logical_start_bit: 4, read: true, ..bytes(0, 1, RAM) };
    map(&mut wire, 0x1001, 0, low);
    map(&mut wire, 0x1002, 0, high);
    map(&mut wire, 0x1001, 1, Fmmu { read: false, write: true, physical_start: RAM + 4, ..low });
    map(&mut wire, 0x1002, 1, Fmmu { read: false, write: true, physical_start: RAM + 4, ..high });
    wire.set(0x1001, RAM, &[0x0A]);
    wire.set(0x1002, RAM, &[0x05]);
    wire.set(0x1002, RAM + 4, &[0xF0]);
    let answer = wire.exchange(Command::Lrw { logical: 0 }, &[0x93]);
    assert_eq!((answer.data, answer.working_counter), (vec![0x5A], 6));
    assert_eq!(wire.get(0x1001, RAM + 4, 1), [0x03]);
    assert_eq!(wire.get(0x1002, RAM + 4, 1), [0xF9]);
}

#[test]
fn bits_may_cross_bytes_on_either_side() {
    let mut wire = Wire::new(vec![emulated()]);
    // Ten bits from logical bit 6 on, to physical bit 3 on.
    let ten = Fmmu { logical_start_bit: 6, physical_start_bit: 3, write: true, ..bytes(0, 2, RAM) };
    map(&mut wire, STATION, 0, ten);
    assert_eq!(wire.write(Command::Lwr { logical: 0 }, &[0xC0, 0xA5]), 1);
    let value = 0b10_1001_0111_u16 << 3;
    assert_eq!(wire.get(STATION, RAM, 2), value.to_le_bytes());
}

#[test]
fn digital_outputs_are_reached_bit_by_bit() {
    // 0x0F00, as in real digital terminals.
    let mut wire = Wire::new(vec![digital(Application::default())]);
    let first = Fmmu {
        logical_start_bit: 2,
        logical_stop_bit: 3,
        write: true,
        ..bytes(0, 1, reg::DIGITAL_OUTPUTS)
    };
    let second = Fmmu { logical_start_bit: 4, logical_stop_bit: 5, physical_start_bit: 2, ..first };
    map(&mut wire, STATION, 0, first);
    map(&mut wire, STATION, 1, second);
    assert_eq!(wire.exchange(Command::Lrw { logical: 0 }, &[0b01_1100]).working_counter, 2);
    assert_eq!(wire.get(STATION, reg::DIGITAL_OUTPUTS, 1), [0b0111]);
}

#[test]
fn a_register_may_be_mapped_for_reading() {
    // The status of a mailbox, 0x080D, as MainDevices poll it.
    let mut wire = Wire::new(vec![emulated()]);
    map(&mut wire, STATION, 0, Fmmu { read: true, ..bytes(0, 1, reg::STATION_ADDRESS) });
    assert_eq!(wire.read(Command::Lrd { logical: 0 }, 1), (vec![0x01], 1));
}

#[test]
fn an_fmmu_that_is_switched_off_maps_nothing() {
    let mut wire = Wire::new(vec![emulated()]);
    let fmmu = Fmmu { read: true, ..bytes(0, 1, RAM) };
    map(&mut wire, STATION, 0, fmmu);
    assert_eq!(wire.read(Command::Lrd { logical: 0 }, 1).1, 1);
    map(&mut wire, STATION, 0, Fmmu { enabled: false, ..fmmu });
    assert_eq!(wire.read(Command::Lrd { logical: 0 }, 1).1, 0);
    map(&mut wire, STATION, 0, Fmmu { physical_start: 0x8000, ..fmmu });
    // Nothing is there.
    assert_eq!(wire.read(Command::Lrd { logical: 0 }, 1).1, 0);
}

#[test]
fn the_end_of_the_logical_address_space_is_mapped_too() {
    let mut wire = Wire::new(vec![emulated()]);
    map(&mut wire, STATION, 0, Fmmu { read: true, ..bytes(u32::MAX - 1, 2, RAM) });
    wire.set(STATION, RAM, &[1, 2]);
    assert_eq!(wire.read(Command::Lrd { logical: u32::MAX - 1 }, 2), (vec![1, 2], 1));
}
