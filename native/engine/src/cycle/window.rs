//! The acyclic frame: one at a time, behind the cyclic ones, with as many operations as are due.
//!
//! Its answer may come in the next cycle. At least one frame a cycle is sent where there is something to do;
//! more of them as long as the cycle has time left.

use ecat_wire::FrameWriter;
use ecat_wire::ethernet::{FRAME_BYTES_MAX, HEADER_BYTES, MacAddress};
use ecat_wire::frame::{DATAGRAM_OVERHEAD_BYTES, DatagramSpan, ETHERCAT_HEADER_BYTES};

use super::al::AlEngine;
use super::census::Census;
use super::operation::Operation;
use super::registers::{READS_PER_FRAME_MAX, REGISTER_BYTES_MAX, RegisterReads};
use crate::stamp::{STAMP_DATAGRAM_BYTES, Stamp};

/// The frame number by which the acyclic frame is told from the cyclic ones.
pub const ACYCLIC_FRAME: u16 = u16::MAX;
/// Operations of the engine's own in one frame. With them, reads for the application still fit.
const OPERATIONS_MAX: usize = 60;
/// Bytes of a frame before its first operation.
const HEAD_BYTES: usize = HEADER_BYTES + ETHERCAT_HEADER_BYTES + STAMP_DATAGRAM_BYTES;
/// Bytes that an operation of the engine's own takes at most, and a read for the application.
const OPERATION_BYTES: usize = DATAGRAM_OVERHEAD_BYTES + 6;
const READ_BYTES: usize = DATAGRAM_OVERHEAD_BYTES + REGISTER_BYTES_MAX;
/// The share of a short frame that is left to reads for the application.
const READS_PART: usize = 4;
const _: () = assert!(
    HEAD_BYTES + OPERATIONS_MAX * OPERATION_BYTES + READS_PER_FRAME_MAX * READ_BYTES
        <= FRAME_BYTES_MAX
);

/// Who wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The AL engine.
    Al,
    /// The census.
    Census,
    /// The application, by [`RegisterReads`].
    Application,
    /// Nobody: sent for its effect.
    Nobody,
}

/// An operation on its way.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The operation.
    pub operation: Operation,
    /// Who asked for it.
    pub asker: Asker,
    span: DatagramSpan,
}

impl Sent {
    /// The data of its answer, and the working counter.
    #[must_use]
    pub fn answer<'a>(&self, frame: &'a [u8]) -> (&'a [u8], u16) {
        let counter = &frame[self.span.working_counter()];
        (&frame[self.span.data()], u16::from_le_bytes([counter[0], counter[1]]))
    }
}

/// The acyclic frame.
#[derive(Debug)]
pub struct AcyclicFrame {
    bytes: Box<[u8]>,
    /// Operations of the engine's own, and reads, that one frame takes.
    operations_max: usize,
    reads_max: usize,
    length: usize,
    sent: Vec<Sent>,
    sequence: u32,
    sent_ns: u64,
    deadline_ns: Option<u64>,
}

