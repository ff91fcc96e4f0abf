//! The object dictionary as a file has it (`Dictionary`). What it comes to is in `objects.rs`.

use std::collections::HashMap;

use crate::data_type::DataType;
use crate::error::EsiError;
use crate::flags::Flags;
use crate::number::parse_integer;
use crate::pdo::SlotIndex;
use crate::reader::Element;
use crate::text::Texts;

/// Types and objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary {
    /// Types that its objects name.
    pub types: Vec<DataType>,
    /// Objects, in the order of the file.
    pub objects: Vec<DictionaryObject>,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DictionaryObject {
    /// Index.
    pub index: SlotIndex,
    /// Name.
    pub name: Texts,
    /// Name of its type.
    pub r#type: String,
    /// Bits.
    pub bits: u32,
    /// Its value, where it is one.
    pub info: ValueInfo,
    /// Values of its parts, by their order in the type.
    pub sub_items: Vec<(String, ValueInfo)>,
    /// What it may be used for.
    pub flags: Option<Flags>,
}

/// What is said of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueInfo {
    /// Default as text (`DefaultString`).
    pub default_string: Option<String>,
    /// Default as bytes, the lowest first (`DefaultData`).
    pub default_data: Option<Vec<u8>>,
    /// Default as it is written (`DefaultValue`): a number, a real number among them.
    pub default_value: Option<String>,
    /// Least value (`MinValue`, `MinData`).
    pub minimum: Option<Limit>,
    /// Largest value (`MaxValue`, `MaxData`).
    pub maximum: Option<Limit>,
    /// Name of the unit (`Unit`), as it is written.
    pub unit: Option<String>,
}

/// Types of a dictionary by their names.
pub(crate) type Types<'a> = HashMap<&'a str, &'a DataType>;

/// A limit as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A number (`MinValue`, `MaxValue`).
    Number(i64),
    /// Bytes of the type, the lowest first (`MinData`, `MaxData`).
    Data(Vec<u8>),
}

impl Dictionary {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&["DataTypes", "Objects", "UnitTypes"]);
        let types = element.child("DataTypes");
        let objects = element.child("Objects");
        let types = types.iter().flat_map(|types| types.children("DataType"));
        let objects = objects.iter().flat_map(|objects| objects.children("Object"));
        Ok(Self {
            types: types.map(|one| DataType::read(&one)).collect::<Result<_, _>>()?,
            objects: objects.map(|one| DictionaryObject::read(&one)).collect::<Result<_, _>>()?,
        })
    }

    /// Types by their names; of several of one name the first.
    pub(crate) fn types_by_name(&self) -> Types<'_> {
        self.types.iter().rev().map(|one| (one.name.as_str(), one)).collect()
    }
}

impl DictionaryObject {
    fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "Index",
            "Name",
            "Comment",
            "Type",
            "BitSize",
            "Info",
            "Flags",
            "Properties",
            "Xml",
        ]);
        let info = element.child("Info");
        let sub_items = info.iter().flat_map(|info| info.children("SubItem")).map(|item| {
            let value = item.child("Info").map(|info| ValueInfo::read(&info)).unwrap_or_default();
            (item.child_text("Name").unwrap_or_default(), value)
        });
        Ok(Self {
            index: SlotIndex::read(&element.required("Index")?)?,
            name: Texts::of(element, "Name"),
            r#type: element.child_text("Type").unwrap_or_default(),
            bits: element.optional_number("BitSize").unwrap_or(0),
            sub_items: sub_items.collect(),
            info: info.map(|info| ValueInfo::read(&info)).unwrap_or_default(),
            flags: Flags::of(element)?,
        })
    }
}

impl ValueInfo {
    /// What an `Info`, or an old `SubItem`, says.
    pub(crate) fn read(element: &Element<'_>) -> Self {
        let text = |name| element.child_text(name);
        Self {
            default_string: text("DefaultString"),
            default_data: element
                .child("DefaultData")
                .filter(|one| !one.text().is_empty())
                .and_then(|one| one.lenient_bytes()),
            default_value: text("DefaultValue").filter(|value| !value.is_empty()),
            minimum: limit(element, "MinValue", "MinData"),
            maximum: limit(element, "MaxValue", "MaxData"),
            unit: text("Unit").filter(|unit| !unit.is_empty()),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is beyond 64 bits, or a real number, limits nothing.
fn limit(element: &Element<'_>, value: &'static str, data: &'static str) -> Option<Limit> {
    if let Some(child) = element.child(value) {
        let number = parse_integer(&child.text()).and_then(|number| i64::try_from(number).ok());
        return number.map(Limit::Number);
    }
    element.child_bytes(data).filter(|bytes| (1..=8).contains(&bytes.len())).map(Limit::Data)
}
