//! PDO assignment (0x1C10 + SyncManager) and mapping (0x1600…, 0x1A00…): what they allow, and the process
//! image that comes of them (ETG1000.6, "PDO mapping"; ETG1020, "PDO assignment").

use ecat_wire::mailbox::coe::AbortCode;

use super::object_dictionary::{ObjectDictionary, RX_MAPPABLE, TX_MAPPABLE};

/// Object of the assignment of SyncManager 0.
pub const ASSIGNMENT: u16 = 0x1C10;
/// Objects of RxPDOs.
const RX_PDOS: std::ops::RangeInclusive<u16> = 0x1600..=0x17FF;
/// Objects of TxPDOs.
const TX_PDOS: std::ops::RangeInclusive<u16> = 0x1A00..=0x1BFF;
const ASSIGNMENTS: std::ops::RangeInclusive<u16> = 0x1C12..=0x1C2F;
const PRE_OP: u8 = 2;

/// One value in the process image of a SyncManager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Object; 0 is a gap.
    pub index: u16,
    /// Subindex.
    pub subindex: u8,
    /// First bit in the image.
    pub bit_offset: u32,
    /// Bits.
    pub bit_length: u8,
}

/// What a device allows of assignments beyond what its objects say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PdoRules {
    /// PDOs that cannot be assigned together.
    pub exclusions: Vec<(u16, u16)>,
    /// SyncManagers and the PDOs that they cannot carry.
    pub not_carried: Vec<(u8, u16)>,
    /// PDOs without which there is no SAFE-OP: outputs, and inputs.
    pub mandatory: Vec<u16>,
}

impl PdoRules {
    /// Whether a PDO that must be assigned is not.
    pub(crate) fn misses(&self, dictionary: &ObjectDictionary) -> Option<u16> {
        let assigned = assigned(dictionary);
        self.mandatory.iter().copied().find(|pdo| !assigned.contains(pdo))
    }

    /// Whether these can be assigned together.
    fn allow(&self, pdos: &[u16]) -> bool {
        let both = |(one, other): &(u16, u16)| pdos.contains(one) && pdos.contains(other);
        !self.exclusions.iter().any(both)
    }
}

/// All PDOs that are assigned.
fn assigned(dictionary: &ObjectDictionary) -> Vec<u16> {
    let of = |index: u16| {
        let count = dictionary.objects.get(&index).map_or(0, |object| object.count());
        (1..=count).map(move |subindex| dictionary.number(index, subindex) as u16)
    };
    dictionary.objects.range(ASSIGNMENTS).flat_map(|(index, _)| of(*index)).collect()
}

/// Whether a PDO is one of inputs.
pub(crate) fn is_tx_pdo(index: u16) -> bool {
    TX_PDOS.contains(&index)
}

/// Why an assignment makes no process image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmappable;

/// What a SyncManager carries, by the dictionary; `None` without an assignment object for it.
///
/// # Errors
/// [`Unmappable`] if a PDO that is assigned, or an object that is mapped, is not there.
pub fn image(
    dictionary: &ObjectDictionary,
    sync_manager: u8,
) -> Result<Option<Vec<Mapped>>, Unmappable> {
    let index = ASSIGNMENT + u16::from(sync_manager);
    let Some(assignment) = dictionary.objects.get(&index) else { return Ok(None) };
    let (mut mapped, mut bit_offset) = (Vec::new(), 0);
    for n in 1..=assignment.count() {
        let pdo = dictionary.number(index, n) as u16;
        let mapping = dictionary.objects.get(&pdo).ok_or(Unmappable)?;
        for subindex in 1..=mapping.count() {
            let entry = dictionary.number(pdo, subindex);
            let (object, sub, bits) = parts(entry);
            if object != 0 && dictionary.entry(object, sub).is_none() {
                return Err(Unmappable);
            }
            mapped.push(Mapped { index: object, subindex: sub, bit_offset, bit_length: bits });
            bit_offset += u32::from(bits);
        }
    }
    Ok(Some(mapped))
}

