//! Bad checksums, cables and ports. ESC data sheet, section I, "Error counters", "Loop control and loop state".

use ecat_simulator::faults::Frames;
use ecat_simulator::{Effect, Fault, When};
use ecat_wire::{Command, register as reg};

use crate::bench::{AXIS, Bench, COUPLER, LAMP, LOGICAL, MS, SENSOR};

#[test]
fn a_bad_checksum_counts_where_it_arises_and_as_forwarded_behind() {
    // 0x0300 + 2p, 0x0301 + 2p there; 0x0308 + p at every port after it; 0x030C wherever it enters at port 0.
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(AXIS, 0, Effect::Corrupt {}).next(1));
    assert_eq!(bench.write(Command::Bwr { register: reg::USER_RAM }, &[7]), None);
    assert_eq!(
        bench.differences(),
        [
            "axis RX errors 0: 0 to 1",
            "axis forwarded 1: 0 to 1",
            "axis invalid frames 0: 0 to 1",
            "axis processing unit: 0 to 1",
            "coupler forwarded 1: 0 to 1",
            "lamp forwarded 1: 0 to 1",
            "sensor forwarded 0: 0 to 1",
            "sensor processing unit: 0 to 1",
        ]
    );
    assert_eq!(bench.hits(), ["corrupt axis port 0: done"]);
}

#[test]
fn from_a_bad_frame_registers_take_nothing_and_process_ram_does() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 0, Effect::Corrupt {}).next(1));
    let write = Command::Bwr { register: reg::WATCHDOG_TIME_SM };
    assert_eq!(bench.write(write, &[7, 0]), None);
    assert_eq!(
        [COUPLER, LAMP, AXIS].map(|n| bench.word(n, reg::WATCHDOG_TIME_SM)),
        [7, 1_000, 1_000]
    );
    bench.inject(Fault::on_port(LAMP, 0, Effect::Corrupt {}).next(1));
    assert_eq!(bench.write(Command::Bwr { register: 0x1F00 }, &[9]), None);
    assert_eq!(bench.peek(AXIS, 0x1F00, 1), [9]);
}

#[test]
fn on_its_way_back_a_bad_checksum_is_none_of_the_processing_units_business() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 1, Effect::Corrupt {}).next(1));
    assert_eq!(bench.cycle(), None);
    assert_eq!(
        bench.differences(),
        [
            "coupler forwarded 1: 0 to 1",
            "lamp RX errors 1: 0 to 1",
            "lamp invalid frames 1: 0 to 1"
        ]
    );
}

#[test]
fn only_frames_that_carry_a_datagram_meet_the_fault() {
    let mut bench = Bench::new();
    let fault = Fault::on_port(SENSOR, 0, Effect::Corrupt {});
    bench.inject(fault.carrying(Frames { logical: Some(LOGICAL.into()), ..Frames::of(&["LRW"]) }));
    assert_eq!(
        bench.differences(),
        ["WKC LRW: 6 to lost"],
        "registers were looked at before the frame"
    );
    assert_eq!(bench.hits(), ["corrupt sensor port 0: done"]);
}

#[test]
fn a_cut_cable_is_seen_at_both_ends_and_nowhere_else() {
    // 0x0110, 0x0210 bit 2, 0x0310 + p: link of a port that closes by itself.
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 1, Effect::Cut {}));
    assert_eq!(
        bench.differences(),
        [
            "WKC BRD: 4 to 2",
            "WKC LRW: 6 to 2",
            "WKC axis: 1 to 0",
            "WKC sensor: 1 to 0",
            // Link and communication at port 1 alone, loop closed at port 0; at the lamp the other way round.
            "axis DL status: 0x5a33 to 0x5923",
            "axis events: 0x0 to 0x4",
            "axis lost links 0: 0 to 1",
            "lamp DL status: 0x5a33 to 0x5613",
            "lamp events: 0x0 to 0x4",
            "lamp lost links 1: 0 to 1",
        ]
    );
    bench.clear();
    let differ = bench.differences();
    assert!(
        differ.iter().all(|one| one.contains("lost links") || one.contains("events")),
        "{differ:?}"
    );
    assert_eq!(bench.hits(), ["cut lamp port 1: began", "cut lamp port 1: ended"]);
}

