//! Properties of frames and commands that must hold for whatever comes over the wire.

use ecat_wire::ethernet::{FRAME_BYTES_MAX, FRAME_BYTES_MIN, MacAddress};
use ecat_wire::frame::{datagrams, for_each_datagram_mut};
use ecat_wire::{Command, FrameWriter};
use proptest::prelude::*;

fn any_command() -> impl Strategy<Value = Command> {
    (0..15u8, any::<[u8; 4]>()).prop_map(|(code, address)| Command::parse(code, address).unwrap())
}

/// What a datagram is composed of: command, index, data.
fn any_datagram() -> impl Strategy<Value = (Command, u8, Vec<u8>)> {
    (any_command(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..200))
}

/// Random bytes that get past the first checks: EtherCAT's EtherType and frame type.
fn nearly_a_frame() -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::vec(any::<u8>(), 16..300), any::<u16>()).prop_map(|(mut bytes, word)| {
        bytes[12..14].copy_from_slice(&[0x88, 0xA4]);
        bytes[14..16].copy_from_slice(&(word & 0x01FF | 0x1000).to_le_bytes());
        bytes
    })
}

proptest! {
    #[test]
    fn commands_round_trip_through_code_and_address(command in any_command()) {
        prop_assert_eq!(Command::parse(command.code(), command.address()), Some(command));
    }

    #[test]
    fn codes_that_no_esc_knows_are_no_commands(code in 15..=u8::MAX, address: [u8; 4]) {
        prop_assert_eq!(Command::parse(code, address), None);
    }

    #[test]
    fn a_frame_reads_back_as_it_was_composed(
        composed in prop::collection::vec(any_datagram(), 0..20),
        garbage: u8,
    ) {
        let mut buffer = [garbage; FRAME_BYTES_MAX];
        let mut writer = FrameWriter::new(&mut buffer, MacAddress::MAIN_DEVICE).unwrap();
        let mut expected = Vec::new();
        for (command, index, data) in &composed {
            let room = writer.room();
            match writer.push_data(*command, *index, data) {
                Ok(span) => expected.push((command, index, data, span)),
                Err(_) => prop_assert!(data.len() > room || room == 0),
            }
        }
        let length = writer.finish();
        prop_assert!((FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(&length));
        if expected.is_empty() {
            // A frame without a datagram has nothing to read.
            prop_assert!(datagrams(&buffer[..length]).unwrap().next().unwrap().is_err());
            return Ok(());
        }
        let frame = &buffer[..length];
        let read: Vec<_> = datagrams(frame).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), expected.len());
        for (datagram, (command, index, data, span)) in read.iter().zip(expected) {
            prop_assert_eq!(Command::parse(datagram.code, datagram.address), Some(*command));
            prop_assert_eq!((datagram.index, datagram.data), (*index, &data[..]));
            prop_assert_eq!((datagram.working_counter, datagram.irq, datagram.circulating), (0, 0, false));
            prop_assert_eq!(&frame[span.data()], &data[..]);
            prop_assert_eq!(&frame[span.working_counter()], &[0, 0]);
            prop_assert_eq!(frame[span.index()], *index);
        }
    }

    #[test]
    fn what_a_sub_device_changes_in_place_is_read_back(
        composed in prop::collection::vec(any_datagram(), 1..6),
        counters in prop::collection::vec(any::<u16>(), 6),
        irqs in prop::collection::vec(any::<u16>(), 6),
    ) {
        let mut buffer = [0; FRAME_BYTES_MAX];
        let mut writer = FrameWriter::new(&mut buffer, MacAddress::MAIN_DEVICE).unwrap();
        for (command, index, data) in &composed {
            writer.push_data(*command, *index, data).unwrap();
        }
        let length = writer.finish();
        let mut n = 0;
        for_each_datagram_mut(&mut buffer[..length], |mut datagram| {
            assert_eq!(datagram.command(), Some(composed[n].0));
            datagram.data.reverse();
            datagram.add_working_counter(counters[n]);
            datagram.add_working_counter(1);
            datagram.or_irq(irqs[n]);
            datagram.set_circulating();
            datagram.set_address([1, 2, 3, 4]);
            n += 1;
        })
        .unwrap();
        prop_assert_eq!(n, composed.len());
        for (n, datagram) in datagrams(&buffer[..length]).unwrap().enumerate() {
            let datagram = datagram.unwrap();
            let reversed: Vec<u8> = composed[n].2.iter().rev().copied().collect();
            prop_assert_eq!(datagram.data, &reversed[..]);
            prop_assert_eq!(datagram.working_counter, counters[n].wrapping_add(1));
            prop_assert_eq!((datagram.irq, datagram.circulating), (irqs[n], true));
            prop_assert_eq!(datagram.address, [1, 2, 3, 4]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_both_readers_agree(
        mut bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly_a_frame()],
    ) {
        let read: Vec<_> = datagrams(&bytes)
            .map(|all| all.filter_map(Result::ok).map(|d| d.data.to_vec()).collect())
            .unwrap_or_default();
        let result = datagrams(&bytes).map(|mut all| all.try_for_each(|datagram| datagram.map(drop)));
        let mut in_place = Vec::new();
        let walked = for_each_datagram_mut(&mut bytes, |datagram| {
            let _ = datagram.command();
            in_place.push(datagram.data.to_vec());
        });
        prop_assert_eq!(in_place, read);
        prop_assert_eq!(walked, result.and_then(|inner| inner));
    }
}
