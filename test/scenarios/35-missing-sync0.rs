//! Missing pulses of SYNC0: what a synchronous drive says, and that nothing else is seen.

use std::time::Duration;

use ethercrab::subdevice_group::DcConfiguration;
use ethercrab::{DcSync, MainDevice, Timeouts};

use crate::page;
use crate::plant::{DRIVE, Group, counters, hits, segment};
use crate::support::{self, Bus, Storage, open_with};

const PAGE: &str = "35-missing-sync0";
const CYCLE: Duration = Duration::from_millis(1);
/// Working counter of a drive that reads and writes.
const BOTH: u16 = 3;

fn inject(bus: &mut Bus<'_>, names: &[&str]) {
    for name in names {
        let fault = page::fault(PAGE, name);
        bus.link.segment_mut().inject_described(&fault, support::now_ns()).expect("a fault");
    }
}

/// AL status and its code, in the drive.
fn al(bus: &mut Bus<'_>) -> (u8, u16) {
    let now_ns = support::now_ns();
    let bytes = bus.link.segment().register(DRIVE, 0x0130, 6, now_ns);
    (bytes[0], u16::from_le_bytes([bytes[4], bytes[5]]))
}

/// The drive on the way to OP with pulses of 1 ms, with these faults from its set-up on and those once it is there; in
/// the end its AL status, the last working counter, and hits.
fn run(sync: &str, early: &[&str], late: &[&str], cycles: u32) -> ((u8, u16), u16, Vec<String>) {
    let storage = Storage::new();
    let timeouts = Timeouts { state_transition: Duration::from_millis(500), ..Timeouts::default() };
    let keys = format!(r#", "sync": {sync}"#);
    let (main_device, mut bus) = open_with(&storage, segment(&keys), timeouts);
    let mut group: Group =
        bus.run(main_device.init_single_group(support::now_ns)).expect("INIT to PRE-OP");
    synchronise(&mut group, &main_device);
    let group = bus.run(group.into_pre_op_pdi(&main_device)).expect("PDI");
    inject(&mut bus, early);
    let set_up =
        DcConfiguration { start_delay: 10 * CYCLE, sync0_period: CYCLE, sync0_shift: CYCLE / 4 };
    let group = bus.run(group.configure_dc_sync(&main_device, set_up)).expect("a SYNC unit");
    let group = bus.run(group.into_safe_op(&main_device)).expect("PRE-OP to SAFE-OP");
    let group = bus.run(group.request_into_op(&main_device)).expect("a request");
    let before = counters(&mut bus);
    let mut last = 0;
    for cycle in 0..200 + cycles {
        if cycle == 200 {
            if early.is_empty() {
                assert_eq!((al(&mut bus), last), ((8, 0), BOTH), "in OP");
            }
            inject(&mut bus, late);
        }
        support::wait(1_000_000);
        last = bus.run(group.tx_rx_dc(&main_device)).expect("an exchange").working_counter;
    }
    assert_eq!(counters(&mut bus), before);
    (al(&mut bus), last, hits(&mut bus))
}

fn synchronise(group: &mut Group, main_device: &MainDevice<'_>) {
    for mut device in group.iter_mut(main_device) {
        if device.name() != "EK1100" {
            device.set_dc_sync(DcSync::Sync0);
        }
    }
}

#[test]
fn a_drive_without_pulses_leaves_op() {
    let (al, counter, hits) = run("{}", &[], &["no pulses"], 20);
    assert_eq!((al, counter), ((0x14, 0x002C), BOTH));
    assert!(hits.len() > 4 && hits.iter().all(|hit| hit == "sync0-loss done"), "{hits:?}");
}

#[test]
fn a_single_pulse_that_does_not_come_is_borne() {
    let (al, counter, hits) = run("{}", &[], &["one pulse"], 20);
    assert_eq!((al, counter), ((8, 0), BOTH));
    assert_eq!(hits, ["sync0-loss done"]);
}

#[test]
fn a_start_in_the_past_keeps_it_from_op() {
    let (al, _, hits) = run("{}", &["too late"], &[], 200);
    assert_eq!(al, (0x14, 0x002D));
    assert_eq!(hits, ["start-in-past done"]);
}

#[test]
fn a_clock_that_runs_away_takes_a_drive_with_a_tolerance_out_of_op() {
    let (al, counter, _) = run(r#"{ "toleranceNs": 2000 }"#, &[], &["no lock", "warm"], 100);
    assert_eq!((al, counter), ((0x14, 0x0032), BOTH));
}

#[test]
fn so_does_a_clock_that_jumps() {
    let (al, counter, hits) = run(r#"{ "toleranceNs": 2000 }"#, &[], &["jump"], 10);
    assert_eq!((al, counter), ((0x14, 0x0032), BOTH));
    assert_eq!(hits, ["clock-step done"]);
}
