//! The SII image that a device's description leads to (ETG2010; what it leaves open, by images of real devices).

use ecat_wire::sii::{
    self, Configuration, DcMode, FmmuUsage, General, MailboxAreas, OtherCategory, Pdo,
    PdoDirection, PdoEntry, Sii, SiiError, SiiIdentity, SiiSyncManager, SyncManagerKind,
};

use crate::configured::ConfiguredDevice;
use crate::dc::OpMode;
use crate::info::PortKind;
use crate::sync_manager::SyncUnit;

/// Bytes of an EEPROM whose size is not said: those of most devices.
const SIZE_BYTES: usize = 2048;
const CONFIGURATION_BYTES: usize = 14;
const STRINGS_MAX: usize = 255;
const TEXT_CHARS_MAX: usize = 255;
/// Subindices of a mapping object.
const ENTRIES_MAX: usize = 254;
/// Whole bytes that the length of one entry can say.
const ENTRY_BITS_MAX: u16 = 248;
/// Word 0 of a device that says nothing: digital I/O whose AL status follows AL control, as simple terminals have.
const PDI_DIGITAL: u16 = 0x0104;
/// Word 0 of a device with objects or mailboxes that says nothing: a microcontroller behind SPI.
const PDI_MICROCONTROLLER: u16 = 0x0005;
const SYNC_UNITS: u16 = 43;
/// A SyncUnit without properties, in every image seen of a device with SyncManagers. The upper half is not documented.
const SYNC_UNIT: u8 = 0xF0;
const ENABLED: u8 = 0x01;

/// What is written into a device's EEPROM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiiImage {
    /// What it says.
    pub sii: Sii,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What of the file an image cannot hold, and what was made of it.
    pub notes: Vec<String>,
}

impl ConfiguredDevice {
    /// The image of the device's EEPROM. PDOs of modules are in it only where there is no CoE to read them by: an
    /// EEPROM is written once, and modules come and go.
    ///
    /// # Errors
    /// [`SiiError`] for a device that no EEPROM can hold.
    pub fn sii(&self) -> Result<SiiImage, SiiError> {
        self.image(false)
    }

    /// The same for a MainDevice that reads nothing but the EEPROM: with the PDOs of its modules in any case, and with
    /// every SyncManager enabled that carries something.
    ///
    /// # Errors
    /// [`SiiError`] for a device that no EEPROM can hold.
    pub fn self_contained_sii(&self) -> Result<SiiImage, SiiError> {
        self.image(true)
    }

    fn image(&self, self_contained: bool) -> Result<SiiImage, SiiError> {
        if let Some(data) = &self.device.eeprom.data {
            let sii = Sii::parse(data)?;
            return Ok(SiiImage { sii, bytes: data.clone(), notes: Vec::new() });
        }
        let mut writer = Writer { device: self, notes: Vec::new() };
        let mut described = writer.describe(self_contained || self.device.mailbox.coe.is_none());
        if self_contained {
            writer.enable_used(&mut described);
        }
        writer.fit_texts(&mut described);
        let bytes = sii::build(&described)?;
        if self.device.eeprom.bytes > 0 && bytes.len() > self.device.eeprom.bytes {
            writer.notes.push(format!(
                "the image has {} bytes, more than the {} of the EEPROM",
                bytes.len(),
                self.device.eeprom.bytes
            ));
        }
        Ok(SiiImage { sii: Sii::parse(&bytes)?, bytes, notes: writer.notes })
    }

    /// What the image would say if it had the PDOs of all modules as well: what the device exchanges.
    #[must_use]
    pub fn process_image(&self) -> Sii {
        Writer { device: self, notes: Vec::new() }.describe(true)
    }
}

struct Writer<'a> {
    device: &'a ConfiguredDevice,
    notes: Vec<String>,
}

