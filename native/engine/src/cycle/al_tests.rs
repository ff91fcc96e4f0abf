//! The AL engine against devices that take a request only when they have read the last one.

use super::*;

const POLL: u64 = 1_000;
const TIMEOUT: u64 = 100_000;

/// A device that takes a request only when it has read the last one, as a device stack does.
struct Device {
    emulated: bool,
    status: u16,
    code: u16,
    refuses: Option<(u16, u16)>,
    busy_writes: u32,
    controls: Vec<u16>,
    op_only: Vec<u8>,
    /// SyncManagers switched, with the state in which it happened.
    switched: Vec<(u8, bool, u16)>,
}

impl Device {
    fn new(emulated: bool, status: u16) -> Self {
        Self {
            emulated,
            status,
            code: 0,
            refuses: None,
            busy_writes: 0,
            controls: Vec::new(),
            op_only: Vec::new(),
            switched: Vec::new(),
        }
    }

    fn write(&mut self, value: u16) -> u16 {
        if self.busy_writes > 0 {
            self.busy_writes -= 1;
            return 0;
        }
        self.controls.push(value);
        match self.refuses {
            _ if self.emulated => self.status = value,
            _ if self.status & 0x10 != 0 => {
                if value & 0x10 != 0 {
                    (self.status, self.code) = (self.status & 0x0F, 0);
                }
            }
            Some((state, code)) if state == value => {
                (self.status, self.code) = (self.status | 0x10, code);
            }
            _ => self.status = value,
        }
        1
    }
}

fn engine_for(devices: &[Device]) -> AlEngine {
    AlEngine::new(devices.iter().map(|d| (d.emulated, d.op_only.clone().into())), POLL)
}

fn run(engine: &mut AlEngine, devices: &mut [Device], mut now: u64) -> u64 {
    while engine.pending() > 0 {
        while let Some(operation) = engine.next_operation(now) {
            match operation {
                Operation::WriteControl { device, value } => {
                    let counter = devices[device].write(value);
                    engine.answer(operation, counter, None, now);
                }
                Operation::Activate { device, sync_manager, on } => {
                    let device = &mut devices[device];
                    device.switched.push((sync_manager, on, device.status));
                    engine.answer(operation, 1, None, now);
                }
                Operation::ReadState { device } => {
                    let read = (devices[device].status, devices[device].code);
                    engine.answer(operation, 1, Some(read), now);
                }
                _ => engine.answer(operation, 1, None, now),
            }
        }
        now += POLL;
        engine.expire(now);
    }
    now
}

#[test]
fn many_devices_climb_at_once_and_one_refusal_stops_nobody() {
    let mut devices: Vec<_> = (0..20).map(|n| Device::new(n % 2 == 0, 2)).collect();
    devices[7].refuses = Some((4, 0x001E));
    let mut engine = engine_for(&devices);
    (0..20).for_each(|device| engine.request(device, AlState::SafeOp, 0, TIMEOUT));
    run(&mut engine, &mut devices, 0);
    for (index, device) in devices.iter().enumerate() {
        let expected = if index == 7 {
            Outcome::Refused { status: 0x12, code: 0x001E }
        } else {
            assert_eq!(device.controls, [4]);
            Outcome::Reached
        };
        assert_eq!(engine.outcome(index), Some(expected), "device {index}");
    }
}

#[test]
fn a_write_that_was_not_read_yet_is_repeated_until_the_timeout() {
    let mut devices = [Device::new(false, 2), Device::new(false, 2)];
    devices[0].busy_writes = 5;
    devices[1].busy_writes = u32::MAX;
    let mut engine = engine_for(&devices);
    (0..2).for_each(|device| engine.request(device, AlState::SafeOp, 0, TIMEOUT));
    let end = run(&mut engine, &mut devices, 0);
    assert_eq!(engine.outcome(0), Some(Outcome::Reached));
    assert_eq!(engine.outcome(1), Some(Outcome::TimedOut));
    assert_eq!(end, TIMEOUT);
}

#[test]
fn an_error_is_acknowledged_before_the_request() {
    let mut devices = [Device::new(false, 0x14)];
    let mut engine = engine_for(&[Device::new(false, 2)]);
    engine.request(0, AlState::Op, 0, TIMEOUT);
    run(&mut engine, &mut devices, 0);
    assert_eq!(devices[0].controls, [0x14, 8]);
    assert_eq!(engine.outcome(0), Some(Outcome::Reached));
}

#[test]
fn an_emulated_device_is_never_acknowledged_and_its_bit_4_is_no_error() {
    let mut devices = [Device::new(true, 0x14)];
    let mut engine = engine_for(&devices);
    engine.request(0, AlState::Op, 0, TIMEOUT);
    run(&mut engine, &mut devices, 0);
    assert_eq!(devices[0].controls, [8]);
}

