//! AL control, status and status code (0x0120, 0x0130, 0x0134).

use ecat_simulator::esc::{Application, ExpectedSyncManager, Refusal, RefusalCondition, Role};
use ecat_wire::sync_manager::{ACTIVATE_OFFSET, SyncManager};
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, program};

const STATION: u16 = 0x1001;
const OUTPUTS: SyncManager = SyncManager { start: 0x1100, length: 2, control: 0x64, enabled: true };
const INPUTS: SyncManager = SyncManager { start: 0x1180, length: 4, control: 0x20, enabled: true };

fn application() -> Application {
    let expected = |number, sm: SyncManager, role| ExpectedSyncManager {
        number,
        start: sm.start,
        length: sm.length,
        role,
        op_only: false,
    };
    Application {
        sync_managers: vec![expected(2, OUTPUTS, Role::Outputs), expected(3, INPUTS, Role::Inputs)],
        ..Application::default()
    }
}

/// Requests a state and returns status and code after the device's time for it.
fn request(wire: &mut Wire, control: u16) -> (u16, u16) {
    assert_eq!(wire.set(STATION, reg::AL_CONTROL, &control.to_le_bytes()), 1);
    wire.wait_us(1_000);
    (wire.word(STATION, reg::AL_STATUS), wire.word(STATION, reg::AL_STATUS_CODE))
}

fn configure(wire: &mut Wire, number: u8, sm: SyncManager) {
    let off = SyncManager { enabled: false, ..sm };
    wire.set(STATION, reg::sync_manager(number), &off.to_bytes());
    wire.set(STATION, reg::sync_manager(number), &sm.to_bytes());
}

#[test]
fn with_device_emulation_the_status_follows_the_control_register_acknowledge_bit_included() {
    // 0x0141 bit 0. Real EK1100, EL2828 and EL2889 read 0x0011 after this, with code 0.
    let mut wire = Wire::new(vec![emulated(), emulated()]);
    assert_eq!(wire.write(Command::Bwr { register: reg::AL_CONTROL }, &[0x11, 0x00]), 2);
    let (data, _) = wire.read(Command::Brd { register: reg::AL_STATUS }, 6);
    assert_eq!(data, [0x11, 0, 0, 0, 0, 0]);
    wire.set(STATION, reg::AL_CONTROL, &[0x08, 0x00]);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 8);
}

#[test]
fn a_program_reaches_op_state_by_state_when_its_sync_managers_fit() {
    let mut wire = Wire::new(vec![program(application())]);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 1);
    assert_eq!(request(&mut wire, 2), (2, 0));
    configure(&mut wire, 2, OUTPUTS);
    configure(&mut wire, 3, INPUTS);
    assert_eq!(request(&mut wire, 4), (4, 0));
    assert_eq!(request(&mut wire, 8), (8, 0));
    assert_eq!(request(&mut wire, 2), (2, 0));
    assert_eq!(request(&mut wire, 1), (1, 0));
}

#[test]
fn a_request_takes_no_further_write_until_the_program_has_read_it() {
    let mut wire = Wire::new(vec![program(application()), emulated()]);
    let bwr = Command::Bwr { register: reg::AL_CONTROL };
    let answers = wire.send(&[(bwr, &[2, 0]), (bwr, &[1, 0])]);
    assert_eq!((answers[0].working_counter, answers[1].working_counter), (2, 1));
    assert_eq!(wire.set(STATION, reg::AL_CONTROL, &[1, 0]), 0);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 1);
    wire.wait_us(150);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 1);
    wire.wait_us(200);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 2);
    assert_eq!(wire.set(STATION, reg::AL_CONTROL, &[1, 0]), 1);
}

#[test]
fn a_transition_takes_the_time_that_the_profile_says() {
    let slow = Application { transition_delay_ns: 20_000_000, ..application() };
    let mut wire = Wire::new(vec![program(slow)]);
    assert_eq!(request(&mut wire, 2), (1, 0));
    wire.wait_us(20_000);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 2);
}

#[test]
fn refused_requests_name_their_reason() {
    let mut wire = Wire::new(vec![program(application())]);
    assert_eq!(request(&mut wire, 4), (0x11, 0x0011));
    assert_eq!(request(&mut wire, 0x11), (1, 0));
    assert_eq!(request(&mut wire, 7), (0x11, 0x0012));
    assert_eq!(request(&mut wire, 0x13), (0x11, 0x0013));
    assert_eq!(request(&mut wire, 0x12), (2, 0));
    assert_eq!(request(&mut wire, 8), (0x12, 0x0011));
}

