//! A device's Ethernet, as a user describes it.

use serde::Deserialize;

/// Ethernet over EtherCAT. An empty one is a device with an IP host that has no address yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EoeDescription {
    /// MAC address, `02:00:5e:00:00:01`; by default made of the segment's seed and the device's place.
    pub mac: Option<String>,
    /// IP address, before the MainDevice sets one.
    pub ip: Option<String>,
    /// Subnet mask.
    pub mask: Option<String>,
    /// Default gateway.
    pub gateway: Option<String>,
    /// Name server.
    pub dns_server: Option<String>,
    /// The device's name, at most 32 characters.
    pub dns_name: Option<String>,
    /// Whether the device has an IP host; by default only without sockets.
    pub host: Option<bool>,
    /// UDP ports that send back what they get; 7 by default.
    pub udp_echo: Option<Vec<u16>>,
    /// How many Ethernet sockets it has, at most 8; none by default.
    pub sockets: Option<u8>,
    /// Whether it has an address filter; by default with sockets.
    pub filter: Option<bool>,
    /// Hosts that are plugged into its sockets.
    #[serde(default)]
    pub behind: Vec<EthernetHostDescription>,
    /// How long the next fragment of a frame may take, in ms; 1000 by default.
    pub fragment_timeout_ms: Option<u32>,
    /// How long the switch remembers where an address is, in s; 300 by default.
    pub aging_s: Option<u32>,
}

/// A host that is plugged into a socket of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EthernetHostDescription {
    /// Which socket, from 1.
    pub socket: u8,
    /// MAC address.
    pub mac: String,
    /// IP address.
    pub ip: String,
    /// UDP ports that send back what they get; 7 by default.
    pub udp_echo: Option<Vec<u16>>,
}

/// An Ethernet cable between two sockets of devices, each `<device name>.<socket>`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EthernetCableDescription {
    /// One end.
    pub from: String,
    /// The other one.
    pub to: String,
}
