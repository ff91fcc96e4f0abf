//! The frames of a cycle, composed once and only filled in afterwards.
//!
//! Every frame begins with the stamp. The first one also carries the state check (BRD of the AL status)
//! and, with distributed clocks, the distribution of the reference clock (FRMW of its system time, which
//! every other clock takes over). Then come the process-data datagrams.
//!
//! The input part of a datagram is sent with the inputs of the cycle before: what a missing SubDevice
//! leaves in the frame is then its last value instead of zeros. It is our own echo all the same, and its
//! quality says so.

use std::ops::Range;

use ecat_wire::ethernet::{FRAME_BYTES_MAX, MacAddress};
use ecat_wire::frame::DatagramSpan;
use ecat_wire::{Command, FrameWriter, register};

use crate::error::{EngineError, ErrorCode};
use crate::layout::{DatagramKind, ProcessDatagram, ProcessLayout};
use crate::stamp::Stamp;

/// Bytes of the state check's data.
const STATE_CHECK_BYTES: usize = 2;
/// Bytes of the distributed system time.
const SYSTEM_TIME_BYTES: usize = 8;
/// Bits of a datagram's length word that its answer has unchanged (all but the circulating bit).
const LENGTH_WORD_MASK: u8 = 0xBF;

/// The frames of one cycle.
#[derive(Debug)]
pub struct CyclicFrames {
    frames: Vec<Frame>,
    state_check: DatagramSpan,
    system_time: Option<DatagramSpan>,
    datagrams: Vec<Placed>,
}

#[derive(Debug)]
struct Frame {
    bytes: Box<[u8]>,
    spans: Vec<DatagramSpan>,
}

/// A process-data datagram in its frame.
#[derive(Debug)]
struct Placed {
    frame: usize,
    span: DatagramSpan,
    /// Range of the output image, and where it begins in the frame.
    outputs: (Range<usize>, usize),
    /// Range of the input image, and where it begins in the frame.
    inputs: (Range<usize>, usize),
}

/// What the first frame says besides process data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The AL status registers of all SubDevices, ORed.
    pub status: u16,
    /// How many SubDevices took part.
    pub count: u16,
    /// System time of the reference clock, in nanoseconds; `None` without distributed clocks, or when
    /// the reference clock did not answer.
    pub system_time_ns: Option<u64>,
}

impl CyclicFrames {
    /// Composes the frames of `layout`; `reference` is the station address of the reference clock, where
    /// distributed clocks are used.
    ///
    /// # Errors
    /// [`ErrorCode::LayoutInvalid`] if a frame does not hold what the layout puts into it.
    pub fn new(layout: &ProcessLayout, reference: Option<u16>) -> Result<Self, EngineError> {
        let count = layout.datagrams.iter().map(|datagram| datagram.frame + 1).max().unwrap_or(1);
        let mut frames = Vec::with_capacity(count);
        let mut datagrams: Vec<(usize, Placed)> = Vec::with_capacity(layout.datagrams.len());
        let mut overview = None;
        for number in 0..count {
            let mut bytes = vec![0; FRAME_BYTES_MAX].into_boxed_slice();
            let mut spans = Vec::new();
            let members = layout.datagrams.iter().enumerate().filter(|(_, d)| d.frame == number);
            let compose = || {
                let mut writer = FrameWriter::new(&mut bytes, MacAddress::MAIN_DEVICE)?;
                spans.push(Stamp { sequence: 0, frame: 0, salt: 0 }.push(&mut writer)?);
                if number == 0 {
                    let command = Command::Brd { register: register::AL_STATUS };
                    let check = writer.push(command, 0, STATE_CHECK_BYTES)?;
                    spans.push(check);
                    let mut time = None;
                    if let Some(station) = reference {
                        let command = Command::Frmw { station, register: register::DC_SYSTEM_TIME };
                        let span = writer.push(command, 0, SYSTEM_TIME_BYTES)?;
                        spans.push(span);
                        time = Some(span);
                    }
                    overview = Some((check, time));
                }
                for (index, datagram) in members {
                    let span = writer.push(command(datagram), 0, datagram.length)?;
                    spans.push(span);
                    datagrams.push((index, place(layout, datagram, span)));
                }
                Ok::<usize, ecat_wire::FrameError>(writer.finish())
            };
            let length = compose().map_err(|_| {
                EngineError::new(
                    ErrorCode::LayoutInvalid,
                    format!("frame {number} of the cycle does not hold its datagrams"),
                )
            })?;
            bytes = bytes[..length].into();
            frames.push(Frame { bytes, spans });
        }
        datagrams.sort_unstable_by_key(|&(index, _)| index);
        let datagrams = datagrams.into_iter().map(|(_, placed)| placed).collect();
        let Some((state_check, system_time)) = overview else {
            return Err(EngineError::new(ErrorCode::LayoutInvalid, "a cycle without a frame"));
        };
        Ok(Self { frames, state_check, system_time, datagrams })
    }

