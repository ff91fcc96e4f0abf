//! The process image from the SubDevices' SII.
//!
//! The PDOs that an image assigns to a SyncManager by default are mapped, those without one are not.
//! In each SyncManager they stand in the order of the image, bit behind bit; each SyncManager begins
//! at a byte. The image of a direction is the SyncManagers of that direction, in their order, of all
//! SubDevices, in theirs. A SubDevice with CoE is configured by its SII like any other.
//!
//! One FMMU maps one SyncManager, as captures of real segments have it (an EL2889 gets two). Only
//! where a SubDevice has fewer FMMUs than that, neighbours in physical memory share one.

use ecat_wire::fmmu::Fmmu;
use ecat_wire::sii::{Pdo, PdoDirection, PdoEntry, SiiSyncManager, SyncManagerKind};
use ecat_wire::sync_manager::SyncManager;

use super::identity::failure;
use super::packing::{Mapped, pack};
use crate::error::{EngineError, ErrorCode, Failure};
use crate::layout::{DeviceLayout, Direction, EntryLayout, ProcessLayout};
use crate::network::{Network, SubDevice};

/// The inputs begin at a multiple of this, so that words that are aligned in a SubDevice's data stay
/// aligned behind outputs of an odd length.
const INPUTS_ALIGNMENT: u32 = 4;
/// Bit 1 of the enable byte: what the SyncManager holds cannot be changed.
const FIXED_CONTENT: u8 = 0x02;

/// The process data of one SyncManager.
struct Area {
    sync_manager: u8,
    is_virtual: bool,
    op_only: bool,
    start: u16,
    length: u16,
    control: u8,
    direction: Direction,
    /// Offsets from the start of the area.
    entries: Vec<EntryLayout>,
}

/// Computes where every PDO entry of every SubDevice stands. Pure.
///
/// # Errors
/// `LayoutInvalid`, one failure a SubDevice: a PDO on a SyncManager that is missing, or of a mailbox,
/// or of the other direction; a fixed SyncManager of another length than its PDOs; too few FMMUs.
pub fn compute_layout(network: &Network) -> Result<ProcessLayout, EngineError> {
    let mut failures = Vec::new();
    let mut areas = Vec::new();
    for sub_device in &network.sub_devices {
        match areas_of(sub_device) {
            Ok(of_device) => areas.push(of_device),
            Err(message) => failures.push(invalid(sub_device, &message)),
        }
    }
    if let Some(error) = EngineError::of(failures) {
        return Err(error);
    }
    let bytes = |direction| -> usize {
        let all = areas.iter().flatten().filter(|area| area.direction == direction);
        all.map(|area| usize::from(area.length)).sum()
    };
    let (output_bytes, input_bytes) = (bytes(Direction::Output), bytes(Direction::Input));
    let too_large = || EngineError::new(ErrorCode::LayoutInvalid, "the process image is too large");
    let inputs_logical = u32::try_from(output_bytes)
        .ok()
        .and_then(|bytes| bytes.checked_next_multiple_of(INPUTS_ALIGNMENT))
        .filter(|first| u32::try_from(input_bytes).is_ok_and(|n| first.checked_add(n).is_some()))
        .ok_or_else(too_large)?;

    let mut layout =
        ProcessLayout { output_bytes, input_bytes, inputs_logical, ..ProcessLayout::default() };
    let mut mapped = Vec::new();
    let mut next = Next { output: 0, input: 0 };
    let mut failures = Vec::new();
    for (device, (sub_device, areas)) in network.sub_devices.iter().zip(areas).enumerate() {
        let of_device = next.place(areas, inputs_logical);
        match fit_fmmus(of_device.fmmus.clone(), sub_device.fmmu_count) {
            Ok(fmmus) => {
                mapped.extend(fmmus.iter().map(|&fmmu| Mapped {
                    device,
                    fmmu,
                    open_in_safe_op: sub_device.device_emulation
                        || fmmu.read && !is_off(&of_device, &fmmu),
                }));
                layout.devices.push(DeviceLayout { fmmus, ..of_device });
            }
            Err(message) => failures.push(invalid(sub_device, &message)),
        }
    }
    layout.datagrams = pack(&mapped, network.sub_devices.iter().all(|sub_device| sub_device.lrw));
    EngineError::of(failures).map_or(Ok(layout), Err)
}

