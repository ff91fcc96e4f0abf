//! What descriptions and commands can have a program do in the AL state machine: explicit device
//! identification (ETG1020), refusals with a condition, leaving a state by itself.

use ecat_simulator::{SegmentCommand, SegmentDescription};
use ecat_wire::register as reg;
use ecat_wire::sii::Sii;

use crate::mailbox::{Post, STATION};

fn device(keys: &str) -> String {
    format!(r#"{{ "type": "generic", "pdos": [], "mailbox": {{ "bytes": 64 }}, {keys} }}"#)
}

fn request(post: &mut Post, control: u16) -> (u16, u16) {
    assert_eq!(post.wire.set(STATION, reg::AL_CONTROL, &control.to_le_bytes()), 1);
    post.wire.wait_us(1_000);
    (post.wire.word(STATION, reg::AL_STATUS), post.wire.word(STATION, reg::AL_STATUS_CODE))
}

#[test]
fn a_device_tells_its_identification_when_it_is_asked_and_has_no_error() {
    // AL control bit 5 → AL status bit 5, and the identification in 0x0134.
    let mut post = Post::in_init(&device(r#""identification": 1234"#));
    post.open();
    assert_eq!(request(&mut post, 0x21), (0x21, 1234));
    assert_eq!(request(&mut post, 0x22), (0x22, 1234));
    assert_eq!(request(&mut post, 0x02), (0x02, 0));
    assert_eq!(request(&mut post, 0x28), (0x12, 0x0011), "an error comes first");
    assert_eq!(request(&mut post, 0x32), (0x22, 1234));
    post.wire.segment.apply(SegmentCommand::SetIdentification { device: 0, identification: 7 }, 0);
    assert_eq!(request(&mut post, 0x22), (0x22, 7));
    let mut without = Post::in_init(&device(r#""serial": 1"#));
    assert_eq!(request(&mut without, 0x21), (0x01, 0));
}

#[test]
fn the_sii_says_how_to_ask_for_the_identification() {
    // General category, flags bit 3 (IdentALSts).
    let json = format!(r#"{{"devices":[{}]}}"#, device(r#""identification": 1"#));
    let description = SegmentDescription::from_json(&json).unwrap();
    let image = ecat_simulator::devices::DeviceImage::all(&description).unwrap().remove(0);
    assert_eq!(Sii::parse(&image.sii).unwrap().general.unwrap().flags & 0x08, 0x08);
}

#[test]
fn a_transition_is_refused_when_its_condition_is_there() {
    let when = |condition: &str| {
        let key = format!(r#""refuse": [{{ "to": "PRE-OP", "code": 66, "when": {condition} }}]"#);
        let mut post = Post::in_init(&device(&key));
        post.open();
        post
    };
    let mut post = when(r#"{ "syncManager": 0, "length": 64 }"#);
    assert_eq!(request(&mut post, 2), (0x11, 66));
    let mut post = when(r#"{ "syncManager": 0, "length": 65 }"#);
    assert_eq!(request(&mut post, 2), (2, 0));
    // Devices that need their EEPROM: 0x0500 bit 0.
    let mut post = when(r#"{ "register": 1280, "mask": 1, "value": 0 }"#);
    assert_eq!(request(&mut post, 2), (0x11, 66));
    post.wire.set(STATION, reg::EEPROM_OWNER, &[1]);
    assert_eq!(request(&mut post, 0x12), (2, 0));
    let mut post = when(r#"{ "firstAttempts": 2 }"#);
    assert_eq!([0x12, 0x12, 0x12].map(|control| request(&mut post, control).0), [0x11, 0x11, 2]);
    let mut post = when(r#"{ "afterAttempts": 1 }"#);
    assert_eq!([0x12, 0x11, 0x12].map(|control| request(&mut post, control).0), [2, 1, 0x11]);
    let mut post = when(r#"{ "object": 4120, "subindex": 1, "value": 1 }"#);
    assert_eq!(request(&mut post, 2), (2, 0));
}

#[test]
fn a_condition_that_says_nothing_is_an_error_at_its_place() {
    for condition in [
        "{}",
        r#"{ "syncManager": 2 }"#,
        r#"{ "syncManager": 2, "length": 1, "value": 2 }"#,
        r#"{ "register": 1280, "value": 256 }"#,
        r#"{ "firstAttempts": 1, "afterAttempts": 2 }"#,
    ] {
        let key = format!(r#""refuse": [{{ "to": "OP", "code": 1, "when": {condition} }}]"#);
        let json = format!(r#"{{"devices":[{}]}}"#, device(&key));
        let description = SegmentDescription::from_json(&json).unwrap();
        let error = ecat_simulator::devices::DeviceImage::all(&description).unwrap_err();
        assert_eq!(error.path, "/devices/0/refuse/0/when", "{condition}");
    }
}

#[test]
fn a_program_leaves_a_state_by_itself_when_that_is_commanded() {
    let mut post = Post::new(&device(r#""serial": 1"#));
    assert_eq!(post.request_state(4), (4, 0));
    let command = SegmentCommand::LeaveState { device: 0, state: 2, code: 0x0050 };
    post.wire.segment.apply(command, post.wire.now_ns);
    assert_eq!(post.wire.word(STATION, reg::ECAT_EVENT) & 0x08, 0x08, "an event of AL status");
    assert_eq!(post.wire.word(STATION, reg::AL_STATUS), 0x12);
    assert_eq!(post.wire.word(STATION, reg::AL_STATUS_CODE), 0x0050);
    assert_eq!(post.request_state(2), (2, 0));
}
