//! Bad files: each gets an error with its line and column.

use ecat_esi::EsiFile;
use proptest::prelude::*;

use crate::support::with_device;

fn error(text: &str) -> String {
    EsiFile::parse(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_bad_file_gets_an_error_with_line_and_column_and_element() {
    let device = |content: &str| error(&with_device(content));
    let path = "EtherCATInfo/Descriptions/Devices/Device";
    let cases = [
        (
            device("<RxPdo><Name>x</Name></RxPdo>"),
            format!("3:1: {path}/RxPdo: has no Index; add <Index>…</Index> to it"),
        ),
        (
            device("<RxPdo><Index>#x1600</Index></RxPdo>\n<RxPdo><Index>#x16G0</Index></RxPdo>"),
            format!("4:8: {path}/RxPdo[2]/Index: \"#x16G0\" is no number"),
        ),
        (
            device("<TxPdo><Index>#x1A00</Index><Entry><Index>70000</Index></Entry></TxPdo>"),
            format!("3:36: {path}/TxPdo/Entry/Index: 70000 is not in 0 to 65535"),
        ),
        (
            device("  <Sm StartAddress=\"4k\">Outputs</Sm>"),
            format!("3:7: {path}/Sm@StartAddress: \"4k\" is no number from 0 to 65535"),
        ),
        (
            device("<Eeprom><ConfigData>05 0</ConfigData></Eeprom>"),
            format!(
                "3:9: {path}/Eeprom/ConfigData: is no row of bytes; write two hexadecimal digits"
            ),
        ),
        (
            error("<EtherCATInfo><Vendor><Id>x</Id></Vendor></EtherCATInfo>"),
            "1:23: EtherCATInfo/Vendor/Id: \"x\" is no number".to_owned(),
        ),
        (
            error("<EtherCATInfo/>"),
            "1:1: EtherCATInfo: has no Vendor; add <Vendor>…</Vendor> to it".to_owned(),
        ),
        (
            error("<EtherCATConfig/>"),
            "1:1: EtherCATConfig: the root element is EtherCATConfig, not EtherCATInfo".to_owned(),
        ),
        (
            error("<a>\n <b></a>"),
            "2:5: this is no well-formed XML: expected 'b' tag, not 'a'; mend the file".to_owned(),
        ),
        (error(""), "1:1: this is no XML; choose an ESI file".to_owned()),
        (error("{\"a\": 1}"), "1:1: this is no XML; choose an ESI file".to_owned()),
        (error("PK\u{3}\u{4}\0\0"), "1:1: this is a ZIP archive; unpack it".to_owned()),
        (
            error("<EtherCATInfo>\n  <Vendor>\n"),
            "2:11: the file ends within an element; it was cut off".to_owned(),
        ),
        (error("<EtherCATInfo>\n <Ven"), "2:6: the file ends within an element".to_owned()),
        (
            error("<?xml version=\"1.0\" encoding=\"EBCDIC-9\"?><a/>"),
            "1:1: the encoding \"EBCDIC-9\" is not known; save the file as UTF-8".to_owned(),
        ),
        (
            error("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
            "1:1: document types are not read, nor entities; take out the <!DOCTYPE".to_owned(),
        ),
    ];
    for (found, expected) in cases {
        assert!(found.starts_with(&expected), "{found}\nand not\n{expected}");
    }
}

#[test]
fn elements_within_elements_without_end_are_no_trouble() {
    let deep = "<a>".repeat(200_000) + &"</a>".repeat(200_000);
    assert!(error(&deep).contains("the root element is a"));
}

#[test]
fn a_file_in_one_line_with_something_odd_at_every_place_is_read_in_time_that_grows_with_it() {
    // 20,000 PDOs with four oddities each: with a walk along the line, or along the brothers, for each of them it
    // would take minutes.
    let pdo = "<RxPdo Sm=\"x\" Fixed=\"maybe\"><Index>#x1600</Index>\
               <Entry><Index>0</Index><SubIndex>n</SubIndex><BitLen>8</BitLen></Entry>\
               <ExcludedSm>no</ExcludedSm></RxPdo>";
    let text = with_device(&pdo.repeat(20_000)).replace('\n', " ");
    let file = EsiFile::parse(text.as_bytes()).unwrap();
    let places: Vec<_> = file.devices[0].pdos.iter().map(|pdo| pdo.place).collect();
    assert!(places.iter().all(|place| place.line == 1));
    let step = u32::try_from(pdo.len()).unwrap();
    assert!(places.windows(2).all(|two| two[1].column == two[0].column + step));
    assert_eq!(file.warnings.len(), 201);
    let last = &file.warnings[200].message;
    assert_eq!(last, "79800 more oddities behind this place are not listed");
    let device = ecat_esi::Choice::default().configure(&[&file]).unwrap();
    assert_eq!(device.pdos.len(), 20_000);
}

#[test]
fn many_pdos_and_types_and_objects_take_time_that_grows_with_them() {
    let pdo = |n: u32| {
        format!(
            "<RxPdo Sm=\"0\"><Index>{n}</Index><Exclude>{}</Exclude></RxPdo>",
            n.wrapping_mul(7919) % 60_000
        )
    };
    let pdos: String = (0..20_000).map(pdo).collect();
    let types: String = (0..20_000)
        .map(|n| format!("<DataType><Name>T{n}</Name><BaseType>UINT</BaseType></DataType>"))
        .collect();
    let objects: String = (0..20_000)
        .map(|n| format!("<Object><Index>{n}</Index><Type>T{}</Type></Object>", 19_999 - n))
        .collect();
    let (_, device) = crate::support::only(&format!(
        "<Profile><Dictionary><DataTypes>{types}</DataTypes><Objects>{objects}</Objects></Dictionary></Profile>
         <Sm StartAddress=\"#x1000\" ControlByte=\"#x64\">Outputs</Sm>{pdos}"
    ));
    assert_eq!(device.objects().len(), 20_000);
    let assigned: Vec<_> = device.pdos.iter().filter(|pdo| pdo.sync_manager.is_some()).collect();
    assert!(!device.notes.is_empty() && assigned.len() + device.notes.len() == 20_000);
    for pair in assigned.windows(2).step_by(500) {
        assert!(!device.excludes(pair[0].index.base, pair[1].index.base));
    }
}

const FIXTURES: [&str; 5] =
    ["BogusIO.xml", "BogusJunction.xml", "BogusServo.xml", "Simulated.xml", "Odd.xml"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_file_never_panics_and_every_place_is_within_it(
        name in prop::sample::select(&FIXTURES[..]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        end in any::<prop::sample::Index>(),
        cut: bool,
    ) {
        let path = format!("{}/../../test/fixtures/esi/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut bytes = std::fs::read(path).unwrap();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        match EsiFile::parse(&bytes) {
            Ok(file) => {
                for warning in &file.warnings {
                    prop_assert!((1..=lines).contains(&warning.place.line), "{warning}");
                }
                for device in &file.devices {
                    let choice = ecat_esi::Choice {
                        product_code: Some(device.product_code),
                        ..Default::default()
                    };
                    let Ok(device) = choice.configure(&[&file]) else { continue };
                    let _ = (device.objects(), device.init_commands());
                    if let Ok(image) = device.sii() {
                        let read = ecat_wire::sii::Sii::parse(&image.bytes);
                        prop_assert_eq!(read, Ok(image.sii));
                    }
                }
            }
            Err(error) => {
                prop_assert!((1..=lines).contains(&error.place.line), "{error}");
                prop_assert!(error.place.column >= 1 && !error.message.is_empty(), "{error}");
            }
        }
    }
}
