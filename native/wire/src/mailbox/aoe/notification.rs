//! What an ADS device tells without being asked again: samples, in groups of one time each.
//!
//! ```text
//! bytes that follow u32, stamps u32
//! a stamp:     time u64 (100 ns since 1601), samples u32
//! a sample:    handle u32, bytes u32, the value
//! ```

use super::super::MailError;
use super::super::cursor::Reader;
use super::{Header, command};

/// One value that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    /// When, in 100 ns since 1601.
    pub time: u64,
    /// Which, by the answer to the request for it.
    pub handle: u32,
    /// The value.
    pub value: &'a [u8],
}

impl Sample<'_> {
    /// Writes the body of a mail with this one sample; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, header: &Header, buffer: &mut [u8]) -> Result<usize, MailError> {
        const BEFORE_THE_VALUE: u32 = 4 + 8 + 4 + 4 + 4;
        let bytes = u32::try_from(self.value.len()).map_err(|_| MailError::NoRoom)?;
        let follow = bytes.checked_add(BEFORE_THE_VALUE).ok_or(MailError::NoRoom)?;
        header.emit_with(command::NOTIFICATION, buffer, |writer| {
            writer.u32(follow)?.u32(1)?.u64(self.time)?.u32(1)?;
            writer.u32(self.handle)?.u32(bytes)?.bytes(self.value)?;
            Ok(())
        })
    }
}

/// The samples of a notification, one after another.
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    rest: &'a [u8],
    stamps: u32,
    time: u64,
    samples: u32,
}

impl<'a> Samples<'a> {
    /// Reads the data of command 8.
    ///
    /// # Errors
    /// When it is shorter than it says.
    pub fn parse(data: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(data);
        let follow = reader.u32("ADS notification")?;
        let length = usize::try_from(follow).unwrap_or(usize::MAX);
        let mut reader = Reader(reader.bytes(length, "ADS notification")?);
        let stamps = reader.u32("ADS notification")?;
        Ok(Self { rest: reader.rest(), stamps, time: 0, samples: 0 })
    }

    fn take(&mut self) -> Result<Option<Sample<'a>>, MailError> {
        let mut reader = Reader(self.rest);
        while self.samples == 0 {
            if self.stamps == 0 {
                return Ok(None);
            }
            self.stamps -= 1;
            self.time = reader.u64("ADS notification")?;
            self.samples = reader.u32("ADS notification")?;
        }
        self.samples -= 1;
        let handle = reader.u32("ADS notification")?;
        let bytes = usize::try_from(reader.u32("ADS notification")?).unwrap_or(usize::MAX);
        let value = reader.bytes(bytes, "ADS notification")?;
        self.rest = reader.rest();
        Ok(Some(Sample { time: self.time, handle, value }))
    }
}

impl<'a> Iterator for Samples<'a> {
    type Item = Result<Sample<'a>, MailError>;

    fn next(&mut self) -> Option<Self::Item> {
        let taken = self.take();
        if taken.is_err() {
            // What follows cannot be found.
            (self.stamps, self.samples) = (0, 0);
        }
        taken.transpose()
    }
}
