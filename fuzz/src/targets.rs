//! What reads what others wrote, one function a kind of input.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use ecat_esi::EsiFile;
use ecat_simulator::description::{DeviceDescription, EsiDescription, EsiFileDescription};
use ecat_simulator::replay::packets;
use ecat_simulator::{Segment, SegmentDescription, replay};
use ecat_wire::Command;
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::mailbox::{ErrorReply, Header, Kind, MailError, aoe, eoe, soe, voe};
use ecat_wire::sii::Sii;

/// A kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Ethernet frames, as they are or as datagrams that are well formed, to three devices.
    Frame,
    /// An SII image: read, and made a device of.
    Sii,
    /// Mail, CoE and FoE and anything else, through SyncManagers 0 and 1.
    Mailbox,
    /// Bodies of EoE, to a device with a host, sockets and a neighbour.
    Eoe,
    /// Bodies of SoE, to two drives.
    Soe,
    /// Bodies of AoE, to memory and objects.
    Aoe,
    /// Bodies of VoE.
    Voe,
    /// Frames of a safe connection.
    Fsoe,
    /// A capture, replayed.
    Capture,
    /// A segment's description.
    Description,
    /// An ESI file: read, and a device and an image made of each device in it.
    Esi,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Frame,
        Self::Sii,
        Self::Mailbox,
        Self::Eoe,
        Self::Soe,
        Self::Aoe,
        Self::Voe,
        Self::Fsoe,
        Self::Capture,
        Self::Description,
        Self::Esi,
    ];

    /// Its name: the folder of its corpus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Sii => "sii",
            Self::Mailbox => "mailbox",
            Self::Eoe => "eoe",
            Self::Soe => "soe",
            Self::Aoe => "aoe",
            Self::Voe => "voe",
            Self::Fsoe => "fsoe",
            Self::Capture => "capture",
            Self::Description => "description",
            Self::Esi => "esi",
        }
    }
}

const SOURCE: MacAddress = MacAddress([0x10, 0x10, 0x10, 0x10, 0x10, 0x10]);
const STATION: u16 = 0x1001;
const MAIL_BYTES: u16 = 64;
const OUT: u16 = 0x1000;
const IN: u16 = OUT + MAIL_BYTES;

/// The segment that frames go to: a coupler, outputs without a program and inputs with one.
const LINE: &str = r#"{ "devices": [
    { "type": "EK1100" }, { "type": "digital-outputs" },
    { "type": "generic", "distributedClock": true, "mailbox": { "bytes": 64 }, "pdos": [
        { "direction": "input", "index": 6656, "entries": [{ "index": 24676, "bits": 32 }] },
        { "direction": "output", "index": 5632, "entries": [{ "index": 24698, "bits": 12 }] }] } ] }"#;
/// The device that mail goes to.
const POST: &str = r#"{ "devices": [{ "type": "generic", "deviceEmulation": false, "pdos": [
        { "direction": "input", "index": 6656, "entries": [{ "index": 24676, "bits": 32 }] }],
    "mailbox": { "bytes": 64, "delayMs": 0, "objects": [
        { "index": 8192, "name": "Gain", "dataType": 6, "value": 100, "minimum": 1, "maximum": 500 },
        { "index": 8193, "name": "Text", "value": "a text of more than one segment of a mailbox of 64 bytes, that is" },
        { "index": 8194, "name": "Limits", "array": true, "entries": [
            { "subindex": 1, "dataType": 5, "value": 1 }, { "subindex": 2, "dataType": 5, "value": 2 }] } ],
      "files": [{ "name": "a", "content": "Zm9vYmFy" }, { "name": "b", "password": 1, "busyAnswers": 1 }] } }] }"#;
