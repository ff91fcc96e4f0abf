use super::category::{CategoryKind, categories};
use super::checksum::{CHECKSUM_BYPASS, checksum};
use super::{
    CATEGORIES_START_BYTES, Configuration, DcMode, FmmuUsage, General, MailboxAreas, OtherCategory,
    Pdo, PdoDirection, PdoEntry, Sii, SiiError, SiiIdentity, SiiSyncManager, SyncManagerKind,
};

/// Up to here an image must be more than one filler byte: 32 category headers of nothing.
const BLANK_END_BYTES: usize = CATEGORIES_START_BYTES + 32 * 4;
/// From here on: bench set-ups leave something in the words before (a vendor, a configuration).
const BLANK_START_BYTES: usize = 0x14;

const GENERAL_BYTES: usize = 20;
/// Up to the E-bus current: early images stop there.
const GENERAL_BYTES_MIN: usize = 14;
const SYNC_MANAGER_BYTES: usize = 8;
const PDO_HEADER_BYTES: usize = 8;
const PDO_ENTRY_BYTES: usize = 8;
const DC_MODE_BYTES: usize = 24;

impl Sii {
    /// Reads an image. Categories may stand in any order, unknown ones are skipped, several PDO sections of
    /// one direction are joined. A string index without a string reads as the empty string. The checksum
    /// does not decide: see [`Configuration::checksum_ok`].
    ///
    /// # Errors
    /// [`SiiError::Blank`] for an EEPROM that was never written, [`SiiError::Truncated`] for an image, or a
    /// category in it, that ends too early.
    pub fn parse(image: &[u8]) -> Result<Self, SiiError> {
        if is_blank(image) {
            return Err(SiiError::Blank);
        }
        if image.len() < CATEGORIES_START_BYTES {
            return Err(SiiError::Truncated {
                what: "fixed part",
                offset: 0,
                needed: CATEGORIES_START_BYTES,
                available: image.len(),
            });
        }
        let mut sii = fixed_part(image);
        // The strings first: whatever refers to them may stand before them.
        for category in categories(image) {
            let category = category?;
            if category.kind == CategoryKind::Strings && sii.strings.is_empty() {
                sii.strings = strings(category.content, category.offset)?;
            }
        }
        for category in categories(image) {
            let category = category?;
            let mut cursor = Cursor { bytes: category.content, offset: category.offset };
            match category.kind {
                CategoryKind::General => sii.general = Some(general(&cursor, &sii.strings)?),
                CategoryKind::FmmuUsage => sii.fmmu_usage = fmmu_usage(category.content),
                CategoryKind::SyncManagers => {
                    while cursor.has(SYNC_MANAGER_BYTES, "SyncManager")? {
                        sii.sync_managers.push(sync_manager(cursor.take("SyncManager")?));
                    }
                }
                CategoryKind::TxPdos => pdos(&mut cursor, PdoDirection::Tx, &mut sii)?,
                CategoryKind::RxPdos => pdos(&mut cursor, PdoDirection::Rx, &mut sii)?,
                CategoryKind::DcModes => {
                    while cursor.has(DC_MODE_BYTES, "DC mode")? {
                        let mode = dc_mode(cursor.take("DC mode")?, &sii.strings);
                        sii.dc.push(mode);
                    }
                }
                CategoryKind::Strings => {}
                CategoryKind::Other(code) => {
                    let content = category.content.to_vec();
                    sii.others.push(OtherCategory { code, content });
                }
            }
        }
        Ok(sii)
    }
}

fn is_blank(image: &[u8]) -> bool {
    let Some(window) = image.get(BLANK_START_BYTES..BLANK_END_BYTES.min(image.len())) else {
        return false;
    };
    !window.is_empty()
        && (window.iter().all(|byte| *byte == 0x00) || window.iter().all(|byte| *byte == 0xFF))
}

fn word(bytes: &[u8], index: usize) -> u16 {
    u16::from_le_bytes([bytes[index * 2], bytes[index * 2 + 1]])
}

fn double_word(bytes: &[u8], index: usize) -> u32 {
    u32::from(word(bytes, index)) | u32::from(word(bytes, index + 1)) << 16
}

/// Reads the words below 0x40, which are known to be there.
fn fixed_part(image: &[u8]) -> Sii {
    let stored = word(image, 7);
    let mailboxes = |first| MailboxAreas {
        receive_offset: word(image, first),
        receive_size: word(image, first + 1),
        send_offset: word(image, first + 2),
        send_size: word(image, first + 3),
    };
    Sii {
        configuration: Configuration {
            pdi_control: word(image, 0),
            pdi_configuration: word(image, 1),
            sync_pulse_length: word(image, 2),
            pdi_configuration_2: word(image, 3),
            station_alias: word(image, 4),
            reserved: [word(image, 5), word(image, 6)],
            checksum_ok: stored & 0xFF == u16::from(checksum(&image[..14]))
                || stored == CHECKSUM_BYPASS,
        },
        identity: SiiIdentity {
            vendor_id: double_word(image, 0x08),
            product_code: double_word(image, 0x0A),
            revision: double_word(image, 0x0C),
            serial: double_word(image, 0x0E),
        },
        boot_mailbox: mailboxes(0x14),
        mailbox: mailboxes(0x18),
        protocols: word(image, 0x1C),
        size_bytes: (usize::from(word(image, 0x3E)) + 1) * 128,
        version: word(image, 0x3F),
        ..Sii::default()
    }
}

