//! Servo drive profile: elements, fragments, protection, procedure commands, what drives tell, and telegrams as process
//! data.

use ecat_simulator::{MailEffect, MailFault, SegmentCommand};
use ecat_wire::mailbox::soe::{
    Attribute, Content, DataType, Elements, Emergency, Idn, List, Mail, Opcode, SoeError, command,
};
use ecat_wire::register as reg;
use ecat_wire::sync_manager::SyncManager;

use crate::mailbox::{Post, STATION};

const KIND: u8 = 5;
const BYTES: u16 = 64;
/// Two drives; mailboxes of 64 bytes.
const DRIVES: &str = r#"{ "devices": [{ "type": "generic", "pdos": [], "mailbox": { "bytes": 64, "delayMs": 0,
  "soe": { "drives": [
    { "password": "open", "idns": [
      { "idn": "S-0-0011", "name": "Class 1 diagnostic", "type": "binary", "write": [] },
      { "idn": "S-0-0091", "name": "Limit", "type": "signed", "bytes": 4, "decimals": 2, "unit": "1/s",
        "minimum": -100, "maximum": 100, "default": 7, "value": 9, "write": ["PRE-OP"] },
      { "idn": "S-0-0142", "name": "Text", "value": "a text", "maximumLength": 200 },
      { "idn": "P-0-0001", "bytes": 4, "type": "float", "value": 1.5, "minimum": 0, "maximum": 2.5 },
      { "idn": "P-0-0002", "name": "Locked", "value": 1, "password": true },
      { "idn": "P-0-0003", "name": "Not there yet", "value": 1, "invalid": true },
      { "idn": "S-0-0099", "name": "Reset", "command": { "durationMs": 10 } },
      { "idn": "S-0-0148", "name": "Homing", "command": { "durationMs": 10, "interruptible": false,
        "states": ["OP"] } },
      { "idn": "S-0-0152", "name": "Spindle", "command": { "durationMs": 10, "fails": true, "notifies": false } },
      { "idn": "S-0-0262", "name": "Load defaults", "command": {} } ] },
    { "idns": [{ "idn": "S-0-0091", "name": "Limit of the other", "value": 2 }] } ] } } }] }"#;

fn post() -> Post {
    Post::of_segment(DRIVES, BYTES)
}

fn request<'a>(
    opcode: Opcode,
    drive: u8,
    elements: Elements,
    idn: &str,
    data: &'a [u8],
) -> Mail<'a> {
    let content = Content::Last { idn: idn.parse().unwrap(), data };
    Mail { opcode, drive, elements, content }
}

fn send(post: &mut Post, mail: &Mail<'_>) {
    let mut body = [0; 64];
    let length = mail.emit(&mut body).unwrap();
    assert_eq!(post.write(KIND, &body[..length]), 1);
    post.wire.wait_us(100);
}

/// Reads elements, in as many fragments as come.
fn read_of(post: &mut Post, drive: u8, elements: Elements, idn: &str) -> Result<Vec<u8>, SoeError> {
    send(post, &request(Opcode::ReadRequest, drive, elements, idn, &[]));
    let mut data = Vec::new();
    let mut left_before = None;
    loop {
        let (kind, body) = post.read().expect("an answer");
        assert_eq!(kind & 0x0F, KIND);
        let answer = Mail::parse(&body).unwrap();
        assert_eq!((answer.opcode, answer.drive), (Opcode::ReadResponse, drive));
        assert_eq!(answer.elements, elements);
        match answer.content {
            Content::Fragment { left, data: more } => {
                assert!(left_before.is_none_or(|before| before == left + 1), "{left}");
                left_before = Some(left);
                data.extend_from_slice(more);
            }
            Content::Last { idn: of, data: more } => {
                assert_eq!((of, left_before.unwrap_or(1)), (idn.parse().unwrap(), 1));
                data.extend_from_slice(more);
                return Ok(data);
            }
            Content::Error { idn: of, code } => {
                assert_eq!(of, idn.parse().unwrap());
                return Err(code);
            }
        }
        post.wire.wait_us(100);
    }
}

fn read(post: &mut Post, idn: &str) -> Result<Vec<u8>, SoeError> {
    read_of(post, 0, Elements::VALUE, idn)
}

