//! Captures of our own making, of what no recording at hand shows.

use ecat_simulator::replay::Counts;
use ecat_simulator::{Segment, SegmentDescription, replay};
use ecat_wire::Command;
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::FrameWriter;

const INPUTS: Command = Command::Aprd { position: 0, register: 0x1000 };
const PLAIN: MacAddress = MacAddress([0x10, 0, 0, 0, 0, 1]);
/// An address that has the bit that an ESC sets, as virtual interfaces have.
const MARKED: MacAddress = MacAddress([0x02, 0, 0, 0, 0, 1]);

fn description() -> SegmentDescription {
    SegmentDescription::from_json(r#"{ "devices": [{ "type": "digital-inputs" }] }"#).unwrap()
}

/// Frames a millisecond apart: requests and answers of a segment whose inputs change.
fn recorded(source: MacAddress, count: usize) -> Vec<Vec<u8>> {
    let mut segment = Segment::new(&description()).unwrap();
    let mut frames = Vec::new();
    for n in 0..count {
        let mut buffer = [0; 60];
        let mut writer = FrameWriter::new(&mut buffer, source).unwrap();
        writer.push(INPUTS, n as u8, 1).unwrap();
        assert_eq!(writer.finish(), 60);
        frames.push(buffer.to_vec());
        segment.set_input(0, 0, 8, n as u64);
        segment.process(&mut buffer, n as u64 * 1_000_000);
        frames.push(buffer.to_vec());
    }
    frames
}

fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file: Vec<u8> = [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, 1]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    for (n, frame) in frames.iter().enumerate() {
        let length = frame.len() as u32;
        file.extend([0, n as u32 * 500, length, length].into_iter().flat_map(u32::to_le_bytes));
        file.extend(frame);
    }
    file
}

fn counts(frames: &[Vec<u8>]) -> Counts {
    replay(&pcap(frames), &description()).unwrap().counts
}

#[test]
fn inputs_may_change_and_nothing_else() {
    let mut frames = recorded(PLAIN, 4);
    let expected = Counts { identical: 1, live: 3, total: 4, ..Counts::default() };
    assert_eq!(counts(&frames), expected);
    // The working counter of the last answer.
    frames[7][27] += 1;
    let expected = Counts { identical: 1, live: 2, structural: 1, total: 4, ..Counts::default() };
    assert_eq!(counts(&frames), expected);
}

#[test]
fn a_sender_whose_address_has_the_bit_already_is_understood() {
    let expected = Counts { identical: 1, live: 3, total: 4, ..Counts::default() };
    assert_eq!(counts(&recorded(MARKED, 4)), expected);
}

#[test]
fn tags_and_headers_around_a_frame_do_not_matter() {
    let tagged = |frame: &Vec<u8>| [&frame[..12], &[0x81, 0, 0, 5], &frame[12..]].concat();
    let mut ip = [0; 28];
    (ip[0], ip[9]) = (0x45, 17);
    ip[22..24].copy_from_slice(&0x88A4_u16.to_be_bytes());
    let in_udp = |frame: &Vec<u8>| [&frame[..12], &[0x08, 0], &ip[..], &frame[14..]].concat();
    let frames = recorded(PLAIN, 3);
    let expected = Counts { identical: 1, live: 2, total: 3, ..Counts::default() };
    assert_eq!(counts(&frames.iter().map(tagged).collect::<Vec<_>>()), expected);
    assert_eq!(counts(&frames.iter().map(in_udp).collect::<Vec<_>>()), expected);
}

#[test]
fn lost_answers_count_and_other_protocols_are_skipped() {
    let mut frames = recorded(PLAIN, 4);
    frames.remove(3);
    // An answer whose request the capture does not have.
    frames.remove(0);
    let mut arp = vec![0xFF; 60];
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    frames.extend([arp, vec![1, 2, 3]]);
    let report = replay(&pcap(&frames), &description()).unwrap();
    let expected = Counts { live: 2, unanswered: 1, skipped: 3, total: 6, ..Counts::default() };
    assert_eq!(report.counts, expected);
    let skipped: Vec<_> = report.skipped.into_iter().collect();
    assert_eq!(skipped, [("ARP", 1), ("answers without a request", 1), ("short", 1)]);
}
