//! Mail between the SyncManagers and the program behind them: when it is read, answered, presented, and
//! presented again (ESC data sheet, section I, "Mailbox mode"; registers 0x080E, 0x080F).

use ecat_wire::mailbox::coe::emergency::Emergency;
use ecat_wire::mailbox::soe::{Emergency as DriveEmergency, Idn};
use ecat_wire::register as reg;
use ecat_wire::sync_manager::{
    ACTIVATE_OFFSET, ACTIVATE_REPEAT, PDI_CONTROL_OFFSET, SYNC_MANAGER_BYTES, SyncManager,
};

use super::profile::{ClockLevel, Role};
use super::release::InternalEvent;
use super::{Esc, al};
use crate::faults::{Effect, Occasion};
use crate::mailbox::{Drive, EthernetCounters, EthernetFrame, MailEffect, Mailbox, Moment};

/// How long until a program without a mailbox has read a mail, in ns.
const MAIL_READ_NS: u64 = 500_000;
const BOOT: u8 = 3;

#[derive(Clone, Debug, Default)]
pub(super) struct Mail {
    /// Bit per mailbox that holds mail which the program has not read.
    unread: u16,
    /// Number of the frame that brought it, where faults of the device want to know.
    frame: u64,
    read_at_ns: Option<u64>,
    /// What the program says, and when it is ready to.
    answer_at_ns: Option<u64>,
    /// The SyncManagers that the program uses, from PRE-OP on or in BOOT: the one it receives by first.
    open: Option<[u8; 2]>,
    /// What stands in the send mailbox.
    presented: Option<Vec<u8>>,
    /// What was read last, for a repetition.
    last: Option<Vec<u8>>,
    /// A mail that gave way to a repetition.
    put_off: Option<Vec<u8>>,
    repeat_at_ns: Option<u64>,
    /// When the program last ran.
    pub(super) now_ns: u64,
}

impl Esc {
    pub(super) fn power_on_mail(&mut self) {
        self.mail = Mail::default();
        if let Some(mailbox) = &mut self.mailbox {
            mailbox.power_on();
        }
    }

    fn mail_delay_ns(&self) -> u64 {
        self.mailbox.as_ref().map_or(MAIL_READ_NS, |mailbox| mailbox.answer_delay_ns() / 2)
    }

    /// The frame's end: mailboxes that the MainDevice has filled, or has emptied.
    pub(super) fn end_of_frame_mail(&mut self, filled: u16, now_ns: u64) {
        if !self.application_runs() {
            return;
        }
        if filled != 0 {
            self.mail.unread |= filled;
            self.mail.frame = self.passing_frame();
            self.mail.read_at_ns.get_or_insert(now_ns + self.mail_delay_ns());
        }
        if let Some([_, send]) = self.mail.open {
            if !self.mailbox_is_full(send)
                && let Some(mail) = self.mail.presented.take()
            {
                self.mail.last = Some(mail);
            }
            if self.repeat_requested(send) {
                self.mail.repeat_at_ns.get_or_insert(now_ns + self.mail_delay_ns());
            }
        }
    }

    /// Whether 0x0806 bit 1 and 0x0807 bit 1 of a mailbox differ.
    fn repeat_requested(&self, number: u8) -> bool {
        let base = reg::sync_manager(number);
        let asked = self.memory.u8(base + ACTIVATE_OFFSET) & ACTIVATE_REPEAT;
        asked != self.memory.u8(base + PDI_CONTROL_OFFSET) & ACTIVATE_REPEAT
    }

    /// When the program reads the mail that has come, by its model; `None` while there is none, or while an
    /// answer still waits for the send mailbox: then the mail stays, and the mailbox stays full.
    pub(super) fn mail_read_due_ns(&self) -> Option<u64> {
        if let Some(mailbox) = &self.mailbox {
            let [receive, _] = self.mail.open?;
            let waits = mailbox.has_answer() || self.mail.put_off.is_some();
            if waits || self.mail.unread & 1 << receive == 0 {
                return None;
            }
        }
        self.mail.read_at_ns
    }

    /// When the program puts its next mail into the send mailbox, by its model; `None` while there is none,
    /// or while the mailbox is full.
    pub(super) fn mail_ready_due_ns(&self) -> Option<u64> {
        let mailbox = self.mailbox.as_ref()?;
        let waits = mailbox.has_mail() || self.mail.put_off.is_some();
        if !waits || self.mail.presented.is_some() || self.mail.open.is_none() {
            return None;
        }
        self.mail.answer_at_ns
    }

