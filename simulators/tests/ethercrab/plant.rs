//! The built-in devices, with signals and wires.

use ecat_simulator::{Segment, SegmentDescription};

use crate::support::{self, Storage, open};

const PLANT: &str = r#"{
  "devices": [
    { "name": "coupler", "type": "EK1100" },
    { "name": "sensors", "type": "digital-inputs" },
    { "name": "actuators", "type": "digital-outputs", "channels": 24 },
    { "name": "measurements", "type": "analogue-inputs" },
    { "name": "setpoints", "type": "analogue-outputs" },
    { "name": "servo", "type": "generic", "vendorId": 2, "productCode": 72100946,
      "pdos": [
        { "direction": "output", "index": 5632, "entries": [{ "index": 24698, "bits": 32, "dataType": 4 }] },
        { "direction": "input", "index": 6656, "entries": [{ "index": 24676, "bits": 32, "dataType": 4 }] }] }
  ],
  "signals": [
    { "input": "sensors.3", "constant": 1 },
    { "input": "measurements.1", "constant": -1234 }
  ],
  "wires": [
    { "from": "actuators.24", "to": "sensors.8" },
    { "from": "setpoints.4", "to": "measurements.2" },
    { "from": "servo.1", "to": "servo.1" }
  ]
}"#;

#[test]
fn ethercrab_brings_the_built_in_devices_to_op_and_sees_signals_and_wires() {
    let segment = Segment::new(&SegmentDescription::from_json(PLANT).unwrap()).unwrap();
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);
    let group =
        bus.run(main_device.init_single_group::<8, 64>(support::now_ns)).expect("INIT to PRE-OP");
    let names: Vec<_> = group.iter(&main_device).map(|d| d.name().to_owned()).collect();
    assert_eq!(
        names,
        ["EK1100", "EL1008-like", "EL2024-like", "EL3104-like", "EL4104-like", "generic"]
    );
    let group = bus.run(group.into_safe_op(&main_device)).expect("PRE-OP to SAFE-OP");
    let group = bus.run(group.request_into_op(&main_device)).expect("OP requested");
    support::within_cycles(100, || {
        bus.run(group.tx_rx(&main_device)).expect("an exchange").all_op()
    });
    let outputs: [(usize, &[u8]); 3] =
        [(2, &[0, 0, 0x80]), (4, &[0, 0, 0, 0, 0, 0, 0xFE, 0xFF]), (5, &[1, 2, 3, 0xF4])];
    for (index, bytes) in outputs {
        let device = group.subdevice(&main_device, index).expect("there");
        device.outputs_raw_mut().copy_from_slice(bytes);
    }
    for _ in 0..3 {
        support::wait(1_000_000);
        let response = bus.run(group.tx_rx(&main_device)).expect("an exchange");
        // Two devices with inputs, two with outputs, one with both.
        assert_eq!(response.working_counter, 1 + 2 + 1 + 2 + 3);
    }
    let inputs =
        |index: usize| group.subdevice(&main_device, index).expect("there").inputs_raw().to_vec();
    assert_eq!(inputs(1), [0b1000_0100]);
    assert_eq!(inputs(3), [0x2E, 0xFB, 0xFE, 0xFF, 0, 0, 0, 0]);
    assert_eq!(inputs(5), [1, 2, 3, 0xF4]);
}
