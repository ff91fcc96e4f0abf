//! A device with its modules: PDOs where they are carried, all objects, all init commands.

use std::collections::BTreeMap;

use ecat_wire::sii::{PdoDirection, SyncManagerKind};

use crate::choice::{Choice, ChoiceError, ChoicePart};
use crate::device::Device;
use crate::file::{EsiFile, Vendor};
use crate::mailbox::{InitCommand, Target};
use crate::module::Module;
use crate::objects::ResolvedObject;
use crate::pdo::{Pdo, SlotIndex};

/// One device as it was chosen. Everything in it is at its place: indices of modules are those of their slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredDevice {
    /// Its vendor.
    pub vendor: Vendor,
    /// Name of its group.
    pub group_name: String,
    /// The device without modules, as its file has it.
    pub device: Device,
    /// Its modules, by slot.
    pub modules: Vec<ConfiguredModule>,
    /// PDOs of the device and then of its modules; each with the SyncManager that carries it by default.
    pub pdos: Vec<Pdo>,
    /// How many of these are the device's own.
    pub own_pdos: usize,
    /// Language of texts.
    pub language: u32,
    /// What was decided because the file leaves it open, or contradicts itself.
    pub notes: Vec<String>,
}

/// One module in its slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredModule {
    /// Slot, from 1.
    pub slot: u16,
    /// By what its slot moves indices of PDOs, and of other objects.
    pub increments: (u32, u32),
    /// The module as its file has it.
    pub module: Module,
}

impl ConfiguredModule {
    /// Where an index stands in this slot.
    fn placed(&self, index: SlotIndex) -> SlotIndex {
        let slot = u32::from(self.slot) - 1;
        let (of_pdos, of_others) = self.increments;
        index.moved(slot, if is_pdo(index.base) { of_pdos } else { of_others })
    }
}

const fn kind(direction: PdoDirection) -> SyncManagerKind {
    match direction {
        PdoDirection::Rx => SyncManagerKind::ProcessDataOut,
        PdoDirection::Tx => SyncManagerKind::ProcessDataIn,
    }
}

const fn is_pdo(index: u16) -> bool {
    matches!(index, 0x1600..=0x17FF | 0x1A00..=0x1BFF)
}

impl ConfiguredDevice {
    pub(crate) fn new(
        file: &EsiFile,
        device: &Device,
        modules: Vec<(u16, Module)>,
        choice: &Choice,
    ) -> Result<Self, ChoiceError> {
        let slots = device.slots.clone().unwrap_or_default();
        let modules: Vec<ConfiguredModule> = modules
            .into_iter()
            .map(|(slot, module)| {
                let own = slots.slots.get(usize::from(slot) - 1);
                let pdo = own.and_then(|slot| slot.pdo_increment).unwrap_or(slots.pdo_increment);
                let index =
                    own.and_then(|slot| slot.index_increment).unwrap_or(slots.index_increment);
                ConfiguredModule { slot, increments: (pdo, index), module }
            })
            .collect();
        let mut configured = Self {
            vendor: device.vendor.clone(),
            group_name: file.group_name(&device.group, choice.language).to_owned(),
            device: device.clone(),
            own_pdos: device.pdos.len(),
            pdos: device.pdos.clone(),
            modules,
            language: choice.language,
            notes: Vec::new(),
        };
        for module in &configured.modules {
            for pdo in &module.module.pdos {
                let mut pdo = pdo.clone();
                pdo.index = module.placed(pdo.index);
                pdo.excludes.iter_mut().for_each(|one| *one = module.placed(*one));
                pdo.entries.iter_mut().for_each(|one| one.index = module.placed(one.index));
                configured.pdos.push(pdo);
            }
        }
        if let Some(assigned) = &choice.assigned {
            configured.assign(assigned)?;
        }
        configured.settle_sync_managers();
        configured.settle_exclusions();
        Ok(configured)
    }

    /// Assigns these PDOs by default, and no others but mandatory ones.
    fn assign(&mut self, assigned: &[u16]) -> Result<(), ChoiceError> {
        for index in assigned {
            if self.pdos.iter().all(|pdo| pdo.index.base != *index) {
                let known: Vec<String> =
                    self.pdos.iter().map(|pdo| format!("{:#06x}", pdo.index.base)).collect();
                return Err(ChoiceError::new(
                    ChoicePart::Assigned,
                    format!("there is no PDO {index:#06x}; there are {}", known.join(", ")),
                ));
            }
        }
        for n in 0..self.pdos.len() {
            let wanted = assigned.contains(&self.pdos[n].index.base);
            let carried = self.pdos[n].sync_manager.or_else(|| self.default_sync_manager(n));
            let pdo = &mut self.pdos[n];
            pdo.sync_manager = if wanted || pdo.mandatory { carried } else { None };
        }
        Ok(())
    }