#[test]
fn a_flapping_cable_counts_each_loss_of_its_link() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(SENSOR, 0, Effect::Cut {}).when(When {
        on_ns: Some(5 * MS),
        off_ns: Some(10 * MS),
        count: Some(3),
        ..When::default()
    }));
    bench.cycles(60);
    let differ = bench.differences();
    assert!(differ.contains(&"sensor lost links 0: 0 to 3".to_owned()), "{differ:?}");
    assert!(differ.contains(&"axis lost links 1: 0 to 3".to_owned()), "{differ:?}");
    assert_eq!(bench.hits().len(), 6);
}

#[test]
fn without_port_0_of_the_first_device_nobody_answers() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(COUPLER, 0, Effect::Cut {}));
    let differ = bench.differences();
    assert!(differ.contains(&"WKC BRD: 4 to lost".to_owned()), "{differ:?}");
    assert!(differ.contains(&"coupler lost links 0: 0 to 1".to_owned()), "{differ:?}");
    bench.clear();
    assert!(bench.differences().iter().all(|one| !one.starts_with("WKC")));
}

#[test]
fn a_closed_port_has_its_link_and_passes_nothing() {
    // Loop control 0x0101; no link is lost.
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 1, Effect::PortClosed {}));
    let differ = bench.differences();
    assert!(differ.contains(&"WKC BRD: 4 to 2".to_owned()), "{differ:?}");
    assert!(differ.iter().all(|one| !one.contains("lost links")), "{differ:?}");
    assert!(
        differ.iter().all(|one| one.starts_with("WKC") || one.starts_with("lamp DL")),
        "{differ:?}"
    );
    bench.clear();
    assert_eq!(bench.differences(), [""; 0]);
}

#[test]
fn without_a_carrier_nothing_is_sent_and_no_device_knows() {
    let mut bench = Bench::new();
    let link = ecat_simulator::faults::Way::In;
    bench.inject(Fault::on_link(link, Effect::CarrierLoss {}));
    let sent = bench.send(Command::Nop, &[0]);
    assert_eq!(sent, Err(ecat_wire::LinkError::Down));
    assert!(!ecat_wire::Link::is_up(&bench.link));
    bench.clear();
    assert_eq!(bench.differences(), [""; 0]);
}

#[test]
fn exchanged_devices_answer_at_each_others_positions() {
    let mut bench = Bench::new();
    let fault = Fault::on_device(AXIS, Effect::Swap { with: SENSOR });
    bench.inject(fault);
    let at = |bench: &mut Bench, n: u16| {
        let command =
            Command::Aprd { position: Command::position(n), register: reg::STATION_ADDRESS };
        bench.exchange(command, &[0; 2]).unwrap().0
    };
    assert_eq!([at(&mut bench, 2), at(&mut bench, 3)], [[0x04, 0x10], [0x03, 0x10]]);
    // All are there, and work; only the links at their ports have changed.
    let differ = bench.differences();
    let known = ["lost links", "events", "DL status"];
    assert!(differ.iter().all(|one| known.iter().any(|known| one.contains(known))), "{differ:?}");
    bench.clear();
    assert_eq!([at(&mut bench, 2), at(&mut bench, 3)], [[0x03, 0x10], [0x04, 0x10]]);
}

#[test]
fn what_is_plugged_in_later_appears_in_the_middle_of_the_work() {
    // Hot connect: a cable that is not there for the first 50 ms.
    let faults = r#", "faults": [{ "name": "not yet", "on": { "device": "sensor", "port": 0 },
      "when": { "forMs": 50 }, "effect": { "kind": "cut" } }]"#;
    let mut bench = Bench::powered("", faults);
    let count = |bench: &mut Bench| bench.exchange(Command::Brd { register: reg::TYPE }, &[0]);
    assert_eq!(count(&mut bench).unwrap().1, 3);
    bench.now_ns += 60 * MS;
    assert_eq!(count(&mut bench).unwrap().1, 4);
}
