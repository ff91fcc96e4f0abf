//! What a description says about a device's program: what it refuses, what it wants of the distributed
//! clock, how long it takes.

use ecat_wire::al::AlState;
use ecat_wire::sii::{DcMode, Sii};

use crate::description::{
    DcModeDescription, DescriptionError, DeviceDescription, RefuseWhenDescription, SyncDescription,
};
use crate::esc::{Application, Refusal, RefusalCondition, SyncSettings};

const MS: u64 = 1_000_000;
const WITHOUT: &str = "needs a device without device emulation, which takes every state at once; add \
                       \"deviceEmulation\": false";

pub(super) fn apply(
    device: &DeviceDescription,
    sii: &Sii,
    emulated: bool,
    application: &mut Application,
) -> Result<(), DescriptionError> {
    let for_programs = [
        ("/refuse", !device.refuse.is_empty()),
        ("/transitionDelayMs", device.transition_delay_ms.is_some()),
        ("/sync", device.sync.is_some()),
        ("/identification", device.identification.is_some()),
    ];
    if let Some((path, _)) = for_programs.into_iter().find(|(_, there)| emulated && *there) {
        return Err(DescriptionError::new(path, WITHOUT));
    }
    for (index, refusal) in device.refuse.iter().enumerate() {
        let at = |key: &str| format!("/refuse/{index}{key}");
        let state = AlState::from_name(&refusal.to).filter(|state| *state != AlState::Init);
        let Some(state) = state else {
            let message = format!("{:?} is none of PRE-OP, SAFE-OP, OP, BOOT", refusal.to);
            return Err(DescriptionError::new(at("/to"), message));
        };
        if refusal.code == 0 {
            return Err(DescriptionError::new(at("/code"), "0 is no error"));
        }
        let condition = refusal.when.as_ref().map_or(Ok(RefusalCondition::Always), condition);
        let condition = condition.map_err(|message| DescriptionError::new(at("/when"), message))?;
        application.refusals.push(Refusal { to: state.code(), code: refusal.code, condition });
    }
    if let Some(delay_ms) = device.transition_delay_ms {
        application.transition_delay_ns = u64::from(delay_ms) * MS;
    }
    application.sync = device.sync.as_ref().map(|sync| settings(sync, &sii.dc));
    application.identification = device.identification;
    Ok(())
}

fn condition(when: &RefuseWhenDescription) -> Result<RefusalCondition, &'static str> {
    const ONE: &str = "is exactly one of syncManager with length, register with value, object with \
                       value, firstAttempts and afterAttempts";
    let RefuseWhenDescription { sync_manager, length, register, mask, object, subindex, .. } =
        *when;
    let RefuseWhenDescription { value, first_attempts, after_attempts, .. } = *when;
    let known = (sync_manager, register, object, first_attempts, after_attempts);
    match (known, length, value) {
        ((Some(number), None, None, None, None), Some(length), None) if number < 16 => {
            Ok(RefusalCondition::SyncManagerLength { number, length })
        }
        ((None, Some(address), None, None, None), None, Some(value)) => {
            let value = u8::try_from(value).map_err(|_| "a register's value is one byte")?;
            Ok(RefusalCondition::Register { address, mask: mask.unwrap_or(0xFF), value })
        }
        ((None, None, Some(index), None, None), None, Some(value)) => {
            let subindex = subindex.unwrap_or(0);
            Ok(RefusalCondition::Value { index, subindex, least: value, most: value })
        }
        ((None, None, None, Some(last), None), None, None) => {
            Ok(RefusalCondition::Attempts { first: 1, last })
        }
        ((None, None, None, None, Some(before)), None, None) => {
            Ok(RefusalCondition::Attempts { first: before.saturating_add(1), last: u32::MAX })
        }
        _ => Err(ONE),
    }
}

fn settings(sync: &SyncDescription, modes: &[DcMode]) -> SyncSettings {
    let known = SyncSettings::default();
    let activation = |mode: &DcMode| mode.assign_activate.to_le_bytes()[1] & 0x07;
    SyncSettings {
        required: sync.required.unwrap_or(known.required),
        activations: modes.iter().map(activation).filter(|bits| *bits != 0).collect(),
        minimum_cycle_ns: sync.minimum_cycle_ns.unwrap_or(known.minimum_cycle_ns),
        maximum_cycle_ns: sync.maximum_cycle_ns.unwrap_or(known.maximum_cycle_ns),
        missed_cycles: sync.missed_cycles.unwrap_or(known.missed_cycles),
        tolerance_ns: sync.tolerance_ns.unwrap_or(known.tolerance_ns),
        timeout_ns: sync.timeout_ms.map_or(known.timeout_ns, |ms| u64::from(ms) * MS),
    }
}

/// A mode as the SII has it.
pub(super) fn mode(described: &DcModeDescription) -> DcMode {
    DcMode {
        cycle_time_0_ns: described.cycle_time_0_ns,
        shift_time_0_ns: described.shift_time_0_ns,
        shift_time_1_ns: described.shift_time_1_ns,
        sync_1_cycle_factor: described.sync_1_cycle_factor,
        assign_activate: described.assign_activate,
        sync_0_cycle_factor: described.sync_0_cycle_factor,
        name: described.name.clone(),
        description: String::new(),
    }
}
