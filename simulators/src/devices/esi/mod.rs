//! Devices of ESI files: the image of their EEPROM, their chip, and what their program knows.

mod drives;
mod objects;
mod profile;

use ecat_esi::{
    Choice, ChoiceError, ChoicePart, ConfiguredDevice, ConfiguredModule, ENGLISH, EsiError,
    EsiFile, ModuleChoice,
};
use ecat_wire::sii::{self, Sii};

use super::{overrides, protocols};
use crate::description::mailbox::MailboxDescription;
use crate::description::soe::SoeDescription;
use crate::description::{
    DescriptionError, DeviceDescription, EsiDescription, EsiFileDescription, ModuleDescription,
    ModuleName,
};
use crate::esc::{Application, Profile};
use crate::mailbox::modules::{ModuleKind, Slots};
use crate::mailbox::object_dictionary::ObjectDictionary;
use crate::mailbox::pdo::PdoRules;

/// The smallest mailbox that a piece of a frame fits into.
const FRAME_MAILBOX_BYTES: u16 = 48;
const DEVICE_EMULATION: u16 = 0x0100;
/// Subindices that a list of modules has.
const SLOTS_MAX: usize = 254;

/// The ESI files of a segment, each read once.
#[derive(Debug, Default)]
pub(super) struct Library {
    files: Vec<(String, Result<EsiFile, EsiError>)>,
}

impl Library {
    pub(super) fn new(files: &[EsiFileDescription]) -> Self {
        let read = |file: &EsiFileDescription| (file.name.clone(), EsiFile::parse(&file.content));
        Self { files: files.iter().map(read).collect() }
    }

    fn file(&self, name: &str) -> Result<&EsiFile, String> {
        match self.files.iter().find(|(one, _)| one == name) {
            Some((_, Ok(file))) => Ok(file),
            Some((name, Err(error))) => Err(format!("{name}:{error}")),
            None => Err(format!("no ESI file is called {name:?}")),
        }
    }
}

/// A device as it comes out of a file.
pub(super) struct Built {
    pub(super) sii: Vec<u8>,
    pub(super) profile: Profile,
    pub(super) behind: Behind,
}

/// What a device's program knows of it.
pub(super) struct Behind {
    device: ConfiguredDevice,
    notes: Vec<String>,
    /// The image of the EEPROM with the PDOs of all modules.
    pub(super) process_image: Sii,
    /// Its drives, of a device with SoE.
    drives: Option<SoeDescription>,
    /// What it allows of PDO assignments.
    pub(super) rules: PdoRules,
    /// Whether it has no SDO information.
    pub(super) without_information: bool,
}

pub(super) fn device(
    device: &DeviceDescription,
    esi: &EsiDescription,
    library: &Library,
) -> Result<Built, DescriptionError> {
    let contradictions = [
        ("/channels", device.channels.is_some()),
        ("/pdos", device.pdos.is_some()),
        ("/mailbox/bytes", device.mailbox.as_ref().is_some_and(|mailbox| mailbox.bytes.is_some())),
    ];
    if let Some((path, _)) = contradictions.into_iter().find(|(_, present)| *present) {
        return Err(DescriptionError::new(path, "is in the ESI file already; it belongs to type"));
    }
    if esi.files.is_empty() {
        return Err(DescriptionError::new("/esi/files", "needs at least one file"));
    }
    let mut files = Vec::with_capacity(esi.files.len());
    for (n, name) in esi.files.iter().enumerate() {
        let file = library.file(name);
        files.push(file.map_err(|why| DescriptionError::new(format!("/esi/files/{n}"), why))?);
    }
    let configured = choice(esi).configure(&files).map_err(|error| refused(esi, &error))?;
    let of_sii = |error: sii::SiiError| {
        let place = configured.device.place;
        let message = format!("{}:{place}: {error}", esi.files.join(", "));
        DescriptionError::new("/esi", message)
    };
    let with_modules = esi.modules_in_eeprom.unwrap_or(true);
    let image = if with_modules { configured.self_contained_sii() } else { configured.sii() };
    let image = image.map_err(of_sii)?;
    let mut described = image.sii.clone();
    overrides::apply(device, &mut described);
    let bytes = if described == image.sii {
        image.bytes
    } else {
        sii::build(&described).map_err(of_sii)?
    };
    let mut process_image = configured.process_image();
    overrides::apply(device, &mut process_image);
    let mut profile = profile::of(&configured, &process_image);
    let control = profile.pdi_control.unwrap_or(process_image.configuration.pdi_control);
    if let Some(emulation) = device.device_emulation {
        profile.pdi_control = Some(overrides::with_emulation(control, emulation));
    } else if control & DEVICE_EMULATION != 0 && process_image.protocols != 0 {
        // Mail needs a program; the registers are then not those of the EEPROM, as in an AKD.
        profile.pdi_control = Some(overrides::with_emulation(control, false));
    }
    let protocols = &configured.device.mailbox;
    let soe = protocols.soe.as_ref();
    let drives = soe.map(|soe| match protocols.coe {
        None => drives::of(soe.channels.unwrap_or(1), &mut process_image),
        // Its objects say what it carries.
        Some(_) => drives::of(soe.channels.unwrap_or(1), &mut Sii::default()),
    });
    let behind = Behind {
        rules: rules(&configured),
        without_information: configured
            .device
            .mailbox
            .coe
            .as_ref()
            .is_some_and(|coe| !coe.sdo_information),
        notes: configured.notes.iter().cloned().chain(image.notes).collect(),
        drives,
        device: configured,
        process_image,
    };
    Ok(Built { sii: bytes, profile, behind })
}

