//! Everything in a segment that a fault could leave a trace in, each thing by name and in words.
//!
//! Of each device all of 0x0000 to 0x0FFF: what the data sheet names by its name, every other byte by its address, so that
//! nothing can change unseen. Left out is what every exchange changes: the times of buffer changes (0x09F0–0x09FF), and the
//! status of SyncManagers with three buffers (0x0805 …). Clocks are seen by what they are ahead of the segment's time.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ecat_simulator::Segment;
use ecat_wire::fmmu::{FMMU_BYTES, Fmmu};
use ecat_wire::register as reg;
use ecat_wire::sync_manager::{
    CONTROL_OFFSET, PDI_CONTROL_OFFSET, STATUS_OFFSET, SYNC_MANAGER_BYTES, SyncManager,
};

/// Registers that are seen by name: address, bytes, and which they are.
const NAMED: [(u16, usize, &str); 35] = [
    (reg::STATION_ADDRESS, 2, "station"),
    (reg::STATION_ALIAS, 2, "alias"),
    (reg::DL_CONTROL + 1, 1, "loop control"),
    (reg::DL_STATUS, 2, "DL status"),
    (reg::AL_CONTROL, 2, "AL control"),
    (reg::AL_STATUS, 2, "AL status"),
    (reg::AL_STATUS_CODE, 2, "AL status code"),
    (reg::ECAT_EVENT_MASK, 2, "event mask"),
    (reg::ECAT_EVENT, 2, "events"),
    (0x0300, 1, "invalid frames at port 0"),
    (0x0301, 1, "RX errors at port 0"),
    (0x0302, 1, "invalid frames at port 1"),
    (0x0303, 1, "RX errors at port 1"),
    (0x0304, 1, "invalid frames at port 2"),
    (0x0305, 1, "RX errors at port 2"),
    (0x0306, 1, "invalid frames at port 3"),
    (0x0307, 1, "RX errors at port 3"),
    (0x0308, 1, "forwarded errors at port 0"),
    (0x0309, 1, "forwarded errors at port 1"),
    (0x030A, 1, "forwarded errors at port 2"),
    (0x030B, 1, "forwarded errors at port 3"),
    (reg::PROCESSING_ERRORS, 1, "processing unit errors"),
    (reg::PDI_ERRORS, 1, "PDI errors"),
    (0x0310, 1, "lost links at port 0"),
    (0x0311, 1, "lost links at port 1"),
    (0x0312, 1, "lost links at port 2"),
    (0x0313, 1, "lost links at port 3"),
    (reg::WATCHDOG_STATUS, 2, "watchdog status"),
    (reg::WATCHDOG_COUNTER_SM, 1, "expired SM watchdogs"),
    (reg::WATCHDOG_COUNTER_PDI, 1, "expired PDI watchdogs"),
    (reg::EEPROM_CONTROL, 2, "EEPROM status"),
    (reg::DC_SYNC_ACTIVATION, 1, "SYNC activation"),
    (reg::DC_ACTIVATION_STATUS, 1, "SYNC activation status"),
    (reg::DC_SYNC0_STATUS, 1, "SYNC0 status"),
    (reg::DC_SYNC0_CYCLE, 4, "SYNC0 cycle"),
];

/// Whether a device has any.
const POWER: &str = "power";

/// What there is to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// In words, by name.
    words: BTreeMap<String, String>,
    /// Registers of each device that have no name; 0 where they have.
    nameless: BTreeMap<String, Vec<u8>>,
}

impl Observation {
    /// Notes one thing.
    pub fn note(&mut self, name: impl Into<String>, value: impl Into<String>) {
        match self.words.entry(name.into()) {
            Entry::Vacant(entry) => entry.insert(value.into()),
            Entry::Occupied(entry) => panic!("{} is seen twice", entry.key()),
        };
    }

    /// All that is different in a later observation, one thing a line.
    pub fn changes_to(&self, later: &Self) -> Vec<String> {
        let new = later.words.keys().filter(|name| !self.words.contains_key(*name));
        let words = |of: &Self, name: &str| {
            of.words.get(name).cloned().unwrap_or_else(|| "nothing".to_owned())
        };
        let named =
            self.words.keys().chain(new).map(|name| (name, words(self, name), words(later, name)));
        let mut changes: Vec<_> = named
            .filter(|(name, before, after)| {
                before != after && !self.is_of_dark_device(name) && !later.is_of_dark_device(name)
            })
            .map(|(name, before, after)| format!("{name}: {before} to {after}"))
            .collect();
        for (name, before) in &self.nameless {
            let Some(after) = later.nameless.get(name) else { continue };
            let bytes = (0..).zip(before.iter().zip(after));
            changes.extend(bytes.filter(|(_, (before, after))| before != after).map(
                |(at, (before, after))| format!("{name} {at:#06x}: {before:#x} to {after:#x}"),
            ));
        }
        changes.sort();
        changes
    }