#[test]
fn bit_5_of_the_status_does_not_matter() {
    let mut engine = engine_for(&[Device::new(false, 2)]);
    engine.request(0, AlState::SafeOp, 0, TIMEOUT);
    let look = engine.next_operation(0).unwrap();
    engine.answer(look, 1, Some((0x24, 0)), 0);
    assert_eq!(engine.outcome(0), Some(Outcome::Reached));
}

#[test]
fn the_eeprom_goes_to_the_pdi_right_before_each_request() {
    let mut engine = engine_for(&[Device::new(false, 2)]);
    engine.request(0, AlState::SafeOp, 0, TIMEOUT);
    let look = engine.next_operation(0).unwrap();
    engine.answer(look, 1, Some((2, 0)), 0);
    assert_eq!(engine.next_operation(0), Some(Operation::GiveEeprom { device: 0 }));
    assert_eq!(engine.next_operation(0), Some(Operation::WriteControl { device: 0, value: 4 }));
    assert_eq!(engine.next_operation(0), None);
}

#[test]
fn a_lost_frame_is_repeated_at_once_and_a_silent_device_after_an_interval() {
    let mut engine = engine_for(&[Device::new(false, 2)]);
    engine.request(0, AlState::SafeOp, 0, TIMEOUT);
    let look = engine.next_operation(0).unwrap();
    assert_eq!(engine.next_operation(0), None, "in flight");
    engine.frame_lost(look);
    assert_eq!(engine.next_operation(0), Some(look));
    engine.answer(look, 0, None, 0);
    assert_eq!(engine.next_operation(POLL - 1), None);
    assert_eq!(engine.next_due_ns(), Some(POLL));
    assert_eq!(engine.next_operation(POLL), Some(look));
    engine.expire(TIMEOUT);
    assert_eq!((engine.outcome(0), engine.pending()), (Some(Outcome::TimedOut), 0));
}

#[test]
fn any_state_is_left_downward_in_one_step() {
    let mut devices = [Device::new(false, 8), Device::new(true, 8)];
    let mut engine = engine_for(&devices);
    (0..2).for_each(|device| engine.request(device, AlState::Init, 0, TIMEOUT));
    run(&mut engine, &mut devices, 0);
    assert!(devices.iter().all(|device| device.status == 1));
}

#[test]
fn what_is_for_op_only_is_on_before_op_is_requested_and_off_once_op_is_left() {
    let mut devices = [Device::new(false, 4), Device::new(true, 4)];
    for device in &mut devices {
        device.op_only = vec![0, 3];
    }
    let mut engine = engine_for(&devices);
    (0..2).for_each(|device| engine.request(device, AlState::Op, 0, TIMEOUT));
    let now = run(&mut engine, &mut devices, 0);
    for device in &devices {
        assert_eq!(device.switched, [(0, true, 4), (3, true, 4)]);
        assert_eq!(device.status, 8);
    }
    (0..2).for_each(|device| engine.request(device, AlState::SafeOp, now, TIMEOUT));
    let now = run(&mut engine, &mut devices, now);
    for device in &devices {
        assert_eq!(device.switched[2..], [(0, false, 4), (3, false, 4)]);
    }
    (0..2).for_each(|device| engine.request(device, AlState::Init, now, TIMEOUT));
    run(&mut engine, &mut devices, now);
    assert!(devices.iter().all(|device| device.switched.len() == 4 && device.status == 1));
}

#[test]
fn op_is_not_requested_before_the_switch_is_written() {
    let device = Device { op_only: vec![0], ..Device::new(true, 4) };
    let mut engine = engine_for(&[device]);
    engine.request(0, AlState::Op, 0, TIMEOUT);
    let look = engine.next_operation(0).unwrap();
    engine.answer(look, 1, Some((4, 0)), 0);
    let switch = Operation::Activate { device: 0, sync_manager: 0, on: true };
    assert_eq!(engine.next_operation(0), Some(switch));
    assert_eq!(engine.next_operation(0), None, "in flight");
    engine.frame_lost(switch);
    assert_eq!(engine.next_operation(0), Some(switch));
    engine.answer(switch, 0, None, 0);
    let mut now = 0;
    while now < TIMEOUT / 2 {
        now += POLL;
        while let Some(operation) = engine.next_operation(now) {
            let reading = matches!(operation, Operation::ReadState { .. }).then_some((4, 0));
            assert!(operation == switch || reading.is_some(), "{operation:?}");
            engine.answer(operation, u16::from(reading.is_some()), reading, now);
        }
    }
    now += POLL;
    assert_eq!(engine.next_operation(now), Some(switch));
    engine.answer(switch, 1, None, now);
    assert_eq!(engine.next_operation(now), Some(Operation::GiveEeprom { device: 0 }));
}

