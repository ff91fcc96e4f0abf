//! A lost fragment of an Ethernet frame: it is no frame, and nothing else is seen.

use std::net::Ipv4Addr;

use ecat_wire::mailbox::eoe::{Arrived, Assembler, Cutter, IpParameters, Mail, Message};
use etherparse::PacketBuilder;

use crate::bench::Bench;
use crate::page;
use crate::post::Post;

const PAGE: &str = "27-lost-ethernet-fragment";
const EOE: u8 = 2;
/// What a mail of the axis holds.
const BODY_BYTES: usize = 64 - 6;
const OURS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
const AXIS: [u8; 6] = [0x02, 0, 0x5E, 0, 0, 0x09];
const IP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 9);
const CAMERA: &str = r#"{ "devices": [{ "name": "camera", "type": "generic", "pdos": [],
  "mailbox": { "bytes": 256, "delayMs": 0, "eoe": { "ip": "192.168.1.9" } } }] }"#;

fn disturbed(name: &str) -> Bench {
    let bench = Bench::new();
    bench.control.inject(&page::fault(PAGE, name)).unwrap();
    bench
}

/// Sends an echo request in as many mails as it needs; numbers of the fragments that come back, and the frame that
/// they make.
fn ping(bench: &mut Bench) -> (Vec<u8>, Option<Vec<u8>>) {
    let builder = PacketBuilder::ethernet2(OURS, AXIS).ipv4([192, 168, 1, 1], IP.octets(), 64);
    let mut frame = Vec::new();
    builder.icmpv4_echo_request(7, 1).write(&mut frame, &[3; 60]).unwrap();
    let mut cutter = Cutter::new(0, 5, &frame, None);
    while let Some(fragment) = cutter.next_mail(BODY_BYTES) {
        let mut body = [0; BODY_BYTES];
        let length = fragment.emit(&mut body).unwrap();
        assert!(bench.post(EOE, &body[..length]));
        bench.cycles(3);
    }
    let (mut numbers, mut whole, mut assembler) = (Vec::new(), None, Assembler::default());
    while let Some((_, body)) = bench.fetch(10) {
        let Message::Fragment(fragment) = Mail::parse(&body).unwrap().message else {
            panic!("{body:x?} is no fragment");
        };
        numbers.push(body[2] & 0x3F);
        if let Arrived::Frame { bytes, .. } = assembler.take(&fragment) {
            whole = Some(bytes);
        }
    }
    (numbers, whole)
}

/// An answered ping: three fragments, from the axis to us.
fn assert_answered(bench: &mut Bench) {
    let (numbers, frame) = ping(bench);
    assert_eq!(numbers, [0, 1, 2]);
    let frame = frame.expect("a frame");
    assert_eq!((&frame[..6], &frame[6..12]), (&OURS[..], &AXIS[..]));
}

#[test]
fn of_an_answer_with_a_gap_no_frame_can_be_made() {
    let mut bench = disturbed("out");
    assert_eq!(ping(&mut bench), (vec![0, 2], None));
    assert_answered(&mut bench);
    assert_eq!(bench.hits(), ["mail axis: done"]);
    assert_eq!(bench.differences(), [""; 0]);
}

#[test]
fn a_question_with_a_gap_is_not_answered() {
    let mut bench = disturbed("in");
    assert_eq!(ping(&mut bench), (vec![], None));
    assert_answered(&mut bench);
    assert_eq!(bench.hits(), ["mail axis: done"]);
    assert_eq!(bench.differences(), [""; 0]);
}

#[test]
fn a_refused_address_has_a_result_and_is_not_taken() {
    let mut post = Post::new(CAMERA);
    post.control.inject(&page::fault(PAGE, "address")).unwrap();
    let mut ask = |message| {
        let mut body = [0; 128];
        let length = Mail { port: 0, message }.emit(&mut body).unwrap();
        post.ask(EOE, &body[..length])
    };
    let set = |ip| Message::SetIp(IpParameters { ip: Some(ip), ..IpParameters::default() });
    let other = Ipv4Addr::new(10, 0, 0, 9);
    assert_eq!(ask(set(other)), [3, 1, 2, 0]);
    let mut address = || {
        let answer = ask(Message::GetIp);
        let Message::Ip(Ok(addresses)) = Mail::parse(&answer).unwrap().message else { panic!() };
        addresses.ip
    };
    assert_eq!(address(), Some(IP));
    assert_eq!(ask(set(other)), [3, 1, 0, 0]);
    post.assert_nothing_counted();
}
