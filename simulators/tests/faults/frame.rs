//! Frames on the MainDevice's link: no device counts anything, the MainDevice misses or mistrusts an answer.

use ecat_simulator::faults::{Frames, Way};
use ecat_simulator::{Effect, Fault, When};
use ecat_wire::{Command, register as reg};

use crate::bench::{AXIS, Bench, LAMP, LOGICAL, MS, NOTHING, UPLOAD, on_link, station};
use crate::seen::{MALFORMED_AT_FIRST, WATCHDOGS_EXPIRED, WATCHDOGS_IN_FRAMES, all};

const BRD: Command = Command::Brd { register: reg::TYPE };

/// Sends broadcasts one after another, and says which answers came after each: index and working counter.
fn answers(bench: &mut Bench, count: usize) -> Vec<Vec<(u8, u16)>> {
    let first = bench.send(BRD, &[0]).unwrap();
    let mut all = Vec::new();
    for n in 0..count {
        if n > 0 {
            bench.send(BRD, &[0]).unwrap();
        }
        let mut now = Vec::new();
        while let Some(answer) = bench.receive() {
            now.push((answer.index.wrapping_sub(first), answer.working_counter));
        }
        all.push(now);
    }
    all
}

#[test]
fn a_frame_lost_on_its_way_back_was_processed_and_nobody_knows() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::Drop {}, 1));
    let write = Command::Fpwr { station: station(AXIS), register: reg::USER_RAM };
    assert_eq!(bench.write(write, &[7]), None);
    assert_eq!(bench.peek(AXIS, reg::USER_RAM, 1), [7]);
    assert_eq!(bench.differences(), ["axis 0x0f80: 0x0 to 0x7"]);
    assert_eq!(bench.hits(), ["drop link: done"]);
}

#[test]
fn a_frame_lost_on_its_way_out_was_never_there() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_link(Way::Out, Effect::Drop {}).next(1));
    let write = Command::Fpwr { station: station(AXIS), register: reg::USER_RAM };
    assert_eq!(bench.write(write, &[7]), None);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["drop link: done"]);
}

#[test]
fn a_frame_lost_at_a_port_was_processed_by_the_devices_before_it() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(AXIS, 0, Effect::Drop {}).next(1));
    assert_eq!(bench.write(Command::Bwr { register: reg::USER_RAM }, &[7]), None);
    assert_eq!(bench.differences(), ["coupler 0x0f80: 0x0 to 0x7", "lamp 0x0f80: 0x0 to 0x7"]);
    // On its way back, at port 1, it has passed them all.
    bench.inject(Fault::on_port(AXIS, 1, Effect::Drop {}).next(1));
    assert_eq!(bench.write(Command::Bwr { register: reg::USER_RAM }, &[8]), None);
    let written = ["axis", "coupler", "lamp", "sensor"].map(|n| format!("{n} 0x0f80: 0x0 to 0x8"));
    assert_eq!(bench.differences(), written);
    assert_eq!(bench.hits(), ["drop axis port 0: done", "drop axis port 1: done"]);
}

#[test]
fn a_long_loss_lets_the_watchdogs_expire() {
    // SyncManager watchdog, 100 ms: 0x0440, 0x0442; a program leaves OP with 0x001B (ETG.1000.6), and device emulation
    // does not.
    let mut bench = Bench::new();
    bench.inject(
        Fault::on_link(Way::Out, Effect::Drop {})
            .when(When { for_ns: Some(150 * MS), ..When::default() }),
    );
    bench.cycles(160);
    assert_eq!(bench.differences(), all(&[&WATCHDOGS_EXPIRED, &WATCHDOGS_IN_FRAMES]));
}

#[test]
fn a_truncated_answer_is_none() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::Truncate { bytes: 30 }, 1));
    bench.send(Command::Lrw { logical: LOGICAL }, &[0x5A; 11]).unwrap();
    let mut buffer = [0; 1_514];
    let now_ns = bench.now_ns;
    assert_eq!(bench.port(0).receive(&mut buffer, now_ns), Ok(Some(30)));
    assert!(ecat_wire::frame::datagrams(&buffer[..30]).is_err());
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["truncate link: 60 to 30"]);
}

