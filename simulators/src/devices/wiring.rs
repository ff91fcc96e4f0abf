//! Where the devices of a description are plugged in.

use super::DeviceImage;
use crate::description::{DescriptionError, DeviceDescription, DeviceType, SegmentDescription};
use crate::topology::{Attachment, Outlet, Ring};

/// Ports that a device may have besides its inlet, port 0.
const OUTLETS: std::ops::RangeInclusive<u8> = 1..=3;

const DEFAULT_OUTLET: u8 = 1;

/// The port by which a device leads on, where nothing else is said.
fn default_outlet(device: &DeviceDescription) -> u8 {
    match device.r#type {
        // The E-bus goes on at port 2; the others are sockets.
        Some(DeviceType::Ek1122) => 2,
        _ => DEFAULT_OUTLET,
    }
}

/// The cable to each device, and the outlet that a ring leaves by.
pub(super) fn attachments(
    description: &SegmentDescription,
    images: &[DeviceImage],
) -> Result<(Vec<Attachment>, Option<Ring>), DescriptionError> {
    let mut attachments: Vec<Attachment> = Vec::with_capacity(images.len());
    let mut taken = Vec::with_capacity(images.len() + 1);
    for (index, device) in description.devices.iter().enumerate() {
        let at = |key: &str| format!("/devices/{index}/{key}");
        let error = |key: &str, message: String| DescriptionError::new(at(key), message);
        let place = u16::try_from(index)
            .map_err(|_| error("", "a segment has at most 65535".to_owned()))?;
        let mut attachment = Attachment::in_line(place);
        attachment.cable_metres = device.cable_metres.unwrap_or(0);
        if let Some(parent) = &device.parent {
            let found = images[..index].iter().position(|image| image.name == *parent);
            let Some(found) = found.and_then(|found| u16::try_from(found).ok()) else {
                return Err(error(
                    "parent",
                    format!("no device before this one is called {parent:?}"),
                ));
            };
            attachment.parent = Some(found);
        }
        attachment.parent_port = device.port.unwrap_or_else(|| {
            let parent = attachment.parent.map(|parent| &description.devices[usize::from(parent)]);
            parent.map_or(DEFAULT_OUTLET, default_outlet)
        });
        if let Some(inlet) = device.inlet {
            if inlet > 3 || !images[index].profile.has_port(inlet) {
                let message = format!("the ESC of {:?} has no port {inlet}", images[index].name);
                return Err(error("inlet", message));
            }
            attachment.inlet = inlet;
            taken.push((place, inlet));
        }
        if let Some(parent) = attachment.parent {
            let outlet = (parent, attachment.parent_port);
            let path = if device.port.is_some() { at("port") } else { at("") };
            check_outlet(images, outlet, &taken, path.trim_end_matches('/'))?;
            taken.push(outlet);
        } else if device.port.is_some() {
            return Err(error("port", "the first device hangs at the MainDevice".to_owned()));
        }
        attachments.push(attachment);
    }
    let Some(ring) = &description.ring else { return Ok((attachments, None)) };
    let found = images.iter().position(|image| image.name == ring.parent);
    let Some(found) = found.and_then(|found| u16::try_from(found).ok()) else {
        let message = format!("no device is called {:?}", ring.parent);
        return Err(DescriptionError::new("/ring/parent", message));
    };
    let outlet = (found, ring.port);
    check_outlet(images, outlet, &taken, "/ring/port")?;
    let cable_metres = ring.cable_metres.unwrap_or(0);
    Ok((attachments, Some(Ring { outlet, cable_metres })))
}

/// Ports with a link to something that is not described.
pub(super) fn outside(
    description: &SegmentDescription,
    images: &[DeviceImage],
    attachments: &[Attachment],
    ring: Option<Outlet>,
) -> Result<Vec<Outlet>, DescriptionError> {
    let plugged = attachments.iter().filter_map(|one| Some((one.parent?, one.parent_port)));
    let taken: Vec<Outlet> = plugged.chain(ring).collect();
    let mut found = Vec::new();
    for (index, device) in (0..).zip(&description.devices) {
        for (n, &port) in device.outside_ports.iter().enumerate() {
            let path = format!("/devices/{index}/outsidePorts/{n}");
            check_outlet(images, (index, port), &taken, &path)?;
            found.push((index, port));
        }
    }
    Ok(found)
}

fn check_outlet(
    images: &[DeviceImage],
    (device, port): Outlet,
    taken: &[Outlet],
    path: &str,
) -> Result<(), DescriptionError> {
    let image = &images[usize::from(device)];
    if !OUTLETS.contains(&port) {
        return Err(DescriptionError::new(path, format!("{port} is none of the ports 1 to 3")));
    }
    if !image.profile.has_port(port) {
        let message = format!("the ESC of {:?} has no port {port}", image.name);
        return Err(DescriptionError::new(path, message));
    }
    if taken.contains(&(device, port)) {
        let message = format!("another device is plugged into port {port} of {:?}", image.name);
        return Err(DescriptionError::new(path, message));
    }
    Ok(())
}
