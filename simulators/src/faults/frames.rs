//! What faults do to frames on the link, and which of them meet a frame at a port.

use ecat_wire::Command;
use ecat_wire::ethernet::envelope;
use ecat_wire::frame::{datagrams_from, for_each_datagram_mut_from};

use super::hits::{Change, Touched};
use super::on::{Frames, Way};
use super::set::Faults;
use super::when::Phase;
use super::{Effect, Nature};

/// How old a replayed frame may be, in frames.
pub(crate) const REPLAY_AGE_MAX: usize = 8;
/// Length of a datagram's data (bits 0 to 10 of the word at 6).
const LENGTH: u16 = 0x07FF;

/// What becomes of a frame on the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// It is lost.
    pub(crate) lost: bool,
    /// Its length.
    pub(crate) length: usize,
    /// So many more of it.
    pub(crate) copies: u8,
    /// After so many further frames.
    pub(crate) by_frames: u64,
    /// So long after, in ns.
    pub(crate) by_ns: u64,
    /// So many further frames overtake it.
    pub(crate) overtaken_by: u64,
    /// In its place, the one that passed so many before; 0: none.
    pub(crate) age: u8,
}

/// Tells whether a datagram addresses a device, by its command and length; `true`: on its way back.
pub(crate) trait Addressing {
    fn addresses(&self, device: u16, command: Command, bytes: usize, way: Way) -> bool;
}

impl Faults {
    /// Whether a frame is one of those that a fault concerns, and the datagram that makes it one: of any, the
    /// first.
    fn concerned(
        frames: Option<&Frames>,
        frame: &[u8],
        way: Way,
        addressing: &impl Addressing,
    ) -> (bool, Option<Touched>) {
        let datagrams = envelope(frame).and_then(|at| datagrams_from(frame, at.header).ok());
        let Some(datagrams) = datagrams else { return (frames.is_none(), None) };
        for (number, datagram) in (0..).zip(datagrams.map_while(Result::ok)) {
            let touched = Touched {
                number,
                index: datagram.index,
                command: datagram.code,
                address: datagram.address,
            };
            if is_selected(frames, touched, datagram.data.len(), way, addressing) {
                return (true, Some(touched));
            }
        }
        (frames.is_none(), None)
    }

    /// Whether the `n`-th fault meets a frame.
    fn meets_frame(
        &mut self,
        n: usize,
        frame: &[u8],
        way: Way,
        now_ns: u64,
        addressing: &impl Addressing,
    ) -> Option<Option<Touched>> {
        let frames = self.frames_sent();
        let armed = &mut self.armed[n];
        if armed.is_cleared() || !matches!(armed.schedule.phase(now_ns, frames), Phase::On(_)) {
            return None;
        }
        let selector = armed.fault.on.frames;
        let (concerned, touched) = Self::concerned(selector.as_ref(), frame, way, addressing);
        let needs_datagram = armed.fault.effect.is_of_datagrams();
        if !concerned || needs_datagram && touched.is_none() {
            return None;
        }
        self.meets(n).then_some(touched)
    }

    /// Takes a frame past the faults of one way of the link, which may change it; `passed` frames are known that
    /// passed there before.
    pub(crate) fn on_link(
        &mut self,
        way: Way,
        frame: &mut [u8],
        passed: usize,
        now_ns: u64,
        addressing: &impl Addressing,
    ) -> Fate {
        let mut fate = Fate { length: frame.len(), ..Fate::default() };
        for n in 0..self.armed.len() {
            let armed = &self.armed[n];
            if armed.nature != Nature::Frame || armed.fault.on.link != Some(way) {
                continue;
            }
            let effect = armed.fault.effect;
            let selector = armed.fault.on.frames;
            let bytes = &mut frame[..fate.length];
            if matches!(effect, Effect::Replay { age } if usize::from(age) > passed) {
                continue;
            }
            let Some(touched) = self.meets_frame(n, bytes, way, now_ns, addressing) else {
                continue;
            };
            let value = |before: usize, after: usize| Change::Value {
                before: before as u64,
                after: after as u64,
            };
            let change = match effect {
                Effect::Drop {} => {
                    self.log(n, now_ns, touched, Change::Done);
                    fate.lost = true;
                    return fate;
                }
                Effect::Truncate { bytes } => {
                    let before = fate.length;
                    fate.length = before.min(usize::from(bytes));
                    value(before, fate.length)
                }
                Effect::Delay { by_frames, by_ns } => {
                    fate.by_frames += u64::from(by_frames);
                    fate.by_ns = fate.by_ns.saturating_add(by_ns.unwrap_or(0));
                    Change::Done
                }
                Effect::Duplicate { copies } => {
                    fate.copies = fate.copies.saturating_add(copies);
                    Change::Done
                }
                Effect::Reorder { by } => {
                    fate.overtaken_by += u64::from(by);
                    Change::Done
                }
                Effect::Replay { age } => {
                    fate.age = age;
                    Change::Done
                }
                Effect::FlipBits { offset, mask } => {
                    let Some(byte) = bytes.get_mut(usize::from(offset)) else { continue };
                    let before = *byte;
                    *byte ^= mask;
                    value(before.into(), (*byte).into())
                }
                _ => {
                    self.change_datagrams(n, bytes, effect, selector, way, now_ns, addressing);
                    continue;
                }
            };
            self.log(n, now_ns, touched, change);
        }
        fate
    }

