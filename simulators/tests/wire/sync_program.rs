//! Programs that want the distributed clock: AL status codes 0x001A and 0x002C–0x0037 (ETG1000.6), objects
//! 0x1C32 and 0x1C33 (ETG1020).

use ecat_simulator::SegmentCommand;
use ecat_wire::register as reg;
use ecat_wire::sync_manager::SyncManager;

use crate::mailbox::{Post, STATION};

const MS: u64 = 1_000_000;

fn device(sync: &str) -> String {
    format!(
        r#"{{ "type": "generic", "sync": {sync},
             "dcModes": [{{ "name": "DC", "assignActivate": 768 }},
                         {{ "name": "DC with SYNC1", "assignActivate": 1792 }}],
             "pdos": [{{ "direction": "output", "index": 5632, "entries": [{{ "index": 24640, "bits": 16 }}] }},
                      {{ "direction": "input", "index": 6656, "entries": [{{ "index": 24641, "bits": 16 }}] }}],
             "mailbox": {{ "bytes": 64 }} }}"#
    )
}

fn configured(sync: &str) -> Post {
    let mut post = Post::new(&device(sync));
    for (number, start, control) in [(2, 0x1080, 0x64), (3, 0x1100, 0x20)] {
        let sm = SyncManager { start, length: 2, control, enabled: true };
        assert_eq!(post.wire.set(STATION, reg::sync_manager(number), &sm.to_bytes()), 1);
    }
    post
}

/// Sets cycle times, and switches the unit on in 1 ms.
fn activate(post: &mut Post, activation: u8, cycles: [u32; 2]) {
    let wire = &mut post.wire;
    let now = u64::from_le_bytes(wire.get(STATION, reg::DC_SYSTEM_TIME, 8).try_into().unwrap());
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[0]);
    wire.set(STATION, reg::DC_SYNC0_CYCLE, &cycles[0].to_le_bytes());
    wire.set(STATION, reg::DC_SYNC1_CYCLE, &cycles[1].to_le_bytes());
    wire.set(STATION, reg::DC_START_TIME, &(now + MS).to_le_bytes());
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[activation]);
}

fn exchange(post: &mut Post, cycles: usize) {
    for _ in 0..cycles {
        post.wire.wait_us(999);
        post.wire.set(STATION, 0x1080, &[1, 2]);
    }
}

fn state(post: &mut Post) -> (u16, u16) {
    (post.wire.word(STATION, reg::AL_STATUS), post.wire.word(STATION, reg::AL_STATUS_CODE))
}

fn in_op(sync: &str) -> Post {
    let mut post = configured(sync);
    activate(&mut post, 0x03, [1_000_000, 0]);
    assert_eq!(post.request_state(4), (4, 0));
    exchange(&mut post, 2);
    assert_eq!(post.wire.set(STATION, reg::AL_CONTROL, &[8, 0]), 1);
    exchange(&mut post, 8);
    assert_eq!(state(&mut post), (8, 0));
    post
}

