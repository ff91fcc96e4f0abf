//! The application layer: state requests (0x0120), status (0x0130) and status code (0x0134).
//!
//! With device emulation (0x0141 bit 0) the status follows the control register, acknowledge bit
//! included, in no time and unchecked. Otherwise a program reads the request some time later, checks what
//! the transition needs, and answers: until it has read it, 0x0120 takes no further write.

use ecat_wire::register as reg;
use ecat_wire::sync_manager::{SYNC_MANAGER_BYTES, SyncManager};

use super::Esc;
use super::profile::{RefusalCondition, Role};
use super::release::InternalEvent;
use crate::faults::{Effect, Occasion};

pub(super) const INIT: u8 = 1;
pub(super) const PRE_OP: u8 = 2;
const BOOT: u8 = 3;
pub(super) const SAFE_OP: u8 = 4;
pub(super) const OP: u8 = 8;

const STATE: u16 = 0x000F;
const ERROR_OR_ACKNOWLEDGE: u16 = 0x0010;
/// Bit 5 of AL control asks for the explicit device identification; bit 5 of AL status says that 0x0134 is
/// that (ETG1020, "Explicit Device Identification").
const IDENTIFICATION: u16 = 0x0020;

const INVALID_CHANGE: u16 = 0x0011;
const UNKNOWN_STATE: u16 = 0x0012;
const NO_BOOT: u16 = 0x0013;
const INVALID_BOOT_MAILBOX: u16 = 0x0015;
const INVALID_MAILBOX: u16 = 0x0016;
const INVALID_SYNC_MANAGER: u16 = 0x0017;
const WATCHDOG_EXPIRED: u16 = 0x001B;
const INVALID_OUTPUTS: u16 = 0x001D;
const INVALID_INPUTS: u16 = 0x001E;

/// What a program answers to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    state: u8,
    /// 0 without an error.
    code: u16,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Al {
    /// Written in the passing frame.
    request: Option<u16>,
    /// A datagram of the passing frame has written 0x0120.
    staged: bool,
    /// A request that the program has not read yet.
    unread: bool,
    /// Number of the frame that brought it, where faults of the device want to know.
    frame: u64,
    read_at_ns: Option<u64>,
    answer: Option<(u64, Answer)>,
    /// Until when the program waits on the way to OP for pulses and outputs.
    synchronising_until_ns: Option<u64>,
    /// The last request that was read asks for the identification.
    identify: bool,
    /// How often each state was requested since power-on.
    attempts: [u32; 9],
    /// Why the PDO mapping makes no process image.
    unmappable: Option<u16>,
}

impl Al {
    pub(super) fn control_read_due_ns(&self) -> Option<u64> {
        // A program that is still about the request before reads the next one afterwards.
        let free = self.answer.is_none() && self.synchronising_until_ns.is_none();
        self.read_at_ns.filter(|_| free)
    }

    pub(super) fn transition_due_ns(&self) -> Option<u64> {
        self.answer.map(|(due_ns, _)| due_ns).or(self.synchronising_until_ns)
    }
}

impl Esc {
    /// Whether AL status follows AL control (0x0141 bit 0).
    pub(super) fn emulated(&self) -> bool {
        self.memory.u8(reg::ESC_CONFIGURATION) & 1 != 0
    }

    /// The AL state that the status register shows.
    pub(super) fn al_state(&self) -> u8 {
        self.memory.u8(reg::AL_STATUS) & 0x0F
    }

    /// The AL state that the status register shows: 1, 2, 3, 4 or 8.
    pub(crate) fn state(&self) -> u8 {
        self.al_state()
    }

    pub(super) fn power_on_al(&mut self) {
        self.al = Al::default();
        self.memory.set_u16(reg::AL_STATUS, u16::from(INIT));
        self.apply_locks(INIT, false);
    }

    /// Whether 0x0120 would take a write now.
    pub(super) fn al_control_free(&self) -> bool {
        self.emulated() || !(self.al.unread || self.al.staged)
    }

