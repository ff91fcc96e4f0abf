//! Every state and every controlword against the tables of CiA 402, typed off public manuals and not off the program:
//! Toshiba VF-S15 CANopen manual 6.1.2 (patterns of the commands), ETG6010 (numbers of the transitions).

use ecat_simulator::devices::programs::servo::state_machine::{Command, Conditions, State, next};

use crate::machine::Machine;
use crate::servo::*;

/// From, bits 7 to 0 of the controlword, number, to.
const TABLE: [(State, &str, u8, State); 16] = [
    (State::SwitchOnDisabled, "0xxxx110", 2, State::ReadyToSwitchOn),
    (State::ReadyToSwitchOn, "0xxx0111", 3, State::SwitchedOn),
    (State::ReadyToSwitchOn, "0xxx1111", 3, State::SwitchedOn),
    (State::ReadyToSwitchOn, "0xxxxx0x", 7, State::SwitchOnDisabled),
    (State::ReadyToSwitchOn, "0xxxx01x", 7, State::SwitchOnDisabled),
    (State::SwitchedOn, "0xxx1111", 4, State::OperationEnabled),
    (State::SwitchedOn, "0xxxx110", 6, State::ReadyToSwitchOn),
    (State::SwitchedOn, "0xxxxx0x", 10, State::SwitchOnDisabled),
    (State::SwitchedOn, "0xxxx01x", 10, State::SwitchOnDisabled),
    (State::OperationEnabled, "0xxx0111", 5, State::SwitchedOn),
    (State::OperationEnabled, "0xxxx110", 8, State::ReadyToSwitchOn),
    (State::OperationEnabled, "0xxxxx0x", 9, State::SwitchOnDisabled),
    (State::OperationEnabled, "0xxxx01x", 11, State::QuickStopActive),
    (State::QuickStopActive, "0xxxxx0x", 12, State::SwitchOnDisabled),
    // Where 0x605A is 5 to 8.
    (State::QuickStopActive, "0xxx1111", 16, State::OperationEnabled),
    // A rising edge, whatever the other bits.
    (State::Fault, "1xxxxxxx", 15, State::SwitchOnDisabled),
];

fn fits(pattern: &str, controlword: u16) -> bool {
    pattern.bytes().enumerate().all(|(n, bit)| match bit {
        b'x' => true,
        bit => controlword >> (7 - n) & 1 == u16::from(bit - b'0'),
    })
}

fn expected(state: State, controlword: u16) -> Option<(u8, State)> {
    let mut rows = TABLE.iter();
    rows.find(|row| row.0 == state && fits(row.1, controlword)).map(|row| (row.2, row.3))
}

/// Nothing but the controlword decides.
fn calm(controlword: u16) -> Conditions {
    Conditions {
        ready: true,
        fault: false,
        fault_reset: controlword & 0x80 != 0,
        powered: true,
        stopped: false,
        quick_stop_stays: true,
    }
}

#[test]
fn every_controlword_does_in_every_state_what_the_table_says() {
    let others = [State::NotReadyToSwitchOn, State::FaultReactionActive];
    for state in State::ALL.into_iter().filter(|state| !others.contains(state)) {
        for controlword in 0..=u16::MAX {
            let command = Command::of(controlword);
            let taken = next(state, command, calm(controlword)).map(|t| (t.number, t.to));
            assert_eq!(taken, expected(state, controlword), "{state:?} {controlword:#06x}");
        }
    }
}

#[test]
fn the_patterns_of_a_state_exclude_each_other() {
    for state in State::ALL {
        for controlword in 0..256 {
            let rows = TABLE.iter().filter(|row| row.0 == state && fits(row.1, controlword));
            assert!(rows.count() <= 1, "{state:?} {controlword:#04x}");
        }
    }
}

#[test]
fn transitions_that_come_by_themselves_need_no_controlword() {
    for controlword in 0..256 {
        let command = Command::of(controlword);
        let of = |state, is| next(state, command, is).map(|t| (t.number, t.to));
        let is = calm(controlword & 0x7F);
        assert_eq!(of(State::NotReadyToSwitchOn, is), Some((1, State::SwitchOnDisabled)));
        let starting = Conditions { ready: false, ..is };
        assert_eq!(of(State::NotReadyToSwitchOn, starting), None);
        // 12 at the end of a quick stop that does not stay.
        let ended = Conditions { stopped: true, quick_stop_stays: false, ..is };
        let taken = of(State::QuickStopActive, ended);
        assert_eq!(taken, Some((12, State::SwitchOnDisabled)), "{controlword:#04x}");
        // 14 at the end of the reaction, not before.
        assert_eq!(of(State::FaultReactionActive, is), None);
        assert_eq!(of(State::FaultReactionActive, ended), Some((14, State::Fault)));
    }
}

