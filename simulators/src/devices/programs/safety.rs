//! Safe inputs and outputs behind FSoE. **No safety function, not certified, for tests only.**
//!
//! A frame goes through the process data as they are, 0x7000 from the MainDevice and 0x6000 to it; the MainDevice is
//! a channel and knows nothing of it. Behind the frames stand the safe inputs (what signals and wires set) and the
//! safe outputs (what wires see): the bits in a frame are neither, but for the state Data.

use serde::Deserialize;

use super::super::process_data::{Channel, ProcessData};
use crate::description::DescriptionError;
use crate::esc::{DRIVEN, Direction, Point};
use crate::fsoe::frame::{DATA_BYTES_MAX, FRAME_BYTES_MAX, data_bytes};
use crate::fsoe::{Settings, State, SubInstance};
use crate::program::{Cell, Program, ProgramIo, Trigger};

/// Frames to and from the MainDevice: command at subindex 1, connection at 2; safe bits in the next object.
const TO_DEVICE: u16 = 0x7000;
const FROM_DEVICE: u16 = 0x6000;
const COMMAND: u8 = 1;
const CONNECTION: u8 = 2;
/// State of the connection and its last error; place and numbers are our own.
const DIAGNOSIS: u16 = 0xA000;
/// Address of the device (ETG.5001, "FSoE").
pub(in crate::devices) const ADDRESS: u16 = 0xF980;

/// Settings of a safe device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SafetyDescription {
    /// Its address, as its switches say; 1 by default.
    pub address: Option<u16>,
    /// Bytes of application parameters that it wants, else error 10; as many as come by default, up to 64.
    pub parameter_bytes: Option<u16>,
}

/// Makes the safe inputs and outputs the channels of the device, behind its process data.
pub(in crate::devices) fn add_fields(process_data: &mut ProcessData) {
    let areas: u32 = process_data.input_areas.iter().map(|area| u32::from(area.bytes) * 8).sum();
    let mut field = areas;
    let mut fields = Vec::new();
    let directions = [
        (Direction::Input, FROM_DEVICE + 1, &mut process_data.inputs, 0),
        (Direction::Output, TO_DEVICE + 1, &mut process_data.outputs, DRIVEN),
    ];
    for (direction, index, channels, base) in directions {
        let points = process_data.points.iter();
        let safe: Vec<&Point> = points.filter(|p| is_safe_bit(p, direction, index)).collect();
        channels.retain(|channel| safe.iter().any(|p| p.bit_offset == channel.bit_offset));
        for channel in channels {
            *channel = Channel { bit_offset: base | field, ..*channel };
            fields.push(Point {
                direction: Direction::Input,
                index: 0,
                subindex: 0,
                bit_offset: field,
                bit_length: channel.bit_length,
            });
            field += u32::from(channel.bit_length);
        }
    }
    process_data.points.extend(fields);
}

fn is_safe_bit(point: &Point, direction: Direction, index: u16) -> bool {
    point.direction == direction && point.index == index && point.bit_length == 1
}

/// Where a frame stands in the process data.
#[derive(Clone, Copy)]
struct Place {
    first_bit: u32,
    bytes: usize,
    data_bytes: usize,
}

/// A safe bit: in the data of a frame, and behind it.
#[derive(Clone, Copy)]
struct SafeBit {
    of_data: u32,
    field: u32,
}

struct Safety {
    to_device: Place,
    from_device: Place,
    inputs: Vec<SafeBit>,
    outputs: Vec<SafeBit>,
    settings: Settings,
    connection: SubInstance,
    frame: [u8; FRAME_BYTES_MAX],
    diagnosis: [Option<Cell>; 2],
}

pub(super) fn program(
    settings: &SafetyDescription,
    points: &[Point],
    seed: u64,
) -> Result<Box<dyn Program>, DescriptionError> {
    let to_device = place(points, Direction::Output, TO_DEVICE)?;
    let from_device = place(points, Direction::Input, FROM_DEVICE)?;
    let mut fields = points.iter().filter(|p| p.index == 0).map(|p| p.bit_offset);
    let mut bits = |direction, index, place: Place| -> Vec<SafeBit> {
        let of = points.iter().filter(|p| is_safe_bit(p, direction, index));
        of.zip(&mut fields)
            .map(|(point, field)| {
                let from_command = point.bit_offset - place.first_bit - 8;
                // Two bytes of data, two of a checksum.
                let (group, rest) = (from_command / 32, from_command % 32);
                SafeBit { of_data: group * 16 + rest, field }
            })
            .collect()
    };
    let inputs = bits(Direction::Input, FROM_DEVICE + 1, from_device);
    let outputs = bits(Direction::Output, TO_DEVICE + 1, to_device);
    let settings = Settings {
        address: settings.address.unwrap_or(1),
        receive_bytes: to_device.data_bytes,
        send_bytes: from_device.data_bytes,
        parameter_bytes: settings.parameter_bytes,
        seed,
    };
    Ok(Box::new(Safety {
        to_device,
        from_device,
        inputs,
        outputs,
        settings,
        connection: SubInstance::new(settings),
        frame: [0; FRAME_BYTES_MAX],
        diagnosis: [None; 2],
    }))
}

