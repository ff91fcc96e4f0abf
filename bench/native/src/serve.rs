//! The other end of a wire: a simulated segment on a network interface, by a thread that polls, so that
//! its own wake-ups are no part of what is measured. It says when urgent frames came.

use std::sync::mpsc;

use ecat_engine::cycle::urgent::URGENT_FRAME;
use ecat_engine::link::sys;
use ecat_simulator::{Forward, Segment};
use ecat_wire::Link;
use ecat_wire::ethernet::{FRAME_BYTES_MAX, FRAME_BYTES_MIN};

use crate::Outcome;
use crate::arguments::Arguments;
use crate::urgent::FRAME_AT;
use crate::{plant, report};

/// How often the end of the standard input is looked for is not bounded by frames: another thread waits.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let interface = arguments.text("interface").ok_or("serve needs interface=NAME")?;
    let bytes = arguments.number("bytes", 1_250)?;
    let devices = arguments.number("devices", 10)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let mut segment =
        Segment::new(&plant::describe(devices, bytes)).map_err(|error| error.to_string())?;
    let mut link = plant::interface(&interface)?;
    let granted = place.take();
    end_with_standard_input();
    report::granted(place, granted);
    let urgent = tell_urgent_frames();
    let mut frame = [0; FRAME_BYTES_MAX];
    loop {
        let now_ns = sys::monotonic_ns();
        let received = link.receive(&mut frame, now_ns).map_err(|error| format!("{error:?}"))?;
        let Some(length) = received else {
            std::hint::spin_loop();
            continue;
        };
        let is_urgent =
            frame[..length].get(FRAME_AT..FRAME_AT + 2) == Some(&URGENT_FRAME.to_le_bytes());
        let received_ns = if is_urgent { sys::monotonic_ns() } else { 0 };
        let padded = length.max(FRAME_BYTES_MIN);
        frame[length..padded].fill(0);
        let length = padded;
        if segment.process(&mut frame[..length], now_ns) == Forward::Returned {
            // A queue that is full loses the frame, as a wire would.
            let _taken = link.send(&frame[..length], now_ns);
        }
        if is_urgent {
            urgent.send(received_ns).map_err(|error| error.to_string())?;
        }
    }
}

/// Prints when urgent frames were received, by a thread of its own: the segment answers meanwhile.
fn tell_urgent_frames() -> mpsc::Sender<u64> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for received_ns in receiver {
            // Exact up to 2⁵³ ns, a hundred days since the start of the machine.
            report::value("peer", "urgent-received", received_ns as f64);
        }
    });
    sender
}

/// Whoever started this process ends it by closing its standard input, however he ends himself.
fn end_with_standard_input() {
    std::thread::spawn(|| {
        let mut none = String::new();
        while std::io::stdin().read_line(&mut none).is_ok_and(|read| read > 0) {}
        std::process::exit(0);
    });
}
