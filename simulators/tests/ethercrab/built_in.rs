//! Devices that are called after real ones.

use ecat_simulator::{Segment, SegmentDescription};

use crate::support::{self, Storage, open};

const SEGMENT: &str = r#"{
  "devices": [
    { "name": "coupler", "type": "EK1100" },
    { "name": "in", "type": "EL1004" },
    { "name": "out", "type": "EL2809-like" },
    { "name": "voltages", "type": "EL3004" },
    { "name": "currents", "type": "EL3102-like" },
    { "name": "temperatures", "type": "EL3204-like" },
    { "name": "exact", "type": "EL3602-like" },
    { "name": "set", "type": "EL4004-like" },
    { "name": "junction", "type": "EK1122" },
    { "name": "behind", "type": "EL4132-like" },
    { "name": "box", "type": "CU1128-like", "parent": "junction", "port": 3, "cableMetres": 20 },
    { "name": "board", "type": "LAN9252", "parent": "box", "port": 4, "cableMetres": 5 },
    { "name": "safe", "type": "EK1914", "parent": "box", "port": 8 },
    { "name": "wide", "type": "EL3xxx-like", "channels": 24 }
  ],
  "signals": [
    { "input": "voltages.1", "constant": 32767 },
    { "input": "voltages.2", "constant": -1 },
    { "input": "exact.2", "constant": 123456789 },
    { "input": "temperatures.4", "constant": -2500 }
  ],
  "wires": [ { "from": "set.4", "to": "voltages.4" }, { "from": "behind.2", "to": "wide.24" } ]
}"#;

#[test]
fn ethercrab_brings_every_kind_of_built_in_device_to_op() {
    // In a debug build its futures, moved by value, take more than a test's thread has to spare.
    let thread = std::thread::Builder::new().stack_size(16 << 20);
    thread.spawn(bring_all_to_op).unwrap().join().unwrap();
}

fn bring_all_to_op() {
    let segment = Segment::new(&SegmentDescription::from_json(SEGMENT).unwrap()).unwrap();
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);
    let group =
        bus.run(main_device.init_single_group::<32, 512>(support::now_ns)).expect("INIT to PRE-OP");
    let names: Vec<_> = group.iter(&main_device).map(|device| device.name().to_owned()).collect();
    // At the junction port 3 comes first, with the box; then port 2, where the E-bus goes on.
    let order = [
        "EK1100",
        "EL1004",
        "EL2809-like",
        "EL3004",
        "EL3102-like",
        "EL3204-like",
        "EL3602-like",
        "EL4004-like",
        "EK1122",
        "CU1128-like",
        "CU1128-like B",
        "CU1128-like C",
        "EK1914",
        "EL3xxx-like",
        "LAN9252",
        "EL4132-like",
    ];
    assert_eq!(names, order);
    let group = bus.run(group.into_safe_op(&main_device)).expect("PRE-OP to SAFE-OP");
    let group = bus.run(group.request_into_op(&main_device)).expect("OP requested");
    support::within_cycles(100, || {
        bus.run(group.tx_rx(&main_device)).expect("an exchange").all_op()
    });
    for (index, bytes) in [(7, &[0, 0, 0, 0, 0, 0, 0x34, 0x12][..]), (15, &[0, 0, 0x78, 0x56])] {
        let device = group.subdevice(&main_device, index).expect("there");
        device.outputs_raw_mut().copy_from_slice(bytes);
    }
    let inputs =
        |index: usize| group.subdevice(&main_device, index).expect("there").inputs_raw().to_vec();
    let mut toggles = Vec::new();
    // The filter of an EL3004 takes 20 ms.
    for _ in 0..30 {
        support::wait(1_000_000);
        bus.run(group.tx_rx(&main_device)).expect("an exchange");
        toggles.push(inputs(3)[1] & 0x80);
    }
    assert!(toggles.windows(2).any(|two| two[0] != two[1]), "conversions toggle");
    // Overrange and error; the toggle bit is the status' last.
    let [low, high] = [inputs(3)[0], inputs(3)[1] & 0x7F];
    assert_eq!((low, high, &inputs(3)[2..4]), (0x42, 0, &[0xFF, 0x7F][..]));
    assert_eq!((inputs(3)[4], &inputs(3)[6..8]), (0, &[0xFF, 0xFF][..]));
    assert_eq!(inputs(3)[14..16], [0x34, 0x12]);
    // 2 × (16 bits of status, 32 bits of value).
    assert_eq!(inputs(6)[8..12], 123_456_789_i32.to_le_bytes());
    // A thermometer at less than −200 °C: underrange and error.
    assert_eq!((inputs(5)[12], &inputs(5)[14..16]), (0x41, &(-2500_i16).to_le_bytes()[..]));
    assert_eq!((inputs(13).len(), &inputs(13)[94..96]), (96, &[0x78, 0x56][..]));

    let voltages = group.subdevice(&main_device, 3).expect("there");
    assert_eq!(bus.run(voltages.sdo_read::<u32>(0x1018, 2)).unwrap(), 0x0BBC_3052);
    assert_eq!(bus.run(voltages.sdo_read::<u16>(0x6030, 0x11)).unwrap(), 0x1234);
    bus.run(voltages.sdo_write(0x8000, 0x13, 100_i16)).unwrap();
    assert_eq!(bus.run(voltages.sdo_read::<i16>(0x8000, 0x13)).unwrap(), 100);
}

