//! Power, programs, AL states and watchdogs. ETG.1000.4 and .6; ESC data sheet, section I, "Reset", "Watchdogs", "AL state
//! machine"; section II, the registers that the lines name.

use ecat_simulator::{Effect, Fault, SegmentCommand, When};
use ecat_wire::{Command, register as reg};

use crate::bench::{AXIS, Bench, COUPLER, LAMP, LOGICAL, MS, NOTHING, SENSOR};
use crate::seen::{WATCHDOGS_EXPIRED, WATCHDOGS_IN_FRAMES, WITHOUT_AXIS_AND_SENSOR, all};

/// What frames tell of a sensor that has lost its address and its mapping.
const SENSOR_WITHOUT_SET_UP: [&str; 7] = [
    "WKC FPRD sensor: 1 to 0",
    "WKC LRD: 2 to 1",
    "WKC LRW: 6 to 5",
    "inputs of sensor: [34, 12] to [5a, 5a]",
    "station at position 3: 0x1004 to 0x0",
    // All registers as after power-on, with the link that is there (an event).
    "sensor 0x0010 station: 0x1004 to 0x0",
    "sensor 0x0120 AL control: 0x18 to 0x0",
];

/// What is left of a sensor in OP after power-on: INIT, no SyncManager and no FMMU, events masked, its SyncManager locked.
const SENSOR_ANEW: [&str; 6] = [
    "sensor 0x0130 AL status: 0x8 to 0x1",
    "sensor 0x0200 event mask: 0xd to 0x0",
    "sensor 0x0210 events: 0x0 to 0x4",
    "sensor 0x0600 FMMU 0: 0x10009 + 2 from 0x1000 to unset",
    "sensor 0x0818 SM3: 0x1000 + 2 by 0x20 to unset",
    "sensor 0x081f SM3 PDI control: 0x0 to 0x1",
];

/// A local clock that has begun at 0 at a moment.
fn clock_anew(name: &str, at_ns: u64) -> String {
    format!("{name} 0x0910 clock is ahead: 0 ns to -{at_ns} ns")
}

#[test]
fn a_device_without_power_is_missing_and_its_neighbour_has_lost_a_link() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(SENSOR, Effect::PowerOff {}));
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x4",
            "WKC APRD 3: 1 to 0",
            "WKC BRD: 4 to 3",
            "WKC FPRD sensor: 1 to 0",
            "WKC LRD: 2 to 1",
            "WKC LRW: 6 to 5",
            "axis 0x0110 DL status: 0x5a33 to 0x5613",
            "axis 0x0210 events: 0x0 to 0x4",
            "axis 0x0311 lost links at port 1: 0 to 1",
            "inputs of sensor: [34, 12] to [5a, 5a]",
            "sensor power: on to off",
            "station at position 3: 0x1004 to nothing",
        ]
    );
    bench.clear();
    let clock = clock_anew("sensor", bench.now_ns);
    assert_eq!(
        bench.differences(),
        all(&[
            &SENSOR_WITHOUT_SET_UP,
            &SENSOR_ANEW,
            &[
                &clock,
                "IRQ: 0x0 to 0x4",
                "axis 0x0210 events: 0x0 to 0x4",
                "axis 0x0311 lost links at port 1: 0 to 1",
            ]
        ])
    );
    assert_eq!(bench.hits(), ["power-off sensor: began", "power-off sensor: ended"]);
}

#[test]
fn behind_a_device_without_power_nobody_is_reached() {
    // Its neighbours' links go (0x0110, 0x0310 + p, event 0x0210 bit 2), and frames turn round before it: section I, "Loop control
    // and loop state".
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::PowerOff {}));
    assert_eq!(
        bench.differences(),
        all(&[
            &WITHOUT_AXIS_AND_SENSOR,
            &[
                "axis power: on to off",
                "lamp 0x0110 DL status: 0x5a33 to 0x5613",
                "lamp 0x0210 events: 0x0 to 0x4",
                "lamp 0x0311 lost links at port 1: 0 to 1",
                "sensor 0x0110 DL status: 0x5613 to 0x5403",
                "sensor 0x0210 events: 0x0 to 0x4",
                "sensor 0x0310 lost links at port 0: 0 to 1",
            ]
        ])
    );
}

