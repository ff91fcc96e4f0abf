//! JavaScript's memory, as native code may touch it. The only file of the binding with `unsafe`.
//!
//! Two kinds of typed arrays come in, and they are told apart here, once:
//!
//! - **Shared** ([`SharedView`]): a `Uint8Array` over a SharedArrayBuffer. Other threads write to these bytes
//!   at any time, so that not even a `&[u8]` to them may exist; what leaves this file is a pointer and a
//!   length inside a [`SharedMemory`], which touches them by atomics alone. The view's strong reference lies in the
//!   same struct: as long as it lives, the buffer is not collected. A plain ArrayBuffer is refused, since it
//!   could be transferred away (and freed) under a native thread in spite of the reference; a
//!   SharedArrayBuffer can neither be detached nor shrink.
//! - **Private** ([`PrivateArray`], [`Tail`]): an array that the calling thread owns alone, for the time of
//!   one call. JavaScript on this thread is suspended in that call, no other thread can reach a plain
//!   ArrayBuffer, and nothing native keeps the pointer: a `&mut [T]` is exclusive. An array over a
//!   SharedArrayBuffer is refused, since then this would not hold.
//!
//! Node-API rejects SharedArrayBuffers where it expects ArrayBuffers, and so gives the test for which is which.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use ecat_engine::EngineError;
use ecat_engine::shared::SharedMemory;
use napi::bindgen_prelude::{FromNapiValue, TypeName, TypedArrayType, Uint8Array};
use napi::{Env, Error, Status, ValueType, sys, type_of};

use crate::failure::{invalid, thrown};

/// What a typed array is, as Node-API tells.
struct Info {
    kind: i32,
    data: *mut std::ffi::c_void,
    length: usize,
    shared: bool,
}

impl Info {
    /// Asks Node-API about `value`; `None` where it is no typed array.
    ///
    /// # Safety
    /// `env` and `value` are those of the native call that is running on this thread.
    unsafe fn of(env: sys::napi_env, value: sys::napi_value) -> Option<Self> {
        let mut info = Self { kind: 0, data: ptr::null_mut(), length: 0, shared: false };
        let (mut buffer, mut offset) = (ptr::null_mut(), 0);
        // SAFETY: the caller's promise; the out pointers are to locals.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &raw mut info.kind,
                &raw mut info.length,
                &raw mut info.data,
                &raw mut buffer,
                &raw mut offset,
            )
        };
        if status != sys::Status::napi_ok {
            return None;
        }
        let mut plain = false;
        // SAFETY: the caller's promise; `buffer` is the array's own, from the call above.
        let status = unsafe { sys::napi_is_arraybuffer(env, buffer, &raw mut plain) };
        info.shared = !plain;
        (status == sys::Status::napi_ok).then_some(info)
    }
}

/// Throws `ECAT_ERR_INVALID_ARGUMENT`.
///
/// # Safety
/// `env` is that of the native call that is running on this thread.
unsafe fn refuse(env: sys::napi_env, message: String) -> Error {
    thrown(&Env::from_raw(env), invalid(message))
}

/// An element type of a private array.
pub trait Element: Copy {
    /// Its typed array's number in Node-API.
    const KIND: i32;
    /// Its typed array's name in JavaScript.
    const NAME: &'static str;
}

impl Element for u8 {
    const KIND: i32 = TypedArrayType::Uint8 as i32;
    const NAME: &'static str = "Uint8Array";
}

impl Element for u32 {
    const KIND: i32 = TypedArrayType::Uint32 as i32;
    const NAME: &'static str = "Uint32Array";
}

/// A typed array of the calling thread's own, for the time of one native call.
pub struct PrivateArray<'call, T: Element> {
    data: NonNull<T>,
    length: usize,
    call: PhantomData<&'call mut T>,
}

impl<T: Element> PrivateArray<'_, T> {
    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: valid for the call, aligned (a typed array is), and exclusive (see the top of this file).
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.length) }
    }

    /// The elements, to write.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as above; `&mut self` keeps other slices of this argument away. Functions that take two
        // arrays take the small one as a `Tail`, of which no reference is ever formed.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.length) }
    }
}

impl<T: Element> TypeName for PrivateArray<'_, T> {
    fn type_name() -> &'static str {
        T::NAME
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl<T: Element> PrivateArray<'_, T> {
    /// `value` as a private array, or what is expected in its place.
    ///
    /// # Safety
    /// As [`Info::of`], and the result is not kept beyond that call.
    unsafe fn checked(env: sys::napi_env, value: sys::napi_value) -> Result<Self, String> {
        // SAFETY: the caller's promise.
        let info = unsafe { Info::of(env, value) };
        match info {
            Some(info) if info.kind == T::KIND && !info.shared => Ok(Self {
                data: NonNull::new(info.data.cast()).unwrap_or(NonNull::dangling()),
                length: if info.data.is_null() { 0 } else { info.length },
                call: PhantomData,
            }),
            found => {
                let found = name(found.as_ref());
                Err(format!("expected a {} over an ArrayBuffer, got {found}", T::NAME))
            }
        }
    }
}

impl<T: Element> FromNapiValue for PrivateArray<'_, T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: napi-rs converts arguments inside the native call, and its glue drops them at the end.
        let array = unsafe { Self::checked(env, value) };
        // SAFETY: as above.
        array.map_err(|message| unsafe { refuse(env, message) })
    }
}

/// A `Uint32Array` of which the first element is read and written: where a consumer stands in a log.
pub struct Tail<'call> {
    word: NonNull<u32>,
    call: PhantomData<&'call mut u32>,
}

