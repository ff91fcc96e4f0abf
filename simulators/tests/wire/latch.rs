//! The latch units (0x09A8–0x09CF) and buffer times (0x09F0–0x09FF); ESC data sheet, section I,
//! "LatchSignals", section II, tables 119 to 129.

use ecat_simulator::SegmentCommand;
use ecat_wire::register as reg;
use ecat_wire::sync_manager::SyncManager;

use crate::wire::{Wire, emulated};

const STATION: u16 = 0x1001;
const POSITIVE: u16 = 0x09B0;
const NEGATIVE: u16 = 0x09B8;
const LATCH_1_POSITIVE: u16 = 0x09C0;

fn set(wire: &mut Wire, input: u8, level: bool) {
    wire.now_ns += 10_000;
    let command = SegmentCommand::SetLatchInput { device: 0, input, level };
    wire.segment.apply(command, wire.now_ns);
}

fn time(wire: &mut Wire, register: u16) -> u64 {
    u64::from_le_bytes(wire.get(STATION, register, 8).try_into().unwrap())
}

#[test]
fn continuous_latches_show_the_last_edge_in_system_time() {
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::DC_SYSTEM_TIME_OFFSET, &5_000_000_u64.to_le_bytes());
    let now = time(&mut wire, reg::DC_SYSTEM_TIME);
    let before = wire.now_ns;
    for level in [true, false, true] {
        set(&mut wire, 0, level);
    }
    // Bit 2 is the level; events show in single mode only.
    assert_eq!(wire.get(STATION, reg::DC_LATCH_STATUS, 2), [0x04, 0]);
    assert_eq!(time(&mut wire, POSITIVE) - now, 30_000);
    assert_eq!(time(&mut wire, NEGATIVE) - now, 20_000);
    assert_eq!(time(&mut wire, LATCH_1_POSITIVE), 0);
    assert!(wire.now_ns > before);
}

#[test]
fn a_single_event_is_kept_until_its_time_has_been_read() {
    // 0x09A8 bit 0; 0x09AE bit 0; reading 0x09B0 acknowledges, and takes the ECAT event (0x0210 bit 0) away.
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::ECAT_EVENT_MASK, &[1, 0]);
    wire.set(STATION, reg::DC_LATCH_CONTROL, &[0x03, 0x00]);
    set(&mut wire, 0, true);
    let first = time(&mut wire, reg::DC_SYSTEM_TIME);
    set(&mut wire, 0, false);
    set(&mut wire, 0, true);
    let read = |register| ecat_wire::Command::Fprd { station: STATION, register };
    let answer = wire.exchange(read(reg::DC_LATCH_STATUS), &[0; 2]);
    assert_eq!((answer.data, answer.irq), (vec![0x07, 0], 1));
    let answer = wire.exchange(read(POSITIVE), &[0; 8]);
    assert_eq!(answer.irq, 1, "it changes at the end of the frame");
    assert!(u64::from_le_bytes(answer.data.try_into().unwrap()) < first);
    assert_eq!(wire.get(STATION, reg::DC_LATCH_STATUS, 1), [0x06]);
    assert_eq!(wire.word(STATION, reg::ECAT_EVENT) & 1, 1, "the other edge has not been read");
    wire.get(STATION, NEGATIVE + 1, 4);
    assert_eq!(wire.get(STATION, reg::DC_LATCH_STATUS, 1), [0x06], "not its first byte");
    wire.get(STATION, NEGATIVE, 4);
    assert_eq!(wire.get(STATION, reg::DC_LATCH_STATUS, 1), [0x04]);
    assert_eq!(wire.word(STATION, reg::ECAT_EVENT) & 1, 0);
    set(&mut wire, 0, false);
    assert_eq!(wire.get(STATION, reg::DC_LATCH_STATUS, 1), [0x02]);
}

#[test]
fn a_unit_that_the_device_has_takes_no_write_and_raises_no_event() {
    // 0x0980 bit 5: latch unit 1 alone.
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::DC_LATCH_CONTROL, &[0, 0x01]);
    wire.set(STATION, reg::DC_UNIT_CONTROL, &[0x20]);
    assert_eq!(wire.set(STATION, reg::DC_LATCH_CONTROL + 1, &[0]), 0);
    assert_eq!(wire.set(STATION, reg::DC_LATCH_CONTROL, &[0x01]), 1);
    set(&mut wire, 1, true);
    assert_eq!(wire.get(STATION, reg::DC_LATCH_STATUS, 2), [0, 0x05]);
    assert_eq!(wire.word(STATION, reg::ECAT_EVENT) & 1, 0);
    wire.get(STATION, LATCH_1_POSITIVE, 8);
    assert_eq!(
        wire.get(STATION, reg::DC_LATCH_STATUS, 2),
        [0, 0x05],
        "only the device's read does"
    );
}

#[test]
fn the_frame_that_changes_a_buffer_leaves_its_local_time() {
    // 0x09F0.
    let mut wire = Wire::new(vec![emulated()]);
    let sm = SyncManager { start: 0x1100, length: 2, control: 0x64, enabled: true };
    wire.set(STATION, reg::sync_manager(2), &sm.to_bytes());
    assert_eq!(wire.get(STATION, 0x09F0, 4), [0; 4]);
    assert_eq!(wire.set(STATION, 0x1100, &[1]), 1, "half of it");
    assert_eq!(wire.get(STATION, 0x09F0, 4), [0; 4]);
    assert_eq!(wire.set(STATION, 0x1100, &[1, 2]), 1);
    let changed = wire.now_ns as u32;
    assert_eq!(wire.get(STATION, 0x09F0, 4), changed.to_le_bytes());
}
