//! Drives ethercrab's futures on the calling thread: transmit what is ready, receive what is there,
//! poll, repeat.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use ecat_wire::ethernet::{FRAME_BYTES_MAX, FRAME_BYTES_MIN, MacAddress};
use ecat_wire::{Link, LinkError};
use ethercrab::{PduRx, PduTx};

use super::watch::Watch;
use crate::clock;
use crate::link::{self, wire_time_ns};

/// Longest wait between two looks at the stop flag.
const SLICE_NS: u64 = 5_000_000;

/// Why a future was given up before it was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// The stop flag is set.
    Stopped,
    /// The time is over.
    Overdue,
    /// The SubDevice that ethercrab waits for has refused its state.
    Refused,
    /// The link takes no frames.
    Link(LinkError),
}

/// A link with ethercrab on it.
pub(super) struct Driver<'a, 'sto> {
    pub(super) link: &'a mut dyn Link,
    pub(super) tx: PduTx<'sto>,
    pub(super) rx: PduRx<'sto>,
    pub(super) stop: &'a AtomicBool,
    pub(super) deadline_ns: u64,
    pub(super) watch: Watch,
}

impl Driver<'_, '_> {
    /// Polls `future` until it is ready. Received frames that make no sense are dropped, whatever
    /// they are: ethercrab sends again what is not answered.
    pub(super) fn run<F: Future>(
        &mut self,
        mut future: Pin<Box<F>>,
    ) -> Result<F::Output, Interrupted> {
        let mut context = Context::from_waker(Waker::noop());
        let mut buffer = [0; FRAME_BYTES_MAX];
        loop {
            let _ = clock::take_deadline_ns();
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            let sent = self.transmit(&mut buffer)?;
            let received = self.receive(&mut buffer)?;
            let now = clock::now_ns();
            if self.stop.load(Ordering::Relaxed) {
                return Err(Interrupted::Stopped);
            }
            if now >= self.deadline_ns {
                return Err(Interrupted::Overdue);
            }
            if self.watch.refused(now) {
                return Err(Interrupted::Refused);
            }
            if !sent && !received {
                if !self.link.is_up() {
                    return Err(Interrupted::Link(LinkError::Down));
                }
                let due = clock::take_deadline_ns().min(self.deadline_ns).min(now + SLICE_NS);
                link::wait(self.link, due);
            }
        }
    }

    fn transmit(&mut self, buffer: &mut [u8; FRAME_BYTES_MAX]) -> Result<bool, Interrupted> {
        let mut any = false;
        while let Some(frame) = self.tx.next_sendable_frame() {
            // A frame counts as sent only after the callback has returned, so that its answer must not
            // be taken inside; therefore it is copied. What does not fit a frame is never sent, and
            // ethercrab's timeout says so; with this storage there is no such frame.
            let mut length = 0;
            let copied = frame.send_blocking(|bytes| {
                if let Some(to) = buffer.get_mut(..bytes.len()) {
                    to.copy_from_slice(bytes);
                    length = bytes.len();
                }
                Ok(bytes.len())
            });
            if copied.is_err() || length == 0 {
                continue;
            }
            let padded = length.max(FRAME_BYTES_MIN);
            buffer[length..padded].fill(0);
            self.watch.sent(&buffer[..padded]);
            let now = clock::now_ns();
            match self.link.send(&buffer[..padded], now) {
                // A full queue has lost the frame; ethercrab sends it again.
                Ok(()) | Err(LinkError::Full) => {}
                Err(error) => return Err(Interrupted::Link(error)),
            }
            clock::advance_to(now + wire_time_ns(padded));
            any = true;
        }
        Ok(any)
    }

    fn receive(&mut self, buffer: &mut [u8; FRAME_BYTES_MAX]) -> Result<bool, Interrupted> {
        let mut any = false;
        loop {
            let now = clock::now_ns();
            match self.link.receive(buffer, now) {
                Ok(Some(length)) => {
                    any = true;
                    let frame = &mut buffer[..length];
                    let ours = frame.get(6..12) == Some(&MacAddress::MAIN_DEVICE.processed().0[..]);
                    if !ours && self.watch.answers(frame, now) {
                        self.watch.amend(frame);
                        let _ = self.rx.receive_frame(frame);
                    }
                }
                Ok(None) | Err(LinkError::Full) => return Ok(any),
                // A card that goes down says so here once; whether it stays down, `is_up` tells.
                Err(LinkError::Down) => return Ok(any),
                Err(error) => return Err(Interrupted::Link(error)),
            }
        }
    }
}
