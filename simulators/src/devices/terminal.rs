//! What built-in terminals have in common, and which file makes which of them.

use ecat_wire::sii::{
    Configuration, General, Pdo, PdoDirection, PdoEntry, Sii, SiiIdentity, SiiSyncManager,
    SyncManagerKind,
};

use super::{
    EEPROM_BYTES, SIMULATED_VENDOR_ID, akd, analogue_inputs, analogue_outputs, ax5206, counters,
    coupler, digital_inputs, digital_outputs, ek1914, el3632, el7041, ethernet_terminals, junction,
    known, lan9252, modular_coupler, safety, servo,
};
use crate::description::mailbox::MailboxDescription;
use crate::description::{DescriptionError, DeviceDescription, DeviceType, ProgramDescription};
use crate::esc::{Profile, Refusal};
use crate::mailbox::modules::Slots;

const CHANNELS_MAX: u16 = 64;
pub(super) const PROCESS_RAM: u16 = 0x1000;
/// Vendor of the real devices that built-in types are called after.
pub(super) const BECKHOFF: u32 = 0x0000_0002;

/// SII word 0 of the EL2004, EL2828 and EL2889: digital I/O, device emulation.
pub(super) const PDI_DIGITAL: u16 = 0x0104;
/// A microcontroller behind SPI, without device emulation.
pub(super) const PDI_MICROCONTROLLER: u16 = 0x0005;
/// Mandatory, fixed content: flags of every PDO of the EL2004, EL2828 and EL2889.
pub(super) const PDO_FLAGS: u16 = 0x0011;
/// Two E-bus ports.
pub(super) const PORTS_E_BUS: u16 = 0x0033;

/// Data types of PDO entries (ETG1020, base data types).
pub(super) const BOOL: u8 = 0x01;
pub(super) const INT16: u8 = 0x03;
pub(super) const INT32: u8 = 0x04;
pub(super) const UINT8: u8 = 0x05;
pub(super) const UINT16: u8 = 0x06;
pub(super) const UINT32: u8 = 0x07;
pub(super) const BIT2: u8 = 0x31;

/// What a built-in type is made of.
pub(super) struct Built {
    pub(super) sii: Sii,
    pub(super) profile: Profile,
    /// What its program does with mail.
    pub(super) mailbox: Option<MailboxDescription>,
    /// Whether its channels are its values alone: those of inputs have a status beside them.
    pub(super) values_only: bool,
    /// What it runs.
    pub(super) program: Option<ProgramDescription>,
    /// What its program refuses.
    pub(super) refusals: Vec<Refusal>,
    /// Its slots for modules.
    pub(super) slots: Option<Slots>,
}

impl Built {
    /// A device without a mailbox, with the chip that is known for its identity, or a terminal's.
    pub(super) fn plain(sii: Sii) -> Self {
        let profile = known::by_identity(&sii.identity).unwrap_or_else(known::terminal);
        Self {
            sii,
            profile,
            mailbox: None,
            values_only: false,
            program: None,
            refusals: Vec::new(),
            slots: None,
        }
    }
}

/// A built-in device but a generic one.
pub(super) fn device(
    device: &DeviceDescription,
    kind: DeviceType,
) -> Result<Built, DescriptionError> {
    if device.pdos.is_some() {
        return Err(DescriptionError::new("/pdos", "belongs to the type generic"));
    }
    let channels = channels(device, kind)?;
    Ok(match kind {
        DeviceType::Ek1100 => coupler::ek1100(),
        DeviceType::Ek1122 => junction::ek1122(),
        DeviceType::Cu1128Like => junction::cu1128(0),
        DeviceType::Cu1128Second => junction::cu1128(1),
        DeviceType::Cu1128Third => junction::cu1128(2),
        DeviceType::Ek1914 => ek1914::device(),
        DeviceType::El1004 => digital_inputs::el1004(),
        DeviceType::El1008Like => digital_inputs::like("EL1008-like", 0x03F0_3052, 8),
        DeviceType::El1018Like => digital_inputs::like("EL1018-like", 0x03FA_3052, 8),
        DeviceType::DigitalInputs => digital_inputs::simple(channels),
        DeviceType::El2004 => digital_outputs::el2004(),
        DeviceType::El2008Like => digital_outputs::like("EL2008-like", 0x07D8_3052, 8),
        DeviceType::El2809Like => digital_outputs::like("EL2809-like", 0x0AF9_3052, 16),
        DeviceType::El2828 => digital_outputs::el2828(),
        DeviceType::El2889 => digital_outputs::el2889(),
        DeviceType::DigitalOutputs => digital_outputs::simple(channels),
        DeviceType::El3004 => analogue_inputs::el3004(),
        DeviceType::El3102Like => analogue_inputs::el3102_like(),
        DeviceType::El3204Like => analogue_inputs::el3204_like(),
        DeviceType::El3602Like => analogue_inputs::el3602_like(),
        DeviceType::El3632Like => el3632::device(device)?,
        DeviceType::El3xxxLike => analogue_inputs::el3xxx_like(channels),
        DeviceType::AnalogueInputs => analogue_inputs::simple(channels),
        DeviceType::El1502Like => counters::el1502_like(),
        DeviceType::El5001Like => counters::el5001_like(),
        DeviceType::El5101Like => counters::el5101_like(),
        DeviceType::El1904Like => safety::el1904_like(),
        DeviceType::El2904Like => safety::el2904_like(),
        DeviceType::El4004Like => analogue_outputs::el4004_like(),
        DeviceType::El4132Like => analogue_outputs::el4132_like(),
        DeviceType::El4xxxLike => analogue_outputs::el4xxx_like(channels),
        DeviceType::AnalogueOutputs => analogue_outputs::simple(channels),
        DeviceType::Lan9252 => lan9252::device(),
        DeviceType::Akd => akd::device(),
        DeviceType::El6601Like => ethernet_terminals::el6601_like(),
        DeviceType::El6614Like => ethernet_terminals::el6614_like(),
        DeviceType::Ax5206Like => ax5206::device(),
        DeviceType::Servo => servo::device(device)?,
        DeviceType::El7041Like => el7041::device(device)?,
        DeviceType::ModularCoupler => modular_coupler::device(device)?,
        DeviceType::Generic | DeviceType::Stress => {
            return Err(DescriptionError::new("/type", "is no terminal"));
        }
    })
}

