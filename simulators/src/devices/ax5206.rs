//! A servo drive with two axes and SoE, in the manner of an AX5206. Data types, lengths, limits, units and the states
//! in which they can be written are those of the vendor's "AX5000 IDN description", where a page of an IDN was at
//! hand (S-0-0002, 15, 24, 91, 100, 135, 187, 188, 292, 390, 432), else those of its AX2000-B750 (S-0-0001, 17, 36,
//! 40, 47, 51) and its AX5000 functional description (S-0-0084). Assumed: the rest, the mailboxes, the PDOs' indices,
//! and what the telegrams carry by default. Nothing turns: actual values are what signals and wires make of them.

use ecat_wire::sii::{DcMode, FmmuUsage, Pdo, PdoDirection, SyncManagerKind};

use super::objects::{add_mailboxes, mailbox};
use super::protocols::{self, FOE, SOE};
use super::terminal::{Built, INT32, UINT16, entry, sii, simulated, sync_manager};
use crate::description::mailbox::MailboxDescription;
use crate::description::soe::{
    CyclicDescription, DriveCommandDescription, DriveDescription, IdnDescription, IdnElement,
    IdnNumber, IdnType, IdnValue, SoeDescription,
};
use crate::esc::{Chip, Profile};

const PRODUCT_CODE: u32 = 0x1456_6012;
const PDI_CONTROL: u16 = 0x0C08;
/// Two MII ports.
const PORTS_MII: u16 = 0x0011;
const MAILBOX_BYTES: u16 = 512;
const OUTPUTS: u16 = 0x1400;
const INPUTS: u16 = 0x1600;
const AXES: u8 = 2;
/// Position control with feedback 1, without lag.
const OPERATION_MODE: i64 = 0x000B;

const PRE_OP: &[&str] = &["PRE-OP"];
const ALWAYS: &[&str] = &["PRE-OP", "SAFE-OP", "OP"];
const NEVER: &[&str] = &[];

pub(super) fn device() -> Built {
    let texts = ["Drive", "AX5206-like", "AX5206-like, simulated: servo drive with two axes"];
    let mut sii = sii(simulated(PRODUCT_CODE), PDI_CONTROL, texts, 0, PORTS_MII);
    add_mailboxes(&mut sii, MAILBOX_BYTES, 0, false);
    sii.protocols = SOE | FOE;
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    // By axis a word and a value of 32 bits.
    let bytes = 6 * u16::from(AXES);
    sii.sync_managers.extend([
        sync_manager((OUTPUTS, bytes, 0x24, 1), SyncManagerKind::ProcessDataOut),
        sync_manager((INPUTS, bytes, 0x20, 1), SyncManagerKind::ProcessDataIn),
    ]);
    for axis in 0..AXES {
        let word = |idn, name| entry(idn, axis, name, UINT16, 16);
        let value = |idn, name| entry(idn, axis, name, INT32, 32);
        let pdo = |direction, index, name: &str, entries| Pdo {
            direction,
            index: index + u16::from(axis) * 0x1000,
            sync_manager: Some(if direction == PdoDirection::Rx { 2 } else { 3 }),
            name: format!("{name} {}", axis + 1),
            entries,
            ..Pdo::default()
        };
        let at = vec![word(135, "Drive status word"), value(51, "Position feedback 1 value")];
        let mdt = vec![word(134, "Master control word"), value(47, "Position command value")];
        sii.pdos.push(pdo(PdoDirection::Tx, 0x0010, "AT", at));
        sii.pdos.push(pdo(PdoDirection::Rx, 0x0018, "MDT", mdt));
    }
    sii.dc = vec![DcMode {
        sync_0_cycle_factor: 1,
        assign_activate: 0x0730,
        name: "DC".to_owned(),
        ..DcMode::default()
    }];
    let drive = DriveDescription { password: None, idns: idns() };
    let mailbox = MailboxDescription {
        soe: Some(SoeDescription { drives: vec![drive; usize::from(AXES)] }),
        ..mailbox(Vec::new())
    };
    if let Some(general) = &mut sii.general {
        (general.coe_details, general.foe_details) = (0, 1);
        protocols::announce(&mailbox, general);
    }
    let profile = Profile { pdi_control: Some(PDI_CONTROL), ..Chip::IpCore.profile() };
    Built { mailbox: Some(mailbox), profile, ..Built::plain(sii) }
}

