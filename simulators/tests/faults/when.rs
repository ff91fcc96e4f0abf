//! When faults act, and what becomes of several at a time: by count, time, number of frames, milestone and rate; in the order in
//! which they came; each hit with the frame and the datagram that it touched.

use ecat_simulator::faults::{Change, Frames, Hit, Milestone, Touched, Way};
use ecat_simulator::{Effect, Fault, When};
use ecat_wire::{Command, register as reg};

use crate::bench::{AXIS, Bench, LAMP, LOGICAL, MS, NOTHING, SENSOR, UPLOAD};

const BRD: Command = Command::Brd { register: reg::TYPE };

fn drops(when: When) -> Fault {
    Fault::on_link(Way::In, Effect::Drop {}).when(when)
}

/// Sends so many frames; which of them, from 1, get no answer.
fn lost_of(bench: &mut Bench, count: usize) -> Vec<usize> {
    (1..=count).filter(|_| bench.write(BRD, &[0]).is_none()).collect()
}

fn frames_of(log: &[Hit]) -> Vec<u64> {
    log.iter().map(|hit| hit.frame).collect()
}

#[test]
fn by_count_and_after_occasions_that_pass() {
    let mut bench = Bench::new();
    bench.inject(drops(When { after: 2, count: Some(3), ..When::default() }));
    assert_eq!(lost_of(&mut bench, 10), [3, 4, 5]);
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn after_a_number_of_frames() {
    let mut bench = Bench::new();
    let sent = bench.frames;
    bench.inject(drops(When { after_frames: 3, count: Some(1), ..When::default() }));
    assert_eq!(lost_of(&mut bench, 10), [4]);
    assert_eq!(frames_of(&bench.log()), [sent + 4]);
    // Of a condition: it begins with that frame.
    bench.inject(Fault::on_port(SENSOR, 0, Effect::Cut {}).when(When {
        after_frames: 2,
        for_ns: Some(3 * MS),
        ..When::default()
    }));
    let counters: Vec<_> = (0..7).map(|_| bench.write(BRD, &[0]).unwrap()).collect();
    assert_eq!(counters, [4, 4, 3, 3, 3, 4, 4]);
}

#[test]
fn after_a_time_and_for_a_time() {
    let mut bench = Bench::new();
    bench.inject(drops(When { after_ns: 3 * MS, for_ns: Some(2 * MS), ..When::default() }));
    // One frame a ms: those at 3 and 4 ms.
    assert_eq!(lost_of(&mut bench, 10), [3, 4]);
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn at_a_rate_that_the_seed_decides() {
    let lost = |ppm| {
        let mut bench = Bench::new();
        bench.inject(drops(When { rate_ppm: Some(ppm), ..When::default() }));
        lost_of(&mut bench, 10_000)
    };
    // 30 % of 10,000, within five times what chance makes of it (√(10,000 · 0.3 · 0.7) = 46).
    let first = lost(300_000);
    assert!((2_770..=3_230).contains(&first.len()), "{}", first.len());
    assert_eq!(first, lost(300_000), "equal seeds, equal runs");
    assert_eq!(lost(0), [0; 0]);
    assert_eq!(lost(1_000_000).len(), 10_000);
    // Two faults of one rate draw for themselves.
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.inject(drops(When { rate_ppm: Some(300_000), ..When::default() }));
    }
    let both = lost_of(&mut bench, 10_000).len();
    assert!((4_850..=5_350).contains(&both), "1 − 0.7² of 10,000: {both}");
}

#[test]
fn in_bursts() {
    let mut bench = Bench::new();
    let when = When { rate_ppm: Some(20_000), burst: Some(3), ..When::default() };
    bench.inject(drops(when));
    let lost = lost_of(&mut bench, 10_000);
    // One after another, three at least.
    let runs = lost.chunk_by(|one, next| *next == one + 1).map(<[usize]>::len);
    let runs: Vec<_> = runs.collect();
    assert!(runs[..runs.len() - 1].iter().all(|run| run % 3 == 0), "{runs:?}");
    // A burst begins with 2 % of the frames that are outside of one: 10,000 · 0.02 / (1 + 2 · 0.02) · 3 = 577.
    assert!((450..=710).contains(&lost.len()), "{}", lost.len());
}

#[test]
fn at_the_first_exchange_of_process_data() {
    let mut bench = Bench::powered("", "", "");
    let at = Milestone::ProcessData {};
    bench.inject(drops(When { at: Some(at), count: Some(1), ..When::default() }));
    // Nobody has mapped anything: the working counter is 0.
    for _ in 0..5 {
        assert_eq!(bench.cycle().unwrap().1, 0);
    }
    bench.address_all();
    bench.map(LAMP);
    assert_eq!(bench.log(), []);
    let exchanged = bench.frames + 1;
    assert_eq!([0, 1, 2].map(|_| bench.cycle().is_some()), [true, false, true]);
    assert_eq!(frames_of(&bench.log()), [exchanged + 1]);
}

#[test]
fn at_the_n_th_sdo() {
    let mut bench = Bench::new();
    let at = Milestone::Sdo { device: Some(AXIS), number: 3 };
    bench.inject(
        Fault::on_device(SENSOR, Effect::Reset {}).when(When { at: Some(at), ..When::default() }),
    );
    for _ in 0..2 {
        bench.sdo(&UPLOAD).unwrap();
        assert_eq!(bench.hits(), NOTHING);
    }
    bench.sdo(&UPLOAD).unwrap();
    assert_eq!(bench.hits(), ["reset sensor: done"]);
}

#[test]
fn at_a_state_and_at_another_fault() {
    let mut bench = Bench::new();
    assert_eq!(bench.request(SENSOR, 4), 4);
    let at = Milestone::State { device: Some(SENSOR), state: 8 };
    let leave = Effect::LeaveState { state: 4, code: 1 };
    let number = bench.inject(Fault::on_device(SENSOR, leave).when(When {
        at: Some(at),
        after_ns: 20 * MS,
        ..When::default()
    }));
    bench.inject(
        Fault::on_device(LAMP, Effect::Reset {})
            .when(When { at: Some(Milestone::Fault { name: number }), ..When::default() }),
    );
    bench.cycles(50);
    assert_eq!(bench.hits(), NOTHING);
    assert_eq!(bench.request(SENSOR, 8), 8);
    bench.cycles(15);
    assert_eq!(bench.hits(), NOTHING);
    bench.cycles(15);
    assert_eq!(bench.hits(), ["leave-state sensor: done", "reset lamp: done"]);
}

#[test]
fn several_act_in_the_order_in_which_they_came_and_none_on_what_is_lost() {
    let mut bench = Bench::new();
    // The second meets the first frame that the first one has left.
    bench.inject(drops(When { count: Some(1), ..When::default() }));
    bench.inject(drops(When { count: Some(1), ..When::default() }));
    let counter = |by| Fault::on_link(Way::In, Effect::WorkingCounter { by }).next(1);
    bench.inject(counter(10));
    bench.inject(counter(-3));
    let sent = bench.frames;
    assert_eq!([0, 1].map(|_| bench.write(BRD, &[0])), [None, None]);
    assert_eq!(bench.write(BRD, &[0]), Some(11));
    let log = bench.log();
    assert_eq!(frames_of(&log), [sent + 1, sent + 2, sent + 3, sent + 3]);
    assert_eq!(
        log[2..].iter().map(|hit| hit.change).collect::<Vec<_>>(),
        [Change::Value { before: 4, after: 14 }, Change::Value { before: 14, after: 11 }]
    );
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn a_condition_holds_while_any_fault_wants_it() {
    let mut bench = Bench::new();
    let here = bench.inject(Fault::on_port(SENSOR, 0, Effect::Cut {}));
    let there = bench.inject(Fault::on_port(AXIS, 1, Effect::Cut {}));
    assert_eq!(bench.write(BRD, &[0]), Some(3));
    bench.clear_fault(here);
    assert_eq!(bench.write(BRD, &[0]), Some(3), "the same cable is cut at its other end");
    bench.clear_fault(there);
    assert_eq!(bench.write(BRD, &[0]), Some(4));
    // The link was lost once.
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x4",
            "axis 0x0210 events: 0x0 to 0x4",
            "axis 0x0311 lost links at port 1: 0 to 1",
            "sensor 0x0210 events: 0x0 to 0x4",
            "sensor 0x0310 lost links at port 0: 0 to 1",
        ]
    );
}

