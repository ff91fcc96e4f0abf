//! Devices of ESI files, brought to OP by a MainDevice that knows nothing of those.

use ecat_esi::EsiFile;
use ecat_simulator::description::EsiFileDescription;
use ecat_simulator::{Segment, SegmentCommand, SegmentDescription};
use ethercrab::error::{CoeAbortCode, Error, MailboxError};
use ethercrab::{MainDevice, Timeouts};

use crate::support::{self, Bus, Storage, al_status, large_stack, open, open_with};

/// A file of this repository, or of the folder beside it: those must not be distributed, and where they are not there,
/// standard error says so.
fn content(name: &str) -> Option<Vec<u8>> {
    let folder = env!("CARGO_MANIFEST_DIR");
    let found = [
        format!("{folder}/../test/fixtures/esi/{name}"),
        format!("{folder}/../../shared/data/esi/{name}"),
    ];
    let bytes = found.iter().find_map(|path| std::fs::read(path).ok());
    if bytes.is_none() {
        eprintln!("skipped: {} is not there", found[1]);
    }
    bytes
}

/// A segment of one device: `esi` is what stands beside the files.
fn described(files: &[(&str, &[u8])], esi: &str) -> SegmentDescription {
    let names: Vec<String> = files.iter().map(|(name, _)| format!("{name:?}")).collect();
    let json = format!(r#"{{"devices":[{{"esi":{{"files":[{}]{esi}}}}}]}}"#, names.join(","));
    let mut description = SegmentDescription::from_json(&json).unwrap();
    for (name, content) in files {
        let (name, content) = ((*name).to_owned(), content.to_vec());
        description.esi_files.push(EsiFileDescription { name, content });
    }
    description
}

/// Brings the only device of a segment to OP and returns its name and the bytes of its outputs and inputs.
fn to_op(description: &SegmentDescription, what: &str) -> (String, usize, usize) {
    try_op(description).unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn try_op(description: &SegmentDescription) -> Result<(String, usize, usize), String> {
    let segment = Segment::new(description).map_err(|error| error.to_string())?;
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment);
    let group = bus
        .run(main_device.init_single_group::<4, 2048>(support::now_ns))
        .map_err(|error| format!("INIT to PRE-OP: {error}"))?;
    let group = bus
        .run(group.into_safe_op(&main_device))
        .map_err(|error| format!("PRE-OP to SAFE-OP: {error}"))?;
    let group =
        bus.run(group.request_into_op(&main_device)).map_err(|error| format!("OP: {error}"))?;
    support::within_cycles(50, || {
        bus.run(group.tx_rx(&main_device)).expect("an exchange").all_op()
    });
    let device = group.subdevice(&main_device, 0).expect("there");
    let (outputs, inputs) = (device.outputs_raw().len(), device.inputs_raw().len());
    Ok((device.name().to_owned(), outputs, inputs))
}

/// A MainDevice that does not wait long for a state that is refused.
fn impatient<'a>(storage: &'a Storage, segment: Segment) -> (MainDevice<'a>, Bus<'a>) {
    let state_transition = std::time::Duration::from_millis(100);
    open_with(storage, segment, Timeouts { state_transition, ..Timeouts::default() })
}

