//! The herald: one native thread of normal priority per process, which wakes JavaScript for every engine.
//!
//! A cycle thread that has news rings the herald's doorbell, at most once until the herald has heard it; the
//! herald rings the bells of the engines with news. So no cycle thread ever takes a lock that JavaScript
//! takes, whatever a bell does. The thread starts with the first engine and ends with the last.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::link::sys::{self, Doorbell};

/// How long the herald sleeps at most. Only bounds what a failing descriptor would do.
const SLEEP_NS: u64 = 1_000_000_000;

/// An engine, as the herald sees it.
pub trait Announcer: Send + Sync {
    /// Rings the engine's bells if there has been news since the last call.
    fn ring_if_news(&self);
    /// Rings the engine's bells.
    fn ring(&self);
}

/// What a cycle thread rings.
#[derive(Debug)]
pub struct Ear {
    doorbell: Doorbell,
    rung: AtomicBool,
}

impl Ear {
    /// Has the herald look at every engine. One system call, or none where a ring is under way already.
    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.doorbell.ring();
        }
    }
}

struct Herald {
    ear: Arc<Ear>,
    stop: Arc<AtomicBool>,
    engines: Engines,
    thread: JoinHandle<()>,
}

type Engines = Arc<Mutex<Vec<Arc<dyn Announcer>>>>;

static HERALD: Mutex<Option<Herald>> = Mutex::new(None);

/// Adds an engine, and starts the thread with the first one. Returns what the engine's cycle thread rings.
///
/// # Errors
/// What the system says when it has no descriptor or no thread left.
pub fn attach(engine: Arc<dyn Announcer>) -> std::io::Result<Arc<Ear>> {
    let mut herald = lock(&HERALD);
    if let Some(herald) = &*herald {
        lock(&herald.engines).push(engine);
        return Ok(Arc::clone(&herald.ear));
    }
    let ear = Arc::new(Ear { doorbell: Doorbell::new()?, rung: AtomicBool::new(false) });
    let stop = Arc::new(AtomicBool::new(false));
    let engines: Engines = Arc::new(Mutex::new(vec![engine]));
    let thread = std::thread::Builder::new().name("ecat-herald".to_owned()).spawn({
        let (ear, stop, engines) = (Arc::clone(&ear), Arc::clone(&stop), Arc::clone(&engines));
        move || run(&ear, &stop, &engines)
    })?;
    *herald = Some(Herald { ear: Arc::clone(&ear), stop, engines, thread });
    Ok(ear)
}

/// Rings an engine's bells a last time and lets go of it. With the last engine, ends the thread and waits
/// for it; a bell must therefore not call this.
pub fn detach(engine: &Arc<dyn Announcer>) {
    let last = {
        let mut herald = lock(&HERALD);
        let Some(running) = &*herald else { return };
        let mut engines = lock(&running.engines);
        engines.retain(|other| !Arc::ptr_eq(other, engine));
        let empty = engines.is_empty();
        drop(engines);
        if empty { herald.take() } else { None }
    };
    engine.ring();
    if let Some(Herald { ear, stop, thread, .. }) = last {
        stop.store(true, Ordering::Release);
        ear.doorbell.ring();
        // A bell that panics has already been reported by the thread's own panic message.
        let _panicked = thread.join();
    }
}

fn run(ear: &Ear, stop: &AtomicBool, engines: &Engines) {
    let mut with_news = Vec::new();
    while !stop.load(Ordering::Acquire) {
        // A failing wait makes this a slow poll, which loses nothing.
        if sys::wait_readable([Some(ear.doorbell.as_fd())], sys::monotonic_ns() + SLEEP_NS).is_err()
        {
            sys::sleep_until(sys::monotonic_ns() + SLEEP_NS / 100);
        }
        // In this order: a ring before the swap is heard by it, one after it makes the doorbell ring again.
        let _was_rung = ear.doorbell.drain();
        ear.rung.swap(false, Ordering::AcqRel);
        // Rung outside the lock, so that a bell may be slow without holding up `attach` and `detach`.
        with_news.extend(lock(engines).iter().cloned());
        with_news.drain(..).for_each(|engine: Arc<dyn Announcer>| engine.ring_if_news());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use std::sync::mpsc::{Receiver, Sender, channel};

    struct Engine {
        news: AtomicBool,
        rings: AtomicU32,
        heard: Mutex<Sender<()>>,
    }

    impl Announcer for Engine {
        fn ring_if_news(&self) {
            if self.news.swap(false, Ordering::AcqRel) {
                self.ring();
            }
        }

        fn ring(&self) {
            self.rings.fetch_add(1, Ordering::Relaxed);
            lock(&self.heard).send(()).unwrap();
        }
    }

    fn engine() -> (Arc<Engine>, Receiver<()>) {
        let (heard, ring) = channel();
        let news = AtomicBool::new(false);
        (Arc::new(Engine { news, rings: AtomicU32::new(0), heard: Mutex::new(heard) }), ring)
    }

    #[test]
    fn only_engines_with_news_are_rung_and_each_a_last_time_when_it_goes() {
        let (quiet, _quiet_ring) = engine();
        let (loud, ring) = engine();
        attach(Arc::clone(&quiet) as _).unwrap();
        let ear = attach(Arc::clone(&loud) as _).unwrap();
        for _ in 0..100 {
            loud.news.store(true, Ordering::Release);
            ear.ring();
            ring.recv().unwrap();
        }
        detach(&(Arc::clone(&loud) as _));
        detach(&(Arc::clone(&quiet) as _));
        assert_eq!(loud.rings.load(Ordering::Relaxed), 101);
        assert_eq!(quiet.rings.load(Ordering::Relaxed), 1);
        assert_eq!(Arc::strong_count(&loud), 1, "nothing of the engine is kept");
    }
}
