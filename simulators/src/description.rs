//! A segment as a user describes it, in JSON.
//!
//! The configuration (YAML with `snake_case` keys) is turned into this form by `src/core/configuration`;
//! SII files have been read by then. Everything but `devices` may be left out:
//!
//! ```json
//! {
//!   "devices": [
//!     { "name": "coupler", "type": "EK1100" },
//!     { "name": "sensors", "type": "digital-inputs", "channels": 8 },
//!     { "name": "actuators", "type": "digital-outputs", "channels": 8 },
//!     { "name": "measurements", "type": "analogue-inputs", "channels": 4 },
//!     { "name": "setpoints", "type": "analogue-outputs", "channels": 4, "alias": 7 },
//!     { "name": "valves", "sii": "BAEAAAAA/wAAAAAAAADiAA…" },
//!     {
//!       "name": "servo_drive_1", "type": "generic",
//!       "vendorId": 2, "productCode": 72100946, "revision": 1, "serial": 42, "orderName": "servo",
//!       "pdos": [
//!         { "direction": "output", "index": 5632, "name": "Target",
//!           "entries": [{ "index": 24698, "subindex": 0, "name": "Target position", "bits": 32, "dataType": 4 }] },
//!         { "direction": "input", "index": 6656, "name": "Actual",
//!           "entries": [{ "index": 24676, "subindex": 0, "name": "Actual position", "bits": 32, "dataType": 4 }] }
//!       ],
//!       "deviceEmulation": false, "distributedClock": true,
//!       "refuse": [{ "to": "SAFE-OP", "code": 29 }], "transitionDelayMs": 20,
//!       "mailbox": {
//!         "bytes": 128, "delayMs": 2, "completeAccess": true,
//!         "objects": [
//!           { "index": 8192, "name": "Gain", "dataType": 6, "value": 100, "minimum": 1, "maximum": 500 },
//!           { "index": 8193, "name": "Text", "value": "simulated", "access": "ro" },
//!           { "index": 8194, "name": "Limits", "entries": [
//!             { "subindex": 1, "name": "Torque", "dataType": 3, "value": -7, "mapping": "input" } ] } ],
//!         "files": [{ "name": "firmware", "bootOnly": true, "password": 4660 }],
//!         "emergencies": [{ "at": "OP", "code": 33072, "register": 17, "data": [1, 2, 3, 4, 5] }]
//!       }
//!     }
//!   ],
//!   "signals": [
//!     { "input": "sensors.1", "counter": { "periodMs": 250 } },
//!     { "input": "sensors.2", "square": { "periodMs": 2000 } },
//!     { "input": "sensors.3", "constant": 1 },
//!     { "input": "measurements.1", "sine": { "amplitude": 9830, "offset": 16384, "periodMs": 10000 } }
//!   ],
//!   "wires": [{ "from": "actuators.1", "to": "sensors.8" }]
//! }
//! ```
//! A replay needs devices that are known from a capture alone, in the middle of somebody's work:
//!
//! ```json
//! { "siiWords": [{ "word": 8, "values": [2, 0, 12370, 1004] }],
//!   "esc": { "type": 18, "fmmus": 3, "syncManagers": 4, "ramKb": 1, "clock": "receive-times" },
//!   "start": { "stationAddress": 1002, "alState": "PRE-OP", "ecatEventMask": 4, "ecatEvents": 0,
//!              "registers": [{ "register": 2336, "bytes": [0, 0, 0, 0] }] } }
//! ```
//!
//! A device of a vendor's ESI file (`esiFiles` has their content as base64 text or byte values):
//!
//! ```json
//! { "devices": [{ "esi": { "files": ["Coupler.xml"], "device": "SIM-COUPLER",
//!                          "modules": [{ "module": "SIM-4DI" }, { "slot": 3, "module": "0xA02" }] } }],
//!   "esiFiles": [{ "name": "Coupler.xml", "content": "PD94bWwg…" }] }
//! ```
//!
//! Devices form a line in their order, port 0 of each behind port 1 of the one before. `parent`, `port` and
//! `cableMetres` plug a device in elsewhere (`{ "type": "EK1100", "parent": "coupler", "port": 2 }`), and
//! `"ring": { "parent": "coupler", "port": 2 }` beside `devices` leads a port to the MainDevice's second
//! one. The MainDevice counts devices in the order in which frames pass them: behind one with branches,
//! those at port 3 first, then port 1, then port 2.
//!
//! `sii` is base64 text, or an array of byte values. A channel is `<device name>.<n>`: the *n*-th entry,
//! from 1 and without gaps, of the device's inputs or outputs in the order of its process image. Signals
//! are functions of the segment's time alone; their values are raw, rounded, and limited to what the
//! channel's type can hold. A counter wraps with it, so a one-bit channel toggles.
//!
//! A device with a mailbox has, besides its own objects, those that every device has (0x1000 …, 0x1018,
//! 0x10F3, 0x1C00), its PDOs with their assignment, and what they map. Where a MainDevice changes the
//! mapping, channels stay what they are: the process data by default first, then every other object that
//! a PDO can carry, by index.

