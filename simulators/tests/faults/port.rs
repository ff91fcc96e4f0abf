//! Bad checksums at ports. ESC data sheet, section I, "Error counters"; section II, 0x0300 to 0x030C: a frame that arrives
//! with errors at port p counts in 0x0300 + 2p and 0x0301 + 2p there, in 0x0308 + p at every port that it is forwarded to
//! with its errors marked, and in 0x030C of each processing unit, which it enters by port 0.

use ecat_simulator::faults::Frames;
use ecat_simulator::{Effect, Fault};
use ecat_wire::{Command, register as reg};

use crate::bench::{AXIS, Bench, COUPLER, LAMP, LOGICAL, NOTHING, SENSOR};
use crate::seen::{MALFORMED_AT_FIRST, all};

#[test]
fn a_bad_checksum_counts_where_it_arises_and_as_forwarded_behind() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(AXIS, 0, Effect::Corrupt {}).next(1));
    assert_eq!(bench.write(Command::Nop, &[0]), None);
    assert_eq!(
        bench.differences(),
        [
            "axis 0x0300 invalid frames at port 0: 0 to 1",
            "axis 0x0301 RX errors at port 0: 0 to 1",
            "axis 0x0309 forwarded errors at port 1: 0 to 1",
            "axis 0x030c processing unit errors: 0 to 1",
            "coupler 0x0309 forwarded errors at port 1: 0 to 1",
            "lamp 0x0309 forwarded errors at port 1: 0 to 1",
            "sensor 0x0308 forwarded errors at port 0: 0 to 1",
            "sensor 0x030c processing unit errors: 0 to 1",
        ]
    );
    assert_eq!(bench.hits(), ["corrupt axis port 0: done"]);
}

#[test]
fn at_the_first_port_all_devices_know_of_it() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(COUPLER, 0, Effect::Corrupt {}).next(1));
    assert_eq!(bench.write(Command::Nop, &[0]), None);
    assert_eq!(
        bench.differences(),
        all(&[
            &MALFORMED_AT_FIRST,
            &[
                "coupler 0x0300 invalid frames at port 0: 0 to 1",
                "coupler 0x0301 RX errors at port 0: 0 to 1",
            ]
        ])
    );
}

#[test]
fn on_its_way_back_a_bad_checksum_is_none_of_the_processing_units_business() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 1, Effect::Corrupt {}).next(1));
    assert_eq!(bench.cycle(), None);
    assert_eq!(
        bench.differences(),
        [
            "coupler 0x0309 forwarded errors at port 1: 0 to 1",
            "lamp 0x0302 invalid frames at port 1: 0 to 1",
            "lamp 0x0303 RX errors at port 1: 0 to 1",
        ]
    );
}

#[test]
fn counters_stop_at_255_and_a_write_clears_their_group() {
    // 0x0300: "counting is stopped when 0xFF is reached"; a write to one of 0x0300–0x030B clears them all, 0x030C is its own.
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(SENSOR, 0, Effect::Corrupt {}).next(300));
    for _ in 0..300 {
        assert_eq!(bench.write(Command::Nop, &[0]), None);
    }
    bench.cycle();
    let counters = |bench: &mut Bench| bench.peek(SENSOR, reg::RX_ERRORS, 13);
    assert_eq!(counters(&mut bench), [255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]);
    bench.put(SENSOR, 0x0301, &[0]);
    assert_eq!(counters(&mut bench), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]);
    bench.put(SENSOR, reg::PROCESSING_ERRORS, &[0]);
    assert_eq!(counters(&mut bench), [0; 13]);
}

/// What a bad checksum at the lamp's port 0 counts.
const BAD_AT_LAMP: [&str; 10] = [
    "axis 0x0308 forwarded errors at port 0: 0 to 1",
    "axis 0x0309 forwarded errors at port 1: 0 to 1",
    "axis 0x030c processing unit errors: 0 to 1",
    "coupler 0x0309 forwarded errors at port 1: 0 to 1",
    "lamp 0x0300 invalid frames at port 0: 0 to 1",
    "lamp 0x0301 RX errors at port 0: 0 to 1",
    "lamp 0x0309 forwarded errors at port 1: 0 to 1",
    "lamp 0x030c processing unit errors: 0 to 1",
    "sensor 0x0308 forwarded errors at port 0: 0 to 1",
    "sensor 0x030c processing unit errors: 0 to 1",
];