    /// When the program opens the send mailbox: by its model, together with writing the mail. Programs of
    /// real devices do so earlier, by up to tens of ms.
    pub(super) fn mail_opened_due_ns(&self) -> Option<u64> {
        let [_, send] = self.mail.open?;
        let waits = self.mail.presented.is_none() && self.mailbox_was_read(send);
        waits.then(|| self.mail_ready_due_ns().unwrap_or(u64::MAX))
    }

    /// Lets the program handle its mail; returns when it has something to do next.
    pub(super) fn tick_mail(&mut self, now_ns: u64) -> u64 {
        if self.mail.repeat_at_ns.is_some_and(|at| at <= now_ns) {
            self.mail.repeat_at_ns = None;
            self.repeat_mail();
        }
        let said_ns = self.mailbox.as_mut().map_or(u64::MAX, |mailbox| mailbox.tick(now_ns));
        self.answer_by_itself(now_ns);
        loop {
            let (ready, read) = (self.mail_ready_due_ns(), self.mail_read_due_ns());
            let opened = self.mail_opened_due_ns();
            let mut done =
                |event, due: Option<u64>| due.filter(|due| self.release.take(event, *due, now_ns));
            if done(InternalEvent::MailOpened, opened).is_some() {
                if let Some([_, send]) = self.mail.open {
                    self.open_mailbox(send);
                }
            } else if done(InternalEvent::MailReady, ready).is_some() {
                self.present_mail();
            } else if let Some(due) = done(InternalEvent::MailRead, read) {
                self.read_mail(due);
            } else {
                let dues = [self.mail.repeat_at_ns, ready, read];
                return dues.into_iter().flatten().fold(said_ns, u64::min);
            }
        }
    }

    /// Mail that nobody asked for is ready at once.
    fn answer_by_itself(&mut self, now_ns: u64) {
        let has_mail = self.mailbox.as_ref().is_some_and(|mailbox| mailbox.has_mail());
        if has_mail && self.mail.open.is_some() {
            self.mail.answer_at_ns.get_or_insert(now_ns);
        }
    }

    fn moment(&self, now_ns: u64) -> Moment {
        let has_clock = self.profile.clock == ClockLevel::Full;
        let system_time_ns = if has_clock { self.device_time(now_ns) } else { now_ns };
        Moment { state: self.al_state(), now_ns, system_time_ns }
    }

    fn read_mail(&mut self, due_ns: u64) {
        self.mail.read_at_ns = None;
        let unread = std::mem::take(&mut self.mail.unread);
        let content = self.mail.open.map(|[receive, _]| self.mailbox_content(receive));
        (0..16).filter(|n| unread & 1 << n != 0).for_each(|n| self.empty_mailbox(n));
        self.buffer_changed_by_program(due_ns);
        let moment = self.moment(due_ns);
        self.refresh_objects();
        let met = content.as_ref().and_then(|content| self.meet_mail(content, due_ns));
        if let (Some(mailbox), Some(content)) = (&mut self.mailbox, content) {
            mailbox.receive(&content, moment, met);
            let read_ns = mailbox.answer_delay_ns() / 2;
            let delay_ns = mailbox.take_answer_delay_ns();
            self.mail.answer_at_ns = Some(due_ns + (delay_ns - read_ns));
        }
    }

    /// What a mail that was read meets.
    fn meet_mail(&mut self, mail: &[u8], now_ns: u64) -> Option<MailEffect> {
        if !self.is_concerned() {
            return None;
        }
        let (kind, sdo) = self.mailbox.as_ref()?.kind_of(mail)?;
        match self.meet_of(Occasion::Mail(kind, sdo), self.mail.frame, now_ns)? {
            Effect::Mail { does, .. } => Some(does),
            _ => None,
        }
    }

    /// Whether the program may have mail of a protocol that is not simulated: nothing tells when it has.
    pub(super) fn foreign_mail_may_come(&self) -> bool {
        let Some(mailbox) = &self.mailbox else { return false };
        mailbox.speaks_foreign()
            && self.mail.open.is_some()
            && self.mail.presented.is_none()
            && self.mail.put_off.is_none()
            && !mailbox.has_mail()
    }

    /// Presents such mail, of which only the type and the counter are true.
    pub(super) fn present_foreign_mail(&mut self, now_ns: u64) {
        self.mail.now_ns = now_ns;
        if let Some(mailbox) = self.mailbox.as_mut().filter(|_| self.mail.open.is_some()) {
            mailbox.push_foreign();
            self.present_mail();
        }
    }