#[test]
fn where_a_device_was_taken_out_frames_go_on_to_the_next() {
    // The cables are joined: no neighbour loses its link. The axis counted 3 of 6 in LRW, 1 of 2 in LRD and in LWR.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::Bypass {}));
    assert_eq!(
        bench.differences(),
        [
            "WKC APRD 3: 1 to 0",
            "WKC BRD: 4 to 3",
            "WKC FPRD axis: 1 to 0",
            "WKC LRD: 2 to 1",
            "WKC LRW: 6 to 3",
            "WKC LWR: 2 to 1",
            "axis power: on to off",
            "inputs of axis: [00, 00, 00, 00] to [5a, 5a, 5a, 5a]",
            "mail to axis: answered to not taken",
            "station at position 2: 0x1003 to 0x1004",
            "station at position 3: 0x1004 to nothing",
        ]
    );
    bench.clear();
    assert_eq!(bench.hits(), ["bypass axis: began", "bypass axis: ended"]);
}

#[test]
fn of_a_device_that_is_not_there_a_command_does_nothing() {
    let mut bench = Bench::new();
    for command in [
        SegmentCommand::Unplug { device: 99 },
        SegmentCommand::Plug { device: 99 },
        SegmentCommand::CutCable { after: 99 },
        SegmentCommand::HaltProgram { device: 99, halted: true },
    ] {
        bench.control.send(command).unwrap();
        bench.cycle();
    }
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), NOTHING);
}

#[test]
fn what_comes_back_keeps_its_alias_and_begins_its_clock_anew() {
    // 0x0012 is loaded from the EEPROM at power-on; local time begins at 0 (section I, "Distributed clocks").
    let mut bench = Bench::new();
    let off_ns = bench.now_ns;
    bench.inject(
        Fault::on_device(AXIS, Effect::PowerOff {})
            .when(When { for_ns: Some(50 * MS), ..When::default() }),
    );
    bench.cycles(60);
    let clock = clock_anew("axis", off_ns + 50 * MS);
    let differ = bench.differences();
    assert!(differ.contains(&clock), "{differ:?}");
    assert!(!differ.iter().any(|line| line.contains("alias")), "{differ:?}");
    assert_eq!(bench.word(AXIS, reg::STATION_ALIAS), 77);
}

#[test]
fn a_reset_takes_everything_but_the_links() {
    // 0x0040: all registers as after power-on. That neighbours keep their links meanwhile is assumed.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(SENSOR, Effect::Reset {}));
    let clock = clock_anew("sensor", bench.now_ns);
    assert_eq!(bench.differences(), all(&[&SENSOR_WITHOUT_SET_UP, &SENSOR_ANEW, &[&clock]]));
    assert_eq!(bench.hits(), ["reset sensor: done"]);
}

#[test]
fn a_program_that_hangs_lets_its_own_watchdog_expire() {
    // PDI watchdog: 0x0443, 0x0110 bit 1, and with it the DL event. The working counter does not tell, inputs stand still.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(SENSOR, Effect::PdiHang {}));
    bench.cycles(90);
    assert_eq!(bench.differences_without_frames(), NOTHING, "100 ms are not over");
    bench.cycles(20);
    bench.with_segment(|segment| segment.set_input(SENSOR, 0, 16, 0x4321));
    let expired = [
        "IRQ: 0x0 to 0x4",
        "sensor 0x0110 DL status: 0x5613 to 0x5611",
        "sensor 0x0210 events: 0x0 to 0x4",
        "sensor 0x0443 expired PDI watchdogs: 0 to 1",
    ];
    assert_eq!(bench.differences(), expired);
    // Nobody reads AL control, which takes one request and no other (0x0120 is written by a working counter of 0).
    bench.put(SENSOR, reg::AL_CONTROL, &[4, 0]);
    bench.cycles(50);
    let again = Command::Fpwr { station: 0x1004, register: reg::AL_CONTROL };
    assert_eq!(bench.write(again, &[4, 0]), Some(0));
    assert_eq!(
        bench.differences(),
        all(&[&expired, &["sensor 0x0120 AL control: 0x18 to 0x4"]]),
        "it handles no request"
    );
    // It goes on where it stood: it handles the request, and hands its inputs over.
    bench.clear();
    bench.cycles(5);
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0xc",
            "inputs of sensor: [34, 12] to [21, 43]",
            "sensor 0x0120 AL control: 0x18 to 0x4",
            "sensor 0x0130 AL status: 0x8 to 0x4",
            "sensor 0x0210 events: 0x0 to 0xc",
            "sensor 0x0443 expired PDI watchdogs: 0 to 1",
        ]
    );
    assert_eq!(bench.hits(), ["pdi-hang sensor: began", "pdi-hang sensor: ended"]);
}

