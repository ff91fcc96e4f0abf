//! A veth pair in a network namespace of the test's own, with a simulated segment at one end.
#![allow(dead_code, reason = "each test file uses a part")]

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ecat_engine::link::packet::PacketLink;
use ecat_engine::link::{sys, wait};
use ecat_simulator::description::DeviceDescription;
use ecat_simulator::{Segment, SegmentDescription};
use ecat_wire::Link;

/// Calls `ip`.
pub fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(done.success(), "ip {arguments}");
}

/// Runs the ignored test of that name in a network namespace of its own, where that is possible.
pub fn in_own_namespace(test: &str) {
    let possible = Command::new("unshare").args(["--net", "ip", "link"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: a network namespace of its own takes root, unshare and ip");
        return;
    }
    again_under("--net", test);
}

/// Runs the ignored test of that name in a process under `unshare`.
pub fn again_under(namespace: &str, test: &str) {
    let done = Command::new("unshare")
        .arg(namespace)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && text.contains("1 passed"), "{text}{errors}");
}

/// Two interfaces joined by a cable, both up.
pub fn make() {
    ip("link add bf0 type veth peer name bf1");
    for end in ["bf0", "bf1"] {
        ip(&format!("link set {end} up"));
    }
    let until = Instant::now() + Duration::from_secs(10);
    while PacketLink::open("bf0").is_err() || PacketLink::open("bf1").is_err() {
        assert!(Instant::now() < until, "the veth pair does not come up");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Answers frames on `bf1` as a segment would, until `stop`.
pub fn serve(stop: &AtomicBool) {
    let images = ["ek1100", "el2889", "akd"].map(|name| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/fixtures/eeprom/");
        std::fs::read(format!("{path}{name}.bin")).unwrap()
    });
    let devices = images
        .into_iter()
        .map(|sii| DeviceDescription { sii: Some(sii), ..DeviceDescription::default() })
        .collect();
    let description = SegmentDescription { devices, ..SegmentDescription::default() };
    let mut segment = Segment::new(&description).unwrap();
    let mut link = PacketLink::open("bf1").unwrap();
    let mut buffer = [0; 1514];
    while !stop.load(Ordering::Relaxed) {
        let now = sys::monotonic_ns();
        match link.receive(&mut buffer, now) {
            Ok(Some(length)) => {
                segment.process(&mut buffer[..length], now);
                let _ = link.send(&buffer[..length], now);
            }
            _ => wait(&link, now + 5_000_000),
        }
    }
}