/// The device that mail of the other protocols goes to.
const OFFICE: &str = r#"{ "devices": [{ "name": "office", "type": "generic", "pdos": [], "mailbox": { "bytes": 160, "delayMs": 0,
    "objects": [{ "index": 8192, "dataType": 6, "value": 7, "maximum": 9 }],
    "eoe": { "mac": "02:00:00:00:00:09", "ip": "10.0.0.9", "host": true, "sockets": 3, "fragmentTimeoutMs": 5,
      "behind": [{ "socket": 3, "mac": "02:00:00:00:00:0b", "ip": "10.0.0.11", "udpEcho": [9] }] },
    "soe": { "drives": [
      { "password": "open", "idns": [
        { "idn": "S-0-0001", "name": "Cycle", "value": 5, "default": 3, "minimum": 1, "maximum": 9, "unit": "us" },
        { "idn": "S-0-0002", "type": "signed", "bytes": 4, "cyclic": "both", "password": true },
        { "idn": "S-0-0003", "type": "float", "bytes": 8, "value": 0.5, "maximum": 1 },
        { "idn": "S-0-0004", "value": "text", "maximumLength": 300, "invalid": true },
        { "idn": "S-0-0011" }, { "idn": "S-0-0015", "value": 7 },
        { "idn": "S-0-0099", "command": { "durationMs": 2 } },
        { "idn": "S-0-0100", "command": { "durationMs": 2, "fails": true, "interruptible": false } },
        { "idn": "S-0-0262", "command": {} } ] }, {} ] },
    "aoe": { "netId": "5.1.1.1.3.1", "ports": [1, 65535], "areas": [
      { "group": 1, "offset": 4, "bytes": 16 }, { "group": 2, "content": [1], "access": "ro", "port": 1 } ] },
    "voe": { "vendorId": 1, "echo": true, "answers": [{ "request": [1], "answer": [2, 3] }] } } }],
  "ethernet": [{ "from": "office.1", "to": "office.2" }] }"#;
const OFFICE_BYTES: u16 = 160;
/// The device that captures are held against.
const JUDGED: &str = r#"{ "devices": [{ "siiWords": [{ "word": 8, "values": [2, 0, 3] }] },
                                      { "type": "digital-inputs" }] }"#;
/// So many inputs meet a segment before it is made anew.
const INPUTS_PER_SEGMENT: usize = 1_000;

/// The targets with the segments that they need.
pub struct Targets {
    line: Segment,
    post: Segment,
    office: Segment,
    /// Counter of the next mail to the office.
    counter: u8,
    judged: SegmentDescription,
    now_ns: u64,
    inputs: usize,
}

impl Default for Targets {
    fn default() -> Self {
        Self::new()
    }
}

fn described(json: &str) -> SegmentDescription {
    SegmentDescription::from_json(json).expect("a description of ours")
}

fn built(json: &str) -> Segment {
    Segment::new(&described(json)).expect("a segment of ours")
}

impl Targets {
    /// With segments that were just powered on.
    #[must_use]
    pub fn new() -> Self {
        let mut targets = Self {
            line: built(LINE),
            post: built(POST),
            office: built(OFFICE),
            counter: 0,
            judged: described(JUDGED),
            now_ns: 1,
            inputs: 0,
        };
        targets.open();
        targets
    }

    /// Runs an input. The same number for two inputs means that the target saw the same in them, roughly.
    pub fn run(&mut self, target: Target, input: &[u8]) -> u64 {
        self.inputs += 1;
        if self.inputs.is_multiple_of(INPUTS_PER_SEGMENT) {
            self.line = built(LINE);
            self.post = built(POST);
            self.office = built(OFFICE);
            self.open();
        }
        let mut seen = DefaultHasher::new();
        match target {
            Target::Frame => self.frame(input, &mut seen),
            Target::Sii => sii(input, &mut seen),
            Target::Mailbox => self.mailbox(input, &mut seen),
            Target::Eoe => self.bodies(2, input, &mut seen),
            Target::Soe => self.bodies(5, input, &mut seen),
            Target::Aoe => self.bodies(1, input, &mut seen),
            Target::Voe => self.bodies(15, input, &mut seen),
            Target::Fsoe => crate::fsoe::run(input, &mut seen),
            Target::Capture => self.capture(input, &mut seen),
            Target::Description => description(input, &mut seen),
            Target::Esi => esi(input, &mut seen),
        }
        seen.finish()
    }

