//! An ESC's address space, which of its bytes exist, and the writes of the frame that is passing.
//!
//! The access mask decides the working counter: a datagram counts when it reaches at least one byte that
//! may be read or written so. Read-only bytes within a longer write are left alone and do not hinder it.

use ecat_wire::register as reg;

use super::chip::{self, RegisterAccess};
use super::profile::Profile;

/// Registers end here, process RAM begins.
pub(super) const RAM: usize = reg::PROCESS_RAM as usize;

const READ: u8 = 1;
const WRITE: u8 = 2;

/// Frames are shorter than this, and so is what one of them can write.
const STAGED_BYTES: usize = 1_520;
/// Shortest datagram that writes: 12 bytes of overhead and 1 of data.
const STAGED_WRITES: usize = STAGED_BYTES / 13;

#[derive(Clone, Debug)]
pub(super) struct Memory {
    bytes: Box<[u8]>,
    access: Box<[u8; RAM]>,
}

impl Memory {
    pub(super) fn new(profile: &Profile, digital_io: bool) -> Self {
        let bytes = vec![0; RAM + usize::from(profile.ram_kb.min(60)) * 1024].into_boxed_slice();
        Self { bytes, access: access_mask(profile, digital_io) }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.fill(0);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether any register in the range may be read.
    pub(super) fn any_readable(&self, start: usize, end: usize) -> bool {
        self.access[start..end].iter().any(|&access| access & READ != 0)
    }

    /// Whether this register may be written.
    pub(super) fn writable(&self, address: usize) -> bool {
        self.access[address] & WRITE != 0
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &[u8] {
        &self.bytes[start..end]
    }

    pub(super) fn slice_mut(&mut self, start: usize, end: usize) -> &mut [u8] {
        &mut self.bytes[start..end]
    }

    /// Copies `bytes` bytes within the memory.
    pub(super) fn copy(&mut self, from: usize, bytes: usize, to: usize) {
        self.bytes.copy_within(from..from + bytes, to);
    }

    pub(super) fn u8(&self, address: u16) -> u8 {
        self.bytes[usize::from(address)]
    }

    pub(super) fn u16(&self, address: u16) -> u16 {
        u16::from_le_bytes(self.array(address))
    }

    pub(super) fn u32(&self, address: u16) -> u32 {
        u32::from_le_bytes(self.array(address))
    }

    pub(super) fn u64(&self, address: u16) -> u64 {
        u64::from_le_bytes(self.array(address))
    }

    /// The bytes of a register.
    pub(super) fn array<const N: usize>(&self, address: u16) -> [u8; N] {
        let start = usize::from(address);
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.bytes[start..start + N]);
        bytes
    }

    pub(super) fn set(&mut self, address: u16, bytes: &[u8]) {
        let start = usize::from(address);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn set_u8(&mut self, address: u16, value: u8) {
        self.bytes[usize::from(address)] = value;
    }

    pub(super) fn set_u16(&mut self, address: u16, value: u16) {
        self.set(address, &value.to_le_bytes());
    }

    /// Counts up an error counter, which stops at 0xFF.
    pub(super) fn count(&mut self, address: u16) {
        let counter = &mut self.bytes[usize::from(address)];
        *counter = counter.saturating_add(1);
    }
}

/// Register writes of the passing frame; they take effect at its end.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    bytes: Vec<u8>,
    writes: Vec<(u16, u16)>,
}

impl Staged {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(STAGED_BYTES), writes: Vec::with_capacity(STAGED_WRITES) }
    }

    /// Without memory of its own, for the time that the real one is being read.
    pub(super) fn empty() -> Self {
        Self { bytes: Vec::new(), writes: Vec::new() }
    }

    pub(super) fn push(&mut self, address: usize, data: &[u8]) {
        let (Ok(address), Ok(length)) = (u16::try_from(address), u16::try_from(data.len())) else {
            return;
        };
        self.bytes.extend_from_slice(data);
        self.writes.push((address, length));
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.writes.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        let mut rest = &self.bytes[..];
        self.writes.iter().map(move |&(address, length)| {
            let (data, following) = rest.split_at(usize::from(length));
            rest = following;
            (address, data)
        })
    }
}

fn access_mask(profile: &Profile, digital_io: bool) -> Box<[u8; RAM]> {
    let mut mask = Box::new([0; RAM]);
    for row in chip::rows(profile, digital_io) {
        let bits = match row.access {
            RegisterAccess::Absent => 0,
            RegisterAccess::Read => READ,
            RegisterAccess::ReadWrite => READ | WRITE,
        };
        mask[usize::from(row.first)..=usize::from(row.last)].fill(bits);
    }
    mask
}