    /// Puts right what names no SyncManager of its direction. A PDO without one is not assigned, unless it is
    /// mandatory.
    fn settle_sync_managers(&mut self) {
        for n in 0..self.pdos.len() {
            let wanted = self.wanted(n);
            let pdo = &self.pdos[n];
            let index = pdo.index.base;
            let settled = match pdo.sync_manager {
                Some(number) if self.carries(number, wanted) => continue,
                Some(number) => {
                    let other = self.default_sync_manager(n);
                    let made = other.map_or("it is not assigned".to_owned(), |other| {
                        format!("SyncManager {other} carries it")
                    });
                    let what = if pdo.direction == PdoDirection::Rx { "outputs" } else { "inputs" };
                    self.notes.push(format!(
                        "PDO {index:#06x} (line {}) names SyncManager {number}, which is none of \
                         {what}; {made}",
                        pdo.place.line
                    ));
                    other
                }
                None if pdo.mandatory => self.default_sync_manager(n),
                None => continue,
            };
            self.pdos[n].sync_manager = settled;
        }
    }

    fn wanted(&self, pdo: usize) -> SyncManagerKind {
        kind(self.pdos[pdo].direction)
    }

    /// Whether a SyncManager goes the way of a PDO.
    #[must_use]
    pub fn may_carry(&self, sync_manager: u8, direction: PdoDirection) -> bool {
        self.carries(sync_manager, kind(direction))
    }

    fn carries(&self, number: u8, wanted: SyncManagerKind) -> bool {
        self.device.sync_managers.get(usize::from(number)).is_some_and(|one| one.kind == wanted)
    }

    /// The first SyncManager of a PDO's direction that may carry it.
    fn default_sync_manager(&self, pdo: usize) -> Option<u8> {
        let wanted = self.wanted(pdo);
        let excluded = &self.pdos[pdo].excluded_sync_managers;
        let count = u8::try_from(self.device.sync_managers.len()).unwrap_or(u8::MAX);
        (0..count).find(|number| self.carries(*number, wanted) && !excluded.contains(number))
    }

    /// Of PDOs that exclude each other and are both assigned by default, the first one stays.
    fn settle_exclusions(&mut self) {
        // Of each index, the first PDO that stays and is, or excludes, one of that index.
        let mut there: BTreeMap<u16, u16> = BTreeMap::new();
        let mut against: BTreeMap<u16, u16> = BTreeMap::new();
        for n in 0..self.pdos.len() {
            let pdo = &self.pdos[n];
            if pdo.sync_manager.is_none() {
                continue;
            }
            let index = pdo.index.base;
            let excluded = pdo.excludes.iter().filter_map(|one| there.get(&one.base));
            let other = against.get(&index).or(excluded.min()).copied();
            if let Some(other) = other.filter(|other| *other != index) {
                self.notes.push(format!(
                    "PDOs {other:#06x} and {index:#06x} exclude each other and are both assigned; \
                     {other:#06x} stays"
                ));
                self.pdos[n].sync_manager = None;
                continue;
            }
            there.insert(index, index);
            for one in &self.pdos[n].excludes {
                against.entry(one.base).or_insert(index);
            }
        }
    }

    /// Whether two PDOs cannot be assigned together: one of them says so.
    #[must_use]
    pub fn excludes(&self, one: u16, other: u16) -> bool {
        let says = |of: u16, what: u16| {
            self.pdos
                .iter()
                .any(|p| p.index.base == of && p.excludes.iter().any(|x| x.base == what))
        };
        one != other && (says(one, other) || says(other, one))
    }

    /// All objects: those of the device, then those of its modules at their slots' indices. A module's object takes
    /// the place of one that says so, and otherwise the first one stays.
    #[must_use]
    pub fn objects(&self) -> Vec<ResolvedObject> {
        let mut objects: BTreeMap<u16, ResolvedObject> = BTreeMap::new();
        for dictionary in self.device.dictionaries() {
            let types = dictionary.types_by_name();
            for object in &dictionary.objects {
                let known = objects.entry(object.index.base);
                known.or_insert_with(|| object.resolve(&types, self.language));
            }
        }
        for module in &self.modules {
            for dictionary in &module.module.dictionaries {
                let types = dictionary.types_by_name();
                for object in &dictionary.objects {
                    let index = module.placed(object.index).base;
                    if objects.get(&index).is_none_or(|known| known.overwritten_by_module) {
                        let resolved = object.resolve(&types, self.language);
                        objects.insert(index, ResolvedObject { index, ..resolved });
                    }
                }
            }
        }
        objects.into_values().collect()
    }

    /// What a MainDevice is to send on its way between states: the device's commands, then its modules'. A module's
    /// takes the place of the device's of the same object that says so.
    #[must_use]
    pub fn init_commands(&self) -> Vec<InitCommand> {
        let mut commands = self.device.mailbox.init_commands.clone();
        for module in &self.modules {
            for command in &module.module.mailbox.init_commands {
                let mut command = command.clone();
                if let Target::Object { index, subindex, complete } = command.target {
                    let index = module.placed(index);
                    command.target = Target::Object { index, subindex, complete };
                }
                let replaced = commands.iter().position(|known| {
                    known.overwritten_by_module && same_object(&known.target, &command.target)
                });
                match replaced {
                    Some(at) => commands[at] = command,
                    None => commands.push(command),
                }
            }
        }
        commands
    }
}

fn same_object(one: &Target, other: &Target) -> bool {
    match (one, other) {
        (
            Target::Object { index: a, subindex: b, .. },
            Target::Object { index: c, subindex: d, .. },
        ) => (a.base, b) == (c.base, d),
        _ => one == other,
    }
}
