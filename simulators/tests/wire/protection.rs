//! Write protection (0x0020–0x0031), reset (0x0040), the read/write offset (0x0108) and user RAM (0x0F80).
//! ESC data sheet, section I, "Write Protection", and section II, 2.3 and 2.4.2.

use ecat_simulator::esc::Chip;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, emulated_with};

const STATION: u16 = 0x1001;
const TIME: Command = Command::Fpwr { station: STATION, register: reg::WATCHDOG_TIME_SM };

fn write(register: u16) -> Command {
    Command::Fpwr { station: STATION, register }
}

#[test]
fn protected_registers_take_nothing_but_process_and_user_ram_do() {
    // 0x0021 bit 0 protects 0x0000–0x0F7F, except for 0x0020 and 0x0030.
    let mut wire = Wire::new(vec![emulated()]);
    assert_eq!(wire.set(STATION, reg::REGISTER_WRITE_PROTECTION, &[1]), 1);
    assert_eq!(wire.write(TIME, &[7, 0]), 0);
    assert_eq!(wire.word(STATION, reg::WATCHDOG_TIME_SM), 1_000);
    assert_eq!(wire.set(STATION, reg::REGISTER_WRITE_PROTECTION, &[0]), 0);
    assert_eq!(wire.set(STATION, reg::USER_RAM, &[7]), 1);
    assert_eq!(wire.set(STATION, reg::PROCESS_RAM, &[7]), 1);
    assert_eq!(wire.get(STATION, reg::USER_RAM, 1), [7]);
}

#[test]
fn writing_the_enable_register_releases_the_rest_of_the_frame() {
    // Its value does not matter; it has to be written in the same frame before the others.
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::REGISTER_WRITE_PROTECTION, &[1]);
    let enable = write(reg::REGISTER_WRITE_ENABLE);
    let answers = wire.send(&[(TIME, &[5, 0]), (enable, &[0]), (TIME, &[7, 0])]);
    assert_eq!(answers.iter().map(|one| one.working_counter).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(wire.word(STATION, reg::WATCHDOG_TIME_SM), 7);
    assert_eq!(wire.get(STATION, reg::REGISTER_WRITE_ENABLE, 2), [0, 1]);
    // The next frame is protected again; switching protection off needs it too.
    assert_eq!(wire.write(TIME, &[9, 0]), 0);
    let off = write(reg::REGISTER_WRITE_PROTECTION);
    assert_eq!(wire.send(&[(enable, &[1]), (off, &[0])])[1].working_counter, 1);
    assert_eq!(wire.write(TIME, &[9, 0]), 1);
}

#[test]
fn a_protected_esc_takes_nothing_at_all() {
    // 0x0031 bit 0: all areas.
    let mut wire = Wire::new(vec![emulated()]);
    assert_eq!(wire.set(STATION, reg::ESC_WRITE_PROTECTION, &[1]), 1);
    for register in [reg::WATCHDOG_TIME_SM, reg::USER_RAM, reg::PROCESS_RAM] {
        assert_eq!(wire.set(STATION, register, &[7]), 0, "{register:#06x}");
    }
    let enable = write(reg::ESC_WRITE_ENABLE);
    let ram = write(reg::PROCESS_RAM);
    assert_eq!(wire.send(&[(enable, &[0]), (ram, &[7])])[1].working_counter, 1);
    assert_eq!(wire.set(STATION, reg::PROCESS_RAM, &[8]), 0);
    assert_eq!(wire.get(STATION, reg::PROCESS_RAM, 1), [7]);
}

#[test]
fn both_protections_need_both_releases() {
    let mut wire = Wire::new(vec![emulated()]);
    wire.send(&[
        (write(reg::REGISTER_WRITE_PROTECTION), &[1]),
        (write(reg::ESC_WRITE_PROTECTION), &[1]),
    ]);
    let (registers, all) = (write(reg::REGISTER_WRITE_ENABLE), write(reg::ESC_WRITE_ENABLE));
    assert_eq!(wire.send(&[(registers, &[1]), (TIME, &[7, 0])])[1].working_counter, 0);
    assert_eq!(wire.send(&[(all, &[1]), (TIME, &[7, 0])])[1].working_counter, 0);
    let answers = wire.send(&[(registers, &[1]), (all, &[1]), (TIME, &[7, 0])]);
    assert_eq!(answers[2].working_counter, 1);
}

#[test]
fn three_letters_in_three_frames_reset_the_esc() {
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::WATCHDOG_TIME_SM, &[7, 0]);
    wire.set(STATION, reg::PROCESS_RAM, &[7]);
    let reset = Command::Apwr { position: 0, register: reg::RESET_ECAT };
    for letter in b"RES" {
        assert_eq!(wire.write(reset, &[*letter]), 1);
    }
    // As after a power cycle: station address 0, INIT, defaults.
    assert_eq!(wire.word(0, reg::WATCHDOG_TIME_SM), 1_000);
    assert_eq!(wire.word(0, reg::AL_STATUS), 1);
    assert_eq!(wire.get(0, reg::PROCESS_RAM, 1), [0]);
}

#[test]
fn the_progress_of_a_reset_can_be_read_in_its_own_frames_only() {
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::RESET_ECAT, b"R");
    let read = Command::Fprd { station: STATION, register: reg::RESET_ECAT };
    let answers = wire.send(&[(read, &[0]), (write(reg::RESET_ECAT), b"E")]);
    assert_eq!((answers[0].data[0], answers[1].working_counter), (1, 1));
    // A frame that does not continue it cancels it.
    assert_eq!(wire.get(STATION, reg::RESET_ECAT, 1), [2]);
    assert_eq!(wire.get(STATION, reg::RESET_ECAT, 1), [0]);
    wire.set(STATION, reg::RESET_ECAT, b"S");
    assert_eq!(wire.get(STATION, reg::STATION_ADDRESS, 2), [0x01, 0x10]);
}

#[test]
fn three_letters_in_one_frame_reset_nothing() {
    let mut wire = Wire::new(vec![emulated()]);
    let reset = write(reg::RESET_ECAT);
    wire.send(&[(reset, b"R"), (reset, b"E"), (reset, b"S")]);
    assert_eq!(wire.get(STATION, reg::STATION_ADDRESS, 2), [0x01, 0x10]);
}

#[test]
fn read_write_commands_write_at_the_offset() {
    // 0x0108: write address = address + offset, for FPRW, APRW and BRW.
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::RW_OFFSET, &[0x10, 0]);
    wire.set(STATION, 0x1000, &[1]);
    let swap = Command::Fprw { station: STATION, register: 0x1000 };
    let answer = wire.exchange(swap, &[2]);
    assert_eq!((&answer.data[..], answer.working_counter), (&[1][..], 3));
    assert_eq!(wire.get(STATION, 0x1000, 1), [1]);
    assert_eq!(wire.get(STATION, 0x1010, 1), [2]);
    let mut small = Wire::new(vec![emulated_with(Chip::Et1200.profile())]);
    assert_eq!(small.set(STATION, reg::RW_OFFSET, &[1, 0]), 0);
}
