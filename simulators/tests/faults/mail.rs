//! Mail. What each effect does to its bytes, `tests/wire/mailbox_faults.rs` and its neighbours say; here, that it is seen
//! in the mailbox alone. ETG.1000.6, "Mailbox".

use ecat_simulator::faults::Milestone;
use ecat_simulator::{Effect, Fault, MailEffect, MailProtocol, When};

use crate::bench::{AXIS, Bench, SENSOR};

const UPLOAD: [u8; 8] = [0x40, 0x00, 0x20, 0, 0, 0, 0, 0];

fn mail(does: MailEffect) -> Fault {
    Fault::on_device(AXIS, Effect::Mail { does, protocol: None })
}

fn nothing_else(bench: &mut Bench) {
    assert_eq!(bench.differences(), [""; 0]);
}

#[test]
fn silence_is_a_request_without_an_answer() {
    let mut bench = Bench::new();
    bench.inject(mail(MailEffect::Silence).next(1));
    assert_eq!(bench.sdo(&UPLOAD), None);
    assert_eq!(bench.sdo(&UPLOAD).unwrap()[0], 0x4B);
    nothing_else(&mut bench);
    assert_eq!(bench.hits(), ["mail axis: done"]);
}

#[test]
fn a_lost_reply_was_carried_out() {
    let mut bench = Bench::new();
    bench.inject(mail(MailEffect::LoseReply).next(1));
    assert_eq!(bench.sdo(&[0x2B, 0x00, 0x20, 0, 7, 0, 0, 0]), None);
    assert_eq!(bench.sdo(&UPLOAD).unwrap()[4], 7);
    nothing_else(&mut bench);
}

#[test]
fn a_late_answer_comes() {
    let mut bench = Bench::new();
    bench.inject(mail(MailEffect::Late { delay_ms: 40 }).next(1));
    assert_eq!(bench.sdo(&UPLOAD), None);
    assert!(bench.fetch(40).is_some());
    nothing_else(&mut bench);
}

#[test]
fn counters_types_and_errors_of_an_answer_are_wrong() {
    for (effect, kind) in [
        (MailEffect::WrongCounter, 0x03),
        (MailEffect::WrongType, 0x04),
        (MailEffect::ErrorReply { detail: 2 }, 0x00),
    ] {
        let mut bench = Bench::new();
        bench.inject(mail(effect).next(1));
        assert!(bench.post(3, &[&[0, 0x20], &UPLOAD[..]].concat()));
        assert_eq!(bench.fetch(10).unwrap().0 & 0x0F, kind, "{effect:?}");
        nothing_else(&mut bench);
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
    nothing_else(&mut bench);
    bench.inject(mail(MailEffect::WrongToggle).when(stage));
    bench.sdo(&begin).unwrap();
    assert_eq!(bench.sdo(&segment).unwrap()[0] & 0x10, 0x10);
    nothing_else(&mut bench);
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
    nothing_else(&mut bench);
}

#[test]
fn only_requests_of_a_protocol_meet_the_fault() {
    let mut bench = Bench::new();
    let effect = Effect::Mail { does: MailEffect::Silence, protocol: Some(MailProtocol::Foe) };
    bench.inject(Fault::on_device(AXIS, effect));
    assert!(bench.sdo(&UPLOAD).is_some());
    assert!(bench.post(4, &[2, 0, 0, 0, 0, 0, b'f', b'i', b'l', b'e']));
    assert_eq!(bench.fetch(10), None);
}

#[test]
fn emergencies_come_in_a_flood() {
    let mut bench = Bench::new();
    let effect = Effect::Emergency { code: 0x8130, register: 17, data: [1, 2, 3, 4, 5], times: 20 };
    bench.inject(Fault::on_device(AXIS, effect));
    for _ in 0..20 {
        assert_eq!(bench.fetch(10).unwrap().1[2..5], [0x30, 0x81, 17]);
    }
    assert_eq!(bench.fetch(10), None);
    nothing_else(&mut bench);
}

#[test]
fn a_fault_waits_for_the_n_th_sdo() {
    let mut bench = Bench::new();
    let at = Milestone::Sdo { device: Some(AXIS), number: 3 };
    bench.inject(
        Fault::on_device(SENSOR, Effect::Reset {}).when(When { at: Some(at), ..When::default() }),
    );
    for _ in 0..2 {
        bench.sdo(&UPLOAD).unwrap();
        assert_eq!(bench.hits(), [""; 0]);
    }
    bench.sdo(&UPLOAD).unwrap();
    assert_eq!(bench.hits(), ["reset sensor: done"]);
}
