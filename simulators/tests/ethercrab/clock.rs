//! Distributed clocks: ethercrab measures the delays, sets the offsets, and keeps clocks that drift together.

use ecat_simulator::{Segment, SegmentDescription};
use ecat_wire::register as reg;

use crate::support::{self, Storage, open};

const SEGMENT: &str = r#"{
  "devices": [
    { "type": "EK1100" },
    { "type": "digital-outputs" },
    { "type": "EK1100", "cableMetres": 100 },
    { "type": "generic", "cableMetres": 20, "pdos": [
      { "direction": "output", "index": 5632, "entries": [{ "index": 24698, "bits": 32 }] } ] }
  ]
}"#;

#[test]
fn ethercrab_measures_delays_that_fit_the_cables_and_brings_the_clocks_together() {
    let segment = Segment::new(&SegmentDescription::from_json(SEGMENT).unwrap()).unwrap();
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);
    let group =
        bus.run(main_device.init_single_group::<4, 64>(support::now_ns)).expect("INIT to PRE-OP");
    let delays: Vec<_> =
        group.iter(&main_device).map(|device| device.propagation_delay()).collect();
    // One hop on the E-bus; 100 m of cable (500 ns) and half of a hop by E-bus and by MII; 20 m and one by MII.
    assert_eq!(delays, [0, 150, 150 + 500 + 325, 975 + 100 + 325]);
    let mut times = [0; 2];
    for (time, place) in times.iter_mut().zip([0, 3]) {
        let device = group.subdevice(&main_device, place).expect("there");
        *time = bus.run(device.register_read::<u64>(reg::DC_SYSTEM_TIME)).expect("a clock");
    }
    // Read one after the other, a frame apart.
    let apart_ns = times[1] - times[0];
    assert!(apart_ns < 1_000_000, "{apart_ns} ns");
    let device = group.subdevice(&main_device, 3).expect("there");
    let difference = bus.run(device.register_read::<u32>(0x092C_u16)).expect("a clock");
    assert!(difference & 0x7FFF_FFFF < 1_000, "{difference:#x}");
}
