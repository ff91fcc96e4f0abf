//! ESC profiles that captures of real hardware show, by the identity in a device's SII.

use ecat_wire::sii::{Sii, SiiIdentity};

use crate::esc::{Chip, ClockLevel, Profile};

const BECKHOFF: u32 = 0x0000_0002;
const MICROCHIP: u32 = 0x0000_0009;
const KOLLMORGEN: u32 = 0x0000_006A;

/// The EK1100's ESC: identity block `11 00 03 00 08 08 08 3b fc 00`, EEPROM status 0x40.
pub(super) fn coupler() -> Profile {
    Profile { port_descriptor: 0x3B, ..Chip::Et1100.profile() }
}

/// The ESC of small terminals, as in the EL1004 (identity block `12 01 01 00 03 04 01 4a fc 01`) and, as
/// far as captures show, the EL2828.
pub(super) fn terminal() -> Profile {
    Profile { ..Chip::Terminal.profile() }
}

/// The profile of the device that `image` names; for one that no capture shows, an ET1100's.
pub(super) fn profile(image: &[u8]) -> Profile {
    let identity = Sii::parse(image).unwrap_or_default().identity;
    by_identity(&identity).unwrap_or_default()
}

/// The profile of a device that a capture shows.
pub(super) fn by_identity(identity: &SiiIdentity) -> Option<Profile> {
    Some(match (identity.vendor_id, identity.product_code) {
        (BECKHOFF, 0x044C_2C52) => coupler(),
        // EL1004, EL2004 (no capture; like the EL2828), EL2828.
        (BECKHOFF, 0x03EC_3052 | 0x07D4_3052 | 0x0B0C_3052) => terminal(),
        // EL2889: 3 FMMUs and 4 SyncManagers, and yet a full clock.
        (BECKHOFF, 0x0B49_3052) => Profile { ..Chip::ClockTerminal.profile() },
        // EL3004.
        (BECKHOFF, 0x0BBC_3052) => Profile { pdi_control: Some(0x0C05), ..terminal() },
        // EK1914.
        (BECKHOFF, 0x077A_2C52) => {
            Profile { pdi_control: Some(0x0C08), clock: ClockLevel::ReceiveTimes, ..coupler() }
        }
        (MICROCHIP, 0x0000_9252) => {
            Profile { pdi_control: Some(0x0E89), ..Chip::Lan9252.profile() }
        }
        // AKD: an IP core on two MII ports, with a 32-bit clock, an EEPROM emulated by the drive, and
        // registers 0x0140–0x0141 that are not those of the SII. Its counts were never read.
        (KOLLMORGEN, 0x0041_4B44) => Profile {
            features: 0x0184,
            eeprom_status: 0x20,
            pdi_control: Some(0x0C08),
            ..Chip::IpCore.profile()
        },
        _ => return None,
    })
}
