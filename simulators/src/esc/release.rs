//! When a device's own work is done: by its model of time, or when somebody who knows says so.
//!
//! A replay compares with a recording, and no model of a device's latency meets every one of its polls. It
//! holds the devices' work and lets it happen when the recording shows that it had: it tells a device
//! *when*, and what comes out remains the device's own.

use super::Esc;

/// Work inside a device that takes a time which no register tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum InternalEvent {
    /// The program reads the request in register 0x0120, which is then free for another one.
    AlControlRead,
    /// The program has done what was requested, or refuses it.
    AlTransition,
    /// The EEPROM interface is no longer busy.
    EepromDone,
    /// The EEPROM has ended its write cycle and answers again.
    EepromReady,
    /// The program reads a mail, and the mailbox takes another one.
    MailRead,
    /// The program has seen that its last mail was read, and opens the mailbox for the next one.
    MailOpened,
    /// The program has put its answer into the mailbox.
    MailReady,
    /// The program has put mail of a protocol that is not simulated into the mailbox.
    MailForeign,
    /// The program has read the buffers of its outputs.
    OutputsTaken,
    /// The program has written the buffers of its inputs once more.
    InputsWritten,
}

impl InternalEvent {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AlControlRead,
        Self::AlTransition,
        Self::EepromDone,
        Self::EepromReady,
        Self::MailRead,
        Self::MailOpened,
        Self::MailReady,
        Self::MailForeign,
        Self::OutputsTaken,
        Self::InputsWritten,
    ];

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Who says when work is done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Release {
    held: bool,
    released: u16,
}

impl Release {
    /// Whether work that the device's model ends at `due_ns` is done; asked while it is under way.
    pub(super) fn is_done(self, event: InternalEvent, due_ns: u64, now_ns: u64) -> bool {
        if self.held { self.released & event.bit() != 0 } else { now_ns >= due_ns }
    }

    /// The same for who takes the work over: a release holds for one piece of work.
    pub(super) fn take(&mut self, event: InternalEvent, due_ns: u64, now_ns: u64) -> bool {
        let done = self.is_done(event, due_ns, now_ns);
        if done {
            self.released &= !event.bit();
        }
        done
    }
}

impl Esc {
    /// From here on, work ends when [`Esc::release`] says so.
    pub(crate) fn hold(&mut self) {
        self.release.held = true;
    }

    /// What is under way, with the time at which the device's model would end it, in ns; `u64::MAX` where it
    /// has no model of that.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = (InternalEvent, u64)> + '_ {
        InternalEvent::ALL.into_iter().filter_map(|event| {
            let due_ns = match event {
                InternalEvent::AlControlRead => self.al.control_read_due_ns(),
                InternalEvent::AlTransition => self.al.transition_due_ns(),
                InternalEvent::EepromDone => self.eeprom.done_due_ns(),
                InternalEvent::EepromReady => self.eeprom.ready_due_ns(),
                InternalEvent::MailRead => self.mail_read_due_ns(),
                InternalEvent::MailOpened => self.mail_opened_due_ns(),
                InternalEvent::MailReady => self.mail_ready_due_ns(),
                InternalEvent::MailForeign => self.foreign_mail_may_come().then_some(u64::MAX),
                InternalEvent::OutputsTaken => self.outputs_wait().then_some(u64::MAX),
                InternalEvent::InputsWritten => self.inputs_were_read().then_some(u64::MAX),
            };
            due_ns.map(|due_ns| (event, due_ns))
        })
    }

    /// Ends a piece of work now.
    pub(crate) fn release(&mut self, event: InternalEvent, now_ns: u64) {
        self.release.released |= event.bit();
        match event {
            InternalEvent::EepromDone => self.refresh_eeprom(now_ns),
            InternalEvent::EepromReady => self.end_write_cycle(now_ns),
            InternalEvent::MailForeign => self.present_foreign_mail(now_ns),
            InternalEvent::OutputsTaken => self.take_outputs(),
            InternalEvent::InputsWritten => self.write_inputs(),
            _ => {
                self.tick(now_ns);
            }
        }
        // What it was said for has taken it by now.
        self.release.released &= !event.bit();
    }
}