#[test]
fn safe_op_is_refused_for_a_sync_unit_that_does_not_fit() {
    let refused = |activation, cycles, code| {
        let mut post = configured(r#"{ "minimumCycleNs": 250000, "maximumCycleNs": 4000000 }"#);
        activate(&mut post, activation, cycles);
        assert_eq!(post.request_state(4), (0x12, code), "{activation:#x} {cycles:?}");
    };
    refused(0x00, [1_000_000, 0], 0x0030);
    refused(0x01, [1_000_000, 0], 0x0030);
    refused(0x05, [1_000_000, 0], 0x0030);
    refused(0x03, [125_000, 0], 0x0036);
    refused(0x03, [0, 0], 0x0036);
    refused(0x03, [5_000_000, 0], 0x0036);
    refused(0x07, [1_000_000, 1_500_000], 0x0037);
    let mut post = configured("{}");
    activate(&mut post, 0x07, [1_000_000, 2_000_000]);
    assert_eq!(post.request_state(4), (4, 0));
}

#[test]
fn a_program_for_which_pulses_are_a_choice_goes_without() {
    let mut post = configured(r#"{ "required": false }"#);
    // 0x1C32:01 says how it is to run; SYNC0 without pulses contradicts itself.
    assert_eq!(post.sdo(&[0x2B, 0x32, 0x1C, 1, 2, 0, 0, 0])[0], 0x60);
    assert_eq!(post.request_state(4), (0x12, 0x0030));
    assert_eq!(post.sdo(&[0x2B, 0x32, 0x1C, 1, 1, 0, 0, 0])[0], 0x60);
    assert_eq!(post.request_state(4), (4, 0));
    assert_eq!(post.request_state(8), (8, 0));
}

#[test]
fn op_waits_for_pulses_and_outputs_in_step() {
    let mut post = in_op("{}");
    // 0x1C32: SYNC0, 1 ms; nothing missed.
    assert_eq!(post.sdo(&[0x40, 0x32, 0x1C, 1, 0, 0, 0, 0])[4..6], [2, 0]);
    assert_eq!(post.sdo(&[0x40, 0x32, 0x1C, 2, 0, 0, 0, 0])[4..], 1_000_000_u32.to_le_bytes());
    assert_eq!(post.sdo(&[0x40, 0x33, 0x1C, 10, 0, 0, 0, 0])[4..], 1_000_000_u32.to_le_bytes());
}

#[test]
fn op_is_refused_with_what_has_been_missing() {
    let refused = |start_ahead: bool, outputs: bool, lose: u32, code| {
        let mut post = configured(r#"{ "timeoutMs": 50 }"#);
        activate(&mut post, 0x03, [1_000_000, 0]);
        if !start_ahead {
            post.wire.segment.apply(SegmentCommand::LosePulses { device: 0, count: u32::MAX }, 0);
        }
        assert_eq!(post.request_state(4), (4, 0));
        assert_eq!(post.wire.set(STATION, reg::AL_CONTROL, &[8, 0]), 1);
        for n in 0..60 {
            // Outputs in every third cycle only, where they are to be out of step.
            let now = outputs && (lose == 0 || n % 3 == 0);
            post.wire.wait_us(1_000);
            if now {
                post.wire.set(STATION, 0x1080, &[1, 2]);
            }
        }
        assert_eq!(state(&mut post), (0x14, code));
    };
    refused(false, true, 0, 0x002D);
    refused(true, false, 0, 0x001B);
    refused(true, true, 1, 0x0032);
}

#[test]
fn op_is_left_when_pulses_stop_or_outputs_stay_away() {
    let mut post = in_op("{}");
    post.wire.segment.apply(SegmentCommand::LosePulses { device: 0, count: 1_000 }, 0);
    exchange(&mut post, 10);
    assert_eq!(state(&mut post), (0x14, 0x002C));
    assert_eq!(post.sdo(&[0x40, 0x32, 0x1C, 32, 0, 0, 0, 0])[4], 1, "sync error");

    let mut post = in_op(r#"{ "missedCycles": 3 }"#);
    post.wire.wait_us(3_000);
    assert_eq!(state(&mut post), (8, 0));
    exchange(&mut post, 3);
    post.wire.wait_us(5_500);
    assert_eq!(state(&mut post), (0x14, 0x001A));
    let missed = post.sdo(&[0x40, 0x32, 0x1C, 11, 0, 0, 0, 0])[4];
    assert!((6..=8).contains(&missed), "{missed}");
}

#[test]
fn op_is_left_when_the_clock_is_no_longer_the_references() {
    // 0x092C.
    let mut post = in_op(r#"{ "toleranceNs": 500 }"#);
    let time = post.wire.get(STATION, reg::DC_SYSTEM_TIME, 8);
    let time = u64::from_le_bytes(time.try_into().unwrap());
    post.wire.set(STATION, reg::DC_SYSTEM_TIME, &(time + 1_000 + 400).to_le_bytes());
    exchange(&mut post, 2);
    assert_eq!(state(&mut post), (8, 0));
    post.wire.set(STATION, reg::DC_SPEED_START, &[0, 0x10]);
    let time = post.wire.get(STATION, reg::DC_SYSTEM_TIME, 8);
    let time = u64::from_le_bytes(time.try_into().unwrap());
    post.wire.set(STATION, reg::DC_SYSTEM_TIME, &(time + 1_000 + 900).to_le_bytes());
    exchange(&mut post, 2);
    assert_eq!(state(&mut post), (0x14, 0x0032));
}
