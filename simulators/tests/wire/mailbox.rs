//! Mail: the handshake of SyncManagers 0 and 1, and CANopen over it. Bytes are those of ETG1000.6.

use ecat_simulator::devices::DeviceImage;
use ecat_simulator::esc::Esc;
use ecat_simulator::{Segment, SegmentDescription};
use ecat_wire::sii::Sii;
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, register as reg};

use crate::wire::Wire;

pub const STATION: u16 = 0x1001;
pub const BYTES: u16 = 64;
pub const OUT: u16 = 0x1000;

/// A device on a wire, or several with mailboxes of one size, each with a counter for the mail that it gets.
pub struct Post {
    pub wire: Wire,
    /// Whose mail it is.
    pub station: u16,
    counters: [u8; 8],
    bytes: u16,
}

impl Post {
    /// In PRE-OP, with the mailboxes of its SII.
    pub fn new(device: &str) -> Self {
        let mut post = Self::in_init(device);
        post.open();
        assert_eq!(post.request_state(2), (2, 0));
        post
    }

    pub fn in_init(device: &str) -> Self {
        let json = format!(r#"{{"devices":[{device}]}}"#);
        let description = SegmentDescription::from_json(&json).unwrap();
        let image = DeviceImage::all(&description).unwrap().remove(0);
        let mailbox = Sii::parse(&image.sii).unwrap().mailbox;
        assert_eq!(mailbox.send_offset, OUT + mailbox.send_size);
        let wire = Wire::new(vec![Esc::new(image.profile, image.sii)]);
        Self { wire, station: STATION, counters: [0; 8], bytes: mailbox.send_size }
    }

    /// A whole segment whose devices all have such mailboxes, in PRE-OP.
    pub fn of_segment(json: &str, bytes: u16) -> Self {
        let description = SegmentDescription::from_json(json).unwrap();
        let count = description.devices.len() as u16;
        let wire = Wire::of(Segment::new(&description).unwrap());
        let mut post = Self { wire, station: STATION, counters: [0; 8], bytes };
        for n in 0..count {
            post.station = STATION + n;
            post.open();
            assert_eq!(post.request_state(2), (2, 0));
        }
        post.station = STATION;
        post
    }

    /// Activates SyncManagers 0 and 1.
    pub fn open(&mut self) {
        for (number, start, control) in [(0, OUT, 0x26), (1, OUT + self.bytes, 0x22)] {
            let sm = SyncManager { start, length: self.bytes, control, enabled: true };
            assert_eq!(self.wire.set(self.station, reg::sync_manager(number), &sm.to_bytes()), 1);
        }
    }

    /// Requests an AL state; the state and code that come of it.
    pub fn request_state(&mut self, state: u16) -> (u16, u16) {
        let station = self.station;
        assert_eq!(self.wire.set(station, reg::AL_CONTROL, &(state | 0x10).to_le_bytes()), 1);
        self.wire.wait_us(2_000);
        let status = self.wire.word(station, reg::AL_STATUS);
        (status, self.wire.word(station, reg::AL_STATUS_CODE))
    }

    /// Writes mail of a type; the working counter.
    pub fn write(&mut self, kind: u8, body: &[u8]) -> u16 {
        let counter = &mut self.counters[usize::from(self.station & 7)];
        *counter = *counter % 7 + 1;
        let length = (body.len() as u16).to_le_bytes();
        let header = [length[0], length[1], 0, 0, 0, kind | *counter << 4];
        self.write_raw(&[&header, body].concat())
    }

    pub fn write_raw(&mut self, mail: &[u8]) -> u16 {
        let mut mail = mail.to_vec();
        mail.resize(usize::from(self.bytes), 0);
        self.wire.write(Command::Fpwr { station: self.station, register: OUT }, &mail)
    }

    /// Reads mail: type and counter, and the body.
    pub fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = Command::Fprd { station: self.station, register: OUT + self.bytes };
        let (mail, working_counter) = self.wire.read(read, usize::from(self.bytes));
        let length = usize::from(u16::from_le_bytes([mail[0], mail[1]]));
        (working_counter == 1).then(|| (mail[5], mail[6..6 + length].to_vec()))
    }

