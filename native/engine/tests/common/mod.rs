//! An engine on a simulated segment, driven as a binding drives it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ecat_engine::engine::{
    Bell, BringUp, Engine, EngineOptions, LinkOpener, MemorySizes, StartOptions,
};
use ecat_engine::error::{EngineError, Failure};
use ecat_engine::event::{Event, EventKind};
use ecat_engine::shared::layout::EngineState;
use ecat_engine::shared::{Attached, Claims, Copied, RingReader, SharedMemory};
use ecat_simulator::description::DeviceDescription;
use ecat_simulator::{Segment, SegmentCommand, SegmentControl, SegmentDescription, SegmentLink};
use ecat_wire::Link;

/// No test waits longer than this for anything; none depends on it being short.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Slots of the ring: enough for every cycle that a test wants to look at.
const SLOTS: u32 = 4096;

struct ChannelBell(Mutex<Sender<()>>);

impl Bell for ChannelBell {
    fn ring(&self) {
        // A test that does not listen any more does not care.
        let _heard = self.0.lock().unwrap().send(());
    }
}

/// An engine that has been brought up, and what a test does with it.
pub struct Plant {
    pub engine: Arc<Engine>,
    pub segment: SegmentControl,
    pub found: BringUp,
    pub memory: Attached,
    pub reader: RingReader,
    pub events: Vec<Event>,
    rings: Receiver<()>,
    bell: Arc<dyn Bell>,
}

/// One published cycle, copied.
pub struct Slot {
    pub cycle: u32,
    pub host_time_ns: u64,
    pub flags: u32,
    pub quality: Vec<u8>,
    pub working_counters: Vec<u16>,
    pub inputs: Vec<u8>,
    pub outputs: Vec<u8>,
}

/// Options of a test in virtual time.
pub fn virtual_time() -> EngineOptions {
    EngineOptions { virtual_time: true, ..EngineOptions::default() }
}

/// A segment from JSON.
pub fn described(json: &str) -> SegmentDescription {
    SegmentDescription::from_json(json).unwrap()
}

/// Devices with the SII images of real ones.
pub fn real(names: &[&str]) -> SegmentDescription {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/fixtures/eeprom/");
    let device = |name: &&str| DeviceDescription {
        sii: Some(std::fs::read(format!("{path}{name}.bin")).unwrap()),
        ..DeviceDescription::default()
    };
    SegmentDescription {
        devices: names.iter().map(device).collect(),
        ..SegmentDescription::default()
    }
}

/// Opens an engine on a segment, up to the end of its bring-up.
pub fn bring_up(
    description: &SegmentDescription,
    options: EngineOptions,
) -> (Arc<Engine>, SegmentControl, Result<BringUp, EngineError>) {
    let (engine, segment, outcome, _, _) = open(description, options);
    (engine, segment, outcome)
}

type Opened =
    (Arc<Engine>, SegmentControl, Result<BringUp, EngineError>, Receiver<()>, Arc<dyn Bell>);

fn open(description: &SegmentDescription, options: EngineOptions) -> Opened {
    let (link, segment) = SegmentLink::new(Segment::new(description).unwrap());
    open_on(Box::new(move || Ok(Box::new(link) as Box<dyn Link>)), segment, options)
}

fn open_on(opener: LinkOpener, segment: SegmentControl, options: EngineOptions) -> Opened {
    let (ring, rings) = channel();
    let bell: Arc<dyn Bell> = Arc::new(ChannelBell(Mutex::new(ring)));
    let engine = Engine::open(options, opener, Arc::clone(&bell)).unwrap();
    let outcome = loop {
        if let Some(outcome) = engine.take_bring_up() {
            break outcome;
        }
        rings.recv_timeout(PATIENCE).expect("the bell rings when the bring-up has ended");
    };
    (engine, segment, outcome, rings, bell)
}

impl Plant {
    /// Brings a segment up and starts the cycle.
    pub fn start(description: &SegmentDescription, options: EngineOptions) -> Self {
        Self::started(open(description, options))
    }

    /// As [`Plant::start`], on a link that takes no commands.
    pub fn start_on(opener: LinkOpener, options: EngineOptions) -> Self {
        let nobody = SegmentLink::new(Segment::new(&real(&["ek1100"])).unwrap()).1;
        Self::started(open_on(opener, nobody, options))
    }

    /// As [`Plant::in_op`], started with these options.
    pub fn in_op_with(
        description: &SegmentDescription,
        options: EngineOptions,
        outputs: impl FnOnce(&BringUp) -> StartOptions,
    ) -> Self {
        let mut plant = Self::started_with(open(description, options), outputs);
        plant.await_state(EngineState::Op);
        plant
    }

    /// As [`Plant::in_op_with`], on a link of the test's own.
    pub fn in_op_on(
        opener: LinkOpener,
        options: EngineOptions,
        outputs: impl FnOnce(&BringUp) -> StartOptions,
    ) -> Self {
        let nobody = SegmentLink::new(Segment::new(&real(&["ek1100"])).unwrap()).1;
        let mut plant = Self::started_with(open_on(opener, nobody, options), outputs);
        plant.await_state(EngineState::Op);
        plant
    }

    fn started(opened: Opened) -> Self {
        Self::started_with(opened, |_| StartOptions::default())
    }

