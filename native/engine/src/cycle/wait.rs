//! Sleeping until an instant of the thread's clock, such that a doorbell or a frame ends the sleep.

use std::os::fd::{AsFd, BorrowedFd};

use crate::clock::{self, Clock};
use crate::link::sys::{self, Doorbell};

/// Waits until `until_ns`; sleeps up to `spin_ns` before it, and spins from there. Returns early when the
/// doorbell rings or `frames` becomes readable. In virtual time, time itself moves there. Returns the time.
pub fn until(
    until_ns: u64,
    spin_ns: u64,
    frames: Option<BorrowedFd<'_>>,
    doorbell: &Doorbell,
) -> u64 {
    if clock::clock() == Clock::Virtual {
        clock::advance_to(until_ns);
        return clock::now_ns();
    }
    let sleep_until_ns = until_ns.saturating_sub(spin_ns);
    if clock::now_ns() < sleep_until_ns {
        match sys::wait_readable([frames, Some(doorbell.as_fd())], sleep_until_ns) {
            Ok([false, false]) => {}
            Ok([_, rung]) => {
                if rung {
                    let _was_rung = doorbell.drain();
                }
                return clock::now_ns();
            }
            // A descriptor that fails (the card is gone) must not turn the sleep into a spin.
            Err(_) => sys::sleep_until(sleep_until_ns),
        }
    }
    loop {
        let now_ns = clock::now_ns();
        if now_ns >= until_ns {
            return now_ns;
        }
        std::hint::spin_loop();
    }
}

/// Waits for the doorbell, `timeout_ns` of the wall clock at most. May return early.
pub fn for_doorbell(doorbell: &Doorbell, timeout_ns: u64) {
    let until_ns = sys::monotonic_ns().saturating_add(timeout_ns);
    if sys::wait_readable([Some(doorbell.as_fd())], until_ns).is_err() {
        sys::sleep_until(until_ns);
    }
    let _was_rung = doorbell.drain();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_never_ends_before_its_time_unless_the_bell_rings() {
        let doorbell = Doorbell::new().unwrap();
        let end = clock::now_ns() + 2_000_000;
        assert!(until(end, 1_000_000, None, &doorbell) >= end);
        doorbell.ring();
        let far = clock::now_ns() + 60_000_000_000;
        assert!(until(far, 0, None, &doorbell) < far);
    }

    #[test]
    fn in_virtual_time_the_clock_moves_instead() {
        std::thread::spawn(|| {
            clock::enter_virtual(5);
            let now_ns = until(1_000_000_000_000, 10, None, &Doorbell::new().unwrap());
            assert_eq!((now_ns, clock::now_ns()), (1_000_000_000_000, 1_000_000_000_000));
        })
        .join()
        .unwrap();
    }
}
