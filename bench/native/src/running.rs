//! An engine of this process, with shared memory that no JavaScript sees.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ecat_engine::engine::{Bell, Engine, EngineOptions, LinkOpener, MemorySizes, StartOptions};
use ecat_engine::shared::atomics::Ordering;
use ecat_engine::shared::{Attached, EngineState};

use crate::Outcome;

/// The longest way to OP that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

pub mod memory {
    //! Memory for engines and statistics. It is never freed: a run needs a few hundred kilobytes.

    use std::sync::atomic::AtomicU64;

    use ecat_engine::shared::{Attached, Dimensions, SharedMemory, required_bytes};

    use crate::Outcome;

    /// As large as `dimensions` ask for; not laid out yet.
    pub fn of(dimensions: &Dimensions) -> SharedMemory {
        let words = required_bytes(dimensions).div_ceil(8);
        let words: Vec<AtomicU64> = (0..words).map(|_| AtomicU64::new(0)).collect();
        SharedMemory::from_static(Vec::leak(words))
    }

    /// Laid out, for its counters and histograms alone.
    pub fn small() -> Outcome<Attached> {
        let dimensions = Dimensions {
            input_bytes: 8,
            output_bytes: 8,
            sub_device_count: 1,
            datagram_count: 1,
            slot_count: 4,
            log_records: 64,
            partition_count: 1,
            lane_count: 1,
            cycle_period_ns: 1_000_000,
            first_cycle: 0,
        };
        of(&dimensions).initialise(&dimensions).map_err(|error| error.to_string())
    }
}

struct ChannelBell(Mutex<Sender<()>>);

impl Bell for ChannelBell {
    fn ring(&self) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody listens any more once the engine is being dropped.
        let _heard = sender.send(());
    }
}

/// An engine in OP.
pub struct Running {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Its shared memory.
    pub memory: Attached,
    rings: Receiver<()>,
}

impl Running {
    /// Opens an engine and returns when all its SubDevices are in OP.
    pub fn to_op(options: EngineOptions, opener: LinkOpener) -> Outcome<Self> {
        Self::to_op_with(options, opener, &StartOptions::default())
    }

    /// The same, started with these options.
    pub fn to_op_with(
        options: EngineOptions,
        opener: LinkOpener,
        start: &StartOptions,
    ) -> Outcome<Self> {
        let small = MemorySizes {
            slot_count: 64,
            log_records: 1_024,
            lane_count: 1,
            ..MemorySizes::default()
        };
        Self::to_op_sized(options, opener, start, small)
    }

    /// The same, with shared memory of these sizes.
    pub fn to_op_sized(
        options: EngineOptions,
        opener: LinkOpener,
        start: &StartOptions,
        sizes: MemorySizes,
    ) -> Outcome<Self> {
        let (ring, rings) = channel();
        let bell: Arc<dyn Bell> = Arc::new(ChannelBell(Mutex::new(ring)));
        let text = |error: ecat_engine::EngineError| error.to_string();
        let engine = Engine::open(options, opener, bell).map_err(text)?;
        let begun = Instant::now();
        loop {
            match engine.take_bring_up() {
                Some(outcome) => break drop(outcome.map_err(text)?),
                None => listen(&rings, begun)?,
            }
        }
        let dimensions = engine.dimensions(sizes).ok_or("no dimensions")?;
        let memory = memory::of(&dimensions);
        engine.start(memory.clone(), dimensions, start).map_err(text)?;
        let memory = memory.attach().map_err(text)?;
        let running = Self { engine, memory, rings };
        while running.state() != Some(EngineState::Op) {
            if let Some(failure) = running.engine.take_failures().first() {
                return Err(format!("on the way to OP: {}", failure.message));
            }
            listen(&running.rings, begun)?;
        }
        Ok(running)
    }

    fn state(&self) -> Option<EngineState> {
        EngineState::from_number(self.memory.control().engine_state.load(Ordering::Acquire))
    }

    /// Takes the segment down and waits for the end of the cycle thread.
    pub fn close(self) -> Outcome {
        self.engine.close_now(PATIENCE).then_some(()).ok_or_else(|| "it does not close".to_owned())
    }
}

/// Waits for the bell, a few milliseconds at most.
fn listen(rings: &Receiver<()>, begun: Instant) -> Outcome {
    if begun.elapsed() > PATIENCE {
        return Err("the segment did not come to OP".to_owned());
    }
    match rings.recv_timeout(Duration::from_millis(5)) {
        Ok(()) | Err(RecvTimeoutError::Timeout) => Ok(()),
        Err(RecvTimeoutError::Disconnected) => Err("the bell is gone".to_owned()),
    }
}
