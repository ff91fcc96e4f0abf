//! The device's side of CANopen over EtherCAT: SDO transfers of every kind (ETG1000.6, "SDO services").

use ecat_wire::mailbox::coe::sdo::{
    Data, NORMAL_HEADER_BYTES, Request, Response, SEGMENT_HEADER_BYTES,
};
use ecat_wire::mailbox::coe::{AbortCode, Address, Service};
use ecat_wire::mailbox::{ErrorDetail, Kind, MailError};

use super::object_dictionary::{ObjectDictionary, VALUE_BYTES_MAX};
use super::{MailboxSettings, Modules, Outbox, diagnosis, information, modules, pdo};

const EXPEDITED_BYTES: usize = 4;
const PRE_OP: u8 = 2;

/// A transfer that takes more than one mail.
#[derive(Clone, Debug, Default)]
enum Transfer {
    #[default]
    None,
    Upload {
        address: Address,
        data: Vec<u8>,
        at: usize,
        toggle: bool,
    },
    Download {
        address: Address,
        data: Vec<u8>,
        size: usize,
        toggle: bool,
    },
}

/// What a CoE device knows between two mails.
#[derive(Clone, Debug)]
pub(super) struct Coe {
    pub(super) dictionary: ObjectDictionary,
    complete_access: bool,
    blocks_mapped: bool,
    without_information: bool,
    rules: pdo::PdoRules,
    pub(super) history: diagnosis::History,
    pub(super) modules: Option<Modules>,
    transfer: Transfer,
}

impl Coe {
    pub(super) fn new(mut dictionary: ObjectDictionary, settings: &MailboxSettings) -> Self {
        let slots = settings.slots.clone();
        let modules = slots.map(|slots| Modules::new(slots, &mut dictionary));
        Self {
            dictionary,
            complete_access: settings.complete_access,
            blocks_mapped: settings.blocks_mapped,
            without_information: settings.without_information,
            rules: settings.pdo_rules.clone(),
            history: diagnosis::History::default(),
            modules,
            transfer: Transfer::None,
        }
    }

    /// What it allows of assignments.
    pub(super) fn rules(&self) -> &pdo::PdoRules {
        &self.rules
    }

    /// Ends whatever is under way with an abort.
    pub(super) fn abort(&mut self, body: &[u8], code: AbortCode, outbox: &mut Outbox) {
        let address = Service::parse(body).map_or(Address::default(), |(_, sdo)| address_of(sdo));
        self.give_up(address, code, outbox);
    }

    /// Forgets a transfer, as the mailbox does when it stops.
    pub(super) fn stop(&mut self) {
        self.transfer = Transfer::None;
    }

    /// Takes one mail; what it answers goes to the outbox.
    pub(super) fn receive(
        &mut self,
        body: &[u8],
        state: u8,
        outbox: &mut Outbox,
    ) -> Result<(), ErrorDetail> {
        let (service, payload) = Service::parse(body).map_err(|_| ErrorDetail::SizeTooShort)?;
        match service {
            Service::SdoRequest => {
                let request = match Request::parse(payload) {
                    Ok(request) => request,
                    Err(MailError::Unknown { .. }) => {
                        self.transfer = Transfer::None;
                        outbox.sdo(&abort(address_of(payload), AbortCode::COMMAND));
                        return Ok(());
                    }
                    Err(_) => return Err(ErrorDetail::SizeTooShort),
                };
                self.sdo(request, state, outbox);
                Ok(())
            }
            Service::SdoInformation if self.without_information => {
                Err(ErrorDetail::ServiceNotSupported)
            }
            Service::SdoInformation => {
                self.history.show(&mut self.dictionary);
                information::answer(&self.dictionary, payload, outbox)
            }
            Service::SdoResponse | Service::Other(_) => Err(ErrorDetail::InvalidHeader),
            _ => Err(ErrorDetail::ServiceNotSupported),
        }
    }

