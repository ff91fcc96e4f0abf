//! Arbitrary mail: no panic, answers that are mail, and no more memory than the mailbox is bounded to.

use ecat_wire::mailbox::coe::sdo::Response;
use ecat_wire::mailbox::coe::{Service, info::Fragment};
use ecat_wire::mailbox::foe::Packet;
use ecat_wire::mailbox::{ErrorReply, Header, Kind, aoe, eoe, soe, voe};
use proptest::prelude::*;

use crate::mailbox::Post;

const DEVICE: &str = r#"{
  "type": "generic",
  "pdos": [
    { "direction": "output", "index": 5632, "entries": [{ "index": 24640, "bits": 16 }] },
    { "direction": "input", "index": 6656, "entries": [{ "index": 24641, "bits": 16 }] } ],
  "mailbox": { "bytes": 64, "delayMs": 0,
    "objects": [
      { "index": 8192, "dataType": 6 },
      { "index": 8193, "dataType": 9, "bits": 800, "value": "text" },
      { "index": 8194, "entries": [{ "subindex": 1, "dataType": 1 }, { "subindex": 9, "dataType": 6 }] } ],
    "files": [{ "name": "a", "content": [1, 2, 3], "busyAnswers": 1 }],
    "eoe": { "mac": "02:00:00:00:00:09", "ip": "10.0.0.9", "host": true, "sockets": 2, "fragmentTimeoutMs": 5 },
    "soe": { "drives": [{ "password": "a", "idns": [
      { "idn": "S-0-0001", "value": 5, "minimum": 1, "maximum": 9 }, { "idn": "S-0-0002", "cyclic": "both" },
      { "idn": "S-0-0003", "value": "text", "maximumLength": 200 }, { "idn": "S-0-0099", "command": {} } ] }, {}] },
    "aoe": { "netId": "5.1.1.1.3.1", "areas": [{ "group": 1, "offset": 0, "bytes": 9 }] },
    "voe": { "vendorId": 1, "echo": true } } }"#;

/// Mail that is nearly right more often than by chance.
fn mail() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let byte = any::<u8>();
    let index = prop::sample::select(vec![
        0x1000_u16, 0x1018, 0x10F3, 0x1600, 0x1A00, 0x1C12, 0x1C13, 0x2000, 0x2001, 0x2002, 0x6040,
    ]);
    let sdo = (byte, index, 0..10_u8, prop::collection::vec(0..20_u8, 0..40)).prop_map(
        |(command, index, subindex, data)| {
            let [low, high] = index.to_le_bytes();
            (3, [&[0, 0x20, command, low, high, subindex], &data[..]].concat())
        },
    );
    let information = (0..9_u8, prop::collection::vec(0..0x21_u8, 0..8))
        .prop_map(|(opcode, data)| (3, [&[0, 0x80, opcode, 0, 0, 0], &data[..]].concat()));
    let file = (0..8_u8, 0..4_u8, prop::collection::vec(any::<u8>(), 0..53)).prop_map(
        |(opcode, word, data)| {
            let data = if opcode < 3 { b"a".to_vec() } else { data };
            (4, [&[opcode, 0, word, 0, 0, 0], &data[..]].concat())
        },
    );
    let idn = prop::sample::select(vec![0_u16, 1, 2, 3, 16, 24, 99, 187, 0x8001]);
    let drive = (byte, byte, idn, prop::collection::vec(0..20_u8, 0..50)).prop_map(
        |(opcode, elements, idn, data)| {
            let [low, high] = idn.to_le_bytes();
            (5, [&[opcode & 0x3F, elements, low, high], &data[..]].concat())
        },
    );
    let ethernet = (0..9_u8, 0..12_u8, byte, prop::collection::vec(0..20_u8, 0..54)).prop_map(
        |(kind, place, numbers, data)| {
            (2, [&[kind, numbers & 3, place, numbers], &data[..]].concat())
        },
    );
    let group = prop::sample::select(vec![1_u32, 0xF302, 0xF100, 7]);
    let ads = (0..10_u16, group, 0..12_u32, 0..40_u32, prop::collection::vec(byte, 0..14))
        .prop_map(|(command, group, offset, length, data)| {
            let asked =
                [&group.to_le_bytes()[..], &offset.to_le_bytes(), &length.to_le_bytes(), &data]
                    .concat();
            let asked = &asked[..asked.len().min(26)];
            let [low, high] = command.to_le_bytes();
            let head = [5, 1, 1, 1, 3, 1, 0xFF, 0xFF, 1, 2, 3, 4, 1, 1, 0, 0x80, low, high, 4, 0];
            let size = (asked.len() as u32).to_le_bytes();
            (1, [&head[..], &size, &[0; 4], &[7, 0, 0, 0], asked].concat())
        });
    let vendor = prop::collection::vec(0..2_u8, 0..30).prop_map(|body| (15, body));
    let anything = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..58));
    prop_oneof![4 => sdo, 2 => information, 2 => file, 3 => drive, 3 => ethernet, 3 => ads, 1 => vendor, 1 => anything]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_mail_is_answered_by_mail_or_not_at_all(
        mails in prop::collection::vec(mail(), 1..40), state in prop::sample::select(vec![2_u16, 4]),
    ) {
        let mut post = Post::new(DEVICE);
        post.request_state(state);
        for (kind, body) in mails {
            post.write(kind, &body);
            post.wire.wait_us(10);
            // A list in fragments is the most that one mail gets.
            let mut answers = 0;
            while let Some((kind, body)) = post.read() {
                answers += 1;
                prop_assert!(answers < 16);
                let known = match Kind::from_code(kind) {
                    Kind::Error => ErrorReply::parse(&body).is_ok(),
                    Kind::Foe => Packet::parse(&body).is_ok(),
                    Kind::Coe => Service::parse(&body).is_ok_and(|(service, payload)| match service {
                        Service::SdoInformation => Fragment::parse(payload).is_ok(),
                        _ => Response::parse(payload).is_ok(),
                    }),
                    Kind::Eoe => eoe::Mail::parse(&body).is_ok(),
                    Kind::Soe => soe::Mail::parse(&body).is_ok(),
                    Kind::Aoe => aoe::Header::parse(&body).is_ok(),
                    Kind::Voe => voe::Message::parse(&body).is_ok(),
                    _ => false,
                };
                prop_assert!(known, "{kind:#x} {body:x?}");
                let header = Header::new(Kind::Coe, body.len() as u16, 1);
                prop_assert!(header.length <= 58);
                post.wire.wait_us(10);
            }
        }
    }
}
