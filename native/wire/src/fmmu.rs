//! FMMU registers (0x0600 + 16·n): a piece of the logical address space mapped to physical memory.

/// Bytes of one FMMU's registers.
pub const FMMU_BYTES: usize = 16;

const TYPE_READ: u8 = 0x01;
const TYPE_WRITE: u8 = 0x02;

/// One FMMU. Wire form, little-endian: logical start u32, length u16, logical start bit u8, logical stop
/// bit u8, physical start u16, physical start bit u8, type u8 (bit 0 read, bit 1 write), activate u8, 3
/// reserved (ESC data sheet, section II, "FMMU").
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

impl Fmmu {
    /// The registers as they are written. Bit numbers are cut to their three bits.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; FMMU_BYTES] {
        let logical = self.logical_start.to_le_bytes();
        let length = self.length.to_le_bytes();
        let physical = self.physical_start.to_le_bytes();
        let kind = if self.read { TYPE_READ } else { 0 } | if self.write { TYPE_WRITE } else { 0 };
        [
            logical[0],
            logical[1],
            logical[2],
            logical[3],
            length[0],
            length[1],
            self.logical_start_bit & 7,
            self.logical_stop_bit & 7,
            physical[0],
            physical[1],
            self.physical_start_bit & 7,
            kind,
            self.enabled as u8,
            0,
            0,
            0,
        ]
    }

    /// What the registers say; reserved bits are ignored.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; FMMU_BYTES]) -> Self {
        Self {
            logical_start: u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            length: u16::from_le_bytes([bytes[4], bytes[5]]),
            logical_start_bit: bytes[6] & 7,
            logical_stop_bit: bytes[7] & 7,
            physical_start: u16::from_le_bytes([bytes[8], bytes[9]]),
            physical_start_bit: bytes[10] & 7,
            read: bytes[11] & TYPE_READ != 0,
            write: bytes[11] & TYPE_WRITE != 0,
            enabled: bytes[12] & 1 != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_registers_stand_where_the_data_sheet_has_them() {
        let fmmu = Fmmu {
            logical_start: 0x0001_0203,
            length: 2,
            logical_start_bit: 4,
            logical_stop_bit: 3,
            physical_start: 0x0F00,
            physical_start_bit: 1,
            read: false,
            write: true,
            enabled: true,
        };
        assert_eq!(fmmu.to_bytes(), [3, 2, 1, 0, 2, 0, 4, 3, 0x00, 0x0F, 1, 2, 1, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn registers_round_trip(bytes: [u8; FMMU_BYTES]) {
            let fmmu = Fmmu::from_bytes(&bytes);
            prop_assert_eq!(Fmmu::from_bytes(&fmmu.to_bytes()), fmmu);
        }
    }
}