impl Writer<'_> {
    fn describe(&mut self, with_modules: bool) -> Sii {
        let ConfiguredDevice { device, vendor, .. } = self.device;
        let sync_managers = self.sync_managers();
        let pdos = if with_modules {
            &self.device.pdos
        } else {
            &self.device.pdos[..self.device.own_pdos.min(self.device.pdos.len())]
        };
        let boot: Vec<u8> = device.eeprom.boot_strap.clone().unwrap_or_default();
        let boot_word = |n: usize| {
            let low = boot.get(2 * n).copied().unwrap_or(0);
            u16::from_le_bytes([low, boot.get(2 * n + 1).copied().unwrap_or(0)])
        };
        let mut described = Sii {
            configuration: self.configuration(),
            identity: SiiIdentity {
                vendor_id: vendor.id,
                product_code: device.product_code,
                revision: device.revision,
                serial: device.serial,
            },
            boot_mailbox: MailboxAreas {
                receive_offset: boot_word(0),
                receive_size: boot_word(1),
                send_offset: boot_word(2),
                send_size: boot_word(3),
            },
            mailbox: mailboxes(&sync_managers),
            protocols: device.mailbox.protocols(),
            size_bytes: if device.eeprom.bytes == 0 { SIZE_BYTES } else { device.eeprom.bytes },
            version: 1,
            general: Some(self.general()),
            fmmu_usage: device.fmmus.iter().map(|fmmu| fmmu.usage).collect(),
            sync_managers,
            // As an image has them: TxPDOs first.
            pdos: [PdoDirection::Tx, PdoDirection::Rx]
                .into_iter()
                .flat_map(|direction| pdos.iter().filter(move |pdo| pdo.direction == direction))
                .map(|pdo| pdo_of(pdo, self.device.language, &mut self.notes))
                .collect(),
            dc: device.dc.iter().flat_map(|dc| &dc.modes).map(mode).collect(),
            strings: Vec::new(),
            others: self.others(),
        };
        while described.fmmu_usage.last() == Some(&FmmuUsage::Unused) {
            described.fmmu_usage.pop();
        }
        described
    }

    fn configuration(&mut self) -> Configuration {
        let device = &self.device.device;
        let mut words = [0_u16; 7];
        match &device.eeprom.configuration {
            Some(bytes) => {
                let bytes = &bytes[..bytes.len().min(CONFIGURATION_BYTES)];
                for (word, pair) in words.iter_mut().zip(bytes.chunks(2)) {
                    *word = u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
                }
            }
            None => {
                let simple = device.sync_managers.iter().all(|one| !one.is_mailbox())
                    && device.dictionaries().next().is_none();
                words[0] = if simple { PDI_DIGITAL } else { PDI_MICROCONTROLLER };
                self.notes.push(format!(
                    "the file has no ConfigData; word 0 of the EEPROM is assumed to be {:#06x}",
                    words[0]
                ));
            }
        }
        let [pdi_control, pdi_configuration, sync_pulse_length, pdi_configuration_2, ..] = words;
        Configuration {
            pdi_control,
            pdi_configuration,
            sync_pulse_length,
            pdi_configuration_2,
            station_alias: words[4],
            reserved: [words[5], words[6]],
            checksum_ok: true,
        }
    }

    fn general(&self) -> General {
        let ConfiguredDevice { device, group_name, language, .. } = self.device;
        let mailbox = &device.mailbox;
        let coe_details = mailbox.coe.as_ref().map_or(0, |coe| {
            1 | u8::from(coe.sdo_information) << 1
                | u8::from(coe.pdo_assignment) << 2
                | u8::from(coe.pdo_configuration) << 3
                | u8::from(coe.pdo_upload) << 4
                | u8::from(coe.complete_access) << 5
        });
        let axes = device.profiles.iter().flat_map(|profile| &profile.channels);
        let axes = axes.filter(|(number, _)| *number == 402).count();
        let identification = &device.info.identification;
        let flags = u8::from(device.info.behavior.start_to_safe_op_no_sync)
            | u8::from(device.without_lrw) << 1
            | u8::from(mailbox.data_link_layer) << 2
            | u8::from(identification.by_al_status) << 3
            | u8::from(identification.address.is_some()) << 4;
        let ports = (0..).zip(&device.ports).fold(0, |all, (n, port)| {
            let kind: u16 = match port {
                PortKind::None => 0,
                PortKind::Mii => 1,
                PortKind::Ebus => 3,
                PortKind::FastHotConnect => 4,
            };
            all | kind << (4 * n)
        });
        General {
            group: device.group.clone(),
            image: device.image.clone(),
            order: device.r#type.clone(),
            name: device.name.get(*language).to_owned(),
            group_name: group_name.clone(),
            coe_details,
            foe_details: u8::from(mailbox.foe),
            // Bit 1 in the image of an AKD, whose file says IP="0" MAC="1".
            eoe_details: mailbox.eoe.map_or(0, |eoe| 1 | u8::from(eoe.mac) << 1),
            soe_channels: mailbox.soe.as_ref().and_then(|soe| soe.channels).unwrap_or(0),
            ds402_channels: mailbox
                .coe
                .as_ref()
                .and_then(|coe| coe.ds402_channels)
                .unwrap_or_else(|| u8::try_from(axes).unwrap_or(u8::MAX)),
            flags,
            ebus_current_ma: device.info.ebus_current_ma,
            ports,
            identification_address: identification.address.unwrap_or(0),
        }
    }

    fn sync_managers(&mut self) -> Vec<SiiSyncManager> {
        let described = self.device.device.sync_managers.iter();
        described
            .map(|one| {
                let mut enable = one.enable_byte();
                if one.is_mailbox() && one.default_size == 0 && enable & ENABLED != 0 {
                    // A mailbox that has no size is off (ETG2000, Sm@Enable).
                    enable &= !ENABLED;
                    let note = "a mailbox without DefaultSize is left disabled".to_owned();
                    if !self.notes.contains(&note) {
                        self.notes.push(note);
                    }
                }
                SiiSyncManager {
                    start: one.start,
                    length: one.default_size,
                    control: one.control,
                    enable,
                    kind: one.kind,
                }
            })
            .collect()
    }

    /// Some files disable what carries mail or PDOs, as an empty coupler has it: a configurator knows better, ethercrab
    /// and SOEM write what the EEPROM says.
    fn enable_used(&mut self, described: &mut Sii) {
        let Sii { sync_managers, pdos, protocols, .. } = described;
        for (number, one) in (0..=u8::MAX).zip(sync_managers) {
            let used = match one.kind {
                SyncManagerKind::MailboxOut | SyncManagerKind::MailboxIn => {
                    *protocols != 0 && one.length > 0
                }
                SyncManagerKind::Unused => false,
                _ => {
                    pdos.iter().any(|pdo| pdo.sync_manager == Some(number) && pdo.bit_length() > 0)
                }
            };
            if used && !one.is_enabled() {
                one.enable |= ENABLED;
                self.notes.push(format!(
                    "SyncManager {number} is disabled in the file and used; it is enabled in the EEPROM"
                ));
            }
        }
    }

    fn others(&self) -> Vec<OtherCategory> {
        let device = &self.device.device;
        let mut others: Vec<OtherCategory> = device
            .eeprom
            .categories
            .iter()
            .map(|one| OtherCategory { code: one.code, content: one.content.clone() })
            .collect();
        if !device.sync_managers.is_empty() {
            let mut content: Vec<u8> = device.sync_units.iter().map(sync_unit).collect();
            if content.is_empty() {
                content.push(SYNC_UNIT);
            }
            others.push(OtherCategory { code: SYNC_UNITS, content });
        }
        others
    }

    /// Puts texts in the order of real images, and makes of each what an image can hold: ISO 8859-1, 255 characters,
    /// and 255 of them. Names of entries are the last to come.
    fn fit_texts(&mut self, described: &mut Sii) {
        let mut strings: Vec<String> = Vec::new();
        let (mut changed, mut dropped) = (0_usize, 0_usize);
        let mut fit = |text: &mut String| {
            let fitting: String = text
                .chars()
                .take(TEXT_CHARS_MAX)
                .map(|c| if u32::from(c) < 0x100 { c } else { '?' })
                .collect();
            if fitting != *text {
                changed += 1;
                *text = fitting;
            }
            if text.is_empty() || strings.contains(text) {
                return;
            }
            if strings.len() == STRINGS_MAX {
                dropped += 1;
                text.clear();
            } else {
                strings.push(text.clone());
            }
        };
        if let Some(general) = &mut described.general {
            fit(&mut general.order);
            fit(&mut general.group);
            fit(&mut general.group_name);
            fit(&mut general.name);
            fit(&mut general.image);
        }
        described.dc.iter_mut().for_each(|mode| fit(&mut mode.name));
        for pdo in &mut described.pdos {
            fit(&mut pdo.name);
            pdo.entries.iter_mut().for_each(|entry| fit(&mut entry.name));
        }
        described.strings = strings;
        if changed > 0 {
            self.notes.push(format!(
                "{changed} texts are longer than 255 characters, or not in ISO 8859-1; they are cut, \
                 and ? stands for what an image cannot hold"
            ));
        }
        if dropped > 0 {
            self.notes.push(format!(
                "an image holds 255 texts; {dropped} names of PDOs and entries are left out"
            ));
        }
    }
}

