//! PDOs (`RxPdo`, `TxPdo`).

use ecat_wire::sii::PdoDirection;

use crate::data_type::{basic_type, basic_type_bits};
use crate::error::{EsiError, Place};
use crate::reader::Element;
use crate::text::Texts;

/// An index that a module's slot may move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotIndex {
    /// The index in slot 1.
    pub base: u16,
    /// Whether each further slot adds the device's increment (`DependOnSlot`).
    pub depends_on_slot: bool,
    /// Whether each further group of slots adds one (`DependOnSlotGroup`).
    pub depends_on_group: bool,
    /// Whether a module's object of this index takes the place of the device's (`OverwrittenByModule`).
    pub overwritten_by_module: bool,
}

impl SlotIndex {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        Ok(Self {
            base: element.number()?,
            depends_on_slot: element.flag("DependOnSlot"),
            depends_on_group: element.flag("DependOnSlotGroup"),
            overwritten_by_module: element.flag("OverwrittenByModule"),
        })
    }

    /// The index in slot `slot`, from 0, where each adds `increment`.
    #[must_use]
    pub(crate) fn moved(self, slot: u32, increment: u32) -> Self {
        if !self.depends_on_slot || self.base == 0 {
            return self;
        }
        let by = slot.wrapping_mul(increment);
        let base = u32::from(self.base).wrapping_add(by) as u16;
        Self { base, ..self }
    }
}

/// One PDO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pdo {
    /// Where it stands in its file.
    pub place: Place,
    /// RxPDO (outputs) or TxPDO (inputs).
    pub direction: PdoDirection,
    /// Index.
    pub index: SlotIndex,
    /// Name.
    pub name: Texts,
    /// SyncManager that carries it by default (`Sm`); none: not assigned by default.
    pub sync_manager: Option<u8>,
    /// SyncUnit (`Su`).
    pub sync_unit: Option<u8>,
    /// Its entries stay as they are (`Fixed`).
    pub fixed: bool,
    /// It is always assigned (`Mandatory`).
    pub mandatory: bool,
    /// Its content is virtual (`Virtual`).
    pub r#virtual: bool,
    /// How many samples a cycle it can carry at least, at most, and each (`OSMin`, `OSMax`, `OSFac`).
    pub oversampling: [Option<u32>; 3],
    /// PDOs that cannot be assigned beside it.
    pub excludes: Vec<SlotIndex>,
    /// SyncManagers that cannot carry it.
    pub excluded_sync_managers: Vec<u8>,
    /// Entries in the order of their bits.
    pub entries: Vec<PdoEntry>,
}

/// One entry of a PDO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PdoEntry {
    /// Index; 0 is a gap.
    pub index: SlotIndex,
    /// Subindex.
    pub subindex: u8,
    /// Bits.
    pub bits: u16,
    /// Name.
    pub name: Texts,
    /// Name of its data type.
    pub data_type: String,
}

impl PdoEntry {
    /// Code of its data type, 0 where it is none of the basic ones.
    #[must_use]
    pub fn type_code(&self) -> u16 {
        basic_type(&self.data_type).unwrap_or(0)
    }
}

impl Pdo {
    /// Bits of all entries.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.entries.iter().map(|entry| usize::from(entry.bits)).sum()
    }

    /// All PDOs of a device or module, in the order of the file; those that only refer to others (`Ref`, in old
    /// catalogues) are left out.
    pub(crate) fn all(parent: &Element<'_>) -> Result<Vec<Self>, EsiError> {
        let mut pdos = Vec::new();
        for element in parent.all_children() {
            let direction = match element.name() {
                "RxPdo" => PdoDirection::Rx,
                "TxPdo" => PdoDirection::Tx,
                _ => continue,
            };
            if element.child("Index").is_none() && element.attribute("Ref").is_some() {
                element.warn("refers to a PDO that is described elsewhere; it is left out");
                continue;
            }
            pdos.push(Self::read(&element, direction)?);
        }
        Ok(pdos)
    }

    fn read(element: &Element<'_>, direction: PdoDirection) -> Result<Self, EsiError> {
        element.ignores_all_but(&["Index", "Name", "Exclude", "Entry", "ExcludedSm"]);
        let number = |name| element.attribute(name).and_then(|one| one.number());
        let excludes = element.children("Exclude").map(|one| SlotIndex::read(&one));
        let sync_managers = element.children("ExcludedSm").filter_map(|one| one.lenient_number());
        let entries = element.children("Entry").filter_map(|one| PdoEntry::read(&one).transpose());
        Ok(Self {
            place: element.place(),
            direction,
            index: SlotIndex::read(&element.required("Index")?)?,
            name: Texts::of(element, "Name"),
            sync_manager: element.attribute("Sm").and_then(|one| one.number()),
            sync_unit: element.attribute("Su").and_then(|one| one.number()),
            fixed: element.flag("Fixed"),
            mandatory: element.flag("Mandatory"),
            r#virtual: element.flag("Virtual"),
            oversampling: [number("OSMin"), number("OSMax"), number("OSFac")],
            excludes: excludes.collect::<Result<_, _>>()?,
            excluded_sync_managers: sync_managers.collect(),
            entries: entries.collect::<Result<_, _>>()?,
        })
    }
}

impl PdoEntry {
    /// An entry; one that takes no bits is left out.
    fn read(element: &Element<'_>) -> Result<Option<Self>, EsiError> {
        element.ignores_all_but(&["Index", "SubIndex", "BitLen", "Name", "Comment", "DataType"]);
        let data_type = element.child_text("DataType").unwrap_or_default();
        let bits = match element.child("BitLen") {
            Some(bits) => Some(bits.number()?),
            None => basic_type(&data_type).and_then(basic_type_bits),
        };
        let index = element.child("Index").map(|index| SlotIndex::read(&index)).transpose()?;
        let (Some(index), Some(bits)) = (index, bits) else {
            element.warn("has no Index, or no BitLen; it is left out");
            return Ok(None);
        };
        Ok(Some(Self {
            index,
            subindex: element.optional_number("SubIndex").unwrap_or(0),
            bits,
            name: Texts::of(element, "Name"),
            data_type,
        }))
    }
}