fn choice(esi: &EsiDescription) -> Choice {
    let module = |one: &ModuleDescription| ModuleChoice {
        slot: one.slot,
        module: match &one.module {
            ModuleName::Ident(ident) => format!("{ident:#x}"),
            ModuleName::Text(text) => text.clone(),
        },
    };
    Choice {
        device: esi.device.clone(),
        product_code: esi.product_code,
        revision: esi.revision,
        modules: esi.modules.as_ref().map(|all| all.iter().map(module).collect()),
        assigned: esi.assigned_pdos.clone(),
        language: esi.language.unwrap_or(ENGLISH),
    }
}

fn refused(esi: &EsiDescription, error: &ChoiceError) -> DescriptionError {
    let path = match error.part {
        ChoicePart::Device => "/esi".to_owned(),
        ChoicePart::Modules => "/esi/modules".to_owned(),
        ChoicePart::Module(n) => format!("/esi/modules/{n}/module"),
        ChoicePart::Assigned => "/esi/assignedPdos".to_owned(),
    };
    DescriptionError::new(path, format!("{}: {}", esi.files.join(", "), error.message))
}

/// Exclusions by both PDOs, SyncManagers that a PDO is kept from or that go the other way, and PDOs that have to be
/// assigned.
fn rules(device: &ConfiguredDevice) -> PdoRules {
    let mut rules = PdoRules::default();
    for pdo in &device.pdos {
        let index = pdo.index.base;
        rules.exclusions.extend(pdo.excludes.iter().map(|other| (index, other.base)));
        let kept = pdo.excluded_sync_managers.iter().map(|number| (*number, index));
        rules.not_carried.extend(kept);
        for number in 0..u8::try_from(device.device.sync_managers.len()).unwrap_or(u8::MAX) {
            if !device.may_carry(number, pdo.direction) {
                rules.not_carried.push((number, index));
            }
        }
        if pdo.mandatory && pdo.sync_manager.is_some() {
            rules.mandatory.push(index);
        }
    }
    rules
}

impl Behind {
    /// What was decided because the file leaves it open, or contradicts itself.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the device does with mail: nothing where it has no mailbox.
    pub(super) fn mailbox(
        &self,
        described: Option<MailboxDescription>,
    ) -> Option<MailboxDescription> {
        let sii = &self.process_image;
        let speaks =
            sii.protocols != 0 && sii.mailbox.receive_size > 0 && sii.mailbox.send_size > 0;
        if !speaks {
            return described;
        }
        let mut mailbox = described.unwrap_or_default();
        let coe = self.device.device.mailbox.coe.as_ref();
        let complete = coe.is_some_and(|coe| coe.complete_access);
        mailbox.complete_access = mailbox.complete_access.or(Some(complete));
        // Of the other protocols a file says no more than that there are.
        let protocols = &self.device.device.mailbox;
        if protocols.eoe.is_some() && sii.mailbox.send_size >= FRAME_MAILBOX_BYTES {
            mailbox.eoe.get_or_insert_default();
        }
        if let Some(drives) = &self.drives {
            let described = mailbox.soe.take().unwrap_or_default();
            mailbox.soe = Some(protocols::merge_drives(drives, described));
        }
        if protocols.aoe.is_some() {
            mailbox.aoe.get_or_insert_default();
        }
        if protocols.voe {
            mailbox.voe.get_or_insert_default();
        }
        Some(mailbox)
    }

    /// The objects of the device: those that every device has, with what its file says of them and of others.
    pub(super) fn dictionary(&self, standard: ObjectDictionary) -> ObjectDictionary {
        objects::dictionary(&self.device, standard)
    }

    /// Its slots, where there are modules in them. Its objects are those of its files, whatever is plugged later.
    pub(super) fn slots(&self, hot_swap: bool) -> Option<Slots> {
        slots(&self.device, hot_swap).filter(|_| !self.device.modules.is_empty())
    }

    /// What the program does beside mail: it tells its identification.
    pub(super) fn apply(&self, emulated: bool, application: &mut Application) {
        let identification = &self.device.device.info.identification;
        if !emulated && identification.by_al_status {
            application.identification = application.identification.or(Some(0));
        }
    }
}

/// The slots of a device that has some, with its modules.
fn slots(device: &ConfiguredDevice, hot_swap: bool) -> Option<Slots> {
    let slots = device.device.slots.as_ref()?;
    let ident = |slot: usize| {
        let module = device.modules.iter().find(|one| usize::from(one.slot) == slot);
        module.map_or(0, |one| one.module.ident)
    };
    let mut kinds: Vec<ModuleKind> = Vec::new();
    for ConfiguredModule { module, .. } in &device.modules {
        if kinds.iter().all(|kind| kind.ident != module.ident) {
            let (ident, name) = (module.ident, module.r#type.clone());
            kinds.push(ModuleKind { ident, name, pdos: Vec::new(), objects: Vec::new() });
        }
    }
    Some(Slots {
        plugged: (1..=slots.slots.len().min(SLOTS_MAX)).map(ident).collect(),
        kinds,
        index_distance: u16::try_from(slots.index_increment).unwrap_or(u16::MAX),
        own_inputs: None,
        hot_swap,
    })
}
