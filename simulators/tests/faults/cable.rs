//! Cables and ports. ESC data sheet, section I, "Loop control and loop state"; section II: 0x0110 has, port by port, the link
//! (bits 4–7) and whether the loop is closed and communication is there (from bit 8), every change of it is an event (0x0210
//! bit 2), and 0x0310 + p counts links lost at ports that close by themselves.

use ecat_simulator::faults::Way;
use ecat_simulator::{Effect, Fault, When};
use ecat_wire::{Command, LinkError, register as reg};

use crate::bench::{AXIS, Bench, COUPLER, LAMP, LOGICAL, MS, NOTHING, SENSOR, station};
use crate::seen::{WITHOUT_AXIS_AND_SENSOR, all};

#[test]
fn a_cut_cable_is_seen_at_both_ends_and_nowhere_else() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 1, Effect::Cut {}));
    assert_eq!(
        bench.differences(),
        all(&[
            &WITHOUT_AXIS_AND_SENSOR,
            &[
                // Link and communication at port 1 alone, loop closed at port 0; at the lamp the other way round.
                "axis 0x0110 DL status: 0x5a33 to 0x5923",
                "axis 0x0210 events: 0x0 to 0x4",
                "axis 0x0310 lost links at port 0: 0 to 1",
                "lamp 0x0110 DL status: 0x5a33 to 0x5613",
                "lamp 0x0210 events: 0x0 to 0x4",
                "lamp 0x0311 lost links at port 1: 0 to 1",
            ]
        ])
    );
    assert_eq!(bench.hits(), ["cut lamp port 1: began"]);
}

#[test]
fn of_a_cable_that_was_mended_counters_and_events_tell() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(AXIS, 0, Effect::Cut {}));
    bench.cycles(10);
    bench.clear();
    bench.cycles(10);
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x4",
            "axis 0x0210 events: 0x0 to 0x4",
            "axis 0x0310 lost links at port 0: 0 to 1",
            "lamp 0x0210 events: 0x0 to 0x4",
            "lamp 0x0311 lost links at port 1: 0 to 1",
        ]
    );
    // Reading 0x0110 takes the event back.
    bench.read_statuses();
    assert_eq!(
        bench.differences(),
        ["axis 0x0310 lost links at port 0: 0 to 1", "lamp 0x0311 lost links at port 1: 0 to 1"]
    );
    assert_eq!(bench.hits(), ["cut axis port 0: began", "cut axis port 0: ended"]);
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
    // Cut in the ms 0 to 5, 15 to 20, and 30 to 35.
    let counters: Vec<_> = (0..60).map(|_| bench.cycle().unwrap().1).collect();
    let without: Vec<_> = (1..).zip(&counters).filter(|&(_, &n)| n == 5).map(|(n, _)| n).collect();
    assert_eq!(without, [1, 2, 3, 4, 15, 16, 17, 18, 19, 30, 31, 32, 33, 34]);
    assert!(counters.iter().all(|&n| n == 5 || n == 6));
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x4",
            "axis 0x0210 events: 0x0 to 0x4",
            "axis 0x0311 lost links at port 1: 0 to 3",
            "sensor 0x0210 events: 0x0 to 0x4",
            "sensor 0x0310 lost links at port 0: 0 to 3",
        ]
    );
    let flap = ["cut sensor port 0: began", "cut sensor port 0: ended"];
    assert_eq!(bench.hits(), [flap; 3].concat());
}

#[test]
fn without_port_0_of_the_first_device_nobody_answers() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(COUPLER, 0, Effect::Cut {}));
    assert_eq!(
        bench.differences_without_frames(),
        [
            "coupler 0x0110 DL status: 0x5a31 to 0x5921",
            "coupler 0x0210 events: 0x0 to 0x4",
            "coupler 0x0310 lost links at port 0: 0 to 1",
        ]
    );
    let mut lost = bench.differences();
    lost.retain(|line| line.starts_with("WKC"));
    assert_eq!(lost.len(), 12, "{lost:?}");
    assert!(lost.iter().all(|line| line.ends_with(" to lost")), "{lost:?}");
    bench.clear();
    bench.cycle();
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x4",
            "coupler 0x0210 events: 0x0 to 0x4",
            "coupler 0x0310 lost links at port 0: 0 to 1",
        ]
    );
}

