//! The IgH EtherCAT Master (fsm_master.c, fsm_slave_scan.c, fsm_slave_config.c, fsm_sii.c, fsm_change.c,
//! fsm_coe.c, master.c).

use ecat_wire::Command;
use ecat_wire::sii::{Sii, SyncManagerKind};

use crate::bus::{Bus, DEVICES, DRIVE, PROGRAMS, fmmu, sync_manager, word};

const CATEGORIES: u16 = 0x0040;
/// `SII_INHIBIT`: after a write it waits so long before it looks.
const INHIBIT_US: u64 = 5_000;

/// Stations begin at 1.
fn station(place: u16) -> u16 {
    place + 1
}

/// `ec_fsm_sii_read`: two words.
fn sii_read(bus: &mut Bus, station: u16, offset: u16) -> [u8; 4] {
    let [low, high] = offset.to_le_bytes();
    // The control register and two of the four octets of the address.
    bus.put(station, 0x0502, &[0x80, 0x01, low, high]);
    for _ in 0..1_000 {
        let data = bus.get(station, 0x0502, 10);
        // Error on the last command; then busy, or the read command still there.
        assert_eq!(data[1] & 0x20, 0);
        if data[1] & 0x81 == 0 {
            return [data[6], data[7], data[8], data[9]];
        }
    }
    panic!("busy for ever");
}

/// The whole SII: its size by the headers of the categories, then its words.
fn sii_image(bus: &mut Bus, station: u16) -> Vec<u8> {
    let mut offset = CATEGORIES;
    loop {
        let header = sii_read(bus, station, offset);
        if word(&header, 0) == 0xFFFF {
            break;
        }
        offset += 2 + word(&header, 2);
        assert!(offset < 4_096, "no end of the SII");
    }
    (0..=offset).step_by(2).flat_map(|at| sii_read(bus, station, at)).collect()
}

/// `ec_fsm_change`: writes the state again while nobody takes it, then polls for it.
fn change(bus: &mut Bus, station: u16, state: u8) {
    let taken = (0..100).any(|_| match bus.fpwr(station, 0x0120, &[state, 0]) {
        0 => false,
        working_counter => {
            assert_eq!(working_counter, 1);
            true
        }
    });
    assert!(taken, "AL control is taken");
    for _ in 0..1_000 {
        let status = bus.get(station, 0x0130, 2)[0];
        // With device emulation a refusal could not be told from an acknowledge bit; it never sends one here.
        assert_eq!(status & 0x10, 0, "refused: {:02x?}", bus.get(station, 0x0134, 2));
        if status == state {
            return;
        }
    }
    panic!("never in state {state}");
}

/// `ec_slave_mbox_*`: a whole mailbox out, polls of SyncManager 1, a whole mailbox in.
fn sdo(bus: &mut Bus, image: &Sii, counter: u8, request: &[u8]) -> Vec<u8> {
    let areas = &image.mailbox;
    let mut mail = vec![0; usize::from(areas.receive_size)];
    mail[0] = request.len() as u8 + 2;
    mail[5] = 0x03 | counter << 4;
    mail[7] = 0x20;
    mail[8..8 + request.len()].copy_from_slice(request);
    bus.put(station(DRIVE), areas.receive_offset, &mail);
    let full = (0..1_000).any(|_| bus.get(station(DRIVE), 0x0808, 8)[5] & 8 != 0);
    assert!(full, "an answer");
    let answer = bus.get(station(DRIVE), areas.send_offset, usize::from(areas.send_size));
    assert_eq!((answer[5] & 0x0F, answer[7] >> 4), (0x03, 0x03));
    answer[8..6 + usize::from(word(&answer, 0))].to_vec()
}

/// `ec_fsm_master` and `ec_fsm_slave_scan`: everything up to the images of the SII.
fn scan(bus: &mut Bus) -> Vec<Sii> {
    assert_eq!(bus.brd(0x0130, 2).1, DEVICES);
    for place in 0..DEVICES {
        // What the ports remember from before; the working counter does not matter.
        let _times = bus.aprd(place, 0x0900, 16);
    }
    assert_eq!(bus.bwr(0x0010, &[0, 0]), DEVICES);
    let _clocks = bus.bwr(0x0900, &[0]);
    let mut images = Vec::new();
    for place in 0..DEVICES {
        assert_eq!(bus.apwr(place, 0x0010, &station(place).to_le_bytes()), 1);
        assert_eq!(bus.get(station(place), 0x0130, 2)[0], 1);
        let base = bus.get(station(place), 0x0000, 12);
        if base[8] & 4 != 0 {
            // Whether there is a system time decides, not the feature bit; receive times are a must.
            let (_, has_system_time) = bus.fprd(station(place), 0x0910, 8);
            assert!(has_system_time <= 1);
            let _times = bus.get(station(place), 0x0900, 16);
        }
        let ports = word(&bus.get(station(place), 0x0110, 2), 0);
        // A link at port 0; at port 1 of all but the last one.
        assert_eq!(ports >> 4 & 3, if place + 1 < DEVICES { 3 } else { 1 });
        // Access to the SII, which it gives back before PRE-OP.
        bus.put(station(place), 0x0500, &[0]);
        let image = sii_image(bus, station(place));
        images.push(Sii::parse(&image).unwrap());
    }
    images
}

