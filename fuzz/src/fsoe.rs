//! FSoE: a MainInstance that keeps its sequence, and does what the input says.
//!
//! The first byte chooses how long frames are. Each further step begins with a byte: bits 0 to 2 what is sent (0: the next
//! bytes as they are; 7: nothing, for so many ms as the next byte says), bit 3 another connection (two bytes), bit 4 a flipped
//! bit (one byte says which), bit 5 no safe data from the device's inputs, bit 6 the frame once more. Data follow.

use std::hash::{DefaultHasher, Hash};

use ecat_simulator::fsoe::frame::{self, DATA_BYTES_MAX, FRAME_BYTES_MAX, Header, Sequence};
use ecat_simulator::fsoe::{Settings, State, SubInstance, command};

const COMMANDS: [u8; 6] = [
    command::RESET,
    command::SESSION,
    command::CONNECTION,
    command::PARAMETER,
    command::PROCESS_DATA,
    command::FAIL_SAFE_DATA,
];
/// Bytes of data that a frame may have.
const SIZES: [usize; 4] = [1, 2, 6, DATA_BYTES_MAX];
const ADDRESS: u16 = 0x1234;
const CONNECTION: u16 = 0x0777;
const FIRST: Sequence = Sequence { last_crc: 0, number: 1 };
const MS: u64 = 1_000_000;
/// So far behind its own count a number may be: each side leaves some out.
const NUMBERS_LEFT_OUT: u16 = 8;

/// The input, piece by piece; 0 behind its end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn fill(&mut self, to: &mut [u8]) {
        to.fill_with(|| self.next());
    }
}

/// Frames to a safe device. Whatever comes, it has safe outputs in Data alone, and none after a frame that is not right; its
/// own frames always are.
pub(crate) fn run(input: &[u8], seen: &mut DefaultHasher) {
    let mut input = Bytes(input);
    let choice = usize::from(input.next());
    let [receive_bytes, send_bytes] = [choice % 4, choice / 4 % 4].map(|n| SIZES[n]);
    let parameter_bytes = (choice & 0x10 != 0).then_some(2);
    let settings =
        Settings { address: ADDRESS, receive_bytes, send_bytes, parameter_bytes, seed: 7 };
    let mut device = SubInstance::new(settings);
    let (mut frame, mut reply) = ([0; FRAME_BYTES_MAX], [0; FRAME_BYTES_MAX]);
    let frame = &mut frame[..frame::frame_bytes(receive_bytes)];
    let reply = &mut reply[..frame::frame_bytes(send_bytes)];
    let (mut sequence, mut now_ns) = (FIRST, 0);
    while !input.0.is_empty() {
        let head = input.next();
        now_ns += MS;
        let kind = usize::from(head & 7);
        if kind == 7 {
            now_ns += u64::from(input.next()) * MS;
            continue;
        }
        let mut crc = None;
        if let Some(&command) = kind.checked_sub(1).and_then(|n| COMMANDS.get(n)) {
            let mut connection = if kind > 2 { CONNECTION } else { 0 };
            if head & 8 != 0 {
                connection = u16::from_le_bytes([input.next(), input.next()]);
            }
            let mut data = [0; DATA_BYTES_MAX];
            input.fill(&mut data[..receive_bytes]);
            if command == command::RESET {
                sequence = FIRST;
            }
            let header = Header { command, connection };
            crc = Some(frame::write(frame, header, sequence, &data[..receive_bytes]));
        } else {
            input.fill(frame);
        }
        let flips = head & 0x10 != 0;
        if flips {
            let bit = usize::from(input.next()) % (8 * frame.len());
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        for _ in 0..=usize::from(head >> 6 & 1) {
            let inputs = [0xA5; DATA_BYTES_MAX];
            let inputs = (head & 0x20 == 0).then_some(&inputs[..send_bytes]);
            let is_new = device.exchange(frame, inputs, now_ns, reply);
            assert!(device.outputs().is_none() || device.state() == State::Data);
            if !is_new {
                continue;
            }
            assert!(!flips || crc.is_none() || device.outputs().is_none(), "after a flipped bit");
            let mut data = [0; DATA_BYTES_MAX];
            let data = &mut data[..send_bytes];
            let (header, reply_crc) = frame::read(reply, data);
            assert!(COMMANDS.contains(&header.command), "{reply:x?}");
            if header.command == command::RESET {
                assert!(frame::is_right(reply, FIRST, data), "{reply:x?}");
            } else if let Some(crc) = crc.filter(|_| !flips) {
                let is_right = (0..NUMBERS_LEFT_OUT).any(|n| {
                    let number = sequence.number.wrapping_add(n);
                    frame::is_right(reply, Sequence { last_crc: crc, number }, data)
                });
                assert!(is_right, "{reply:x?} to {frame:x?}");
                let number = sequence.number.checked_add(1).unwrap_or(1);
                sequence = Sequence { last_crc: reply_crc, number };
            }
            (header.command, device.state() as u8, device.error(), data[0]).hash(seen);
        }
    }
    device.outputs().is_some().hash(seen);
}
