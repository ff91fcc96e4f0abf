//! The simulator's built-in devices, as the MainDevice's own bring-up finds and lays them out.

use std::sync::atomic::AtomicBool;

use ecat_engine::bringup::{
    BringUpOptions, DISCOVER_STACK_BYTES, compute_layout, configure, discover,
};
use ecat_engine::clock;
use ecat_simulator::{Segment, SegmentDescription, SegmentLink};

const PLANT: &str = r#"{ "devices": [
    { "type": "generic", "vendorId": 2, "productCode": 72100946,
      "pdos": [
        { "direction": "input", "index": 6656, "entries": [{ "index": 24676, "bits": 32, "dataType": 4 }] },
        { "direction": "output", "index": 5632, "entries": [{ "index": 24698, "bits": 32, "dataType": 4 }] }] },
    { "type": "EK1100" },
    { "type": "digital-inputs", "channels": 12, "alias": 300 },
    { "type": "digital-outputs", "channels": 12 },
    { "type": "digital-outputs", "channels": 64 },
    { "type": "analogue-inputs", "distributedClock": false },
    { "type": "analogue-outputs", "channels": 2, "distributedClock": true }
] }"#;

#[test]
fn every_built_in_device_comes_to_a_configured_pre_op_with_all_its_entries() {
    let thread = std::thread::Builder::new().stack_size(DISCOVER_STACK_BYTES);
    thread.spawn(come_to_a_configured_pre_op).unwrap().join().unwrap();
}

fn come_to_a_configured_pre_op() {
    clock::enter_virtual(0);
    let description = SegmentDescription::from_json(PLANT).unwrap();
    let (mut link, _control) = SegmentLink::new(Segment::new(&description).unwrap());
    let stop = AtomicBool::new(false);
    let network =
        discover(&mut link, &BringUpOptions::default(), &stop, &mut |_| ()).expect("PRE-OP");
    let layout = compute_layout(&network).expect("a layout");
    configure(&mut link, &network, &layout, &stop).expect("configured");

    let facts: Vec<_> = network
        .sub_devices
        .iter()
        .zip(&layout.devices)
        .map(|(device, layout)| {
            let bytes = (layout.outputs.len(), layout.inputs.len());
            (device.name.as_str(), device.device_emulation, bytes, layout.entries.len())
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("generic", false, (4, 4), 2),
            ("EK1100", true, (0, 0), 0),
            ("EL1012-like", true, (0, 2), 12),
            ("EL2012-like", true, (2, 0), 12),
            ("EL2064-like", true, (8, 0), 64),
            ("EL3104-like", false, (0, 8), 4),
            ("EL4102-like", false, (4, 0), 2),
        ]
    );
    let clocks: Vec<_> = network.sub_devices.iter().map(|d| d.has_distributed_clock).collect();
    assert_eq!(clocks, [true, true, false, false, false, false, true]);
    assert_eq!((network.sub_devices[2].alias, network.dc_reference), (300, Some(0)));

    let position = layout.devices[0].entries.iter().find(|e| e.index == 0x6064).expect("0x6064");
    assert_eq!((position.subindex, position.data_type, position.bit_length), (0, 4, 32));
    let value = &layout.devices[5].entries[1];
    assert_eq!((value.index, value.subindex, value.name.as_str()), (0x6010, 0x11, "Value"));
    assert_eq!(value.pdo_name, "Channel 2");
}
