//! A file transfer that stalls or fails: the packets that a MainDevice gets, and that nothing else is seen.

use crate::bench::Bench;
use crate::page;

const PAGE: &str = "26-failing-files";
const FOE: u8 = 4;
/// Operations of FoE.
const WRITE: u8 = 2;
const DATA: u8 = 3;
const ACKNOWLEDGE: u8 = 4;
const ERROR: u8 = 5;
const BUSY: u8 = 6;
const READ: u8 = 1;
const DISK_FULL: u32 = 0x8003;

/// Sends a packet; the operation of the answer, and the number or code in it.
fn packet(bench: &mut Bench, operation: u8, number: u32, rest: &[u8]) -> (u8, u32) {
    assert!(bench.post(FOE, &[&[operation, 0], &number.to_le_bytes()[..], rest].concat()));
    let (kind, body) = bench.fetch(10).expect("an answer");
    assert_eq!(kind & 0x0F, FOE);
    (body[0], u32::from_le_bytes(body[2..6].try_into().unwrap()))
}

fn disturbed(name: &str) -> Bench {
    let bench = Bench::new();
    bench.control.inject(&page::fault(PAGE, name)).unwrap();
    bench
}

/// The content of the file, read back.
fn content(bench: &mut Bench) -> Vec<u8> {
    assert!(bench.post(FOE, &[&[READ, 0], &0u32.to_le_bytes()[..], b"file"].concat()));
    let (_, body) = bench.fetch(10).expect("an answer");
    assert_eq!(body[0], DATA);
    body[6..].to_vec()
}

#[test]
fn a_busy_device_takes_the_packet_when_it_is_sent_again() {
    let mut bench = disturbed("erasing");
    assert_eq!(packet(&mut bench, WRITE, 0, b"file"), (ACKNOWLEDGE, 0));
    assert_eq!(packet(&mut bench, DATA, 1, b"new").0, BUSY);
    assert_eq!(packet(&mut bench, DATA, 1, b"new").0, BUSY);
    assert_eq!(packet(&mut bench, DATA, 1, b"new"), (ACKNOWLEDGE, 1));
    assert_eq!(content(&mut bench), b"new");
    assert_eq!(bench.hits(), ["mail axis: done"; 2]);
    assert_eq!(bench.differences(), [""; 0]);
}

#[test]
fn a_failed_transfer_has_its_code_and_changes_nothing() {
    let mut bench = disturbed("full");
    assert_eq!(packet(&mut bench, WRITE, 0, b"file"), (ACKNOWLEDGE, 0));
    assert_eq!(packet(&mut bench, DATA, 1, b"new"), (ERROR, DISK_FULL));
    let upload = [0x40, 0x00, 0x20, 0, 0, 0, 0, 0];
    assert_eq!(bench.sdo(&upload).expect("an answer")[0], 0x4B);
    assert_eq!(content(&mut bench), [0, 1, 2, 3]);
    assert_eq!(bench.hits(), ["mail axis: done"]);
    assert_eq!(bench.differences(), [""; 0]);
}
