//! Files of vendors, and of a project that made some up.

use ecat_esi::{Choice, EsiFile, PortKind};
use ecat_wire::sii::{PdoDirection, SyncManagerKind};

use crate::support::{device, fixture, shared};

#[test]
fn every_device_of_a_catalogue_of_couplers_is_read_and_has_an_image() {
    let Some(bytes) = shared("esi/Beckhoff_EK11xx.xml") else { return };
    let file = EsiFile::parse(&bytes).unwrap();
    assert_eq!((file.vendor.id, file.devices.len(), file.groups.len()), (2, 24, 3));
    assert_eq!((file.warnings.len(), file.ignored.len()), (0, 0));
    for device in &file.devices {
        let choice = Choice {
            device: Some(device.r#type.clone()),
            revision: Some(device.revision),
            ..Choice::default()
        };
        let configured = choice.configure(&[&file]).unwrap();
        let image = configured.sii().unwrap();
        assert_eq!(configured.notes, [""; 0], "{}", device.r#type);
        assert_eq!(image.sii.identity.product_code, device.product_code);
        assert_eq!(image.sii.identity.revision, device.revision);
        assert!(image.sii.configuration.checksum_ok && image.sii.configuration.device_emulation());
        // Five of them tell an identity by an input that no SyncManager guards.
        let has_id = device.info.identification.address == Some(0x1000);
        assert_eq!(image.sii.pdos.len(), usize::from(has_id));
    }
    let newest = self::device(&file, "EK1100").device;
    assert_eq!((newest.revision, newest.hides.len()), (0x0012_0000, 2));
    assert_eq!(newest.ports, [PortKind::Mii, PortKind::Ebus, PortKind::Mii]);
    let gap = self::device(&file, "EK1110").device;
    assert_eq!(gap.ports[0], PortKind::Ebus);
}

#[test]
fn a_device_that_is_not_clear_is_asked_for_with_what_there_is() {
    let Some(bytes) = shared("esi/Beckhoff_EK11xx.xml") else { return };
    let file = EsiFile::parse(&bytes).unwrap();
    let refused = |choice: Choice| choice.configure(&[&file]).unwrap_err().to_string();
    let vague = refused(Choice::default());
    assert!(
        vague.contains("not clear") && vague.contains("EK1101 (0x044d2c52, revision"),
        "{vague}"
    );
    let unknown = refused(Choice { device: Some("EK1199".into()), ..Choice::default() });
    assert!(unknown.starts_with("no device is called \"EK1199\"; there are EK1100"), "{unknown}");
    let old = Choice { device: Some("ek1100".into()), revision: Some(7), ..Choice::default() };
    let old = refused(old);
    assert!(old.starts_with("no device has the revision 0x00000007; there are EK1100"), "{old}");
    assert!(!old.contains("EK1101"), "{old}");
}

#[test]
fn every_module_of_a_catalogue_is_read_with_its_objects() {
    let Some(bytes) = shared("esi/Weidmueller_UR20_IO.xml") else { return };
    let file = EsiFile::parse(&bytes).unwrap();
    assert_eq!((file.vendor.id, file.devices.len(), file.modules.len()), (560, 0, 82));
    assert_eq!((file.warnings.len(), file.ignored.len()), (0, 0));
    let refused = Choice::default().configure(&[&file]).unwrap_err().to_string();
    assert_eq!(
        refused,
        "no device is in the file, only 82 modules; name the file of their device as well"
    );
    for module in &file.modules {
        assert!(module.ident != 0 && !module.class.is_empty(), "{}", module.r#type);
        assert!(!module.pdos.is_empty() && module.mailbox.init_commands.len() == 2);
        assert_eq!((module.profile, module.dictionaries.len()), (Some((5001, 0)), 1));
    }
}

#[test]
fn an_input_output_box_with_a_wrong_sync_manager_is_put_right_and_says_so() {
    let file = fixture("BogusIO.xml");
    let box_ = device(&file, "B090.IO.3.0");
    assert_eq!(
        box_.pdos.iter().map(|pdo| pdo.sync_manager).collect::<Vec<_>>(),
        [Some(0), Some(1)]
    );
    assert_eq!(
        box_.notes,
        [
            "PDO 0x1a00 (line 46) names SyncManager 2, which is none of inputs; SyncManager 1 carries it"
        ]
    );
    let image = box_.sii().unwrap();
    assert_eq!((image.sii.identity.vendor_id, image.sii.identity.revision), (0x00B0_90C0, 42));
    assert_eq!(image.sii.configuration.pdi_control, 0x90B0);
    assert_eq!(box_.device.name.get(2052), "B090.IO.001 3路数字量输入/3路数字量输出");
}

#[test]
fn a_junction_has_four_ports() {
    let junction = device(&fixture("BogusJunction.xml"), "B090.JU_BOX.3.0");
    let image = junction.sii().unwrap();
    assert_eq!(image.sii.general.as_ref().unwrap().ports, 0x1113);
    assert_eq!(image.bytes[..7], [0x00, 0x0D, 0, 0, 0x0A, 0, 0]);
    assert_eq!(junction.device.info.ports[1].label, "X7");
}

#[test]
fn a_servo_has_its_time_outs_clock_modes_and_limits() {
    let file = fixture("BogusServo.xml");
    assert_eq!(file.warnings.len(), 4);
    assert!(file.warnings[0].to_string().starts_with("978:9: "), "{}", file.warnings[0]);
    let servo = device(&file, "B090.SO.3.1");
    assert_eq!(servo.device.product_code, 0xB090_5031);
    let timeouts = servo.device.info.timeouts;
    assert_eq!((timeouts.pre_op_ms, timeouts.safe_op_op_ms), (Some(2000), Some(8000)));
    assert_eq!(
        (timeouts.mailbox_request_ms, timeouts.mailbox_response_ms),
        (Some(200), Some(4000))
    );
    assert_eq!(servo.device.profile(), Some((402, 0)));
    let image = servo.sii().unwrap();
    let modes: Vec<_> = image.sii.dc.iter().map(|mode| mode.assign_activate).collect();
    assert_eq!(modes, [0x0300, 0]);
    // Its mailboxes have no size, and its PDOs no SyncManager: it has neither unless somebody says so.
    assert_eq!(image.sii.mailbox.receive_size, 0);
    assert_eq!(image.sii.sync_managers[0].kind, SyncManagerKind::MailboxOut);
    assert!(!image.sii.sync_managers[0].is_enabled());
    assert!(image.sii.pdos.iter().all(|pdo| pdo.sync_manager.is_none()));

    let choice = Choice {
        device: Some("B090.SO.3.1".into()),
        assigned: Some(vec![0x1600, 0x1A00]),
        ..Choice::default()
    };
    let assigned = choice.configure(&[&file]).unwrap();
    let carried: Vec<_> =
        assigned.pdos.iter().map(|pdo| (pdo.direction, pdo.sync_manager)).collect();
    assert_eq!(carried, [(PdoDirection::Rx, Some(2)), (PdoDirection::Tx, Some(3))]);
    let wrong = Choice { assigned: Some(vec![0x1601]), ..choice };
    let wrong = wrong.configure(&[&file]).unwrap_err().to_string();
    assert_eq!(wrong, "there is no PDO 0x1601; there are 0x1600, 0x1a00");
}