    /// A write to 0x0120 has been taken and waits for the end of the frame.
    pub(super) fn al_control_staged(&mut self) {
        self.al.staged = true;
    }

    /// That frame was bad.
    pub(super) fn al_control_abandoned(&mut self) {
        self.al.staged = false;
    }

    /// A write to 0x0120, with or without 0x0121.
    pub(super) fn request_al(&mut self, low: u8, high: Option<u8>) {
        if self.emulated() || !self.al.unread && self.al.request.is_none() {
            let high = high.unwrap_or(self.memory.u8(reg::AL_CONTROL + 1));
            self.al.request = Some(u16::from_le_bytes([low, high]));
        }
    }

    /// Takes the frame's request over.
    pub(super) fn end_of_frame_al(&mut self, now_ns: u64) {
        self.al.staged = false;
        let Some(control) = self.al.request.take() else { return };
        self.memory.set_u16(reg::AL_CONTROL, control);
        if self.emulated() {
            self.memory.set_u16(reg::AL_STATUS, control & (STATE | ERROR_OR_ACKNOWLEDGE));
            return;
        }
        (self.al.unread, self.al.frame) = (true, self.passing_frame());
        // Without an application (EEPROM not loaded) nobody ever reads it.
        if self.application_runs() {
            let busy_until = self.al.answer.map_or(now_ns, |(due, _)| due);
            self.al.read_at_ns =
                Some(busy_until.max(now_ns) + self.profile.application.read_delay_ns);
        }
    }

    /// Lets the program run; returns when it has something to do next.
    pub(super) fn tick_al(&mut self, now_ns: u64) -> u64 {
        loop {
            if let Some((due, answer)) = self.al.answer {
                if !self.release.take(InternalEvent::AlTransition, due, now_ns) {
                    return due;
                }
                self.al.answer = None;
                self.enter_at(answer, due);
            } else if let Some(until) = self.al.synchronising_until_ns {
                if self.in_step() {
                    let due = now_ns + self.profile.application.transition_delay_ns;
                    self.al.answer = Some((due, Answer { state: OP, code: 0 }));
                } else if self.release.take(InternalEvent::AlTransition, until, now_ns) {
                    let code = self.out_of_step_code();
                    self.enter_at(Answer { state: SAFE_OP, code }, until);
                } else {
                    return until;
                }
                self.al.synchronising_until_ns = None;
            } else if let Some(due) = self.al.read_at_ns {
                if !self.release.take(InternalEvent::AlControlRead, due, now_ns) {
                    return due;
                }
                self.al.read_at_ns = None;
                self.al.unread = false;
                let control = self.memory.u16(reg::AL_CONTROL);
                if (self.al_state(), (control & STATE) as u8) == (PRE_OP, SAFE_OP) {
                    self.al.unmappable = self.generate_mapping().err();
                }
                let state = self.al_state();
                if let Some(count) = self.al.attempts.get_mut(usize::from(control & STATE)) {
                    *count = count.saturating_add(1);
                }
                let mut answer = self.answer(control);
                let mut slow_ns = 0;
                if answer.is_some_and(|answer| answer.code == 0) {
                    let to = (control & STATE) as u8;
                    let (frame, occasion) = (self.al.frame, Occasion::Request { to });
                    match self.meet_of(occasion, frame, due) {
                        Some(Effect::Refuse { code, .. }) => answer = Some(Answer { state, code }),
                        Some(Effect::SlowTransition { delay_ms, .. }) => {
                            slow_ns = u64::from(delay_ms) * 1_000_000;
                        }
                        _ => {}
                    }
                }
                if answer.is_some() {
                    self.al.identify = control & IDENTIFICATION != 0;
                }
                let to_op = state == SAFE_OP && answer == Some(Answer { state: OP, code: 0 });
                self.al.synchronising_until_ns =
                    if to_op { self.synchronises_until(due) } else { None };
                if self.al.synchronising_until_ns.is_none() {
                    let delay_ns = self.profile.application.transition_delay_ns + slow_ns;
                    self.al.answer = answer.map(|answer| (due + delay_ns, answer));
                }
            } else {
                return u64::MAX;
            }
        }
    }

