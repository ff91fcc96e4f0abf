//! What a MainDevice needs of a wire.

use std::os::fd::BorrowedFd;

/// A wire that carries whole Ethernet frames (without FCS): a network card, a simulated segment, or
/// either behind a wrapper that drops, delays or records.
///
/// A link belongs to one thread. None of its functions blocks; [`Link::poll_fd`] says what to wait on.
/// `now_ns` is the caller's clock, monotonic or virtual.
pub trait Link {
    /// Hands one complete frame over.
    ///
    /// # Errors
    /// [`LinkError::Full`] when the frame was not taken and may be offered again,
    /// [`LinkError::Down`] when the carrier is gone, [`LinkError::Os`] otherwise.
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError>;

    /// Copies the next received frame into `buffer` and returns its length, or `None` where none waits.
    /// A frame that does not fit is dropped, and the next one is tried.
    ///
    /// # Errors
    /// As [`Link::send`], without `Full`.
    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError>;

    /// A descriptor that becomes readable when a frame is there, or `None` for a link whose answers are
    /// ready as soon as [`Link::send`] returns.
    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Nothing is sent at the moment: a simulated segment serves those who ask something of it besides frames. Called
    /// while virtual time stands.
    fn idle(&mut self, now_ns: u64) {
        let _ = now_ns;
    }

    /// When an answer that is under way will be there, by the caller's clock; `u64::MAX` where none waits for time.
    fn due_ns(&self) -> u64 {
        u64::MAX
    }

    /// Whether the carrier is there.
    fn is_up(&self) -> bool {
        true
    }
}

impl<L: Link + ?Sized> Link for Box<L> {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        (**self).send(frame, now_ns)
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        (**self).receive(buffer, now_ns)
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        (**self).poll_fd()
    }

    fn idle(&mut self, now_ns: u64) {
        (**self).idle(now_ns);
    }

    fn due_ns(&self) -> u64 {
        (**self).due_ns()
    }

    fn is_up(&self) -> bool {
        (**self).is_up()
    }
}

/// Why a frame could not be handed over or taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// No room at the moment.
    Full,
    /// No carrier, or the interface is gone.
    Down,
    /// The operating system's error number.
    Os(i32),
}
