//! Sleeping on a word of shared memory, and waking who sleeps there.
//!
//! Private futexes: every thread of the MainDevice lives in one process. A native wake does not wake
//! JavaScript's `Atomics.wait`, and the other way round; JavaScript sleeps through
//! [`super::ring::RingReader::wait_copy`].
#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::AtomicU32;

use crate::link::sys;

/// Sleeps while `word` holds `expected`, at most `timeout_ns` (of the monotonic clock). Returns at
/// once when it holds something else, and may return without any cause: check again.
///
/// A native wait cannot be interrupted by `worker.terminate()`; callers slice it to 50 ms or less.
pub fn wait(word: &AtomicU32, expected: u32, timeout_ns: u64) {
    let timeout = libc::timespec {
        tv_sec: (timeout_ns / 1_000_000_000).try_into().unwrap_or(libc::time_t::MAX),
        // Below 10⁹: fits any width of the field.
        tv_nsec: (timeout_ns % 1_000_000_000) as _,
    };
    sys::count_call();
    // SAFETY: FUTEX_WAIT reads the four bytes of `word`, which is alive and aligned for the whole
    // call, atomically, and reads `timeout`, which outlives the call. It writes nothing.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            ptr::from_ref(&timeout),
        );
    }
}

/// Wakes every thread that sleeps on `word`. One system call; never blocks.
pub fn wake_all(word: &AtomicU32) {
    sys::count_call();
    // SAFETY: FUTEX_WAKE uses the address as a key only; `word` is alive for the whole call.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            i32::MAX,
        );
    }
}
