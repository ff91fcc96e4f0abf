//! The mail of one device in a capture.

use ecat_wire::mailbox::coe::sdo::{Data, Request, Response};
use ecat_wire::mailbox::coe::{Address, Service};
use ecat_wire::mailbox::{Header, Kind};
use serde::Serialize;

use super::{TwinDevice, spread};

/// An object as it was uploaded first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Index.
    pub index: u16,
    /// Subindex.
    pub subindex: u8,
    /// The whole object at once.
    pub complete: bool,
    /// The value, lowest byte first.
    pub bytes: Vec<u8>,
}

/// An upload that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// Index.
    pub index: u16,
    /// Subindex.
    pub subindex: u8,
    /// The whole object at once.
    pub complete: bool,
    /// Abort code.
    pub code: u32,
}

/// The two mailboxes, and the transfer that is under way.
#[derive(Default)]
pub(super) struct Mailbox {
    /// Where they begin, as their SyncManagers were set.
    areas: [Option<u16>; 2],
    /// When the last request went.
    asked_ns: Option<u64>,
    /// The upload under way, and what has come of it.
    upload: Option<(Address, usize, Vec<u8>)>,
    /// What was downloaded: it is no start value any more.
    downloaded: Vec<(u16, u8)>,
}

impl Mailbox {
    /// A SyncManager was set.
    pub(super) fn open(&mut self, number: u8, bytes: &[u8]) {
        let start = u16::from_le_bytes([bytes[0], bytes[1]]);
        if start > 0
            && let Some(area) = self.areas.get_mut(usize::from(number))
        {
            *area = Some(start);
        }
    }

    /// The MainDevice has written to a RAM address, and was counted.
    pub(super) fn sent(&mut self, address: u16, data: &[u8], time_ns: u64) {
        if self.areas[0].is_some_and(|area| area != address) {
            return;
        }
        let Ok((header, body)) = Header::parse(data) else { return };
        self.asked_ns = Some(time_ns);
        let Some(payload) = sdo(header.kind, body) else { return };
        match Request::parse(payload) {
            Ok(Request::Upload(address)) => self.upload = Some((address, usize::MAX, Vec::new())),
            Ok(Request::Download(address, _)) => {
                self.downloaded.push((address.index, address.subindex));
            }
            _ => {}
        }
    }

    /// The MainDevice has read from a RAM address, and was counted.
    pub(super) fn fetched(
        &mut self,
        address: u16,
        data: &[u8],
        time_ns: u64,
        found: &mut TwinDevice,
    ) {
        if self.areas[1].is_some_and(|area| area != address) {
            return;
        }
        let Ok((header, body)) = Header::parse(data) else { return };
        if header.length == 0 {
            return;
        }
        if let Some(asked_ns) = self.asked_ns.take() {
            spread(&mut found.mail_ns, time_ns.saturating_sub(asked_ns));
        }
        if header.kind != Kind::Coe {
            *found.other_mail.entry(header.kind.code()).or_default() += 1;
            return;
        }
        let Ok((service, payload)) = Service::parse(body) else { return };
        match service {
            Service::Emergency => found.emergencies += 1,
            Service::SdoRequest | Service::SdoResponse => self.answered(payload, found),
            _ => {}
        }
    }

    fn answered(&mut self, payload: &[u8], found: &mut TwinDevice) {
        let Ok(response) = Response::parse(payload) else { return };
        match response {
            Response::Upload(_, Data::Expedited(bytes) | Data::ExpeditedWithoutSize(bytes)) => {
                if let Some((address, ..)) = self.upload.take() {
                    self.keep(address, bytes.to_vec(), found);
                }
            }
            Response::Upload(_, Data::Normal { size, data }) => {
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                if let Some((address, ..)) = self.upload.take() {
                    if data.len() >= size {
                        self.keep(address, data.to_vec(), found);
                    } else {
                        self.upload = Some((address, size, data.to_vec()));
                    }
                }
            }
            Response::UploadSegment { last, data, .. } => {
                let Some((address, size, mut bytes)) = self.upload.take() else { return };
                bytes.extend_from_slice(data);
                if last {
                    bytes.truncate(size);
                    self.keep(address, bytes, found);
                } else {
                    self.upload = Some((address, size, bytes));
                }
            }
            Response::Abort(_, code) => {
                let Some((Address { index, subindex, complete }, ..)) = self.upload.take() else {
                    return;
                };
                let refused = Refused { index, subindex, complete, code: code.0 };
                if !found.refused_uploads.contains(&refused) {
                    found.refused_uploads.push(refused);
                }
            }
            _ => {}
        }
    }

    fn keep(&self, address: Address, bytes: Vec<u8>, found: &mut TwinDevice) {
        let Address { index, subindex, complete } = address;
        let is_known = found
            .uploads
            .iter()
            .any(|one| (one.index, one.subindex, one.complete) == (index, subindex, complete));
        if !is_known && !self.downloaded.contains(&(index, subindex)) {
            found.uploads.push(Upload { index, subindex, complete, bytes });
        }
    }
}

/// What follows the CoE header of an SDO request.
fn sdo(kind: Kind, body: &[u8]) -> Option<&[u8]> {
    let (service, payload) = Service::parse(body).ok().filter(|_| kind == Kind::Coe)?;
    (service == Service::SdoRequest).then_some(payload)
}
