//! An EtherCAT frame: writing it datagram by datagram, and reading it back in place.
//!
//! ```text
//! Ethernet II    EtherCAT        datagram                                             …
//! dst src type   length·0·type   cmd idx address length·flags irq   data   wkc
//!  6   6   2          2           1   1     4         2        2     n      2
//! ```
//! Length word of the frame: bits 0–10 bytes of all datagrams, bits 12–15 type 1.
//! Length word of a datagram: bits 0–10 bytes of data, 14 circulating, 15 another one follows.
//! All little-endian (IEC 61158-4-12).

use crate::command::Command;
use crate::ethernet::{ETHERTYPE, FRAME_BYTES_MIN, HEADER_BYTES, MacAddress};

/// Bytes of the EtherCAT frame header.
pub const ETHERCAT_HEADER_BYTES: usize = 2;
/// Bytes in front of a datagram's data.
pub const DATAGRAM_HEADER_BYTES: usize = 10;
/// Bytes that a datagram adds to its data: header and working counter.
pub const DATAGRAM_OVERHEAD_BYTES: usize = DATAGRAM_HEADER_BYTES + 2;

const FIRST_DATAGRAM: usize = HEADER_BYTES + ETHERCAT_HEADER_BYTES;
const LENGTH_MASK: u16 = 0x07FF;
const TYPE_DATAGRAMS: u16 = 0x1000;
const CIRCULATING: u16 = 0x4000;
const MORE: u16 = 0x8000;

/// What is wrong with a frame, or why a datagram could not be added to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// Not an EtherCAT frame of type 1 (another EtherType, too short for one, or another type).
    NotEtherCat,
    /// A length points behind the end of the frame.
    Truncated,
    /// The datagram does not fit into what is left of the buffer.
    Full,
}

/// Composes a frame in a buffer of the caller.
pub struct FrameWriter<'a> {
    buffer: &'a mut [u8],
    end: usize,
    last: Option<usize>,
}

impl<'a> FrameWriter<'a> {
    /// Begins a broadcast frame from `source`.
    ///
    /// # Errors
    /// [`FrameError::Full`] if the buffer is shorter than the shortest Ethernet frame (60 bytes).
    pub fn new(buffer: &'a mut [u8], source: MacAddress) -> Result<Self, FrameError> {
        if buffer.len() < FRAME_BYTES_MIN {
            return Err(FrameError::Full);
        }
        buffer[..6].copy_from_slice(&MacAddress::BROADCAST.0);
        buffer[6..12].copy_from_slice(&source.0);
        buffer[12..14].copy_from_slice(&ETHERTYPE.to_be_bytes());
        Ok(Self { buffer, end: FIRST_DATAGRAM, last: None })
    }

    /// Bytes of data that one more datagram may carry.
    #[must_use]
    pub fn room(&self) -> usize {
        self.buffer
            .len()
            .saturating_sub(self.end + DATAGRAM_OVERHEAD_BYTES)
            .min(LENGTH_MASK as usize)
    }

    /// Adds a datagram of `length` zero bytes, and returns where in the frame its data stands.
    ///
    /// # Errors
    /// [`FrameError::Full`] if it does not fit; the frame is then as it was.
    pub fn push(
        &mut self,
        command: Command,
        index: u8,
        length: usize,
    ) -> Result<DatagramSpan, FrameError> {
        if self.end + DATAGRAM_OVERHEAD_BYTES > self.buffer.len() || length > self.room() {
            return Err(FrameError::Full);
        }
        if let Some(last) = self.last {
            set_flag(&mut self.buffer[last..], MORE);
        }
        let start = self.end;
        let data = start + DATAGRAM_HEADER_BYTES;
        let header = &mut self.buffer[start..data];
        header[0] = command.code();
        header[1] = index;
        header[2..6].copy_from_slice(&command.address());
        #[expect(clippy::cast_possible_truncation, reason = "room() is at most 11 bits")]
        header[6..8].copy_from_slice(&(length as u16).to_le_bytes());
        header[8..10].fill(0);
        self.buffer[data..data + length + 2].fill(0);
        self.last = Some(start);
        self.end = data + length + 2;
        Ok(DatagramSpan { start, length })
    }

    /// Adds a datagram that carries `data`.
    ///
    /// # Errors
    /// As [`FrameWriter::push`].
    pub fn push_data(
        &mut self,
        command: Command,
        index: u8,
        data: &[u8],
    ) -> Result<DatagramSpan, FrameError> {
        let span = self.push(command, index, data.len())?;
        self.buffer[span.data()].copy_from_slice(data);
        Ok(span)
    }

    /// Closes the frame and returns its length, padded to the shortest that Ethernet allows.
    #[must_use]
    pub fn finish(self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an Ethernet frame is shorter than 2^11"
        )]
        let length = (self.end - FIRST_DATAGRAM) as u16 & LENGTH_MASK;
        self.buffer[HEADER_BYTES..FIRST_DATAGRAM]
            .copy_from_slice(&(length | TYPE_DATAGRAMS).to_le_bytes());
        let padded = self.end.max(FRAME_BYTES_MIN);
        self.buffer[self.end..padded].fill(0);
        padded
    }
}

