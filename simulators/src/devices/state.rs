//! From a description of chips, sparse EEPROMs and states to what an ESC is made of.

use std::ops::Range;

use ecat_wire::al::AlState;
use ecat_wire::register as reg;
use ecat_wire::sii::checksum;

use super::EEPROM_BYTES;
use crate::description::{
    ClockDescription, DescriptionError, DeviceDescription, EscDescription, SiiWordsDescription,
    StartDescription,
};
use crate::esc::{Chip, ClockLevel, Profile, Quirk, Start};

const CONFIGURATION_BYTES: usize = 14;
const CHECKSUM_WORD: u16 = 7;

/// Changes what a description says about the chip.
pub(super) fn apply_esc(
    esc: &EscDescription,
    profile: &mut Profile,
) -> Result<(), DescriptionError> {
    if let Some(name) = &esc.profile {
        let chip = Chip::from_name(name).ok_or_else(|| {
            let names = Chip::ALL.map(Chip::name).join(", ");
            DescriptionError::new("/esc/profile", format!("{name:?} is none of {names}"))
        })?;
        let application = std::mem::take(&mut profile.application);
        *profile = Profile { pdi_control: profile.pdi_control, application, ..chip.profile() };
    }
    for (path, value, limit) in [
        ("/esc/fmmus", esc.fmmus, 16),
        ("/esc/syncManagers", esc.sync_managers, 16),
        ("/esc/ramKb", esc.ram_kb, 60),
    ] {
        if value.is_some_and(|value| value > limit) {
            return Err(DescriptionError::new(path, format!("is more than {limit}")));
        }
    }
    let clock = esc.clock.map(|clock| match clock {
        ClockDescription::None => ClockLevel::None,
        ClockDescription::ReceiveTimes => ClockLevel::ReceiveTimes,
        ClockDescription::Full => ClockLevel::Full,
    });
    profile.kind = esc.r#type.unwrap_or(profile.kind);
    profile.revision = esc.revision.unwrap_or(profile.revision);
    profile.build = esc.build.unwrap_or(profile.build);
    profile.fmmu_count = esc.fmmus.unwrap_or(profile.fmmu_count);
    profile.sync_manager_count = esc.sync_managers.unwrap_or(profile.sync_manager_count);
    profile.ram_kb = esc.ram_kb.unwrap_or(profile.ram_kb);
    profile.port_descriptor = esc.port_descriptor.unwrap_or(profile.port_descriptor);
    profile.features = esc.features.unwrap_or(profile.features);
    profile.pdi_control = esc.pdi_control.or(profile.pdi_control);
    profile.clock = clock.unwrap_or(profile.clock);
    profile.eeprom_status = esc.eeprom_status.unwrap_or(profile.eeprom_status);
    profile.buffers_in_use = esc.buffers_in_use.unwrap_or(profile.buffers_in_use);
    profile.pdi_watchdog = esc.pdi_watchdog.or(profile.pdi_watchdog);
    for (index, name) in esc.quirks.iter().enumerate() {
        let quirk = Quirk::from_name(name).ok_or_else(|| {
            let names = Quirk::ALL.map(Quirk::name).join(", ");
            let path = format!("/esc/quirks/{index}");
            DescriptionError::new(path, format!("{name:?} is none of {names}"))
        })?;
        profile.add_quirk(quirk);
    }
    profile.clock_drift_ppb = esc.clock_drift_ppb.unwrap_or(profile.clock_drift_ppb);
    profile.stale_port_times = esc.stale_port_times.unwrap_or(profile.stale_port_times);
    Ok(())
}

/// An image with the words that are known. Between them there are zeros, so that what they belong to can be
/// read (texts become empty), behind them it is blank. The configuration area's checksum is made to fit
/// where it is not known.
pub(super) fn sparse_image(runs: &[SiiWordsDescription]) -> Result<Vec<u8>, DescriptionError> {
    let mut image = vec![0xFF; EEPROM_BYTES];
    let ends = runs.iter().map(|run| usize::from(run.word) * 2 + run.values.len() * 2);
    let known = ends.max().unwrap_or(0).clamp(CONFIGURATION_BYTES, image.len());
    image[..known].fill(0);
    let mut checksum_is_known = false;
    for (index, run) in runs.iter().enumerate() {
        let start = usize::from(run.word) * 2;
        let end = start + run.values.len() * 2;
        if end > 0x2_0000 {
            let path = format!("/siiWords/{index}");
            return Err(DescriptionError::new(path, "reaches beyond word 0xffff"));
        }
        image.resize(image.len().max(end), 0);
        let bytes = run.values.iter().flat_map(|word| word.to_le_bytes());
        image[start..end].iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        checksum_is_known |= (usize::from(run.word)..usize::from(run.word) + run.values.len())
            .contains(&usize::from(CHECKSUM_WORD));
    }
    if !checksum_is_known {
        let fits = checksum(&image[..CONFIGURATION_BYTES]);
        image[CONFIGURATION_BYTES..CONFIGURATION_BYTES + 2].copy_from_slice(&[fits, 0]);
    }
    Ok(image)
}

/// The state in which a device begins.
pub(super) fn start(description: &StartDescription) -> Result<Start, DescriptionError> {
    let mut start = Start { ecat_events: description.ecat_events, ..Start::default() };
    let mut write = |register: u16, bytes: &[u8]| start.registers.push((register, bytes.to_vec()));
    if let Some(name) = &description.al_state {
        let state = AlState::from_name(name).ok_or_else(|| {
            DescriptionError::new("/start/alState", format!("{name:?} is no AL state"))
        })?;
        write(reg::AL_CONTROL, &[state.code(), 0]);
        let error = if description.al_status_code.unwrap_or(0) == 0 { 0 } else { 0x10 };
        write(reg::AL_STATUS, &[state.code() | error, 0]);
    }
    let words = [
        (reg::STATION_ADDRESS, description.station_address),
        (reg::AL_STATUS_CODE, description.al_status_code),
        (reg::ECAT_EVENT_MASK, description.ecat_event_mask),
    ];
    for (register, value) in words {
        if let Some(value) = value {
            write(register, &value.to_le_bytes());
        }
    }
    if let Some(owner) = description.eeprom_owner {
        write(reg::EEPROM_OWNER, &[owner]);
    }
    for one in &description.registers {
        write(one.register, &one.bytes);
    }
    start.al_control = description.al_control;
    start.eeprom_busy = description.eeprom_busy;
    start.local_time_ns = description.local_time_ns;
    Ok(start)
}

/// Words of a device's EEPROM that its description tells, where it does not tell all.
pub(super) fn known_words(device: &DeviceDescription) -> Option<Vec<Range<u32>>> {
    let runs = device.sii_words.as_ref()?.iter();
    let mut known: Vec<Range<u32>> = runs
        .map(|run| u32::from(run.word)..u32::from(run.word) + run.values.len() as u32)
        .collect();
    let overridden = [
        (4..5, device.alias.is_some()),
        (8..10, device.vendor_id.is_some()),
        (10..12, device.product_code.is_some()),
        (12..14, device.revision.is_some()),
        (14..16, device.serial.is_some()),
    ];
    known.extend(overridden.into_iter().filter(|(_, there)| *there).map(|(words, _)| words));
    Some(known)
}
