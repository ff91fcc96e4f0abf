//! A stepper terminal like the EL7041: SyncManagers, mailboxes and PDOs 0x1600 to 0x1604 and 0x1A00 to 0x1A03 as a scan of
//! an EL7041-1000 (revision 0x001503E8, a gatorcat report) shows them, those of the positioning interface as a list of PDOs
//! of revision 0x00180000 does, objects by the vendor's documentation of EL70x1.

use ecat_wire::sii::{DcMode, FmmuUsage, Pdo, PdoDirection, PdoEntry, SyncManagerKind};

use super::objects::{
    BOOLEAN, INTEGER16, INTEGER32, Row, UNSIGNED8, UNSIGNED16, UNSIGNED32, add_mailboxes, list,
    mailbox, number, text,
};
use super::programs::stepper::StepperDescription;
use super::terminal::{
    BOOL, Built, INT16, PDI_MICROCONTROLLER, PORTS_E_BUS, UINT16, UINT32, entry, fixed_pdo, gap,
    sii, simulated, sync_manager,
};
use crate::description::mailbox::{MappingDescription, ObjectDescription};
use crate::description::{DescriptionError, DeviceDescription, ProgramDescription};
use crate::esc::{Chip, Profile};

const MAILBOX_BYTES: u16 = 128;
const OUTPUTS: u16 = 0x1100;
const INPUTS: u16 = 0x1180;
/// SDO, SDO information, PDO assignment, complete access.
const COE_DETAILS: u8 = 0x27;
const EEPROM_BYTES: usize = 8192;
/// A modular device, with a stepper module.
const DEVICE_TYPE: u32 = 5001;

