//! What every SubDevice in PRE-OP says about itself, read with our own frames.

use ecat_wire::al::AlState;
use ecat_wire::register::{
    AL_STATUS, DC_SYSTEM_TIME, DC_SYSTEM_TIME_DELAY, ESC_CONFIGURATION, STATION_ALIAS, TYPE,
};
use ecat_wire::sii::{Sii, SiiError};

use super::discover::BringUpOptions;
use super::eeprom::{EepromProblem, read_images};
use super::exchange::{Exchanger, Reply, Request};
use super::watch::{STATION_BASE, state_name};
use crate::error::{EngineError, ErrorCode, Failure};
use crate::network::{Identity, Network, SubDevice};

/// Register 0x0141 bit 0.
pub(super) const DEVICE_EMULATION: u8 = 0x01;
/// Register 0x0008 bit 9.
const FEATURE_NO_LRW: u16 = 0x0200;
/// Register 0x0007: what port 0 is.
const PORT_KIND_MASK: u8 = 0x03;
const PORT_KIND_EBUS: u8 = 0x02;
const REQUESTS: usize = 6;

/// Reads the registers and SII images of the `count` SubDevices of a segment that ethercrab has
/// brought to PRE-OP, and leaves the EEPROMs to the devices.
pub(super) fn identify(
    exchanger: &mut Exchanger<'_>,
    count: u16,
    options: &BringUpOptions,
) -> Result<Network, EngineError> {
    let stations: Vec<u16> = (0..count).map(|position| STATION_BASE + position).collect();
    let images = read_images(exchanger, &stations)?;
    let requests: Vec<_> = stations.iter().flat_map(|&station| registers(station)).collect();
    let replies = exchanger.exchange(&requests)?;
    let mut failures = Vec::new();
    let mut network = Network::default();
    let per_device = replies.chunks_exact(REQUESTS).zip(images);
    for (position, (replies, image)) in (0..count).zip(per_device) {
        match sub_device(position, replies, parse(image)) {
            Ok(sub_device) => network.sub_devices.push(sub_device),
            Err(failure) => failures.push(failure),
        }
    }
    if options.distributed_clocks {
        network.dc_reference = network.sub_devices.iter().position(|sd| sd.has_distributed_clock);
    }
    EngineError::of(failures).map_or(Ok(network), Err)
}

fn registers(station: u16) -> [Request; REQUESTS] {
    [
        Request::read(station, TYPE, 10),
        Request::read(station, STATION_ALIAS, 2),
        Request::read(station, ESC_CONFIGURATION, 1),
        Request::read(station, AL_STATUS, 6),
        Request::read(station, DC_SYSTEM_TIME, 8),
        Request::read(station, DC_SYSTEM_TIME_DELAY, 4),
    ]
}

/// An image or what is wrong with it, as the failure's code and sentence.
pub(super) fn parse(image: Result<Vec<u8>, EepromProblem>) -> Result<Sii, (ErrorCode, String)> {
    let problem = match image {
        Ok(image) => match Sii::parse(&image) {
            Ok(sii) => return Ok(sii),
            Err(SiiError::Blank) => EepromProblem::Blank,
            Err(error) => return Err((ErrorCode::EepromInvalid, error.to_string())),
        },
        Err(problem) => problem,
    };
    Err(match problem {
        EepromProblem::Blank => (ErrorCode::EepromInvalid, SiiError::Blank.to_string()),
        EepromProblem::Endless => {
            (ErrorCode::EepromInvalid, "the EEPROM's categories have no end".into())
        }
        EepromProblem::Lost => {
            (ErrorCode::SubDeviceLost, "it stopped answering while its EEPROM was read".into())
        }
        EepromProblem::Busy(status) => {
            (ErrorCode::EepromBusy, control_reads("its EEPROM interface stays busy", status))
        }
        EepromProblem::NoCommand(status) => {
            (ErrorCode::EepromAccess, control_reads("its EEPROM takes no command", status))
        }
        EepromProblem::NotAcknowledged(status) => {
            (ErrorCode::EepromAccess, control_reads("the EEPROM does not acknowledge", status))
        }
    })
}

/// What is wrong with an EEPROM, with the register that shows it.
pub(super) fn control_reads(what: &str, status: u16) -> String {
    format!("{what} (register 0x0502 reads {status:#06x})")
}

fn sub_device(
    position: u16,
    replies: &[Reply],
    sii: Result<Sii, (ErrorCode, String)>,
) -> Result<SubDevice, Failure> {
    let fail = |code, message: String| failure(position, None, code, &message);
    let [block, alias, configuration, al_status, dc_time, dc_delay] = replies else {
        unreachable!("chunks of REQUESTS replies")
    };
    let (Some(block), Some(al_status)) = (block.one(), al_status.one()) else {
        return Err(fail(ErrorCode::SubDeviceLost, "it stopped answering in PRE-OP".into()));
    };
    let sii = sii.map_err(|(code, message)| fail(code, message))?;
    let general = sii.general.as_ref();
    let name = general.map_or_else(String::new, |general| general.order.clone());
    let state = al_status[0] & 0x0F;
    if state != AlState::PreOp.code() {
        let message = format!("it has left PRE-OP for {} by itself", state_name(state));
        return Err(Failure {
            requested_state: Some(AlState::PreOp.code()),
            state: Some(al_status[0]),
            al_status_code: Some(u16::from_le_bytes([al_status[4], al_status[5]])),
            ..failure(position, Some(&name), ErrorCode::StateRefused, &message)
        });
    }
    let features = u16::from_le_bytes([block[8], block[9]]);
    let delay = dc_delay.one().and_then(|delay| delay.try_into().ok()).map(u32::from_le_bytes);
    Ok(SubDevice {
        position,
        station_address: STATION_BASE + position,
        alias: alias.word().unwrap_or(0),
        description: general.map_or_else(String::new, |general| general.name.clone()),
        name,
        identity: Identity {
            vendor_id: sii.identity.vendor_id,
            product_code: sii.identity.product_code,
            revision: sii.identity.revision,
            serial: sii.identity.serial,
        },
        device_emulation: is_emulated(configuration),
        lrw: features & FEATURE_NO_LRW == 0
            && !general.is_some_and(ecat_wire::sii::General::enable_not_lrw),
        ebus: block[7] & PORT_KIND_MASK == PORT_KIND_EBUS,
        fmmu_count: block[4],
        sync_manager_count: block[5],
        has_distributed_clock: dc_time.one().is_some(),
        propagation_delay_ns: delay.unwrap_or(0),
        sii,
    })
}

/// Whether the reply to a read of register 0x0141 says device emulation.
pub(super) fn is_emulated(configuration: &Reply) -> bool {
    configuration.one().is_some_and(|bytes| bytes[0] & DEVICE_EMULATION != 0)
}

/// A failure of one SubDevice, whose sentence begins with who it is.
pub(super) fn failure(
    position: u16,
    name: Option<&str>,
    code: ErrorCode,
    message: &str,
) -> Failure {
    let who = match name {
        Some(name) if !name.is_empty() => format!("SubDevice {position} ({name})"),
        _ => format!("SubDevice {position}"),
    };
    Failure::new(code, format!("{who}: {message}")).at(position, name)
}
