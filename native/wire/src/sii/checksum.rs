/// Value of word 7 with which an ESC accepts any configuration; for laboratories only.
pub const CHECKSUM_BYPASS: u16 = 0x88A4;

/// CRC-8 over the first 14 bytes of an image, which stands in the low byte of word 7 (polynomial
/// x⁸ + x² + x + 1, start value 0xFF; ETG1000.6, table 16). Also defined for other lengths.
#[must_use]
pub fn checksum(first_14_bytes: &[u8]) -> u8 {
    first_14_bytes.iter().fold(0xFF, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { (crc << 1) ^ 0x07 })
    })
}
