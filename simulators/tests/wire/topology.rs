//! Ports, loops and branches: DL control (0x0101), DL status (0x0110), frame order, the circulating bit.
//! ESC data sheet, section I, "Frame processing order" and "Loop control and loop state".

use ecat_simulator::SegmentDescription;
use ecat_simulator::esc::{Esc, Profile};
use ecat_simulator::{Attachment, Device, Forward, MainPort, Segment, SegmentCommand};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, image};

/// An ESC with four MII ports.
fn four_ports() -> Esc {
    Esc::new(Profile { port_descriptor: 0xFF, ..Profile::default() }, image(0x0100, 0))
}

/// Devices with four ports each, plugged into (parent, port).
fn wired(plugs: &[Option<(u16, u8)>], ring: Option<(u16, u8)>) -> Wire {
    let attachments: Vec<_> = plugs
        .iter()
        .map(|plug| Attachment {
            parent: plug.map(|(parent, _)| parent),
            parent_port: plug.map_or(0, |(_, port)| port),
            inlet: 0,
            cable_metres: 0,
        })
        .collect();
    let devices =
        (0..plugs.len()).map(|n| Device { name: format!("device {n}"), esc: four_ports() });
    let segment = Segment::wired(devices.collect(), Vec::new(), &attachments, ring);
    Wire { segment, now_ns: 1_000_000 }
}

/// A frame from either port: what became of it, how many answered, and whether it circulates.
fn count_from(wire: &mut Wire, port: MainPort, circulating: bool) -> (Forward, u16, bool) {
    let mut frame = [0; 60];
    let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
    writer.push_data(Command::Brd { register: reg::TYPE }, 0, &[0]).unwrap();
    assert_eq!(writer.finish(), 60);
    if circulating {
        frame[23] |= 0x40;
    }
    wire.now_ns += 1_000;
    let forward = wire.segment.process_from(port, &mut frame, wire.now_ns);
    let datagram = datagrams(&frame).unwrap().next().unwrap().unwrap();
    (forward, datagram.working_counter, datagram.circulating)
}

fn times(wire: &mut Wire, position: u16) -> [u32; 4] {
    let command =
        Command::Aprd { position: Command::position(position), register: reg::DC_RECEIVE_TIME };
    let (data, counter) = wire.read(command, 16);
    assert_eq!(counter, 1);
    [0, 4, 8, 12].map(|at| u32::from_le_bytes(data[at..at + 4].try_into().unwrap()))
}

#[test]
fn frames_take_port_3_before_1_before_2() {
    // Described in the order of ports 1, 2, 3; counted in the order of frames.
    let wire = wired(&[None, Some((0, 1)), Some((0, 2)), Some((0, 3)), Some((1, 1))], None);
    assert_eq!(wire.segment.positions(), [0, 3, 1, 4, 2]);
}

#[test]
fn receive_times_of_a_star_are_those_of_the_returns_from_each_port() {
    // 0x0900 + 4 · port: the differences along 0, 3, 1, 2 are the round trips of the branches, which are
    // one device with 2 · 500 ns, two of them, and one.
    let mut wire = wired(&[None, Some((0, 1)), Some((1, 1)), Some((0, 2)), Some((0, 3))], None);
    assert_eq!(wire.write(Command::Bwr { register: reg::DC_RECEIVE_TIME }, &[0]), 5);
    let [port_0, port_1, port_2, port_3] = times(&mut wire, 0);
    assert_eq!([port_3 - port_0, port_1 - port_3, port_2 - port_1], [1_000, 2_000, 1_000]);
}

#[test]
fn a_cable_takes_five_ns_a_metre_each_way() {
    let metres = |cable_metres| {
        let attachments =
            [Attachment::in_line(0), Attachment { cable_metres, ..Attachment::in_line(1) }];
        let devices = (0..2).map(|n| Device { name: format!("{n}"), esc: four_ports() }).collect();
        let segment =
            Segment::wired(devices, Vec::new(), &attachments, None::<ecat_simulator::Ring>);
        let mut wire = Wire { segment, now_ns: 1_000_000 };
        wire.write(Command::Bwr { register: reg::DC_RECEIVE_TIME }, &[0]);
        let [port_0, port_1, ..] = times(&mut wire, 0);
        port_1 - port_0
    };
    assert_eq!(metres(100) - metres(0), 1_000);
}

