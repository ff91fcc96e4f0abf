//! Everything that can go wrong, with a stable code each.
//!
//! A code is a name for users to match on; `src/core/errors/table.ts` holds its category, whether it
//! is recoverable, and the sentence on what to do. A test in TypeScript holds [`ErrorCode::ALL`] and
//! that table against each other.

use std::fmt;

/// Stable error codes of the native side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// No permission for a raw socket.
    LinkPermission,
    /// No network interface of that name.
    LinkInterfaceMissing,
    /// The interface has no carrier, or lost it.
    LinkDown,
    /// Another MainDevice, in this process or another, owns the interface.
    LinkBusy,
    /// The operating system refused something else about the link.
    LinkOs,
    /// No SubDevice answered.
    NoSubDevices,
    /// More SubDevices than the largest size class holds.
    TooManySubDevices,
    /// A SubDevice's EEPROM is blank, or its content makes no sense.
    EepromInvalid,
    /// A SubDevice has not loaded its EEPROM, whose checksum is wrong.
    EepromChecksum,
    /// A SubDevice's EEPROM did not take a command or reported an error.
    EepromAccess,
    /// A SubDevice's EEPROM interface stays busy.
    EepromBusy,
    /// A SubDevice refused a state; carries its AL status code.
    StateRefused,
    /// A SubDevice did not reach a state in time.
    StateTimeout,
    /// A SubDevice stopped answering during bring-up.
    SubDeviceLost,
    /// A register that was written read back otherwise.
    ConfigurationVerify,
    /// The process image does not fit (FMMUs, SyncManagers, size).
    LayoutInvalid,
    /// The frames of a cycle take longer than its period.
    CycleTooShort,
    /// No answer in time to a frame, and no device could be named.
    Timeout,
    /// The bring-up failed for a reason that no pass could name.
    BringUp,
    /// A defect inside the engine was caught.
    Panic,
    /// The shared memory does not have this build's layout.
    LayoutMismatch,
    /// An operation needs an open engine.
    Closed,
    /// The operation was cancelled by `close()`.
    Aborted,
    /// A lane, engine or partition number that does not exist.
    InvalidArgument,
    /// Two lanes claim the same output bit.
    OutputClaimed,
    /// The output lane has another owner, is still being released, or none is free.
    LaneBusy,
    /// An urgent write of an output whose SubDevice does not allow it.
    UrgentNotAllowed,
    /// An interlock whose condition still holds cannot be acknowledged.
    InterlockHolds,
    /// The description of a simulated segment is not valid.
    SegmentInvalid,
}

