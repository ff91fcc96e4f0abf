//! The device's side of the servo drive profile: reading and writing the elements of IDNs, in fragments where they are
//! longer than a mail, procedure commands, notifications and emergencies (ETG1000.6, "SoE"; IEC 61491).

mod drive;
mod parameter;

pub use drive::{Drive, DriveCommand};
pub(crate) use drive::{has_telegrams, mapping_of};
pub use parameter::{Cyclic, Parameter, Value};

use ecat_wire::mailbox::soe::{
    Content, Elements, Emergency, HEADER_BYTES, Idn, Mail, Opcode, SoeError,
};
use ecat_wire::mailbox::{ErrorDetail, Kind};

use super::Outbox;
use drive::Changed;

/// More than an element can have: the most that a list can be, with its header.
const WRITE_BYTES_MAX: usize = 65_535 + 4;

/// A write that takes more than one mail.
#[derive(Clone, Debug)]
struct Write {
    drive: u8,
    elements: Elements,
    data: Vec<u8>,
}

/// What a device knows between two mails.
#[derive(Clone, Debug)]
pub(super) struct Soe {
    pub(super) drives: Vec<Drive>,
    write: Option<Write>,
}

impl Soe {
    pub(super) fn new(drives: Vec<Drive>) -> Self {
        Self { drives, write: None }
    }

    /// Forgets a transfer, as the mailbox does when it stops.
    pub(super) fn stop(&mut self) {
        self.write = None;
    }

    /// Takes one mail; what it answers goes to the outbox.
    pub(super) fn receive(
        &mut self,
        body: &[u8],
        state: u8,
        now_ns: u64,
        outbox: &mut Outbox,
    ) -> Result<(), ErrorDetail> {
        let mail = Mail::parse(body).map_err(|error| match error {
            ecat_wire::mailbox::MailError::Unknown { .. } => ErrorDetail::ServiceNotSupported,
            _ => ErrorDetail::SizeTooShort,
        })?;
        match (mail.opcode, mail.content) {
            (Opcode::ReadRequest, Content::Last { idn, .. }) => {
                self.write = None;
                match self.read(&mail, idn) {
                    Ok(data) => respond(&mail, idn, &data, outbox),
                    Err(code) => refuse(&mail, idn, code, outbox),
                }
                Ok(())
            }
            (Opcode::WriteRequest, Content::Fragment { data, .. }) => {
                self.collect(&mail, data);
                Ok(())
            }
            (Opcode::WriteRequest, Content::Last { idn, data }) => {
                self.collect(&mail, data);
                let data = self.write.take().map(|write| write.data).unwrap_or_default();
                match self.take_over(&mail, idn, &data, state, now_ns) {
                    Ok(()) => {
                        let content = Content::Last { idn, data: &[] };
                        outbox.drive(&Mail { opcode: Opcode::WriteResponse, content, ..mail });
                    }
                    Err(code) => refuse(&mail, idn, code, outbox),
                }
                Ok(())
            }
            // Answers are no requests, and neither is what a drive tells by itself.
            _ => Err(ErrorDetail::InvalidHeader),
        }
    }

    /// Refuses a request: for faults.
    pub(super) fn refuse(&mut self, body: &[u8], code: SoeError, outbox: &mut Outbox) {
        self.write = None;
        let Ok(mail) = Mail::parse(body) else { return };
        let idn = match mail.content {
            Content::Last { idn, .. } | Content::Error { idn, .. } => idn,
            Content::Fragment { .. } => Idn::default(),
        };
        refuse(&mail, idn, code, outbox);
    }

    /// The fragments of a write: of one drive and the same elements, or it begins anew.
    fn collect(&mut self, mail: &Mail<'_>, data: &[u8]) {
        let same = |write: &Write| (write.drive, write.elements) == (mail.drive, mail.elements);
        let mut write = self.write.take().filter(same).unwrap_or_else(|| Write {
            drive: mail.drive,
            elements: mail.elements,
            data: Vec::new(),
        });
        let room = WRITE_BYTES_MAX.saturating_sub(write.data.len());
        write.data.extend_from_slice(&data[..data.len().min(room)]);
        self.write = Some(write);
    }

