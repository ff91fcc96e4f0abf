//! The AF_PACKET link on a veth pair, with a simulated segment at its other end.
//!
//! The interfaces are in a network namespace that lives as long as the test's own process: the test
//! starts itself again under `unshare --net`. That takes root; without it, the test says so and ends.

#[path = "common/veth.rs"]
mod veth;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ecat_engine::bringup::{
    BringUpOptions, DISCOVER_STACK_BYTES, compute_layout, configure, discover,
};
use ecat_engine::error::ErrorCode;
use ecat_engine::link::packet::PacketLink;
use ecat_wire::{Link, LinkError};
use veth::{again_under, in_own_namespace, ip, make, serve};

#[test]
fn a_segment_behind_a_network_card_comes_up() {
    in_own_namespace("segment_behind_a_card");
}

#[test]
#[ignore = "runs in a network namespace of its own, started by the test above"]
fn segment_behind_a_card() {
    on_enough_stack(come_up);
}

fn on_enough_stack(body: fn()) {
    let thread = thread::Builder::new().stack_size(DISCOVER_STACK_BYTES);
    thread.spawn(body).unwrap().join().unwrap();
}

fn come_up() {
    make();
    let stop = AtomicBool::new(false);
    let options = BringUpOptions::default();
    thread::scope(|scope| {
        scope.spawn(|| serve(&stop));
        let mut link = PacketLink::open("bf0").unwrap();
        let network = discover(&mut link, &options, &AtomicBool::new(false), &mut |_| ());
        let configured = network.map(|network| {
            let layout = compute_layout(&network).unwrap();
            let done = configure(&mut link, &network, &layout, &AtomicBool::new(false));
            (network.sub_devices.len(), done)
        });
        // Nobody answers any more, and then there is no carrier either.
        stop.store(true, Ordering::Relaxed);
        assert_eq!(configured, Ok((3, Ok(()))));
    });
    let mut link = PacketLink::open("bf0").unwrap();
    let alone = discover(&mut link, &options, &AtomicBool::new(false), &mut |_| ()).unwrap_err();
    assert_eq!(alone.first.code, ErrorCode::NoSubDevices, "{alone}");
}

#[test]
fn a_card_has_one_owner_in_all_processes_and_tells_its_carrier() {
    in_own_namespace("owner_and_carrier");
}

#[test]
#[ignore = "runs in a network namespace of its own, started by the test above"]
fn owner_and_carrier() {
    if std::env::var_os("BIFROST_TEST_SECOND_PROCESS").is_some() {
        let error = PacketLink::open("bf0").unwrap_err();
        assert_eq!(error.first.code, ErrorCode::LinkBusy);
        return;
    }
    on_enough_stack(own_and_tell);
}

fn own_and_tell() {
    make();
    let mut link = PacketLink::open("bf0").unwrap();
    let second = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner_and_carrier", "--ignored"])
        .env("BIFROST_TEST_SECOND_PROCESS", "1")
        .status()
        .unwrap();
    assert!(second.success());

    let mut frame = [0u8; 60];
    assert!(link.is_up() && link.send(&frame, 0).is_ok());
    assert_eq!(link.receive(&mut frame, 0), Ok(None), "its own frames are not received");

    ip("link set bf1 down");
    thread::sleep(Duration::from_millis(50));
    assert!(!link.is_up());
    let down = PacketLink::open("bf1").unwrap_err();
    assert_eq!(down.first.code, ErrorCode::LinkDown);
    ip("link set bf0 down");
    assert_eq!(link.send(&frame, 0), Err(LinkError::Down));
    let error =
        discover(&mut link, &BringUpOptions::default(), &AtomicBool::new(false), &mut |_| ())
            .unwrap_err();
    assert_eq!(error.first.code, ErrorCode::LinkDown, "{error}");

    for end in ["bf0", "bf1"] {
        ip(&format!("link set {end} up"));
    }
    let until = Instant::now() + Duration::from_secs(10);
    while !link.is_up() {
        assert!(Instant::now() < until, "the carrier does not come back");
        thread::sleep(Duration::from_millis(10));
    }
    // What went wrong meanwhile is told once and does not stay.
    let _ = link.receive(&mut frame, 0);
    assert_eq!(link.receive(&mut frame, 0), Ok(None));
    assert_eq!(link.send(&frame, 0), Ok(()));
}

#[test]
fn a_raw_socket_without_permission_is_named() {
    // In a user namespace of its own even root has no rights over the network.
    let possible = Command::new("unshare").args(["--user", "true"]).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no user namespaces here");
        return;
    }
    again_under("--user", "no_permission");
}

#[test]
#[ignore = "runs in a user namespace of its own, started by the test above"]
fn no_permission() {
    let error = PacketLink::open("lo").unwrap_err();
    assert_eq!(error.first.code, ErrorCode::LinkPermission, "{error}");
    assert!(error.first.message.contains("CAP_NET_RAW"));
}