    fn started_with(
        (engine, segment, outcome, rings, bell): Opened,
        outputs: impl FnOnce(&BringUp) -> StartOptions,
    ) -> Self {
        let found = outcome.unwrap();
        let outputs = outputs(&found);
        let dimensions = engine
            .dimensions(MemorySizes {
                slot_count: SLOTS,
                log_records: 64,
                lane_count: 2,
                ..MemorySizes::default()
            })
            .unwrap();
        let bytes = ecat_engine::shared::required_bytes(&dimensions);
        let words: Vec<AtomicU64> = (0..bytes / 8).map(|_| AtomicU64::new(0)).collect();
        let memory = SharedMemory::from_static(Vec::leak(words));
        engine.start(memory.clone(), dimensions, &outputs).unwrap();
        let memory = memory.attach().unwrap();
        let reader = memory.ring_reader();
        Self { engine, segment, found, memory, reader, events: Vec::new(), rings, bell }
    }

    /// As [`Plant::start`], and waits for OP.
    pub fn in_op(description: &SegmentDescription, options: EngineOptions) -> Self {
        let mut plant = Self::start(description, options);
        plant.await_state(EngineState::Op);
        plant
    }

    pub fn state(&self) -> EngineState {
        let number = self.memory.control().engine_state.load(Ordering::Acquire);
        EngineState::from_number(number).unwrap()
    }

    /// Waits for a state, and takes the events on the way.
    pub fn await_state(&mut self, state: EngineState) {
        self.await_that(|plant| plant.state() == state);
    }

    /// Waits for something, looking again with every ring of the bell.
    pub fn await_that(&mut self, mut reached: impl FnMut(&mut Self) -> bool) {
        let begun = Instant::now();
        loop {
            self.take_events();
            if reached(self) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "still {:?} at cycle {}: {:?} {:?}",
                self.state(),
                self.latest(),
                self.engine.take_failures(),
                self.events,
            );
            match self.rings.recv_timeout(Duration::from_millis(20)) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the bell is gone"),
            }
        }
    }

    pub fn take_events(&mut self) {
        let none = Event { kind: EventKind::EngineState, cycle: 0, subject: 0, a: 0, b: 0 };
        let mut events = [none; 64];
        loop {
            let count = self.engine.take_events(&mut events);
            self.events.extend_from_slice(&events[..count]);
            if count < events.len() {
                return;
            }
        }
    }

    /// Events of a kind, in order; takes new ones first.
    pub fn events_of(&mut self, kind: EventKind) -> Vec<Event> {
        self.take_events();
        self.events.iter().copied().filter(|event| event.kind == kind).collect()
    }

    /// Failures of the way up, once it has ended.
    pub fn await_failures(&mut self) -> Vec<Failure> {
        let mut failures = Vec::new();
        self.await_that(|plant| {
            failures = plant.engine.take_failures();
            !failures.is_empty()
        });
        failures
    }

    pub fn latest(&self) -> u32 {
        self.reader.latest()
    }

    /// Virtual time: runs so many cycles, and returns them. Receipts and events follow the last one.
    pub fn run(&mut self, cycles: u32) -> Vec<Slot> {
        let before = self.latest();
        self.engine.grant(cycles.into());
        let end = before.wrapping_add(cycles);
        let mut buffer = vec![0; self.reader.slot_bytes()];
        let mut seen = before;
        let begun = Instant::now();
        while seen != end {
            assert!(begun.elapsed() < PATIENCE, "at cycle {seen} of {end}");
            match self.reader.wait_copy(Some(seen), 50_000_000, &mut buffer) {
                Copied::Fresh { cycle } => seen = cycle,
                Copied::Timeout => {}
                other => panic!("{other:?} at cycle {seen}"),
            }
        }
        (1..=cycles).map(|n| self.slot(before.wrapping_add(n))).collect()
    }

    /// Commands the segment.
    pub fn command(&self, command: SegmentCommand) {
        self.segment.send(command).unwrap();
    }

    /// A cycle of the history.
    pub fn slot(&self, cycle: u32) -> Slot {
        let geometry = *self.memory.geometry();
        let mut bytes = vec![0; self.reader.slot_bytes()];
        assert_eq!(self.reader.copy_cycle(cycle, &mut bytes), Copied::Fresh { cycle });
        let part = |from: usize, length: usize| bytes[from..from + length].to_vec();
        let dimensions = geometry.dimensions;
        let counters =
            part(geometry.slot_working_counters_offset, 2 * dimensions.datagram_count as usize);
        Slot {
            cycle,
            host_time_ns: u64::from_le_bytes(bytes[8..16].try_into().unwrap()),
            flags: u32::from_le_bytes(bytes[24..28].try_into().unwrap()),
            quality: part(geometry.slot_quality_offset, dimensions.sub_device_count as usize),
            working_counters: counters
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect(),
            inputs: part(geometry.slot_inputs_offset, dimensions.input_bytes as usize),
            outputs: part(geometry.slot_outputs_offset, dimensions.output_bytes as usize),
        }
    }

    /// Claims the outputs, one byte, for lane 0; they hold when it is lost.
    pub fn claim_one_byte(&self) {
        let claims = Claims {
            mask: [0xFF].into(),
            loss_mask: [0].into(),
            loss_image: [0].into(),
            ..Claims::default()
        };
        self.engine.claim(0, 1, &claims).unwrap();
    }

    /// Closes and waits for the end.
    pub fn close(&self) {
        assert!(self.engine.close_now(PATIENCE));
    }
}