/// Where a datagram stands in its frame; valid for the frame that was composed and for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramSpan {
    start: usize,
    length: usize,
}

impl DatagramSpan {
    /// The byte that holds the index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.start + 1
    }

    /// The bytes of the data.
    #[must_use]
    pub const fn data(self) -> std::ops::Range<usize> {
        self.start + DATAGRAM_HEADER_BYTES..self.start + DATAGRAM_HEADER_BYTES + self.length
    }

    /// The two bytes of the working counter.
    #[must_use]
    pub const fn working_counter(self) -> std::ops::Range<usize> {
        let end = self.start + DATAGRAM_HEADER_BYTES + self.length;
        end..end + 2
    }
}

/// One datagram of a received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Code of the command; [`Command::parse`] gives it its meaning.
    pub code: u8,
    /// The MainDevice's index, returned unchanged.
    pub index: u8,
    /// The address as it stands in the datagram.
    pub address: [u8; 4],
    /// Whether the circulating bit is set.
    pub circulating: bool,
    /// The event request field (IRQ).
    pub irq: u16,
    /// The data.
    pub data: &'a [u8],
    /// The working counter.
    pub working_counter: u16,
}

/// One datagram of a frame that a SubDevice processes in place.
#[derive(Debug)]
pub struct DatagramMut<'a> {
    /// The ten header bytes.
    pub header: &'a mut [u8],
    /// The data.
    pub data: &'a mut [u8],
    /// The two bytes of the working counter.
    pub working_counter: &'a mut [u8],
}

impl DatagramMut<'_> {
    /// The command, or `None` for a code that no ESC knows.
    #[must_use]
    pub fn command(&self) -> Option<Command> {
        Command::parse(
            self.header[0],
            [self.header[2], self.header[3], self.header[4], self.header[5]],
        )
    }

    /// Replaces the address (position addresses count up in every ESC).
    pub fn set_address(&mut self, address: [u8; 4]) {
        self.header[2..6].copy_from_slice(&address);
    }

    /// Whether the circulating bit is set.
    #[must_use]
    pub fn circulating(&self) -> bool {
        u16::from_le_bytes([self.header[6], self.header[7]]) & CIRCULATING != 0
    }

    /// Sets the circulating bit (a frame that passes an auto-closed port 0).
    pub fn set_circulating(&mut self) {
        set_flag(self.header, CIRCULATING);
    }

    /// ORs into the event request field.
    pub fn or_irq(&mut self, irq: u16) {
        let old = u16::from_le_bytes([self.header[8], self.header[9]]);
        self.header[8..10].copy_from_slice(&(old | irq).to_le_bytes());
    }

    /// Adds to the working counter, wrapping.
    pub fn add_working_counter(&mut self, n: u16) {
        let old = u16::from_le_bytes([self.working_counter[0], self.working_counter[1]]);
        self.working_counter.copy_from_slice(&old.wrapping_add(n).to_le_bytes());
    }
}

/// The datagrams of a frame, in order. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Datagrams<'a> {
    rest: Option<&'a [u8]>,
}

/// Reads the datagrams of a frame.
///
/// # Errors
/// [`FrameError::NotEtherCat`], or [`FrameError::Truncated`] if the frame's own length is too long.
pub fn datagrams(frame: &[u8]) -> Result<Datagrams<'_>, FrameError> {
    datagrams_from(frame, plain_header(frame)?)
}

/// As [`datagrams`], with the EtherCAT header at `header`; see [`crate::ethernet::envelope`].
///
/// # Errors
/// As [`datagrams`].
pub fn datagrams_from(frame: &[u8], header: usize) -> Result<Datagrams<'_>, FrameError> {
    let end = datagrams_end(frame, header)?;
    Ok(Datagrams { rest: Some(&frame[header + ETHERCAT_HEADER_BYTES..end]) })
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = Result<Datagram<'a>, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let Some((length, more)) = datagram_length(rest) else {
            return Some(Err(FrameError::Truncated));
        };
        let (datagram, following) = rest.split_at(length + DATAGRAM_OVERHEAD_BYTES);
        self.rest = more.then_some(following);
        let (header, body) = datagram.split_at(DATAGRAM_HEADER_BYTES);
        let (data, counter) = body.split_at(length);
        Some(Ok(Datagram {
            code: header[0],
            index: header[1],
            address: [header[2], header[3], header[4], header[5]],
            circulating: u16::from_le_bytes([header[6], header[7]]) & CIRCULATING != 0,
            irq: u16::from_le_bytes([header[8], header[9]]),
            data,
            working_counter: u16::from_le_bytes([counter[0], counter[1]]),
        }))
    }
}