#[test]
fn a_closed_port_has_its_link_and_passes_nothing() {
    // Loop control 0x0101, port 1 closed: the loop's state in 0x0110 changes at the lamp, which is an event; no link is lost, and
    // the axis, whose link stays, knows nothing.
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 1, Effect::PortClosed {}));
    assert_eq!(
        bench.differences(),
        all(&[
            &WITHOUT_AXIS_AND_SENSOR,
            &[
                "lamp 0x0101 loop control: 0x0 to 0xc",
                "lamp 0x0110 DL status: 0x5a33 to 0x5633",
                "lamp 0x0210 events: 0x0 to 0x4",
            ]
        ])
    );
    bench.clear();
    assert_eq!(bench.differences(), ["IRQ: 0x0 to 0x4", "lamp 0x0210 events: 0x0 to 0x4"]);
    bench.read_statuses();
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["port-closed lamp port 1: began", "port-closed lamp port 1: ended"]);
}

#[test]
fn without_a_carrier_nothing_is_sent_and_no_device_knows() {
    let mut bench = Bench::new();
    bench.send(Command::Nop, &[0]).unwrap();
    bench.inject(Fault::on_link(Way::In, Effect::CarrierLoss {}));
    assert_eq!(bench.send(Command::Nop, &[0]), Err(LinkError::Down));
    assert!(!bench.port(0).is_up());
    assert_eq!(bench.differences_without_frames(), NOTHING);
    bench.clear();
    assert!(bench.port(0).is_up());
    // What was on its way is lost.
    assert!(bench.receive().is_none());
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["carrier-loss link: began", "carrier-loss link: ended"]);
}

#[test]
fn exchanged_devices_answer_at_each_others_positions() {
    // All plugs of both are pulled and put in again: each link that was there is lost once, at both ends of its cable.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::Swap { with: SENSOR }));
    let links = [
        "axis 0x0310 lost links at port 0: 0 to 1",
        "axis 0x0311 lost links at port 1: 0 to 1",
        "lamp 0x0311 lost links at port 1: 0 to 1",
        "sensor 0x0310 lost links at port 0: 0 to 1",
    ];
    let swapped = [
        "IRQ: 0x0 to 0x4",
        // The end of the line is the axis now.
        "axis 0x0110 DL status: 0x5a33 to 0x5613",
        "axis 0x0210 events: 0x0 to 0x4",
        "lamp 0x0210 events: 0x0 to 0x4",
        "sensor 0x0110 DL status: 0x5613 to 0x5a33",
        "sensor 0x0210 events: 0x0 to 0x4",
        "station at position 2: 0x1003 to 0x1004",
        "station at position 3: 0x1004 to 0x1003",
    ];
    assert_eq!(bench.differences(), all(&[&swapped, &links]));
    bench.clear();
    bench.read_statuses();
    // There the sensor was in the middle.
    assert_eq!(
        bench.differences(),
        [
            "axis 0x0310 lost links at port 0: 0 to 2",
            "axis 0x0311 lost links at port 1: 0 to 1",
            "lamp 0x0311 lost links at port 1: 0 to 2",
            "sensor 0x0310 lost links at port 0: 0 to 2",
            "sensor 0x0311 lost links at port 1: 0 to 1",
        ]
    );
    assert_eq!(bench.hits(), ["swap axis: began", "swap axis: ended"]);
}

