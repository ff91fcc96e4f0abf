//! The device's side of the mailbox, a file a protocol: what mail comes in, and what mail it answers.
//!
//! Nothing here knows of registers. [`crate::esc`] carries mail between the SyncManagers and a [`Mailbox`],
//! and knows when it is read and answered.

pub mod diagnosis;
pub mod object_dictionary;
pub mod pdo;

mod coe;
mod fault;
mod foe;
mod information;
mod standard_objects;
pub(crate) mod sync_objects;

pub use fault::{MailEffect, MailFault};
pub use foe::File;
pub use standard_objects::standard_objects;

use std::collections::VecDeque;

use ecat_wire::mailbox::coe::AbortCode;
use ecat_wire::mailbox::coe::emergency::Emergency;
use ecat_wire::mailbox::foe::FoeError;
use ecat_wire::mailbox::{
    ErrorDetail, ErrorReply, HEADER_BYTES, Header, Kind, MailError, next_counter,
};

use diagnosis::Severity;
use object_dictionary::ObjectDictionary;

const BOOT: u8 = 3;
/// Error register, object 0x1001.
const ERROR_REGISTER: u16 = 0x1001;
/// More mail than this waits for nobody: emergencies are then lost.
const WAITING_MAX: usize = 64;

/// What a device has a mailbox for.
#[derive(Clone, Debug, Default)]
pub struct MailboxSettings {
    /// Its objects after power-on; none: no CoE.
    pub dictionary: Option<ObjectDictionary>,
    /// Whether whole objects can be read and written at once.
    pub complete_access: bool,
    /// Whether an SDO may not write what an RxPDO carries, outside PRE-OP.
    pub blocks_mapped: bool,
    /// What goes wrong, from power-on.
    pub faults: Vec<MailFault>,
    /// Its files; none: no FoE.
    pub files: Option<Vec<File>>,
    /// How long an answer takes, in ns. Half of it until the mail is read.
    pub answer_delay_ns: u64,
    /// The mailboxes in BOOT: start and bytes, of the one that it receives by first.
    pub boot: Option<[(u16, u16); 2]>,
    /// Emergencies that it sends when it has entered a state (its code).
    pub emergencies: Vec<(u8, Emergency)>,
    /// Protocols that it speaks and that are not simulated: it reads such mail and does not answer.
    pub foreign: Vec<Kind>,
}

/// Mail on its way to the MainDevice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    send_bytes: usize,
    counter: u8,
    mails: VecDeque<Vec<u8>>,
}

impl Outbox {
    /// What the body of a mail can have.
    fn body_bytes(&self) -> usize {
        self.send_bytes.saturating_sub(HEADER_BYTES)
    }

    fn push(&mut self, kind: Kind, emit: impl FnOnce(&mut [u8]) -> Result<usize, MailError>) {
        let mut mail = vec![0; self.send_bytes];
        let Some((head, body)) = mail.split_at_mut_checked(HEADER_BYTES) else { return };
        // A mailbox that is too small for the answer gets none.
        let Ok(length) = emit(body) else { return };
        self.counter = next_counter(self.counter);
        let header = Header::new(kind, u16::try_from(length).unwrap_or(u16::MAX), self.counter);
        if header.emit(head).is_ok() {
            mail.truncate(HEADER_BYTES + length);
            self.mails.push_back(mail);
        }
    }
}

/// The mailbox of a device: its objects, its files, and what is under way.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    settings: MailboxSettings,
    coe: Option<coe::Coe>,
    foe: Option<foe::Foe>,
    outbox: Outbox,
    receive_bytes: usize,
    last_counter: u8,
    faults: fault::MailFaults,
    /// The answer to the last mail takes so much longer.
    late_ns: u64,
}

