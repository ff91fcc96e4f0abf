//! Boxes with several ESCs: one device of a description becomes as many devices of the segment.

use super::DeviceImage;
use super::esi::Library;
use super::junction::{CU1128_ESCS, CU1128_SOCKETS, cu1128_socket};
use crate::description::{DescriptionError, DeviceDescription, DeviceType, SegmentDescription};

/// Socket that the device behind is plugged into, unless it says otherwise.
const FIRST_SOCKET: u8 = *CU1128_SOCKETS.start();

/// A description in which every device is one ESC.
pub(super) struct Expanded {
    pub(super) description: SegmentDescription,
    /// Place of each device in the description that was given.
    places: Vec<usize>,
    /// ESI files, read once for all devices.
    library: Library,
}

impl Expanded {
    /// Takes boxes apart. What is plugged into a socket of one is then plugged into a port of an ESC; sockets
    /// that do not exist are left for the check of ports, which refuses them.
    pub(super) fn new(given: &SegmentDescription) -> Self {
        let mut devices = Vec::with_capacity(given.devices.len());
        let mut places = Vec::with_capacity(given.devices.len());
        for (place, device) in given.devices.iter().enumerate() {
            let mut device = device.clone();
            let behind = match &device.parent {
                Some(parent) => given.devices[..place].iter().rposition(|one| name(one, parent)),
                None => place.checked_sub(1),
            };
            if let Some(of_box) = behind.filter(|at| is_box(&given.devices[*at])) {
                let (part, port) = socket(device.port.unwrap_or(FIRST_SOCKET));
                device.parent = Some(part_name(&box_name(given, of_box), part));
                device.port = Some(port);
            }
            if is_box(&device) {
                let named = box_name(given, place);
                for part in 0..CU1128_ESCS {
                    devices.push(one_of(&device, &named, part));
                    places.push(place);
                }
            } else {
                devices.push(device);
                places.push(place);
            }
        }
        let mut ring = given.ring.clone();
        if let Some(ring) = &mut ring {
            let of_box = given.devices.iter().find(|one| name(one, &ring.parent));
            if of_box.is_some_and(is_box) {
                let (part, port) = socket(ring.port);
                (ring.parent, ring.port) = (part_name(&ring.parent, part), port);
            }
        }
        let description = SegmentDescription {
            devices,
            signals: given.signals.clone(),
            wires: given.wires.clone(),
            ethernet: given.ethernet.clone(),
            faults: given.faults.clone(),
            seed: given.seed,
            ring,
            compare: given.compare.clone(),
            // They are in the library.
            esi_files: Vec::new(),
        };
        Self { description, places, library: Library::new(&given.esi_files) }
    }

    /// What the devices are made of.
    pub(super) fn images(&self) -> Result<Vec<DeviceImage>, DescriptionError> {
        let devices = self.description.devices.iter().enumerate();
        devices
            .map(|(index, device)| {
                let image = DeviceImage::of(device, index, &self.library);
                image.map(|image| image.seeded(self.description.seed, index)).map_err(|error| {
                    DescriptionError {
                        path: format!("/devices/{}{}", self.places[index], error.path),
                        ..error
                    }
                })
            })
            .collect()
    }

    /// An error with its place in the description that was given.
    pub(super) fn place(&self, error: DescriptionError) -> DescriptionError {
        let Some(rest) = error.path.strip_prefix("/devices/") else { return error };
        let (index, key) = rest.split_once('/').map_or((rest, ""), |(index, key)| (index, key));
        let Some(place) = index.parse().ok().and_then(|index: usize| self.places.get(index)) else {
            return error;
        };
        let slash = if key.is_empty() { "" } else { "/" };
        DescriptionError { path: format!("/devices/{place}{slash}{key}"), ..error }
    }
}

fn is_box(device: &DeviceDescription) -> bool {
    device.r#type == Some(DeviceType::Cu1128Like)
}

fn name(device: &DeviceDescription, name: &str) -> bool {
    device.name.as_deref() == Some(name)
}

fn box_name(given: &SegmentDescription, place: usize) -> String {
    given.devices[place].name.clone().unwrap_or_else(|| format!("box {place}"))
}

/// The first ESC has the name of its box.
fn part_name(name: &str, part: usize) -> String {
    match part {
        0 => name.to_owned(),
        1 => format!("{name} B"),
        _ => format!("{name} C"),
    }
}

/// Where a socket is; of one that does not exist, a port that does not either.
fn socket(socket: u8) -> (usize, u8) {
    if CU1128_SOCKETS.contains(&socket) { cu1128_socket(socket) } else { (0, 0) }
}

/// One ESC of a box; behind the first, at port 3 of the one before.
fn one_of(device: &DeviceDescription, name: &str, part: usize) -> DeviceDescription {
    let own = part_name(name, part);
    if part == 0 {
        return DeviceDescription { name: Some(own), ..device.clone() };
    }
    let kind = if part == 1 { DeviceType::Cu1128Second } else { DeviceType::Cu1128Third };
    DeviceDescription {
        name: Some(own),
        r#type: Some(kind),
        parent: Some(part_name(name, part - 1)),
        port: Some(3),
        vendor_id: device.vendor_id,
        distributed_clock: device.distributed_clock,
        ..DeviceDescription::default()
    }
}