    /// One mail and its answer, which must be of the same type.
    pub fn ask(&mut self, kind: u8, body: &[u8]) -> Vec<u8> {
        assert_eq!(self.write(kind, body), 1);
        self.wire.wait_us(2_000);
        let (answered, body) = self.read().expect("an answer");
        assert_eq!(answered & 0x0F, kind);
        body
    }

    /// An SDO: `body` behind the CoE header of a request, and the answer behind that of a response.
    pub fn sdo(&mut self, body: &[u8]) -> Vec<u8> {
        let answer = self.ask(3, &[&[0, 0x20], body].concat());
        let service = if answer[2] == 0x80 { 0x20 } else { 0x30 };
        assert_eq!(answer[..2], [0, service]);
        answer[2..].to_vec()
    }
}

/// Objects of every kind; mailboxes of 64 bytes.
const DEVICE: &str = r#"{
  "type": "generic", "vendorId": 2, "serial": 7, "pdos": [],
  "mailbox": { "bytes": 64, "objects": [
    { "index": 8192, "name": "Word", "dataType": 6, "value": 4660, "minimum": 10, "maximum": 5000 },
    { "index": 8193, "name": "Text", "dataType": 9, "bits": 2400, "value": "simulated" },
    { "index": 8194, "name": "Record", "entries": [
      { "subindex": 1, "name": "Byte", "dataType": 5, "value": 1 },
      { "subindex": 2, "name": "Long", "dataType": 7, "value": 305419896, "access": "ro" },
      { "subindex": 3, "name": "Secret", "dataType": 6, "value": 9, "access": "wo" } ] },
    { "index": 8195, "name": "Array", "array": true, "entries": [
      { "subindex": 1, "dataType": 6, "value": 1 }, { "subindex": 2, "dataType": 6, "value": 2 } ] },
    { "index": 8196, "name": "Setup", "dataType": 5, "access": "rw-pre-op" } ] } }"#;

#[test]
fn a_value_of_up_to_four_bytes_comes_expedited() {
    let mut post = Post::new(DEVICE);
    let answer = post.sdo(&[0x40, 0x00, 0x20, 0, 0, 0, 0, 0]);
    assert_eq!(answer, [0x4B, 0x00, 0x20, 0, 0x34, 0x12, 0, 0]);
    // Subindex 0 of the identity: one byte.
    assert_eq!(post.sdo(&[0x40, 0x18, 0x10, 0, 0, 0, 0, 0]), [0x4F, 0x18, 0x10, 0, 4, 0, 0, 0]);
    assert_eq!(post.sdo(&[0x40, 0x18, 0x10, 4, 0, 0, 0, 0]), [0x43, 0x18, 0x10, 4, 7, 0, 0, 0]);
}

#[test]
fn a_longer_value_comes_with_its_size() {
    let mut post = Post::new(DEVICE);
    let answer = post.sdo(&[0x40, 0x01, 0x20, 0, 0, 0, 0, 0]);
    assert_eq!(answer[..8], [0x41, 0x01, 0x20, 0, 9, 0, 0, 0]);
    assert_eq!(&answer[8..], b"simulated");
}

