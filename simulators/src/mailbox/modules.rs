//! Modules in the slots of a device (ETG5001, "Modular device profile"): which are plugged (0xF050), which the MainDevice
//! says there should be (0xF030), and the objects and PDOs of those.

use ecat_wire::mailbox::coe::AbortCode;
use ecat_wire::sii::{Pdo, PdoDirection};

use super::object_dictionary::{
    Entry, Object, ObjectCode, ObjectDictionary, READ, UNSIGNED16, UNSIGNED32, WRITE_PRE_OP,
};
use super::pdo::ASSIGNMENT;
use super::standard_objects;

/// Object: how far the objects of modules stand apart, and how many modules there can be.
pub const MODULAR_DEVICE: u16 = 0xF000;
/// Object: the modules that the MainDevice says there should be.
pub const CONFIGURED: u16 = 0xF030;
/// Object: the modules that are plugged.
pub const DETECTED: u16 = 0xF050;
/// SyncManagers of outputs and inputs of a device whose objects follow its modules.
const OUTPUTS: u16 = 2;
const INPUTS: u16 = 3;

/// A kind of module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleKind {
    /// Its number, not 0.
    pub ident: u32,
    /// What users call it.
    pub name: String,
    /// Its PDOs as they are in the first slot. In the next one they stand 1 higher, and what they carry one distance.
    pub pdos: Vec<Pdo>,
    /// Its other objects as they are in the first slot.
    pub objects: Vec<(u16, Object)>,
}

/// The slots of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// What is plugged into each, from the first one on; 0: nothing.
    pub plugged: Vec<u32>,
    /// What can be plugged in.
    pub kinds: Vec<ModuleKind>,
    /// How far the objects of neighbouring slots stand apart.
    pub index_distance: u16,
    /// PDOs of inputs that the device has beside those of its modules, where its objects follow them; none: its objects
    /// are those of its description, whatever is plugged.
    pub own_inputs: Option<Vec<u16>>,
    /// Whether a module may be pulled while process data goes on.
    pub hot_swap: bool,
}

/// How the modules that are plugged fit those that are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// They are the same.
    Same,
    /// Some are missing, and none is another.
    Missing,
    /// Some are others.
    Other,
}

impl Slots {
    /// A kind by its number.
    #[must_use]
    pub fn kind(&self, ident: u32) -> Option<&ModuleKind> {
        self.kinds.iter().find(|kind| kind.ident == ident)
    }

    /// By how much objects of a slot, from 1, stand higher than those of the first one.
    #[must_use]
    pub fn offset(&self, slot: u8) -> u16 {
        self.index_distance.saturating_mul(u16::from(slot) - 1)
    }

    /// A PDO of a module at its place in a slot, from 1.
    #[must_use]
    pub fn placed(&self, pdo: &Pdo, slot: u8) -> Pdo {
        let mut pdo = pdo.clone();
        pdo.index += u16::from(slot) - 1;
        for entry in pdo.entries.iter_mut().filter(|entry| entry.index != 0) {
            entry.index += self.offset(slot);
        }
        pdo
    }

    /// Slots from 1, and the kinds of the modules in them by these numbers.
    fn filled(&self, idents: &[u32]) -> impl Iterator<Item = (u8, &ModuleKind)> {
        let kinds = idents.iter().map(|ident| self.kind(*ident)).collect::<Vec<_>>();
        (1..=u8::MAX).zip(kinds).filter_map(|(slot, kind)| Some((slot, kind?)))
    }

    /// The PDOs of all modules that are plugged, at their places.
    #[must_use]
    pub fn pdos(&self) -> Vec<Pdo> {
        self.filled(&self.plugged)
            .flat_map(|(slot, kind)| kind.pdos.iter().map(move |pdo| self.placed(pdo, slot)))
            .collect()
    }

