//! The memory of the models: loom's atomics and loom's threads.

use std::sync::Arc;

use ecat_engine::shared::atomics::{Atomics, Ordering, Pointer, Word};
use loom::sync::{Condvar, Mutex, atomic};
use loom::thread;

pub struct Loom;
pub struct U32(atomic::AtomicU32);
pub struct U64(atomic::AtomicU64);
pub struct Place<T>(atomic::AtomicPtr<T>);

macro_rules! loom_word {
    ($word:ident, $atomic:ty, $value:ty) => {
        impl Word<$value> for $word {
            fn new(value: $value) -> Self {
                Self(<$atomic>::new(value))
            }
            fn load(&self, order: Ordering) -> $value {
                self.0.load(order)
            }
            fn store(&self, value: $value, order: Ordering) {
                self.0.store(value, order);
            }
            fn swap(&self, value: $value, order: Ordering) -> $value {
                self.0.swap(value, order)
            }
            fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.0.fetch_add(value, order)
            }
            fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.0.fetch_sub(value, order)
            }
        }
    };
}
loom_word!(U32, atomic::AtomicU32, u32);
loom_word!(U64, atomic::AtomicU64, u64);

impl<T: Send + 'static> Pointer<T> for Place<T> {
    fn null() -> Self {
        Self(atomic::AtomicPtr::new(std::ptr::null_mut()))
    }
    fn swap(&self, pointer: *mut T, order: Ordering) -> *mut T {
        self.0.swap(pointer, order)
    }
}

loom::lazy_static! {
    /// The kernel's queue of sleepers. Without a timeout: a lost wake-up is a deadlock, which loom
    /// reports.
    static ref SLEEPERS: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
}

impl Atomics for Loom {
    type U32 = U32;
    type U64 = U64;
    type Pointer<T: Send + 'static> = Place<T>;
    type View<T: ?Sized + Send + Sync + 'static> = Arc<T>;

    fn fence(order: Ordering) {
        atomic::fence(order);
    }

    fn wait(word: &U32, expected: u32, _timeout_ns: u64) {
        let guard = SLEEPERS.0.lock().unwrap();
        if word.load(Ordering::SeqCst) == expected {
            drop(SLEEPERS.1.wait(guard).unwrap());
        }
    }

    fn wake_all(_word: &U32) {
        let _guard = SLEEPERS.0.lock().unwrap();
        SLEEPERS.1.notify_all();
    }
}

/// Explores with at most so many preemptions, which find almost every defect that more would.
pub fn explore(preemptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(test);
}

pub fn words(count: usize) -> Arc<[U64]> {
    (0..count).map(|_| Word::new(0)).collect()
}

/// Runs both on threads of their own. (Not one of them on the spawning thread: loom takes that one's
/// first operation for ordered before the spawned thread.)
pub fn race<R: 'static>(one: impl FnOnce() + 'static, other: impl FnOnce() -> R + 'static) -> R {
    let one = thread::spawn(one);
    let other = thread::spawn(other);
    one.join().unwrap();
    other.join().unwrap()
}
