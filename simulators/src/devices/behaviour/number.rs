//! The bits of a channel as a number, and back.

use crate::devices::{Channel, ChannelType};

/// A value on its way from or to a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::devices) enum Number {
    /// Of an integer channel.
    Integer(i128),
    /// Of a real channel, or computed.
    Real(f64),
    /// A count, which wraps with the width of the channel that it goes to.
    Count(u64),
}

impl Number {
    /// The number that a channel's bits are.
    pub(in crate::devices) fn decode(channel: Channel, bits: u64) -> Self {
        let width = u32::from(channel.bit_length).min(64);
        let bits = bits & mask(width);
        match channel.r#type {
            ChannelType::Unsigned => Self::Integer(i128::from(bits)),
            ChannelType::Signed => {
                let unused = 64 - width.max(1);
                Self::Integer(i128::from((bits << unused).cast_signed() >> unused))
            }
            #[expect(clippy::cast_possible_truncation, reason = "masked to 32 bits")]
            ChannelType::Real32 => Self::Real(f32::from_bits(bits as u32).into()),
            ChannelType::Real64 => Self::Real(f64::from_bits(bits)),
        }
    }

    /// The bits that are this number in a channel: rounded, and limited to what it can hold.
    pub(in crate::devices) fn encode(self, channel: Channel) -> u64 {
        let width = u32::from(channel.bit_length).min(64);
        match channel.r#type {
            ChannelType::Unsigned => self.integer(0, i128::from(mask(width)), width),
            ChannelType::Signed => {
                let half = 1i128 << (width.max(1) - 1);
                self.integer(-half, half - 1, width)
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the precision that the channel has"
            )]
            ChannelType::Real32 => u64::from((self.real() as f32).to_bits()),
            ChannelType::Real64 => self.real().to_bits(),
        }
    }

    fn integer(self, min: i128, max: i128, width: u32) -> u64 {
        let value = match self {
            Self::Integer(value) => value.clamp(min, max),
            // A cast of a real saturates, and makes 0 of what is no number.
            #[expect(clippy::cast_possible_truncation, reason = "rounded, then clamped")]
            Self::Real(value) => (value.round() as i128).clamp(min, max),
            Self::Count(count) => i128::from(count),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the low bits are meant"
        )]
        let bits = value as u64;
        bits & mask(width)
    }

    #[expect(clippy::cast_precision_loss, reason = "a real channel holds no more")]
    fn real(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Real(value) => value,
            Self::Count(count) => count as f64,
        }
    }
}

const fn mask(width: u32) -> u64 {
    if width == 0 { 0 } else { u64::MAX >> (64 - width) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn channel(r#type: ChannelType, bit_length: u8) -> Channel {
        Channel { bit_offset: 0, bit_length, r#type }
    }

    #[test]
    fn values_are_rounded_and_limited_to_what_the_channel_holds() {
        let int16 = channel(ChannelType::Signed, 16);
        assert_eq!(Number::Real(-1.5).encode(int16), 0xFFFE);
        assert_eq!(Number::Real(1e9).encode(int16), 0x7FFF);
        assert_eq!(Number::Real(-1e9).encode(int16), 0x8000);
        assert_eq!(Number::Real(f64::NAN).encode(int16), 0);
        let bit = channel(ChannelType::Unsigned, 1);
        assert_eq!(Number::Integer(-3).encode(bit), 0);
        assert_eq!(Number::Integer(3).encode(bit), 1);
        assert_eq!(
            Number::Real(f64::INFINITY).encode(channel(ChannelType::Unsigned, 64)),
            u64::MAX
        );
    }

    #[test]
    fn a_count_wraps_with_its_channel() {
        assert_eq!(Number::Count(5).encode(channel(ChannelType::Unsigned, 1)), 1);
        assert_eq!(Number::Count(0x1_8000).encode(channel(ChannelType::Signed, 16)), 0x8000);
    }

    proptest! {
        #[test]
        fn every_value_of_an_integer_channel_survives_a_wire(
            bits: u64, width in 1..=64u8, signed: bool,
        ) {
            let kind = if signed { ChannelType::Signed } else { ChannelType::Unsigned };
            let channel = channel(kind, width);
            prop_assert_eq!(Number::decode(channel, bits).encode(channel), bits & mask(width.into()));
        }

        #[test]
        fn every_number_of_a_real_channel_survives_a_wire(value: f32, wide: f64) {
            let channel32 = channel(ChannelType::Real32, 32);
            let channel64 = channel(ChannelType::Real64, 64);
            let bits = u64::from(value.to_bits());
            prop_assert_eq!(Number::decode(channel32, bits).encode(channel32), bits);
            prop_assert_eq!(Number::decode(channel64, wide.to_bits()).encode(channel64), wide.to_bits());
        }
    }
}
