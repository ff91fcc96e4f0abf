//! What an interlock is: a condition on bits of the input image, and what it forces the outputs to.
//!
//! Declared in words by an application ([`InterlockSpec`]), checked and compiled once by a thread of
//! JavaScript ([`compile`]), evaluated once a cycle by the cycle thread ([`super::interlocks`]).
//! An interlock is no safety function: it runs on ordinary hardware.

use std::ops::Range;
use std::sync::Arc;

use super::layout::INTERLOCKS_MAX;
use crate::error::{EngineError, ErrorCode};

/// How the bits of a condition are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitsKind {
    /// An unsigned number of 1 to 64 bits; a bool is one of 1 bit.
    Unsigned,
    /// Two's complement of 2 to 64 bits.
    Signed,
    /// IEEE 754 of 32 or 64 bits.
    Float,
}

/// What the value is compared with: raw, as it stands in the process image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// Any number of 64 bits, exact.
    Integer(i128),
    /// Any other number.
    Float(f64),
}

/// When an interlock fires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    /// The value is this one.
    Is(Threshold),
    /// The value is greater than this.
    Above(Threshold),
    /// The value is less than this.
    Below(Threshold),
}

/// An interlock, as declared.
#[derive(Clone, Debug, PartialEq)]
pub struct InterlockSpec {
    /// Its name, which is what it is known by when all are declared anew.
    pub name: String,
    /// First bit in the input image.
    pub bit_offset: u32,
    /// Number of bits, 1 to 64.
    pub bit_length: u32,
    /// How they are read.
    pub kind: BitsKind,
    /// When it fires.
    pub when: Comparison,
    /// Bits of the output image that it forces are 1; as long as the output image.
    pub force_mask: Box<[u8]>,
    /// What they are forced to; as long as the output image.
    pub force_image: Box<[u8]>,
}

/// Eight bytes of the output image in which an interlock forces bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForcedWord {
    /// Index of the eight bytes.
    pub index: u32,
    /// Forced bits.
    pub mask: u64,
    /// Their values.
    pub value: u64,
}

/// An interlock, ready for the cycle thread.
#[derive(Clone, Debug)]
pub struct Interlock {
    /// Its place in the table of states.
    pub slot: u32,
    /// Differs from that of every other interlock that ever had the place.
    pub serial: u32,
    /// Index of the SubDevice whose input the condition reads.
    pub device: u32,
    /// What it forces.
    pub words: Arc<[ForcedWord]>,
    first_byte: usize,
    shift: u32,
    bits: u32,
    check: Check,
}

/// A comparison, resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Check {
    /// Fires from `low` to `high`, both included.
    Unsigned { low: i128, high: i128 },
    /// The same, of a value with a sign.
    Signed { low: i128, high: i128 },
    /// Fires as the comparison says; a value that is no number always fires.
    Float(Comparison),
}

impl Interlock {
    /// Whether the condition holds in `inputs`. Bits beyond the image read as 0.
    #[inline]
    #[must_use]
    pub fn holds(&self, inputs: &[u8]) -> bool {
        let mut bytes = [0; 16];
        // 64 bits that begin within a byte reach over nine.
        for (to, from) in bytes.iter_mut().zip(inputs.iter().skip(self.first_byte).take(9)) {
            *to = *from;
        }
        let raw = u128::from_le_bytes(bytes) >> self.shift & (u128::MAX >> (128 - self.bits));
        let raw = raw as u64;
        match self.check {
            Check::Unsigned { low, high } => (low..=high).contains(&i128::from(raw)),
            Check::Signed { low, high } => {
                let unused = 64 - self.bits;
                let value = raw.cast_signed() << unused >> unused;
                (low..=high).contains(&i128::from(value))
            }
            Check::Float(comparison) => {
                let value = if self.bits == 32 {
                    f32::from_bits(raw as u32).into()
                } else {
                    f64::from_bits(raw)
                };
                value.is_nan() || comparison.of_float(value)
            }
        }
    }
}

