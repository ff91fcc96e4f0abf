//! The state machine of a safe device (ETG.5100, "FSoE Slave state machine").

use super::frame::{self, DATA_BYTES_MAX, FRAME_BYTES_MAX, Header, Sequence};
use super::{command, error};

/// Parameters of an application that are kept at most.
const PARAMETER_BYTES_MAX: usize = 64;
/// Length of the communication parameters, their value, length of the application's.
const FIXED_PARAMETER_BYTES: usize = 6;
const MS: u64 = 1_000_000;

/// States of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for a reset.
    Reset,
    /// Session identifiers.
    Session,
    /// Identifier of the connection and address.
    Connection,
    /// Watchdog and parameters.
    Parameter,
    /// Safe data.
    Data,
}

/// What a safe device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its address, unique in the plant.
    pub address: u16,
    /// Bytes of safe data that it receives: 1, or an even number up to 32.
    pub receive_bytes: usize,
    /// The same that it sends.
    pub send_bytes: usize,
    /// Bytes of the application's parameters; none: as many as come.
    pub parameter_bytes: Option<u16>,
    /// What its session identifiers are made of.
    pub seed: u64,
}

/// A safe device at one end of a connection. It has no clock and does no I/O.
#[derive(Clone, Debug)]
pub struct SubInstance {
    settings: Settings,
    state: State,
    /// What it received last: the same again is no new frame.
    received: [u8; FRAME_BYTES_MAX],
    /// Sequence of the next frame in each direction.
    incoming: Sequence,
    outgoing: Sequence,
    /// First checksums of the latest frames.
    received_crc: u16,
    sent_crc: u16,
    connection: u16,
    sessions: u64,
    /// Bytes of the state's data that have come, or gone.
    moved: usize,
    /// Data of Connection and Parameter.
    collected: [u8; FIXED_PARAMETER_BYTES + PARAMETER_BYTES_MAX],
    watchdog_ns: u64,
    expires_ns: Option<u64>,
    outputs: Option<[u8; DATA_BYTES_MAX]>,
    error: u8,
}

