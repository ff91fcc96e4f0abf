//! The EEPROM: who it says the device is, and how its interface fails. ESC data sheet, section II, 0x0502: bit 11 checksum
//! error, 12 not loaded, 13 no acknowledge, 14 write-enable error, 15 busy. What commands do without a fault, a plant shows that
//! has none: differences are those to it.

use ecat_simulator::faults::{EepromError, Identity};
use ecat_simulator::{Effect, Fault};
use ecat_wire::register as reg;

use crate::bench::{AXIS, Bench, NOTHING};

/// Gives a command to the EEPROM interface of the axis, and waits for its end.
fn eeprom(bench: &mut Bench, command: u16, word: u32) {
    let mut data = command.to_le_bytes().to_vec();
    data.extend(word.to_le_bytes());
    bench.put(AXIS, reg::EEPROM_CONTROL, &data);
    bench.cycles(5);
}

const READ: u16 = 0x0100;
const WRITE: u16 = 0x0201;
const RELOAD: u16 = 0x0400;

/// What is different with a fault from without it, once both plants have done the same.
fn differences(effect: Effect, act: impl Fn(&mut Bench)) -> Vec<String> {
    let (mut without, mut with) = (Bench::new(), Bench::new());
    with.inject(Fault::on_device(AXIS, effect));
    act(&mut without);
    act(&mut with);
    with.differences_from(&mut without)
}

fn reset(bench: &mut Bench) {
    bench.inject(Fault::on_device(AXIS, Effect::Reset {}));
    bench.cycles(5);
}

#[test]
fn another_identity_is_read_and_nothing_else_differs() {
    let wrong =
        |serial, vendor_id| Effect::Identity(Identity { serial, vendor_id, ..Identity::default() });
    let read = |word| move |bench: &mut Bench| eeprom(bench, READ, word);
    // Serial 42 and 99 in words 14 and 15.
    let serial = wrong(Some(99), None);
    assert_eq!(differences(serial, read(14)), ["axis 0x0508: 0x2a to 0x63"]);
    assert_eq!(differences(serial, read(8)), NOTHING);
    assert_eq!(differences(serial, |bench| bench.cycles(3)), NOTHING);
    // The vendor, in words 8 and 9; the product code behind it stays.
    let vendor = differences(wrong(None, Some(0x1234_5678)), read(8));
    assert_eq!(vendor.len(), 4, "{vendor:?}");
    for (line, byte) in vendor.iter().zip(["0x78", "0x56", "0x34", "0x12"]) {
        assert!(line.starts_with("axis 0x05") && line.ends_with(&format!("to {byte}")), "{line}");
    }
}

#[test]
fn a_wrong_checksum_is_seen_when_the_eeprom_is_loaded() {
    assert_eq!(differences(Effect::SiiChecksum {}, |bench| bench.cycles(3)), NOTHING);
    let reloaded = differences(Effect::SiiChecksum {}, |bench| eeprom(bench, RELOAD, 0));
    assert_eq!(reloaded, ["axis 0x0502 EEPROM status: 0x40 to 0x840"]);
}

/// At power-on nothing is taken from an EEPROM whose checksum is wrong: no alias, no PDI, and hence no program (0x0110 bits 0
/// and 1, 0x0140, 0x0807 …).
const NOT_LOADED: [&str; 6] = [
    "axis 0x0012 alias: 0x4d to 0x0",
    "axis 0x0110 DL status: 0x5a33 to 0x5a30",
    "axis 0x0140: 0x8 to 0x0",
    "axis 0x0502 EEPROM status: 0x40 to 0x1840",
    "axis 0x0817 SM2 PDI control: 0x1 to 0x0",
    "axis 0x081f SM3 PDI control: 0x1 to 0x0",
];

#[test]
fn with_a_wrong_checksum_no_program_starts() {
    assert_eq!(differences(Effect::SiiChecksum {}, reset), NOT_LOADED);
    // Once it is whole again, so is the device.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::SiiChecksum {}));
    reset(&mut bench);
    bench.clear();
    reset(&mut bench);
    let mut without = Bench::new();
    reset(&mut without);
    reset(&mut without);
    assert_eq!(bench.differences_from(&mut without), NOTHING);
}

#[test]
fn a_blank_eeprom_reads_nothing_but_ones() {
    // Word 8: vendor and product code of a generic device are 0.
    let read = differences(Effect::SiiEmpty {}, |bench| eeprom(bench, READ, 8));
    assert!(read.iter().all(|line| line.starts_with("axis 0x05") && line.ends_with("to 0xff")));
    assert_eq!(differences(Effect::SiiEmpty {}, reset), NOT_LOADED);
}

#[test]
fn a_fault_of_the_description_is_there_before_power_on() {
    let faults =
        r#", "faults": [{ "on": { "device": "axis" }, "effect": { "kind": "sii-checksum" } }]"#;
    let (mut without, mut with) = (Bench::powered("", "", ""), Bench::powered("", "", faults));
    without.cycle();
    with.cycle();
    // As the segment's time begins, the device is powered on with it.
    let clock = format!("axis 0x0910 clock is ahead: 0 ns to -{} ns", with.now_ns);
    let mut expected = [&NOT_LOADED[..], &[&clock]].concat();
    expected.sort_unstable();
    assert_eq!(with.differences_from(&mut without), expected);
}

#[test]
fn a_busy_interface_takes_no_command() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::EepromBusy {}));
    let busy = ["axis 0x0502 EEPROM status: 0x40 to 0x8040"];
    assert_eq!(bench.differences(), busy);
    // 0x0502: while bit 15 is set, writes to it and behind are not accepted.
    let command = ecat_wire::Command::Fpwr { station: 0x1003, register: reg::EEPROM_CONTROL };
    assert_eq!(bench.write(command, &[0x00, 0x01, 8, 0, 0, 0]), Some(0));
    bench.cycles(5);
    assert_eq!(bench.differences(), busy);
    bench.clear();
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["eeprom-busy axis: began", "eeprom-busy axis: ended"]);
}

#[test]
fn commands_fail_without_an_acknowledge_or_write_enable() {
    let fails = |error| Effect::EepromError { error };
    // Nothing is read: the data is what it was.
    let serial = |bench: &mut Bench| eeprom(bench, READ, 14);
    assert_eq!(
        differences(fails(EepromError::Acknowledge), serial),
        ["axis 0x0502 EEPROM status: 0x40 to 0x2040", "axis 0x0508: 0x2a to 0x0"]
    );
    assert_eq!(differences(fails(EepromError::WriteEnable), serial), NOTHING);
    let write = |bench: &mut Bench| {
        bench.put(AXIS, reg::EEPROM_DATA, &[0xAB, 0xCD]);
        eeprom(bench, WRITE, 20);
        bench.cycles(5);
    };
    assert_eq!(
        differences(fails(EepromError::WriteEnable), write),
        ["axis 0x0502 EEPROM status: 0x40 to 0x4040"]
    );
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, fails(EepromError::Acknowledge)).next(1));
    serial(&mut bench);
    serial(&mut bench);
    assert_eq!(bench.word(AXIS, reg::EEPROM_CONTROL) & 0x7800, 0, "the next one works");
    assert_eq!(bench.hits(), ["eeprom-error axis: done"]);
}
