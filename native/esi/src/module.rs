//! Modules, and the slots that they go into (`Modules`, `Slots`; ETG5001).

use crate::dictionary::Dictionary;
use crate::error::{EsiError, Place};
use crate::mailbox::Mailbox;
use crate::pdo::Pdo;
use crate::reader::Element;
use crate::text::Texts;

/// Slots that a device may have; where a file says more, it means "many".
const SLOTS_MAX: u32 = 255;

/// One kind of module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Where it stands in its file.
    pub place: Place,
    /// What people call it (`Type`).
    pub r#type: String,
    /// Its number in 0xF030 and 0xF050.
    pub ident: u32,
    /// Class, by which slots choose.
    pub class: String,
    /// Group of its PDOs.
    pub pdo_group: Option<u16>,
    /// Name.
    pub name: Texts,
    /// Its PDOs.
    pub pdos: Vec<Pdo>,
    /// Its protocols and init commands.
    pub mailbox: Mailbox,
    /// Profile number (low) and additional information of its first channel.
    pub profile: Option<(u16, u16)>,
    /// Its objects.
    pub dictionaries: Vec<Dictionary>,
}

/// Where modules go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// How many there may be; none: as many as are described.
    pub maximum: Option<u16>,
    /// By what each slot moves indices of PDOs.
    pub pdo_increment: u32,
    /// By what each slot moves indices of other objects.
    pub index_increment: u32,
    /// By what each group of slots moves indices of PDOs.
    pub group_pdo_increment: u32,
    /// By what each group of slots moves indices of other objects.
    pub group_index_increment: u32,
    /// The MainDevice writes 0xF030.
    pub download_idents: bool,
    /// The MainDevice writes the addresses of modules.
    pub download_addresses: bool,
    /// On the way between which states.
    pub download_transition: String,
    /// The slots in their order, each as often as it can be.
    pub slots: Vec<Slot>,
    /// Groups of modules by their number: what classes there are, and idents.
    pub module_groups: Vec<(String, Vec<u32>)>,
    /// Groups of PDOs of modules.
    pub pdo_groups: Vec<PdoGroup>,
}

/// One slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// Name.
    pub name: Texts,
    /// Whether there must be a module in it.
    pub required: bool,
    /// Group.
    pub group: Option<u16>,
    /// Modules that fit; none: any.
    pub modules: Vec<SlotModule>,
    /// Its own increment of PDOs.
    pub pdo_increment: Option<u32>,
    /// Its own increment of other objects.
    pub index_increment: Option<u32>,
}

/// What fits into a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotModule {
    /// A module by its number; `true`: it is there by default.
    Ident(u32, bool),
    /// Modules of a class.
    Class(String),
}

/// A group of PDOs of modules (`ModulePdoGroup`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PdoGroup {
    /// What their PDOs are aligned to, in bytes.
    pub alignment: Option<u16>,
    /// RxPDO behind which they come.
    pub rx_pdo: Option<u16>,
    /// TxPDO behind which they come.
    pub tx_pdo: Option<u16>,
}

impl Module {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "Type",
            "Name",
            "Comment",
            "RxPdo",
            "TxPdo",
            "Mailbox",
            "DcOpModeName",
            "Profile",
            "Image16x14",
            "ImageFile16x14",
            "ImageData16x14",
            "VendorSpecific",
        ]);
        let r#type = element.required("Type")?;
        let ident = r#type.attribute("ModuleIdent");
        let ident = match ident {
            Some(ident) => ident.strict_number()?,
            // Before version 1.4 of the schema.
            None => element.optional_number("ModuleIdent").unwrap_or(0),
        };
        let profiles: Vec<Element<'_>> = element.children("Profile").collect();
        let mut dictionaries = Vec::new();
        for dictionary in profiles.iter().filter_map(|profile| profile.child("Dictionary")) {
            dictionaries.push(Dictionary::read(&dictionary)?);
        }
        Ok(Self {
            place: element.place(),
            r#type: r#type.text().into_owned(),
            ident,
            class: r#type
                .attribute("ModuleClass")
                .map_or_else(String::new, |c| c.text().to_owned()),
            pdo_group: r#type.attribute("ModulePdoGroup").and_then(|one| one.number()),
            name: Texts::of(element, "Name"),
            pdos: Pdo::all(element)?,
            mailbox: element
                .child("Mailbox")
                .map_or(Ok(Mailbox::default()), |one| Mailbox::read(&one))?,
            profile: profiles.first().and_then(crate::device::profile_number),
            dictionaries,
        })
    }
}