pub mod aoe;
mod base64;
mod device_type;
pub mod eoe;
mod error;
mod esi;
pub mod mailbox;
mod modules;
mod program;
pub mod soe;
mod state;

pub use device_type::DeviceType;
pub use error::DescriptionError;
pub use esi::{EsiDescription, EsiFileDescription};
pub use modules::{ModuleDescription, ModuleName};
pub use program::ProgramDescription;
pub use state::{
    ClockDescription, CompareDescription, EscDescription, RegisterDescription, SiiWordsDescription,
    StartDescription,
};

use serde::Deserialize;

use crate::faults::FaultDescription;

/// A whole segment: a line of devices, the one nearest to the MainDevice first, unless they say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SegmentDescription {
    /// The devices, each after the one that it is plugged into.
    pub devices: Vec<DeviceDescription>,
    /// What inputs do by themselves.
    #[serde(default)]
    pub signals: Vec<SignalDescription>,
    /// Outputs that are wired to inputs.
    #[serde(default)]
    pub wires: Vec<WireDescription>,
    /// What goes wrong, from the first frame on.
    #[serde(default)]
    pub faults: Vec<FaultDescription>,
    /// What chance there is in the segment is made of: equal seeds give equal answers, byte by byte.
    #[serde(default)]
    pub seed: u64,
    /// Ethernet cables between sockets of devices (EoE).
    #[serde(default)]
    pub ethernet: Vec<eoe::EthernetCableDescription>,
    /// The outlet that is cabled to the MainDevice's second port (cable redundancy).
    pub ring: Option<RingDescription>,
    /// Registers of which a replay does not compare every bit.
    #[serde(default)]
    pub compare: Vec<CompareDescription>,
    /// ESI files that devices are of.
    #[serde(default)]
    pub esi_files: Vec<EsiFileDescription>,
}

impl SegmentDescription {
    /// Reads a description from JSON.
    ///
    /// # Errors
    /// With the JSON pointer of the value that does not fit.
    pub fn from_json(json: &str) -> Result<Self, DescriptionError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let description = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| DescriptionError::from_serde(&error))?;
        deserializer.end().map_err(|error| DescriptionError::new("", error.to_string()))?;
        Ok(description)
    }
}

/// The far end of a ring.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RingDescription {
    /// Name of the device.
    pub parent: String,
    /// Its port, 1 to 3.
    pub port: u8,
    /// Length of the cable, by default 0.
    pub cable_metres: Option<u16>,
}