#[test]
fn port_status_shows_every_branch() {
    // 0x0110: links in bits 4–7, then (loop, communication) from bit 8.
    let mut wire = wired(&[None, Some((0, 2)), Some((0, 3))], None);
    let command = Command::Aprd { position: 0, register: reg::DL_STATUS };
    assert_eq!(wire.read(command, 2).0, 0xA6D1_u16.to_le_bytes());
}

#[test]
fn a_branch_can_be_cut_and_mended_while_the_others_answer() {
    let mut wire = wired(&[None, Some((0, 3)), Some((0, 1)), Some((2, 1))], None);
    wire.segment.apply(SegmentCommand::CutCableAt { device: 1, port: 0 }, wire.now_ns);
    assert_eq!(wire.segment.positions(), [0, 2, 3]);
    let command = Command::Aprd { position: 0, register: reg::LOST_LINKS };
    assert_eq!(wire.read(command, 4).0, [0, 0, 0, 1]);
    wire.segment.apply(SegmentCommand::MendCableAt { device: 0, port: 3 }, wire.now_ns);
    assert_eq!(wire.segment.positions(), [0, 1, 2, 3]);
    wire.segment.apply(SegmentCommand::CutCableAt { device: 2, port: 1 }, wire.now_ns);
    assert_eq!(wire.segment.positions(), [0, 1, 2]);
}

#[test]
fn a_cut_first_cable_loses_every_frame() {
    let mut wire = wired(&[None, Some((0, 1))], None);
    wire.segment.apply(SegmentCommand::CutCableAt { device: 0, port: 0 }, wire.now_ns);
    assert_eq!(count_from(&mut wire, MainPort::First, false).0, Forward::Lost);
    wire.segment.apply(SegmentCommand::MendCableAt { device: 0, port: 0 }, wire.now_ns);
    assert_eq!(count_from(&mut wire, MainPort::First, false), (Forward::Returned, 2, false));
}

#[test]
fn a_closed_ring_hands_frames_to_the_other_port() {
    let mut wire = wired(&[None, Some((0, 1)), Some((1, 1))], Some((2, 1)));
    assert_eq!(count_from(&mut wire, MainPort::First, false), (Forward::Crossed, 3, false));
    // From the far end nothing enters at port 0: no processing unit is passed.
    assert_eq!(count_from(&mut wire, MainPort::Second, false), (Forward::Crossed, 0, false));
}

#[test]
fn both_halves_of_a_cut_ring_answer_and_the_far_one_circulates() {
    // Port 0 of the device behind the cut closes by itself: what passes it gets the circulating bit.
    let mut wire = wired(&[None, Some((0, 1)), Some((1, 1)), Some((2, 1))], Some((3, 1)));
    wire.segment.apply(SegmentCommand::CutCableAt { device: 1, port: 1 }, wire.now_ns);
    assert_eq!(count_from(&mut wire, MainPort::First, false), (Forward::Returned, 2, false));
    assert_eq!(count_from(&mut wire, MainPort::Second, false), (Forward::Returned, 2, true));
}

#[test]
fn a_frame_that_circulates_is_destroyed_and_counted() {
    // 0x030C of the device whose port 0 is closed.
    let mut wire = wired(&[None, Some((0, 1)), Some((1, 1))], Some((2, 1)));
    wire.segment.apply(SegmentCommand::CutCableAt { device: 1, port: 0 }, wire.now_ns);
    assert_eq!(count_from(&mut wire, MainPort::Second, true).0, Forward::Lost);
    wire.segment.apply(SegmentCommand::MendCableAt { device: 1, port: 0 }, wire.now_ns);
    let counts: Vec<_> = (0..3)
        .map(|n| {
            let position = Command::position(n);
            let command = Command::Aprd { position, register: reg::PROCESSING_ERRORS };
            let mut frame = [0; 60];
            let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
            writer.push_data(command, 0, &[0]).unwrap();
            let _ = writer.finish();
            wire.segment.process(&mut frame, wire.now_ns);
            frame[26]
        })
        .collect();
    assert_eq!(counts, [0, 1, 0]);
}

