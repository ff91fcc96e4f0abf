//! FMMUs (0x0600): pieces of the logical address space mapped, bit by bit, to physical memory. Decoded
//! when they are written, not when a frame passes.

use ecat_wire::fmmu::{FMMU_BYTES, Fmmu};
use ecat_wire::register as reg;

use super::{Access, Esc, Merge, memory::Memory};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mapping {
    pub(super) first: u32,
    pub(super) last: u32,
    start_bit: u8,
    stop_bit: u8,
    physical: u16,
    physical_bit: u8,
    pub(super) read: bool,
    pub(super) write: bool,
    /// Whole bytes to whole bytes.
    pub(super) plain: bool,
}

/// The active FMMUs of an ESC.
#[derive(Clone, Debug, Default)]
pub(super) struct Mappings {
    list: [Mapping; 16],
    count: usize,
}

impl Mappings {
    pub(super) fn decode(&mut self, memory: &Memory, fmmu_count: u8) {
        self.count = 0;
        for n in 0..fmmu_count.min(16) {
            let fmmu = Fmmu::from_bytes(&memory.array::<FMMU_BYTES>(reg::fmmu(n)));
            if !fmmu.enabled || fmmu.length == 0 || !(fmmu.read || fmmu.write) {
                continue;
            }
            self.list[self.count] = Mapping {
                first: fmmu.logical_start,
                last: fmmu.logical_start.saturating_add(u32::from(fmmu.length - 1)),
                start_bit: fmmu.logical_start_bit,
                stop_bit: fmmu.logical_stop_bit,
                physical: fmmu.physical_start,
                physical_bit: fmmu.physical_start_bit,
                read: fmmu.read,
                write: fmmu.write,
                plain: fmmu.logical_start_bit == 0
                    && fmmu.logical_stop_bit == 7
                    && fmmu.physical_start_bit == 0,
            };
            self.count += 1;
        }
    }

    pub(super) fn active(&self) -> &[Mapping] {
        &self.list[..self.count]
    }

    /// First and last logical address that any of them maps; first > last where none is active.
    pub(super) fn window(&self) -> (u32, u32) {
        let active = &self.list[..self.count];
        let first = active.iter().map(|mapping| mapping.first).min().unwrap_or(u32::MAX);
        let last = active.iter().map(|mapping| mapping.last).max().unwrap_or(0);
        (first, last)
    }
}

/// The part of a datagram that a mapping covers.
#[derive(Clone, Copy)]
pub(super) struct Overlap {
    /// In the datagram's data.
    start: usize,
    end: usize,
    /// Bytes from the mapping's first.
    offset: u32,
}

impl Mapping {
    pub(super) fn overlap(&self, address: u32, length: usize) -> Option<Overlap> {
        let data_last = u64::from(address) + length as u64;
        let first = self.first.max(address);
        let end = (u64::from(self.last) + 1).min(data_last);
        if u64::from(first) >= end {
            return None;
        }
        Some(Overlap {
            start: (first - address) as usize,
            end: (end - u64::from(address)) as usize,
            offset: first - self.first,
        })
    }

    /// Calls `f(index in data, bit in that byte, bits, physical address, bit there)` for every run of bits
    /// that lies in one byte on both sides.
    fn for_each_run(&self, overlap: Overlap, mut f: impl FnMut(usize, u8, u8, u16, u8)) {
        let span = self.last - self.first;
        for (index, byte) in (overlap.start..overlap.end).zip(overlap.offset..) {
            let mut bit = if byte == 0 { self.start_bit } else { 0 };
            let stop = if byte == span { self.stop_bit } else { 7 };
            while bit <= stop {
                let distance = byte * 8 + u32::from(bit) - u32::from(self.start_bit)
                    + u32::from(self.physical_bit);
                let physical = self.physical.wrapping_add((distance / 8) as u16);
                let physical_bit = (distance % 8) as u8;
                let bits = (stop - bit + 1).min(8 - physical_bit);
                f(index, bit, bits, physical, physical_bit);
                bit += bits;
            }
        }
    }
}

/// `bits` ones from `bit` on.
const fn ones(bit: u8, bits: u8) -> u8 {
    (((1u16 << bits) - 1) << bit) as u8
}

