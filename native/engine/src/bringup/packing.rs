//! Process-data datagrams and frames for what the FMMUs map.

use ecat_wire::ethernet::{FRAME_BYTES_MAX, HEADER_BYTES};
use ecat_wire::fmmu::Fmmu;
use ecat_wire::frame::{DATAGRAM_OVERHEAD_BYTES, ETHERCAT_HEADER_BYTES};

use crate::layout::{DatagramKind, DatagramMember, ProcessDatagram};
use crate::stamp::STAMP_DATAGRAM_BYTES;

/// Bytes that the datagrams of one frame may have together.
pub(super) const FRAME_CAPACITY_BYTES: usize =
    FRAME_BYTES_MAX - HEADER_BYTES - ETHERCAT_HEADER_BYTES;
/// What the first frame of a cycle carries besides process data: the stamp, the state check (BRD of
/// 2 bytes at 0x0130), and the distribution of the reference time (FRMW of 8 bytes at 0x0910).
pub(super) const FIRST_FRAME_BYTES: usize =
    STAMP_DATAGRAM_BYTES + (2 + DATAGRAM_OVERHEAD_BYTES) + (8 + DATAGRAM_OVERHEAD_BYTES);
/// What every other frame carries besides process data.
pub(super) const OTHER_FRAME_BYTES: usize = STAMP_DATAGRAM_BYTES;

/// The longest range that is never cut.
#[expect(clippy::cast_possible_truncation, reason = "less than a frame")]
pub(super) const DATA_BYTES_MAX: u32 =
    (FRAME_CAPACITY_BYTES - OTHER_FRAME_BYTES - DATAGRAM_OVERHEAD_BYTES) as u32;

/// An FMMU with the SubDevice that it belongs to.
pub(super) struct Mapped {
    pub(super) device: usize,
    pub(super) fmmu: Fmmu,
    /// Whether it counts in SAFE-OP for certain.
    pub(super) open_in_safe_op: bool,
}

/// Packs what is mapped into datagrams and frames, greedily in the order of logical addresses.
pub(super) fn pack(mapped: &[Mapped], lrw: bool) -> Vec<ProcessDatagram> {
    let mut packer = Packer::new();
    if lrw {
        packer.pack(DatagramKind::ReadWrite, mapped);
    } else {
        packer.pack(DatagramKind::Write, mapped);
        packer.pack(DatagramKind::Read, mapped);
    }
    packer.datagrams
}

struct Packer {
    datagrams: Vec<ProcessDatagram>,
    frame: usize,
    /// Bytes left in the frame.
    room: usize,
}

impl Packer {
    fn new() -> Self {
        Self { datagrams: Vec::new(), frame: 0, room: FRAME_CAPACITY_BYTES - FIRST_FRAME_BYTES }
    }

    fn pack(&mut self, kind: DatagramKind, mapped: &[Mapped]) {
        let mut ranges: Vec<_> =
            mapped.iter().map(|mapped| &mapped.fmmu).filter(|fmmu| concerns(kind, fmmu)).collect();
        ranges.sort_by_key(|fmmu| fmmu.logical_start);
        let mut open: Option<(u32, u32)> = None;
        for fmmu in ranges {
            let (start, end) = (fmmu.logical_start, fmmu.logical_start + u32::from(fmmu.length));
            if let Some((first, _)) = open
                && self.fits(first, end)
            {
                open = Some((first, end));
                continue;
            }
            if let Some((first, last)) = open.take() {
                self.close(kind, first, last, mapped);
            }
            // A range that has to be cut anyway may as well begin in a frame that is still empty.
            let empty = self.datagrams.last().is_none_or(|last| last.frame != self.frame);
            let cut_here = empty && end - start > DATA_BYTES_MAX;
            if !self.fits(start, end) && !cut_here {
                self.next_frame();
            }
            let mut start = start;
            while !self.fits(start, end) {
                let most = start + self.data_room();
                self.close(kind, start, most, mapped);
                self.next_frame();
                start = most;
            }
            open = Some((start, end));
        }
        if let Some((first, last)) = open {
            self.close(kind, first, last, mapped);
        }
    }

    fn data_room(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "less than a frame")]
        let room = self.room.saturating_sub(DATAGRAM_OVERHEAD_BYTES) as u32;
        room
    }

    fn fits(&self, first: u32, last: u32) -> bool {
        last - first <= self.data_room()
    }

    fn next_frame(&mut self) {
        self.frame += 1;
        self.room = FRAME_CAPACITY_BYTES - OTHER_FRAME_BYTES;
    }

    fn close(&mut self, kind: DatagramKind, first: u32, last: u32, mapped: &[Mapped]) {
        let length = (last - first) as usize;
        self.room -= length + DATAGRAM_OVERHEAD_BYTES;
        self.datagrams.push(ProcessDatagram {
            kind,
            logical: first,
            length,
            frame: self.frame,
            members: members(kind, first, last, mapped),
        });
    }
}

/// Who adds what to the working counter: per ESC and datagram, however many FMMUs it maps.
fn members(kind: DatagramKind, first: u32, last: u32, mapped: &[Mapped]) -> Vec<DatagramMember> {
    let mut members: Vec<DatagramMember> = Vec::new();
    let inside = mapped.iter().filter(|Mapped { fmmu, .. }| {
        let end = fmmu.logical_start + u32::from(fmmu.length);
        concerns(kind, fmmu) && fmmu.logical_start < last && first < end
    });
    for direction in inside.collect::<Vec<_>>().chunk_by(|a, b| same_direction(a, b)) {
        let Mapped { device, fmmu, .. } = *direction[0];
        let adds = if fmmu.read || kind == DatagramKind::Write { 1 } else { 2 };
        let adds_safe =
            if direction.iter().any(|mapped| mapped.open_in_safe_op) { adds } else { 0 };
        match members.last_mut().filter(|member| member.device == device) {
            Some(member) => {
                member.operational += adds;
                member.safe_operational += adds_safe;
            }
            None => members.push(DatagramMember {
                device,
                operational: adds,
                safe_operational: adds_safe,
            }),
        }
    }
    members
}

fn same_direction(a: &Mapped, b: &Mapped) -> bool {
    a.device == b.device && a.fmmu.read == b.fmmu.read
}

fn concerns(kind: DatagramKind, fmmu: &Fmmu) -> bool {
    match kind {
        DatagramKind::ReadWrite => true,
        DatagramKind::Read => fmmu.read,
        DatagramKind::Write => fmmu.write,
    }
}
