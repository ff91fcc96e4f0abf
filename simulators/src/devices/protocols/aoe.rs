//! What a device is to ADS, and its vendor's own protocol, from their descriptions.

use ecat_wire::mailbox::aoe::{DeviceInfo, state};

use crate::description::DescriptionError;
use crate::description::aoe::{AdsAreaDescription, AoeDescription, VoeDescription};
use crate::description::mailbox::AccessDescription;
use crate::mailbox::{AdsArea, AoeSettings, VoeSettings};

const AREA_BYTES_MAX: usize = 1 << 20;
/// Index group of CoE.
const COE: u32 = 0xF302;
const NAME: &str = "simulated";

fn error(path: impl Into<String>, message: impl Into<String>) -> DescriptionError {
    DescriptionError::new(path.into(), message.into())
}

pub(in crate::devices) fn aoe(
    described: &AoeDescription,
    has_objects: bool,
) -> Result<AoeSettings, DescriptionError> {
    let net_id = described
        .net_id
        .as_ref()
        .map(|text| text.parse().map_err(|no| error("/netId", format!("{text:?} {no}"))));
    let mut info = DeviceInfo::default();
    let name = described.name.as_deref().unwrap_or(NAME).as_bytes();
    let Some(room) = info.name.get_mut(..name.len()) else {
        return Err(error("/name", format!("a name has at most {} bytes", info.name.len())));
    };
    room.copy_from_slice(name);
    (info.major, info.minor, info.build) = described.version.unwrap_or((0, 0, 0));
    let mut areas: Vec<AdsArea> = Vec::new();
    for (n, one) in described.areas.iter().enumerate() {
        let path = format!("/areas/{n}");
        let area = area(one, &path)?;
        if has_objects && area.group == COE {
            return Err(error(format!("{path}/group"), "0xf302 is that of the device's objects"));
        }
        let overlaps = |other: &AdsArea| {
            let end = |area: &AdsArea| u64::from(area.offset) + area.content.len() as u64;
            let ports = other.port.is_none() || area.port.is_none() || other.port == area.port;
            ports
                && other.group == area.group
                && u64::from(other.offset) < end(&area)
                && u64::from(area.offset) < end(other)
        };
        if areas.iter().any(overlaps) {
            return Err(error(path, "overlaps another area"));
        }
        areas.push(area);
    }
    Ok(AoeSettings {
        net_id: net_id.transpose()?,
        ports: described.ports.clone(),
        info,
        states: (described.state.unwrap_or(state::RUN), described.device_state),
        areas,
    })
}

fn area(one: &AdsAreaDescription, path: &str) -> Result<AdsArea, DescriptionError> {
    let mut content = one.content.clone().unwrap_or_default();
    let bytes = match one.bytes {
        Some(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        None => content.len(),
    };
    if !(1..=AREA_BYTES_MAX).contains(&bytes) {
        let message = format!("an area has 1 to {AREA_BYTES_MAX} bytes");
        return Err(error(format!("{path}/bytes"), message));
    }
    if content.len() > bytes {
        let message = format!("has {} bytes, more than the area's {bytes}", content.len());
        return Err(error(format!("{path}/content"), message));
    }
    if usize::try_from(one.offset).is_ok_and(|offset| offset > u32::MAX as usize - bytes) {
        return Err(error(format!("{path}/offset"), "the area ends beyond 0xffffffff"));
    }
    content.resize(bytes, 0);
    let access = one.access.unwrap_or(AccessDescription::ReadWrite);
    Ok(AdsArea {
        port: one.port,
        group: one.group,
        offset: one.offset,
        content,
        readable: access != AccessDescription::WriteOnly,
        writable: access != AccessDescription::ReadOnly,
    })
}

pub(in crate::devices) fn voe(described: &VoeDescription, vendor_id: u32) -> VoeSettings {
    let answers = described.answers.iter().map(|one| {
        (one.request.clone().unwrap_or_default(), one.answer.clone().unwrap_or_default())
    });
    VoeSettings {
        vendor_id: described.vendor_id.unwrap_or(vendor_id),
        vendor_type: described.vendor_type,
        echo: described.echo,
        answers: answers.collect(),
    }
}
