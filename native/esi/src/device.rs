//! Devices (`Device`).

use crate::dc::Dc;
use crate::dictionary::Dictionary;
use crate::eeprom::Eeprom;
use crate::error::{EsiError, Place};
use crate::file::Vendor;
use crate::info::{Info, PortKind};
use crate::mailbox::Mailbox;
use crate::module::Slots;
use crate::pdo::Pdo;
use crate::reader::Element;
use crate::sync_manager::{Fmmu, SyncManager, SyncUnit};
use crate::text::Texts;

/// One device in one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Where it stands in its file.
    pub place: Place,
    /// Whose it is.
    pub vendor: Vendor,
    /// What people call it (`Type`), for example `EK1100`.
    pub r#type: String,
    /// Product code.
    pub product_code: u32,
    /// Revision.
    pub revision: u32,
    /// Serial number, where all devices have one.
    pub serial: u32,
    /// How a MainDevice is to compare revisions (`CheckRevisionNo`), for example `EQ_OR_G`.
    pub check_revision: Option<String>,
    /// LRW must not be used (`UseLrdLwr`).
    pub without_lrw: bool,
    /// It has no ESC (`Invisible`).
    pub invisible: bool,
    /// Its ports, port 0 first.
    pub ports: Vec<PortKind>,
    /// Older devices that it takes the place of.
    pub hides: Vec<Hidden>,
    /// Other ESCs in its box, by their type.
    pub sub_devices: Vec<String>,
    /// Name.
    pub name: Texts,
    /// Type of its group.
    pub group: String,
    /// Name of a picture (`Image16x14`, obsolete).
    pub image: String,
    /// Further information.
    pub info: Info,
    /// Profiles with their objects.
    pub profiles: Vec<Profile>,
    /// FMMUs.
    pub fmmus: Vec<Fmmu>,
    /// SyncManagers.
    pub sync_managers: Vec<SyncManager>,
    /// SyncUnits.
    pub sync_units: Vec<SyncUnit>,
    /// PDOs in the order of the file.
    pub pdos: Vec<Pdo>,
    /// Mailbox protocols.
    pub mailbox: Mailbox,
    /// Distributed clock.
    pub dc: Option<Dc>,
    /// Slots for modules.
    pub slots: Option<Slots>,
    /// Registers that the MainDevice sets.
    pub esc: Esc,
    /// EEPROM.
    pub eeprom: Eeprom,
}

/// An older device that another takes the place of (`HideType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Product code; none: the same.
    pub product_code: Option<u32>,
    /// Revision.
    pub revision: Option<u32>,
}

/// One profile (`Profile`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Number and additional information of each channel (`ChannelInfo`): the low and the high word of object 0x1000.
    pub channels: Vec<(u16, u16)>,
    /// Objects.
    pub dictionary: Option<Dictionary>,
    /// File that has them instead (`DictionaryFile`).
    pub dictionary_file: Option<String>,
}

/// What the MainDevice writes into registers (`ESC`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Esc {
    /// Register 0x0108: offset between reading and writing by LRW.
    pub reg_0108: Option<u16>,
    /// Register 0x0400: watchdog divider.
    pub reg_0400: Option<u16>,
    /// Register 0x0410: time of the watchdog of the process-data interface.
    pub reg_0410: Option<u16>,
    /// Register 0x0420: time of the watchdog of SyncManagers.
    pub reg_0420: Option<u16>,
}

impl Device {
    /// Number and additional information of its first profile.
    #[must_use]
    pub fn profile(&self) -> Option<(u16, u16)> {
        self.profiles.iter().find_map(|profile| profile.channels.first()).copied()
    }

    /// Its dictionaries.
    pub fn dictionaries(&self) -> impl Iterator<Item = &Dictionary> {
        self.profiles.iter().filter_map(|profile| profile.dictionary.as_ref())
    }

