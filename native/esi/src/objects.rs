//! What a dictionary comes to: objects with their entries, of which each has a type, an access and a value.

use std::collections::HashMap;

use crate::data_type::{
    BOOLEAN, DataType, VISIBLE_STRING, array_of, basic_type, basic_type_bits, has_variable_length,
};
use crate::dictionary::{DictionaryObject, Limit, Types, ValueInfo};
use crate::flags::Flags;
use crate::number::parse_integer;

/// Aliases of aliases are followed so far.
const ALIASES_MAX: usize = 16;
const UNSIGNED8: u16 = 0x0005;
/// Bytes of the largest value that is made where a file gives only its size.
const VALUE_BYTES_MAX: usize = 64 << 10;

/// What an object is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectCode {
    /// One value, at subindex 0.
    #[default]
    Variable,
    /// Values of one type; subindex 0 says how many.
    Array,
    /// Values of different types; subindex 0 is the highest subindex.
    Record,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedObject {
    /// Index.
    pub index: u16,
    /// Whether a module's takes its place.
    pub overwritten_by_module: bool,
    /// Name.
    pub name: String,
    /// What it is.
    pub code: ObjectCode,
    /// Code of its type (ETG1020); of a record 0.
    pub data_type: u16,
    /// Its values by subindex, ascending; of arrays and records with subindex 0.
    pub entries: Vec<ResolvedEntry>,
}

/// One value of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedEntry {
    /// Subindex.
    pub subindex: u8,
    /// Name.
    pub name: String,
    /// Code of its type (ETG1020); 0 where it is none of the basic ones.
    pub data_type: u16,
    /// Bits; of a string the most that it may have.
    pub bits: u32,
    /// What it may be used for.
    pub flags: Flags,
    /// Value after power-on, little-endian; of its bits, or shorter where its type may be.
    pub value: Vec<u8>,
    /// Least value of an integer.
    pub minimum: Option<i64>,
    /// Largest value of an integer.
    pub maximum: Option<i64>,
    /// Values that have a name.
    pub values: Vec<(i64, String)>,
}

/// What a name of a type stands for.
#[derive(Clone, Default)]
struct Shape {
    code: u16,
    bits: u32,
    values: Vec<(i64, String)>,
}