/// Calls `f` with each datagram of a frame, in order, for processing in place.
///
/// # Errors
/// As [`datagrams`]; datagrams before a truncated one have been processed by then, as in a real ESC.
pub fn for_each_datagram_mut(
    frame: &mut [u8],
    f: impl FnMut(DatagramMut<'_>),
) -> Result<(), FrameError> {
    let header = plain_header(frame)?;
    for_each_datagram_mut_from(frame, header, f)
}

/// As [`for_each_datagram_mut`], with the EtherCAT header at `header`; see [`crate::ethernet::envelope`].
///
/// # Errors
/// As [`datagrams`].
pub fn for_each_datagram_mut_from(
    frame: &mut [u8],
    header: usize,
    mut f: impl FnMut(DatagramMut<'_>),
) -> Result<(), FrameError> {
    let end = datagrams_end(frame, header)?;
    let mut rest = &mut frame[header + ETHERCAT_HEADER_BYTES..end];
    loop {
        let (length, more) = datagram_length(rest).ok_or(FrameError::Truncated)?;
        let (datagram, following) = rest.split_at_mut(length + DATAGRAM_OVERHEAD_BYTES);
        let (header, body) = datagram.split_at_mut(DATAGRAM_HEADER_BYTES);
        let (data, working_counter) = body.split_at_mut(length);
        f(DatagramMut { header, data, working_counter });
        if !more {
            return Ok(());
        }
        rest = following;
    }
}

/// Length of the data of the datagram at the start of `bytes`, and whether another one follows.
fn datagram_length(bytes: &[u8]) -> Option<(usize, bool)> {
    let word = u16::from_le_bytes([*bytes.get(6)?, *bytes.get(7)?]);
    let length = usize::from(word & LENGTH_MASK);
    (length + DATAGRAM_OVERHEAD_BYTES <= bytes.len()).then_some((length, word & MORE != 0))
}

/// Where the EtherCAT header of a frame without VLAN tag and UDP is.
fn plain_header(frame: &[u8]) -> Result<usize, FrameError> {
    if frame.len() < FIRST_DATAGRAM || frame[12..14] != ETHERTYPE.to_be_bytes() {
        return Err(FrameError::NotEtherCat);
    }
    Ok(HEADER_BYTES)
}

fn datagrams_end(frame: &[u8], header: usize) -> Result<usize, FrameError> {
    let first = header + ETHERCAT_HEADER_BYTES;
    let Some(&[low, high]) = frame.get(header..first).and_then(|bytes| bytes.first_chunk()) else {
        return Err(FrameError::NotEtherCat);
    };
    let word = u16::from_le_bytes([low, high]);
    if word & 0xF000 != TYPE_DATAGRAMS {
        return Err(FrameError::NotEtherCat);
    }
    let end = first + usize::from(word & LENGTH_MASK);
    if end > frame.len() { Err(FrameError::Truncated) } else { Ok(end) }
}

fn set_flag(header: &mut [u8], flag: u16) {
    let word = u16::from_le_bytes([header[6], header[7]]) | flag;
    header[6..8].copy_from_slice(&word.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_was_written_reads_back_datagram_by_datagram() {
        let mut buffer = [0xAA; 128];
        let mut writer = FrameWriter::new(&mut buffer, MacAddress::MAIN_DEVICE).unwrap();
        writer.push_data(Command::Nop, 1, &[1, 2, 3]).unwrap();
        let brd = writer.push(Command::Brd { register: 0x0130 }, 2, 2).unwrap();
        let length = writer.finish();
        assert_eq!(length, FRAME_BYTES_MIN);

        for_each_datagram_mut(&mut buffer[..length], |mut d| d.add_working_counter(3)).unwrap();
        let read: Vec<_> = datagrams(&buffer[..length]).unwrap().map(Result::unwrap).collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].code, read[0].index, read[0].data), (0, 1, &[1, 2, 3][..]));
        assert_eq!(
            Command::parse(read[1].code, read[1].address),
            Some(Command::Brd { register: 0x0130 })
        );
        assert_eq!(read[1].working_counter, 3);
        assert_eq!(buffer[brd.working_counter()], [3, 0]);
    }

    #[test]
    fn a_datagram_that_does_not_fit_leaves_the_frame_as_it_was() {
        let mut buffer = [0; 60];
        let mut writer = FrameWriter::new(&mut buffer, MacAddress::MAIN_DEVICE).unwrap();
        assert_eq!(writer.room(), 60 - 16 - 12);
        assert_eq!(writer.push(Command::Nop, 0, 33), Err(FrameError::Full));
        writer.push(Command::Nop, 0, 32).unwrap();
        assert_eq!(writer.room(), 0);
        assert_eq!(writer.push(Command::Nop, 0, 0), Err(FrameError::Full));
        assert_eq!(writer.finish(), 60);
    }

    #[test]
    fn lengths_that_point_behind_the_frame_are_refused() {
        let mut buffer = [0; 64];
        let mut writer = FrameWriter::new(&mut buffer, MacAddress::MAIN_DEVICE).unwrap();
        writer.push(Command::Nop, 0, 4).unwrap();
        let length = writer.finish();
        buffer[22] = 0xFF;
        let read: Vec<_> = datagrams(&buffer[..length]).unwrap().collect();
        assert_eq!(read, [Err(FrameError::Truncated)]);
        assert_eq!(datagrams(&buffer[..20]).err(), Some(FrameError::Truncated));
        assert_eq!(datagrams(&[0; 13]).err(), Some(FrameError::NotEtherCat));
    }
}
