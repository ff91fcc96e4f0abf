//! The state machine of a CiA 402 drive as a table: states, commands, transitions 0 to 16.
//!
//! IEC 61800-7-201 (CiA 402-2), "Finite state automaton", as public manuals quote it: Toshiba VF-S15 CANopen manual,
//! chapter 6.1.2; Beckhoff's slave stack code, `cia402appl.c`; ETG6010 numbers the transitions.

/// A state of the drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It starts up.
    NotReadyToSwitchOn,
    /// It may be set up; no power.
    SwitchOnDisabled,
    /// Power may be switched on.
    ReadyToSwitchOn,
    /// Power is on; it follows no set points.
    SwitchedOn,
    /// It follows set points.
    OperationEnabled,
    /// It stops, or has stopped and holds.
    QuickStopActive,
    /// It stops for a fault.
    FaultReactionActive,
    /// It has stopped for a fault; no power.
    Fault,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NotReadyToSwitchOn,
        Self::SwitchOnDisabled,
        Self::ReadyToSwitchOn,
        Self::SwitchedOn,
        Self::OperationEnabled,
        Self::QuickStopActive,
        Self::FaultReactionActive,
        Self::Fault,
    ];

    /// Bits 0 to 3, 5 and 6 of the statusword.
    #[must_use]
    pub const fn status_bits(self) -> u16 {
        match self {
            Self::NotReadyToSwitchOn => 0x0000,
            Self::SwitchOnDisabled => 0x0040,
            Self::ReadyToSwitchOn => 0x0021,
            Self::SwitchedOn => 0x0023,
            Self::OperationEnabled => 0x0027,
            Self::QuickStopActive => 0x0007,
            Self::FaultReactionActive => 0x000F,
            Self::Fault => 0x0008,
        }
    }

    /// Whether the motor has power: statusword bit 4.
    #[must_use]
    pub const fn has_power(self) -> bool {
        matches!(
            self,
            Self::SwitchedOn
                | Self::OperationEnabled
                | Self::QuickStopActive
                | Self::FaultReactionActive
        )
    }
}

/// What bits 0 to 3 and 7 of a controlword say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bit 7 is 1: only its rising edge says anything, and that is no level.
    None,
    /// `0xxx x110`
    Shutdown,
    /// `0xxx 0111`: switch on, or disable operation.
    SwitchOn,
    /// `0xxx 1111`
    EnableOperation,
    /// `0xxx xx0x`
    DisableVoltage,
    /// `0xxx x01x`
    QuickStop,
}

impl Command {
    /// Reads a controlword.
    #[must_use]
    pub const fn of(controlword: u16) -> Self {
        if controlword & 0x80 != 0 {
            return Self::None;
        }
        match controlword & 0x0F {
            0x6 | 0xE => Self::Shutdown,
            0x7 => Self::SwitchOn,
            0xF => Self::EnableOperation,
            0x2 | 0x3 | 0xA | 0xB => Self::QuickStop,
            _ => Self::DisableVoltage,
        }
    }
}

/// What else decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The start-up is over.
    pub ready: bool,
    /// There is a fault.
    pub fault: bool,
    /// Bit 7 of the controlword has risen.
    pub fault_reset: bool,
    /// The brake is open and the drive can take set points over.
    pub powered: bool,
    /// The motion that a quick stop or a fault has begun is over.
    pub stopped: bool,
    /// 0x605A is 5 to 8: it stays in `QuickStopActive`.
    pub quick_stop_stays: bool,
}

/// A way from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its number in the tables, 1 to 16.
    pub number: u8,
    /// Where it ends.
    pub to: State,
}

/// The transition that a drive takes, if any.
#[must_use]
pub const fn next(state: State, command: Command, is: Conditions) -> Option<Transition> {
    use Command::{DisableVoltage, EnableOperation, QuickStop, Shutdown, SwitchOn};
    let (number, to) = match (state, command) {
        (State::FaultReactionActive, _) if is.stopped => (14, State::Fault),
        (State::FaultReactionActive, _) => return None,
        (State::Fault, _) if is.fault_reset && !is.fault => (15, State::SwitchOnDisabled),
        (State::Fault, _) => return None,
        _ if is.fault => (13, State::FaultReactionActive),
        (State::NotReadyToSwitchOn, _) if is.ready => (1, State::SwitchOnDisabled),
        (State::SwitchOnDisabled, Shutdown) => (2, State::ReadyToSwitchOn),
        // With `EnableOperation`, transition 4 follows by itself.
        (State::ReadyToSwitchOn, SwitchOn | EnableOperation) => (3, State::SwitchedOn),
        (State::ReadyToSwitchOn, DisableVoltage | QuickStop) => (7, State::SwitchOnDisabled),
        (State::SwitchedOn, EnableOperation) if is.powered => (4, State::OperationEnabled),
        (State::SwitchedOn, Shutdown) => (6, State::ReadyToSwitchOn),
        (State::SwitchedOn, DisableVoltage | QuickStop) => (10, State::SwitchOnDisabled),
        (State::OperationEnabled, SwitchOn) => (5, State::SwitchedOn),
        (State::OperationEnabled, Shutdown) => (8, State::ReadyToSwitchOn),
        (State::OperationEnabled, DisableVoltage) => (9, State::SwitchOnDisabled),
        (State::OperationEnabled, QuickStop) => (11, State::QuickStopActive),
        (State::QuickStopActive, DisableVoltage) => (12, State::SwitchOnDisabled),
        (State::QuickStopActive, _) if is.stopped && !is.quick_stop_stays => {
            (12, State::SwitchOnDisabled)
        }
        (State::QuickStopActive, EnableOperation) if is.quick_stop_stays => {
            (16, State::OperationEnabled)
        }
        _ => return None,
    };
    Some(Transition { number, to })
}
