//! Lost devices, frames, carriers and lanes: what is published meanwhile, and who is named. Simulated
//! segments in virtual time.

mod common;

use common::{Plant, described, real, virtual_time};
use ecat_engine::event::EventKind;
use ecat_engine::shared::layout::{
    EngineState, SLOT_FLAG_FRAMES_LOST, SLOT_FLAG_WORKING_COUNTER, Verdict,
};
use ecat_engine::shared::receipts::RECEIPT_CYCLES;
use ecat_engine::shared::{Claims, Drained, LaneState};
use ecat_simulator::{SegmentCommand, SegmentDescription};

const GOOD: u8 = 0;
const STALE: u8 = 1;
const UNCERTAIN: u8 = 2;
const BAD: u8 = 3;

/// A coupler and `count` − 1 devices with 16 bits that count up by one a period of the cycle.
fn counting(count: usize) -> SegmentDescription {
    let mut devices = vec![r#"{"type":"EK1100"}"#.to_owned()];
    let mut signals = Vec::new();
    for n in 1..count {
        devices.push(format!(r#"{{"name":"d{n}","type":"analogue-inputs","channels":1}}"#));
        signals.push(format!(r#"{{"input":"d{n}.1","counter":{{"periodMs":1}}}}"#));
    }
    described(&format!(
        r#"{{"devices":[{}],"signals":[{}]}}"#,
        devices.join(","),
        signals.join(",")
    ))
}

fn input(plant: &Plant, slot: &common::Slot, device: usize) -> u16 {
    let at = plant.found.1.devices[device].inputs.start;
    u16::from_le_bytes([slot.inputs[at], slot.inputs[at + 1]])
}

#[test]
fn the_loss_of_device_50_of_100_never_shows_as_a_good_sample_and_is_named() {
    let mut plant = Plant::in_op(&counting(100), virtual_time());
    let before = plant.run(10);
    let rhythm = input(&plant, &before[9], 1).wrapping_sub(input(&plant, &before[8], 1));
    assert_eq!(rhythm, 1, "the inputs count");
    plant.command(SegmentCommand::Unplug { device: 50 });
    let slots = plant.run(50);
    let frozen = input(&plant, &before[9], 50);
    let cycle = slots[0].cycle;
    for (n, slot) in slots.iter().enumerate() {
        assert_ne!(slot.quality[50], GOOD, "cycle {n} after the loss");
        assert_eq!(input(&plant, slot, 50), frozen, "the last value, and no zero, is left there");
    }
    assert_eq!(slots[0].quality[51], UNCERTAIN, "not attributed yet");
    assert_ne!(slots[0].flags & SLOT_FLAG_WORKING_COUNTER, 0);
    for slot in &slots[3..] {
        assert_eq!(slot.quality[50], BAD);
        let others = slot.quality.iter().enumerate().filter(|&(device, _)| device != 50);
        assert!(others.map(|(_, &quality)| quality).all(|q| q == GOOD), "cycle {}", slot.cycle);
    }
    for pair in slots.windows(2) {
        assert_eq!(input(&plant, &pair[1], 99), input(&plant, &pair[0], 99).wrapping_add(1));
    }
    let lost = plant.events_of(EventKind::SubDeviceLost);
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].subject == 50 && lost[0].cycle - cycle < 3);
    assert_eq!(plant.events_of(EventKind::WorkingCounter).len(), 1, "on the edge only");
    assert_eq!(plant.events_of(EventKind::WorkingCounterRestored).len(), 1);
    plant.close();
}

#[test]
fn a_coupler_that_is_lost_is_bad_though_it_has_no_process_data() {
    let mut plant = Plant::in_op(&counting(4), virtual_time());
    plant.run(2);
    plant.command(SegmentCommand::Unplug { device: 0 });
    let slots = plant.run(5);
    assert!(slots.iter().all(|slot| slot.quality[0] != GOOD));
    assert_eq!(slots[4].quality, [BAD, GOOD, GOOD, GOOD]);
    plant.close();
}

#[test]
fn a_cable_that_is_cut_loses_everybody_behind_it_until_it_is_mended() {
    let mut plant = Plant::in_op(&counting(10), virtual_time());
    plant.run(2);
    plant.command(SegmentCommand::CutCable { after: 5 });
    let cut = plant.run(40);
    for slot in &cut {
        assert!(slot.quality[6..].iter().all(|&quality| quality != GOOD), "cycle {}", slot.cycle);
    }
    assert_eq!(cut[39].quality, [GOOD, GOOD, GOOD, GOOD, GOOD, GOOD, BAD, BAD, BAD, BAD]);
    plant.command(SegmentCommand::MendCable);
    let mended = plant.run(40);
    for slot in &mended {
        for device in 6..10 {
            let true_value = input(&plant, slot, 1);
            let good = slot.quality[device] == GOOD;
            assert!(!good || input(&plant, slot, device) == true_value, "cycle {}", slot.cycle);
        }
    }
    assert_eq!(mended[39].quality, [GOOD; 10]);
    plant.run(300);
    assert_eq!(plant.events_of(EventKind::SubDeviceLost).len(), 4);
    assert_eq!(plant.events_of(EventKind::SubDeviceReturned).len(), 4);
    assert_eq!(plant.events_of(EventKind::Strangers), []);
    plant.close();
}

#[test]
fn a_device_that_was_switched_off_and_on_is_a_stranger_and_never_good_again_without_a_bring_up() {
    let mut plant = Plant::in_op(&counting(6), virtual_time());
    plant.command(SegmentCommand::Unplug { device: 3 });
    plant.run(30);
    plant.command(SegmentCommand::Plug { device: 3 });
    for slot in plant.run(300) {
        assert_ne!(slot.quality[3], GOOD, "cycle {}", slot.cycle);
        assert_eq!(slot.quality[4], GOOD, "cycle {}", slot.cycle);
    }
    let strangers = plant.events_of(EventKind::Strangers);
    assert_eq!(strangers.iter().map(|event| event.a).collect::<Vec<_>>(), [1]);
    plant.close();
}

#[test]
fn a_lost_frame_leaves_the_inputs_of_before_and_makes_them_stale() {
    let mut plant = Plant::in_op(&counting(5), virtual_time());
    let before = plant.run(3);
    plant.command(SegmentCommand::LoseFrames { count: 2 });
    let slots = plant.run(5);
    for slot in &slots[..2] {
        assert_eq!(slot.quality, [STALE; 5]);
        assert_eq!(slot.inputs, before[2].inputs);
        assert_ne!(slot.flags & SLOT_FLAG_FRAMES_LOST, 0);
        assert_eq!(slot.working_counters, [0]);
    }
    assert_eq!(slots[2].quality, [GOOD; 5]);
    assert_ne!(slots[2].inputs, before[2].inputs);
    assert_eq!(plant.events_of(EventKind::FramesLost).len(), 1);
    assert_eq!(plant.events_of(EventKind::FramesRestored)[0].a, 2);
    let counters = plant.memory.statistics().counters;
    let lost = counters.frames_lost.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(lost, 2);
    plant.close();
}

#[test]
fn of_an_image_larger_than_a_frame_only_the_part_that_was_lost_is_stale() {
    let device = r#"{"type":"analogue-inputs","channels":64}"#;
    let description = described(&format!(r#"{{"devices":[{}]}}"#, [device; 40].join(",")));
    let mut plant = Plant::in_op(&description, virtual_time());
    let frames = 1 + plant.found.1.datagrams.iter().map(|datagram| datagram.frame).max().unwrap();
    assert!(frames >= 4 && plant.found.1.input_bytes == 5_120);
    assert_eq!(plant.run(1)[0].quality, [GOOD; 40]);
    plant.command(SegmentCommand::LoseFrames { count: 1 });
    let lossy = &plant.run(1)[0];
    let mut stale = [GOOD; 40];
    for datagram in plant.found.1.datagrams.iter().filter(|datagram| datagram.frame == 0) {
        datagram.members.iter().for_each(|member| stale[member.device] = STALE);
    }
    assert_eq!(lossy.quality, stale);
    assert!(stale.contains(&STALE) && stale.contains(&GOOD));
    plant.close();
}

#[test]
fn late_frames_are_never_taken_for_the_answer_of_a_later_cycle() {
    let mut plant = Plant::in_op(&counting(3), virtual_time());
    plant.run(3);
    for by_frames in [1, 2, 5, 30] {
        plant.command(SegmentCommand::DelayFrames { count: 3, by_frames });
        let slots = plant.run(60);
        for pair in slots.windows(2) {
            let (last, now) = (input(&plant, &pair[0], 1), input(&plant, &pair[1], 1));
            if pair[1].quality[1] == GOOD {
                assert!(now > last, "cycle {}: {now} after {last}", pair[1].cycle);
            } else {
                assert_eq!((pair[1].quality[1], now), (STALE, last));
            }
        }
        assert_eq!(slots.iter().filter(|slot| slot.quality[1] == STALE).count(), 3);
    }
    let counters = plant.memory.statistics().counters;
    let late = counters.frames_late.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(late, 12);
    plant.close();
}

#[test]
fn the_carrier_goes_and_comes_and_cycles_go_on() {
    let mut plant = Plant::in_op(&counting(3), virtual_time());
    plant.command(SegmentCommand::LinkDown);
    let down = plant.run(20);
    assert!(down.iter().all(|slot| slot.quality.iter().all(|&quality| quality != GOOD)));
    plant.command(SegmentCommand::LinkUp);
    let up = plant.run(20);
    assert_eq!(up[19].quality, [GOOD; 3]);
    assert_eq!(plant.events_of(EventKind::LinkDown).len(), 1);
    assert_eq!(plant.events_of(EventKind::LinkUp).len(), 1);
    assert_eq!(plant.state(), EngineState::Op);
    plant.close();
}

#[test]
fn closing_without_a_carrier_waits_for_nobody() {
    let mut plant = Plant::in_op(&counting(3), virtual_time());
    plant.command(SegmentCommand::LinkDown);
    let last = plant.run(2)[1].cycle;
    plant.close();
    assert!(plant.latest() - last <= 2, "{} cycles", plant.latest() - last);
}

#[test]
fn a_watchdog_that_runs_out_is_reported_with_its_code() {
    let mut plant = Plant::in_op(
        &described(
            r#"{"devices":[
                {"type":"EK1100"},
                {"name":"servo","type":"generic","deviceEmulation":false,
                 "pdos":[{"direction":"output","index":5632,
                          "entries":[{"index":28672,"subindex":1,"bits":16}]}]},
                {"name":"out","type":"digital-outputs"}]}"#,
        ),
        virtual_time(),
    );
    plant.run(3);
    // The process-data watchdog of 100 ms runs out while no output arrives.
    plant.command(SegmentCommand::LinkDown);
    plant.run(150);
    plant.command(SegmentCommand::LinkUp);
    let slots = plant.run(60);
    let left: Vec<_> = plant
        .events_of(EventKind::SubDeviceState)
        .into_iter()
        .filter(|event| event.a == 0x14)
        .map(|event| (event.subject, event.b))
        .collect();
    assert_eq!(left, [(1, 0x001B)]);
    assert_eq!(slots[59].quality, [GOOD, UNCERTAIN, GOOD]);
    plant.close();
}

fn lane_claims(plant: &Plant, deadline_cycles: u32) -> Claims {
    let bytes = plant.found.1.output_bytes;
    let mut loss_mask = vec![0; bytes];
    loss_mask[0] = 0xF0;
    Claims {
        mask: vec![0xFF; bytes].into(),
        loss_mask: loss_mask.into(),
        loss_image: vec![0xA5; bytes].into(),
        deadline_cycles,
        ..Claims::default()
    }
}

#[test]
fn a_commit_rides_the_next_cycle_and_its_receipt_says_so() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889", "el2828"]), virtual_time());
    plant.engine.claim(0, 1, &lane_claims(&plant, 0)).unwrap();
    let mut lane = plant.memory.lane_writer(0).unwrap();
    let receipts = plant.memory.receipt_reader(0).unwrap();
    let seq = lane.commit(&[0x12, 0x34, 0x56]);
    let slots = plant.run(2);
    assert_eq!(slots[0].outputs, [0x12, 0x34, 0x56]);
    let (mut tail, mut out) = (0, [[0; 4]; 8]);
    assert_eq!(receipts.drain(&mut tail, &mut out), Drained::Records(1));
    let cycle = slots[0].cycle;
    assert_eq!(out[0], [seq, cycle, cycle, Verdict::Ok as u32]);

    plant.command(SegmentCommand::LoseFrames { count: 3 });
    let seq = lane.commit(&[0x13, 0x34, 0x56]);
    let slots = plant.run(5);
    assert_eq!(receipts.drain(&mut tail, &mut out), Drained::Records(1));
    assert_eq!(out[0], [seq, slots[0].cycle, slots[3].cycle, Verdict::Ok as u32]);

    plant.command(SegmentCommand::Unplug { device: 2 });
    let seq = lane.commit(&[0x14, 0x34, 0x56]);
    plant.run(12);
    assert_eq!(receipts.drain(&mut tail, &mut out), Drained::Records(1));
    assert_eq!((out[0][0], out[0][3]), (seq, Verdict::Partial as u32), "device 2 did not get it");
    let decided = out[0][2].wrapping_sub(out[0][1]);
    assert!(decided < RECEIPT_CYCLES, "told once it is known to be away: {decided} cycles later");
    let seq = lane.commit(&[0x15, 0x34, 0x56]);
    let cycle = plant.run(1)[0].cycle;
    // The receipt follows the slot.
    plant.await_that(|_| receipts.drain(&mut tail, &mut out) == Drained::Records(1));
    assert_eq!(
        out[0],
        [seq, cycle, cycle, Verdict::Partial as u32],
        "nobody waits for it any more"
    );
    plant.close();
}

#[test]
fn a_silent_lane_takes_its_loss_values_and_comes_back_by_resume_only() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889"]), virtual_time());
    plant.engine.claim(0, 1, &lane_claims(&plant, 10)).unwrap();
    let mut lane = plant.memory.lane_writer(0).unwrap();
    lane.commit(&[0x33, 0x44]);
    let slots = plant.run(40);
    assert_eq!(slots[9].outputs, [0x33, 0x44]);
    assert_eq!(slots[39].outputs, [0xA3, 0x44], "half of the first byte is lost, the rest holds");
    assert_eq!(lane.state(), LaneState::Lost);
    assert_eq!(plant.events_of(EventKind::LaneLost).len(), 1);
    lane.commit(&[0xFF, 0xFF]);
    assert_eq!(plant.run(2)[1].outputs, [0xA3, 0x44]);
    let mut shadow = [0; 2];
    lane.resume(&mut shadow).unwrap();
    assert_eq!(shadow, [0xA3, 0x44]);
    lane.commit(&[0x01, 0x02]);
    assert_eq!(plant.run(2)[1].outputs, [0x01, 0x02]);
    assert_eq!(plant.events_of(EventKind::LaneLive).len(), 2);
    plant.close();
}

#[test]
fn close_sends_the_loss_values_of_a_live_lane() {
    let mut plant = Plant::in_op(&real(&["ek1100", "el2889"]), virtual_time());
    plant.engine.claim(0, 1, &lane_claims(&plant, 0)).unwrap();
    let mut lane = plant.memory.lane_writer(0).unwrap();
    lane.commit(&[0x33, 0x44]);
    plant.run(2);
    plant.close();
    let last = plant.slot(plant.latest());
    assert_eq!(last.outputs, [0xA3, 0x44]);
}