#[test]
fn ethercrab_brings_every_device_of_every_file_to_op() {
    large_stack(|| {
        let files = [
            "BogusIO.xml",
            "BogusJunction.xml",
            "BogusServo.xml",
            "Simulated.xml",
            "Odd.xml",
            "Beckhoff_EK11xx.xml",
        ];
        for name in files {
            let Some(bytes) = content(name) else { continue };
            for device in &EsiFile::parse(&bytes).unwrap().devices {
                let what = format!("{name}, {} {:#x}", device.r#type, device.revision);
                let esi = format!(
                    r#","device":{:?},"productCode":{},"revision":{}"#,
                    device.r#type, device.product_code, device.revision
                );
                let (found, ..) = to_op(&described(&[(name, &bytes)], &esi), &what);
                assert_eq!(found, device.r#type, "{what}");
            }
        }
    });
}

/// Files of any vendor can be tried so: `ECAT_ESI_FOLDER=… cargo test -p ecat-simulator --test ethercrab of_a_folder`.
#[test]
fn ethercrab_brings_every_device_of_a_folder_to_op() {
    let Some(folder) = std::env::var_os("ECAT_ESI_FOLDER") else {
        eprintln!("skipped: ECAT_ESI_FOLDER names no folder of ESI files");
        return;
    };
    large_stack(move || {
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("xml")))
            .collect();
        files.sort();
        let mut failures = Vec::new();
        for path in files {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            let file = match EsiFile::parse(&bytes) {
                Ok(file) => file,
                Err(error) => {
                    failures.push(format!("{name}:{error}"));
                    continue;
                }
            };
            eprintln!("{name}: {} devices, {} modules", file.devices.len(), file.modules.len());
            file.warnings.iter().for_each(|warning| eprintln!("  {name}:{warning}"));
            for device in file.devices.iter().filter(|device| !device.invisible) {
                let what = format!("{}, {} {:#x}", name, device.r#type, device.revision);
                let esi = format!(
                    r#","device":{:?},"productCode":{},"revision":{}"#,
                    device.r#type, device.product_code, device.revision
                );
                match try_op(&described(&[(&name, &bytes)], &esi)) {
                    Ok((_, outputs, inputs)) => {
                        eprintln!("  {what}: OP, {outputs} B outputs, {inputs} B inputs");
                    }
                    Err(error) => failures.push(format!("{what}: {error}")),
                }
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    });
}

#[test]
fn process_data_of_devices_has_the_lengths_of_the_pdos_that_are_assigned() {
    large_stack(|| {
        let cases = [
            ("BogusIO.xml", "", (1, 1)),
            ("BogusServo.xml", r#","device":"B090.SO.3.0""#, (0, 0)),
            ("BogusServo.xml", r#","device":"B090.SO.3.0","assignedPdos":[5632,6656]"#, (6, 6)),
            ("Simulated.xml", r#","device":"SIM-DRIVE""#, (6, 6)),
            ("Simulated.xml", r#","device":"SIM-DRIVE","assignedPdos":[5633,5634]"#, (8, 6)),
            ("Simulated.xml", r#","device":"SIM-SPLIT""#, (3, 3)),
            ("Simulated.xml", r#","device":"SIM-DO4""#, (1, 0)),
            ("Simulated.xml", r#","device":"SIM-COUPLER""#, (0, 0)),
            ("Odd.xml", r#","device":"ODD-SELF""#, (3, 5)),
            ("Odd.xml", r#","device":"ODD-OFF""#, (2, 2)),
            ("Odd.xml", r#","device":"ODD-AXES""#, (12, 12)),
            ("Odd.xml", r#","device":"ODD-PINS""#, (2, 1)),
            ("Odd.xml", r#","device":"ODD-DRIVE""#, (3, 2)),
            ("Odd.xml", r#","device":"ODD-FOUND""#, (3, 2)),
            (
                "Simulated.xml",
                r#","device":"SIM-COUPLER","modules":[{"module":"SIM-4DI"},{"slot":4,"module":2562},
                   {"module":"SIM-4DI"}]"#,
                (4, 4),
            ),
        ];
        for (name, esi, expected) in cases {
            let bytes = content(name).unwrap();
            let (_, outputs, inputs) = to_op(&described(&[(name, &bytes)], esi), esi);
            assert_eq!((outputs, inputs), expected, "{name} {esi}");
        }
    });
}

#[test]
fn ethercrab_brings_a_coupler_with_every_module_of_a_vendors_catalogue_to_op() {
    let Some(modules) = content("Weidmueller_UR20_IO.xml") else { return };
    let catalogue = EsiFile::parse(&modules).unwrap();
    assert_eq!(catalogue.modules.len(), 82);
    // Two sets of 41.
    for half in catalogue.modules.chunks(41) {
        let list: Vec<String> =
            half.iter().map(|one| format!(r#"{{"module":{}}}"#, one.ident)).collect();
        let esi = format!(r#","device":"SIM-COUPLER","modules":[{}]"#, list.join(","));
        let own = content("Simulated.xml").unwrap();
        let files = [("Simulated.xml", &own[..]), ("Weidmueller_UR20_IO.xml", &modules[..])];
        let description = described(&files, &esi);
        let bits = |rx: bool| -> usize {
            let pdos = half.iter().flat_map(|module| &module.pdos);
            let wanted = if rx {
                ecat_wire::sii::PdoDirection::Rx
            } else {
                ecat_wire::sii::PdoDirection::Tx
            };
            pdos.filter(|pdo| pdo.direction == wanted).map(ecat_esi::Pdo::bits).sum()
        };
        let expected = (bits(true).div_ceil(8), bits(false).div_ceil(8));
        let thread = std::thread::Builder::new().stack_size(16 << 20);
        let found = thread.spawn(move || to_op(&description, "UR20")).unwrap().join().unwrap();
        assert_eq!((found.1, found.2), expected);
    }
}

fn abort<T: std::fmt::Debug>(result: Result<T, Error>) -> CoeAbortCode {
    match result {
        Err(Error::Mailbox(MailboxError::Aborted { code, .. })) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_drive_has_the_objects_of_its_dictionary_and_refuses_pdos_that_exclude_each_other() {
    large_stack(|| {
        let bytes = content("Simulated.xml").unwrap();
        let description = described(&[("Simulated.xml", &bytes)], r#","device":"SIM-DRIVE""#);
        let storage = Storage::new();
        let (main_device, mut bus) = open(&storage, Segment::new(&description).unwrap());
        let group = bus
            .run(main_device.init_single_group::<4, 64>(support::now_ns))
            .expect("INIT to PRE-OP");
        let drive = group.subdevice(&main_device, 0).expect("there");
        assert_eq!(bus.run(drive.sdo_read::<u32>(0x1000, 0)).unwrap(), 0x0002_0192);
        assert_eq!(bus.run(drive.sdo_read::<u32>(0x1018, 2)).unwrap(), 0x4553_0002);
        assert_eq!(bus.run(drive.sdo_read::<i32>(0x607A, 0)).unwrap(), -5);
        assert_eq!(bus.run(drive.sdo_read::<f32>(0x2000, 0)).unwrap(), 2.5);
        assert_eq!(abort(bus.run(drive.sdo_read::<u64>(0x2001, 0))), CoeAbortCode::WriteOnlyRead);
        // The range of 0x6060.
        assert_eq!(abort(bus.run(drive.sdo_write(0x6060, 0, 11_i8))), CoeAbortCode::ValueTooLarge);
        // 0x1601 excludes 0x1600: each may be assigned, not both.
        assert_eq!(
            abort(bus.run(drive.sdo_write_array(0x1C12, [0x1600_u16, 0x1601]))),
            CoeAbortCode::Incompatible
        );
        // A PDO of inputs does not go into a SyncManager of outputs.
        bus.run(drive.sdo_write(0x1C12, 0, 0_u8)).unwrap();
        assert_eq!(
            abort(bus.run(drive.sdo_write(0x1C12, 1, 0x1A00_u16))),
            CoeAbortCode::PdoMappingFailed
        );
        bus.run(drive.sdo_write_array(0x1C12, [0x1601_u16, 0x1602])).unwrap();
        let group = bus.run(group.into_op(&main_device)).expect("OP");
        let drive = group.subdevice(&main_device, 0).expect("there");
        assert_eq!(drive.outputs_raw().len(), 8);
        drive.outputs_raw_mut().copy_from_slice(&[1, 0, 0x10, 0x20, 0, 0, 3, 0]);
        bus.run(group.tx_rx(&main_device)).expect("an exchange");
        let drive = group.subdevice(&main_device, 0).expect("there");
        assert_eq!(bus.run(drive.sdo_read::<i32>(0x60FF, 0)).unwrap(), 0x2010);
    });
}

#[test]
fn a_drive_without_the_pdo_that_it_must_have_does_not_go_to_safe_op() {
    large_stack(|| {
        let bytes = content("Simulated.xml").unwrap();
        let description = described(&[("Simulated.xml", &bytes)], r#","device":"SIM-DRIVE""#);
        let storage = Storage::new();
        let (main_device, mut bus) = impatient(&storage, Segment::new(&description).unwrap());
        let group = bus
            .run(main_device.init_single_group::<4, 64>(support::now_ns))
            .expect("INIT to PRE-OP");
        let drive = group.subdevice(&main_device, 0).expect("there");
        bus.run(drive.sdo_write(0x1C13, 0, 0_u8)).unwrap();
        assert!(bus.run(group.into_safe_op(&main_device)).is_err());
        // Invalid input mapping.
        assert_eq!(al_status(&bus).1, 0x24);
    });
}

#[test]
fn a_coupler_lists_its_modules_and_refuses_a_list_of_others() {
    large_stack(|| {
        let bytes = content("Simulated.xml").unwrap();
        let esi = r#","device":"SIM-COUPLER","modules":[{"module":"SIM-4DI"},{"slot":3,"module":"SIM-2AO"}]"#;
        for wrong in [false, true] {
            let description = described(&[("Simulated.xml", &bytes)], esi);
            let storage = Storage::new();
            let (main_device, mut bus) = impatient(&storage, Segment::new(&description).unwrap());
            let group = bus
                .run(main_device.init_single_group::<4, 64>(support::now_ns))
                .expect("INIT to PRE-OP");
            let coupler = group.subdevice(&main_device, 0).expect("there");
            let list = bus.run(coupler.sdo_read_array::<u32, 8>(0xF050)).unwrap();
            assert_eq!(list.as_slice(), [0xD14, 0, 0xA02]);
            assert_eq!(bus.run(coupler.sdo_read::<u16>(0xF000, 1)).unwrap(), 16);
            assert_eq!(bus.run(coupler.sdo_read::<u16>(0x8000, 1)).unwrap(), 10);
            assert_eq!(bus.run(coupler.sdo_read::<u16>(0xF200, 3)).unwrap(), 255);
            // What is fixed cannot be assigned.
            assert_eq!(
                abort(bus.run(coupler.sdo_write(0x1C13, 0, 0_u8))),
                CoeAbortCode::ReadOnlyWrite
            );
            if wrong {
                bus.run(coupler.sdo_write(0xF030, 3, 0xD14_u32)).unwrap();
            }
            let result = bus.run(group.into_safe_op(&main_device));
            assert_eq!(result.is_err(), wrong);
            if wrong {
                assert_eq!(al_status(&bus).1, 0x70);
            }
        }
    });
}

#[test]
fn a_module_of_a_file_that_is_pulled_ends_process_data_until_it_is_back() {
    large_stack(|| {
        let bytes = content("Simulated.xml").unwrap();
        let esi = r#","device":"SIM-COUPLER","modules":[{"module":"SIM-4DI"},{"slot":3,"module":"SIM-2AO"}]"#;
        let description = described(&[("Simulated.xml", &bytes)], esi);
        let storage = Storage::new();
        let (main_device, mut bus) = impatient(&storage, Segment::new(&description).unwrap());
        for module in [0xA02, 0xD14] {
            let group = bus
                .run(main_device.init_single_group::<4, 64>(support::now_ns))
                .expect("INIT to PRE-OP");
            let group = bus.run(group.into_op(&main_device)).expect("OP");
            let pull = SegmentCommand::PullModule { device: 0, slot: 3 };
            bus.link.segment_mut().apply(pull, support::now_ns());
            assert_eq!(al_status(&bus), (0x12, 0x70));
            let coupler = group.subdevice(&main_device, 0).expect("there");
            let list = bus.run(coupler.sdo_read_array::<u32, 8>(0xF050)).unwrap();
            assert_eq!(list.as_slice(), [0xD14]);
            let plug = SegmentCommand::PlugModule { device: 0, slot: 3, module };
            bus.link.segment_mut().apply(plug, support::now_ns());
        }
        // In the end one of another kind.
        let group = bus
            .run(main_device.init_single_group::<4, 64>(support::now_ns))
            .expect("INIT to PRE-OP");
        assert!(bus.run(group.into_safe_op(&main_device)).is_err());
        assert_eq!(al_status(&bus), (0x12, 0x70));
    });
}

#[test]
fn a_device_with_every_mailbox_protocol_comes_to_op_and_says_so_in_its_eeprom() {
    const FILE: &str = r##"<EtherCATInfo><Vendor><Id>1</Id></Vendor><Descriptions><Devices>
      <Device Physics="YY"><Type ProductCode="1" RevisionNo="1">ALL</Type>
      <Fmmu>Outputs</Fmmu><Fmmu>Inputs</Fmmu>
      <Sm DefaultSize="128" StartAddress="#x1000" ControlByte="#x26" Enable="1">MBoxOut</Sm>
      <Sm DefaultSize="128" StartAddress="#x1100" ControlByte="#x22" Enable="1">MBoxIn</Sm>
      <Mailbox><AoE/><EoE IP="1" MAC="1"/><CoE SdoInfo="1"/><FoE/><SoE ChannelCount="2"/><VoE/></Mailbox>
      <Eeprom><ByteSize>2048</ByteSize><ConfigData>0505</ConfigData></Eeprom>
      </Device></Devices></Descriptions></EtherCATInfo>"##;
    large_stack(|| {
        // Its EEPROM says device emulation, which no device with mail can have.
        let description = described(&[("all.xml", FILE.as_bytes())], "");
        let image = ecat_simulator::devices::DeviceImage::all(&description).unwrap().remove(0);
        assert_eq!(ecat_wire::sii::Sii::parse(&image.sii).unwrap().protocols, 0x3F);
        let mailbox = image.profile.application.mailbox.expect("a mailbox");
        assert!(mailbox.dictionary.is_some() && mailbox.files.is_some() && mailbox.eoe.is_some());
        assert_eq!(mailbox.drives.len(), 2);
        assert!(mailbox.aoe.is_some() && mailbox.voe.is_some());
        assert_eq!(to_op(&description, "all protocols"), ("ALL".to_owned(), 0, 0));
    });
}
