//! A coupler and a drive with a mailbox and a clock, under ethercrab.

use std::time::Duration;

use ecat_simulator::faults::Change;
use ecat_simulator::{Segment, SegmentDescription};
use ethercrab::error::Error;
use ethercrab::{MainDevice, SubDeviceGroup, Timeouts};

use crate::page;
use crate::support::{self, Bus, Storage, open_with};

const SEGMENT: &str = r#"{ "devices": [
  { "name": "coupler", "type": "EK1100" },
  { "name": "drive", "type": "generic", "deviceEmulation": false, "distributedClock": true,
    "pdos": [
      { "direction": "output", "index": 5632, "entries": [{ "index": 24698, "bits": 32, "dataType": 4 }] },
      { "direction": "input", "index": 6656, "entries": [{ "index": 24676, "bits": 32, "dataType": 4 }] }],
    "mailbox": { "objects": [{ "index": 8192, "name": "Gain", "dataType": 6, "value": 100 }] } SYNC } ] }"#;

pub const DRIVE: u16 = 1;
const GAIN: u16 = 0x2000;
/// How long an answer is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(100);

/// Error counters, links, and watchdogs: what a fault of mail or of the clock must leave alone. ESC data sheet, section II.
const COUNTERS: [(u16, usize); 3] = [(0x0300, 0x14), (0x0442, 2), (0x0110, 2)];

pub type Group = SubDeviceGroup<2, 64>;

/// The drive described with more keys.
pub fn segment(keys: &str) -> Segment {
    let json = SEGMENT.replace("SYNC", keys);
    Segment::new(&SegmentDescription::from_json(&json).unwrap()).unwrap()
}

/// What devices have counted, by device and register.
pub fn counters(bus: &mut Bus<'_>) -> Vec<Vec<u8>> {
    let now_ns = support::now_ns();
    let read = |n, (register, bytes)| bus.link.segment().register(n, register, bytes, now_ns);
    [0, DRIVE].into_iter().flat_map(|n| COUNTERS.map(|of| read(n, of))).collect()
}

/// Names of what faults have done since this was last asked.
pub fn hits(bus: &mut Bus<'_>) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(hit) = bus.link.segment_mut().take_hit() {
        let device = hit.device.expect("a device");
        assert_eq!(device, DRIVE);
        all.push(format!(
            "{} {}",
            hit.kind,
            if hit.change == Change::Done { "done" } else { "holds" }
        ));
    }
    all
}

/// A MainDevice whose drive is in PRE-OP.
pub struct Plant<'a> {
    main_device: MainDevice<'a>,
    pub bus: Bus<'a>,
    group: Group,
    before: Vec<Vec<u8>>,
}

impl<'a> Plant<'a> {
    pub fn new(storage: &'a Storage) -> Self {
        let timeouts = Timeouts { mailbox_response: ANSWER_TIMEOUT, ..Timeouts::default() };
        let (main_device, mut bus) = open_with(storage, segment(""), timeouts);
        let group =
            bus.run(main_device.init_single_group(support::now_ns)).expect("INIT to PRE-OP");
        let before = counters(&mut bus);
        Self { main_device, bus, group, before }
    }

    /// A fault of a page begins.
    pub fn inject(&mut self, page: &str, name: &str) {
        let fault = page::fault(page, name);
        self.bus.link.segment_mut().inject_described(&fault, support::now_ns()).expect("a fault");
    }

    /// The drive's gain, by SDO.
    pub fn read(&mut self) -> Result<u16, Error> {
        let drive = self.group.subdevice(&self.main_device, DRIVE.into()).expect("there");
        self.bus.run(drive.sdo_read(GAIN, 0))
    }

    pub fn write(&mut self, gain: u16) -> Result<(), Error> {
        let drive = self.group.subdevice(&self.main_device, DRIVE.into()).expect("there");
        self.bus.run(drive.sdo_write(GAIN, 0, gain))
    }

    /// No device has counted anything, and the drive is in PRE-OP without an error.
    pub fn assert_nothing_else(&mut self) {
        assert_eq!(counters(&mut self.bus), self.before);
        let now_ns = support::now_ns();
        assert_eq!(self.bus.link.segment().register(DRIVE, 0x0130, 1, now_ns), [2]);
    }
}
