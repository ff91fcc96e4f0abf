//! Interlocks, from JavaScript's objects to the engine's declarations.

use ecat_engine::EngineError;
use ecat_engine::shared::{BitsKind, Comparison, InterlockSpec, Threshold};
use napi::Either;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::failure::invalid;
use crate::pinned::{CopiedBytes, Natural};

/// A condition on bits of the input image, and what it forces the outputs to. Exactly one of `is`, `above` and
/// `below` is given: raw, as the value stands in the process image. No safety function.
#[napi(object, object_to_js = false)]
pub struct BindingInterlock {
    /// Its name: declared anew under the same name, an interlock keeps its place and its latch.
    pub name: String,
    /// First bit in the input image; all bits are of one SubDevice.
    #[napi(ts_type = "number")]
    pub bit_offset: Natural,
    /// Number of bits, 1 to 64; of a float 32 or 64.
    #[napi(ts_type = "number")]
    pub bit_length: Natural,
    /// How they are read; a bool is an unsigned number of one bit.
    #[napi(ts_type = "'unsigned' | 'signed' | 'float'")]
    pub kind: String,
    /// Fires while the value is this one.
    pub is: Option<Either<f64, BigInt>>,
    /// Fires while the value is greater.
    pub above: Option<Either<f64, BigInt>>,
    /// Fires while the value is less.
    pub below: Option<Either<f64, BigInt>>,
    /// As long as the output image: 1 bits are forced.
    #[napi(ts_type = "Uint8Array")]
    pub force_mask: CopiedBytes,
    /// As long as the output image: what they are forced to.
    #[napi(ts_type = "Uint8Array")]
    pub force_image: CopiedBytes,
}

/// The engine's declarations.
///
/// # Errors
/// `ECAT_ERR_INVALID_ARGUMENT`, which names the interlock.
pub fn specs(declared: Vec<BindingInterlock>) -> Result<Vec<InterlockSpec>, EngineError> {
    declared.into_iter().map(spec).collect()
}

fn spec(declared: BindingInterlock) -> Result<InterlockSpec, EngineError> {
    let BindingInterlock { name, bit_offset, bit_length, kind, is, above, below, .. } = declared;
    let kind = match kind.as_str() {
        "unsigned" => BitsKind::Unsigned,
        "signed" => BitsKind::Signed,
        "float" => BitsKind::Float,
        other => {
            return Err(invalid(format!(
                "interlock {name:?}: kind: expected unsigned, signed or float, got {other}"
            )));
        }
    };
    let when = match (is, above, below) {
        (Some(value), None, None) => Comparison::Is(threshold(value)),
        (None, Some(value), None) => Comparison::Above(threshold(value)),
        (None, None, Some(value)) => Comparison::Below(threshold(value)),
        _ => {
            return Err(invalid(format!(
                "interlock {name:?}: expected exactly one of is, above and below"
            )));
        }
    };
    Ok(InterlockSpec {
        name,
        bit_offset: bit_offset.0,
        bit_length: bit_length.0,
        kind,
        when,
        force_mask: declared.force_mask.0,
        force_image: declared.force_image.0,
    })
}

fn threshold(value: Either<f64, BigInt>) -> Threshold {
    match value {
        Either::A(number) => Threshold::Float(number),
        Either::B(big) => {
            // Of a number beyond 64 bits only its sign counts.
            let far = big.words.iter().skip(1).any(|&word| word != 0);
            let magnitude = i128::from(big.words.first().copied().unwrap_or(0));
            let magnitude = if far { i128::from(u64::MAX) + 1 } else { magnitude };
            Threshold::Integer(if big.sign_bit { -magnitude } else { magnitude })
        }
    }
}