impl Mailbox {
    pub(crate) fn new(settings: MailboxSettings) -> Self {
        let foe = settings.files.clone().map(foe::Foe::new);
        let mut mailbox = Self {
            settings,
            coe: None,
            foe,
            outbox: Outbox::default(),
            receive_bytes: 0,
            last_counter: 0,
            faults: fault::MailFaults::default(),
            late_ns: 0,
        };
        mailbox.power_on();
        mailbox
    }

    /// Objects as after power-on. Files are in flash and stay.
    pub(crate) fn power_on(&mut self) {
        let dictionary = self.settings.dictionary.clone();
        let settings = &self.settings;
        self.coe = dictionary.map(|objects| {
            coe::Coe::new(objects, settings.complete_access, settings.blocks_mapped)
        });
        self.faults = fault::MailFaults::new(&self.settings.faults);
        self.stop();
    }

    pub(crate) fn answer_delay_ns(&self) -> u64 {
        self.settings.answer_delay_ns
    }

    /// How long the answer to the mail that was just received takes, in ns.
    pub(crate) fn take_answer_delay_ns(&mut self) -> u64 {
        self.settings.answer_delay_ns + std::mem::take(&mut self.late_ns)
    }

    /// Something is about to go wrong.
    pub(crate) fn disturb(&mut self, fault: MailFault) {
        self.faults.add(fault);
    }

    /// The mailboxes are open, with these sizes.
    pub(crate) fn start(&mut self, receive_bytes: u16, send_bytes: u16) {
        self.stop();
        self.receive_bytes = usize::from(receive_bytes);
        self.outbox.send_bytes = usize::from(send_bytes);
    }

    /// The mailboxes are closed: nothing of a transfer is left.
    pub(crate) fn stop(&mut self) {
        self.outbox = Outbox::default();
        (self.receive_bytes, self.last_counter) = (0, 0);
        if let Some(coe) = &mut self.coe {
            coe.stop();
        }
        if let Some(foe) = &mut self.foe {
            foe.stop();
        }
    }

    pub(crate) fn dictionary(&self) -> Option<&ObjectDictionary> {
        self.coe.as_ref().map(|coe| &coe.dictionary)
    }

    pub(crate) fn dictionary_mut(&mut self) -> Option<&mut ObjectDictionary> {
        self.coe.as_mut().map(|coe| &mut coe.dictionary)
    }

    /// The content of a file.
    pub(crate) fn file(&self, name: &str) -> Option<&[u8]> {
        let files = &self.foe.as_ref()?.files;
        files.iter().find(|file| file.name == name).map(|file| file.content.as_slice())
    }