fn mailboxes(sync_managers: &[SiiSyncManager]) -> MailboxAreas {
    let area = |kind: SyncManagerKind| {
        let found = sync_managers.iter().find(|one| one.kind == kind && one.length > 0);
        found.map_or((0, 0), |one| (one.start, one.length))
    };
    let (receive_offset, receive_size) = area(SyncManagerKind::MailboxOut);
    let (send_offset, send_size) = area(SyncManagerKind::MailboxIn);
    MailboxAreas { receive_offset, receive_size, send_offset, send_size }
}

fn sync_unit(one: &SyncUnit) -> u8 {
    SYNC_UNIT
        | u8::from(one.separate)
        | u8::from(one.separate_frame) << 1
        | u8::from(one.depends_on_input_state) << 2
        | u8::from(one.frame_repeat) << 3
}

/// Flags of PDOs (ETG2010, "PDO category"). Bit 1 ("default") is in no image seen, whatever `Sm` says.
fn pdo_flags(pdo: &crate::Pdo) -> u16 {
    let bits = [
        (0x0001, pdo.mandatory),
        (Pdo::FIXED_CONTENT, pdo.fixed),
        (0x0020, pdo.r#virtual),
        (0x0200, pdo.index.depends_on_slot),
        (0x0400, pdo.index.depends_on_group),
        (0x0800, pdo.index.overwritten_by_module),
    ];
    bits.into_iter().filter(|(_, there)| *there).fold(0, |all, (bit, _)| all | bit)
}

fn pdo_of(pdo: &crate::Pdo, language: u32, notes: &mut Vec<String>) -> Pdo {
    let mut entries = Vec::with_capacity(pdo.entries.len());
    let mut split = false;
    for entry in &pdo.entries {
        let mut left = entry.bits;
        split |= left > u16::from(u8::MAX);
        while left > 0 {
            let bits = if left > u16::from(u8::MAX) { ENTRY_BITS_MAX } else { left };
            entries.push(PdoEntry {
                index: entry.index.base,
                subindex: entry.subindex,
                name: entry.name.get(language).to_owned(),
                data_type: u8::try_from(entry.type_code()).unwrap_or(0),
                bit_length: u8::try_from(bits).unwrap_or(u8::MAX),
                flags: 0,
            });
            left -= bits;
        }
    }
    let index = pdo.index.base;
    if split {
        notes.push(format!(
            "PDO {index:#06x} has entries of more than 255 bits; each is in several pieces"
        ));
    }
    if entries.len() > ENTRIES_MAX {
        notes.push(format!(
            "PDO {index:#06x} has more than 254 entries; the last ones are left out"
        ));
        entries.truncate(ENTRIES_MAX);
    }
    Pdo {
        direction: pdo.direction,
        index,
        sync_manager: pdo.sync_manager,
        synchronization: 0,
        name: pdo.name.get(language).to_owned(),
        flags: pdo_flags(pdo),
        entries,
    }
}

fn mode(mode: &OpMode) -> DcMode {
    DcMode {
        cycle_time_0_ns: mode.sync0.cycle_ns,
        shift_time_0_ns: mode.sync0.shift_ns.cast_unsigned(),
        shift_time_1_ns: mode.sync1.shift_ns.cast_unsigned(),
        sync_1_cycle_factor: mode.sync1.factor.unwrap_or(0),
        assign_activate: mode.assign_activate,
        // 1 in the image of an AKD, in a mode that does not use the clock.
        sync_0_cycle_factor: mode.sync0.factor.unwrap_or(1),
        name: mode.name.clone(),
        // Images have an index for it and leave it 0, whatever `Desc` says.
        description: String::new(),
    }
}
