//! SyncManagers, FMMUs and SyncUnits of a device (`Sm`, `Fmmu`, `Su`).

use ecat_wire::sii::{FmmuUsage, PdoDirection, SiiSyncManager, SyncManagerKind};

use crate::error::EsiError;
use crate::number::{parse_flag, parse_integer};
use crate::reader::Element;

/// One SyncManager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncManager {
    /// What it is for.
    pub kind: SyncManagerKind,
    /// Physical address.
    pub start: u16,
    /// Control byte (register 0x0804 + 8·n).
    pub control: u8,
    /// Enable byte as written; bit 0 enables.
    pub enable: u8,
    /// Bytes by default.
    pub default_size: u16,
    /// Fewest bytes that the device takes.
    pub minimum_size: Option<u16>,
    /// Most bytes that the device takes.
    pub maximum_size: Option<u16>,
    /// None of the ESC's (`Virtual`).
    pub r#virtual: bool,
    /// To be enabled in OP only (`OpOnly`).
    pub op_only: bool,
    /// The file says what it is for; else its control byte does.
    pub is_named: bool,
    /// Its PDOs stay assigned (`FixedAssignment`, obsolete).
    pub fixed_assignment: bool,
}

/// One FMMU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fmmu {
    /// What it is for.
    pub usage: FmmuUsage,
    /// SyncManager that it maps, where the file says so.
    pub sync_manager: Option<u8>,
    /// SyncUnit that it maps, where the file says so.
    pub sync_unit: Option<u8>,
    /// To be enabled in OP only.
    pub op_only: bool,
}

/// One SyncUnit: PDOs that belong into frames of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncUnit {
    /// Name.
    pub name: String,
    /// A SyncUnit of its own (`SeparateSu`).
    pub separate: bool,
    /// A frame of its own (`SeparateFrame`).
    pub separate_frame: bool,
    /// `DependOnInputState`.
    pub depends_on_input_state: bool,
    /// `FrameRepeatSupport`.
    pub frame_repeat: bool,
}

const FIXED: u8 = 0x02;
const VIRTUAL: u8 = 0x04;
const OP_ONLY: u8 = 0x08;

impl SyncManager {
    /// The enable byte with all that attributes say (SII category 41).
    #[must_use]
    pub const fn enable_byte(&self) -> u8 {
        let mut byte = self.enable;
        if self.fixed_assignment {
            byte |= FIXED;
        }
        if self.r#virtual {
            byte |= VIRTUAL;
        }
        if self.op_only {
            byte |= OP_ONLY;
        }
        byte
    }

    /// Whether it carries mail.
    #[must_use]
    pub const fn is_mailbox(&self) -> bool {
        matches!(self.kind, SyncManagerKind::MailboxOut | SyncManagerKind::MailboxIn)
    }

    /// Tells that a PDO names it. What only its control byte makes a mailbox, and the PDO goes the same way, is process
    /// data of one buffer.
    pub(crate) fn carry(&mut self, direction: PdoDirection) {
        if self.is_named {
            return;
        }
        self.kind = match (self.kind, direction) {
            (SyncManagerKind::MailboxOut, PdoDirection::Rx) => SyncManagerKind::ProcessDataOut,
            (SyncManagerKind::MailboxIn, PdoDirection::Tx) => SyncManagerKind::ProcessDataIn,
            (other, _) => other,
        };
    }

    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        let number = |name| match element.attribute(name) {
            Some(attribute) if !attribute.text().is_empty() => attribute.strict_number().map(Some),
            _ => Ok(None),
        };
        let start = number("StartAddress")?.unwrap_or(0);
        let control: u8 =
            element.attribute("ControlByte").and_then(|one| one.number()).unwrap_or(0);
        let enable = element.attribute("Enable").map_or(1, |attribute| {
            let number = parse_integer(attribute.text()).and_then(|n| u8::try_from(n).ok());
            number.unwrap_or_else(|| u8::from(parse_flag(attribute.text()).unwrap_or(true)))
        });
        // The IgH MainDevice writes files (`ethercat xml`) in which the control byte says everything. Without an
        // address it is a place that is kept free.
        let by_control =
            || SiiSyncManager { control, enable: 1, ..Default::default() }.effective_kind();
        let (kind, is_named) = match element.text().to_ascii_lowercase().as_str() {
            "mboxout" => (SyncManagerKind::MailboxOut, true),
            "mboxin" => (SyncManagerKind::MailboxIn, true),
            "outputs" | "output" => (SyncManagerKind::ProcessDataOut, true),
            "inputs" | "input" => (SyncManagerKind::ProcessDataIn, true),
            "" if start == 0 => (SyncManagerKind::Unused, false),
            "" => (by_control(), false),
            _ => {
                let text = element.text();
                element.warn(format!(
                    "{text:?} is none of MBoxOut, MBoxIn, Outputs and Inputs; its control byte decides"
                ));
                (by_control(), false)
            }
        };
        let sync_manager = Self {
            kind,
            start,
            control,
            enable,
            default_size: number("DefaultSize")?.unwrap_or(0),
            minimum_size: number("MinSize")?,
            maximum_size: number("MaxSize")?,
            r#virtual: element.flag("Virtual"),
            op_only: element.flag("OpOnly"),
            is_named,
            fixed_assignment: element.flag("FixedAssignment"),
        };
        if is_named && sync_manager.is_mailbox() && sync_manager.default_size == 0 {
            element.warn("a mailbox needs a DefaultSize; without one the device has none");
        }
        Ok(sync_manager)
    }
}

impl Fmmu {
    pub(crate) fn read(element: &Element<'_>) -> Self {
        let usage = match element.text().to_ascii_lowercase().as_str() {
            "outputs" | "output" => FmmuUsage::Outputs,
            "inputs" | "input" => FmmuUsage::Inputs,
            "mboxstate" => FmmuUsage::SyncManagerStatus,
            "" => FmmuUsage::Unused,
            _ => {
                let text = element.text();
                element.warn(format!(
                    "{text:?} is none of Outputs, Inputs and MBoxState; it is left unused"
                ));
                FmmuUsage::Unused
            }
        };
        Self {
            usage,
            sync_manager: element.attribute("Sm").and_then(|one| one.number()),
            sync_unit: element.attribute("Su").and_then(|one| one.number()),
            op_only: element.flag("OpOnly"),
        }
    }
}

impl SyncUnit {
    pub(crate) fn read(element: &Element<'_>) -> Self {
        Self {
            name: element.text().into_owned(),
            separate: element.flag("SeparateSu"),
            separate_frame: element.flag("SeparateFrame"),
            depends_on_input_state: element.flag("DependOnInputState"),
            frame_repeat: element.flag("FrameRepeatSupport"),
        }
    }
}
