//! Mail of EoE, SoE, AoE and VoE between a MainDevice and simulated devices, as a capture on standard output, for
//! others to read: `cargo run -p ecat-simulator --example mail > mail.pcap`.

use std::io::Write as _;
use std::net::Ipv4Addr;

use ecat_simulator::{Segment, SegmentCommand, SegmentDescription};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::mailbox::aoe::{self, AmsAddress, NetId, Request};
use ecat_wire::mailbox::eoe::{self, AddressFilter, Cutter, IpParameters, Message};
use ecat_wire::mailbox::soe::{self, Content, Elements, Opcode};
use ecat_wire::mailbox::{Header, Kind, MailError, next_counter, voe};
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, register as reg};
use etherparse::{ArpEthIpv4Packet, ArpOperation, PacketBuilder};

const SEGMENT: &str = r#"{ "devices": [
  { "name": "drive", "type": "AX5206-like", "mailbox": { "delayMs": 0 } },
  { "name": "switch", "type": "EL6614-like", "mailbox": { "delayMs": 0, "eoe": { "sockets": 4, "host": true,
      "mac": "02:00:5e:00:00:09", "ip": "192.168.1.9",
      "behind": [{ "socket": 2, "mac": "02:00:00:00:00:0b", "ip": "192.168.1.11" }] } } },
  { "name": "device", "type": "generic", "pdos": [], "mailbox": { "bytes": 512, "delayMs": 0,
      "aoe": { "netId": "5.1.1.1.3.1", "name": "io", "areas": [{ "group": 16416, "content": [1, 2, 3, 4] }] },
      "voe": { "echo": true } } } ] }"#;
/// Bytes of a mailbox, by device.
const BYTES: [u16; 3] = [512, 1_024, 512];
const OUT: u16 = 0x1000;
const STATION: u16 = 0x1001;
const MAIN_DEVICE: MacAddress = MacAddress([0x02, 0, 0, 0, 0, 0x01]);
const FRAME_BYTES_MAX: usize = 1_514;
const MS: u64 = 1_000_000;

/// A MainDevice that writes down what goes over its wire.
struct Wire {
    segment: Segment,
    capture: Vec<u8>,
    now_ns: u64,
    counters: [u8; 3],
}

impl Wire {
    fn record(&mut self, frame: &[u8], at_ns: u64) {
        let (seconds, rest) = (at_ns / 1_000_000_000, at_ns % 1_000_000_000);
        let bytes = frame.len() as u32;
        for word in [seconds as u32, (rest / 1_000) as u32, bytes, bytes] {
            self.capture.extend(word.to_le_bytes());
        }
        self.capture.extend(frame);
    }

    fn exchange(&mut self, command: Command, data: &[u8]) -> (u16, Vec<u8>) {
        let mut frame = [0; FRAME_BYTES_MAX];
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).expect("room");
        writer.push_data(command, 0, data).expect("room");
        let length = writer.finish();
        self.record(&frame[..length], self.now_ns);
        self.segment.process(&mut frame[..length], self.now_ns);
        self.record(&frame[..length], self.now_ns + 10_000);
        self.now_ns += MS;
        let answer = datagrams(&frame[..length]).expect("EtherCAT").next();
        let answer = answer.expect("a datagram").expect("a datagram");
        (answer.working_counter, answer.data.to_vec())
    }

    fn open(&mut self, device: u16) {
        let position = Command::position(device);
        let register = reg::STATION_ADDRESS;
        let station = STATION + device;
        self.exchange(Command::Apwr { position, register }, &station.to_le_bytes());
        let length = BYTES[usize::from(device)];
        for (number, start, control) in [(0, OUT, 0x26), (1, OUT + length, 0x22)] {
            let sm = SyncManager { start, length, control, enabled: true };
            let register = reg::sync_manager(number);
            self.exchange(Command::Fpwr { station, register }, &sm.to_bytes());
        }
        self.exchange(Command::Fpwr { station, register: reg::AL_CONTROL }, &[0x12, 0]);
        self.now_ns += MS;
    }

    /// Sends a mail, and reads all that comes.
    fn mail(
        &mut self,
        device: u16,
        kind: Kind,
        emit: impl FnOnce(&mut [u8]) -> Result<usize, MailError>,
    ) {
        let bytes = usize::from(BYTES[usize::from(device)]);
        let mut mail = vec![0; bytes];
        let length = emit(&mut mail[6..]).expect("room");
        let counter = &mut self.counters[usize::from(device)];
        *counter = next_counter(*counter);
        Header::new(kind, length as u16, *counter).emit(&mut mail).expect("room");
        let station = STATION + device;
        self.exchange(Command::Fpwr { station, register: OUT }, &mail);
        self.read(device);
    }

    fn read(&mut self, device: u16) {
        let bytes = BYTES[usize::from(device)];
        let (station, register) = (STATION + device, OUT + bytes);
        while self.exchange(Command::Fprd { station, register }, &vec![0; usize::from(bytes)]).0
            == 1
        {}
    }

    fn drive(&mut self, drive: u8, opcode: Opcode, idn: &str, elements: Elements, data: &[u8]) {
        let content = Content::Last { idn: idn.parse().expect("an IDN"), data };
        let mail = soe::Mail { opcode, drive, elements, content };
        self.mail(0, Kind::Soe, |buffer| mail.emit(buffer));
    }

    fn ethernet(&mut self, message: Message<'_>) {
        let mail = eoe::Mail { port: 0, message };
        self.mail(1, Kind::Eoe, |buffer| mail.emit(buffer));
    }

    fn frame(&mut self, frame: &[u8], number: u8) {
        let mut cutter = Cutter::new(0, number, frame, None).with_time_stamp_requested();
        while !cutter.is_done() {
            // In pieces smaller than the mailbox, so that there are several.
            let mail = cutter.next_mail(200).expect("a piece");
            let mut bytes = [0; 200];
            let length = mail.emit(&mut bytes).expect("room");
            self.mail(1, Kind::Eoe, |buffer| {
                buffer[..length].copy_from_slice(&bytes[..length]);
                Ok(length)
            });
        }
    }

    fn ads(&mut self, request: &Request<'_>, invoke_id: u32) {
        let target = AmsAddress { net_id: NetId([5, 1, 1, 1, 3, 1]), port: 0xFFFF };
        let source = AmsAddress { net_id: NetId([5, 1, 1, 1, 1, 1]), port: 0x8001 };
        let header = aoe::Header::request(target, source, invoke_id);
        self.mail(2, Kind::Aoe, |buffer| request.emit(&header, buffer));
    }
}

