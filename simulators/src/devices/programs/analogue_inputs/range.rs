//! Measuring ranges: what goes into a channel, and the digits that its converter makes of it.

use serde::Deserialize;

/// What goes into a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RangeDescription {
    /// Volts, both ways.
    #[serde(rename = "-10..10 V")]
    Bipolar10V,
    /// Volts.
    #[serde(rename = "0..10 V")]
    Unipolar10V,
    /// Milliamperes, both ways.
    #[serde(rename = "-20..20 mA")]
    Bipolar20MilliAmpere,
    /// Milliamperes.
    #[serde(rename = "0..20 mA")]
    Unipolar20MilliAmpere,
    /// Milliamperes; below 3.5 mA the wire is broken.
    #[serde(rename = "4..20 mA")]
    LiveZero,
    /// Ohms of the resistance thermometer that 0x80n0:19 names.
    #[serde(rename = "ohm")]
    Ohm,
}

impl RangeDescription {
    /// The value at 0 digits, and how much is full scale above.
    pub(super) const fn zero_and_span(self) -> (f64, f64) {
        match self {
            Self::Bipolar10V | Self::Unipolar10V => (0.0, 10.0),
            Self::Bipolar20MilliAmpere | Self::Unipolar20MilliAmpere => (0.0, 20.0),
            Self::LiveZero => (4.0, 16.0),
            Self::Ohm => (0.0, 1.0),
        }
    }

    pub(super) const fn is_bipolar(self) -> bool {
        matches!(self, Self::Bipolar10V | Self::Bipolar20MilliAmpere)
    }
}
