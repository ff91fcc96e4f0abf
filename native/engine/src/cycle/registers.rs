//! Reads of registers for the application: requests come by a queue, ride in the acyclic frame behind what the
//! engine itself has to ask, and go back by another queue.

use rtrb::{Consumer, Producer};

use super::operation::Operation;
pub use super::operation::REGISTER_BYTES_MAX;

/// Requests and answers that wait, at most.
pub const REGISTER_QUEUE_CAPACITY: usize = 64;
/// Reads of one acyclic frame.
pub const READS_PER_FRAME_MAX: usize = 4;
/// Frames that a read goes with before it counts as lost.
const ATTEMPTS_MAX: u8 = 3;

/// What to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterRead {
    /// A number of the asker's own.
    pub id: u32,
    /// Position of the SubDevice.
    pub position: u16,
    /// The first register.
    pub register: u16,
    /// Bytes, 1 to [`REGISTER_BYTES_MAX`].
    pub length: u16,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterAnswer {
    /// The number of the request.
    pub id: u32,
    /// What the SubDevice counted: 0 where it is not there or has no such register. `None` where no frame
    /// came back.
    pub working_counter: Option<u16>,
    /// From the frame's start to its return, in ns.
    pub round_trip_ns: u32,
    /// Bytes of `data` that count.
    pub length: u16,
    /// The registers.
    pub data: [u8; REGISTER_BYTES_MAX],
}

/// The cycle thread's end of both queues, with the reads that are on their way.
pub struct RegisterReads {
    requests: Consumer<RegisterRead>,
    answers: Producer<RegisterAnswer>,
    /// Sent, or to be sent again: request and frames that it went with.
    open: Vec<(RegisterRead, u8)>,
    /// How many of `open` are in the frame that is on its way.
    on_their_way: usize,
}

impl RegisterReads {
    /// Both queues at rest.
    #[must_use]
    pub fn new(requests: Consumer<RegisterRead>, answers: Producer<RegisterAnswer>) -> Self {
        let open = Vec::with_capacity(READS_PER_FRAME_MAX);
        Self { requests, answers, open, on_their_way: 0 }
    }

    /// The next read for the frame that is being composed; `None` where there is none, or no room for its answer.
    pub fn next_operation(&mut self) -> Option<Operation> {
        if self.on_their_way == self.open.len() {
            let has_room =
                self.open.len() < READS_PER_FRAME_MAX && self.answers.slots() > self.open.len();
            let request = if has_room { self.requests.pop().ok() } else { None }?;
            self.open.push((request, 0));
        }
        let (RegisterRead { position, register, length, .. }, attempts) =
            &mut self.open[self.on_their_way];
        *attempts += 1;
        self.on_their_way += 1;
        let (device, length) = (usize::from(*position), usize::from(*length));
        Some(Operation::ReadRegister { device, register: *register, length })
    }

    /// Takes the answer to the oldest read on its way; those of one frame are answered in the order in which they were
    /// composed. True where there is news for the asker.
    pub fn answered(&mut self, data: &[u8], working_counter: u16, round_trip_ns: u64) {
        if self.on_their_way == 0 {
            return;
        }
        self.on_their_way -= 1;
        let (request, _) = self.open.remove(0);
        let round_trip_ns = round_trip_ns.try_into().unwrap_or(u32::MAX);
        self.give(request, Some(working_counter), round_trip_ns, data);
    }

    /// The frame of the reads on their way was lost: they go again, or count as lost.
    pub fn frame_lost(&mut self) {
        self.on_their_way = 0;
        while let Some(at) = self.open.iter().position(|&(_, attempts)| attempts >= ATTEMPTS_MAX) {
            let (request, _) = self.open.remove(at);
            self.give(request, None, 0, &[]);
        }
    }

    /// Whether something waits to be sent.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.on_their_way < self.open.len() || !self.requests.is_empty()
    }

    fn give(
        &mut self,
        request: RegisterRead,
        working_counter: Option<u16>,
        round_trip_ns: u32,
        data: &[u8],
    ) {
        let mut answer = RegisterAnswer {
            id: request.id,
            working_counter,
            round_trip_ns,
            length: request.length,
            data: [0; REGISTER_BYTES_MAX],
        };
        let length = data.len().min(REGISTER_BYTES_MAX);
        answer.data[..length].copy_from_slice(&data[..length]);
        // There is room: no read is sent without.
        let _pushed = self.answers.push(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;

    fn read(id: u32) -> RegisterRead {
        RegisterRead { id, position: 3, register: 0x0130, length: 6 }
    }

    fn queues() -> (Producer<RegisterRead>, RegisterReads, Consumer<RegisterAnswer>) {
        let (requests, requests_out) = RingBuffer::new(REGISTER_QUEUE_CAPACITY);
        let (answers, answers_out) = RingBuffer::new(REGISTER_QUEUE_CAPACITY);
        (requests, RegisterReads::new(requests_out, answers), answers_out)
    }

    #[test]
    fn reads_of_a_frame_are_answered_in_their_order() {
        let (mut requests, mut reads, mut answers) = queues();
        (0..6).for_each(|id| requests.push(read(id)).unwrap());
        let sent = std::iter::from_fn(|| reads.next_operation()).count();
        assert_eq!(sent, READS_PER_FRAME_MAX);
        (0..sent).for_each(|n| reads.answered(&[n as u8; 6], 1, 5_000));
        for id in 0..sent as u32 {
            let answer = answers.pop().unwrap();
            assert_eq!(
                (answer.id, answer.working_counter, answer.data[5]),
                (id, Some(1), id as u8)
            );
            assert_eq!((answer.length, answer.round_trip_ns), (6, 5_000));
        }
        assert!(reads.is_waiting());
        assert_eq!(std::iter::from_fn(|| reads.next_operation()).count(), 2);
    }

    #[test]
    fn a_read_whose_frames_are_lost_is_sent_three_times_and_then_told_lost() {
        let (mut requests, mut reads, mut answers) = queues();
        requests.push(read(7)).unwrap();
        for _ in 0..ATTEMPTS_MAX {
            assert!(answers.pop().is_err() && reads.is_waiting());
            assert!(reads.next_operation().is_some());
            reads.frame_lost();
        }
        let answer = answers.pop().unwrap();
        assert_eq!((answer.id, answer.working_counter), (7, None));
        assert!(!reads.is_waiting());
    }

    #[test]
    fn nothing_is_sent_whose_answer_would_have_no_room() {
        let (mut requests, mut reads, mut answers) = queues();
        let mut answered = 0;
        for id in 0..1_000 {
            let _full = requests.push(read(id));
            while reads.next_operation().is_some() {
                answered += 1;
            }
            while reads.on_their_way > 0 {
                reads.answered(&[0; 6], 1, 0);
            }
        }
        assert_eq!(answered, REGISTER_QUEUE_CAPACITY);
        assert_eq!(std::iter::from_fn(|| answers.pop().ok()).count(), REGISTER_QUEUE_CAPACITY);
        assert!(reads.next_operation().is_some());
    }
}