    fn read(&self, mail: &Mail<'_>, idn: Idn) -> Result<Vec<u8>, SoeError> {
        let drive = self.drives.get(usize::from(mail.drive)).ok_or(SoeError::NO_DRIVE)?;
        if mail.elements == Elements::default() {
            return Err(SoeError::NO_ELEMENT);
        }
        let parameter = drive.parameters.get(&idn).ok_or(SoeError::NO_IDN)?;
        let mut data = Vec::new();
        for bit in 0..u8::BITS {
            let element = Elements(mail.elements.0 & 1 << bit);
            if element != Elements::default() {
                data.extend_from_slice(&parameter.element(element)?);
            }
        }
        Ok(data)
    }

    fn take_over(
        &mut self,
        mail: &Mail<'_>,
        idn: Idn,
        data: &[u8],
        state: u8,
        now_ns: u64,
    ) -> Result<(), SoeError> {
        let drive = self.drives.get_mut(usize::from(mail.drive)).ok_or(SoeError::NO_DRIVE)?;
        if mail.elements == Elements::default() {
            return Err(SoeError::NO_ELEMENT);
        }
        if !drive.parameters.contains_key(&idn) {
            return Err(SoeError::NO_IDN);
        }
        parameter::writable_elements(mail.elements)?;
        drive.write(idn, data, state, now_ns)
    }

    /// Lets time pass: commands end, and say so. Returns when the next one does.
    pub(super) fn tick(&mut self, now_ns: u64, mut told: impl FnMut(&Mail<'_>)) -> u64 {
        let mut next_ns = u64::MAX;
        for (n, drive) in (0..).zip(&mut self.drives) {
            while let Some(Changed { idn, data_state, notifies }) = drive.end_command(now_ns) {
                if notifies {
                    told(&Mail {
                        opcode: Opcode::Notification,
                        drive: n,
                        elements: Elements::DATA_STATE,
                        content: Content::Last { idn, data: &data_state.to_le_bytes() },
                    });
                }
            }
            next_ns = next_ns.min(drive.next_end_ns());
        }
        next_ns
    }

    /// Sends the value of an IDN without being asked.
    pub(super) fn notify(&self, drive: u8, idn: Idn, outbox: &mut Outbox) {
        let parameter =
            self.drives.get(usize::from(drive)).and_then(|one| one.parameters.get(&idn));
        if let Some(Ok(data)) = parameter.map(|one| one.element(Elements::VALUE)) {
            outbox.drive(&Mail {
                opcode: Opcode::Notification,
                drive,
                elements: Elements::VALUE,
                content: Content::Last { idn, data: &data },
            });
        }
    }

    /// Remembers an emergency in the drive's class 1 diagnostic; tells whether there is such a drive.
    pub(super) fn raise(&mut self, emergency: &Emergency) -> bool {
        let drive = self.drives.get_mut(usize::from(emergency.drive));
        drive.map(|drive| drive.raise(emergency.code)).is_some()
    }
}

/// Answers with elements, in as many fragments as they need.
fn respond(mail: &Mail<'_>, idn: Idn, data: &[u8], outbox: &mut Outbox) {
    let room = outbox.body_bytes().saturating_sub(HEADER_BYTES).max(1);
    let mut fragments = data.chunks(room).peekable();
    let mut left = data.len().div_ceil(room).max(1);
    loop {
        let data = fragments.next().unwrap_or_default();
        left -= 1;
        let content = match u16::try_from(left) {
            Ok(0) | Err(_) => Content::Last { idn, data },
            Ok(left) => Content::Fragment { left, data },
        };
        outbox.drive(&Mail { opcode: Opcode::ReadResponse, content, ..*mail });
        if fragments.peek().is_none() {
            return;
        }
    }
}

fn refuse(mail: &Mail<'_>, idn: Idn, code: SoeError, outbox: &mut Outbox) {
    let opcode = match mail.opcode {
        Opcode::WriteRequest => Opcode::WriteResponse,
        _ => Opcode::ReadResponse,
    };
    outbox.drive(&Mail { opcode, content: Content::Error { idn, code }, ..*mail });
}

impl Outbox {
    pub(super) fn drive(&mut self, mail: &Mail<'_>) {
        self.push(Kind::Soe, |buffer| mail.emit(buffer));
    }
}
