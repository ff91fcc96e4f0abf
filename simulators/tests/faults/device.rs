//! Power, programs, AL states and watchdogs. ETG.1000.4 and .6; ESC data sheet, section I.

use ecat_simulator::{Effect, Fault, When};
use ecat_wire::register as reg;

use crate::bench::{AXIS, Bench, LAMP, MS, SENSOR};

#[test]
fn a_device_without_power_is_missing_and_comes_back_without_anything() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(SENSOR, Effect::PowerOff {}));
    let differ = bench.differences();
    for seen in
        ["WKC BRD: 4 to 3", "WKC LRW: 6 to 5", "WKC sensor: 1 to 0", "axis lost links 1: 0 to 1"]
    {
        assert!(differ.contains(&seen.to_owned()), "{differ:?}");
    }
    let known = ["WKC", "sensor", "axis lost links 1", "axis DL status", "axis events"];
    assert!(
        differ.iter().all(|one| known.iter().any(|known| one.starts_with(known))),
        "{differ:?}"
    );
    bench.clear();
    assert_eq!(bench.word(SENSOR, reg::STATION_ADDRESS), 0);
    assert_eq!(bench.al(SENSOR), (1, 0));
    assert_eq!(bench.peek(SENSOR, reg::fmmu(0), 16), [0; 16]);
    assert_eq!(bench.hits(), ["power-off sensor: began", "power-off sensor: ended"]);
}

#[test]
fn a_reset_takes_everything_but_the_links() {
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(SENSOR, Effect::Reset {}));
    let differ = bench.differences();
    for seen in ["sensor station: 0x1004 to 0x0", "sensor AL status: 0x8 to 0x1", "WKC LRW: 6 to 5"]
    {
        assert!(differ.contains(&seen.to_owned()), "{differ:?}");
    }
    assert!(
        differ.iter().all(|one| one.starts_with("sensor") || one.starts_with("WKC")),
        "{differ:?}"
    );
    assert!(differ.iter().all(|one| !one.contains("lost links")), "{differ:?}");
    assert_eq!(bench.hits(), ["reset sensor: done"]);
}

#[test]
fn a_program_that_hangs_lets_its_own_watchdog_expire() {
    // PDI watchdog: 0x0443, 0x0110 bit 1 and with it the DL event. The working counter does not tell.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(SENSOR, Effect::PdiHang {}));
    bench.cycles(150);
    let differ = bench.differences();
    assert_eq!(differ.len(), 3, "{differ:?}");
    assert!(differ.iter().any(|one| one == "sensor PDI watchdog counter: 0 to 1"), "{differ:?}");
    assert!(differ.iter().any(|one| one == "sensor events: 0x0 to 0x4"), "{differ:?}");
    assert!(differ.iter().any(|one| one.starts_with("sensor DL status")), "{differ:?}");
    bench.put(SENSOR, reg::AL_CONTROL, &[4, 0]);
    bench.cycles(50);
    assert_eq!(bench.al(SENSOR).0, 8, "it handles no request");
}

#[test]
fn a_device_that_leaves_op_locks_its_process_data() {
    let mut bench = Bench::new();
    let effect = Effect::LeaveState { state: 2, code: 0x8001 };
    bench.inject(Fault::on_device(AXIS, effect));
    assert_eq!(
        bench.differences(),
        [
            "WKC LRW: 6 to 3",
            "axis AL status: 0x8 to 0x12",
            "axis AL status code: 0x0 to 0x8001",
            "axis SM2: full 0, locked 0 to full 0, locked 1",
            "axis SM3: full 0, locked 0 to full 0, locked 1",
            "axis events: 0x0 to 0x8",
            "axis outputs: 0x5a to 0x0",
        ]
    );
    // With device emulation there is no program that could.
    bench.inject(Fault::on_device(LAMP, effect));
    assert_eq!(bench.differences().len(), 7);
}

#[test]
fn a_request_is_refused_with_a_code_as_often_as_it_is_said() {
    let mut bench = Bench::new();
    assert_eq!(bench.request(SENSOR, 4), 4);
    let refuse = Effect::Refuse { to: Some(8), code: 0x0024 };
    bench.inject(Fault::on_device(SENSOR, refuse).next(2));
    for _ in 0..2 {
        assert_eq!(bench.request(SENSOR, 8), 0x14);
        assert_eq!(bench.al(SENSOR), (0x14, 0x0024));
    }
    assert_eq!(bench.request(SENSOR, 8), 8);
    assert_eq!(bench.hits(), ["refuse sensor: done"; 2]);
    let differ = bench.differences();
    assert_eq!(differ, ["sensor events: 0x0 to 0x8"]);
}

#[test]
fn a_slow_transition_takes_longer_and_nothing_else() {
    let mut bench = Bench::new();
    let slow = Effect::SlowTransition { to: None, delay_ms: 50 };
    bench.inject(Fault::on_device(SENSOR, slow).next(1));
    let before = bench.now_ns;
    assert_eq!(bench.request(SENSOR, 4), 4);
    assert!(bench.now_ns - before > 50 * MS);
    let before = bench.now_ns;
    assert_eq!(bench.request(SENSOR, 8), 8);
    assert!(bench.now_ns - before < 10 * MS);
    assert_eq!(bench.differences(), ["sensor events: 0x0 to 0x8"]);
}

#[test]
fn a_watchdog_that_expires_takes_a_program_out_of_op_and_not_an_emulated_device() {
    // 0x0440, 0x0442, AL status code 0x001B; with device emulation the AL status stays.
    let mut bench = Bench::new();
    bench.inject(Fault::on_device(AXIS, Effect::Watchdog {}));
    bench.inject(Fault::on_device(LAMP, Effect::Watchdog {}));
    assert_eq!(
        bench.differences(),
        [
            "WKC LRW: 6 to 4",
            "axis AL status: 0x8 to 0x14",
            "axis AL status code: 0x0 to 0x1b",
            "axis SM watchdog counter: 0 to 1",
            "axis SM2: full 0, locked 0 to full 0, locked 1",
            "axis events: 0x0 to 0x8",
            "axis outputs: 0x5a to 0x0",
            "axis watchdog: 1 to 0",
            "lamp SM watchdog counter: 0 to 1",
            "lamp outputs: 0x5a to 0x0",
            "lamp watchdog: 1 to 0",
        ]
    );
    // The next outputs make the lamp go on.
    bench.cycle();
    assert!(!bench.differences().iter().any(|one| one.starts_with("lamp outputs")));
}

#[test]
fn a_fault_can_wait_for_a_state_and_for_another_fault() {
    use ecat_simulator::faults::Milestone;
    let mut bench = Bench::new();
    assert_eq!(bench.request(SENSOR, 4), 4);
    let at = Milestone::State { device: Some(SENSOR), state: 8 };
    let first = Fault::on_device(SENSOR, Effect::Watchdog {}).when(When {
        at: Some(at),
        after_ns: 20 * MS,
        ..When::default()
    });
    let number = bench.inject(first);
    bench.inject(
        Fault::on_device(LAMP, Effect::Reset {})
            .when(When { at: Some(Milestone::Fault { name: number }), ..When::default() }),
    );
    bench.cycles(50);
    assert_eq!(bench.hits(), [""; 0]);
    assert_eq!(bench.request(SENSOR, 8), 8);
    bench.cycles(30);
    assert_eq!(bench.hits(), ["watchdog sensor: done", "reset lamp: done"]);
}
