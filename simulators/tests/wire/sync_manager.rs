//! SyncManagers (0x0800): buffers and mailboxes.

use ecat_simulator::esc::Application;
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, program};

const STATION: u16 = 0x1001;
const STATUS: u16 = 5;
const MAIL_OUT: SyncManager =
    SyncManager { start: 0x1000, length: 8, control: 0x26, enabled: true };
const MAIL_IN: SyncManager = SyncManager { start: 0x1080, length: 8, control: 0x22, enabled: true };
const OUTPUTS: SyncManager = SyncManager { start: 0x1100, length: 4, control: 0x64, enabled: true };

fn wire_with(number: u8, sm: SyncManager) -> Wire {
    let mut wire = Wire::new(vec![emulated()]);
    assert_eq!(wire.set(STATION, reg::sync_manager(number), &sm.to_bytes()), 1);
    wire
}

#[test]
fn a_buffer_is_reached_in_its_direction_only() {
    let mut wire = wire_with(2, OUTPUTS);
    assert_eq!(wire.set(STATION, OUTPUTS.start, &[1, 2, 3, 4]), 1);
    assert_eq!(wire.read(Command::Fprd { station: STATION, register: OUTPUTS.start }, 4).1, 0);
    // A longer access reaches the memory behind it.
    assert_eq!(wire.read(Command::Fprd { station: STATION, register: OUTPUTS.start }, 5).1, 1);
    let mut wire = wire_with(3, SyncManager { control: 0x20, ..OUTPUTS });
    assert_eq!(wire.set(STATION, OUTPUTS.start, &[1, 2, 3, 4]), 0);
    assert_eq!(wire.get(STATION, OUTPUTS.start, 4), [0; 4]);
}

#[test]
fn a_buffer_shows_that_it_was_written() {
    // 0x0805: bits 4–5 are 3 while it never was.
    let mut wire = wire_with(2, OUTPUTS);
    assert_eq!(wire.get(STATION, reg::sync_manager(2) + STATUS, 1), [0x30]);
    wire.set(STATION, OUTPUTS.start, &[1, 2, 3]);
    assert_eq!(wire.get(STATION, reg::sync_manager(2) + STATUS, 1), [0x30]);
    wire.set(STATION, OUTPUTS.start + 3, &[4]);
    assert_eq!(wire.get(STATION, reg::sync_manager(2) + STATUS, 1), [0x01]);
}

#[test]
fn an_active_sync_manager_cannot_be_moved() {
    let mut wire = wire_with(2, OUTPUTS);
    let moved = SyncManager { start: 0x1200, ..OUTPUTS };
    assert_eq!(wire.set(STATION, reg::sync_manager(2), &moved.to_bytes()), 1);
    assert_eq!(wire.word(STATION, reg::sync_manager(2)), OUTPUTS.start);
    assert_eq!(wire.set(STATION, reg::sync_manager(2), &[0, 0x12]), 0);
    wire.set(STATION, reg::sync_manager(2) + 6, &[0]);
    assert_eq!(wire.set(STATION, reg::sync_manager(2), &moved.to_bytes()), 1);
    assert_eq!(wire.word(STATION, reg::sync_manager(2)), moved.start);
}

#[test]
fn one_byte_activates_no_buffer() {
    // As at 0x0F00 of digital terminals: it only triggers the watchdog.
    let mut wire = wire_with(0, SyncManager { start: 0x1300, length: 1, ..OUTPUTS });
    assert_eq!(wire.set(STATION, 0x1300, &[7]), 1);
    assert_eq!(wire.get(STATION, 0x1300, 1), [7]);
}

#[test]
fn a_full_mailbox_takes_no_mail_until_the_program_has_read_it() {
    let mut wire = Wire::new(vec![program(Application::default())]);
    wire.set(STATION, reg::sync_manager(0), &MAIL_OUT.to_bytes());
    let write = Command::Fpwr { station: STATION, register: MAIL_OUT.start };
    let answers = wire.send(&[(write, &[1; 8]), (write, &[2; 8])]);
    assert_eq!((answers[0].working_counter, answers[1].working_counter), (1, 0));
    assert_eq!(wire.write(write, &[3; 8]), 0);
    assert_eq!(wire.get(STATION, reg::sync_manager(0) + STATUS, 1), [0x09]);
    wire.wait_us(1_000);
    assert_eq!(wire.get(STATION, reg::sync_manager(0) + STATUS, 1), [0x02]);
    assert_eq!(wire.write(write, &[3; 8]), 1);
}

#[test]
fn mail_may_be_written_in_pieces_from_the_first_byte_to_the_last() {
    let mut wire = wire_with(0, MAIL_OUT);
    // Not from the middle.
    assert_eq!(wire.set(STATION, MAIL_OUT.start + 2, &[1]), 0);
    assert_eq!(wire.set(STATION, MAIL_OUT.start, &[1, 2]), 1);
    assert_eq!(wire.set(STATION, MAIL_OUT.start + 2, &[3, 4]), 1);
    assert_eq!(wire.get(STATION, reg::sync_manager(0) + STATUS, 1), [0x00]);
    assert_eq!(wire.set(STATION, MAIL_OUT.start + 7, &[8]), 1);
    assert_eq!(wire.get(STATION, reg::sync_manager(0) + STATUS, 1), [0x09]);
}

#[test]
fn an_empty_mailbox_gives_nothing() {
    let mut wire = wire_with(1, MAIL_IN);
    let read = Command::Fprd { station: STATION, register: MAIL_IN.start };
    assert_eq!(wire.read(read, 8), (vec![0; 8], 0));
}
