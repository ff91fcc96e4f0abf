//! Mail. What each effect does to its bytes, `tests/wire/mailbox_faults.rs` and its neighbours say; here, that it is seen
//! in the mailbox alone. ETG.1000.6, "Mailbox": counters go from 1 to 7, and the same one twice is the same mail again.

use ecat_simulator::{Effect, Fault, MailEffect, MailProtocol, When};
use ecat_wire::mailbox::eoe::{Cutter, Mail, Message};
use etherparse::PacketBuilder;

use crate::bench::{AXIS, Bench, NOTHING, UPLOAD};

fn mail(does: MailEffect) -> Fault {
    Fault::on_device(AXIS, Effect::Mail { does, protocol: None })
}

#[test]
fn silence_is_a_request_without_an_answer() {
    let mut bench = Bench::new();
    bench.inject(mail(MailEffect::Silence).next(1));
    assert_eq!(bench.sdo(&UPLOAD), None);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["mail axis: done"]);
}

#[test]
fn a_lost_reply_was_carried_out() {
    let mut bench = Bench::new();
    bench.inject(mail(MailEffect::LoseReply).next(1));
    assert_eq!(bench.sdo(&[0x2B, 0x00, 0x20, 0, 7, 0, 0, 0]), None);
    assert_eq!(bench.sdo(&UPLOAD).unwrap()[4], 7);
    // What was lost had a counter, which the next one does not follow: so a reader may know.
    assert_eq!(bench.differences(), ["mail from axis out of order: 0 to 1"]);
    assert_eq!(bench.hits(), ["mail axis: done"]);
}

#[test]
fn a_late_answer_comes() {
    let mut bench = Bench::new();
    bench.inject(mail(MailEffect::Late { delay_ms: 40 }).next(1));
    assert_eq!(bench.sdo(&UPLOAD), None);
    assert_eq!(bench.differences_without_frames(), NOTHING);
    assert_eq!(bench.fetch(40).unwrap().1[2], 0x4B);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["mail axis: done"]);
}

#[test]
fn an_answer_comes_behind_that_of_the_next_request() {
    let mut bench = Bench::new();
    bench.inject(mail(MailEffect::BehindNext).next(1));
    let other = [0x40, 0x00, 0x10, 0, 0, 0, 0, 0];
    assert_eq!(bench.sdo(&UPLOAD), None);
    assert!(bench.post(3, &[&[0, 0x20], &other[..]].concat()));
    let objects = [0, 1].map(|_| bench.fetch(10).unwrap().1[3..5].to_vec());
    assert_eq!(objects, [[0x00, 0x10], [0x00, 0x20]]);
    // Counters 2, 1, 3: none of them follows the one before.
    assert_eq!(bench.differences(), ["mail from axis out of order: 0 to 3"]);
    assert_eq!(bench.hits(), ["mail axis: done"]);
}

#[test]
fn an_answer_with_the_counter_of_the_one_before_is_a_duplicate_to_its_reader() {
    let mut bench = Bench::new();
    let before = {
        bench.sdo(&UPLOAD).unwrap();
        bench.post(3, &[&[0, 0x20], &UPLOAD[..]].concat());
        bench.fetch(10).unwrap().0
    };
    bench.inject(mail(MailEffect::WrongCounter).next(1));
    bench.post(3, &[&[0, 0x20], &UPLOAD[..]].concat());
    assert_eq!(bench.fetch(10).unwrap().0, before);
    // The next one counts on from what this one should have had: neither follows the one before it.
    assert_eq!(bench.differences(), ["mail from axis out of order: 0 to 2"]);
    assert_eq!(bench.hits(), ["mail axis: done"]);
}

#[test]
fn the_type_of_an_answer_is_wrong_or_that_of_an_error() {
    for (effect, kind) in
        [(MailEffect::WrongType, 0x04), (MailEffect::ErrorReply { detail: 2 }, 0x00)]
    {
        let mut bench = Bench::new();
        bench.inject(mail(effect).next(1));
        assert!(bench.post(3, &[&[0, 0x20], &UPLOAD[..]].concat()));
        assert_eq!(bench.fetch(10).unwrap().0 & 0x0F, kind, "{effect:?}");
        assert_eq!(bench.differences(), NOTHING, "{effect:?}");
        assert_eq!(bench.hits(), ["mail axis: done"]);
    }
}

#[test]
fn a_stage_of_a_transfer_is_aborted_or_has_the_wrong_toggle() {
    let begin = [0x40, 0x01, 0x20, 0, 0, 0, 0, 0];
    let segment = [0x60, 0, 0, 0, 0, 0, 0, 0];
    let stage = When { after: 1, count: Some(1), ..When::default() };
    let mut bench = Bench::new();
    bench.inject(mail(MailEffect::Abort { code: 0x0504_0005 }).when(stage));
    bench.sdo(&begin).unwrap();
    let answer = bench.sdo(&segment).unwrap();
    assert_eq!((answer[0], &answer[4..8]), (0x80, &0x0504_0005_u32.to_le_bytes()[..]));
    assert_eq!(bench.differences(), NOTHING);
    bench.inject(mail(MailEffect::WrongToggle).when(stage));
    bench.sdo(&begin).unwrap();
    assert_eq!(bench.sdo(&segment).unwrap()[0] & 0x10, 0x10);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["mail axis: done"; 2]);
}

