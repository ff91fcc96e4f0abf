//! KickCAT (Bus.cc, dc.cc, Slave.cc).

use ecat_wire::Command;
use ecat_wire::sii::{Sii, SyncManagerKind};

use crate::bus::{Bus, DEVICES, DRIVE, PROGRAMS, fmmu, sync_manager, word};

/// Stations begin at 1001.
fn station(place: u16) -> u16 {
    1001 + place
}

/// `Bus::resetSlaves`; it checks none of these working counters.
fn reset(bus: &mut Bus) {
    let zeros = [0; 256];
    let writes = [
        (0x0101, 1),
        (0x0300, 20),
        (0x0600, 256),
        (0x0800, 128),
        (0x0910, 8),
        (0x0981, 1),
        (0x0980, 2),
        (0x0200, 2),
        (0x0442, 2),
    ];
    for (register, length) in writes {
        let _reached = bus.bwr(register, &zeros[..length]);
    }
    let _reached = bus.bwr(0x0930, &0x1000_u16.to_le_bytes());
    let _reached = bus.bwr(0x0934, &0x0C00_u16.to_le_bytes());
    for register in [0x09AE, 0x0110, 0x0130] {
        let _cleared = bus.brd(register, 1);
    }
    let _reached = bus.bwr(0x0400, &2_498_u16.to_le_bytes());
    let _reached = bus.bwr(0x0410, &1_000_u16.to_le_bytes());
    let _reached = bus.bwr(0x0420, &1_000_u16.to_le_bytes());
    // The EEPROM to the MainDevice, and its PDI access register, in one.
    assert_eq!(bus.bwr(0x0500, &[0, 0]), DEVICES);
}

/// `Bus::requestState` and `Bus::waitForState`: the acknowledge bit in every request, and everybody must take it.
fn reach(bus: &mut Bus, state: u8) {
    assert_eq!(bus.bwr(0x0120, &[state | 0x10, 0]), DEVICES, "everybody takes the request");
    for _ in 0..1_000 {
        let reached = (0..DEVICES).all(|place| {
            let status = bus.get(station(place), 0x0130, 6);
            // A bit 4 without a code is no error: device emulation shows it.
            let error = status[0] & 0x10 != 0 && word(&status, 4) != 0;
            assert!(!error, "refused with {:#06x}", word(&status, 4));
            status[0] & 0x0F == state
        });
        if reached {
            return;
        }
    }
    panic!("never in state {state}");
}

/// `Bus::fetchEeprom`: one command to all, then a datagram a device, until each of them has shown its end.
fn images(bus: &mut Bus) -> Vec<Sii> {
    let mut images = vec![Vec::<u8>::new(); usize::from(DEVICES)];
    let mut open: Vec<u16> = (0..DEVICES).collect();
    let mut at = 0_u16;
    while !open.is_empty() {
        let [low, high] = at.to_le_bytes();
        assert_eq!(bus.bwr(0x0502, &[0x00, 0x01, low, high, 0, 0]), DEVICES);
        let all: Vec<u16> = (0..DEVICES).collect();
        let ready = (0..100).any(|_| {
            let status = read_each(bus, &all, 0x0502, 2);
            status.iter().all(|status| status[1] & 0x80 == 0)
        });
        assert!(ready, "busy for ever");
        let words = read_each(bus, &open, 0x0508, 4);
        for (&place, word) in open.iter().zip(words) {
            images[usize::from(place)].extend(word);
        }
        at += 2;
        open.retain(|&place| {
            let image = &images[usize::from(place)];
            let last = &image[image.len() - 4..];
            image.len() / 4 <= 32 || word(last, 0) != 0xFFFF && word(last, 2) != 0xFFFF
        });
        assert!(at < 4_096, "no end of the SII");
    }
    images.iter().map(|image| Sii::parse(image).unwrap()).collect()
}

/// One frame with a datagram for each.
fn read_each(bus: &mut Bus, places: &[u16], register: u16, length: usize) -> Vec<Vec<u8>> {
    let zeros = vec![0; length];
    let requests: Vec<_> = places
        .iter()
        .map(|&place| (Command::Fprd { station: station(place), register }, zeros.as_slice()))
        .collect();
    let answers = bus.frame(&requests);
    answers
        .into_iter()
        .map(|(data, working_counter)| {
            assert_eq!(working_counter, 1);
            data
        })
        .collect()
}

/// `Bus::enableDC`.
fn clocks(bus: &mut Bus) {
    let clocks: Vec<u16> =
        (0..DEVICES).filter(|&place| bus.fprd(station(place), 0x0910, 8).1 == 1).collect();
    assert_eq!(clocks.first(), Some(&0));
    let _reached = bus.bwr(0x09A0, &1_000_000_u32.to_le_bytes());
    assert!(usize::from(bus.bwr(0x0900, &[0])) >= clocks.len());
    for &place in &clocks {
        let times = bus.frame(&[
            (Command::Fprd { station: station(place), register: 0x0900 }, &[0; 16]),
            (Command::Fprd { station: station(place), register: 0x0918 }, &[0; 8]),
        ]);
        assert_eq!((times[0].1, times[1].1), (1, 1));
        // The processing unit's time begins with that of port 0.
        assert_eq!(times[0].0[..4], times[1].0[..4]);
        bus.put(station(place), 0x0928, &[0; 4]);
        bus.put(station(place), 0x0920, &[0; 8]);
    }
    let _reached = bus.bwr(0x0930, &0x1000_u16.to_le_bytes());
    let frmw = Command::Frmw { station: station(0), register: 0x0910 };
    for _ in 0..200 {
        let (_, working_counter) = bus.send(frmw, &[0; 8]);
        assert_eq!(usize::from(working_counter), clocks.len());
    }
    let now = u64::from_le_bytes(bus.get(station(0), 0x0910, 8).try_into().unwrap());
    let _reached = bus.bwr(0x0990, &(now + 100_000_000).to_le_bytes());
    let _reached = bus.bwr(0x0981, &[3]);
    for &place in &clocks {
        assert!(word(&bus.get(station(place), 0x092C, 4), 2) & 0x7FFF == 0);
    }
}

