//! Failures as the cycle thread notes them, plain numbers, and their wording elsewhere: no text is made on
//! the cycle thread once it cycles.

use ecat_wire::al::{self, AlState};

use super::plant::Plant;
use crate::error::{ErrorCode, Failure};

/// What a SubDevice did on the way to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Index of the SubDevice.
    pub device: usize,
    /// The state that was requested.
    pub requested: AlState,
    /// Register 0x0130 as last read.
    pub status: u16,
    /// Register 0x0134 as last read.
    pub code: u16,
    /// What went wrong.
    pub kind: RecordKind,
}

/// What went wrong on the way to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// The SubDevice set its error bit.
    Refused,
    /// It did nothing.
    TimedOut,
    /// It does not answer any more.
    Lost,
    /// OP was not requested, since a datagram of its did not get its working counter in time.
    WorkingCounter {
        /// Index of the datagram.
        datagram: usize,
        /// As received last.
        received: u16,
        /// As it should have been.
        expected: u16,
    },
    /// OP was not requested, since the frames did not come back in time.
    NoFrames,
}

impl Record {
    /// The failure in words.
    #[must_use]
    pub fn describe(&self, plant: &Plant) -> Failure {
        let device = plant.devices.get(self.device);
        let name = device.map(|device| &*device.name);
        let position = device.and_then(|_| u16::try_from(self.device).ok()).unwrap_or(u16::MAX);
        let who = who(name, position);
        let requested = self.requested.name();
        let (code, message) = match self.kind {
            RecordKind::Refused => (
                ErrorCode::StateRefused,
                format!(
                    "{who} refused {requested}: {} (AL status code 0x{:04X}; it stays in {})",
                    al::status_code_text(self.code),
                    self.code,
                    state_name(self.status)
                ),
            ),
            RecordKind::TimedOut => (
                ErrorCode::StateTimeout,
                format!(
                    "{who} did not reach {requested} in time: it is in {}{}",
                    state_name(self.status),
                    self.code_in_words()
                ),
            ),
            RecordKind::Lost => (
                ErrorCode::SubDeviceLost,
                format!("{who} stopped answering on its way to {requested}"),
            ),
            RecordKind::WorkingCounter { datagram, received, expected } => (
                ErrorCode::StateTimeout,
                format!(
                    "{who} was not taken to {requested}: the working counter of its datagram {datagram} \
                     stayed at {received} instead of {expected}"
                ),
            ),
            RecordKind::NoFrames => (
                ErrorCode::StateTimeout,
                format!("{who} was not taken to {requested}: the cycle's frames did not come back"),
            ),
        };
        let lost = self.kind == RecordKind::Lost;
        Failure {
            requested_state: Some(self.requested as u8),
            state: (!lost).then_some((self.status & 0x0F) as u8),
            al_status_code: (!lost && self.code != 0).then_some(self.code),
            ..Failure::new(code, message).at(position, name)
        }
    }

    fn code_in_words(&self) -> String {
        match self.code {
            0 => String::new(),
            code => format!(", AL status code 0x{code:04X}: {}", al::status_code_text(code)),
        }
    }
}

fn who(name: Option<&str>, position: u16) -> String {
    match name {
        None | Some("") => format!("SubDevice {position}"),
        Some(name) => format!("SubDevice {position} ({name})"),
    }
}

fn state_name(status: u16) -> &'static str {
    AlState::from_nibble((status & 0x0F) as u8).map_or("no state", AlState::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_device_the_states_and_the_code_in_words() {
        let record = Record {
            device: 3,
            requested: AlState::SafeOp,
            status: 0x12,
            code: 0x001D,
            kind: RecordKind::Refused,
        };
        let failure = record.describe(&Plant::default());
        assert_eq!(failure.code, ErrorCode::StateRefused);
        assert_eq!((failure.requested_state, failure.state), (Some(4), Some(2)));
        assert_eq!(failure.al_status_code, Some(0x001D));
        let text = al::status_code_text(0x001D);
        assert!(failure.message.contains(text) && failure.message.contains("SAFE-OP"));
    }

    #[test]
    fn a_device_that_does_not_answer_has_no_state() {
        let record = Record {
            device: 0,
            requested: AlState::Op,
            status: 4,
            code: 0,
            kind: RecordKind::Lost,
        };
        let failure = record.describe(&Plant::default());
        assert_eq!((failure.code, failure.state), (ErrorCode::SubDeviceLost, None));
    }
}