#[test]
fn a_drive_refuses_an_object_mapped_twice_and_takes_another_assignment_to_op() {
    let description = SegmentDescription::from_json(r#"{"devices":[{"type":"AKD"}]}"#).unwrap();
    for assign in [false, true] {
        let segment = Segment::new(&description).unwrap();
        let storage = Storage::new();
        let (main_device, mut bus) = open(&storage, segment);
        let group = bus
            .run(main_device.init_single_group::<4, 64>(support::now_ns))
            .expect("INIT to PRE-OP");
        if assign {
            let drive = group.subdevice(&main_device, 0).expect("there");
            bus.run(drive.sdo_write_array(0x1C12, [0x1701_u16])).unwrap();
            bus.run(drive.sdo_write_array(0x1C13, [0x1B01_u16])).unwrap();
        }
        // As it comes, four of its PDOs carry the control word: 17 bytes that fit, and AL status code 0x001D.
        let result = bus.run(group.into_op(&main_device));
        assert_eq!(result.is_ok(), assign);
    }
}

#[test]
fn drives_with_telegrams_and_ethernet_terminals_come_to_op() {
    let description = SegmentDescription::from_json(
        r#"{"devices":[{"type":"EK1100"},{"type":"EL6601-like"},{"type":"EL6614-like"},{"type":"AX5206-like"}]}"#,
    )
    .unwrap();
    let segment = Segment::new(&description).unwrap();
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);
    let group =
        bus.run(main_device.init_single_group::<8, 128>(support::now_ns)).expect("INIT to PRE-OP");
    let group = bus.run(group.into_safe_op(&main_device)).expect("PRE-OP to SAFE-OP");
    let group = bus.run(group.request_into_op(&main_device)).expect("OP requested");
    support::within_cycles(100, || {
        bus.run(group.tx_rx(&main_device)).expect("an exchange").all_op()
    });
    let drive = group.subdevice(&main_device, 3).expect("there");
    // Two axes: control word and position command, status word and position feedback.
    assert_eq!((drive.outputs_raw().len(), drive.inputs_raw().len()), (12, 12));
}

#[test]
fn an_oversampling_terminal_comes_to_op_with_all_its_samples() {
    support::large_stack(|| {
        let description = SegmentDescription::from_json(
            r#"{"devices":[{"type":"EL3632-like","program":{"kind":"oversampling","samples":50}}],
                "signals":[{"input":"device 0.2","constant":-1234}]}"#,
        )
        .unwrap();
        let storage = Storage::new();
        let (main_device, mut bus) = open(&storage, Segment::new(&description).unwrap());
        let group = bus
            .run(main_device.init_single_group::<4, 256>(support::now_ns))
            .expect("INIT to PRE-OP");
        let group = bus.run(group.into_safe_op(&main_device)).expect("PRE-OP to SAFE-OP");
        let group = bus.run(group.request_into_op(&main_device)).expect("OP requested");
        support::within_cycles(100, || {
            bus.run(group.tx_rx(&main_device)).expect("an exchange").all_op()
        });
        let device = group.subdevice(&main_device, 0).expect("there");
        // Two channels, each a status and 50 samples; the time of the next SYNC1, and how many samples there were.
        assert_eq!(device.inputs_raw().len(), 2 * (2 + 2 * 50) + 8 + 2);
        assert_eq!(device.inputs_raw()[102 + 2..102 + 102], (-1234_i16).to_le_bytes().repeat(50));
        assert_eq!(bus.run(device.sdo_read::<i16>(0x6011, 50)).unwrap(), -1234);
    });
}
