//! Cables, delays and ports as descriptions and commands have them: stars, trees, rings, the second port.

use ecat_simulator::{MainPort, Segment, SegmentCommand, SegmentDescription, ring_links};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::{Command, Link, register as reg};

use crate::wire::Wire;

fn wire(json: &str) -> Wire {
    let description = SegmentDescription::from_json(json).unwrap();
    Wire { segment: Segment::new(&description).unwrap(), now_ns: 1_000_000 }
}

fn names(wire: &Wire) -> Vec<&str> {
    let devices = wire.segment.devices();
    wire.segment.positions().iter().map(|n| devices[usize::from(*n)].name.as_str()).collect()
}

/// How long after its entry a frame returned at a port of a device.
fn round_trip(wire: &mut Wire, position: u16, port: u16) -> u32 {
    wire.write(Command::Bwr { register: reg::DC_RECEIVE_TIME }, &[0]);
    let mut time = |port: u16| {
        let register = reg::DC_RECEIVE_TIME + 4 * port;
        let position = Command::position(position);
        let (data, counter) = wire.read(Command::Aprd { position, register }, 4);
        assert_eq!(counter, 1);
        u32::from_le_bytes(data.try_into().unwrap())
    };
    time(port).wrapping_sub(time(0))
}

#[test]
fn delays_are_those_of_each_port_and_cable() {
    let mut wire = wire(
        r#"{"devices":[
            {"name":"a","type":"EK1100","forwardNs":[1000,200,3000,0],"processingNs":40},
            {"name":"b","type":"EK1100","parent":"a","port":2,"cableMetres":100,"forwardNs":[7000,0,0,0]},
            {"name":"c","type":"EL1004","parent":"a","port":1,"forwardNs":[90,0,0,0]}]}"#,
    );
    assert_eq!(names(&wire), ["a", "c", "b"]);
    // Out by port 1 of a, through c's unit and back by its port 0.
    let to_c = 40 + 200 + 90;
    assert_eq!(round_trip(&mut wire, 0, 1), to_c);
    // Then out by port 2, 100 m, through b, 100 m back.
    assert_eq!(round_trip(&mut wire, 0, 2), to_c + 3000 + 500 + 7000 + 500);
}

#[test]
fn a_star_of_junctions_is_counted_as_frames_pass_it() {
    let wire = wire(
        r#"{"devices":[
            {"name":"star","type":"CU1128-like"},
            {"name":"s2","type":"EK1100","parent":"star","port":2},
            {"name":"s3","type":"EK1100","parent":"star","port":3},
            {"name":"s4","type":"EK1100","parent":"star","port":4},
            {"name":"s5","type":"EK1100","parent":"star","port":5},
            {"name":"s6","type":"EK1100","parent":"star","port":6},
            {"name":"s7","type":"EK1100","parent":"star","port":7},
            {"name":"s8","type":"EK1122","parent":"star","port":8,"inlet":1},
            {"name":"t","type":"EL1004"},
            {"name":"x1","type":"EK1100","parent":"s8","port":3},
            {"name":"t1","type":"EL2004","parent":"x1"}]}"#,
    );
    // Plugged in by its socket X2 (port 1), the EK1122 sends frames on by port 2, and its unit, at port 0, sees
    // them before they go out by port 3.
    let order =
        ["star", "star B", "star C", "s6", "s7", "t", "s8", "x1", "t1", "s4", "s5", "s2", "s3"];
    assert_eq!(names(&wire), order);
}

#[test]
fn a_closed_port_hides_what_is_behind_it_until_it_opens() {
    let mut wire = wire(
        r#"{"devices":[{"name":"a","type":"EK1100"},
            {"name":"b","type":"EK1100","parent":"a","port":2},
            {"name":"c","type":"EL1004","parent":"a","port":1}]}"#,
    );
    let now_ns = wire.now_ns;
    wire.segment.apply(SegmentCommand::ClosePort { device: 0, port: 1 }, now_ns);
    assert_eq!(names(&wire), ["a", "b"]);
    let closed = SegmentCommand::ClosePort { device: 0, port: 9 };
    wire.segment.apply(closed, now_ns);
    wire.segment.apply(SegmentCommand::OpenPort { device: 0, port: 1 }, now_ns);
    wire.segment.apply(SegmentCommand::OpenPort { device: 0, port: 9 }, now_ns);
    wire.segment.apply(SegmentCommand::CutCableAt { device: 1, port: 0 }, now_ns);
    assert_eq!(names(&wire), ["a", "c"]);
    wire.segment.apply(SegmentCommand::MendCableAt { device: 0, port: 2 }, now_ns);
    assert_eq!(names(&wire), ["a", "c", "b"]);
}

fn brd() -> Vec<u8> {
    let mut frame = [0; 60];
    let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
    writer.push_data(Command::Brd { register: reg::TYPE }, 0, &[0]).unwrap();
    assert_eq!(writer.finish(), 60);
    frame.to_vec()
}

