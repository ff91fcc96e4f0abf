//! Two SII images held against each other, place by place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ecat_wire::sii::{
    CATEGORIES_START_BYTES, Category, CategoryKind, Sii, SiiError, bytes_needed, categories,
};

/// Something in which two images differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, for example `word 0x04 (station alias)` or `RxPDO 0x1600: name`.
    pub place: String,
    /// What the first image has; none: nothing is there.
    pub first: Option<String>,
    /// What the second one has.
    pub second: Option<String>,
    /// Why images of one device may differ here, or what it means.
    pub reason: &'static str,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let (first, second) = (side(&self.first), side(&self.second));
        write!(f, "{}: {first}, {second} ({})", self.place, self.reason)
    }
}

/// Everything in which two images differ: of a description, and of a real device. Images in which nothing differs
/// are equal byte by byte, but for what fills them behind the end.
///
/// # Errors
/// [`SiiError`] for what is no image.
pub fn compare(first: &[u8], second: &[u8]) -> Result<Vec<Difference>, SiiError> {
    let (mut ours, mut theirs) = (rows(first)?, rows(second)?);
    texts(&Sii::parse(first)?.strings, &Sii::parse(second)?.strings, &mut ours, &mut theirs);
    let places: BTreeSet<&Place> = ours.keys().chain(theirs.keys()).collect();
    let differences = places.into_iter().filter_map(|place| {
        let (one, other) = (ours.get(place), theirs.get(place));
        (one != other).then(|| Difference {
            place: place.1.clone(),
            first: one.cloned(),
            second: other.cloned(),
            reason: reason(&place.1),
        })
    });
    Ok(differences.collect())
}

/// Order, then name.
type Place = (u32, String);
type Rows = BTreeMap<Place, String>;

const MISC: u32 = 0x4000_0000;

fn rows(image: &[u8]) -> Result<Rows, SiiError> {
    let sii = Sii::parse(image)?;
    let mut rows = Rows::new();
    fixed_part(image, &mut rows);
    let mut order = Vec::new();
    let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
    for category in categories(image) {
        let category = category?;
        let code = code(category.kind);
        order.push(code.to_string());
        let nth = counts.entry(code).or_default();
        *nth += 1;
        let before = u32::from(code) << 12 | (*nth & 0xF) << 8;
        category_rows(&category, before, &sii, &mut rows);
    }
    rows.insert((MISC, "order of categories".to_owned()), order.join(", "));
    let end = bytes_needed(image).max(CATEGORIES_START_BYTES).min(image.len());
    let behind = image[end..].iter().filter(|byte| !matches!(byte, 0x00 | 0xFF)).count();
    if behind > 0 {
        let text = format!("{behind} bytes that are neither 0x00 nor 0xff");
        rows.insert((MISC + 0x1000, "behind the end".to_owned()), text);
    }
    Ok(rows)
}

/// Texts that only one image has, by their number, and the order of those that both have. One text more moves the
/// numbers of all behind it, and says no more than that.
fn texts(first: &[String], second: &[String], ours: &mut Rows, theirs: &mut Rows) {
    for (one, other, rows) in [(first, second, ours), (second, first, theirs)] {
        let known: BTreeSet<&String> = other.iter().collect();
        let mut shared = Vec::new();
        for (n, text) in (1..).zip(one) {
            if known.contains(text) {
                shared.push(format!("{text:?}"));
            } else {
                rows.insert((MISC + n, format!("string {n}")), format!("{text:?}"));
            }
        }
        rows.insert((MISC + 0x100, "order of strings".to_owned()), shared.join(", "));
    }
}

/// Names of the words that a table of ETG1000.6 names, and how many words each takes.
const WORDS: [(usize, usize, &str); 21] = [
    (0x00, 1, "PDI control"),
    (0x01, 1, "PDI configuration"),
    (0x02, 1, "SYNC pulse length"),
    (0x03, 1, "PDI configuration 2"),
    (0x04, 1, "station alias"),
    (0x07, 1, "checksum"),
    (0x08, 2, "vendor"),
    (0x0A, 2, "product code"),
    (0x0C, 2, "revision"),
    (0x0E, 2, "serial number"),
    (0x14, 1, "BOOT receive mailbox, start"),
    (0x15, 1, "BOOT receive mailbox, bytes"),
    (0x16, 1, "BOOT send mailbox, start"),
    (0x17, 1, "BOOT send mailbox, bytes"),
    (0x18, 1, "receive mailbox, start"),
    (0x19, 1, "receive mailbox, bytes"),
    (0x1A, 1, "send mailbox, start"),
    (0x1B, 1, "send mailbox, bytes"),
    (0x1C, 1, "mailbox protocols"),
    (0x3E, 1, "size in kilobit less one"),
    (0x3F, 1, "version"),
];