    /// Whether the mail in the send mailbox is of that kind.
    pub(super) fn presents_foreign_mail(&self) -> bool {
        let (Some(mailbox), Some(mail)) = (&self.mailbox, &self.mail.presented) else {
            return false;
        };
        mailbox.is_foreign(mail)
    }

    fn mailbox_content(&self, number: u8) -> Vec<u8> {
        let bytes = self.memory.array::<SYNC_MANAGER_BYTES>(reg::sync_manager(number));
        let sm = SyncManager::from_bytes(&bytes);
        let start = usize::from(sm.start).min(self.memory.len());
        let end = (start + usize::from(sm.length)).min(self.memory.len());
        self.memory.slice(start, end).to_vec()
    }

    /// Puts the next mail into the send mailbox.
    fn present_mail(&mut self) {
        let (Some([_, send]), Some(mailbox)) = (self.mail.open, &mut self.mailbox) else { return };
        let (spoiled, now_ns) = (&mut self.spoiled, self.mail.now_ns);
        let loses = || spoiled.meet(Occasion::Fragment, now_ns).is_some();
        if let Some(mail) = self.mail.put_off.take().or_else(|| mailbox.next_mail(loses)) {
            self.fill_mailbox(send, &mail);
            self.mail.presented = Some(mail);
            self.buffer_changed_by_program(self.mail.now_ns);
        }
    }

    /// Presents the mail that was read last once more, and says so in 0x0807 bit 1. What stands in the
    /// mailbox gives way and comes after it.
    fn repeat_mail(&mut self) {
        let Some([_, send]) = self.mail.open else { return };
        if !self.repeat_requested(send) {
            return;
        }
        if let Some(mail) = self.mail.last.take() {
            if let Some(presented) = self.mail.presented.take() {
                self.mail.put_off = Some(presented);
                self.mail.answer_at_ns.get_or_insert(0);
            }
            self.fill_mailbox(send, &mail);
            self.mail.presented = Some(mail);
        }
        let base = reg::sync_manager(send);
        let asked = self.memory.u8(base + ACTIVATE_OFFSET) & ACTIVATE_REPEAT;
        let control = self.memory.u8(base + PDI_CONTROL_OFFSET) & !ACTIVATE_REPEAT;
        self.memory.set_u8(base + PDI_CONTROL_OFFSET, control | asked);
    }

    /// The program has entered a state: the mailboxes open with PRE-OP and BOOT and close with INIT.
    pub(super) fn entered_mail(&mut self, state: u8, code: u16) {
        if self.mailbox.is_none() {
            return;
        }
        let now_ns = self.mail.now_ns;
        if state == al::INIT {
            // Device stacks disable their mailboxes there (0x0807 bit 0), which empties them.
            for number in self.mail.open.take().into_iter().flatten() {
                self.discard_mail(number);
            }
            self.mail = Mail { now_ns, ..Mail::default() };
            if let Some(mailbox) = &mut self.mailbox {
                mailbox.stop();
            }
        } else if self.mail.open.is_none() {
            self.open_mail();
        }
        if let Some(mailbox) = &mut self.mailbox {
            mailbox.entered(state, code, now_ns);
            if mailbox.has_mail() {
                self.mail.answer_at_ns.get_or_insert(now_ns);
            }
        }
    }

    /// Opens the mailboxes with the sizes that their SyncManagers have.
    fn open_mail(&mut self) {
        let numbers = [Role::MailboxOut, Role::MailboxIn].map(|role| {
            let expected = &self.profile.application.sync_managers;
            expected.iter().find(|sm| sm.role == role).map_or(0, |sm| sm.number)
        });
        let [receive, send] = numbers.map(|number| {
            let bytes = self.memory.array::<SYNC_MANAGER_BYTES>(reg::sync_manager(number));
            SyncManager::from_bytes(&bytes).length
        });
        self.mail.open = Some(numbers);
        if self.mail.unread != 0 {
            self.mail.read_at_ns.get_or_insert(self.mail.now_ns);
        }
        if let Some(mailbox) = &mut self.mailbox {
            mailbox.start(receive, send);
        }
    }

    /// A device that begins in another state than INIT has opened its mailboxes before.
    pub(super) fn begin_mail(&mut self, state: u8) {
        if self.mailbox.is_some() && state != al::INIT {
            self.open_mail();
        }
    }

