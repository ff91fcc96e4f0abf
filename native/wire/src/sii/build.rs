use super::category::CategoryKind;
use super::checksum::checksum;
use super::{
    CATEGORIES_START_BYTES, FmmuUsage, MailboxAreas, OtherCategory, Pdo, PdoDirection, Sii,
    SiiError, SyncManagerKind,
};

const GENERAL_BYTES: usize = 32;
/// The size word counts kilobits from 1 in 16 bits.
const SIZE_BYTES_MAX: usize = 128 << 16;
const STRINGS_MAX: usize = 255;

/// Writes the image that [`Sii::parse`] reads back as `sii`: fixed part with CRC, strings, general, FMMU
/// usage, SyncManagers, one section of all TxPDOs, one of all RxPDOs, and DC modes, in this order; 0xFF
/// behind. Of [`Sii::others`], those of a device or a vendor stand before the strings and the rest behind the
/// SyncManagers, as in real images. It is at least [`Sii::size_bytes`] long, rounded up to whole kilobits (128 bytes).
///
/// The strings begin with [`Sii::strings`], and those that something else names follow.
/// [`Configuration::checksum_ok`](super::Configuration::checksum_ok) `false` writes a wrong CRC.
///
/// # Errors
/// [`SiiError::TooMany`] and [`SiiError::Text`] for what no image can hold.
pub fn build(sii: &Sii) -> Result<Vec<u8>, SiiError> {
    let mut strings = Strings::default();
    for text in &sii.strings {
        strings.append(text)?;
    }
    let mut categories = Vec::new();
    if let Some(general) = general(sii, &mut strings)? {
        push_category(&mut categories, CategoryKind::General, &general)?;
    }
    push_category(&mut categories, CategoryKind::FmmuUsage, &fmmu_usage(sii))?;
    push_category(&mut categories, CategoryKind::SyncManagers, &sync_managers(sii))?;
    for other in sii.others.iter().filter(|other| !stands_first(other)) {
        push_category(&mut categories, CategoryKind::Other(other.code), &other.content)?;
    }
    for (kind, direction) in
        [(CategoryKind::TxPdos, PdoDirection::Tx), (CategoryKind::RxPdos, PdoDirection::Rx)]
    {
        let mut content = Vec::new();
        for pdo in sii.pdos.iter().filter(|pdo| pdo.direction == direction) {
            push_pdo(&mut content, pdo, &mut strings)?;
        }
        push_category(&mut categories, kind, &content)?;
    }
    push_category(&mut categories, CategoryKind::DcModes, &dc_modes(sii, &mut strings)?)?;

    let mut image = vec![0; CATEGORIES_START_BYTES];
    for other in sii.others.iter().filter(|other| stands_first(other)) {
        push_category(&mut image, CategoryKind::Other(other.code), &other.content)?;
    }
    push_category(&mut image, CategoryKind::Strings, &strings.content())?;
    image.append(&mut categories);
    image.extend_from_slice(&[0xFF, 0xFF]);
    let size = image.len().max(sii.size_bytes).next_multiple_of(128);
    if size > SIZE_BYTES_MAX {
        return Err(SiiError::TooMany { what: "bytes", count: size, limit: SIZE_BYTES_MAX });
    }
    image.resize(size, 0xFF);
    write_fixed_part(&mut image, sii);
    Ok(image)
}

/// Whether a category is a device's (1 to 9) or a vendor's.
const fn stands_first(other: &OtherCategory) -> bool {
    matches!(other.code, 0..=9 | 0x0800..)
}

