//! Wrong and refused mail: what the application of a MainDevice gets, and that nothing else is seen.

use ethercrab::error::{Error, MailboxError};

use crate::bench::Bench;
use crate::page;
use crate::plant::{Plant, hits};
use crate::support::Storage;

const PAGE: &str = "25-wrong-mail";

/// What becomes of writing 7 with this fault; afterwards the value is read as it should be.
fn write_with(name: &str, value_then: u16) -> Result<(), Error> {
    let storage = Storage::new();
    let mut plant = Plant::new(&storage);
    plant.inject(PAGE, name);
    let outcome = plant.write(7);
    assert_eq!(plant.read().unwrap(), value_then, "the next request succeeds");
    assert_eq!(hits(&mut plant.bus), ["mail done"]);
    plant.assert_nothing_else();
    outcome
}

#[test]
fn an_answer_of_another_protocol_is_none() {
    let error = write_with("type", 7).unwrap_err();
    assert!(matches!(error, Error::Mailbox(_)), "{error:?}");
}

#[test]
fn a_mail_that_is_not_understood_is_an_error_of_the_mailbox() {
    // ethercrab has no name for type 0.
    let error = write_with("syntax", 100).unwrap_err();
    assert!(matches!(error, Error::Wire(_)), "{error:?}");
}

#[test]
fn a_refused_request_has_the_code_of_the_drive() {
    let error = write_with("range", 100).unwrap_err();
    let Error::Mailbox(MailboxError::Aborted { code, .. }) = error else { panic!("{error:?}") };
    assert_eq!(u32::from(code), 0x0609_0030);
}

#[test]
fn an_answer_with_the_counter_of_the_one_before_can_be_told_by_it_alone() {
    // ethercrab takes it.
    write_with("counter", 7).unwrap();
}

/// The answer to the first segment of an upload that is longer than a mail, with this fault at that stage.
fn first_segment_with(name: &str) -> Vec<u8> {
    let mut bench = Bench::new();
    bench.control.inject(&page::fault(PAGE, name)).unwrap();
    let begun = bench.sdo(&[0x40, 0x01, 0x20, 0, 0, 0, 0, 0]).expect("an answer");
    assert_eq!(begun[0], 0x41, "a normal upload");
    let segment = bench.sdo(&[0x60, 0, 0, 0, 0, 0, 0, 0]).expect("an answer");
    assert_eq!(bench.hits(), ["mail axis: done"]);
    assert_eq!(bench.differences(), [""; 0]);
    segment
}

#[test]
fn a_segment_with_the_toggle_bit_of_the_next_one_is_told_by_it() {
    assert_eq!(first_segment_with("toggle")[0] & 0x10, 0x10);
}

#[test]
fn a_long_upload_can_be_aborted_at_a_segment() {
    let segment = first_segment_with("memory");
    assert_eq!((segment[0], &segment[4..8]), (0x80, &0x0504_0005_u32.to_le_bytes()[..]));
}
