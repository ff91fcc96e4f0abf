//! Objects and their values (ETG1000.6, "Object dictionary"), and what an SDO may do with them.

use std::collections::BTreeMap;

use ecat_wire::mailbox::coe::{AbortCode, Address};

/// Read in PRE-OP, SAFE-OP and OP.
pub const READ: u16 = 0x0007;
/// Written in PRE-OP, SAFE-OP and OP.
pub const WRITE: u16 = 0x0038;
/// Written in PRE-OP only.
pub const WRITE_PRE_OP: u16 = 0x0008;
/// An RxPDO can carry it.
pub const RX_MAPPABLE: u16 = 0x0040;
/// A TxPDO can carry it.
pub const TX_MAPPABLE: u16 = 0x0080;
/// To be stored for a replacement of the device.
pub const BACKUP: u16 = 0x0100;
/// To be set at every start.
pub const SETTINGS: u16 = 0x0200;

/// Data type `UNSIGNED8`.
pub const UNSIGNED8: u16 = 0x0005;
/// Data type `UNSIGNED16`.
pub const UNSIGNED16: u16 = 0x0006;
/// Data type `UNSIGNED32`.
pub const UNSIGNED32: u16 = 0x0007;
/// Data type `VISIBLE_STRING`.
pub const VISIBLE_STRING: u16 = 0x0009;
/// Data type `OCTET_STRING`.
pub const OCTET_STRING: u16 = 0x000A;

/// The most that one value may have, in bytes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectCode {
    /// One value, at subindex 0.
    Variable = 7,
    /// Values of one type; subindex 0 says how many.
    Array = 8,
    /// Values of different types; subindex 0 is the highest subindex.
    Record = 9,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name.
    pub name: String,
    /// Data type (ETG1000.6, basic data types).
    pub data_type: u16,
    /// Bits; of a string the most that it may have.
    pub bit_length: u32,
    /// [`READ`], [`WRITE`], [`RX_MAPPABLE`] …
    pub access: u16,
    /// Least and largest value, of an integer.
    pub range: Option<(i64, i64)>,
    /// Value, little-endian.
    pub value: Vec<u8>,
    /// The value after power-on.
    pub default: Vec<u8>,
}

impl Entry {
    /// A value that has no range.
    #[must_use]
    pub fn new(name: &str, data_type: u16, access: u16, value: Vec<u8>) -> Self {
        let bit_length = u32::try_from(value.len() * 8).unwrap_or(u32::MAX);
        let default = value.clone();
        Self { name: name.to_owned(), data_type, bit_length, access, range: None, value, default }
    }

    /// The value as an integer of its type; of more than 64 bits, the lowest.
    #[must_use]
    pub fn integer(&self) -> i64 {
        number(&self.value, self.is_signed()) as i64
    }

    fn bytes(&self) -> usize {
        (self.bit_length as usize).div_ceil(8)
    }

    fn has_variable_length(&self) -> bool {
        matches!(self.data_type, VISIBLE_STRING | OCTET_STRING | 0x000B)
    }

    /// Whether it is a signed integer.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        matches!(self.data_type, 0x0002..=0x0004 | 0x0010 | 0x0012..=0x0015)
    }

    fn readable(&self, state: u8) -> Result<(), AbortCode> {
        match (self.access & READ, self.access & READ & bit_of(state)) {
            (0, _) => Err(AbortCode::WRITE_ONLY),
            (_, 0) => Err(AbortCode::STATE),
            _ => Ok(()),
        }
    }

    fn writable(&self, state: u8) -> Result<(), AbortCode> {
        match (self.access & WRITE, self.access & WRITE & bit_of(state) << 3) {
            (0, _) => Err(AbortCode::READ_ONLY),
            (_, 0) => Err(AbortCode::STATE),
            _ => Ok(()),
        }
    }

    fn check_length(&self, length: usize) -> Result<(), AbortCode> {
        if length > self.bytes() {
            Err(AbortCode::TOO_LONG)
        } else if length < self.bytes() && !self.has_variable_length() {
            Err(AbortCode::TOO_SHORT)
        } else {
            Ok(())
        }
    }

    fn check_range(&self, value: &[u8]) -> Result<(), AbortCode> {
        let Some((least, most)) = self.range else { return Ok(()) };
        let value = number(value, self.is_signed());
        if value < i128::from(least) {
            Err(AbortCode::VALUE_TOO_LOW)
        } else if value > i128::from(most) {
            Err(AbortCode::VALUE_TOO_HIGH)
        } else {
            Ok(())
        }
    }
}

