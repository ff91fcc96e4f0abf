//! Couplers with modules, which are plugged and pulled while ethercrab exchanges process data with them.

use ecat_simulator::{Segment, SegmentCommand, SegmentDescription};
use ethercrab::subdevice_group::{Op, PreOp};
use ethercrab::{MainDevice, SubDeviceGroup, Timeouts};

use crate::support::{self, Bus, Storage, al_status, large_stack, open_with};

/// Eight inputs, four outputs, an empty slot, and a counter of 25 pulses a second.
const STATION: &str = r#"{
  "devices": [
    { "name": "station", "type": "modular-coupler",
      "modules": [{ "module": "8DI" }, { "module": "4DO" }, { "slot": 4, "module": 261 }, { "module": "2AI" }] KEYS }
  ],
  "signals": [
    { "input": "station.9", "counter": { "periodMs": 40 } },
    { "input": "station.11", "constant": -300 }
  ],
  "wires": [{ "from": "station.2", "to": "station.8" }]
}"#;
const EIGHT_INPUTS: u32 = 0x0801;
const FOUR_OUTPUTS: u32 = 0x0402;
const COUNTER: u32 = 0x0105;
const TWO_VALUES: u32 = 0x0203;
const EIGHT_OUTPUTS: u32 = 0x0802;

type Group<State> = SubDeviceGroup<4, 128, ethercrab::DefaultLock, State>;

fn station(keys: &str) -> Segment {
    let description = SegmentDescription::from_json(&STATION.replace("KEYS", keys)).unwrap();
    Segment::new(&description).unwrap()
}

/// A MainDevice that does not wait long for a state that is refused.
fn open<'a>(storage: &'a Storage, segment: Segment) -> (MainDevice<'a>, Bus<'a>) {
    let state_transition = std::time::Duration::from_millis(100);
    open_with(storage, segment, Timeouts { state_transition, ..Timeouts::default() })
}

/// Brings all that is there to PRE-OP.
fn to_pre_op(main_device: &MainDevice<'_>, bus: &mut Bus<'_>) -> Group<PreOp> {
    bus.run(main_device.init_single_group(support::now_ns)).expect("INIT to PRE-OP")
}

fn to_op(main_device: &MainDevice<'_>, bus: &mut Bus<'_>, group: Group<PreOp>) -> Group<Op> {
    let group = bus.run(group.into_safe_op(main_device)).expect("PRE-OP to SAFE-OP");
    let group = bus.run(group.request_into_op(main_device)).expect("OP requested");
    support::within_cycles(50, || bus.run(group.tx_rx(main_device)).expect("an exchange").all_op());
    group
}

/// Exchanges once a ms, so many times.
fn exchange(main_device: &MainDevice<'_>, bus: &mut Bus<'_>, group: &Group<Op>, cycles: u32) {
    for _ in 0..cycles {
        support::wait(1_000_000);
        bus.run(group.tx_rx(main_device)).expect("an exchange");
    }
}

fn command(bus: &mut Bus<'_>, command: SegmentCommand) {
    bus.link.segment_mut().apply(command, support::now_ns());
}