#[test]
fn faults_of_all_kinds_at_once_are_seen_each_in_its_own_places() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_port(LAMP, 1, Effect::Corrupt {}).next(1));
    bench.inject(Fault::on_device(SENSOR, Effect::LeaveState { state: 4, code: 1 }));
    bench.inject(Fault::on_device(AXIS, Effect::ClockStep { by_ns: 1_000 }));
    bench.inject(Fault::on_device(LAMP, Effect::EepromBusy {}));
    assert_eq!(bench.write(Command::Nop, &[0]), None);
    let frames = Frames::of(&["BRD"]);
    bench.inject(Fault::on_link(Way::In, Effect::WorkingCounter { by: 1 }).carrying(frames));
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x8",
            "WKC BRD: 4 to 5",
            "axis 0x0910 clock is ahead: 0 ns to 1000 ns",
            "coupler 0x0309 forwarded errors at port 1: 0 to 1",
            "lamp 0x0302 invalid frames at port 1: 0 to 1",
            "lamp 0x0303 RX errors at port 1: 0 to 1",
            "lamp 0x0502 EEPROM status: 0x50 to 0x8050",
            "sensor 0x0130 AL status: 0x8 to 0x14",
            "sensor 0x0134 AL status code: 0x0 to 0x1",
            "sensor 0x0210 events: 0x0 to 0x8",
        ]
    );
    assert_eq!(
        bench.hits(),
        [
            "leave-state sensor: done",
            "clock-step axis: done",
            "eeprom-busy lamp: began",
            "corrupt lamp port 1: done",
            "working-counter link: 4 to 5",
        ]
    );
}

#[test]
fn a_hit_names_its_frame_and_its_datagram() {
    let mut bench = Bench::new();
    let frames = Frames { device: Some(AXIS), ..Frames::of(&["LRW"]) };
    let number = bench.inject(
        Fault::on_link(Way::In, Effect::WorkingCounter { by: -1 }).carrying(frames).next(2),
    );
    let (mut expected, mut indices) = (Vec::new(), Vec::new());
    for n in 0..6 {
        bench.write(BRD, &[0]);
        let logical = if n % 2 == 0 { LOGICAL } else { 0x5_0000 };
        let index = bench.ask_from(0, Command::Lrw { logical }, &[0x5A; 11]).unwrap().index;
        if n == 0 || n == 2 {
            expected.push((bench.frames, bench.now_ns));
            indices.push(index);
        }
    }
    let log = bench.log();
    assert_eq!(log.iter().map(|hit| (hit.frame, hit.time_ns)).collect::<Vec<_>>(), expected);
    for (hit, index) in log.iter().zip(indices) {
        let address = LOGICAL.to_le_bytes();
        let touched = Touched { number: 0, index, command: 12, address };
        assert_eq!((hit.fault, hit.kind, hit.datagram), (number, "working-counter", Some(touched)));
        assert_eq!(hit.change, Change::Value { before: 6, after: 5 });
    }
}
