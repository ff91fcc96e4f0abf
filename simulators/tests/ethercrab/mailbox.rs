//! Devices with a mailbox: ethercrab finds out by CoE what they map, and reads their objects.

use ecat_simulator::{Segment, SegmentDescription};

use crate::support::{self, Storage, open};

const SEGMENT: &str = r#"{
  "devices": [
    { "type": "EK1100" },
    { "name": "servo", "type": "generic", "orderName": "servo", "serial": 4711,
      "pdos": [
        { "direction": "output", "index": 5632, "entries": [{ "index": 24640, "bits": 16 }] },
        { "direction": "output", "index": 5633, "assigned": false,
          "entries": [{ "index": 24698, "bits": 32, "dataType": 4 }] },
        { "direction": "input", "index": 6656, "entries": [{ "index": 24641, "bits": 16 }] } ],
      "mailbox": { "objects": [
        { "index": 8192, "name": "Gain", "dataType": 6, "value": 4660 },
        { "index": 8193, "name": "Text", "value": "written by this project" } ] } }
  ],
  "wires": [{ "from": "servo.2", "to": "servo.1" }]
}"#;

#[test]
fn ethercrab_reads_and_writes_objects_and_takes_a_changed_assignment_to_op() {
    let segment = Segment::new(&SegmentDescription::from_json(SEGMENT).unwrap()).unwrap();
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);
    let group =
        bus.run(main_device.init_single_group::<4, 64>(support::now_ns)).expect("INIT to PRE-OP");
    let servo = group.subdevice(&main_device, 1).expect("there");

    // Expedited.
    assert_eq!(bus.run(servo.sdo_read::<u16>(0x2000, 0)).unwrap(), 0x1234);
    assert_eq!(bus.run(servo.sdo_read::<u32>(0x1018, 4)).unwrap(), 4711);
    bus.run(servo.sdo_write(0x2000, 0, 0xBEEF_u16)).unwrap();
    assert_eq!(bus.run(servo.sdo_read::<u16>(0x2000, 0)).unwrap(), 0xBEEF);
    // Normal.
    let text = bus.run(servo.sdo_read::<[u8; 23]>(0x2001, 0)).unwrap();
    assert_eq!(&text, b"written by this project");
    // Aborted.
    assert!(bus.run(servo.sdo_read::<u16>(0x2002, 0)).is_err());

    bus.run(servo.sdo_write_array(0x1C12, [0x1601_u16])).unwrap();
    let group = bus.run(group.into_op(&main_device)).expect("PRE-OP to OP");
    let servo = group.subdevice(&main_device, 1).expect("there");
    assert_eq!((servo.inputs_raw().len(), servo.outputs_raw().len()), (2, 4));
    servo.outputs_raw_mut().copy_from_slice(&[0x78, 0x56, 0, 0]);
    for _ in 0..2 {
        support::wait(1_000_000);
        bus.run(group.tx_rx(&main_device)).expect("an exchange");
    }
    // The second channel is what was not mapped before.
    assert_eq!(*servo.inputs_raw(), [0x78, 0x56]);
    // Mail and process data side by side.
    assert_eq!(bus.run(servo.sdo_read::<u32>(0x607A, 0)).unwrap(), 0x5678);
}