fn written(post: &mut Post) -> Result<(), SoeError> {
    let (_, body) = post.read().expect("an answer");
    let answer = Mail::parse(&body).unwrap();
    assert_eq!(answer.opcode, Opcode::WriteResponse);
    match answer.content {
        Content::Last { data: &[], .. } => Ok(()),
        Content::Error { code, .. } => Err(code),
        other => panic!("{other:?}"),
    }
}

fn write(post: &mut Post, idn: &str, data: &[u8]) -> Result<(), SoeError> {
    send(post, &request(Opcode::WriteRequest, 0, Elements::VALUE, idn, data));
    written(post)
}

fn list(content: &[u8], maximum: u16) -> Vec<u8> {
    List { maximum, content }.to_vec()
}

fn idns(bytes: &[u8]) -> Vec<String> {
    let (list, _) = List::parse(bytes).unwrap();
    list.content
        .chunks(2)
        .map(|word| Idn(u16::from_le_bytes([word[0], word[1]])).to_string())
        .collect()
}

#[test]
fn every_element_of_an_idn_can_be_read() {
    let mut post = post();
    let mut element = |element| read_of(&mut post, 0, element, "S-0-0091").unwrap();
    assert_eq!(element(Elements::DATA_STATE), [0, 0]);
    assert_eq!(element(Elements::NAME), list(b"Limit", 5));
    let attribute = Attribute {
        conversion: 1,
        length: 2,
        data_type: DataType::Signed,
        decimals: 2,
        protected_safe_op: true,
        protected_op: true,
        ..Attribute::default()
    };
    assert_eq!(element(Elements::ATTRIBUTE), attribute.bits().to_le_bytes());
    assert_eq!(element(Elements::UNIT), list(b"1/s", 3));
    assert_eq!(element(Elements::MINIMUM), (-100_i32).to_le_bytes());
    assert_eq!(element(Elements::MAXIMUM), 100_i32.to_le_bytes());
    assert_eq!(element(Elements::VALUE), [9, 0, 0, 0]);
    assert_eq!(element(Elements::DEFAULT), [7, 0, 0, 0]);
    // Several at once come in the order of their bits.
    assert_eq!(
        element(Elements(0x51)),
        [&[0, 0], &(-100_i32).to_le_bytes()[..], &[9, 0, 0, 0]].concat()
    );
    assert_eq!(read_of(&mut post, 1, Elements::VALUE, "S-0-0091"), Ok(vec![2, 0]));
}

#[test]
fn what_is_not_there_has_its_error() {
    let mut post = post();
    let mut error = |drive, elements, idn| read_of(&mut post, drive, elements, idn).unwrap_err();
    assert_eq!(error(2, Elements::VALUE, "S-0-0091"), SoeError::NO_DRIVE);
    assert_eq!(error(0, Elements(0), "S-0-0091"), SoeError::NO_ELEMENT);
    assert_eq!(error(0, Elements::VALUE, "S-0-0001"), SoeError::NO_IDN);
    assert_eq!(error(0, Elements::NAME, "P-0-0001"), SoeError::NO_NAME);
    assert_eq!(error(0, Elements::UNIT, "P-0-0001"), SoeError::NO_UNIT);
    assert_eq!(error(1, Elements::MINIMUM, "S-0-0091"), SoeError::NO_MINIMUM);
    assert_eq!(error(1, Elements(0x60), "S-0-0091"), SoeError::NO_MAXIMUM);
    assert_eq!(error(1, Elements::DEFAULT, "S-0-0091"), SoeError::NO_DEFAULT);
    // Mail that is no request.
    post.write(KIND, &[0x02, 0x40, 91, 0]);
    post.wire.wait_us(100);
    assert_eq!(post.read().unwrap().1, [1, 0, 5, 0]);
    post.write(KIND, &[0x00, 0x40, 91, 0]);
    post.wire.wait_us(100);
    assert_eq!(post.read().unwrap().1, [1, 0, 4, 0]);
}

