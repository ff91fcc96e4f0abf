//! `BindingSegmentServer`: a simulated segment behind a network card, for any MainDevice on the other end.

use std::cell::RefCell;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};

use ecat_engine::EngineError;
use ecat_engine::error::ErrorCode;
use ecat_engine::link::packet::PacketLink;
use ecat_engine::link::sys::{Doorbell, monotonic_ns, set_affinity, set_fifo, wait_readable};
use ecat_simulator::SegmentHost;
use ecat_wire::link::{Link, LinkError};
use napi::Env;
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::cleanup::{EndsWithEnvironment, ends_with};
use crate::failure::guarded;
use crate::pinned::Argument;
use crate::segment::{BindingSegment, ServerKeeper, busy};

/// Largest Ethernet frame without FCS, and room to see that one is larger.
const FRAME_BYTES: usize = 1518;

/// How long the thread waits for a frame at most, in ns: it is woken to stop, this is for a lost card.
const WAIT_NS: u64 = 1_000_000_000;

/// What the thread and its owner share.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    frames: AtomicU64,
    received: AtomicU64,
}

struct Running {
    shared: Arc<Shared>,
    doorbell: Arc<Doorbell>,
    thread: JoinHandle<()>,
}

struct ServerCell {
    running: RefCell<Option<Running>>,
}

/// Serves a simulated segment on a network interface, by a thread of its own, until it is closed.
#[napi]
pub struct BindingSegmentServer {
    cell: Rc<ServerCell>,
    shared: Arc<Shared>,
}

#[napi]
impl BindingSegmentServer {
    /// Takes the segment and the interface; with another interface, that is the far end of its ring. `priority` (1 to 99) puts its thread under SCHED_FIFO, `cpu` binds it
    /// to a processor.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        #[napi(ts_arg_type = "BindingSegment")] segment: ClassInstance<'_, BindingSegment>,
        #[napi(ts_arg_type = "string")] interface: Argument<String>,
        #[napi(ts_arg_type = "string | null")] second_interface: Option<Argument<String>>,
        #[napi(ts_arg_type = "number | null")] priority: Option<Argument<u32>>,
        #[napi(ts_arg_type = "number | null")] cpu: Option<Argument<u32>>,
    ) -> napi::Result<Self> {
        let place = Place { priority: priority.map(|one| one.0), cpu: cpu.map(|one| one.0) };
        let interfaces = [Some(interface.0), second_interface.map(|name| name.0)];
        let running = guarded(&env, || Running::start(segment.host(), interfaces, place))?;
        let shared = Arc::clone(&running.shared);
        let cell = Rc::new(ServerCell { running: RefCell::new(Some(running)) });
        ends_with(&env, &cell)?;
        Ok(Self { cell, shared })
    }

    /// Frames that came back out of the segment so far.
    #[napi(getter, catch_unwind)]
    pub fn frames(&self) -> f64 {
        self.shared.frames.load(Ordering::Relaxed) as f64
    }

    /// Frames that did not: lost or delayed in the segment, or not taken by the card.
    #[napi(getter, catch_unwind)]
    pub fn lost_frames(&self) -> f64 {
        let returned = self.shared.frames.load(Ordering::Relaxed);
        self.shared.received.load(Ordering::Relaxed).saturating_sub(returned) as f64
    }

    /// Stops the thread and lets go of the interface. Idempotent.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) -> napi::Result<()> {
        guarded(&env, || {
            self.cell.end();
            Ok(())
        })
    }
}

impl EndsWithEnvironment for ServerCell {
    fn ask(&self) {
        if let Some(running) = &*self.running.borrow() {
            running.ask();
        }
    }

    fn end(&self) {
        if let Some(running) = self.running.borrow_mut().take() {
            running.ask();
            // It waits for nothing but its descriptors, so that this is a matter of microseconds; a panic
            // in it was caught and leaves nothing to do.
            let _caught = running.thread.join();
        }
    }
}

impl Drop for ServerCell {
    fn drop(&mut self) {
        self.end();
    }
}

