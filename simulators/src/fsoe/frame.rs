//! Frames: command, then two bytes of data and their checksum again and again, then the connection. With a single
//! byte of data there is one checksum.
//!
//! A checksum covers the first checksum of the frame that was received last, the connection, the sequence number,
//! the command, from the second one on its number, two bytes of data (or one), and three zeros; all little-endian. Its polynomial is
//! 0x139B7. Found by asking `fsoe-master` for checksums, one bit after the other.

/// The most data that a frame has.
pub const DATA_BYTES_MAX: usize = 32;
/// Bytes of the longest frame.
pub const FRAME_BYTES_MAX: usize = frame_bytes(DATA_BYTES_MAX);

const POLYNOMIAL: u16 = 0x39B7;
const CRC_BYTES: usize = 2;

/// What a frame's checksums are made of beside its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// First checksum of the frame that the other side received last.
    pub last_crc: u16,
    /// Number of the frame, from 1.
    pub number: u16,
}

/// Command and connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// See [`super::command`].
    pub command: u8,
    /// Connection; 0 before there is one.
    pub connection: u16,
}

/// Bytes of a frame with 1 byte of data, or an even number.
#[must_use]
pub const fn frame_bytes(data_bytes: usize) -> usize {
    if data_bytes == 1 { 6 } else { 3 + 2 * data_bytes }
}

/// Bytes of data in a frame of a length, where it is that of a frame.
#[must_use]
pub const fn data_bytes(frame_bytes: usize) -> Option<usize> {
    match frame_bytes {
        6 => Some(1),
        7..=67 if frame_bytes % 4 == 3 => Some((frame_bytes - 3) / 2),
        _ => None,
    }
}

/// Writes a frame; returns its first checksum. `frame` has [`frame_bytes`] of `data`.
pub fn write(frame: &mut [u8], header: Header, sequence: Sequence, data: &[u8]) -> u16 {
    frame[0] = header.command;
    let (mut at, mut first) = (1, 0);
    for (n, pair) in (0..).zip(data.chunks(2)) {
        let crc = crc(header, sequence, n, pair);
        frame[at..at + pair.len()].copy_from_slice(pair);
        at += pair.len();
        frame[at..at + CRC_BYTES].copy_from_slice(&crc.to_le_bytes());
        at += CRC_BYTES;
        if n == 0 {
            first = crc;
        }
    }
    frame[at..at + 2].copy_from_slice(&header.connection.to_le_bytes());
    first
}

/// Command and connection of a frame, and its data into `data`; returns also its first checksum.
#[must_use]
pub fn read(frame: &[u8], data: &mut [u8]) -> (Header, u16) {
    let word = |at: usize| u16::from_le_bytes([frame[at], frame[at + 1]]);
    for (n, pair) in data.chunks_mut(2).enumerate() {
        let at = 1 + n * 4;
        pair.copy_from_slice(&frame[at..at + pair.len()]);
    }
    let first = word(1 + data.len().min(2));
    (Header { command: frame[0], connection: word(frame.len() - 2) }, first)
}

/// Whether all checksums of a frame are right.
#[must_use]
pub fn is_right(frame: &[u8], sequence: Sequence, data: &[u8]) -> bool {
    let mut expected = [0; FRAME_BYTES_MAX];
    let (header, _) = read(frame, &mut [0; DATA_BYTES_MAX][..data.len()]);
    let expected = &mut expected[..frame.len()];
    write(expected, header, sequence, data);
    expected == frame
}

fn crc(header: Header, sequence: Sequence, number: u16, data: &[u8]) -> u16 {
    let mut crc = 0_u16;
    let mut take = |bytes: &[u8]| {
        for byte in bytes {
            crc ^= u16::from(*byte) << 8;
            for _ in 0..8 {
                crc = crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { POLYNOMIAL };
            }
        }
    };
    take(&sequence.last_crc.to_le_bytes());
    take(&header.connection.to_le_bytes());
    take(&sequence.number.to_le_bytes());
    take(&[header.command]);
    if number > 0 {
        take(&number.to_le_bytes());
    }
    take(data);
    take(&[0; 3]);
    crc
}