    /// Whether the mailboxes are as the bootloader expects them.
    pub(super) fn boot_mailboxes_fit(&self) -> bool {
        let mailbox = self.profile.application.mailbox.as_ref();
        let Some(expected) = mailbox.and_then(|settings| settings.boot) else { return true };
        (0..).zip(expected).all(|(number, (start, length))| {
            let bytes = self.memory.array::<SYNC_MANAGER_BYTES>(reg::sync_manager(number));
            let sm = SyncManager::from_bytes(&bytes);
            sm.enabled
                && sm.is_mailbox()
                && sm.start == start
                && sm.length == length
                && sm.ecat_writes() == (number == 0)
        })
    }

    /// Has the program send an emergency. Without a mailbox that is open it is only remembered.
    pub fn raise_emergency(&mut self, emergency: Emergency, now_ns: u64) {
        let state = self.al_state();
        if let Some(mailbox) = &mut self.mailbox
            && state != BOOT
        {
            mailbox.raise(emergency, now_ns);
            if self.mail.open.is_some() {
                self.mail.answer_at_ns.get_or_insert(now_ns);
            }
        }
    }

    /// Has a drive of the program send an emergency (SoE).
    pub fn raise_emergency_of_drive(&mut self, emergency: DriveEmergency, now_ns: u64) {
        let state = self.al_state();
        if let Some(mailbox) = self.mailbox.as_mut().filter(|_| state != BOOT) {
            mailbox.raise_of_drive(emergency);
            self.answer_by_itself(now_ns);
        }
    }

    /// Has a drive of the program tell the value of an IDN (SoE).
    pub fn notify(&mut self, drive: u8, idn: Idn, now_ns: u64) {
        if self.mail.open.is_none() || self.al_state() == BOOT {
            return;
        }
        self.refresh_objects();
        if let Some(mailbox) = &mut self.mailbox {
            mailbox.notify(drive, idn);
            self.answer_by_itself(now_ns);
        }
    }

    /// The drives of the program (SoE). Values that telegrams carry are those of the last mail.
    #[must_use]
    pub fn drives(&self) -> &[Drive] {
        self.mailbox.as_ref().map_or(&[], |mailbox| mailbox.drives())
    }

    /// The drives of the program (SoE).
    pub fn drives_mut(&mut self) -> &mut [Drive] {
        self.mailbox.as_mut().map_or(&mut [], |mailbox| mailbox.drives_mut())
    }

    /// What its Ethernet has done since power-on (EoE).
    #[must_use]
    pub fn ethernet_counters(&self) -> Option<EthernetCounters> {
        self.mailbox.as_ref()?.ethernet_counters()
    }

    /// The content of an area of ADS that begins at an index group and offset (AoE).
    #[must_use]
    pub fn ads_area(&self, group: u32, offset: u32) -> Option<&[u8]> {
        self.mailbox.as_ref()?.ads_area(group, offset)
    }

    /// ADS state and the device's own (AoE).
    #[must_use]
    pub fn ads_states(&self) -> Option<(u16, u16)> {
        self.mailbox.as_ref()?.ads_states()
    }

    /// Whether its Ethernet sockets have power.
    pub(crate) fn set_powered(&mut self, powered: bool) {
        if let Some(mailbox) = &mut self.mailbox {
            mailbox.set_powered(powered);
        }
    }

    /// A frame comes in at an Ethernet socket. Tells whether mail waits then.
    pub(crate) fn receive_at_socket(
        &mut self,
        socket: u8,
        frame: EthernetFrame,
        now_ns: u64,
    ) -> bool {
        let moment = self.moment(now_ns);
        let Some(mailbox) = &mut self.mailbox else { return false };
        mailbox.receive_at_socket(socket, frame, moment);
        let waits = mailbox.has_mail();
        self.answer_by_itself(now_ns);
        waits
    }

    /// The next frame that leaves by an Ethernet socket.
    pub(crate) fn next_outgoing(&mut self) -> Option<(u8, EthernetFrame)> {
        self.mailbox.as_mut()?.next_outgoing()
    }

    /// What a file of the device holds.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.mailbox.as_ref()?.file(name)
    }

    /// The same, to be exchanged.
    pub(crate) fn file_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        self.mailbox.as_mut()?.file_mut(name)
    }

    pub(super) fn new_mailbox(&mut self) {
        self.mailbox = self.profile.application.mailbox.clone().map(|s| Box::new(Mailbox::new(s)));
    }
}
