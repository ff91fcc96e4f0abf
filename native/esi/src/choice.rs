//! Which device of which file, and which modules in its slots.

use std::fmt;

use crate::configured::ConfiguredDevice;
use crate::device::Device;
use crate::file::EsiFile;
use crate::module::{Module, Slot, Slots};
use crate::number::parse_integer;
use crate::text::ENGLISH;

/// Candidates that a message lists.
const LISTED_MAX: usize = 40;

/// What is wanted of some files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Type of the device, for example `EK1100`; or its name.
    pub device: Option<String>,
    /// Product code.
    pub product_code: Option<u32>,
    /// Revision; the newest by default.
    pub revision: Option<u32>,
    /// Modules; none: those that slots have by default.
    pub modules: Option<Vec<ModuleChoice>>,
    /// PDOs that are assigned by default, in place of those that the file assigns.
    pub assigned: Option<Vec<u16>>,
    /// Language of texts (`LcId`).
    pub language: u32,
}

impl Default for Choice {
    /// The only device of the files, in English.
    fn default() -> Self {
        Self {
            device: None,
            product_code: None,
            revision: None,
            modules: None,
            assigned: None,
            language: ENGLISH,
        }
    }
}

/// One module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleChoice {
    /// Slot, from 1; none: the first free one behind the module before that takes it.
    pub slot: Option<u16>,
    /// Its type, its name, or its number (`0x1A0F`, `#x1A0F`).
    pub module: String,
}

/// Why a choice cannot be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceError {
    /// What of the choice: `device`, or `modules` with a place in it.
    pub part: ChoicePart,
    /// What is wrong, and what there is to choose from.
    pub message: String,
}

/// A part of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChoicePart {
    /// The device.
    Device,
    /// Modules as a whole.
    Modules,
    /// One module, from 0.
    Module(usize),
    /// PDOs that are assigned.
    Assigned,
}

impl fmt::Display for ChoiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ChoiceError {}

impl ChoiceError {
    pub(crate) fn new(part: ChoicePart, message: String) -> Self {
        Self { part, message }
    }
}

impl Choice {
    /// Finds the device and puts its modules into slots. Devices and modules may stand in different files.
    ///
    /// # Errors
    /// [`ChoiceError`] if there is no such device or module, or more than one that is meant; it lists what there is.
    pub fn configure(&self, files: &[&EsiFile]) -> Result<ConfiguredDevice, ChoiceError> {
        let (file, device) = self.find_device(files)?;
        let modules = self.place_modules(files, file, device)?;
        ConfiguredDevice::new(file, device, modules, self)
    }

    fn find_device<'a>(
        &self,
        files: &[&'a EsiFile],
    ) -> Result<(&'a EsiFile, &'a Device), ChoiceError> {
        let all: Vec<(&EsiFile, &Device)> = files
            .iter()
            .flat_map(|file| file.devices.iter().map(move |device| (*file, device)))
            .filter(|(_, device)| !device.invisible)
            .collect();
        let refused = |message: String, of: &[(&EsiFile, &Device)]| {
            let message = format!("{message}; {}", listed(of.iter().map(|(_, device)| *device)));
            Err(ChoiceError::new(ChoicePart::Device, message))
        };
        let mut found = all.clone();
        if let Some(name) = &self.device {
            let by: [&dyn Fn(&Device) -> bool; 4] = [
                &|one| one.r#type == *name,
                &|one| one.r#type.eq_ignore_ascii_case(name),
                &|one| one.name.contains(name),
                &|one| one.name.all.iter().any(|(_, text)| text.eq_ignore_ascii_case(name)),
            ];
            found = by
                .into_iter()
                .map(|is| all.iter().filter(|(_, one)| is(one)).copied().collect::<Vec<_>>())
                .find(|some| !some.is_empty())
                .unwrap_or_default();
            if found.is_empty() {
                return refused(format!("no device is called {name:?}"), &all);
            }
        }
        if let Some(code) = self.product_code {
            let before = found.clone();
            found.retain(|(_, one)| one.product_code == code);
            if found.is_empty() {
                return refused(format!("no device has the product code {code:#010x}"), &before);
            }
        }
        if let Some(revision) = self.revision {
            let before = found.clone();
            found.retain(|(_, one)| one.revision == revision);
            if found.is_empty() {
                return refused(format!("no device has the revision {revision:#010x}"), &before);
            }
        }
        let Some(&first) = found.first() else {
            let message = match files.iter().map(|file| file.modules.len()).sum() {
                0 => "no device is in the file".to_owned(),
                n => format!(
                    "no device is in the file, only {n} modules; name the file of their device as well"
                ),
            };
            return Err(ChoiceError::new(ChoicePart::Device, message));
        };
        let of = |(_, one): (&EsiFile, &Device)| (one.vendor.id, one.product_code);
        if found.iter().any(|one| of(*one) != of(first)) {
            return refused("it is not clear which device is meant".to_owned(), &found);
        }
        // The last of equals: a file that has a device twice has the better one behind.
        let newest = found.into_iter().max_by_key(|(_, one)| one.revision);
        Ok(newest.unwrap_or(first))
    }

