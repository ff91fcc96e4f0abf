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

#[test]
fn only_the_lower_half_of_a_system_time_is_compared() {
    // Section II, table 100: bits 31:0.
    let mut wire = Wire::new(vec![emulated()]);
    let time = u64_at(&wire.get(0x1001, reg::DC_SYSTEM_TIME, 8));
    wire.set(0x1001, reg::DC_SYSTEM_TIME, &(time + 1_000 + (7 << 32)).to_le_bytes());
    assert_eq!(wire.get(0x1001, reg::DC_SYSTEM_TIME_DIFFERENCE, 4), [0; 4]);
    // The local copy is smaller than what was received: bit 31, and the magnitude.
    let time = u64_at(&wire.get(0x1001, reg::DC_SYSTEM_TIME, 8));
    wire.set(0x1001, reg::DC_SPEED_START, &0x1000_u16.to_le_bytes());
    wire.set(0x1001, reg::DC_SYSTEM_TIME, &(time + 2_000 + 300).to_le_bytes());
    let difference = u32_at(&wire.get(0x1001, reg::DC_SYSTEM_TIME_DIFFERENCE, 4));
    assert_eq!(difference, 0x8000_0000 | 300);
}

#[test]
fn the_mean_difference_is_filtered_by_its_depth() {
    // 0x0934: a deeper filter follows more slowly.
    let follow = |depth: u8| {
        let mut wire = Wire::new(vec![emulated()]);
        wire.set(0x1001, reg::DC_FILTER_DIFFERENCE, &[depth]);
        let mut differences = Vec::new();
        for ahead in [0, 0x4000] {
            let time = u64_at(&wire.get(0x1001, reg::DC_SYSTEM_TIME, 8));
            wire.set(0x1001, reg::DC_SYSTEM_TIME, &(time + 1_000 - ahead).to_le_bytes());
            differences.push(u32_at(&wire.get(0x1001, reg::DC_SYSTEM_TIME_DIFFERENCE, 4)));
        }
        differences[1]
    };
    assert_eq!([0, 1, 4].map(follow), [0x4000, 0x2000, 0x400]);
}

#[test]
fn the_speed_counter_shows_the_deviation_and_a_write_to_its_start_forgets_it() {
    // 0x0932; section II, table 105: diff / (5 (start + diff + 2) (start − diff + 2)).
    let fast = Profile { clock_drift_ppb: 100_000, ..Profile::default() };
    let mut wire = Wire::new(vec![emulated(), emulated_with(fast)]);
    let frmw = Command::Frmw { station: 0x1001, register: reg::DC_SYSTEM_TIME };
    for _ in 0..3_000 {
        wire.wait_us(1_000);
        wire.write(frmw, &[0; 8]);
    }
    let speed = f64::from(wire.word(0x1002, reg::DC_SPEED_DIFFERENCE).cast_signed());
    let start = f64::from(0x1000);
    let deviation = speed / (5.0 * (start + speed + 2.0) * (start - speed + 2.0));
    assert!((deviation - 100e-6).abs() < 2e-6, "{deviation}");
    wire.set(0x1002, reg::DC_SPEED_START, &0x1000_u16.to_le_bytes());
    assert_eq!(wire.word(0x1002, reg::DC_SPEED_DIFFERENCE), 0);
    assert_eq!(wire.get(0x1002, reg::DC_SYSTEM_TIME_DIFFERENCE, 4), [0; 4]);
}

#[test]
fn stamps_jitter_within_their_limit_and_the_same_for_the_same_seed() {
    let stamps = |seed| {
        let noisy = Profile { clock_jitter_ns: 40, clock_seed: seed, ..Profile::default() };
        let mut wire = Wire::new(vec![emulated_with(noisy)]);
        (0..500)
            .map(|_| {
                let time = u64_at(&wire.get(0x1001, reg::DC_SYSTEM_TIME, 8));
                time as i64 - wire.now_ns as i64
            })
            .collect::<Vec<_>>()
    };
    let one = stamps(1);
    assert!(one.iter().all(|error| error.abs() <= 40), "{one:?}");
    assert!(one.contains(&40) && one.contains(&-40), "{one:?}");
    assert_eq!(one, stamps(1));
    assert_ne!(one, stamps(2));
}