#[test]
fn a_file_is_busy_and_then_fails() {
    let mut bench = Bench::new();
    let file = |bench: &mut Bench, opcode: u8, word: u32, rest: &[u8]| {
        assert!(bench.post(4, &[&[opcode, 0], &word.to_le_bytes()[..], rest].concat()));
        bench.fetch(10).unwrap().1[0]
    };
    let stage = |after| When { after, count: Some(1), ..When::default() };
    bench.inject(mail(MailEffect::FileBusy).when(stage(1)));
    bench.inject(mail(MailEffect::FileError { code: 0x8003 }).when(stage(2)));
    // Acknowledge, busy, error.
    assert_eq!(file(&mut bench, 2, 0, b"file"), 4);
    assert_eq!(file(&mut bench, 3, 1, b"new"), 6);
    assert_eq!(file(&mut bench, 3, 1, b"new"), 5);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["mail axis: done"; 2]);
}

#[test]
fn drives_and_ads_refuse_with_their_own_codes() {
    // SoE: operation 2 with the error bit, IDN, code at the end; AoE: the error in the AMS header's bytes 24 to 27.
    let mut bench = Bench::powered(r#", "soe": { "drives": [{}] }"#, "", "");
    bench.pre_operate();
    bench.inject(mail(MailEffect::DriveError { code: 0x7005 }).next(1));
    assert!(bench.post(5, &[0x01, 0x40, 17, 0]));
    let answer = bench.fetch(10).unwrap().1;
    assert_eq!((answer[0] & 0x17, &answer[answer.len() - 2..]), (0x12, &[0x05, 0x70][..]));
    bench.inject(mail(MailEffect::AdsError { code: 0x0708 }).next(1));
    let mut read_state = [0; 32];
    (read_state[16], read_state[18]) = (4, 4);
    assert!(bench.post(1, &read_state));
    assert_eq!(bench.fetch(10).unwrap().1[24..28], 0x0708_u32.to_le_bytes());
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["mail axis: done"; 2]);
}

/// A MainDevice's question to the axis's Ethernet, an echo of `bytes` bytes, in fragments.
fn ping(bench: &mut Bench, bytes: usize) {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0x5E, 0, 0, 9])
        .ipv4([192, 168, 1, 1], [192, 168, 1, 9], 64)
        .icmpv4_echo_request(1, 1)
        .write(&mut frame, &vec![7; bytes])
        .unwrap();
    let mut cutter = Cutter::new(0, 1, &frame, None);
    while let Some(fragment) = cutter.next_mail(64 - 6) {
        let mut body = [0; 64];
        let length = fragment.emit(&mut body).unwrap();
        while !bench.post(2, &body[..length]) {
            bench.cycle();
        }
        bench.cycles(2);
    }
}

/// Numbers of the fragments that the axis sends.
fn fragments(bench: &mut Bench) -> Vec<u8> {
    let mut numbers = Vec::new();
    while let Some((kind, body)) = bench.fetch(5) {
        assert_eq!(kind & 0x0F, 2);
        let Message::Fragment(fragment) = Mail::parse(&body).unwrap().message else { panic!() };
        numbers.push(fragment.number);
    }
    numbers
}

#[test]
fn a_fragment_of_a_frame_is_lost_either_way() {
    // A frame of 142 bytes: three fragments of 32 bytes, and the rest; there and back.
    let mut bench = Bench::new();
    ping(&mut bench, 100);
    assert_eq!(fragments(&mut bench), [0, 1, 2, 3]);
    let second = When { after: 1, count: Some(1), ..When::default() };
    bench.inject(mail(MailEffect::LoseFragment).when(second));
    ping(&mut bench, 100);
    assert_eq!(fragments(&mut bench), [0, 2, 3]);
    assert_eq!(bench.differences(), NOTHING);
    let effect = Effect::Mail { does: MailEffect::Silence, protocol: Some(MailProtocol::Eoe) };
    bench.inject(Fault::on_device(AXIS, effect).when(second));
    ping(&mut bench, 100);
    assert_eq!(fragments(&mut bench), [0; 0]);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["mail axis: done"; 2]);
}

#[test]
fn only_requests_of_a_protocol_meet_the_fault() {
    let mut bench = Bench::new();
    let effect = Effect::Mail { does: MailEffect::Silence, protocol: Some(MailProtocol::Foe) };
    bench.inject(Fault::on_device(AXIS, effect));
    assert_eq!(bench.differences(), NOTHING);
    assert!(bench.post(4, &[2, 0, 0, 0, 0, 0, b'f', b'i', b'l', b'e']));
    assert_eq!(bench.fetch(10), None);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["mail axis: done"]);
}

#[test]
fn emergencies_come_in_a_flood() {
    let mut bench = Bench::new();
    let effect = Effect::Emergency { code: 0x8130, register: 17, data: [1, 2, 3, 4, 5], times: 20 };
    bench.inject(Fault::on_device(AXIS, effect));
    for _ in 0..20 {
        assert_eq!(bench.fetch(10).unwrap().1[..10], [0, 0x10, 0x30, 0x81, 17, 1, 2, 3, 4, 5]);
    }
    assert_eq!(bench.fetch(10), None);
    assert_eq!(bench.differences(), NOTHING);
    assert_eq!(bench.hits(), ["emergency axis: done"]);
}
