//! What turns, against closed forms: motion under a torque, the balance of energy, friction, limits, quantisation; and that
//! it is a function of time alone.

use std::f64::consts::TAU;

use ecat_simulator::devices::programs::servo::plant::{Plant, TICK_S};
use ecat_simulator::devices::programs::servo::{LoadDescription, ServoDescription};

use crate::machine::Machine;
use crate::servo::*;

/// Rotor and load, in kg m².
const INERTIA: f64 = 1e-4;
const FRICTIONLESS: &str =
    r#", "load": { "inertiaKgM2": 5e-5, "viscousNmSPerRad": 0, "coulombNm": 0 }"#;

fn plant(load: LoadDescription) -> Plant {
    Plant::new(&ServoDescription { load, ..ServoDescription::default() })
}

fn frictionless() -> LoadDescription {
    LoadDescription { viscous_nm_s_per_rad: 0.0, coulomb_nm: 0.0, ..LoadDescription::default() }
}

fn close(value: f64, expected: f64, share: f64) {
    assert!((value - expected).abs() <= share * expected.abs(), "{value} is not {expected}");
}

#[test]
fn work_becomes_energy() {
    let mut plant = plant(frictionless());
    let mut work_j = 0.0;
    for n in 0..10_000 {
        let torque_nm = 0.1 + (f64::from(n) * 0.01).sin();
        let from = plant.angle_rad;
        plant.turn(torque_nm, false);
        work_j += torque_nm * (plant.angle_rad - from);
    }
    assert!(plant.energy_j() > 1.0);
    close(work_j, plant.energy_j(), 1e-9);
}

#[test]
fn without_a_torque_and_friction_a_motion_stays() {
    let mut plant = plant(frictionless());
    plant.speed_rad_s = 123.0;
    (0..16_000).for_each(|_| plant.turn(0.0, false));
    assert_eq!(plant.speed_rad_s, 123.0);
    close(plant.angle_rad, 123.0, 1e-9);
}

#[test]
fn friction_takes_energy_only() {
    let mut plant = plant(LoadDescription { coulomb_nm: 0.05, ..LoadDescription::default() });
    plant.speed_rad_s = 100.0;
    let mut energy_j = plant.energy_j();
    while energy_j > 0.0 {
        plant.turn(0.0, false);
        assert!(plant.energy_j() < energy_j && plant.speed_rad_s >= 0.0);
        energy_j = plant.energy_j();
    }
}

#[test]
fn coulomb_friction_stops_a_motion_in_the_time_of_its_torque() {
    let mut plant = plant(LoadDescription { coulomb_nm: 0.05, ..frictionless() });
    plant.speed_rad_s = 100.0;
    let mut ticks = 0;
    while plant.speed_rad_s > 0.0 {
        plant.turn(0.0, false);
        ticks += 1;
    }
    close(f64::from(ticks) * TICK_S, INERTIA * 100.0 / 0.05, 1e-3);
}

#[test]
fn what_friction_holds_does_not_move() {
    let load = LoadDescription { coulomb_nm: 0.1, torque_nm: 0.05, ..LoadDescription::default() };
    let mut plant = plant(load);
    (0..1_000).for_each(|_| plant.turn(0.14, false));
    assert_eq!(plant.angle_rad, 0.0);
    (0..1_000).for_each(|_| plant.turn(0.16, false));
    assert!(plant.angle_rad > 0.0);
}

#[test]
fn a_viscous_load_has_an_exponential_approach() {
    let mut plant = plant(LoadDescription { viscous_nm_s_per_rad: 1e-3, ..frictionless() });
    let constant_s = INERTIA / 1e-3;
    let ticks = (constant_s / TICK_S) as u32;
    (0..ticks).for_each(|_| plant.turn(0.1, false));
    close(plant.speed_rad_s, 100.0 * (1.0 - (-1f64).exp()), 1e-3);
}

#[test]
fn a_current_rises_as_a_winding_lets_it() {
    let mut plant = plant(LoadDescription { coulomb_nm: 100.0, ..LoadDescription::default() });
    // 8 mH behind 2 Ω: 4 ms.
    (0..64).for_each(|_| plant.step(Some(2.0), false));
    close(plant.current_a, 1.0 - (-1f64).exp(), 1e-9);
}