/// Whether an RxPDO that is assigned carries a value.
pub(super) fn is_output(dictionary: &ObjectDictionary, index: u16, subindex: u8) -> bool {
    let sync_managers = (0..16).filter(|n| {
        (1..=dictionary.objects.get(&(ASSIGNMENT + n)).map_or(0, |assigned| assigned.count()))
            .any(|sub| RX_PDOS.contains(&(dictionary.number(ASSIGNMENT + n, sub) as u16)))
    });
    sync_managers.into_iter().any(|n| {
        let mapped = image(dictionary, n as u8).ok().flatten().unwrap_or_default();
        mapped.iter().any(|m| (m.index, m.subindex) == (index, subindex))
    })
}

const fn parts(entry: u32) -> (u16, u8, u8) {
    ((entry >> 16) as u16, (entry >> 8) as u8, entry as u8)
}

/// Whether an object is an assignment or a mapping.
pub(crate) fn is_pdo_object(index: u16) -> bool {
    RX_PDOS.contains(&index) || TX_PDOS.contains(&index) || ASSIGNMENTS.contains(&index)
}

/// Whether a value may be written to an assignment or a mapping: in PRE-OP, while subindex 0 is 0, and
/// only what is there and can be mapped. PDOs that exclude each other are refused when subindex 0 says that they are
/// to be assigned together.
pub(super) fn check_write(
    dictionary: &ObjectDictionary,
    rules: &PdoRules,
    index: u16,
    subindex: u8,
    value: &[u8],
    state: u8,
) -> Result<(), AbortCode> {
    if state != PRE_OP {
        return Err(AbortCode::STATE);
    }
    let Some(object) = dictionary.objects.get(&index) else { return Ok(()) };
    if subindex == 0 {
        let highest = value.first().copied().unwrap_or(0);
        if highest > object.max_subindex() {
            return Err(AbortCode::VALUE_TOO_HIGH);
        }
        if ASSIGNMENTS.contains(&index) {
            let mut together: Vec<u16> =
                (1..=highest).map(|n| dictionary.number(index, n) as u16).collect();
            for (&other, _) in dictionary.objects.range(ASSIGNMENTS).filter(|(i, _)| **i != index) {
                let count = dictionary.objects.get(&other).map_or(0, |object| object.count());
                together.extend((1..=count).map(|n| dictionary.number(other, n) as u16));
            }
            if highest > 0 && !rules.allow(&together) {
                return Err(AbortCode::PARAMETERS);
            }
        }
        return Ok(());
    }
    if object.count() != 0 {
        return Err(AbortCode::SUBINDEX_0_NOT_ZERO);
    }
    let mut bytes = [0; 4];
    let length = value.len().min(4);
    bytes[..length].copy_from_slice(&value[..length]);
    let value = u32::from_le_bytes(bytes);
    if ASSIGNMENTS.contains(&index) {
        let pdo = value as u16;
        let there = is_pdo_object(pdo) && !ASSIGNMENTS.contains(&pdo);
        if rules
            .not_carried
            .iter()
            .any(|(sm, one)| (ASSIGNMENT + u16::from(*sm), *one) == (index, pdo))
        {
            return Err(AbortCode::NOT_MAPPABLE);
        }
        return if there && dictionary.objects.contains_key(&pdo) {
            Ok(())
        } else {
            Err(AbortCode::VALUE)
        };
    }
    let (object, sub, bits) = parts(value);
    if object == 0 {
        return Ok(());
    }
    let needed = if RX_PDOS.contains(&index) { RX_MAPPABLE } else { TX_MAPPABLE };
    match dictionary.entry(object, sub) {
        None => Err(AbortCode::NO_OBJECT),
        Some(entry) if entry.access & needed == 0 || entry.bit_length != u32::from(bits) => {
            Err(AbortCode::NOT_MAPPABLE)
        }
        Some(_) => Ok(()),
    }
}
