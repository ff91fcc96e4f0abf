//! Ways to run the distributed clock (`Dc`).

use crate::error::EsiError;
use crate::reader::Element;

/// What a device does with the distributed clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dc {
    /// It does not process FRMW.
    pub unknown_frmw: bool,
    /// Its times have 32 bits.
    pub unknown_64_bit: bool,
    /// Another clock drives it.
    pub external_reference: bool,
    /// It can be the reference clock; none: not said.
    pub potential_reference: Option<bool>,
    /// It has the system time and neither SYNC nor latch unit.
    pub time_loop_only: bool,
    /// Its modes; the first is the default.
    pub modes: Vec<OpMode>,
}

/// One way to run it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpMode {
    /// Name.
    pub name: String,
    /// Description, or empty.
    pub description: String,
    /// What goes into registers 0x0980 (low byte) and 0x0981.
    pub assign_activate: u16,
    /// SYNC0.
    pub sync0: Sync,
    /// SYNC1.
    pub sync1: Sync,
    /// PDOs with their number of samples a cycle, by SyncManager (`Sm/Pdo OSFac`).
    pub pdos: Vec<(u8, u16, Option<i32>)>,
}

/// One SYNC signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sync {
    /// Cycle in ns; 0: the factor times another cycle.
    pub cycle_ns: u32,
    /// Factor of the MainDevice's cycle, for SYNC1 of SYNC0's; negative: a part of it.
    pub factor: Option<i16>,
    /// Shift in ns.
    pub shift_ns: i32,
    /// Shift as a factor of the cycle.
    pub shift_factor: Option<i16>,
    /// The shift is one of inputs.
    pub shift_is_input: bool,
}

impl Dc {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&["OpMode", "VendorSpecific"]);
        let modes = element.children("OpMode").map(|mode| OpMode::read(&mode));
        Ok(Self {
            unknown_frmw: element.flag("UnknownFRMW"),
            unknown_64_bit: element.flag("Unknown64Bit"),
            external_reference: element.flag("ExternalRefClock"),
            potential_reference: element.attribute("PotentialReferenceClock").map(|one| one.flag()),
            time_loop_only: element.flag("TimeLoopControlOnly"),
            modes: modes.collect::<Result<_, _>>()?,
        })
    }
}

impl OpMode {
    fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&[
            "Name",
            "Desc",
            "AssignActivate",
            "ActivateAdditional",
            "CycleTimeSync0",
            "ShiftTimeSync0",
            "CycleTimeSync1",
            "ShiftTimeSync1",
            "CycleTimeSync2",
            "ShiftTimeSync2",
            "CycleTimeSync3",
            "ShiftTimeSync3",
            "Sm",
            "VendorSpecific",
        ]);
        let mut pdos = Vec::new();
        for sync_manager in element.children("Sm") {
            let Some(number) = sync_manager.attribute("No").and_then(|one| one.number()) else {
                continue;
            };
            for pdo in sync_manager.children("Pdo") {
                let factor = pdo.attribute("OSFac").and_then(|one| one.number());
                pdos.push((number, pdo.number()?, factor));
            }
        }
        Ok(Self {
            name: element.child_text("Name").unwrap_or_default(),
            description: element.child_text("Desc").unwrap_or_default(),
            assign_activate: element
                .child("AssignActivate")
                .filter(|one| !one.text().is_empty())
                .map_or(Ok(0), |one| one.number())?,
            sync0: Sync::read(element, "CycleTimeSync0", "ShiftTimeSync0"),
            sync1: Sync::read(element, "CycleTimeSync1", "ShiftTimeSync1"),
            pdos,
        })
    }
}

impl Sync {
    fn read(element: &Element<'_>, cycle: &'static str, shift: &'static str) -> Self {
        let factor = |one: &Element<'_>| one.attribute("Factor").and_then(|one| one.number());
        let (cycle, shift) = (element.child(cycle), element.child(shift));
        Self {
            cycle_ns: cycle.and_then(|one| one.lenient_number()).unwrap_or(0),
            factor: cycle.as_ref().and_then(factor),
            shift_ns: shift.and_then(|one| one.lenient_number()).unwrap_or(0),
            shift_factor: shift.as_ref().and_then(factor),
            shift_is_input: shift.is_some_and(|one| one.flag("Input")),
        }
    }
}
