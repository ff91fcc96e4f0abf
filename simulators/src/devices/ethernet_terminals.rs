//! Terminals with Ethernet sockets in the manner of EL6601 (one) and EL6614 (four): a switch between the sockets and
//! the MainDevice, no process data. Identity numbers by the scheme of the real ones; size of the mailboxes and the
//! chip are assumed.

use ecat_wire::sii::FmmuUsage;

use super::objects::{add_mailboxes, mailbox, text};
use super::protocols::{self, EOE};
use super::terminal::{Built, PORTS_E_BUS, sii, simulated};
use crate::description::eoe::EoeDescription;
use crate::description::mailbox::MailboxDescription;
use crate::esc::{Chip, Profile};

const PDI_CONTROL: u16 = 0x0C05;
/// SDO and SDO information.
const COE_DETAILS: u8 = 0x03;
const MAILBOX_BYTES: u16 = 1_024;

pub(super) fn el6601_like() -> Built {
    terminal(0x19C9_3052, "EL6601-like", 1)
}

pub(super) fn el6614_like() -> Built {
    terminal(0x19D6_3052, "EL6614-like", 4)
}

fn terminal(product_code: u32, order: &str, sockets: u8) -> Built {
    let name = format!("{order}, simulated: switch with {sockets} Ethernet sockets");
    let texts = ["Communication", order, &name];
    let mut sii = sii(simulated(product_code), PDI_CONTROL, texts, 300, PORTS_E_BUS);
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, false);
    sii.protocols |= EOE;
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    let mailbox = MailboxDescription {
        eoe: Some(EoeDescription { sockets: Some(sockets), ..EoeDescription::default() }),
        ..mailbox(vec![text(0x1008, "Device name", order)])
    };
    if let Some(general) = &mut sii.general {
        protocols::announce(&mailbox, general);
    }
    let profile = Profile { pdi_control: Some(PDI_CONTROL), ..Chip::Et1100.profile() };
    Built { mailbox: Some(mailbox), profile, ..Built::plain(sii) }
}
