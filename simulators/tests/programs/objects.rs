//! Process data and objects are the same values.

use crate::machine::Machine;

const DEVICE: &str = r#"{ "type": "generic", "mailbox": {},
  "pdos": [
    { "direction": "input", "index": 6656, "entries": [{ "index": 24576, "subindex": 1, "bits": 16, "dataType": 3 }] },
    { "direction": "output", "index": 5632, "entries": [{ "index": 28672, "subindex": 1, "bits": 16 }] } ],
  "program": { "kind": "accelerometer", "axes": [{ "input": 1,
    "lines": [{ "frequencyHz": 5, "amplitude": 100 }] }] } }"#;

#[test]
fn an_upload_gives_what_the_process_data_carry() {
    let mut machine = Machine::new(DEVICE);
    machine.operate();
    machine.set(0x7000, 1, 0x1234);
    machine.cycle();
    assert_eq!(machine.upload(0x7000, 1), Ok(0x1234));
    assert!(machine.until(200, |machine| machine.signed(0x6000, 1) > 95));
    let uploaded = machine.upload(0x6000, 1).unwrap() as u16;
    assert!(uploaded.cast_signed().abs() <= 100);
}

#[test]
fn what_an_sdo_writes_stays_until_process_data_carry_it() {
    let mut machine = Machine::new(DEVICE);
    assert_eq!(machine.download(0x7000, 1, 2, 77), Ok(()));
    assert_eq!(machine.upload(0x7000, 1), Ok(77));
    machine.operate();
    assert_eq!(machine.upload(0x7000, 1), Ok(0));
}