impl ErrorCode {
    /// Every code, in the order of declaration.
    pub const ALL: &'static [Self] = &[
        Self::LinkPermission,
        Self::LinkInterfaceMissing,
        Self::LinkDown,
        Self::LinkBusy,
        Self::LinkOs,
        Self::NoSubDevices,
        Self::TooManySubDevices,
        Self::EepromInvalid,
        Self::EepromChecksum,
        Self::EepromAccess,
        Self::EepromBusy,
        Self::StateRefused,
        Self::StateTimeout,
        Self::SubDeviceLost,
        Self::ConfigurationVerify,
        Self::LayoutInvalid,
        Self::CycleTooShort,
        Self::Timeout,
        Self::BringUp,
        Self::Panic,
        Self::LayoutMismatch,
        Self::Closed,
        Self::Aborted,
        Self::InvalidArgument,
        Self::OutputClaimed,
        Self::LaneBusy,
        Self::UrgentNotAllowed,
        Self::InterlockHolds,
        Self::SegmentInvalid,
    ];

    /// The code as users see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinkPermission => "ECAT_ERR_LINK_PERMISSION",
            Self::LinkInterfaceMissing => "ECAT_ERR_LINK_INTERFACE_MISSING",
            Self::LinkDown => "ECAT_ERR_LINK_DOWN",
            Self::LinkBusy => "ECAT_ERR_LINK_BUSY",
            Self::LinkOs => "ECAT_ERR_LINK_OS",
            Self::NoSubDevices => "ECAT_ERR_NO_SUBDEVICES",
            Self::TooManySubDevices => "ECAT_ERR_TOO_MANY_SUBDEVICES",
            Self::EepromInvalid => "ECAT_ERR_EEPROM_INVALID",
            Self::EepromChecksum => "ECAT_ERR_EEPROM_CHECKSUM",
            Self::EepromAccess => "ECAT_ERR_EEPROM_ACCESS",
            Self::EepromBusy => "ECAT_ERR_EEPROM_BUSY",
            Self::StateRefused => "ECAT_ERR_STATE_REFUSED",
            Self::StateTimeout => "ECAT_ERR_STATE_TIMEOUT",
            Self::SubDeviceLost => "ECAT_ERR_SUBDEVICE_LOST",
            Self::ConfigurationVerify => "ECAT_ERR_CONFIGURATION_VERIFY",
            Self::LayoutInvalid => "ECAT_ERR_LAYOUT_INVALID",
            Self::CycleTooShort => "ECAT_ERR_CYCLE_TOO_SHORT",
            Self::Timeout => "ECAT_ERR_TIMEOUT",
            Self::BringUp => "ECAT_ERR_BRING_UP",
            Self::Panic => "ECAT_ERR_PANIC",
            Self::LayoutMismatch => "ECAT_ERR_LAYOUT_MISMATCH",
            Self::Closed => "ECAT_ERR_CLOSED",
            Self::Aborted => "ECAT_ERR_ABORTED",
            Self::InvalidArgument => "ECAT_ERR_INVALID_ARGUMENT",
            Self::OutputClaimed => "ECAT_ERR_OUTPUT_CLAIMED",
            Self::LaneBusy => "ECAT_ERR_LANE_BUSY",
            Self::UrgentNotAllowed => "ECAT_ERR_URGENT_NOT_ALLOWED",
            Self::InterlockHolds => "ECAT_ERR_INTERLOCK_HOLDS",
            Self::SegmentInvalid => "ECAT_ERR_SEGMENT_INVALID",
        }
    }
}

/// One failure: what, of whom, where, and in which state.
///
/// A bring-up of many SubDevices may fail at several of them; [`EngineError`] carries them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What.
    pub code: ErrorCode,
    /// One sentence with the particulars (numbers in hex where the field writes them so).
    pub message: String,
    /// Position of the SubDevice in the segment, from 0.
    pub position: Option<u16>,
    /// Name of the SubDevice, as its SII gives it.
    pub sub_device: Option<String>,
    /// The register concerned.
    pub register: Option<u16>,
    /// The state that was requested (low nibble of 0x0120).
    pub requested_state: Option<u8>,
    /// The state that the SubDevice is in (register 0x0130).
    pub state: Option<u8>,
    /// The AL status code (register 0x0134).
    pub al_status_code: Option<u16>,
}

impl Failure {
    /// A failure that concerns no SubDevice.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            position: None,
            sub_device: None,
            register: None,
            requested_state: None,
            state: None,
            al_status_code: None,
        }
    }

    /// The same failure, of the SubDevice at `position`.
    #[must_use]
    pub fn at(mut self, position: u16, name: Option<&str>) -> Self {
        self.position = Some(position);
        self.sub_device = name.filter(|name| !name.is_empty()).map(str::to_owned);
        self
    }
}

/// Why an operation of the engine failed: at least one [`Failure`], the most telling first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineError {
    /// The failure to show.
    pub first: Failure,
    /// Failures of other SubDevices in the same operation.
    pub others: Vec<Failure>,
}

impl EngineError {
    /// A single failure.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Failure::new(code, message).into()
    }

    /// All of `failures` as one error, in their order; `None` where there are none.
    #[must_use]
    pub fn of(failures: Vec<Failure>) -> Option<Self> {
        let mut failures = failures.into_iter();
        let first = failures.next()?;
        Some(Self { first, others: failures.collect() })
    }
}

impl From<Failure> for EngineError {
    fn from(first: Failure) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.first.code.as_str(), self.first.message)?;
        match self.others.len() {
            0 => Ok(()),
            n => write!(f, " (and {n} more)"),
        }
    }
}

impl std::error::Error for EngineError {}
