//! A file as a whole.

use std::collections::BTreeMap;

use roxmltree::{Document, ParsingOptions};

use crate::device::Device;
use crate::encoding::decode;
use crate::error::{EsiError, Place, Warning};
use crate::limits;
use crate::module::Module;
use crate::reader::{Context, Element};
use crate::text::Texts;

/// Bytes of the largest file that is read. The largest catalogues of vendors have some 20 MB.
const BYTES_MAX: usize = 64 << 20;
/// Elements, texts and comments of the largest file that is read.
const NODES_MAX: u32 = 8_000_000;

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EsiFile {
    /// Whose devices these are; of a list of several files, the first one's.
    pub vendor: Vendor,
    /// Groups of devices.
    pub groups: Vec<Group>,
    /// Devices in the order of the file.
    pub devices: Vec<Device>,
    /// Modules in the order of the file.
    pub modules: Vec<Module>,
    /// Whether this is a list of all that one bus has, in its order (`EtherCATInfoList`).
    pub is_bus: bool,
    /// Other files with modules (`InfoReference`).
    pub references: Vec<String>,
    /// What is odd.
    pub warnings: Vec<Warning>,
    /// Elements that nothing here reads, as `Parent/Child`, and how often they are there.
    pub ignored: BTreeMap<String, usize>,
}

/// A vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vendor {
    /// Number, given by the EtherCAT Technology Group.
    pub id: u32,
    /// Name.
    pub name: Texts,
    /// Version of the file, where the vendor counts them.
    pub file_version: Option<i64>,
}

/// A group of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What devices call it.
    pub r#type: String,
    /// Name.
    pub name: Texts,
    /// Group that it is within.
    pub parent: Option<String>,
    /// Place among the others.
    pub sort_order: Option<i32>,
}

impl EsiFile {
    /// Reads a file: `EtherCATInfo` with devices, `EtherCATModule` with modules only, or a list of the first.
    ///
    /// # Errors
    /// With line and column of what makes it no such file.
    pub fn parse(bytes: &[u8]) -> Result<Self, EsiError> {
        if bytes.len() > BYTES_MAX {
            return Err(EsiError {
                place: Place { line: 1, column: 1 },
                path: String::new(),
                message: format!("the file has {} bytes, more than {BYTES_MAX}", bytes.len()),
                hint: "take the devices that are needed out of it".to_owned(),
            });
        }
        let text = decode(bytes)?;
        limits::check(&text)?;
        let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
        let document = Document::parse_with_options(&text, options)
            .map_err(|error| no_document(&text, &error))?;
        let context = Context::new(&document);
        let mut file = Self::read(&context.root())?;
        (file.warnings, file.ignored) = context.into_findings();
        Ok(file)
    }

    fn read(root: &Element<'_>) -> Result<Self, EsiError> {
        match root.name() {
            "EtherCATInfo" | "EtherCATModule" => Self::read_one(root),
            "EtherCATInfoList" => Self::read_list(root),
            other => Err(root.error(
                format!("the root element is {other}, not EtherCATInfo or EtherCATModule"),
                "choose an ESI file; a network configuration (ENI) is none".to_owned(),
            )),
        }
    }

    /// The devices of several vendors in one file, as the IgH MainDevice describes a bus (`ethercat xml`).
    fn read_list(root: &Element<'_>) -> Result<Self, EsiError> {
        root.required("EtherCATInfo")?;
        root.ignores_all_but(&["EtherCATInfo"]);
        let mut list = Self { is_bus: true, ..Self::default() };
        for (n, one) in root.children("EtherCATInfo").enumerate() {
            let one = Self::read_one(&one)?;
            if n == 0 {
                list.vendor = one.vendor;
            }
            list.groups.extend(one.groups);
            list.devices.extend(one.devices);
            list.modules.extend(one.modules);
            list.references.extend(one.references);
        }
        Ok(list)
    }

