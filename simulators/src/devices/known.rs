//! ESC profiles that captures of real hardware show, by the identity in a device's SII.

use ecat_wire::sii::Sii;

use crate::esc::{ClockLevel, Profile};

const BECKHOFF: u32 = 0x0000_0002;
const KOLLMORGEN: u32 = 0x0000_006A;

/// What receive times of unused ports read in Beckhoff's chips: "hoff" at port 1, "Verl" at port 3.
const STALE_PORT_TIMES: [u32; 4] =
    [0, u32::from_le_bytes(*b"hoff"), 0, u32::from_le_bytes(*b"Verl")];

/// The EK1100's ESC: identity block `11 00 03 00 08 08 08 3b fc 00`, EEPROM status 0x40.
pub(super) fn coupler() -> Profile {
    Profile {
        kind: 0x11,
        revision: 0,
        build: 3,
        fmmu_count: 8,
        sync_manager_count: 8,
        ram_kb: 8,
        port_descriptor: 0x3B,
        features: 0x00FC,
        clock: ClockLevel::Full,
        eeprom_status: 0x40,
        stale_port_times: STALE_PORT_TIMES,
        ..Profile::default()
    }
}

/// An ET1200 behind an E-bus, as in the EL1004 (identity block `12 01 01 00 03 04 01 4a fc 01`) and, as
/// far as captures show, the EL2828: its receive times answer, its system time does not, although the
/// feature bit says so.
pub(super) fn terminal() -> Profile {
    Profile {
        kind: 0x12,
        revision: 1,
        build: 1,
        fmmu_count: 3,
        sync_manager_count: 4,
        ram_kb: 1,
        port_descriptor: 0x4A,
        features: 0x01FC,
        clock: ClockLevel::ReceiveTimes,
        eeprom_status: 0x50,
        pdi_watchdog: true,
        stale_port_times: STALE_PORT_TIMES,
        ..Profile::default()
    }
}

/// The profile of the device that `image` names; for one that no capture shows, an ET1100's.
pub(super) fn profile(image: &[u8]) -> Profile {
    let Ok(Sii { identity, .. }) = Sii::parse(image) else { return Profile::default() };
    match (identity.vendor_id, identity.product_code) {
        (BECKHOFF, 0x044C_2C52) => coupler(),
        // EL2004 (no capture; like the EL2828), EL2828.
        (BECKHOFF, 0x07D4_3052 | 0x0B0C_3052) => terminal(),
        // EL2889: 3 FMMUs and 4 SyncManagers, and yet a full clock.
        (BECKHOFF, 0x0B49_3052) => {
            Profile { features: 0x00FC, clock: ClockLevel::Full, eeprom_status: 0x40, ..terminal() }
        }
        // AKD: an IP core on two MII ports, with a 32-bit clock, an EEPROM emulated by the drive, and
        // registers 0x0140–0x0141 that are not those of the SII. Its counts were never read.
        (KOLLMORGEN, 0x0041_4B44) => Profile {
            kind: 0x04,
            revision: 2,
            port_descriptor: 0x0F,
            features: 0x0184,
            eeprom_status: 0x20,
            pdi_control: Some(0x0C08),
            buffers_in_use: true,
            pdi_watchdog: true,
            stale_port_times: STALE_PORT_TIMES,
            ..Profile::default()
        },
        _ => Profile::default(),
    }
}
