//! The device's side of the mailbox, a file a protocol: what mail comes in, and what mail it answers.
//!
//! Nothing here knows of registers. [`crate::esc`] carries mail between the SyncManagers and a [`Mailbox`],
//! and knows when it is read and answered.

pub mod diagnosis;
pub mod modules;
pub mod object_dictionary;
pub mod pdo;

mod aoe;
mod coe;
mod eoe;
mod fault;
mod foe;
mod information;
pub(crate) mod soe;
mod standard_objects;
pub(crate) mod sync_objects;
mod voe;

pub use aoe::{AdsArea, AoeSettings};
pub(crate) use eoe::EthernetFrame;
pub use eoe::{EoeSettings, EthernetCounters, HostSettings};
pub use fault::{MailEffect, MailFault, MailProtocol};
pub use foe::File;
pub(crate) use modules::Modules;
pub use soe::{Cyclic, Drive, DriveCommand, Parameter, Value};
pub use standard_objects::standard_objects;
pub use voe::VoeSettings;

use std::collections::VecDeque;

use ecat_wire::mailbox::aoe::AdsError;
use ecat_wire::mailbox::coe::AbortCode;
use ecat_wire::mailbox::coe::emergency::Emergency;
use ecat_wire::mailbox::eoe::EoeResult;
use ecat_wire::mailbox::foe::FoeError;
use ecat_wire::mailbox::soe::{Emergency as DriveEmergency, Idn, SoeError};
use ecat_wire::mailbox::{
    ErrorDetail, ErrorReply, HEADER_BYTES, Header, Kind, MailError, next_counter,
};

use diagnosis::Severity;
use object_dictionary::ObjectDictionary;

const BOOT: u8 = 3;
/// CoE service of a request by SDO (ETG.1000.6).
const SDO_REQUEST: u8 = 2;
/// Error register, object 0x1001.
const ERROR_REGISTER: u16 = 0x1001;
/// More mail than this waits for nobody: emergencies are then lost.
const WAITING_MAX: usize = 64;

/// When mail arrives, and where the device is then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// AL state, by its code.
    pub(crate) state: u8,
    /// The segment's time.
    pub(crate) now_ns: u64,
    /// The device's system time.
    pub(crate) system_time_ns: u64,
}

