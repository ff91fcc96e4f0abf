//! The one writer of process-data SyncManagers and FMMUs.
//!
//! In three passes over all SubDevices, many datagrams a frame: switch off, write, read back. They
//! are separate frames because an ESC takes over registers at the end of a frame, and start, length
//! and control of a SyncManager can be written only while it is off.

use std::sync::atomic::AtomicBool;

use ecat_wire::Link;
use ecat_wire::fmmu::{FMMU_BYTES, Fmmu};
use ecat_wire::register;
use ecat_wire::sync_manager::{ACTIVATE_OFFSET, SYNC_MANAGER_BYTES, SyncManager};

use super::exchange::{Exchanger, Reply, Request};
use super::identity::failure;
use crate::clock;
use crate::error::{EngineError, ErrorCode, Failure};
use crate::layout::{DeviceLayout, ProcessLayout};
use crate::network::{Network, SubDevice};

/// For the whole configuration.
const BUDGET_NS: u64 = 30_000_000_000;
/// Where an FMMU is switched on, from its first register.
const FMMU_ACTIVATE_OFFSET: u16 = 12;

/// One register block with what is to stand in it.
enum Block {
    SyncManager(u8, SyncManager),
    Fmmu(u8, Fmmu),
}

/// Writes the process-data SyncManagers and FMMUs of all SubDevices (in PRE-OP) from the layout, and
/// reads them back. FMMUs that the layout does not use are cleared.
///
/// # Errors
/// `ConfigurationVerify` with the register, expected and found, `SubDeviceLost`, one failure a
/// SubDevice; `Timeout`, `LinkDown`, `LinkOs`, `Aborted`.
pub fn configure(
    link: &mut dyn Link,
    network: &Network,
    layout: &ProcessLayout,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    let mut exchanger = Exchanger::new(link, stop, clock::now_ns() + BUDGET_NS);
    let blocks: Vec<(&SubDevice, Block)> = network
        .sub_devices
        .iter()
        .zip(&layout.devices)
        .flat_map(|(sub_device, device)| {
            blocks(sub_device, device).into_iter().map(move |block| (sub_device, block))
        })
        .collect();
    let mut exchange = |request: fn(&Block, u16) -> Request| {
        let requests: Vec<_> = blocks
            .iter()
            .map(|(sub_device, block)| request(block, sub_device.station_address))
            .collect();
        exchanger.exchange(&requests)
    };
    let off = exchange(Block::off)?;
    let written = exchange(Block::write)?;
    let found = exchange(Block::read)?;
    // Who has gone, before what it did not do.
    let mut failures: Vec<_> = blocks
        .iter()
        .zip(&found)
        .collect::<Vec<_>>()
        .chunk_by(|a, b| a.0.0.position == b.0.0.position)
        .filter(|replies| replies.iter().all(|(_, reply)| reply.working_counter == 0))
        .map(|replies| gone(replies[0].0.0))
        .collect();
    failures.extend(blocks.iter().zip(&found).filter_map(|(block, reply)| differs(block, reply)));
    for replies in [off, written] {
        failures.extend(
            blocks.iter().zip(&replies).filter_map(|(block, reply)| not_written(block, reply)),
        );
    }
    failures.sort_by_key(|failure| failure.position);
    failures.dedup_by_key(|failure| failure.position);
    EngineError::of(failures).map_or(Ok(()), Err)
}

fn blocks(sub_device: &SubDevice, device: &DeviceLayout) -> Vec<Block> {
    let sync_managers = device
        .sync_managers
        .iter()
        .map(|&(number, sync_manager)| Block::SyncManager(number, sync_manager));
    let fmmus = (0..sub_device.fmmu_count).map(|number| {
        let fmmu = device.fmmus.get(usize::from(number)).copied();
        Block::Fmmu(number, fmmu.unwrap_or_default())
    });
    sync_managers.chain(fmmus).collect()
}

impl Block {
    const fn register(&self) -> u16 {
        match self {
            Self::SyncManager(number, _) => register::sync_manager(*number),
            Self::Fmmu(number, _) => register::fmmu(*number),
        }
    }

    fn off(&self, station: u16) -> Request {
        let offset = match self {
            Self::SyncManager(..) => ACTIVATE_OFFSET,
            Self::Fmmu(..) => FMMU_ACTIVATE_OFFSET,
        };
        Request::write(station, self.register() + offset, &[0])
    }

    fn write(&self, station: u16) -> Request {
        Request::write(station, self.register(), &self.to_bytes())
    }

    fn read(&self, station: u16) -> Request {
        Request::read(station, self.register(), self.to_bytes().len())
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::SyncManager(_, sync_manager) => sync_manager.to_bytes().to_vec(),
            Self::Fmmu(_, fmmu) => fmmu.to_bytes().to_vec(),
        }
    }

    /// Whether the registers say what they should; status and reserved bits do not matter.
    fn is_in(&self, found: &[u8]) -> bool {
        match self {
            Self::SyncManager(_, expected) => <&[u8; SYNC_MANAGER_BYTES]>::try_from(found)
                .is_ok_and(|found| SyncManager::from_bytes(found) == *expected),
            Self::Fmmu(_, expected) => <&[u8; FMMU_BYTES]>::try_from(found)
                .is_ok_and(|found| Fmmu::from_bytes(found) == *expected),
        }
    }
}

fn not_written((sub_device, block): &(&SubDevice, Block), reply: &Reply) -> Option<Failure> {
    let register = block.register();
    let message = match reply.working_counter {
        1 => return None,
        0 => format!("it does not take a write of register {register:#06x}"),
        n => format!("{n} SubDevices answer to its station address"),
    };
    Some(verify(sub_device, register, &message))
}

fn differs((sub_device, block): &(&SubDevice, Block), reply: &Reply) -> Option<Failure> {
    let register = block.register();
    match reply.one() {
        None => {
            Some(verify(sub_device, register, &format!("register {register:#06x} does not answer")))
        }
        Some(found) if block.is_in(found) => None,
        Some(found) => Some(verify(
            sub_device,
            register,
            &format!(
                "register {register:#06x} was written {} and reads {}",
                hex(&block.to_bytes()),
                hex(found)
            ),
        )),
    }
}

fn gone(sub_device: &SubDevice) -> Failure {
    failure(
        sub_device.position,
        Some(&sub_device.name),
        ErrorCode::SubDeviceLost,
        "it stopped answering while it was configured",
    )
}

fn verify(sub_device: &SubDevice, register: u16, message: &str) -> Failure {
    Failure {
        register: Some(register),
        ..failure(
            sub_device.position,
            Some(&sub_device.name),
            ErrorCode::ConfigurationVerify,
            message,
        )
    }
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}
