//! A small plant in OP, its MainDevice, and what both see.
//!
//! Four devices in a line: `coupler` (no process data), `lamp` (device emulation, one byte of outputs at 0x0F00,
//! watchdog), `axis` (a program with a mailbox, a distributed clock, 4 bytes each way) and `sensor` (a program, 2
//! bytes of inputs).

mod bring_up;

use ecat_simulator::devices::DeviceImage;
use ecat_simulator::faults::{Change, Hit, Way};
use ecat_simulator::{
    Effect, Fault, RingLink, Segment, SegmentCommand, SegmentControl, SegmentDescription,
    SegmentLink, ring_links,
};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::sii::Sii;
use ecat_wire::{Command, Link, LinkError, register as reg};

use crate::observation::Observation;

pub const COUPLER: u16 = 0;
pub const LAMP: u16 = 1;
pub const AXIS: u16 = 2;
pub const SENSOR: u16 = 3;
pub const NAMES: [&str; 4] = ["coupler", "lamp", "axis", "sensor"];
pub const MS: u64 = 1_000_000;
/// Where the image lies: outputs of the lamp, then of the axis; inputs of the axis, then of the sensor.
pub const LOGICAL: u32 = 0x1_0000;
const IMAGE_BYTES: usize = 1 + 4 + 4 + 2;
/// What the sensor senses.
const SENSED: u16 = 0x1234;
/// Working counter of the image: two devices with outputs (2 each), two with inputs.
pub const PLANT: &str = r#"{ "seed": 7, "devices": [
  { "name": "coupler", "type": "EK1100" },
  { "name": "lamp", "type": "digital-outputs", "channels": 8 },
  { "name": "axis", "type": "generic", "deviceEmulation": false, "distributedClock": true, "serial": 42, "alias": 77,
    "pdos": [
      { "direction": "output", "index": 5632, "entries": [{ "index": 24698, "bits": 32, "dataType": 4 }] },
      { "direction": "input", "index": 6656, "entries": [{ "index": 24676, "bits": 32, "dataType": 4 }] }],
    "mailbox": { "bytes": 64, "delayMs": 1,
      "objects": [{ "index": 8192, "dataType": 6, "value": 4660 },
        { "index": 8193, "dataType": 9, "bits": 2400, "value":
        "a text that is longer than one mail of this device, and therefore comes in two or three segments of it" }],
      "files": [{ "name": "file", "content": "AAECAw==" }],
      "eoe": { "mac": "02:00:5e:00:00:09", "ip": "192.168.1.9" },
      "aoe": { "areas": [{ "group": 16416, "content": [1, 2, 3] }] } MAIL } SYNC },
  { "name": "sensor", "type": "generic", "deviceEmulation": false,
    "pdos": [{ "direction": "input", "index": 6656, "entries": [{ "index": 24640, "bits": 16 }] }] }] EXTRA }"#;
/// ECAT events that show in frames: latch, DL status, AL status (0x0200).
const EVENT_MASK: u16 = 0x000D;
/// Reads object 0x2000.
pub const UPLOAD: [u8; 8] = [0x40, 0x00, 0x20, 0, 0, 0, 0, 0];

/// The plant, its MainDevice's link and clock.
pub struct Bench {
    cable: Cable,
    pub control: SegmentControl,
    pub now_ns: u64,
    images: Vec<DeviceImage>,
    /// What was seen of the devices, and of frames.
    before: [Observation; 2],
    index: u8,
    /// Frames that were sent so far.
    pub frames: u64,
    /// Counter of the last mail to the axis, and of the last one from it.
    counter: u8,
    answered: Option<u8>,
    /// Mail of the axis whose counter does not follow that of the one before.
    out_of_order: u32,
    /// Answers that nobody waits for.
    strays: u32,
    /// So much time passes with each frame, in ns.
    pub step_ns: u64,
}

/// How the MainDevice is plugged in.
enum Cable {
    Line(Box<SegmentLink>),
    /// With a second port at the far end.
    Ring([RingLink; 2]),
}

/// The answer to a datagram.
pub struct Answer {
    pub index: u8,
    pub data: Vec<u8>,
    pub working_counter: u16,
    pub irq: u16,
    pub circulating: bool,
    /// The MainDevice's port that it came to.
    pub port: usize,
}

impl Bench {
    /// All of it in OP.
    pub fn new() -> Self {
        let mut bench = Self::powered("", "", "");
        bench.operate();
        bench
    }

