//! The engine's time: the monotonic clock, or a virtual one, per thread.
//!
//! ethercrab (built without `std`) takes its time from an embassy-time driver, of which a process can
//! have one. This driver answers for the thread that asks: a thread that has called
//! [`enter_virtual`] lives in its own virtual time, all others on `CLOCK_MONOTONIC`. So several
//! engines, real and simulated, run in one process, and a test of hours takes seconds.
//!
//! Virtual time moves only by [`advance_to`]. Whoever drives a wire in it advances by the modelled
//! time of every frame sent, else a loop that polls a register would spin for ever at one instant.

use std::cell::Cell;
use std::task::Waker;

use crate::link::sys;

thread_local! {
    static VIRTUAL_NOW: Cell<Option<u64>> = const { Cell::new(None) };
    static DEADLINE: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Which clock a thread lives by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `CLOCK_MONOTONIC`.
    Wall,
    /// Virtual time, moved by [`advance_to`].
    Virtual,
}

/// The calling thread's clock.
#[must_use]
pub fn clock() -> Clock {
    if VIRTUAL_NOW.get().is_some() { Clock::Virtual } else { Clock::Wall }
}

/// Nanoseconds of the calling thread's clock. Monotonic; the start is arbitrary.
#[must_use]
pub fn now_ns() -> u64 {
    VIRTUAL_NOW.get().unwrap_or_else(sys::monotonic_ns)
}

/// Puts the calling thread into virtual time, from `start_ns` on, for as long as it lives.
pub fn enter_virtual(start_ns: u64) {
    VIRTUAL_NOW.set(Some(start_ns));
    DEADLINE.set(u64::MAX);
}

/// Moves the calling thread's virtual time forward to `ns`; never back. Nothing on the wall clock.
pub fn advance_to(ns: u64) {
    if let Some(now) = VIRTUAL_NOW.get() {
        VIRTUAL_NOW.set(Some(now.max(ns)));
    }
}

/// The earliest instant that a timer of this thread has asked to be polled at since the last call.
/// `u64::MAX` where none has.
#[must_use]
pub fn take_deadline_ns() -> u64 {
    DEADLINE.replace(u64::MAX)
}

struct ThreadClock;

impl embassy_time_driver::Driver for ThreadClock {
    fn now(&self) -> u64 {
        now_ns()
    }

    /// Notes the instant only: the loop that polls the futures asks for it, and no waker is needed.
    fn schedule_wake(&self, at: u64, _waker: &Waker) {
        DEADLINE.set(DEADLINE.get().min(at));
    }
}

const _: () = assert!(embassy_time_driver::TICK_HZ == 1_000_000_000, "a tick is a nanosecond");

embassy_time_driver::time_driver_impl!(static DRIVER: ThreadClock = ThreadClock);

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn virtual_time_is_of_its_thread_alone_and_moves_only_forward() {
        thread::spawn(|| {
            enter_virtual(1_000);
            assert_eq!((clock(), now_ns()), (Clock::Virtual, 1_000));
            advance_to(5_000);
            advance_to(2_000);
            assert_eq!(now_ns(), 5_000);
            assert_eq!(thread::spawn(clock).join().unwrap(), Clock::Wall);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn the_earliest_deadline_is_taken_once() {
        thread::spawn(|| {
            enter_virtual(0);
            embassy_time_driver::schedule_wake(70, Waker::noop());
            embassy_time_driver::schedule_wake(50, Waker::noop());
            assert_eq!(take_deadline_ns(), 50);
            assert_eq!(take_deadline_ns(), u64::MAX);
        })
        .join()
        .unwrap();
    }
}
