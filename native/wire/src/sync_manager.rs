//! SyncManager registers (0x0800 + 8·n): a buffer in process RAM with its access rules.

/// Bytes of one SyncManager's registers.
pub const SYNC_MANAGER_BYTES: usize = 8;

/// One SyncManager. Wire form, little-endian: start u16, length u16, control u8, status u8, activate u8,
/// PDI control u8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncManager {
    /// Physical address of the buffer.
    pub start: u16,
    /// Bytes; 1 activates no buffer and only triggers the watchdog.
    pub length: u16,
    /// Control: bits 0–1 mode (0 buffered, 2 mailbox), 2–3 direction (0 ECAT reads, 1 ECAT writes),
    /// 4 ECAT interrupt, 5 PDI interrupt, 6 watchdog trigger.
    pub control: u8,
    /// Active (register bit 0 of `activate`).
    pub enabled: bool,
}
