//! What the value of an IDN is (IEC 61491; bits as in Beckhoff's `ST_SercosParamAttrib` and SOEM's
//! `ec_SoEattributet`).

/// How a value is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataType {
    /// 0: bits.
    #[default]
    Binary,
    /// 1: an unsigned number.
    Unsigned,
    /// 2: a signed number.
    Signed,
    /// 3: an unsigned number, in hexadecimal digits.
    Hexadecimal,
    /// 4: characters.
    Text,
    /// 5: IDNs.
    Idn,
    /// 6: a floating-point number.
    Float,
    /// 7: SERCOS III's parameters.
    Parameter,
}

impl DataType {
    const ALL: [Self; 8] = [
        Self::Binary,
        Self::Unsigned,
        Self::Signed,
        Self::Hexadecimal,
        Self::Text,
        Self::Idn,
        Self::Float,
        Self::Parameter,
    ];
}

/// The attribute of an IDN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attribute {
    /// Factor from the value to what is shown.
    pub conversion: u16,
    /// A value, or an element of a list, has 2 to the power of this many bytes (2 bits).
    pub length: u8,
    /// Whether the length varies: two words before it say how long it is, and can be.
    pub list: bool,
    /// Whether it is a procedure command.
    pub command: bool,
    /// How it is shown.
    pub data_type: DataType,
    /// Digits behind the point (4 bits).
    pub decimals: u8,
    /// Cannot be written in PRE-OP (SERCOS communication phase 2).
    pub protected_pre_op: bool,
    /// Cannot be written in SAFE-OP (phase 3).
    pub protected_safe_op: bool,
    /// Cannot be written in OP (phase 4).
    pub protected_op: bool,
}

impl Attribute {
    /// Bytes of a value, or of an element of a list: 1, 2, 4 or 8.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        1 << (self.length & 0x03)
    }

    /// From the four bytes of the element.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self {
            conversion: bits as u16,
            length: (bits >> 16 & 0x03) as u8,
            list: bits & 1 << 18 != 0,
            command: bits & 1 << 19 != 0,
            data_type: DataType::ALL[(bits >> 20 & 0x07) as usize],
            decimals: (bits >> 24 & 0x0F) as u8,
            protected_pre_op: bits & 1 << 28 != 0,
            protected_safe_op: bits & 1 << 29 != 0,
            protected_op: bits & 1 << 30 != 0,
        }
    }

    /// The four bytes of the element.
    #[must_use]
    pub fn bits(&self) -> u32 {
        u32::from(self.conversion)
            | u32::from(self.length & 0x03) << 16
            | u32::from(self.list) << 18
            | u32::from(self.command) << 19
            | (self.data_type as u32) << 20
            | u32::from(self.decimals & 0x0F) << 24
            | u32::from(self.protected_pre_op) << 28
            | u32::from(self.protected_safe_op) << 29
            | u32::from(self.protected_op) << 30
    }
}
