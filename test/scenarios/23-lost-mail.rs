//! Lost and late mail: what the application of a MainDevice gets, and that nothing else is seen.

use ethercrab::error::Error;

use crate::bench::Bench;
use crate::page;
use crate::plant::{Plant, hits};
use crate::support::{Storage, now_ns, wait};

const PAGE: &str = "23-lost-mail";
const MS: u64 = 1_000_000;

#[test]
fn a_lost_request_is_a_timeout_and_was_not_carried_out() {
    let storage = Storage::new();
    let mut plant = Plant::new(&storage);
    plant.inject(PAGE, "request");
    assert!(matches!(plant.write(7), Err(Error::Timeout(_))));
    assert_eq!(plant.read().unwrap(), 100);
    assert_eq!(hits(&mut plant.bus), ["mail done"]);
    plant.assert_nothing_else();
}

#[test]
fn a_lost_answer_is_a_timeout_and_was_carried_out() {
    let storage = Storage::new();
    let mut plant = Plant::new(&storage);
    plant.inject(PAGE, "answer");
    assert!(matches!(plant.write(7), Err(Error::Timeout(_))));
    assert_eq!(plant.read().unwrap(), 7);
    assert_eq!(hits(&mut plant.bus), ["mail done"]);
    plant.assert_nothing_else();
}

#[test]
fn a_late_answer_is_waited_for() {
    let storage = Storage::new();
    let mut plant = Plant::new(&storage);
    plant.inject(PAGE, "late");
    let begun_ns = now_ns();
    assert_eq!(plant.read().unwrap(), 100);
    assert!(now_ns() - begun_ns >= 40 * MS);
    assert_eq!(hits(&mut plant.bus), ["mail done"]);
    plant.assert_nothing_else();
}

#[test]
fn an_answer_that_comes_after_the_timeout_is_not_that_of_the_next_request() {
    let storage = Storage::new();
    let mut plant = Plant::new(&storage);
    plant.inject(PAGE, "too late");
    assert!(matches!(plant.read(), Err(Error::Timeout(_))));
    wait(300 * MS);
    plant.write(7).unwrap();
    assert_eq!(plant.read().unwrap(), 7);
    assert_eq!(hits(&mut plant.bus), ["mail done"]);
    plant.assert_nothing_else();
}

#[test]
fn an_answer_that_is_overtaken_comes_after_that_to_the_next_request() {
    let mut bench = Bench::new();
    bench.control.inject(&page::fault(PAGE, "overtaken")).unwrap();
    // Uploads of 0x2000 and of 0x1018:04, the serial number.
    let mut ask = |index: [u8; 2], subindex| {
        assert!(bench.post(3, &[0, 0x20, 0x40, index[0], index[1], subindex, 0, 0, 0, 0]));
        bench.fetch(10).map(|(_, body)| (body[3..6].to_vec(), body[6..8].to_vec()))
    };
    assert_eq!(ask([0x00, 0x20], 0), None);
    assert_eq!(ask([0x18, 0x10], 4), Some((vec![0x18, 0x10, 4], vec![42, 0])));
    let (_, overtaken) = bench.fetch(10).expect("the first answer");
    assert_eq!((&overtaken[3..6], &overtaken[6..8]), (&[0x00, 0x20, 0][..], &[0x34, 0x12][..]));
    assert_eq!(bench.hits(), ["mail axis: done"]);
    // Counters 2, 1, 3: none of them follows the one before.
    assert_eq!(bench.differences(), ["mail from axis out of order: 0 to 3"]);
}
