//! SyncManagers with three buffers (0x0804 bits 0–1 are 0).
//! ESC data sheet, section I, "Buffered mode", and section II, 2.14.4.

use ecat_simulator::esc::{Application, Chip, Esc, ProcessArea, Profile};
use ecat_wire::fmmu::Fmmu;
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, image};

const STATION: u16 = 0x1001;
const OUTPUTS: SyncManager = SyncManager { start: 0x1100, length: 4, control: 0x24, enabled: true };
const INPUTS: SyncManager = SyncManager { start: 0x1200, length: 4, control: 0x20, enabled: true };
const WRITE: Command = Command::Fpwr { station: STATION, register: OUTPUTS.start };
const READ: Command = Command::Fprd { station: STATION, register: INPUTS.start };

/// A device in OP with four bytes each way.
fn device(chip: Chip) -> Wire {
    let area = |sm: SyncManager| vec![ProcessArea { start: sm.start, bytes: sm.length }];
    let application =
        Application { inputs: area(INPUTS), outputs: area(OUTPUTS), ..Application::default() };
    let profile = Profile { application, ..chip.profile() };
    let mut wire = Wire::new(vec![Esc::new(profile, image(0x0100, 0))]);
    wire.set(STATION, reg::sync_manager(2), &OUTPUTS.to_bytes());
    wire.set(STATION, reg::sync_manager(3), &INPUTS.to_bytes());
    wire.set(STATION, reg::AL_CONTROL, &[8, 0]);
    wire
}

fn status(wire: &mut Wire, number: u8) -> u8 {
    wire.get(STATION, reg::sync_manager(number) + 5, 1)[0]
}

#[test]
fn outputs_arrive_when_the_last_byte_was_written() {
    let mut wire = device(Chip::Et1100);
    wire.write(WRITE, &[1, 2, 3, 4]);
    assert_eq!(wire.segment.output(0, 0, 32), 0x0403_0201);
    wire.write(WRITE, &[5, 6, 7]);
    assert_eq!(wire.segment.output(0, 0, 32), 0x0403_0201);
    assert_eq!(wire.set(STATION, OUTPUTS.start + 3, &[8]), 1);
    assert_eq!(wire.segment.output(0, 0, 32), 0x0807_0605);
}

#[test]
fn an_access_begins_at_the_first_byte() {
    let mut wire = device(Chip::Et1100);
    assert_eq!(wire.set(STATION, OUTPUTS.start + 1, &[7]), 0);
    let middle = Command::Fprd { station: STATION, register: INPUTS.start + 1 };
    assert_eq!(wire.read(middle, 1).1, 0);
    assert_eq!(wire.read(READ, 1).1, 1);
    assert_eq!(wire.read(middle, 1).1, 1);
}

#[test]
fn the_buffers_take_turns_and_the_status_shows_the_last_one() {
    // 0x0805 bits 4–5; bit 0 with every complete write. Writing never has to wait for a reader.
    let mut wire = device(Chip::Et1100);
    assert_eq!(status(&mut wire, 2), 0x30);
    for expected in [0x01, 0x11, 0x21, 0x01] {
        assert_eq!(wire.write(WRITE, &[expected; 4]), 1);
        assert_eq!(status(&mut wire, 2), expected);
    }
}

#[test]
fn buffers_change_hands_at_the_end_of_the_frame() {
    let mut wire = device(Chip::Et1100);
    let look = Command::Fprd { station: STATION, register: reg::sync_manager(2) + 5 };
    let answers = wire.send(&[(WRITE, &[1; 4]), (look, &[0]), (WRITE, &[2; 4])]);
    assert_eq!((answers[0].working_counter, answers[1].data[0]), (1, 0x30));
    assert_eq!(wire.segment.output(0, 0, 8), 2);
    assert_eq!(status(&mut wire, 2), 0x01);
}

