use ecat_wire::sii::{General, Sii};
use proptest::prelude::*;

use super::super::packing::{
    DATA_BYTES_MAX, FIRST_FRAME_BYTES, FRAME_CAPACITY_BYTES, OTHER_FRAME_BYTES,
};
use super::*;
use crate::layout::{DatagramKind, DatagramMember, ProcessDatagram};
use crate::network::Identity;

const EK1100: &str = "ek1100.bin";
const EL2004: &str = "el2004.bin";
const EL2828: &str = "el2828.bin";
const EL2889: &str = "el2889.bin";
const AKD: &str = "akd.bin";

fn real(name: &str) -> SubDevice {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/fixtures/eeprom/");
    let image = std::fs::read(format!("{path}{name}")).unwrap();
    let sub_device = built(Sii::parse(&image).unwrap());
    SubDevice { device_emulation: name != AKD, ..sub_device }
}

fn built(sii: Sii) -> SubDevice {
    SubDevice {
        position: 0,
        station_address: 0x1000,
        alias: 0,
        name: sii.general.as_ref().map_or_else(String::new, |general| general.order.clone()),
        description: String::new(),
        identity: Identity::default(),
        device_emulation: false,
        lrw: true,
        fmmu_count: 3,
        sync_manager_count: 4,
        ebus: false,
        has_distributed_clock: false,
        propagation_delay_ns: 0,
        sii,
    }
}

fn network(sub_devices: impl IntoIterator<Item = SubDevice>) -> Network {
    let sub_devices = (0u16..)
        .zip(sub_devices)
        .map(|(position, sub_device)| SubDevice {
            position,
            station_address: 0x1000 + position,
            ..sub_device
        })
        .collect();
    Network { sub_devices, dc_reference: None }
}

/// A device with one PDO of one entry list a direction, on SM2 and SM3.
fn device(output_bits: &[u8], input_bits: &[u8]) -> SubDevice {
    let pdo = |direction, index, sync_manager, bits: &[u8]| Pdo {
        direction,
        index,
        sync_manager: Some(sync_manager),
        entries: (1u8..)
            .zip(bits)
            .map(|(subindex, &bit_length)| PdoEntry {
                index: 0x7000,
                subindex,
                bit_length,
                ..PdoEntry::default()
            })
            .collect(),
        ..Pdo::default()
    };
    let sync_manager =
        |start, control, kind| SiiSyncManager { start, length: 0, control, enable: 1, kind };
    built(Sii {
        general: Some(General { order: "BUILT".into(), ..General::default() }),
        sync_managers: vec![
            sync_manager(0x1000, 0x26, SyncManagerKind::MailboxOut),
            sync_manager(0x1200, 0x22, SyncManagerKind::MailboxIn),
            sync_manager(0x1400, 0x24, SyncManagerKind::ProcessDataOut),
            sync_manager(0x4000, 0x20, SyncManagerKind::ProcessDataIn),
        ],
        pdos: vec![
            pdo(PdoDirection::Tx, 0x1A00, 3, input_bits),
            pdo(PdoDirection::Rx, 0x1600, 2, output_bits),
        ],
        ..Sii::default()
    })
}

fn refused(sub_device: SubDevice) -> Failure {
    let error = compute_layout(&network([real(EK1100), sub_device])).unwrap_err();
    assert_eq!(error.others, []);
    assert_eq!((error.first.code, error.first.position), (ErrorCode::LayoutInvalid, Some(1)));
    error.first
}

#[test]
fn digital_terminals_are_mapped_at_their_registers() {
    let layout = compute_layout(&network([EK1100, EL2889, EL2828, EL2004].map(real))).unwrap();
    assert_eq!((layout.output_bytes, layout.input_bytes, layout.inputs_logical), (4, 0, 4));
    let [ek1100, el2889, el2828, el2004] = &layout.devices[..] else { panic!() };

    assert!(
        ek1100.entries.is_empty() && ek1100.fmmus.is_empty() && ek1100.sync_managers.is_empty()
    );
    assert_eq!((ek1100.outputs.clone(), ek1100.inputs.clone()), (0..0, 0..0));

    assert_eq!(el2889.outputs, 0..2);
    let sync_manager = |start| SyncManager { start, length: 1, control: 0x44, enabled: false };
    assert_eq!(el2889.sync_managers, [(0, sync_manager(0x0F00)), (1, sync_manager(0x0F01))]);
    assert_eq!(el2889.op_only, [0, 1]);
    let mapped: Vec<_> = el2889
        .fmmus
        .iter()
        .map(|fmmu| (fmmu.logical_start, fmmu.length, fmmu.physical_start, fmmu.write, fmmu.read))
        .collect();
    assert_eq!(mapped, [(0, 1, 0x0F00, true, false), (1, 1, 0x0F01, true, false)]);
    assert_eq!(el2889.entries.len(), 16);
    let last = &el2889.entries[15];
    assert_eq!((last.bit_offset, last.bit_length, last.data_type), (15, 1, 1));
    assert_eq!((last.pdo_index, last.index, last.subindex), (0x160F, 0x70F0, 1));
    assert_eq!((last.pdo_name.as_str(), last.name.as_str()), ("Channel 16", "Output"));

    assert_eq!((el2828.outputs.clone(), el2828.entries[0].bit_offset), (2..3, 16));
    // Its SII gives a length of 0; four bits are one byte.
    assert_eq!((el2004.outputs.clone(), el2004.entries[3].bit_offset), (3..4, 27));
    assert_eq!(el2004.sync_managers[0].1.length, 1);

    let expected =
        [1, 2, 3].map(|device| DatagramMember { device, operational: 2, safe_operational: 2 });
    let kind = DatagramKind::ReadWrite;
    let datagram =
        ProcessDatagram { kind, logical: 0, length: 4, frame: 0, members: expected.to_vec() };
    assert_eq!(layout.datagrams, [datagram]);
}

