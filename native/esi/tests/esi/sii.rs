//! Images, and how they compare with those of real devices.

use ecat_esi::{Choice, EsiFile, compare};
use ecat_wire::sii::{CATEGORIES_START_BYTES, PdoDirection, Sii, bytes_needed};

use crate::support::{device, eeprom, fixture, only, shared};

/// Place and both sides of each difference.
fn differences(first: &[u8], second: &[u8]) -> Vec<(String, String, String)> {
    let side = |value: Option<String>| value.unwrap_or_default();
    let found = compare(first, second).unwrap().into_iter();
    found.map(|one| (one.place, side(one.first), side(one.second))).collect()
}

#[test]
fn the_image_of_an_ek1100_is_that_of_the_real_one_but_for_what_its_esi_does_not_tell() {
    let Some(bytes) = shared("esi/Beckhoff_EK11xx.xml") else { return };
    let file = EsiFile::parse(&bytes).unwrap();
    let german = Choice { device: Some("EK1100".into()), language: 1031, ..Choice::default() };
    let image = german.configure(&[&file]).unwrap().sii().unwrap();
    let real = eeprom("ek1100.bin");
    let texts = |(place, first, second): (&str, &str, &str)| {
        (place.to_owned(), first.to_owned(), second.to_owned())
    };
    let expected = [
        ("word 0x20 (reserved)", "", "0x0006"),
        ("word 0x21 (reserved)", "", "0x001a"),
        ("word 0x22 (reserved)", "", "0x8a0e"),
        ("general: byte 0x04 (reserved)", "0x00", "0x02"),
    ];
    assert_eq!(differences(&image.bytes, &real), expected.map(texts));
    // Byte by byte: these, and nothing else.
    let bytes: Vec<usize> =
        (0..real.len()).filter(|at| image.bytes.get(*at) != real.get(*at)).collect();
    assert_eq!(bytes, [0x40, 0x42, 0x44, 0x45, 0xCC + 4]);
    assert_eq!(image.bytes.len(), real.len());

    // In English its texts are others.
    let english = device(&file, "EK1100").sii().unwrap();
    let places: Vec<String> =
        differences(&english.bytes, &real).into_iter().map(|(place, ..)| place).collect();
    assert_eq!(
        places[3..],
        [
            "general: byte 0x04 (reserved)",
            "general: group name",
            "general: name",
            "string 3",
            "string 4",
        ]
    );
}

#[test]
fn an_image_differs_from_itself_in_nothing_and_any_byte_that_says_something_is_told() {
    // Of the long ones, some of the bytes.
    for (name, step) in [("ek1100.bin", 1), ("el2828.bin", 7), ("el2889.bin", 7), ("akd.bin", 19)] {
        let image = eeprom(name);
        assert_eq!(compare(&image, &image), Ok(Vec::new()));
        let end = bytes_needed(&image).max(CATEGORIES_START_BYTES);
        for at in (0..end).step_by(step) {
            let mut other = image.clone();
            other[at] ^= 0x15;
            // An image that is none any more is told as well.
            let Ok(found) = compare(&image, &other) else { continue };
            // What pads a category to whole words says nothing.
            let padding = image[at] == 0xFF && found.is_empty();
            assert!(padding || !found.is_empty(), "{name}: byte {at:#x}");
        }
    }
}

