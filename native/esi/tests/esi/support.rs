//! Files to read.

use std::path::PathBuf;

use ecat_esi::{Choice, ConfiguredDevice, EsiFile};

/// A file of this repository.
pub fn fixture(name: &str) -> EsiFile {
    let path = format!("{}/../../test/fixtures/esi/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    EsiFile::parse(&bytes).unwrap_or_else(|error| panic!("{path}:{error}"))
}

/// A file that must not be distributed, from the folder beside this repository. Where that is not there, none, and
/// standard error says so.
pub fn shared(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("skipped: {} is not there", path.display());
    }
    bytes
}

/// The bytes of a real device's EEPROM.
pub fn eeprom(name: &str) -> Vec<u8> {
    let path = format!("{}/../../test/fixtures/eeprom/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A device by its type.
pub fn device(file: &EsiFile, name: &str) -> ConfiguredDevice {
    let choice = Choice { device: Some(name.to_owned()), ..Choice::default() };
    choice.configure(&[file]).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A file of one device with this in it.
pub fn with_device(content: &str) -> String {
    format!(
        "<EtherCATInfo><Vendor><Id>1</Id></Vendor><Descriptions><Devices>\n\
         <Device Physics=\"YY\"><Type ProductCode=\"#x1\" RevisionNo=\"1\">ONE</Type>\n\
         {content}\n</Device></Devices></Descriptions></EtherCATInfo>"
    )
}

/// The device of [`with_device`].
pub fn only(content: &str) -> (EsiFile, ConfiguredDevice) {
    let file = EsiFile::parse(with_device(content).as_bytes()).unwrap();
    let device = Choice::default().configure(&[&file]).unwrap();
    (file, device)
}