#[test]
fn a_program_that_hangs_does_so_after_a_reset_too() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(SENSOR, Effect::PdiHang {}));
    bench.inject(Fault::on_device(SENSOR, Effect::Reset {}));
    bench.address_all();
    bench.put(SENSOR, reg::AL_CONTROL, &[2, 0]);
    bench.cycles(120);
    assert_eq!(bench.al(SENSOR), (1, 0));
    assert_eq!(bench.peek(SENSOR, reg::WATCHDOG_COUNTER_PDI, 1), [1]);
    bench.clear();
    bench.cycles(5);
    assert_eq!(bench.al(SENSOR), (2, 0));
}

#[test]
fn a_program_that_hangs_answers_no_mail_and_keeps_its_outputs() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::PdiHang {}));
    bench.exchange(Command::Lwr { logical: LOGICAL + 1 }, &[0xA5; 4]);
    assert_eq!(bench.differences(), ["mail to axis: answered to no answer"]);
    // Its receive mailbox is full now, and takes no more.
    assert_eq!(
        bench.differences(),
        ["axis 0x0805 SM0 status: 0x2 to 0x9", "mail to axis: answered to not taken"]
    );
}

#[test]
fn a_device_that_leaves_op_locks_its_process_data() {
    // PRE-OP: both SyncManagers of process data locked (0x0817, 0x081F bit 0), mail goes on.
    let mut bench = Bench::new();
    let effect = Effect::LeaveState { state: 2, code: 0x8001 };
    bench.inject(Fault::on_device(AXIS, effect));
    let left = [
        "IRQ: 0x0 to 0x8",
        "WKC LRD: 2 to 1",
        "WKC LRW: 6 to 3",
        "WKC LWR: 2 to 1",
        "axis 0x0130 AL status: 0x8 to 0x12",
        "axis 0x0134 AL status code: 0x0 to 0x8001",
        "axis 0x0210 events: 0x0 to 0x8",
        "axis 0x0817 SM2 PDI control: 0x0 to 0x1",
        "axis 0x081f SM3 PDI control: 0x0 to 0x1",
        "axis drives: 0x5a5a5a5a to 0x0",
        "inputs of axis: [00, 00, 00, 00] to [5a, 5a, 5a, 5a]",
    ];
    assert_eq!(bench.differences(), left);
    assert_eq!(bench.hits(), ["leave-state axis: done"]);
    // With device emulation there is no program that could.
    bench.inject(Fault::on_device(LAMP, effect));
    assert_eq!(bench.differences(), left);
}

#[test]
fn a_device_in_safe_op_takes_outputs_and_drives_none() {
    // ETG.1000.6: in SAFE-OP inputs are valid and outputs in their safe state. The working counter does not tell.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::LeaveState { state: 4, code: 0x0001 }));
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x8",
            "axis 0x0130 AL status: 0x8 to 0x14",
            "axis 0x0134 AL status code: 0x0 to 0x1",
            "axis 0x0210 events: 0x0 to 0x8",
            "axis drives: 0x5a5a5a5a to 0x0",
        ]
    );
    // Without an acknowledge it does nothing; with one it comes back.
    bench.put(AXIS, reg::AL_CONTROL, &[8, 0]);
    bench.cycles(20);
    assert_eq!(bench.al(AXIS), (0x14, 1));
    assert_eq!(bench.request(AXIS, 4), 4);
    assert_eq!(bench.request(AXIS, 8), 8);
    bench.read_statuses();
    assert_eq!(bench.differences(), NOTHING);
}