/// One device: of a built-in type, or with the SII image of a real one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceDescription {
    /// How signals and wires call it.
    pub name: Option<String>,
    /// Built-in type; this, `sii`, `siiWords` or `esi`.
    pub r#type: Option<DeviceType>,
    /// SII image; this, `siiWords`, `esi` or `type`. Taken as it is, but for the overrides below.
    #[serde(default, deserialize_with = "base64::optional_bytes")]
    pub sii: Option<Vec<u8>>,
    /// What is known of an SII image of which the rest is not; in place of `sii`.
    pub sii_words: Option<Vec<SiiWordsDescription>>,
    /// Device of ESI files; in place of `type` and `sii`.
    pub esi: Option<EsiDescription>,
    /// The chip, where it is not the one that the identity tells.
    pub esc: Option<EscDescription>,
    /// The state in which the device begins.
    pub start: Option<StartDescription>,
    /// Modules of a modular coupler.
    pub modules: Option<Vec<ModuleDescription>>,
    /// Whether modules may be pulled while process data goes on; false where nothing is said.
    pub hot_swap: Option<bool>,
    /// Number of channels of a digital or analogue type, 1 to 64. By default 8 digital, 4 analogue ones.
    pub channels: Option<u16>,
    /// Vendor, in place of the type's or the image's.
    pub vendor_id: Option<u32>,
    /// Product code, in place of the type's or the image's.
    pub product_code: Option<u32>,
    /// Revision, in place of the type's or the image's.
    pub revision: Option<u32>,
    /// Serial number, in place of the type's or the image's.
    pub serial: Option<u32>,
    /// Order text of the SII, in place of the type's.
    pub order_name: Option<String>,
    /// PDOs of a generic device.
    pub pdos: Option<Vec<PdoDescription>>,
    /// What the device does with mail; not with device emulation.
    pub mailbox: Option<mailbox::MailboxDescription>,
    /// Station alias (SII word 4).
    pub alias: Option<u16>,
    /// Whether AL status follows AL control by itself (register 0x0141 bit 0).
    pub device_emulation: Option<bool>,
    /// Whether the registers of the distributed clock answer.
    pub distributed_clock: Option<bool>,
    /// The local clock of a device that has one, where it is not perfect.
    pub clock: Option<LocalClockDescription>,
    /// Ways to run the distributed clock, for the SII (category 60) of a built-in device.
    #[serde(default)]
    pub dc_modes: Vec<DcModeDescription>,
    /// What the program wants of the distributed clock; without it, it runs at whatever comes.
    pub sync: Option<SyncDescription>,
    /// What its microcontroller runs; in place of what a built-in type runs. Needs the objects that it works with.
    pub program: Option<ProgramDescription>,
    /// Explicit device identification (AL control bit 5). Not with device emulation.
    pub identification: Option<u16>,
    /// AL transitions that the device refuses.
    #[serde(default)]
    pub refuse: Vec<RefuseDescription>,
    /// How long an AL transition takes, in ms. Not with device emulation.
    pub transition_delay_ms: Option<u32>,
    /// Name of the device that it is plugged into, which stands before it in the list. By default the one
    /// just before.
    pub parent: Option<String>,
    /// Port of that device, 1 to 3. By default 1.
    pub port: Option<u8>,
    /// Ports, 1 to 3, with a link to something that is not described here and sends frames back.
    #[serde(default)]
    pub outside_ports: Vec<u8>,
    /// Length of the cable to it, by default 0: a terminal on an E-bus.
    pub cable_metres: Option<u16>,
    /// Its own port that the cable is in, by default 0; with another one it is plugged in the wrong way.
    pub inlet: Option<u8>,
    /// How long a frame takes through it to the next one by each of its ports, without cables, in ns.
    pub forward_ns: Option<[u32; 4]>,
    /// How much longer it takes through its processing unit than past it, in ns.
    pub processing_ns: Option<u32>,
}

/// One PDO of a generic device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PdoDescription {
    /// Direction, from the MainDevice's view.
    pub direction: Direction,
    /// Object index.
    pub index: u16,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Whether the PDO is in the process data by default; true where nothing is said.
    pub assigned: Option<bool>,
    /// Whether its entries stay as they are; false where nothing is said.
    pub fixed: Option<bool>,
    /// Entries in the order of their bits.
    pub entries: Vec<EntryDescription>,
}

