//! A recording of real hardware, played to the simulated devices: an EK1100, an EL2828 and an EL2889 that
//! ethercrab took from INIT to OP. Our devices get the same requests at the same times, and must answer
//! with the same working counters and, apart from clocks and the moment an EEPROM is ready, the same data.

use std::fs;

use ecat_simulator::description::DeviceDescription;
use ecat_simulator::{Forward, Segment, SegmentDescription};
use ecat_wire::ethernet::{ETHERTYPE, FRAME_BYTES_MIN, SOURCE_PROCESSED};
use ecat_wire::frame::datagrams;
use ecat_wire::{Command, register as reg};

/// Frames with their times in ns, as pcapng stores them (enhanced packet blocks only).
fn frames(file: &[u8]) -> Vec<(u64, &[u8])> {
    const INTERFACE: u32 = 1;
    const PACKET: u32 = 6;
    const TIME_RESOLUTION: u16 = 9;
    let u16_at = |at: usize| u16::from_le_bytes([file[at], file[at + 1]]);
    let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
    let (mut at, mut decimals, mut found) = (0, 6, Vec::new());
    while at < file.len() {
        let length = u32_at(at + 4) as usize;
        match u32_at(at) {
            INTERFACE => {
                let mut option = at + 16;
                while option < at + length - 4 && u16_at(option) != 0 {
                    if u16_at(option) == TIME_RESOLUTION {
                        decimals = u32::from(file[option + 4]);
                    }
                    option += 4 + usize::from(u16_at(option + 2)).next_multiple_of(4);
                }
            }
            PACKET => {
                let time = u64::from(u32_at(at + 12)) << 32 | u64::from(u32_at(at + 16));
                let captured = u32_at(at + 20) as usize;
                found.push((time * 10_u64.pow(9 - decimals), &file[at + 28..at + 28 + captured]));
            }
            _ => {}
        }
        at += length;
    }
    found.retain(|(_, frame)| frame[12..14] == ETHERTYPE.to_be_bytes());
    found
}

/// Requests in their order, each with the answer that follows it. Indices are used again, so the newest
/// request is meant.
fn exchanges<'a>(frames: &[(u64, &'a [u8])]) -> Vec<(u64, &'a [u8], &'a [u8])> {
    let mut waiting: Vec<(usize, u64, &[u8])> = Vec::new();
    let mut pairs = Vec::new();
    for (number, &(time, frame)) in frames.iter().enumerate() {
        if frame[6] & SOURCE_PROCESSED == 0 {
            waiting.push((number, time, frame));
        } else if let Some(found) =
            waiting.iter().rposition(|(_, _, request)| request[16..18] == frame[16..18])
        {
            let (number, time, request) = waiting.remove(found);
            pairs.push((number, time, request, frame));
        }
    }
    pairs.sort_unstable_by_key(|pair| pair.0);
    pairs.into_iter().map(|(_, time, request, answer)| (time, request, answer)).collect()
}

/// Registers whose content depends on a clock, or on how fast an EEPROM is.
fn depends_on_time(command: Command) -> bool {
    match command {
        Command::Fprd { register, .. } | Command::Frmw { register, .. } => {
            register == reg::EEPROM_CONTROL
                || (reg::DC_RECEIVE_TIME..reg::DC_SPEED_START).contains(&register)
        }
        _ => false,
    }
}

#[test]
fn recorded_devices_and_simulated_ones_answer_alike() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../test/fixtures");
    let mut description = SegmentDescription::default();
    for name in ["ek1100", "el2828", "el2889"] {
        let sii = fs::read(format!("{fixtures}/eeprom/{name}.bin")).expect("an image");
        description.devices.push(DeviceDescription { sii: Some(sii), ..Default::default() });
    }
    let mut segment = Segment::new(&description).expect("a good description");
    let file =
        fs::read(format!("{fixtures}/captures/ek1100-el2828-el2889.pcapng")).expect("a recording");
    let frames = frames(&file);
    let start_ns = frames[0].0;

    let mut compared = 0;
    for (time, request, recorded) in exchanges(&frames) {
        let mut frame = request.to_vec();
        frame.resize(frame.len().max(FRAME_BYTES_MIN), 0);
        assert_eq!(segment.process(&mut frame, 1_000_000_000 + time - start_ns), Forward::Returned);
        let requested = datagrams(request).unwrap();
        let answered = datagrams(&frame).unwrap().zip(datagrams(recorded).unwrap());
        for (request, (ours, theirs)) in requested.zip(answered) {
            let (request, ours, theirs) = (request.unwrap(), ours.unwrap(), theirs.unwrap());
            let command = Command::parse(request.code, request.address).unwrap();
            let context = format!("datagram {compared}: {command:x?} {:x?}", request.data);
            assert_eq!(ours.working_counter, theirs.working_counter, "{context}");
            assert_eq!(ours.address, theirs.address, "{context}");
            assert_eq!(ours.irq, theirs.irq, "{context}");
            if !depends_on_time(command) {
                assert_eq!(ours.data, theirs.data, "{context}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 2_062);
}
