//! What a description says of a device's chip, of an EEPROM that is known in parts, and of the state in
//! which a segment begins.

use serde::Deserialize;

/// The ESC, where it is not the one that the device's identity tells. Everything may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscDescription {
    /// The chip by its name; see [`Chip::name`](crate::esc::Chip::name). What follows changes it.
    pub profile: Option<String>,
    /// Register 0x0000.
    pub r#type: Option<u8>,
    /// Register 0x0001.
    pub revision: Option<u8>,
    /// Register 0x0002.
    pub build: Option<u16>,
    /// Register 0x0004, at most 16.
    pub fmmus: Option<u8>,
    /// Register 0x0005, at most 16.
    pub sync_managers: Option<u8>,
    /// Register 0x0006: process RAM in KB, at most 60.
    pub ram_kb: Option<u8>,
    /// Register 0x0007.
    pub port_descriptor: Option<u8>,
    /// Register 0x0008.
    pub features: Option<u16>,
    /// Registers 0x0140 (low byte) and 0x0141, where they are not SII word 0.
    pub pdi_control: Option<u16>,
    /// Which registers of the distributed clock there are.
    pub clock: Option<ClockDescription>,
    /// Low byte of register 0x0502.
    pub eeprom_status: Option<u8>,
    /// Whether the status of SyncManagers shows that a buffer is being read or written (bits 6 and 7).
    pub buffers_in_use: Option<bool>,
    /// Register 0x0110 bit 1.
    pub pdi_watchdog: Option<bool>,
    /// What it does otherwise than others, by name; see [`Quirk::name`](crate::esc::Quirk::name).
    #[serde(default)]
    pub quirks: Vec<String>,
    /// What the receive times of ports that never saw a frame read, port 0 first.
    pub stale_port_times: Option<[u32; 4]>,
    /// By how much the local clock runs fast, in 10⁻⁹.
    pub clock_drift_ppb: Option<i32>,
}

/// Which registers of the distributed clock there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockDescription {
    /// None.
    None,
    /// 0x0900–0x090F.
    ReceiveTimes,
    /// All.
    Full,
}

/// Words of an EEPROM, one after another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SiiWordsDescription {
    /// Address of the first one.
    pub word: u16,
    /// The words.
    pub values: Vec<u16>,
}

/// The state of a device when the segment begins, where it is not that after power-on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartDescription {
    /// Register 0x0010.
    pub station_address: Option<u16>,
    /// AL state by its name (`INIT`, `PRE-OP`, `BOOT`, `SAFE-OP`, `OP`).
    pub al_state: Option<String>,
    /// Register 0x0134; with a code, the error bit is set too.
    pub al_status_code: Option<u16>,
    /// Register 0x0200.
    pub ecat_event_mask: Option<u16>,
    /// Register 0x0210: events that are pending.
    pub ecat_events: Option<u16>,
    /// Register 0x0120: a state request that the program has not handled yet.
    pub al_control: Option<u16>,
    /// Register 0x0500.
    pub eeprom_owner: Option<u8>,
    /// Whether the EEPROM interface is busy with a read, of the word in register 0x0504.
    #[serde(default)]
    pub eeprom_busy: bool,
    /// The local clock, in ns.
    pub local_time_ns: Option<u64>,
    /// Any other registers and RAM.
    #[serde(default)]
    pub registers: Vec<RegisterDescription>,
}

/// Content of memory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterDescription {
    /// Address of the first byte.
    pub register: u16,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Bits of registers that a replay compares, in place of its own table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompareDescription {
    /// Name of the device; without it, all.
    pub device: Option<String>,
    /// Address of the first byte.
    pub register: u16,
    /// Which bits of each byte are compared.
    pub mask: Vec<u8>,
}