#[test]
fn an_image_has_everything_that_etg2010_takes_from_a_description() {
    let coupler = device(&fixture("Simulated.xml"), "SIM-COUPLER").sii().unwrap();
    assert_eq!(coupler.notes, [""; 0]);
    let sii = &coupler.sii;
    assert_eq!(coupler.bytes.len(), 4096);
    assert_eq!(Sii::parse(&coupler.bytes).as_ref(), Ok(sii));
    let configuration = &sii.configuration;
    assert_eq!((configuration.pdi_control, configuration.pdi_configuration), (0x0C05, 0x4403));
    assert_eq!(configuration.sync_pulse_length, 0x03E8);
    let boot = sii.boot_mailbox;
    assert_eq!((boot.receive_offset, boot.receive_size), (0x1000, 0x0200));
    assert_eq!((boot.send_offset, boot.send_size), (0x1200, 0x0200));
    assert_eq!((sii.mailbox.receive_offset, sii.mailbox.send_size), (0x1000, 128));
    assert_eq!(sii.protocols, 0x000C);
    let general = sii.general.as_ref().unwrap();
    // SDO, information, upload, complete access; StartToSafeopNoSync, repeat, identification by 0x0134.
    assert_eq!((general.coe_details, general.foe_details, general.flags), (0x33, 1, 0x0D));
    assert_eq!((general.ebus_current_ma, general.ports), (-1500, 0x0011));
    let others: Vec<_> = sii.others.iter().map(|one| (one.code, one.content.as_slice())).collect();
    assert_eq!(
        others,
        [(0x0800, &b"SIMULATED-1\xFF"[..]), (0x0801, &[4, 3, 2, 1]), (43, &[0xF0, 0xFF]),]
    );
    assert_eq!(
        sii.strings[..4],
        ["SIM-COUPLER", "SimGroup", "Simulated devices", "Simulated modular coupler"]
    );

    let drive = device(&fixture("Simulated.xml"), "SIM-DRIVE").sii().unwrap().sii;
    let pdos: Vec<_> = drive
        .pdos
        .iter()
        .map(|pdo| (pdo.direction, pdo.index, pdo.sync_manager, pdo.flags))
        .collect();
    use PdoDirection::{Rx, Tx};
    assert_eq!(
        pdos,
        [
            (Tx, 0x1A00, Some(3), 0x0011),
            (Rx, 0x1600, Some(2), 0x0010),
            (Rx, 0x1601, None, 0x0010),
            (Rx, 0x1602, None, 0x0000),
        ]
    );
    let [synchronous, pulses, half] = drive.dc.as_slice() else { panic!("three modes") };
    assert_eq!((synchronous.assign_activate, synchronous.sync_0_cycle_factor), (0, 1));
    assert_eq!(
        (pulses.assign_activate, pulses.shift_time_0_ns),
        (0x0300, (-1000_i32).cast_unsigned())
    );
    assert_eq!((half.sync_0_cycle_factor, half.sync_1_cycle_factor), (-2, 1));
    assert_eq!((half.shift_time_1_ns, half.name.as_str()), (250_000, "DC half"));
    assert_eq!(drive.general.unwrap().ds402_channels, 1);

    let split = device(&fixture("Simulated.xml"), "SIM-SPLIT").sii().unwrap().sii;
    assert!(split.sync_managers[1].is_op_only() && !split.sync_managers[0].is_op_only());
    assert_eq!(split.others[0].content[0], 0xF1);
    assert_eq!(split.general.unwrap().ports, 0x0033);
}

#[test]
fn what_an_image_cannot_hold_is_cut_and_told() {
    let entries: String = (0..300)
        .map(|n| {
            format!(
                "<Entry><Index>#x7000</Index><SubIndex>1</SubIndex><BitLen>1</BitLen>\
                 <Name>Entry {n}</Name><DataType>BOOL</DataType></Entry>"
            )
        })
        .collect();
    let (_, device) = only(&format!(
        "<Name>Größe Ω</Name><Sm StartAddress=\"#x1000\" ControlByte=\"#x64\">Outputs</Sm>
         <RxPdo Sm=\"0\"><Index>#x1600</Index>{entries}</RxPdo>
         <RxPdo Sm=\"0\"><Index>#x1601</Index><Entry><Index>#x7001</Index><BitLen>500</BitLen></Entry></RxPdo>
         <Eeprom><ByteSize>256</ByteSize><ConfigData>05</ConfigData></Eeprom>"
    ));
    let image = device.sii().unwrap();
    assert_eq!(
        image.notes,
        [
            "PDO 0x1600 has more than 254 entries; the last ones are left out",
            "PDO 0x1601 has entries of more than 255 bits; each is in several pieces",
            "1 texts are longer than 255 characters, or not in ISO 8859-1; they are cut, and ? stands for \
             what an image cannot hold",
            "an image holds 255 texts; 1 names of PDOs and entries are left out",
            "the image has 4736 bytes, more than the 256 of the EEPROM",
        ]
    );
    assert_eq!(image.sii.pdos[1].bit_length(), 500);
    assert_eq!(image.sii.general.unwrap().name, "Größe ?");
}