#[test]
fn an_error_stays_until_it_is_acknowledged() {
    let mut wire = Wire::new(vec![program(application())]);
    request(&mut wire, 2);
    assert_eq!(request(&mut wire, 8), (0x12, 0x0011));
    // Other requests are ignored without a word, but INIT.
    assert_eq!(request(&mut wire, 2), (0x12, 0x0011));
    assert_eq!(request(&mut wire, 0x12), (2, 0));
    assert_eq!(request(&mut wire, 8), (0x12, 0x0011));
    assert_eq!(request(&mut wire, 1), (1, 0));
}

#[test]
fn safe_op_is_refused_for_sync_managers_that_do_not_fit() {
    let cases = [
        (2, SyncManager { length: 3, ..OUTPUTS }, 0x001D),
        (2, SyncManager { start: 0x1000, ..OUTPUTS }, 0x001D),
        (2, SyncManager { enabled: false, ..OUTPUTS }, 0x001D),
        (3, SyncManager { length: 5, ..INPUTS }, 0x001E),
        (3, SyncManager { control: 0x24, ..INPUTS }, 0x001E),
        (4, SyncManager { start: 0x1200, ..INPUTS }, 0x0017),
    ];
    for (number, wrong, code) in cases {
        let mut wire = Wire::new(vec![program(application())]);
        request(&mut wire, 2);
        configure(&mut wire, 2, OUTPUTS);
        configure(&mut wire, 3, INPUTS);
        wire.set(STATION, reg::sync_manager(number), &[0; 8]);
        configure(&mut wire, number, wrong);
        assert_eq!(request(&mut wire, 4), (0x12, code));
    }
}

#[test]
fn pre_op_is_refused_without_the_expected_mailboxes() {
    let mut application = application();
    let mailbox = SyncManager { start: 0x1000, length: 128, control: 0x26, enabled: true };
    application.sync_managers.push(ExpectedSyncManager {
        number: 0,
        start: mailbox.start,
        length: mailbox.length,
        role: Role::MailboxOut,
        op_only: false,
    });
    let mut wire = Wire::new(vec![program(application)]);
    assert_eq!(request(&mut wire, 2), (0x11, 0x0016));
    configure(&mut wire, 0, mailbox);
    assert_eq!(request(&mut wire, 0x12), (2, 0));
}

#[test]
fn a_described_refusal_comes_with_its_code() {
    let refusal = Refusal { to: 2, code: 0x0014, condition: RefusalCondition::Always };
    let stubborn = Application { refusals: vec![refusal], ..application() };
    let mut wire = Wire::new(vec![program(stubborn)]);
    assert_eq!(request(&mut wire, 2), (0x11, 0x0014));
}

#[test]
fn process_data_are_locked_outside_safe_op_and_op() {
    // 0x0807 bit 0: this is how the working counter falls when a device leaves OP.
    let mut wire = Wire::new(vec![program(application())]);
    request(&mut wire, 2);
    configure(&mut wire, 2, OUTPUTS);
    configure(&mut wire, 3, INPUTS);
    let both = |wire: &mut Wire| {
        let read = wire.read(Command::Fprd { station: STATION, register: INPUTS.start }, 4).1;
        (wire.set(STATION, OUTPUTS.start, &[1, 2]), read)
    };
    assert_eq!(both(&mut wire), (0, 0));
    assert_eq!(wire.get(STATION, reg::sync_manager(2) + 7, 1), [1]);
    request(&mut wire, 4);
    assert_eq!(both(&mut wire), (1, 1));
    request(&mut wire, 8);
    assert_eq!(both(&mut wire), (1, 1));
    request(&mut wire, 2);
    assert_eq!(both(&mut wire), (0, 0));
}

#[test]
fn a_sync_manager_for_op_only_may_be_off_in_safe_op_and_must_not_be_in_op() {
    let mut application = application();
    application.sync_managers[0].op_only = true;
    let activate = reg::sync_manager(2) + ACTIVATE_OFFSET;
    let mut wire = Wire::new(vec![program(application)]);
    request(&mut wire, 2);
    configure(&mut wire, 2, OUTPUTS);
    configure(&mut wire, 3, INPUTS);
    wire.set(STATION, activate, &[0]);
    assert_eq!(request(&mut wire, 4), (4, 0));
    assert_eq!(wire.set(STATION, OUTPUTS.start, &[1]), 1, "plain RAM");
    assert_eq!(request(&mut wire, 8), (0x14, 0x001D));
    wire.set(STATION, activate, &[1]);
    assert_eq!(request(&mut wire, 0x14), (4, 0));
    assert_eq!(request(&mut wire, 8), (8, 0));
    wire.set(STATION, activate, &[0]);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 0x14);
    assert_eq!(wire.word(STATION, reg::AL_STATUS_CODE), 0x001D);
}