#[test]
fn an_automatically_closing_port_stays_closed_until_it_is_told_to_open() {
    // 0x0101, two bits a port: 1 is auto-close.
    let mut wire = Wire::new(vec![emulated(), emulated()]);
    wire.set(0x1001, reg::DL_CONTROL + 1, &[0x04]);
    assert_eq!(wire.segment.positions(), [0, 1]);
    wire.segment.apply(SegmentCommand::CutCable { after: 0 }, wire.now_ns);
    wire.segment.apply(SegmentCommand::MendCable, wire.now_ns);
    assert_eq!(wire.segment.positions(), [0]);
    // The link is there, the loop is closed.
    assert_eq!(wire.word(0x1001, reg::DL_STATUS), 0x5631);
    wire.set(0x1001, reg::DL_CONTROL + 1, &[0x04]);
    assert_eq!(wire.segment.positions(), [0, 1]);
}

#[test]
fn an_automatically_closed_port_opens_for_the_frame_that_reaches_it() {
    let mut wire = Wire::new(vec![emulated(), emulated(), emulated()]);
    wire.set(0x1002, reg::DL_CONTROL + 1, &[0x01]);
    wire.segment.apply(SegmentCommand::CutCable { after: 0 }, wire.now_ns);
    wire.segment.apply(SegmentCommand::MendCable, wire.now_ns);
    assert_eq!(count_from(&mut wire, MainPort::First, false).0, Forward::Lost);
    assert_eq!(count_from(&mut wire, MainPort::First, false), (Forward::Returned, 3, false));
}

#[test]
fn a_port_held_open_without_a_link_loses_frames() {
    // 0x0101: 2 is open whatever the link; the pair in 0x0110 then reads loop 0, communication 0.
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(0x1001, reg::DL_CONTROL + 1, &[0x08]);
    assert_eq!(count_from(&mut wire, MainPort::First, false).0, Forward::Lost);
}

#[test]
fn port_0_opens_where_all_ports_would_be_closed() {
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(0x1001, reg::DL_CONTROL + 1, &[0xFF]);
    assert_eq!(count_from(&mut wire, MainPort::First, false), (Forward::Returned, 1, false));
    assert_eq!(wire.word(0x1001, reg::DL_STATUS), 0x5611);
}

#[test]
fn a_temporary_setting_ends_after_a_second() {
    // 0x0100 bit 1.
    let mut wire = Wire::new(vec![emulated(), emulated()]);
    wire.set(0x1001, reg::DL_CONTROL, &[0x03, 0x0C]);
    assert_eq!(wire.segment.positions(), [0]);
    wire.wait_us(900_000);
    assert_eq!(wire.segment.positions(), [0]);
    wire.wait_us(100_000);
    assert_eq!(wire.segment.positions(), [0, 1]);
    assert_eq!(wire.get(0x1001, reg::DL_CONTROL + 1, 1), [0]);
}

#[test]
fn a_description_plugs_devices_in_by_name_and_port() {
    let described = |json: &str| Segment::new(&SegmentDescription::from_json(json).unwrap());
    let segment = described(
        r#"{ "devices": [{ "name": "first", "type": "EK1100" }, { "type": "digital-inputs" },
             { "name": "second", "type": "EK1100", "parent": "first", "port": 2, "cableMetres": 50 },
             { "type": "digital-outputs" }] }"#,
    );
    assert_eq!(segment.unwrap().positions(), [0, 1, 2, 3]);
    let cases = [
        (r#"{ "type": "EK1100", "parent": "b" }"#, "/devices/1/parent"),
        (r#"{ "type": "EK1100", "parent": "a", "port": 3 }"#, "/devices/1/port"),
        (r#"{ "type": "EK1100", "parent": "a", "port": 0 }"#, "/devices/1/port"),
        (r#"{ "type": "EK1100" }, { "type": "EK1100", "parent": "a" }"#, "/devices/2"),
    ];
    for (devices, path) in cases {
        let json = format!(r#"{{ "devices": [{{ "name": "a", "type": "EK1100" }}, {devices}] }}"#);
        assert_eq!(described(&json).err().unwrap().path, path);
    }
    let json = r#"{ "devices": [{ "name": "a", "type": "EK1100" }], "ring": { "parent": "x", "port": 1 } }"#;
    assert_eq!(described(json).err().unwrap().path, "/ring/parent");
}