#[test]
fn an_image_that_a_file_has_as_a_whole_is_taken_as_it_is() {
    let real = eeprom("el2828.bin");
    let data: String = real.iter().map(|byte| format!("{byte:02X}")).collect();
    let (_, device) = only(&format!("<Eeprom><Data>{data}</Data></Eeprom>"));
    let image = device.sii().unwrap();
    assert_eq!(image.bytes, real);
    assert_eq!(image.sii.general.unwrap().order, "EL2828");
}

#[test]
fn a_sync_manager_that_is_disabled_and_used_stays_so_unless_the_image_is_to_say_everything() {
    let file = fixture("Odd.xml");
    let enabled =
        |sii: &Sii| -> Vec<bool> { sii.sync_managers.iter().map(|one| one.is_enabled()).collect() };
    for (name, as_it_is) in
        [("ODD-SELF", [false, false, true, true]), ("ODD-OFF", [true, true, false, false])]
    {
        let device = device(&file, name);
        let image = device.sii().unwrap();
        assert_eq!((enabled(&image.sii), &image.notes[..]), (as_it_is.to_vec(), &[][..]), "{name}");
        let all = device.self_contained_sii().unwrap();
        assert_eq!(enabled(&all.sii), [true; 4], "{name}");
        let off = as_it_is.iter().position(|on| !on).unwrap();
        assert_eq!(
            all.notes[0],
            format!(
                "SyncManager {off} is disabled in the file and used; it is enabled in the EEPROM"
            )
        );
        assert_eq!(all.notes.len(), 2, "{name}");
    }
}

#[test]
fn a_text_more_is_one_difference_and_an_order_of_texts_is_another() {
    let image = |content: &str| {
        let (_, device) = only(&format!(
            "<Sm StartAddress=\"#x1000\" ControlByte=\"#x64\">Outputs</Sm>
             <RxPdo Sm=\"0\"><Index>#x1600</Index>{content}</RxPdo><Eeprom><ConfigData>05</ConfigData></Eeprom>"
        ));
        device.sii().unwrap().bytes
    };
    let entry = |index: u16, name: &str| {
        format!(
            "<Entry><Index>{index}</Index><SubIndex>1</SubIndex><BitLen>8</BitLen><Name>{name}</Name></Entry>"
        )
    };
    let two = image(&(entry(1, "one") + &entry(2, "two")));
    let named = image(&("<Name>PDO</Name>".to_owned() + &entry(1, "one") + &entry(2, "two")));
    let texts = |found: Vec<(String, String, String)>| -> Vec<String> {
        found
            .into_iter()
            .map(|(place, first, second)| format!("{place}: {first} | {second}"))
            .collect()
    };
    assert_eq!(
        texts(differences(&two, &named)),
        [r#"RxPDO 0x1600: name: "" | "PDO""#, r#"string 2:  | "PDO""#]
    );
    let mut swapped = two.clone();
    let at = two.windows(8).position(|bytes| bytes == b"\x03one\x03two").unwrap();
    swapped[at..at + 8].copy_from_slice(b"\x03two\x03one");
    assert_eq!(
        texts(differences(&two, &swapped)),
        [
            r#"RxPDO 0x1600 entry 1: name: "one" | "two""#,
            r#"RxPDO 0x1600 entry 2: name: "two" | "one""#,
            r#"order of strings: "ONE", "one", "two" | "ONE", "two", "one""#,
        ]
    );
}