    /// Whether this would be a register of a device that has no power: there is nothing to be seen of it.
    fn is_of_dark_device(&self, name: &str) -> bool {
        name.split_once(' ').is_some_and(|(device, what)| {
            what != POWER
                && self.words.get(&format!("{device} {POWER}")).is_some_and(|power| power == "off")
        })
    }

    /// Notes the registers of a device, its clock and what it drives.
    pub fn note_device(&mut self, segment: &Segment, n: u16, name: &str, now_ns: u64) {
        let powered = segment.has_power(n);
        self.note(format!("{name} {POWER}"), if powered { "on" } else { "off" });
        if !powered {
            return;
        }
        let all = segment.register(n, 0, usize::from(reg::PROCESS_RAM), now_ns);
        let bytes = |at: u16, count: usize| &all[usize::from(at)..usize::from(at) + count];
        let number = |at: u16, count: usize| {
            bytes(at, count).iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte))
        };
        let mut nameless = all.clone();
        let mut take = |at: u16, count: usize| nameless[usize::from(at)..][..count].fill(0);
        for (at, count, what) in NAMED {
            take(at, count);
            let counts = count == 1 && (reg::RX_ERRORS..reg::WATCHDOG_STATUS + 4).contains(&at);
            let value = number(at, count);
            let value = if counts { format!("{value}") } else { format!("{value:#x}") };
            self.note(format!("{name} {at:#06x} {what}"), value);
        }
        for k in 0..16 {
            let at = reg::fmmu(k);
            take(at, FMMU_BYTES);
            let fmmu = Fmmu::from_bytes(bytes(at, FMMU_BYTES).first_chunk().unwrap());
            self.note(format!("{name} {at:#06x} FMMU {k}"), fmmu_in_words(&fmmu));
            let at = reg::sync_manager(k);
            take(at, SYNC_MANAGER_BYTES);
            let sm = SyncManager::from_bytes(bytes(at, SYNC_MANAGER_BYTES).first_chunk().unwrap());
            self.note(format!("{name} {at:#06x} SM{k}"), sync_manager_in_words(&sm));
            let [status, lock] =
                [STATUS_OFFSET, PDI_CONTROL_OFFSET].map(|offset| number(at + offset, 1));
            let status = status & if sm.is_mailbox() { 0x0B } else { 0x00 };
            self.note(format!("{name} {:#06x} SM{k} status", at + 5), format!("{status:#x}"));
            self.note(format!("{name} {:#06x} SM{k} PDI control", at + 7), format!("{lock:#x}"));
        }
        take(reg::DC_SYSTEM_TIME, 8);
        let time = number(reg::DC_SYSTEM_TIME, 8);
        let ahead = time.wrapping_sub(now_ns) as i64;
        // 0x0930 is 0x1000 after power-on; without a clock it is not there.
        let has_clock = number(reg::DC_SPEED_START, 2) != 0;
        let clock = if has_clock { format!("{ahead} ns") } else { "none".to_owned() };
        self.note(format!("{name} 0x0910 clock is ahead"), clock);
        take(reg::DC_SYSTEM_TIME_DIFFERENCE, 4);
        let difference = number(reg::DC_SYSTEM_TIME_DIFFERENCE, 4);
        let sign = if difference >> 31 == 1 { "-" } else { "" };
        let difference = format!("{sign}{} ns", difference & 0x7FFF_FFFF);
        self.note(format!("{name} 0x092c difference"), difference);
        if number(reg::DC_SYNC_ACTIVATION, 1) & 1 == 1 {
            // While pulses come, 0x0990 is the time of the next one: by the segment's clock they come at …
            take(reg::DC_START_TIME, 8);
            let cycle = number(reg::DC_SYNC0_CYCLE, 4);
            let next = number(reg::DC_START_TIME, 8).wrapping_sub(ahead as u64);
            self.note(format!("{name} 0x0990 SYNC0 comes at"), format!("{} ns", next % cycle));
            // Nobody uses SYNC1 here.
            take(reg::DC_NEXT_SYNC1, 8);
        }
        take(reg::DC_EVENT_TIMES, 16);
        self.nameless.insert(name.to_owned(), nameless);
        self.note(format!("{name} drives"), format!("{:#x}", segment.output(n, 0, 32)));
    }
}

fn fmmu_in_words(fmmu: &Fmmu) -> String {
    if *fmmu == Fmmu::default() {
        return "unset".to_owned();
    }
    let direction = if fmmu.read { "from" } else { "to" };
    let state = if fmmu.enabled { "" } else { ", off" };
    format!(
        "{:#x} + {} {direction} {:#x}{state}",
        fmmu.logical_start, fmmu.length, fmmu.physical_start
    )
}

fn sync_manager_in_words(sm: &SyncManager) -> String {
    if *sm == SyncManager::default() {
        return "unset".to_owned();
    }
    let state = if sm.enabled { "" } else { ", off" };
    format!("{:#x} + {} by {:#x}{state}", sm.start, sm.length, sm.control)
}

const _: () = assert!(CONTROL_OFFSET == 4 && STATUS_OFFSET == 5 && PDI_CONTROL_OFFSET == 7);
