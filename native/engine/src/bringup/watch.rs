//! What ethercrab is doing, seen from its frames.
//!
//! ethercrab's errors name no SubDevice, it waits out a refused state until the timeout, and it
//! matches answers by an eight-bit index alone. All three are mended here, from the outside.

use ecat_wire::al::AlState;
use ecat_wire::{Command, register};

/// A SubDevice that shows the error bit for so long after a request has refused it. (Straight after
/// the request the bit may still be that of an older error.)
const REFUSAL_NS: u64 = 20_000_000;
/// Station address that ethercrab gives to the SubDevice at position 0.
pub(super) const STATION_BASE: u16 = 0x1000;

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
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
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
