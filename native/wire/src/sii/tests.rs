use proptest::prelude::*;

use super::*;

fn image(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/fixtures/eeprom/");
    std::fs::read(format!("{path}{name}")).unwrap()
}

fn parsed(name: &str) -> Sii {
    Sii::parse(&image(name)).unwrap()
}

const REAL: [&str; 5] = ["ek1100.bin", "el2004.bin", "el2828.bin", "el2889.bin", "akd.bin"];

#[test]
fn images_of_real_devices_name_their_device_and_have_a_right_checksum() {
    let expected = [
        ("EK1100", 0x044C_2C52, 0x0012_0000),
        ("EL2004", 0x07D4_3052, 0x0010_0000),
        ("EL2828", 0x0B0C_3052, 0x0011_0000),
        ("EL2889", 0x0B49_3052, 0x0011_0000),
        ("AKD", 0x0041_4B44, 2),
    ];
    for (file, (order, product_code, revision)) in REAL.into_iter().zip(expected) {
        let sii = parsed(file);
        assert!(sii.configuration.checksum_ok, "{file}");
        assert_eq!(sii.general.as_ref().unwrap().order, order);
        assert_eq!(sii.identity.vendor_id, if order == "AKD" { 0x6A } else { 2 });
        assert_eq!((sii.identity.product_code, sii.identity.revision), (product_code, revision));
        assert_eq!((sii.size_bytes, sii.version), (2048, 1));
    }
}

#[test]
fn an_ek1100_has_no_process_data_and_feeds_the_e_bus() {
    let sii = parsed("ek1100.bin");
    let general = sii.general.unwrap();
    assert_eq!(general.ebus_current_ma, -2000);
    assert_eq!(general.name, "EK1100 EtherCAT-Koppler (2A E-Bus)");
    assert_eq!((general.group.as_str(), general.ports), ("SystemBk", 0x0131));
    assert_eq!(general.group_name, "System Koppler");
    assert!(sii.pdos.is_empty() && sii.sync_managers.is_empty() && sii.fmmu_usage.is_empty());
}

#[test]
fn an_el2889_has_two_one_byte_sync_managers_of_eight_outputs_each() {
    let sii = parsed("el2889.bin");
    assert!(sii.configuration.device_emulation());
    let sync_manager = |start| SiiSyncManager {
        start,
        length: 1,
        control: 0x44,
        enable: 0x09,
        kind: SyncManagerKind::ProcessDataOut,
    };
    assert_eq!(sii.sync_managers, [sync_manager(0x0F00), sync_manager(0x0F01)]);
    assert_eq!(sii.fmmu_usage, [FmmuUsage::Outputs]);
    assert_eq!(sii.pdos.len(), 16);
    for (channel, pdo) in sii.pdos.iter().enumerate() {
        let n = u16::try_from(channel).unwrap();
        assert_eq!((pdo.direction, pdo.index), (PdoDirection::Rx, 0x1600 + n));
        assert_eq!(pdo.name, format!("Channel {}", n + 1));
        assert_eq!((pdo.sync_manager, pdo.flags), (Some(u8::from(n >= 8)), 0x0011));
        let entry = PdoEntry {
            index: 0x7000 + 0x10 * n,
            subindex: 1,
            name: "Output".into(),
            data_type: 1,
            bit_length: 1,
            flags: 0,
        };
        assert_eq!(pdo.entries, [entry]);
    }
}

#[test]
fn the_single_sync_managers_of_an_el2004_and_an_el2828_differ_only_in_their_length() {
    let four = parsed("el2004.bin");
    let eight = parsed("el2828.bin");
    assert_eq!((four.sync_managers[0].start, four.sync_managers[0].length), (0x0F00, 0));
    assert_eq!((eight.sync_managers[0].start, eight.sync_managers[0].length), (0x0F00, 1));
    assert_eq!((four.pdos.len(), eight.pdos.len()), (4, 8));
}