fn main() -> std::io::Result<()> {
    let description = SegmentDescription::from_json(SEGMENT).expect("a description of ours");
    let segment = Segment::new(&description).expect("a segment of ours");
    // Classic pcap, version 2.4, Ethernet.
    let head: [u32; 6] = [0xA1B2_C3D4, 0x0004_0002, 0, 0, 0xFFFF, 1];
    let capture = head.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut wire = Wire { segment, capture, now_ns: MS, counters: [0; 3] };
    (0..3).for_each(|device| wire.open(device));
    drives(&mut wire);
    switch(&mut wire);
    ads(&mut wire);
    let message = voe::Message { vendor_id: 0xE0B1_F057, vendor_type: 7, data: b"hello" };
    wire.mail(2, Kind::Voe, |buffer| message.emit(buffer));
    std::io::stdout().write_all(&wire.capture)
}

fn drives(wire: &mut Wire) {
    use Opcode::{ReadRequest, WriteRequest};
    wire.drive(0, ReadRequest, "S-0-0017", Elements::VALUE, &[]);
    wire.drive(1, ReadRequest, "S-0-0100", Elements(0xFF), &[]);
    wire.drive(1, WriteRequest, "S-0-0100", Elements::VALUE, &250_u32.to_le_bytes());
    wire.drive(1, ReadRequest, "S-0-0100", Elements::VALUE, &[]);
    wire.drive(0, WriteRequest, "S-0-0051", Elements::VALUE, &[0; 4]);
    wire.drive(0, ReadRequest, "P-0-0009", Elements::VALUE, &[]);
    wire.drive(0, WriteRequest, "S-0-0099", Elements::VALUE, &[3, 0]);
    wire.now_ns += 20 * MS;
    wire.read(0);
    let emergency = SegmentCommand::RaiseDriveEmergency {
        device: 0,
        drive: 1,
        code: 0x8130,
        register: 1,
        data: [1, 2, 3, 4, 5],
    };
    wire.segment.apply(emergency, wire.now_ns);
    wire.read(0);
}

fn switch(wire: &mut Wire) {
    let set = IpParameters {
        mac: Some(MacAddress([0x02, 0, 0x5E, 0, 0, 0x0A])),
        ip: Some(Ipv4Addr::new(192, 168, 1, 10)),
        mask: Some(Ipv4Addr::new(255, 255, 255, 0)),
        gateway: Some(Ipv4Addr::new(192, 168, 1, 1)),
        dns_server: Some(Ipv4Addr::new(9, 9, 9, 9)),
        dns_name: Some(b"switch"),
        append_time_stamp: true,
    };
    wire.ethernet(Message::SetIp(set));
    wire.ethernet(Message::GetIp);
    let mut filter = AddressFilter { filter_count: 1, ..AddressFilter::default() };
    filter.filters[0] = MAIN_DEVICE;
    wire.ethernet(Message::SetFilter(filter));
    wire.ethernet(Message::GetFilter);
    let question = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: MAIN_DEVICE.0,
        sender_ipv4: [192, 168, 1, 1],
        target_mac: [0; 6],
        target_ipv4: [192, 168, 1, 11],
    };
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2(MAIN_DEVICE.0, [0xFF; 6]).arp(question.into());
    builder.write(&mut frame).expect("a vector");
    wire.frame(&frame, 1);
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2(MAIN_DEVICE.0, [0x02, 0, 0, 0, 0, 0x0B])
        .ipv4([192, 168, 1, 1], [192, 168, 1, 11], 64)
        .icmpv4_echo_request(7, 42);
    builder.write(&mut frame, &[0xA5; 400]).expect("a vector");
    wire.frame(&frame, 2);
}

fn ads(wire: &mut Wire) {
    wire.ads(&Request::Read { group: 0xF302, offset: 0x1018_0001, length: 4 }, 1);
    wire.ads(&Request::Write { group: 0x4020, offset: 2, data: &[9, 8] }, 2);
    wire.ads(&Request::Read { group: 0x4020, offset: 0, length: 4 }, 3);
    wire.ads(&Request::Read { group: 0x4021, offset: 0, length: 4 }, 4);
    let stop = aoe::state::STOP;
    wire.ads(&Request::WriteControl { ads_state: stop, device_state: 3, data: &[] }, 5);
    wire.ads(&Request::ReadState, 6);
    wire.ads(&Request::DeviceInfo, 7);
    wire.ads(&Request::ReadWrite { group: 0x4020, offset: 0, read_length: 2, data: &[7] }, 8);
}