#[test]
fn segments_go_both_ways_with_a_toggle() {
    let mut post = Post::new(DEVICE);
    let text: Vec<u8> = (0..250_u8).collect();
    // 64 bytes hold 48 of the first mail and 55 of a segment.
    let first = [&[0x21, 0x01, 0x20, 0, 250, 0, 0, 0], &text[..48]].concat();
    assert_eq!(post.sdo(&first), [0x60, 0x01, 0x20, 0, 0, 0, 0, 0]);
    for (n, (segment, command)) in text[48..].chunks(55).zip([0x00, 0x10, 0x00, 0x11]).enumerate() {
        let answer = post.sdo(&[&[command], segment].concat());
        assert_eq!(answer[0], 0x20 | (n as u8 & 1) << 4);
    }

    let mut answer = post.sdo(&[0x40, 0x01, 0x20, 0, 0, 0, 0, 0]);
    assert_eq!(answer[..8], [0x41, 0x01, 0x20, 0, 250, 0, 0, 0]);
    let mut read = answer.split_off(8);
    assert_eq!(read.len(), 48);
    for (request, command) in [(0x60, 0x00), (0x70, 0x10), (0x60, 0x00), (0x70, 0x11)] {
        let answer = post.sdo(&[request, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(answer[0], command);
        read.extend(&answer[1..]);
    }
    assert_eq!(read, text);
}

#[test]
fn a_last_segment_of_less_than_seven_bytes_is_padded() {
    let mut post = Post::new(DEVICE);
    let first = [&[0x21, 0x01, 0x20, 0, 50, 0, 0, 0][..], &[7; 48]].concat();
    post.sdo(&first);
    // Two bytes: five of seven are not used.
    assert_eq!(post.sdo(&[0x0B, 8, 9, 0, 0, 0, 0, 0])[0], 0x20);
    post.sdo(&[0x40, 0x01, 0x20, 0, 0, 0, 0, 0]);
    assert_eq!(post.sdo(&[0x60, 0, 0, 0, 0, 0, 0, 0]), [0x0B, 8, 9, 0, 0, 0, 0, 0]);
}

#[test]
fn a_record_is_read_and_written_whole_from_subindex_0_and_1() {
    let mut post = Post::new(DEVICE);
    // Subindex 0 has 16 bits; what cannot be read is nought.
    let answer = post.sdo(&[0x50, 0x02, 0x20, 0, 0, 0, 0, 0]);
    let whole = [3, 0, 1, 0x78, 0x56, 0x34, 0x12, 0, 0];
    assert_eq!(answer, [&[0x51, 0x02, 0x20, 0, 9, 0, 0, 0], &whole[..]].concat());
    let answer = post.sdo(&[0x50, 0x02, 0x20, 1, 0, 0, 0, 0]);
    assert_eq!(answer[8..], whole[2..]);
    let changed = [&[0x31, 0x02, 0x20, 0, 9, 0, 0, 0][..], &[3, 0, 5, 0, 0, 0, 0, 6, 0]].concat();
    assert_eq!(post.sdo(&changed), [0x70, 0x02, 0x20, 0, 0, 0, 0, 0]);
    let answer = post.sdo(&[0x50, 0x02, 0x20, 1, 0, 0, 0, 0]);
    // What cannot be written stays.
    assert_eq!(answer[8..], [5, 0x78, 0x56, 0x34, 0x12, 0, 0]);
}

#[test]
fn what_is_not_possible_is_aborted_with_its_code() {
    let mut post = Post::new(DEVICE);
    let cases: [(&[u8], u32); 15] = [
        (&[0x40, 0x99, 0x20, 0, 0, 0, 0, 0], 0x0602_0000),
        (&[0x40, 0x02, 0x20, 9, 0, 0, 0, 0], 0x0609_0011),
        (&[0x40, 0x02, 0x20, 3, 0, 0, 0, 0], 0x0601_0001),
        (&[0x23, 0x02, 0x20, 2, 0, 0, 0, 0], 0x0601_0002),
        (&[0x2F, 0x00, 0x20, 0, 1, 0, 0, 0], 0x0607_0013),
        (&[0x23, 0x00, 0x20, 0, 1, 0, 0, 0], 0x0607_0012),
        (&[0x2B, 0x00, 0x20, 0, 9, 0, 0, 0], 0x0609_0032),
        (&[0x2B, 0x00, 0x20, 0, 0xFF, 0xFF, 0, 0], 0x0609_0031),
        // Complete access from subindex 2, and of a single value.
        (&[0x50, 0x02, 0x20, 2, 0, 0, 0, 0], 0x0601_0000),
        (&[0x50, 0x00, 0x20, 0, 0, 0, 0, 0], 0x0601_0000),
        (&[0x31, 0x03, 0x20, 0, 2, 0, 0, 0, 2, 0], 0x0607_0013),
        // Segments of nothing, and a command that there is not.
        (&[0x60, 0, 0, 0, 0, 0, 0, 0], 0x0504_0001),
        (&[0x01, 0, 0, 0, 0, 0, 0, 0], 0x0504_0001),
        (&[0xE0, 0x00, 0x20, 0, 0, 0, 0, 0], 0x0504_0001),
        (&[0x31, 0x03, 0x20, 0, 8, 0, 0, 0, 2, 0, 1, 0, 2, 0, 3, 0], 0x0607_0012),
    ];
    for (request, code) in cases {
        let answer = post.sdo(request);
        assert_eq!(answer[0], 0x80, "{request:02x?}");
        assert_eq!(answer[4..8], code.to_le_bytes(), "{request:02x?}");
    }
    // A wrong toggle ends the transfer.
    post.sdo(&[&[0x21, 0x01, 0x20, 0, 60, 0, 0, 0][..], &[7; 48]].concat());
    assert_eq!(post.sdo(&[0x11, 1, 2, 3, 4, 5, 6, 7]), [0x80, 0x01, 0x20, 0, 0, 0, 3, 5]);
    assert_eq!(post.sdo(&[0x01, 1, 2, 3, 4, 5, 6, 7])[4..], [1, 0, 4, 5]);
}

#[test]
fn a_value_that_is_for_pre_op_cannot_be_written_in_safe_op() {
    let mut post = Post::new(DEVICE);
    assert_eq!(post.sdo(&[0x2F, 0x04, 0x20, 0, 5, 0, 0, 0])[0], 0x60);
    assert_eq!(post.request_state(4), (4, 0));
    assert_eq!(post.sdo(&[0x2F, 0x04, 0x20, 0, 6, 0, 0, 0]), [0x80, 0x04, 0x20, 0, 0x22, 0, 0, 8]);
    assert_eq!(post.sdo(&[0x40, 0x04, 0x20, 0, 0, 0, 0, 0])[4], 5);
}

#[test]
fn the_device_counts_its_own_mails_from_one_to_seven() {
    let mut post = Post::new(DEVICE);
    let mut counters = Vec::new();
    for _ in 0..9 {
        post.write(3, &[0, 0x20, 0x40, 0x00, 0x20, 0, 0, 0, 0, 0]);
        post.wire.wait_us(2_000);
        counters.push(post.read().unwrap().0 >> 4);
    }
    assert_eq!(counters, [1, 2, 3, 4, 5, 6, 7, 1, 2]);
}

#[test]
fn the_same_counter_twice_is_a_duplicate_and_nought_is_none() {
    let mut post = Post::new(DEVICE);
    let request =
        |counter: u8| [10, 0, 0, 0, 0, 3 | counter << 4, 0, 0x20, 0x40, 0x00, 0x20, 0, 0, 0, 0, 0];
    for (counter, answered) in [(5, true), (5, false), (6, true), (0, true), (0, true), (6, true)] {
        assert_eq!(post.write_raw(&request(counter)), 1);
        post.wire.wait_us(2_000);
        assert_eq!(post.read().is_some(), answered, "counter {counter}");
    }
}

#[test]
fn an_answer_that_nobody_fetches_keeps_the_next_mail_waiting() {
    let mut post = Post::new(DEVICE);
    let request = [0, 0x20, 0x40, 0x00, 0x20, 0, 0, 0, 0, 0];
    for _ in 0..2 {
        assert_eq!(post.write(3, &request), 1);
        post.wire.wait_us(2_000);
    }
    // One answer in the mailbox, one behind it: the third mail stays where it is.
    assert_eq!(post.write(3, &request), 1);
    post.wire.wait_us(5_000);
    assert_eq!(post.write(3, &request), 0);
    for _ in 0..3 {
        assert!(post.read().is_some());
        post.wire.wait_us(2_000);
    }
    assert!(post.read().is_none());
}

#[test]
fn a_lost_answer_is_presented_again() {
    let mut post = Post::new(DEVICE);
    let (activate, mirror) = (reg::sync_manager(1) + 6, reg::sync_manager(1) + 7);
    post.write(3, &[0, 0x20, 0x40, 0x00, 0x20, 0, 0, 0, 0, 0]);
    post.wire.wait_us(2_000);
    let answer = post.read().expect("this frame is lost");
    for toggle in [0x02, 0x00] {
        assert!(post.read().is_none());
        post.wire.set(STATION, activate, &[0x01 | toggle]);
        post.wire.wait_us(2_000);
        assert_eq!(post.wire.get(STATION, mirror, 1), [toggle]);
        assert_eq!(post.read(), Some(answer.clone()));
    }
    // What had not been read comes after it.
    post.write(3, &[0, 0x20, 0x40, 0x18, 0x10, 0, 0, 0, 0, 0]);
    post.wire.wait_us(2_000);
    post.wire.set(STATION, activate, &[0x03]);
    post.wire.wait_us(2_000);
    assert_eq!(post.read(), Some(answer));
    post.wire.wait_us(2_000);
    assert_eq!(post.read().unwrap().1[3..5], [0x18, 0x10]);
}

#[test]
fn mail_that_the_device_cannot_work_with_gets_an_error_reply() {
    let mut post = Post::new(DEVICE);
    let cases: [(&[u8], u16); 6] = [
        (&[4, 0, 0, 0, 0, 0x15, 0, 0, 0, 0], 2),
        (&[10, 0, 0, 0, 0, 0x24, 1, 0, 0, 0, 0, 0, b'f', b'w', 0, 0], 2),
        (&[59, 0, 0, 0, 0, 0x33, 0, 0x20, 0x40, 0, 0, 0, 0, 0, 0, 0], 8),
        (&[10, 0, 0, 0, 1, 0x43, 0, 0x20, 0x40, 0, 0, 0, 0, 0, 0, 0], 3),
        (&[3, 0, 0, 0, 0, 0x53, 0, 0x20, 0x40], 6),
        (&[10, 0, 0, 0, 0, 0x63, 0, 0x50, 0x40, 0, 0, 0, 0, 0, 0, 0], 4),
    ];
    for (mail, detail) in cases {
        post.write_raw(mail);
        post.wire.wait_us(2_000);
        let (kind, body) = post.read().expect("a reply");
        assert_eq!(kind & 0x0F, 0);
        assert_eq!(body, [1, 0, detail as u8, 0], "{mail:02x?}");
    }
}

#[test]
fn an_answer_takes_the_time_that_the_description_says() {
    let mut post = Post::new(&DEVICE.replace(r#""bytes": 64"#, r#""bytes": 64, "delayMs": 7.5"#));
    post.write(3, &[0, 0x20, 0x40, 0x00, 0x20, 0, 0, 0, 0, 0]);
    post.wire.wait_us(7_400);
    assert!(post.read().is_none());
    post.wire.wait_us(100);
    assert!(post.read().is_some());
}

#[test]
fn mail_is_answered_from_pre_op_on_and_forgotten_in_init() {
    let mut post = Post::in_init(DEVICE);
    post.open();
    post.write(3, &[0, 0x20, 0x40, 0x00, 0x20, 0, 0, 0, 0, 0]);
    post.wire.wait_us(5_000);
    assert!(post.read().is_none());
    assert_eq!(post.request_state(2), (2, 0));
    post.wire.wait_us(2_000);
    assert!(post.read().is_some());
}

#[test]
fn a_description_that_cannot_be_is_refused_with_its_place() {
    let cases = [
        (r#""type":"digital-inputs","mailbox":{}"#, "/mailbox"),
        (r#""type":"generic","pdos":[],"mailbox":{"bytes":15}"#, "/mailbox/bytes"),
        (r#""type":"generic","pdos":[],"mailbox":{"delayMs":-1}"#, "/mailbox/delayMs"),
        (
            r#""type":"generic","pdos":[],"mailbox":{"objects":[{"index":1},{"index":2,"dataType":5,"value":256}]}"#,
            "/mailbox/objects/1/value",
        ),
        (
            r#""type":"generic","pdos":[],"mailbox":{"objects":[{"index":1,"entries":[{"subindex":0}]}]}"#,
            "/mailbox/objects/0/entries/0/subindex",
        ),
        (
            r#""type":"generic","pdos":[],"mailbox":{"objects":[{"index":1,"dataType":9}]}"#,
            "/mailbox/objects/0/bits",
        ),
        (
            r#""type":"generic","pdos":[],"mailbox":{"emergencies":[{"at":"ON","code":1}]}"#,
            "/mailbox/emergencies/0/at",
        ),
    ];
    for (device, path) in cases {
        let json = format!(r#"{{"devices":[{{{device}}}]}}"#);
        let description = SegmentDescription::from_json(&json).unwrap();
        let error = DeviceImage::all(&description).unwrap_err();
        assert_eq!(error.path, format!("/devices/0{path}"), "{error}");
    }
}

#[test]
fn lists_of_objects_come_in_fragments() {
    let mut post = Post::new(DEVICE);
    let mut answer = post.ask(3, &[0, 0x80, 1, 0, 0, 0, 0, 0]);
    // How many: all, RxPDO, TxPDO, backup, settings.
    assert_eq!(answer[..8], [0, 0x80, 2, 0, 0, 0, 0, 0]);
    let all = usize::from(u16::from_le_bytes([answer[8], answer[9]]));
    assert_eq!(answer[10..], [0; 8]);
    let mut list = Vec::new();
    answer = post.ask(3, &[0, 0x80, 1, 0, 0, 0, 1, 0]);
    loop {
        let incomplete = answer[2] == 0x82;
        assert_eq!(answer[4], u8::from(incomplete), "{answer:x?}");
        list.extend_from_slice(&answer[6..]);
        if !incomplete {
            break;
        }
        post.wire.wait_us(2_000);
        answer = post.read().expect("the next fragment").1;
    }
    let words: Vec<u16> =
        list.chunks(2).map(|word| u16::from_le_bytes([word[0], word[1]])).collect();
    assert_eq!(words[0], 1);
    let (first, last) = (&words[1..9], &words[words.len() - 5..]);
    assert_eq!(first, [0x1000, 0x1001, 0x1008, 0x1009, 0x100A, 0x1018, 0x10F3, 0x1C00]);
    assert_eq!(last, [0x2000, 0x2001, 0x2002, 0x2003, 0x2004]);
    assert_eq!(words.len(), 1 + all);
}

#[test]
fn objects_and_entries_describe_themselves() {
    let mut post = Post::new(DEVICE);
    let answer = post.ask(3, &[0, 0x80, 3, 0, 0, 0, 0x02, 0x20]);
    assert_eq!(answer, b"\0\x80\x04\0\0\0\x02\x20\0\0\x03\x09Record");
    // With default, minimum and maximum, which the object has.
    let answer = post.ask(3, &[0, 0x80, 5, 0, 0, 0, 0x00, 0x20, 0, 0x70]);
    let expected = b"\0\x80\x06\0\0\0\x00\x20\0\x70\x06\0\x10\0\x3F\0\x34\x12\x0A\0\x88\x13Word";
    assert_eq!(answer, expected);
    let cases: [(&[u8], u32); 4] = [
        (&[0, 0x80, 3, 0, 0, 0, 0x99, 0x20], 0x0602_0000),
        (&[0, 0x80, 5, 0, 0, 0, 0x02, 0x20, 9, 0], 0x0609_0011),
        (&[0, 0x80, 1, 0, 0, 0, 6, 0], 0x0601_0000),
        (&[0, 0x80, 9, 0, 0, 0, 0, 0], 0x0504_0001),
    ];
    for (request, code) in cases {
        let answer = post.ask(3, request);
        assert_eq!(answer[..6], [0, 0x80, 7, 0, 0, 0]);
        assert_eq!(answer[6..], code.to_le_bytes());
    }
}

#[test]
fn mail_that_waits_when_the_device_goes_to_init_is_gone() {
    // SOEM acknowledges the last packet of a file and asks for INIT before the device has read that.
    for answered in [false, true] {
        let mut post = Post::new(DEVICE);
        assert_eq!(post.write(3, &[0, 0x20, 0x40, 0x18, 0x10, 1, 0, 0, 0, 0]), 1);
        if answered {
            post.wire.wait_us(5_000);
        }
        assert_eq!(post.request_state(1), (1, 0));
        assert_eq!(post.request_state(2), (2, 0));
        assert_eq!(post.read(), None);
        assert_eq!(post.sdo(&[0x40, 0x18, 0x10, 1, 0, 0, 0, 0])[0], 0x43);
    }
}

#[test]
fn emergencies_come_with_a_state_and_stay_in_the_history() {
    let emergency =
        r#""emergencies":[{"at":"SAFE-OP","code":33072,"register":17,"data":[1,2,3,4,5]}],"#;
    let device = DEVICE.replace(r#""bytes": 64,"#, &format!(r#""bytes": 64, {emergency}"#));
    let mut post = Post::new(&device);
    assert_eq!(post.request_state(4), (4, 0));
    let (kind, body) = post.read().expect("an emergency");
    assert_eq!(
        (kind & 0x0F, body.as_slice()),
        (3, &[0, 0x10, 0x30, 0x81, 0x11, 1, 2, 3, 4, 5][..])
    );
    let byte = |post: &mut Post, index: u16, subindex| {
        let [low, high] = index.to_le_bytes();
        post.sdo(&[0x40, low, high, subindex, 0, 0, 0, 0])[4]
    };
    // Asked for the state that it has, it says nothing.
    assert_eq!(post.request_state(4), (4, 0));
    assert_eq!(post.read(), None);
    assert_eq!(byte(&mut post, 0x1001, 0), 0x11);
    // A refused change is remembered as well.
    assert_eq!(post.request_state(3).1, 0x0011);
    let facts = [2, 3, 4].map(|subindex| byte(&mut post, 0x10F3, subindex));
    assert_eq!(facts, [7, 0, 1]);
    let message = post.sdo(&[0x40, 0xF3, 0x10, 6, 0, 0, 0, 0]);
    assert_eq!(message[..16], [0x41, 0xF3, 0x10, 6, 16, 0, 0, 0, 0, 0xE8, 0x30, 0x81, 2, 0, 0, 0]);
    let message = post.sdo(&[0x40, 0xF3, 0x10, 7, 0, 0, 0, 0]);
    assert_eq!(message[8..16], [0, 0xE0, 0x11, 0, 2, 0, 0x11, 0]);
    assert_eq!(byte(&mut post, 0x10F3, 4), 0);
    // Acknowledge what is there, what is not, and all of it.
    assert_eq!(post.sdo(&[0x2F, 0xF3, 0x10, 3, 7, 0, 0, 0])[0], 0x60);
    assert_eq!(post.sdo(&[0x2F, 0xF3, 0x10, 3, 9, 0, 0, 0])[4..], [0x31, 0, 9, 6]);
    assert_eq!(post.sdo(&[0x2F, 0xF3, 0x10, 3, 0, 0, 0, 0])[0], 0x60);
    assert_eq!(byte(&mut post, 0x10F3, 2), 0);
}