type Bit = (u8, &'static str);

const ENC_STATUS: [Bit; 12] = [
    (0x01, "Latch C valid"),
    (0x02, "Latch extern valid"),
    (0x03, "Set counter done"),
    (0x04, "Counter underflow"),
    (0x05, "Counter overflow"),
    (0x08, "Extrapolation stall"),
    (0x09, "Status of input A"),
    (0x0A, "Status of input B"),
    (0x0B, "Status of input C"),
    (0x0D, "Status of extern latch"),
    (0x0E, "Sync error"),
    (0x10, "TxPDO Toggle"),
];
const ENC_CONTROL: [Bit; 4] = [
    (0x01, "Enable latch C"),
    (0x02, "Enable latch extern on positive edge"),
    (0x03, "Set counter"),
    (0x04, "Enable latch extern on negative edge"),
];
const STM_STATUS: [Bit; 11] = [
    (0x01, "Ready to enable"),
    (0x02, "Ready"),
    (0x03, "Warning"),
    (0x04, "Error"),
    (0x05, "Moving positive"),
    (0x06, "Moving negative"),
    (0x07, "Torque reduced"),
    (0x0C, "Digital input 1"),
    (0x0D, "Digital input 2"),
    (0x0E, "Sync error"),
    (0x10, "TxPDO Toggle"),
];
const STM_CONTROL: [Bit; 3] = [(0x01, "Enable"), (0x02, "Reset"), (0x03, "Reduce torque")];
const POS_STATUS: [Bit; 7] = [
    (0x01, "Busy"),
    (0x02, "In-Target"),
    (0x03, "Warning"),
    (0x04, "Error"),
    (0x05, "Calibrated"),
    (0x06, "Accelerate"),
    (0x07, "Decelerate"),
];
const POS_CONTROL: [Bit; 2] = [(0x01, "Execute"), (0x02, "Emergency stop")];

/// Sixteen bits of flags, each at the place of its subindex.
fn word(index: u16, bits: &[Bit]) -> Vec<PdoEntry> {
    let (mut entries, mut next) = (Vec::new(), 1);
    for &(subindex, name) in bits {
        if subindex > next {
            entries.push(gap(subindex - next));
        }
        entries.push(entry(index, subindex, name, BOOL, 1));
        next = subindex + 1;
    }
    if next <= 16 {
        entries.push(gap(17 - next));
    }
    entries
}

fn pdos() -> Vec<Pdo> {
    let with = |mut entries: Vec<PdoEntry>, more: &[(u16, u8, &str, u8, u8)]| {
        entries.extend(more.iter().map(|&(i, s, name, kind, bits)| entry(i, s, name, kind, bits)));
        entries
    };
    let counter = |kind, bits| [(0x7000, 0x11, "Set counter value", kind, bits)];
    let counts = |kind, bits| {
        [(0x6000, 0x11, "Counter value", kind, bits), (0x6000, 0x12, "Latch value", kind, bits)]
    };
    let none = Vec::new;
    let target = (0x7020, 0x11, "Target position", UINT32, 32);
    let list: [(u16, &str, Vec<PdoEntry>); 15] = [
        (0x1A00, "ENC Status compact", with(word(0x6000, &ENC_STATUS), &counts(UINT16, 16))),
        (0x1A01, "ENC Status", with(word(0x6000, &ENC_STATUS), &counts(UINT32, 32))),
        (0x1A03, "STM Status", word(0x6010, &STM_STATUS)),
        (0x1A05, "POS Status compact", word(0x6020, &POS_STATUS)),
        (
            0x1A06,
            "POS Status",
            with(
                word(0x6020, &POS_STATUS),
                &[
                    (0x6020, 0x11, "Actual position", UINT32, 32),
                    (0x6020, 0x21, "Actual velocity", INT16, 16),
                    (0x6020, 0x22, "Actual drive time", UINT32, 32),
                ],
            ),
        ),
        (
            0x1A07,
            "STM Internal position",
            with(none(), &[(0x6010, 0x14, "Internal position", UINT32, 32)]),
        ),
        (
            0x1A08,
            "STM External position",
            with(none(), &[(0x6010, 0x15, "External position", UINT32, 32)]),
        ),
        (0x1600, "ENC Control compact", with(word(0x7000, &ENC_CONTROL), &counter(UINT16, 16))),
        (0x1601, "ENC Control", with(word(0x7000, &ENC_CONTROL), &counter(UINT32, 32))),
        (0x1602, "STM Control", word(0x7010, &STM_CONTROL)),
        (0x1603, "STM Position", with(none(), &[(0x7010, 0x11, "Position", UINT32, 32)])),
        (0x1604, "STM Velocity", with(none(), &[(0x7010, 0x21, "Velocity", INT16, 16)])),
        (0x1605, "POS Control compact", with(word(0x7020, &POS_CONTROL), &[target])),
        (
            0x1606,
            "POS Control",
            with(
                word(0x7020, &POS_CONTROL),
                &[
                    target,
                    (0x7020, 0x21, "Velocity", INT16, 16),
                    (0x7020, 0x22, "Start type", UINT16, 16),
                    (0x7020, 0x23, "Acceleration", UINT16, 16),
                    (0x7020, 0x24, "Deceleration", UINT16, 16),
                ],
            ),
        ),
        (0x1A04, "STM Synchron info data", {
            let data = |n, name| (0x6010, n, name, UINT16, 16);
            with(none(), &[data(0x11, "Info data 1"), data(0x12, "Info data 2")])
        }),
    ];
    let default = [0x1600, 0x1602, 0x1604, 0x1A00, 0x1A03];
    let pdo = |(index, name, entries): (u16, &str, Vec<PdoEntry>)| {
        let direction = if index < 0x1A00 { PdoDirection::Rx } else { PdoDirection::Tx };
        let pdo = fixed_pdo(direction, index, name, entries);
        Pdo { sync_manager: pdo.sync_manager.filter(|_| default.contains(&index)), ..pdo }
    };
    list.into_iter().map(pdo).collect()
}

pub(super) fn device(device: &DeviceDescription) -> Result<Built, DescriptionError> {
    let settings = match &device.program {
        Some(ProgramDescription::Stepper(settings)) => settings.as_ref().clone(),
        Some(_) => {
            return Err(DescriptionError::new("/program/kind", "this type runs a stepper"));
        }
        None => StepperDescription::default(),
    };
    let texts = ["Simulated", "EL7041-like", "Stepper terminal, simulated"];
    let mut sii = sii(simulated(0x1B81_3052), PDI_MICROCONTROLLER, texts, 140, PORTS_E_BUS);
    sii.size_bytes = EEPROM_BYTES;
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, false);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    sii.sync_managers.extend([
        sync_manager((OUTPUTS, 8, 0x24, 1), SyncManagerKind::ProcessDataOut),
        sync_manager((INPUTS, 8, 0x20, 1), SyncManagerKind::ProcessDataIn),
    ]);
    sii.pdos = pdos();
    sii.dc = vec![
        DcMode { name: "SM-Synchron".to_owned(), ..DcMode::default() },
        DcMode {
            name: "DC-Synchron".to_owned(),
            assign_activate: 0x0700,
            sync_0_cycle_factor: 1,
            ..DcMode::default()
        },
    ];
    Ok(Built {
        profile: Profile { port_descriptor: 0x0A, ..Chip::Et1100.profile() },
        mailbox: Some(mailbox(objects())),
        program: Some(ProgramDescription::Stepper(Box::new(settings))),
        ..Built::plain(sii)
    })
}

