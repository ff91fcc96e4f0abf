//! Ethernet frames in pieces that fit into a mailbox, and back.
//!
//! Every piece but the last has a multiple of 32 bytes. The first one tells how many blocks of 32 bytes the frame
//! has, rounded up; the others, at which block they begin. All carry the number of the frame (ETG1000.6, "EoE
//! fragment"; Beckhoff's device stack, `ecateoe.c`, for what a receiver does with pieces that do not fit).

use super::{FRAME_BYTES_MAX, HEADER_BYTES, Mail, Message};

/// Offsets and sizes count in this.
pub const BLOCK_BYTES: usize = 32;
const TIME_STAMP_BYTES: usize = 4;
/// What six bits of blocks reach.
const BYTES_MAX: usize = 63 * BLOCK_BYTES;

/// One piece of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// From 0 (6 bits).
    pub number: u8,
    /// Of the first piece the size of the whole, of the others their offset, in 32 bytes (6 bits).
    pub blocks: u8,
    /// Number of the frame (4 bits).
    pub frame: u8,
    /// Whether it is the last one.
    pub last: bool,
    /// Whether the last four bytes of the whole are a time stamp in ns. It counts in the last piece.
    pub time_stamp_appended: bool,
    /// Whether the receiver shall say when the frame left at its other end.
    pub time_stamp_requested: bool,
    /// The bytes.
    pub data: &'a [u8],
}

/// A frame on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cutter {
    port: u8,
    frame: u8,
    bytes: Vec<u8>,
    number: u8,
    at: usize,
    time_stamp_appended: bool,
    time_stamp_requested: bool,
}

impl Cutter {
    /// A frame without its checksum, its number, and a time stamp in ns to go with it.
    #[must_use]
    pub fn new(port: u8, frame: u8, bytes: &[u8], time_stamp: Option<u32>) -> Self {
        let mut bytes = bytes.to_vec();
        if let Some(time_stamp) = time_stamp {
            bytes.extend_from_slice(&time_stamp.to_le_bytes());
        }
        Self {
            port,
            frame,
            bytes,
            number: 0,
            at: 0,
            time_stamp_appended: time_stamp.is_some(),
            time_stamp_requested: false,
        }
    }

    /// Has the receiver say when the frame left at its other end.
    #[must_use]
    pub fn with_time_stamp_requested(mut self) -> Self {
        self.time_stamp_requested = true;
        self
    }

    /// Whether mailboxes whose bodies have this many bytes can carry frames at all.
    #[must_use]
    pub const fn fits(body_bytes: usize) -> bool {
        body_bytes >= HEADER_BYTES + BLOCK_BYTES
    }

    /// Whether everything is out.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.number > 0 && self.at >= self.bytes.len()
    }

    /// The next piece, for a body of at most `body_bytes`. `None` when everything is out, or when a piece does not
    /// fit ([`Cutter::fits`]).
    pub fn next_mail(&mut self, body_bytes: usize) -> Option<Mail<'_>> {
        if self.is_done() || self.bytes.len() > BYTES_MAX {
            return None;
        }
        let left = self.bytes.len() - self.at;
        let room = body_bytes.checked_sub(HEADER_BYTES)?;
        let bytes = if left <= room { left } else { room / BLOCK_BYTES * BLOCK_BYTES };
        if bytes == 0 && left > 0 {
            return None;
        }
        let blocks = if self.number == 0 {
            self.bytes.len().div_ceil(BLOCK_BYTES)
        } else {
            self.at / BLOCK_BYTES
        };
        let (start, number) = (self.at, self.number);
        self.at += bytes;
        self.number += 1;
        let last = self.at == self.bytes.len();
        Some(Mail {
            port: self.port,
            message: Message::Fragment(Fragment {
                number,
                blocks: (blocks & 0x3F) as u8,
                frame: self.frame,
                last,
                time_stamp_appended: self.time_stamp_appended && last,
                time_stamp_requested: self.time_stamp_requested,
                data: &self.bytes[start..self.at],
            }),
        })
    }
}

/// What became of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// More must follow.
    Incomplete,
    /// It was the last one.
    Frame {
        /// The frame, without checksum and time stamp.
        bytes: Vec<u8>,
        /// Number of the frame.
        number: u8,
        /// The time stamp behind it, in ns.
        time_stamp: Option<u32>,
        /// Whether one of its pieces asked for a time stamp.
        time_stamp_requested: bool,
    },
    /// It belongs to no frame whose beginning is here; what was here of one is given up.
    Ignored,
}

/// A frame on its way in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assembler {
    bytes: Vec<u8>,
    /// Which piece is next; 0: a first one.
    next: u8,
    frame: u8,
    size: usize,
    time_stamp_requested: bool,
}

impl Assembler {
    /// Whether a frame has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.next > 0
    }

    /// Gives up what is here of a frame.
    pub fn give_up(&mut self) {
        self.next = 0;
        self.bytes.clear();
    }

    /// Takes a piece. Pieces come in their order: another one ends the frame that was on its way, and a first one
    /// begins a new one in any case.
    pub fn take(&mut self, fragment: &Fragment<'_>) -> Arrived {
        if fragment.number == 0 {
            self.bytes.clear();
            self.frame = fragment.frame;
            self.size = usize::from(fragment.blocks) * BLOCK_BYTES;
            self.time_stamp_requested = false;
        } else {
            let offset = usize::from(fragment.blocks) * BLOCK_BYTES;
            let fits = fragment.number == self.next
                && fragment.frame == self.frame
                && offset == self.bytes.len();
            if !fits {
                self.give_up();
                return Arrived::Ignored;
            }
        }
        if self.bytes.len() + fragment.data.len()
            > self.size.min(FRAME_BYTES_MAX + TIME_STAMP_BYTES)
        {
            self.give_up();
            return Arrived::Ignored;
        }
        self.time_stamp_requested |= fragment.time_stamp_requested;
        self.bytes.extend_from_slice(fragment.data);
        self.next = fragment.number + 1;
        if !fragment.last {
            return Arrived::Incomplete;
        }
        self.next = 0;
        let mut bytes = std::mem::take(&mut self.bytes);
        let time_stamp = match bytes.last_chunk::<TIME_STAMP_BYTES>() {
            Some(stamp) if fragment.time_stamp_appended => Some(u32::from_le_bytes(*stamp)),
            _ => None,
        };
        if time_stamp.is_some() {
            bytes.truncate(bytes.len() - TIME_STAMP_BYTES);
        }
        Arrived::Frame {
            bytes,
            number: self.frame,
            time_stamp,
            time_stamp_requested: self.time_stamp_requested,
        }
    }
}