#[test]
fn it_is_off_again_where_op_is_refused_or_not_reached() {
    let refusing = Device { refuses: Some((8, 0x001D)), ..Device::new(false, 4) };
    let mut devices = [refusing, Device::new(false, 4)];
    for device in &mut devices {
        device.op_only = vec![2];
    }
    devices[1].busy_writes = u32::MAX;
    let mut engine = engine_for(&devices);
    (0..2).for_each(|device| engine.request(device, AlState::Op, 0, TIMEOUT));
    run(&mut engine, &mut devices, 0);
    let refused = Outcome::Refused { status: 0x14, code: 0x001D };
    assert_eq!(engine.outcome(0), Some(refused));
    assert_eq!(devices[0].switched, [(2, true, 4), (2, false, 0x14)]);
    assert_eq!(engine.outcome(1), Some(Outcome::TimedOut));
    assert_eq!(devices[1].switched, [(2, true, 4), (2, false, 4)]);
}

#[test]
fn a_device_that_falls_out_of_op_is_switched_off_and_its_outcome_stands() {
    let mut devices = [Device { op_only: vec![2], ..Device::new(false, 4) }];
    let mut engine = engine_for(&devices);
    engine.observe(0, 2, 0);
    assert_eq!(engine.pending(), 0, "never was on");
    engine.request(0, AlState::Op, 0, TIMEOUT);
    let now = run(&mut engine, &mut devices, 0);
    engine.observe(0, 8, now);
    assert_eq!(engine.pending(), 0);
    devices[0].status = 0x14;
    engine.observe(0, 0x14, now);
    let now = run(&mut engine, &mut devices, now);
    assert_eq!(devices[0].switched[1..], [(2, false, 0x14)]);
    assert_eq!(engine.outcome(0), Some(Outcome::Reached));
    engine.observe(0, 0x14, now);
    assert_eq!(engine.pending(), 0, "done once");
}

#[test]
fn switching_off_does_not_wait_for_ever_and_is_tried_again() {
    let mut devices = [Device { op_only: vec![2], ..Device::new(true, 4) }];
    let mut engine = engine_for(&devices);
    engine.request(0, AlState::Op, 0, TIMEOUT);
    let now = run(&mut engine, &mut devices, 0);
    engine.request(0, AlState::SafeOp, now, TIMEOUT);
    let mut now = now;
    while engine.pending() > 0 {
        while let Some(operation) = engine.next_operation(now) {
            let reading = matches!(operation, Operation::ReadState { .. }).then_some((4, 0));
            let taken = !matches!(operation, Operation::Activate { .. });
            engine.answer(operation, taken.into(), reading, now);
        }
        now += POLL;
        engine.expire(now);
    }
    assert!(now >= SWITCH_OFF_NS);
    assert_eq!(engine.outcome(0), Some(Outcome::Reached));
    engine.observe(0, 4, now);
    run(&mut engine, &mut devices, now);
    assert_eq!(devices[0].switched.last(), Some(&(2, false, 8)));
}

#[test]
fn a_device_that_leaves_every_read_unanswered_is_lost_and_a_slow_one_is_not() {
    let limit = 20 * POLL;
    for lost_at in 0..4 {
        // Device 0 is gone from its operation of that number on; device 1 has not read its request yet.
        let mut devices = [Device::new(false, 2), Device::new(false, 2)];
        devices[1].busy_writes = u32::MAX;
        let mut engine = engine_for(&devices);
        (0..2).for_each(|device| engine.request(device, AlState::SafeOp, 0, TIMEOUT));
        let (mut now, mut operations) = (0, 0);
        while engine.outcome(0).is_none() {
            while let Some(operation) = engine.next_operation(now) {
                let (device, reads) = match operation {
                    Operation::ReadState { device } => (device, true),
                    Operation::WriteControl { device, .. } => (device, false),
                    _ => continue,
                };
                let there = device == 1 || operations < lost_at;
                operations += u32::from(device == 0);
                let counter = u16::from(there && (reads || device == 0));
                engine.answer(operation, counter, (there && reads).then_some((2, 0)), now);
            }
            engine.lose_silent(limit);
            now += POLL;
        }
        assert_eq!(engine.outcome(0), Some(Outcome::Lost), "at operation {lost_at}");
        assert!((limit..limit + 5 * POLL).contains(&now), "{now} at operation {lost_at}");
        assert_eq!((engine.outcome(1), engine.pending()), (None, 1));
    }
}

#[test]
fn one_answer_ends_a_silence() {
    let mut engine = engine_for(&[Device::new(false, 2)]);
    engine.request(0, AlState::SafeOp, 0, TIMEOUT);
    let look = Operation::ReadState { device: 0 };
    for now in (0..TIMEOUT).step_by(POLL as usize) {
        let Some(operation) = engine.next_operation(now) else { continue };
        assert_eq!(operation, look);
        let answers = now / POLL % 10 == 9;
        // Waiting for the error bit to go, which it never does.
        engine.answer(operation, answers.into(), answers.then_some((0x12, 0)), now);
        if let Some(acknowledge @ Operation::WriteControl { .. }) = engine.next_operation(now) {
            engine.answer(acknowledge, 1, None, now);
        }
        engine.lose_silent(10 * POLL);
    }
    assert_eq!((engine.outcome(0), engine.pending()), (None, 1));
}