#[test]
fn a_coupler_tells_its_modules_and_exchanges_the_process_data_of_all() {
    large_stack(|| {
        let storage = Storage::new();
        let (main_device, mut bus) = open(&storage, station(""));
        let group = to_pre_op(&main_device, &mut bus);
        let device = group.subdevice(&main_device, 0).expect("there");
        for list in [0xF030, 0xF050] {
            let found = bus.run(device.sdo_read_array::<u32, 8>(list)).unwrap();
            let plugged = [EIGHT_INPUTS, FOUR_OUTPUTS, 0, COUNTER, TWO_VALUES];
            assert_eq!(found.as_slice(), plugged, "{list:#x}");
        }
        assert_eq!(bus.run(device.sdo_read::<u32>(0x1000, 0)).unwrap(), 5001);
        assert_eq!(bus.run(device.sdo_read::<u16>(0xF000, 1)).unwrap(), 16);
        assert_eq!(bus.run(device.sdo_read::<u16>(0xF000, 2)).unwrap(), 8);
        let assigned = bus.run(device.sdo_read_array::<u16, 16>(0x1C12)).unwrap();
        assert_eq!(assigned.as_slice(), [0x1601, 0x1603]);
        let assigned = bus.run(device.sdo_read_array::<u16, 16>(0x1C13)).unwrap();
        assert_eq!(assigned.as_slice(), [0x1AFF, 0x1A00, 0x1A03, 0x1A04]);

        let group = to_op(&main_device, &mut bus, group);
        {
            let device = group.subdevice(&main_device, 0).expect("there");
            assert_eq!((device.outputs_raw().len(), device.inputs_raw().len()), (6, 12));
            // Output 2, which is wired back to input 8; the counter is set to 1000.
            device.outputs_raw_mut().copy_from_slice(&[0x02, 0x01, 0xE8, 0x03, 0, 0]);
        }
        exchange(&main_device, &mut bus, &group, 2);
        let device = group.subdevice(&main_device, 0).expect("there");
        let inputs = || device.inputs_raw().to_vec();
        assert_eq!(inputs()[..3], [0, 0, 0x80], "a status without an error, and input 8");
        assert_eq!(inputs()[3], 0x01, "set counter done");
        assert_eq!(inputs()[8..], [0, 0, 0xD4, 0xFE], "the second value is -300");
        let count = || u32::from_le_bytes(inputs()[4..8].try_into().unwrap());
        let before = count();
        assert!((1000..1002).contains(&before), "{before}");
        exchange(&main_device, &mut bus, &group, 400);
        assert_eq!(count() - before, 10);
        // Backwards, by an SDO.
        bus.run(device.sdo_write(0x8030, 0x21, true)).unwrap();
        exchange(&main_device, &mut bus, &group, 200);
        assert_eq!(count() - before, 5);
        // Inhibited.
        device.outputs_raw_mut()[1] = 0x02;
        exchange(&main_device, &mut bus, &group, 200);
        assert_eq!(count() - before, 5);
        assert_eq!(bus.run(device.sdo_read::<u32>(0x6030, 0x21)).unwrap(), before + 5);
    });
}

#[test]
fn a_pulled_module_ends_process_data_until_it_is_back() {
    large_stack(|| {
        let storage = Storage::new();
        let (main_device, mut bus) = open(&storage, station(""));
        let group = to_pre_op(&main_device, &mut bus);
        let group = to_op(&main_device, &mut bus, group);
        command(&mut bus, SegmentCommand::PullModule { device: 0, slot: 2 });
        assert_eq!(al_status(&bus), (0x12, 0x70));
        let device = group.subdevice(&main_device, 0).expect("there");
        assert_eq!(bus.run(device.sdo_read::<u32>(0xF050, 2)).unwrap(), 0);
        assert_eq!(bus.run(device.sdo_read::<u32>(0xF030, 2)).unwrap(), FOUR_OUTPUTS);
        assert_eq!(bus.run(device.sdo_read::<u16>(0xF100, 1)).unwrap(), 0xC0);
        // Acknowledging alone does not help; the module does.
        let group = to_pre_op(&main_device, &mut bus);
        assert!(bus.run(group.into_safe_op(&main_device)).is_err());
        assert_eq!(al_status(&bus).1, 0x70);
        command(&mut bus, SegmentCommand::PlugModule { device: 0, slot: 2, module: FOUR_OUTPUTS });
        let group = to_pre_op(&main_device, &mut bus);
        let group = to_op(&main_device, &mut bus, group);
        let device = group.subdevice(&main_device, 0).expect("there");
        assert_eq!(bus.run(device.sdo_read::<u16>(0xF100, 1)).unwrap(), 0);
    });
}

