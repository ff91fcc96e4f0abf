//! SyncManager registers (0x0800 + 8·n): a buffer in process RAM with its access rules.

/// Bytes of one SyncManager's registers.
pub const SYNC_MANAGER_BYTES: usize = 8;

/// Control bits 0–1: 0 is three buffers, 2 a mailbox.
pub const CONTROL_MODE: u8 = 0x03;
/// Value of [`CONTROL_MODE`] for a mailbox (one buffer, handshake).
pub const CONTROL_MODE_MAILBOX: u8 = 0x02;
/// Control bits 2–3: 0 the MainDevice reads, 1 the MainDevice writes.
pub const CONTROL_DIRECTION: u8 = 0x0C;
/// Value of [`CONTROL_DIRECTION`] for a buffer that the MainDevice writes.
pub const CONTROL_ECAT_WRITES: u8 = 0x04;
/// Control bit 6: a complete write triggers the SyncManager watchdog.
pub const CONTROL_WATCHDOG: u8 = 0x40;

/// Status bit 0: completely written, and no byte read since.
pub const STATUS_WRITE_EVENT: u8 = 0x01;
/// Status bit 1: completely read, and no byte written since.
pub const STATUS_READ_EVENT: u8 = 0x02;
/// Status bit 3: the mailbox is full.
pub const STATUS_MAILBOX_FULL: u8 = 0x08;

/// Activate bit 0: active.
pub const ACTIVATE_ENABLE: u8 = 0x01;
/// Activate bit 1: toggled by the MainDevice to have the last mail presented again.
pub const ACTIVATE_REPEAT: u8 = 0x02;
/// PDI control bit 0: the device has locked the SyncManager, access gives working counter 0.
pub const PDI_CONTROL_LOCKED: u8 = 0x01;

/// Offset of the control byte in the registers of a SyncManager.
pub const CONTROL_OFFSET: u16 = 4;
/// Offset of the status byte.
pub const STATUS_OFFSET: u16 = 5;
/// Offset of the activate byte.
pub const ACTIVATE_OFFSET: u16 = 6;
/// Offset of the PDI control byte.
pub const PDI_CONTROL_OFFSET: u16 = 7;

/// One SyncManager. Wire form, little-endian: start u16, length u16, control u8, status u8, activate u8,
/// PDI control u8 (ESC data sheet, section II, "SyncManager").
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

impl SyncManager {
    /// The registers as they are written; status and PDI control, which only the SubDevice sets, are 0.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; SYNC_MANAGER_BYTES] {
        let start = self.start.to_le_bytes();
        let length = self.length.to_le_bytes();
        [start[0], start[1], length[0], length[1], self.control, 0, self.enabled as u8, 0]
    }

    /// What the registers say, without status and PDI control.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; SYNC_MANAGER_BYTES]) -> Self {
        Self {
            start: u16::from_le_bytes([bytes[0], bytes[1]]),
            length: u16::from_le_bytes([bytes[2], bytes[3]]),
            control: bytes[4],
            enabled: bytes[6] & ACTIVATE_ENABLE != 0,
        }
    }

    /// Whether it is a mailbox; otherwise it has three buffers (or none, with length 1).
    #[must_use]
    pub const fn is_mailbox(self) -> bool {
        self.control & CONTROL_MODE == CONTROL_MODE_MAILBOX
    }

    /// Whether the MainDevice writes it (outputs, mail to the SubDevice).
    #[must_use]
    pub const fn ecat_writes(self) -> bool {
        self.control & CONTROL_DIRECTION == CONTROL_ECAT_WRITES
    }

    /// Whether a complete write triggers the SyncManager watchdog.
    #[must_use]
    pub const fn triggers_watchdog(self) -> bool {
        self.control & CONTROL_WATCHDOG != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_registers_stand_where_the_data_sheet_has_them() {
        let outputs = SyncManager { start: 0x0F01, length: 1, control: 0x44, enabled: true };
        assert_eq!(outputs.to_bytes(), [0x01, 0x0F, 1, 0, 0x44, 0, 1, 0]);
        assert!(outputs.ecat_writes() && outputs.triggers_watchdog() && !outputs.is_mailbox());
        let mailbox_in = SyncManager { start: 0x1C00, length: 1024, control: 0x22, enabled: true };
        assert!(mailbox_in.is_mailbox() && !mailbox_in.ecat_writes());
    }

    proptest! {
        #[test]
        fn registers_round_trip(bytes: [u8; SYNC_MANAGER_BYTES]) {
            let sync_manager = SyncManager::from_bytes(&bytes);
            prop_assert_eq!(SyncManager::from_bytes(&sync_manager.to_bytes()), sync_manager);
        }
    }
}