impl DictionaryObject {
    /// The object with its types looked up in its dictionary.
    pub(crate) fn resolve(&self, types: &Types<'_>, language: u32) -> ResolvedObject {
        let object = ResolvedObject {
            index: self.index.base,
            overwritten_by_module: self.index.overwritten_by_module,
            name: self.name.get(language).to_owned(),
            ..ResolvedObject::default()
        };
        match types.get(self.r#type.as_str()) {
            Some(record) if !record.sub_items.is_empty() => {
                self.with_entries(record, object, types, language)
            }
            _ => {
                let mut shape = shape(&self.r#type, types, language);
                if shape.bits == 0 {
                    shape.bits = self.bits;
                }
                let flags = self.flags.unwrap_or_default();
                let entry = entry(0, &object.name, shape, flags, &[&self.info]);
                ResolvedObject { data_type: entry.data_type, entries: vec![entry], ..object }
            }
        }
    }

    /// Parts of a record, or of an array: its second part then is a type with dimensions.
    fn with_entries(
        &self,
        record: &DataType,
        object: ResolvedObject,
        types: &Types<'_>,
        language: u32,
    ) -> ResolvedObject {
        let mut entries: Vec<ResolvedEntry> = Vec::new();
        let mut is_array = false;
        // Values stand in the order of the parts; of arrays each element has one.
        let mut values = self.sub_items.iter();
        let named = self.sub_items.iter().all(|(name, _)| !name.is_empty());
        let by_name: HashMap<&str, &ValueInfo> = match named {
            true => self.sub_items.iter().rev().map(|(name, info)| (name.as_str(), info)).collect(),
            false => HashMap::new(),
        };
        let mut next = 0_u16;
        for item in &record.sub_items {
            // What a part does not say the object says; what is said in part has the defaults of the schema
            // (ETG2000, "Content of Dictionary/Object").
            let flags = item.flags.or(self.flags).unwrap_or_default();
            let first = item.subindex.map_or(next, u16::from);
            let array = types
                .get(item.r#type.as_str())
                .filter(|one| !one.arrays.is_empty() && first > 0 && record.sub_items.len() == 2);
            if let Some(array) = array {
                is_array = true;
                let base = array.base.as_deref().unwrap_or_default();
                let count = array.elements().min(255);
                let mut element = shape(base, types, language);
                if element.bits == 0 && count > 0 {
                    element.bits = array.bits / count;
                }
                // The lower bound is the first subindex.
                let lower = array.arrays.first().map_or(1, |one| one.lower.clamp(1, 255)) as u16;
                for subindex in (lower..=255).take(count as usize) {
                    let (name, info) = match values.next() {
                        Some((name, info)) if !name.is_empty() => (name.clone(), info),
                        Some((_, info)) => (format!("SubIndex {subindex:03}"), info),
                        None => (format!("SubIndex {subindex:03}"), &NOTHING),
                    };
                    let infos = [info, item.info.as_ref().unwrap_or(&NOTHING)];
                    entries.push(entry(subindex as u8, &name, element.clone(), flags, &infos));
                }
                continue;
            }
            // By its name where the order is another one.
            let positional = values.next();
            let value = match positional {
                Some((name, info)) if *name != item.name => {
                    Some(by_name.get(item.name.as_str()).copied().unwrap_or(info))
                }
                other => other.map(|(_, info)| info),
            };
            let mut shape = shape(&item.r#type, types, language);
            if shape.bits == 0 || (item.bits > 0 && has_variable_length(shape.code)) {
                shape.bits = item.bits;
            }
            let info = value.unwrap_or(&NOTHING);
            let name = match item.display.get(language) {
                "" => &item.name,
                display => display,
            };
            let infos = [info, item.info.as_ref().unwrap_or(&NOTHING)];
            if let Ok(subindex) = u8::try_from(first) {
                entries.retain(|known| known.subindex != subindex);
                entries.push(entry(subindex, name, shape, flags, &infos));
            }
            next = first.saturating_add(1);
        }
        entries.sort_by_key(|entry| entry.subindex);
        count_entries(&mut entries, self, record);
        let of_elements = || entries.iter().find(|e| e.subindex > 0).map_or(0, |e| e.data_type);
        let (code, data_type) =
            if is_array { (ObjectCode::Array, of_elements()) } else { (ObjectCode::Record, 0) };
        ResolvedObject { code, data_type, entries, ..object }
    }
}

static NOTHING: ValueInfo = ValueInfo {
    default_string: None,
    default_data: None,
    default_value: None,
    minimum: None,
    maximum: None,
    unit: None,
};

/// Subindex 0 where a file leaves it out; and where it leaves its value out, the highest subindex.
fn count_entries(entries: &mut Vec<ResolvedEntry>, object: &DictionaryObject, record: &DataType) {
    let highest = entries.last().map_or(0, |entry| entry.subindex);
    if entries.first().is_none_or(|entry| entry.subindex != 0) {
        entries.insert(
            0,
            ResolvedEntry {
                name: "SubIndex 000".to_owned(),
                data_type: UNSIGNED8,
                bits: 8,
                value: vec![highest],
                ..ResolvedEntry::default()
            },
        );
        return;
    }
    let said = |info: &ValueInfo| info.default_data.is_some() || info.default_value.is_some();
    let of_object = object.sub_items.first().is_some_and(|(_, info)| said(info));
    let of_type = record.sub_items.first().and_then(|item| item.info.as_ref()).is_some_and(said);
    if !of_object && !of_type {
        entries[0].value = vec![highest];
    }
}

fn shape(name: &str, types: &Types<'_>, language: u32) -> Shape {
    let mut values = Vec::new();
    let mut bits = 0;
    let mut current = name.to_owned();
    for _ in 0..ALIASES_MAX {
        let declared = types.get(current.as_str());
        if let Some(one) = declared {
            if bits == 0 {
                bits = one.bits;
            }
            if values.is_empty() {
                let named = one.values.iter();
                values = named.map(|v| (v.value, v.text.get(language).to_owned())).collect();
            }
            if !one.arrays.is_empty() {
                // A value that is a row of others.
                let of = one.base.as_deref().and_then(basic_type).unwrap_or(0);
                return Shape { code: array_of(of), bits, values };
            }
        }
        if let Some(code) = basic_type(&current) {
            let known = basic_type_bits(code).map(u32::from);
            let bits = if bits == 0 { known.unwrap_or_else(|| length_in(&current)) } else { bits };
            return Shape { code, bits, values };
        }
        match declared.and_then(|one| one.base.clone()) {
            Some(base) if base != current => current = base,
            _ => break,
        }
    }
    Shape { code: 0, bits, values }
}

/// Bits of `STRING(25)` or `ARRAY [0..24] OF BYTE`, by what their names say.
fn length_in(name: &str) -> u32 {
    let numbers: Vec<u32> = name
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    let unit =
        if name.to_ascii_uppercase().contains("UINT") || name.starts_with('W') { 16 } else { 8 };
    match numbers.as_slice() {
        [length] => length.saturating_mul(unit),
        [first, last, ..] if last >= first => (last - first).saturating_add(1).saturating_mul(unit),
        _ => 0,
    }
}

fn entry(
    subindex: u8,
    name: &str,
    shape: Shape,
    flags: Flags,
    infos: &[&ValueInfo],
) -> ResolvedEntry {
    let Shape { code, bits, values } = shape;
    let given = infos.iter().find_map(|info| default(info, code, bits));
    let written = |of: fn(&ValueInfo) -> Option<&Limit>| infos.iter().find_map(|info| of(info));
    let (least, most) =
        (written(|info| info.minimum.as_ref()), written(|info| info.maximum.as_ref()));
    let (minimum, maximum) = limits(code, given.as_deref(), least, most);
    let value =
        given.unwrap_or_else(|| if has_variable_length(code) { Vec::new() } else { zeros(bits) });
    ResolvedEntry {
        subindex,
        name: name.to_owned(),
        data_type: code,
        bits,
        flags,
        value,
        minimum,
        maximum,
        values,
    }
}

/// Limits of a value, those that exclude each other left out.
///
/// Vendors write `MinData` and `MaxData` with the highest byte first as well, beside a default with the lowest first:
/// so they are read where the default is within them then and is not otherwise.
fn limits(
    code: u16,
    default: Option<&[u8]>,
    least: Option<&Limit>,
    most: Option<&Limit>,
) -> (Option<i64>, Option<i64>) {
    if !is_integer(code) {
        return (None, None);
    }
    let read = |limit: Option<&Limit>, reversed: bool| match limit? {
        Limit::Number(number) => Some(*number),
        Limit::Data(bytes) if reversed => {
            Some(number(code, &bytes.iter().rev().copied().collect::<Vec<_>>()))
        }
        Limit::Data(bytes) => Some(number(code, bytes)),
    };
    let pair = |reversed| (read(least, reversed), read(most, reversed));
    let default = default.map(|bytes| number(code, bytes));
    let holds = |(least, most): (Option<i64>, Option<i64>)| {
        least.is_none_or(|least| most.is_none_or(|most| least <= most))
            && default.is_none_or(|default| {
                least.is_none_or(|least| least <= default)
                    && most.is_none_or(|most| default <= most)
            })
    };
    if !holds(pair(false)) && holds(pair(true)) {
        return pair(true);
    }
    match pair(false) {
        (Some(least), Some(most)) if least > most => (None, None),
        limits => limits,
    }
}

/// An integer by its bytes, the lowest first.
fn number(code: u16, bytes: &[u8]) -> i64 {
    let negative = is_signed(code) && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut all = [if negative { 0xFF } else { 0 }; 8];
    let count = bytes.len().min(8);
    all[..count].copy_from_slice(&bytes[..count]);
    i64::from_le_bytes(all)
}

const fn is_signed(code: u16) -> bool {
    matches!(code, 0x02..=0x04 | 0x10 | 0x12..=0x15)
}

fn zeros(bits: u32) -> Vec<u8> {
    vec![0; (bits.div_ceil(8) as usize).min(VALUE_BYTES_MAX)]
}

const fn is_integer(code: u16) -> bool {
    matches!(code, 0x02..=0x07 | 0x10 | 0x12..=0x1B | 0x1E..=0x20 | 0x30..=0x3F)
}

/// The default that an `Info` gives, in as many bytes as the type has.
fn default(info: &ValueInfo, code: u16, bits: u32) -> Option<Vec<u8>> {
    let text = |text: &str| -> Vec<u8> {
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
    };
    let mut value = if let Some(data) = &info.default_data {
        data.clone()
    } else if let Some(string) = info.default_string.as_deref().filter(|s| !s.is_empty()) {
        text(string)
    } else {
        let written = info.default_value.as_deref()?;
        match (code, parse_integer(written), written.trim().parse::<f64>()) {
            (VISIBLE_STRING, ..) => text(written),
            (0x08, Some(number), _) => (number as f32).to_le_bytes().to_vec(),
            (0x11, Some(number), _) => (number as f64).to_le_bytes().to_vec(),
            (0x08, None, Ok(number)) => (number as f32).to_le_bytes().to_vec(),
            (0x11, None, Ok(number)) => number.to_le_bytes().to_vec(),
            (BOOLEAN, None, _) => vec![u8::from(crate::number::parse_flag(written)?)],
            (_, Some(number), _) => extended(number, bits),
            _ => return None,
        }
    };
    let bytes = bits.div_ceil(8) as usize;
    if has_variable_length(code) {
        value.truncate(bytes.max(1));
    } else if bytes > 0 {
        value.resize(bytes.min(VALUE_BYTES_MAX), 0);
    }
    Some(value)
}

/// A number in as many bytes as there are, with its sign.
fn extended(number: i128, bits: u32) -> Vec<u8> {
    let bytes = (bits.div_ceil(8) as usize).min(VALUE_BYTES_MAX);
    let fill = if number < 0 { 0xFF } else { 0 };
    let mut value = number.to_le_bytes().to_vec();
    value.resize(bytes.max(1), fill);
    value
}
