//! The log: what each fault did, when, and to which frame.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_queue::ArrayQueue;
use ecat_wire::Command;
use serde::Serialize;

use super::on::{command_name, parts};

/// Hits that are kept until somebody reads them; the oldest give way, and are counted.
pub const HITS_MAX: usize = 512;
/// Names of faults that are kept: of older ones the log knows the number.
const NAMES_MAX: usize = 4_096;

/// One thing that a fault did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Number of the fault.
    pub fault: u32,
    /// What it is.
    pub kind: &'static str,
    /// When, by the segment's time, in ns.
    pub time_ns: u64,
    /// Number of the frame that it touched, or that passed last, from 1.
    pub frame: u64,
    /// The datagram that it touched, or that made the frame one of those it concerns.
    pub datagram: Option<Touched>,
    /// The device that it was in or before, by its place.
    pub device: Option<u16>,
    /// The port that it was at.
    pub port: Option<u8>,
    /// What was changed.
    pub change: Change,
}

/// A datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Which one of its frame, from 0.
    pub number: u8,
    /// Its index.
    pub index: u8,
    /// Its command's code.
    pub command: u8,
    /// Its address.
    pub address: [u8; 4],
}

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A condition began.
    Began,
    /// A condition ended.
    Ended,
    /// It happened.
    Done,
    /// A number: what it was, and what it is.
    Value {
        /** Before. */
        before: u64,
        /** After. */
        after: u64,
    },
}

/// A hit with the names of its fault and device; serialised, it is what TypeScript and the command line show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedHit {
    /// Name of the fault.
    pub fault: String,
    /// What it is.
    pub kind: &'static str,
    /// As [`Hit::time_ns`].
    pub time_ns: u64,
    /// As [`Hit::frame`].
    pub frame: u64,
    /// As [`Hit::datagram`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datagram: Option<NamedDatagram>,
    /// Name of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// As [`Hit::port`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u8>,
    /// `began`, `ended`, `done` or `value`.
    pub change: &'static str,
    /// Of a value, what it was …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// … and what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// A datagram, with its command in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedDatagram {
    /// Which one of its frame, from 0.
    pub number: u8,
    /// Its index.
    pub index: u8,
    /// Its command, for example `LRW`.
    pub command: &'static str,
    /// Position address, as it stood in the datagram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u16>,
    /// Station address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub station: Option<u16>,
    /// Register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register: Option<u16>,
    /// Logical address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical: Option<u32>,
}

/// What was read of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadHits {
    /// Hits since it was last read, in their order.
    pub hits: Vec<NamedHit>,
    /// How many in all were lost because nobody read them.
    pub lost: u64,
    /// Faults that were not taken because there were too many.
    pub refused: u64,
}

/// What a segment and those who command it share: the log, and names.
#[derive(Debug)]
pub(crate) struct Desk {
    hits: ArrayQueue<Hit>,
    lost: AtomicU64,
    refused: AtomicU64,
    next: AtomicU32,
    /// Names of faults, by their numbers. Never touched by the segment's thread.
    names: Mutex<Vec<(u32, String)>>,
    devices: Vec<String>,
}

impl Desk {
    pub(crate) fn new(devices: Vec<String>) -> Self {
        Self {
            hits: ArrayQueue::new(HITS_MAX),
            lost: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            next: AtomicU32::new(1),
            names: Mutex::default(),
            devices,
        }
    }

    /// The number of a new fault.
    pub(crate) fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Names a fault.
    pub(crate) fn name(&self, number: u32, name: String) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() == NAMES_MAX {
            names.remove(0);
        }
        names.push((number, name));
    }

    /// Numbers of the faults of that name.
    pub(crate) fn numbers(&self, name: &str) -> Vec<u32> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().filter(|(_, known)| known == name).map(|&(number, _)| number).collect()
    }

    /// Place of the device of that name.
    pub(crate) fn device(&self, name: &str) -> Option<u16> {
        let place = self.devices.iter().position(|known| known == name)?;
        u16::try_from(place).ok()
    }

    pub(crate) fn device_count(&self) -> usize {
        self.devices.len()
    }

    pub(super) fn log(&self, hit: Hit) {
        if self.hits.force_push(hit).is_some() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes the oldest hit out of the log.
    pub(crate) fn take(&self) -> Option<Hit> {
        self.hits.pop()
    }

    /// Takes out of the log what stands in it, with names.
    pub(crate) fn read(&self) -> ReadHits {
        let mut hits = Vec::with_capacity(self.hits.len());
        // Those that come while this reads are left for the next time.
        for _ in 0..self.hits.len() {
            let Some(hit) = self.take() else { break };
            hits.push(self.named(hit));
        }
        ReadHits {
            hits,
            lost: self.lost.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    fn named(&self, hit: Hit) -> NamedHit {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.iter().find(|&&(number, _)| number == hit.fault);
        let (change, before, after) = match hit.change {
            Change::Began => ("began", None, None),
            Change::Ended => ("ended", None, None),
            Change::Done => ("done", None, None),
            Change::Value { before, after } => ("value", Some(before), Some(after)),
        };
        let device = hit.device.map(|place| {
            let name = self.devices.get(usize::from(place));
            name.cloned().unwrap_or_else(|| format!("device {place}"))
        });
        NamedHit {
            fault: name.map_or_else(|| default_name(hit.kind, hit.fault), |(_, name)| name.clone()),
            kind: hit.kind,
            time_ns: hit.time_ns,
            frame: hit.frame,
            datagram: hit.datagram.map(NamedDatagram::from),
            device,
            port: hit.port,
            change,
            before,
            after,
        }
    }
}

/// What a fault without a name is called.
pub(crate) fn default_name(kind: &str, number: u32) -> String {
    format!("{kind} {number}")
}

impl From<Touched> for NamedDatagram {
    fn from(touched: Touched) -> Self {
        let command = Command::parse(touched.command, touched.address);
        let (register, logical, station) = command.map_or((None, None, None), parts);
        let [low, high, ..] = touched.address;
        let by_position = matches!(touched.command, 1..=3 | 13);
        Self {
            number: touched.number,
            index: touched.index,
            command: command_name(touched.command),
            position: by_position.then(|| u16::from_le_bytes([low, high])),
            station,
            register,
            logical,
        }
    }
}
