//! The Ethernet II envelope of an EtherCAT frame (IEC 61158-4-12), with or without a VLAN tag, or in UDP.

/// Destination, source and EtherType.
pub const HEADER_BYTES: usize = 14;
/// EtherType of EtherCAT.
pub const ETHERTYPE: u16 = 0x88A4;
/// Shortest Ethernet frame without its FCS; shorter ones are padded.
pub const FRAME_BYTES_MIN: usize = 60;
/// Longest Ethernet frame without its FCS.
pub const FRAME_BYTES_MAX: usize = 1514;
/// The same with a VLAN tag (IEEE 802.1Q), which a switch may add on the way to a segment.
pub const TAGGED_FRAME_BYTES_MAX: usize = FRAME_BYTES_MAX + 4;

/// Bit that the first ESC of a segment sets in the first byte of the source address. A frame of ours
/// that comes back without it was never processed by a SubDevice.
pub const SOURCE_PROCESSED: u8 = 0x02;

/// EtherType of a VLAN tag (IEEE 802.1Q).
const VLAN: u16 = 0x8100;
const VLAN_TAG_BYTES: usize = 4;
const IPV4: u16 = 0x0800;
/// Version 4 and a header without options, which is what an ESC knows.
const IPV4_PLAIN: u8 = 0x45;
const IPV4_BYTES: usize = 20;
const IPV4_PROTOCOL: usize = 9;
const UDP: u8 = 17;
const UDP_PORT: usize = 2;
const UDP_CHECKSUM: usize = 6;
const UDP_BYTES: usize = 8;

/// Where EtherCAT stands in an Ethernet frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// First byte of the EtherCAT header.
    pub header: usize,
    /// First byte of the UDP checksum, which an ESC clears, where it is in UDP.
    pub udp_checksum: Option<usize>,
}

/// Finds EtherCAT in a frame: by its EtherType, or as UDP to port 0x88A4, behind a VLAN tag or not (ESC data
/// sheet, section I, "EtherCAT header"). `None`: it is not EtherCAT.
#[must_use]
pub fn envelope(frame: &[u8]) -> Option<Envelope> {
    let word = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let mut payload = HEADER_BYTES;
    let mut kind = word(payload - 2)?;
    if kind == VLAN {
        payload += VLAN_TAG_BYTES;
        kind = word(payload - 2)?;
    }
    match kind {
        ETHERTYPE => Some(Envelope { header: payload, udp_checksum: None }),
        IPV4 => {
            let udp = payload + IPV4_BYTES;
            let fits = *frame.get(payload)? == IPV4_PLAIN
                && *frame.get(payload + IPV4_PROTOCOL)? == UDP
                && word(udp + UDP_PORT)? == ETHERTYPE;
            fits.then_some(Envelope {
                header: udp + UDP_BYTES,
                udp_checksum: Some(udp + UDP_CHECKSUM),
            })
        }
        _ => None,
    }
}

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