/// Little-endian bytes, at most eight, as a number.
pub(super) fn number(bytes: &[u8], signed: bool) -> i128 {
    let bytes = &bytes[..bytes.len().min(8)];
    let negative = signed && bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut all = [if negative { 0xFF } else { 0 }; 16];
    all[..bytes.len()].copy_from_slice(bytes);
    i128::from_le_bytes(all)
}

/// The bit of [`READ`] that a state has; BOOT has none.
const fn bit_of(state: u8) -> u16 {
    match state {
        2 => 1,
        4 => 2,
        8 => 4,
        _ => 0,
    }
}

/// One object: its values by subindex. Of arrays and records, subindex 0 is one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Name.
    pub name: String,
    /// What it is.
    pub code: ObjectCode,
    /// Data type; of a record the record's.
    pub data_type: u16,
    /// Values.
    pub entries: BTreeMap<u8, Entry>,
}

impl Object {
    /// One value.
    #[must_use]
    pub fn variable(entry: Entry) -> Self {
        Self {
            name: entry.name.clone(),
            code: ObjectCode::Variable,
            data_type: entry.data_type,
            entries: BTreeMap::from([(0, entry)]),
        }
    }

    /// An array or record. Subindex 0 is added; it can be written where `count_access` says so.
    #[must_use]
    pub fn list(
        name: &str,
        code: ObjectCode,
        data_type: u16,
        count_access: u16,
        entries: impl IntoIterator<Item = (u8, Entry)>,
    ) -> Self {
        let mut entries: BTreeMap<u8, Entry> = entries.into_iter().collect();
        let highest = entries.keys().next_back().copied().unwrap_or(0);
        entries.insert(0, Entry::new("SubIndex 000", UNSIGNED8, count_access, vec![highest]));
        Self { name: name.to_owned(), code, data_type, entries }
    }

    /// The highest subindex that there is.
    #[must_use]
    pub fn max_subindex(&self) -> u8 {
        self.entries.keys().next_back().copied().unwrap_or(0)
    }

    /// The value of subindex 0 of an array or record.
    #[must_use]
    pub fn count(&self) -> u8 {
        self.entries.get(&0).and_then(|entry| entry.value.first()).copied().unwrap_or(0)
    }
}

/// The objects of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectDictionary {
    /// By index.
    pub objects: BTreeMap<u16, Object>,
    /// How many values were written by SDOs, and how often modules were plugged.
    pub writes: u64,
}

impl ObjectDictionary {
    fn object(&self, index: u16) -> Result<&Object, AbortCode> {
        self.objects.get(&index).ok_or(AbortCode::NO_OBJECT)
    }

    /// A value, whatever the access.
    #[must_use]
    pub fn entry(&self, index: u16, subindex: u8) -> Option<&Entry> {
        self.objects.get(&index)?.entries.get(&subindex)
    }

    /// A value, whatever the access.
    pub fn entry_mut(&mut self, index: u16, subindex: u8) -> Option<&mut Entry> {
        self.objects.get_mut(&index)?.entries.get_mut(&subindex)
    }

    /// Gives a value that is an integer this one, cut to its length, whatever the access. Allocates nothing.
    pub fn set_integer(&mut self, index: u16, subindex: u8, value: i64) {
        if let Some(entry) = self.entry_mut(index, subindex) {
            let bytes = value.to_le_bytes();
            let length = entry.value.len().min(bytes.len());
            entry.value[..length].copy_from_slice(&bytes[..length]);
        }
    }

    /// A number, whatever the access; 0 if it is not there.
    #[must_use]
    pub fn number(&self, index: u16, subindex: u8) -> u32 {
        self.entry(index, subindex).map_or(0, |entry| {
            let mut bytes = [0; 4];
            let length = entry.value.len().min(4);
            bytes[..length].copy_from_slice(&entry.value[..length]);
            u32::from_le_bytes(bytes)
        })
    }

    /// What an upload in a state (its code: 2, 4, 8) gives.
    ///
    /// # Errors
    /// The abort code.
    pub fn read(&self, address: Address, state: u8) -> Result<Vec<u8>, AbortCode> {
        let object = self.object(address.index)?;
        if !address.complete {
            let entry = object.entries.get(&address.subindex).ok_or(AbortCode::NO_SUBINDEX)?;
            entry.readable(state)?;
            return Ok(entry.value.clone());
        }
        complete_possible(object, address.subindex)?;
        let mut image = Bits::default();
        if address.subindex == 0 {
            image.push(&[object.count(), 0], 16);
        }
        for (_, entry) in object.entries.range(1..=object.count().max(1)) {
            // What may not be read reads as nought.
            let zeros;
            let value = if entry.readable(state).is_ok() {
                &entry.value
            } else {
                zeros = vec![0; entry.bytes()];
                &zeros
            };
            image.push(value, entry.bit_length);
        }
        Ok(image.bytes)
    }