#[test]
fn a_drive_is_mapped_by_the_pdos_that_its_sii_assigns() {
    let layout = compute_layout(&network([real(EL2004), real(AKD)])).unwrap();
    let akd = &layout.devices[1];
    assert_eq!((akd.outputs.clone(), akd.inputs.clone()), (1..7, 0..6));
    assert_eq!(layout.inputs_logical, 8);
    let entries: Vec<_> = akd
        .entries
        .iter()
        .map(|entry| (entry.direction, entry.pdo_index, entry.index, entry.bit_offset))
        .collect();
    assert_eq!(
        entries,
        [
            (Direction::Output, 0x1701, 0x60C1, 8),
            (Direction::Output, 0x1701, 0x6040, 40),
            (Direction::Input, 0x1B01, 0x6063, 0),
            (Direction::Input, 0x1B01, 0x6041, 32),
        ]
    );
    let numbers: Vec<_> =
        akd.sync_managers.iter().map(|(n, sm)| (*n, sm.start, sm.length)).collect();
    assert_eq!(numbers, [(2, 0x1100, 6), (3, 0x1140, 6)]);
    let members = &layout.datagrams[0].members;
    let drive = DatagramMember { device: 1, operational: 3, safe_operational: 1 };
    assert_eq!((layout.datagrams[0].length, members[1]), (14, drive));
}

#[test]
fn one_sub_device_without_lrw_splits_the_datagrams_of_all() {
    let simple = SubDevice { lrw: false, ..device(&[16], &[16]) };
    let layout = compute_layout(&network([device(&[8], &[8]), simple])).unwrap();
    let datagrams: Vec<_> = layout
        .datagrams
        .iter()
        .map(|d| (d.kind, d.logical, d.length, d.frame, d.members.len()))
        .collect();
    let expected = [(DatagramKind::Write, 0, 3, 0, 2), (DatagramKind::Read, 4, 3, 0, 2)];
    assert_eq!(datagrams, expected);
    for datagram in &layout.datagrams {
        assert!(datagram.members.iter().all(|member| member.operational == 1));
    }
    assert_eq!(layout.datagrams[0].members[0].safe_operational, 0);
    assert_eq!(layout.datagrams[1].members[0].safe_operational, 1);
}

#[test]
fn what_is_for_op_only_is_configured_off_and_proves_nothing_in_safe_op_behind_a_program() {
    let all_for_op_only = |emulated| {
        let mut sub_device =
            SubDevice { device_emulation: emulated, lrw: false, ..device(&[8], &[8]) };
        for sync_manager in &mut sub_device.sii.sync_managers[2..] {
            sync_manager.enable |= 0x08;
        }
        sub_device
    };
    let layout = compute_layout(&network([false, true].map(all_for_op_only))).unwrap();
    for device in &layout.devices {
        assert_eq!(device.op_only, [2, 3]);
        assert!(device.sync_managers.iter().all(|(_, sync_manager)| !sync_manager.enabled));
        assert!(device.fmmus.iter().all(|fmmu| fmmu.enabled));
    }
    let members = [0, 1].map(|device| DatagramMember {
        device,
        operational: 1,
        safe_operational: u16::from(device == 1),
    });
    assert!(layout.datagrams.iter().all(|datagram| datagram.members == members));
}

