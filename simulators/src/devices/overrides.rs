//! What a description changes about a device's type or image.

use ecat_wire::sii::{CHECKSUM_BYPASS, Sii, checksum};

use crate::description::{DescriptionError, DeviceDescription};

const DEVICE_EMULATION: u16 = 0x0100;
/// General category, flags: the identification is asked for by AL control (`IdentALSts`).
const IDENTIFICATION_BY_AL_STATUS: u8 = 0x08;

pub(super) const fn with_emulation(pdi_control: u16, emulation: bool) -> u16 {
    if emulation { pdi_control | DEVICE_EMULATION } else { pdi_control & !DEVICE_EMULATION }
}

/// Overrides what a built-in type says of itself.
pub(super) fn apply(device: &DeviceDescription, sii: &mut Sii) {
    let configuration = &mut sii.configuration;
    if let Some(emulation) = device.device_emulation {
        configuration.pdi_control = with_emulation(configuration.pdi_control, emulation);
    }
    if let Some(alias) = device.alias {
        configuration.station_alias = alias;
    }
    let identity = &mut sii.identity;
    identity.vendor_id = device.vendor_id.unwrap_or(identity.vendor_id);
    identity.product_code = device.product_code.unwrap_or(identity.product_code);
    identity.revision = device.revision.unwrap_or(identity.revision);
    identity.serial = device.serial.unwrap_or(identity.serial);
    if !device.dc_modes.is_empty() {
        sii.dc = device.dc_modes.iter().map(super::application::mode).collect();
    }
    if let (Some(_), Some(general)) = (device.identification, &mut sii.general) {
        general.flags |= IDENTIFICATION_BY_AL_STATUS;
    }
    if let (Some(order), Some(general)) = (&device.order_name, &mut sii.general) {
        general.order.clone_from(order);
    }
}

/// Overrides what an image says of its device. A checksum that was right stays right.
pub(super) fn patch(device: &DeviceDescription, image: &mut [u8]) -> Result<(), DescriptionError> {
    let numbers = [
        ("/vendorId", 0x10, device.vendor_id),
        ("/productCode", 0x14, device.product_code),
        ("/revision", 0x18, device.revision),
        ("/serial", 0x1C, device.serial),
    ];
    let too_short = |path| DescriptionError::new(path, "the SII image is too short to hold it");
    for (path, at, number) in numbers {
        let Some(number) = number else { continue };
        let bytes = image.get_mut(at..at + 4).ok_or_else(|| too_short(path))?;
        bytes.copy_from_slice(&number.to_le_bytes());
    }
    if let Some(alias) = device.alias {
        let words = image.get_mut(..16).ok_or_else(|| too_short("/alias"))?;
        let bypassed = words[14..16] == CHECKSUM_BYPASS.to_le_bytes();
        let was_right = words[14] == checksum(&words[..14]) && !bypassed;
        words[8..10].copy_from_slice(&alias.to_le_bytes());
        if was_right {
            words[14] = checksum(&words[..14]);
        }
    }
    Ok(())
}
