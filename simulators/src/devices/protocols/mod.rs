//! The protocols of a mailbox besides CoE and FoE, from their descriptions.

mod aoe;
mod eoe;
mod soe;

pub(super) use aoe::{aoe, voe};
pub(super) use eoe::{cables, eoe};
pub(super) use soe::{drives, merge as merge_drives};

use crate::description::mailbox::MailboxDescription;
use ecat_wire::sii::General;

/// SII word 0x1C: which protocols a mailbox has.
pub(super) const AOE: u16 = 0x0001;
pub(super) const EOE: u16 = 0x0002;
pub(super) const COE: u16 = 0x0004;
pub(super) const FOE: u16 = 0x0008;
pub(super) const SOE: u16 = 0x0010;
pub(super) const VOE: u16 = 0x0020;

/// The protocols that a description adds.
pub(super) fn described(mailbox: &MailboxDescription) -> u16 {
    let of = |there: bool, bit: u16| if there { bit } else { 0 };
    of(mailbox.aoe.is_some(), AOE)
        | of(mailbox.eoe.is_some(), EOE)
        | of(mailbox.soe.is_some(), SOE)
        | of(mailbox.voe.is_some(), VOE)
        | of(!mailbox.files.is_empty(), FOE)
}

/// What the general category says of them.
pub(super) fn announce(mailbox: &MailboxDescription, general: &mut General) {
    if mailbox.eoe.is_some() {
        general.eoe_details = general.eoe_details.max(1);
    }
    if let Some(soe) = &mailbox.soe {
        let drives = u8::try_from(soe.drives.len()).unwrap_or(u8::MAX);
        general.soe_channels = general.soe_channels.max(drives);
    }
}