impl Comparison {
    fn of_float(self, value: f64) -> bool {
        match self {
            Self::Is(threshold) => value == threshold.float(),
            Self::Above(threshold) => value > threshold.float(),
            Self::Below(threshold) => value < threshold.float(),
        }
    }

    /// The integers that fire, both ends included; empty where none does.
    fn of_integer(self) -> (i128, i128) {
        match self {
            Self::Is(threshold) => (threshold.ceiling(), threshold.floor()),
            Self::Above(threshold) => (threshold.floor() + 1, i128::MAX),
            Self::Below(threshold) => (i128::MIN, threshold.ceiling() - 1),
        }
    }

    const fn threshold(self) -> Threshold {
        match self {
            Self::Is(threshold) | Self::Above(threshold) | Self::Below(threshold) => threshold,
        }
    }
}

impl Threshold {
    const fn float(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// The largest integer that is not greater. Far beyond 64 bits, so that ±1 does not overflow.
    fn floor(self) -> i128 {
        match self {
            Self::Integer(value) => value,
            Self::Float(value) => value.floor().clamp(-1e30, 1e30) as i128,
        }
    }

    fn ceiling(self) -> i128 {
        match self {
            Self::Integer(value) => value,
            Self::Float(value) => value.ceil().clamp(-1e30, 1e30) as i128,
        }
    }
}

/// Checks the declarations, and makes what the cycle thread needs of them. `input_areas` are the byte
/// ranges of the SubDevices in the input image; `place` says slot and serial of each by its index.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`], which names the interlock: a name twice, more than
/// [`INTERLOCKS_MAX`], bits outside every SubDevice's input, a length that the kind does not have, a
/// condition that can never or cannot but hold, an image of a wrong length, nothing forced, or a bit
/// that another interlock forces to another value.
pub fn compile(
    specs: &[InterlockSpec],
    output_bytes: usize,
    input_areas: &[Range<usize>],
    place: impl Fn(usize) -> (u32, u32),
) -> Result<Arc<[Interlock]>, EngineError> {
    if specs.len() > INTERLOCKS_MAX {
        return Err(invalid(format!(
            "{} interlocks are declared, {INTERLOCKS_MAX} are possible",
            specs.len()
        )));
    }
    let mut compiled: Vec<Interlock> = Vec::with_capacity(specs.len());
    for (index, spec) in specs.iter().enumerate() {
        if specs[..index].iter().any(|other| other.name == spec.name) {
            return Err(invalid(format!("two interlocks have the name {:?}", spec.name)));
        }
        let (slot, serial) = place(index);
        let interlock = compile_one(spec, output_bytes, input_areas, slot, serial)
            .map_err(|what| invalid(format!("interlock {:?}: {what}", spec.name)))?;
        for (other, before) in compiled.iter().zip(specs) {
            if let Some(bit) = contradiction(other, &interlock) {
                return Err(invalid(format!(
                    "interlocks {:?} and {:?} force output bit {bit} to different values",
                    before.name, spec.name
                )));
            }
        }
        compiled.push(interlock);
    }
    Ok(compiled.into())
}

fn compile_one(
    spec: &InterlockSpec,
    output_bytes: usize,
    input_areas: &[Range<usize>],
    slot: u32,
    serial: u32,
) -> Result<Interlock, String> {
    let (offset, bits) = (spec.bit_offset as usize, spec.bit_length);
    let lengths = match spec.kind {
        BitsKind::Unsigned => (1..=64).contains(&bits),
        BitsKind::Signed => (2..=64).contains(&bits),
        BitsKind::Float => bits == 32 || bits == 64,
    };
    if !lengths {
        return Err(format!("its input has {bits} bits, which no {:?} has", spec.kind));
    }
    let bytes = offset / 8..(offset + bits as usize).div_ceil(8);
    let device = input_areas
        .iter()
        .position(|area| area.start <= bytes.start && bytes.end <= area.end)
        .ok_or_else(|| {
            format!(
                "bits {offset} to {} are not the input of one SubDevice",
                offset + bits as usize
            )
        })?;
    let check = check_of(spec)?;
    for (name, image) in [("mask", &spec.force_mask), ("image", &spec.force_image)] {
        if image.len() != output_bytes {
            return Err(format!(
                "the {name} of what it forces has {} bytes, the output image has {output_bytes}",
                image.len()
            ));
        }
    }
    let words: Arc<[ForcedWord]> = (0..output_bytes.div_ceil(8))
        .map(|word| {
            let mask = super::claims::word_of(&spec.force_mask, word);
            let value = super::claims::word_of(&spec.force_image, word) & mask;
            // The image has at most 2²⁴ bytes.
            ForcedWord { index: word as u32, mask, value }
        })
        .filter(|word| word.mask != 0)
        .collect();
    if words.is_empty() {
        return Err("it forces nothing".to_owned());
    }
    Ok(Interlock {
        slot,
        serial,
        device: u32::try_from(device).unwrap_or(u32::MAX),
        words,
        first_byte: bytes.start,
        shift: (offset % 8) as u32,
        bits,
        check,
    })
}

fn check_of(spec: &InterlockSpec) -> Result<Check, String> {
    if matches!(spec.when.threshold(), Threshold::Float(value) if value.is_nan()) {
        return Err("its threshold is not a number".to_owned());
    }
    let (least, most) = match spec.kind {
        BitsKind::Float => return Ok(Check::Float(spec.when)),
        BitsKind::Unsigned => (0, (1_i128 << spec.bit_length) - 1),
        BitsKind::Signed => (-(1_i128 << (spec.bit_length - 1)), (1 << (spec.bit_length - 1)) - 1),
    };
    let (low, high) = spec.when.of_integer();
    let (low, high) = (low.max(least), high.min(most));
    if low > high {
        return Err(format!("a value from {least} to {most} never fires it"));
    }
    if (low, high) == (least, most) {
        return Err(format!("every value from {least} to {most} fires it"));
    }
    Ok(match spec.kind {
        BitsKind::Signed => Check::Signed { low, high },
        _ => Check::Unsigned { low, high },
    })
}

/// A bit that both force, to different values.
fn contradiction(one: &Interlock, other: &Interlock) -> Option<usize> {
    one.words.iter().find_map(|a| {
        let b = other.words.iter().find(|b| b.index == a.index)?;
        let differing = (a.value ^ b.value) & a.mask & b.mask;
        (differing != 0).then(|| a.index as usize * 64 + differing.trailing_zeros() as usize)
    })
}

fn invalid(message: String) -> EngineError {
    EngineError::new(ErrorCode::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two SubDevices of 16 and no bytes.
    const AREAS: &[Range<usize>] = &[0..16, 16..16];

    fn spec(offset: u32, bits: u32, kind: BitsKind, when: Comparison) -> InterlockSpec {
        InterlockSpec {
            name: "guard".to_owned(),
            bit_offset: offset,
            bit_length: bits,
            kind,
            when,
            force_mask: [0x01].into(),
            force_image: [0].into(),
        }
    }

    fn one(spec: &InterlockSpec) -> Result<Interlock, EngineError> {
        compile(std::slice::from_ref(spec), 1, AREAS, |_| (0, 0)).map(|all| all[0].clone())
    }

    fn fires(spec: &InterlockSpec, raw: u64) -> bool {
        let mut inputs = [0xA5_u8; 16];
        let offset = spec.bit_offset as usize;
        for bit in 0..spec.bit_length as usize {
            let (byte, mask) = ((offset + bit) / 8, 1 << ((offset + bit) % 8));
            inputs[byte] &= !mask;
            if raw >> bit & 1 == 1 {
                inputs[byte] |= mask;
            }
        }
        one(spec).unwrap().holds(&inputs)
    }

    #[test]
    fn bits_are_read_where_they_stand_and_compared_exactly() {
        use BitsKind::{Float, Signed, Unsigned};
        use Comparison::{Above, Below, Is};
        use Threshold::{Float as F, Integer as I};
        /// First bit, bits, kind, condition; values that fire, values that do not.
        type Case = (u32, u32, BitsKind, Comparison, &'static [u64], &'static [u64]);
        let cases: &[Case] = &[
            (13, 1, Unsigned, Is(I(1)), &[1], &[0]),
            (3, 12, Unsigned, Above(F(99.5)), &[100, 4095], &[0, 99]),
            (5, 64, Unsigned, Above(I((1 << 64) - 2)), &[u64::MAX], &[0, u64::MAX - 1]),
            (
                7,
                64,
                Signed,
                Below(I(-(1 << 62))),
                &[1 << 63, (3 << 62) - 1],
                &[0, u64::MAX, 3 << 62],
            ),
            (0, 16, Signed, Below(F(-0.5)), &[0xFFFF, 0x8000], &[0, 0x7FFF]),
            (0, 16, Signed, Is(F(-3.0)), &[0xFFFD], &[0xFFFC, 3]),
            (8, 32, Float, Above(F(2.5)), &[0x4020_0001, 0x7FC0_0000], &[0x4020_0000, 0]),
            (8, 64, Float, Below(F(0.0)), &[1 << 63 | 1], &[0, 1 << 63]),
        ];
        for &(offset, bits, kind, when, firing, others) in cases {
            let spec = spec(offset, bits, kind, when);
            firing.iter().for_each(|&raw| assert!(fires(&spec, raw), "{spec:?}: {raw:#x}"));
            others.iter().for_each(|&raw| assert!(!fires(&spec, raw), "{spec:?}: {raw:#x}"));
        }
    }

    #[test]
    fn declarations_that_cannot_be_meant_are_refused_by_name() {
        use Comparison::{Above, Below, Is};
        use Threshold::{Float as F, Integer as I};
        let refused = |spec: InterlockSpec, part: &str| {
            let error = one(&spec).unwrap_err();
            assert_eq!(error.first.code, ErrorCode::InvalidArgument);
            assert!(error.first.message.contains("\"guard\""), "{error}");
            assert!(error.first.message.contains(part), "{error}");
        };
        refused(spec(0, 1, BitsKind::Signed, Is(I(0))), "1 bits");
        refused(spec(0, 16, BitsKind::Float, Is(I(0))), "16 bits");
        refused(spec(120, 16, BitsKind::Unsigned, Is(I(0))), "not the input of one SubDevice");
        refused(spec(0, 16, BitsKind::Unsigned, Above(I(65535))), "never fires it");
        refused(spec(0, 16, BitsKind::Unsigned, Is(F(2.5))), "never fires it");
        refused(spec(0, 16, BitsKind::Unsigned, Below(I(65536))), "every value");
        refused(spec(0, 16, BitsKind::Unsigned, Above(F(f64::NAN))), "not a number");
        let guard = spec(0, 1, BitsKind::Unsigned, Is(I(1)));
        refused(InterlockSpec { force_mask: [0].into(), ..guard.clone() }, "forces nothing");
        refused(InterlockSpec { force_image: [].into(), ..guard.clone() }, "has 0 bytes");
        let both = |second: InterlockSpec| compile(&[guard.clone(), second], 1, AREAS, |_| (0, 0));
        assert!(both(guard.clone()).unwrap_err().first.message.contains("two interlocks"));
        let other = InterlockSpec { name: "door".to_owned(), ..guard.clone() };
        assert!(both(other.clone()).is_ok());
        let contrary = InterlockSpec { force_image: [1].into(), ..other };
        assert!(both(contrary).unwrap_err().first.message.contains("output bit 0"));
    }
}