    /// The content of a file, to be exchanged.
    pub(crate) fn file_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        let files = &mut self.foe.as_mut()?.files;
        files.iter_mut().find(|file| file.name == name).map(|file| &mut file.content)
    }

    /// Takes what stood in the receive mailbox.
    pub(crate) fn receive(&mut self, mail: &[u8], state: u8) {
        let Ok((header, body)) = Header::parse(mail) else { return };
        // A counter of 0 is in no sequence.
        if header.counter != 0 && header.counter == self.last_counter {
            return;
        }
        self.last_counter = header.counter;
        let effect = self.faults.meet(header.kind);
        let before = self.outbox.mails.len();
        match effect {
            Some(MailEffect::Silence) => return,
            Some(MailEffect::ErrorReply { detail }) => {
                let reply = ErrorReply { detail: ErrorDetail::Other(detail) };
                self.outbox.push(Kind::Error, |buffer| reply.emit(buffer));
                return;
            }
            Some(MailEffect::Abort { code }) => {
                if let Some(coe) = &mut self.coe {
                    return coe.abort(body, AbortCode(code), &mut self.outbox);
                }
            }
            Some(MailEffect::FileBusy) => return foe::say_busy(&mut self.outbox),
            Some(MailEffect::FileError { code }) => {
                if let Some(foe) = &mut self.foe {
                    return foe.fail(FoeError(code), &mut self.outbox);
                }
            }
            Some(MailEffect::Late { delay_ms }) => self.late_ns = u64::from(delay_ms) * 1_000_000,
            _ => {}
        }
        self.answer(header, body, state);
        match effect {
            Some(MailEffect::LoseReply) => self.outbox.mails.truncate(before),
            Some(effect) => {
                self.outbox
                    .mails
                    .iter_mut()
                    .skip(before)
                    .for_each(|mail| fault::spoil(effect, mail));
            }
            None => {}
        }
    }

    fn answer(&mut self, header: Header, body: &[u8], state: u8) {
        if let Err(detail) = self.dispatch(header, body, state) {
            let reply = ErrorReply { detail };
            self.outbox.push(Kind::Error, |buffer| reply.emit(buffer));
        }
    }

    fn dispatch(&mut self, header: Header, body: &[u8], state: u8) -> Result<(), ErrorDetail> {
        if usize::from(header.length) > self.receive_bytes.saturating_sub(HEADER_BYTES) {
            return Err(ErrorDetail::InvalidSize);
        }
        if header.channel != 0 {
            return Err(ErrorDetail::InvalidChannel);
        }
        match (header.kind, &mut self.coe, &mut self.foe) {
            // Nobody answers an error.
            (Kind::Error, ..) => Ok(()),
            (kind, ..) if self.settings.foreign.contains(&kind) => Ok(()),
            // A bootloader has no objects.
            (Kind::Coe, Some(coe), _) if state != BOOT => {
                coe.receive(body, state, &mut self.outbox)
            }
            (Kind::Foe, _, Some(foe)) => {
                let room = self.receive_bytes - HEADER_BYTES;
                foe.receive(body, state, room, &mut self.outbox)
            }
            _ => Err(ErrorDetail::UnsupportedProtocol),
        }
    }

    /// Whether it speaks protocols that are not simulated.
    pub(crate) fn speaks_foreign(&self) -> bool {
        !self.settings.foreign.is_empty()
    }

    /// Whether a mail is of such a protocol.
    pub(crate) fn is_foreign(&self, mail: &[u8]) -> bool {
        let kind = Header::parse(mail).map(|(header, _)| header.kind);
        kind.is_ok_and(|kind| self.settings.foreign.contains(&kind))
    }

    /// Puts an empty mail of such a protocol in line.
    pub(crate) fn push_foreign(&mut self) {
        if let Some(&kind) = self.settings.foreign.first() {
            self.outbox.push(kind, |_| Ok(0));
        }
    }

    /// The next mail to present, if any.
    pub(crate) fn next_mail(&mut self) -> Option<Vec<u8>> {
        self.outbox.mails.pop_front()
    }

    /// Whether mail waits to be presented.
    pub(crate) fn has_mail(&self) -> bool {
        !self.outbox.mails.is_empty()
    }

    /// The device has entered a state with an AL status code, or 0.
    pub(crate) fn entered(&mut self, state: u8, code: u16, now_ns: u64) {
        let Some(coe) = &mut self.coe else { return };
        if code != 0 {
            let kind = 0xE000;
            coe.history.add(kind | u32::from(code) << 16, Severity::Error, code, now_ns);
            return;
        }
        for n in 0..self.settings.emergencies.len() {
            let (at, emergency) = self.settings.emergencies[n];
            if at == state {
                self.raise(emergency, now_ns);
            }
        }
    }

    /// Sends an emergency, if the mailbox is open, and remembers it.
    pub(crate) fn raise(&mut self, emergency: Emergency, now_ns: u64) {
        let Some(coe) = &mut self.coe else { return };
        if let Some(entry) = coe.dictionary.entry_mut(ERROR_REGISTER, 0) {
            entry.value = vec![emergency.register];
        }
        let kind = 0xE800;
        let code = kind | u32::from(emergency.code) << 16;
        coe.history.add(code, Severity::Error, 0, now_ns);
        if self.outbox.mails.len() < WAITING_MAX {
            self.outbox.push(Kind::Coe, |buffer| emergency.emit(buffer));
        }
    }
}