#[test]
fn what_is_plugged_in_later_appears_in_the_middle_of_the_work() {
    // Hot connect: a cable that is not there for the first 50 ms. No link is lost by that, as none was there.
    let faults = r#", "faults": [{ "name": "not yet", "on": { "device": "sensor", "port": 0 },
      "when": { "forMs": 100 }, "effect": { "kind": "cut" } }]"#;
    let mut bench = Bench::powered("", "", faults);
    bench.settle();
    assert_eq!(bench.exchange(Command::Brd { register: reg::TYPE }, &[0]).unwrap().1, 3);
    bench.cycles(100);
    assert_eq!(
        bench.differences(),
        [
            "WKC APRD 3: 0 to 1",
            "WKC BRD: 3 to 4",
            "axis 0x0110 DL status: 0x5613 to 0x5a33",
            "axis 0x0210 events: 0x0 to 0x4",
            // Its port 0 was open without a link, as the last one of a device always is.
            "sensor 0x0110 DL status: 0x5403 to 0x5613",
            "sensor 0x0210 events: 0x0 to 0x4",
            "station at position 3: nothing to 0x0",
        ]
    );
}

#[test]
fn a_broken_ring_is_worked_from_both_ends() {
    // Section I, "Frame processing", "Circulating frames": a frame that passes a port 0 which has closed by itself gets its
    // circulating bit there. Both halves answer, each at its own end, and together as many as before.
    let mut bench = Bench::ring();
    let lrw = Command::Lrw { logical: LOGICAL };
    let both = |bench: &mut Bench| {
        [0, 1].map(|port| bench.ask_from(port, lrw, &[0x5A; 11]).unwrap().working_counter)
    };
    assert_eq!(both(&mut bench), [6, 0]);
    bench.inject(Fault::on_port(LAMP, 1, Effect::Cut {}));
    assert_eq!(
        bench.differences(),
        all(&[
            &WITHOUT_AXIS_AND_SENSOR,
            &[
                "BRD comes: to the far end to to the near end",
                "BRD from the far end comes: to the near end to to the far end, circulating",
                "IRQ from the far end: 0x0 to 0x4",
                "WKC BRD from the far end: 0 to 2",
                "axis 0x0110 DL status: 0x5a33 to 0x5923",
                "axis 0x0210 events: 0x0 to 0x4",
                "axis 0x0310 lost links at port 0: 0 to 1",
                "lamp 0x0110 DL status: 0x5a33 to 0x5613",
                "lamp 0x0210 events: 0x0 to 0x4",
                "lamp 0x0311 lost links at port 1: 0 to 1",
            ]
        ])
    );
    assert_eq!(both(&mut bench), [2, 4]);
    bench.clear();
    bench.read_statuses();
    assert_eq!(both(&mut bench), [6, 0]);
    assert_eq!(
        bench.differences(),
        ["axis 0x0310 lost links at port 0: 0 to 1", "lamp 0x0311 lost links at port 1: 0 to 1"]
    );
    assert_eq!(bench.hits(), ["cut lamp port 1: began", "cut lamp port 1: ended"]);
}

#[test]
fn a_frame_that_circulates_is_destroyed_and_counted() {
    // Section I, "Circulating frames"; 0x030C: a frame whose circulating bit is set, at a port 0 that has closed by itself.
    let mut bench = Bench::ring();
    bench.inject(Fault::on_port(LAMP, 1, Effect::Cut {}));
    bench.cycle();
    bench.settle();
    let read = Command::Fprd { station: station(AXIS), register: reg::TYPE };
    assert!(bench.ask_from(1, read, &[0]).unwrap().circulating);
    // The second byte of the length has the bit.
    bench.inject(Fault::on_link(Way::Out, Effect::FlipBits { offset: 16 + 7, mask: 0x40 }).next(1));
    assert!(bench.ask_from(1, read, &[0]).is_none());
    assert_eq!(bench.differences(), ["axis 0x030c processing unit errors: 0 to 1"]);
    assert_eq!(bench.hits(), ["flip-bits link: 0 to 64"]);
}
