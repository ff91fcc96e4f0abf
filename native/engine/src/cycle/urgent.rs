//! Urgent frames: changed outputs at once, out of cycle.
//!
//! One LWR a run of adjacent SubDevices, over their whole outputs: a SyncManager takes a buffer over when its
//! last byte is written. An LWR of just that range reaches nobody else, and neither reads inputs nor touches
//! the SyncManagers of those that must not be disturbed. What does not fit one frame, changes at SubDevices
//! that do not allow it, or at ones that are not good, goes with the next cycle.

use std::ops::Range;

use ecat_wire::ethernet::{FRAME_BYTES_MAX, MacAddress};
use ecat_wire::frame::{DATAGRAM_OVERHEAD_BYTES, DatagramSpan, ETHERCAT_HEADER_BYTES};
use ecat_wire::{Command, FrameWriter};

use super::run::Run;
use crate::clock;
use crate::link::wire_time_ns;
use crate::shared::layout::EngineState;
use crate::shared::statistics::add;
use crate::shared::urgent::UrgentAreas;
use crate::shared::{OutputMerger, Seen};
use crate::stamp::{STAMP_DATAGRAM_BYTES, Stamp};

/// The frame number by which the urgent frame is told from all others.
pub const URGENT_FRAME: u16 = u16::MAX - 1;
/// How long the answer is awaited; the next cycle sends the same outputs anyway.
const ANSWER_NS: u64 = 1_000_000;
/// Bytes of a frame before its first LWR.
const HEAD_BYTES: usize =
    ecat_wire::ethernet::HEADER_BYTES + ETHERCAT_HEADER_BYTES + STAMP_DATAGRAM_BYTES;

/// Adjacent SubDevices whose outputs go in one datagram.
#[derive(Clone, Debug)]
struct Part {
    outputs: Range<usize>,
    /// How many of them, which is what an LWR's working counter becomes.
    members: u16,
    span: Option<DatagramSpan>,
}

/// The urgent frame: one at a time.
#[derive(Debug)]
pub struct UrgentFrame {
    /// Index and outputs of every SubDevice that allows it.
    areas: Box<[(usize, Range<usize>)]>,
    bytes: Box<[u8]>,
    length: usize,
    parts: Vec<Part>,
    sequence: u32,
    deadline_ns: Option<u64>,
}

impl UrgentFrame {
    /// A frame that has not been sent, for the SubDevices that allow it.
    #[must_use]
    pub fn new(allowed: &UrgentAreas) -> Self {
        let areas = allowed.areas.iter().enumerate();
        let areas: Box<[_]> = areas
            .filter(|(_, (outputs, allowed))| *allowed && !outputs.is_empty())
            .map(|(device, (outputs, _))| (device, outputs.clone()))
            .collect();
        Self {
            parts: Vec::with_capacity(areas.len()),
            areas,
            bytes: vec![0; FRAME_BYTES_MAX].into_boxed_slice(),
            length: 0,
            sequence: 0,
            deadline_ns: None,
        }
    }

    /// Until when the answer is waited for; `None` while no frame is on its way.
    #[must_use]
    pub const fn deadline_ns(&self) -> Option<u64> {
        self.deadline_ns
    }

    /// Whether a frame with this stamp and length is the answer that is waited for.
    #[must_use]
    pub const fn is_answer(&self, stamp: Stamp, length: usize) -> bool {
        self.deadline_ns.is_some()
            && stamp.frame == URGENT_FRAME
            && stamp.sequence == self.sequence
            && length >= self.length
    }

