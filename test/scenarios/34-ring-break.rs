//! A ring that breaks: both halves are reached, by the port that leads to each.

use ecat_simulator::{RingLink, Segment, SegmentCommand, SegmentDescription, ring_links};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams, for_each_datagram_mut};
use ecat_wire::{Command, Link, register as reg};

use crate::page;

const RING: &str = r#"{ "devices": [
    { "name": "first", "type": "EK1100" }, { "name": "second", "type": "EK1100" },
    { "name": "third", "type": "EK1100" }, { "name": "fourth", "type": "EK1100" } ],
  "ring": { "parent": "fourth", "port": 1 } }"#;

/// Every error counter, lost link, DL and AL status of a device.
fn seen(link: &RingLink) -> Vec<[Vec<u8>; 4]> {
    let read =
        |n, register, bytes| link.with_segment(|segment| segment.register(n, register, bytes, 0));
    let of = |n| {
        [
            read(n, 0x0300, 14),
            read(n, reg::LOST_LINKS, 4),
            read(n, reg::DL_STATUS, 2),
            read(n, 0x0130, 1),
        ]
    };
    (0..4).map(of).collect()
}

/// Sends a broadcast read; `circulating` as if it had gone round.
fn send(link: &mut RingLink, circulating: bool) {
    let mut frame = [0; 60];
    let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
    writer.push_data(Command::Brd { register: reg::TYPE }, 0, &[0]).unwrap();
    let _ = writer.finish();
    if circulating {
        for_each_datagram_mut(&mut frame, |mut datagram| datagram.set_circulating()).unwrap();
    }
    link.send(&frame, 0).unwrap();
}

/// How many have processed what comes out of a link, and whether it circulates.
fn received(link: &mut RingLink) -> Option<(u16, bool)> {
    let mut buffer = [0; 1514];
    let length = link.receive(&mut buffer, 0).unwrap()?;
    let datagram = datagrams(&buffer[..length]).unwrap().next().unwrap().unwrap();
    Some((datagram.working_counter, datagram.circulating))
}

/// Sends by both ports; what comes out of each.
fn exchange(first: &mut RingLink, second: &mut RingLink) -> [Vec<(u16, bool)>; 2] {
    send(first, false);
    send(second, false);
    [first, second].map(|link| std::iter::from_fn(|| received(link)).collect())
}

#[test]
fn a_ring_that_breaks_is_two_lines_and_everybody_is_reached() {
    let description = SegmentDescription::from_json(RING).unwrap();
    let (mut first, mut second, control) = ring_links(Segment::new(&description).unwrap());
    // By the far port no processing unit is passed: everybody processes a frame once.
    let whole = [vec![(0, false)], vec![(4, false)]];
    assert_eq!(exchange(&mut first, &mut second), whole);
    let before = seen(&first);

    let fault = control.inject(&page::fault("34-ring-break", "break")).unwrap();
    assert_eq!(exchange(&mut first, &mut second), [vec![(2, false)], vec![(2, true)]]);
    let broken = seen(&first);
    let [errors, links, status, state] = [0, 1, 2, 3]
        .map(|what| (0..4).filter(|&n| broken[n][what] != before[n][what]).collect::<Vec<_>>());
    assert_eq!((errors, links, status, state), (vec![], vec![1, 2], vec![1, 2], vec![]));
    assert_eq!((&broken[1][1], &broken[2][1]), (&vec![0, 1, 0, 0], &vec![1, 0, 0, 0]));
    // 0x0110: link at port 0 or 1 (bits 4, 5), loop closed there (bits 8, 10).
    let bits = |n: usize| u16::from_le_bytes([broken[n][2][0], broken[n][2][1]]) & 0x0530;
    assert_eq!((bits(1), bits(2)), (0x0410, 0x0120));

    control.clear(&fault).unwrap();
    assert_eq!(exchange(&mut first, &mut second), whole);
}

#[test]
fn what_went_round_is_destroyed_and_counted() {
    let description = SegmentDescription::from_json(RING).unwrap();
    let (first, mut second, control) = ring_links(Segment::new(&description).unwrap());
    control.inject(&page::fault("34-ring-break", "break")).unwrap();
    send(&mut second, false);
    assert_eq!(received(&mut second), Some((2, true)));
    send(&mut second, true);
    assert_eq!(received(&mut second), None);
    let counts: Vec<_> = (0..4)
        .map(|n| first.with_segment(|segment| segment.register(n, reg::PROCESSING_ERRORS, 1, 0)[0]))
        .collect();
    assert_eq!(counts, [0, 0, 1, 0]);
    control.send(SegmentCommand::MendCable).unwrap();
}
