//! Prints what a cyclic LRW of 1,250 bytes through 100 devices with two FMMUs each costs, in ns a frame.
//!
//! `cargo run --release -p ecat-simulator --example cyclic`

use std::time::Instant;

use ecat_simulator::esc::{Esc, Profile};
use ecat_simulator::{Device, Segment};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::fmmu::Fmmu;
use ecat_wire::frame::FrameWriter;
use ecat_wire::sii::{self, Sii};
use ecat_wire::{Command, register as reg};

const DEVICES: u16 = 100;
const BYTES: usize = 1_250;
const ROUNDS: u32 = 20;
const FRAMES: u32 = 20_000;

fn compose(frame: &mut [u8], command: Command, data: &[u8]) -> usize {
    let mut writer = FrameWriter::new(frame, MacAddress::MAIN_DEVICE).expect("room");
    writer.push_data(command, 0, data).expect("room");
    writer.finish()
}

fn main() {
    let image = sii::build(&Sii { size_bytes: 2_048, ..Sii::default() }).expect("an image");
    let device = |n| Device {
        name: format!("device {n}"),
        esc: Esc::new(Profile::default(), image.clone()),
    };
    let mut segment = Segment::from_parts((0..DEVICES).map(device).collect(), Vec::new());
    let mut frame = [0; 1_514];
    let mut now_ns = 1_000_000;
    for n in 0..DEVICES {
        // Six bytes in and six out, from RAM to the logical image and back.
        for (number, read) in [(0, true), (1, false)] {
            let logical_start = 0x10000 + u32::from(n) * 12 + if read { 0 } else { 6 };
            let fmmu = Fmmu {
                logical_start,
                length: 6,
                logical_start_bit: 0,
                logical_stop_bit: 7,
                physical_start: if read { 0x1100 } else { 0x1000 },
                physical_start_bit: 0,
                read,
                write: !read,
                enabled: true,
            };
            let command =
                Command::Apwr { position: Command::position(n), register: reg::fmmu(number) };
            let length = compose(&mut frame, command, &fmmu.to_bytes());
            now_ns += 1_000;
            segment.process(&mut frame[..length], now_ns);
        }
    }
    let mut best = u128::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..FRAMES {
            let length = compose(&mut frame, Command::Lrw { logical: 0x10000 }, &[0x5A; BYTES]);
            now_ns += 1_000_000;
            segment.process(&mut frame[..length], now_ns);
        }
        best = best.min(start.elapsed().as_nanos() / u128::from(FRAMES));
    }
    let counter = u16::from_le_bytes([frame[26 + BYTES], frame[27 + BYTES]]);
    println!("{best} ns a frame (best of {ROUNDS} rounds), working counter {counter}");
}
