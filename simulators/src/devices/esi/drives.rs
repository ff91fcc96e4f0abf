//! Drives with SoE, whose telegrams by default are the PDOs of the file: the first RxPDO that is assigned is the first
//! drive's MDT, the first TxPDO its AT. An entry's index is an IDN.

use ecat_wire::mailbox::soe::Idn;
use ecat_wire::sii::{Pdo, PdoDirection, PdoEntry, Sii};

use crate::description::soe::{
    CyclicDescription, DriveDescription, IdnDescription, IdnElement, IdnType, IdnValue,
    SoeDescription,
};

/// Drives that one device can have.
const DRIVES_MAX: usize = 8;
const AT: Idn = Idn::standard(16);
const MDT: Idn = Idn::standard(24);
const CONTROL_WORD: Idn = Idn::standard(134);
const STATUS_WORD: Idn = Idn::standard(135);
/// What a list of configuration has room for.
const TELEGRAM_BYTES: usize = 28;

/// The drives of a device, with the values that its PDOs carry. Each entry of a PDO gets its drive's number as subindex.
/// A device whose PDOs are no telegrams has drives with none: then its PDOs stay what they are.
pub(super) fn of(channels: u8, image: &mut Sii) -> SoeDescription {
    let (mut outputs, mut inputs) = (Vec::new(), Vec::new());
    for pdo in image.pdos.iter_mut().filter(|pdo| pdo.sync_manager.is_some()) {
        match pdo.direction {
            PdoDirection::Rx => outputs.push(pdo),
            PdoDirection::Tx => inputs.push(pdo),
        }
    }
    let count = usize::from(channels).max(outputs.len()).max(inputs.len()).clamp(1, DRIVES_MAX);
    let mut drives = vec![DriveDescription::default(); count];
    let all = [(&outputs, CONTROL_WORD), (&inputs, STATUS_WORD)];
    let are_telegrams =
        all.iter().all(|(pdos, word)| pdos.iter().all(|pdo| is_telegram(pdo, *word)));
    if !are_telegrams || outputs.len() > count || inputs.len() > count {
        return SoeDescription { drives };
    }
    for (pdos, list, way) in
        [(outputs, MDT, CyclicDescription::Output), (inputs, AT, CyclicDescription::Input)]
    {
        for (subindex, (pdo, drive)) in (0..).zip(pdos.into_iter().zip(&mut drives)) {
            for entry in &mut pdo.entries {
                entry.subindex = subindex;
                add(drive, entry, way);
            }
            drive.idns.push(configuration(list, &pdo.entries[1..]));
        }
    }
    SoeDescription { drives }
}

/// Whether a PDO is what a telegram can be: the word, and then values of whole words.
fn is_telegram(pdo: &Pdo, word: Idn) -> bool {
    let is_word = |entry: &PdoEntry| (entry.index, entry.bit_length) == (word.0, 16);
    let is_value = |entry: &PdoEntry| matches!(entry.bit_length, 16 | 32 | 64) && entry.index != 0;
    pdo.entries.first().is_some_and(is_word) && pdo.entries[1..].iter().all(is_value)
}

/// What an entry carries. A value that goes both ways is one value.
fn add(drive: &mut DriveDescription, entry: &PdoEntry, way: CyclicDescription) {
    let idn = Idn(entry.index).to_string();
    if let Some(known) = drive.idns.iter_mut().find(|one| one.idn == idn) {
        known.cyclic =
            known.cyclic.map(|known| if known == way { way } else { CyclicDescription::Both });
        return;
    }
    let is_input = way == CyclicDescription::Input;
    drive.idns.push(IdnDescription {
        idn,
        name: entry.name.clone(),
        r#type: Some(match entry.data_type {
            0x02..=0x04 | 0x15 => IdnType::Signed,
            0x08 | 0x11 => IdnType::Float,
            _ => IdnType::Unsigned,
        }),
        bytes: Some(entry.bit_length / 8),
        write: is_input.then(Vec::new),
        // The word of a telegram is always there, and no matter of configuration.
        cyclic: (![CONTROL_WORD.0, STATUS_WORD.0].contains(&entry.index)).then_some(way),
        ..IdnDescription::default()
    });
}

/// The list of what a telegram carries behind its word.
fn configuration(list: Idn, entries: &[PdoEntry]) -> IdnDescription {
    let idns = entries.iter().map(|entry| IdnElement::Idn(Idn(entry.index).to_string()));
    let bytes = (2 * entries.len()).max(TELEGRAM_BYTES);
    IdnDescription {
        idn: list.to_string(),
        name: if list == AT { "Configuration list of AT" } else { "Configuration list of MDT" }
            .to_owned(),
        r#type: Some(IdnType::Idn),
        maximum_length: u16::try_from(bytes).ok(),
        value: Some(IdnValue::List(idns.collect())),
        write: Some(vec!["PRE-OP".to_owned()]),
        ..IdnDescription::default()
    }
}
