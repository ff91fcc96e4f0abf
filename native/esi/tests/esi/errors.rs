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
        (error(""), "1:1: this is no well-formed XML".to_owned()),
        (
            error("<?xml version=\"1.0\" encoding=\"EBCDIC-9\"?><a/>"),
            "1:1: the encoding \"EBCDIC-9\" is not known; save the file as UTF-8".to_owned(),
        ),
        (
            error("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
            "1:1: this is no well-formed XML: XML with DTD detected".to_owned(),
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

const FIXTURES: [&str; 4] = ["BogusIO.xml", "BogusJunction.xml", "BogusServo.xml", "Simulated.xml"];

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