    /// The slot, from 1, that an object belongs to; objects of slots stand from 0x6000 to 0x7FFF.
    #[must_use]
    pub fn slot_of(&self, index: u16) -> Option<u8> {
        if !(0x6000..0x8000).contains(&index) || self.index_distance == 0 {
            return None;
        }
        let slot = (index & 0x0FFF) / self.index_distance + 1;
        u8::try_from(slot).ok().filter(|slot| usize::from(*slot) <= self.plugged.len())
    }

    /// Adds objects 0xF000, 0xF030 and 0xF050; until the MainDevice says otherwise, what is plugged is configured.
    pub fn add_lists(&self, dictionary: &mut ObjectDictionary) {
        let word = |name: &str, value: u16| {
            Entry::new(name, UNSIGNED16, READ, value.to_le_bytes().to_vec())
        };
        let count = u16::try_from(self.plugged.len()).unwrap_or(u16::MAX);
        let general = [
            (1, word("Module index distance", self.index_distance)),
            (2, word("Maximum number of modules", count)),
        ];
        let general = Object::list("Modular device profile", ObjectCode::Record, 0, READ, general);
        dictionary.objects.insert(MODULAR_DEVICE, general);
        for (index, name, access) in [
            (CONFIGURED, "Configured module ident list", READ | WRITE_PRE_OP),
            (DETECTED, "Detected module ident list", READ),
        ] {
            let entries = (1..=u8::MAX).zip(&self.plugged).map(|(slot, ident)| {
                let name = format!("SubIndex {slot:03}");
                (slot, Entry::new(&name, UNSIGNED32, access, ident.to_le_bytes().to_vec()))
            });
            let mut list = Object::list(name, ObjectCode::Array, UNSIGNED32, access, entries);
            if let Some(first) = list.entries.get_mut(&0) {
                first.value = vec![last(&self.plugged)];
                first.default = first.value.clone();
            }
            dictionary.objects.insert(index, list);
        }
    }
}

/// The last slot, from 1, that has a module.
fn last(idents: &[u32]) -> u8 {
    let at = idents.iter().rposition(|ident| *ident != 0);
    at.map_or(0, |at| u8::try_from(at + 1).unwrap_or(u8::MAX))
}

/// Writes numbers of modules into a list; its count is the last slot with one.
fn show(dictionary: &mut ObjectDictionary, index: u16, idents: &[u32]) {
    for (slot, ident) in (1..=u8::MAX).zip(idents) {
        dictionary.set_integer(index, slot, i64::from(*ident));
    }
    dictionary.set_integer(index, 0, last(idents).into());
}

/// The slots of a device that runs.
#[derive(Clone, Debug)]
pub(crate) struct Modules {
    slots: Slots,
    /// What 0xF030 says, by slot: the objects are those of these modules.
    configured: Vec<u32>,
}

