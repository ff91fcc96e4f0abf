//! The diagnosis history, object 0x10F3 (ETG1020, "Diagnosis history"): a ring of messages that survive
//! until they are acknowledged or overwritten.

use std::collections::VecDeque;

use ecat_wire::mailbox::coe::{AbortCode, Address};

use super::object_dictionary::{
    Entry, OCTET_STRING, Object, ObjectCode, ObjectDictionary, READ, UNSIGNED8, UNSIGNED16, WRITE,
};

/// Object of the history.
pub const INDEX: u16 = 0x10F3;

const MESSAGES_MAX: usize = 16;
/// Messages stand from here on.
const FIRST: u8 = 6;
const MESSAGE_BYTES: usize = 16;
const RECORD: u16 = 0x0027;
const BOOLEAN: u16 = 0x0001;
const ACKNOWLEDGE_MODE: u16 = 0x0010;
const OVERFLOW: u16 = 0x0020;

/// Subindices before the messages.
const MAXIMUM: u8 = 1;
const NEWEST: u8 = 2;
const ACKNOWLEDGED: u8 = 3;
const NEW_AVAILABLE: u8 = 4;
const FLAGS: u8 = 5;

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// For information.
    Information = 0,
    /// A warning.
    Warning = 1,
    /// An error.
    Error = 2,
}

/// The messages of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    slots: VecDeque<(u8, [u8; MESSAGE_BYTES])>,
    newest: u8,
    acknowledged: u8,
    unread: bool,
    flags: u16,
}

impl History {
    /// Adds a message: `code` with the kind 0xE800 (an emergency's error code) or 0xE000 below.
    pub(super) fn add(&mut self, code: u32, severity: Severity, text: u16, now_ns: u64) {
        // Bits 1–3 of the flags switch a severity off.
        if self.flags >> 1 & 1 << (severity as u16) != 0 {
            return;
        }
        if self.slots.len() == MESSAGES_MAX {
            self.flags |= OVERFLOW;
            if self.flags & ACKNOWLEDGE_MODE != 0 {
                return;
            }
            self.slots.pop_front();
        }
        self.newest = match self.newest {
            0 => FIRST,
            newest if newest == FIRST + MESSAGES_MAX as u8 - 1 => FIRST,
            newest => newest + 1,
        };
        let mut message = [0; MESSAGE_BYTES];
        message[..4].copy_from_slice(&code.to_le_bytes());
        message[4..6].copy_from_slice(&(severity as u16).to_le_bytes());
        message[6..8].copy_from_slice(&text.to_le_bytes());
        message[8..].copy_from_slice(&now_ns.to_le_bytes());
        self.slots.push_back((self.newest, message));
        self.unread = true;
    }

    /// Brings the object up to date, where the device has it.
    pub(super) fn show(&self, dictionary: &mut ObjectDictionary) {
        let Some(object) = dictionary.objects.get_mut(&INDEX) else { return };
        let highest =
            if self.slots.is_empty() { FIRST - 1 } else { FIRST + MESSAGES_MAX as u8 - 1 };
        let mut put = |subindex: u8, value: Vec<u8>| {
            if let Some(entry) = object.entries.get_mut(&subindex) {
                entry.value = value;
            }
        };
        put(0, vec![highest]);
        put(NEWEST, vec![self.newest]);
        put(ACKNOWLEDGED, vec![self.acknowledged]);
        put(NEW_AVAILABLE, vec![u8::from(self.unread)]);
        put(FLAGS, self.flags.to_le_bytes().to_vec());
        for subindex in FIRST..FIRST + MESSAGES_MAX as u8 {
            let message = self.slots.iter().find(|(slot, _)| *slot == subindex);
            put(subindex, message.map_or(vec![0; MESSAGE_BYTES], |(_, bytes)| bytes.to_vec()));
        }
    }

    /// Reading the newest message says that it is known.
    pub(super) fn read(&mut self, address: Address) {
        if address.index == INDEX && (address.complete || address.subindex == self.newest) {
            self.unread = false;
        }
    }

    pub(super) fn check_write(&self, subindex: u8, value: &[u8]) -> Result<(), AbortCode> {
        match (subindex, value) {
            (ACKNOWLEDGED, [0]) if self.flags & ACKNOWLEDGE_MODE == 0 => Ok(()),
            (ACKNOWLEDGED, [0..FIRST]) => Err(AbortCode::VALUE_TOO_LOW),
            (ACKNOWLEDGED, [slot]) if !self.slots.iter().any(|(known, _)| known == slot) => {
                Err(AbortCode::VALUE_TOO_HIGH)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn written(&mut self, subindex: u8, value: &[u8]) {
        match (subindex, value) {
            (ACKNOWLEDGED, [0]) => {
                *self = Self { flags: self.flags & !OVERFLOW, ..Self::default() }
            }
            (ACKNOWLEDGED, [slot]) => {
                self.acknowledged = *slot;
                self.unread &= *slot != self.newest;
                if self.flags & ACKNOWLEDGE_MODE != 0
                    && let Some(at) = self.slots.iter().position(|(known, _)| known == slot)
                {
                    self.slots.drain(..=at);
                    self.flags &= !OVERFLOW;
                }
            }
            (FLAGS, [low, high]) => {
                self.flags = u16::from_le_bytes([*low, *high]) & !OVERFLOW | self.flags & OVERFLOW;
            }
            _ => {}
        }
    }
}

/// The object, without messages.
pub(super) fn object() -> Object {
    let byte = |name, access| Entry::new(name, UNSIGNED8, access, vec![0]);
    let new =
        Entry { bit_length: 1, ..Entry::new("New Messages Available", BOOLEAN, READ, vec![0]) };
    let mut entries = vec![
        (MAXIMUM, Entry::new("Maximum Messages", UNSIGNED8, READ, vec![MESSAGES_MAX as u8])),
        (NEWEST, byte("Newest Message", READ)),
        (ACKNOWLEDGED, byte("Newest Acknowledged Message", READ | WRITE)),
        (NEW_AVAILABLE, new),
        (FLAGS, Entry::new("Flags", UNSIGNED16, READ | WRITE, vec![0, 0])),
    ];
    for subindex in FIRST..FIRST + MESSAGES_MAX as u8 {
        let name = format!("Diagnosis Message {:03}", subindex - FIRST + 1);
        entries.push((subindex, Entry::new(&name, OCTET_STRING, READ, vec![0; MESSAGE_BYTES])));
    }
    Object::list("Diagnosis History", ObjectCode::Record, RECORD, READ, entries)
}
