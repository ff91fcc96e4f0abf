//! From the engine's errors to JavaScript's, with everything they know.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ecat_engine::error::{EngineError, ErrorCode, Failure};
use napi::bindgen_prelude::{JsObjectValue, Object, Unknown};
use napi::{Env, Error, JsError, JsValue, Status};
use napi_derive::napi;

/// One failure, as data: what a bring-up or a running engine reports, and the properties of every error
/// that a function of this addon throws (there `code` and `message` are the error's own).
#[napi(object)]
#[derive(Default)]
pub struct BindingFailure {
    /// A stable code, `ECAT_ERR_…`.
    pub code: String,
    /// One sentence with the particulars.
    pub message: String,
    /// Position of the SubDevice in the segment, from 0.
    pub position: Option<u32>,
    /// Name of the SubDevice, as its SII gives it.
    pub sub_device: Option<String>,
    /// The register concerned.
    pub register: Option<u32>,
    /// The state that was requested (low nibble of register 0x0120).
    pub requested_state: Option<u32>,
    /// The state that the SubDevice is in (register 0x0130).
    pub state: Option<u32>,
    /// The AL status code (register 0x0134).
    pub al_status_code: Option<u32>,
    /// What to do about that AL status code, where more can be said than for the error's code.
    pub hint: Option<String>,
}

impl From<Failure> for BindingFailure {
    fn from(failure: Failure) -> Self {
        let hint = failure.al_status_code.and_then(ecat_wire::al::status_code_hint);
        Self {
            hint: hint.map(str::to_owned),
            code: failure.code.as_str().to_owned(),
            message: failure.message,
            position: failure.position.map(u32::from),
            sub_device: failure.sub_device,
            register: failure.register.map(u32::from),
            requested_state: failure.requested_state.map(u32::from),
            state: failure.state.map(u32::from),
            al_status_code: failure.al_status_code.map(u32::from),
        }
    }
}

/// All failures of an error, the most telling first.
pub fn failures(error: EngineError) -> Vec<BindingFailure> {
    std::iter::once(error.first).chain(error.others).map(BindingFailure::from).collect()
}

/// `ECAT_ERR_INVALID_ARGUMENT` with what is expected.
pub fn invalid(message: impl Into<String>) -> EngineError {
    EngineError::new(ErrorCode::InvalidArgument, message)
}

/// `ECAT_ERR_CLOSED`: `what` has been released.
pub fn released(what: &str) -> EngineError {
    EngineError::new(ErrorCode::Closed, format!("{what} has been released"))
}

/// Runs the body of an exported function: its error is thrown as a JavaScript `Error` with the fields of
/// [`BindingFailure`], and a panic becomes one with the code `ECAT_ERR_PANIC`.
///
/// `#[napi(catch_unwind)]` stays on the exported functions for what happens outside the body.
pub fn guarded<T>(env: &Env, body: impl FnOnce() -> Result<T, EngineError>) -> napi::Result<T> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result.map_err(|error| thrown(env, error)),
        Err(payload) => {
            Err(thrown(env, EngineError::new(ErrorCode::Panic, panic_message(payload.as_ref()))))
        }
    }
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("without a message");
    format!("a defect inside the addon was caught: {text}")
}

/// Throws `error` in `env` and returns what tells napi-rs that an exception is pending already.
///
/// An environment that is being torn down cannot build error objects; the error is then given back for
/// napi-rs to throw, or to let go.
pub fn thrown(env: &Env, error: EngineError) -> Error {
    let plain = || Error::new(Status::GenericFailure, error.to_string());
    match build(env, error.clone()).and_then(|object| env.throw(object)) {
        Ok(()) => Error::new(Status::PendingException, String::new()),
        Err(_) => plain(),
    }
}

fn build(env: &Env, error: EngineError) -> napi::Result<Unknown<'_>> {
    let EngineError { first, others } = error;
    let Failure {
        code,
        message,
        position,
        sub_device,
        register,
        requested_state,
        state,
        al_status_code,
    } = first;
    let value: Unknown<'_> = JsError::from(Error::new(code.as_str(), message)).into_unknown(*env);
    let mut object: Object<'_> = value.coerce_to_object()?;
    set(&mut object, "position", position)?;
    set(&mut object, "subDevice", sub_device)?;
    set(&mut object, "register", register)?;
    set(&mut object, "requestedState", requested_state)?;
    set(&mut object, "state", state)?;
    set(&mut object, "alStatusCode", al_status_code)?;
    if !others.is_empty() {
        let others: Vec<BindingFailure> = others.into_iter().map(BindingFailure::from).collect();
        object.set_named_property("others", others)?;
    }
    Ok(value)
}

fn set<T: napi::bindgen_prelude::ToNapiValue>(
    object: &mut Object<'_>,
    name: &str,
    value: Option<T>,
) -> napi::Result<()> {
    value.map_or(Ok(()), |value| object.set_named_property(name, value))
}
