//! What a file says of the EEPROM (`Eeprom`).

use crate::error::EsiError;
use crate::reader::Element;

/// The EEPROM: parts of it, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Eeprom {
    /// The process-data interface owns it after start (`AssignToPdi`).
    pub assign_to_pdi: bool,
    /// The whole content (`Data`), in place of everything else.
    pub data: Option<Vec<u8>>,
    /// Bytes that it has; 0: not said.
    pub bytes: usize,
    /// Words 0 to 6, or the first of them (`ConfigData`).
    pub configuration: Option<Vec<u8>>,
    /// Words 0x14 to 0x17: the mailboxes of BOOT (`BootStrap`).
    pub boot_strap: Option<Vec<u8>>,
    /// Categories as they are.
    pub categories: Vec<EepromCategory>,
}

/// One category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EepromCategory {
    /// Its type: 1 to 9 of a device, 0x0800 and above of a vendor.
    pub code: u16,
    /// Its content.
    pub content: Vec<u8>,
    /// Whether the content of an image before stays (`PreserveOnlineData`).
    pub preserves_online_data: bool,
}

impl Eeprom {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "Data",
            "ByteSize",
            "ConfigData",
            "BootStrap",
            "Category",
            "VendorSpecific",
        ]);
        let bytes = |name: &'static str| -> Result<Option<Vec<u8>>, EsiError> {
            let Some(child) = element.child(name).filter(|child| !child.text().is_empty()) else {
                return Ok(None);
            };
            crate::number::parse_bytes(&child.text()).map(Some).ok_or_else(|| {
                child.error(
                    "is no row of bytes".to_owned(),
                    "write two hexadecimal digits a byte, the lowest byte first".to_owned(),
                )
            })
        };
        let mut categories = Vec::new();
        for category in element.children("Category") {
            if let Some(category) = EepromCategory::read(&category)? {
                categories.push(category);
            }
        }
        Ok(Self {
            assign_to_pdi: element.flag("AssignToPdi"),
            data: bytes("Data")?,
            bytes: element.optional_number("ByteSize").map_or(0, |bytes: u32| bytes as usize),
            configuration: bytes("ConfigData")?,
            boot_strap: bytes("BootStrap")?,
            categories,
        })
    }
}

impl EepromCategory {
    /// A category by its bytes, its text or its number; of those without a content nothing.
    fn read(element: &Element<'_>) -> Result<Option<Self>, EsiError> {
        element.ignores_all_but(&[
            "CatNo",
            "Data",
            "DataString",
            "DataUINT",
            "DataUDINT",
            "VendorSpecific",
        ]);
        let code = element.child_number("CatNo")?;
        let content = if let Some(data) = element.child_bytes("Data") {
            data
        } else if let Some(text) = element.child_text("DataString") {
            text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
        } else if let Some(number) = element.optional_number::<u16>("DataUINT") {
            number.to_le_bytes().to_vec()
        } else if let Some(number) = element.optional_number::<u32>("DataUDINT") {
            number.to_le_bytes().to_vec()
        } else {
            element.warn("has no content; it is left out");
            return Ok(None);
        };
        let preserves_online_data = element.flag("PreserveOnlineData");
        Ok(Some(Self { code, content, preserves_online_data }))
    }
}