    /// The first byte tells whether the rest is a frame, or a list of datagrams: command, position or station,
    /// register, length, each as far as the input goes.
    fn frame(&mut self, input: &[u8], seen: &mut DefaultHasher) {
        let Some((&form, rest)) = input.split_first() else { return };
        let mut buffer = [0; 1_514];
        let length = if form & 1 == 0 {
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            length
        } else {
            let Ok(mut writer) = FrameWriter::new(&mut buffer, SOURCE) else { return };
            let mut rest = rest;
            while let Some((head, data)) = rest.split_first_chunk::<7>() {
                let [code, a, b, c, d, low, high] = *head;
                let station = if form & 2 == 0 { [a & 3, 0] } else { [a, b] };
                let bytes = usize::from(u16::from_le_bytes([low, high & 7])).min(data.len());
                let address = [station[0], station[1], c, d & 0x1F];
                if let Some(command) = Command::parse(code % 15, address)
                    && writer.push_data(command, low, &data[..bytes]).is_err()
                {
                    break;
                }
                rest = &data[bytes..];
            }
            writer.finish()
        };
        self.now_ns += 1_000 * u64::from(form);
        let frame = &mut buffer[..length];
        discriminant(&self.line.process(frame, self.now_ns)).hash(seen);
        for datagram in datagrams(frame).into_iter().flatten() {
            let Ok(datagram) = datagram else {
                "unreadable".hash(seen);
                break;
            };
            let register = u16::from_le_bytes([datagram.address[2], datagram.address[3]]);
            (datagram.code, register >> 5, datagram.working_counter.min(9)).hash(seen);
        }
    }

    /// Frames to the device with mailboxes.
    fn exchange(&mut self, command: Command, data: &[u8]) -> (u16, Vec<u8>) {
        self.now_ns += 1_000_000;
        exchange(&mut self.post, self.now_ns, command, data)
    }

    /// Frames to the device with the other protocols.
    fn call(&mut self, command: Command, data: &[u8]) -> (u16, Vec<u8>) {
        self.now_ns += 1_000_000;
        exchange(&mut self.office, self.now_ns, command, data)
    }

    /// Opens the mailboxes of both.
    fn open(&mut self) {
        for (segment, bytes) in [(&mut self.post, MAIL_BYTES), (&mut self.office, OFFICE_BYTES)] {
            self.now_ns = open(segment, bytes, self.now_ns);
        }
        self.counter = 0;
    }

    /// Bodies of mail of one protocol, each behind a byte with its length; bit 7 leaves its answers unread.
    fn bodies(&mut self, kind: u8, input: &[u8], seen: &mut DefaultHasher) {
        let mut rest = input;
        while let Some((&head, data)) = rest.split_first() {
            let bytes = usize::from(head & 0x7F).min(data.len());
            self.counter = self.counter % 7 + 1;
            let mut mail = [0; OFFICE_BYTES as usize];
            (mail[0], mail[5]) = (bytes as u8, kind | self.counter << 4);
            mail[6..6 + bytes].copy_from_slice(&data[..bytes]);
            self.call(Command::Fpwr { station: STATION, register: OUT }, &mail);
            let answers = if head & 0x80 == 0 { 4 } else { 0 };
            for _ in 0..answers {
                let register = OUT + OFFICE_BYTES;
                let read = Command::Fprd { station: STATION, register };
                let (1, answer) = self.call(read, &[0; OFFICE_BYTES as usize]) else { break };
                let Ok((header, body)) = Header::parse(&answer) else { break };
                // Every answer must be one of its protocol.
                let shape = match header.kind {
                    Kind::Error => ErrorReply::parse(body).map(|reply| reply.detail.code().into()),
                    Kind::Eoe => eoe::Mail::parse(body)
                        .map(|mail| format!("{mail:?}").bytes().take(50).map(u32::from).sum()),
                    Kind::Soe => soe::Mail::parse(body).map(|mail| {
                        let code = match mail.content {
                            soe::Content::Error { code, .. } => u32::from(code.0),
                            _ => header.length.min(20).into(),
                        };
                        code << 8 | u32::from(mail.opcode.code()) << 4 | u32::from(mail.drive)
                    }),
                    Kind::Aoe => aoe::Header::parse(body).map(|(header, data)| {
                        let result =
                            data.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
                        header.error.0 ^ result << 4 ^ u32::from(header.command)
                    }),
                    Kind::Voe => {
                        voe::Message::parse(body).map(|message| message.data.len().min(9) as u32)
                    }
                    _ => Err(MailError::NoRoom),
                };
                shape.unwrap_or_else(|error| panic!("{answer:x?}: {error}")).hash(seen);
            }
            rest = &data[bytes..];
        }
        let counters = self.office.devices()[0].esc.ethernet_counters();
        counters.map(|counters| (counters.lost > 0, counters.filtered > 0)).hash(seen);
    }