    /// Composes a frame with what differs from what was sent last, where the SubDevice is good. Returns its
    /// length, or `None` where there is nothing to send.
    fn compose(
        &mut self,
        merger: &OutputMerger,
        is_good: impl Fn(usize) -> bool,
        salt: u16,
    ) -> Option<usize> {
        self.parts.clear();
        let mut room = FRAME_BYTES_MAX - HEAD_BYTES;
        for (device, outputs) in &self.areas {
            if !is_good(*device) || !merger.differs(outputs) {
                continue;
            }
            match self.parts.last_mut() {
                Some(part) if part.outputs.end == outputs.start && room >= outputs.len() => {
                    part.outputs.end = outputs.end;
                    part.members += 1;
                    room -= outputs.len();
                }
                _ if room >= outputs.len() + DATAGRAM_OVERHEAD_BYTES => {
                    let outputs = outputs.clone();
                    room -= outputs.len() + DATAGRAM_OVERHEAD_BYTES;
                    self.parts.push(Part { outputs, members: 1, span: None });
                }
                _ => {}
            }
        }
        if self.parts.is_empty() {
            return None;
        }
        self.sequence = self.sequence.wrapping_add(1);
        let mut writer = FrameWriter::new(&mut self.bytes, MacAddress::MAIN_DEVICE).ok()?;
        Stamp { sequence: self.sequence, frame: URGENT_FRAME, salt }.push(&mut writer).ok()?;
        for part in &mut self.parts {
            // The outputs begin at logical address 0, and the image has at most 2²⁴ bytes.
            let command = Command::Lwr { logical: part.outputs.start as u32 };
            // All parts fit: `room` counted them.
            part.span = Some(writer.push_data(command, 0, merger.next(&part.outputs)).ok()?);
        }
        self.length = writer.finish();
        Some(self.length)
    }

    /// Whether every datagram of the answer has the working counter that says that all its members took it.
    fn arrived(&self, answer: &[u8]) -> bool {
        self.parts.iter().all(|part| {
            part.span.is_some_and(|span| {
                let counter = &answer[span.working_counter()];
                u16::from_le_bytes([counter[0], counter[1]]) == part.members
            })
        })
    }
}

impl Run {
    /// Sends what an urgent commit asks for, if there is one and the frame leaves before the next cycle begins;
    /// otherwise the commit goes with that cycle.
    pub(super) fn serve_urgent(&mut self) {
        // One at a time: the request stays until the answer of the one before is there.
        if !self.control.urgent.is_raised() || self.urgent.deadline_ns.is_some() {
            return;
        }
        let taken = self.control.urgent.take();
        let operational = self.engine_state() == EngineState::Op && !self.way.is_closing();
        if !taken || !operational || self.stopping() {
            return;
        }
        let cycle = self.next_cycle();
        let seen = Seen { inputs: &self.inputs, quality: self.qualities.bytes() };
        self.merger.merge_urgent(cycle, seen);
        let qualities = &self.qualities;
        let salt = self.exchange.salt();
        let composed = self.urgent.compose(&self.merger, |device| qualities.is_good(device), salt);
        let Some(length) = composed else { return };
        let now_ns = clock::now_ns();
        if now_ns + wire_time_ns(length) >= self.schedule.next_start_ns() {
            return;
        }
        let counters = &self.statistics.counters;
        let frame = &self.urgent.bytes[..length];
        if !self.exchange.send_one(&mut *self.link, frame, counters) {
            return;
        }
        add(&counters.urgent_frames, 1);
        for part in &self.urgent.parts {
            self.merger.mark_sent(&part.outputs);
        }
        self.urgent.deadline_ns = Some(now_ns + ANSWER_NS);
        // Where answers are ready at once, so is the receipt.
        while self.urgent.deadline_ns.is_some() && self.take_frame() {}
    }

    /// Takes the answer that stands in the exchange: gives receipts where everything arrived. What did not is the
    /// next cycle's to decide, which sends it again.
    pub(super) fn settle_urgent(&mut self) {
        self.urgent.deadline_ns = None;
        if !self.urgent.arrived(self.exchange.frame()) {
            self.merger.doubt();
            add(&self.statistics.counters.working_counter_errors, 1);
            return;
        }
        let qualities = &self.qualities;
        let written = self.merger.settle_urgent(|device| qualities.is_good(device as usize));
        if written > 0 {
            self.reporter.news();
            self.reporter.announce();
        }
    }

    /// Waits for the answer no longer once its time is over.
    pub(super) fn expire_urgent(&mut self, now_ns: u64) {
        if self.urgent.deadline_ns.is_some_and(|deadline_ns| now_ns >= deadline_ns) {
            self.urgent.deadline_ns = None;
            self.merger.doubt();
            add(&self.statistics.counters.frames_lost, 1);
        }
    }
}