fn invalid(sub_device: &SubDevice, message: &str) -> Failure {
    failure(sub_device.position, Some(&sub_device.name), ErrorCode::LayoutInvalid, message)
}

/// The SyncManagers with process data of one SubDevice, outputs first.
fn areas_of(sub_device: &SubDevice) -> Result<Vec<Area>, String> {
    let sii = &sub_device.sii;
    for pdo in &sii.pdos {
        let Some(number) = pdo.sync_manager else { continue };
        if usize::from(number) >= sii.sync_managers.len() {
            return Err(format!(
                "PDO {:#06x} is on SyncManager {number}, which is missing",
                pdo.index
            ));
        }
    }
    let mut areas = Vec::new();
    for (number, sync_manager) in (0u8..=u8::MAX).zip(&sii.sync_managers) {
        let pdos: Vec<_> = sii.pdos.iter().filter(|pdo| pdo.sync_manager == Some(number)).collect();
        let Some(area) = area(number, sync_manager, &pdos)? else { continue };
        if !area.is_virtual && number >= sub_device.sync_manager_count {
            return Err(format!(
                "SyncManager {number} is wanted, but the ESC has {}",
                sub_device.sync_manager_count
            ));
        }
        areas.push(area);
    }
    areas.sort_by_key(|area| area.direction == Direction::Input);
    Ok(areas)
}

fn area(number: u8, sync_manager: &SiiSyncManager, pdos: &[&Pdo]) -> Result<Option<Area>, String> {
    let direction = match sync_manager.effective_kind() {
        SyncManagerKind::ProcessDataOut => Direction::Output,
        SyncManagerKind::ProcessDataIn => Direction::Input,
        kind => {
            return match pdos.first() {
                None => Ok(None),
                Some(pdo) => Err(format!(
                    "PDO {:#06x} is on SyncManager {number}, whose kind is {kind:?}",
                    pdo.index
                )),
            };
        }
    };
    if let Some(pdo) = pdos.iter().find(|pdo| direction_of(pdo) != direction) {
        return Err(format!(
            "PDO {:#06x} is on SyncManager {number}, which is of the other direction",
            pdo.index
        ));
    }
    let bits: usize = pdos.iter().map(|pdo| pdo.bit_length()).sum();
    let declared = usize::from(sync_manager.length);
    let (length, entries) = if bits == 0 {
        // Nothing says what the bytes are, but the SubDevice wants them exchanged.
        let enabled = sync_manager.is_enabled();
        (if enabled { declared } else { 0 }, raw(direction, declared))
    } else {
        (bits.div_ceil(8), entries(direction, pdos))
    };
    if sync_manager.enable & FIXED_CONTENT != 0 && declared != 0 && declared != length {
        return Err(format!(
            "SyncManager {number} is fixed to {declared} bytes, but its PDOs have {length}"
        ));
    }
    if length == 0 {
        return Ok(None);
    }
    let length = u16::try_from(length)
        .ok()
        .filter(|length| sync_manager.start.checked_add(length - 1).is_some())
        .ok_or_else(|| format!("the PDOs of SyncManager {number} have {length} bytes"))?;
    Ok(Some(Area {
        sync_manager: number,
        is_virtual: sync_manager.is_virtual(),
        op_only: sync_manager.is_op_only(),
        start: sync_manager.start,
        length,
        control: sync_manager.control,
        direction,
        entries,
    }))
}

fn direction_of(pdo: &Pdo) -> Direction {
    match pdo.direction {
        PdoDirection::Rx => Direction::Output,
        PdoDirection::Tx => Direction::Input,
    }
}

