//! A link that shows a test every write to a single SubDevice before it is sent.
#![allow(dead_code, reason = "each test file uses a part")]

use ecat_simulator::SegmentLink;
use ecat_wire::frame::datagrams;
use ecat_wire::{Command, Link, LinkError};

/// What a test does with what it sees.
pub trait Tap: Send {
    /// A frame, before its writes.
    fn frame(&mut self) {}

    /// A write to a station's register, with the first byte. `false` loses the frame.
    fn write(&mut self, station: u16, register: u16, value: u8) -> bool;
}

/// A segment's link with a tap on it.
pub struct Tapped<T> {
    pub inner: SegmentLink,
    pub tap: T,
}

impl<T: Tap> Link for Tapped<T> {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        self.tap.frame();
        let mut passes = true;
        for datagram in datagrams(frame).unwrap().map(Result::unwrap) {
            let command = Command::parse(datagram.code, datagram.address);
            if let Some(Command::Fpwr { station, register }) = command {
                passes &= self.tap.write(station, register, datagram.data[0]);
            }
        }
        if passes { self.inner.send(frame, now_ns) } else { Ok(()) }
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        self.inner.receive(buffer, now_ns)
    }

    fn is_up(&self) -> bool {
        self.inner.is_up()
    }
}