    fn sdo(&mut self, request: Request<'_>, state: u8, outbox: &mut Outbox) {
        match request {
            Request::Upload(address) => match self.read(address, state) {
                Ok(data) => self.begin_upload(address, data, outbox),
                Err(code) => self.give_up(address, code, outbox),
            },
            Request::UploadSegment { toggle } => self.continue_upload(toggle, outbox),
            Request::Download(address, data) => {
                if let Err(code) = self.begin_download(address, data, state, outbox) {
                    self.give_up(address, code, outbox);
                }
            }
            Request::DownloadSegment { toggle, last, data } => {
                self.continue_download(toggle, last, data, state, outbox);
            }
            Request::Abort(..) => self.transfer = Transfer::None,
        }
    }

    fn give_up(&mut self, address: Address, code: AbortCode, outbox: &mut Outbox) {
        self.transfer = Transfer::None;
        outbox.sdo(&abort(address, code));
    }

    pub(super) fn read(&mut self, address: Address, state: u8) -> Result<Vec<u8>, AbortCode> {
        self.check_complete(address)?;
        self.history.show(&mut self.dictionary);
        let data = self.dictionary.read(address, state)?;
        self.history.read(address);
        Ok(data)
    }

    fn check_complete(&self, address: Address) -> Result<(), AbortCode> {
        if address.complete && !self.complete_access {
            return Err(AbortCode::UNSUPPORTED_ACCESS);
        }
        Ok(())
    }

    fn begin_upload(&mut self, address: Address, data: Vec<u8>, outbox: &mut Outbox) {
        self.transfer = Transfer::None;
        if (1..=EXPEDITED_BYTES).contains(&data.len()) {
            outbox.sdo(&Response::Upload(address, Data::Expedited(&data)));
            return;
        }
        let room = outbox.body_bytes().saturating_sub(NORMAL_HEADER_BYTES);
        let at = data.len().min(room);
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        outbox.sdo(&Response::Upload(address, Data::Normal { size, data: &data[..at] }));
        if at < data.len() {
            self.transfer = Transfer::Upload { address, data, at, toggle: false };
        }
    }

    fn continue_upload(&mut self, toggle: bool, outbox: &mut Outbox) {
        let Transfer::Upload { address, data, at, toggle: expected } = &mut self.transfer else {
            return self.give_up(Address::default(), AbortCode::COMMAND, outbox);
        };
        if toggle != *expected {
            let address = *address;
            return self.give_up(address, AbortCode::TOGGLE, outbox);
        }
        let room = outbox.body_bytes().saturating_sub(SEGMENT_HEADER_BYTES);
        let end = data.len().min(*at + room);
        let last = end == data.len();
        outbox.sdo(&Response::UploadSegment { toggle, last, data: &data[*at..end] });
        (*at, *expected) = (end, !toggle);
        if last {
            self.transfer = Transfer::None;
        }
    }

    fn begin_download(
        &mut self,
        address: Address,
        data: Data<'_>,
        state: u8,
        outbox: &mut Outbox,
    ) -> Result<(), AbortCode> {
        self.transfer = Transfer::None;
        let (size, data) = match data {
            Data::Expedited(data) => (data.len(), data),
            Data::ExpeditedWithoutSize(data) => {
                let entry = self.dictionary.entry(address.index, address.subindex);
                let bytes = entry.map_or(data.len(), |e| (e.bit_length as usize).div_ceil(8));
                (bytes.min(data.len()), &data[..bytes.min(data.len())])
            }
            Data::Normal { size, data } => (usize::try_from(size).unwrap_or(usize::MAX), data),
        };
        self.check(address, size, state)?;
        if data.len() < size {
            let data = data.to_vec();
            self.transfer = Transfer::Download { address, data, size, toggle: false };
        } else {
            self.write(address, data, state)?;
        }
        outbox.sdo(&Response::Download(address));
        Ok(())
    }

    fn continue_download(
        &mut self,
        toggle: bool,
        last: bool,
        segment: &[u8],
        state: u8,
        outbox: &mut Outbox,
    ) {
        let Transfer::Download { address, data, size, toggle: expected } = &mut self.transfer
        else {
            return self.give_up(Address::default(), AbortCode::COMMAND, outbox);
        };
        let (address, size) = (*address, *size);
        if toggle != *expected {
            return self.give_up(address, AbortCode::TOGGLE, outbox);
        }
        *expected = !toggle;
        data.extend_from_slice(segment);
        if data.len() > size.min(VALUE_BYTES_MAX) {
            return self.give_up(address, AbortCode::TOO_LONG, outbox);
        }
        if last {
            let data = std::mem::take(data);
            self.transfer = Transfer::None;
            let written = if data.len() < size {
                Err(AbortCode::TOO_SHORT)
            } else {
                self.write(address, &data, state)
            };
            if let Err(code) = written {
                return self.give_up(address, code, outbox);
            }
        }
        outbox.sdo(&Response::DownloadSegment { toggle });
    }