fn entries(direction: Direction, pdos: &[&Pdo]) -> Vec<EntryLayout> {
    let mut bit_offset = 0;
    let all = pdos.iter().flat_map(|pdo| pdo.entries.iter().map(move |entry| (pdo, entry)));
    all.map(|(pdo, entry)| {
        let placed = entry_at(direction, pdo, entry, bit_offset);
        bit_offset += u32::from(entry.bit_length);
        placed
    })
    .collect()
}

fn entry_at(direction: Direction, pdo: &Pdo, entry: &PdoEntry, bit_offset: u32) -> EntryLayout {
    EntryLayout {
        direction,
        pdo_index: pdo.index,
        pdo_name: pdo.name.clone(),
        index: entry.index,
        subindex: entry.subindex,
        name: entry.name.clone(),
        data_type: entry.data_type,
        bit_offset,
        bit_length: u16::from(entry.bit_length),
    }
}

/// Whether what an FMMU maps is in a SyncManager that is configured off.
fn is_off(device: &DeviceLayout, fmmu: &Fmmu) -> bool {
    let maps = |sync_manager: &SyncManager| sync_manager.start == fmmu.physical_start;
    device.sync_managers.iter().any(|(_, sm)| !sm.enabled && maps(sm))
}

/// Gaps in place of entries that the image does not have.
fn raw(direction: Direction, bytes: usize) -> Vec<EntryLayout> {
    (0u32..)
        .take(bytes)
        .map(|byte| EntryLayout {
            direction,
            pdo_index: 0,
            pdo_name: String::new(),
            index: 0,
            subindex: 0,
            name: String::new(),
            data_type: 0,
            bit_offset: 8 * byte,
            bit_length: 8,
        })
        .collect()
}

/// The next free byte of each image.
struct Next {
    output: u32,
    input: u32,
}

impl Next {
    fn place(&mut self, areas: Vec<Area>, inputs_logical: u32) -> DeviceLayout {
        let (output, input) = (self.output, self.input);
        let mut device = DeviceLayout::default();
        for area in areas {
            let (next, base) = match area.direction {
                Direction::Output => (&mut self.output, 0),
                Direction::Input => (&mut self.input, inputs_logical),
            };
            let offset = *next;
            *next += u32::from(area.length);
            device.fmmus.push(Fmmu {
                logical_start: base + offset,
                length: area.length,
                logical_start_bit: 0,
                logical_stop_bit: 7,
                physical_start: area.start,
                physical_start_bit: 0,
                read: area.direction == Direction::Input,
                write: area.direction == Direction::Output,
                enabled: true,
            });
            device.entries.extend(
                area.entries.into_iter().map(|entry| EntryLayout {
                    bit_offset: entry.bit_offset + 8 * offset,
                    ..entry
                }),
            );
            if area.is_virtual {
                continue;
            }
            if area.op_only {
                device.op_only.push(area.sync_manager);
            }
            let sync_manager = SyncManager {
                start: area.start,
                length: area.length,
                control: area.control,
                enabled: !area.op_only,
            };
            device.sync_managers.push((area.sync_manager, sync_manager));
        }
        device.outputs = output as usize..self.output as usize;
        device.inputs = input as usize..self.input as usize;
        device
    }
}

/// Joins neighbours until there are no more FMMUs than the ESC has.
fn fit_fmmus(mut fmmus: Vec<Fmmu>, count: u8) -> Result<Vec<Fmmu>, String> {
    let wanted = fmmus.len();
    while fmmus.len() > usize::from(count) {
        let joinable = fmmus.windows(2).position(|pair| {
            let end = pair[0].physical_start.checked_add(pair[0].length);
            let length = pair[0].length.checked_add(pair[1].length);
            pair[0].write == pair[1].write
                && end == Some(pair[1].physical_start)
                && length.is_some()
        });
        let Some(first) = joinable else {
            return Err(format!("its process data take {wanted} FMMUs, but the ESC has {count}"));
        };
        let second = fmmus.remove(first + 1);
        fmmus[first].length += second.length;
    }
    Ok(fmmus)
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