/// Settings with the defaults of the documentation, and what the counters hold, which PDOs carry whole or by half.
fn objects() -> Vec<ObjectDescription> {
    let on = |subindex, name, value| Row(subindex, name, BOOLEAN, value, true);
    let word = |subindex, name, value| Row(subindex, name, UNSIGNED16, value, true);
    let byte = |subindex, name, value| Row(subindex, name, UNSIGNED8, value, true);
    let double = |subindex, name, value| Row(subindex, name, UNSIGNED32, value, true);
    let short = |subindex, name, value| Row(subindex, name, INTEGER16, value, true);
    let flag = |subindex, name| Row(subindex, name, BOOLEAN, 0, false);
    let mut objects = vec![
        number(0x1000, "Device type", DEVICE_TYPE, false),
        text(0x1008, "Device name", "EL7041-like"),
        list(
            0x8000,
            "ENC Settings Ch.1",
            false,
            &[
                on(0x08, "Disable filter", 0),
                on(0x0A, "Enable micro increments", 0),
                on(0x0E, "Reversion of rotation", 0),
            ],
        ),
        list(
            0x8010,
            "STM Motor Settings Ch.1",
            false,
            &[
                word(0x01, "Maximal current", 5_000),
                word(0x02, "Reduced current", 2_500),
                word(0x03, "Nominal voltage", 50_000),
                word(0x04, "Motor coil resistance", 100),
                word(0x05, "Motor EMF", 0),
                word(0x06, "Motor fullsteps", 200),
                word(0x07, "Encoder increments (4-fold)", 4_096),
                word(0x09, "Start velocity", 0),
                word(0x10, "Drive on delay time", 100),
                word(0x11, "Drive off delay time", 150),
            ],
        ),
        list(
            0x8012,
            "STM Features Ch.1",
            false,
            &[
                byte(0x01, "Operation mode", 0),
                byte(0x05, "Speed range", 1),
                on(0x08, "Feedback type", 0),
                on(0x09, "Invert motor polarity", 0),
                on(0x30, "Invert digital input 1", 0),
                on(0x31, "Invert digital input 2", 0),
            ],
        ),
        list(
            0x8020,
            "POS Settings Ch.1",
            false,
            &[
                short(0x01, "Velocity min.", 100),
                short(0x02, "Velocity max.", 10_000),
                word(0x03, "Acceleration pos.", 1_000),
                word(0x04, "Acceleration neg.", 1_000),
                word(0x05, "Deceleration pos.", 1_000),
                word(0x06, "Deceleration neg.", 1_000),
                word(0x07, "Emergency deceleration", 100),
                double(0x08, "Calibration position", 0),
                short(0x09, "Calibration velocity (towards plc cam)", 100),
                short(0x0A, "Calibration velocity (off plc cam)", 10),
                word(0x0B, "Target window", 10),
                word(0x0C, "In-Target timeout", 1_000),
                double(0x0E, "Modulo factor", 0),
                word(0x10, "Position lag max.", 0),
            ],
        ),
        list(
            0x8021,
            "POS Features Ch.1",
            false,
            &[word(0x01, "Start type", 1), on(0x14, "Emergency stop on position lag error", 0)],
        ),
        list(
            0x9010,
            "STM Info data Ch.1",
            false,
            &[Row(0x08, "Motor velocity", INTEGER16, 0, false)],
        ),
        list(
            0x9020,
            "POS Info data Ch.1",
            false,
            &[Row(0x04, "Actual position lag", INTEGER32, 0, false)],
        ),
        list(
            0xA010,
            "STM Diag data Ch.1",
            false,
            &[flag(0x04, "Under voltage"), flag(0x05, "Over voltage"), flag(0x09, "Misc error")],
        ),
    ];
    objects.extend([
        image(
            0x6000,
            "ENC Inputs Ch.1",
            &ENC_STATUS,
            &[(0x11, "Counter value"), (0x12, "Latch value")],
        ),
        image(0x7000, "ENC Outputs Ch.1", &ENC_CONTROL, &[(0x11, "Set counter value")]),
    ]);
    objects
}

/// An object with flags and values of 32 bits; PDOs carry these whole, or their lower halves.
fn image(index: u16, name: &str, bits: &[Bit], values: &[Bit]) -> ObjectDescription {
    let output = index >= 0x7000;
    let flags = bits.iter().map(|&(subindex, name)| Row(subindex, name, BOOLEAN, 0, output));
    let values = values.iter().map(|&(subindex, name)| Row(subindex, name, UNSIGNED32, 0, output));
    let rows: Vec<Row> = flags.chain(values).collect();
    let mut object = list(index, name, false, &rows);
    let mapping = if output { MappingDescription::Output } else { MappingDescription::Input };
    for entry in object.entries.iter_mut().flatten() {
        entry.mapping = Some(mapping);
    }
    object
}