impl SubInstance {
    /// After power-on.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::Reset,
            received: [0; FRAME_BYTES_MAX],
            incoming: Sequence::default(),
            outgoing: Sequence::default(),
            received_crc: 0,
            sent_crc: 0,
            connection: 0,
            sessions: 0,
            moved: 0,
            collected: [0; FIXED_PARAMETER_BYTES + PARAMETER_BYTES_MAX],
            watchdog_ns: 0,
            expires_ns: None,
            outputs: None,
            error: 0,
        }
    }

    /// Its state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Why it last began anew by itself ([`error`]); 0 after a reset by the other side.
    #[must_use]
    pub const fn error(&self) -> u8 {
        self.error
    }

    /// Safe data as they were received last; none while the safe state is to be taken.
    #[must_use]
    pub fn outputs(&self) -> Option<&[u8]> {
        Some(&self.outputs.as_ref()?[..self.settings.receive_bytes])
    }

    /// Takes the frame that stands in the channel, and what it would send as safe data (none: fail-safe data). Writes
    /// the answer where there is a new one, and says so. Frames of another length are ignored.
    pub fn exchange(
        &mut self,
        frame: &[u8],
        inputs: Option<&[u8]>,
        now_ns: u64,
        reply: &mut [u8],
    ) -> bool {
        if frame.len() != frame::frame_bytes(self.settings.receive_bytes)
            || reply.len() != frame::frame_bytes(self.settings.send_bytes)
        {
            return false;
        }
        if self.expires_ns.is_some_and(|at| at <= now_ns) {
            self.begin_anew(error::WATCHDOG, reply);
            self.received[..frame.len()].copy_from_slice(frame);
            return true;
        }
        let is_new = self.received[..frame.len()] != *frame;
        if !is_new {
            return false;
        }
        self.received[..frame.len()].copy_from_slice(frame);
        let mut data = [0; DATA_BYTES_MAX];
        let data = &mut data[..self.settings.receive_bytes];
        let (header, crc) = frame::read(frame, data);
        if header.command == command::RESET {
            self.reset(reply);
            return true;
        }
        if self.state == State::Reset {
            // Nothing counts before a reset.
            return false;
        }
        match self.take(header, crc, frame, data, now_ns) {
            Ok(()) => self.answer(header, data, inputs, reply),
            Err(code) => self.begin_anew(code, reply),
        }
        true
    }

    /// The other side asked for it.
    fn reset(&mut self, reply: &mut [u8]) {
        self.clear();
        self.error = error::LOCAL_RESET;
        self.sessions += 1;
        self.state = State::Session;
        self.send_reset(reply);
    }

    /// Something is wrong: the safe state, and the other side has to begin.
    fn begin_anew(&mut self, code: u8, reply: &mut [u8]) {
        self.clear();
        self.error = code;
        self.state = State::Reset;
        self.send_reset(reply);
    }

    fn clear(&mut self) {
        let first = Sequence { last_crc: 0, number: 1 };
        (self.incoming, self.outgoing) = (first, first);
        (self.received_crc, self.sent_crc, self.connection, self.moved) = (0, 0, 0, 0);
        (self.expires_ns, self.outputs) = (None, None);
    }

    fn send_reset(&self, reply: &mut [u8]) {
        let mut data = [0; DATA_BYTES_MAX];
        data[0] = self.error;
        // A reset is in no sequence: the next frame is the first one. That its checksum begins as the first one's is
        // what the other side does; nobody checks ours.
        let first = Sequence { last_crc: 0, number: 1 };
        let header = Header { command: command::RESET, connection: 0 };
        frame::write(reply, header, first, &data[..self.settings.send_bytes]);
    }

    fn take(
        &mut self,
        header: Header,
        crc: u16,
        frame: &[u8],
        data: &[u8],
        now_ns: u64,
    ) -> Result<(), u8> {
        let next = self.next_state(header.command)?;
        let connection = match next {
            State::Reset | State::Session => 0,
            // The first one says which.
            State::Connection if self.state == State::Session => header.connection,
            _ => self.connection,
        };
        let is_one = connection != 0 || next == State::Session;
        if header.connection != connection || !is_one {
            return Err(error::INVALID_CONNECTION);
        }
        // A sender skips numbers that would give the checksum of its frame before.
        let mut sequence = self.incoming;
        while crc_of(header, sequence, data) == self.received_crc && self.received_crc != 0 {
            sequence.number = following(sequence.number);
        }
        if !frame::is_right(frame, sequence, data) {
            return Err(error::INVALID_CRC);
        }
        self.incoming.number = following(sequence.number);
        self.outgoing.last_crc = crc;
        (self.received_crc, self.connection) = (crc, connection);
        if next != self.state {
            (self.state, self.moved) = (next, 0);
        }
        match next {
            State::Reset => {}
            State::Session => self.moved += data.len(),
            State::Connection => {
                self.collect(data);
                self.check_connection()?;
            }
            State::Parameter => {
                self.collect(data);
                self.check_parameters()?;
            }
            State::Data => {
                self.expires_ns = Some(now_ns + self.watchdog_ns);
                self.outputs = (header.command == command::PROCESS_DATA).then(|| {
                    let mut outputs = [0; DATA_BYTES_MAX];
                    outputs[..data.len()].copy_from_slice(data);
                    outputs
                });
            }
        }
        Ok(())
    }

    /// The state that a command leads to.
    fn next_state(&self, of: u8) -> Result<State, u8> {
        let (next, before) = match of {
            command::SESSION => (State::Session, State::Session),
            command::CONNECTION => (State::Connection, State::Session),
            command::PARAMETER => (State::Parameter, State::Connection),
            command::PROCESS_DATA | command::FAIL_SAFE_DATA => (State::Data, State::Parameter),
            _ => return Err(error::UNKNOWN_COMMAND),
        };
        let fits = self.state == next || self.state == before && self.is_complete();
        if fits { Ok(next) } else { Err(error::INVALID_COMMAND) }
    }

    /// Whether all data of the state have come.
    fn is_complete(&self) -> bool {
        match self.state {
            State::Reset | State::Data => true,
            State::Session => self.moved >= 2,
            State::Connection => self.moved >= 4,
            State::Parameter => {
                self.moved >= FIXED_PARAMETER_BYTES
                    && self.moved >= FIXED_PARAMETER_BYTES + usize::from(self.collected_word(4))
            }
        }
    }

    /// Both directions carry as many bytes at once as the shorter one has.
    fn portion(&self) -> usize {
        self.settings.receive_bytes.min(self.settings.send_bytes)
    }

    fn collect(&mut self, data: &[u8]) {
        for byte in &data[..self.portion()] {
            if let Some(to) = self.collected.get_mut(self.moved) {
                *to = *byte;
            }
            self.moved += 1;
        }
    }

    fn collected_word(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.collected[at], self.collected[at + 1]])
    }

    fn check_connection(&self) -> Result<(), u8> {
        if self.moved >= 2 && self.collected_word(0) != self.connection {
            Err(error::INVALID_CONNECTION)
        } else if self.moved >= 4 && self.collected_word(2) != self.settings.address {
            Err(error::INVALID_ADDRESS)
        } else {
            Ok(())
        }
    }

    fn check_parameters(&mut self) -> Result<(), u8> {
        if self.moved >= 2 && self.collected_word(0) != 2 {
            return Err(error::INVALID_COMMUNICATION_LENGTH);
        }
        if self.moved >= 4 {
            self.watchdog_ns = u64::from(self.collected_word(2)) * MS;
            if self.watchdog_ns == 0 {
                return Err(error::INVALID_COMMUNICATION_PARAMETER);
            }
        }
        if self.moved >= FIXED_PARAMETER_BYTES {
            let bytes = self.collected_word(4);
            let expected = self.settings.parameter_bytes.unwrap_or(bytes);
            if bytes != expected || usize::from(bytes) > PARAMETER_BYTES_MAX {
                return Err(error::INVALID_APPLICATION_LENGTH);
            }
        }
        Ok(())
    }

    fn answer(&mut self, to: Header, data: &[u8], inputs: Option<&[u8]>, reply: &mut [u8]) {
        let mut safe = [0; DATA_BYTES_MAX];
        let portion = self.portion();
        let mut header = to;
        match self.state {
            State::Reset => {}
            State::Session => {
                let id = crate::esc::mixed(self.settings.seed ^ crate::esc::mixed(self.sessions));
                let id = (id as u16).to_le_bytes();
                // As many bytes as the other side has sent, by frames of our own length.
                let frames = self.moved.div_ceil(self.settings.receive_bytes).max(1);
                let from = (frames - 1) * self.settings.send_bytes;
                for (to, byte) in safe.iter_mut().zip(id.into_iter().skip(from)) {
                    *to = byte;
                }
            }
            State::Connection | State::Parameter => {
                safe[..portion].copy_from_slice(&data[..portion]);
            }
            State::Data => {
                header.command = command::FAIL_SAFE_DATA;
                if let Some(inputs) = inputs {
                    header.command = command::PROCESS_DATA;
                    let bytes = inputs.len().min(self.settings.send_bytes);
                    safe[..bytes].copy_from_slice(&inputs[..bytes]);
                }
            }
        }
        let safe = &safe[..self.settings.send_bytes];
        let mut crc = frame::write(reply, header, self.outgoing, safe);
        while crc == self.sent_crc && self.sent_crc != 0 {
            self.outgoing.number = following(self.outgoing.number);
            crc = frame::write(reply, header, self.outgoing, safe);
        }
        self.outgoing.number = following(self.outgoing.number);
        self.incoming.last_crc = crc;
        self.sent_crc = crc;
    }
}

/// 0 is no number.
const fn following(number: u16) -> u16 {
    if number == u16::MAX { 1 } else { number + 1 }
}

fn crc_of(header: Header, sequence: Sequence, data: &[u8]) -> u16 {
    let mut frame = [0; FRAME_BYTES_MAX];
    frame::write(&mut frame[..frame::frame_bytes(data.len())], header, sequence, data)
}
