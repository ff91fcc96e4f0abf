use std::collections::HashMap;

use ecat_wire::sii::{PdoDirection, Sii, SiiError};
use proptest::prelude::*;

use super::behaviour::{ProcessData, Wiring};
use super::*;
use crate::esc::{ClockLevel, ExpectedSyncManager, ProcessArea, Role};

fn segment(json: &str) -> SegmentDescription {
    SegmentDescription::from_json(json).unwrap()
}

pub(super) fn devices(json: &str) -> Vec<DeviceImage> {
    DeviceImage::all(&segment(&format!(r#"{{"devices":[{json}]}}"#))).unwrap()
}

pub(super) fn device(json: &str) -> (DeviceImage, Sii) {
    let device = devices(json).remove(0);
    let sii = Sii::parse(&device.sii).unwrap();
    (device, sii)
}

pub(super) fn refused(json: &str) -> DescriptionError {
    DeviceImage::all(&segment(&format!(r#"{{"devices":[{{"type":"EK1100"}},{json}]}}"#)))
        .unwrap_err()
}

pub(super) fn real(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../test/fixtures/eeprom/");
    std::fs::read(format!("{path}{name}")).unwrap()
}

pub(super) fn with_image(image: &[u8], more: &str) -> String {
    format!(r#"{{"sii":{image:?}{more}}}"#)
}

fn areas(areas: &[ProcessArea]) -> Vec<(u16, u16)> {
    areas.iter().map(|area| (area.start, area.bytes)).collect()
}

#[test]
fn a_built_in_coupler_says_what_the_real_one_says() {
    let (built, sii) = device(r#"{"type":"EK1100"}"#);
    let (given, real) = device(&with_image(&real("ek1100.bin"), ""));
    assert_eq!(sii.identity, real.identity);
    let texts = |sii: &Sii| {
        let general = sii.general.clone().unwrap();
        (general.order, general.name, general.group, general.ebus_current_ma, general.ports)
    };
    assert_eq!(texts(&sii), texts(&real));
    assert_eq!(sii.configuration.pdi_control, real.configuration.pdi_control);
    assert_eq!(built.profile.features, given.profile.features);
    assert_eq!((built.profile.kind, built.profile.clock), (0x11, ClockLevel::Full));
    assert!(built.inputs.is_empty() && built.outputs.is_empty());
}

#[test]
fn digital_outputs_are_laid_out_as_in_the_real_terminals() {
    let (built, sii) = device(r#"{"type":"digital-outputs","channels":16}"#);
    let (given, real) = device(&with_image(&real("el2889.bin"), ""));
    assert_eq!(sii.sync_managers, real.sync_managers);
    assert_eq!(sii.pdos, real.pdos);
    assert_eq!(sii.fmmu_usage, real.fmmu_usage);
    assert_eq!(built.outputs, given.outputs);
    assert_eq!(built.outputs.len(), 16);
    assert_eq!(areas(&built.profile.application.outputs), [(0x0F00, 1), (0x0F01, 1)]);
    assert_eq!(built.profile.application.outputs, given.profile.application.outputs);
    assert_eq!(sii.general.unwrap().order, "EL2016-like");
    assert_eq!(sii.identity.vendor_id, SIMULATED_VENDOR_ID);
}

#[test]
fn more_than_sixteen_digital_outputs_share_one_buffer() {
    let (built, sii) = device(r#"{"type":"digital-outputs","channels":17}"#);
    assert_eq!(sii.sync_managers.len(), 1);
    assert_eq!(areas(&built.profile.application.outputs), [(0x1000, 3)]);
    assert_eq!(built.outputs.len(), 17);
}

#[test]
fn digital_inputs_are_bits_of_one_buffer() {
    let (built, sii) = device(r#"{"type":"digital-inputs"}"#);
    assert!(sii.configuration.device_emulation());
    assert_eq!(areas(&built.profile.application.inputs), [(0x1000, 1)]);
    let pdo = &sii.pdos[7];
    assert_eq!(
        (pdo.direction, pdo.index, pdo.name.as_str()),
        (PdoDirection::Tx, 0x1A07, "Channel 8")
    );
    assert_eq!((pdo.entries[0].index, pdo.entries[0].subindex), (0x6070, 1));
    assert_eq!(pdo.entries[0].name, "Input");
}

#[test]
fn analogue_terminals_have_an_application_that_checks_its_sync_manager() {
    let (inputs, sii) = device(r#"{"type":"analogue-inputs","transitionDelayMs":20}"#);
    assert!(!sii.configuration.device_emulation());
    let expected =
        |role, op_only| ExpectedSyncManager { number: 0, start: 0x1000, length: 8, role, op_only };
    assert_eq!(inputs.profile.application.sync_managers, [expected(Role::Inputs, false)]);
    assert_eq!(inputs.profile.application.transition_delay_ns, 20_000_000);
    let entry = &sii.pdos[3].entries[0];
    assert_eq!((entry.index, entry.subindex, entry.name.as_str()), (0x6030, 0x11, "Value"));
    assert_eq!((entry.bit_length, inputs.inputs[3].r#type), (16, ChannelType::Signed));

    let (outputs, sii) = device(r#"{"type":"analogue-outputs"}"#);
    assert_eq!(outputs.profile.application.sync_managers, [expected(Role::Outputs, true)]);
    let entry = &sii.pdos[3].entries[0];
    assert_eq!((entry.index, entry.subindex, entry.name.as_str()), (0x7030, 1, "Analog output"));
}

#[test]
fn generic_devices_have_the_same_product_code_only_if_they_are_the_same() {
    let product = |json: &str| Sii::parse(&device(json).0.sii).unwrap().identity.product_code;
    let pdo = r#"{"direction":"input","index":6656,"entries":[{"index":24676,"bits":BITS}]}"#;
    let generic = |bits: &str, more: &str| {
        product(&format!(r#"{{"type":"generic"{more},"pdos":[{}]}}"#, pdo.replace("BITS", bits)))
    };
    let one = generic("32", "");
    assert_eq!(one >> 16, 5);
    assert_eq!(generic("32", r#","serial":4,"alias":7,"name":"x""#), one);
    assert_ne!(generic("16", ""), one);
    assert_ne!(generic("32", r#","mailbox":{"bytes":64}"#), one);
    assert_ne!(generic("32", r#","mailbox":{}"#), generic("32", r#","mailbox":{"bytes":64}"#));
}

#[test]
fn a_generic_device_is_what_its_description_says() {
    let (servo, sii) = device(
        r#"{"type":"generic","vendorId":2,"productCode":72100946,"revision":3,"serial":9,"alias":7,
            "orderName":"servo","distributedClock":false,
            "refuse":[{"to":"SAFE-OP","code":29}],
            "pdos":[
              {"direction":"input","index":6656,"entries":[
                {"index":24641,"bits":16},{"index":0,"bits":4},{"index":8192,"bits":4},
                {"index":24676,"name":"Actual position","bits":32,"dataType":4}]},
              {"direction":"output","index":5632,"name":"Target","entries":[
                {"index":24698,"bits":32,"dataType":4}]}]}"#,
    );
    assert_eq!((sii.identity.vendor_id, sii.identity.product_code), (2, 0x044C_2C52));
    assert_eq!((sii.identity.revision, sii.identity.serial), (3, 9));
    assert_eq!(sii.configuration.station_alias, 7);
    assert!(sii.configuration.checksum_ok);
    assert_eq!(sii.general.unwrap().order, "servo");
    assert_eq!(servo.profile.clock, ClockLevel::None);
    assert_eq!(servo.profile.features & 0x0004, 0);
    let refusal = servo.profile.application.refusals[0];
    assert_eq!((refusal.to, refusal.code), (4, 29));
    let sync_managers = &servo.profile.application.sync_managers;
    let facts: Vec<_> = sync_managers.iter().map(|sm| (sm.number, sm.start, sm.length)).collect();
    assert_eq!(facts, [(2, 0x1000, 4), (3, 0x1080, 7)]);
    // The gap is no channel.
    assert_eq!(servo.inputs.iter().map(|c| c.bit_offset).collect::<Vec<_>>(), [0, 20, 24]);
    assert_eq!(servo.inputs[2].r#type, ChannelType::Signed);
}

#[test]
fn an_image_is_served_as_it_is_but_for_overrides() {
    let image = real("el2828.bin");
    let (plain, _) = device(&with_image(&image, ""));
    assert_eq!(plain.sii, image);
    let (changed, sii) = device(&with_image(&image, r#","vendorId":9,"alias":5,"serial":1"#));
    assert_eq!((sii.identity.vendor_id, sii.identity.product_code), (9, 0x0B0C_3052));
    assert_eq!((sii.configuration.station_alias, sii.configuration.checksum_ok), (5, true));
    assert_eq!(changed.sii[0x40..], image[0x40..]);
    let mut broken = image;
    broken[0] ^= 1;
    let (_, sii) = device(&with_image(&broken, r#","alias":5"#));
    assert!(!sii.configuration.checksum_ok);
}

#[test]
fn a_blank_or_broken_image_is_served_for_the_main_device_to_find_out() {
    let empty = real("empty.bin");
    let blank = devices(&with_image(&empty, "")).remove(0);
    assert_eq!(blank.sii, empty);
    assert_eq!(Sii::parse(&blank.sii), Err(SiiError::Blank));
    assert!(devices(&with_image(&[], "")).remove(0).sii.is_empty());
}

#[test]
fn a_drive_with_a_mailbox_expects_what_its_image_says() {
    let (akd, _) = device(&with_image(&real("akd.bin"), ""));
    let facts: Vec<_> = akd
        .profile
        .application
        .sync_managers
        .iter()
        .map(|sm| (sm.number, sm.start, sm.length, sm.role))
        .collect();
    assert_eq!(
        facts,
        [
            (0, 0x1800, 1024, Role::MailboxOut),
            (1, 0x1C00, 1024, Role::MailboxIn),
            (2, 0x1100, 6, Role::Outputs),
            (3, 0x1140, 6, Role::Inputs),
        ]
    );
    assert_eq!(akd.profile.pdi_control, Some(0x0C08));
    assert_eq!((akd.inputs.len(), akd.outputs.len()), (2, 2));
}

#[test]
fn device_emulation_can_be_switched_on_both_ways() {
    let (built, sii) =
        device(r#"{"type":"digital-inputs","deviceEmulation":false,"transitionDelayMs":1}"#);
    assert!(!sii.configuration.device_emulation());
    assert_eq!(built.profile.pdi_control, None);
    let (given, _) = device(&with_image(&real("el2828.bin"), r#","deviceEmulation":false"#));
    assert_eq!(given.profile.pdi_control, Some(0x0004));
}

#[test]
fn contradictions_are_refused_with_their_place() {
    let sii = r#""sii":"AAEC""#;
    let cases = [
        (r"{}".to_owned(), "/devices/1"),
        (format!(r#"{{"type":"EK1100",{sii}}}"#), "/devices/1"),
        (r#"{"type":"EK1100","channels":1}"#.to_owned(), "/devices/1/channels"),
        (r#"{"type":"digital-inputs","channels":0}"#.to_owned(), "/devices/1/channels"),
        (r#"{"type":"analogue-inputs","channels":65}"#.to_owned(), "/devices/1/channels"),
        (r#"{"type":"analogue-inputs","pdos":[]}"#.to_owned(), "/devices/1/pdos"),
        (r#"{"type":"generic"}"#.to_owned(), "/devices/1/pdos"),
        (r#"{"type":"generic","pdos":[],"channels":1}"#.to_owned(), "/devices/1/channels"),
        (
            r#"{"type":"generic","pdos":[{"direction":"input","index":1,"entries":[{"index":1,"bits":0}]}]}"#
                .to_owned(),
            "/devices/1/pdos/0/entries/0/bits",
        ),
        (r#"{"type":"digital-inputs","transitionDelayMs":1}"#.to_owned(), "/devices/1/transitionDelayMs"),
        (r#"{"type":"EK1100","refuse":[{"to":"OP","code":1}]}"#.to_owned(), "/devices/1/refuse"),
        (
            r#"{"type":"analogue-inputs","refuse":[{"to":"OP","code":1},{"to":"INIT","code":1}]}"#.to_owned(),
            "/devices/1/refuse/1/to",
        ),
        (
            r#"{"type":"analogue-inputs","refuse":[{"to":"OP","code":0}]}"#.to_owned(),
            "/devices/1/refuse/0/code",
        ),
        (r#"{"type":"EK1100","orderName":"Ω"}"#.to_owned(), "/devices/1"),
        (format!(r#"{{{sii},"vendorId":1}}"#), "/devices/1/vendorId"),
        (format!(r#"{{{sii},"alias":1}}"#), "/devices/1/alias"),
        (format!(r#"{{{sii},"channels":1}}"#), "/devices/1/channels"),
    ];
    for (json, path) in cases {
        let error = refused(&json);
        assert_eq!(error.path, path, "{json}: {error}");
    }
}

/// Process data without a segment: 64 bits a device and direction.
#[derive(Default)]
struct Bits {
    inputs: HashMap<(u16, u32), u64>,
    outputs: HashMap<(u16, u32), u64>,
}

impl ProcessData for Bits {
    fn set_input(&mut self, device: u16, bit_offset: u32, _bit_length: u8, value: u64) {
        self.inputs.insert((device, bit_offset), value);
    }

    fn output(&self, device: u16, bit_offset: u32, _bit_length: u8) -> u64 {
        self.outputs.get(&(device, bit_offset)).copied().unwrap_or(0)
    }
}

const PLANT: &str = r#""devices":[
    {"name":"coupler","type":"EK1100"},
    {"name":"line 1.sensors","type":"digital-inputs"},
    {"name":"actuators","type":"digital-outputs"},
    {"name":"measurements","type":"analogue-inputs"},
    {"name":"setpoints","type":"analogue-outputs"}]"#;

fn wiring(rest: &str) -> Result<Wiring, DescriptionError> {
    let description = segment(&format!("{{{PLANT},{rest}}}"));
    Wiring::new(&description, &DeviceImage::all(&description).unwrap())
}

#[test]
fn signals_and_wires_move_the_inputs_of_their_channels() {
    let wiring = wiring(
        r#""signals":[{"input":"line 1.sensors.1","counter":{"periodMs":250}},
                      {"input":"line 1.sensors.3","constant":1},
                      {"input":"measurements.2","sine":{"amplitude":9830,"offset":16384,"periodMs":10000}}],
           "wires":[{"from":"actuators.2","to":"line 1.sensors.8"},
                    {"from":"setpoints.1","to":"measurements.3"}]"#,
    )
    .unwrap();
    let mut io = Bits::default();
    io.outputs.insert((2, 1), 1);
    io.outputs.insert((4, 0), 0xFFFE);
    wiring.apply(&mut io, 2_750_000_000);
    let expected =
        [((1, 0), 1), ((1, 2), 1), ((3, 16), 16384 + 9709), ((1, 7), 1), ((3, 32), 0xFFFE)];
    assert_eq!(io.inputs, HashMap::from(expected));
}

#[test]
fn a_channel_that_does_not_exist_is_refused_with_its_place() {
    let constant = |input: &str| format!(r#""signals":[{{"input":"{input}","constant":1}}]"#);
    let cases = [
        (constant("sensors"), "/signals/0/input", "no channel"),
        (constant("sensors.1"), "/signals/0/input", "no device is called \"sensors\""),
        (constant("line 1.sensors.0"), "/signals/0/input", "count from 1"),
        (constant("line 1.sensors.9"), "/signals/0/input", "has 8 inputs, no channel 9"),
        (constant("actuators.1"), "/signals/0/input", "has 0 inputs"),
        (
            r#""wires":[{"from":"line 1.sensors.1","to":"line 1.sensors.2"}]"#.to_owned(),
            "/wires/0/from",
            "has 0 outputs",
        ),
        (
            r#""wires":[{"from":"actuators.1","to":"actuators.2"}]"#.to_owned(),
            "/wires/0/to",
            "has 0 inputs",
        ),
        (
            r#""wires":[{"from":"actuators.1","to":"measurements.1"},
                        {"from":"actuators.2","to":"measurements.1"}]"#
                .to_owned(),
            "/wires/1/to",
            "already",
        ),
        (
            r#""signals":[{"input":"measurements.1","square":{"periodMs":0}}]"#.to_owned(),
            "/signals/0/square/periodMs",
            "period",
        ),
    ];
    for (json, path, word) in cases {
        let error = wiring(&json).unwrap_err();
        assert_eq!(error.path, path, "{error}");
        assert!(error.message.contains(word), "{error}");
    }
}

proptest! {
    #[test]
    fn every_terminal_names_its_channels_and_fits_its_ram(
        kind in prop::sample::select(vec![
            "digital-inputs", "digital-outputs", "analogue-inputs", "analogue-outputs",
        ]),
        channels in 1..=64u16,
    ) {
        let (device, sii) = device(&format!(r#"{{"type":"{kind}","channels":{channels}}}"#));
        prop_assert_eq!(device.inputs.len() + device.outputs.len(), usize::from(channels));
        prop_assert!(sii.configuration.checksum_ok);
        prop_assert!(sii.sync_managers.len() <= usize::from(device.profile.sync_manager_count));
        let ram_end = 0x1000 + u32::from(device.profile.ram_kb) * 1024;
        let application = &device.profile.application;
        for area in application.inputs.iter().chain(&application.outputs) {
            if area.start >= 0x1000 {
                prop_assert!(u32::from(area.start) + 3 * u32::from(area.bytes) <= ram_end);
            }
        }
    }

    #[test]
    fn a_generic_device_has_a_channel_for_every_entry_and_buffers_that_do_not_overlap(
        entries in prop::collection::vec((any::<bool>(), 1..=255u8), 0..200),
    ) {
        let pdos: Vec<String> = entries.iter().enumerate().map(|(n, (input, bits))| format!(
            r#"{{"direction":"{}","index":{},"entries":[{{"index":8192,"bits":{bits}}}]}}"#,
            if *input { "input" } else { "output" }, 0x1600 + n,
        )).collect();
        let (device, _) = device(&format!(r#"{{"type":"generic","pdos":[{}]}}"#, pdos.join(",")));
        prop_assert_eq!(device.inputs.len() + device.outputs.len(), entries.len());
        let application = &device.profile.application;
        let end = |areas: &[ProcessArea]| {
            areas.iter().map(|a| u32::from(a.start) + 3 * u32::from(a.bytes)).max().unwrap_or(0)
        };
        if let Some(first) = application.inputs.first() {
            prop_assert!(end(&application.outputs) <= u32::from(first.start));
        }
        let ram_end = 0x1000 + u32::from(device.profile.ram_kb) * 1024;
        prop_assert!(end(&application.outputs).max(end(&application.inputs)) <= ram_end);
    }

    #[test]
    fn a_damaged_image_never_stops_a_device_from_being_made(
        file in prop::sample::select(vec!["el2889.bin", "akd.bin"]),
        damage in prop::collection::vec((0..0x700usize, any::<u8>()), 1..8),
    ) {
        let mut image = real(file);
        for (at, value) in damage {
            image[at] = value;
        }
        let description = DeviceDescription { sii: Some(image), ..DeviceDescription::default() };
        prop_assert!(DeviceImage::new(&description, 0).is_ok());
    }
}
