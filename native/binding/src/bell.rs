//! How native threads wake an environment: a bell without a message.
//!
//! Queue of one and non-blocking: a bell that was rung and not yet heard is not rung again, so that a
//! stalled environment collects one call however long it stalls.

use std::sync::{Mutex, PoisonError};

use ecat_engine::engine::Bell;
use napi::Status;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};

type Ringer<const WEAK: bool> = ThreadsafeFunction<(), (), (), Status, false, WEAK, 1>;

/// The bell of one environment. A strong one holds its event loop until [`JsBell::silence`].
pub struct JsBell<const WEAK: bool> {
    /// The engine and the herald hold the bell longer than the environment may: what they hold must be
    /// able to go silent. Never locked by the cycle thread.
    ringer: Mutex<Option<Ringer<WEAK>>>,
}

/// Keeps the process alive: the bell of the environment that opened the engine.
pub type StrongBell = JsBell<false>;

/// Does not keep its environment alive: the bell of an attachment.
pub type WeakBell = JsBell<true>;

impl<const WEAK: bool> JsBell<WEAK> {
    /// A bell that calls `callback` on its environment's thread.
    ///
    /// # Errors
    /// What Node-API says when the environment cannot make one.
    pub fn new(callback: &Function<'_, (), ()>) -> napi::Result<Self> {
        let ringer = callback
            .build_threadsafe_function::<()>()
            .callee_handled::<false>()
            .weak::<WEAK>()
            .max_queue_size::<1>()
            .build()?;
        Ok(Self { ringer: Mutex::new(Some(ringer)) })
    }

    /// Releases the environment; further rings are lost. Idempotent.
    pub fn silence(&self) {
        drop(self.ringer.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl<const WEAK: bool> Bell for JsBell<WEAK> {
    fn ring(&self) {
        if let Some(ringer) = &*self.ringer.lock().unwrap_or_else(PoisonError::into_inner) {
            // A full queue means that a ring is under way already; a closing environment hears no more.
            let _full_or_closing = ringer.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}