    /// As [`Bench::new`], where the axis wants something of the distributed clock, and has pulses of a ms.
    pub fn synchronised(sync: &str) -> Self {
        let mut bench = Self::powered("", &format!(r#", "sync": {sync}"#), "");
        bench.prepare_pulses();
        bench.climb();
        bench
    }

    /// As [`Bench::new`], in a ring: the sensor's port 1 leads to the MainDevice's second port.
    pub fn ring() -> Self {
        let description = described("", "", r#", "ring": { "parent": "sensor", "port": 1 }"#);
        let (first, second, control) = ring_links(Segment::new(&description).unwrap());
        let mut bench = Self::at(&description, Cable::Ring([first, second]), control);
        bench.operate();
        bench
    }

    /// Just powered on, with more in the description: keys of the axis's mailbox, of the axis, of the segment.
    pub fn powered(mail: &str, axis: &str, segment: &str) -> Self {
        let description = described(mail, axis, segment);
        let (link, control) = SegmentLink::new(Segment::new(&description).unwrap());
        Self::at(&description, Cable::Line(Box::new(link)), control)
    }

    fn at(description: &SegmentDescription, cable: Cable, control: SegmentControl) -> Self {
        Self {
            cable,
            control,
            now_ns: 1_000 * MS,
            images: DeviceImage::all(description).unwrap(),
            before: Default::default(),
            index: 0,
            frames: 0,
            counter: 0,
            answered: None,
            out_of_order: 0,
            strays: 0,
            step_ns: MS,
        }
    }

    /// AL status and status code of a device, as the MainDevice would read them.
    pub fn al(&mut self, n: u16) -> (u16, u16) {
        (self.word(n, reg::AL_STATUS), self.word(n, reg::AL_STATUS_CODE))
    }

    /// Two bytes, without a frame.
    pub fn word(&mut self, n: u16, register: u16) -> u16 {
        let bytes = self.peek(n, register, 2);
        u16::from_le_bytes([bytes[0], bytes[1]])
    }

    pub fn peek(&mut self, n: u16, register: u16, bytes: usize) -> Vec<u8> {
        let now_ns = self.now_ns;
        self.with_segment(|segment| segment.register(n, register, bytes, now_ns))
    }

    /// Looks at the segment, or changes it.
    pub fn with_segment<T>(&mut self, look: impl FnOnce(&mut Segment) -> T) -> T {
        match &mut self.cable {
            Cable::Line(link) => look(link.segment_mut()),
            Cable::Ring([first, _]) => first.with_segment(look),
        }
    }

    /// One of the MainDevice's ports.
    pub fn port(&mut self, n: usize) -> &mut dyn Link {
        match &mut self.cable {
            Cable::Line(link) => link.as_mut(),
            Cable::Ring(links) => &mut links[n],
        }
    }

    fn ports(&self) -> usize {
        match &self.cable {
            Cable::Line(_) => 1,
            Cable::Ring(links) => links.len(),
        }
    }

    /// Writes a register of a device, by its station.
    pub fn put(&mut self, n: u16, register: u16, data: &[u8]) {
        let command = Command::Fpwr { station: station(n), register };
        assert_eq!(self.write(command, data), Some(1), "{register:#06x}");
    }

    pub fn write(&mut self, command: Command, data: &[u8]) -> Option<u16> {
        self.exchange(command, data).map(|(_, counter)| counter)
    }

    /// One datagram in a frame of its own, data and working counter; `None` if its answer does not come at once.
    pub fn exchange(&mut self, command: Command, data: &[u8]) -> Option<(Vec<u8>, u16)> {
        self.ask_from(0, command, data).map(|answer| (answer.data, answer.working_counter))
    }

    /// As [`Bench::exchange`], from one of the MainDevice's ports.
    pub fn ask_from(&mut self, port: usize, command: Command, data: &[u8]) -> Option<Answer> {
        let index = self.send_from(port, command, data).ok()?;
        let mut answer = None;
        while let Some(came) = self.receive() {
            if came.index == index && answer.is_none() {
                answer = Some(came);
            } else {
                self.strays += 1;
            }
        }
        answer
    }

    /// Sends a datagram, with an index of its own.
    pub fn send(&mut self, command: Command, data: &[u8]) -> Result<u8, LinkError> {
        self.send_from(0, command, data)
    }

    fn send_from(&mut self, port: usize, command: Command, data: &[u8]) -> Result<u8, LinkError> {
        let mut frame = [0; 1_514];
        self.index = self.index.wrapping_add(1);
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
        writer.push_data(command, self.index, data).unwrap();
        let length = writer.finish();
        self.now_ns += self.step_ns;
        let (index, now_ns) = (self.index, self.now_ns);
        self.port(port).send(&frame[..length], now_ns).map(|()| {
            self.frames += 1;
            index
        })
    }

    /// The next answer; what is no EtherCAT is left out.
    pub fn receive(&mut self) -> Option<Answer> {
        let mut buffer = [0; 1_600];
        let now_ns = self.now_ns;
        for port in 0..self.ports() {
            while let Ok(Some(length)) = self.port(port).receive(&mut buffer, now_ns) {
                let Ok(mut all) = datagrams(&buffer[..length]) else { continue };
                let Some(Ok(datagram)) = all.next() else { continue };
                return Some(Answer {
                    index: datagram.index,
                    data: datagram.data.to_vec(),
                    working_counter: datagram.working_counter,
                    irq: datagram.irq,
                    circulating: datagram.circulating,
                    port,
                });
            }
        }
        None
    }

    /// One exchange of process data, in a ms; data and working counter.
    pub fn cycle(&mut self) -> Option<(Vec<u8>, u16)> {
        self.exchange(Command::Lrw { logical: LOGICAL }, &[0x5A; IMAGE_BYTES])
    }

    pub fn cycles(&mut self, count: usize) {
        for _ in 0..count {
            self.cycle();
        }
    }

    /// Sends a mail of a protocol to the axis; whether it was taken.
    pub fn post(&mut self, kind: u8, body: &[u8]) -> bool {
        self.counter = self.counter % 7 + 1;
        let area = Sii::parse(&self.images[usize::from(AXIS)].sii).unwrap().mailbox;
        let mut mail = vec![0; usize::from(area.receive_size)];
        mail[0] = body.len() as u8;
        mail[5] = kind | self.counter << 4;
        mail[6..6 + body.len()].copy_from_slice(body);
        let command = Command::Fpwr { station: station(AXIS), register: area.receive_offset };
        self.write(command, &mail) == Some(1)
    }

    /// The mail that the axis has within some ms: type with counter, and body.
    pub fn fetch(&mut self, ms: usize) -> Option<(u8, Vec<u8>)> {
        let area = Sii::parse(&self.images[usize::from(AXIS)].sii).unwrap().mailbox;
        let command = Command::Fprd { station: station(AXIS), register: area.send_offset };
        for _ in 0..ms {
            self.cycle();
            let answer = self.exchange(command, &vec![0; usize::from(area.send_size)]);
            if let Some((mail, 1)) = answer {
                let length = usize::from(u16::from_le_bytes([mail[0], mail[1]]));
                let counter = mail[5] >> 4;
                let last = self.answered.replace(counter);
                self.out_of_order += u32::from(last.is_some_and(|last| counter != last % 7 + 1));
                return Some((mail[5], mail[6..6 + length].to_vec()));
            }
        }
        None
    }

    /// A request by SDO, and the body of its answer.
    pub fn sdo(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        assert!(self.post(3, &[&[0, 0x20], body].concat()));
        self.fetch(10).map(|(_, body)| body[2..].to_vec())
    }

    /// Injects a fault; its number.
    pub fn inject(&mut self, fault: Fault) -> u32 {
        let now_ns = self.now_ns;
        self.with_segment(|segment| segment.inject(fault, now_ns)).unwrap()
    }

    pub fn clear_fault(&mut self, number: u32) {
        let now_ns = self.now_ns;
        self.with_segment(|segment| segment.clear_fault(number, now_ns));
    }

    pub fn clear(&mut self) {
        self.control.send(SegmentCommand::ClearFaults).unwrap();
        let now_ns = self.now_ns;
        let _taken = self.port(0).receive(&mut [0; 60], now_ns);
    }

    /// What the log says.
    pub fn log(&mut self) -> Vec<Hit> {
        self.with_segment(|segment| std::iter::from_fn(|| segment.take_hit()).collect())
    }

    /// The same in words, each with its device and port.
    pub fn hits(&mut self) -> Vec<String> {
        let sent = self.frames;
        let in_words = |hit: &Hit| {
            let change = match hit.change {
                Change::Began => "began".to_owned(),
                Change::Ended => "ended".to_owned(),
                Change::Done => "done".to_owned(),
                Change::Value { before, after } => format!("{before} to {after}"),
            };
            let device = hit.device.map_or("link", |n| NAMES[usize::from(n)]);
            let port = hit.port.map_or(String::new(), |port| format!(" port {port}"));
            assert!((1..=sent).contains(&hit.frame), "each hit has its frame: {hit:?}");
            format!("{} {device}{port}: {change}", hit.kind)
        };
        self.log().iter().map(in_words).collect()
    }

    /// All that is different from before: in registers and outputs of the devices, in what frames get, in mail.
    pub fn differences(&mut self) -> Vec<String> {
        let now = self.observe();
        let mut all: Vec<_> =
            self.before.iter().zip(&now).flat_map(|(before, now)| before.changes_to(now)).collect();
        all.sort();
        all
    }

    /// As [`Bench::differences`], of the devices alone: no frame is sent.
    pub fn differences_without_frames(&mut self) -> Vec<String> {
        let now = self.observe_devices();
        self.before[0].changes_to(&now)
    }

    /// What is different from another plant that has done the same: "there to here".
    pub fn differences_from(&mut self, other: &mut Self) -> Vec<String> {
        assert_eq!(self.now_ns, other.now_ns);
        let (here, there) = (self.observe(), other.observe());
        let both = there.iter().zip(&here);
        let mut all: Vec<_> = both.flat_map(|(there, here)| there.changes_to(here)).collect();
        all.sort();
        all
    }

    /// Looks at all devices first, and then at what frames get.
    fn observe(&mut self) -> [Observation; 2] {
        [self.observe_devices(), self.observe_frames()]
    }

    fn observe_devices(&mut self) -> Observation {
        let mut seen = Observation::default();
        let now_ns = self.now_ns;
        self.with_segment(|segment| {
            for (n, name) in (0..).zip(NAMES) {
                seen.note_device(segment, n, name, now_ns);
            }
        });
        seen
    }

    /// What the MainDevice gets for frames that are always the same: working counters, events, inputs, answers to mail.
    fn observe_frames(&mut self) -> Observation {
        let mut seen = Observation::default();
        fn count<T>(answer: &Option<T>, counter: impl Fn(&T) -> u16) -> String {
            answer.as_ref().map_or("lost".to_owned(), |answer| counter(answer).to_string())
        }
        for port in 0..self.ports() {
            let from = if port == 0 { "" } else { " from the far end" };
            let all = self.ask_from(port, Command::Brd { register: reg::TYPE }, &[0]);
            seen.note(format!("WKC BRD{from}"), count(&all, |answer| answer.working_counter));
            let Some(answer) = all else { continue };
            seen.note(format!("IRQ{from}"), format!("{:#x}", answer.irq));
            if self.ports() > 1 {
                let circulating = if answer.circulating { ", circulating" } else { "" };
                let end = ["the near end", "the far end"][answer.port];
                seen.note(format!("BRD{from} comes"), format!("to {end}{circulating}"));
            }
        }
        let wkc = |answer: &(Vec<u8>, u16)| answer.1;
        for (n, name) in (0..).zip(NAMES) {
            let position = Command::position(n);
            let command = Command::Aprd { position, register: reg::STATION_ADDRESS };
            let answer = self.exchange(command, &[0; 2]);
            seen.note(format!("WKC APRD {n}"), count(&answer, wkc));
            if let Some((data, 1)) = answer {
                let station = u16::from_le_bytes([data[0], data[1]]);
                seen.note(format!("station at position {n}"), format!("{station:#x}"));
            }
            let command = Command::Fprd { station: station(n), register: reg::TYPE };
            let answer = self.exchange(command, &[0]);
            seen.note(format!("WKC FPRD {name}"), count(&answer, wkc));
        }
        for (name, command) in [
            ("LRD", Command::Lrd { logical: LOGICAL }),
            ("LWR", Command::Lwr { logical: LOGICAL }),
            ("LRW", Command::Lrw { logical: LOGICAL }),
        ] {
            let answer = self.exchange(command, &[0x5A; IMAGE_BYTES]);
            seen.note(format!("WKC {name}"), count(&answer, wkc));
            if let Some((image, _)) = answer.filter(|_| name == "LRW") {
                seen.note("inputs of axis", format!("{:02x?}", &image[5..9]));
                seen.note("inputs of sensor", format!("{:02x?}", &image[9..11]));
            }
        }
        let posted = self.post(3, &[&[0, 0x20], &UPLOAD[..]].concat());
        let answer = if posted { self.fetch(10) } else { None };
        let mail = match answer {
            _ if !posted => "not taken",
            None => "no answer",
            Some((kind, body)) if kind & 0x0F == 3 && body[2] == 0x4B => "answered",
            Some(_) => "wrong answer",
        };
        seen.note("mail to axis", mail);
        seen.note("mail from axis out of order", self.out_of_order.to_string());
        seen.note("answers to no frame", self.strays.to_string());
        seen
    }
}

fn described(mail: &str, axis: &str, segment: &str) -> SegmentDescription {
    let json = PLANT.replace("MAIL", mail).replace("SYNC", axis).replace("EXTRA", segment);
    SegmentDescription::from_json(&json).unwrap()
}

/// Station address of a device.
pub const fn station(n: u16) -> u16 {
    0x1001 + n
}

/// The next `count` occasions of an effect on the link, on the way back.
pub fn on_link(effect: Effect, count: u32) -> Fault {
    Fault::on_link(Way::In, effect).next(count)
}

/// What nothing has changed in.
pub const NOTHING: [&str; 0] = [];