#[test]
fn neighbours_share_an_fmmu_only_where_there_are_too_few() {
    let scarce = SubDevice { fmmu_count: 1, ..real(EL2889) };
    let layout = compute_layout(&network([scarce])).unwrap();
    let [fmmu] = layout.devices[0].fmmus[..] else { panic!() };
    assert_eq!((fmmu.logical_start, fmmu.length, fmmu.physical_start), (0, 2, 0x0F00));
    assert_eq!(layout.datagrams[0].members[0].operational, 2);

    let too_few = refused(SubDevice { fmmu_count: 1, ..device(&[8], &[8]) });
    assert!(too_few.message.contains("2 FMMUs"), "{}", too_few.message);
    assert_eq!(too_few.sub_device.as_deref(), Some("BUILT"));
}

#[test]
fn images_that_contradict_themselves_are_refused_by_name() {
    let mut missing = device(&[8], &[]);
    missing.sii.pdos[1].sync_manager = Some(9);
    assert!(refused(missing).message.contains("SyncManager 9, which is missing"));

    let mut mailbox = device(&[8], &[]);
    mailbox.sii.pdos[1].sync_manager = Some(0);
    assert!(refused(mailbox).message.contains("MailboxOut"));

    let mut crossed = device(&[8], &[]);
    crossed.sii.pdos[1].sync_manager = Some(3);
    assert!(refused(crossed).message.contains("other direction"));

    let mut fixed = device(&[8], &[]);
    fixed.sii.sync_managers[2].enable |= FIXED_CONTENT;
    fixed.sii.sync_managers[2].length = 2;
    assert!(refused(fixed).message.contains("fixed to 2 bytes, but its PDOs have 1"));

    let few = SubDevice { sync_manager_count: 3, ..device(&[8], &[8]) };
    assert!(refused(few).message.contains("the ESC has 3"));

    let mut long = device(&[8], &[]);
    long.sii.sync_managers[2].start = 0xFFFF;
    long.sii.pdos[1].entries[0].bit_length = 16;
    assert!(refused(long).message.contains("2 bytes"));
}

#[test]
fn every_sub_device_that_is_wrong_is_named() {
    let mut wrong = device(&[8], &[]);
    wrong.sii.pdos[1].sync_manager = Some(9);
    let error = compute_layout(&network([wrong.clone(), device(&[8], &[8]), wrong])).unwrap_err();
    assert_eq!(error.first.position, Some(0));
    assert_eq!(error.others.iter().map(|other| other.position).collect::<Vec<_>>(), [Some(2)]);
}

#[test]
fn bytes_that_no_pdo_describes_are_exchanged_as_gaps() {
    let mut bare = device(&[], &[8]);
    bare.sii.sync_managers[2].length = 3;
    let layout = compute_layout(&network([bare])).unwrap();
    assert_eq!(layout.devices[0].outputs, 0..3);
    let gaps: Vec<_> = layout.devices[0]
        .entries
        .iter()
        .filter(|entry| entry.direction == Direction::Output)
        .map(|entry| (entry.index, entry.bit_offset, entry.bit_length))
        .collect();
    assert_eq!(gaps, [(0, 0, 8), (0, 8, 8), (0, 16, 8)]);
}

#[test]
fn a_virtual_sync_manager_is_mapped_but_never_written() {
    let mut sub_device = device(&[8], &[8]);
    sub_device.sii.sync_managers[2].enable |= 0x04;
    let layout = compute_layout(&network([sub_device])).unwrap();
    let written: Vec<_> = layout.devices[0].sync_managers.iter().map(|(n, _)| *n).collect();
    assert_eq!((written, layout.devices[0].fmmus.len()), (vec![3], 2));
}

#[test]
fn a_segment_without_process_data_has_no_datagrams() {
    let layout = compute_layout(&network([real(EK1100)])).unwrap();
    assert_eq!((layout.datagrams.len(), layout.devices.len()), (0, 1));
    assert_eq!(compute_layout(&Network::default()).unwrap().datagrams, []);
}

#[test]
fn a_range_is_cut_only_where_it_is_larger_than_a_frame() {
    let bytes = |bytes: usize| device(&vec![64; bytes / 8], &[]);
    let whole = compute_layout(&network([bytes(1464)])).unwrap();
    // It fits no first frame, so the first frame carries none of it.
    assert_eq!(whole.datagrams.len(), 1);
    assert_eq!((whole.datagrams[0].length, whole.datagrams[0].frame), (1464, 1));

    let mut large = bytes(2000);
    large.sii.sync_managers[3].start = 0x8000;
    let cut = compute_layout(&network([large, bytes(800)])).unwrap();
    let pieces: Vec<_> =
        cut.datagrams.iter().map(|d| (d.logical, d.length, d.frame, d.members.len())).collect();
    assert_eq!(pieces, [(0, 1432, 0, 1), (1432, 1368, 1, 2)]);
}

