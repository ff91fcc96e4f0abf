//! Devices as a description wants them: ESC, SII image, process data, and what moves it.

use ecat_wire::sii::{Sii, SyncManagerKind};

use crate::description::{DescriptionError, DeviceDescription, SegmentDescription};
use crate::device::Device;
use crate::esc::{Application, Esc, ExpectedSyncManager, ProcessArea, Profile, Role};
use crate::plant::Behaviour;

/// What a description is built into.
pub(crate) struct Parts {
    pub(crate) devices: Vec<Device>,
    pub(crate) behaviours: Vec<Box<dyn Behaviour>>,
}

/// Builds the devices of a description.
pub(crate) fn build(description: &SegmentDescription) -> Result<Parts, DescriptionError> {
    let devices = description
        .devices
        .iter()
        .enumerate()
        .map(|(index, device)| from_image(index, device))
        .collect::<Result<_, _>>()?;
    Ok(Parts { devices, behaviours: Vec::new() })
}

fn from_image(index: usize, device: &DeviceDescription) -> Result<Device, DescriptionError> {
    let image = device.sii.clone().ok_or_else(|| {
        DescriptionError::new(format!("/devices/{index}"), "expected an SII image (sii)")
    })?;
    let application = Sii::parse(&image).map(|sii| application(&sii)).unwrap_or_default();
    let name = device.name.clone().unwrap_or_else(|| format!("device {index}"));
    Ok(Device { name, esc: Esc::new(Profile { application, ..Profile::default() }, image) })
}

/// What a device with this image expects of its SyncManagers, and where its process data are.
pub(crate) fn application(sii: &Sii) -> Application {
    let mut application = Application::default();
    for (number, sm) in (0u8..).zip(&sii.sync_managers) {
        let role = match sm.effective_kind() {
            SyncManagerKind::MailboxOut => Role::MailboxOut,
            SyncManagerKind::MailboxIn => Role::MailboxIn,
            SyncManagerKind::ProcessDataOut => Role::Outputs,
            SyncManagerKind::ProcessDataIn => Role::Inputs,
            SyncManagerKind::Unused => continue,
        };
        let assigned = sii.pdos.iter().filter(|pdo| pdo.sync_manager == Some(number));
        let bits: u32 =
            assigned.flat_map(|pdo| &pdo.entries).map(|entry| u32::from(entry.bit_length)).sum();
        let length = match u16::try_from(bits.div_ceil(8)) {
            Ok(bytes) if bytes > 0 => bytes,
            _ => sm.length,
        };
        application.sync_managers.push(ExpectedSyncManager {
            number,
            start: sm.start,
            length,
            role,
        });
        let area = ProcessArea { start: sm.start, bytes: length };
        match role {
            Role::Outputs => application.outputs.push(area),
            Role::Inputs => application.inputs.push(area),
            Role::MailboxOut | Role::MailboxIn => {}
        }
    }
    application
}
