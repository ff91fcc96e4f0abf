//! The device's side of ADS over EtherCAT: areas of memory by index group and offset, states, and the objects of CoE
//! by index group 0xF302 (Beckhoff, "The TwinCAT ADS interface to the EAP device", which also holds for AoE). Nobody
//! can ask to be told of changes: such requests get 0x701.

use ecat_wire::mailbox::aoe::{
    AdsError, AmsAddress, DeviceInfo, Header, NetId, Request, Response, state as ads,
};
use ecat_wire::mailbox::coe::{AbortCode, Address};
use ecat_wire::mailbox::{ErrorDetail, Kind, MailError};

use super::Outbox;
use super::coe::Coe;

/// Index group of CoE: the offset is index, complete access (bit 8) and subindex.
const COE: u32 = 0xF302;
const COMPLETE: u32 = 0x0100;

/// Memory that ADS reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdsArea {
    /// AMS port; none: all of the device.
    pub port: Option<u16>,
    /// Index group.
    pub group: u32,
    /// First index offset.
    pub offset: u32,
    /// Content; the offsets that follow are its bytes.
    pub content: Vec<u8>,
    /// Whether it can be read.
    pub readable: bool,
    /// Whether it can be written.
    pub writable: bool,
}

/// What a device is to ADS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AoeSettings {
    /// Its address; none: it answers to any.
    pub net_id: Option<NetId>,
    /// AMS ports that answer; none: all do.
    pub ports: Vec<u16>,
    /// Name and version.
    pub info: DeviceInfo,
    /// ADS state and the device's own after power-on.
    pub states: (u16, u16),
    /// Memory.
    pub areas: Vec<AdsArea>,
}

#[derive(Clone, Debug)]
pub(super) struct Aoe {
    settings: AoeSettings,
    pub(super) states: (u16, u16),
    pub(super) areas: Vec<AdsArea>,
}

impl Aoe {
    pub(super) fn new(settings: AoeSettings) -> Self {
        Self { states: settings.states, areas: settings.areas.clone(), settings }
    }