    /// Whether so many bytes may be written.
    pub(super) fn check(
        &self,
        address: Address,
        length: usize,
        state: u8,
    ) -> Result<(), AbortCode> {
        self.check_complete(address)?;
        self.dictionary.check_write(address, length, state)
    }

    /// Takes a whole value, or object, over; after [`Coe::check`].
    pub(super) fn write(
        &mut self,
        address: Address,
        data: &[u8],
        state: u8,
    ) -> Result<(), AbortCode> {
        let Address { index, subindex, complete } = address;
        if !complete {
            return self.write_entry(index, subindex, data, state);
        }
        let values = self.dictionary.split(address, data, state)?;
        // All of it or nothing.
        let before = self.dictionary.objects.get(&index).cloned();
        let result = self.write_complete(index, &values, state);
        if let (Err(_), Some(before)) = (result, before) {
            self.dictionary.objects.insert(index, before);
            self.follow_modules(index);
        }
        result
    }

    /// A PDO object's subindex 0 comes first in the data and is written last: the others need it to be 0.
    fn write_complete(
        &mut self,
        index: u16,
        values: &[(u8, Vec<u8>)],
        state: u8,
    ) -> Result<(), AbortCode> {
        let count = values.iter().find(|(subindex, _)| *subindex == 0);
        let count_first = pdo::is_pdo_object(index);
        if count_first && count.is_some() {
            self.write_entry(index, 0, &[0], state)?;
        }
        for (subindex, value) in values.iter().filter(|(subindex, _)| *subindex != 0) {
            self.write_entry(index, *subindex, value, state)?;
        }
        count.map_or(Ok(()), |(_, value)| self.write_entry(index, 0, value, state))
    }

    fn write_entry(
        &mut self,
        index: u16,
        subindex: u8,
        value: &[u8],
        state: u8,
    ) -> Result<(), AbortCode> {
        if pdo::is_pdo_object(index) {
            let address = Address { index, subindex, complete: false };
            self.dictionary.check_write(address, value.len(), state)?;
            pdo::check_write(&self.dictionary, &self.rules, index, subindex, value, state)?;
        }
        let mapped = self.blocks_mapped && state != PRE_OP;
        if mapped && pdo::is_output(&self.dictionary, index, subindex) {
            return Err(AbortCode::MAPPED_TO_RX_PDO);
        }
        if index == diagnosis::INDEX && self.dictionary.objects.contains_key(&index) {
            self.history.check_write(subindex, value)?;
        }
        if let (modules::CONFIGURED, Some(modules)) = (index, &self.modules) {
            modules.check_write(subindex, value)?;
        }
        self.dictionary.write_entry(index, subindex, value, state)?;
        if index == diagnosis::INDEX {
            self.history.written(subindex, value);
        }
        self.follow_modules(index);
        Ok(())
    }

    /// The list of configured modules was written.
    fn follow_modules(&mut self, index: u16) {
        if let (modules::CONFIGURED, Some(modules)) = (index, &mut self.modules) {
            modules.follow(&mut self.dictionary);
        }
    }
}

fn abort(address: Address, code: AbortCode) -> Response<'static> {
    Response::Abort(address, code)
}

/// Where an SDO with an unknown command points, if it says so.
fn address_of(payload: &[u8]) -> Address {
    match payload {
        [_, low, high, subindex, ..] => Address {
            index: u16::from_le_bytes([*low, *high]),
            subindex: *subindex,
            complete: false,
        },
        _ => Address::default(),
    }
}

impl Outbox {
    fn sdo(&mut self, response: &Response<'_>) {
        self.push(Kind::Coe, |buffer| response.emit(buffer));
    }
}
