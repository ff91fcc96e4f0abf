//! The stamp: the NOP datagram that begins every frame of ours and says which one it is.
//!
//! No ESC touches a NOP's data, so an answer names the very exchange that it belongs to. The index of
//! a datagram cannot: it has eight bits, and a frame that comes 256 datagrams late would be taken for
//! the answer.
//!
//! Data, little-endian: sequence u32, frame u16, salt u16.

use ecat_wire::ethernet::{ETHERTYPE, HEADER_BYTES, MacAddress};
use ecat_wire::frame::{
    DATAGRAM_HEADER_BYTES, DATAGRAM_OVERHEAD_BYTES, DatagramSpan, ETHERCAT_HEADER_BYTES,
};
use ecat_wire::{Command, FrameError, FrameWriter};

/// Bytes of the stamp's data.
pub const STAMP_BYTES: usize = 8;
/// Bytes that the stamp takes in a frame.
pub const STAMP_DATAGRAM_BYTES: usize = STAMP_BYTES + DATAGRAM_OVERHEAD_BYTES;

const DATAGRAM: usize = HEADER_BYTES + ETHERCAT_HEADER_BYTES;
const DATA: usize = DATAGRAM + DATAGRAM_HEADER_BYTES;

/// Which frame of which exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Number of the exchange (the cycle, in the cyclic exchange); wraps.
    pub sequence: u32,
    /// Number of the frame in the exchange, from 0.
    pub frame: u16,
    /// Random number of the exchanger, so that two of them on one wire are told apart.
    pub salt: u16,
}

/// Whose answer a received frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The answer to the frame of this number in the exchange that was asked about.
    Own(u16),
    /// Ours, of an earlier exchange.
    Stale(Stamp),
    /// Our own frame, come back without having passed a SubDevice (its source address is unchanged).
    Unprocessed,
    /// Somebody else's, another exchanger's, or no stamped frame at all.
    Foreign,
}

impl Stamp {
    /// Adds the stamp to a frame; it has to be the first datagram.
    ///
    /// # Errors
    /// [`FrameError::Full`].
    pub fn push(self, writer: &mut FrameWriter<'_>) -> Result<DatagramSpan, FrameError> {
        writer.push_data(Command::Nop, 0, &self.to_bytes())
    }

    /// Writes the stamp over the one of a frame that was composed with [`Stamp::push`].
    ///
    /// # Panics
    /// If the frame is too short to have one.
    pub fn rewrite(self, frame: &mut [u8]) {
        frame[DATA..DATA + STAMP_BYTES].copy_from_slice(&self.to_bytes());
    }

    /// Whose answer `frame` is, where `self` is the stamp of the exchange that waits (its `frame` is
    /// not looked at).
    #[must_use]
    pub fn classify(self, frame: &[u8]) -> Origin {
        let Some(found) = Self::of_frame(frame) else { return Origin::Foreign };
        if frame[6..12] == MacAddress::MAIN_DEVICE.0 {
            return Origin::Unprocessed;
        }
        match found {
            Self { salt, .. } if salt != self.salt => Origin::Foreign,
            Self { sequence, frame, .. } if sequence == self.sequence => Origin::Own(frame),
            stale => Origin::Stale(stale),
        }
    }

    /// The stamp of a frame of ours, or `None` for any other frame.
    fn of_frame(frame: &[u8]) -> Option<Self> {
        let source = frame.get(6..12)?;
        let ours =
            source == MacAddress::MAIN_DEVICE.processed().0 || source == MacAddress::MAIN_DEVICE.0;
        let data = frame.get(DATA..DATA + STAMP_BYTES)?;
        let header = &frame[DATAGRAM..DATA];
        let length = u16::from_le_bytes([header[6], header[7]]) & 0x07FF;
        let stamped = frame[12..14] == ETHERTYPE.to_be_bytes()
            && header[0] == Command::Nop.code()
            && usize::from(length) == STAMP_BYTES;
        (ours && stamped).then(|| Self {
            sequence: u32::from_le_bytes([data[0], data[1], data[2], data[3]]),
            frame: u16::from_le_bytes([data[4], data[5]]),
            salt: u16::from_le_bytes([data[6], data[7]]),
        })
    }

    fn to_bytes(self) -> [u8; STAMP_BYTES] {
        let mut bytes = [0; STAMP_BYTES];
        bytes[..4].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.frame.to_le_bytes());
        bytes[6..].copy_from_slice(&self.salt.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecat_wire::ethernet::SOURCE_PROCESSED;

    const STAMP: Stamp = Stamp { sequence: 0xFFFF_FFFE, frame: 3, salt: 0xBEEF };

    fn answer() -> Vec<u8> {
        let mut buffer = [0; 128];
        let mut writer = FrameWriter::new(&mut buffer, MacAddress::MAIN_DEVICE).unwrap();
        assert_eq!(STAMP.push(&mut writer).unwrap().data(), DATA..DATA + STAMP_BYTES);
        writer.push(Command::Brd { register: 0x0130 }, 0, 2).unwrap();
        let length = writer.finish();
        buffer[6] |= SOURCE_PROCESSED;
        buffer[..length].to_vec()
    }

    #[test]
    fn an_answer_names_its_exchange_and_frame() {
        assert_eq!(STAMP.classify(&answer()), Origin::Own(3));
        let later = Stamp { sequence: STAMP.sequence.wrapping_add(2), ..STAMP };
        assert_eq!(later.classify(&answer()), Origin::Stale(STAMP));
        let mut rewritten = answer();
        Stamp { frame: 1, ..later }.rewrite(&mut rewritten);
        assert_eq!(later.classify(&rewritten), Origin::Own(1));
    }

    #[test]
    fn frames_of_others_and_frames_without_a_stamp_are_foreign() {
        assert_eq!(Stamp { salt: 1, ..STAMP }.classify(&answer()), Origin::Foreign);
        for spoil in [6, 12, DATAGRAM, DATAGRAM + 6] {
            let mut frame = answer();
            frame[spoil] ^= 0x40;
            assert_eq!(STAMP.classify(&frame), Origin::Foreign, "byte {spoil}");
        }
        for length in 0..DATA + STAMP_BYTES {
            assert_eq!(STAMP.classify(&answer()[..length]), Origin::Foreign);
        }
    }

    #[test]
    fn a_frame_that_passed_no_sub_device_is_no_answer() {
        let mut frame = answer();
        frame[6] &= !SOURCE_PROCESSED;
        assert_eq!(STAMP.classify(&frame), Origin::Unprocessed);
    }
}