#[test]
fn a_buffer_that_is_being_read_stays_as_it_is_until_its_last_byte() {
    let mut wire = device(Chip::Et1100);
    wire.segment.set_input(0, 0, 32, 0x1111_1111);
    assert_eq!(wire.read(READ, 2), (vec![0x11; 2], 1));
    for value in [0x2222_2222, 0x3333_3333, 0x4444_4444] {
        wire.segment.set_input(0, 0, 32, value);
    }
    // Even from its first byte on, and in as many pieces as it takes.
    assert_eq!(wire.get(STATION, INPUTS.start, 3), [0x11; 3]);
    assert_eq!(wire.get(STATION, INPUTS.start + 3, 1), [0x11]);
    assert_eq!(wire.get(STATION, INPUTS.start, 4), [0x44; 4]);
    assert_eq!(wire.get(STATION, INPUTS.start, 4), [0x44; 4]);
}

#[test]
fn reading_and_writing_set_and_clear_the_events() {
    // Bit 0 with a complete write until the first byte is read, bit 1 the other way round.
    let mut wire = device(Chip::Et1100);
    wire.segment.set_input(0, 0, 8, 7);
    assert_eq!(status(&mut wire, 3) & 3, 1);
    wire.read(READ, 1);
    assert_eq!(status(&mut wire, 3) & 3, 0);
    wire.read(READ, 4);
    assert_eq!(status(&mut wire, 3) & 3, 2);
    wire.segment.set_input(0, 0, 8, 8);
    assert_eq!(status(&mut wire, 3) & 3, 1);
}

#[test]
fn cores_show_which_buffer_is_in_use() {
    // Bits 6 and 7: not in the ET1100 and the ET1200.
    for (chip, reading, writing) in [(Chip::Et1100, 0, 0), (Chip::Lan9252, 0x40, 0x80)] {
        let mut wire = device(chip);
        wire.read(READ, 2);
        assert_eq!(status(&mut wire, 3) & 0xC0, reading, "{}", chip.name());
        wire.read(READ, 4);
        assert_eq!(status(&mut wire, 3) & 0xC0, 0);
        wire.write(WRITE, &[1, 2]);
        assert_eq!(status(&mut wire, 2) & 0xC0, writing, "{}", chip.name());
    }
}

#[test]
fn the_three_buffers_follow_one_another_in_process_ram() {
    let mut wire = device(Chip::Et1100);
    for value in 1..=3 {
        wire.write(WRITE, &[value; 4]);
    }
    wire.set(STATION, reg::sync_manager(2) + 6, &[0]);
    let all = wire.get(STATION, OUTPUTS.start, 12);
    assert_eq!(all, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
}

#[test]
fn bits_that_an_fmmu_maps_leave_their_neighbours_in_the_buffer() {
    let mut wire = device(Chip::Et1100);
    let fmmu = Fmmu {
        logical_start: 0x1000,
        length: 5,
        logical_start_bit: 4,
        logical_stop_bit: 3,
        physical_start: OUTPUTS.start,
        physical_start_bit: 0,
        read: false,
        write: true,
        enabled: true,
    };
    wire.set(STATION, reg::fmmu(0), &fmmu.to_bytes());
    let write = Command::Lwr { logical: 0x1000 };
    assert_eq!(wire.write(write, &[0x10, 0x32, 0x54, 0x76, 0x08]), 1);
    assert_eq!(wire.segment.output(0, 0, 32), 0x8765_4321);
}

#[test]
fn inputs_that_reach_beyond_the_memory_have_one_buffer() {
    // Found by `fuzz/`.
    let mut wire = device(Chip::Et1100);
    for value in 0..3 {
        wire.segment.set_input(0, 0, 32, value);
    }
    let base = reg::sync_manager(3);
    for length in [8 * 1024 - 0x200, 0xE000] {
        let long = SyncManager { length, ..INPUTS };
        wire.set(STATION, base + 6, &[0]);
        wire.set(STATION, base, &long.to_bytes()[..5]);
        wire.set(STATION, base + 6, &[1]);
        wire.segment.set_input(0, 0, 32, 8);
        wire.segment.set_input(0, 0, 32, 9);
        assert_eq!(wire.read(READ, 4).0, [9, 0, 0, 0], "{length}");
    }
}
