//! One drive: its IDNs, those of them that the standard gives a meaning, and its procedure commands.

use std::collections::BTreeMap;

use ecat_wire::mailbox::soe::{Idn, SoeError, command};

use super::Parameter;

/// Class 1 diagnostic: what has shut the drive down.
const CLASS_1: Idn = Idn::standard(11);
/// Telegram type: which of the telegrams below are in use.
const TELEGRAM_TYPE: Idn = Idn::standard(15);
/// What the drive's telegram (AT) carries besides its status word.
const AT: Idn = Idn::standard(16);
/// What the MainDevice's telegram (MDT) carries besides the control word.
const MDT: Idn = Idn::standard(24);
const CONTROL_WORD: Idn = Idn::standard(134);
const STATUS_WORD: Idn = Idn::standard(135);
const AT_POSSIBLE: Idn = Idn::standard(187);
const MDT_POSSIBLE: Idn = Idn::standard(188);
const ALL: Idn = Idn::standard(17);
const ALL_COMMANDS: Idn = Idn::standard(25);
const RESET_CLASS_1: Idn = Idn::standard(99);
const LOAD_DEFAULTS: Idn = Idn::standard(262);
const PASSWORD: Idn = Idn::standard(267);

/// S-0-0015: telegrams as configured by S-0-0016 and S-0-0024.
const APPLICATION_TELEGRAM: i64 = 7;
/// Class 1 diagnostic, bit 15: an error of the manufacturer's.
const MANUFACTURER: i64 = 1 << 15;
const PRE_OP: u8 = 2;

/// A procedure command: how long it takes, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriveCommand {
    /// How long it takes, in ns.
    pub duration_ns: u64,
    /// Whether it ends with an error.
    pub fails: bool,
    /// Whether it can be interrupted and cancelled while it runs.
    pub interruptible: bool,
    /// The AL states in which it can be executed, by their codes; none: all.
    pub states: Vec<u8>,
    /// Whether the drive tells its end.
    pub notifies: bool,
    /// Where it is (the bits of the data state).
    pub state: u16,
    /// When it ends, in ns.
    pub ends_ns: Option<u64>,
}

/// A command has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) idn: Idn,
    pub(super) data_state: u16,
    pub(super) notifies: bool,
}

/// One drive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drive {
    /// By IDN.
    pub parameters: BTreeMap<Idn, Parameter>,
    /// What S-0-0267 must be before protected values can be written.
    pub password: Option<Vec<u8>>,
    /// Whether it is known.
    pub unlocked: bool,
    /// How many values mail has written.
    pub writes: u64,
}

/// Whether a drive has telegrams: a control word or a status word.
pub(crate) fn has_telegrams(drive: &Drive) -> bool {
    [CONTROL_WORD, STATUS_WORD].iter().any(|word| drive.parameters.contains_key(word))
}

/// What a telegram carries, one after another: its word, then what its list has.
///
/// # Errors
/// If the list has an IDN that the drive does not have, or that has no fixed length.
pub(crate) fn mapping_of(drive: &Drive, output: bool) -> Result<Vec<(Idn, usize)>, Idn> {
    let (word, list) = if output { (CONTROL_WORD, MDT) } else { (STATUS_WORD, AT) };
    let Some(listed) = drive.parameters.get(&list) else { return Ok(Vec::new()) };
    let idns = std::iter::once(word).chain(listed.idns().map(Idn));
    idns.map(|idn| {
        let parameter = drive.parameters.get(&idn).ok_or(idn)?;
        if parameter.value.maximum.is_some() {
            return Err(idn);
        }
        Ok((idn, parameter.value.content.len()))
    })
    .collect()
}

impl Drive {
    /// Writes the lists that follow from the other IDNs: all, all commands, what telegrams can carry. Those that have
    /// a content already stay.
    pub fn fill_lists(&mut self) {
        let of = |drive: &Self, wanted: &dyn Fn(&Parameter) -> bool| -> Vec<u8> {
            let found = drive.parameters.iter().filter(|(_, parameter)| wanted(parameter));
            found.flat_map(|(idn, _)| idn.0.to_le_bytes()).collect()
        };
        let lists = [
            (ALL, of(self, &|_| true)),
            (ALL_COMMANDS, of(self, &|parameter| parameter.command.is_some())),
            (AT_POSSIBLE, of(self, &|parameter| parameter.cyclic.input)),
            (MDT_POSSIBLE, of(self, &|parameter| parameter.cyclic.output)),
        ];
        for (idn, content) in lists {
            let Some(parameter) = self.parameters.get_mut(&idn) else { continue };
            if parameter.value.content.is_empty() {
                let bytes = u16::try_from(content.len()).unwrap_or(u16::MAX);
                parameter.value.maximum = parameter.value.maximum.map(|known| known.max(bytes));
                parameter.value.content = content;
            }
        }
    }

