//! Faults of mail: every effect at a stage of its choice.

use ecat_simulator::{MailEffect, MailFault, SegmentCommand};
use ecat_wire::mailbox::coe::AbortCode;

use crate::mailbox::Post;

const DEVICE: &str = r#"{
  "type": "generic", "pdos": [],
  "mailbox": { "bytes": 64, "delayMs": 1,
    "objects": [
      { "index": 8192, "dataType": 6, "value": 4660 },
      { "index": 8193, "dataType": 9, "bits": 2400, "value":
        "a text that is longer than one mail of this device, and therefore comes in two or three segments of it" } ],
    "files": [{ "name": "file", "content": "AAECAw==" }] } }"#;
const UPLOAD: [u8; 8] = [0x40, 0x00, 0x20, 0, 0, 0, 0, 0];

fn disturbed(after: u32, count: u32, effect: MailEffect) -> Post {
    let mut post = Post::new(DEVICE);
    let fault = MailFault { after, count, protocol: None, effect };
    post.wire.segment.apply(SegmentCommand::DisturbMail { device: 0, fault }, 0);
    post
}

fn coe(post: &mut Post, body: &[u8]) -> Option<(u8, Vec<u8>)> {
    assert_eq!(post.write(3, &[&[0, 0x20], body].concat()), 1);
    post.wire.wait_us(2_000);
    post.read()
}

#[test]
fn silence_and_lost_replies_differ_in_what_they_leave_behind() {
    let write = [0x2B, 0x00, 0x20, 0, 7, 0, 0, 0];
    for (effect, value) in [(MailEffect::Silence, 4660), (MailEffect::LoseReply, 7_u16)] {
        let mut post = disturbed(1, 1, effect);
        assert!(coe(&mut post, &UPLOAD).is_some());
        assert_eq!(coe(&mut post, &write), None);
        assert_eq!(post.sdo(&UPLOAD)[4..6], value.to_le_bytes());
    }
}

#[test]
fn a_late_answer_comes_all_the_same() {
    let mut post = disturbed(0, 1, MailEffect::Late { delay_ms: 20 });
    assert_eq!(coe(&mut post, &UPLOAD), None);
    post.wire.wait_us(20_000);
    assert!(post.read().is_some());
}

#[test]
fn headers_can_be_wrong() {
    let mut post = disturbed(1, 1, MailEffect::WrongCounter);
    let counters = [0, 1, 2].map(|_| coe(&mut post, &UPLOAD).unwrap().0 >> 4);
    assert_eq!(counters, [1, 1, 3]);
    let mut post = disturbed(0, 1, MailEffect::WrongType);
    assert_eq!(coe(&mut post, &UPLOAD).unwrap().0 & 0x0F, 4);
    let mut post = disturbed(0, 2, MailEffect::ErrorReply { detail: 7 });
    assert_eq!(coe(&mut post, &UPLOAD), Some((0x10, vec![1, 0, 7, 0])));
    assert_eq!(coe(&mut post, &UPLOAD), Some((0x20, vec![1, 0, 7, 0])));
    assert!(post.sdo(&UPLOAD)[0] == 0x4B);
}

