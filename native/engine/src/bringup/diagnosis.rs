//! Why ethercrab's `init` failed: it is all or nothing, and its errors name nobody.
//!
//! The pass asks every SubDevice itself: is it there, what does its AL status say, can its EEPROM be
//! read. Whatever it finds is a failure of its own.

use std::sync::atomic::AtomicBool;

use ecat_wire::al::{AlState, status_code_text};
use ecat_wire::register::{AL_STATUS, EEPROM_CONTROL, ESC_CONFIGURATION, STATION_ADDRESS};
use ecat_wire::{Command, Link};

use super::discover::{Trouble, What};
use super::driver::Interrupted;
use super::eeprom::read_images;
use super::exchange::{Exchanger, Reply, Request};
use super::identity::{control_reads, failure, is_emulated, parse};
use super::watch::{STATION_BASE, state_name};
use crate::clock;
use crate::error::{EngineError, ErrorCode, Failure};

/// For the pass as a whole, and for each SubDevice on top.
const BUDGET_NS: u64 = 10_000_000_000;
const BUDGET_PER_SUB_DEVICE_NS: u64 = 50_000_000;
/// AL status with its error bit.
const AL_ERROR: u8 = 0x10;
/// EEPROM control: the checksum is wrong; nothing is loaded. ESC data sheet, section II, 0x0502.
const EEPROM_CHECKSUM: u16 = 0x0800;
const EEPROM_NOT_LOADED: u16 = 0x1000;

/// Looks for the SubDevices that kept a segment of `count` from PRE-OP. `None` where all are well.
///
/// # Errors
/// Those of the exchange itself.
pub(super) fn diagnose(
    link: &mut dyn Link,
    stop: &AtomicBool,
    count: u16,
    trouble: &Trouble,
) -> Result<Option<EngineError>, EngineError> {
    let budget = BUDGET_NS + BUDGET_PER_SUB_DEVICE_NS * u64::from(count);
    let exchanger = &mut Exchanger::new(link, stop, clock::now_ns() + budget);
    let (present, lost): (Vec<u16>, Vec<u16>) = presence(exchanger, count)?;
    let mut failures: Vec<_> = lost.into_iter().map(missing).collect();

    let stations: Vec<u16> = present.iter().map(|position| STATION_BASE + position).collect();
    let images = read_images(exchanger, &stations)?;
    let requests: Vec<_> = stations
        .iter()
        .flat_map(|&station| {
            [
                Request::read(station, AL_STATUS, 6),
                Request::read(station, ESC_CONFIGURATION, 1),
                Request::read(station, EEPROM_CONTROL, 2),
            ]
        })
        .collect();
    let replies = exchanger.exchange(&requests)?;
    for ((position, replies), image) in present.into_iter().zip(replies.chunks_exact(3)).zip(images)
    {
        let sii = parse(image);
        let name = sii.as_ref().ok().and_then(|sii| sii.general.as_ref());
        let name = name.map(|general| general.order.as_str());
        let awaited = trouble.awaited_state.filter(|_| trouble.position == Some(position));
        if let Err((code, message)) = &sii {
            failures.push(failure(position, None, *code, message));
        }
        failures.extend(not_loaded(position, name, &replies[2]));
        failures.extend(refusal(position, name, &replies[0], &replies[1], awaited));
        failures.extend(timeout(position, name, &replies[0], awaited, trouble));
    }
    // One failure a SubDevice: an unreadable EEPROM is the reason for all that follows from it.
    failures.dedup_by_key(|failure| failure.position);
    Ok(EngineError::of(failures))
}

/// The positions of those that answer to their station address and of those that do not.
fn presence(
    exchanger: &mut Exchanger<'_>,
    count: u16,
) -> Result<(Vec<u16>, Vec<u16>), EngineError> {
    let read: Vec<_> = (0..count)
        .map(|position| Request::read(STATION_BASE + position, STATION_ADDRESS, 2))
        .collect();
    let mut replies = exchanger.exchange(&read)?;
    if replies.iter().all(|reply| reply.working_counter == 0) {
        // ethercrab did not get as far as giving addresses, or somebody has taken them away.
        let give: Vec<_> = (0..count)
            .map(|position| Request {
                command: Command::Apwr {
                    position: Command::position(position),
                    register: STATION_ADDRESS,
                },
                data: (STATION_BASE + position).to_le_bytes().to_vec(),
            })
            .collect();
        exchanger.exchange(&give)?;
        replies = exchanger.exchange(&read)?;
    }
    Ok((0..count).partition(|&position| replies[usize::from(position)].working_counter > 0))
}