#[test]
fn a_request_is_refused_with_a_code_as_often_as_it_is_said() {
    let mut bench = Bench::new();
    assert_eq!(bench.request(SENSOR, 4), 4);
    bench.settle();
    let refuse = Effect::Refuse { to: Some(8), code: 0x0024 };
    bench.inject(Fault::on_device(SENSOR, refuse).next(2));
    for _ in 0..2 {
        assert_eq!(bench.request(SENSOR, 8), 0x14);
        assert_eq!(
            bench.differences(),
            [
                "IRQ: 0x0 to 0x8",
                "sensor 0x0120 AL control: 0x14 to 0x18",
                "sensor 0x0130 AL status: 0x4 to 0x14",
                "sensor 0x0134 AL status code: 0x0 to 0x24",
                "sensor 0x0210 events: 0x0 to 0x8",
            ]
        );
    }
    assert_eq!(bench.request(SENSOR, 8), 8);
    assert_eq!(
        bench.differences(),
        [
            "IRQ: 0x0 to 0x8",
            "sensor 0x0120 AL control: 0x14 to 0x18",
            "sensor 0x0130 AL status: 0x4 to 0x8",
            "sensor 0x0210 events: 0x0 to 0x8",
        ]
    );
    assert_eq!(bench.hits(), ["refuse sensor: done"; 2]);
}

#[test]
fn other_requests_are_not_refused() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(SENSOR, Effect::Refuse { to: Some(8), code: 0x0024 }));
    assert_eq!(bench.request(SENSOR, 4), 4);
    assert_eq!(bench.request(SENSOR, 2), 2);
    assert_eq!(bench.hits(), NOTHING);
    // With device emulation nothing is refused at all.
    bench.inject(Fault::on_device(LAMP, Effect::Refuse { to: None, code: 0x0024 }));
    assert_eq!(bench.request(LAMP, 4), 4);
    assert_eq!(bench.request(LAMP, 8), 8);
    assert_eq!(bench.hits(), NOTHING);
}

#[test]
fn a_slow_transition_takes_longer_and_nothing_else() {
    let mut bench = Bench::new();
    let slow = Effect::SlowTransition { to: None, delay_ms: 50 };
    bench.inject(Fault::on_device(SENSOR, slow).next(1));
    let before = bench.now_ns;
    assert_eq!(bench.request(SENSOR, 4), 4);
    assert!((50..60).contains(&((bench.now_ns - before) / MS)));
    let before = bench.now_ns;
    assert_eq!(bench.request(SENSOR, 8), 8);
    assert!(bench.now_ns - before < 10 * MS);
    assert_eq!(bench.differences(), ["IRQ: 0x0 to 0x8", "sensor 0x0210 events: 0x0 to 0x8"]);
    assert_eq!(bench.hits(), ["slow-transition sensor: done"]);
}

#[test]
fn a_watchdog_that_expires_takes_a_program_out_of_op_and_not_an_emulated_device() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::Watchdog {}));
    bench.inject(Fault::on_device(LAMP, Effect::Watchdog {}));
    let until_written = ["lamp 0x0440 watchdog status: 0x1 to 0x0", "lamp drives: 0x5a to 0x0"];
    assert_eq!(bench.differences_without_frames(), all(&[&WATCHDOGS_EXPIRED, &until_written]));
    // The next outputs make the lamp go on.
    bench.cycle();
    assert_eq!(bench.differences(), all(&[&WATCHDOGS_EXPIRED, &WATCHDOGS_IN_FRAMES]));
    assert_eq!(bench.hits(), ["watchdog axis: done", "watchdog lamp: done"]);
}

#[test]
fn a_watchdog_that_does_not_run_does_not_expire() {
    let mut bench = Bench::new();
    for n in [COUPLER, SENSOR] {
        bench.inject(Fault::on_device(n, Effect::Watchdog {}));
    }
    assert_eq!(bench.differences(), NOTHING);
}
