//! Data types: the basic ones, and those that a dictionary declares (`DataTypes`).

use crate::error::EsiError;
use crate::flags::Flags;
use crate::reader::Element;
use crate::text::Texts;

/// Code of `BOOLEAN`.
pub(crate) const BOOLEAN: u16 = 0x0001;
/// Code of `VISIBLE_STRING`.
pub(crate) const VISIBLE_STRING: u16 = 0x0009;
/// Code of `OCTET_STRING`.
pub(crate) const OCTET_STRING: u16 = 0x000A;
/// Code of `UNICODE_STRING`.
pub(crate) const UNICODE_STRING: u16 = 0x000B;

/// Names of the basic data types with their codes and bits (ETG1020, "Base data types"; the names of IEC 61131-3
/// and those of CANopen).
const BASIC: [(&str, u16, u16); 67] = [
    ("BOOL", 0x01, 1),
    ("BOOLEAN", 0x01, 1),
    ("BIT", 0x01, 1),
    ("SINT", 0x02, 8),
    ("INTEGER8", 0x02, 8),
    ("INT8", 0x02, 8),
    ("INT", 0x03, 16),
    ("INTEGER16", 0x03, 16),
    ("INT16", 0x03, 16),
    ("DINT", 0x04, 32),
    ("INTEGER32", 0x04, 32),
    ("INT32", 0x04, 32),
    ("USINT", 0x05, 8),
    ("UNSIGNED8", 0x05, 8),
    ("UINT8", 0x05, 8),
    ("UINT", 0x06, 16),
    ("UNSIGNED16", 0x06, 16),
    ("UINT16", 0x06, 16),
    ("UDINT", 0x07, 32),
    ("UNSIGNED32", 0x07, 32),
    ("UINT32", 0x07, 32),
    ("REAL", 0x08, 32),
    ("REAL32", 0x08, 32),
    ("FLOAT", 0x08, 32),
    ("TIME_OF_DAY", 0x0C, 48),
    ("TOD", 0x0C, 48),
    ("TIME_DIFFERENCE", 0x0D, 48),
    ("INT24", 0x10, 24),
    ("INTEGER24", 0x10, 24),
    ("LREAL", 0x11, 64),
    ("REAL64", 0x11, 64),
    ("DOUBLE", 0x11, 64),
    ("INT40", 0x12, 40),
    ("INT48", 0x13, 48),
    ("INT56", 0x14, 56),
    ("LINT", 0x15, 64),
    ("INTEGER64", 0x15, 64),
    ("INT64", 0x15, 64),
    ("UINT24", 0x16, 24),
    ("UNSIGNED24", 0x16, 24),
    ("UINT40", 0x18, 40),
    ("UINT48", 0x19, 48),
    ("UINT56", 0x1A, 56),
    ("ULINT", 0x1B, 64),
    ("UNSIGNED64", 0x1B, 64),
    ("UINT64", 0x1B, 64),
    ("GUID", 0x1D, 128),
    ("BYTE", 0x1E, 8),
    ("WORD", 0x1F, 16),
    ("DWORD", 0x20, 32),
    ("BITARR8", 0x2D, 8),
    ("BITARR16", 0x2E, 16),
    ("BITARR32", 0x2F, 32),
    ("BIT1", 0x30, 1),
    ("BIT2", 0x31, 2),
    ("BIT3", 0x32, 3),
    ("BIT4", 0x33, 4),
    ("BIT5", 0x34, 5),
    ("BIT6", 0x35, 6),
    ("BIT7", 0x36, 7),
    ("BIT8", 0x37, 8),
    ("BIT9", 0x38, 9),
    ("BIT10", 0x39, 10),
    ("BIT11", 0x3A, 11),
    ("BIT12", 0x3B, 12),
    ("BIT16", 0x3F, 16),
    ("LWORD", 0x1B, 64),
];

/// The code of a basic data type by its name; of `STRING(n)` and `WSTRING(n)` those of strings, of `ARRAY [0..n] OF
/// type` that of a row of bytes or words. 0 is none.
#[must_use]
pub fn basic_type(name: &str) -> Option<u16> {
    let name = name.trim();
    if let Some((_, code, _)) = BASIC.iter().find(|(one, ..)| one.eq_ignore_ascii_case(name)) {
        return Some(*code);
    }
    let upper = name.to_ascii_uppercase();
    if upper.starts_with("STRING") || upper == "VISIBLE_STRING" {
        return Some(VISIBLE_STRING);
    }
    if upper.starts_with("WSTRING") || upper == "UNICODE_STRING" {
        return Some(UNICODE_STRING);
    }
    if upper == "OCTET_STRING" {
        return Some(OCTET_STRING);
    }
    if upper.starts_with("ARRAY") {
        let of = upper.rsplit("OF").next().unwrap_or("").trim();
        return Some(array_of(basic_type(of).unwrap_or(0)));
    }
    None
}

