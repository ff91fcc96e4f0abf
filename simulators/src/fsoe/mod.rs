//! Safety over EtherCAT (FSoE; ETG.5100, IEC 61784-3-12): the frames, and the side of a safe device, which ETG.5100
//! calls FSoE Slave or SubInstance.
//!
//! **No safety function, not certified, for tests only.** What it does is what an independent FSoE MainInstance, the
//! Python package `fsoe-master`, takes (`tests/fsoe`): checksums, sequence numbers, and the way to the state Data.

pub mod frame;
mod sub_instance;

pub use sub_instance::{Settings, State, SubInstance};

/// Commands of a frame.
pub mod command {
    /// The connection begins anew; the first byte of data says why ([`super::error`]).
    pub const RESET: u8 = 0x2A;
    /// Session identifiers are exchanged.
    pub const SESSION: u8 = 0x4E;
    /// The connection gets its identifier.
    pub const CONNECTION: u8 = 0x64;
    /// Watchdog and parameters.
    pub const PARAMETER: u8 = 0x52;
    /// Safe data.
    pub const PROCESS_DATA: u8 = 0x36;
    /// Data that mean the safe state.
    pub const FAIL_SAFE_DATA: u8 = 0x08;
}

/// Why a connection begins anew (ETG.5100, "FSoE communication error codes").
pub mod error {
    /// On request.
    pub const LOCAL_RESET: u8 = 0;
    /// A command that does not fit the state.
    pub const INVALID_COMMAND: u8 = 1;
    /// A command that does not exist.
    pub const UNKNOWN_COMMAND: u8 = 2;
    /// Another connection.
    pub const INVALID_CONNECTION: u8 = 3;
    /// A checksum.
    pub const INVALID_CRC: u8 = 4;
    /// The watchdog.
    pub const WATCHDOG: u8 = 5;
    /// The address of another device.
    pub const INVALID_ADDRESS: u8 = 6;
    /// The length of the communication parameters.
    pub const INVALID_COMMUNICATION_LENGTH: u8 = 8;
    /// The watchdog's time.
    pub const INVALID_COMMUNICATION_PARAMETER: u8 = 9;
    /// The length of the application's parameters.
    pub const INVALID_APPLICATION_LENGTH: u8 = 10;
}
