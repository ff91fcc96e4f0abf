//! The SyncManager watchdog (0x0400, 0x0420, 0x0440, 0x0442).

use ecat_simulator::SegmentCommand;
use ecat_simulator::esc::{Application, ExpectedSyncManager, ProcessArea, Role};
use ecat_wire::register as reg;
use ecat_wire::sync_manager::SyncManager;

use crate::wire::{Wire, digital, program};

const STATION: u16 = 0x1001;
const OUTPUTS: SyncManager = SyncManager { start: 0x1100, length: 2, control: 0x64, enabled: true };

fn with_program() -> Wire {
    let area = ProcessArea { start: OUTPUTS.start, bytes: OUTPUTS.length };
    let mut wire = Wire::new(vec![program(Application {
        sync_managers: vec![ExpectedSyncManager {
            number: 2,
            start: OUTPUTS.start,
            length: OUTPUTS.length,
            role: Role::Outputs,
            op_only: false,
        }],
        outputs: vec![area],
        ..Application::default()
    })]);
    wire.set(STATION, reg::sync_manager(2), &OUTPUTS.to_bytes());
    for state in [2, 4, 8] {
        wire.set(STATION, reg::AL_CONTROL, &[state, 0]);
        wire.wait_us(1_000);
    }
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 8);
    wire
}

#[test]
fn a_program_in_op_falls_to_safe_op_when_outputs_stop() {
    let mut wire = with_program();
    assert_eq!(wire.set(STATION, OUTPUTS.start, &[0x34, 0x12]), 1);
    assert_eq!(wire.segment.output(0, 0, 16), 0x1234);
    wire.wait_us(99_000);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 8);
    assert_eq!(wire.set(STATION, OUTPUTS.start, &[0x34, 0x12]), 1);
    wire.wait_us(99_000);
    assert_eq!(wire.word(STATION, reg::WATCHDOG_STATUS), 1);
    wire.wait_us(2_000);
    assert_eq!(wire.segment.output(0, 0, 16), 0);
    assert_eq!(wire.get(STATION, reg::AL_STATUS, 6), [0x14, 0, 0, 0, 0x1B, 0]);
    assert_eq!(wire.word(STATION, reg::WATCHDOG_STATUS), 0);
    assert_eq!(wire.get(STATION, reg::WATCHDOG_COUNTER_SM, 1), [1]);
    // Its outputs are locked until the error is acknowledged.
    assert_eq!(wire.set(STATION, OUTPUTS.start, &[0, 0]), 0);
    wire.set(STATION, reg::AL_CONTROL, &[0x14, 0]);
    wire.wait_us(1_000);
    assert_eq!(wire.set(STATION, OUTPUTS.start, &[0, 0]), 1);
    wire.set(STATION, reg::WATCHDOG_COUNTER_SM, &[0]);
    assert_eq!(wire.get(STATION, reg::WATCHDOG_COUNTER_SM, 1), [0]);
}

#[test]
fn its_time_is_set_by_divider_and_count() {
    // (divider + 2) · 40 ns · count.
    let mut wire = with_program();
    wire.set(STATION, reg::WATCHDOG_TIME_SM, &[5, 0]);
    wire.set(STATION, OUTPUTS.start, &[1, 1]);
    wire.wait_us(450);
    assert_eq!(wire.segment.output(0, 0, 1), 1);
    wire.wait_us(100);
    assert_eq!(wire.segment.output(0, 0, 1), 0);
}

#[test]
fn a_time_of_0_switches_it_off() {
    let mut wire = with_program();
    wire.set(STATION, reg::WATCHDOG_TIME_SM, &[0, 0]);
    wire.set(STATION, OUTPUTS.start, &[1, 1]);
    wire.wait_us(10_000_000);
    assert_eq!(wire.segment.output(0, 0, 1), 1);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 8);
}

#[test]
fn with_device_emulation_only_the_outputs_fall() {
    let mut wire = Wire::new(vec![digital(Application {
        outputs: vec![ProcessArea { start: reg::DIGITAL_OUTPUTS, bytes: 1 }],
        ..Application::default()
    })]);
    let one_byte = SyncManager { start: reg::DIGITAL_OUTPUTS, length: 1, ..OUTPUTS };
    wire.set(STATION, reg::sync_manager(0), &one_byte.to_bytes());
    wire.set(STATION, reg::AL_CONTROL, &[8, 0]);
    wire.set(STATION, reg::DIGITAL_OUTPUTS, &[0xFF]);
    assert_eq!(wire.segment.output(0, 0, 8), 0xFF);
    wire.wait_us(101_000);
    assert_eq!(wire.segment.output(0, 0, 8), 0);
    assert_eq!(wire.get(STATION, reg::AL_STATUS, 6), [8, 0, 0, 0, 0, 0]);
    wire.set(STATION, reg::DIGITAL_OUTPUTS, &[0x0F]);
    assert_eq!(wire.segment.output(0, 0, 8), 0x0F);
}

#[test]
fn a_program_that_stops_is_told_by_its_own_watchdog() {
    // 0x0410, 0x0443 and 0x0110 bit 1 (ESC data sheet, section II, 2.4.3 and 2.10).
    let mut wire = with_program();
    let halt = |wire: &mut Wire, halted| {
        wire.segment.apply(SegmentCommand::HaltProgram { device: 0, halted }, wire.now_ns);
    };
    wire.set(STATION, reg::WATCHDOG_TIME_SM, &[0, 0]);
    wire.set(STATION, OUTPUTS.start, &[1, 1]);
    assert_eq!(wire.word(STATION, reg::DL_STATUS) & 2, 2);
    halt(&mut wire, true);
    wire.wait_us(99_000);
    assert_eq!(wire.word(STATION, reg::DL_STATUS) & 2, 2);
    wire.wait_us(2_000);
    assert_eq!(wire.word(STATION, reg::DL_STATUS) & 2, 0);
    assert_eq!(wire.get(STATION, reg::WATCHDOG_COUNTER_SM, 2), [0, 1]);
    // It does nothing any more.
    wire.set(STATION, OUTPUTS.start, &[2, 2]);
    assert_eq!(wire.segment.output(0, 0, 16), 0x0101);
    wire.set(STATION, reg::AL_CONTROL, &[1, 0]);
    wire.wait_us(10_000);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 8);
    halt(&mut wire, false);
    wire.wait_us(10_000);
    assert_eq!(wire.word(STATION, reg::DL_STATUS) & 2, 2);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 1);
    // A write to either counter clears both.
    wire.set(STATION, reg::WATCHDOG_COUNTER_SM, &[0]);
    assert_eq!(wire.get(STATION, reg::WATCHDOG_COUNTER_SM, 2), [0, 0]);
}

#[test]
fn a_pdi_watchdog_time_of_0_switches_it_off() {
    let mut wire = with_program();
    wire.set(STATION, reg::WATCHDOG_TIME_PDI, &[0, 0]);
    wire.segment.apply(SegmentCommand::HaltProgram { device: 0, halted: true }, wire.now_ns);
    wire.wait_us(1_000_000);
    assert_eq!(wire.word(STATION, reg::DL_STATUS) & 2, 2);
    assert_eq!(wire.get(STATION, reg::WATCHDOG_COUNTER_PDI, 1), [0]);
}