fn idns() -> Vec<IdnDescription> {
    let mut idns = vec![
        cycle(1, "Control unit cycle time (tNcyc)"),
        cycle(2, "Communication cycle time (tScyc)"),
        bits(11, "Class 1 diagnostic (C1D)", NEVER, 0),
        bits(12, "Class 2 diagnostic (C2D)", NEVER, 0),
        bits(13, "Class 3 diagnostic (C3D)", NEVER, 0),
        bits(14, "Interface status", NEVER, 0),
        bits(15, "Telegram type", PRE_OP, 7),
        list(16, "Configuration list of AT", &[51], PRE_OP),
        list(17, "IDN-list of all operation data", &[], NEVER),
        list(18, "IDN-list of operation data for CP2", &[1, 2, 15, 16, 24, 32], NEVER),
        list(24, "Configuration list of MDT", &[47], PRE_OP),
        list(25, "IDN-list of all procedure commands", &[], NEVER),
        IdnDescription {
            r#type: Some(IdnType::Hexadecimal),
            ..bits(32, "Primary operation mode", PRE_OP, OPERATION_MODE)
        },
        velocity(36, "Velocity command value", ALWAYS, CyclicDescription::Output),
        velocity(40, "Velocity feedback 1 value", NEVER, CyclicDescription::Input),
        position(47, "Position command value", ALWAYS, CyclicDescription::Output),
        position(51, "Position feedback 1 value", NEVER, CyclicDescription::Input),
        bits(76, "Position data scaling type", PRE_OP, 0),
        torque(80, "Torque command value", ALWAYS, CyclicDescription::Output),
        torque(84, "Torque feedback value", NEVER, CyclicDescription::Input),
        IdnDescription {
            unit: Some("rev/(230 ms)".to_owned()),
            minimum: Some(IdnNumber::Integer(0)),
            maximum: Some(IdnNumber::Integer(1_610_612_736)),
            bytes: Some(4),
            ..number(91, "Bipolar velocity limit value", IdnType::Unsigned, ALWAYS, 53_687_091)
        },
        command(99, "Reset class 1 diagnostic", 10),
        IdnDescription {
            unit: Some("Nm/(rad/s)".to_owned()),
            decimals: 3,
            minimum: Some(IdnNumber::Integer(0)),
            maximum: Some(IdnNumber::Integer(u32::MAX.into())),
            bytes: Some(4),
            ..number(100, "Velocity loop proportional gain", IdnType::Unsigned, ALWAYS, 100)
        },
        bits(134, "Master control word", ALWAYS, 0),
        bits(135, "Drive status word", NEVER, 0),
        list(187, "IDN-list of configurable data in the AT", &[], NEVER),
        list(188, "IDN-list of configurable data in the MDT", &[], NEVER),
        command(262, "Load defaults procedure command", 100),
        IdnDescription {
            bytes: Some(4),
            cyclic: Some(CyclicDescription::Input),
            ..number(390, "Diagnostic number", IdnType::Hexadecimal, NEVER, 0)
        },
    ];
    idns.push(IdnDescription {
        r#type: Some(IdnType::Text),
        maximum_length: Some(22),
        value: Some(IdnValue::Text("simulated".to_owned())),
        write: Some(Vec::new()),
        ..idn(432, "Serial number drive control")
    });
    let modes = [0, 1, 2, 3, 4, 11, 12].map(|mode| IdnElement::Number(IdnNumber::Integer(mode)));
    idns.push(IdnDescription {
        r#type: Some(IdnType::Hexadecimal),
        value: Some(IdnValue::List(modes.to_vec())),
        write: Some(Vec::new()),
        ..idn(292, "List of supported operation modes")
    });
    idns
}

fn idn(number: u16, name: &str) -> IdnDescription {
    let idn = format!("S-0-{number:04}");
    IdnDescription { idn, name: name.to_owned(), ..IdnDescription::default() }
}

fn number(
    idn_number: u16,
    name: &str,
    kind: IdnType,
    write: &[&str],
    value: i64,
) -> IdnDescription {
    IdnDescription {
        r#type: Some(kind),
        write: Some(write.iter().map(|&state| state.to_owned()).collect()),
        default: Some(IdnValue::Number(IdnNumber::Integer(value))),
        ..idn(idn_number, name)
    }
}

fn bits(idn_number: u16, name: &str, write: &[&str], value: i64) -> IdnDescription {
    number(idn_number, name, IdnType::Binary, write, value)
}

fn cycle(idn_number: u16, name: &str) -> IdnDescription {
    IdnDescription {
        unit: Some("us".to_owned()),
        minimum: Some(IdnNumber::Integer(125)),
        maximum: Some(IdnNumber::Integer(20_000)),
        ..number(idn_number, name, IdnType::Unsigned, PRE_OP, 500)
    }
}

fn cyclic(
    of: IdnDescription,
    (bytes, unit): (u8, &str),
    cyclic: CyclicDescription,
) -> IdnDescription {
    let unit = Some(unit.to_owned());
    IdnDescription { bytes: Some(bytes), unit, cyclic: Some(cyclic), ..of }
}

fn position(
    idn_number: u16,
    name: &str,
    write: &[&str],
    telegram: CyclicDescription,
) -> IdnDescription {
    cyclic(number(idn_number, name, IdnType::Signed, write, 0), (4, "inc"), telegram)
}

fn velocity(
    idn_number: u16,
    name: &str,
    write: &[&str],
    telegram: CyclicDescription,
) -> IdnDescription {
    cyclic(number(idn_number, name, IdnType::Signed, write, 0), (4, "inc/(1024 ms)"), telegram)
}

fn torque(
    idn_number: u16,
    name: &str,
    write: &[&str],
    telegram: CyclicDescription,
) -> IdnDescription {
    let value = number(idn_number, name, IdnType::Signed, write, 0);
    IdnDescription { decimals: 1, ..cyclic(value, (2, "%"), telegram) }
}

fn list(idn_number: u16, name: &str, idns: &[i64], write: &[&str]) -> IdnDescription {
    const TELEGRAM_BYTES_MAX: u16 = 28;
    let elements = idns.iter().map(|&one| IdnElement::Number(IdnNumber::Integer(one)));
    IdnDescription {
        r#type: Some(IdnType::Idn),
        maximum_length: (!write.is_empty()).then_some(TELEGRAM_BYTES_MAX),
        value: Some(IdnValue::List(elements.collect())),
        write: Some(write.iter().map(|&state| state.to_owned()).collect()),
        ..idn(idn_number, name)
    }
}

fn command(idn_number: u16, name: &str, duration_ms: u32) -> IdnDescription {
    let command = DriveCommandDescription { duration_ms, ..DriveCommandDescription::default() };
    IdnDescription { command: Some(command), ..idn(idn_number, name) }
}