fn any_device() -> impl Strategy<Value = SubDevice> {
    let entries = || prop::collection::vec(1u8..=64, 0..40);
    (entries(), entries(), any::<bool>(), prop::bool::weighted(0.9), 0u8..10).prop_map(
        |(outputs, inputs, device_emulation, lrw, kind)| match kind {
            0 => real(EL2889),
            1 => real(EK1100),
            _ => SubDevice { device_emulation, lrw, ..device(&outputs, &inputs) },
        },
    )
}

/// The whole of `bytes`, once and without a gap, in order.
fn covers(mut ranges: Vec<std::ops::Range<usize>>, bytes: usize) -> bool {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut end = 0;
    for range in ranges {
        if range.start != end {
            return false;
        }
        end = range.end;
    }
    end == bytes
}

proptest! {
    #[test]
    fn every_byte_has_one_owner_and_every_frame_its_room(
        sub_devices in prop::collection::vec(any_device(), 0..60),
    ) {
        let network = network(sub_devices);
        let layout = compute_layout(&network).unwrap();
        let ranges = |of: fn(&DeviceLayout) -> std::ops::Range<usize>| {
            layout.devices.iter().map(of).collect()
        };
        prop_assert!(covers(ranges(|device| device.outputs.clone()), layout.output_bytes));
        prop_assert!(covers(ranges(|device| device.inputs.clone()), layout.input_bytes));
        prop_assert!(layout.inputs_logical as usize >= layout.output_bytes);

        for (sub_device, device) in network.sub_devices.iter().zip(&layout.devices) {
            prop_assert!(device.fmmus.len() <= usize::from(sub_device.fmmu_count));
            let mut last = [8 * device.outputs.start, 8 * device.inputs.start];
            for entry in &device.entries {
                let last = &mut last[usize::from(entry.direction == Direction::Input)];
                prop_assert!(entry.bit_offset as usize >= *last);
                *last = entry.bit_offset as usize + usize::from(entry.bit_length);
            }
            prop_assert!(last[0] <= 8 * device.outputs.end && last[1] <= 8 * device.inputs.end);
        }

        let frames = layout.datagrams.iter().map(|d| d.frame + 1).max().unwrap_or(0);
        for frame in 0..frames {
            let used: usize = layout
                .datagrams
                .iter()
                .filter(|datagram| datagram.frame == frame)
                .map(|datagram| datagram.length + 12)
                .sum();
            let others = if frame == 0 { FIRST_FRAME_BYTES } else { OTHER_FRAME_BYTES };
            prop_assert!(used + others <= FRAME_CAPACITY_BYTES);
        }
    }

    #[test]
    fn every_fmmu_is_in_one_datagram_a_direction_and_the_counters_add_up(
        sub_devices in prop::collection::vec(any_device(), 0..60),
    ) {
        let network = network(sub_devices);
        let layout = compute_layout(&network).unwrap();
        let lrw = network.sub_devices.iter().all(|sub_device| sub_device.lrw);
        let inside = |fmmu: &Fmmu, datagram: &ProcessDatagram| {
            let (start, end) = (fmmu.logical_start, fmmu.logical_start + u32::from(fmmu.length));
            let last = datagram.logical + u32::try_from(datagram.length).unwrap();
            let concerned = match datagram.kind {
                DatagramKind::ReadWrite => lrw,
                DatagramKind::Read => fmmu.read && !lrw,
                DatagramKind::Write => fmmu.write && !lrw,
            };
            concerned && datagram.logical <= start && end <= last
        };
        for fmmu in layout.devices.iter().flat_map(|device| &device.fmmus) {
            prop_assert!(u32::from(fmmu.length) <= DATA_BYTES_MAX);
            let carriers = layout.datagrams.iter().filter(|d| inside(fmmu, d)).count();
            prop_assert_eq!(carriers, 1);
        }
        for datagram in &layout.datagrams {
            prop_assert!(datagram.members.is_sorted_by(|a, b| a.device < b.device));
            // By the rule of the standard: an ESC adds 1 for a read and 2 for a write in an LRW, and 1
            // in an LRD or LWR.
            let mut expected = Vec::new();
            for (device, (sub_device, placed)) in
                network.sub_devices.iter().zip(&layout.devices).enumerate()
            {
                let reads = placed.fmmus.iter().any(|fmmu| fmmu.read && inside(fmmu, datagram));
                let writes = placed.fmmus.iter().any(|fmmu| fmmu.write && inside(fmmu, datagram));
                let write = u16::from(writes) * if lrw { 2 } else { 1 };
                let operational = u16::from(reads) + write;
                let safe_operational =
                    if sub_device.device_emulation { operational } else { u16::from(reads) };
                if operational > 0 {
                    expected.push(DatagramMember { device, operational, safe_operational });
                }
            }
            prop_assert_eq!(&datagram.members, &expected);
        }
    }
}