#[test]
fn what_is_written_must_fit() {
    let mut post = post();
    assert_eq!(write(&mut post, "S-0-0091", &50_i32.to_le_bytes()), Ok(()));
    assert_eq!(read(&mut post, "S-0-0091"), Ok(vec![50, 0, 0, 0]));
    let refused: [(&str, &[u8], SoeError); 10] = [
        ("S-0-0091", &[1, 0, 0], SoeError::VALUE_SHORT),
        ("S-0-0091", &[1, 0, 0, 0, 0], SoeError::VALUE_LONG),
        ("S-0-0091", &(-101_i32).to_le_bytes(), SoeError::VALUE_TOO_LOW),
        ("S-0-0091", &101_i32.to_le_bytes(), SoeError::VALUE_TOO_HIGH),
        ("P-0-0001", &3_f32.to_le_bytes(), SoeError::VALUE_TOO_HIGH),
        ("S-0-0011", &[0, 0], SoeError::VALUE_READ_ONLY),
        ("S-0-0142", &[5, 0, 200, 0, b'x'], SoeError::VALUE_SHORT),
        ("S-0-0142", &[1, 0, 200, 0, b'x', b'y'], SoeError::VALUE_LONG),
        ("S-0-0024", &[1, 0, 28, 0, 1], SoeError::VALUE_INVALID),
        ("S-0-0001", &[0, 0], SoeError::NO_IDN),
    ];
    for (idn, data, code) in refused {
        assert_eq!(write(&mut post, idn, data), Err(code), "{idn}");
    }
    send(&mut post, &request(Opcode::WriteRequest, 0, Elements::NAME, "S-0-0091", b"x"));
    assert_eq!(written(&mut post), Err(SoeError::NAME_READ_ONLY));
    send(&mut post, &request(Opcode::WriteRequest, 7, Elements::VALUE, "S-0-0091", &[0; 4]));
    assert_eq!(written(&mut post), Err(SoeError::NO_DRIVE));
    // Not any more in SAFE-OP.
    assert_eq!(post.request_state(4), (4, 0));
    assert_eq!(write(&mut post, "S-0-0091", &[0; 4]), Err(SoeError::VALUE_PROTECTED));
    assert_eq!(read(&mut post, "S-0-0091"), Ok(vec![50, 0, 0, 0]));
}

#[test]
fn a_long_element_goes_in_fragments_both_ways() {
    let mut post = post();
    let text: Vec<u8> = (0..190).collect();
    let data = list(&text, 200);
    // 58 bytes of a body, four of them the header.
    let mut pieces = data.chunks(54).peekable();
    let mut left = data.len().div_ceil(54) as u16;
    while let Some(piece) = pieces.next() {
        left -= 1;
        let last = request(Opcode::WriteRequest, 0, Elements::VALUE, "S-0-0142", piece);
        let content = Content::Fragment { left, data: piece };
        let more = pieces.peek().is_some();
        send(&mut post, &if more { Mail { content, ..last } } else { last });
        if more {
            // Only the last one is answered.
            assert_eq!(post.read(), None);
        }
    }
    assert_eq!(written(&mut post), Ok(()));
    assert_eq!(read(&mut post, "S-0-0142"), Ok(data));
    // A fragment of another drive begins anew.
    let fragment = Content::Fragment { left: 1, data: &[0; 54] };
    let mail = request(Opcode::WriteRequest, 1, Elements::VALUE, "S-0-0091", &[]);
    send(&mut post, &Mail { content: fragment, ..mail });
    assert_eq!(write(&mut post, "S-0-0091", &[1, 0, 0, 0]), Ok(()));
    // More than a list can have.
    let long = request(Opcode::WriteRequest, 0, Elements::VALUE, "S-0-0142", &[0; 54]);
    for _ in 0..4 {
        send(&mut post, &Mail { content: fragment, ..long });
    }
    send(&mut post, &long);
    assert_eq!(written(&mut post), Err(SoeError::VALUE_LONG));
}

#[test]
fn a_value_with_a_password_opens_with_it_alone() {
    let mut post = post();
    assert_eq!(write(&mut post, "P-0-0002", &[5, 0]), Err(SoeError::PASSWORD));
    assert_eq!(write(&mut post, "S-0-0267", &list(b"shut", 64)), Err(SoeError::VALUE_INVALID));
    assert_eq!(write(&mut post, "P-0-0002", &[5, 0]), Err(SoeError::PASSWORD));
    assert_eq!(write(&mut post, "S-0-0267", &list(b"open", 64)), Ok(()));
    assert_eq!(write(&mut post, "P-0-0002", &[5, 0]), Ok(()));
    // It cannot be read back.
    assert_eq!(read(&mut post, "S-0-0267"), Ok(list(b"***", 3)));
}

