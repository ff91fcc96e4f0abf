//! The application-layer state machine: states, the status register, and what its codes mean.
//!
//! Codes: ETG1000.6, table "AL status codes", with the additions of ETG1020.

/// A state of the EtherCAT state machine, with its code in AL control and AL status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AlState {
    /// INIT: no mailbox, no process data.
    Init = 1,
    /// PRE-OP: mailbox, no process data.
    PreOp = 2,
    /// BOOT: mailbox for firmware only.
    Boot = 3,
    /// SAFE-OP: inputs are valid, outputs are safe.
    SafeOp = 4,
    /// OP: inputs and outputs.
    Op = 8,
}

impl AlState {
    /// The state of the low four bits of `bits`, or `None` where they are no state (0 of a SubDevice that
    /// does not answer, or a mixture that a broadcast read ORed together).
    #[must_use]
    pub const fn from_nibble(bits: u8) -> Option<Self> {
        Some(match bits & 0x0F {
            1 => Self::Init,
            2 => Self::PreOp,
            3 => Self::Boot,
            4 => Self::SafeOp,
            8 => Self::Op,
            _ => return None,
        })
    }

    /// The code in AL control and AL status.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name as people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::PreOp => "PRE-OP",
            Self::Boot => "BOOT",
            Self::SafeOp => "SAFE-OP",
            Self::Op => "OP",
        }
    }

    /// The state with this name; upper or lower case, with or without the hyphen.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Init, Self::PreOp, Self::Boot, Self::SafeOp, Self::Op].into_iter().find(|state| {
            let plain = |text: &str| {
                text.bytes().filter(|b| *b != b'-').map(|b| b.to_ascii_lowercase()).eq(state
                    .name()
                    .bytes()
                    .filter(|b| *b != b'-')
                    .map(|b| b.to_ascii_lowercase()))
            };
            plain(name)
        })
    }
}

impl std::fmt::Display for AlState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Bit 4 of AL control: acknowledges an error. Never send it to a device with device emulation, whose
/// status would show it as an error.
pub const CONTROL_ACKNOWLEDGE: u8 = 0x10;
/// Bit 5 of AL control: requests the explicit device identification.
pub const CONTROL_REQUEST_ID: u8 = 0x20;

/// Register 0x0130.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlStatus {
    /// The register as it was read.
    pub raw: u16,
    /// State of the low four bits; `None` where they are none.
    pub state: Option<AlState>,
    /// Bit 4: the last request failed; 0x0134 says why. Means nothing on a device with device emulation.
    pub error: bool,
    /// Bit 5: 0x0134 holds the explicit device identification.
    pub id_loaded: bool,
}

impl AlStatus {
    /// What the register says.
    #[must_use]
    pub const fn from_register(raw: u16) -> Self {
        Self {
            raw,
            state: AlState::from_nibble(raw.to_le_bytes()[0]),
            error: raw & 0x10 != 0,
            id_loaded: raw & 0x20 != 0,
        }
    }
}

/// What a status code says, in words.
#[must_use]
pub fn status_code_text(code: u16) -> &'static str {
    match row(code) {
        Some(&(_, text, _)) => text,
        None if code >= 0x8000 => "an error that only the device's manufacturer defines",
        None => "an error code that the standard does not define",
    }
}

/// What to do about a status code, as one sentence; `None` for codes that only their device explains.
#[must_use]
pub fn status_code_hint(code: u16) -> Option<&'static str> {
    row(code).map(|&(_, _, hint)| hint).filter(|hint| !hint.is_empty())
}

fn row(code: u16) -> Option<&'static (u16, &'static str, &'static str)> {
    CODES.binary_search_by_key(&code, |row| row.0).ok().map(|index| &CODES[index])
}

const MANUAL: &str =
    "Look into the device's own diagnosis (its display, its object 0x10F3) and manual.";
const MAPPING: &str = "Compare the configured PDOs with those that the device supports; some devices refuse \
                       combinations whose lengths all fit.";
const MAILBOX: &str = "Compare the mailbox addresses and sizes with the device's description (SII words 0x14 to \
                       0x1B).";
const SYNC: &str = "Check that distributed clocks are on, that the SYNC0 cycle is one that the device supports, \
                    and that the MainDevice's cycles are steady.";
const POWER: &str = "Switch the device off and on; if that does not help, look into its manual.";
const PROTOCOL: &str = "The device's server for this mailbox protocol failed; restart the device and check its \
                        configuration.";

