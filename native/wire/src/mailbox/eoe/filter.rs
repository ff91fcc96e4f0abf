//! Which frames a device lets through to the MainDevice (ETG1000.6, "Set Address Filter").
//!
//! ```text
//! options u16   filters 4 bits, masks 2, reserved 1, no broadcasts 1
//! then          16 MAC addresses, 4 masks of 6 bytes, whether they count or not
//! ```
//! Wireshark's structure has six bytes a mask, its dissector reads four.

use super::super::MailError;
use super::super::cursor::{Reader, Writer};
use crate::ethernet::MacAddress;

/// Addresses that a mail has room for; 15 of them can count.
pub const FILTERS_MAX: usize = 16;
/// Masks that a mail has room for; 3 of them can count.
pub const MASKS_MAX: usize = 4;

const NO_BROADCASTS: u16 = 0x0080;

/// A filter of destination addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressFilter {
    /// How many of `filters` count (4 bits).
    pub filter_count: u8,
    /// How many of `masks` count (2 bits).
    pub mask_count: u8,
    /// Whether broadcasts stay outside.
    pub no_broadcasts: bool,
    /// Addresses.
    pub filters: [MacAddress; FILTERS_MAX],
    /// Which bits of the address at the same place are compared.
    pub masks: [MacAddress; MASKS_MAX],
}

impl Default for AddressFilter {
    /// Lets everything through.
    fn default() -> Self {
        Self {
            filter_count: 0,
            mask_count: 0,
            no_broadcasts: false,
            filters: [MacAddress([0; 6]); FILTERS_MAX],
            masks: [MacAddress([0; 6]); MASKS_MAX],
        }
    }
}

impl AddressFilter {
    /// Whether a frame to this address passes. Without a filter all do; with filters, those to one of the
    /// addresses, of which the first ones are compared under their masks (assumed: no public text says how masks
    /// and addresses go together). Broadcasts have their own bit, other multicasts are addresses.
    #[must_use]
    pub fn passes(&self, destination: MacAddress) -> bool {
        if destination.0 == [0xFF; 6] {
            return !self.no_broadcasts;
        }
        if self.filter_count == 0 {
            return true;
        }
        let filters = self.filters.iter().take(usize::from(self.filter_count)).enumerate();
        filters.into_iter().any(|(n, filter)| {
            let masked = n < usize::from(self.mask_count);
            let mask = self.masks.get(n).filter(|_| masked).map_or([0xFF; 6], |mask| mask.0);
            let pairs = destination.0.iter().zip(&filter.0).zip(&mask);
            pairs.into_iter().all(|((address, filter), mask)| (address ^ filter) & mask == 0)
        })
    }

    pub(super) fn parse(rest: &[u8]) -> Result<Self, MailError> {
        let mut reader = Reader(rest);
        let options = reader.u16("EoE filter")?;
        let mut filter = Self {
            filter_count: (options & 0x0F) as u8,
            mask_count: (options >> 4 & 0x03) as u8,
            no_broadcasts: options & NO_BROADCASTS != 0,
            ..Self::default()
        };
        for address in filter.filters.iter_mut().chain(&mut filter.masks) {
            *address = MacAddress(reader.array("EoE filter")?);
        }
        Ok(filter)
    }

    pub(super) fn emit(&self, writer: &mut Writer<'_>) -> Result<(), MailError> {
        let broadcasts = if self.no_broadcasts { NO_BROADCASTS } else { 0 };
        let counts = u16::from(self.filter_count & 0x0F) | u16::from(self.mask_count & 0x03) << 4;
        writer.u16(counts | broadcasts)?;
        for address in self.filters.iter().chain(&self.masks) {
            writer.bytes(&address.0)?;
        }
        Ok(())
    }
}