#[test]
fn an_invalid_value_says_so_until_it_is_written() {
    let mut post = post();
    let state = |post: &mut Post| read_of(post, 0, Elements::DATA_STATE, "P-0-0003");
    assert_eq!(state(&mut post), Ok(command::INVALID.to_le_bytes().to_vec()));
    assert_eq!(write(&mut post, "P-0-0003", &[1, 0]), Ok(()));
    assert_eq!(state(&mut post), Ok(vec![0, 0]));
}

fn state_of(post: &mut Post, idn: &str) -> u16 {
    let state = read_of(post, 0, Elements::DATA_STATE, idn).unwrap();
    u16::from_le_bytes([state[0], state[1]])
}

#[test]
fn a_procedure_command_runs_for_its_time_and_tells_its_end() {
    let mut post = post();
    let attribute = read_of(&mut post, 0, Elements::ATTRIBUTE, "S-0-0099").unwrap();
    let attribute = Attribute::from_bits(u32::from_le_bytes(attribute.try_into().unwrap()));
    assert!(attribute.command && attribute.bytes() == 2);
    assert_eq!(state_of(&mut post, "S-0-0099"), command::STATE_NOT_SET);
    assert_eq!(write(&mut post, "S-0-0099", &[1, 0]), Ok(()));
    assert_eq!(state_of(&mut post, "S-0-0099"), command::SET);
    assert_eq!(write(&mut post, "S-0-0099", &[3, 0]), Ok(()));
    assert_eq!(state_of(&mut post, "S-0-0099"), command::STATE_RUNNING);
    assert_eq!(write(&mut post, "S-0-0099", &[3, 0]), Err(SoeError::COMMAND_ACTIVE));
    post.wire.wait_us(20_000);
    // The notification: data state 3 of S-0-0099.
    let (kind, body) = post.read().unwrap();
    assert_eq!((kind & 0x0F, body), (KIND, vec![0x05, 0x01, 99, 0, 3, 0]));
    assert_eq!(state_of(&mut post, "S-0-0099"), command::STATE_EXECUTED);
    // It is to be cleared before it runs again.
    assert_eq!(write(&mut post, "S-0-0099", &[3, 0]), Err(SoeError::COMMAND_ACTIVE));
    assert_eq!(write(&mut post, "S-0-0099", &[0, 0]), Ok(()));
    assert_eq!(state_of(&mut post, "S-0-0099"), command::STATE_NOT_SET);
    assert_eq!(write(&mut post, "S-0-0099", &[8, 0]), Err(SoeError::VALUE_INVALID));
    assert_eq!(write(&mut post, "S-0-0099", &[3]), Err(SoeError::VALUE_SHORT));
}

#[test]
fn a_command_is_interrupted_and_goes_on_where_it_can_be() {
    let mut post = post();
    assert_eq!(write(&mut post, "S-0-0099", &[3, 0]), Ok(()));
    assert_eq!(write(&mut post, "S-0-0099", &[1, 0]), Ok(()));
    assert_eq!(state_of(&mut post, "S-0-0099"), command::STATE_INTERRUPTED);
    post.wire.wait_us(20_000);
    assert_eq!(post.read(), None);
    assert_eq!(write(&mut post, "S-0-0099", &[3, 0]), Ok(()));
    post.wire.wait_us(20_000);
    assert!(post.read().is_some());
    assert_eq!(state_of(&mut post, "S-0-0099"), command::STATE_EXECUTED);
    // This one not before OP.
    assert_eq!(write(&mut post, "S-0-0148", &[3, 0]), Err(SoeError::COMMAND_NOT_NOW));
    assert_eq!(post.request_state(4), (4, 0));
    assert_eq!(post.request_state(8), (8, 0));
    assert_eq!(write(&mut post, "S-0-0148", &[3, 0]), Ok(()));
    assert_eq!(write(&mut post, "S-0-0148", &[1, 0]), Err(SoeError::COMMAND_NOT_INTERRUPTIBLE));
    assert_eq!(write(&mut post, "S-0-0148", &[0, 0]), Err(SoeError::COMMAND_NOT_INTERRUPTIBLE));
}

