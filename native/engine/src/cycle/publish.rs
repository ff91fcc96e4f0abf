//! Publishing a cycle: one slot of the input ring, with everything that belongs to that cycle.

use std::time::SystemTime;

use super::counters::Verdict;
use crate::clock::{self, Clock};
use crate::shared::layout::{
    EngineState, SLOT_FLAG_DC_TIME, SLOT_FLAG_FRAMES_LOST, SLOT_FLAG_PERIODS_MISSED,
    SLOT_FLAG_WORKING_COUNTER,
};
use crate::shared::{Published, RingWriter};

/// What a slot says.
pub struct Slot<'a> {
    /// Number of the cycle.
    pub cycle: u32,
    /// Whether periods before it were missed.
    pub missed: bool,
    /// Whether any of its frames did not come back.
    pub frames_lost: bool,
    /// The reference clock's time, if the cycle read it.
    pub system_time_ns: Option<u64>,
    /// One byte a SubDevice.
    pub quality: &'a [u8],
    /// One a datagram; `None` where its frame did not come back.
    pub working_counters: &'a [Option<u16>],
    /// One a datagram.
    pub verdicts: &'a [Verdict],
    /// The input image.
    pub inputs: &'a [u8],
    /// The output image as it was sent.
    pub outputs: &'a [u8],
}

/// Writes slots.
pub struct Publisher {
    ring: RingWriter,
    counters: Vec<u16>,
    host_time_ns: u64,
    start_ns: u64,
    /// The reference clock's last time, and the start of the cycle that read it.
    system_time: Option<(u64, u64)>,
}

impl Publisher {
    /// Publishes to `ring`, with `datagrams` working counters a slot.
    #[must_use]
    pub fn new(ring: RingWriter, datagrams: usize) -> Self {
        Self { ring, counters: vec![0; datagrams], host_time_ns: 0, start_ns: 0, system_time: None }
    }

    /// Says that the engine is in another state.
    pub fn set_engine_state(&mut self, state: EngineState) {
        self.ring.set_engine_state(state);
    }

    /// Takes the host's time for the cycle that begins, whose schedule says `start_ns`. In virtual time
    /// the two are the same.
    pub fn begin(&mut self, start_ns: u64) {
        self.start_ns = start_ns;
        self.host_time_ns = match clock::clock() {
            Clock::Virtual => start_ns,
            Clock::Wall => SystemTime::UNIX_EPOCH
                .elapsed()
                .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)),
        };
    }

    /// Publishes the cycle.
    pub fn publish(&mut self, slot: Slot<'_>) -> Published {
        let read = slot.system_time_ns.map(|time| (time, self.start_ns));
        self.system_time = read.or(self.system_time);
        // A cycle that did not read the reference clock goes on from the last one that did.
        let dc_time_ns =
            self.system_time.map_or(0, |(time, at)| time + self.start_ns.saturating_sub(at));
        for (counter, received) in self.counters.iter_mut().zip(slot.working_counters) {
            *counter = received.unwrap_or(0);
        }
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let flags = flag(slot.frames_lost, SLOT_FLAG_FRAMES_LOST)
            | flag(slot.verdicts.contains(&Verdict::Wrong), SLOT_FLAG_WORKING_COUNTER)
            | flag(slot.system_time_ns.is_some(), SLOT_FLAG_DC_TIME)
            | flag(slot.missed, SLOT_FLAG_PERIODS_MISSED);
        let mut writer = self.ring.begin(slot.cycle);
        writer.set_times(self.host_time_ns, dc_time_ns);
        writer.set_flags(flags);
        writer.quality(slot.quality);
        writer.working_counters(&self.counters);
        writer.inputs(slot.inputs);
        writer.outputs(slot.outputs);
        writer.publish()
    }
}