#[test]
fn kickcat_brings_the_bus_to_op_with_requests_that_everybody_must_take() {
    let mut bus = Bus::new();
    assert_eq!(bus.brd(0x0000, 1).1, DEVICES);
    reset(&mut bus);
    // All addresses in one frame.
    let stations: Vec<_> = (0..DEVICES).map(|place| station(place).to_le_bytes()).collect();
    let requests: Vec<_> = (0..)
        .zip(&stations)
        .map(|(place, station)| {
            let position = Command::position(place);
            (Command::Apwr { position, register: 0x0010 }, station.as_slice())
        })
        .collect();
    assert!(bus.frame(&requests).iter().all(|(_, working_counter)| *working_counter == 1));
    let all: Vec<u16> = (0..DEVICES).collect();
    let descriptions = read_each(&mut bus, &all, 0x0000, 12);
    assert!(descriptions.iter().all(|esc| esc[0] != 0));
    reach(&mut bus, 1);
    let images = images(&mut bus);

    // The mailboxes of those that have one: two SyncManagers in one datagram.
    let drive = &images[usize::from(DRIVE)];
    let mut pages = Vec::new();
    pages.extend(sync_manager(drive.mailbox.receive_offset, drive.mailbox.receive_size, 0x26));
    pages.extend(sync_manager(drive.mailbox.send_offset, drive.mailbox.send_size, 0x22));
    bus.put(station(DRIVE), 0x0800, &pages);
    reach(&mut bus, 2);
    // `checkMailboxes`: can be written, can be read.
    let states = bus.frame(&[
        (Command::Fprd { station: station(DRIVE), register: 0x0805 }, &[0]),
        (Command::Fprd { station: station(DRIVE), register: 0x080D }, &[0]),
    ]);
    assert_eq!((states[0].0[0] & 8, states[0].1, states[1].0[0] & 8, states[1].1), (0, 1, 0, 1));
    clocks(&mut bus);

    // Inputs and outputs of a device overlap. FMMU 0 writes, FMMU 1 reads; inputs have control byte 0.
    let mut logical = 0;
    let mut counts = (0, 0);
    for (place, image) in (0..).zip(&images) {
        let mut longest = 0;
        for (number, sm) in (0_u16..).zip(&image.sync_managers) {
            let (kind, control, target) = match sm.kind {
                SyncManagerKind::ProcessDataOut => (2, 0x64, 0x0600),
                SyncManagerKind::ProcessDataIn => (1, 0x00, 0x0610),
                _ => continue,
            };
            let page = sync_manager(sm.start, sm.length, control);
            bus.put(station(place), 0x0800 + 8 * number, &page);
            bus.put(station(place), target, &fmmu(logical, sm.length, sm.start, kind));
            longest = longest.max(sm.length);
            counts = if kind == 1 { (counts.0 + 1, counts.1) } else { (counts.0, counts.1 + 1) };
        }
        logical += u32::from(longest);
    }
    assert_eq!(counts, (2, 2));
    reach(&mut bus, 4);
    let zeros = vec![0; logical as usize];
    let [lrd, lwr, lrw] =
        [Command::Lrd { logical: 0 }, Command::Lwr { logical: 0 }, Command::Lrw { logical: 0 }];
    assert_eq!(bus.send(lrd, &zeros).1, counts.0);
    assert_eq!(bus.send(lwr, &zeros).1, counts.1);
    assert_eq!(bus.bwr(0x0120, &[0x18, 0]), DEVICES);
    for _ in 0..20 {
        let frmw = Command::Frmw { station: station(0), register: 0x0910 };
        let answers = bus.frame(&[(lrw, &zeros), (frmw, &[0; 8])]);
        assert_eq!(answers[0].1, counts.0 + 2 * counts.1);
        assert!(answers[1].1 > 0);
    }
    for place in PROGRAMS {
        assert_eq!(bus.get(station(place), 0x0130, 6)[0], 8);
    }
    let (inputs, _) = bus.send(lrd, &zeros);
    assert_eq!(inputs[1..3], 258_u16.to_le_bytes());
    // A NOP passes everybody untouched.
    assert_eq!(bus.send(Command::Nop, &[1, 2, 3]), (vec![1, 2, 3], 0));
}

#[test]
fn a_request_right_behind_another_is_not_taken_by_everybody_which_makes_kickcat_give_up() {
    let mut bus = Bus::new();
    let request = (Command::Bwr { register: 0x0120 }, [0x12_u8, 0]);
    let answers = bus.frame(&[(request.0, &request.1), (request.0, &request.1)]);
    // Programs have one request to read; emulated devices take any number.
    assert_eq!((answers[0].1, answers[1].1), (DEVICES, DEVICES - PROGRAMS.len() as u16));
}