/// Code, meaning, and what to do, ascending.
const CODES: &[(u16, &str, &str)] = &[
    (0x0000, "no error", ""),
    (0x0001, "unspecified error", MANUAL),
    (0x0002, "the device has no memory left", "Map fewer PDOs, or use smaller mailboxes."),
    (0x0003, "invalid device set-up", "Check the device's modules, switches and parameters."),
    (0x0005, "reserved for compatibility", MANUAL),
    (
        0x0006,
        "the firmware and the EEPROM do not match",
        "Write the EEPROM image that belongs to the firmware.",
    ),
    (0x0007, "the firmware update failed", "Repeat the firmware update in BOOT."),
    (0x000E, "the licence is invalid", MANUAL),
    (
        0x0011,
        "invalid change of state",
        "Go through the states in order: INIT, PRE-OP, SAFE-OP, OP.",
    ),
    (
        0x0012,
        "unknown state requested",
        "Request one of INIT, PRE-OP, SAFE-OP, OP, BOOT that the device has.",
    ),
    (0x0013, "the device has no BOOT state", "Update this device's firmware by another way."),
    (0x0014, "no valid firmware", "Load a firmware in BOOT."),
    (0x0015, "invalid mailbox configuration for BOOT", MAILBOX),
    (0x0016, "invalid mailbox configuration for PRE-OP", MAILBOX),
    (0x0017, "invalid SyncManager configuration", MAPPING),
    (0x0018, "no valid inputs", "Check the device's supply, sensors and modules."),
    (0x0019, "no valid outputs", "Send outputs in every cycle before OP is requested."),
    (0x001A, "synchronisation error", SYNC),
    (
        0x001B,
        "SyncManager watchdog: no outputs arrived in time",
        "Shorten the cycle, lengthen the watchdog (register 0x0420), or find out what stopped the frames.",
    ),
    (0x001C, "invalid SyncManager types", MAPPING),
    (0x001D, "invalid output configuration", MAPPING),
    (0x001E, "invalid input configuration", MAPPING),
    (
        0x001F,
        "invalid watchdog configuration",
        "Set the watchdog (registers 0x0400 and 0x0420) to a time that the device accepts.",
    ),
    (0x0020, "the device needs a cold start", POWER),
    (0x0021, "the device needs INIT", "Request INIT, then configure the device anew."),
    (0x0022, "the device needs PRE-OP", "Request PRE-OP, then configure the device anew."),
    (0x0023, "the device needs SAFE-OP", "Request SAFE-OP, then OP."),
    (0x0024, "invalid input mapping", MAPPING),
    (0x0025, "invalid output mapping", MAPPING),
    (0x0026, "inconsistent settings", MAPPING),
    (0x0027, "free run is not supported", SYNC),
    (0x0028, "the synchronisation mode is not supported", SYNC),
    (
        0x0029,
        "free run needs three buffers",
        "Configure the SyncManagers of process data as buffered.",
    ),
    (0x002A, "background watchdog of the device", MANUAL),
    (
        0x002B,
        "neither valid inputs nor valid outputs",
        "Check the device's supply, and send outputs in every cycle.",
    ),
    (0x002C, "fatal synchronisation error: SYNC0 is gone", SYNC),
    (0x002D, "SYNC0 was never received", SYNC),
    (0x002E, "the cycle is too short for the device", "Lengthen the cycle."),
    (0x0030, "invalid SYNC configuration of the distributed clock", SYNC),
    (
        0x0031,
        "invalid latch configuration of the distributed clock",
        "Check register 0x0980 and the latch settings.",
    ),
    (0x0032, "the device could not lock to the distributed clock", SYNC),
    (0x0033, "input or output error of the distributed clock", SYNC),
    (0x0034, "time-out of the distributed clock", SYNC),
    (0x0035, "invalid SYNC cycle time", SYNC),
    (0x0036, "invalid SYNC0 cycle time", SYNC),
    (0x0037, "invalid SYNC1 cycle time", SYNC),
    (0x0041, "mailbox error in ADS (AoE)", PROTOCOL),
    (0x0042, "mailbox error in Ethernet (EoE)", PROTOCOL),
    (0x0043, "mailbox error in CANopen (CoE)", PROTOCOL),
    (0x0044, "mailbox error in file access (FoE)", PROTOCOL),
    (0x0045, "mailbox error in the servo profile (SoE)", PROTOCOL),
    (0x004F, "mailbox error in a vendor's protocol (VoE)", PROTOCOL),
    (
        0x0050,
        "the device cannot reach its EEPROM",
        "Give the EEPROM to the device (register 0x0500 = 1) before PRE-OP.",
    ),
    (
        0x0051,
        "EEPROM error",
        "Read the EEPROM and compare its checksum; write the image again if it is wrong.",
    ),
    (
        0x0052,
        "the device's external hardware is not ready",
        "Check the supply and wiring of the device's modules.",
    ),
    (0x0060, "the device restarted by itself", POWER),
    (
        0x0061,
        "the device's identification was changed",
        "Check the identification switches against the configuration.",
    ),
    (
        0x0070,
        "the detected modules are not the configured ones",
        "Compare object 0xF030 with the modules in object 0xF050.",
    ),
    (0x0080, "the supply voltage is out of range", "Check the device's supply."),
    (0x0081, "the temperature is out of range", "Check the device's cooling."),
    (0x00F0, "the device's application controller is available", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_from_the_low_nibble_and_named() {
        for state in [AlState::Init, AlState::PreOp, AlState::Boot, AlState::SafeOp, AlState::Op] {
            assert_eq!(AlState::from_nibble(state.code() | 0x30), Some(state));
            assert_eq!(AlState::from_name(state.name()), Some(state));
        }
        assert_eq!(AlState::from_nibble(0), None);
        assert_eq!(AlState::from_nibble(0x0A), None);
        assert_eq!(AlState::from_name("preop"), Some(AlState::PreOp));
        assert_eq!(AlState::from_name("run"), None);
        assert_eq!(AlState::SafeOp.to_string(), "SAFE-OP");
    }

    #[test]
    fn an_emulated_device_that_echoes_the_acknowledge_bit_reads_as_init_with_error() {
        let status = AlStatus::from_register(0x0011);
        assert_eq!(
            (status.state, status.error, status.id_loaded),
            (Some(AlState::Init), true, false)
        );
    }

    #[test]
    fn every_code_of_the_table_is_found() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for &(code, text, hint) in CODES {
            assert_eq!(status_code_text(code), text);
            assert_eq!(status_code_hint(code).unwrap_or(""), hint);
        }
    }

    #[test]
    fn codes_outside_the_table_still_say_whose_they_are() {
        assert!(status_code_text(0x9001).contains("manufacturer"));
        assert!(status_code_text(0x0777).contains("not define"));
        assert_eq!(status_code_hint(0x9001), None);
    }
}
