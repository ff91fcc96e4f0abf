//! Lost and late mail: what the application of a MainDevice gets, and that nothing else is seen.

use ethercrab::error::Error;

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
    wait(3_000 * MS);
    plant.write(7).unwrap();
    assert_eq!(plant.read().unwrap(), 7);
    assert_eq!(hits(&mut plant.bus), ["mail done"]);
    plant.assert_nothing_else();
}
