//! Segments that begin in the middle of somebody's work, with EEPROMs that are known in parts.

use ecat_simulator::{Forward, Segment, SegmentDescription};
use ecat_wire::Command;
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};

fn segment(device: &str) -> Segment {
    let json = format!(r#"{{ "devices": [{device}] }}"#);
    Segment::new(&SegmentDescription::from_json(&json).unwrap()).unwrap()
}

/// Data, working counter and event field.
fn read(segment: &mut Segment, command: Command, bytes: usize) -> (Vec<u8>, u16, u16) {
    let mut buffer = [0; 1514];
    let mut writer = FrameWriter::new(&mut buffer, MacAddress::MAIN_DEVICE).unwrap();
    writer.push(command, 0, bytes).unwrap();
    let length = writer.finish();
    assert_eq!(segment.process(&mut buffer[..length], 1_000), Forward::Returned);
    let answer = datagrams(&buffer[..length]).unwrap().next().unwrap().unwrap();
    (answer.data.to_vec(), answer.working_counter, answer.irq)
}

#[test]
fn a_device_begins_in_the_state_that_is_described() {
    let mut segment = segment(
        r#"{ "type": "EK1100",
             "start": { "stationAddress": 1001, "alState": "SAFE-OP", "alStatusCode": 27,
                        "ecatEventMask": 4, "ecatEvents": 4, "eepromOwner": 1,
                        "registers": [{ "register": 3968, "bytes": [1, 2] }] } }"#,
    );
    let mut at =
        |register, bytes| read(&mut segment, Command::Fprd { station: 1001, register }, bytes);
    assert_eq!(at(0x0130, 6), (vec![0x14, 0, 0, 0, 27, 0], 1, 4));
    assert_eq!(at(0x0500, 1), (vec![1], 1, 4));
    assert_eq!(at(0x0F80, 2), (vec![1, 2], 1, 4));
    // Reading the DL status takes the event away, with the next frame.
    assert_eq!(at(0x0110, 2).2, 4);
    assert_eq!(at(0x0110, 2).2, 0);
}

#[test]
fn what_is_known_of_an_eeprom_is_enough_for_a_device() {
    let segment = segment(
        r#"{ "siiWords": [{ "word": 8, "values": [2, 0, 12370, 1004] }, { "word": 96, "values": [7, 0] }],
             "esc": { "type": 18, "fmmus": 3, "pdiControl": 260, "clock": "none" } }"#,
    );
    let esc = &segment.devices()[0].esc;
    assert_eq!((esc.profile().kind, esc.profile().fmmu_count), (18, 3));
    let word = |n: usize| u16::from_le_bytes([esc.sii()[2 * n], esc.sii()[2 * n + 1]]);
    assert_eq!((word(8), word(10), word(64), word(96), word(98)), (2, 12370, 0, 7, 0xFFFF));
    let sii = ecat_wire::sii::Sii::parse(esc.sii()).unwrap();
    assert!(sii.configuration.checksum_ok);
}

#[test]
fn a_state_that_cannot_be_is_refused_with_its_place() {
    let cases = [
        (r#"{ "type": "EK1100", "start": { "alState": "RUN" } }"#, "/devices/0/start/alState"),
        (r#"{ "type": "EK1100", "esc": { "fmmus": 17 } }"#, "/devices/0/esc/fmmus"),
        (r#"{ "siiWords": [{ "word": 65535, "values": [1, 2] }] }"#, "/devices/0/siiWords/0"),
        (r#"{ "type": "EK1100", "siiWords": [] }"#, "/devices/0"),
    ];
    for (device, path) in cases {
        let json = format!(r#"{{ "devices": [{device}] }}"#);
        let description = SegmentDescription::from_json(&json).unwrap();
        assert_eq!(Segment::new(&description).err().map(|error| error.path).as_deref(), Some(path));
    }
}