impl Running {
    /// Starts the thread; returns when it has its interfaces, or could not take one.
    fn start(
        host: &SegmentHost,
        interfaces: [Option<String>; 2],
        place: Place,
    ) -> Result<Self, EngineError> {
        let os = |error: std::io::Error| {
            EngineError::new(ErrorCode::LinkOs, format!("segment server: {error}"))
        };
        let shared = Arc::<Shared>::default();
        let doorbell = Arc::new(Doorbell::new().map_err(os)?);
        let segments = ends(host, interfaces[1].is_some())?;
        host.set_keeper(Arc::new(ServerKeeper(Arc::clone(&doorbell))));
        let (opened, wait_opened) = mpsc::sync_channel(1);
        let thread = {
            let (shared, doorbell) = (Arc::clone(&shared), Arc::clone(&doorbell));
            Builder::new()
                .name("ecat-segment".to_owned())
                .spawn(move || {
                    let open = |name: &String| PacketLink::open(name);
                    let links: Result<Vec<_>, _> = interfaces.iter().flatten().map(open).collect();
                    let links = match links.and_then(|links| place.take().map(|()| links)) {
                        Ok(links) => links,
                        Err(error) => return drop(opened.send(Err(error))),
                    };
                    drop(opened.send(Ok(())));
                    let mut ends: Vec<_> = links.into_iter().zip(segments).collect();
                    let served = catch_unwind(AssertUnwindSafe(|| serve(&mut ends, &shared, &doorbell)));
                    if served.is_err() {
                        eprintln!("bifrost-ethercat: a defect in the simulated segment was caught; it answers no more");
                    }
                })
                .map_err(os)?
        };
        match wait_opened.recv() {
            Ok(Ok(())) => Ok(Self { shared, doorbell, thread }),
            Ok(Err(error)) => {
                let _returned = thread.join();
                Err(error)
            }
            Err(_) => Err(EngineError::new(
                ErrorCode::Panic,
                "the segment server's thread ended before it began",
            )),
        }
    }

    fn ask(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.doorbell.ring();
    }
}

/// Where the thread runs, and how urgently.
#[derive(Clone, Copy)]
struct Place {
    priority: Option<u32>,
    cpu: Option<u32>,
}

impl Place {
    /// Takes the calling thread there.
    fn take(self) -> Result<(), EngineError> {
        let refused = |what: &str, error: std::io::Error| {
            let message = format!("segment server: {what} was refused: {error}");
            Err(EngineError::new(ErrorCode::LinkOs, message))
        };
        if let Some(cpu) = self.cpu
            && let Err(error) = set_affinity(cpu as usize)
        {
            return refused(&format!("processor {cpu}"), error);
        }
        if let Some(priority) = self.priority
            && let Err(error) = set_fifo(u8::try_from(priority).unwrap_or(u8::MAX))
        {
            return refused(&format!("priority {priority}"), error);
        }
        Ok(())
    }
}

/// A network card, and the port of the segment that it stands for.
type End = (PacketLink, Box<dyn Link + Send>);

/// One port of a segment, or both.
fn ends(host: &SegmentHost, both: bool) -> Result<Vec<Box<dyn Link + Send>>, EngineError> {
    if both {
        let (first, second) = host.ring_links().map_err(busy)?;
        return Ok(vec![Box::new(first), Box::new(second)]);
    }
    Ok(vec![Box::new(host.link().map_err(busy)?)])
}

/// Receives, lets the segment process, sends; until it is told to stop.
fn serve(ends: &mut [End], shared: &Shared, doorbell: &Doorbell) {
    let mut buffer = [0; FRAME_BYTES];
    while !shared.stop.load(Ordering::Acquire) {
        let now_ns = monotonic_ns();
        let mut received = 0;
        for (link, segment) in &mut *ends {
            if let Ok(Some(length)) = link.receive(&mut buffer, now_ns) {
                received += 1;
                // What it does not take is lost: a frame that is too long, or any while its carrier is gone.
                let _lost = segment.send(&buffer[..length], now_ns);
            }
        }
        let mut returned = 0;
        for (link, segment) in &mut *ends {
            // A frame that was delayed comes back together with a later one, or when its time has come.
            while let Ok(Some(length)) = segment.receive(&mut buffer, now_ns) {
                returned += u64::from(send(link, &buffer[..length]));
            }
        }
        shared.frames.fetch_add(returned, Ordering::Relaxed);
        shared.received.fetch_add(received, Ordering::Relaxed);
        if received == 0 {
            ends.iter_mut().for_each(|(_, segment)| segment.idle(now_ns));
            let due = ends.iter().map(|(_, segment)| segment.due_ns());
            let until = due.fold(now_ns + WAIT_NS, u64::min);
            // Without a carrier there is nothing to do but wait for it.
            let mut descriptors = ends.iter().map(|(link, _)| link.poll_fd());
            let [first, second] = [descriptors.next().flatten(), descriptors.next().flatten()];
            let _woken = wait_readable([first, second, Some(doorbell.as_fd())], until);
            let _was_rung = doorbell.drain();
        }
    }
}

/// Sends at once or not at all: a segment has no memory for frames.
fn send(link: &mut PacketLink, frame: &[u8]) -> bool {
    match link.send(frame, monotonic_ns()) {
        Ok(()) => true,
        Err(LinkError::Full) => {
            std::thread::yield_now();
            link.send(frame, monotonic_ns()).is_ok()
        }
        Err(_) => false,
    }
}