    /// The SM watchdog expired: a program in OP falls back to SAFE-OP and says why.
    pub(super) fn watchdog_expired_al(&mut self) {
        if !self.emulated() && self.al_state() == OP {
            self.enter(Answer { state: SAFE_OP, code: WATCHDOG_EXPIRED });
        }
    }

    /// The program takes another state by itself and says why. With device emulation there is none.
    pub(crate) fn leave_state(&mut self, state: u8, code: u16) {
        if !self.emulated() && self.application_runs() {
            (self.al.answer, self.al.synchronising_until_ns) = (None, None);
            self.enter(Answer { state, code });
        }
    }

    /// The selector of the explicit device identification is turned.
    pub(crate) fn set_identification(&mut self, identification: u16) {
        self.profile.application.identification = Some(identification);
    }

    /// What the program makes of a request; `None` if it ignores it.
    fn answer(&self, control: u16) -> Option<Answer> {
        let status = self.memory.u16(reg::AL_STATUS);
        let state = self.al_state();
        let acknowledged = control & ERROR_OR_ACKNOWLEDGE != 0;
        let requested = (control & STATE) as u8;
        if status & ERROR_OR_ACKNOWLEDGE != 0 && !acknowledged && requested != INIT {
            return None;
        }
        Some(match self.refuse(state, requested) {
            Some(code) => Answer { state, code },
            None => Answer { state: requested, code: 0 },
        })
    }

    /// Whether a device's own reason to refuse is there.
    fn applies(&self, condition: RefusalCondition, attempt: u32) -> bool {
        match condition {
            RefusalCondition::Always => true,
            RefusalCondition::MappedTwice => self.maps_twice(),
            RefusalCondition::SyncManagerLength { number, length } => {
                let bytes = self.memory.array::<SYNC_MANAGER_BYTES>(reg::sync_manager(number & 15));
                SyncManager::from_bytes(&bytes).length == length
            }
            RefusalCondition::Register { address, mask, value } => {
                self.peek(address) & mask == value & mask
            }
            RefusalCondition::Attempts { first, last } => (first..=last).contains(&attempt),
            RefusalCondition::OtherModules => self.refuses_modules(),
            RefusalCondition::Value { index, subindex, least, most } => {
                let dictionary = self.mailbox.as_ref().and_then(|mailbox| mailbox.dictionary());
                let value = dictionary.and_then(|objects| objects.entry(index, subindex));
                value.is_some_and(|value| (least..=most).contains(&value.integer()))
            }
        }
    }

    /// Why a transition is refused.
    fn refuse(&self, from: u8, to: u8) -> Option<u16> {
        if !matches!(to, INIT | PRE_OP | BOOT | SAFE_OP | OP) {
            return Some(UNKNOWN_STATE);
        }
        if from == to {
            return None;
        }
        let application = &self.profile.application;
        if to == BOOT && from == INIT && !application.boot {
            return Some(NO_BOOT);
        }
        let allowed = match (from, to) {
            (BOOT, _) => to == INIT,
            (_, BOOT) => from == INIT,
            _ if to < from => true,
            _ => matches!((from, to), (INIT, PRE_OP) | (PRE_OP, SAFE_OP) | (SAFE_OP, OP)),
        };
        if !allowed {
            return Some(INVALID_CHANGE);
        }
        let attempt = self.al.attempts[usize::from(to)];
        let mut refusals = application.refusals.iter().filter(|refusal| refusal.to == to);
        if let Some(refusal) = refusals.find(|refusal| self.applies(refusal.condition, attempt)) {
            return Some(refusal.code);
        }
        match (from, to) {
            (INIT, BOOT) if !self.boot_mailboxes_fit() => Some(INVALID_BOOT_MAILBOX),
            (PRE_OP, SAFE_OP) if self.al.unmappable.is_some() => self.al.unmappable,
            (INIT, PRE_OP) => self.check_sync_managers(true, to),
            (PRE_OP, SAFE_OP) => self.check_sync_managers(false, to).or_else(|| self.refuse_sync()),
            (SAFE_OP, OP) => self.check_sync_managers(false, to),
            _ => None,
        }
    }

