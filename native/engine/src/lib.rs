//! The EtherCAT MainDevice: ethercrab's bring-up, our own configuration and cyclic exchange, and the
//! shared memory that JavaScript reads and writes.
//!
//! Read the modules in the order of the data's way:
//! [`link`] (the wire) → [`bringup`] (power-on to a configured PRE-OP) → [`cycle`] (the cycle thread)
//! → [`shared`] (the process image and its protocols) → [`engine`] (the handle that a binding holds)
//! → [`herald`] (who wakes JavaScript).
#![deny(unsafe_code)]

pub mod bringup;
pub mod clock;
pub mod cycle;
pub mod engine;
pub mod error;
pub mod event;
pub mod herald;
pub mod layout;
pub mod link;
pub mod network;
pub mod shared;
pub mod stamp;

pub use error::{EngineError, Failure};
