//! A segment, and a MainDevice's side of the wire.

use ecat_simulator::{Forward, Segment, SegmentDescription};
use ecat_wire::Command;
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};

/// From one frame to the next: a quick host on a short wire.
const FRAME_NS: u64 = 25_000;

/// A coupler, terminals with and without a program, and a drive whose output is wired to its input.
pub const SEGMENT: &str = r#"{
  "devices": [
    { "type": "EK1100" },
    { "name": "out", "type": "digital-outputs" },
    { "name": "in", "type": "analogue-inputs", "channels": 2 },
    { "name": "drive", "type": "generic", "alias": 7,
      "pdos": [
        { "direction": "output", "index": 5632, "entries": [{ "index": 24698, "bits": 32 }] },
        { "direction": "input", "index": 6656, "entries": [{ "index": 24676, "bits": 32 }] } ],
      "mailbox": { "objects": [{ "index": 8192, "name": "Octets", "dataType": 10, "bits": 8000 }] } }
  ],
  "wires": [{ "from": "drive.1", "to": "drive.1" }],
  "signals": [{ "input": "in.1", "constant": 258 }]
}"#;

/// How many devices that has.
pub const DEVICES: u16 = 4;
/// Those of them without device emulation.
pub const PROGRAMS: [u16; 2] = [2, 3];
/// Place of the drive.
pub const DRIVE: u16 = 3;

/// Data and working counter.
pub type Answer = (Vec<u8>, u16);

/// The segment and its clock.
pub struct Bus {
    pub segment: Segment,
    now_ns: u64,
}

impl Bus {
    pub fn new() -> Self {
        let description = SegmentDescription::from_json(SEGMENT).unwrap();
        Self { segment: Segment::new(&description).unwrap(), now_ns: 1_000_000_000 }
    }

    /// Datagrams of one frame.
    pub fn frame(&mut self, requests: &[(Command, &[u8])]) -> Vec<Answer> {
        let mut frame = [0; 1514];
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
        for (index, (command, data)) in (0..).zip(requests) {
            writer.push_data(*command, index, data).unwrap();
        }
        let length = writer.finish();
        self.now_ns += FRAME_NS;
        let forward = self.segment.process(&mut frame[..length], self.now_ns);
        assert_eq!(forward, Forward::Returned);
        datagrams(&frame[..length])
            .unwrap()
            .map(Result::unwrap)
            .map(|datagram| (datagram.data.to_vec(), datagram.working_counter))
            .collect()
    }

    /// One datagram in a frame of its own.
    pub fn send(&mut self, command: Command, data: &[u8]) -> Answer {
        self.frame(&[(command, data)]).remove(0)
    }

    pub fn brd(&mut self, register: u16, length: usize) -> Answer {
        self.send(Command::Brd { register }, &vec![0; length])
    }

    pub fn bwr(&mut self, register: u16, data: &[u8]) -> u16 {
        self.send(Command::Bwr { register }, data).1
    }

    pub fn aprd(&mut self, place: u16, register: u16, length: usize) -> Answer {
        let position = Command::position(place);
        self.send(Command::Aprd { position, register }, &vec![0; length])
    }

    pub fn apwr(&mut self, place: u16, register: u16, data: &[u8]) -> u16 {
        let position = Command::position(place);
        self.send(Command::Apwr { position, register }, data).1
    }

    pub fn fprd(&mut self, station: u16, register: u16, length: usize) -> Answer {
        self.send(Command::Fprd { station, register }, &vec![0; length])
    }

    pub fn fpwr(&mut self, station: u16, register: u16, data: &[u8]) -> u16 {
        self.send(Command::Fpwr { station, register }, data).1
    }

    /// A read that must be answered by one device.
    pub fn get(&mut self, station: u16, register: u16, length: usize) -> Vec<u8> {
        let (data, working_counter) = self.fprd(station, register, length);
        assert_eq!(working_counter, 1, "{register:#06x} of {station:#06x}");
        data
    }

    /// A write that must be taken by one device.
    pub fn put(&mut self, station: u16, register: u16, data: &[u8]) {
        let working_counter = self.fpwr(station, register, data);
        assert_eq!(working_counter, 1, "{register:#06x} of {station:#06x}");
    }

    pub fn wait_us(&mut self, us: u64) {
        self.now_ns += us * 1_000;
        self.segment.advance(self.now_ns);
    }
}

/// A SyncManager's eight bytes.
pub fn sync_manager(start: u16, length: u16, control: u8) -> [u8; 8] {
    let ([a, b], [c, d]) = (start.to_le_bytes(), length.to_le_bytes());
    [a, b, c, d, control, 0, u8::from(length > 0), 0]
}

/// An FMMU's sixteen bytes, for whole bytes; `kind` 1 reads, 2 writes.
pub fn fmmu(logical: u32, length: u16, physical: u16, kind: u8) -> [u8; 16] {
    let mut page = [0; 16];
    page[..4].copy_from_slice(&logical.to_le_bytes());
    page[4..6].copy_from_slice(&length.to_le_bytes());
    page[7] = 7;
    page[8..10].copy_from_slice(&physical.to_le_bytes());
    (page[11], page[12]) = (kind, 1);
    page
}

pub fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}