/// What a device has a mailbox for.
#[derive(Clone, Debug, Default)]
pub struct MailboxSettings {
    /// Its objects after power-on; none: no CoE.
    pub dictionary: Option<ObjectDictionary>,
    /// Whether whole objects can be read and written at once.
    pub complete_access: bool,
    /// Whether an SDO may not write what an RxPDO carries, outside PRE-OP.
    pub blocks_mapped: bool,
    /// Whether it has no SDO information.
    pub without_information: bool,
    /// What it allows of PDO assignments beyond what its objects say.
    pub pdo_rules: pdo::PdoRules,
    /// Its slots, where it has modules.
    pub slots: Option<modules::Slots>,
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
    /// Its Ethernet; none: no EoE.
    pub eoe: Option<EoeSettings>,
    /// Its drives; none: no SoE.
    pub drives: Vec<Drive>,
    /// What it is to ADS; none: no AoE.
    pub aoe: Option<AoeSettings>,
    /// The vendor's own protocol; none: no VoE.
    pub voe: Option<VoeSettings>,
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
    eoe: Option<eoe::Eoe>,
    soe: Option<soe::Soe>,
    aoe: Option<aoe::Aoe>,
    outbox: Outbox,
    receive_bytes: usize,
    last_counter: u8,
    /// Answers that wait for those of the next request.
    held: VecDeque<Vec<u8>>,
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
            eoe: None,
            soe: None,
            aoe: None,
            outbox: Outbox::default(),
            receive_bytes: 0,
            last_counter: 0,
            held: VecDeque::new(),
            late_ns: 0,
        };
        mailbox.power_on();
        mailbox
    }

    /// Objects as after power-on. Files are in flash and stay.
    pub(crate) fn power_on(&mut self) {
        let dictionary = self.settings.dictionary.clone();
        let settings = &self.settings;
        self.coe = dictionary.map(|objects| coe::Coe::new(objects, settings));
        self.eoe = settings.eoe.clone().map(eoe::Eoe::new);
        let drives = settings.drives.clone();
        self.soe = (!drives.is_empty()).then(|| soe::Soe::new(drives));
        self.aoe = settings.aoe.clone().map(aoe::Aoe::new);
        self.stop();
    }

    pub(crate) fn answer_delay_ns(&self) -> u64 {
        self.settings.answer_delay_ns
    }

    /// How long the answer to the mail that was just received takes, in ns.
    pub(crate) fn take_answer_delay_ns(&mut self) -> u64 {
        self.settings.answer_delay_ns + std::mem::take(&mut self.late_ns)
    }

    /// The mailboxes are open, with these sizes.
    pub(crate) fn start(&mut self, receive_bytes: u16, send_bytes: u16) {
        self.stop();
        self.receive_bytes = usize::from(receive_bytes);
        self.outbox.send_bytes = usize::from(send_bytes);
        if let Some(eoe) = &mut self.eoe {
            eoe.start(self.outbox.body_bytes());
        }
    }

    /// The mailboxes are closed: nothing of a transfer is left.
    pub(crate) fn stop(&mut self) {
        self.outbox = Outbox::default();
        self.held.clear();
        (self.receive_bytes, self.last_counter) = (0, 0);
        if let Some(coe) = &mut self.coe {
            coe.stop();
        }
        if let Some(foe) = &mut self.foe {
            foe.stop();
        }
        if let Some(eoe) = &mut self.eoe {
            eoe.stop();
        }
        if let Some(soe) = &mut self.soe {
            soe.stop();
        }
    }

    pub(crate) fn dictionary(&self) -> Option<&ObjectDictionary> {
        self.coe.as_ref().map(|coe| &coe.dictionary)
    }

    pub(crate) fn dictionary_mut(&mut self) -> Option<&mut ObjectDictionary> {
        self.coe.as_mut().map(|coe| &mut coe.dictionary)
    }

    /// Its slots, where it has modules.
    pub(crate) fn modules(&self) -> Option<&Modules> {
        self.coe.as_ref()?.modules.as_ref()
    }

    /// Another module is plugged into a slot, from 1, and stays there when power goes; 0: none. Tells whether that is a
    /// change.
    pub(crate) fn plug(&mut self, slot: u8, ident: u32) -> bool {
        let Some(coe) = &mut self.coe else { return false };
        let Some(modules) = &mut coe.modules else { return false };
        let changes = modules.plug(slot, ident, &mut coe.dictionary);
        self.settings.slots = Some(modules.slots().clone());
        changes
    }

    /// A PDO that must be assigned and is not.
    pub(crate) fn misses_pdo(&self) -> Option<u16> {
        self.coe.as_ref().and_then(|coe| coe.rules().misses(&coe.dictionary))
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

    /// Its drives, of SoE.
    pub(crate) fn drives(&self) -> &[Drive] {
        self.soe.as_ref().map_or(&[], |soe| &soe.drives)
    }

    /// Its drives, of SoE.
    pub(crate) fn drives_mut(&mut self) -> &mut [Drive] {
        self.soe.as_mut().map_or(&mut [], |soe| &mut soe.drives)
    }

    /// What its Ethernet has done since power-on.
    pub(crate) fn ethernet_counters(&self) -> Option<EthernetCounters> {
        self.eoe.as_ref().map(|eoe| eoe.counters)
    }

    /// The content of an ADS area that begins there.
    pub(crate) fn ads_area(&self, group: u32, offset: u32) -> Option<&[u8]> {
        let areas = &self.aoe.as_ref()?.areas;
        let area = areas.iter().find(|area| (area.group, area.offset) == (group, offset));
        area.map(|area| area.content.as_slice())
    }

    /// Its ADS state and the device's own.
    pub(crate) fn ads_states(&self) -> Option<(u16, u16)> {
        self.aoe.as_ref().map(|aoe| aoe.states)
    }

    /// Whether its Ethernet sockets have power.
    pub(crate) fn set_powered(&mut self, powered: bool) {
        if let Some(eoe) = &mut self.eoe {
            eoe.set_powered(powered);
        }
    }

    /// A frame comes in at an Ethernet socket.
    pub(crate) fn receive_at_socket(&mut self, socket: u8, frame: EthernetFrame, moment: Moment) {
        if let Some(eoe) = &mut self.eoe {
            eoe.receive_at_socket(socket, frame, moment);
        }
    }

    /// The next frame that leaves by an Ethernet socket.
    pub(crate) fn next_outgoing(&mut self) -> Option<(u8, EthernetFrame)> {
        self.eoe.as_mut()?.next_outgoing()
    }

    /// Lets time pass: what the device says by itself. Returns when it has something to say next.
    pub(crate) fn tick(&mut self, now_ns: u64) -> u64 {
        let Self { soe, outbox, .. } = self;
        soe.as_mut().map_or(u64::MAX, |soe| {
            soe.tick(now_ns, |notification| {
                if outbox.mails.len() < WAITING_MAX {
                    outbox.drive(notification);
                }
            })
        })
    }

    /// A drive tells the value of an IDN.
    pub(crate) fn notify(&mut self, drive: u8, idn: Idn) {
        if let Some(soe) = &self.soe
            && self.outbox.mails.len() < WAITING_MAX
        {
            soe.notify(drive, idn, &mut self.outbox);
        }
    }

    /// A drive sends an emergency.
    pub(crate) fn raise_of_drive(&mut self, emergency: DriveEmergency) {
        if let Some(soe) = &mut self.soe
            && soe.raise(&emergency)
            && self.outbox.mails.len() < WAITING_MAX
        {
            self.outbox.push(Kind::Soe, |buffer| emergency.emit(buffer));
        }
    }

    /// The protocol of a mail, and whether it is a request by SDO; `None` for one that is not taken: no mail, or one
    /// that has come before.
    pub(crate) fn kind_of(&self, mail: &[u8]) -> Option<(Kind, bool)> {
        let (header, body) = Header::parse(mail).ok()?;
        let again = header.counter != 0 && header.counter == self.last_counter;
        let sdo =
            header.kind == Kind::Coe && body.get(1).is_some_and(|byte| byte >> 4 == SDO_REQUEST);
        (!again).then_some((header.kind, sdo))
    }

    /// Takes what stood in the receive mailbox, and what it meets.
    pub(crate) fn receive(&mut self, mail: &[u8], moment: Moment, effect: Option<MailEffect>) {
        let Ok((header, body)) = Header::parse(mail) else { return };
        // A counter of 0 is in no sequence.
        if header.counter != 0 && header.counter == self.last_counter {
            return;
        }
        self.last_counter = header.counter;
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
            Some(MailEffect::DriveError { code }) => {
                if let Some(soe) = &mut self.soe {
                    return soe.refuse(body, SoeError(code), &mut self.outbox);
                }
            }
            Some(MailEffect::AdsError { code }) if self.aoe.is_some() => {
                return aoe::Aoe::refuse(body, AdsError(code), &mut self.outbox);
            }
            Some(MailEffect::EthernetResult { code }) => {
                if let Some(eoe) = &mut self.eoe {
                    return eoe.refuse(body, EoeResult(code), &mut self.outbox);
                }
            }
            Some(MailEffect::Late { delay_ms }) => self.late_ns = u64::from(delay_ms) * 1_000_000,
            _ => {}
        }
        self.answer(header, body, moment);
        match effect {
            Some(MailEffect::LoseReply) => self.outbox.mails.truncate(before),
            Some(MailEffect::BehindNext) => {
                self.held.extend(self.outbox.mails.drain(before..));
                return;
            }
            Some(effect) => {
                self.outbox
                    .mails
                    .iter_mut()
                    .skip(before)
                    .for_each(|mail| fault::spoil(effect, mail));
            }
            None => {}
        }
        self.outbox.mails.append(&mut self.held);
    }

    fn answer(&mut self, header: Header, body: &[u8], moment: Moment) {
        if let Err(detail) = self.dispatch(header, body, moment) {
            let reply = ErrorReply { detail };
            self.outbox.push(Kind::Error, |buffer| reply.emit(buffer));
        }
    }

    fn dispatch(&mut self, header: Header, body: &[u8], moment: Moment) -> Result<(), ErrorDetail> {
        if usize::from(header.length) > self.receive_bytes.saturating_sub(HEADER_BYTES) {
            return Err(ErrorDetail::InvalidSize);
        }
        if header.channel != 0 {
            return Err(ErrorDetail::InvalidChannel);
        }
        if self.settings.foreign.contains(&header.kind) {
            return Ok(());
        }
        let state = moment.state;
        let Self { settings, coe, foe, eoe, soe, aoe, outbox, receive_bytes, .. } = self;
        match header.kind {
            // Nobody answers an error.
            Kind::Error => Some(Ok(())),
            Kind::Foe => {
                let room = *receive_bytes - HEADER_BYTES;
                foe.as_mut().map(|foe| foe.receive(body, state, room, outbox))
            }
            // A bootloader has files and nothing else.
            _ if state == BOOT => None,
            Kind::Coe => coe.as_mut().map(|coe| coe.receive(body, state, outbox)),
            Kind::Eoe => eoe.as_mut().map(|eoe| eoe.receive(body, moment, outbox)),
            Kind::Soe => soe.as_mut().map(|soe| soe.receive(body, state, moment.now_ns, outbox)),
            Kind::Aoe => aoe.as_mut().map(|aoe| aoe.receive(body, state, coe.as_mut(), outbox)),
            Kind::Voe => settings.voe.as_ref().map(|voe| voe::receive(voe, body, outbox)),
            Kind::Other(_) => None,
        }
        .unwrap_or(Err(ErrorDetail::UnsupportedProtocol))
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

    /// The next mail to present, if any: what was asked for first, then fragments of frames. So other mail passes
    /// between two of them. `loses` tells whether the next fragment gets lost.
    pub(crate) fn next_mail(&mut self, mut loses: impl FnMut() -> bool) -> Option<Vec<u8>> {
        while self.outbox.mails.is_empty() {
            let eoe = self.eoe.as_mut().filter(|eoe| eoe.has_fragment())?;
            eoe.push_fragment(loses(), &mut self.outbox);
        }
        self.outbox.mails.pop_front()
    }

    /// Whether an answer waits to be presented: until it is out, no other mail is read.
    pub(crate) fn has_answer(&self) -> bool {
        !self.outbox.mails.is_empty()
    }

    /// Whether mail waits to be presented.
    pub(crate) fn has_mail(&self) -> bool {
        self.has_answer() || self.eoe.as_ref().is_some_and(eoe::Eoe::has_fragment)
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