#[test]
fn a_torque_gives_the_acceleration_of_the_inertia() {
    let mut machine = drive(FRICTIONLESS);
    machine.enable(CST);
    machine.set(TARGET_TORQUE, 0, 100);
    machine.cycles(2);
    let (from, position) = (machine.velocity(), machine.position());
    machine.cycles(50);
    let acceleration = 0.1 / INERTIA / TAU * TURN as f64;
    close((machine.velocity() - from) as f64, acceleration * 0.05, 0.01);
    let way = from as f64 * 0.05 + acceleration * 0.05 * 0.05 / 2.0;
    close((machine.position() - position) as f64, way, 0.02);
    assert_eq!(machine.torque(), 100);
}

#[test]
fn the_torque_is_limited_by_the_least_of_its_limits() {
    let limits: [(u16, i64); 3] = [(0x6072, 400), (0x60E0, 300), (0x60E1, 200)];
    let mut machine = drive(FRICTIONLESS);
    for (index, value) in limits {
        machine.write(index, 0, 2, value);
    }
    machine.enable(CST);
    for (target, torque) in [(1_000, 300), (-1_000, -200), (250, 250)] {
        machine.set(TARGET_TORQUE, 0, target);
        machine.cycles(6);
        assert!((machine.torque() - torque).abs() <= 4, "{} of {torque}", machine.torque());
        assert_eq!(machine.has(11), torque != target, "internal limit at {target}");
    }
}

#[test]
fn a_slew_rate_lets_the_torque_grow_in_its_time() {
    let settings = r#", "load": { "coulombNm": 10 }, "control": { "torqueSlewNmPerMs": 0.01 }"#;
    let mut machine = drive(settings);
    machine.enable(CST);
    machine.set(TARGET_TORQUE, 0, 500);
    machine.cycles(26);
    let half = machine.torque();
    assert!((235..=255).contains(&half), "{half} after 25 ms of 50");
    machine.cycles(30);
    assert_eq!(machine.torque(), 500);
}

#[test]
fn an_encoder_shows_no_more_than_its_counts() {
    let settings = r#", "encoder": { "countsPerRevolution": 1024 }, "startPosition": 1000"#;
    let machine = drive(settings);
    // 1000 units of 65536 lie in count 15, which begins at 960.
    assert_eq!(machine.position(), 960);
}

#[test]
fn noise_is_bounded_and_the_same_at_every_run() {
    let positions = || {
        let mut machine = drive(r#", "encoder": { "noiseCounts": 160 }"#);
        let sample = |_| {
            machine.cycle();
            machine.position()
        };
        (0..50).map(sample).collect::<Vec<_>>()
    };
    let once = positions();
    assert_eq!(once, positions());
    // 160 counts of 2^20 are 10 units of 2^16.
    assert!(once.iter().all(|position| position.abs() <= 10));
    assert!(once.iter().any(|position| position.abs() >= 5));
}

const START_NS: u64 = 3_000_000_000;

/// Where a drive is 0.1 s after its target has moved, and how fast.
fn stepped(cycle_ns: u64, jump: bool) -> (i64, i64) {
    let mut machine = drive("");
    machine.enable(CSP);
    machine.set(TARGET_POSITION, 0, 0);
    while machine.now_ns < START_NS - 2_000_000 {
        machine.cycle();
    }
    at(&mut machine, START_NS);
    machine.set(TARGET_POSITION, 0, TURN / 8);
    // The frame that brings it, at the same instant in all cases.
    at(&mut machine, START_NS + 1_000_000);
    if jump {
        at(&mut machine, START_NS + 40_000_000);
        at(&mut machine, START_NS + 99_000_000);
    } else {
        machine.cycle_ns = cycle_ns;
        while machine.now_ns + cycle_ns < START_NS + 100_000_000 {
            machine.cycle();
        }
    }
    at(&mut machine, START_NS + 100_000_000);
    (machine.position(), machine.velocity())
}

/// One exchange at an instant.
fn at(machine: &mut Machine, now_ns: u64) {
    machine.cycle_ns = now_ns - machine.now_ns;
    machine.cycle();
    machine.cycle_ns = 1_000_000;
}

#[test]
fn what_turns_depends_on_time_and_not_on_how_often_frames_come() {
    let once = stepped(1_000_000, false);
    assert_eq!(stepped(250_000, false), once);
    assert_eq!(stepped(125_000, false), once);
    assert_eq!(stepped(10_000_000, false), once);
    assert_eq!(stepped(0, true), once);
}

#[test]
fn a_jump_of_days_ends() {
    let mut machine = drive("");
    machine.enable(CSP);
    machine.now_ns += 3 * 24 * 3_600 * 1_000_000_000;
    machine.cycle();
    // The watchdog has expired long ago.
    assert_eq!(machine.register(0x0134), 0x001B);
}
