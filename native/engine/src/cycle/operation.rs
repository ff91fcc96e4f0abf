//! The acyclic operations that ride behind the cyclic frames, one datagram each.

use ecat_wire::al::AlState;
use ecat_wire::sync_manager::{ACTIVATE_ENABLE, ACTIVATE_OFFSET};
use ecat_wire::{Command, register};

/// Bytes of an AL status read (0x0130–0x0135).
pub const STATE_BYTES: usize = 6;
/// Bytes that an application reads from registers at once, at most.
pub const REGISTER_BYTES_MAX: usize = 64;
/// Bytes of the longest operation's data.
const OPERATION_BYTES_MAX: usize = REGISTER_BYTES_MAX;

/// One acyclic operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reads AL status, and with it the AL status code (0x0130, 6 bytes).
    ReadState {
        /** Index of the SubDevice. */
        device: usize,
    },
    /// Gives the EEPROM to the PDI (0x0500 = 1): some devices refuse a state otherwise.
    GiveEeprom {
        /** Index of the SubDevice. */
        device: usize,
    },
    /// Writes AL control (0x0120).
    WriteControl {
        /** Index of the SubDevice. */
        device: usize,
        /** The word: state and acknowledge bit. */
        value: u16,
    },
    /// Switches a SyncManager on or off (0x0806 + 8·n).
    Activate {
        /** Index of the SubDevice. */
        device: usize,
        /** Number of the SyncManager. */
        sync_manager: u8,
        /** On or off. */
        on: bool,
    },
    /// Reads registers for the application.
    ReadRegister {
        /** Index of the SubDevice. */
        device: usize,
        /** The first register. */
        register: u16,
        /** Bytes, at most [`REGISTER_BYTES_MAX`]. */
        length: usize,
    },
    /// Requests a state of every SubDevice, whatever its address.
    BroadcastControl {
        /** The state. */
        state: AlState,
    },
}

impl Operation {
    /// The command that carries it; `stations` are the station addresses by index of the SubDevice.
    #[must_use]
    pub fn command(self, stations: &[u16]) -> Command {
        match self {
            Self::ReadState { device } => {
                Command::Fprd { station: stations[device], register: register::AL_STATUS }
            }
            Self::GiveEeprom { device } => {
                Command::Fpwr { station: stations[device], register: register::EEPROM_OWNER }
            }
            Self::WriteControl { device, .. } => {
                Command::Fpwr { station: stations[device], register: register::AL_CONTROL }
            }
            Self::Activate { device, sync_manager, .. } => Command::Fpwr {
                station: stations[device],
                register: register::sync_manager(sync_manager) + ACTIVATE_OFFSET,
            },
            Self::ReadRegister { device, register, .. } => {
                Command::Fprd { station: stations[device], register }
            }
            Self::BroadcastControl { .. } => Command::Bwr { register: register::AL_CONTROL },
        }
    }

    /// Its data as sent, and how many bytes of it count.
    #[must_use]
    pub fn data(self) -> ([u8; OPERATION_BYTES_MAX], usize) {
        let mut data = [0; OPERATION_BYTES_MAX];
        let length = match self {
            Self::ReadState { .. } => STATE_BYTES,
            Self::ReadRegister { length, .. } => length.min(REGISTER_BYTES_MAX),
            Self::GiveEeprom { .. } => {
                data[0] = 1;
                1
            }
            Self::WriteControl { value, .. } => {
                data[..2].copy_from_slice(&value.to_le_bytes());
                2
            }
            Self::Activate { on, .. } => {
                data[0] = if on { ACTIVATE_ENABLE } else { 0 };
                1
            }
            Self::BroadcastControl { state } => {
                data[0] = state as u8;
                2
            }
        };
        (data, length)
    }
}

/// Status and code of a read of 0x0130 with 6 bytes (0x0132 is reserved), or `None` where nobody answered.
#[must_use]
pub fn reading(data: &[u8], working_counter: u16) -> Option<(u16, u16)> {
    (working_counter > 0 && data.len() >= STATE_BYTES)
        .then(|| (u16::from_le_bytes([data[0], data[1]]), u16::from_le_bytes([data[4], data[5]])))
}