/// The bits of a basic data type by its code; of those that have no length, none.
#[must_use]
pub fn basic_type_bits(code: u16) -> Option<u16> {
    BASIC.iter().find(|(_, one, _)| *one == code).map(|(.., bits)| *bits)
}

/// Whether a value of this type may be shorter than its bits say.
#[must_use]
pub const fn has_variable_length(code: u16) -> bool {
    matches!(code, VISIBLE_STRING | OCTET_STRING | UNICODE_STRING)
}

/// The type of a value that is a row of others (ETG1020, "ARRAY … OF").
pub(crate) const fn array_of(code: u16) -> u16 {
    match code {
        0x02 => 0x0261,
        0x03 => 0x0260,
        0x04 => 0x0262,
        0x06 => UNICODE_STRING,
        0x07 => 0x0263,
        _ => OCTET_STRING,
    }
}

/// A data type that a dictionary declares. Names mean something within that dictionary only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataType {
    /// Name.
    pub name: String,
    /// Bits.
    pub bits: u32,
    /// Name of the type that it is made of: an alias, an enumeration, or what an array has.
    pub base: Option<String>,
    /// Dimensions of an array.
    pub arrays: Vec<ArrayInfo>,
    /// Parts of a record; of an array its count and its elements.
    pub sub_items: Vec<SubItem>,
    /// Values of an enumeration.
    pub values: Vec<EnumValue>,
}

/// One dimension of an array.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArrayInfo {
    /// Lowest index.
    pub lower: i64,
    /// How many.
    pub elements: u32,
}

/// One part of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubItem {
    /// Subindex; none: that of the part before and one more.
    pub subindex: Option<u8>,
    /// Name.
    pub name: String,
    /// Languages of its name, where there are any.
    pub display: Texts,
    /// Name of its type.
    pub r#type: String,
    /// Bits.
    pub bits: u32,
    /// First bit in the record.
    pub bit_offset: u32,
    /// What it may be used for; none: what the object may.
    pub flags: Option<Flags>,
    /// Default, limits: where a type has them.
    pub info: Option<crate::dictionary::ValueInfo>,
}

/// One value of an enumeration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnumValue {
    /// The value.
    pub value: i64,
    /// What it means.
    pub text: Texts,
}

impl DataType {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "Index",
            "Name",
            "BaseType",
            "Comment",
            "BitSize",
            "ArrayInfo",
            "SubItem",
            "Properties",
            "Xml",
            "EnumInfo",
        ]);
        let array = |info: Element<'_>| ArrayInfo {
            lower: info.optional_number("LBound").unwrap_or(0),
            elements: info.optional_number("Elements").unwrap_or(0),
        };
        let value = |info: Element<'_>| {
            let value = info.optional_number("Enum")?;
            Some(EnumValue { value, text: Texts::of(&info, "Text") })
        };
        Ok(Self {
            name: element.required("Name")?.text().into_owned(),
            bits: element.optional_number("BitSize").unwrap_or(0),
            base: element.child_text("BaseType").filter(|base| !base.is_empty()),
            arrays: element.children("ArrayInfo").map(array).collect(),
            sub_items: element
                .children("SubItem")
                .map(|item| SubItem::read(&item))
                .collect::<Result<_, _>>()?,
            values: element.children("EnumInfo").filter_map(value).collect(),
        })
    }

    /// Elements of all dimensions together.
    pub(crate) fn elements(&self) -> u32 {
        self.arrays.iter().fold(1, |all, one| all.saturating_mul(one.elements))
    }
}

impl SubItem {
    fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "SubIdx",
            "Name",
            "DisplayName",
            "Type",
            "Comment",
            "BitSize",
            "BitOffs",
            "DefaultString",
            "DefaultData",
            "MinValue",
            "MaxValue",
            "DefaultValue",
            "Flags",
            "Property",
            "Xml",
            "Info",
        ]);
        let info = crate::dictionary::ValueInfo::read(element);
        Ok(Self {
            subindex: element.optional_number("SubIdx"),
            name: element.child_text("Name").unwrap_or_default(),
            display: Texts::of(element, "DisplayName"),
            r#type: element.child_text("Type").unwrap_or_default(),
            bits: element.optional_number("BitSize").unwrap_or(0),
            bit_offset: element.optional_number("BitOffs").unwrap_or(0),
            flags: Flags::of(element)?,
            info: (!info.is_empty()).then_some(info),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_types_have_the_codes_of_both_families_of_names() {
        for (name, code) in [
            ("UDINT", 7),
            ("UNSIGNED32", 7),
            ("bool", 1),
            ("STRING(25)", 9),
            ("ARRAY [0..14] OF BYTE", 10),
            ("ARRAY [0..3] OF UINT", 11),
            ("BIT3", 0x32),
        ] {
            assert_eq!(basic_type(name), Some(code), "{name}");
        }
        assert_eq!((basic_type("DT1018"), basic_type_bits(0x32)), (None, Some(3)));
        assert_eq!(basic_type_bits(VISIBLE_STRING), None);
    }
}
