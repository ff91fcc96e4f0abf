//! Drives under a MainDevice that nobody here wrote: ethercrab brings them to OP, and the usual words enable them.

use ecat_simulator::{Segment, SegmentDescription};

use crate::support::{self, Storage, open};

const SEGMENT: &str =
    r#"{ "devices": [{ "type": "EK1100" }, { "type": "EL7041-like" }, { "type": "servo" }] }"#;

#[test]
fn ethercrab_enables_a_servo_and_a_stepper_and_both_move() {
    let segment = Segment::new(&SegmentDescription::from_json(SEGMENT).unwrap()).unwrap();
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);
    let group =
        bus.run(main_device.init_single_group::<4, 128>(support::now_ns)).expect("INIT to PRE-OP");
    let servo = group.subdevice(&main_device, 2).expect("there");
    assert_eq!(bus.run(servo.sdo_read::<u32>(0x1000, 0)).unwrap(), 0x0002_0192);
    bus.run(servo.sdo_write(0x6060, 0, 9_i8)).unwrap();
    bus.run(servo.sdo_write_array(0x1C12, [0x1602_u16])).unwrap();
    bus.run(servo.sdo_write_array(0x1C13, [0x1A02_u16])).unwrap();
    let group = bus.run(group.into_op(&main_device)).expect("PRE-OP to OP");

    // Controlword and target velocity; statusword, position and velocity.
    let mut exchange = |controlword: u16, velocity: i32| {
        let mut last = [0; 10];
        for _ in 0..5 {
            support::wait(1_000_000);
            let stepper = group.subdevice(&main_device, 1).expect("there");
            // STM Control: enable; STM Velocity: a twentieth of the speed range.
            stepper.outputs_raw_mut()[4] = 1;
            stepper.outputs_raw_mut()[6..8].copy_from_slice(&1_638_i16.to_le_bytes());
            let servo = group.subdevice(&main_device, 2).expect("there");
            servo.outputs_raw_mut()[..2].copy_from_slice(&controlword.to_le_bytes());
            servo.outputs_raw_mut()[2..6].copy_from_slice(&velocity.to_le_bytes());
            bus.run(group.tx_rx(&main_device)).expect("an exchange");
            let servo = group.subdevice(&main_device, 2).expect("there");
            last.copy_from_slice(&servo.inputs_raw());
        }
        let long = |at: usize| i32::from_le_bytes(last[at..at + 4].try_into().unwrap());
        (u16::from_le_bytes([last[0], last[1]]), long(2), long(6))
    };
    // Each state by the mask and value that CiA 402 gives for it.
    for (controlword, mask, state) in
        [(0x00, 0x4F, 0x40), (0x06, 0x6F, 0x21), (0x07, 0x6F, 0x23), (0x0F, 0x6F, 0x27)]
    {
        let (statusword, ..) = exchange(controlword, 0);
        assert_eq!(statusword & mask, state, "controlword {controlword:#04x}");
    }
    for _ in 0..60 {
        exchange(0x0F, 65_536);
    }
    let (_, position, velocity) = exchange(0x0F, 65_536);
    assert!((velocity - 65_536).abs() < 2_000, "{velocity} units/s");
    assert!((15_000..25_000).contains(&position), "about 0.3 revolutions: {position}");
    let stepper = group.subdevice(&main_device, 1).expect("there");
    let inputs = stepper.inputs_raw();
    let counter = u16::from_le_bytes([inputs[2], inputs[3]]);
    // 100 full steps a second since drive on delay was over: about 0.2 s.
    assert!((200..800).contains(&counter), "{counter} increments");
    assert_eq!(inputs[6] & 0x13, 0x13, "ready to enable, ready, moving positive");
}
