//! Built-in devices beside what dumps, recordings and device descriptions say of the real ones.

use ecat_wire::sii::{PdoDirection, Sii, SyncManagerKind};

use super::tests::{device, devices, real, refused, with_image};
use super::*;
use crate::mailbox::object_dictionary::ObjectDictionary;

const ALL: [&str; 28] = [
    "EK1100",
    "EK1122",
    "EK1914",
    "CU1128-like",
    "EL1004",
    "EL1008-like",
    "EL1018-like",
    "EL1502-like",
    "EL1904-like",
    "EL2004",
    "EL2008-like",
    "EL2809-like",
    "EL2828",
    "EL2889",
    "EL2904-like",
    "EL3004",
    "EL3102-like",
    "EL3204-like",
    "EL3602-like",
    "EL3632-like",
    "EL3xxx-like",
    "EL4004-like",
    "EL4132-like",
    "EL4xxx-like",
    "EL5001-like",
    "EL5101-like",
    "LAN9252",
    "AKD",
];

fn objects(device: &DeviceImage) -> &ObjectDictionary {
    device.profile.application.mailbox.as_ref().unwrap().dictionary.as_ref().unwrap()
}

/// What an image says but for texts, which are ours.
fn without_texts(mut sii: Sii) -> Sii {
    sii.strings.clear();
    // Serial numbers of production and SyncUnits, which nobody here takes apart.
    sii.others.clear();
    if let Some(general) = &mut sii.general {
        general.group.clear();
        general.image.clear();
        general.name.clear();
        general.group_name.clear();
    }
    sii
}