impl AcyclicFrame {
    /// A frame that has not been sent, of `bytes_max` bytes at most, but long enough for one operation and one read.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        let reads_max = (bytes_max / READS_PART / READ_BYTES).clamp(1, READS_PER_FRAME_MAX);
        let room = bytes_max.saturating_sub(HEAD_BYTES + reads_max * READ_BYTES);
        let operations_max = (room / OPERATION_BYTES).clamp(1, OPERATIONS_MAX);
        let bytes = HEAD_BYTES + operations_max * OPERATION_BYTES + reads_max * READ_BYTES;
        Self {
            bytes: vec![0; bytes].into_boxed_slice(),
            operations_max,
            reads_max,
            length: 0,
            sent: Vec::with_capacity(operations_max + reads_max),
            sequence: 0,
            sent_ns: 0,
            deadline_ns: None,
        }
    }

    /// Bytes of the largest frame that it composes.
    #[must_use]
    pub const fn bytes_max(&self) -> usize {
        self.bytes.len()
    }

    /// Until when the answer is waited for; `None` while no frame is on its way.
    #[must_use]
    pub fn deadline_ns(&self) -> Option<u64> {
        self.deadline_ns
    }

    /// Composes the next frame from what is due; `None` where nothing is. What was on its way before must
    /// have been settled.
    pub fn compose(
        &mut self,
        al: &mut AlEngine,
        census: &mut Census,
        registers: &mut RegisterReads,
        stations: &[u16],
        salt: u16,
        now_ns: u64,
    ) -> Option<&[u8]> {
        let next = std::iter::from_fn(|| {
            al.next_operation(now_ns)
                .map(|operation| (operation, Asker::Al))
                .or_else(|| census.next_operation().map(|operation| (operation, Asker::Census)))
        });
        let reads = std::iter::from_fn(|| registers.next_operation()).take(self.reads_max);
        let reads = reads.map(|operation| (operation, Asker::Application));
        self.push(next.take(self.operations_max).chain(reads), stations, salt)
    }

    /// Composes a frame with one operation that nobody waits for.
    pub fn compose_one(&mut self, operation: Operation, salt: u16) -> Option<&[u8]> {
        self.push(std::iter::once((operation, Asker::Nobody)), &[], salt)
    }

    fn push(
        &mut self,
        operations: impl Iterator<Item = (Operation, Asker)>,
        stations: &[u16],
        salt: u16,
    ) -> Option<&[u8]> {
        self.sent.clear();
        self.sequence = self.sequence.wrapping_add(1);
        let mut writer = FrameWriter::new(&mut self.bytes, MacAddress::MAIN_DEVICE).ok()?;
        let stamp = Stamp { sequence: self.sequence, frame: ACYCLIC_FRAME, salt };
        stamp.push(&mut writer).ok()?;
        for (operation, asker) in operations {
            let (data, length) = operation.data();
            // As many as are asked for fit.
            let span = writer.push_data(operation.command(stations), 0, &data[..length]).ok()?;
            self.sent.push(Sent { operation, asker, span });
        }
        self.length = writer.finish();
        (!self.sent.is_empty()).then(|| &self.bytes[..self.length])
    }

    /// Takes note that the composed frame is on its way since `sent_ns`, until `deadline_ns` at the latest.
    pub fn on_its_way(&mut self, sent_ns: u64, deadline_ns: u64) {
        self.sent_ns = sent_ns;
        self.deadline_ns = Some(deadline_ns);
    }

    /// When the frame that is on its way, or came back last, was sent.
    #[must_use]
    pub const fn sent_ns(&self) -> u64 {
        self.sent_ns
    }

    /// Whether a frame with this stamp and length is the answer that is waited for.
    #[must_use]
    pub fn is_answer(&self, stamp: Stamp, length: usize) -> bool {
        self.deadline_ns.is_some()
            && stamp.frame == ACYCLIC_FRAME
            && stamp.sequence == self.sequence
            && length >= self.length
    }

    /// Stops waiting, and returns the number of operations, each to be settled by [`AcyclicFrame::sent`].
    pub fn finish(&mut self) -> usize {
        self.deadline_ns = None;
        self.sent.len()
    }

    /// An operation of the frame that was sent last.
    #[must_use]
    pub fn sent(&self, index: usize) -> Sent {
        self.sent[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycle::outbox;
    use crate::cycle::registers::RegisterRead;
    use ecat_wire::al::AlState;
    use ecat_wire::frame::datagrams;

    #[test]
    fn the_al_engine_goes_before_the_census_and_the_application_and_a_frame_never_overflows() {
        let stations: Vec<u16> = (0..200).map(|n| 0x1000 + n).collect();
        let mut al = AlEngine::new(vec![(false, Box::default()); 200], 1);
        let mut census = Census::new(200, 1);
        al.request(7, AlState::SafeOp, 0, 100);
        (0..200).for_each(|device| census.suspect(device));
        let (_outbox, mut registers, mut inbox) = outbox::queues(1);
        for id in 0..10 {
            let length = REGISTER_BYTES_MAX as u16;
            assert!(inbox.read_register(RegisterRead { id, position: 0, register: 0, length }));
        }
        let mut frame = AcyclicFrame::new(FRAME_BYTES_MAX);
        let mut reads = 0;
        while let Some(bytes) = frame.compose(&mut al, &mut census, &mut registers, &stations, 1, 0)
        {
            assert!(bytes.len() <= FRAME_BYTES_MAX);
            assert!(datagrams(bytes).unwrap().all(|datagram| datagram.is_ok()));
            for index in 0..frame.finish() {
                reads += 1;
                if frame.sent(index).asker == Asker::Application {
                    registers.answered(&[], 0, 0);
                }
            }
        }
        assert_eq!(reads, 211);
        assert_eq!(frame.deadline_ns(), None);
    }

    #[test]
    fn only_the_awaited_stamp_is_the_answer() {
        let mut al = AlEngine::new([(false, Box::default())], 1);
        let mut census = Census::new(1, 1);
        census.suspect(0);
        let mut frame = AcyclicFrame::new(FRAME_BYTES_MAX);
        let (_outbox, mut registers, _inbox) = outbox::queues(1);
        let length =
            frame.compose(&mut al, &mut census, &mut registers, &[0x1000], 1, 0).unwrap().len();
        let stamp = Stamp { sequence: 1, frame: ACYCLIC_FRAME, salt: 1 };
        assert!(!frame.is_answer(stamp, length), "not on its way");
        frame.on_its_way(5, 10);
        assert!(frame.is_answer(stamp, length));
        assert!(!frame.is_answer(stamp, length - 1));
        assert!(!frame.is_answer(Stamp { sequence: 0, ..stamp }, length));
        assert!(!frame.is_answer(Stamp { frame: 0, ..stamp }, length));
        frame.finish();
        assert!(!frame.is_answer(stamp, length), "taken");
    }
}
