//! TwinCAT, as recordings show it: long reads over registers that are not all there, mail in pieces, and the
//! state of a mailbox in the process image.

use ecat_wire::Command;

use crate::bus::{Bus, DEVICES, DRIVE, fmmu, sync_manager, word};

const MAILBOX: u16 = 128;
const OUT: u16 = 0x1000;
const IN: u16 = OUT + MAILBOX;
/// Where it maps bit 0 of 0x080D.
const MAIL_BIT: u32 = 0x0900_0000;

fn station(place: u16) -> u16 {
    0x03E9 + place
}

fn in_pre_op() -> Bus {
    let mut bus = Bus::new();
    assert_eq!(bus.bwr(0x0010, &[0, 0]), DEVICES);
    for place in 0..DEVICES {
        assert_eq!(bus.aprd(place, 0x0000, 10).1, 1);
        assert_eq!(bus.aprd(place, 0x0102, 2).1, 1);
        let (status, _) = bus.aprd(place, 0x0110, 2);
        assert_eq!(bus.aprd(place, 0x0111, 1), (vec![status[1]], 1));
        assert_eq!(bus.apwr(place, 0x0010, &station(place).to_le_bytes()), 1);
    }
    let mut pages = Vec::new();
    pages.extend(sync_manager(OUT, MAILBOX, 0x26));
    pages.extend(sync_manager(IN, MAILBOX, 0x22));
    bus.put(station(DRIVE), 0x0800, &pages);
    bus.put(station(DRIVE), 0x0500, &[1]);
    bus.put(station(DRIVE), 0x0120, &[2, 0]);
    bus.wait_us(1_000);
    assert_eq!(bus.get(station(DRIVE), 0x0130, 2)[0], 2);
    bus
}

#[test]
fn long_accesses_count_where_any_of_their_bytes_is_there() {
    let mut bus = Bus::new();
    let clocks = (0..DEVICES).filter(|&place| bus.aprd(place, 0x0910, 4).1 == 1).count();
    // Not all of the 32 bytes can be written.
    assert_eq!(usize::from(bus.bwr(0x0910, &[0; 32])), clocks);
    assert_eq!(bus.bwr(0x0300, &[0; 8]), DEVICES);
    for place in 0..DEVICES {
        // Control, address and data of the EEPROM in one datagram.
        assert_eq!(bus.aprd(place, 0x0502, 14).1, 1);
        assert_eq!(bus.aprd(place, 0x0300, 8), (vec![0; 8], 1));
    }
    let (times, working_counter) = bus.aprd(0, 0x0900, 32);
    assert_eq!((times.len(), working_counter), (32, 1));
    // The reference clock by its position; everybody behind takes what it reads.
    let armw = Command::Armw { position: Command::position(0), register: 0x0910 };
    assert_eq!(usize::from(bus.send(armw, &[0; 4]).1), clocks);
}

#[test]
fn ports_that_were_looked_at_are_fixed_and_nobody_is_lost() {
    let mut bus = Bus::new();
    for place in 0..DEVICES {
        // Bits 10 close ports 2 and 3 for good, and on the last device port 1 too.
        let loops = if place + 1 < DEVICES { 0xF0 } else { 0xFC };
        assert_eq!(bus.apwr(place, 0x0101, &[loops]), 1);
    }
    assert_eq!(bus.brd(0x0130, 2).1, DEVICES);
}

#[test]
fn mail_is_written_and_read_in_pieces() {
    let mut bus = in_pre_op();
    let drive = station(DRIVE);
    let mut mail = vec![10, 0, 0, 0, 0, 0x13, 0, 0x20, 0x40, 0x18, 0x10, 1, 0, 0, 0, 0];
    // The content, then the last byte of the mailbox, which hands it over.
    let answers = bus.frame(&[
        (Command::Fpwr { station: drive, register: OUT }, &mail),
        (Command::Fpwr { station: drive, register: OUT + MAILBOX - 1 }, &[0]),
    ]);
    assert_eq!((answers[0].1, answers[1].1), (1, 1));
    // Polled by its first two bytes: none counts while it is empty.
    let mut polls = 0;
    let length = loop {
        let (length, working_counter) = bus.fprd(drive, IN, 2);
        if working_counter == 1 {
            break length;
        }
        polls += 1;
        assert!(polls < 1_000, "no answer");
    };
    assert!(polls > 0);
    let answers = bus.frame(&[
        (
            Command::Fprd { station: drive, register: IN + 2 },
            &vec![0; usize::from(word(&length, 0)) + 4],
        ),
        (Command::Fprd { station: drive, register: IN + MAILBOX - 1 }, &[0]),
    ]);
    assert_eq!((answers[0].1, answers[1].1), (1, 1));
    assert_eq!(answers[0].0[6..10], [0x43, 0x18, 0x10, 1]);
    // It is empty, and takes the next one.
    assert_eq!(bus.fprd(drive, IN, 2).1, 0);
    mail[5] = 0x23;
    assert_eq!(bus.fpwr(drive, OUT, &mail), 1);
}

#[test]
fn mail_shows_in_the_process_image() {
    let mut bus = in_pre_op();
    let drive = station(DRIVE);
    let mut page = fmmu(MAIL_BIT, 1, 0x080D, 1);
    // One bit.
    page[7] = 0;
    bus.put(drive, 0x0620, &page);
    let lrd = Command::Lrd { logical: MAIL_BIT };
    assert_eq!(bus.send(lrd, &[0]), (vec![0], 1));
    let mut mail = vec![0; usize::from(MAILBOX)];
    mail[..12].copy_from_slice(&[10, 0, 0, 0, 0, 0x13, 0, 0x20, 0x40, 0x18, 0x10, 1]);
    bus.put(drive, OUT, &mail);
    bus.wait_us(5_000);
    assert_eq!(bus.send(lrd, &[0]), (vec![1], 1));
    bus.get(drive, IN, usize::from(MAILBOX));
    assert_eq!(bus.send(lrd, &[0]), (vec![0], 1));
}
