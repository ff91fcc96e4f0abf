//! A segment that is taken by one link after another, and asked meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ecat_simulator::request::{Answer, Number, Outcome, Refusal, Request};
use ecat_simulator::{Keeper, Segment, SegmentCommand, SegmentDescription, SegmentHost};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::FrameWriter;
use ecat_wire::{Command, Link};

const SEGMENT: &str = r#"{ "devices": [
    { "type": "EK1100" },
    { "name": "in", "type": "digital-inputs", "channels": 8 },
    { "name": "axis", "type": "generic",
      "pdos": [{ "direction": "input", "index": 6656,
                 "entries": [{ "index": 24676, "bits": 32, "dataType": 4 }] }],
      "mailbox": { "objects": [{ "index": 8192, "dataType": 6, "value": 100 },
                               { "index": 8193, "value": "simulated" }],
                   "files": [{ "name": "log" }] } }
] }"#;

fn host() -> SegmentHost {
    SegmentHost::new(Segment::new(&SegmentDescription::from_json(SEGMENT).unwrap()).unwrap())
}

fn request(json: &str) -> Request {
    let mut request: Request = serde_json::from_str(json).unwrap();
    request.attach(Vec::new());
    request
}

fn object(index: u16) -> Request {
    request(&format!(
        r#"{{"kind":"read","device":2,"subject":{{"of":"object","index":{index},"subindex":0,"type":"unsigned"}}}}"#
    ))
}

fn asked(host: &SegmentHost, json: &str) -> Answer {
    let id = host.ask(request(json), None).unwrap();
    let answer = host.take_answer().unwrap();
    assert_eq!(answer.id, id);
    answer
}

fn frame() -> Vec<u8> {
    let mut bytes = vec![0; 128];
    let mut writer = FrameWriter::new(&mut bytes, MacAddress::MAIN_DEVICE).unwrap();
    writer.push_data(Command::Brd { register: 0x0000 }, 0, &[0]).unwrap();
    let length = writer.finish();
    bytes.truncate(length);
    bytes
}

/// Counts what it is told.
#[derive(Default)]
struct Counting {
    woken: AtomicU32,
    answered: AtomicU32,
}

impl Keeper for Counting {
    fn wake(&self) {
        self.woken.fetch_add(1, Ordering::Relaxed);
    }

    fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_segment_at_home_answers_at_once() {
    let host = host();
    let id = host.ask(object(0x2000), None).unwrap();
    let answer = host.take_answer().unwrap();
    assert_eq!((answer.id, answer.outcome), (id, Ok(Outcome::Number(Number::Integer(100), 6, 16))));
    assert_eq!(host.take_answer(), None);
    host.ask(object(0x2001), None).unwrap();
    assert_eq!(host.take_answer().unwrap().request.into_bytes(), b"simulated");
    host.ask(object(0x3000), None).unwrap();
    assert_eq!(host.take_answer().unwrap().outcome, Err(Refusal::NoObject));
    assert_eq!(asked(&host, r#"{"kind":"state","device":9}"#).outcome, Err(Refusal::NoDevice));
    asked(&host, r#"{"kind":"advance","byNs":5000}"#);
    assert_eq!(host.now_ns(), 5_000);
}

#[test]
fn a_segment_on_a_wire_answers_from_the_thread_that_has_it_and_its_keeper_is_told() {
    let host = host();
    let mut link = host.link().unwrap();
    assert!(host.link().is_err() && !host.is_at_home());
    let keeper = Arc::new(Counting::default());
    host.set_keeper(Arc::clone(&keeper) as _);
    let id = host.ask(object(0x2000), None).unwrap();
    assert_eq!(host.take_answer(), None);
    link.idle(1_000);
    assert_eq!(host.take_answer().unwrap().id, id);
    assert_eq!(keeper.woken.load(Ordering::Relaxed), 1);
    assert_eq!(keeper.answered.load(Ordering::Relaxed), 1);
    let refused = host.ask(request(r#"{"kind":"advance","byNs":1}"#), None).unwrap();
    link.send(&frame(), 2_000).unwrap();
    let answer = host.take_answer().unwrap();
    assert_eq!((answer.id, answer.outcome), (refused, Err(Refusal::NotParked)));
    assert_eq!(answer.at_ns, 2_000);
    // A command is nobody's request.
    host.command(SegmentCommand::Unplug { device: 1 }, None).unwrap();
    link.idle(3_000);
    assert_eq!(host.take_answer(), None);
    assert_eq!(keeper.answered.load(Ordering::Relaxed), 2);
}

#[test]
fn what_was_asked_is_answered_even_if_the_link_is_dropped_first() {
    let host = host();
    let link = host.link().unwrap();
    host.ask(object(0x2000), None).unwrap();
    drop(link);
    assert!(host.is_at_home());
    assert!(host.take_answer().unwrap().outcome.is_ok());
}

#[test]
fn time_goes_on_where_it_stood_whatever_the_clock_of_the_next_one_says() {
    let host = host();
    let mut link = host.link().unwrap();
    link.send(&frame(), 7_000_000).unwrap();
    drop(link);
    asked(&host, r#"{"kind":"advance","byNs":1000000}"#);
    let mut link = host.link().unwrap();
    link.send(&frame(), 1_000).unwrap();
    assert_eq!(host.now_ns(), 8_000_000);
    link.send(&frame(), 3_000).unwrap();
    assert_eq!(host.now_ns(), 8_002_000);
}

#[test]
fn what_is_on_the_cable_to_the_main_device_outlives_the_link() {
    let host = host();
    host.command(SegmentCommand::LinkDown, None).unwrap();
    let mut link = host.link().unwrap();
    assert!(!link.is_up() && link.send(&frame(), 1).is_err());
    host.command(SegmentCommand::LinkUp, None).unwrap();
    link.send(&frame(), 2).unwrap();
    assert!(link.receive(&mut [0; 128], 2).unwrap().is_some());
}

#[test]
fn a_watch_is_answered_when_its_conditions_hold_or_when_it_is_ended() {
    let host = host();
    let watch = |above: &str| {
        let json = format!(
            r#"{{"kind":"watch","terms":[
                {{"device":2,"comparison":"above","than":"{above}",
                  "subject":{{"of":"object","index":24676,"subindex":0,"type":"signed"}}}},
                {{"device":1,"comparison":"is","than":"1",
                  "subject":{{"of":"input","bitOffset":0,"bitLength":1,"type":"unsigned"}}}}]}}"#
        );
        host.ask(request(&json), None).unwrap()
    };
    let (near, far) = (watch("10"), watch("1000"));
    let mut link = host.link().unwrap();
    let write = r#"{"kind":"write","device":2,"index":24676,"subindex":0,"value":"500"}"#;
    let wrote = host.ask(request(write), None).unwrap();
    link.idle(1_000);
    assert_eq!(host.take_answer().unwrap().id, wrote);
    assert_eq!(host.take_answer(), None, "the input is still 0");
    let set = SegmentCommand::SetInput { device: 1, bit_offset: 0, bit_length: 1, value: 1 };
    host.command(set, None).unwrap();
    link.send(&frame(), 2_000).unwrap();
    let answer = host.take_answer().unwrap();
    assert_eq!((answer.id, answer.outcome, answer.at_ns), (near, Ok(Outcome::Done), 2_000));
    let ended = host.ask(Request::Unwatch { watch: far }, None).unwrap();
    link.idle(3_000);
    let answer = host.take_answer().unwrap();
    assert_eq!((answer.id, answer.outcome), (far, Ok(Outcome::Ended)));
    assert_eq!(answer.json()["last"], serde_json::json!(["500", "1"]));
    assert_eq!(host.take_answer().unwrap().id, ended);
}

#[test]
fn an_answer_that_does_not_fit_its_buffer_is_asked_for_again() {
    let host = host();
    let mut write = request(r#"{"kind":"writeFile","device":2,"name":"log"}"#);
    write.attach(vec![7; 100_000]);
    host.ask(write, None).unwrap();
    assert!(host.take_answer().unwrap().outcome.is_ok());
    let read = request(r#"{"kind":"readFile","device":2,"name":"log"}"#);
    let id = host.ask(read.clone(), None).unwrap();
    let answer = host.take_answer().unwrap();
    assert_eq!((answer.id, answer.request.into_bytes().len()), (id, 100_000));
    let mut link = host.link().unwrap();
    let id = host.ask(read, None).unwrap();
    link.idle(1);
    assert_eq!(host.take_answer(), None);
    link.idle(2);
    let answer = host.take_answer().unwrap();
    assert_eq!((answer.id, answer.request.into_bytes().len()), (id, 100_000));
}

#[test]
fn too_many_requests_are_refused_and_none_is_lost() {
    let host = host();
    let mut link = host.link().unwrap();
    let mut asked = 0;
    while host.ask(object(0x2000), None).is_ok() {
        asked += 1;
    }
    assert_eq!(asked, ecat_simulator::host::REQUESTS_MAX);
    link.idle(1);
    assert_eq!(std::iter::from_fn(|| host.take_answer()).count(), asked);
    host.ask(object(0x2000), None).unwrap();
}
