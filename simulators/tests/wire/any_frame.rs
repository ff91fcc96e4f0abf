//! Whatever arrives, the segment stays a segment.

use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::FrameWriter;
use ecat_wire::{Command, register as reg};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::wire::{Wire, digital, emulated, program};

fn wire() -> Wire {
    Wire::new(vec![emulated(), program(Default::default()), digital(Default::default())])
}

/// Registers with effects, and their neighbourhood.
fn register() -> impl Strategy<Value = u16> {
    let groups =
        vec![0x0000, 0x00F8, 0x0118, 0x0200, 0x0300, 0x0400, 0x0500, 0x0600, 0x0800, 0x0900];
    prop_oneof![
        (prop::sample::select(groups), 0_u16..0x90).prop_map(|(group, n)| group + n),
        0x0EF0_u16..0x1010,
        any::<u16>(),
    ]
}

fn datagram() -> impl Strategy<Value = (Command, Vec<u8>)> {
    let address = prop_oneof![0_u16..4, 0xFFF0..=u16::MAX, 0x1000_u16..0x1004];
    let physical = (1_u8..10, address.clone(), register());
    let logical = (10_u8..13, 0_u16..64, Just(0));
    let multiple = (13_u8..15, address, register());
    let command =
        prop_oneof![4 => physical, 2 => logical, 1 => multiple].prop_map(|(code, low, high)| {
            let (low, high) = (low.to_le_bytes(), high.to_le_bytes());
            Command::parse(code, [low[0], low[1], high[0], high[1]]).unwrap()
        });
    (command, vec(any::<u8>(), 0..40))
}

proptest! {
    #[test]
    fn no_sequence_of_datagrams_breaks_it(frames in vec((vec(datagram(), 1..5), 0_u64..2_000), 1..40)) {
        let mut wire = wire();
        for (datagrams, pause_us) in frames {
            let datagrams: Vec<_> =
                datagrams.iter().map(|(command, data)| (*command, &data[..])).collect();
            wire.try_send(&datagrams);
            wire.wait_us(pause_us);
        }
        // They can all still be counted, unless loop control has opened or closed a port.
        if let Some(answers) = wire.try_send(&[(Command::Brd { register: reg::TYPE }, &[0])]) {
            prop_assert!((1..=3).contains(&answers[0].working_counter));
        }
    }

    #[test]
    fn no_bytes_break_it(mut bytes in vec(any::<u8>(), 0..200), keep_header: bool) {
        let mut wire = wire();
        let mut frame = [0; 1514];
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
        writer.push(Command::Nop, 0, 1).unwrap();
        let _ = writer.finish();
        if keep_header && bytes.len() >= 16 {
            bytes[..16].copy_from_slice(&frame[..16]);
            bytes[14] = bytes.len() as u8;
        }
        wire.segment.process(&mut bytes, wire.now_ns);
    }
}