    pub(crate) fn read(element: &Element<'_>, vendor: &Vendor) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "Sci",
            "Type",
            "HideType",
            "AlternativeType",
            "SubDevice",
            "Name",
            "Comment",
            "URL",
            "Info",
            "GroupType",
            "Profile",
            "Fmmu",
            "Sm",
            "Su",
            "RxPdo",
            "TxPdo",
            "Mailbox",
            "Dc",
            "Slots",
            "ESC",
            "Eeprom",
            "Image16x14",
            "ImageFile16x14",
            "ImageData16x14",
            "VendorSpecific",
        ]);
        let r#type = element.required("Type")?;
        let number = |name| match r#type.attribute(name) {
            Some(attribute) if !attribute.text().is_empty() => attribute.strict_number(),
            _ => Ok(0),
        };
        if r#type.attribute("ProductCode").is_none() && !element.flag("Invisible") {
            r#type.warn("has no ProductCode; it is taken for 0");
        }
        let info = element.child("Info").map(|info| Info::read(&info)).unwrap_or_default();
        let profiles = element.children("Profile").map(|one| Profile::read(&one));
        let optional = |name: &'static str| element.child(name);
        let esc = optional("ESC");
        let register = |name: &'static str| esc.and_then(|esc| esc.optional_number(name));
        let hidden = |one: Element<'_>| Hidden {
            product_code: one.attribute("ProductCode").and_then(|it| it.number()),
            revision: one.attribute("RevisionNo").and_then(|it| it.number()),
        };
        let pdos = Pdo::all(element)?;
        let mut sync_managers = element
            .children("Sm")
            .map(|one| SyncManager::read(&one))
            .collect::<Result<Vec<_>, _>>()?;
        for pdo in &pdos {
            let number = pdo.sync_manager.map(usize::from);
            if let Some(one) = number.and_then(|number| sync_managers.get_mut(number)) {
                one.carry(pdo.direction);
            }
        }
        Ok(Self {
            place: element.place(),
            vendor: vendor.clone(),
            r#type: r#type.text().into_owned(),
            product_code: number("ProductCode")?,
            revision: number("RevisionNo")?,
            serial: number("SerialNo")?,
            check_revision: r#type.attribute("CheckRevisionNo").map(|one| one.text().to_owned()),
            without_lrw: r#type.flag("UseLrdLwr"),
            invisible: element.flag("Invisible"),
            ports: ports(element, &info),
            hides: element.children("HideType").map(hidden).collect(),
            sub_devices: element.children("SubDevice").map(|one| one.text().into_owned()).collect(),
            name: Texts::of(element, "Name"),
            group: element.child_text("GroupType").unwrap_or_default(),
            image: element.child_text("Image16x14").unwrap_or_default(),
            info,
            profiles: profiles.collect::<Result<_, _>>()?,
            fmmus: element.children("Fmmu").map(|one| Fmmu::read(&one)).collect(),
            sync_managers,
            sync_units: element.children("Su").map(|one| SyncUnit::read(&one)).collect(),
            pdos,
            mailbox: optional("Mailbox")
                .map(|one| Mailbox::read(&one))
                .transpose()?
                .unwrap_or_default(),
            dc: optional("Dc").map(|one| Dc::read(&one)).transpose()?,
            slots: optional("Slots").map(|one| Slots::read(&one)).transpose()?,
            esc: Esc {
                reg_0108: register("Reg0108"),
                reg_0400: register("Reg0400"),
                reg_0410: register("Reg0410"),
                reg_0420: register("Reg0420"),
            },
            eeprom: optional("Eeprom")
                .map(|one| Eeprom::read(&one))
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

/// What `Physics` says; where a file leaves it out, what it says of each port.
fn ports(element: &Element<'_>, info: &Info) -> Vec<PortKind> {
    match element.attribute("Physics") {
        // White space counts: "K  K" has no ports 1 and 2.
        Some(physics) => PortKind::of_physics(physics.raw()),
        None if info.ports.is_empty() => {
            element.warn("has no Physics; two MII ports are assumed");
            vec![PortKind::Mii, PortKind::Mii]
        }
        None => info.ports.iter().map(|port| port.kind).take(4).collect(),
    }
}

/// Number and additional information of a profile, in either of the two forms.
pub(crate) fn profile_number(element: &Element<'_>) -> Option<(u16, u16)> {
    let channel = element.child("ChannelInfo").unwrap_or(*element);
    let number: u16 = channel.optional_number("ProfileNo")?;
    Some((number, channel.optional_number("AddInfo").unwrap_or(0)))
}

impl Profile {
    fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "ChannelInfo",
            "ProfileNo",
            "AddInfo",
            "ChannelCount",
            "DictionaryFile",
            "Dictionary",
            "DiagMessages",
            "VendorSpecific",
        ]);
        let channel = |one: Element<'_>| {
            let number: u16 = one.optional_number("ProfileNo")?;
            Some((number, one.optional_number("AddInfo").unwrap_or(0)))
        };
        let mut channels: Vec<(u16, u16)> =
            element.children("ChannelInfo").filter_map(channel).collect();
        if channels.is_empty() {
            channels.extend(profile_number(element));
        }
        if let Some(file) = element.child("DictionaryFile") {
            file.warn("its dictionary stands in another file, which is not read");
        }
        Ok(Self {
            channels,
            dictionary: element
                .child("Dictionary")
                .map(|one| Dictionary::read(&one))
                .transpose()?,
            dictionary_file: element.child_text("DictionaryFile"),
        })
    }
}