impl Tail<'_> {
    /// The first element.
    pub fn get(&self) -> u32 {
        // SAFETY: checked to be there by the conversion; no reference to it is ever formed.
        unsafe { self.word.read() }
    }

    /// Sets the first element.
    pub fn set(&mut self, value: u32) {
        // SAFETY: as above.
        unsafe { self.word.write(value) }
    }
}

impl TypeName for Tail<'_> {
    fn type_name() -> &'static str {
        u32::NAME
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl FromNapiValue for Tail<'_> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the same contract, handed on.
        let array = unsafe { PrivateArray::<u32>::from_napi_value(env, value)? };
        if array.length == 0 {
            // SAFETY: napi-rs converts arguments inside the native call.
            return Err(unsafe {
                refuse(env, "expected a Uint32Array of at least one element for the tail".into())
            });
        }
        Ok(Self { word: array.data, call: PhantomData })
    }
}

/// A `Uint8Array` over a SharedArrayBuffer, held by a strong reference of this environment.
pub struct SharedView {
    data: NonNull<u8>,
    length: usize,
    /// Never dereferenced: it is here for its reference, and for napi-rs's knowledge of which thread may
    /// release it.
    _reference: Uint8Array,
}

impl SharedView {
    /// Where the bytes are: the same for every environment's view of one SharedArrayBuffer.
    pub fn address(&self) -> usize {
        self.data.as_ptr().addr()
    }

    /// The bytes, as the engine's shared memory. The caller lets go of every clone, and joins every thread that has
    /// one, before it drops this view.
    ///
    /// # Errors
    /// `ECAT_ERR_INVALID_ARGUMENT` where the engine refuses the alignment or the length.
    pub fn memory(&self) -> Result<SharedMemory, EngineError> {
        // SAFETY: `data` and `length` are those of a view over a SharedArrayBuffer, which does not move, shrink
        // or get detached, and which the reference keeps alive as long as `self`; the owners of a `SharedView`
        // (engine.rs, attachment.rs) drop it last. Only atomics touch these bytes, on JavaScript's side too
        // (control words by `Atomics`, everything else by native calls).
        unsafe { SharedMemory::from_raw(self.data, self.length) }
    }
}

impl TypeName for SharedView {
    fn type_name() -> &'static str {
        u8::NAME
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl FromNapiValue for SharedView {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: napi-rs converts arguments inside the native call.
        let info = unsafe { Info::of(env, value) };
        let data = info.as_ref().and_then(|info| NonNull::new(info.data.cast::<u8>()));
        match (info, data) {
            (Some(info), Some(data)) if info.kind == u8::KIND && info.shared => Ok(Self {
                data,
                length: info.length,
                // SAFETY: as above.
                _reference: unsafe { Uint8Array::from_napi_value(env, value)? },
            }),
            // SAFETY: as above.
            (found, _) => Err(unsafe {
                refuse(
                    env,
                    format!(
                        "expected a Uint8Array over a SharedArrayBuffer, got {}",
                        name(found.as_ref())
                    ),
                )
            }),
        }
    }
}

fn name(info: Option<&Info>) -> String {
    match info {
        None => "something else".to_owned(),
        Some(info) => format!(
            "{}Array over {} of {} elements",
            TypedArrayType::from(info.kind).as_ref(),
            if info.shared { "a SharedArrayBuffer" } else { "an ArrayBuffer" },
            info.length
        ),
    }
}

/// Bytes of a private array, copied: for what outlives the call.
pub struct CopiedBytes(pub Box<[u8]>);

impl TypeName for CopiedBytes {
    fn type_name() -> &'static str {
        u8::NAME
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl FromNapiValue for CopiedBytes {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: napi-rs converts arguments inside the native call, and `array` ends here.
        let array = unsafe { PrivateArray::<u8>::checked(env, value) };
        array.map(|array| Self(array.as_slice().into())).map_err(member_error)
    }
}

/// A number that must be an integer from 0 to 2³² − 1. (A `u32` of napi-rs takes any number, modulo 2³².)
#[derive(Clone, Copy)]
pub struct Natural(pub u32);

impl TypeName for Natural {
    fn type_name() -> &'static str {
        "number"
    }

    fn value_type() -> ValueType {
        ValueType::Number
    }
}

impl FromNapiValue for Natural {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the same contract, handed on.
        let number = unsafe { f64::from_napi_value(env, value)? };
        // The cast saturates, so that only what it keeps unchanged is such an integer.
        if f64::from(number as u32) == number {
            return Ok(Self(number as u32));
        }
        Err(member_error(format!("expected an integer from 0 to 4294967295, got {number}")))
    }
}

/// The error of a member of an object: napi-rs adds the member's name, and [`Argument`] the code.
fn member_error(message: String) -> Error {
    Error::new(Status::InvalidArg, message)
}

/// Any other argument: where napi-rs's own conversion fails, the error has the code
/// `ECAT_ERR_INVALID_ARGUMENT` like every wrong argument, in place of one of napi-rs's.
pub struct Argument<T>(pub T);

impl<T: TypeName> TypeName for Argument<T> {
    fn type_name() -> &'static str {
        T::type_name()
    }

    fn value_type() -> ValueType {
        T::value_type()
    }
}

impl<T: FromNapiValue + TypeName> FromNapiValue for Argument<T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        let found = type_of!(env, value)?;
        if found != T::value_type() {
            let message = format!("expected type {}, got {found}", T::value_type()).to_lowercase();
            // SAFETY: napi-rs converts arguments inside the native call.
            return Err(unsafe { refuse(env, message) });
        }
        // SAFETY: the same contract, handed on.
        match unsafe { T::from_napi_value(env, value) } {
            Ok(value) => Ok(Self(value)),
            Err(error) if error.status == Status::PendingException => Err(error),
            // SAFETY: napi-rs converts arguments inside the native call.
            Err(error) => Err(unsafe { refuse(env, error.reason.clone()) }),
        }
    }
}
