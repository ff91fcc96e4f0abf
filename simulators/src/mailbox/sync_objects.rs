//! SyncManager parameters, objects 0x1C32 (outputs) and 0x1C33 (inputs) (ETG1020, "Synchronization").

use super::object_dictionary::{
    Entry, Object, ObjectCode, ObjectDictionary, READ, UNSIGNED16, UNSIGNED32, WRITE_PRE_OP,
};

const OUTPUTS: u16 = 0x1C32;
const INPUTS: u16 = 0x1C33;
const BOOLEAN: u16 = 0x0001;
/// Data type of the record.
const PARAMETER: u16 = 0x0029;

const MODE: u8 = 1;
const CYCLE: u8 = 2;
const SYNC0_CYCLE: u8 = 10;
const MISSED: u8 = 11;
const ERROR: u8 = 32;

/// Modes: with the SyncManager of outputs; of 0x1C33 the same; with SYNC0, SYNC1.
const SM: u16 = 1;
const SM_OF_OUTPUTS: u16 = 34;
const DC_SYNC0: u16 = 2;
const DC_SYNC1: u16 = 3;
/// Modes supported: free run, SM, SYNC0, SYNC1.
const MODES: u16 = 0x000F;

/// What the objects show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) running: bool,
    pub(crate) sync0: bool,
    pub(crate) sync1: bool,
    pub(crate) sync0_cycle_ns: u32,
    pub(crate) missed: u16,
    pub(crate) failed: bool,
}

/// Adds the objects of a program that takes SYNC0 cycles from `minimum_cycle_ns` on, in ns.
pub(crate) fn add(dictionary: &mut ObjectDictionary, minimum_cycle_ns: u32) {
    for (index, name, mode) in
        [(OUTPUTS, "SM output parameter", SM), (INPUTS, "SM input parameter", SM_OF_OUTPUTS)]
    {
        let word = |name, value: u16, access| {
            Entry::new(name, UNSIGNED16, access, value.to_le_bytes().to_vec())
        };
        let double = |name, value: u32, access| {
            Entry::new(name, UNSIGNED32, access, value.to_le_bytes().to_vec())
        };
        let set = READ | WRITE_PRE_OP;
        let error = Entry { bit_length: 1, ..Entry::new("Sync error", BOOLEAN, READ, vec![0]) };
        let entries = [
            (MODE, word("Synchronization Type", mode, set)),
            (CYCLE, double("Cycle Time", 0, set)),
            (3, double("Shift Time", 0, set)),
            (4, word("Synchronization Types supported", MODES, READ)),
            (5, double("Minimum Cycle Time", minimum_cycle_ns, READ)),
            (6, double("Calc and Copy Time", 0, READ)),
            (8, word("Get Cycle Time", 0, READ | WRITE_PRE_OP)),
            (9, double("Delay Time", 0, READ)),
            (SYNC0_CYCLE, double("Sync0 Cycle Time", 0, set)),
            (MISSED, word("SM-Event Missed", 0, READ)),
            (12, word("Cycle Time Too Small", 0, READ)),
            (13, word("Shift Time Too Short", 0, READ)),
            (ERROR, error),
        ];
        let object = Object::list(name, ObjectCode::Record, PARAMETER, READ, entries);
        dictionary.objects.entry(index).or_insert(object);
    }
}

/// Whether the MainDevice has chosen a mode that needs pulses.
pub(crate) fn wants_pulses(dictionary: &ObjectDictionary) -> bool {
    matches!(dictionary.number(OUTPUTS, MODE) as u16, DC_SYNC0 | DC_SYNC1)
}

/// Brings the objects up to date.
pub(crate) fn refresh(dictionary: &mut ObjectDictionary, figures: &Figures) {
    for (index, without) in [(OUTPUTS, SM), (INPUTS, SM_OF_OUTPUTS)] {
        let mut put = |subindex: u8, value: &[u8]| {
            if let Some(entry) = dictionary.entry_mut(index, subindex) {
                entry.value = value.to_vec();
            }
        };
        if figures.running {
            let mode = match (figures.sync0, figures.sync1) {
                (false, _) => without,
                (true, false) => DC_SYNC0,
                (true, true) => DC_SYNC1,
            };
            let cycle = if figures.sync0 { figures.sync0_cycle_ns } else { 0 };
            put(MODE, &mode.to_le_bytes());
            put(CYCLE, &cycle.to_le_bytes());
            put(SYNC0_CYCLE, &cycle.to_le_bytes());
        }
        put(MISSED, &figures.missed.to_le_bytes());
        put(ERROR, &[u8::from(figures.failed)]);
    }
}