fn write_fixed_part(image: &mut [u8], sii: &Sii) {
    let size = u16::try_from(image.len() / 128 - 1).unwrap_or(u16::MAX);
    let mut put = |index: usize, word: u16| {
        image[index * 2..index * 2 + 2].copy_from_slice(&word.to_le_bytes());
    };
    let configuration = &sii.configuration;
    put(0, configuration.pdi_control);
    put(1, configuration.pdi_configuration);
    put(2, configuration.sync_pulse_length);
    put(3, configuration.pdi_configuration_2);
    put(4, configuration.station_alias);
    put(5, configuration.reserved[0]);
    put(6, configuration.reserved[1]);
    let identity = &sii.identity;
    let numbers = [identity.vendor_id, identity.product_code, identity.revision, identity.serial];
    for (n, number) in numbers.into_iter().enumerate() {
        let [a, b, c, d] = number.to_le_bytes();
        put(0x08 + 2 * n, u16::from_le_bytes([a, b]));
        put(0x09 + 2 * n, u16::from_le_bytes([c, d]));
    }
    let mut put_mailboxes = |first: usize, areas: &MailboxAreas| {
        put(first, areas.receive_offset);
        put(first + 1, areas.receive_size);
        put(first + 2, areas.send_offset);
        put(first + 3, areas.send_size);
    };
    put_mailboxes(0x14, &sii.boot_mailbox);
    put_mailboxes(0x18, &sii.mailbox);
    put(0x1C, sii.protocols);
    put(0x3E, size);
    put(0x3F, sii.version);
    let crc = checksum(&image[..14]);
    image[14] = if configuration.checksum_ok { crc } else { !crc };
}

/// The table of strings while it is being made; an index counts from 1, 0 is the empty string.
#[derive(Default)]
struct Strings {
    texts: Vec<Vec<u8>>,
}

impl Strings {
    fn append(&mut self, text: &str) -> Result<(), SiiError> {
        let bytes = encode(text)?;
        if self.texts.len() == STRINGS_MAX {
            return Err(SiiError::TooMany {
                what: "strings",
                count: STRINGS_MAX + 1,
                limit: STRINGS_MAX,
            });
        }
        self.texts.push(bytes);
        Ok(())
    }

    fn index(&mut self, text: &str) -> Result<u8, SiiError> {
        if text.is_empty() {
            return Ok(0);
        }
        let bytes = encode(text)?;
        let position = match self.texts.iter().position(|known| *known == bytes) {
            Some(position) => position,
            None => {
                self.append(text)?;
                self.texts.len() - 1
            }
        };
        Ok(u8::try_from(position + 1).unwrap_or(0))
    }

    fn content(&self) -> Vec<u8> {
        if self.texts.is_empty() {
            return Vec::new();
        }
        let byte = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let mut content = vec![byte(self.texts.len())];
        for text in &self.texts {
            content.push(byte(text.len()));
            content.extend_from_slice(text);
        }
        content
    }
}

/// ISO 8859-1, at most 255 characters.
fn encode(text: &str) -> Result<Vec<u8>, SiiError> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect::<Option<Vec<u8>>>()
        .filter(|bytes| bytes.len() <= usize::from(u8::MAX))
        .ok_or_else(|| SiiError::Text { text: text.to_owned() })
}

/// Adds a category, padded to whole words with 0xFF; an empty one is left out.
fn push_category(image: &mut Vec<u8>, kind: CategoryKind, content: &[u8]) -> Result<(), SiiError> {
    if content.is_empty() {
        return Ok(());
    }
    let words = content.len().div_ceil(2);
    let length = u16::try_from(words).map_err(|_| SiiError::TooMany {
        what: "words in a category",
        count: words,
        limit: usize::from(u16::MAX),
    })?;
    image.extend_from_slice(&kind.code().to_le_bytes());
    image.extend_from_slice(&length.to_le_bytes());
    image.extend_from_slice(content);
    if !content.len().is_multiple_of(2) {
        image.push(0xFF);
    }
    Ok(())
}