impl Modules {
    /// After power-on: what is plugged is configured.
    pub(super) fn new(slots: Slots, dictionary: &mut ObjectDictionary) -> Self {
        let mut modules = Self { configured: vec![0; slots.plugged.len()], slots };
        if modules.slots.own_inputs.is_some() {
            modules.clear(dictionary);
        }
        show(dictionary, DETECTED, &modules.slots.plugged);
        show(dictionary, CONFIGURED, &modules.slots.plugged);
        modules.follow(dictionary);
        modules
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The module that is plugged into a slot, from 1, and the one that is configured there.
    pub(crate) fn of(&self, slot: u8) -> Option<(u32, u32)> {
        let at = usize::from(slot).checked_sub(1)?;
        Some((*self.slots.plugged.get(at)?, *self.configured.get(at)?))
    }

    /// Whether a slot, from 1, has the module that is configured for it.
    pub(crate) fn fits(&self, slot: u8) -> bool {
        self.of(slot).is_some_and(|(plugged, configured)| plugged == configured)
    }

    pub(crate) fn fit(&self) -> Fit {
        let pairs = || self.slots.plugged.iter().zip(&self.configured);
        if pairs().any(|(plugged, configured)| plugged != configured && *plugged != 0) {
            Fit::Other
        } else if self.slots.plugged == self.configured {
            Fit::Same
        } else {
            Fit::Missing
        }
    }

    /// Whether the device exchanges no process data with its modules as they are.
    pub(crate) fn refuses(&self) -> bool {
        match self.fit() {
            Fit::Same => false,
            Fit::Missing => !self.slots.hot_swap,
            Fit::Other => true,
        }
    }

    /// Another module is plugged into a slot, from 1; 0: none. Tells whether that is a change.
    pub(super) fn plug(&mut self, slot: u8, ident: u32, dictionary: &mut ObjectDictionary) -> bool {
        let plugged = usize::from(slot).checked_sub(1);
        let Some(plugged) = plugged.and_then(|at| self.slots.plugged.get_mut(at)) else {
            return false;
        };
        let changes = *plugged != ident;
        *plugged = ident;
        show(dictionary, DETECTED, &self.slots.plugged);
        dictionary.writes += 1;
        changes
    }

    /// Whether a value may be written to the list of configured modules.
    pub(super) fn check_write(&self, subindex: u8, value: &[u8]) -> Result<(), AbortCode> {
        if let (0, [count]) = (subindex, value) {
            let exists = usize::from(*count) <= self.slots.plugged.len();
            return if exists { Ok(()) } else { Err(AbortCode::VALUE_TOO_HIGH) };
        }
        let Ok(ident) = value.try_into().map(u32::from_le_bytes) else { return Ok(()) };
        let known = ident == 0 || self.slots.kind(ident).is_some();
        if known || self.slots.own_inputs.is_none() { Ok(()) } else { Err(AbortCode::VALUE) }
    }

    /// Takes over what the list of configured modules says. Slots behind its count are empty.
    pub(super) fn follow(&mut self, dictionary: &mut ObjectDictionary) {
        let count = dictionary.objects.get(&CONFIGURED).map_or(0, Object::count);
        let configured: Vec<u32> = (1..=u8::MAX)
            .zip(&self.configured)
            .map(|(slot, _)| if slot <= count { dictionary.number(CONFIGURED, slot) } else { 0 })
            .collect();
        if configured == self.configured {
            return;
        }
        if self.slots.own_inputs.is_some() {
            self.clear(dictionary);
        }
        self.configured = configured;
        if self.slots.own_inputs.is_some() {
            self.build(dictionary);
        }
    }

    /// Takes away the objects and PDOs of all slots.
    fn clear(&self, dictionary: &mut ObjectDictionary) {
        let own = self.slots.own_inputs.as_deref().unwrap_or_default();
        dictionary.objects.retain(|index, _| match index {
            0x1600..=0x17FF | 0x1A00..=0x1BFF => own.contains(index),
            0x6000..=0x8FFF => false,
            _ => true,
        });
    }

    /// Adds the objects and PDOs of the configured modules, and assigns those, with room for one more in each slot.
    fn build(&self, dictionary: &mut ObjectDictionary) {
        let (mut outputs, mut inputs) =
            (Vec::new(), self.slots.own_inputs.clone().unwrap_or_default());
        let room = inputs.len() + self.slots.plugged.len();
        for (slot, kind) in self.slots.filled(&self.configured) {
            for pdo in &kind.pdos {
                let pdo = self.slots.placed(pdo, slot);
                standard_objects::add_pdo(dictionary, &pdo);
                let assigned =
                    if pdo.direction == PdoDirection::Rx { &mut outputs } else { &mut inputs };
                assigned.push(pdo.index);
            }
            for (index, object) in &kind.objects {
                let index = index + self.slots.offset(slot);
                let known = dictionary.objects.entry(index).or_insert_with(|| object.clone());
                known.entries.extend(object.entries.clone());
            }
        }
        for (sync_manager, direction, pdos) in
            [(OUTPUTS, PdoDirection::Rx, outputs), (INPUTS, PdoDirection::Tx, inputs)]
        {
            let assignment = standard_objects::assignment(direction, &pdos, room);
            dictionary.objects.insert(ASSIGNMENT + sync_manager, assignment);
        }
    }
}
