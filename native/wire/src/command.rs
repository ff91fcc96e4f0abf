//! The fifteen datagram commands and their addresses (IEC 61158-4-12, table "Command").

/// A datagram's command with its address.
///
/// Position addresses count up by one in every ESC, and the one that reads 0 is addressed: the *n*-th
/// device of a segment (from 0) has the position address `0 - n`; see [`Command::position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// No operation: no ESC touches the datagram.
    Nop,
    /// Auto-increment physical read.
    Aprd {
        /** Position address. */
        position: u16,
        /** Register. */
        register: u16,
    },
    /// Auto-increment physical write.
    Apwr {
        /** Position address. */
        position: u16,
        /** Register. */
        register: u16,
    },
    /// Auto-increment physical read and write.
    Aprw {
        /** Position address. */
        position: u16,
        /** Register. */
        register: u16,
    },
    /// Configured-address physical read.
    Fprd {
        /** Station address. */
        station: u16,
        /** Register. */
        register: u16,
    },
    /// Configured-address physical write.
    Fpwr {
        /** Station address. */
        station: u16,
        /** Register. */
        register: u16,
    },
    /// Configured-address physical read and write.
    Fprw {
        /** Station address. */
        station: u16,
        /** Register. */
        register: u16,
    },
    /// Broadcast read: every ESC ORs its data into the datagram.
    Brd {
        /** Register. */
        register: u16,
    },
    /// Broadcast write.
    Bwr {
        /** Register. */
        register: u16,
    },
    /// Broadcast read and write.
    Brw {
        /** Register. */
        register: u16,
    },
    /// Logical read.
    Lrd {
        /** Logical address. */
        logical: u32,
    },
    /// Logical write.
    Lwr {
        /** Logical address. */
        logical: u32,
    },
    /// Logical read and write.
    Lrw {
        /** Logical address. */
        logical: u32,
    },
    /// Auto-increment read by one device, write by all others.
    Armw {
        /** Position address. */
        position: u16,
        /** Register. */
        register: u16,
    },
    /// Configured-address read by one device, write by all others.
    Frmw {
        /** Station address. */
        station: u16,
        /** Register. */
        register: u16,
    },
}

impl Command {
    /// The position address of the `index`-th device (from 0).
    #[must_use]
    pub const fn position(index: u16) -> u16 {
        0u16.wrapping_sub(index)
    }

    /// The code in the datagram's first byte.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Nop => 0,
            Self::Aprd { .. } => 1,
            Self::Apwr { .. } => 2,
            Self::Aprw { .. } => 3,
            Self::Fprd { .. } => 4,
            Self::Fpwr { .. } => 5,
            Self::Fprw { .. } => 6,
            Self::Brd { .. } => 7,
            Self::Bwr { .. } => 8,
            Self::Brw { .. } => 9,
            Self::Lrd { .. } => 10,
            Self::Lwr { .. } => 11,
            Self::Lrw { .. } => 12,
            Self::Armw { .. } => 13,
            Self::Frmw { .. } => 14,
        }
    }

    /// The four address bytes as they stand in the datagram.
    #[must_use]
    pub const fn address(self) -> [u8; 4] {
        let (low, high) = match self {
            Self::Nop => (0, 0),
            Self::Aprd { position, register }
            | Self::Apwr { position, register }
            | Self::Aprw { position, register }
            | Self::Armw { position, register } => (position, register),
            Self::Fprd { station, register }
            | Self::Fpwr { station, register }
            | Self::Fprw { station, register }
            | Self::Frmw { station, register } => (station, register),
            Self::Brd { register } | Self::Bwr { register } | Self::Brw { register } => {
                (0, register)
            }
            Self::Lrd { logical } | Self::Lwr { logical } | Self::Lrw { logical } => {
                return logical.to_le_bytes();
            }
        };
        let (low, high) = (low.to_le_bytes(), high.to_le_bytes());
        [low[0], low[1], high[0], high[1]]
    }

    /// The command for a code and its address bytes, or `None` for a code that no ESC knows.
    #[must_use]
    pub const fn parse(code: u8, address: [u8; 4]) -> Option<Self> {
        let low = u16::from_le_bytes([address[0], address[1]]);
        let register = u16::from_le_bytes([address[2], address[3]]);
        let logical = u32::from_le_bytes(address);
        Some(match code {
            0 => Self::Nop,
            1 => Self::Aprd { position: low, register },
            2 => Self::Apwr { position: low, register },
            3 => Self::Aprw { position: low, register },
            4 => Self::Fprd { station: low, register },
            5 => Self::Fpwr { station: low, register },
            6 => Self::Fprw { station: low, register },
            7 => Self::Brd { register },
            8 => Self::Bwr { register },
            9 => Self::Brw { register },
            10 => Self::Lrd { logical },
            11 => Self::Lwr { logical },
            12 => Self::Lrw { logical },
            13 => Self::Armw { position: low, register },
            14 => Self::Frmw { station: low, register },
            _ => return None,
        })
    }
}
