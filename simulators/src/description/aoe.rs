//! What a device is to ADS, and its vendor's own protocol, as a user describes them.

use serde::Deserialize;

use super::base64;
use super::mailbox::AccessDescription;

/// ADS over EtherCAT. Objects of CoE are there by index group 0xF302 in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AoeDescription {
    /// Its AMS net id, `5.1.2.3.4.5`; by default it answers to any.
    pub net_id: Option<String>,
    /// AMS ports that answer; by default all.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Name, at most 16 characters.
    pub name: Option<String>,
    /// Version: major, minor, build.
    pub version: Option<(u8, u8, u16)>,
    /// ADS state after power-on, by its number; 5 (run) by default.
    pub state: Option<u16>,
    /// The device's own state after power-on.
    #[serde(default)]
    pub device_state: u16,
    /// Memory that ADS reaches.
    #[serde(default)]
    pub areas: Vec<AdsAreaDescription>,
}

/// Memory by index group and offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdsAreaDescription {
    /// AMS port; by default all of the device.
    pub port: Option<u16>,
    /// Index group.
    pub group: u32,
    /// First index offset.
    #[serde(default)]
    pub offset: u32,
    /// How many bytes; those of the content by default.
    pub bytes: Option<u32>,
    /// Content after power-on: base64 text or byte values; zeros behind it.
    #[serde(default, deserialize_with = "base64::optional_bytes")]
    pub content: Option<Vec<u8>>,
    /// `ro`, `wo` or `rw`, the default.
    pub access: Option<AccessDescription>,
}

/// A vendor's own protocol (VoE).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoeDescription {
    /// The vendor; that of the device by default.
    pub vendor_id: Option<u32>,
    /// Which of its protocols; by default any.
    pub vendor_type: Option<u16>,
    /// Whether the device sends back what no answer is described for.
    #[serde(default)]
    pub echo: bool,
    /// What it answers.
    #[serde(default)]
    pub answers: Vec<VoeAnswerDescription>,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoeAnswerDescription {
    /// To exactly this: base64 text or byte values.
    #[serde(default, deserialize_with = "base64::optional_bytes")]
    pub request: Option<Vec<u8>>,
    /// This: base64 text or byte values.
    #[serde(default, deserialize_with = "base64::optional_bytes")]
    pub answer: Option<Vec<u8>>,
}
