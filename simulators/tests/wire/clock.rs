//! The distributed clock (0x0900–0x092F).

use ecat_simulator::esc::Profile;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, emulated_with};

fn u32_at(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().unwrap())
}

fn u64_at(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().unwrap())
}

#[test]
fn receive_times_differ_by_the_round_trip_behind_the_port() {
    // Real EK1100 with two terminals: 590–600 ns there, 310 ns at the next.
    let stale =
        Profile { stale_port_times: [0, u32::from_le_bytes(*b"hoff"), 0, 0], ..Profile::default() };
    let mut wire = Wire::new(vec![emulated(), emulated(), emulated_with(stale)]);
    assert_eq!(wire.write(Command::Bwr { register: reg::DC_RECEIVE_TIME }, &[0; 4]), 3);
    let round_trips = [0x1001, 0x1002].map(|station| {
        let times = wire.get(station, reg::DC_RECEIVE_TIME, 16);
        u32_at(&times[4..]) - u32_at(&times)
    });
    assert_eq!(round_trips, [600, 300]);
    // A port that never saw a frame keeps what it had.
    assert_eq!(wire.get(0x1003, reg::DC_RECEIVE_TIME + 4, 4), b"hoff");
    let times = wire.get(0x1003, reg::DC_RECEIVE_TIME, 16);
    let processing = wire.get(0x1003, reg::DC_RECEIVE_TIME_PROCESSING, 8);
    assert_eq!(processing[..4], times[..4]);
}

#[test]
fn stamps_cannot_be_read_in_the_frame_that_latched_them() {
    let mut wire = Wire::new(vec![emulated()]);
    let station = 0x1001;
    let answers = wire.send(&[
        (Command::Fpwr { station, register: reg::DC_RECEIVE_TIME }, &[0]),
        (Command::Fprd { station, register: reg::DC_RECEIVE_TIME }, &[0; 4]),
    ]);
    assert_eq!(answers[1].data, [0; 4]);
    assert_ne!(wire.get(station, reg::DC_RECEIVE_TIME, 4), [0; 4]);
}

#[test]
fn system_time_is_local_time_plus_offset_less_delay() {
    let mut wire = Wire::new(vec![emulated()]);
    let before = u64_at(&wire.get(0x1001, reg::DC_SYSTEM_TIME, 8));
    wire.set(0x1001, reg::DC_SYSTEM_TIME_OFFSET, &1_000_000_u64.to_le_bytes());
    wire.set(0x1001, reg::DC_SYSTEM_TIME_DELAY, &300_u32.to_le_bytes());
    let after = u64_at(&wire.get(0x1001, reg::DC_SYSTEM_TIME, 8));
    // Three frames later, 1 µs each.
    assert_eq!(after - before, 1_000_000 - 300 + 3_000);
}

#[test]
fn distribution_draws_a_drifting_clock_to_the_reference_without_steps() {
    let fast = Profile { clock_drift_ppb: 40_000, ..Profile::default() };
    let mut wire = Wire::new(vec![emulated(), emulated_with(fast)]);
    let difference = |wire: &mut Wire| {
        let value = u32_at(&wire.get(0x1002, reg::DC_SYSTEM_TIME_DIFFERENCE, 4));
        let magnitude = i64::from(value & 0x7FFF_FFFF);
        if value & 0x8000_0000 == 0 { magnitude } else { -magnitude }
    };
    wire.set(0x1002, reg::DC_SYSTEM_TIME_DELAY, &150_u32.to_le_bytes());
    let frmw = Command::Frmw { station: 0x1001, register: reg::DC_SYSTEM_TIME };
    let mut last = 0;
    let mut steps = 0;
    for n in 0..2_000 {
        wire.wait_us(1_000);
        assert_eq!(wire.write(frmw, &[0; 8]), 2);
        let time = u64_at(&wire.get(0x1002, reg::DC_SYSTEM_TIME, 8));
        if n > 0 && (time - last).abs_diff(1_003_000) > 5_000 {
            steps += 1;
        }
        last = time;
    }
    assert_eq!(steps, 0);
    assert!(difference(&mut wire).abs() < 20, "{} ns", difference(&mut wire));
    // Four bytes drive the loop as well.
    assert_eq!(wire.write(frmw, &[0; 4]), 2);
}

#[test]
fn the_start_time_is_writable_while_the_sync_unit_is_off() {
    // 0x0990; 0x0981 bit 0.
    let mut wire = Wire::new(vec![emulated()]);
    assert_eq!(wire.set(0x1001, reg::DC_START_TIME, &[1; 8]), 1);
    wire.set(0x1001, reg::DC_SYNC_ACTIVATION, &[1]);
    assert_eq!(wire.set(0x1001, reg::DC_START_TIME, &[2; 8]), 0);
    assert_eq!(wire.get(0x1001, reg::DC_START_TIME, 8), [1; 8]);
}
