//! The ESCs that descriptions can name: which registers each has, and what its first ones read.

use ecat_simulator::esc::{Chip, Profile, RegisterAccess, Source, rows};
use ecat_simulator::{Segment, SegmentDescription};
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated_with};

#[test]
fn every_register_byte_of_every_chip_is_covered_exactly_once() {
    for chip in Chip::ALL {
        for digital_io in [false, true] {
            let mut next = 0;
            for row in rows(&chip.profile(), digital_io) {
                assert_eq!(row.first, next, "{} {row:x?}", chip.name());
                assert!(row.last >= row.first);
                next = row.last + 1;
            }
            assert_eq!(next, 0x1000, "{}", chip.name());
        }
    }
}

#[test]
fn every_row_says_who_says_so() {
    for chip in Chip::ALL {
        for row in rows(&chip.profile(), true) {
            let (Source::Verified(text) | Source::Assumed(text)) = row.source;
            assert!(text.len() > 10, "{} {row:x?}", chip.name());
        }
    }
}

#[test]
fn a_datagram_counts_where_the_row_says_so_and_nowhere_else() {
    for chip in Chip::ALL {
        let mut wire = Wire::new(vec![emulated_with(chip.profile())]);
        for row in rows(&chip.profile(), false) {
            let read = u16::from(row.access != RegisterAccess::Absent);
            for register in [row.first, row.last] {
                let (_, counter) = wire.read(Command::Brd { register }, 1);
                assert_eq!(counter, read, "{} {register:#06x}", chip.name());
                // 0x0040 and the protections would change what follows; their own tests write them.
                if row.access != RegisterAccess::ReadWrite {
                    let counter = wire.write(Command::Bwr { register }, &[0]);
                    assert_eq!(counter, 0, "{} {register:#06x}", chip.name());
                }
            }
        }
    }
}

#[test]
fn the_identity_blocks_are_those_of_real_devices() {
    let block = |profile: Profile| {
        let mut wire = Wire::new(vec![emulated_with(profile)]);
        wire.get(0x1001, reg::TYPE, 10)
    };
    let coupler = Profile { port_descriptor: 0x3B, ..Chip::Et1100.profile() };
    assert_eq!(block(coupler), [0x11, 0x00, 0x03, 0x00, 8, 8, 8, 0x3B, 0xFC, 0x00]);
    let terminal = Chip::Terminal.profile();
    assert_eq!(block(terminal), [0x12, 0x01, 0x01, 0x00, 3, 4, 1, 0x4A, 0xFC, 0x01]);
    let lan = block(Chip::Lan9252.profile());
    assert_eq!((lan[0], lan[1], &lan[4..]), (0xC0, 2, &[3, 4, 4, 0x1F, 0xCC, 0x01][..]));
}

#[test]
fn a_description_names_a_chip_and_changes_it() {
    let json = r#"{ "devices": [{ "type": "digital-inputs",
        "esc": { "profile": "LAN9252", "fmmus": 2, "clock": "none" } }] }"#;
    let mut segment = Segment::new(&SegmentDescription::from_json(json).unwrap()).unwrap();
    let profile = segment.devices()[0].esc.profile().clone();
    assert_eq!((profile.kind, profile.fmmu_count, profile.ram_kb), (0xC0, 2, 4));
    let mut frame = crate::wire::frame(&[(Command::Brd { register: reg::fmmu(2) }, &[0])]);
    segment.process(&mut frame, 1_000);
    assert_eq!(&frame[27..29], &[0, 0]);
}

#[test]
fn a_chip_that_nobody_knows_is_named_with_its_place() {
    let json = r#"{ "devices": [{ "type": "EK1100", "esc": { "profile": "ET9999" } }] }"#;
    let description = SegmentDescription::from_json(json).unwrap();
    let error = Segment::new(&description).err().expect("no such chip");
    assert_eq!(error.path, "/devices/0/esc/profile");
    assert!(error.message.contains("LAN9252"), "{error}");
}

#[test]
fn eeprom_data_behind_the_first_word_cannot_be_written() {
    // ESC data sheet II, 2.11.5: 0x0508:0x0509 r/w, behind it read only; four bytes without 0x0502.6.
    let mut wire = Wire::new(vec![emulated_with(Chip::Lan9252.profile())]);
    assert_eq!(wire.set(0x1001, reg::EEPROM_DATA, &[1, 2]), 1);
    assert_eq!(wire.set(0x1001, reg::EEPROM_DATA + 2, &[1]), 0);
    assert_eq!(wire.read(Command::Brd { register: reg::EEPROM_DATA + 4 }, 4).1, 0);
}