    /// Whether a download of `length` bytes may begin.
    ///
    /// # Errors
    /// The abort code.
    pub fn check_write(&self, address: Address, length: usize, state: u8) -> Result<(), AbortCode> {
        let object = self.object(address.index)?;
        if length > VALUE_BYTES_MAX {
            return Err(AbortCode::OUT_OF_MEMORY);
        }
        if address.complete {
            complete_possible(object, address.subindex)?;
            let writable = object.entries.values().any(|entry| entry.access & WRITE != 0);
            return if writable { Ok(()) } else { Err(AbortCode::READ_ONLY) };
        }
        let entry = object.entries.get(&address.subindex).ok_or(AbortCode::NO_SUBINDEX)?;
        entry.writable(state)?;
        entry.check_length(length)
    }

    /// Takes over one value: access, length and range must fit.
    ///
    /// # Errors
    /// The abort code.
    pub fn write_entry(
        &mut self,
        index: u16,
        subindex: u8,
        value: &[u8],
        state: u8,
    ) -> Result<(), AbortCode> {
        let address = Address { index, subindex, complete: false };
        self.check_write(address, value.len(), state)?;
        let entry = self.entry_mut(index, subindex).ok_or(AbortCode::NO_SUBINDEX)?;
        entry.check_range(value)?;
        entry.value = value.to_vec();
        self.writes += 1;
        Ok(())
    }

    /// Splits the data of a complete access into values by subindex. Of objects whose subindex 0 can be
    /// written, as many as the data has; of others all of them.
    ///
    /// # Errors
    /// The abort code.
    pub fn split(
        &self,
        address: Address,
        data: &[u8],
        state: u8,
    ) -> Result<Vec<(u8, Vec<u8>)>, AbortCode> {
        let object = self.object(address.index)?;
        complete_possible(object, address.subindex)?;
        let count_writable = object.entries.get(&0).is_some_and(|e| e.access & WRITE != 0);
        let mut reader = BitReader { bytes: data, at: 0 };
        let mut values = Vec::new();
        let mut count = object.count();
        if address.subindex == 0 {
            let number = reader.take(16).ok_or(AbortCode::TOO_SHORT)?;
            if number[1] != 0 || number[0] > object.max_subindex() {
                return Err(AbortCode::VALUE_TOO_HIGH);
            }
            if count_writable {
                count = number[0];
                values.push((0, vec![count]));
            } else if number[0] != count {
                return Err(AbortCode::READ_ONLY);
            }
        } else if count_writable {
            count = object.max_subindex();
        }
        for (&subindex, entry) in object.entries.range(1..=count.max(1)) {
            if subindex > count {
                break;
            }
            let Some(value) = reader.take(entry.bit_length as usize) else {
                if count_writable && address.subindex == 1 {
                    break;
                }
                return Err(AbortCode::TOO_SHORT);
            };
            // What cannot be written is in the data all the same, and stays.
            if entry.writable(state).is_ok() {
                values.push((subindex, value));
            }
        }
        if reader.at.div_ceil(8) < data.len() {
            return Err(AbortCode::TOO_LONG);
        }
        Ok(values)
    }
}

fn complete_possible(object: &Object, subindex: u8) -> Result<(), AbortCode> {
    if subindex > 1 || object.code == ObjectCode::Variable {
        return Err(AbortCode::UNSUPPORTED_ACCESS);
    }
    Ok(())
}

/// Values one behind the other, bit by bit.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    fn push(&mut self, value: &[u8], bits: u32) {
        for bit in 0..bits as usize {
            let byte = value.get(bit / 8).copied().unwrap_or(0);
            if self.length.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if byte >> (bit % 8) & 1 != 0 {
                self.bytes[self.length / 8] |= 1 << (self.length % 8);
            }
            self.length += 1;
        }
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl BitReader<'_> {
    fn take(&mut self, bits: usize) -> Option<Vec<u8>> {
        if self.at + bits > self.bytes.len() * 8 {
            return None;
        }
        let mut value = vec![0; bits.div_ceil(8)];
        for bit in 0..bits {
            let at = self.at + bit;
            if self.bytes[at / 8] >> (at % 8) & 1 != 0 {
                value[bit / 8] |= 1 << (bit % 8);
            }
        }
        self.at += bits;
        Some(value)
    }
}
