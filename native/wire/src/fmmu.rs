//! FMMU registers (0x0600 + 16·n): a piece of the logical address space mapped to physical memory.

/// Bytes of one FMMU's registers.
pub const FMMU_BYTES: usize = 16;

/// One FMMU. Wire form, little-endian: logical start u32, length u16, logical start bit u8, logical stop
/// bit u8, physical start u16, physical start bit u8, type u8 (bit 0 read, bit 1 write), activate u8, 3
/// reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fmmu {
    /// Logical address of the first byte.
    pub logical_start: u32,
    /// Bytes, counting partly covered ones.
    pub length: u16,
    /// First bit in the first byte.
    pub logical_start_bit: u8,
    /// Last bit in the last byte.
    pub logical_stop_bit: u8,
    /// Physical address of the first byte.
    pub physical_start: u16,
    /// First bit in the first physical byte.
    pub physical_start_bit: u8,
    /// Maps for reading (inputs).
    pub read: bool,
    /// Maps for writing (outputs).
    pub write: bool,
    /// Active.
    pub enabled: bool,
}
