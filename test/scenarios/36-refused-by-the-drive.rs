//! A drive that refuses a value: its code comes, and nothing else is seen.

use ecat_wire::mailbox::aoe::{AmsAddress, Header, NetId, Request, Response};

use crate::bench::Bench;
use crate::page;
use crate::post::Post;

const PAGE: &str = "36-refused-by-the-drive";
const SOE: u8 = 5;
const AOE: u8 = 1;
/// SoE: a read of the value of S-0-0091 of drive 0, and the head of its answer.
const READ: [u8; 4] = [0x01, 0x40, 91, 0];
const ANSWER: u8 = 0x02;
const FAILED: u8 = 0x10;

const SERVO: &str = r#"{ "devices": [{ "name": "servo", "type": "generic", "pdos": [],
  "mailbox": { "bytes": 64, "delayMs": 0,
    "soe": { "drives": [{ "idns": [{ "idn": "S-0-0091", "bytes": 4, "value": 5 }] }] } } }] }"#;

#[test]
fn a_protected_value_has_the_code_of_the_drive() {
    let mut servo = Post::new(SERVO);
    servo.control.inject(&page::fault(PAGE, "protected")).unwrap();
    let refused = [&[ANSWER | FAILED][..], &READ[1..], &0x7005_u16.to_le_bytes()].concat();
    assert_eq!(servo.ask(SOE, &READ), refused);
    let answered = [&[ANSWER][..], &READ[1..], &5_u32.to_le_bytes()].concat();
    assert_eq!(servo.ask(SOE, &READ), answered);
    servo.assert_nothing_counted();
}

#[test]
fn a_refused_request_has_the_result_of_ads() {
    let mut bench = Bench::new();
    bench.control.inject(&page::fault(PAGE, "unknown")).unwrap();
    let target = AmsAddress { net_id: NetId([5, 1, 1, 1, 3, 1]), port: 0x1000 };
    let source = AmsAddress { net_id: NetId([5, 1, 1, 1, 1, 1]), port: 0x8001 };
    let request = Request::Read { group: 16_416, offset: 0, length: 3 };
    let mut read = || {
        let mut body = [0; 58];
        let length = request.emit(&Header::request(target, source, 77), &mut body).unwrap();
        assert!(bench.post(AOE, &body[..length]));
        let (_, answer) = bench.fetch(10).expect("an answer");
        let (_, data) = Header::parse(&answer).unwrap();
        match Response::parse(request.command(), data).unwrap() {
            Response::Read(error, data) => (error.0, data.to_vec()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(), (0x0701, vec![]));
    assert_eq!(read(), (0, vec![1, 2, 3]));
    assert_eq!(bench.hits(), ["mail axis: done"]);
    assert_eq!(bench.differences(), [""; 0]);
}
