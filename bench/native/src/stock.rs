//! Stock ethercrab on a link, polled without pause: nothing of this project but the link, the clock and
//! the poll loop that ethercrab leaves to its user.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ecat_engine::clock;
use ecat_wire::Link;
use ecat_wire::ethernet::{FRAME_BYTES_MAX, FRAME_BYTES_MIN};
use ethercrab::error::Error;
use ethercrab::{MainDevice, MainDeviceConfig, PduRx, PduStorage, PduTx, RetryBehaviour, Timeouts};

use crate::Outcome;

/// 16 full frames.
pub type Storage = PduStorage<16, { PduStorage::element_size(1486) }>;

/// Longest that a future may take.
const GIVE_UP_NS: u64 = 120_000_000_000;

/// Drives ethercrab's futures.
pub struct Bus<'a, 'sto> {
    link: &'a mut dyn Link,
    tx: PduTx<'sto>,
    rx: PduRx<'sto>,
}

/// A MainDevice on a link. The static synchronisation of the clocks takes as many frames as in our own
/// bring-up; its default of 10,000 would make the reference look worse. No wait between two polls of a
/// register, which is its default.
pub fn open<'a, 'sto>(
    storage: &'sto Storage,
    link: &'a mut dyn Link,
    dc_static_sync_iterations: u32,
) -> Outcome<(MainDevice<'sto>, Bus<'a, 'sto>)> {
    let (tx, rx, pdu_loop) = storage.try_split().map_err(|()| "the storage has been split")?;
    // Hosts stall: with the default limits a bring-up fails now and then.
    let timeouts = Timeouts {
        pdu: Duration::from_millis(100),
        eeprom: Duration::from_secs(1),
        ..Timeouts::default()
    };
    let config =
        MainDeviceConfig { dc_static_sync_iterations, retry_behaviour: RetryBehaviour::Count(20) };
    Ok((MainDevice::new(pdu_loop, timeouts, config), Bus { link, tx, rx }))
}

impl Bus<'_, '_> {
    /// Drives a future to its end.
    pub fn run<T>(&mut self, future: impl Future<Output = Result<T, Error>>) -> Outcome<T> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        let mut buffer = [0; FRAME_BYTES_MAX];
        let give_up_ns = clock::now_ns() + GIVE_UP_NS;
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output.map_err(|error| format!("ethercrab: {error:?}"));
            }
            while let Some(frame) = self.tx.next_sendable_frame() {
                // The answer is taken later, when the frame counts as sent.
                let sent = frame.send_blocking(|bytes| {
                    let padded = match buffer.get_mut(..FRAME_BYTES_MIN) {
                        Some(short) if bytes.len() < FRAME_BYTES_MIN => {
                            short[..bytes.len()].copy_from_slice(bytes);
                            short[bytes.len()..].fill(0);
                            &*short
                        }
                        _ => bytes,
                    };
                    let taken = self.link.send(padded, clock::now_ns());
                    taken.map(|()| bytes.len()).map_err(|_| Error::SendFrame)
                });
                sent.map_err(|error| format!("ethercrab: {error:?}"))?;
            }
            while let Some(length) = self
                .link
                .receive(&mut buffer, clock::now_ns())
                .map_err(|error| format!("{error:?}"))?
            {
                // An answer that comes too late is none.
                let _processed = self.rx.receive_frame(&buffer[..length]);
            }
            if clock::now_ns() > give_up_ns {
                return Err("ethercrab did not come to an end".to_owned());
            }
        }
    }
}
