//! ECAT events (0x0210), their mask (0x0200), and the IRQ field.

use ecat_simulator::esc::Application;
use ecat_wire::{Command, register as reg};

use crate::wire::{Wire, emulated, program};

const STATION: u16 = 0x1001;
const DL_EVENT: u16 = 0x0004;
const AL_EVENT: u16 = 0x0008;

#[test]
fn events_latch_while_masked_and_show_in_every_datagram_once_they_are_not() {
    let mut wire = Wire::new(vec![emulated(), emulated()]);
    // The links came up at power-on.
    assert_eq!(wire.word(STATION, reg::ECAT_EVENT), DL_EVENT);
    assert_eq!(wire.exchange(Command::Nop, &[0]).irq, 0);
    wire.set(STATION, reg::ECAT_EVENT_MASK, &[0x04, 0x00]);
    let nop: (Command, &[u8]) = (Command::Nop, &[0]);
    let answers = wire.send(&[nop, nop]);
    assert_eq!((answers[0].irq, answers[1].irq), (DL_EVENT, DL_EVENT));
}

#[test]
fn reading_the_cause_clears_an_event_from_the_next_frame_on() {
    let mut wire = Wire::new(vec![emulated()]);
    wire.set(STATION, reg::ECAT_EVENT_MASK, &[0x04, 0x00]);
    // The upper byte alone does it too.
    let read = Command::Fprd { station: STATION, register: reg::DL_STATUS + 1 };
    assert_eq!(wire.exchange(read, &[0]).irq, DL_EVENT);
    assert_eq!(wire.exchange(Command::Nop, &[0]).irq, 0);
}

#[test]
fn a_program_that_changes_its_state_raises_the_al_event() {
    let mut wire = Wire::new(vec![program(Application::default()), emulated()]);
    wire.write(Command::Bwr { register: reg::ECAT_EVENT_MASK }, &[0x08, 0x00]);
    wire.write(Command::Bwr { register: reg::AL_CONTROL }, &[2, 0]);
    assert_eq!(wire.exchange(Command::Nop, &[0]).irq, 0);
    wire.wait_us(1_000);
    assert_eq!(wire.exchange(Command::Nop, &[0]).irq, AL_EVENT);
    wire.write(Command::Brd { register: reg::AL_STATUS }, &[0, 0]);
    assert_eq!(wire.exchange(Command::Nop, &[0]).irq, 0);
}
