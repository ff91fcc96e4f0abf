//! The cycle side of the output lanes, driven by hand.

use std::ops::Range;
use std::sync::atomic::AtomicU64;

use ecat_engine::shared::layout::LaneState;
use ecat_engine::shared::receipts::Reach;
use ecat_engine::shared::{
    Attached, ClaimRegistry, Claims, Dimensions, Drained, InterlockEvent, LaneEvent, LaneWriter,
    OutputMerger, RingWriter, Seen, Settled, SharedMemory, required_bytes,
};

pub const OUTPUT_BYTES: usize = 20;
pub const ARRIVED: Reach = Reach::Arrived;
const FIRST: u32 = u32::MAX - 99;

/// The cycle side, and the registry. Area 0 is the first ten bytes, area 1 the rest.
pub struct Plant {
    pub memory: Attached,
    pub registry: ClaimRegistry,
    pub merger: OutputMerger,
    ring: RingWriter,
    pub cycle: u32,
    pub areas: [Reach; 2],
    pub operational: bool,
    pub events: Vec<(u32, LaneState)>,
    pub settled: Settled,
    pub inputs: [u8; 4],
    pub quality: [u8; 2],
    pub interlock_events: Vec<InterlockEvent>,
}

impl Plant {
    pub fn new() -> Self {
        let dimensions = Dimensions {
            output_bytes: OUTPUT_BYTES as u32,
            slot_count: 4,
            log_records: 64,
            lane_count: 3,
            first_cycle: FIRST,
            ..Dimensions::default()
        };
        let shared = region(required_bytes(&dimensions));
        let memory = shared.initialise(&dimensions).unwrap();
        let (registry, merger) = memory.outputs(&[0..10, 10..OUTPUT_BYTES]);
        let ring = memory.ring_writer();
        Self {
            memory,
            registry,
            merger,
            ring,
            cycle: FIRST,
            areas: [ARRIVED; 2],
            operational: true,
            events: Vec::new(),
            settled: Settled::default(),
            inputs: [0; 4],
            quality: [0; 2],
            interlock_events: Vec::new(),
        }
    }

    /// Runs a cycle and returns the image that it sent.
    pub fn run(&mut self) -> [u8; OUTPUT_BYTES] {
        let image = self
            .merger
            .merge(self.cycle, Seen { inputs: &self.inputs, quality: &self.quality })
            .try_into()
            .unwrap();
        self.finish(image)
    }

    pub fn run_many(&mut self, cycles: u32) {
        for _ in 0..cycles {
            self.run();
        }
    }

    pub fn finish(&mut self, image: [u8; OUTPUT_BYTES]) -> [u8; OUTPUT_BYTES] {
        let events = &mut self.interlock_events;
        let seen = Seen { inputs: &self.inputs, quality: &self.quality };
        self.merger.evaluate(seen, |event| events.push(event));
        let mut slot = self.ring.begin(self.cycle);
        slot.set_times(0, 0);
        slot.set_flags(0);
        slot.outputs(&image);
        let published = slot.publish();
        let (events, areas) = (&mut self.events, self.areas);
        self.settled = self.merger.settle(
            published,
            self.operational,
            |area| areas[area as usize],
            |LaneEvent { lane, state, .. }| events.push((lane, state)),
        );
        self.cycle = self.cycle.wrapping_add(1);
        image
    }

    /// Claims, and commits nothing yet.
    pub fn claim(&self, lane: u32, claims: &Claims) -> LaneWriter {
        let claims = Claims { name: format!("owner {lane}"), ..claims.clone() };
        self.registry.claim(lane, owner(lane), &claims).unwrap();
        self.memory.lane_writer(lane).unwrap()
    }

    pub fn take_events(&mut self) -> Vec<(u32, LaneState)> {
        std::mem::take(&mut self.events)
    }

    pub fn receipts(&self, lane: u32, tail: &mut u32) -> Vec<[u32; 4]> {
        let mut out = [[0; 4]; 64];
        match self.memory.receipt_reader(lane).unwrap().drain(tail, &mut out) {
            Drained::Records(count) => out[..count].to_vec(),
            Drained::Empty => Vec::new(),
            Drained::Lapped => panic!("lapped"),
        }
    }
}

fn region(bytes: usize) -> SharedMemory {
    let words = (0..bytes / 8).map(|_| AtomicU64::new(0)).collect();
    SharedMemory::from_static(Vec::leak(words))
}

pub fn owner(lane: u32) -> u64 {
    u64::from(lane) + 100
}

/// Claims whole bytes, which hold on loss.
pub fn bytes(range: Range<usize>) -> Claims {
    let mut mask = [0; OUTPUT_BYTES];
    mask[range].fill(0xFF);
    Claims {
        mask: mask.into(),
        loss_mask: [0; OUTPUT_BYTES].into(),
        loss_image: [0; OUTPUT_BYTES].into(),
        ..Claims::default()
    }
}

/// As [`bytes`], and on loss they take `value`.
pub fn bytes_or(range: Range<usize>, value: u8) -> Claims {
    let claims = bytes(range);
    let (loss_mask, loss_image) = (claims.mask.clone(), [value; OUTPUT_BYTES].into());
    Claims { loss_mask, loss_image, ..claims }
}

pub fn within(range: Range<usize>, value: u8) -> [u8; OUTPUT_BYTES] {
    let mut image = [0; OUTPUT_BYTES];
    image[range].fill(value);
    image
}
