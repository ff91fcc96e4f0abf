//! Couplers without process data.

use super::terminal::{BECKHOFF, Built, sii};

/// The texts and numbers of the real EK1100's image.
pub(super) fn ek1100() -> Built {
    let texts = ["SystemBk", "EK1100", "EK1100 EtherCAT-Koppler (2A E-Bus)"];
    Built::plain(sii((BECKHOFF, 0x044C_2C52, 0x0012_0000), 0x0D00, texts, -2000, 0x0131))
}
