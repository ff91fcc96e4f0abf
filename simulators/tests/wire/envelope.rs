//! EtherCAT in a VLAN or in UDP, frames that are something else, and frames that are broken.
//! ESC data sheet, section I, "EtherCAT header" and "Error counters", and section II, 2.4.1 and 2.9.

use ecat_simulator::{Forward, SegmentLink};
use ecat_wire::ethernet::TAGGED_FRAME_BYTES_MAX;
use ecat_wire::link::Link;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, frame};

const RAM: Command = Command::Bwr { register: reg::PROCESS_RAM };
const TIME: Command = Command::Bwr { register: reg::WATCHDOG_TIME_SM };
const VLAN: [u8; 4] = [0x81, 0x00, 0x60, 0x01];
const SOURCE: usize = 6;

fn three() -> Wire {
    Wire::new(vec![emulated(), emulated(), emulated()])
}

fn tagged(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.splice(12..12, VLAN);
    bytes
}

/// The EtherCAT part of a frame, in IP and UDP to port 0x88A4.
fn in_udp(plain: &[u8]) -> Vec<u8> {
    let mut bytes = plain[..12].to_vec();
    let ethercat = &plain[14..];
    let length = (ethercat.len() + 8) as u16;
    bytes.extend([0x08, 0x00, 0x45, 0]);
    bytes.extend((length + 20).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 0, 1, 192, 168, 0, 255]);
    bytes.extend([0x88, 0xA4, 0x88, 0xA4]);
    bytes.extend(length.to_be_bytes());
    bytes.extend([0xAB, 0xCD]);
    bytes.extend(ethercat);
    bytes
}

fn pass(wire: &mut Wire, bytes: &mut [u8]) -> Forward {
    wire.now_ns += 1_000;
    wire.segment.process(bytes, wire.now_ns)
}

#[test]
fn a_vlan_tag_is_carried_along() {
    let mut wire = three();
    let mut bytes = tagged(frame(&[(RAM, &[7])]));
    assert_eq!(pass(&mut wire, &mut bytes), Forward::Returned);
    assert_eq!(bytes[12..16], VLAN);
    // The working counter, four bytes further on than without a tag.
    assert_eq!(bytes[4 + 27..4 + 29], [3, 0]);
    assert_eq!(bytes[SOURCE] & 2, 2);
    assert_eq!(wire.get(0x1003, reg::PROCESS_RAM, 1), [7]);
}

#[test]
fn the_longest_frame_with_a_tag_comes_back_from_a_link() {
    let (mut link, _control) = SegmentLink::new(three().segment);
    let mut bytes = tagged(frame(&[(RAM, &[7; 1_486])]));
    assert_eq!(bytes.len(), TAGGED_FRAME_BYTES_MAX);
    link.send(&bytes, 1_000).unwrap();
    let mut back = [0; TAGGED_FRAME_BYTES_MAX];
    assert_eq!(link.receive(&mut back, 2_000).unwrap(), Some(TAGGED_FRAME_BYTES_MAX));
    assert_eq!(back[back.len() - 2..], [3, 0]);
    bytes.push(0);
    assert!(link.send(&bytes, 3_000).is_err());
}

#[test]
fn datagrams_in_udp_are_processed_and_the_checksum_is_cleared() {
    let mut wire = three();
    for tag in [0, 4] {
        let mut bytes = in_udp(&frame(&[(RAM, &[7])]));
        if tag != 0 {
            bytes = tagged(bytes);
        }
        assert_eq!(pass(&mut wire, &mut bytes), Forward::Returned);
        assert_eq!(bytes[tag + 40..tag + 42], [0, 0]);
        assert_eq!(bytes[tag + 28 + 27..tag + 28 + 29], [3, 0]);
    }
    assert_eq!(wire.get(0x1003, reg::PROCESS_RAM, 1), [7]);
}

#[test]
fn udp_to_another_port_is_not_ethercat() {
    let mut wire = three();
    let mut bytes = in_udp(&frame(&[(RAM, &[7])]));
    bytes[36] = 0x88;
    bytes[37] = 0xA5;
    assert_eq!(pass(&mut wire, &mut bytes), Forward::Lost);
    assert_eq!(wire.get(0x1001, reg::PROCESS_RAM, 1), [0]);
}

