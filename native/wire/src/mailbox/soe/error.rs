//! Why a request failed (IEC 61491; codes and meanings as in IgH's `soe_errors.c`).

/// An error code of the service channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoeError(pub u16);

macro_rules! errors {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        impl SoeError {
            $(#[doc = concat!(stringify!($code), ": ", $text, ".")]
            pub const $name: Self = Self($code);)*

            /// The meaning, in a few words; empty for a code that no source defines.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self.0 {
                    $($code => $text,)*
                    _ => "",
                }
            }
        }
    };
}

errors! {
    NO_IDN = 0x1001, "no IDN";
    ELEMENT_1 = 0x1009, "invalid access to element 1";
    NO_NAME = 0x2001, "no name";
    NAME_SHORT = 0x2002, "name too short";
    NAME_LONG = 0x2003, "name too long";
    NAME_READ_ONLY = 0x2004, "name cannot be changed";
    NAME_PROTECTED = 0x2005, "name is write-protected now";
    ATTRIBUTE_SHORT = 0x3002, "attribute too short";
    ATTRIBUTE_LONG = 0x3003, "attribute too long";
    ATTRIBUTE_READ_ONLY = 0x3004, "attribute cannot be changed";
    ATTRIBUTE_PROTECTED = 0x3005, "attribute is write-protected now";
    NO_UNIT = 0x4001, "no unit";
    UNIT_SHORT = 0x4002, "unit too short";
    UNIT_LONG = 0x4003, "unit too long";
    UNIT_READ_ONLY = 0x4004, "unit cannot be changed";
    UNIT_PROTECTED = 0x4005, "unit is write-protected now";
    NO_MINIMUM = 0x5001, "no minimum";
    MINIMUM_SHORT = 0x5002, "minimum too short";
    MINIMUM_LONG = 0x5003, "minimum too long";
    MINIMUM_READ_ONLY = 0x5004, "minimum cannot be changed";
    MINIMUM_PROTECTED = 0x5005, "minimum is write-protected now";
    NO_MAXIMUM = 0x6001, "no maximum";
    MAXIMUM_SHORT = 0x6002, "maximum too short";
    MAXIMUM_LONG = 0x6003, "maximum too long";
    MAXIMUM_READ_ONLY = 0x6004, "maximum cannot be changed";
    MAXIMUM_PROTECTED = 0x6005, "maximum is write-protected now";
    VALUE_SHORT = 0x7002, "value too short";
    VALUE_LONG = 0x7003, "value too long";
    VALUE_READ_ONLY = 0x7004, "value cannot be changed";
    VALUE_PROTECTED = 0x7005, "value is write-protected now";
    VALUE_TOO_LOW = 0x7006, "value below the minimum";
    VALUE_TOO_HIGH = 0x7007, "value above the maximum";
    VALUE_INVALID = 0x7008, "value invalid";
    PASSWORD = 0x7009, "value protected by a password";
    CYCLIC = 0x700A, "value is write-protected";
    INDIRECT = 0x700B, "invalid indirect addressing";
    OTHER_SETTINGS = 0x700C, "value write-protected by other settings";
    COMMAND_ACTIVE = 0x7010, "procedure command already active";
    COMMAND_NOT_INTERRUPTIBLE = 0x7011, "procedure command cannot be interrupted";
    COMMAND_NOT_NOW = 0x7012, "procedure command cannot be executed now";
    COMMAND_NEVER = 0x7013, "procedure command cannot be executed";
    NO_DATA_STATE = 0x7014, "no data state";
    NO_DEFAULT = 0x8001, "no default";
    DEFAULT_LONG = 0x8002, "default too long";
    DEFAULT_READ_ONLY = 0x8004, "default cannot be changed";
    NO_DRIVE = 0x800A, "no such drive";
    GENERAL = 0x800B, "general error";
    NO_ELEMENT = 0x800C, "no element addressed";
}
