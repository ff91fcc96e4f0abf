//! Wrong and refused mail: what the application of a MainDevice gets, and that nothing else is seen.

use ethercrab::error::{Error, MailboxError};

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