    /// Takes one mail; what it answers goes to the outbox.
    pub(super) fn receive(
        &mut self,
        body: &[u8],
        state: u8,
        coe: Option<&mut Coe>,
        outbox: &mut Outbox,
    ) -> Result<(), ErrorDetail> {
        let (header, data) = Header::parse(body).map_err(|_| ErrorDetail::SizeTooShort)?;
        if header.is_answer() {
            return Ok(());
        }
        let answer = header.answer();
        let there = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let addressed = self.addressed(header.target);
        let request = match (there == header.length, addressed) {
            (false, _) => Err(AdsError::AMS_LENGTH),
            (_, Err(error)) => Err(error),
            _ => Request::parse(header.command, data).map_err(|error| match error {
                MailError::Unknown { .. } => AdsError::COMMAND_ID,
                _ => AdsError::AMS_LENGTH,
            }),
        };
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                let refused = Header { error, ..answer };
                outbox.push(Kind::Aoe, |buffer| refused.emit(buffer));
                return Ok(());
            }
        };
        let room = outbox.body_bytes().saturating_sub(READ_BYTES);
        let port = header.target.port;
        let read;
        let response = match request {
            Request::DeviceInfo => Response::DeviceInfo(AdsError::NONE, self.settings.info),
            Request::Read { group, offset, length } => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let result = self.read(port, (group, offset), length, state, coe);
                read = result.and_then(|data| fitting(data, room));
                match &read {
                    Ok(data) => Response::Read(AdsError::NONE, data),
                    Err(error) => Response::Read(*error, &[]),
                }
            }
            Request::Write { group, offset, data } => {
                let result = self.write(port, (group, offset), data, state, coe);
                Response::Write(result.err().unwrap_or_default())
            }
            Request::ReadState => Response::ReadState(AdsError::NONE, self.states.0, self.states.1),
            Request::WriteControl { ads_state, device_state, .. } => {
                Response::WriteControl(self.control(ads_state, device_state))
            }
            Request::ReadWrite { group, offset, read_length, data } => {
                let length = usize::try_from(read_length).unwrap_or(usize::MAX);
                let mut coe = coe;
                let written = self.write(port, (group, offset), data, state, coe.as_deref_mut());
                let result =
                    written.and_then(|()| self.read(port, (group, offset), length, state, coe));
                read = result.and_then(|data| fitting(data, room));
                match &read {
                    Ok(data) => Response::ReadWrite(AdsError::NONE, data),
                    Err(error) => Response::ReadWrite(*error, &[]),
                }
            }
            Request::AddNotification { .. } => Response::AddNotification(AdsError::SERVICE, 0),
            Request::DeleteNotification { .. } => Response::DeleteNotification(AdsError::SERVICE),
        };
        outbox.push(Kind::Aoe, |buffer| response.emit(&answer, buffer));
        Ok(())
    }

    /// Refuses a request: for faults. Requests without a result of their own get it in the header.
    pub(super) fn refuse(body: &[u8], error: AdsError, outbox: &mut Outbox) {
        let Ok((header, data)) = Header::parse(body) else { return };
        let answer = header.answer();
        let response = match Request::parse(header.command, data) {
            Ok(Request::Read { .. }) => Response::Read(error, &[]),
            Ok(Request::Write { .. }) => Response::Write(error),
            Ok(Request::ReadWrite { .. }) => Response::ReadWrite(error, &[]),
            Ok(Request::WriteControl { .. }) => Response::WriteControl(error),
            _ => {
                let refused = Header { error, ..answer };
                outbox.push(Kind::Aoe, |buffer| refused.emit(buffer));
                return;
            }
        };
        outbox.push(Kind::Aoe, |buffer| response.emit(&answer, buffer));
    }

    fn addressed(&self, target: AmsAddress) -> Result<(), AdsError> {
        if self.settings.net_id.is_some_and(|own| own != target.net_id) {
            return Err(AdsError::NO_DEVICE);
        }
        let ports = &self.settings.ports;
        if ports.is_empty() || ports.contains(&target.port) {
            Ok(())
        } else {
            Err(AdsError::NO_PORT)
        }
    }

    fn area(&mut self, port: u16, (group, offset): (u32, u32)) -> Result<&mut AdsArea, AdsError> {
        let mut group_known = false;
        let found = self.areas.iter_mut().find(|area| {
            let of_group = area.group == group && area.port.is_none_or(|known| known == port);
            group_known |= of_group;
            let bytes = u32::try_from(area.content.len()).unwrap_or(u32::MAX);
            of_group && offset.checked_sub(area.offset).is_some_and(|at| at < bytes)
        });
        found.ok_or(if group_known { AdsError::OFFSET } else { AdsError::GROUP })
    }

    fn read(
        &mut self,
        port: u16,
        place: (u32, u32),
        length: usize,
        state: u8,
        coe: Option<&mut Coe>,
    ) -> Result<Vec<u8>, AdsError> {
        if let (COE, Some(coe)) = (place.0, coe) {
            let mut data = coe.read(object(place.1), state).map_err(aborted)?;
            data.truncate(length);
            return Ok(data);
        }
        let area = self.area(port, place)?;
        if !area.readable {
            return Err(AdsError::ACCESS);
        }
        let from = (place.1 - area.offset) as usize;
        let end = from.checked_add(length).ok_or(AdsError::SIZE)?;
        area.content.get(from..end).map(<[u8]>::to_vec).ok_or(AdsError::SIZE)
    }

    fn write(
        &mut self,
        port: u16,
        place: (u32, u32),
        data: &[u8],
        state: u8,
        coe: Option<&mut Coe>,
    ) -> Result<(), AdsError> {
        if let (COE, Some(coe)) = (place.0, coe) {
            let address = object(place.1);
            coe.check(address, data.len(), state).map_err(aborted)?;
            return coe.write(address, data, state).map_err(aborted);
        }
        let area = self.area(port, place)?;
        if !area.writable {
            return Err(AdsError::ACCESS);
        }
        let from = (place.1 - area.offset) as usize;
        let end = from.checked_add(data.len()).ok_or(AdsError::SIZE)?;
        area.content.get_mut(from..end).ok_or(AdsError::SIZE)?.copy_from_slice(data);
        Ok(())
    }

    /// Takes a state: run, stop and config; reset goes back to that of power-on, with all content.
    fn control(&mut self, ads_state: u16, device_state: u16) -> AdsError {
        match ads_state {
            ads::RUN | ads::STOP | ads::CONFIG => {
                self.states = (ads_state, device_state);
                AdsError::NONE
            }
            ads::RESET => {
                *self = Self::new(self.settings.clone());
                AdsError::NONE
            }
            // Assumed: what a device does with a state that it does not know.
            _ => AdsError::PARAMETER,
        }
    }
}

/// Header, result and length before what was read.
const READ_BYTES: usize = ecat_wire::mailbox::aoe::HEADER_BYTES + 8;

/// Longer answers than the mailbox is would need the fragments of ETG1020, which no public text describes.
fn fitting(data: Vec<u8>, room: usize) -> Result<Vec<u8>, AdsError> {
    if data.len() > room { Err(AdsError::SIZE) } else { Ok(data) }
}

const fn object(offset: u32) -> Address {
    let complete = offset & COMPLETE != 0;
    // "The subindex has no meaning if Complete Access = 1": all of it, from subindex 0.
    let subindex = if complete { 0 } else { offset as u8 };
    Address { index: (offset >> 16) as u16, subindex, complete }
}

/// Assumed: the result is the abort code as it is. Both are numbers of 32 bits, and no abort code is an ADS error.
const fn aborted(code: AbortCode) -> AdsError {
    AdsError(code.0)
}