/// What is left of a category.
struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Cursor<'_> {
    /// Whether another record of `bytes` follows. What is left must be a record, or the one byte that pads
    /// a category to whole words.
    fn has(&self, bytes: usize, what: &'static str) -> Result<bool, SiiError> {
        match self.bytes.len() {
            0 | 1 => Ok(false),
            left if left >= bytes => Ok(true),
            left => Err(self.truncated(what, bytes, left)),
        }
    }

    fn take<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], SiiError> {
        let Some((record, rest)) = self.bytes.split_first_chunk::<N>() else {
            return Err(self.truncated(what, N, self.bytes.len()));
        };
        self.bytes = rest;
        self.offset += N;
        Ok(*record)
    }

    const fn truncated(&self, what: &'static str, needed: usize, available: usize) -> SiiError {
        SiiError::Truncated { what, offset: self.offset, needed, available }
    }
}

fn strings(content: &[u8], offset: usize) -> Result<Vec<String>, SiiError> {
    let mut cursor = Cursor { bytes: content, offset };
    if content.is_empty() {
        return Ok(Vec::new());
    }
    let [count] = cursor.take("number of strings")?;
    let mut strings = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let [length] = cursor.take("length of a string")?;
        let length = usize::from(length);
        let Some((text, rest)) = cursor.bytes.split_at_checked(length) else {
            return Err(cursor.truncated("string", length, cursor.bytes.len()));
        };
        // Visible strings are ASCII by the standard and ISO 8859-1 in practice.
        strings.push(text.iter().copied().map(char::from).collect());
        cursor.bytes = rest;
        cursor.offset += length;
    }
    Ok(strings)
}

fn string(strings: &[String], index: u8) -> String {
    let index = usize::from(index);
    index.checked_sub(1).and_then(|index| strings.get(index)).cloned().unwrap_or_default()
}

fn general(cursor: &Cursor<'_>, strings: &[String]) -> Result<General, SiiError> {
    let content = cursor.bytes;
    if content.len() < GENERAL_BYTES_MIN {
        return Err(cursor.truncated("general category", GENERAL_BYTES_MIN, content.len()));
    }
    let mut bytes = [0; GENERAL_BYTES];
    let length = content.len().min(GENERAL_BYTES);
    bytes[..length].copy_from_slice(&content[..length]);
    Ok(General {
        group: string(strings, bytes[0]),
        image: string(strings, bytes[1]),
        order: string(strings, bytes[2]),
        name: string(strings, bytes[3]),
        group_name: string(strings, bytes[0x0E]),
        coe_details: bytes[5],
        foe_details: bytes[6],
        eoe_details: bytes[7],
        soe_channels: bytes[8],
        ds402_channels: bytes[9],
        flags: bytes[0x0B],
        ebus_current_ma: word(&bytes, 6).cast_signed(),
        ports: word(&bytes, 8),
        identification_address: word(&bytes, 9),
    })
}

fn fmmu_usage(content: &[u8]) -> Vec<FmmuUsage> {
    let mut usage: Vec<_> = content
        .iter()
        .map(|code| match code {
            0x00 | 0xFF => FmmuUsage::Unused,
            1 => FmmuUsage::Outputs,
            2 => FmmuUsage::Inputs,
            3 => FmmuUsage::SyncManagerStatus,
            &other => FmmuUsage::Other(other),
        })
        .collect();
    let used =
        usage.iter().rposition(|usage| *usage != FmmuUsage::Unused).map_or(0, |last| last + 1);
    usage.truncate(used);
    usage
}

fn sync_manager(bytes: [u8; SYNC_MANAGER_BYTES]) -> SiiSyncManager {
    SiiSyncManager {
        start: word(&bytes, 0),
        length: word(&bytes, 1),
        control: bytes[4],
        enable: bytes[6],
        kind: match bytes[7] {
            1 => SyncManagerKind::MailboxOut,
            2 => SyncManagerKind::MailboxIn,
            3 => SyncManagerKind::ProcessDataOut,
            4 => SyncManagerKind::ProcessDataIn,
            _ => SyncManagerKind::Unused,
        },
    }
}

fn pdos(cursor: &mut Cursor<'_>, direction: PdoDirection, sii: &mut Sii) -> Result<(), SiiError> {
    while cursor.has(PDO_HEADER_BYTES, "PDO")? {
        let header: [u8; PDO_HEADER_BYTES] = cursor.take("PDO")?;
        let mut entries = Vec::with_capacity(usize::from(header[2]));
        for _ in 0..header[2] {
            let entry: [u8; PDO_ENTRY_BYTES] = cursor.take("PDO entry")?;
            entries.push(PdoEntry {
                index: word(&entry, 0),
                subindex: entry[2],
                name: string(&sii.strings, entry[3]),
                data_type: entry[4],
                bit_length: entry[5],
                flags: word(&entry, 3),
            });
        }
        sii.pdos.push(Pdo {
            direction,
            index: word(&header, 0),
            sync_manager: (header[3] != 0xFF).then_some(header[3]),
            synchronization: header[4],
            name: string(&sii.strings, header[5]),
            flags: word(&header, 3),
            entries,
        });
    }
    Ok(())
}

fn dc_mode(bytes: [u8; DC_MODE_BYTES], strings: &[String]) -> DcMode {
    DcMode {
        cycle_time_0_ns: double_word(&bytes, 0),
        shift_time_0_ns: double_word(&bytes, 2),
        shift_time_1_ns: double_word(&bytes, 4),
        sync_1_cycle_factor: word(&bytes, 6).cast_signed(),
        assign_activate: word(&bytes, 7),
        sync_0_cycle_factor: word(&bytes, 8).cast_signed(),
        name: string(strings, bytes[18]),
        description: string(strings, bytes[19]),
    }
}
