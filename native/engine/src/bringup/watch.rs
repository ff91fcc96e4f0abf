//! What ethercrab is doing, seen from its frames.
//!
//! ethercrab's errors name no SubDevice, it waits out a refused state until the timeout, it matches
//! answers by an eight-bit index alone, and it believes the feature bit of the distributed clock. All
//! four are mended here, from the outside.

use ecat_wire::al::AlState;
use ecat_wire::ethernet::HEADER_BYTES;
use ecat_wire::frame::{DATAGRAM_HEADER_BYTES, ETHERCAT_HEADER_BYTES};
use ecat_wire::{Command, register};

/// A SubDevice that shows the error bit for so long after a request has refused it. (Straight after
/// the request the bit may still be that of an older error.)
const REFUSAL_NS: u64 = 20_000_000;
/// Station address that ethercrab gives to the SubDevice at position 0.
pub(super) const STATION_BASE: u16 = 0x1000;

/// Register 0x0008 bit 2.
pub(super) const FEATURE_CLOCK: u8 = 0x04;
/// Where the data of a frame's first datagram begin.
const FIRST_DATA: usize = HEADER_BYTES + ETHERCAT_HEADER_BYTES + DATAGRAM_HEADER_BYTES;

/// The first datagram of a frame; ethercrab sends one a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    command: Command,
    length: usize,
}

/// Watches the frames of an ethercrab `init`.
#[derive(Debug)]
pub(super) struct Watch {
    outstanding: Box<[Option<Head>; 256]>,
    position: Option<u16>,
    register: Option<u16>,
    requested: Option<(u16, u8)>,
    refused_since_ns: Option<u64>,
    /// Positions whose clock registers do not answer, whatever their feature bit says.
    clockless: Vec<u16>,
}

impl Watch {
    pub(super) fn new(clockless: Vec<u16>) -> Self {
        Self {
            clockless,
            outstanding: Box::new([None; 256]),
            position: None,
            register: None,
            requested: None,
            refused_since_ns: None,
        }
    }

    /// The position of the SubDevice that was addressed last, alone.
    pub(super) fn position(&self) -> Option<u16> {
        self.position
    }

    /// The state that this SubDevice was asked for and was last seen to be polled about.
    pub(super) fn awaited_state(&self) -> Option<u8> {
        let (station, state) = self.requested?;
        let polled = self.register == Some(register::AL_STATUS);
        (polled && self.position == Some(station.wrapping_sub(STATION_BASE))).then_some(state)
    }

    /// The state that this SubDevice was asked for by the frame that was sent last.
    pub(super) fn asked_state(&self) -> Option<u8> {
        let (station, state) = self.requested?;
        let asked = self.register == Some(register::AL_CONTROL);
        (asked && self.position == Some(station.wrapping_sub(STATION_BASE))).then_some(state)
    }

    /// Whether the SubDevice that is waited for has refused the state.
    pub(super) fn refused(&self, now_ns: u64) -> bool {
        self.refused_since_ns.is_some_and(|since| now_ns - since >= REFUSAL_NS)
    }

    /// Notes a frame that is sent.
    pub(super) fn sent(&mut self, frame: &[u8]) {
        let Some((index, head, data)) = first(frame) else { return };
        self.outstanding[usize::from(index)] = Some(head);
        let (position, register) = match head.command {
            Command::Aprd { position, register } | Command::Apwr { position, register } => {
                (0u16.wrapping_sub(position), register)
            }
            Command::Fprd { station, register } => (station.wrapping_sub(STATION_BASE), register),
            Command::Fpwr { station, register } => {
                if register == register::AL_CONTROL && !data.is_empty() {
                    self.requested = Some((station, data[0] & 0x0F));
                    self.refused_since_ns = None;
                }
                (station.wrapping_sub(STATION_BASE), register)
            }
            _ => {
                self.position = None;
                return;
            }
        };
        self.position = Some(position);
        self.register = Some(register);
    }

    /// Notes a received frame; false for one that answers nothing outstanding, which ethercrab must
    /// not see.
    pub(super) fn answers(&mut self, frame: &[u8], now_ns: u64) -> bool {
        let Some((index, head, data)) = first(frame) else { return false };
        let outstanding = &mut self.outstanding[usize::from(index)];
        if !outstanding.is_some_and(|sent| is_answer(sent, head)) {
            return false;
        }
        *outstanding = None;
        if let Command::Fprd { station, register: register::AL_STATUS } = head.command {
            self.observe(station, data, now_ns);
        }
        true
    }

    /// Takes the feature bit of the distributed clock out of an answer of a SubDevice that has none:
    /// ethercrab would read its receive times, and give the whole segment up without them.
    pub(super) fn amend(&self, frame: &mut [u8]) {
        let Some((_, head, _)) = first(frame) else { return };
        let Command::Fprd { station, register: register::FEATURES } = head.command else { return };
        if self.clockless.contains(&station.wrapping_sub(STATION_BASE)) {
            frame[FIRST_DATA] &= !FEATURE_CLOCK;
        }
    }

