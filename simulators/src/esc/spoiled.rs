//! What faults spoil in a device for as long as they hold (it outlives power-on, as what is broken does), and what
//! its occasions meet.

use super::Esc;
use crate::faults::{Effect, Faults, Identity, Occasion};
use crate::mailbox::MailFault;

/// Words of the SII image: vendor, product code, revision, serial number.
const IDENTITY_WORDS: std::ops::Range<u32> = 8..16;

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Spoiled {
    /// The device has to ask at its occasions.
    concerned: bool,
    /// The faults of the segment, for this device's turn.
    lent: Option<Faults>,
    /// What the program wants to go wrong with its mail.
    wanted: Vec<MailFault>,
    identity: Identity,
    checksum: bool,
    blank: bool,
    pub(super) eeprom_busy: bool,
    pub(super) drift_ppb: i32,
    pub(super) jitter_ns: u32,
    /// The clock's loop corrects nothing.
    pub(super) unlocked: bool,
}

impl Spoiled {
    /// What a word of the SII image reads in place of what it is.
    pub(super) fn sii_word(&self, word: u32) -> Option<u16> {
        if self.blank {
            return Some(0xFFFF);
        }
        if !IDENTITY_WORDS.contains(&word) {
            return None;
        }
        let Identity { vendor_id, product_code, revision, serial } = self.identity;
        let parts = [vendor_id, product_code, revision, serial];
        let part = parts[((word - IDENTITY_WORDS.start) / 2) as usize]?;
        Some(if word.is_multiple_of(2) { part as u16 } else { (part >> 16) as u16 })
    }

    /// What an occasion meets.
    pub(super) fn meet(&mut self, occasion: Occasion, now_ns: u64) -> Option<Effect> {
        let faults = self.lent.as_mut()?;
        let frame = faults.frame();
        faults.meet(occasion, frame, now_ns)
    }

    /// Whether the checksum (word 7) cannot fit.
    pub(super) const fn spoils_checksum(&self) -> bool {
        self.checksum || self.blank
    }
}

impl Esc {
    /// Whether it has to be given the faults for its turn.
    pub(crate) const fn is_concerned(&self) -> bool {
        self.spoiled.concerned
    }

    pub(crate) fn set_concerned(&mut self, concerned: bool) {
        self.spoiled.concerned = concerned;
    }

    /// The program wants something to go wrong with its mail; the segment takes that over behind the programs' turn.
    pub(crate) fn disturb_mail(&mut self, fault: MailFault) {
        self.spoiled.wanted.push(fault);
    }

    /// What its program wants to go wrong.
    pub(crate) fn next_wanted(&mut self) -> Option<MailFault> {
        self.spoiled.wanted.pop()
    }

    /// Begins its turn.
    pub(crate) fn begin_turn(&mut self, faults: Faults) {
        self.spoiled.lent = Some(faults);
    }

    /// Ends its turn.
    pub(crate) fn end_turn(&mut self) -> Option<Faults> {
        self.spoiled.lent.take()
    }

    /// What an occasion meets.
    pub(super) fn meet(&mut self, occasion: Occasion, now_ns: u64) -> Option<Effect> {
        self.spoiled.meet(occasion, now_ns)
    }

    /// As [`Esc::meet`], of what came with an earlier frame.
    pub(super) fn meet_of(
        &mut self,
        occasion: Occasion,
        frame: u64,
        now_ns: u64,
    ) -> Option<Effect> {
        self.spoiled.lent.as_mut()?.meet(occasion, frame, now_ns)
    }

    /// Number of the frame that passes, where the device has its turn; else 0.
    pub(super) fn passing_frame(&self) -> u64 {
        self.spoiled.lent.as_ref().map_or(0, Faults::frame)
    }

    /// Whether its EEPROM is not as it should be when it is loaded.
    pub(crate) const fn loads_otherwise(&self) -> bool {
        self.spoiled.spoils_checksum()
    }

    /// Takes over all conditions that hold in it, in their order.
    pub(crate) fn spoil(&mut self, conditions: impl Iterator<Item = Effect>, now_ns: u64) {
        self.clock_changes(now_ns);
        self.settle_clock(now_ns);
        let before = std::mem::take(&mut self.spoiled);
        let spoiled = &mut self.spoiled;
        (spoiled.concerned, spoiled.lent) = (before.concerned, before.lent);
        spoiled.wanted = before.wanted;
        for condition in conditions {
            match condition {
                Effect::Identity(identity) => {
                    let known = spoiled.identity;
                    spoiled.identity = Identity {
                        vendor_id: identity.vendor_id.or(known.vendor_id),
                        product_code: identity.product_code.or(known.product_code),
                        revision: identity.revision.or(known.revision),
                        serial: identity.serial.or(known.serial),
                    };
                }
                Effect::SiiChecksum {} => spoiled.checksum = true,
                Effect::SiiEmpty {} => spoiled.blank = true,
                Effect::EepromBusy {} => spoiled.eeprom_busy = true,
                Effect::ClockDrift { ppb } => {
                    spoiled.drift_ppb = spoiled.drift_ppb.saturating_add(ppb);
                }
                Effect::ClockJitter { ns } => spoiled.jitter_ns += u32::from(ns),
                Effect::PllLoss {} => spoiled.unlocked = true,
                _ => {}
            }
        }
        let busy = self.spoiled.eeprom_busy;
        if busy != before.eeprom_busy {
            self.show_eeprom_busy(busy);
        }
    }
}