/// `ec_fsm_slave_config` up to PRE-OP.
fn configure_to_pre_op(bus: &mut Bus, place: u16, image: &Sii) {
    let station = station(place);
    change(bus, station, 1);
    let base = bus.get(station, 0x0000, 12);
    bus.put(station, 0x0600, &vec![0; 16 * usize::from(base[4])]);
    bus.put(station, 0x0800, &vec![0; 8 * usize::from(base[5])]);
    if bus.fprd(station, 0x0910, 8).1 == 1 {
        let _assign = bus.fpwr(station, 0x0980, &[0, 0]);
    }
    if image.protocols != 0 {
        // As many pages as the SII has SyncManagers, of which only the mailboxes are set.
        let mut pages = vec![0; 8 * image.sync_managers.len()];
        for (page, sm) in pages.chunks_exact_mut(8).zip(&image.sync_managers).take(2) {
            page.copy_from_slice(&sync_manager(sm.start, sm.length, sm.control));
        }
        bus.put(station, 0x0800, &pages);
    }
    bus.put(station, 0x0500, &[1]);
    change(bus, station, 2);
}

/// Process data: SyncManagers behind the mailboxes, FMMUs, watchdog.
fn configure_process_data(bus: &mut Bus, place: u16, image: &Sii, logical: &mut u32) {
    let station = station(place);
    let first = if image.protocols == 0 { 0 } else { 2 };
    let mut fmmus = Vec::new();
    let mut pages = Vec::new();
    for sm in image.sync_managers.iter().skip(first) {
        pages.extend(sync_manager(sm.start, sm.length, sm.control));
        let kind = match sm.kind {
            SyncManagerKind::ProcessDataOut => 2,
            _ => 1,
        };
        fmmus.extend(fmmu(*logical, sm.length, sm.start, kind));
        *logical += u32::from(sm.length);
    }
    if pages.is_empty() {
        return;
    }
    let _divider = bus.fpwr(station, 0x0400, &2_498_u16.to_le_bytes());
    let _intervals = bus.fpwr(station, 0x0420, &1_000_u16.to_le_bytes());
    bus.put(station, 0x0800 + 8 * first as u16, &pages);
    bus.put(station, 0x0600, &fmmus);
}