    pub(super) fn write(
        &mut self,
        idn: Idn,
        data: &[u8],
        state: u8,
        now_ns: u64,
    ) -> Result<(), SoeError> {
        let parameter = self.parameters.get(&idn).ok_or(SoeError::NO_IDN)?;
        parameter.check_state(state)?;
        if parameter.password && self.password.is_some() && !self.unlocked {
            return Err(SoeError::PASSWORD);
        }
        if parameter.command.is_some() {
            self.control(idn, data, state, now_ns)?;
            self.writes += 1;
            return Ok(());
        }
        let content = parameter.check_value(data)?;
        if idn == PASSWORD && self.password.is_some() {
            self.unlocked = self.password.as_deref() == Some(content);
            return if self.unlocked { Ok(()) } else { Err(SoeError::VALUE_INVALID) };
        }
        if state != PRE_OP && parameter.cyclic.output && self.carries(idn) {
            return Err(SoeError::CYCLIC);
        }
        if idn == AT || idn == MDT {
            self.check_telegram(idn == MDT, content)?;
        }
        let content = content.to_vec();
        if let Some(parameter) = self.parameters.get_mut(&idn) {
            parameter.value.content = content;
            parameter.invalid = false;
        }
        self.writes += 1;
        Ok(())
    }

    /// Whether the MainDevice's telegram carries a value.
    fn carries(&self, idn: Idn) -> bool {
        mapping_of(self, true).is_ok_and(|mapped| mapped.iter().any(|(one, _)| *one == idn))
    }

    /// Only what can be carried, and only where the telegrams can be configured.
    fn check_telegram(&self, output: bool, content: &[u8]) -> Result<(), SoeError> {
        let kind = self.parameters.get(&TELEGRAM_TYPE).map(Parameter::integer);
        if kind.is_some_and(|kind| kind & APPLICATION_TELEGRAM != APPLICATION_TELEGRAM) {
            return Err(SoeError::OTHER_SETTINGS);
        }
        let possible = |word: &[u8]| {
            let idn = Idn(u16::from_le_bytes([word[0], word[1]]));
            self.parameters.get(&idn).is_some_and(|parameter| {
                let cyclic = parameter.cyclic;
                let fixed = parameter.value.maximum.is_none();
                fixed && if output { cyclic.output } else { cyclic.input }
            })
        };
        if content.chunks_exact(2).all(possible) { Ok(()) } else { Err(SoeError::VALUE_INVALID) }
    }

    /// Sets, starts, interrupts or cancels a procedure command.
    fn control(&mut self, idn: Idn, data: &[u8], state: u8, now_ns: u64) -> Result<(), SoeError> {
        let parameter = self.parameters.get_mut(&idn).ok_or(SoeError::NO_IDN)?;
        let Some(run) = &mut parameter.command else { return Err(SoeError::COMMAND_NEVER) };
        let wanted = match data {
            [low, high] => u16::from_le_bytes([*low, *high]),
            _ if data.len() < 2 => return Err(SoeError::VALUE_SHORT),
            _ => return Err(SoeError::VALUE_LONG),
        };
        let running = run.state == command::STATE_RUNNING;
        match wanted {
            0 | command::SET if running && !run.interruptible => {
                return Err(SoeError::COMMAND_NOT_INTERRUPTIBLE);
            }
            0 => (run.state, run.ends_ns) = (command::STATE_NOT_SET, None),
            command::SET if running => {
                (run.state, run.ends_ns) = (command::STATE_INTERRUPTED, None);
            }
            command::SET if run.state == command::STATE_NOT_SET => run.state = command::SET,
            command::SET => {}
            command::STATE_EXECUTED => {
                let ready = [command::STATE_NOT_SET, command::SET, command::STATE_INTERRUPTED];
                if !ready.contains(&run.state) {
                    return Err(SoeError::COMMAND_ACTIVE);
                }
                if !run.states.is_empty() && !run.states.contains(&state) {
                    return Err(SoeError::COMMAND_NOT_NOW);
                }
                run.state = command::STATE_RUNNING;
                run.ends_ns = Some(now_ns.saturating_add(run.duration_ns));
            }
            _ => return Err(SoeError::VALUE_INVALID),
        }
        parameter.value.content = data.to_vec();
        Ok(())
    }

    /// When the next command ends; `u64::MAX`: none runs.
    pub(super) fn next_end_ns(&self) -> u64 {
        let commands = self.parameters.values().filter_map(|parameter| parameter.command.as_ref());
        commands.filter_map(|command| command.ends_ns).min().unwrap_or(u64::MAX)
    }

    /// Ends a command whose time has come, and does what it is there for.
    pub(super) fn end_command(&mut self, now_ns: u64) -> Option<Changed> {
        let (idn, run) = self.parameters.iter_mut().find_map(|(idn, parameter)| {
            let run = parameter.command.as_mut()?;
            run.ends_ns.is_some_and(|end| end <= now_ns).then_some((*idn, run))
        })?;
        run.ends_ns = None;
        run.state = if run.fails { command::STATE_ERROR } else { command::STATE_EXECUTED };
        let changed = Changed { idn, data_state: run.state, notifies: run.notifies };
        if !run.fails {
            self.carry_out(idn);
        }
        Some(changed)
    }

    fn carry_out(&mut self, idn: Idn) {
        match idn {
            RESET_CLASS_1 => {
                if let Some(class_1) = self.parameters.get_mut(&CLASS_1) {
                    class_1.set_integer(0);
                }
            }
            LOAD_DEFAULTS => {
                for parameter in self.parameters.values_mut() {
                    if let (Some(default), None) = (&parameter.default, &parameter.command) {
                        parameter.value.content.clone_from(default);
                    }
                }
            }
            _ => {}
        }
    }

    /// An emergency with this code is about to be sent; 0 ends it.
    pub(super) fn raise(&mut self, code: u16) {
        if let Some(class_1) = self.parameters.get_mut(&CLASS_1) {
            class_1.set_integer(if code == 0 { 0 } else { class_1.integer() | MANUFACTURER });
        }
    }
}