fn bad_at_lamp_and(others: &[&'static str]) -> Vec<&'static str> {
    let mut all = [&BAD_AT_LAMP, others].concat();
    all.sort_unstable();
    all
}

#[test]
fn from_a_bad_frame_registers_take_nothing() {
    // Registers take over what was written at the end of a frame that is good: here the watchdog's time, before the bad port.
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 0, Effect::Corrupt {}).next(1));
    let write = Command::Bwr { register: reg::WATCHDOG_TIME_SM };
    assert_eq!(bench.write(write, &[7, 0]), None);
    let expected = bad_at_lamp_and(&["coupler 0x0420: 0xe8 to 0x7", "coupler 0x0421: 0x3 to 0x0"]);
    assert_eq!(bench.differences(), expected);
}

#[test]
fn from_a_bad_frame_process_ram_is_written_and_changes_hands_nowhere() {
    // Section I, "SyncManager": a buffer is exchanged, and a mailbox filled or emptied, at the end of a good frame.
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 0, Effect::Corrupt {}).next(3));
    assert_eq!(bench.write(Command::Bwr { register: 0x1F00 }, &[9]), None);
    assert_eq!([AXIS, SENSOR].map(|n| bench.peek(n, 0x1F00, 1)), [[9], [9]]);
    assert!(!bench.post(3, &[0, 0x20, 0x40, 0, 0x20, 0, 0, 0, 0, 0]), "no mail was taken");
    let outputs = Command::Lwr { logical: LOGICAL + 1 };
    assert_eq!(bench.write(outputs, &[1, 2, 3, 4]), None, "no outputs were");
    let expected: Vec<_> =
        BAD_AT_LAMP.iter().map(|line| line.replace("0 to 1", "0 to 3")).collect();
    assert_eq!(bench.differences_without_frames(), expected);
    // The mailbox is free, and a mail with the counter of the one that was lost is answered.
    assert_eq!(bench.differences(), expected);
}

#[test]
fn a_bad_frame_leaves_no_old_inputs_behind() {
    // The buffer that a bad frame has begun to read is given back: the next good frame reads the newest one.
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(SENSOR, 0, Effect::Corrupt {}).next(1));
    assert_eq!(bench.cycle(), None);
    bench.with_segment(|segment| segment.set_input(SENSOR, 0, 16, 0x4321));
    assert_eq!(bench.cycle().unwrap().0[9..], [0x21, 0x43]);
}

#[test]
fn mail_that_a_bad_frame_has_read_stays() {
    let mut bench = Bench::new();
    assert!(bench.post(3, &[0, 0x20, 0x40, 0, 0x20, 0, 0, 0, 0, 0]));
    bench.cycles(5);
    bench.inject(Fault::on_port(AXIS, 0, Effect::Corrupt {}).next(2));
    assert_eq!(bench.fetch(1), None);
    assert!(bench.fetch(1).is_some(), "the mailbox was not emptied");
}

#[test]
fn only_frames_that_carry_a_datagram_meet_the_fault() {
    let mut bench = Bench::new();
    let fault = Fault::on_port(SENSOR, 0, Effect::Corrupt {});
    let frames = Frames { logical: Some(LOGICAL.into()), ..Frames::of(&["LRW"]) };
    bench.inject(fault.carrying(frames).next(1));
    for command in [Command::Lrd { logical: LOGICAL }, Command::Lrw { logical: LOGICAL + 1 }] {
        assert!(bench.write(command, &[0x5A; 4]).is_some());
    }
    assert_eq!(bench.differences_without_frames(), NOTHING);
    assert_eq!(bench.cycle(), None);
    assert_eq!(
        bench.differences(),
        [
            "axis 0x0309 forwarded errors at port 1: 0 to 1",
            "coupler 0x0309 forwarded errors at port 1: 0 to 1",
            "lamp 0x0309 forwarded errors at port 1: 0 to 1",
            "sensor 0x0300 invalid frames at port 0: 0 to 1",
            "sensor 0x0301 RX errors at port 0: 0 to 1",
            "sensor 0x030c processing unit errors: 0 to 1",
        ]
    );
    assert_eq!(bench.hits(), ["corrupt sensor port 0: done"]);
}