fn fixed_part(image: &[u8], rows: &mut Rows) {
    let mut at = 0;
    while at < CATEGORIES_START_BYTES / 2 {
        let known = WORDS.iter().find(|(word, ..)| *word == at);
        let (words, name) = known.map_or((1, "reserved"), |(_, words, name)| (*words, *name));
        let bytes = &image[2 * at..2 * (at + words)];
        let number = bytes.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        // Reserved words are told of only where they hold something.
        if known.is_some() || number != 0 {
            let digits = 2 + 4 * words;
            let place = format!("word {at:#04x} ({name})");
            rows.insert((at as u32, place), format!("{number:#0digits$x}"));
        }
        at += words;
    }
}

fn code(kind: CategoryKind) -> u16 {
    match kind {
        CategoryKind::Strings => 10,
        CategoryKind::General => 30,
        CategoryKind::FmmuUsage => 40,
        CategoryKind::SyncManagers => 41,
        CategoryKind::TxPdos => 50,
        CategoryKind::RxPdos => 51,
        CategoryKind::DcModes => 60,
        CategoryKind::Other(code) => code,
    }
}

/// What a category says, with the texts that it names in place of their numbers.
fn category_rows(category: &Category<'_>, before: u32, sii: &Sii, rows: &mut Rows) {
    let content = category.content;
    let mut table = Table { rows, before: 0x100 + before, sii };
    match category.kind {
        CategoryKind::Strings => {}
        CategoryKind::General => table.general(content),
        CategoryKind::FmmuUsage => {
            for (n, usage) in content.iter().enumerate() {
                if !matches!(usage, 0x00 | 0xFF) {
                    table.put(format!("FMMU {n}"), usage.to_string());
                }
            }
        }
        CategoryKind::SyncManagers => {
            for (n, one) in content.chunks_exact(8).enumerate() {
                table.fields(&format!("SyncManager {n}"), one, &SYNC_MANAGER);
            }
        }
        CategoryKind::TxPdos => table.pdos("TxPDO", content),
        CategoryKind::RxPdos => table.pdos("RxPDO", content),
        CategoryKind::DcModes => {
            for (n, one) in content.chunks_exact(24).enumerate() {
                table.fields(&format!("DC mode {n}"), one, &DC_MODE);
            }
        }
        CategoryKind::Other(code) => {
            let bytes: String = content.iter().map(|byte| format!("{byte:02x}")).collect();
            table.put(format!("category {code}"), bytes);
        }
    }
}

/// A field of a record: its first byte, its bytes, its name; 0 bytes: the number of a text.
type Field = (usize, usize, &'static str);

const SYNC_MANAGER: [Field; 6] = [
    (0, 2, "start"),
    (2, 2, "bytes"),
    (4, 1, "control"),
    (5, 1, "status"),
    (6, 1, "enable"),
    (7, 1, "kind"),
];
const DC_MODE: [Field; 9] = [
    (0, 4, "SYNC0 cycle"),
    (4, 4, "SYNC0 shift"),
    (8, 4, "SYNC1 shift"),
    (12, 2, "SYNC1 factor"),
    (14, 2, "AssignActivate"),
    (16, 2, "SYNC0 factor"),
    (18, 0, "name"),
    (19, 0, "description"),
    (20, 4, "reserved"),
];
const PDO: [Field; 6] = [
    (2, 1, "number of entries"),
    (3, 1, "SyncManager"),
    (4, 1, "synchronization"),
    (5, 0, "name"),
    (6, 2, "flags"),
    (0, 2, "index"),
];
const ENTRY: [Field; 6] = [
    (0, 2, "index"),
    (2, 1, "subindex"),
    (3, 0, "name"),
    (4, 1, "data type"),
    (5, 1, "bits"),
    (6, 2, "flags"),
];
const GENERAL: [Field; 15] = [
    (0, 0, "group"),
    (1, 0, "image"),
    (2, 0, "order"),
    (3, 0, "name"),
    (4, 1, "byte 0x04 (reserved)"),
    (5, 1, "CoE details"),
    (6, 1, "FoE details"),
    (7, 1, "EoE details"),
    (8, 1, "SoE channels"),
    (9, 1, "CiA 402 channels"),
    (0x0B, 1, "flags"),
    (0x0C, 2, "E-bus current"),
    (0x0E, 0, "group name"),
    (0x10, 2, "ports"),
    (0x12, 2, "identification address"),
];

struct Table<'a> {
    rows: &'a mut Rows,
    before: u32,
    sii: &'a Sii,
}