#[test]
fn with_hot_swap_a_coupler_stays_in_op_and_the_pulled_module_reads_zero() {
    large_stack(|| {
        let storage = Storage::new();
        let (main_device, mut bus) = open(&storage, station(r#", "hotSwap": true"#));
        let group = to_pre_op(&main_device, &mut bus);
        let group = to_op(&main_device, &mut bus, group);
        let device = group.subdevice(&main_device, 0).expect("there");
        device.outputs_raw_mut()[0] = 0x02;
        exchange(&main_device, &mut bus, &group, 2);
        assert_eq!(device.inputs_raw()[2], 0x80);
        command(&mut bus, SegmentCommand::PullModule { device: 0, slot: 1 });
        exchange(&main_device, &mut bus, &group, 2);
        assert_eq!(al_status(&bus), (8, 0));
        assert_eq!(device.inputs_raw()[..3], [0x40, 0, 0], "bit 6, and no input");
        assert_eq!(device.inputs_raw()[10..], [0xD4, 0xFE], "the others go on");
        // What its outputs drive ends with the module, too.
        command(&mut bus, SegmentCommand::PlugModule { device: 0, slot: 1, module: EIGHT_INPUTS });
        command(&mut bus, SegmentCommand::PullModule { device: 0, slot: 2 });
        exchange(&main_device, &mut bus, &group, 2);
        assert_eq!((al_status(&bus).0, device.inputs_raw()[2]), (8, 0));
        command(&mut bus, SegmentCommand::PlugModule { device: 0, slot: 2, module: FOUR_OUTPUTS });
        exchange(&main_device, &mut bus, &group, 2);
        assert_eq!(device.inputs_raw()[..3], [0, 0, 0x80]);
        // A module of another kind cannot be exchanged with.
        command(&mut bus, SegmentCommand::PlugModule { device: 0, slot: 2, module: EIGHT_OUTPUTS });
        assert_eq!(al_status(&bus), (0x12, 0x70));
    });
}

#[test]
fn another_module_is_configured_by_its_number_and_brings_its_own_objects_and_pdos() {
    large_stack(|| {
        let storage = Storage::new();
        let (main_device, mut bus) = open(&storage, station(""));
        let group = to_pre_op(&main_device, &mut bus);
        command(&mut bus, SegmentCommand::PlugModule { device: 0, slot: 1, module: COUNTER });
        command(&mut bus, SegmentCommand::PullModule { device: 0, slot: 5 });
        let device = group.subdevice(&main_device, 0).expect("there");
        // Still those of the list of configured modules.
        assert!(bus.run(device.sdo_read::<bool>(0x6000, 8)).is_ok());
        assert!(bus.run(device.sdo_write(0xF030, 1, 0x4711_u32)).is_err(), "no module's number");
        // As MainDevices write it: the count at 0 first.
        bus.run(device.sdo_write_array(0xF030, [COUNTER, FOUR_OUTPUTS, 0, COUNTER])).unwrap();
        assert!(bus.run(device.sdo_read::<bool>(0x6000, 8)).is_err());
        assert!(!bus.run(device.sdo_read::<bool>(0x8000, 0x21)).unwrap());
        assert!(bus.run(device.sdo_read::<i16>(0x6040, 0x12)).is_err());
        let assigned = bus.run(device.sdo_read_array::<u16, 16>(0x1C12)).unwrap();
        assert_eq!(assigned.as_slice(), [0x1600, 0x1601, 0x1603]);
        let assigned = bus.run(device.sdo_read_array::<u16, 16>(0x1C13)).unwrap();
        assert_eq!(assigned.as_slice(), [0x1AFF, 0x1A00, 0x1A03]);
        let group = to_op(&main_device, &mut bus, group);
        {
            let device = group.subdevice(&main_device, 0).expect("there");
            assert_eq!((device.outputs_raw().len(), device.inputs_raw().len()), (11, 12));
            // Set to 7: nothing is wired to this counter.
            device.outputs_raw_mut()[..2].copy_from_slice(&[0x01, 0x07]);
        }
        exchange(&main_device, &mut bus, &group, 2);
        let device = group.subdevice(&main_device, 0).expect("there");
        assert_eq!(device.inputs_raw()[..4], [0, 0, 0x01, 0x07]);
        // Power brings the device up with what is plugged.
        command(&mut bus, SegmentCommand::PlugModule { device: 0, slot: 3, module: EIGHT_INPUTS });
        command(&mut bus, SegmentCommand::Unplug { device: 0 });
        command(&mut bus, SegmentCommand::Plug { device: 0 });
        support::wait(1_000_000_000);
        let group = to_pre_op(&main_device, &mut bus);
        let device = group.subdevice(&main_device, 0).expect("there");
        let found = bus.run(device.sdo_read_array::<u32, 8>(0xF030)).unwrap();
        assert_eq!(found.as_slice(), [COUNTER, FOUR_OUTPUTS, EIGHT_INPUTS, COUNTER]);
        to_op(&main_device, &mut bus, group);
    });
}
