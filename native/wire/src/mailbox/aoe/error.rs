//! Why a request failed (Beckhoff, "ADS return codes").

/// An error or result; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdsError(pub u32);

impl AdsError {
    /// No error.
    pub const NONE: Self = Self(0);
    /// No such port.
    pub const NO_PORT: Self = Self(0x006);
    /// No such device.
    pub const NO_DEVICE: Self = Self(0x007);
    /// An unknown command.
    pub const COMMAND_ID: Self = Self(0x008);
    /// A wrong length.
    pub const AMS_LENGTH: Self = Self(0x00E);
    /// A wrong net id.
    pub const NET_ID: Self = Self(0x00F);
    /// A device error.
    pub const DEVICE: Self = Self(0x700);
    /// The device has no such service.
    pub const SERVICE: Self = Self(0x701);
    /// The device has no such index group.
    pub const GROUP: Self = Self(0x702);
    /// The index group has no such offset.
    pub const OFFSET: Self = Self(0x703);
    /// Reading or writing is not allowed.
    pub const ACCESS: Self = Self(0x704);
    /// The size does not fit.
    pub const SIZE: Self = Self(0x705);
    /// The value is not valid.
    pub const VALUE: Self = Self(0x706);
    /// The device is not ready.
    pub const NOT_READY: Self = Self(0x707);
    /// The device is busy.
    pub const BUSY: Self = Self(0x708);
    /// No memory.
    pub const MEMORY: Self = Self(0x70A);
    /// A parameter is not valid.
    pub const PARAMETER: Self = Self(0x70B);
    /// Not found.
    pub const NOT_FOUND: Self = Self(0x70C);
    /// The device is in a wrong state.
    pub const STATE: Self = Self(0x712);
    /// No such way to be told of changes.
    pub const NOTIFICATION_MODE: Self = Self(0x713);
    /// No such handle.
    pub const HANDLE: Self = Self(0x714);
    /// No more handles.
    pub const NO_MORE_HANDLES: Self = Self(0x716);

    /// The meaning, in a few words; empty for a code that is not among these.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NONE => "no error",
            Self::NO_PORT => "target port not found",
            Self::NO_DEVICE => "target device not found",
            Self::COMMAND_ID => "unknown command",
            Self::AMS_LENGTH => "wrong AMS length",
            Self::NET_ID => "wrong AMS net id",
            Self::DEVICE => "device error",
            Self::SERVICE => "service not supported",
            Self::GROUP => "no such index group",
            Self::OFFSET => "no such index offset",
            Self::ACCESS => "reading or writing not allowed",
            Self::SIZE => "size does not fit",
            Self::VALUE => "value not valid",
            Self::NOT_READY => "device not ready",
            Self::BUSY => "device busy",
            Self::MEMORY => "out of memory",
            Self::PARAMETER => "parameter not valid",
            Self::NOT_FOUND => "not found",
            Self::STATE => "wrong state",
            Self::NOTIFICATION_MODE => "notification mode not supported",
            Self::HANDLE => "no such notification handle",
            Self::NO_MORE_HANDLES => "no more notification handles",
            _ => "",
        }
    }
}
