//! The chip of a device, as far as its file tells.

use ecat_esi::{ConfiguredDevice, PortKind};
use ecat_wire::sii::{Sii, SyncManagerKind};

use crate::devices::known;
use crate::esc::{Profile, Quirk};

/// Registers come before process RAM.
const RAM_START: usize = 0x1000;
const RAM_KB_MAX: usize = 60;
const COUNT_MAX: usize = 16;
const BUFFERS: usize = 3;
/// Feature bit: times of 64 bits.
const CLOCK_64_BIT: u16 = 0x0008;

/// The chip of a known device; of another one an ET1100's with the ports, counts and memory that the file gives. No
/// file tells which chip it is: that it has a full clock is assumed, whether or not the device has modes to use it.
pub(super) fn of(configured: &ConfiguredDevice, process_image: &Sii) -> Profile {
    let device = &configured.device;
    let known = known::by_identity(&process_image.identity);
    let is_known = known.is_some();
    let mut profile = known.unwrap_or_default();
    let controller = &device.info.controller;
    if !is_known {
        profile.port_descriptor = (0..).zip(&device.ports).fold(0, |all, (n, port)| {
            let kind = match port {
                PortKind::None => 0,
                PortKind::Ebus => 2,
                PortKind::Mii | PortKind::FastHotConnect => 3,
            };
            all | kind << (2 * n)
        });
        profile.fmmu_count = controller.fmmus.unwrap_or(profile.fmmu_count);
        profile.sync_manager_count = controller.sync_managers.unwrap_or(profile.sync_manager_count);
        if let Some(bytes) = controller.ram_bytes {
            profile.ram_kb = u8::try_from((bytes as usize / 1024).min(RAM_KB_MAX)).unwrap_or(0);
        }
        if device.dc.as_ref().is_some_and(|dc| dc.unknown_64_bit) {
            profile.features &= !CLOCK_64_BIT;
            profile.add_quirk(Quirk::Clock32Bit);
        }
    }
    // What the file uses is there, whatever it counts.
    let least = |count: u8, used: usize| count.max(u8::try_from(used.min(COUNT_MAX)).unwrap_or(0));
    profile.fmmu_count = least(profile.fmmu_count, device.fmmus.len()).min(16);
    profile.sync_manager_count =
        least(profile.sync_manager_count, device.sync_managers.len()).min(16);
    let end = memory_end(process_image);
    let needed = end.saturating_sub(RAM_START).div_ceil(1024).min(RAM_KB_MAX);
    profile.ram_kb = profile.ram_kb.max(u8::try_from(needed).unwrap_or(0));
    profile
}

/// Where the last SyncManager ends, with all its buffers.
fn memory_end(sii: &Sii) -> usize {
    let ends = (0..=u8::MAX).zip(&sii.sync_managers).map(|(number, one)| {
        let carried = sii.pdos.iter().filter(|pdo| pdo.sync_manager == Some(number));
        let bits: usize = carried.map(ecat_wire::sii::Pdo::bit_length).sum();
        let (bytes, buffers) = match one.effective_kind() {
            SyncManagerKind::Unused => return 0,
            SyncManagerKind::MailboxOut | SyncManagerKind::MailboxIn => {
                (usize::from(one.length), 1)
            }
            _ => (bits.div_ceil(8).max(usize::from(one.length)), BUFFERS),
        };
        usize::from(one.start) + bytes * buffers
    });
    ends.max().unwrap_or(0)
}