impl Slots {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "Slot",
            "ModuleGroups",
            "SlotGroupData",
            "ModulePdoGroup",
            "SlotSelections",
        ]);
        let increment = |name| element.attribute(name).and_then(|one| one.number()).unwrap_or(0);
        let mut slots = Vec::new();
        for slot in element.children("Slot") {
            Slot::read(&slot, &mut slots)?;
        }
        let maximum: Option<u16> = element.attribute("MaxSlotCount").and_then(|one| one.number());
        if let Some(maximum) = maximum {
            slots.truncate(usize::from(maximum));
        }
        let groups = element.child("ModuleGroups");
        let groups = groups.iter().flat_map(|groups| groups.children("ModuleGroup"));
        let number = |one: &Element<'_>, name| one.attribute(name).and_then(|it| it.number());
        Ok(Self {
            maximum,
            pdo_increment: increment("SlotPdoIncrement"),
            index_increment: increment("SlotIndexIncrement"),
            group_pdo_increment: increment("SlotGroupPdoIncrement"),
            group_index_increment: increment("SlotGroupIndexIncrement"),
            download_idents: element.flag("DownloadModuleIdentList"),
            download_addresses: element.flag("DownloadModuleAddressList"),
            download_transition: element
                .attribute("DownloadModuleListTransition")
                .map_or_else(String::new, |one| one.text().to_owned()),
            slots,
            module_groups: groups
                .map(|group| {
                    let idents =
                        group.children("ModuleIdent").filter_map(|one| one.lenient_number());
                    (group.child_text("Class").unwrap_or_default(), idents.collect())
                })
                .collect(),
            pdo_groups: element
                .children("ModulePdoGroup")
                .map(|group| PdoGroup {
                    alignment: number(&group, "Alignment"),
                    rx_pdo: number(&group, "RxPdo"),
                    tx_pdo: number(&group, "TxPdo"),
                })
                .collect(),
        })
    }
}

impl Slot {
    /// Adds the slot as often as there can be one (`MaxInstances`).
    fn read(element: &Element<'_>, slots: &mut Vec<Self>) -> Result<(), EsiError> {
        element.ignores_all_but(&[
            "Name",
            "ModuleIdent",
            "ModuleClass",
            "ImageFile16x14",
            "ImageData16x14",
        ]);
        let number = |name| element.attribute(name).and_then(|one| one.number::<u32>());
        let least = number("MinInstances").unwrap_or(0);
        let most = number("MaxInstances").unwrap_or(least.max(1)).max(least).min(SLOTS_MAX);
        let mut modules = Vec::new();
        for one in element.all_children() {
            match one.name() {
                "ModuleIdent" => {
                    modules.push(SlotModule::Ident(one.number()?, one.flag("Default")));
                }
                "ModuleClass" => {
                    // A class is its text, or its children called Class.
                    let inner: Vec<_> = one.children("Class").collect();
                    if inner.is_empty() {
                        modules.push(SlotModule::Class(one.text().into_owned()));
                    }
                    modules.extend(inner.iter().map(|c| SlotModule::Class(c.text().into_owned())));
                }
                _ => {}
            }
        }
        let slot = Self {
            name: Texts::of(element, "Name"),
            required: false,
            group: element.attribute("SlotGroup").and_then(|one| one.number()),
            modules,
            pdo_increment: number("SlotPdoIncrement"),
            index_increment: number("SlotIndexIncrement"),
        };
        for n in 0..most {
            if slots.len() >= SLOTS_MAX as usize {
                break;
            }
            slots.push(Self { required: n < least, ..slot.clone() });
        }
        Ok(())
    }

    /// Whether a module fits.
    #[must_use]
    pub fn takes(&self, module: &Module) -> bool {
        self.modules.is_empty()
            || self.modules.iter().any(|one| match one {
                SlotModule::Ident(ident, _) => *ident == module.ident,
                SlotModule::Class(class) => *class == module.class,
            })
    }

    /// The module that is in it by default.
    #[must_use]
    pub fn default_module(&self) -> Option<u32> {
        self.modules.iter().find_map(|one| match one {
            SlotModule::Ident(ident, true) => Some(*ident),
            _ => None,
        })
    }
}
