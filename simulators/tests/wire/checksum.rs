//! Frames with a bad checksum: error counters (0x0300–0x030C), and what still takes effect.
//! ESC data sheet, section I, "Error counters", and section II, 0x0300 and following.

use ecat_simulator::SegmentCommand;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated};

fn three() -> Wire {
    Wire::new(vec![emulated(), emulated(), emulated()])
}

fn corrupt(wire: &mut Wire, device: u16, port: u8, count: u32) {
    wire.segment.apply(SegmentCommand::CorruptFrames { device, port, count }, wire.now_ns);
}

const NOTHING: (Command, &[u8]) = (Command::Nop, &[0]);

#[test]
fn a_bad_frame_counts_where_it_is_received_and_as_forwarded_behind() {
    // 0x0300 + 2p and 0x0301 + 2p there, 0x0308 + p further on, 0x030C wherever it enters at port 0.
    let mut wire = three();
    corrupt(&mut wire, 1, 0, 1);
    assert!(wire.try_send(&[NOTHING]).is_none());
    let counters = |wire: &mut Wire, n: u16| wire.get(0x1001 + n, reg::RX_ERRORS, 14);
    assert_eq!(counters(&mut wire, 0), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(counters(&mut wire, 1), [1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0]);
    assert_eq!(counters(&mut wire, 2), [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]);
}

#[test]
fn on_its_way_back_a_bad_frame_has_been_processed() {
    let mut wire = three();
    corrupt(&mut wire, 0, 1, 1);
    let write = Command::Bwr { register: reg::WATCHDOG_TIME_SM };
    assert!(wire.try_send(&[(write, &[7, 0])]).is_none());
    assert_eq!([0x1001, 0x1003].map(|n| wire.word(n, reg::WATCHDOG_TIME_SM)), [7, 7]);
    assert_eq!(wire.get(0x1001, reg::RX_ERRORS, 4), [0, 0, 1, 1]);
    assert_eq!(wire.get(0x1001, reg::PROCESSING_ERRORS, 1), [0]);
}

#[test]
fn a_bad_frame_writes_process_ram_and_no_register() {
    let mut wire = three();
    corrupt(&mut wire, 1, 0, 1);
    let register = Command::Bwr { register: reg::WATCHDOG_TIME_SM };
    let state = Command::Bwr { register: reg::AL_CONTROL };
    let ram = Command::Bwr { register: reg::PROCESS_RAM };
    assert!(wire.try_send(&[(register, &[7, 0]), (state, &[2, 0]), (ram, &[9])]).is_none());
    let stations = [0x1001, 0x1002, 0x1003];
    assert_eq!(stations.map(|n| wire.word(n, reg::WATCHDOG_TIME_SM)), [7, 1_000, 1_000]);
    assert_eq!(stations.map(|n| wire.word(n, reg::AL_STATUS)), [2, 1, 1]);
    assert_eq!(stations.map(|n| wire.get(n, reg::PROCESS_RAM, 1)[0]), [9; 3]);
}

#[test]
fn error_counters_stop_at_255_and_are_cleared_by_group() {
    let mut wire = three();
    corrupt(&mut wire, 1, 0, 300);
    for _ in 0..300 {
        assert!(wire.try_send(&[NOTHING]).is_none());
    }
    assert_eq!(wire.get(0x1002, reg::RX_ERRORS, 2), [0xFF; 2]);
    // 0x0300–0x030B together, 0x030C by itself.
    assert_eq!(wire.set(0x1002, reg::FORWARDED_ERRORS, &[0]), 1);
    assert_eq!(wire.get(0x1002, reg::RX_ERRORS, 13)[..12], [0; 12]);
    assert_eq!(wire.get(0x1002, reg::PROCESSING_ERRORS, 1), [0xFF]);
    assert_eq!(wire.set(0x1002, reg::PROCESSING_ERRORS, &[0]), 1);
    assert_eq!(wire.get(0x1002, reg::PROCESSING_ERRORS, 1), [0]);
}
