//! ethercrab on a simulated segment, in virtual time: its own poll loop and time driver, and nothing of
//! this project's MainDevice. What it accepts was not agreed between our own two sides.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ecat_simulator::{Segment, SegmentDescription, SegmentLink};
use ecat_wire::Link;
use embassy_time_driver::Driver;
use ethercrab::{MainDevice, MainDeviceConfig, PduRx, PduStorage, PduTx, RetryBehaviour, Timeouts};

/// Time that one frame takes on the wire.
const FRAME_NS: u64 = 10_000;

thread_local! {
    static NOW_NS: Cell<u64> = const { Cell::new(1_000_000_000) };
    static NEXT_WAKE_NS: Cell<u64> = const { Cell::new(u64::MAX) };
}

struct ThreadClock;

impl Driver for ThreadClock {
    fn now(&self) -> u64 {
        now_ns()
    }

    fn schedule_wake(&self, at: u64, _waker: &Waker) {
        NEXT_WAKE_NS.set(NEXT_WAKE_NS.get().min(at));
    }
}

embassy_time_driver::time_driver_impl!(static CLOCK: ThreadClock = ThreadClock);

/// This thread's virtual time.
pub fn now_ns() -> u64 {
    NOW_NS.get()
}

/// Lets time pass.
pub fn wait(ns: u64) {
    NOW_NS.set(now_ns() + ns);
}

/// Runs cycles of 1 ms until one is as it should be, which it has to be before they are used up.
pub fn within_cycles(cycles: u32, mut is_so: impl FnMut() -> bool) {
    let came = (0..cycles).any(|_| {
        wait(1_000_000);
        is_so()
    });
    assert!(came, "not within {cycles} cycles");
}

/// The frame storage of one MainDevice.
pub type Storage = PduStorage<16, { PduStorage::element_size(1486) }>;

/// The wire between ethercrab and a segment.
pub struct Bus<'a> {
    /// The simulated segment.
    pub link: SegmentLink,
    tx: PduTx<'a>,
    rx: PduRx<'a>,
    /// Frames sent so far.
    pub frames: u64,
}

/// A MainDevice on a segment.
pub fn open<'a>(storage: &'a Storage, segment: Segment) -> (MainDevice<'a>, Bus<'a>) {
    open_with(storage, segment, Timeouts::default())
}

/// The same with other time-outs, for a state that a device refuses: ethercrab asks for it until time is up.
pub fn open_with<'a>(
    storage: &'a Storage,
    segment: Segment,
    timeouts: Timeouts,
) -> (MainDevice<'a>, Bus<'a>) {
    let (tx, rx, pdu_loop) = storage.try_split().expect("a fresh storage");
    let timeouts = Timeouts { eeprom: std::time::Duration::from_millis(50), ..timeouts };
    let config =
        MainDeviceConfig { dc_static_sync_iterations: 200, retry_behaviour: RetryBehaviour::None };
    let (link, _) = SegmentLink::new(segment);
    (MainDevice::new(pdu_loop, timeouts, config), Bus { link, tx, rx, frames: 0 })
}

impl Bus<'_> {
    /// Drives a future of ethercrab to its end.
    pub fn run<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        let mut buffer = [0; 1514];
        let give_up_ns = now_ns() + 60_000_000_000;
        loop {
            NEXT_WAKE_NS.set(u64::MAX);
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            assert!(now_ns() < give_up_ns, "no end after a minute of virtual time");
            let mut moved = false;
            while let Some(frame) = self.tx.next_sendable_frame() {
                moved = true;
                self.frames += 1;
                wait(FRAME_NS);
                let link = &mut self.link;
                frame
                    .send_blocking(|bytes| {
                        link.send(bytes, now_ns()).expect("the link takes a frame");
                        Ok(bytes.len())
                    })
                    .expect("sent");
            }
            while let Some(length) = self.link.receive(&mut buffer, now_ns()).expect("up") {
                moved = true;
                self.rx.receive_frame(&buffer[..length]).expect("an answer that ethercrab knows");
            }
            if !moved {
                // Nothing moves until the next timer fires.
                let next = NEXT_WAKE_NS.get();
                NOW_NS.set(if next == u64::MAX {
                    now_ns() + FRAME_NS
                } else {
                    next.max(now_ns() + 1)
                });
            }
        }
    }
}

/// An image of a real device's EEPROM.
pub fn image(name: &str) -> Vec<u8> {
    let path = format!("{}/../test/fixtures/eeprom/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A segment of devices with these images.
pub fn segment_of_images(images: Vec<Vec<u8>>) -> Segment {
    let mut description = SegmentDescription::default();
    for sii in images {
        description.devices.push(ecat_simulator::description::DeviceDescription {
            sii: Some(sii),
            ..Default::default()
        });
    }
    Segment::new(&description).expect("a good description")
}

/// Runs a test with room: in a debug build ethercrab's futures, moved by value, take more than a test's thread has to spare.
pub fn large_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(16 << 20);
    thread.spawn(work).unwrap().join().unwrap();
}

/// AL status and AL status code of the first device: registers 0x0130 and 0x0134.
pub fn al_status(bus: &Bus<'_>) -> (u16, u16) {
    let of = |register| {
        let bytes = bus.link.segment().register(0, register, 2, now_ns());
        u16::from_le_bytes([bytes[0], bytes[1]])
    };
    (of(0x0130), of(0x0134))
}
