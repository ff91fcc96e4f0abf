//! The Node-API face of the MainDevice and of the simulated segment: types named `Binding*`, no logic.
//!
//! Each file is one thing that JavaScript sees or that its side of the border needs:
//! [`engine`], [`attachment`] and [`lane`] (a MainDevice, an environment's access to its memory, and its outputs),
//! [`options`], [`interlock`], [`segment`], [`segment_server`], [`mod@replay`], [`sii`], [`network`] (what was found), [`registers`] (what is read of them), [`failure`] (errors), [`bell`] (waking JavaScript),
//! [`pinned`] (JavaScript's memory; the only `unsafe`), [`cleanup`] (the end of an environment).
#![deny(unsafe_code)]

pub mod attachment;
mod bell;
mod cleanup;
pub mod engine;
pub mod esi;
pub mod failure;
pub mod interlock;
pub mod lane;
pub mod network;
pub mod options;
mod pinned;
pub mod registers;
pub mod replay;
pub mod segment;
pub mod segment_server;
pub mod sii;
pub mod twin;

use ecat_engine::error::ErrorCode;
use napi_derive::napi;

/// Every code that an error or a failure of this addon can carry.
#[napi(catch_unwind)]
pub fn binding_error_codes() -> Vec<&'static str> {
    ErrorCode::ALL.iter().map(|code| code.as_str()).collect()
}

/// What an AL status code (register 0x0134) says, in words.
#[napi(catch_unwind)]
pub fn al_status_code_text(code: u32) -> &'static str {
    ecat_wire::al::status_code_text(u16::try_from(code).unwrap_or(u16::MAX))
}

/// Hash of the shared memory's layout; equal to `LAYOUT_HASH` of the JavaScript that fits this addon.
#[napi(catch_unwind)]
pub fn layout_hash() -> u32 {
    ecat_engine::shared::layout::LAYOUT_HASH
}

/// Version of the addon.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
