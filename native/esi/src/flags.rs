//! What an object, or an entry of one, may be used for (`Flags`).

use crate::error::EsiError;
use crate::reader::Element;

/// AL states in which an access is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct States {
    /// PRE-OP.
    pub pre_op: bool,
    /// SAFE-OP.
    pub safe_op: bool,
    /// OP.
    pub op: bool,
}

impl States {
    /// In none.
    pub const NONE: Self = Self { pre_op: false, safe_op: false, op: false };
    /// In all three.
    pub const ALL: Self = Self { pre_op: true, safe_op: true, op: true };

    /// Bit 0 PRE-OP, 1 SAFE-OP, 2 OP, as in an object's access (ETG1000.6, "Get entry description").
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.pre_op as u16 | (self.safe_op as u16) << 1 | (self.op as u16) << 2
    }
}

/// Who may do what by SDO (`Access`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Where it can be read.
    pub read: States,
    /// Where it can be written.
    pub write: States,
}

impl Default for Access {
    /// Read only.
    fn default() -> Self {
        Self { read: States::ALL, write: States::NONE }
    }
}

/// Whether a device must have an object (`Category`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Category {
    /// It may (`o`).
    #[default]
    Optional,
    /// It must (`m`).
    Mandatory,
    /// It must under conditions (`c`).
    Conditional,
}

/// What an object, or an entry of one, may be used for. What is not said has the schema's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// By SDO.
    pub access: Access,
    /// Whether it must be there.
    pub category: Category,
    /// RxPDOs can carry it (`PdoMapping` R).
    pub rx_pdo: bool,
    /// TxPDOs can carry it (`PdoMapping` T).
    pub tx_pdo: bool,
    /// To be stored for a replacement of the device.
    pub backup: bool,
    /// To be set at every start.
    pub setting: bool,
}

impl Flags {
    /// Those of an element, if it has any.
    pub(crate) fn of(parent: &Element<'_>) -> Result<Option<Self>, EsiError> {
        let Some(element) = parent.child("Flags") else { return Ok(None) };
        element.ignores_all_but(&[
            "Access",
            "Category",
            "PdoMapping",
            "SafetyMapping",
            "Attribute",
            "Backup",
            "Setting",
            "Transition",
            "SdoAccess",
        ]);
        let category = match element.child_text("Category").unwrap_or_default().as_str() {
            "m" | "M" => Category::Mandatory,
            "c" | "C" => Category::Conditional,
            _ => Category::Optional,
        };
        let mapping = element.child_text("PdoMapping").unwrap_or_default();
        let has = |letter: char| mapping.chars().any(|one| one.eq_ignore_ascii_case(&letter));
        Ok(Some(Self {
            access: element.child("Access").map(|access| read_access(&access)).unwrap_or_default(),
            category,
            rx_pdo: has('R'),
            tx_pdo: has('T'),
            backup: element.child_flag("Backup").unwrap_or(false),
            setting: element.child_flag("Setting").unwrap_or(false),
        }))
    }
}

fn read_access(element: &Element<'_>) -> Access {
    let text = element.text().to_ascii_lowercase();
    let (reads, writes) = match text.as_str() {
        "ro" | "r" | "const" | "" => (true, false),
        "rw" | "rwr" | "rww" => (true, true),
        "wo" | "w" => (false, true),
        _ => {
            element.warn(format!("{text:?} is none of ro, rw and wo; it is taken for ro"));
            (true, false)
        }
    };
    let states = |allowed: bool, restriction: &'static str| {
        let all = element.attribute(restriction).map_or(States::ALL, |one| restricted(one.text()));
        if allowed { all } else { States::NONE }
    };
    Access { read: states(reads, "ReadRestrictions"), write: states(writes, "WriteRestrictions") }
}

/// `PreOP`, `PreOP_SafeOP`, `PreOP_OP`, `SafeOP`, `SafeOP_OP` or `OP`.
fn restricted(text: &str) -> States {
    let mut states = States::NONE;
    for word in text.split('_') {
        match word.to_ascii_lowercase().as_str() {
            "preop" => states.pre_op = true,
            "safeop" => states.safe_op = true,
            "op" => states.op = true,
            _ => {}
        }
    }
    if states == States::NONE { States::ALL } else { states }
}