    fn observe(&mut self, station: u16, data: &[u8], now_ns: u64) {
        let Some((asked, state)) = self.requested else { return };
        let Some(&status) = data.first() else { return };
        if asked != station {
            return;
        }
        // Device emulation mirrors the acknowledge bit together with the state that was asked for.
        let refused = status & 0x10 != 0 && status & 0x0F != state;
        self.refused_since_ns = if refused { self.refused_since_ns.or(Some(now_ns)) } else { None };
    }
}

/// Every ESC counts the position of a position or broadcast address up, so only the register of
/// those returns unchanged.
fn is_answer(sent: Head, answer: Head) -> bool {
    let same = sent.command.code() == answer.command.code() && sent.length == answer.length;
    let (sent, answer) = (sent.command, answer.command);
    same && match sent {
        Command::Fprd { .. }
        | Command::Fpwr { .. }
        | Command::Frmw { .. }
        | Command::Lrw { .. }
        | Command::Lrd { .. }
        | Command::Lwr { .. } => sent == answer,
        _ => sent.address()[2..] == answer.address()[2..],
    }
}

fn first(frame: &[u8]) -> Option<(u8, Head, &[u8])> {
    let datagram = ecat_wire::frame::datagrams(frame).ok()?.next()?.ok()?;
    let command = Command::parse(datagram.code, datagram.address)?;
    Some((datagram.index, Head { command, length: datagram.data.len() }, datagram.data))
}

/// The name of an AL state for a message.
pub(super) fn state_name(nibble: u8) -> &'static str {
    AlState::from_nibble(nibble).map_or("an unknown state", AlState::name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecat_wire::FrameWriter;
    use ecat_wire::ethernet::MacAddress;

    fn frame(command: Command, index: u8, data: &[u8]) -> Vec<u8> {
        let mut buffer = [0; 128];
        let mut writer = FrameWriter::new(&mut buffer, MacAddress([0x10; 6])).unwrap();
        writer.push_data(command, index, data).unwrap();
        let length = writer.finish();
        buffer[..length].to_vec()
    }

    const POLL: Command = Command::Fprd { station: 0x1003, register: register::AL_STATUS };
    const ASK: Command = Command::Fpwr { station: 0x1003, register: register::AL_CONTROL };

    #[test]
    fn only_what_answers_something_outstanding_is_let_through_and_only_once() {
        let mut watch = Watch::new(Vec::new());
        let answer = frame(POLL, 7, &[2, 0]);
        assert!(!watch.answers(&answer, 0));
        watch.sent(&frame(POLL, 7, &[0, 0]));
        let other = Command::Fprd { station: 0x1004, register: register::AL_STATUS };
        for wrong in [frame(other, 7, &[2, 0]), frame(POLL, 8, &[2, 0]), frame(POLL, 7, &[2])] {
            assert!(!watch.answers(&wrong, 0));
        }
        assert!(watch.answers(&answer, 0));
        assert!(!watch.answers(&answer, 0));
        // Position addresses come back counted up.
        watch.sent(&frame(Command::Brd { register: 0 }, 9, &[0]));
        let counted = Command::parse(7, [5, 0, 0, 0]).unwrap();
        assert!(watch.answers(&frame(counted, 9, &[0x11]), 0));
    }

    #[test]
    fn a_refusal_is_an_error_bit_that_stays_in_another_state() {
        let mut watch = Watch::new(Vec::new());
        let poll = |watch: &mut Watch, status: u8, now_ns: u64| {
            watch.sent(&frame(POLL, 1, &[0, 0]));
            assert!(watch.answers(&frame(POLL, 1, &[status, 0]), now_ns));
            watch.refused(now_ns)
        };
        assert!(!poll(&mut watch, 0x11, 0), "nothing was asked for yet");
        watch.sent(&frame(ASK, 2, &[2, 0]));
        assert!(!poll(&mut watch, 0x11, 100));
        assert!(!poll(&mut watch, 0x11, 100 + REFUSAL_NS - 1));
        assert!(!poll(&mut watch, 0x01, 100 + REFUSAL_NS));
        assert!(!poll(&mut watch, 0x11, 200 + REFUSAL_NS));
        assert!(poll(&mut watch, 0x11, 200 + 2 * REFUSAL_NS));
        assert_eq!((watch.position(), watch.awaited_state()), (Some(3), Some(2)));
        watch.sent(&frame(ASK, 3, &[2, 0]));
        assert!(!poll(&mut watch, 0x12, 300 + 4 * REFUSAL_NS), "an echo of the acknowledge bit");
    }

    #[test]
    fn the_clock_feature_is_hidden_where_no_clock_answers() {
        let watch = Watch::new(vec![3]);
        let features = |station| {
            let command = Command::Fprd { station, register: register::FEATURES };
            let mut answer = frame(command, 1, &[0xFC, 0x01]);
            watch.amend(&mut answer);
            answer[FIRST_DATA]
        };
        assert_eq!((features(0x1003), features(0x1002)), (0xF8, 0xFC));
    }
}
