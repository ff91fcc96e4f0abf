//! Registers that the application reads, as JavaScript sees them.

use ecat_engine::cycle::registers::{REGISTER_BYTES_MAX, RegisterAnswer};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

/// What came back of a read of registers.
#[napi(object)]
pub struct BindingRegisterAnswer {
    /// The number given to `readRegister`.
    pub id: u32,
    /// What the SubDevice counted: 0 where it does not answer, or has no such register. Missing where no frame
    /// came back.
    pub working_counter: Option<u32>,
    /// From the frame's start to its return, in ns.
    pub round_trip_ns: u32,
    /// The registers.
    pub data: Uint8Array,
}

impl From<RegisterAnswer> for BindingRegisterAnswer {
    fn from(answer: RegisterAnswer) -> Self {
        let length = usize::from(answer.length).min(REGISTER_BYTES_MAX);
        Self {
            id: answer.id,
            working_counter: answer.working_counter.map(u32::from),
            round_trip_ns: answer.round_trip_ns,
            data: Uint8Array::new(answer.data[..length].to_vec()),
        }
    }
}
