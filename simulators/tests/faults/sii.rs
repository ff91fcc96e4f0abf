//! The EEPROM: who it says the device is, and how its interface fails. ESC data sheet, section II, 0x0502.

use ecat_simulator::faults::{EepromError, Identity};
use ecat_simulator::{Effect, Fault};
use ecat_wire::register as reg;

use crate::bench::{AXIS, Bench};

/// Gives a command to the EEPROM interface of the axis, and waits for its end: 0x0502, and two words of data.
fn eeprom(bench: &mut Bench, command: u16, word: u32) -> (u16, u32) {
    let mut data = command.to_le_bytes().to_vec();
    data.extend(word.to_le_bytes());
    bench.put(AXIS, reg::EEPROM_CONTROL, &data);
    bench.cycles(5);
    let read = bench.peek(AXIS, reg::EEPROM_DATA, 4);
    (bench.word(AXIS, reg::EEPROM_CONTROL), u32::from_le_bytes(read.try_into().unwrap()))
}

const READ: u16 = 0x0100;
const WRITE: u16 = 0x0201;
const RELOAD: u16 = 0x0400;

#[test]
fn another_identity_is_read_and_nothing_else_differs() {
    let mut bench = Bench::new();
    let vendor = eeprom(&mut bench, READ, 8).1;
    let wrong = Identity { serial: Some(99), ..Identity::default() };
    bench.inject(Fault::on_device(AXIS, Effect::Identity(wrong)));
    assert_eq!(eeprom(&mut bench, READ, 14).1, 99);
    assert_eq!(eeprom(&mut bench, READ, 8).1, vendor);
    assert_eq!(bench.differences(), [""; 0]);
    bench.clear();
    assert_eq!(eeprom(&mut bench, READ, 14).1, 42);
}

#[test]
fn a_wrong_checksum_is_seen_when_the_eeprom_is_loaded() {
    // 0x0502 bit 11; at power-on bit 12 besides, and no program.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::SiiChecksum {}));
    assert_eq!(bench.differences(), [""; 0]);
    assert_eq!(eeprom(&mut bench, RELOAD, 0).0 & 0x7800, 0x0800);
    bench.inject(Fault::on_device(AXIS, Effect::Reset {}));
    assert_eq!(bench.word(AXIS, reg::EEPROM_CONTROL) & 0x7800, 0x1800);
    assert_eq!(bench.word(AXIS, reg::DL_STATUS) & 1, 0);
    bench.clear();
    bench.inject(Fault::on_device(AXIS, Effect::Reset {}));
    assert_eq!(bench.word(AXIS, reg::EEPROM_CONTROL) & 0x7800, 0);
}

#[test]
fn a_blank_eeprom_reads_nothing_but_ones() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::SiiEmpty {}));
    assert_eq!(eeprom(&mut bench, READ, 8).1, u32::MAX);
    bench.inject(Fault::on_device(AXIS, Effect::Reset {}));
    assert_eq!(bench.word(AXIS, reg::EEPROM_CONTROL) & 0x7800, 0x1800);
}

#[test]
fn a_fault_of_the_description_is_there_before_power_on() {
    let faults =
        r#", "faults": [{ "on": { "device": "axis" }, "effect": { "kind": "sii-checksum" } }]"#;
    let mut bench = Bench::powered("", faults);
    bench.cycle();
    assert_eq!(bench.word(AXIS, reg::EEPROM_CONTROL) & 0x7800, 0x1800);
}

#[test]
fn a_busy_interface_takes_no_command() {
    // 0x0502 bit 15: writes to 0x0502 and behind are not accepted.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::EepromBusy {}));
    let differ = bench.differences();
    assert_eq!(differ.len(), 1, "{differ:?}");
    assert!(differ[0].starts_with("axis EEPROM: "), "{differ:?}");
    assert_ne!(bench.word(AXIS, reg::EEPROM_CONTROL) & 0x8000, 0);
    bench.clear();
    assert_eq!(bench.differences(), [""; 0]);
    assert_eq!(eeprom(&mut bench, READ, 14).1, 42);
}

#[test]
fn commands_fail_without_an_acknowledge_or_write_enable() {
    // Bits 13 and 14.
    let mut bench = Bench::new();
    let fails = |error| Fault::on_device(AXIS, Effect::EepromError { error }).next(1);
    bench.inject(fails(EepromError::Acknowledge));
    assert_eq!(eeprom(&mut bench, READ, 8).0 & 0x7800, 0x2000);
    assert_eq!(eeprom(&mut bench, READ, 8).0 & 0x7800, 0);
    bench.inject(fails(EepromError::WriteEnable));
    assert_eq!(eeprom(&mut bench, READ, 8).0 & 0x7800, 0);
    assert_eq!(eeprom(&mut bench, WRITE, 20).0 & 0x7800, 0x4000);
    assert_eq!(bench.hits(), ["eeprom-error axis: done"; 2]);
}