fn general(sii: &Sii, strings: &mut Strings) -> Result<Option<[u8; GENERAL_BYTES]>, SiiError> {
    let Some(general) = &sii.general else { return Ok(None) };
    let mut bytes = [0; GENERAL_BYTES];
    // Real images have the order text as string 1, which SOEM takes for the device's name.
    bytes[2] = strings.index(&general.order)?;
    bytes[0] = strings.index(&general.group)?;
    bytes[0x0E] = strings.index(&general.group_name)?;
    bytes[3] = strings.index(&general.name)?;
    bytes[1] = strings.index(&general.image)?;
    bytes[5] = general.coe_details;
    bytes[6] = general.foe_details;
    bytes[7] = general.eoe_details;
    bytes[8] = general.soe_channels;
    bytes[9] = general.ds402_channels;
    bytes[0x0B] = general.flags;
    bytes[0x0C..0x0E].copy_from_slice(&general.ebus_current_ma.to_le_bytes());
    bytes[0x10..0x12].copy_from_slice(&general.ports.to_le_bytes());
    bytes[0x12..0x14].copy_from_slice(&general.identification_address.to_le_bytes());
    Ok(Some(bytes))
}

fn fmmu_usage(sii: &Sii) -> Vec<u8> {
    sii.fmmu_usage
        .iter()
        .map(|usage| match *usage {
            FmmuUsage::Unused => 0,
            FmmuUsage::Outputs => 1,
            FmmuUsage::Inputs => 2,
            FmmuUsage::SyncManagerStatus => 3,
            FmmuUsage::Other(code) => code,
        })
        .collect()
}

fn sync_managers(sii: &Sii) -> Vec<u8> {
    let mut content = Vec::new();
    for sync_manager in &sii.sync_managers {
        let [start_low, start_high] = sync_manager.start.to_le_bytes();
        let [length_low, length_high] = sync_manager.length.to_le_bytes();
        let kind = match sync_manager.kind {
            SyncManagerKind::Unused => 0,
            SyncManagerKind::MailboxOut => 1,
            SyncManagerKind::MailboxIn => 2,
            SyncManagerKind::ProcessDataOut => 3,
            SyncManagerKind::ProcessDataIn => 4,
        };
        let (control, enable) = (sync_manager.control, sync_manager.enable);
        content.extend_from_slice(&[
            start_low,
            start_high,
            length_low,
            length_high,
            control,
            0,
            enable,
            kind,
        ]);
    }
    content
}

fn push_pdo(content: &mut Vec<u8>, pdo: &Pdo, strings: &mut Strings) -> Result<(), SiiError> {
    let count = u8::try_from(pdo.entries.len()).map_err(|_| SiiError::TooMany {
        what: "entries in a PDO",
        count: pdo.entries.len(),
        limit: usize::from(u8::MAX),
    })?;
    content.extend_from_slice(&pdo.index.to_le_bytes());
    content.extend_from_slice(&[
        count,
        pdo.sync_manager.unwrap_or(0xFF),
        pdo.synchronization,
        strings.index(&pdo.name)?,
    ]);
    content.extend_from_slice(&pdo.flags.to_le_bytes());
    for entry in &pdo.entries {
        content.extend_from_slice(&entry.index.to_le_bytes());
        content.extend_from_slice(&[
            entry.subindex,
            strings.index(&entry.name)?,
            entry.data_type,
            entry.bit_length,
        ]);
        content.extend_from_slice(&entry.flags.to_le_bytes());
    }
    Ok(())
}

fn dc_modes(sii: &Sii, strings: &mut Strings) -> Result<Vec<u8>, SiiError> {
    let mut content = Vec::new();
    for mode in &sii.dc {
        content.extend_from_slice(&mode.cycle_time_0_ns.to_le_bytes());
        content.extend_from_slice(&mode.shift_time_0_ns.to_le_bytes());
        content.extend_from_slice(&mode.shift_time_1_ns.to_le_bytes());
        content.extend_from_slice(&mode.sync_1_cycle_factor.to_le_bytes());
        content.extend_from_slice(&mode.assign_activate.to_le_bytes());
        content.extend_from_slice(&mode.sync_0_cycle_factor.to_le_bytes());
        content.extend_from_slice(&[strings.index(&mode.name)?, strings.index(&mode.description)?]);
        content.extend_from_slice(&[0; 4]);
    }
    Ok(content)
}