    fn place_modules(
        &self,
        files: &[&EsiFile],
        own: &EsiFile,
        device: &Device,
    ) -> Result<Vec<(u16, Module)>, ChoiceError> {
        // Those of the device's file first: numbers of modules mean something within a vendor's files.
        let rest = files.iter().copied().filter(|file| !std::ptr::eq(*file, own));
        let known: Vec<&Module> =
            std::iter::once(own).chain(rest).flat_map(|file| &file.modules).collect();
        let Some(slots) = &device.slots else {
            return match &self.modules {
                Some(modules) if !modules.is_empty() => Err(ChoiceError::new(
                    ChoicePart::Modules,
                    format!("{} has no slots for modules", device.r#type),
                )),
                _ => Ok(Vec::new()),
            };
        };
        let Some(wanted) = &self.modules else { return Ok(defaults(slots, &known)) };
        let mut placed: Vec<(u16, Module)> = Vec::new();
        let mut next = 1;
        for (n, choice) in wanted.iter().enumerate() {
            let refused = |message| Err(ChoiceError::new(ChoicePart::Module(n), message));
            let candidates = named(&choice.module, &known);
            if candidates.is_empty() {
                let listed = listed_modules(&known);
                let more = match (files, own.references.join(", ")) {
                    ([_], more) if !more.is_empty() => {
                        format!("; more may be in {more}: name that file as well")
                    }
                    _ => String::new(),
                };
                return refused(format!("no module is called {:?}; {listed}{more}", choice.module));
            }
            let free = |slot: u16| placed.iter().all(|(taken, _)| *taken != slot);
            let fits = |slot: u16| {
                let it: Option<&Slot> = slots.slots.get(usize::from(slot).wrapping_sub(1));
                it.and_then(|it| candidates.iter().copied().find(|one| it.takes(one)))
            };
            let count = u16::try_from(slots.slots.len()).unwrap_or(u16::MAX);
            let slot = match choice.slot {
                Some(slot) if slot == 0 || slot > count => {
                    return refused(format!(
                        "{} has the slots 1 to {count}, not {slot}",
                        device.r#type
                    ));
                }
                Some(slot) if !free(slot) => {
                    return refused(format!("slot {slot} has a module already"));
                }
                Some(slot) => slot,
                None => {
                    let Some(slot) =
                        (next..=count).find(|slot| free(*slot) && fits(*slot).is_some())
                    else {
                        return refused(format!(
                            "no free slot of {} takes {}",
                            device.r#type, choice.module
                        ));
                    };
                    slot
                }
            };
            let Some(module) = fits(slot) else {
                return refused(format!("slot {slot} does not take {}", choice.module));
            };
            placed.push((slot, module.clone()));
            next = slot.saturating_add(1);
        }
        placed.sort_by_key(|(slot, _)| *slot);
        Ok(placed)
    }
}

/// The modules that slots have by default: those that are marked, and in a slot that must have one and knows only
/// one, that.
fn defaults(slots: &Slots, known: &[&Module]) -> Vec<(u16, Module)> {
    let mut placed = Vec::new();
    for (number, slot) in (1..).zip(&slots.slots) {
        let Some(ident) = slot.default_module().or(match slot.modules.as_slice() {
            [crate::module::SlotModule::Ident(ident, _)] if slot.required => Some(*ident),
            _ => None,
        }) else {
            continue;
        };
        if let Some(module) = known.iter().find(|module| module.ident == ident) {
            placed.push((number, (*module).clone()));
        }
    }
    placed
}

/// Modules of a type, a name or a number; several of one name are told apart by what slots take.
fn named<'a>(wanted: &str, known: &[&'a Module]) -> Vec<&'a Module> {
    let number = parse_integer(wanted).and_then(|number| u32::try_from(number).ok());
    let by: [&dyn Fn(&Module) -> bool; 4] = [
        &|one| one.r#type == wanted,
        &|one| one.name.contains(wanted),
        &|one| one.r#type.eq_ignore_ascii_case(wanted),
        &|one| number == Some(one.ident),
    ];
    by.into_iter()
        .map(|is| known.iter().copied().filter(|one| is(one)).collect::<Vec<_>>())
        .find(|some| !some.is_empty())
        .unwrap_or_default()
}

fn listed<'a>(devices: impl Iterator<Item = &'a Device>) -> String {
    let mut all: Vec<String> = devices
        .map(|one| {
            format!("{} ({:#010x}, revision {:#010x})", one.r#type, one.product_code, one.revision)
        })
        .collect();
    shortened(&mut all);
    format!("there are {}", all.join(", "))
}

fn listed_modules(modules: &[&Module]) -> String {
    let mut all: Vec<String> =
        modules.iter().map(|one| format!("{} ({:#010x})", one.r#type, one.ident)).collect();
    if all.is_empty() {
        return "there are none in the files".to_owned();
    }
    shortened(&mut all);
    format!("there are {}", all.join(", "))
}

fn shortened(all: &mut Vec<String>) {
    if all.len() > LISTED_MAX {
        let more = all.len() - LISTED_MAX;
        all.truncate(LISTED_MAX);
        all.push(format!("and {more} more"));
    }
}