    /// The SyncManagers' registers were written. A program in OP looks at them at once.
    pub(super) fn sync_managers_written_al(&mut self) {
        if self.emulated() || !self.application_runs() || self.al_state() != OP {
            return;
        }
        if let Some(code) = self.check_sync_managers(false, OP) {
            self.enter(Answer { state: SAFE_OP, code });
        }
    }

    /// Compares the SyncManagers with what the program expects in a state. One that is for OP only may be
    /// active before, as MainDevices that do not know the flag have it.
    fn check_sync_managers(&self, mailboxes: bool, state: u8) -> Option<u16> {
        let expected_all = &self.profile.application.sync_managers;
        for number in 0..self.profile.sync_manager_count {
            let bytes = self.memory.array::<SYNC_MANAGER_BYTES>(reg::sync_manager(number));
            let sm = SyncManager::from_bytes(&bytes);
            let active = sm.enabled && sm.length > 0;
            let Some(expected) = expected_all.iter().find(|sm| sm.number == number) else {
                if active && !mailboxes {
                    return Some(INVALID_SYNC_MANAGER);
                }
                continue;
            };
            if expected.role.is_mailbox() != mailboxes {
                continue;
            }
            let fits = if expected.length == 0 || !active && expected.op_only && state != OP {
                !active
            } else {
                active
                    && sm.start == expected.start
                    && sm.length == expected.length
                    && sm.is_mailbox() == expected.role.is_mailbox()
                    && sm.ecat_writes() == expected.role.ecat_writes()
            };
            if !fits {
                return Some(match expected.role {
                    Role::MailboxOut | Role::MailboxIn => INVALID_MAILBOX,
                    Role::Outputs => INVALID_OUTPUTS,
                    Role::Inputs => INVALID_INPUTS,
                });
            }
        }
        None
    }

    fn enter(&mut self, answer: Answer) {
        self.enter_at(answer, self.mail.now_ns);
    }

    fn enter_at(&mut self, answer: Answer, now_ns: u64) {
        let changes = self.al_state() != answer.state || answer.code != 0;
        let (flag, code) = match (answer.code, self.profile.application.identification) {
            (0, Some(identification)) if self.al.identify => (IDENTIFICATION, identification),
            (0, _) => (0, 0),
            (code, _) => (ERROR_OR_ACKNOWLEDGE, code),
        };
        self.memory.set_u16(reg::AL_STATUS, u16::from(answer.state) | flag);
        self.memory.set_u16(reg::AL_STATUS_CODE, code);
        self.entered_sync(answer.state, now_ns);
        self.apply_locks(answer.state, answer.code == WATCHDOG_EXPIRED);
        self.raise_event(super::events::AL_STATUS);
        self.entered_eeprom(answer.state);
        // A request for the state that it has already is no entry.
        if changes || answer.state == INIT {
            self.entered_mail(answer.state, answer.code);
        }
    }

    /// Process-data SyncManagers are open in SAFE-OP and OP only; those of outputs not after a watchdog.
    /// This is how the working counter shows that a device has left OP.
    pub(super) fn apply_locks(&mut self, state: u8, outputs_locked: bool) {
        if self.emulated() || !self.application_runs() {
            return;
        }
        let open = matches!(state, SAFE_OP | OP);
        for n in 0..self.profile.application.sync_managers.len() {
            let expected = self.profile.application.sync_managers[n];
            if !expected.role.is_mailbox() {
                let locked = !open || outputs_locked && expected.role == Role::Outputs;
                self.lock_sync_manager(expected.number, locked);
            }
        }
        self.decode_sync_managers();
        self.show_inputs_anew();
    }
}