#[test]
fn a_command_that_fails_ends_in_error() {
    let mut post = post();
    assert_eq!(write(&mut post, "S-0-0152", &[3, 0]), Ok(()));
    post.wire.wait_us(20_000);
    assert_eq!(post.read(), None);
    assert_eq!(state_of(&mut post, "S-0-0152"), command::STATE_ERROR);
}

#[test]
fn an_emergency_sets_the_class_1_diagnostic_until_it_is_reset() {
    let mut post = post();
    let (code, register, data) = (0x8130, 0x11, [1, 2, 3, 4, 5]);
    let emergency = Emergency { drive: 0, code, register, data };
    let raise = SegmentCommand::RaiseDriveEmergency { device: 0, drive: 0, code, register, data };
    post.wire.segment.apply(raise, post.wire.now_ns);
    post.wire.wait_us(100);
    let (_, body) = post.read().unwrap();
    assert_eq!(Emergency::of(&Mail::parse(&body).unwrap()), Ok(Some(emergency)));
    assert_eq!(read(&mut post, "S-0-0011"), Ok(vec![0, 0x80]));
    assert_eq!(write(&mut post, "S-0-0099", &[3, 0]), Ok(()));
    post.wire.wait_us(20_000);
    post.read().unwrap();
    assert_eq!(read(&mut post, "S-0-0011"), Ok(vec![0, 0]));
}

#[test]
fn defaults_are_loaded_by_their_command() {
    let mut post = post();
    assert_eq!(write(&mut post, "S-0-0262", &[3, 0]), Ok(()));
    post.wire.wait_us(1_000);
    post.read().unwrap();
    assert_eq!(read(&mut post, "S-0-0091"), Ok(vec![7, 0, 0, 0]));
}

#[test]
fn a_drive_tells_a_value_by_command() {
    let mut post = post();
    let notify = SegmentCommand::NotifyIdn { device: 0, drive: 1, idn: 91 };
    post.wire.segment.apply(notify, post.wire.now_ns);
    post.wire.wait_us(100);
    assert_eq!(post.read().unwrap().1, [0x25, 0x40, 91, 0, 2, 0]);
}

#[test]
fn lists_follow_from_what_the_drive_has() {
    let mut post = post();
    let all = idns(&read(&mut post, "S-0-0017").unwrap());
    assert_eq!(all[..4], ["S-0-0011", "S-0-0016", "S-0-0017", "S-0-0024"]);
    assert_eq!(all.last().unwrap(), "P-0-0003");
    let commands = idns(&read(&mut post, "S-0-0025").unwrap());
    assert_eq!(commands, ["S-0-0099", "S-0-0148", "S-0-0152", "S-0-0262"]);
    assert_eq!(write(&mut post, "S-0-0017", &list(&[], 0)), Err(SoeError::VALUE_READ_ONLY));
}

#[test]
fn faults_hit_drives_as_other_mail() {
    let mut post = post();
    let disturb = |post: &mut Post, after, effect| {
        let fault = MailFault { after, count: 1, protocol: None, effect };
        post.wire.segment.apply(SegmentCommand::DisturbMail { device: 0, fault }, 0);
    };
    disturb(&mut post, 1, MailEffect::DriveError { code: 0x7005 });
    assert!(read(&mut post, "S-0-0091").is_ok());
    assert_eq!(read(&mut post, "S-0-0091"), Err(SoeError::VALUE_PROTECTED));
    disturb(&mut post, 0, MailEffect::DriveError { code: 0x800B });
    assert_eq!(write(&mut post, "S-0-0091", &[1, 0, 0, 0]), Err(SoeError::GENERAL));
    disturb(&mut post, 0, MailEffect::LoseReply);
    send(&mut post, &request(Opcode::WriteRequest, 0, Elements::VALUE, "S-0-0091", &[3, 0, 0, 0]));
    assert_eq!(post.read(), None);
    assert_eq!(read(&mut post, "S-0-0091"), Ok(vec![3, 0, 0, 0]));
}

/// The built-in drive with two axes; mailboxes of 512 bytes.
fn two_axes() -> Post {
    Post::of_segment(
        r#"{ "devices": [{ "type": "AX5206-like", "mailbox": { "delayMs": 0 } }] }"#,
        512,
    )
}