    /// How many frames a cycle has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.frames.len()
    }

    /// Bytes of each frame, without preamble and FCS.
    pub fn lengths(&self) -> impl Iterator<Item = usize> {
        self.frames.iter().map(|frame| frame.bytes.len())
    }

    /// Bytes of all frames on the wire, without preamble and FCS.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lengths().sum()
    }

    /// Fills in the images of a cycle.
    pub fn fill(&mut self, outputs: &[u8], inputs: &[u8]) {
        for placed in &self.datagrams {
            let frame = &mut self.frames[placed.frame].bytes;
            copy(&mut frame[placed.outputs.1..], &outputs[placed.outputs.0.clone()]);
            copy(&mut frame[placed.inputs.1..], &inputs[placed.inputs.0.clone()]);
        }
    }

    /// Stamps a frame and returns it, ready to be sent.
    #[must_use]
    pub fn stamped(&mut self, number: usize, sequence: u32, salt: u16) -> &[u8] {
        let frame = &mut self.frames[number].bytes;
        #[expect(clippy::cast_possible_truncation, reason = "a cycle has a few frames")]
        Stamp { sequence, frame: number as u16, salt }.rewrite(frame);
        frame
    }

    /// Whether `answer` has the datagrams of frame `number`.
    #[must_use]
    pub fn matches(&self, number: usize, answer: &[u8]) -> bool {
        let Some(frame) = self.frames.get(number) else { return false };
        answer.len() >= frame.bytes.len()
            && frame.spans.iter().all(|span| {
                // Command and index as sent; length and "more follows" too.
                let header = span.index() - 1;
                let (sent, got) = (&frame.bytes[header..], &answer[header..]);
                sent[..2] == got[..2]
                    && sent[6] == got[6]
                    && sent[7] & LENGTH_WORD_MASK == got[7] & LENGTH_WORD_MASK
            })
    }

    /// Takes what the answer to frame `number` carries: its inputs, and the working counters of its
    /// datagrams. `answer` must [match](Self::matches).
    pub fn take(
        &self,
        number: usize,
        answer: &[u8],
        inputs: &mut [u8],
        working_counters: &mut [Option<u16>],
    ) {
        for (placed, counter) in self.datagrams.iter().zip(working_counters) {
            if placed.frame == number {
                let range = placed.inputs.0.clone();
                copy(&mut inputs[range.clone()], &answer[placed.inputs.1..][..range.len()]);
                *counter = Some(word(&answer[placed.span.working_counter()]));
            }
        }
    }

    /// Takes the overview from the answer to the first frame.
    #[must_use]
    pub fn overview(&self, answer: &[u8]) -> Overview {
        let system_time = self.system_time.filter(|s| word(&answer[s.working_counter()]) > 0);
        Overview {
            status: word(&answer[self.state_check.data()]),
            count: word(&answer[self.state_check.working_counter()]),
            system_time_ns: system_time.map(|span| {
                let mut bytes = [0; SYSTEM_TIME_BYTES];
                bytes.copy_from_slice(&answer[span.data()]);
                u64::from_le_bytes(bytes)
            }),
        }
    }

    /// Which frame carries a datagram.
    #[must_use]
    pub fn frame_of(&self, datagram: usize) -> usize {
        self.datagrams[datagram].frame
    }
}

fn command(datagram: &ProcessDatagram) -> Command {
    let logical = datagram.logical;
    match datagram.kind {
        DatagramKind::ReadWrite => Command::Lrw { logical },
        DatagramKind::Read => Command::Lrd { logical },
        DatagramKind::Write => Command::Lwr { logical },
    }
}

fn place(layout: &ProcessLayout, datagram: &ProcessDatagram, span: DatagramSpan) -> Placed {
    let begin = datagram.logical as usize;
    let end = begin + datagram.length;
    // The part of an image that begins at `logical` and lies within the datagram.
    let part = |logical: usize, bytes: usize, carried: bool| {
        let from = begin.clamp(logical, logical + bytes);
        let to = end.clamp(from, (logical + bytes).max(from));
        if carried && to > from {
            (from - logical..to - logical, span.data().start + from - begin)
        } else {
            (0..0, span.data().start)
        }
    };
    Placed {
        frame: datagram.frame,
        span,
        outputs: part(0, layout.output_bytes, datagram.kind != DatagramKind::Read),
        inputs: part(
            layout.inputs_logical as usize,
            layout.input_bytes,
            datagram.kind != DatagramKind::Write,
        ),
    }
}