/// A direction, from the MainDevice's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// SubDevice to MainDevice (TxPDO).
    Input,
    /// MainDevice to SubDevice (RxPDO).
    Output,
}

/// One entry of a PDO.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryDescription {
    /// Object index; 0 is a gap.
    pub index: u16,
    /// Subindex.
    #[serde(default)]
    pub subindex: u8,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Bits, from 1.
    pub bits: u8,
    /// Data type ([`ecat_wire::sii::PdoEntry::data_type`]); by default the unsigned one of this length.
    pub data_type: Option<u8>,
}

/// A local clock.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalClockDescription {
    /// By how much it runs fast, in 10⁻⁶; real crystals stay within ±100.
    #[serde(default)]
    pub drift_ppm: f64,
    /// By how much a time stamp may be off, either way, in ns, at most 10000.
    #[serde(default)]
    pub jitter_ns: u32,
    /// What it reads at power-on, in ns.
    #[serde(default)]
    pub offset_ns: u64,
}

/// One way to run the distributed clock (SII category 60).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DcModeDescription {
    /// Name, for example `DC`.
    pub name: String,
    /// What goes into registers 0x0980 (low byte) and 0x0981; 0: the clock is not used.
    pub assign_activate: u16,
    /// SYNC0 cycle in ns; 0: the MainDevice's cycle.
    #[serde(default)]
    pub cycle_time_0_ns: u32,
    /// Shift of SYNC0 in ns.
    #[serde(default)]
    pub shift_time_0_ns: u32,
    /// Shift of SYNC1 in ns.
    #[serde(default)]
    pub shift_time_1_ns: u32,
    /// SYNC0 cycle as a factor of the MainDevice's.
    #[serde(default)]
    pub sync_0_cycle_factor: i16,
    /// SYNC1 cycle as a factor of SYNC0's.
    #[serde(default)]
    pub sync_1_cycle_factor: i16,
}

/// What a program wants of the distributed clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncDescription {
    /// Whether SAFE-OP needs the SYNC unit (else 0x0030), and OP its pulses; true where nothing is said.
    pub required: Option<bool>,
    /// Shortest SYNC0 cycle in ns, else 0x0036; 62500 by default.
    pub minimum_cycle_ns: Option<u32>,
    /// Longest SYNC0 cycle in ns; 100000000 by default.
    pub maximum_cycle_ns: Option<u32>,
    /// Cycles without outputs, one after another, that it bears in OP, else 0x001A; 4 by default.
    pub missed_cycles: Option<u16>,
    /// The largest mean difference to the reference clock (0x092C) in ns, else 0x0032; any by default.
    pub tolerance_ns: Option<u32>,
    /// How long it waits for pulses and outputs on the way to OP, in ms; 200 by default.
    pub timeout_ms: Option<u32>,
}

/// A transition that a device refuses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefuseDescription {
    /// The state that is requested, by its name (`PRE-OP`, `SAFE-OP`, `OP`, `BOOT`).
    pub to: String,
    /// AL status code, not 0.
    pub code: u16,
    /// In which case; always, where nothing is said.
    pub when: Option<RefuseWhenDescription>,
}

/// In which case a transition is refused: exactly one of the conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefuseWhenDescription {
    /// A SyncManager has this `length`.
    pub sync_manager: Option<u8>,
    /// Bytes of it.
    pub length: Option<u16>,
    /// The bits `mask` of a byte of the ESC's memory are `value`.
    pub register: Option<u16>,
    /// Which bits; all by default.
    pub mask: Option<u8>,
    /// An object has this `value`.
    pub object: Option<u16>,
    /// Subindex of the object, by default 0.
    pub subindex: Option<u8>,
    /// Value of the register or object.
    pub value: Option<i64>,
    /// The first so many requests since power-on.
    pub first_attempts: Option<u32>,
    /// All requests but the first so many since power-on.
    pub after_attempts: Option<u32>,
}

