//! File access (ETG1000.6, "FoE") and BOOT.

use ecat_wire::register as reg;

use crate::mailbox::{BYTES, Post, STATION};

const DEVICE: &str = r#"{
  "type": "generic", "pdos": [],
  "mailbox": { "bytes": 64, "files": [
    { "name": "log.txt", "content": [104, 101, 108, 108, 111], "access": "ro" },
    { "name": "full", "content": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMw==" },
    { "name": "firmware", "bootOnly": true, "password": 4660, "busyAnswers": 2 } ] } }"#;

fn file(post: &mut Post, opcode: u8, word: u32, rest: &[u8]) -> Vec<u8> {
    let word = word.to_le_bytes();
    post.ask(4, &[&[opcode, 0], &word[..], rest].concat())
}

fn error(code: u32, text: &[u8]) -> Vec<u8> {
    [&[5, 0], &code.to_le_bytes()[..], text].concat()
}

#[test]
fn a_short_packet_ends_a_file() {
    let mut post = Post::new(DEVICE);
    assert_eq!(file(&mut post, 1, 0, b"log.txt"), b"\x03\0\x01\0\0\0hello");
    // The last acknowledgement gets no answer.
    assert_eq!(post.write(4, &[4, 0, 1, 0, 0, 0]), 1);
    post.wire.wait_us(2_000);
    assert!(post.read().is_none());
}

#[test]
fn a_file_that_fills_its_last_packet_ends_with_an_empty_one() {
    let mut post = Post::new(DEVICE);
    let first = file(&mut post, 1, 0, b"full");
    assert_eq!(first.len(), usize::from(BYTES) - 6);
    assert_eq!(first[6..], (0..52).collect::<Vec<u8>>());
    // Busy: the same once more.
    assert_eq!(file(&mut post, 6, 0, b""), first);
    assert_eq!(file(&mut post, 4, 1, b""), b"\x03\0\x02\0\0\0");
    assert_eq!(post.write(4, &[4, 0, 2, 0, 0, 0]), 1);
    post.wire.wait_us(2_000);
    assert!(post.read().is_none());
}

#[test]
fn what_is_not_possible_gets_an_error_in_words() {
    let mut post = Post::new(DEVICE);
    assert_eq!(file(&mut post, 1, 0, b"nothing"), error(0x8001, b"not found"));
    assert_eq!(file(&mut post, 2, 0, b"log.txt"), error(0x8002, b"access denied"));
    assert_eq!(file(&mut post, 2, 0x1234, b"firmware"), error(0x8008, b"bootstrap only"));
    assert_eq!(file(&mut post, 3, 1, b"x"), error(0x8004, b"illegal"));
    assert_eq!(file(&mut post, 9, 0, b""), error(0x8004, b"illegal"));
    file(&mut post, 1, 0, b"full");
    assert_eq!(file(&mut post, 4, 7, b""), error(0x8005, b"packet number wrong"));
    assert_eq!(file(&mut post, 2, 0, b"full"), b"\x04\0\0\0\0\0");
    assert_eq!(file(&mut post, 3, 2, b"x"), error(0x8005, b"packet number wrong"));
}

#[test]
fn firmware_is_written_in_boot_only_and_survives_the_power() {
    let mut post = Post::in_init(DEVICE);
    // Without its mailboxes a bootloader does not start.
    assert_eq!(post.request_state(3), (0x11, 0x0015));
    post.open();
    assert_eq!(post.request_state(3), (3, 0));
    assert_eq!(file(&mut post, 2, 1, b"firmware"), error(0x800A, b"no rights"));
    assert_eq!(file(&mut post, 2, 0x1234, b"firmware"), b"\x04\0\0\0\0\0");
    let packet = [7; 52];
    assert_eq!(file(&mut post, 3, 1, &packet), b"\x06\0\x01\0\x02\0");
    assert_eq!(file(&mut post, 3, 1, &packet), b"\x06\0\x02\0\x02\0");
    assert_eq!(file(&mut post, 3, 1, &packet), b"\x04\0\x01\0\0\0");
    for _ in 0..2 {
        assert_eq!(file(&mut post, 3, 2, &[8, 9])[0], 6);
    }
    assert_eq!(file(&mut post, 3, 2, &[8, 9]), b"\x04\0\x02\0\0\0");
    // A bootloader has no objects.
    post.write(3, &[0, 0x20, 0x40, 0x00, 0x10, 0, 0, 0, 0, 0]);
    post.wire.wait_us(2_000);
    assert_eq!(post.read().unwrap().1, [1, 0, 2, 0]);
    post.wire.segment.apply(ecat_simulator::SegmentCommand::Unplug { device: 0 }, post.wire.now_ns);
    post.wire.segment.apply(ecat_simulator::SegmentCommand::Plug { device: 0 }, post.wire.now_ns);
    let written = post.wire.segment.devices()[0].esc.file("firmware").unwrap();
    assert_eq!((written.len(), &written[50..]), (54, &[7, 7, 8, 9][..]));
    assert_eq!(post.wire.word(0, reg::AL_STATUS), 1);
    assert_ne!(STATION, 0);
}