    /// Changes the datagrams that a fault concerns, and writes each down.
    #[expect(clippy::too_many_arguments, reason = "one step of `on_link`")]
    fn change_datagrams(
        &self,
        n: usize,
        frame: &mut [u8],
        effect: Effect,
        selector: Option<Frames>,
        way: Way,
        now_ns: u64,
        addressing: &impl Addressing,
    ) {
        let Some(envelope) = envelope(frame) else { return };
        let mut number = 0;
        let _whole = for_each_datagram_mut_from(frame, envelope.header, |datagram| {
            let header = &datagram.header;
            let touched = Touched {
                number,
                index: header[1],
                command: header[0],
                address: [header[2], header[3], header[4], header[5]],
            };
            number = number.saturating_add(1);
            if !is_selected(selector.as_ref(), touched, datagram.data.len(), way, addressing) {
                return;
            }
            let (before, after) = match effect {
                Effect::WrongIndex { by } => {
                    let index = header[1].wrapping_add(by);
                    let before = std::mem::replace(&mut datagram.header[1], index);
                    (before.into(), index.into())
                }
                Effect::WrongLength { by } => {
                    let word = u16::from_le_bytes([header[6], header[7]]);
                    let length = word.wrapping_add_signed(by) & LENGTH;
                    let changed = (word & !LENGTH | length).to_le_bytes();
                    datagram.header[6..8].copy_from_slice(&changed);
                    (word & LENGTH, length)
                }
                Effect::WorkingCounter { by } => {
                    let [low, high] = [datagram.working_counter[0], datagram.working_counter[1]];
                    let before = u16::from_le_bytes([low, high]);
                    let after = before.wrapping_add_signed(by);
                    datagram.working_counter.copy_from_slice(&after.to_le_bytes());
                    (before, after)
                }
                _ => return,
            };
            let change = Change::Value { before: before.into(), after: after.into() };
            self.log(n, now_ns, Some(touched), change);
        });
    }

    /// Takes a frame past the faults of one port. Whether they spoil its checksum, and whether they lose it;
    /// one that is bad already is not spoilt again.
    pub(crate) fn at_port(
        &mut self,
        outlet: (u16, u8),
        frame: &[u8],
        bad: bool,
        now_ns: u64,
        addressing: &impl Addressing,
    ) -> (bool, bool) {
        let mut spoilt = false;
        for n in 0..self.armed.len() {
            let armed = &self.armed[n];
            let here = (armed.fault.on.device, armed.fault.on.port);
            let spoils = armed.fault.effect == Effect::Corrupt {};
            if armed.nature != Nature::Port
                || here != (Some(outlet.0), Some(outlet.1))
                || spoils && (bad || spoilt)
            {
                continue;
            }
            let met = self.meets_frame(n, frame, Way::Out, now_ns, addressing);
            let Some(touched) = met else { continue };
            self.log(n, now_ns, touched, Change::Done);
            if !spoils {
                return (spoilt, true);
            }
            spoilt = true;
        }
        (spoilt, false)
    }
}

fn is_selected(
    frames: Option<&Frames>,
    touched: Touched,
    bytes: usize,
    way: Way,
    addressing: &impl Addressing,
) -> bool {
    let Some(frames) = frames else { return true };
    let Some(command) = Command::parse(touched.command, touched.address) else { return false };
    frames.selects(command, bytes)
        && frames.device.is_none_or(|device| addressing.addresses(device, command, bytes, way))
}
