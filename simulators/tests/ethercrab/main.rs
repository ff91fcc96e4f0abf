//! A MainDevice that nobody here wrote brings simulated devices to OP.

mod built_in;
mod clock;
mod drives;
mod esi;
mod mailbox;
mod modules;
mod plant;
mod sdo;
mod support;

use ecat_wire::sii::{
    self, FmmuUsage, General, Pdo, PdoDirection, PdoEntry, Sii, SiiSyncManager, SyncManagerKind,
};
use support::{Storage, image, open, segment_of_images};

#[test]
fn ethercrab_brings_images_of_real_terminals_to_op() {
    let segment =
        segment_of_images(vec![image("ek1100.bin"), image("el2889.bin"), image("el2828.bin")]);
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);

    let group =
        bus.run(main_device.init_single_group::<4, 16>(support::now_ns)).expect("INIT to PRE-OP");
    let names: Vec<_> = group.iter(&main_device).map(|device| device.name().to_owned()).collect();
    assert_eq!(names, ["EK1100", "EL2889", "EL2828"]);
    let delays: Vec<_> =
        group.iter(&main_device).map(|device| device.propagation_delay()).collect();
    assert_eq!(delays, [0, 150, 300]);

    let group = bus.run(group.into_op(&main_device)).expect("PRE-OP to OP");
    for (index, value) in [(1, [0xA5, 0x5A].as_slice()), (2, &[0xC3])] {
        let device = group.subdevice(&main_device, index).expect("there");
        device.outputs_raw_mut().copy_from_slice(value);
    }
    let response = bus.run(group.tx_rx(&main_device)).expect("an exchange");
    // Two terminals that write, 2 each.
    assert_eq!(response.working_counter, 4);
    assert!(response.all_op());
    let segment = bus.link.segment();
    assert_eq!(segment.output(1, 0, 16), 0x5AA5);
    assert_eq!(segment.output(2, 0, 8), 0xC3);
}

/// A device with a program: two bytes of outputs, four of inputs, no mailbox.
fn generic() -> Vec<u8> {
    let sm =
        |start, length, control, kind| SiiSyncManager { start, length, control, enable: 1, kind };
    let pdo = |direction, index, sync_manager, bit_length| Pdo {
        direction,
        index,
        sync_manager: Some(sync_manager),
        entries: vec![PdoEntry { index: 0x7000, subindex: 1, bit_length, ..PdoEntry::default() }],
        ..Pdo::default()
    };
    let mut device = Sii {
        size_bytes: 1_024,
        general: Some(General { order: "GENERIC".to_owned(), ..General::default() }),
        fmmu_usage: vec![FmmuUsage::Outputs, FmmuUsage::Inputs],
        sync_managers: vec![
            sm(0x1100, 2, 0x64, SyncManagerKind::ProcessDataOut),
            sm(0x1180, 4, 0x20, SyncManagerKind::ProcessDataIn),
        ],
        pdos: vec![pdo(PdoDirection::Tx, 0x1A00, 1, 32), pdo(PdoDirection::Rx, 0x1600, 0, 16)],
        ..Sii::default()
    };
    device.configuration.pdi_control = 0x0C05;
    device.configuration.checksum_ok = true;
    sii::build(&device).expect("an image")
}

#[test]
fn ethercrab_brings_a_hundred_devices_with_programs_to_op() {
    // In a debug build its futures, moved by value, take more than a test's thread has to spare.
    let thread = std::thread::Builder::new().stack_size(16 << 20);
    thread.spawn(bring_a_hundred_to_op).unwrap().join().unwrap();
}

fn bring_a_hundred_to_op() {
    const DEVICES: u16 = 100;
    let segment = segment_of_images(vec![generic(); usize::from(DEVICES)]);
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);
    let group = bus
        .run(main_device.init_single_group::<128, 1024>(support::now_ns))
        .expect("INIT to PRE-OP");
    let group = bus.run(group.into_safe_op(&main_device)).expect("PRE-OP to SAFE-OP");
    let group = bus.run(group.into_op(&main_device)).expect("SAFE-OP to OP");
    for n in 0..DEVICES {
        bus.link.segment_mut().set_input(n, 0, 32, 0xA000_0000 + u64::from(n));
        let device = group.subdevice(&main_device, usize::from(n)).expect("there");
        device.outputs_raw_mut().copy_from_slice(&n.to_le_bytes());
    }
    let response = bus.run(group.tx_rx(&main_device)).expect("an exchange");
    // Each reads and writes.
    assert_eq!(response.working_counter, 3 * DEVICES);
    assert!(response.all_op());
    for n in 0..DEVICES {
        assert_eq!(bus.link.segment().output(n, 0, 16), u64::from(n));
        let device = group.subdevice(&main_device, usize::from(n)).expect("there");
        assert_eq!(*device.inputs_raw(), (0xA000_0000 + u32::from(n)).to_le_bytes());
    }
    // Nobody drives the outputs any more.
    support::wait(200_000_000);
    let now_ns = support::now_ns();
    bus.link.segment_mut().advance(now_ns);
    assert_eq!(bus.link.segment().output(7, 0, 16), 0);
}
