//! The EEPROM interface (0x0500–0x050F).

use ecat_simulator::esc::{Esc, Profile};
use ecat_wire::register as reg;

use crate::wire::{Wire, emulated, image};

const STATION: u16 = 0x1001;

fn command(wire: &mut Wire, control: u16, word: u16) -> u16 {
    let [a, b] = control.to_le_bytes();
    let [c, d] = word.to_le_bytes();
    wire.set(STATION, reg::EEPROM_CONTROL, &[a, b, c, d, 0, 0])
}

#[test]
fn a_read_is_busy_for_a_while_and_then_has_eight_bytes() {
    let mut wire = Wire::new(vec![emulated()]);
    assert_eq!(command(&mut wire, 0x0100, 0x0004), 1);
    // As a real EK1100: the command bit stays with busy.
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x8140);
    wire.wait_us(600);
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x0040);
    let expected = &image(0x0100, 0)[8..16];
    assert_eq!(wire.get(STATION, reg::EEPROM_DATA, 8), expected);
    assert_eq!(wire.word(STATION, reg::EEPROM_ADDRESS), 4);
}

#[test]
fn status_bit_6_tells_four_bytes_from_eight() {
    let profile = Profile { eeprom_status: 0x80, ..Profile::default() };
    let mut wire = Wire::new(vec![Esc::new(profile, image(0x0100, 0x1234))]);
    command(&mut wire, 0x0100, 0x0004);
    wire.wait_us(600);
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x0080);
    assert_eq!(wire.get(STATION, reg::EEPROM_DATA, 8), [0x34, 0x12, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn nothing_is_taken_while_it_is_busy_or_the_device_owns_it() {
    let mut wire = Wire::new(vec![emulated()]);
    command(&mut wire, 0x0100, 0);
    assert_eq!(command(&mut wire, 0x0100, 1), 0);
    wire.wait_us(600);
    assert_eq!(command(&mut wire, 0x0100, 1), 1);
    wire.wait_us(600);
    wire.set(STATION, reg::EEPROM_OWNER, &[1]);
    assert_eq!(command(&mut wire, 0x0100, 2), 0);
    assert_eq!(wire.word(STATION, reg::EEPROM_ADDRESS), 1);
}

#[test]
fn a_write_needs_its_enable_bit_in_the_same_frame() {
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::EEPROM_DATA, &[0xCD, 0xAB]);
    command(&mut wire, 0x0200, 0x0004);
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x4040);
    command(&mut wire, 0x0201, 0x0004);
    wire.wait_us(600);
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x0040);
    // Busy has ended, but the memory is still at work: commands fail for some ms.
    command(&mut wire, 0x0100, 0x0004);
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x2040);
    wire.wait_us(4_000);
    command(&mut wire, 0x0100, 0x0004);
    wire.wait_us(600);
    assert_eq!(wire.get(STATION, reg::EEPROM_DATA, 2), [0xCD, 0xAB]);
    // The alias register follows at the next power-on only.
    assert_eq!(wire.word(STATION, reg::STATION_ALIAS), 0);
}

#[test]
fn addresses_behind_the_memory_are_not_acknowledged() {
    let mut wire = Wire::new(vec![emulated()]);
    command(&mut wire, 0x0100, 0x8000);
    wire.wait_us(600);
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x2040);
    command(&mut wire, 0x0000, 0);
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x0040);
}

#[test]
fn a_blank_memory_is_not_loaded_and_no_program_answers() {
    let mut wire = Wire::new(vec![Esc::new(Profile::default(), vec![0xFF; 2_048])]);
    assert_eq!(wire.word(STATION, reg::EEPROM_CONTROL), 0x1840);
    assert_eq!(wire.word(STATION, reg::DL_STATUS) & 1, 0);
    assert_eq!(wire.set(STATION, reg::AL_CONTROL, &[2, 0]), 1);
    wire.wait_us(10_000);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 1);
    assert_eq!(wire.set(STATION, reg::AL_CONTROL, &[2, 0]), 0);
    // Its content can still be read.
    command(&mut wire, 0x0100, 0);
    wire.wait_us(600);
    assert_eq!(wire.get(STATION, reg::EEPROM_DATA, 4), [0xFF; 4]);
}
