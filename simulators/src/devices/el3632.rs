//! Two inputs for vibration sensors like the EL3632: objects by the vendor's documentation of EL3632 and EP3632 ("Input data"),
//! PDOs and cycle times as ecmccfg configures the real one, ways to run the clock by a list of the real one's. Product code,
//! SyncManagers and what 0x6021 counts are assumed.

use ecat_wire::sii::{DcMode, FmmuUsage, Pdo, PdoDirection, PdoEntry, SyncManagerKind};

use super::objects::{add_mailboxes, mailbox, modular_device};
use super::programs::oversampling::{OversamplingDescription, SAMPLE_COUNTS, SAMPLES_MAX};
use super::terminal::{
    BIT2, BOOL, Built, INT16, PORTS_E_BUS, PROCESS_RAM, UINT16, entry, fixed_pdo, gap, sii,
    simulated, sync_manager,
};
use crate::description::{DescriptionError, DeviceDescription, ProgramDescription};
use crate::esc::{Chip, Profile};

const MAILBOX_BYTES: u16 = 128;
const OUTPUTS_START: u16 = PROCESS_RAM + 2 * MAILBOX_BYTES;
const INPUTS_START: u16 = OUTPUTS_START + 0x80;
const PDI_CONTROL: u16 = 0x0C05;
const EEPROM_BYTES: usize = 8192;
/// SDO, SDO information, PDO assignment, complete access.
const COE_DETAILS: u8 = 0x27;
const UINT64: u8 = 0x1B;
/// Profile of modules (ETG.5001): analogue inputs.
const ANALOGUE_INPUTS: u16 = 300;
/// SYNC0 and SYNC1.
const ASSIGN_ACTIVATE: u16 = 0x0730;

pub(super) fn device(device: &DeviceDescription) -> Result<Built, DescriptionError> {
    let settings = match &device.program {
        Some(ProgramDescription::Oversampling(settings)) => settings.clone(),
        Some(_) => {
            return Err(DescriptionError::new("/program/kind", "the type EL3632-like oversamples"));
        }
        None => OversamplingDescription::default(),
    };
    settings
        .check()
        .map_err(|error| DescriptionError { path: format!("/program{}", error.path), ..error })?;
    let samples = settings.samples.unwrap_or(1);
    let texts = ["AnaIn", "EL3632-like", "EL3632-like, simulated: 2 inputs with oversampling"];
    let mut sii = sii(simulated(0x0E30_3052), PDI_CONTROL, texts, 220, PORTS_E_BUS);
    sii.size_bytes = EEPROM_BYTES;
    add_mailboxes(&mut sii, MAILBOX_BYTES, COE_DETAILS, false);
    sii.fmmu_usage = vec![FmmuUsage::Outputs, FmmuUsage::Inputs, FmmuUsage::SyncManagerStatus];
    sii.pdos = (0..2).flat_map(|channel| channel_pdos(channel, samples)).collect();
    let next = entry(0x6020, 1, "NextSync1Time", UINT64, 64);
    sii.pdos.push(pdo(0x1A80, "NextSync1Time", true, vec![next]));
    let count = entry(0x6021, 1, "SampleCount", UINT16, 16);
    sii.pdos.push(pdo(0x1A81, "SampleCount", true, vec![count]));
    let assigned = sii.pdos.iter().filter(|pdo| pdo.sync_manager.is_some());
    let bits: usize = assigned.map(Pdo::bit_length).sum();
    let bytes = u16::try_from(bits.div_ceil(8)).unwrap_or(u16::MAX);
    sii.sync_managers.extend([
        sync_manager((OUTPUTS_START, 0, 0x24, 0), SyncManagerKind::ProcessDataOut),
        sync_manager((INPUTS_START, bytes, 0x20, 1), SyncManagerKind::ProcessDataIn),
    ]);
    sii.dc = SAMPLE_COUNTS.map(mode).to_vec();
    Ok(Built {
        profile: Profile { port_descriptor: 0x0A, ..Chip::Et1100.profile() },
        mailbox: Some(mailbox(modular_device("EL3632-like", ANALOGUE_INPUTS, 2))),
        program: Some(ProgramDescription::Oversampling(settings)),
        ..Built::plain(sii)
    })
}

/// The status of a channel and its samples, each a PDO.
fn channel_pdos(channel: u16, samples: u8) -> Vec<Pdo> {
    let (pdos, object) = (0x1A00 + channel * 0x40, 0x6000 + channel * 0x10);
    let bit = |subindex, name| entry(object, subindex, name, BOOL, 1);
    let status = vec![
        bit(0x01, "Underrange"),
        bit(0x02, "Overrange"),
        entry(object, 0x03, "Limit 1", BIT2, 2),
        entry(object, 0x05, "Limit 2", BIT2, 2),
        bit(0x07, "Error"),
        gap(6),
        bit(0x0E, "Sync error"),
        bit(0x0F, "TxPDO State"),
        bit(0x10, "TxPDO Toggle"),
    ];
    let mut all = vec![pdo(pdos, &format!("Ch{} Status", channel + 1), true, status)];
    all.extend((1..=SAMPLES_MAX).map(|n| {
        let name = format!("Ch{} Sample {}", channel + 1, n - 1);
        let sample = entry(object + 1, n, &name, INT16, 16);
        pdo(pdos + u16::from(n), &name, n <= samples, vec![sample])
    }));
    all
}

fn pdo(index: u16, name: &str, assigned: bool, entries: Vec<PdoEntry>) -> Pdo {
    let sync_manager = assigned.then_some(3);
    Pdo { sync_manager, ..fixed_pdo(PdoDirection::Tx, index, name, entries) }
}

/// SYNC0 takes samples, that many a cycle; SYNC1 hands them over.
fn mode(samples: u8) -> DcMode {
    DcMode {
        name: format!("DcSync{samples}"),
        assign_activate: ASSIGN_ACTIVATE,
        sync_0_cycle_factor: -i16::from(samples),
        sync_1_cycle_factor: i16::from(samples),
        ..DcMode::default()
    }
}