    /// Pieces of up to 64 bytes, each behind a byte with its length; bit 7 leaves the header as it is, else
    /// its length and counter are made to fit.
    fn mailbox(&mut self, input: &[u8], seen: &mut DefaultHasher) {
        let mut rest = input;
        while let Some((&head, data)) = rest.split_first() {
            let bytes = usize::from(head & 0x3F).min(data.len());
            let mut mail = [0; MAIL_BYTES as usize];
            mail[..bytes].copy_from_slice(&data[..bytes]);
            if head & 0x80 == 0 {
                mail[..2].copy_from_slice(&(bytes.saturating_sub(6) as u16).to_le_bytes());
                mail[5] &= 0x0F;
                mail[4] = 0;
            }
            self.exchange(Command::Fpwr { station: STATION, register: OUT }, &mail);
            for _ in 0..=usize::from(head >> 6 & 1) {
                let read = Command::Fprd { station: STATION, register: IN };
                let (counter, answer) = self.exchange(read, &[0; MAIL_BYTES as usize]);
                if let (1, Ok((header, body))) = (counter, Header::parse(&answer)) {
                    let shape = body.get(..3).map(|body| (body[0], body[1], body[2]));
                    (format!("{:?}", header.kind), header.length.min(20), shape).hash(seen);
                }
            }
            rest = &data[bytes..];
        }
    }

    fn capture(&mut self, input: &[u8], seen: &mut DefaultHasher) {
        match packets(input) {
            Ok(found) => found.len().min(8).hash(seen),
            Err(error) => {
                assert!(error.offset <= input.len(), "{error}");
                shape_of(&error.message).hash(seen);
                return;
            }
        }
        if let Ok(report) = replay(input, &self.judged) {
            let counts = report.counts;
            let classes = [
                counts.identical,
                counts.clock,
                counts.live,
                counts.unanswered,
                counts.skipped,
                counts.structural,
            ];
            assert_eq!(classes.iter().sum::<usize>(), counts.total);
            classes.map(|count| count.min(3)).hash(seen);
            report.skipped.keys().for_each(|what| what.hash(seen));
            report
                .differences
                .iter()
                .for_each(|one| (one.field, one.register.map(|r| r >> 4)).hash(seen));
        }
    }
}

/// A frame with one datagram.
fn exchange(segment: &mut Segment, now_ns: u64, command: Command, data: &[u8]) -> (u16, Vec<u8>) {
    let mut buffer = [0; 256];
    let Ok(mut writer) = FrameWriter::new(&mut buffer, SOURCE) else { return (0, Vec::new()) };
    if writer.push_data(command, 0, data).is_err() {
        return (0, Vec::new());
    }
    let length = writer.finish();
    segment.process(&mut buffer[..length], now_ns);
    let answer = datagrams(&buffer[..length]).into_iter().flatten().next();
    answer
        .and_then(Result::ok)
        .map_or((0, Vec::new()), |datagram| (datagram.working_counter, datagram.data.to_vec()))
}

/// Takes the one device of a segment to PRE-OP, with its mailboxes open; the time after that.
fn open(segment: &mut Segment, mailbox_bytes: u16, now_ns: u64) -> u64 {
    let mut now_ns = now_ns;
    let mut call = |command, data: &[u8]| {
        now_ns += 1_000_000;
        exchange(segment, now_ns, command, data);
    };
    call(Command::Apwr { position: 0, register: 0x0010 }, &STATION.to_le_bytes());
    for (register, start, control) in [(0x0800, OUT, 0x26), (0x0808, OUT + mailbox_bytes, 0x22)] {
        let [low, high] = start.to_le_bytes();
        let bytes = [low, high, mailbox_bytes as u8, 0, control, 0, 1, 0];
        call(Command::Fpwr { station: STATION, register }, &bytes);
    }
    call(Command::Fpwr { station: STATION, register: 0x0120 }, &[0x12, 0]);
    call(Command::Fprd { station: STATION, register: 0x0130 }, &[0, 0]);
    now_ns
}

fn sii(input: &[u8], seen: &mut DefaultHasher) {
    match Sii::parse(input) {
        Ok(sii) => {
            let shape =
                [sii.sync_managers.len(), sii.fmmu_usage.len(), sii.strings.len(), sii.pdos.len()];
            shape.map(|count| count.min(4)).hash(seen);
        }
        Err(error) => shape_of(&error.to_string()).hash(seen),
    }
    let device = DeviceDescription { sii: Some(input.to_vec()), ..DeviceDescription::default() };
    let segment = SegmentDescription { devices: vec![device], ..SegmentDescription::default() };
    match Segment::new(&segment) {
        Ok(mut segment) => look(&mut segment, seen),
        Err(error) => place(&error.path, &error.message, seen),
    }
}

