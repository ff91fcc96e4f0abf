//! A vendor's own protocol: answers that are described, and an echo.

use ecat_wire::mailbox::voe::Message;

use crate::mailbox::Post;

const VENDOR: u32 = 0x0000_0539;
const DEVICE: &str = r#"{ "type": "generic", "vendorId": 1337, "pdos": [],
  "mailbox": { "bytes": 64, "voe": { "vendorType": 2, "echo": true,
    "answers": [{ "request": [1, 2], "answer": [9, 8, 7] }] } } }"#;

fn ask(post: &mut Post, vendor_id: u32, vendor_type: u16, data: &[u8]) -> (u8, Vec<u8>) {
    let mut body = [0; 64];
    let length = Message { vendor_id, vendor_type, data }.emit(&mut body).unwrap();
    assert_eq!(post.write(15, &body[..length]), 1);
    post.wire.wait_us(2_000);
    let (kind, body) = post.read().expect("an answer");
    (kind & 0x0F, body)
}

#[test]
fn a_request_that_is_described_gets_its_answer_and_others_come_back() {
    let mut post = Post::new(DEVICE);
    let header = [0x39, 0x05, 0, 0, 2, 0];
    assert_eq!(ask(&mut post, VENDOR, 2, &[1, 2]), (15, [&header[..], &[9, 8, 7]].concat()));
    assert_eq!(ask(&mut post, VENDOR, 2, &[1]), (15, [&header[..], &[1]].concat()));
}

#[test]
fn mail_of_another_vendor_or_type_is_a_protocol_that_the_device_does_not_have() {
    let mut post = Post::new(DEVICE);
    assert_eq!(ask(&mut post, 2, 2, &[1, 2]), (0, vec![1, 0, 2, 0]));
    assert_eq!(ask(&mut post, VENDOR, 3, &[1, 2]), (0, vec![1, 0, 2, 0]));
    post.write(15, &[1, 2, 3]);
    post.wire.wait_us(2_000);
    assert_eq!(post.read().unwrap().1, [1, 0, 6, 0]);
}
