//! The chain of categories behind word 0x40.

use super::{CATEGORIES_START_BYTES, SiiError};

const HEADER_BYTES: usize = 4;
const END: u16 = 0xFFFF;

/// What a category holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CategoryKind {
    /// 10.
    Strings,
    /// 30.
    General,
    /// 40.
    FmmuUsage,
    /// 41.
    SyncManagers,
    /// 50.
    TxPdos,
    /// 51.
    RxPdos,
    /// 60.
    DcModes,
    /// Any other: data types, FMMU and SyncUnit extensions, time-outs, those of a vendor.
    Other(u16),
}

impl CategoryKind {
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Strings => 10,
            Self::General => 30,
            Self::FmmuUsage => 40,
            Self::SyncManagers => 41,
            Self::TxPdos => 50,
            Self::RxPdos => 51,
            Self::DcModes => 60,
            Self::Other(code) => code,
        }
    }

    const fn from_code(code: u16) -> Self {
        match code {
            10 => Self::Strings,
            30 => Self::General,
            40 => Self::FmmuUsage,
            41 => Self::SyncManagers,
            50 => Self::TxPdos,
            51 => Self::RxPdos,
            60 => Self::DcModes,
            code => Self::Other(code),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Strings => "category 10 (strings)",
            Self::General => "category 30 (general)",
            Self::FmmuUsage => "category 40 (FMMU usage)",
            Self::SyncManagers => "category 41 (SyncManagers)",
            Self::TxPdos => "category 50 (TxPDOs)",
            Self::RxPdos => "category 51 (RxPDOs)",
            Self::DcModes => "category 60 (distributed clock)",
            Self::Other(_) => "category that this version does not know",
        }
    }
}

/// One category of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Category<'a> {
    /// What it holds.
    pub kind: CategoryKind,
    /// Where its content begins, in bytes from the start of the image.
    pub offset: usize,
    /// Its content.
    pub content: &'a [u8],
}

/// The categories of an image, in its order; ends at the end marker, at the end of the image, or after the
/// first error ([`SiiError::Truncated`], for a category that is longer than the image).
pub fn categories(image: &[u8]) -> impl Iterator<Item = Result<Category<'_>, SiiError>> {
    let mut next = Some(CATEGORIES_START_BYTES);
    std::iter::from_fn(move || {
        let start = next.take()?;
        let (kind, length) = header(image, start)?;
        let offset = start + HEADER_BYTES;
        let Some(content) = image.get(offset..offset + length) else {
            return Some(Err(SiiError::Truncated {
                what: kind.name(),
                offset: start,
                needed: HEADER_BYTES + length,
                available: image.len() - start,
            }));
        };
        next = Some(offset + length);
        Some(Ok(Category { kind, offset, content }))
    })
}

/// How many bytes from the start of an image must be known to get one category further than `known` goes.
/// No more than `known.len()` once the end marker is among them: reading until then spares the rest of a
/// large EEPROM.
#[must_use]
pub fn bytes_needed(known: &[u8]) -> usize {
    let mut start = CATEGORIES_START_BYTES;
    loop {
        // The marker is one word; its length word need not be there.
        if known.get(start..start + 2) == Some(&END.to_le_bytes()) {
            return start + 2;
        }
        match header(known, start) {
            Some((_, length)) => start += HEADER_BYTES + length,
            None => return start + HEADER_BYTES,
        }
    }
}

fn header(image: &[u8], start: usize) -> Option<(CategoryKind, usize)> {
    let bytes = image.get(start..start + HEADER_BYTES)?;
    let code = u16::from_le_bytes([bytes[0], bytes[1]]);
    let words = u16::from_le_bytes([bytes[2], bytes[3]]);
    (code != END).then(|| (CategoryKind::from_code(code), usize::from(words) * 2))
}