impl Table<'_> {
    fn put(&mut self, place: String, value: String) {
        self.rows.insert((self.before, place), value);
    }

    fn fields(&mut self, of: &str, record: &[u8], fields: &[Field]) {
        for &(at, bytes, name) in fields {
            let value = if bytes == 0 {
                let number = usize::from(record.get(at).copied().unwrap_or(0));
                match number.checked_sub(1).map(|n| self.sii.strings.get(n)) {
                    None => "\"\"".to_owned(),
                    Some(Some(text)) => format!("{text:?}"),
                    Some(None) => format!("string {number}, which is not there"),
                }
            } else {
                let Some(field) = record.get(at..at + bytes) else { continue };
                let number =
                    field.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
                let digits = 2 + 2 * bytes;
                format!("{number:#0digits$x}")
            };
            self.put(format!("{of}: {name}"), value);
        }
    }

    fn general(&mut self, content: &[u8]) {
        self.fields("general", content, &GENERAL);
        let rest = content.iter().enumerate();
        for (at, byte) in rest.filter(|(at, byte)| **byte != 0 && is_reserved(*at)) {
            self.put(format!("general: byte {at:#04x} (reserved)"), format!("{byte:#04x}"));
        }
    }

    /// PDOs by their index; those that have it twice by their number as well.
    fn pdos(&mut self, kind: &str, mut content: &[u8]) {
        let mut seen: BTreeMap<u16, u32> = BTreeMap::new();
        while content.len() >= 8 {
            let index = u16::from_le_bytes([content[0], content[1]]);
            let nth = seen.entry(index).or_default();
            *nth += 1;
            let again = if *nth > 1 { format!(" ({nth})") } else { String::new() };
            let of = format!("{kind} {index:#06x}{again}");
            self.fields(&of, &content[..8], &PDO);
            let entries = usize::from(content[2]);
            content = &content[8..];
            for n in 1..=entries {
                let Some(entry) = content.get(..8) else { return };
                self.fields(&format!("{of} entry {n}"), entry, &ENTRY);
                content = &content[8..];
            }
        }
    }
}

fn is_reserved(at: usize) -> bool {
    !GENERAL.iter().any(|(from, bytes, _)| (*from..from + (*bytes).max(1)).contains(&at))
}

/// Why images of one device differ at a place.
fn reason(place: &str) -> &'static str {
    const REASONS: [(&str, &str); 17] = [
        ("order of ", "any order is allowed"),
        ("word 0x04", "each device may have its own, set by its user"),
        ("word 0x07", "follows from words 0 to 6"),
        ("word 0x0e", "each device has its own"),
        (
            "general: byte 0x04",
            "not documented: 0x02 in an EK1100, 0x0c in EL terminals, 0x01 in an AKD",
        ),
        ("(reserved)", "of the vendor's production; no ESI tells it"),
        ("word 0x00", "what the ESC is set to: ConfigData"),
        ("word 0x01", "what the ESC is set to: ConfigData"),
        ("word 0x02", "what the ESC is set to: ConfigData"),
        ("word 0x03", "what the ESC is set to: ConfigData"),
        ("word 0x08", "another vendor"),
        ("word 0x0a", "another product"),
        ("word 0x0c", "another revision"),
        ("name", "a text, of another language or edition"),
        ("string", "a text, of another language or edition"),
        ("general: group", "a text, of another language or edition"),
        ("category 43", "SyncUnits; their upper bits are not documented"),
    ];
    let of_vendor = place.strip_prefix("category ").and_then(|code| code.parse::<u32>().ok());
    if of_vendor.is_some_and(|code| !(10..0x800).contains(&code)) {
        return "of the device or its vendor; an ESI may leave it out";
    }
    REASONS
        .iter()
        .find(|(part, _)| place.contains(part))
        .map_or("the description says otherwise", |(_, reason)| reason)
}