#[test]
fn other_frames_are_destroyed_and_counted_where_only_ethercat_passes() {
    // 0x0100 bit 0, which is set after power-on.
    let mut wire = three();
    let mut arp = vec![0x10; 60];
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    assert_eq!(pass(&mut wire, &mut arp), Forward::Lost);
    assert_eq!(wire.get(0x1001, reg::PROCESSING_ERRORS, 1), [1]);
    wire.set(0x1001, reg::DL_CONTROL, &[0]);
    assert_eq!(pass(&mut wire, &mut arp), Forward::Lost);
    assert_eq!([0x1001, 0x1002].map(|n| wire.get(n, reg::PROCESSING_ERRORS, 1)[0]), [1, 1]);
    wire.write(Command::Bwr { register: reg::DL_CONTROL }, &[0]);
    let before = arp.clone();
    assert_eq!(pass(&mut wire, &mut arp), Forward::Returned);
    assert_eq!(arp, before);
}

#[test]
fn the_source_address_changes_where_only_ethercat_passes() {
    let mut wire = three();
    let mut bytes = frame(&[(Command::Nop, &[0])]);
    let before = bytes[SOURCE];
    pass(&mut wire, &mut bytes);
    assert_eq!(bytes[SOURCE], before | 2);
    wire.write(Command::Bwr { register: reg::DL_CONTROL }, &[0]);
    let mut bytes = frame(&[(Command::Nop, &[0])]);
    pass(&mut wire, &mut bytes);
    assert_eq!(bytes[SOURCE], before);
}

fn counters(wire: &mut Wire, station: u16) -> [u8; 5] {
    let all = wire.get(station, reg::RX_ERRORS, 13);
    [all[0], all[1], all[8], all[9], all[12]]
}

#[test]
fn a_length_that_does_not_fit_counts_at_the_first_and_as_forwarded_behind() {
    let mut wire = three();
    let mut bytes = frame(&[(TIME, &[7, 0]), (RAM, &[9])]);
    // More data than the frame has.
    let second = 16 + 14;
    bytes[second + 6] = 200;
    assert_eq!(pass(&mut wire, &mut bytes), Forward::Lost);
    // 0x030C at the first; 0x0308 and 0x030C at the others; the first has its answer back at port 1.
    assert_eq!(counters(&mut wire, 0x1001), [0, 0, 0, 1, 1]);
    assert_eq!(counters(&mut wire, 0x1002), [0, 0, 1, 1, 1]);
    assert_eq!(counters(&mut wire, 0x1003), [0, 0, 1, 0, 1]);
    // Nothing of it was taken over.
    assert_eq!(wire.word(0x1001, reg::WATCHDOG_TIME_SM), 1_000);
}

#[test]
fn a_frame_of_less_than_64_bytes_is_counted_and_lost() {
    let mut wire = three();
    let mut bytes = frame(&[(TIME, &[7, 0])]);
    assert_eq!(pass(&mut wire, &mut bytes[..59]), Forward::Lost);
    assert_eq!(wire.get(0x1001, reg::PROCESSING_ERRORS, 1), [1]);
    assert_eq!(wire.word(0x1001, reg::WATCHDOG_TIME_SM), 1_000);
}

#[test]
fn pdi_errors_and_processing_errors_are_cleared_one_by_one() {
    let mut wire = three();
    let mut bytes = frame(&[(TIME, &[7, 0])]);
    pass(&mut wire, &mut bytes[..59]);
    assert_eq!(wire.set(0x1001, reg::PDI_ERRORS, &[0]), 1);
    assert_eq!(wire.get(0x1001, reg::PROCESSING_ERRORS, 2), [1, 0]);
    assert_eq!(wire.set(0x1001, reg::PROCESSING_ERRORS, &[0]), 1);
    assert_eq!(wire.get(0x1001, reg::PROCESSING_ERRORS, 2), [0, 0]);
}
