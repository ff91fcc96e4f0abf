//! What some ESCs do otherwise: feature bits of 0x0008 (ESC data sheet, section II, 2.1.8), and the errata
//! PINDSW-47 and PINDSW-141 of Texas Instruments' ESC.

use ecat_simulator::esc::{Profile, Quirk};
use ecat_simulator::{Segment, SegmentDescription};
use ecat_wire::fmmu::Fmmu;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated_with};

const STATION: u16 = 0x1001;

fn device(quirk: Quirk) -> Wire {
    let mut profile = Profile::default();
    profile.add_quirk(quirk);
    Wire::new(vec![emulated_with(profile)])
}

/// Maps `length` bytes at `logical`: inputs from 0x1100, outputs to 0x1000, bits from `bit` on.
fn map(wire: &mut Wire, number: u8, logical: u32, length: u16, read: bool, bit: u8) {
    let fmmu = Fmmu {
        logical_start: logical,
        length,
        logical_start_bit: bit,
        logical_stop_bit: 7,
        physical_start: 0x1000 + u16::from(read) * 0x100 + u16::from(number),
        physical_start_bit: 0,
        read,
        write: !read,
        enabled: true,
    };
    wire.set(STATION, reg::fmmu(number), &fmmu.to_bytes());
}

fn counter(wire: &mut Wire, command: Command, length: usize) -> u16 {
    wire.exchange(command, &vec![1; length]).working_counter
}

const LRW: Command = Command::Lrw { logical: 0x1000 };
const LRD: Command = Command::Lrd { logical: 0x1000 };
const LWR: Command = Command::Lwr { logical: 0x1000 };

#[test]
fn no_lrw_is_a_feature_bit_and_a_working_counter_of_0() {
    let mut wire = device(Quirk::NoLrw);
    assert_eq!(wire.word(STATION, reg::FEATURES) & 0x0200, 0x0200);
    map(&mut wire, 0, 0x1000, 2, true, 0);
    map(&mut wire, 1, 0x1002, 2, false, 0);
    assert_eq!([LRW, LRD, LWR].map(|one| counter(&mut wire, one, 4)), [0, 1, 1]);
}

#[test]
fn an_lrw_works_only_where_inputs_and_outputs_overlap() {
    let mut wire = device(Quirk::InterleavedLrwOnly);
    map(&mut wire, 0, 0x1000, 2, true, 0);
    map(&mut wire, 1, 0x1002, 2, false, 0);
    assert_eq!([LRW, LRD, LWR].map(|one| counter(&mut wire, one, 4)), [0, 1, 1]);
    map(&mut wire, 1, 0x1000, 2, false, 0);
    assert_eq!(counter(&mut wire, LRW, 4), 3);
}

#[test]
fn only_the_first_fmmu_serves_an_lrd_or_lwr() {
    let mut wire = device(Quirk::OneFmmuPerDatagram);
    wire.set(STATION, 0x1100, &[7, 8]);
    map(&mut wire, 0, 0x1000, 1, true, 0);
    map(&mut wire, 1, 0x1001, 1, true, 0);
    assert_eq!(wire.read(LRD, 2), (vec![7, 0], 1));
    assert_eq!(wire.read(LRW, 2).0, [7, 8]);
}

#[test]
fn no_read_write_leaves_aprw_fprw_and_brw_alone() {
    let mut wire = device(Quirk::NoReadWrite);
    assert_eq!(wire.word(STATION, reg::FEATURES) & 0x0400, 0x0400);
    let register = reg::PROCESS_RAM;
    let all = [
        Command::Aprw { position: 0, register },
        Command::Fprw { station: STATION, register },
        Command::Brw { register },
    ];
    assert_eq!(all.map(|one| counter(&mut wire, one, 1)), [0; 3]);
    assert_eq!(wire.get(STATION, register, 1), [0]);
}

#[test]
fn a_32_bit_clock_has_no_upper_halves() {
    let mut wire = device(Quirk::Clock32Bit);
    assert_eq!(wire.word(STATION, reg::FEATURES) & 0x0008, 0);
    let upper = Command::Fprd { station: STATION, register: reg::DC_SYSTEM_TIME + 4 };
    assert_eq!(wire.read(upper, 4).1, 0);
}

#[test]
fn fmmus_of_bits_need_a_gap_of_three_bytes() {
    let mut wire = device(Quirk::BitwiseFmmuGap);
    map(&mut wire, 0, 0x1000, 1, true, 4);
    map(&mut wire, 1, 0x1001, 1, true, 4);
    wire.set(STATION, 0x1100, &[0x0F, 0x0F]);
    assert_eq!(wire.read(LRD, 8).0[..2], [0xF0, 0]);
    map(&mut wire, 1, 0x1004, 1, true, 4);
    assert_eq!(wire.read(LRD, 8).0[..5], [0xF0, 0, 0, 0, 0xF0]);
}

#[test]
fn a_description_names_quirks() {
    let device = |quirk| {
        let json = format!(
            r#"{{ "devices": [{{ "type": "EK1100", "esc": {{ "quirks": ["no-lrw", "{quirk}"] }} }}] }}"#
        );
        Segment::new(&SegmentDescription::from_json(&json).unwrap())
    };
    let segment = device("no-read-write").unwrap();
    assert_eq!(segment.devices()[0].esc.profile().features & 0x0600, 0x0600);
    let error = device("slow").err().expect("no such quirk");
    assert_eq!(error.path, "/devices/0/esc/quirks/1");
}