/// How many answered a frame that came out of a link, if one did.
fn answered(link: &mut impl Link) -> Option<u16> {
    let mut buffer = [0; 1514];
    let length = link.receive(&mut buffer, 0).unwrap()?;
    let datagram = datagrams(&buffer[..length]).unwrap().next().unwrap().unwrap();
    Some(datagram.working_counter)
}

#[test]
fn both_ends_of_a_ring_carry_frames_and_reach_everybody_when_it_is_cut() {
    let json = r#"{"devices":[{"name":"a","type":"EK1100"},
        {"name":"b","type":"EK1100","port":2,"cableMetres":3},
        {"name":"c","type":"EK1100","port":2,"cableMetres":3}],
        "ring":{"parent":"c","port":2,"cableMetres":50}}"#;
    let description = SegmentDescription::from_json(json).unwrap();
    let (mut first, mut second, control) = ring_links(Segment::new(&description).unwrap());
    first.send(&brd(), 1_000).unwrap();
    assert_eq!((answered(&mut first), answered(&mut second)), (None, Some(3)));
    // From the far end frames pass no processing unit but on their way back.
    second.send(&brd(), 2_000).unwrap();
    assert_eq!((answered(&mut first), answered(&mut second)), (Some(0), None));

    control.send(SegmentCommand::CutCableAt { device: 1, port: 2 }).unwrap();
    first.send(&brd(), 3_000).unwrap();
    second.send(&brd(), 3_000).unwrap();
    assert_eq!((answered(&mut first), answered(&mut second)), (Some(2), Some(1)));

    control.send(SegmentCommand::MendCable).unwrap();
    control.send(SegmentCommand::LoseFrames { count: 1 }).unwrap();
    first.send(&brd(), 4_000).unwrap();
    assert_eq!((answered(&mut first), answered(&mut second)), (None, None));
    control.send(SegmentCommand::LinkDown).unwrap();
    assert!(first.send(&brd(), 5_000).is_err() && second.receive(&mut [0; 64], 5_000).is_err());
    control.send(SegmentCommand::LinkUp).unwrap();
    second.send(&brd(), 6_000).unwrap();
    assert_eq!(answered(&mut first), Some(0));
    assert_eq!(first.with_segment(|segment| segment.sub_device_count()), 3);
}

#[test]
fn a_device_that_is_plugged_in_the_wrong_way_is_passed_before_it_processes() {
    let mut wire = wire(
        r#"{"devices":[{"name":"a","type":"EK1100"},
            {"name":"wrong","type":"EK1100","parent":"a","port":2,"inlet":2},
            {"name":"behind","type":"EK1100","parent":"wrong","port":1}]}"#,
    );
    let command = Command::Brd { register: reg::TYPE };
    assert_eq!(wire.read(command, 1).1, 3);
    let mut frame = brd();
    wire.now_ns += 1_000;
    wire.segment.process_from(MainPort::First, &mut frame, wire.now_ns);
    // It has no link at its port 0, where its unit is: the circulating bit.
    let datagram = datagrams(&frame).unwrap().next().unwrap().unwrap();
    assert!(datagram.circulating);
    let refused = SegmentDescription::from_json(
        r#"{"devices":[{"type":"EK1100"},{"type":"EK1100","port":2,"inlet":3}]}"#,
    );
    let error = Segment::new(&refused.unwrap()).err().unwrap();
    assert_eq!(error.path, "/devices/1/inlet");
}

#[test]
fn five_hundred_devices_share_a_segment() {
    const DEVICES: u16 = 500;
    let mut devices = vec![r#"{"type":"EK1100"}"#.to_owned()];
    devices.extend((1..DEVICES).map(|_| r#"{"type":"EL2004"}"#.to_owned()));
    let mut wire = wire(&format!(r#"{{"devices":[{}]}}"#, devices.join(",")));
    assert_eq!(wire.read(Command::Brd { register: reg::TYPE }, 1).1, DEVICES);
    for n in 0..DEVICES {
        let position = Command::position(n);
        let command = Command::Apwr { position, register: reg::STATION_ADDRESS };
        assert_eq!(wire.write(command, &(0x1000 + n).to_le_bytes()), 1, "{n}");
    }
    // The last one, addressed by the station that it just got.
    let last = Command::Fprd { station: 0x1000 + DEVICES - 1, register: reg::TYPE };
    let (data, counter) = wire.read(last, 1);
    assert_eq!((data[0], counter), (0x12, 1));
    assert_eq!(wire.write(Command::Bwr { register: reg::AL_CONTROL }, &[0x08, 0]), DEVICES);
    let (state, counter) = wire.read(Command::Brd { register: reg::AL_STATUS }, 2);
    assert_eq!((state[0], counter), (0x08, DEVICES));
    // 75 µs of passing by for the frame.
    let passed = round_trip(&mut wire, 0, 1);
    assert!((140_000..180_000).contains(&passed), "{passed} ns");
}