fn description(input: &[u8], seen: &mut DefaultHasher) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match SegmentDescription::from_json(text) {
        Ok(description) => match Segment::new(&description) {
            Ok(mut segment) => look(&mut segment, seen),
            Err(error) => place(&error.path, &error.message, seen),
        },
        Err(error) => place(&error.path, &error.message, seen),
    }
}

/// A file that is read leads to images that say what they were made of, and to devices that answer; a place of an
/// error or a warning is within the file.
fn esi(input: &[u8], seen: &mut DefaultHasher) {
    let lines = u32::try_from(input.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(0) + 1;
    let within = |at: ecat_esi::Place| {
        // UTF-16 has line ends of its own.
        let any = input.contains(&0);
        assert!(any || (1..=lines).contains(&at.line) && at.column >= 1, "{at}");
    };
    let file = match EsiFile::parse(input) {
        Ok(file) => file,
        Err(error) => {
            within(error.place);
            return (shape_of(&error.path), shape_of(&error.message)).hash(seen);
        }
    };
    for warning in &file.warnings {
        within(warning.place);
        shape_of(&warning.message).hash(seen);
    }
    for device in file.devices.iter().take(3) {
        let choice = ecat_esi::Choice {
            product_code: Some(device.product_code),
            revision: Some(device.revision),
            ..Default::default()
        };
        match choice.configure(&[&file]) {
            Ok(configured) => {
                let objects = configured.objects();
                let commands = configured.init_commands();
                (objects.len().min(4), commands.len().min(2)).hash(seen);
                match configured.sii() {
                    Ok(image) => {
                        let read = Sii::parse(&image.bytes).expect("an image of ours");
                        assert_eq!(read, image.sii);
                        assert_eq!(ecat_esi::compare(&image.bytes, &image.bytes), Ok(Vec::new()));
                        (image.notes.len(), read.pdos.len().min(3), read.protocols).hash(seen);
                    }
                    Err(error) => shape_of(&error.to_string()).hash(seen),
                }
            }
            Err(error) => shape_of(&error.message).hash(seen),
        }
        let one = DeviceDescription {
            esi: Some(EsiDescription {
                files: vec!["a".to_owned()],
                product_code: Some(device.product_code),
                revision: Some(device.revision),
                ..EsiDescription::default()
            }),
            ..DeviceDescription::default()
        };
        let content = input.to_vec();
        let segment = SegmentDescription {
            devices: vec![one],
            esi_files: vec![EsiFileDescription { name: "a".to_owned(), content }],
            ..SegmentDescription::default()
        };
        match Segment::new(&segment) {
            Ok(mut segment) => look(&mut segment, seen),
            Err(error) => place(&error.path, &error.message, seen),
        }
    }
}

/// A first look at a segment, and some time.
fn look(segment: &mut Segment, seen: &mut DefaultHasher) {
    for (n, register) in (0u8..).zip([0x0000, 0x0110, 0x0130, 0x0502, 0x0120]) {
        let mut buffer = [0; 60];
        let Ok(mut writer) = FrameWriter::new(&mut buffer, SOURCE) else { return };
        let command = if n == 4 { Command::Bwr { register } } else { Command::Brd { register } };
        if writer.push_data(command, n, &[2, 0]).is_ok() {
            let length = writer.finish();
            segment.process(&mut buffer[..length], u64::from(n) * 3_000_000);
            (buffer[26] & 0xF0, buffer[28].min(4)).hash(seen);
        }
    }
}

/// An error must name a place that is one, and say something.
fn place(path: &str, message: &str, seen: &mut DefaultHasher) {
    assert!(path.is_empty() || path.starts_with('/'), "{path:?} is no JSON pointer");
    assert!(!message.is_empty(), "an error at {path:?} says nothing");
    (shape_of(path), shape_of(message)).hash(seen);
}

/// A text without its numbers and what it quotes.
fn shape_of(text: &str) -> String {
    let unquoted = text.split(['"', '`']).step_by(2);
    unquoted.flat_map(str::chars).filter(|letter| letter.is_ascii_lowercase()).take(80).collect()
}
