//! The Ethernet II envelope of an EtherCAT frame (IEC 61158-4-12; no VLAN, no UDP).

/// Destination, source and EtherType.
pub const HEADER_BYTES: usize = 14;
/// EtherType of EtherCAT.
pub const ETHERTYPE: u16 = 0x88A4;
/// Shortest Ethernet frame without its FCS; shorter ones are padded.
pub const FRAME_BYTES_MIN: usize = 60;
/// Longest Ethernet frame without its FCS.
pub const FRAME_BYTES_MAX: usize = 1514;

/// Bit that the first ESC of a segment sets in the first byte of the source address. A frame of ours
/// that comes back without it was never processed by a SubDevice.
pub const SOURCE_PROCESSED: u8 = 0x02;

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// Where every EtherCAT frame goes.
    pub const BROADCAST: Self = Self([0xFF; 6]);
    /// Source of the frames that our own exchange composes. Bit [`SOURCE_PROCESSED`] is clear, so that
    /// the answer can be told from the request, and it differs from ethercrab's 10:10:10:10:10:10,
    /// so that the two may share a link.
    pub const MAIN_DEVICE: Self = Self([0x14, 0xEC, 0xA7, 0x00, 0x00, 0x01]);

    /// The same address after a SubDevice has processed the frame.
    #[must_use]
    pub const fn processed(self) -> Self {
        let mut bytes = self.0;
        bytes[0] |= SOURCE_PROCESSED;
        Self(bytes)
    }
}