fn copy(to: &mut [u8], from: &[u8]) {
    to[..from.len()].copy_from_slice(from);
}

fn word(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecat_wire::frame::{datagrams, for_each_datagram_mut};

    fn layout() -> ProcessLayout {
        let datagram = |kind, logical, length, frame| ProcessDatagram {
            kind,
            logical,
            length,
            frame,
            members: Vec::new(),
        };
        ProcessLayout {
            output_bytes: 4,
            input_bytes: 6,
            inputs_logical: 4,
            devices: Vec::new(),
            datagrams: vec![
                datagram(DatagramKind::ReadWrite, 2, 4, 0),
                datagram(DatagramKind::Write, 0, 2, 1),
                datagram(DatagramKind::Read, 6, 4, 1),
            ],
        }
    }

    /// What a segment would make of a frame: reads give `with`, every datagram counts `with`.
    fn answer(frame: &[u8], with: u8) -> Vec<u8> {
        let mut answer = frame.to_vec();
        for_each_datagram_mut(&mut answer, |mut datagram| {
            if datagram.header[0] != 0 {
                datagram.data.fill(with);
                datagram.add_working_counter(u16::from(with));
            }
        })
        .unwrap();
        answer
    }

    #[test]
    fn images_are_cut_over_datagrams_and_put_together_again() {
        let mut frames = CyclicFrames::new(&layout(), None).unwrap();
        assert_eq!(frames.count(), 2);
        frames.fill(&[1, 2, 3, 4], &[11, 12, 13, 14, 15, 16]);
        let first = frames.stamped(0, 9, 5).to_vec();
        let second = frames.stamped(1, 9, 5).to_vec();
        let data = |frame: &[u8]| -> Vec<Vec<u8>> {
            datagrams(frame).unwrap().map(|d| d.unwrap().data.to_vec()).collect()
        };
        assert_eq!(data(&first)[1..], [vec![0, 0], vec![3, 4, 11, 12]]);
        assert_eq!(data(&second)[1..], [vec![1, 2], vec![13, 14, 15, 16]]);

        let mut inputs = [0; 6];
        let mut counters = [None; 3];
        let back = answer(&second, 7);
        assert!(frames.matches(1, &back) && !frames.matches(0, &back) && !frames.matches(2, &back));
        frames.take(1, &back, &mut inputs, &mut counters);
        assert_eq!((inputs, counters), ([0, 0, 7, 7, 7, 7], [None, Some(7), Some(7)]));
        frames.take(0, &answer(&first, 3), &mut inputs, &mut counters);
        assert_eq!((inputs, counters[0]), ([3, 3, 7, 7, 7, 7], Some(3)));
    }

    #[test]
    fn the_first_frame_carries_the_state_check_and_the_reference_clock() {
        let mut frames = CyclicFrames::new(&layout(), Some(0x1001)).unwrap();
        let back = answer(frames.stamped(0, 1, 1), 8);
        let expected =
            Overview { status: 0x0808, count: 8, system_time_ns: Some(0x0808_0808_0808_0808) };
        assert_eq!(frames.overview(&back), expected);
        let silent = answer(frames.stamped(0, 1, 1), 0);
        assert_eq!(frames.overview(&silent), Overview::default());
    }

    #[test]
    fn an_answer_with_other_datagrams_does_not_match() {
        let mut frames = CyclicFrames::new(&layout(), None).unwrap();
        let sent = frames.stamped(0, 1, 1).to_vec();
        assert!(!frames.matches(0, &sent[..sent.len() - 1]));
        for (byte, bit, same) in [(36, 1, false), (37, 1, false), (42, 1, false), (43, 0x40, true)]
        {
            let mut other = sent.clone();
            other[byte] ^= bit;
            assert_eq!(frames.matches(0, &other), same, "byte {byte}");
        }
    }

    #[test]
    fn a_segment_without_process_data_still_has_its_state_check() {
        let frames = CyclicFrames::new(&ProcessLayout::default(), None).unwrap();
        assert_eq!((frames.count(), frames.bytes()), (1, 60));
    }

    #[test]
    fn a_frame_that_is_too_full_is_refused() {
        let mut layout = layout();
        layout.datagrams[0].length = 1_480;
        let error = CyclicFrames::new(&layout, None).unwrap_err();
        assert_eq!(error.first.code, ErrorCode::LayoutInvalid);
    }
}