impl Esc {
    /// Calls `f(index in the data, bits of that byte, physical address)` for what a read of logical
    /// addresses takes from this ESC.
    pub(crate) fn mapped_reads(
        &self,
        address: u32,
        length: usize,
        mut f: impl FnMut(usize, u8, u16),
    ) {
        let reading = self.mappings.list[..self.mappings.count].iter().filter(|one| one.read);
        for mapping in reading {
            let Some(overlap) = mapping.overlap(address, length) else { continue };
            mapping.for_each_run(overlap, |index, bit, bits, physical, _| {
                f(index, ones(bit, bits), physical);
            });
        }
    }

    /// First and last logical address that is mapped.
    pub(crate) fn window(&self) -> (u32, u32) {
        self.mappings.window()
    }

    /// An LRD, LWR or LRW: exchanges what the active FMMUs map, and tells what of it was accessible.
    pub(crate) fn logical(
        &mut self,
        address: u32,
        data: &mut [u8],
        wanted: Access,
        now_ns: u64,
    ) -> Access {
        let mut done = Access::default();
        let serving = self.serving(address, data.len(), wanted);
        for n in 0..self.mappings.count {
            let mapping = self.mappings.list[n];
            if serving & 1 << n == 0 {
                continue;
            }
            // On the wire each byte is taken out before its successor is put in, so what the
            // MainDevice sent is written before inputs replace it.
            if wanted.write
                && mapping.write
                && !(wanted.read && mapping.read)
                && let Some(overlap) = mapping.overlap(address, data.len())
            {
                done.write |= self.logical_write(&mapping, overlap, data, now_ns);
            }
        }
        for n in 0..self.mappings.count {
            let mapping = self.mappings.list[n];
            if wanted.read && mapping.read && serving & 1 << n != 0 {
                let Some(overlap) = mapping.overlap(address, data.len()) else { continue };
                if wanted.write && mapping.write {
                    let read;
                    (read, done.write) = self.logical_swap(&mapping, overlap, data, now_ns, done);
                    done.read |= read;
                } else {
                    done.read |= self.logical_read(&mapping, overlap, data, now_ns);
                }
            }
        }
        done
    }

    fn logical_write(&mut self, map: &Mapping, part: Overlap, data: &[u8], now_ns: u64) -> bool {
        if map.plain {
            let physical = map.physical.wrapping_add(part.offset as u16);
            return self.write(physical, &data[part.start..part.end], now_ns);
        }
        let mut accessible = false;
        map.for_each_run(part, |index, bit, bits, physical, physical_bit| {
            let mask = ones(physical_bit, bits);
            let value = (data[index] >> bit << physical_bit) & mask;
            accessible |= self.write_bits(physical, value, mask, now_ns);
        });
        accessible
    }

    fn logical_read(&mut self, map: &Mapping, part: Overlap, data: &mut [u8], now_ns: u64) -> bool {
        if map.plain {
            let physical = map.physical.wrapping_add(part.offset as u16);
            return self.read(physical, &mut data[part.start..part.end], Merge::Replace, now_ns);
        }
        let mut accessible = false;
        map.for_each_run(part, |index, bit, bits, physical, physical_bit| {
            let mut byte = [0];
            if self.read(physical, &mut byte, Merge::Replace, now_ns) {
                accessible = true;
                let mask = ones(bit, bits);
                data[index] = data[index] & !mask | (byte[0] >> physical_bit << bit) & mask;
            }
        });
        accessible
    }

    /// One FMMU for both directions: byte by byte, the old content leaves and the new one comes in.
    fn logical_swap(
        &mut self,
        map: &Mapping,
        part: Overlap,
        data: &mut [u8],
        now_ns: u64,
        done: Access,
    ) -> (bool, bool) {
        let (mut read, mut written) = (done.read, done.write);
        map.for_each_run(part, |index, bit, bits, physical, physical_bit| {
            let mask = ones(physical_bit, bits);
            let value = (data[index] >> bit << physical_bit) & mask;
            let mut byte = [0];
            let readable = self.read(physical, &mut byte, Merge::Replace, now_ns);
            written |= self.write_bits(physical, value, mask, now_ns);
            if readable {
                read = true;
                let mask = ones(bit, bits);
                data[index] = data[index] & !mask | (byte[0] >> physical_bit << bit) & mask;
            }
        });
        (read, written)
    }
}
