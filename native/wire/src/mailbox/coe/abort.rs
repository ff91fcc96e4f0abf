//! Abort codes (ETG1000.6, "SDO abort codes").

/// Why an SDO was aborted. The text is what people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortCode(pub u32);

impl AbortCode {
    /// The toggle bit did not change.
    pub const TOGGLE: Self = Self(0x0503_0000);
    /// No segment came in time.
    pub const TIMEOUT: Self = Self(0x0504_0000);
    /// The command specifier is not valid or unknown.
    pub const COMMAND: Self = Self(0x0504_0001);
    /// Out of memory.
    pub const OUT_OF_MEMORY: Self = Self(0x0504_0005);
    /// The object does not support this access.
    pub const UNSUPPORTED_ACCESS: Self = Self(0x0601_0000);
    /// The object can only be written.
    pub const WRITE_ONLY: Self = Self(0x0601_0001);
    /// The object can only be read.
    pub const READ_ONLY: Self = Self(0x0601_0002);
    /// The subindex can only be written while subindex 0 is 0.
    pub const SUBINDEX_0_NOT_ZERO: Self = Self(0x0601_0003);
    /// Complete access is not possible for objects of variable length.
    pub const NO_COMPLETE_ACCESS: Self = Self(0x0601_0004);
    /// The object is longer than the mailbox.
    pub const LONGER_THAN_MAILBOX: Self = Self(0x0601_0005);
    /// The object is mapped into an RxPDO.
    pub const MAPPED_TO_RX_PDO: Self = Self(0x0601_0006);
    /// There is no such object.
    pub const NO_OBJECT: Self = Self(0x0602_0000);
    /// The object cannot be mapped into the PDO.
    pub const NOT_MAPPABLE: Self = Self(0x0604_0041);
    /// The mapped objects are more or longer than the PDO may be.
    pub const PDO_TOO_LONG: Self = Self(0x0604_0042);
    /// Parameters do not fit each other.
    pub const PARAMETERS: Self = Self(0x0604_0043);
    /// The device does not fit itself.
    pub const INTERNAL: Self = Self(0x0604_0047);
    /// A fault of the hardware.
    pub const HARDWARE: Self = Self(0x0606_0000);
    /// Data type or length do not match.
    pub const LENGTH: Self = Self(0x0607_0010);
    /// The data is too long.
    pub const TOO_LONG: Self = Self(0x0607_0012);
    /// The data is too short.
    pub const TOO_SHORT: Self = Self(0x0607_0013);
    /// There is no such subindex.
    pub const NO_SUBINDEX: Self = Self(0x0609_0011);
    /// The value is out of range.
    pub const VALUE: Self = Self(0x0609_0030);
    /// The value is too large.
    pub const VALUE_TOO_HIGH: Self = Self(0x0609_0031);
    /// The value is too small.
    pub const VALUE_TOO_LOW: Self = Self(0x0609_0032);
    /// A maximum is less than its minimum.
    pub const MAXIMUM_BELOW_MINIMUM: Self = Self(0x0609_0036);
    /// No reason is given.
    pub const GENERAL: Self = Self(0x0800_0000);
    /// The application cannot take or give the data.
    pub const APPLICATION: Self = Self(0x0800_0020);
    /// Not while the device is controlled locally.
    pub const LOCAL_CONTROL: Self = Self(0x0800_0021);
    /// Not in this state of the device.
    pub const STATE: Self = Self(0x0800_0022);
    /// There is no object dictionary.
    pub const NO_DICTIONARY: Self = Self(0x0800_0023);
    /// There is no data.
    pub const NO_DATA: Self = Self(0x0800_0024);

    /// The meaning, in a few words; empty for a code that the standard does not define.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::TOGGLE => "toggle bit not changed",
            Self::TIMEOUT => "timeout",
            Self::COMMAND => "command specifier not valid or unknown",
            Self::OUT_OF_MEMORY => "out of memory",
            Self::UNSUPPORTED_ACCESS => "unsupported access to an object",
            Self::WRITE_ONLY => "object can only be written",
            Self::READ_ONLY => "object can only be read",
            Self::SUBINDEX_0_NOT_ZERO => "subindex 0 must be 0 for this write",
            Self::NO_COMPLETE_ACCESS => "no complete access to objects of variable length",
            Self::LONGER_THAN_MAILBOX => "object longer than the mailbox",
            Self::MAPPED_TO_RX_PDO => "object mapped to an RxPDO",
            Self::NO_OBJECT => "object does not exist",
            Self::NOT_MAPPABLE => "object cannot be mapped to the PDO",
            Self::PDO_TOO_LONG => "mapped objects exceed the PDO's length",
            Self::PARAMETERS => "incompatible parameters",
            Self::INTERNAL => "internal incompatibility",
            Self::HARDWARE => "hardware error",
            Self::LENGTH => "length does not match",
            Self::TOO_LONG => "data too long",
            Self::TOO_SHORT => "data too short",
            Self::NO_SUBINDEX => "subindex does not exist",
            Self::VALUE => "value out of range",
            Self::VALUE_TOO_HIGH => "value too high",
            Self::VALUE_TOO_LOW => "value too low",
            Self::MAXIMUM_BELOW_MINIMUM => "maximum below minimum",
            Self::GENERAL => "general error",
            Self::APPLICATION => "data cannot be transferred or stored",
            Self::LOCAL_CONTROL => "data cannot be transferred: local control",
            Self::STATE => "data cannot be transferred in this state",
            Self::NO_DICTIONARY => "no object dictionary",
            Self::NO_DATA => "no data",
            _ => "",
        }
    }
}