#[test]
fn a_segment_can_have_the_wrong_toggle_or_be_aborted() {
    let begin = [0x40, 0x01, 0x20, 0, 0, 0, 0, 0];
    let mut post = disturbed(1, 1, MailEffect::WrongToggle);
    post.sdo(&begin);
    assert_eq!(post.sdo(&[0x60, 0, 0, 0, 0, 0, 0, 0])[0] & 0x10, 0x10);
    let code = AbortCode::OUT_OF_MEMORY.0;
    let mut post = disturbed(1, 1, MailEffect::Abort { code });
    post.sdo(&begin);
    let answer = post.sdo(&[0x60, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((answer[0], &answer[4..8]), (0x80, &code.to_le_bytes()[..]));
    // The transfer is over.
    assert_eq!(post.sdo(&[0x70, 0, 0, 0, 0, 0, 0, 0])[0], 0x80);
}

#[test]
fn a_file_transfer_can_be_busy_or_fail_at_a_packet() {
    let file = |post: &mut Post, opcode: u8, word: u32, rest: &[u8]| {
        post.ask(4, &[&[opcode, 0], &word.to_le_bytes()[..], rest].concat())
    };
    let mut post = disturbed(1, 2, MailEffect::FileBusy);
    // SDOs do not count.
    post.sdo(&UPLOAD);
    assert_eq!(file(&mut post, 2, 0, b"file")[0], 4);
    assert_eq!(file(&mut post, 3, 1, b"new")[0], 6);
    assert_eq!(file(&mut post, 3, 1, b"new")[0], 6);
    assert_eq!(file(&mut post, 3, 1, b"new")[0], 4);
    let mut post = disturbed(1, 1, MailEffect::FileError { code: 0x8003 });
    assert_eq!(file(&mut post, 2, 0, b"file")[0], 4);
    assert_eq!(file(&mut post, 3, 1, b"new")[..6], [5, 0, 0x03, 0x80, 0, 0]);
}

#[test]
fn faults_can_be_described_and_emergencies_commanded() {
    let device = DEVICE.replacen(
        r#""delayMs": 1,"#,
        r#""faults": [{ "after": 1, "count": 2, "effect": { "kind": "abort", "code": 134217728 } }],"#,
        1,
    );
    let mut post = Post::new(&device);
    assert_eq!([0, 1, 2, 3].map(|_| post.sdo(&UPLOAD)[0]), [0x4B, 0x80, 0x80, 0x4B]);
    let data = [1, 2, 3, 4, 5];
    let emergency = SegmentCommand::RaiseEmergency { device: 0, code: 0x8130, register: 17, data };
    post.wire.segment.apply(emergency, post.wire.now_ns);
    post.wire.wait_us(2_000);
    let (_, body) = post.read().unwrap();
    assert_eq!(body, [0, 0x10, 0x30, 0x81, 17, 1, 2, 3, 4, 5]);
}

#[test]
fn what_an_rx_pdo_carries_can_be_closed_to_sdos() {
    // Abort code 0x06010006.
    let device = |writable: bool| {
        format!(
            r#"{{ "type": "generic",
                  "pdos": [{{ "direction": "output", "index": 5632, "entries": [{{ "index": 24640, "bits": 16 }}] }}],
                  "mailbox": {{ "bytes": 64, "mappedWritable": {writable} }} }}"#
        )
    };
    let write = [0x2B, 0x40, 0x60, 0, 7, 0, 0, 0];
    for (writable, expected) in [(true, 0x60), (false, 0x80)] {
        let mut post = Post::new(&device(writable));
        assert_eq!(post.sdo(&write)[0], 0x60, "in PRE-OP");
        let sm = ecat_wire::sync_manager::SyncManager {
            start: 0x1080,
            length: 2,
            control: 0x64,
            enabled: true,
        };
        let register = ecat_wire::register::sync_manager(2);
        post.wire.set(crate::mailbox::STATION, register, &sm.to_bytes());
        assert_eq!(post.request_state(4), (4, 0));
        let answer = post.sdo(&write);
        assert_eq!(answer[0], expected);
        if !writable {
            assert_eq!(answer[4..8], 0x0601_0006_u32.to_le_bytes());
        }
    }
}

#[test]
fn lists_of_objects_go_by_their_flags() {
    // SDO information, list types 0 to 5 (ETG1000.6): their lengths, all, RxPDO, TxPDO, backup, settings.
    let device = r#"{ "type": "generic", "pdos": [],
      "mailbox": { "bytes": 64, "objects": [
        { "index": 8192, "dataType": 6, "mapping": "output" },
        { "index": 8193, "dataType": 6, "mapping": "input", "access": "ro" },
        { "index": 8194, "dataType": 6, "backup": true, "setting": true },
        { "index": 8195, "entries": [{ "subindex": 1, "dataType": 6, "setting": true }] } ] } }"#;
    let mut post = Post::new(device);
    let mut list = |kind: u8| {
        let answer = post.ask(3, &[0, 0x80, 1, 0, 0, 0, kind, 0]);
        assert_eq!(answer[2..8], [2, 0, 0, 0, kind, 0]);
        answer[8..].to_vec()
    };
    assert_eq!(list(2), [0x00, 0x20]);
    assert_eq!(list(3), [0x01, 0x20]);
    assert_eq!(list(4), [0x02, 0x20]);
    assert_eq!(list(5), [0x02, 0x20, 0x03, 0x20]);
    let all = list(1).len() / 2;
    let lengths = list(0);
    assert_eq!(lengths, [all as u8, 0, 1, 0, 1, 0, 1, 0, 2, 0]);
}