#[test]
fn a_frame_that_is_truncated_on_its_way_out_is_malformed_to_the_first_and_forwarded_to_the_others()
{
    let mut bench = Bench::new();
    bench.inject(Fault::on_link(Way::Out, Effect::Truncate { bytes: 40 }).next(1));
    assert_eq!(bench.exchange(Command::Lrw { logical: LOGICAL }, &[0x5A; 11]), None);
    assert_eq!(bench.differences(), MALFORMED_AT_FIRST);
    assert_eq!(bench.hits(), ["truncate link: 60 to 40"]);
}

#[test]
fn a_frame_that_is_delayed_by_frames_comes_behind_later_ones() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::Delay { by_frames: 2, by_ns: None }, 1));
    let came = answers(&mut bench, 4);
    assert_eq!(came, [vec![], vec![(1, 4)], vec![(0, 4), (2, 4)], vec![(3, 4)]]);
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn a_frame_that_is_delayed_by_time_comes_when_it_is_over() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::Delay { by_frames: 0, by_ns: Some(3 * MS / 2) }, 1));
    let came = answers(&mut bench, 4);
    assert_eq!(came, [vec![], vec![(1, 4)], vec![(0, 4), (2, 4)], vec![(3, 4)]]);
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn a_frame_that_is_delayed_on_its_way_out_acts_later() {
    let mut bench = Bench::new();
    let delay = Effect::Delay { by_frames: 1, by_ns: None };
    bench.inject(Fault::on_link(Way::Out, delay).next(1));
    let write = Command::Fpwr { station: station(AXIS), register: reg::USER_RAM };
    bench.send(write, &[7]).unwrap();
    assert_eq!(bench.differences_without_frames(), NOTHING);
    bench.send(BRD, &[0]).unwrap();
    while bench.receive().is_some() {}
    assert_eq!(bench.differences(), ["axis 0x0f80: 0x0 to 0x7"]);
}

#[test]
fn a_duplicated_frame_comes_twice_and_out_there_it_is_processed_twice() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::Duplicate { copies: 1 }, 1));
    assert_eq!(answers(&mut bench, 2), [vec![(0, 4), (0, 4)], vec![(1, 4)]]);
    let twice = Effect::Duplicate { copies: 1 };
    bench.inject(Fault::on_link(Way::Out, twice).next(1));
    // A mail that comes twice finds the mailbox full, or has the counter of the one before.
    assert!(bench.post(3, &[&[0, 0x20], &UPLOAD[..]].concat()));
    assert!(bench.fetch(10).is_some() && bench.fetch(10).is_none());
    assert_eq!(bench.differences(), ["answers to no frame: 0 to 1"]);
    assert_eq!(bench.hits(), ["duplicate link: done"; 2]);
}

#[test]
fn frames_are_reordered() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::Reorder { by: 1 }, 1));
    assert_eq!(answers(&mut bench, 3), [vec![], vec![(1, 4), (0, 4)], vec![(2, 4)]]);
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn a_replayed_frame_is_an_old_one_with_its_old_index() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::Replay { age: 2 }, 1));
    // Two frames have to have passed before there is anything to replay.
    let came = answers(&mut bench, 4);
    assert_eq!(came, [vec![(0, 4)], vec![(1, 4)], vec![(0, 4)], vec![(3, 4)]]);
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn the_index_of_an_answer_can_be_wrong() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::WrongIndex { by: 5 }, 1));
    assert_eq!(answers(&mut bench, 2), [vec![(5, 4)], vec![(1, 4)]]);
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn the_length_of_an_answer_can_be_wrong() {
    let mut bench = Bench::new();
    bench.inject(on_link(Effect::WrongLength { by: 2 }, 1));
    // It then ends behind its frame, and the MainDevice cannot read it.
    assert_eq!(bench.exchange(BRD, &[0]), None);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["wrong-length link: 1 to 3"]);
}