#[test]
fn terminals_of_which_an_image_is_known_say_what_it_says() {
    for (name, file) in
        [("EL2004", "el2004.bin"), ("EL2828", "el2828.bin"), ("EL2889", "el2889.bin")]
    {
        let (built, sii) = device(&format!(r#"{{"type":"{name}"}}"#));
        let (given, real) = device(&with_image(&real(file), ""));
        assert_eq!(without_texts(sii), without_texts(real), "{name}");
        assert_eq!(built.outputs, given.outputs, "{name}");
        assert_eq!(built.profile.application.outputs, given.profile.application.outputs);
        assert_eq!(built.profile.clock, given.profile.clock, "{name}");
    }
}

#[test]
fn a_drive_says_what_the_image_of_an_akd_says_and_has_the_objects_of_its_recording() {
    let (built, sii) = device(r#"{"type":"AKD","serial":2575499411}"#);
    let (given, real) = device(&with_image(&real("akd.bin"), ""));
    let mut expected = without_texts(real);
    let mut sii = without_texts(sii);
    // The second mode of the real one has no name in common with anything that matters.
    expected.dc.truncate(1);
    for dc in [&mut expected.dc, &mut sii.dc] {
        dc.iter_mut().for_each(|mode| mode.name.clear());
    }
    assert_eq!(sii.dc[0].assign_activate, expected.dc[0].assign_activate);
    (sii.dc, expected.dc) = (Vec::new(), Vec::new());
    assert_eq!(sii, expected);
    assert_eq!(built.profile.pdi_control, given.profile.pdi_control);
    let number = |index, subindex| objects(&built).number(index, subindex);
    assert_eq!((number(0x1C12, 0), number(0x1C12, 4), number(0x1C13, 1)), (4, 0x1603, 0x1A00));
    assert_eq!((number(0x1603, 0), number(0x1603, 2)), (2, 0x60FF_0020));
    assert_eq!((number(0x1A01, 2), number(0x1C00, 3)), (0x6061_0008, 3));
}

#[test]
fn an_el3004_has_the_words_and_objects_of_its_recording() {
    let (built, sii) = device(r#"{"type":"EL3004"}"#);
    let word = |n: usize| u16::from_le_bytes([built.sii[2 * n], built.sii[2 * n + 1]]);
    let identity: Vec<u16> = (0x08..0x10).map(word).collect();
    assert_eq!(identity, [0x0002, 0, 0x3052, 0x0BBC, 0, 0x0015, 0, 0]);
    let mailboxes: Vec<u16> = (0x18..0x1D).map(word).collect();
    assert_eq!(mailboxes, [0x1000, 0x0080, 0x1080, 0x0080, 0x000C]);
    let facts: Vec<_> =
        sii.sync_managers.iter().map(|sm| (sm.start, sm.length, sm.control, sm.enable)).collect();
    let recorded = [
        (0x1000, 128, 0x26, 1),
        (0x1080, 128, 0x22, 1),
        (0x1100, 0, 0x04, 0),
        (0x1180, 16, 0x20, 1),
    ];
    assert_eq!(facts, recorded);
    assert_eq!(sii.general.unwrap().ebus_current_ma, 130);
    let number = |index, subindex| objects(&built).number(index, subindex);
    let mapping: Vec<u32> = (0..=10).map(|n| number(0x1A02, n)).collect();
    let recorded = [
        10,
        0x6010_0101,
        0x6010_0201,
        0x6010_0302,
        0x6010_0502,
        0x6010_0701,
        0x0000_0001,
        0x0000_0006,
        0x6010_0F01,
        0x6010_1001,
        0x6010_1110,
    ];
    assert_eq!(mapping, recorded);
    let assigned: Vec<u32> = (0..=4).map(|n| number(0x1C13, n)).collect();
    assert_eq!(assigned, [4, 0x1A00, 0x1A02, 0x1A04, 0x1A06]);
    assert_eq!(number(0x1C12, 0), 0);
    assert_eq!((number(0x1000, 0), number(0x8030, 0x12)), (0x012C_1389, 0x0001_0000));
    assert_eq!((number(0xF000, 2), number(0xF010, 4)), (4, 300));
}

#[test]
fn an_ek1914_and_a_lan9252_map_what_their_recordings_show() {
    let (coupler, sii) = device(r#"{"type":"EK1914"}"#);
    let number = |index, subindex| objects(&coupler).number(index, subindex);
    let recorded =
        [6, 0x6000_0108, 0x6001_0101, 0x6001_0201, 0x0000_0006, 0x6000_0310, 0x6000_0210];
    assert_eq!((0..=6).map(|n| number(0x1A00, n)).collect::<Vec<_>>(), recorded);
    assert_eq!((number(0x1A01, 5), number(0x1601, 7)), (0x0000_000C, 0x0000_000A));
    assert_eq!((sii.sync_managers[2].start, sii.sync_managers[3].start), (0x1200, 0x1900));
    assert_eq!((coupler.profile.application.inputs[0].bytes, sii.protocols), (8, 0x000C));

    let (board, sii) = device(r#"{"type":"LAN9252"}"#);
    let number = |index, subindex| objects(&board).number(index, subindex);
    let recorded = [
        8,
        0x6020_0101,
        0x6020_0201,
        0x6020_0302,
        0x6020_0502,
        0x0000_0008,
        0x1802_0701,
        0x1802_0901,
        0x6020_1110,
    ];
    assert_eq!((0..=8).map(|n| number(0x1A02, n)).collect::<Vec<_>>(), recorded);
    assert_eq!((number(0x1C13, 2), number(0x1C12, 1)), (0x1A02, 0x1601));
    assert_eq!((board.profile.kind, board.profile.port_descriptor), (0xC0, 0x1F));
    assert_eq!((sii.sync_managers[2].length, sii.sync_managers[3].length), (2, 6));
}

#[test]
fn what_no_source_shows_is_not_taken_for_the_real_one() {
    for name in ALL {
        let all = devices(&format!(r#"{{"type":"{name}"}}"#));
        for one in all {
            let sii = Sii::parse(&one.sii).unwrap();
            let like = sii.general.unwrap().order.contains("-like");
            assert_eq!(like, sii.identity.vendor_id == SIMULATED_VENDOR_ID, "{name}");
            assert_eq!(like, name.contains("-like"), "{name}");
        }
    }
}

#[test]
fn channels_of_terminals_with_a_status_are_their_values() {
    for (name, channels, bits) in [
        ("EL3004", 4, 16),
        ("EL3102-like", 2, 16),
        ("EL3204-like", 4, 16),
        ("EL3602-like", 2, 32u8),
        ("EL3xxx-like", 4, 16),
    ] {
        let (built, sii) = device(&format!(r#"{{"type":"{name}"}}"#));
        assert_eq!((built.inputs.len(), built.outputs.len()), (channels, 0), "{name}");
        // What goes in is a real number, and comes out with 16 bits of status before it.
        let all = |c: &Channel| c.bit_length == 64 && c.r#type == ChannelType::Real64;
        assert!(built.inputs.iter().all(all), "{name}");
        let step = u32::from(bits) + 16;
        let points = &built.profile.application.points;
        let values = points.iter().filter(|point| point.subindex == 0x11);
        let offsets: Vec<u32> = values.map(|point| point.bit_offset).collect();
        let expected: Vec<u32> = (0..channels as u32).map(|n| n * step + 16).collect();
        assert_eq!(offsets, expected, "{name}");
        assert!(!sii.configuration.device_emulation(), "{name}");
    }
}

#[test]
fn any_number_of_channels_with_a_mailbox_fits_its_chip() {
    for channels in 1..=64u32 {
        for (kind, direction) in
            [("EL3xxx-like", PdoDirection::Tx), ("EL4xxx-like", PdoDirection::Rx)]
        {
            let (built, sii) = device(&format!(r#"{{"type":"{kind}","channels":{channels}}}"#));
            let application = &built.profile.application;
            let areas = [&application.inputs, &application.outputs];
            let area = areas.into_iter().flatten().next().unwrap();
            let ram_end = 0x1000 + u32::from(built.profile.ram_kb) * 1024;
            assert!(u32::from(area.start) + 3 * u32::from(area.bytes) <= ram_end, "{kind}");
            let assigned =
                sii.pdos.iter().filter(|p| p.direction == direction && p.sync_manager.is_some());
            assert_eq!(assigned.count() as u32, channels);
            let behind = sii.sync_managers[3];
            assert_eq!(behind.kind, SyncManagerKind::ProcessDataIn);
            assert_eq!((built.inputs.len() + built.outputs.len()) as u32, channels);
        }
    }
}

#[test]
fn a_junction_has_the_ports_of_its_device_description() {
    let (junction, sii) = device(r#"{"type":"EK1122"}"#);
    // Two bits a port: E-bus 2, MII 3.
    assert_eq!(junction.profile.port_descriptor, 0b11_10_11_10);
    assert_eq!(sii.general.unwrap().ports, 0x1313);
    assert_eq!((sii.identity.product_code, sii.identity.revision), (0x0462_2C52, 0x0012_0000));
}

#[test]
fn a_box_is_three_escs_and_its_sockets_are_ports_of_them() {
    let json = r#"{"devices":[{"name":"box","type":"CU1128-like"},
        {"name":"x7","type":"EK1100","parent":"box","port":7},
        {"name":"x2","type":"EK1100","parent":"box"},
        {"name":"x5","type":"EK1100","parent":"box","port":5,"cableMetres":10}],
        "ring":{"parent":"box","port":8}}"#;
    let segment = crate::Segment::new(&SegmentDescription::from_json(json).unwrap()).unwrap();
    let names: Vec<&str> = segment
        .positions()
        .iter()
        .map(|n| segment.devices()[usize::from(*n)].name.as_str())
        .collect();
    // Inward by the ports 3, then back out over the sockets; X8 leads out of the segment.
    assert_eq!(names, ["box", "box B", "box C", "x7"]);
    let json = json
        .replace(r#","ring":{"parent":"box","port":8}"#, "")
        .replace(r#""ring":{"parent":"box","port":8}"#, "");
    let json = json.trim_end_matches(|c: char| c.is_whitespace() || c == '}' || c == ',');
    let segment =
        crate::Segment::new(&SegmentDescription::from_json(&format!("{json}}}")).unwrap()).unwrap();
    let names: Vec<&str> = segment
        .positions()
        .iter()
        .map(|n| segment.devices()[usize::from(*n)].name.as_str())
        .collect();
    assert_eq!(names, ["box", "box B", "box C", "x7", "x5", "x2"]);
}

#[test]
fn errors_behind_a_box_have_the_place_that_the_description_has() {
    let error = refused(r#"{"type":"CU1128-like","name":"b"},{"type":"EL2004","channels":2}"#);
    assert_eq!(error.path, "/devices/2/channels");
    for (port, word) in [(9, "port"), (1, "port")] {
        let json = format!(
            r#"{{"devices":[{{"type":"CU1128-like","name":"b"}},{{"type":"EK1100","parent":"b","port":{port}}}]}}"#
        );
        let description = SegmentDescription::from_json(&json).unwrap();
        let error = crate::Segment::new(&description).err().unwrap();
        assert_eq!(error.path, "/devices/1/port", "{error}");
        assert!(error.message.contains(word), "{error}");
    }
}