fn missing(position: u16) -> Failure {
    failure(position, None, ErrorCode::SubDeviceLost, "it stopped answering during the bring-up")
}

/// The failure of a SubDevice whose ESC has taken nothing from its EEPROM: its program does not run.
fn not_loaded(position: u16, name: Option<&str>, control: &Reply) -> Option<Failure> {
    let status = control.word()?;
    let (code, what) = match status & (EEPROM_CHECKSUM | EEPROM_NOT_LOADED) {
        0 => return None,
        EEPROM_NOT_LOADED => (ErrorCode::EepromAccess, "it has not loaded its EEPROM"),
        _ => (ErrorCode::EepromChecksum, "it has not loaded its EEPROM, whose checksum is wrong"),
    };
    Some(failure(position, name, code, &control_reads(what, status)))
}

/// The failure of a SubDevice that shows an AL error. With device emulation the bit is an echo.
fn refusal(
    position: u16,
    name: Option<&str>,
    al_status: &Reply,
    configuration: &Reply,
    awaited: Option<u8>,
) -> Option<Failure> {
    let al_status = al_status.one()?;
    if is_emulated(configuration) || al_status[0] & AL_ERROR == 0 {
        return None;
    }
    let code = u16::from_le_bytes([al_status[4], al_status[5]]);
    let requested = awaited.unwrap_or(AlState::PreOp.code());
    let message = format!(
        "it refused {}: {} (AL status code 0x{code:04X}; it stays in {})",
        state_name(requested),
        status_code_text(code),
        state_name(al_status[0] & 0x0F),
    );
    Some(Failure {
        requested_state: Some(requested),
        state: Some(al_status[0]),
        al_status_code: Some(code),
        ..failure(position, name, ErrorCode::StateRefused, &message)
    })
}

/// The failure of the SubDevice that ethercrab waited for in vain.
fn timeout(
    position: u16,
    name: Option<&str>,
    al_status: &Reply,
    awaited: Option<u8>,
    trouble: &Trouble,
) -> Option<Failure> {
    let waited = matches!(
        trouble.what,
        What::Error(ethercrab::error::Error::Timeout(_)) | What::Interrupted(Interrupted::Overdue)
    );
    let (requested, status) = (awaited.filter(|_| waited)?, al_status.one()?);
    let state = status[0] & 0x0F;
    let message = format!(
        "it stays in {} and neither reaches nor refuses {}",
        state_name(state),
        state_name(requested)
    );
    (state != requested).then(|| Failure {
        requested_state: Some(requested),
        state: Some(status[0]),
        al_status_code: Some(u16::from_le_bytes([status[4], status[5]])),
        ..failure(position, name, ErrorCode::StateTimeout, &message)
    })
}

/// The failure of a SubDevice that still does not take a request for a state: without device emulation, 0x0120 is a
/// mailbox, which its program has to empty before it takes the next one.
fn unheard(trouble: &Trouble) -> Option<Failure> {
    use ethercrab::error::Error;
    let What::Error(Error::WorkingCounter { .. }) = trouble.what else { return None };
    let (position, requested) = (trouble.position?, trouble.asked_state?);
    let message =
        format!("its program takes no request: that for {} waits in 0x0120", state_name(requested));
    Some(Failure {
        requested_state: Some(requested),
        ..failure(position, None, ErrorCode::StateTimeout, &message)
    })
}

/// The error for a trouble whose cause no pass found; with the SubDevice that was addressed last.
pub(super) fn unnamed(trouble: &Trouble) -> EngineError {
    if let Some(unheard) = unheard(trouble) {
        return unheard.into();
    }
    let (code, message) = match &trouble.what {
        What::Error(ethercrab::error::Error::Timeout(timeout)) => {
            (ErrorCode::Timeout, format!("no answer in time ({timeout})"))
        }
        What::Error(error) => (ErrorCode::BringUp, format!("the bring-up failed ({error})")),
        What::Interrupted(Interrupted::Overdue) => {
            (ErrorCode::Timeout, "the time for the bring-up is over".to_owned())
        }
        What::Interrupted(why) => (ErrorCode::BringUp, format!("the bring-up failed ({why:?})")),
        What::Panic(message) => (ErrorCode::BringUp, format!("the bring-up failed ({message})")),
    };
    match trouble.position {
        Some(position) => failure(position, None, code, &message).into(),
        None => EngineError::new(code, message),
    }
}