/// Finds a frame from its command to its connection.
fn place(points: &[Point], direction: Direction, index: u16) -> Result<Place, DescriptionError> {
    let bit = |subindex| {
        let mut points = points.iter().filter(|point| point.direction == direction);
        points.find(|p| (p.index, p.subindex) == (index, subindex)).map(|p| p.bit_offset)
    };
    let of = |first_bit: u32, last: u32| {
        let bits = (last + 16).checked_sub(first_bit).filter(|bits| bits.is_multiple_of(8))?;
        let within = first_bit..first_bit + bits;
        let of_objects = points
            .iter()
            .filter(|p| p.direction == direction && within.contains(&p.bit_offset))
            .map(|p| u32::from(p.bit_length));
        if of_objects.sum::<u32>() != bits {
            return None;
        }
        let bytes = (bits / 8) as usize;
        Some(Place { first_bit, bytes, data_bytes: data_bytes(bytes)? })
    };
    let found = bit(COMMAND).zip(bit(CONNECTION)).and_then(|(first, last)| of(first, last));
    found.ok_or_else(|| {
        let message = "needs a device with an FSoE frame in 0x7000 of its outputs and in 0x6000 of its inputs, from \
                       subindex 1 (command) to 2 (connection), of 6, 7, 11, 15 … bytes and without gaps";
        DescriptionError::new("/kind", message)
    })
}

impl Program for Safety {
    fn start(&mut self, device: &mut ProgramIo<'_>, _now_ns: u64) {
        self.connection = SubInstance::new(self.settings);
        self.frame = [0; FRAME_BYTES_MAX];
        self.diagnosis = [1, 2].map(|subindex| device.cell(DIAGNOSIS, subindex));
        if let Some(cell) = device.cell(ADDRESS, 1) {
            device.set(cell, self.settings.address.into());
        }
        for n in 0..self.from_device.bytes {
            device.set_input(self.from_device.first_bit + 8 * n as u32, 8, 0);
        }
        self.drive(device);
    }

    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, _trigger: Trigger) {
        let frame = &mut self.frame[..self.to_device.bytes];
        // Without outputs nothing comes; the watchdog notices.
        if device.drives_outputs() {
            for (n, byte) in (0..).zip(frame.iter_mut()) {
                *byte = device.output(self.to_device.first_bit + 8 * n, 8) as u8;
            }
        }
        let mut inputs = [0; DATA_BYTES_MAX];
        for bit in &self.inputs {
            let level = device.input(bit.field, 1) as u8;
            inputs[(bit.of_data / 8) as usize] |= level << (bit.of_data % 8);
        }
        let inputs = &inputs[..self.from_device.data_bytes];
        let mut reply = [0; FRAME_BYTES_MAX];
        let reply = &mut reply[..self.from_device.bytes];
        if self.connection.exchange(frame, Some(inputs), now_ns, reply) {
            for (n, byte) in (0..).zip(reply) {
                device.set_input(self.from_device.first_bit + 8 * n, 8, u64::from(*byte));
            }
            self.drive(device);
        }
    }
}

impl Safety {
    /// Safe outputs are off in every state but Data.
    fn drive(&self, device: &mut ProgramIo<'_>) {
        let data = self.connection.outputs();
        for bit in &self.outputs {
            let byte = data.and_then(|data| data.get((bit.of_data / 8) as usize)).copied();
            let level = byte.unwrap_or(0) >> (bit.of_data % 8) & 1;
            device.set_input(bit.field, 1, level.into());
        }
        let state = match self.connection.state() {
            State::Reset => 0,
            State::Session => 1,
            State::Connection => 2,
            State::Parameter => 3,
            State::Data => 4,
        };
        for (cell, value) in self.diagnosis.iter().zip([state, self.connection.error().into()]) {
            if let Some(cell) = cell {
                device.set(*cell, value);
            }
        }
    }
}