/// How many channels a type has that can have any number.
fn channels(device: &DeviceDescription, kind: DeviceType) -> Result<u16, DescriptionError> {
    let default = match kind {
        DeviceType::DigitalInputs | DeviceType::DigitalOutputs => 8,
        DeviceType::AnalogueInputs
        | DeviceType::AnalogueOutputs
        | DeviceType::El3xxxLike
        | DeviceType::El4xxxLike => 4,
        _ if device.channels.is_some() => {
            return Err(DescriptionError::new("/channels", "this type says how many it has"));
        }
        _ => 0,
    };
    let channels = device.channels.unwrap_or(default);
    if device.channels.is_some() && !(1..=CHANNELS_MAX).contains(&channels) {
        let message = format!("{channels} is not in 1 to {CHANNELS_MAX}");
        return Err(DescriptionError::new("/channels", message));
    }
    Ok(channels)
}

/// An SII without process data.
pub(super) fn sii(
    identity: (u32, u32, u32),
    pdi_control: u16,
    texts: [&str; 3],
    ebus_current_ma: i16,
    ports: u16,
) -> Sii {
    let (vendor_id, product_code, revision) = identity;
    let [group, order, name] = texts.map(str::to_owned);
    Sii {
        configuration: Configuration { pdi_control, checksum_ok: true, ..Configuration::default() },
        identity: SiiIdentity { vendor_id, product_code, revision, serial: 0 },
        size_bytes: EEPROM_BYTES,
        version: 1,
        general: Some(General { group, order, name, ebus_current_ma, ports, ..General::default() }),
        ..Sii::default()
    }
}

/// Identity of a terminal that is like a real one: nobody shall take it for that.
pub(super) const fn simulated(product_code: u32) -> (u32, u32, u32) {
    (SIMULATED_VENDOR_ID, product_code, 1)
}

pub(super) fn entry(
    index: u16,
    subindex: u8,
    name: &str,
    data_type: u8,
    bit_length: u8,
) -> PdoEntry {
    PdoEntry { index, subindex, name: name.to_owned(), data_type, bit_length, flags: 0 }
}

/// Bits that no object has.
pub(super) fn gap(bit_length: u8) -> PdoEntry {
    entry(0, 0, "", 0, bit_length)
}

/// A PDO whose entries cannot be changed, in SyncManager 2 or 3 by its direction.
pub(super) fn fixed_pdo(
    direction: PdoDirection,
    index: u16,
    name: &str,
    entries: Vec<PdoEntry>,
) -> Pdo {
    let sync_manager = Some(if direction == PdoDirection::Rx { 2 } else { 3 });
    let (name, flags) = (name.to_owned(), Pdo::FIXED_CONTENT);
    Pdo { direction, index, sync_manager, name, flags, entries, ..Pdo::default() }
}

/// A SyncManager as `(start, length, control, enable, kind)`.
pub(super) const fn sync_manager(
    (start, length, control, enable): (u16, u16, u8, u8),
    kind: SyncManagerKind,
) -> SiiSyncManager {
    SiiSyncManager { start, length, control, enable, kind }
}
