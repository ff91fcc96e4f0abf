//! The atomic types that every protocol of this folder is generic over.
//!
//! [`Native`] is what ships. The loom tests put their own implementation in its place, so that the
//! code that loom explores is the code that runs.

use std::ops::Deref;
pub use std::sync::atomic::Ordering;
use std::sync::atomic::{self, AtomicPtr, AtomicU32, AtomicU64};

use super::{futex, memory::View};

/// An atomic integer of value type `V`, with the operations the protocols need and no more.
pub trait Word<V>: Send + Sync + Sized + 'static {
    /// A word that holds `value`.
    fn new(value: V) -> Self;
    /// Loads the value.
    fn load(&self, order: Ordering) -> V;
    /// Stores a value.
    fn store(&self, value: V, order: Ordering);
    /// Stores a value and returns the one before.
    fn swap(&self, value: V, order: Ordering) -> V;
    /// Adds, wrapping, and returns the value before.
    fn fetch_add(&self, value: V, order: Ordering) -> V;
    /// Subtracts, wrapping, and returns the value before.
    fn fetch_sub(&self, value: V, order: Ordering) -> V;
}

/// An atomic pointer that hands over one object: only swaps.
pub trait Pointer<T>: Send + Sync + Sized + 'static {
    /// A pointer to nothing.
    fn null() -> Self;
    /// Stores a pointer and returns the one before.
    fn swap(&self, pointer: *mut T, order: Ordering) -> *mut T;
}

/// A family of atomics, and the memory they lie in.
pub trait Atomics: Sized + 'static {
    /// 32 bits; JavaScript reaches these with `Int32Array` and `Atomics`.
    type U32: Word<u32>;
    /// 64 bits; JavaScript reaches these with `BigUint64Array` and `Atomics`.
    type U64: Word<u64>;
    /// A pointer that changes hands.
    type Pointer<T: Send + 'static>: Pointer<T>;
    /// A reference into shared memory that can be stored and sent to another thread.
    type View<T: ?Sized + Send + Sync + 'static>: Deref<Target = T> + Clone + Send + Sync;

    /// A memory fence.
    fn fence(order: Ordering);
    /// Sleeps while `word` holds `expected`, at most `timeout_ns`; may return early without a cause.
    fn wait(word: &Self::U32, expected: u32, timeout_ns: u64);
    /// Wakes every thread that sleeps on `word`.
    fn wake_all(word: &Self::U32);
}

/// The processor's atomics over bytes shared with JavaScript.
#[derive(Clone, Copy, Debug)]
pub struct Native;

impl Atomics for Native {
    type U32 = AtomicU32;
    type U64 = AtomicU64;
    type Pointer<T: Send + 'static> = AtomicPtr<T>;
    type View<T: ?Sized + Send + Sync + 'static> = View<T>;

    #[inline]
    fn fence(order: Ordering) {
        atomic::fence(order);
    }

    fn wait(word: &AtomicU32, expected: u32, timeout_ns: u64) {
        futex::wait(word, expected, timeout_ns);
    }

    fn wake_all(word: &AtomicU32) {
        futex::wake_all(word);
    }
}

macro_rules! native_word {
    ($atomic:ty, $value:ty) => {
        impl Word<$value> for $atomic {
            #[inline]
            fn new(value: $value) -> Self {
                <$atomic>::new(value)
            }
            #[inline]
            fn load(&self, order: Ordering) -> $value {
                self.load(order)
            }
            #[inline]
            fn store(&self, value: $value, order: Ordering) {
                self.store(value, order);
            }
            #[inline]
            fn swap(&self, value: $value, order: Ordering) -> $value {
                self.swap(value, order)
            }
            #[inline]
            fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.fetch_add(value, order)
            }
            #[inline]
            fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.fetch_sub(value, order)
            }
        }
    };
}
native_word!(AtomicU32, u32);
native_word!(AtomicU64, u64);

impl<T: Send + 'static> Pointer<T> for AtomicPtr<T> {
    fn null() -> Self {
        Self::new(std::ptr::null_mut())
    }
    #[inline]
    fn swap(&self, pointer: *mut T, order: Ordering) -> *mut T {
        self.swap(pointer, order)
    }
}

/// `a − b` of two wrapping counters: positive where `a` is newer. Right up to a distance of 2³¹.
#[inline]
#[must_use]
pub const fn newer_by(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b).cast_signed()
}

/// Stores `bytes` into `words`, eight to a word in memory order; a last part of a word is filled
/// with zeros. Stops at the shorter of both.
#[inline]
pub(crate) fn store_bytes<U: Word<u64>>(words: &[U], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<8>();
    for (word, chunk) in words.iter().zip(whole) {
        word.store(u64::from_ne_bytes(*chunk), Ordering::Relaxed);
    }
    if let Some(word) = words.get(whole.len()).filter(|_| !rest.is_empty()) {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        word.store(u64::from_ne_bytes(last), Ordering::Relaxed);
    }
}

/// Loads `bytes` from `words`, the reverse of [`store_bytes`].
#[inline]
pub(crate) fn load_bytes<U: Word<u64>>(words: &[U], bytes: &mut [u8]) {
    let (whole, rest) = bytes.as_chunks_mut::<8>();
    for (chunk, word) in whole.iter_mut().zip(words) {
        *chunk = word.load(Ordering::Relaxed).to_ne_bytes();
    }
    if let Some(word) = words.get(whole.len()) {
        let last = word.load(Ordering::Relaxed).to_ne_bytes();
        rest.copy_from_slice(&last[..rest.len()]);
    }
}