#[test]
fn igh_scans_and_configures_the_bus_and_works_it_in_op() {
    let mut bus = Bus::new();
    let images = scan(&mut bus);
    let orders: Vec<_> =
        images.iter().map(|image| image.general.as_ref().unwrap().order.as_str()).collect();
    assert_eq!(orders[0], "EK1100");
    assert_eq!(orders[3], "generic");
    for (place, image) in (0..).zip(&images) {
        configure_to_pre_op(&mut bus, place, image);
    }

    // CoE: an upload, and a download in segments with the toggle bit.
    let image = &images[usize::from(DRIVE)];
    let identity = sdo(&mut bus, image, 1, &[0x40, 0x18, 0x10, 1, 0, 0, 0, 0]);
    assert_eq!(identity[..4], [0x43, 0x18, 0x10, 1]);
    assert_eq!(identity[4..8], image.identity.vendor_id.to_le_bytes());
    let room = image.mailbox.receive_size;
    let data: Vec<u8> = (0..300_u16).map(|n| n as u8).collect();
    let (head, mut rest) = data.split_at(usize::from(room) - 16);
    let mut request = vec![0x21, 0x00, 0x20, 0, 44, 1, 0, 0];
    request.extend(head);
    assert_eq!(sdo(&mut bus, image, 2, &request)[..4], [0x60, 0x00, 0x20, 0]);
    let mut counter = 2;
    let mut toggle = 0;
    while !rest.is_empty() {
        let (segment, next) = rest.split_at(rest.len().min(usize::from(room) - 9));
        rest = next;
        counter += 1;
        let mut request = vec![toggle | u8::from(rest.is_empty())];
        request.extend(segment);
        assert_eq!(sdo(&mut bus, image, counter, &request)[0], 0x20 | toggle);
        toggle ^= 0x10;
    }

    let mut logical = 0;
    for (place, image) in (0..).zip(&images) {
        configure_process_data(&mut bus, place, image, &mut logical);
    }

    // Distributed clocks: time and offset in one read; offset and delay; SYNC0 of the drive.
    for place in 0..DEVICES {
        let (times, working_counter) = bus.fprd(station(place), 0x0910, 28);
        if working_counter == 1 {
            assert_ne!(times[..8], [0; 8]);
            bus.put(station(place), 0x0920, &[0; 12]);
            bus.put(station(place), 0x0930, &0x1000_u16.to_le_bytes());
        }
    }
    let drive = station(DRIVE);
    let cycle_ns = 1_000_000_u32;
    let mut cycles = [0; 8];
    cycles[..4].copy_from_slice(&cycle_ns.to_le_bytes());
    bus.put(drive, 0x09A0, &cycles);
    assert!(word(&bus.get(drive, 0x092C, 4), 2) & 0x7FFF == 0, "clocks that differ little");
    let now = u64::from_le_bytes(bus.get(drive, 0x0910, 8).try_into().unwrap());
    bus.put(drive, 0x0990, &(now + 100_000_000).to_le_bytes());
    bus.put(drive, 0x0980, &0x0300_u16.to_le_bytes());
    assert_eq!(word(&bus.get(drive, 0x0980, 2), 0), 0x0300);

    for place in 0..DEVICES {
        change(&mut bus, station(place), 4);
    }
    let lrw = Command::Lrw { logical: 0 };
    let frmw = Command::Frmw { station: station(0), register: 0x0910 };
    let reference = Command::Fpwr { station: station(0), register: 0x0910 };
    let monitor = Command::Brd { register: 0x092C };
    for place in 0..DEVICES {
        change(&mut bus, station(place), 8);
    }
    let mut image = vec![0; logical as usize];
    image[0] = 0xA5;
    image[5..9].copy_from_slice(&0x1234_5678_u32.to_le_bytes());
    for _ in 0..3 {
        // What a cyclic application sends: domain, reference clock, drift compensation, its monitor.
        let answers =
            bus.frame(&[(lrw, &image), (reference, &[0; 4]), (frmw, &[0; 4]), (monitor, &[0; 4])]);
        // Outputs, inputs, and a drive with both.
        assert_eq!(answers[0].1, 2 + 1 + 3);
        assert_eq!(answers[1].1, 1);
        assert!(answers[2].1 >= 2 && answers[3].1 >= 2, "more than one clock");
        assert_eq!(answers[0].0[1..3], 258_u16.to_le_bytes());
        assert_eq!(bus.segment.output(1, 0, 8), 0xA5);
    }
    let answers = bus.frame(&[(lrw, &image)]);
    assert_eq!(answers[0].0[9..13], 0x1234_5678_u32.to_le_bytes());
    assert_eq!(bus.brd(0x0130, 2), (vec![8, 0], DEVICES));
}

#[test]
fn igh_writes_the_alias_word_by_word() {
    let mut bus = Bus::new();
    scan(&mut bus);
    let drive = station(DRIVE);
    for (offset, value) in [(4_u8, [0x34, 0x12]), (7, [0x00, 0x00])] {
        // `ec_fsm_sii_write`: control, address and data in one datagram.
        bus.put(drive, 0x0502, &[0x81, 0x02, offset, 0, 0, 0, value[0], value[1]]);
        bus.wait_us(INHIBIT_US);
        let status = bus.get(drive, 0x0502, 2)[1];
        // Busy, or the write still there; then what went wrong.
        assert_eq!((status & 0x82, status & 0x60), (0, 0));
    }
    assert_eq!(sii_read(&mut bus, drive, 4)[..2], [0x34, 0x12]);
    // Register 0x0012 follows with the next power-on.
    assert_eq!(bus.get(drive, 0x0012, 2), [7, 0]);
}

#[test]
fn igh_is_told_why_a_state_is_refused_and_acknowledges_it() {
    let mut bus = Bus::new();
    let images = scan(&mut bus);
    for place in PROGRAMS {
        configure_to_pre_op(&mut bus, place, &images[usize::from(place)]);
        // OP from PRE-OP.
        bus.put(station(place), 0x0120, &[8, 0]);
        bus.wait_us(1_000);
        assert_eq!(bus.get(station(place), 0x0130, 2)[0], 0x12);
        assert_eq!(word(&bus.get(station(place), 0x0134, 2), 0), 0x0011);
        // `ec_fsm_change_state_ack`: the state that the device has, with the acknowledge bit.
        bus.put(station(place), 0x0120, &[0x12, 0]);
        bus.wait_us(1_000);
        assert_eq!(bus.get(station(place), 0x0130, 2)[0], 0x02);
    }
}