/// What one input does by itself: exactly one of the four.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignalDescription {
    /// The input, as a channel.
    pub input: String,
    /// `offset + amplitude · sin(2π · t / period)`.
    pub sine: Option<SineDescription>,
    /// 0, 1, 2 …, one more each period.
    pub counter: Option<PeriodDescription>,
    /// 1 in the first half of each period, 0 in the second.
    pub square: Option<PeriodDescription>,
    /// Always this.
    pub constant: Option<f64>,
}

/// A sine.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SineDescription {
    /// Amplitude in raw units.
    pub amplitude: f64,
    /// Middle in raw units.
    #[serde(default)]
    pub offset: f64,
    /// Period in ms, above 0.
    pub period_ms: f64,
}

/// A period.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeriodDescription {
    /// Period in ms, above 0.
    pub period_ms: f64,
}

/// An output wired to an input: the input follows with the next frame.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WireDescription {
    /// The output, as a channel.
    pub from: String,
    /// The input, as a channel.
    pub to: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> DescriptionError {
        SegmentDescription::from_json(json).unwrap_err()
    }

    #[test]
    fn the_documented_form_is_read() {
        let description = SegmentDescription::from_json(
            r#"{
              "devices": [
                { "name": "coupler", "type": "EK1100" },
                { "name": "valves", "sii": "AAEC/w==", "alias": 7 },
                { "sii": [0, 1, 2, 255] },
                { "name": "servo", "type": "generic", "vendorId": 2, "productCode": 72100946,
                  "pdos": [{ "direction": "input", "index": 6656,
                             "entries": [{ "index": 24676, "bits": 32, "dataType": 4 }] }],
                  "deviceEmulation": false, "distributedClock": true,
                  "refuse": [{ "to": "SAFE-OP", "code": 29 }], "transitionDelayMs": 20 }
              ],
              "signals": [{ "input": "servo.1", "sine": { "amplitude": 2, "periodMs": 10.5 } },
                          { "input": "servo.2", "constant": 1 }],
              "wires": [{ "from": "valves.1", "to": "servo.1" }]
            }"#,
        )
        .unwrap();
        assert_eq!(description.devices[0].r#type, Some(DeviceType::Ek1100));
        assert_eq!(description.devices[1].sii.as_deref(), Some(&[0, 1, 2, 0xFF][..]));
        assert_eq!(description.devices[1].sii, description.devices[2].sii);
        let servo = &description.devices[3];
        assert_eq!((servo.vendor_id, servo.product_code), (Some(2), Some(0x044C_2C52)));
        assert_eq!(servo.pdos.as_ref().unwrap()[0].entries[0].data_type, Some(4));
        assert_eq!((servo.refuse[0].code, servo.transition_delay_ms), (29, Some(20)));
        assert_eq!(description.signals[0].sine.unwrap().period_ms, 10.5);
        assert_eq!(description.wires[0].to, "servo.1");
    }

    #[test]
    fn an_error_names_its_place_by_a_json_pointer() {
        let cases = [
            (r#"{"devices":[{"type":"EK1100"},{"type":"EK1101"}]}"#, "/devices/1/type", "EK1101"),
            (r#"{"devices":[{"nam":"x"}]}"#, "/devices/0/nam", "unknown field"),
            (
                r#"{"devices":[{"pdos":[{"direction":"input","index":1,"entries":[{"index":1,"bits":300}]}]}]}"#,
                "/devices/0/pdos/0/entries/0/bits",
                "300",
            ),
            (r#"{"devices":[{"sii":"A"}]}"#, "/devices/0/sii", "base64"),
            (r#"{"devices":[{"sii":[256]}]}"#, "/devices/0/sii", "byte"),
            (r#"{"signals":[]}"#, "", "devices"),
            (r#"{"devices":[]} x"#, "", "trailing"),
            (r#"{"devices":"#, "/devices", "EOF"),
        ];
        for (json, path, word) in cases {
            let error = error(json);
            assert_eq!(error.path, path, "{error}");
            assert!(error.message.contains(word), "{error}");
        }
    }
}
