//! Which bytes exist, which may be written, and when a write takes effect.

use ecat_simulator::esc::{ClockLevel, Profile};
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, emulated_with};

/// What real terminals with an ET1200 have.
fn small() -> Profile {
    Profile {
        kind: 0x12,
        fmmu_count: 3,
        sync_manager_count: 4,
        ram_kb: 1,
        clock: ClockLevel::ReceiveTimes,
        ..Profile::default()
    }
}

fn coupler_and_two() -> Wire {
    Wire::new(vec![emulated(), emulated_with(small()), emulated_with(small())])
}

#[test]
fn the_identity_block_reads_as_the_profile_says() {
    // Registers 0x0000–0x0009 of a real EK1100.
    let coupler = Profile { port_descriptor: 0x3B, ..Profile::default() };
    let mut wire = Wire::new(vec![emulated_with(coupler)]);
    let block = [0x11, 0x00, 0x03, 0x00, 0x08, 0x08, 0x08, 0x3B, 0xFC, 0x00];
    assert_eq!(wire.get(0x1001, reg::TYPE, 10), block);
}

#[test]
fn registers_that_do_not_exist_do_not_count() {
    // As real devices answered: EK1100 with 8 FMMUs and 8 SMs, two terminals with 3 and 4.
    let mut wire = coupler_and_two();
    let mut bwr = |register, bytes: usize| wire.write(Command::Bwr { register }, &vec![0; bytes]);
    assert_eq!(bwr(reg::fmmu(3), 16), 1);
    assert_eq!(bwr(reg::fmmu(8), 16), 0);
    assert_eq!(bwr(reg::sync_manager(4), 32), 1);
    assert_eq!(bwr(reg::sync_manager(8), 8), 0);
    assert_eq!(bwr(reg::FMMU, 256), 3);
}

#[test]
fn clock_registers_answer_as_far_as_the_device_has_them() {
    let mut wire = coupler_and_two();
    assert_eq!(wire.write(Command::Bwr { register: reg::DC_RECEIVE_TIME }, &[0]), 3);
    assert_eq!(wire.write(Command::Bwr { register: reg::DC_SYSTEM_TIME }, &[0; 8]), 1);
    let without = Profile { clock: ClockLevel::None, ..Profile::default() };
    let mut wire = Wire::new(vec![emulated_with(without)]);
    assert_eq!(wire.write(Command::Bwr { register: reg::DC_RECEIVE_TIME }, &[0]), 0);
}

#[test]
fn a_read_only_register_does_not_count_a_write() {
    let mut wire = coupler_and_two();
    assert_eq!(wire.write(Command::Bwr { register: reg::DC_SYSTEM_TIME_DIFFERENCE }, &[1; 4]), 0);
    assert_eq!(wire.write(Command::Bwr { register: reg::TYPE }, &[1]), 0);
}

#[test]
fn read_only_bytes_within_a_longer_write_are_left_alone() {
    // 0x0010 is writable, the alias behind it is not.
    let mut wire = Wire::new(vec![emulated()]);
    assert_eq!(wire.set(0x1001, reg::STATION_ADDRESS, &[0x05, 0x10, 0xFF, 0xFF]), 1);
    assert_eq!(wire.get(0x1005, reg::STATION_ADDRESS, 4), [0x05, 0x10, 0, 0]);
}

#[test]
fn process_ram_ends_where_the_profile_says() {
    let mut wire = Wire::new(vec![emulated_with(small())]);
    assert_eq!(wire.set(0x1001, 0x13FF, &[1, 2]), 1);
    assert_eq!(wire.set(0x1001, 0x1400, &[1]), 0);
    assert_eq!(wire.read(Command::Fprd { station: 0x1001, register: 0xFFFF }, 8).1, 0);
    assert_eq!(wire.get(0x1001, 0x13FF, 2), [1, 0]);
}

#[test]
fn a_register_changes_at_the_end_of_the_frame() {
    let mut wire = Wire::new(vec![emulated()]);
    let station = 0x1001;
    let answers = wire.send(&[
        (Command::Fpwr { station, register: reg::WATCHDOG_TIME_SM }, &[7, 0]),
        (Command::Fprd { station, register: reg::WATCHDOG_TIME_SM }, &[0, 0]),
    ]);
    assert_eq!(answers[1].data, 1_000_u16.to_le_bytes());
    assert_eq!(wire.word(station, reg::WATCHDOG_TIME_SM), 7);
}