    fn read_one(root: &Element<'_>) -> Result<Self, EsiError> {
        root.ignores_all_but(&["InfoReference", "Vendor", "Descriptions", "Modules"]);
        let vendor = Vendor::read(root)?;
        let references =
            root.children("InfoReference").map(|one| one.text().into_owned()).collect();
        let (devices, modules, groups) = if root.name() == "EtherCATInfo" {
            let descriptions = root.required("Descriptions")?;
            descriptions.ignores_all_but(&["Groups", "Devices", "Modules"]);
            let child = |name: &'static str| descriptions.child(name);
            (child("Devices"), child("Modules"), child("Groups"))
        } else {
            (None, root.child("Modules"), None)
        };
        let devices = devices.iter().flat_map(|all| all.children("Device"));
        let devices = devices.map(|one| Device::read(&one, &vendor)).collect::<Result<_, _>>()?;
        let modules = modules.iter().flat_map(|all| all.children("Module"));
        let groups = groups.iter().flat_map(|all| all.children("Group"));
        Ok(Self {
            vendor,
            groups: groups.map(|one| Group::read(&one)).collect(),
            devices,
            modules: modules.map(|one| Module::read(&one)).collect::<Result<_, _>>()?,
            references,
            ..Self::default()
        })
    }

    /// The name of a group of devices.
    #[must_use]
    pub fn group_name(&self, r#type: &str, language: u32) -> &str {
        let group = self.groups.iter().find(|group| group.r#type == r#type);
        group.map_or("", |group| group.name.get(language))
    }
}

impl Vendor {
    fn read(root: &Element<'_>) -> Result<Self, EsiError> {
        let element = root.required("Vendor")?;
        Ok(Self {
            id: element.child_number("Id")?,
            name: Texts::of(&element, "Name"),
            file_version: element.attribute("FileVersion").and_then(|one| one.number()),
        })
    }
}

impl Group {
    fn read(element: &Element<'_>) -> Self {
        Self {
            r#type: element.child_text("Type").unwrap_or_default(),
            name: Texts::of(element, "Name"),
            parent: element.attribute("ParentGroup").map(|one| one.text().to_owned()),
            sort_order: element.attribute("SortOrder").and_then(|one| one.number()),
        }
    }
}

/// Why a text is no document, and what it is instead where that shows.
fn no_document(text: &str, error: &roxmltree::Error) -> EsiError {
    let again = "mend the file, or fetch it again from its vendor";
    let (at, message, hint) = match error {
        _ if text.starts_with("PK\u{3}\u{4}") => {
            (Some(0), "this is a ZIP archive".to_owned(), "unpack it, and choose a file in it")
        }
        roxmltree::Error::NoRootNode | roxmltree::Error::UnknownToken(_)
            if !text.trim_start().starts_with('<') =>
        {
            (Some(0), "this is no XML".to_owned(), "choose an ESI file")
        }
        roxmltree::Error::DtdDetected => (
            text.find("<!DOCTYPE"),
            "document types are not read, nor entities".to_owned(),
            "take out the <!DOCTYPE …>; a web page is no ESI file: download the file itself",
        ),
        roxmltree::Error::UnclosedRootNode | roxmltree::Error::UnexpectedEndOfStream => (
            Some(text.trim_end().len()),
            "the file ends within an element".to_owned(),
            "it was cut off: fetch it again from its vendor",
        ),
        _ => (None, format!("this is no well-formed XML: {}", without_position(error)), again),
    };
    let position = error.pos();
    let place =
        at.map_or(Place { line: position.row, column: position.col }, |at| Place::of(text, at));
    EsiError { place, path: String::new(), message, hint: hint.to_owned() }
}

/// The XML library's own message ends with the position, which stands before ours.
fn without_position(error: &roxmltree::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at ") {
        Some(at) if text[at + 4..].chars().all(|c| c.is_ascii_digit() || c == ':') => {
            text[..at].to_owned()
        }
        _ => text,
    }
}