#[test]
fn a_fault_takes_every_state_to_its_reaction() {
    for state in State::ALL {
        for controlword in 0..256 {
            let is = Conditions { fault: true, ..calm(controlword) };
            let taken = next(state, Command::of(controlword), is).map(|t| (t.number, t.to));
            let expected = match state {
                // It is there already; and a fault that lasts cannot be reset.
                State::FaultReactionActive | State::Fault => None,
                _ => Some((13, State::FaultReactionActive)),
            };
            assert_eq!(taken, expected, "{state:?} {controlword:#04x}");
        }
    }
}

#[test]
fn operation_waits_for_the_power() {
    let is = Conditions { powered: false, ..calm(0x0F) };
    assert_eq!(next(State::SwitchedOn, Command::of(0x0F), is), None);
}

#[test]
fn a_quick_stop_that_does_not_stay_cannot_be_left_by_enabling() {
    let is = Conditions { quick_stop_stays: false, ..calm(0x0F) };
    assert_eq!(next(State::QuickStopActive, Command::of(0x0F), is), None);
}

#[test]
fn statuswords_are_those_of_the_table() {
    let words = [0x00, 0x40, 0x21, 0x23, 0x27, 0x07, 0x0F, 0x08];
    for (state, word) in State::ALL.into_iter().zip(words) {
        assert_eq!(state.status_bits(), word, "{state:?}");
    }
}

fn bits_of(state: State) -> i64 {
    match state {
        State::NotReadyToSwitchOn => 0,
        State::SwitchOnDisabled => SWITCH_ON_DISABLED,
        State::ReadyToSwitchOn => READY_TO_SWITCH_ON,
        State::SwitchedOn => SWITCHED_ON,
        State::OperationEnabled => OPERATION_ENABLED,
        State::QuickStopActive => QUICK_STOP_ACTIVE,
        State::FaultReactionActive => FAULT_REACTION_ACTIVE,
        State::Fault => FAULT,
    }
}

/// From wherever it is.
fn bring(machine: &mut Machine, state: State) {
    machine.set(TARGET_POSITION, 0, machine.position());
    machine.command(0x00);
    machine.command(0x80);
    machine.command(0x00);
    machine.reaches(50, SWITCH_ON_DISABLED);
    let words: &[i64] = match state {
        State::ReadyToSwitchOn => &[0x06],
        State::SwitchedOn => &[0x06, 0x07],
        State::OperationEnabled | State::Fault => &[0x06, 0x07, 0x0F],
        State::QuickStopActive => &[0x06, 0x07, 0x0F, 0x02],
        _ => &[],
    };
    words.iter().for_each(|&word| machine.command(word));
    if state == State::Fault {
        machine.set(TARGET_POSITION, 0, machine.position() + 100 * TURN);
        machine.reaches(300, FAULT);
        machine.set(TARGET_POSITION, 0, machine.position());
        machine.command(0x00);
    }
    machine.reaches(50, bits_of(state));
}

#[test]
fn a_drive_on_the_bus_follows_the_same_table() {
    let mut machine = prepared("");
    // It stays in quick stop active.
    machine.write(0x605A, 0, 2, 6);
    machine.operate();
    machine.set(MODE, 0, CSP);
    let states = [
        State::SwitchOnDisabled,
        State::ReadyToSwitchOn,
        State::SwitchedOn,
        State::OperationEnabled,
        State::QuickStopActive,
        State::Fault,
    ];
    for state in states {
        for word in (0..16).chain(0x80..0x90) {
            bring(&mut machine, state);
            machine.command(word.into());
            // The word stays, so that the next row may follow; an edge does not.
            let mut ends = state;
            while let Some((number, to)) = expected(ends, word) {
                ends = to;
                assert!(number != 15 || word & 0x80 != 0);
            }
            machine.reaches(50, bits_of(ends));
            machine.cycles(5);
            assert_eq!(machine.state(), bits_of(ends), "{state:?} {word:#04x}");
        }
    }
}