fn sync_managers(post: &mut Post, outputs: u16, inputs: u16) {
    for (number, start, length, control) in [(2, 0x1400, outputs, 0x24), (3, 0x1600, inputs, 0x20)]
    {
        let sm = SyncManager { start, length, control, enabled: true };
        post.wire.set(STATION, reg::sync_manager(number), &[0; 8]);
        post.wire.set(STATION, reg::sync_manager(number), &sm.to_bytes());
    }
}

#[test]
fn telegrams_are_the_process_data_of_both_axes() {
    let mut post = two_axes();
    assert_eq!(idns(&read(&mut post, "S-0-0024").unwrap()), ["S-0-0047"]);
    sync_managers(&mut post, 12, 12);
    assert_eq!(post.request_state(4), (4, 0));
    let outputs = [1, 0, 10, 11, 12, 13, 2, 0, 20, 21, 22, 23];
    post.wire.set(STATION, 0x1400, &outputs);
    assert_eq!(post.request_state(8), (8, 0));
    post.wire.set(STATION, 0x1400, &outputs);
    // Channels: control word and position of the first axis, then of the second.
    assert_eq!(post.wire.segment.output(0, 16, 32), 0x0D0C_0B0A);
    assert_eq!(post.wire.segment.output(0, 48, 16), 2);
    assert_eq!(read_of(&mut post, 1, Elements::VALUE, "S-0-0047"), Ok(vec![20, 21, 22, 23]));
    // Position of the second axis.
    post.wire.segment.set_input(0, 64, 32, 0x0102_0304);
    assert_eq!(post.wire.get(STATION, 0x1600, 12)[8..], [4, 3, 2, 1]);
    assert_eq!(read_of(&mut post, 1, Elements::VALUE, "S-0-0051"), Ok(vec![4, 3, 2, 1]));
    // What the telegram carries cannot be written beside it.
    assert_eq!(write(&mut post, "S-0-0047", &[0; 4]), Err(SoeError::CYCLIC));
    assert_eq!(write(&mut post, "S-0-0036", &[0; 4]), Ok(()));
}

#[test]
fn a_changed_configuration_list_changes_the_telegram() {
    let mut post = two_axes();
    let possible = idns(&read(&mut post, "S-0-0188").unwrap());
    assert_eq!(possible, ["S-0-0036", "S-0-0047", "S-0-0080"]);
    // Of the first axis, velocity and torque in place of the position.
    assert_eq!(write(&mut post, "S-0-0024", &list(&[36, 0, 80, 0], 28)), Ok(()));
    assert_eq!(write(&mut post, "S-0-0016", &list(&[51, 0, 40, 0, 84, 0], 28)), Ok(()));
    assert_eq!(write(&mut post, "S-0-0024", &list(&[51, 0], 28)), Err(SoeError::VALUE_INVALID));
    sync_managers(&mut post, 12, 12);
    assert_eq!(post.request_state(4), (0x12, 0x001D));
    // 2 + 4 + 2 and 2 + 4; 2 + 4 + 4 + 2 and 2 + 4.
    sync_managers(&mut post, 14, 18);
    assert_eq!(post.request_state(4), (4, 0));
    let outputs = [1, 0, 5, 6, 7, 8, 9, 10, 2, 0, 20, 21, 22, 23];
    post.wire.set(STATION, 0x1400, &outputs);
    assert_eq!(post.request_state(8), (8, 0));
    post.wire.set(STATION, 0x1400, &outputs);
    assert_eq!(read(&mut post, "S-0-0036"), Ok(vec![5, 6, 7, 8]));
    assert_eq!(read(&mut post, "S-0-0080"), Ok(vec![9, 10]));
    // Not in OP.
    assert_eq!(write(&mut post, "S-0-0024", &list(&[], 28)), Err(SoeError::VALUE_PROTECTED));
    // And not with another telegram type.
    post.request_state(2);
    assert_eq!(write(&mut post, "S-0-0015", &[0, 0]), Ok(()));
    assert_eq!(write(&mut post, "S-0-0024", &list(&[], 28)), Err(SoeError::OTHER_SETTINGS));
}