#[test]
fn an_akd_begins_with_categories_of_its_vendor_and_maps_two_of_its_pdos() {
    let image = image("akd.bin");
    let kinds: Vec<_> = categories(&image).map(|category| category.unwrap().kind).collect();
    assert_eq!(kinds[..2], [CategoryKind::Other(0x0800), CategoryKind::Other(0x0801)]);

    let sii = Sii::parse(&image).unwrap();
    let areas = MailboxAreas {
        receive_offset: 0x1800,
        receive_size: 1024,
        send_offset: 0x1C00,
        send_size: 1024,
    };
    assert_eq!((sii.mailbox, sii.boot_mailbox), (areas, areas));
    assert_eq!(sii.protocols, 0x0E);
    let general = sii.general.unwrap();
    assert_eq!((general.coe_details, general.flags), (0x0D, 0x05));
    assert!(general.enable_safe_op() && !general.enable_not_lrw());
    assert_eq!(
        sii.sync_managers.iter().map(|sm| (sm.start, sm.length, sm.kind)).collect::<Vec<_>>(),
        [
            (0x1800, 1024, SyncManagerKind::MailboxOut),
            (0x1C00, 1024, SyncManagerKind::MailboxIn),
            (0x1100, 0, SyncManagerKind::ProcessDataOut),
            (0x1140, 0, SyncManagerKind::ProcessDataIn),
        ]
    );
    let usage = [FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    assert_eq!(sii.fmmu_usage, usage);

    let mapped: Vec<_> = sii.pdos.iter().filter(|pdo| pdo.sync_manager.is_some()).collect();
    assert_eq!(mapped.iter().map(|pdo| pdo.index).collect::<Vec<_>>(), [0x1B01, 0x1701]);
    assert_eq!(mapped[0].bit_length(), 48);
    let entry = &mapped[0].entries[0];
    assert_eq!((entry.index, entry.bit_length, entry.data_type), (0x6063, 32, 4));
    assert_eq!(entry.name, "Position actual internal value");

    assert_eq!(sii.dc.len(), 2);
    assert_eq!((sii.dc[0].name.as_str(), sii.dc[0].assign_activate), ("DcSync", 0x0300));
    assert_eq!((sii.dc[1].name.as_str(), sii.dc[1].assign_activate), ("DcOff", 0));
}

#[test]
fn what_was_read_from_a_real_image_is_written_and_read_back() {
    for file in REAL {
        let sii = parsed(file);
        assert_eq!(Sii::parse(&build(&sii).unwrap()), Ok(sii), "{file}");
    }
}

#[test]
fn the_first_string_is_the_order_text_as_in_real_images() {
    // SOEM takes string 1 for the device's name.
    assert_eq!(parsed("el2889.bin").strings[0], "EL2889");
    let general =
        General { group: "Drives".to_owned(), order: "AX1".to_owned(), ..General::default() };
    let written =
        build(&Sii { size_bytes: 1_024, general: Some(general), ..Sii::default() }).unwrap();
    assert_eq!(Sii::parse(&written).unwrap().strings, ["AX1", "Drives"]);
}

#[test]
fn an_eeprom_that_was_never_written_is_blank() {
    assert_eq!(Sii::parse(&image("empty.bin")), Err(SiiError::Blank));
    assert_eq!(Sii::parse(&[0xFF; 2048]), Err(SiiError::Blank));
    assert_eq!(Sii::parse(&[0x00; 2048]), Err(SiiError::Blank));
    assert_eq!(Sii::parse(&[0xFF; 128]), Err(SiiError::Blank));
    assert!(Sii::parse(&build(&Sii::default()).unwrap()).is_ok());
}

#[test]
fn an_image_that_ends_too_early_says_where() {
    let image = image("el2889.bin");
    assert_eq!(
        Sii::parse(&image[..0x1D6 + 100]),
        Err(SiiError::Truncated {
            what: "category 51 (RxPDOs)",
            offset: 0x1D2,
            needed: 4 + 256,
            available: 104
        })
    );
    assert_eq!(
        Sii::parse(&image[..100]).unwrap_err().to_string(),
        "the EEPROM image ends inside the fixed part at byte 0x0000 (word 0x0000): it needs 128 bytes, \
         100 are there"
    );
    let mut entries = image;
    entries[0x1D6 + 2] = 0xFF; // the first PDO claims 255 entries
    assert!(matches!(
        Sii::parse(&entries),
        Err(SiiError::Truncated { what: "PDO entry", available: 0, offset: 0x2D6, .. })
    ));
}

#[test]
fn a_wrong_checksum_is_told_and_does_not_hide_the_rest() {
    let mut image = image("ek1100.bin");
    image[8] = 0x55;
    let sii = Sii::parse(&image).unwrap();
    assert!(!sii.configuration.checksum_ok);
    assert_eq!(sii.general.as_ref().unwrap().order, "EK1100");
    image[14..16].copy_from_slice(&CHECKSUM_BYPASS.to_le_bytes());
    assert!(Sii::parse(&image).unwrap().configuration.checksum_ok);
    assert_eq!(Sii::parse(&build(&sii).unwrap()), Ok(sii));
}

#[test]
fn categories_are_found_in_any_order() {
    let image = image("el2828.bin");
    let mut pieces: Vec<&[u8]> = categories(&image)
        .map(|category| {
            let category = category.unwrap();
            &image[category.offset - 4..category.offset + category.content.len()]
        })
        .collect();
    pieces.reverse();
    let mut reversed = image[..CATEGORIES_START_BYTES].to_vec();
    reversed.extend(pieces.concat());
    reversed.extend([0xFF, 0xFF]);
    let mut expected = Sii::parse(&image).unwrap();
    expected.others.reverse();
    assert_eq!(Sii::parse(&reversed), Ok(expected));
}

#[test]
fn reading_as_far_as_needed_ends_at_the_end_marker() {
    for (file, end) in REAL.into_iter().zip([0xEE, 0x188, 0x23A, 0x2D8, 0x696]) {
        let image = image(file);
        let mut known = 0;
        while bytes_needed(&image[..known]) > known {
            known = bytes_needed(&image[..known]).min(image.len());
        }
        assert!(known >= end && known <= end + 2, "{file}: {known:#x}");
        assert_eq!(Sii::parse(&image[..known]), Sii::parse(&image), "{file}");
    }
}

#[test]
fn what_no_image_can_hold_is_refused_by_name() {
    let mut sii = Sii { strings: vec!["x".repeat(256)], ..Sii::default() };
    assert!(matches!(build(&sii), Err(SiiError::Text { .. })));
    sii.strings = vec!["Ω".into()];
    assert!(matches!(build(&sii), Err(SiiError::Text { .. })));
    sii.strings = (0..256).map(|n| n.to_string()).collect();
    assert!(matches!(build(&sii), Err(SiiError::TooMany { what: "strings", .. })));
    let pdo = Pdo { entries: vec![PdoEntry::default(); 256], ..Pdo::default() };
    sii = Sii { pdos: vec![pdo], ..Sii::default() };
    assert!(matches!(build(&sii), Err(SiiError::TooMany { what: "entries in a PDO", .. })));
}

prop_compose! {
    fn text()(text in "[ -~é]{0,12}") -> String { text }
}

prop_compose! {
    fn entry()(
        index: u16, subindex: u8, name in text(), data_type: u8, bit_length: u8, flags: u16
    ) -> PdoEntry {
        PdoEntry { index, subindex, name, data_type, bit_length, flags }
    }
}

prop_compose! {
    fn pdo(direction: PdoDirection)(
        index: u16,
        sync_manager in prop::option::of(0..0xFFu8),
        synchronization: u8,
        name in text(),
        flags: u16,
        entries in prop::collection::vec(entry(), 0..6),
    ) -> Pdo {
        Pdo { direction, index, sync_manager, synchronization, name, flags, entries }
    }
}

prop_compose! {
    fn general_category()(
        names in prop::array::uniform5(text()),
        details: [u8; 6],
        ebus_current_ma: i16,
        ports: u16,
        identification_address: u16,
    ) -> General {
        let [group, image, order, name, group_name] = names;
        let [coe_details, foe_details, eoe_details, flags, soe_channels, ds402_channels] = details;
        General {
            group, image, order, name, group_name, coe_details, foe_details, eoe_details, flags,
            soe_channels, ds402_channels,
            ebus_current_ma, ports, identification_address,
        }
    }
}

prop_compose! {
    fn any_sync_manager()(
        start: u16, length: u16, control: u8, enable: u8,
        kind in prop::sample::select(vec![
            SyncManagerKind::Unused, SyncManagerKind::MailboxOut, SyncManagerKind::MailboxIn,
            SyncManagerKind::ProcessDataOut, SyncManagerKind::ProcessDataIn,
        ]),
    ) -> SiiSyncManager {
        SiiSyncManager { start, length, control, enable, kind }
    }
}

prop_compose! {
    fn dc_mode()(
        times: [u32; 3], factors: [i16; 2], assign_activate: u16, name in text(), description in text(),
    ) -> DcMode {
        DcMode {
            cycle_time_0_ns: times[0], shift_time_0_ns: times[1], shift_time_1_ns: times[2],
            sync_1_cycle_factor: factors[0], assign_activate, sync_0_cycle_factor: factors[1],
            name, description,
        }
    }
}

prop_compose! {
    fn configuration()(words: [u16; 7], checksum_ok: bool) -> Configuration {
        Configuration {
            pdi_control: words[0], pdi_configuration: words[1], sync_pulse_length: words[2],
            pdi_configuration_2: words[3], station_alias: words[4], reserved: [words[5], words[6]],
            checksum_ok,
        }
    }
}

prop_compose! {
    fn other_category()(
        code in prop::sample::select(vec![1, 3, 20, 43, 70, 0x0800, 0x0801, 0xFFFE]),
        words in prop::collection::vec(any::<u16>(), 1..6),
    ) -> OtherCategory {
        OtherCategory { code, content: words.into_iter().flat_map(u16::to_le_bytes).collect() }
    }
}

/// As an image has them: those of devices and vendors first.
fn ordered(mut others: Vec<OtherCategory>) -> Vec<OtherCategory> {
    others.sort_by_key(|other| (10..0x0800).contains(&other.code));
    others
}

prop_compose! {
    fn sii()(
        configuration in configuration(),
        numbers: [u32; 4],
        areas: [[u16; 4]; 2],
        words: [u16; 2],
        general in prop::option::of(general_category()),
        fmmu_usage in prop::collection::vec(1..=4u8, 0..5),
        sync_managers in prop::collection::vec(any_sync_manager(), 0..5),
        tx in prop::collection::vec(pdo(PdoDirection::Tx), 0..4),
        rx in prop::collection::vec(pdo(PdoDirection::Rx), 0..4),
        dc in prop::collection::vec(dc_mode(), 0..3),
        others in prop::collection::vec(other_category(), 0..3),
    ) -> Sii {
        let mailbox = |a: [u16; 4]| MailboxAreas {
            receive_offset: a[0], receive_size: a[1], send_offset: a[2], send_size: a[3],
        };
        Sii {
            configuration,
            identity: SiiIdentity {
                vendor_id: numbers[0], product_code: numbers[1], revision: numbers[2], serial: numbers[3],
            },
            boot_mailbox: mailbox(areas[0]),
            mailbox: mailbox(areas[1]),
            protocols: words[0],
            size_bytes: 4096,
            version: words[1],
            general,
            fmmu_usage: fmmu_usage.into_iter().map(|code| match code {
                1 => FmmuUsage::Outputs,
                2 => FmmuUsage::Inputs,
                3 => FmmuUsage::SyncManagerStatus,
                code => FmmuUsage::Other(code),
            }).collect(),
            sync_managers,
            pdos: tx.into_iter().chain(rx).collect(),
            dc,
            strings: Vec::new(),
            others: ordered(others),
        }
    }
}

proptest! {
    #[test]
    fn what_was_built_is_read_back(sii in sii()) {
        let read = Sii::parse(&build(&sii).unwrap()).unwrap();
        prop_assert_eq!(&Sii { strings: Vec::new(), ..read.clone() }, &sii);
        prop_assert_eq!(Sii::parse(&build(&read).unwrap()).unwrap(), read);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Sii::parse(&bytes);
        let _ = bytes_needed(&bytes);
    }

    #[test]
    fn a_damaged_image_never_panics(
        file in prop::sample::select(&REAL[..]),
        damage in prop::collection::vec((0..0x700usize, any::<u8>()), 1..8),
        length in 0..2048usize,
    ) {
        let mut image = image(file);
        for (at, value) in damage {
            image[at] = value;
        }
        let _ = Sii::parse(&image);
        let _ = Sii::parse(&image[..length]);
        let _ = bytes_needed(&image[..length]);
    }
}
