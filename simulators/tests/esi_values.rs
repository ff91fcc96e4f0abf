//! Devices of ESI files in which numbers, texts and whole lines are others: none of them brings a segment down.

use ecat_esi::EsiFile;
use ecat_simulator::description::EsiFileDescription;
use ecat_simulator::{Segment, SegmentDescription};
use ecat_wire::Command;
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::FrameWriter;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const FILES: [&str; 5] =
    ["BogusIO.xml", "BogusJunction.xml", "BogusServo.xml", "Simulated.xml", "Odd.xml"];

/// What a value becomes: limits of types and what is just beyond, and what is no number.
const VALUES: [&str; 18] = [
    "0",
    "1",
    "2",
    "15",
    "16",
    "127",
    "128",
    "255",
    "256",
    "#x1600",
    "#x1C12",
    "4095",
    "65535",
    "65536",
    "#xFFFFFFFF",
    "-1",
    "",
    "Inputs",
];

#[derive(Clone, Debug)]
enum Change {
    /// A value, of an element or an attribute.
    Value(Index, &'static str),
    /// A line goes.
    Without(Index),
    /// A line is there twice.
    Twice(Index),
    /// Two lines change places.
    Swapped(Index, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = prop_oneof![
        6 => (any::<Index>(), select(&VALUES[..])).prop_map(|(at, value)| Change::Value(at, value)),
        1 => any::<Index>().prop_map(Change::Without),
        1 => any::<Index>().prop_map(Change::Twice),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::Swapped(a, b)),
    ];
    prop::collection::vec(one, 1..8)
}

/// Where values stand: between `>` and `<`, and between quotes.
fn values(text: &str) -> Vec<std::ops::Range<usize>> {
    let marks: Vec<(usize, u8)> =
        text.bytes().enumerate().filter(|(_, byte)| b"<>\"".contains(byte)).collect();
    let is_value = |(open, close): (u8, u8), inside: &str| {
        let fits = matches!((open, close), (b'>', b'<') | (b'"', b'"'));
        fits && !inside.trim().is_empty() && !inside.contains(['=', '\n'])
    };
    marks
        .windows(2)
        .filter(|two| is_value((two[0].1, two[1].1), &text[two[0].0 + 1..two[1].0]))
        .map(|two| two[0].0 + 1..two[1].0)
        .collect()
}

fn changed(mut text: String, changes: &[Change]) -> String {
    for change in changes {
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        match change {
            Change::Value(at, value) => {
                let places = values(&text);
                text.replace_range(at.get(&places).clone(), value);
                continue;
            }
            Change::Without(at) => drop(lines.remove(at.index(lines.len()))),
            Change::Twice(at) => {
                let at = at.index(lines.len());
                lines.insert(at, lines[at]);
            }
            Change::Swapped(a, b) => {
                let (a, b) = (a.index(lines.len()), b.index(lines.len()));
                lines.swap(a, b);
            }
        }
        text = lines.concat();
    }
    text
}

/// One device of a file, asked for every state in vain or not.
fn live(name: &str, content: &[u8], device: &ecat_esi::Device) {
    let mut description = SegmentDescription::from_json(&format!(
        r#"{{"devices":[{{"esi":{{"files":[{name:?}],"device":{:?},"productCode":{},"revision":{}}}}}]}}"#,
        device.r#type, device.product_code, device.revision
    ))
    .unwrap();
    let (name, content) = (name.to_owned(), content.to_vec());
    description.esi_files.push(EsiFileDescription { name, content });
    let Ok(mut segment) = Segment::new(&description) else { return };
    let mut frame = [0; 128];
    for (n, state) in (1..).zip([1_u16, 2, 4, 8, 1, 3, 1]) {
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
        let control = Command::Bwr { register: 0x0120 };
        writer.push_data(control, 0, &state.to_le_bytes()).unwrap();
        writer.push_data(Command::Brd { register: 0x0130 }, 0, &[0; 6]).unwrap();
        let length = writer.finish();
        segment.process(&mut frame[..length], n * 100_000_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_file_with_other_values_makes_a_device_or_an_error(name in select(&FILES[..]), changes in changes()) {
        let path = format!("{}/../test/fixtures/esi/{name}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        // Latin-1 and UTF-8 alike, as far as values go.
        let text = changed(String::from_utf8_lossy(&bytes).into_owned(), &changes);
        match EsiFile::parse(text.as_bytes()) {
            Err(error) => prop_assert!(!error.message.is_empty() && error.place.line > 0),
            Ok(file) => {
                for device in file.devices.iter().filter(|device| !device.invisible) {
                    live(name, text.as_bytes(), device);
                }
            }
        }
    }
}
