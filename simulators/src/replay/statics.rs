//! Which bits of registers are compared. Almost all follow from what the MainDevice did; a few show what a
//! device sees of the world, or when its program ran.

use crate::description::{DescriptionError, SegmentDescription};
use crate::segment::Segment;

/// What is compared where the segment's description says nothing else: first register, and a mask a byte.
/// Every register that is not here is compared in full.
const TABLE: [(u16, &[u8]); 2] = [
    // Levels of SYNC0 and SYNC1, which change within microseconds of the clock (bit 0).
    (0x098E, &[0xFE, 0xFE]),
    // Levels at the latch inputs (bit 2).
    (0x09AE, &[0xFB, 0xFB]),
];

/// The table, and what a description puts in its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Statics {
    overrides: Vec<(Option<usize>, u16, Vec<u8>)>,
}

impl Statics {
    pub(super) fn new(
        description: &SegmentDescription,
        segment: &Segment,
    ) -> Result<Self, DescriptionError> {
        let mut overrides = Vec::new();
        for (n, one) in description.compare.iter().enumerate() {
            let named = |name: &String| {
                let found = segment.devices().iter().position(|device| device.name == *name);
                found.ok_or_else(|| {
                    let path = format!("/compare/{n}/device");
                    DescriptionError::new(path, format!("no device is called {name:?}"))
                })
            };
            let device = one.device.as_ref().map(named).transpose()?;
            overrides.push((device, one.register, one.mask.clone()));
        }
        Ok(Self { overrides })
    }

    /// The bits of a byte of a device's memory that are compared.
    pub(super) fn mask(&self, device: usize, address: u16) -> u8 {
        let within =
            |first: u16, mask: &[u8]| mask.get(usize::from(address.checked_sub(first)?)).copied();
        // The last one that says something of it.
        let own = self.overrides.iter().rev().filter(|(of, ..)| of.is_none_or(|of| of == device));
        let mut own = own.filter_map(|(_, first, mask)| within(*first, mask));
        let table = || TABLE.iter().find_map(|&(first, mask)| within(first, mask));
        own.next().or_else(table).unwrap_or(0xFF)
    }
}
