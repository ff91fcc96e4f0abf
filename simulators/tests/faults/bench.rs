//! A small plant in OP, and everything in it that a fault could leave a trace in.
//!
//! Four devices in a line: `coupler` (no process data), `lamp` (device emulation, one byte of outputs at 0x0F00,
//! watchdog), `axis` (a program with a mailbox, a distributed clock, 4 bytes each way) and `sensor` (a program, 2
//! bytes of inputs).

use std::collections::BTreeMap;

use ecat_simulator::devices::DeviceImage;
use ecat_simulator::esc::Role;
use ecat_simulator::faults::{Change, Hit};
use ecat_simulator::{
    Effect, Fault, Segment, SegmentCommand, SegmentControl, SegmentDescription, SegmentLink,
};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::fmmu::Fmmu;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::sii::Sii;
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, Link, LinkError, register as reg};

pub const COUPLER: u16 = 0;
pub const LAMP: u16 = 1;
pub const AXIS: u16 = 2;
pub const SENSOR: u16 = 3;
const NAMES: [&str; 4] = ["coupler", "lamp", "axis", "sensor"];
pub const MS: u64 = 1_000_000;
/// Where the image lies: outputs of the lamp, then of the axis; inputs of the axis, then of the sensor.
pub const LOGICAL: u32 = 0x1_0000;
const IMAGE_BYTES: usize = 1 + 4 + 4 + 2;
/// Working counter of the image: two devices with outputs (2 each), two with inputs.
const PLANT: &str = r#"{ "seed": 7, "devices": [
  { "name": "coupler", "type": "EK1100" },
  { "name": "lamp", "type": "digital-outputs", "channels": 8 },
  { "name": "axis", "type": "generic", "deviceEmulation": false, "distributedClock": true, "serial": 42,
    "pdos": [
      { "direction": "output", "index": 5632, "entries": [{ "index": 24698, "bits": 32, "dataType": 4 }] },
      { "direction": "input", "index": 6656, "entries": [{ "index": 24676, "bits": 32, "dataType": 4 }] }],
    "mailbox": { "bytes": 64, "delayMs": 1,
      "objects": [{ "index": 8192, "dataType": 6, "value": 4660 },
        { "index": 8193, "dataType": 9, "bits": 2400, "value":
        "a text that is longer than one mail of this device, and therefore comes in two or three segments of it" }],
      "files": [{ "name": "file", "content": "AAECAw==" }],
      "eoe": { "mac": "02:00:5e:00:00:09", "ip": "192.168.1.9" },
      "aoe": { "areas": [{ "group": 16416, "content": [1, 2, 3] }] } } SYNC },
  { "name": "sensor", "type": "generic", "deviceEmulation": false,
    "pdos": [{ "direction": "input", "index": 6656, "entries": [{ "index": 24640, "bits": 16 }] }] }] EXTRA }"#;

/// The plant, its MainDevice's link and clock.
pub struct Bench {
    pub link: SegmentLink,
    pub control: SegmentControl,
    pub now_ns: u64,
    images: Vec<DeviceImage>,
    before: Seen,
    index: u8,
    counter: u8,
    /// The plant and its probes last about so long between two frames, in ns.
    pub step_ns: u64,
}

/// What there is to see: by name, in words.
type Seen = BTreeMap<String, String>;

impl Bench {
    /// All of it in OP.
    pub fn new() -> Self {
        let mut bench = Self::powered("", "");
        bench.operate();
        bench
    }