#[test]
fn a_length_that_is_wrong_on_the_way_out_is_malformed() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_link(Way::Out, Effect::WrongLength { by: 600 }).next(1));
    assert_eq!(bench.exchange(BRD, &[0]), None);
    assert_eq!(bench.differences(), MALFORMED_AT_FIRST);
    assert_eq!(bench.hits(), ["wrong-length link: 1 to 601"]);
}

#[test]
fn bits_of_a_header_can_flip() {
    // The EtherType: the frame is no EtherCAT any more, passes all devices untouched, and comes back so.
    let mut bench = Bench::new();
    let flip = Effect::FlipBits { offset: 12, mask: 0x01 };
    bench.inject(Fault::on_link(Way::Out, flip).next(1));
    assert_eq!(bench.exchange(BRD, &[0]), None);
    // By default (0x0100 bit 0) devices let nothing through but EtherCAT: the first one destroys and counts it.
    assert_eq!(bench.differences(), ["coupler 0x030c processing unit errors: 0 to 1"]);
    bench.inject(on_link(flip, 1));
    assert_eq!(bench.exchange(BRD, &[0]), None);
    assert_eq!(bench.differences(), ["coupler 0x030c processing unit errors: 0 to 1"]);
    assert_eq!(bench.hits(), ["flip-bits link: 136 to 137"; 2]);
}

#[test]
fn working_counters_can_be_wrong_of_all_of_a_command_of_a_device_or_of_logical_addresses() {
    let everything =
        Frames { commands: None, register: None, logical: None, station: None, device: None };
    let cases: [(Frames, &[&str]); 5] = [
        (
            everything,
            &[
                "WKC APRD 0: 1 to 0",
                "WKC APRD 1: 1 to 0",
                "WKC APRD 2: 1 to 0",
                "WKC APRD 3: 1 to 0",
                "WKC BRD: 4 to 3",
                "WKC FPRD axis: 1 to 0",
                "WKC FPRD coupler: 1 to 0",
                "WKC FPRD lamp: 1 to 0",
                "WKC FPRD sensor: 1 to 0",
                "WKC LRD: 2 to 1",
                "WKC LRW: 6 to 5",
                "WKC LWR: 2 to 1",
                "mail to axis: answered to not taken",
                "station at position 0: 0x1001 to nothing",
                "station at position 1: 0x1002 to nothing",
                "station at position 2: 0x1003 to nothing",
                "station at position 3: 0x1004 to nothing",
            ],
        ),
        (Frames::of(&["BRD"]), &["WKC BRD: 4 to 3"]),
        (
            Frames { device: Some(AXIS), ..everything },
            &[
                "WKC APRD 2: 1 to 0",
                "WKC BRD: 4 to 3",
                "WKC FPRD axis: 1 to 0",
                "WKC LRD: 2 to 1",
                "WKC LRW: 6 to 5",
                "WKC LWR: 2 to 1",
                "mail to axis: answered to not taken",
                "station at position 2: 0x1003 to nothing",
            ],
        ),
        (Frames { station: Some(station(LAMP)), ..everything }, &["WKC FPRD lamp: 1 to 0"]),
        (
            Frames { logical: Some((LOGICAL + 9).into()), ..everything },
            &["WKC LRD: 2 to 1", "WKC LRW: 6 to 5", "WKC LWR: 2 to 1"],
        ),
    ];
    for (frames, expected) in cases {
        let mut bench = Bench::new();
        let fault = Fault::on_link(Way::In, Effect::WorkingCounter { by: -1 });
        bench.inject(fault.carrying(frames));
        assert_eq!(bench.differences(), expected, "{frames:?}");
        bench.clear();
        // The mail was taken all the same.
        bench.fetch(10);
        assert_eq!(bench.differences(), NOTHING);
    }
}
