//! Devices of ESI files, taken to OP by this MainDevice.

mod common;

use common::{Plant, described, virtual_time};
use ecat_engine::shared::layout::EngineState;
use ecat_esi::PortKind;
use ecat_simulator::SegmentDescription;
use ecat_simulator::description::EsiFileDescription;

/// A segment of devices of a file, all with these keys beside the files. Files of vendors stand beside the repository;
/// where they do not, none.
fn segment(files: &[&str], devices: &[String]) -> Option<SegmentDescription> {
    let names: Vec<String> = files.iter().map(|name| format!("{name:?}")).collect();
    let list: Vec<String> = devices
        .iter()
        .map(|keys| format!(r#"{{"esi":{{"files":[{}],{keys}}}}}"#, names.join(",")))
        .collect();
    let mut description = described(&format!(r#"{{"devices":[{}]}}"#, list.join(",")));
    for name in files {
        let folder = env!("CARGO_MANIFEST_DIR");
        let own = format!("{folder}/../../test/fixtures/esi/{name}");
        let shared = format!("{folder}/../../../shared/data/esi/{name}");
        let content = std::fs::read(own).or_else(|_| std::fs::read(&shared));
        let Ok(content) = content else {
            eprintln!("skipped: {shared} is not there");
            return None;
        };
        let name = (*name).to_owned();
        description.esi_files.push(EsiFileDescription { name, content });
    }
    Some(description)
}

/// Takes all to OP; every cycle from then on is good.
fn to_op(description: &SegmentDescription) -> Plant {
    let mut plant = Plant::start(description, virtual_time());
    plant.await_state(EngineState::Op);
    let slots = plant.run(10);
    assert!(slots[9].quality.iter().all(|quality| *quality == 0), "{:?}", slots[9].quality);
    plant
}

#[test]
fn devices_of_made_up_files_come_to_op() {
    for (file, devices) in [
        ("BogusIO.xml", vec![r#""device":"B090.IO.3.0""#]),
        ("BogusJunction.xml", vec![r#""device":"B090.JU_BOX.3.0""#]),
        (
            "BogusServo.xml",
            vec![
                r#""device":"B090.SO.3.0""#,
                r#""device":"B090.SO.3.1","assignedPdos":[5632,6656]"#,
            ],
        ),
        (
            "Simulated.xml",
            vec![
                r#""device":"SIM-DRIVE""#,
                r#""device":"SIM-SPLIT""#,
                r#""device":"SIM-DO4""#,
                r#""device":"SIM-COUPLER""#,
                r#""device":"SIM-COUPLER","modules":[{"module":"SIM-4DI"},{"slot":9,"module":"SIM-2AO"}]"#,
            ],
        ),
        (
            "Odd.xml",
            vec![
                r#""device":"ODD-SELF""#,
                r#""device":"ODD-OFF""#,
                r#""device":"ODD-OFF","modulesInEeprom":false"#,
                r#""device":"ODD-AXES""#,
                r#""device":"ODD-PINS""#,
                r#""device":"ODD-DRIVE""#,
                r#""device":"ODD-FOUND""#,
            ],
        ),
    ] {
        let devices: Vec<String> = devices.into_iter().map(str::to_owned).collect();
        let description = segment(&[file], &devices).expect("a file of this repository");
        let plant = to_op(&description);
        let names: Vec<&str> =
            plant.found.0.sub_devices.iter().map(|device| device.name.as_str()).collect();
        for (name, keys) in names.iter().zip(&devices) {
            assert!(keys.contains(name), "{file}: {name}");
        }
        plant.close();
    }
}

#[test]
fn every_coupler_of_a_vendors_catalogue_comes_to_op() {
    let name = "Beckhoff_EK11xx.xml";
    let Some(mut description) = segment(&[name], &[]) else { return };
    let file = ecat_esi::EsiFile::parse(&description.esi_files[0].content).unwrap();
    // In a line as far as a device leads on; those with one port stand at its end.
    let (leading, ending): (Vec<_>, Vec<_>) =
        file.devices.iter().partition(|one| one.ports.len() > 1 && one.ports[1] != PortKind::None);
    assert_eq!((leading.len(), ending.len()), (23, 1));
    for devices in std::iter::once(leading).chain(ending.into_iter().map(|one| vec![one])) {
        let keys: Vec<String> = devices
            .iter()
            .map(|one| {
                format!(
                    r#""device":{:?},"productCode":{},"revision":{}"#,
                    one.r#type, one.product_code, one.revision
                )
            })
            .collect();
        description.devices = segment(&[name], &keys).unwrap().devices;
        let plant = to_op(&description);
        assert_eq!(plant.found.0.sub_devices.len(), devices.len());
        plant.close();
    }
}

#[test]
fn a_coupler_with_a_vendors_modules_comes_to_op() {
    let modules = ["UR20-4DI-P", "UR20-4DI-P-3W", "UR20-8DI-P-3W", "UR20-8DI-P-3W-HD"];
    let list: Vec<String> =
        modules.iter().map(|name| format!(r#"{{"module":{name:?}}}"#)).collect();
    let keys = format!(r#""device":"SIM-COUPLER","modules":[{}]"#, list.join(","));
    let files = ["Simulated.xml", "Weidmueller_UR20_IO.xml"];
    let Some(description) = segment(&files, &[keys]) else { return };
    to_op(&description).close();
}

/// Files of any vendor can be tried so: `ECAT_ESI_FOLDER=… cargo test -p ecat-engine --test esi_devices of_a_folder`.
#[test]
fn every_device_of_a_folder_comes_to_op() {
    let Some(folder) = std::env::var_os("ECAT_ESI_FOLDER") else {
        eprintln!("skipped: ECAT_ESI_FOLDER names no folder of ESI files");
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("xml")) {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let content = std::fs::read(&path).unwrap();
        let file =
            ecat_esi::EsiFile::parse(&content).unwrap_or_else(|error| panic!("{name}:{error}"));
        for device in file.devices.iter().filter(|device| !device.invisible) {
            eprintln!("{name}, {} {:#x}", device.r#type, device.revision);
            let mut description = described(&format!(
                r#"{{"devices":[{{"esi":{{"files":[{name:?}],"device":{:?},"productCode":{},"revision":{}}}}}]}}"#,
                device.r#type, device.product_code, device.revision
            ));
            let (name, content) = (name.clone(), content.clone());
            description.esi_files.push(EsiFileDescription { name, content });
            to_op(&description).close();
        }
    }
}