    /// As [`Bench::new`], where the axis wants something of the distributed clock, and has pulses of a ms.
    pub fn synchronised(sync: &str) -> Self {
        let mut bench = Self::powered(&format!(r#", "sync": {sync}"#), "");
        bench.configure();
        bench.start_pulses(bench.now_ns + 20 * MS);
        bench.climb();
        bench
    }

    /// Just powered on, with more in the description: keys of the axis, keys of the segment.
    pub fn powered(axis: &str, segment: &str) -> Self {
        let json = PLANT.replace("SYNC", axis).replace("EXTRA", segment);
        let description = SegmentDescription::from_json(&json).unwrap();
        let images = DeviceImage::all(&description).unwrap();
        let (link, control) = SegmentLink::new(Segment::new(&description).unwrap());
        Self {
            link,
            control,
            now_ns: 1_000 * MS,
            images,
            before: Seen::new(),
            index: 0,
            counter: 0,
            step_ns: MS,
        }
    }

    /// Addresses, SyncManagers, FMMUs, PRE-OP, SAFE-OP, OP.
    pub fn operate(&mut self) {
        self.configure();
        self.climb();
    }

    fn configure(&mut self) {
        for n in 0..4 {
            let position = Command::position(n);
            let address = Command::Apwr { position, register: reg::STATION_ADDRESS };
            assert_eq!(self.write(address, &station(n).to_le_bytes()), Some(1));
            self.put(n, reg::ECAT_EVENT_MASK, &[0, 0]);
        }
        for n in 0..4 {
            let sii = Sii::parse(&self.images[usize::from(n)].sii).unwrap();
            let mail = sii.mailbox;
            if mail.receive_size > 0 {
                self.sync_manager(n, 0, mail.receive_offset, mail.receive_size, 0x26);
                self.sync_manager(n, 1, mail.send_offset, mail.send_size, 0x22);
            }
            assert_eq!(self.request(n, 2), 2, "{}", NAMES[usize::from(n)]);
        }
        self.put(LAMP, reg::sync_manager(0), &[0x00, 0x0F, 1, 0, 0x44, 0, 1, 0]);
        self.fmmu(LAMP, 0, LOGICAL, 1, 0x0F00, false);
        for (n, mut logical) in [(AXIS, LOGICAL + 1), (SENSOR, LOGICAL + 9)] {
            let application = &self.images[usize::from(n)].profile.application;
            let expected = application.sync_managers.clone();
            let buffers = expected
                .iter()
                .filter(|sm| matches!(sm.role, Role::Inputs | Role::Outputs) && sm.length > 0);
            for (fmmu, sm) in (0..).zip(buffers) {
                let outputs = sm.role == Role::Outputs;
                let control = if outputs { 0x64 } else { 0x20 };
                self.sync_manager(n, sm.number, sm.start, sm.length, control);
                self.fmmu(n, fmmu, logical, sm.length, sm.start, !outputs);
                logical += u32::from(sm.length);
            }
        }
    }

    fn climb(&mut self) {
        for state in [4, 8] {
            for n in 0..4 {
                assert_eq!(self.request(n, state), u16::from(state), "{}", NAMES[usize::from(n)]);
            }
        }
        self.settle();
    }

    /// What is seen from here on is what a fault has done.
    pub fn settle(&mut self) {
        for _ in 0..5 {
            self.cycle();
        }
        // Reading the status of ports and states takes their events back.
        for register in [reg::DL_STATUS, reg::AL_STATUS] {
            self.exchange(Command::Brd { register }, &[0; 2]);
        }
        self.before = self.seen();
        while self.control_hit().is_some() {}
    }

    /// Sets the SYNC unit of the axis up: SYNC0 each ms, from a moment of the axis's clock on.
    pub fn start_pulses(&mut self, start_ns: u64) {
        let now = self.axis_time();
        let start = now + start_ns.saturating_sub(self.now_ns);
        self.put(AXIS, reg::DC_SYNC0_CYCLE, &(MS as u32).to_le_bytes());
        self.put(AXIS, reg::DC_START_TIME, &start.to_le_bytes());
        self.put(AXIS, reg::DC_SYNC_ACTIVATION, &[3]);
    }

    /// Local time of the axis's clock.
    pub fn axis_time(&mut self) -> u64 {
        let time = self.peek(AXIS, reg::DC_SYSTEM_TIME, 8);
        u64::from_le_bytes(time.try_into().unwrap())
    }

    fn sync_manager(&mut self, n: u16, number: u8, start: u16, length: u16, control: u8) {
        let sm = SyncManager { start, length, control, enabled: length > 0 };
        self.put(n, reg::sync_manager(number), &sm.to_bytes());
    }

    fn fmmu(&mut self, n: u16, number: u8, logical: u32, length: u16, physical: u16, read: bool) {
        let fmmu = Fmmu {
            logical_start: logical,
            length,
            logical_start_bit: 0,
            logical_stop_bit: 7,
            physical_start: physical,
            physical_start_bit: 0,
            read,
            write: !read,
            enabled: true,
        };
        self.put(n, reg::fmmu(number), &fmmu.to_bytes());
    }

    /// Requests an AL state and waits for it, 200 ms at most; the status.
    pub fn request(&mut self, n: u16, state: u8) -> u16 {
        self.put(n, reg::AL_CONTROL, &[state | 0x10, 0]);
        for _ in 0..200 {
            self.cycle();
            let status = self.word(n, reg::AL_STATUS);
            if status & 0x000F == u16::from(state)
                || status & 0x0010 != 0 && n != LAMP && n != COUPLER
            {
                return status & !if n == LAMP || n == COUPLER { 0x10 } else { 0 };
            }
        }
        self.word(n, reg::AL_STATUS)
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
        self.link.segment().register(n, register, bytes, self.now_ns)
    }

    /// Writes a register of a device, by its station.
    pub fn put(&mut self, n: u16, register: u16, data: &[u8]) {
        let command = Command::Fpwr { station: station(n), register };
        assert_eq!(self.write(command, data), Some(1), "{register:#06x}");
    }

    pub fn write(&mut self, command: Command, data: &[u8]) -> Option<u16> {
        self.exchange(command, data).map(|(_, counter)| counter)
    }

    /// One datagram in a frame of its own; `None` if its answer does not come at once.
    pub fn exchange(&mut self, command: Command, data: &[u8]) -> Option<(Vec<u8>, u16)> {
        let index = self.send(command, data).ok()?;
        let mut answer = None;
        while let Some((of, data, counter)) = self.receive() {
            if of == index {
                answer = Some((data, counter));
            }
        }
        answer
    }

    /// Sends a datagram, with an index of its own.
    pub fn send(&mut self, command: Command, data: &[u8]) -> Result<u8, LinkError> {
        let mut frame = [0; 1_514];
        self.index = self.index.wrapping_add(1);
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
        writer.push_data(command, self.index, data).unwrap();
        let length = writer.finish();
        self.now_ns += self.step_ns;
        self.link.send(&frame[..length], self.now_ns).map(|()| self.index)
    }

    /// Index, data and working counter of the next answer; those that are no EtherCAT are left out.
    pub fn receive(&mut self) -> Option<(u8, Vec<u8>, u16)> {
        let mut buffer = [0; 1_600];
        loop {
            let length = self.link.receive(&mut buffer, self.now_ns).ok()??;
            let Ok(mut all) = datagrams(&buffer[..length]) else { continue };
            let Some(Ok(datagram)) = all.next() else { continue };
            return Some((datagram.index, datagram.data.to_vec(), datagram.working_counter));
        }
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
        self.link.segment_mut().inject(fault, self.now_ns).unwrap()
    }

    pub fn clear(&mut self) {
        self.control.send(SegmentCommand::ClearFaults).unwrap();
        let _taken = self.link.receive(&mut [0; 60], self.now_ns);
    }

    fn control_hit(&mut self) -> Option<Hit> {
        self.link.segment_mut().take_hit()
    }

    /// What the log says, in words, each with its device and port.
    pub fn hits(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(hit) = self.control_hit() {
            let change = match hit.change {
                Change::Began => "began".to_owned(),
                Change::Ended => "ended".to_owned(),
                Change::Done => "done".to_owned(),
                Change::Value { before, after } => format!("{before} to {after}"),
            };
            let device = hit.device.map_or("link", |n| NAMES[usize::from(n)]);
            let port = hit.port.map_or(String::new(), |port| format!(" port {port}"));
            assert!(hit.frame > 0, "each hit has its frame");
            all.push(format!("{} {device}{port}: {change}", hit.kind));
        }
        all
    }

    /// What is different from before, in words: registers of all devices, and what frames get.
    pub fn differences(&mut self) -> Vec<String> {
        let now = self.seen();
        let changed = now.iter().filter(|(name, value)| self.before.get(*name) != Some(*value));
        changed.map(|(name, value)| format!("{name}: {} to {value}", self.before[name])).collect()
    }

    /// As [`Bench::differences`], of registers alone: no frame is sent.
    pub fn registers_that_differ(&mut self) -> Vec<String> {
        let now = self.registers();
        let changed = now.iter().filter(|(name, value)| self.before.get(*name) != Some(*value));
        changed.map(|(name, value)| format!("{name}: {} to {value}", self.before[name])).collect()
    }

    fn seen(&mut self) -> Seen {
        let mut seen = self.registers();
        seen.extend(self.probes());
        seen
    }

    /// Every counter, event and state of every device.
    fn registers(&mut self) -> Seen {
        const BYTES: [(u16, &str); 19] = [
            (0x0300, "invalid frames 0"),
            (0x0301, "RX errors 0"),
            (0x0302, "invalid frames 1"),
            (0x0303, "RX errors 1"),
            (0x0304, "invalid frames 2"),
            (0x0305, "RX errors 2"),
            (0x0306, "invalid frames 3"),
            (0x0307, "RX errors 3"),
            (0x0308, "forwarded 0"),
            (0x0309, "forwarded 1"),
            (0x030A, "forwarded 2"),
            (0x030B, "forwarded 3"),
            (0x030C, "processing unit"),
            (0x030D, "PDI errors"),
            (0x0310, "lost links 0"),
            (0x0311, "lost links 1"),
            (0x0440, "watchdog"),
            (0x0442, "SM watchdog counter"),
            (0x0443, "PDI watchdog counter"),
        ];
        const WORDS: [(u16, &str); 7] = [
            (reg::STATION_ADDRESS, "station"),
            (reg::DL_STATUS, "DL status"),
            (reg::AL_STATUS, "AL status"),
            (reg::AL_STATUS_CODE, "AL status code"),
            (reg::EEPROM_CONTROL, "EEPROM"),
            (0x0312, "lost links 2, 3"),
            (0x0984, "SYNC activation"),
        ];
        let mut seen = Seen::new();
        for (n, name) in (0..).zip(NAMES) {
            for (register, what) in BYTES {
                let value = self.peek(n, register, 1)[0];
                seen.insert(format!("{name} {what}"), format!("{value}"));
            }
            for (register, what) in WORDS {
                let value = self.word(n, register);
                seen.insert(format!("{name} {what}"), format!("{value:#x}"));
            }
            // Latch, DL, AL; and whether each SyncManager of a mailbox holds mail and each is locked.
            let events = self.word(n, reg::ECAT_EVENT) & 0x000D;
            seen.insert(format!("{name} events"), format!("{events:#x}"));
            for sm in 0..4 {
                let base = reg::sync_manager(sm);
                let status = self.peek(n, base + 5, 1)[0] & 0x08;
                let locked = self.peek(n, base + 7, 1)[0] & 0x01;
                seen.insert(
                    format!("{name} SM{sm}"),
                    format!("full {}, locked {locked}", status >> 3),
                );
            }
            let difference = self.peek(n, reg::DC_SYSTEM_TIME_DIFFERENCE, 4);
            let difference = u32::from_le_bytes(difference.try_into().unwrap()) & 0x7FFF_FFFF;
            seen.insert(format!("{name} clock difference"), format!("{difference}"));
            let driven = self.link.segment().output(n, 0, 8);
            seen.insert(format!("{name} outputs"), format!("{driven:#x}"));
        }
        seen
    }

    /// What the MainDevice gets for frames that are always the same: working counters, or nothing.
    fn probes(&mut self) -> Seen {
        let mut seen = Seen::new();
        let mut note = |name: &str, answer: Option<(Vec<u8>, u16)>| {
            let counter = answer.map_or("lost".to_owned(), |(_, counter)| counter.to_string());
            seen.insert(format!("WKC {name}"), counter);
        };
        let all = self.exchange(Command::Brd { register: reg::TYPE }, &[0]);
        note("BRD", all);
        for (n, name) in (0..).zip(NAMES) {
            let command = Command::Fprd { station: station(n), register: reg::TYPE };
            let answer = self.exchange(command, &[0]);
            note(name, answer);
        }
        let image = self.cycle();
        note("LRW", image);
        seen
    }
}

/// Station address of a device.
pub const fn station(n: u16) -> u16 {
    0x1001 + n
}

/// The next `count` occasions of an effect on the link, on the way back.
pub fn on_link(effect: Effect, count: u32) -> Fault {
    Fault::on_link(ecat_simulator::faults::Way::In, effect).next(count)
}
