//! Requests from outside, as a segment serves them. Nothing here allocates or frees: buffers come with the request.

use std::mem;

use ecat_wire::register as reg;

use super::Segment;
use crate::device::Device;
use crate::devices::ChannelType;
use crate::esc::{Direction, Point};
use crate::request::{DeviceState, Number, Outcome, Refusal, Request, Subject, Watch};

/// Data types that are no numbers (ETG1000.6: VISIBLE_STRING, OCTET_STRING, UNICODE_STRING, DOMAIN).
const STRINGS: [u16; 4] = [0x0009, 0x000A, 0x000B, 0x000F];

impl Segment {
    /// Serves a request that concerns the segment alone.
    pub(crate) fn answer(
        &mut self,
        request: &mut Request,
        now_ns: u64,
    ) -> Result<Outcome, Refusal> {
        match request {
            Request::Command { command } => {
                self.apply(*command, now_ns);
                Ok(Outcome::Done)
            }
            Request::Read { device, subject, into } => {
                into.clear();
                if let Subject::Object { index, subindex, r#type } = *subject {
                    return object(self.device(*device)?, index, subindex, r#type, Some(into));
                }
                let number = self.reading(*device, *subject).ok_or(Refusal::NoDevice)?;
                let bits = match *subject {
                    Subject::Input { bit_length, .. } | Subject::Output { bit_length, .. } => {
                        bit_length.into()
                    }
                    Subject::Register { bytes, .. } => u16::from(bytes) * 8,
                    _ => 16,
                };
                Ok(Outcome::Number(number, 0, bits))
            }
            Request::Write { device, index, subindex, value, bytes } => {
                let device = self.device_mut(*device)?;
                write(device, *index, *subindex, *value, bytes).map(|()| Outcome::Done)
            }
            Request::ReadFile { device, name, into } => {
                let content = self.device(*device)?.esc.file(name).ok_or(Refusal::NoFile)?;
                fill(into, content).map(|()| Outcome::Bytes(0))
            }
            Request::WriteFile { device, name, content } => {
                let file = self.device_mut(*device)?.esc.file_mut(name).ok_or(Refusal::NoFile)?;
                mem::swap(file, content);
                Ok(Outcome::Done)
            }
            Request::ReadMemory { device, address, length, into } => {
                let esc = &self.device(*device)?.esc;
                into.clear();
                if into.capacity() < usize::from(*length) {
                    return Err(Refusal::Room { bytes: usize::from(*length) });
                }
                into.extend((0..*length).map(|n| esc.peek(address.saturating_add(n))));
                Ok(Outcome::Bytes(0))
            }
            Request::State { device } => self.state_of(*device).map(Outcome::State),
            Request::Watch(_) | Request::Unwatch { .. } | Request::Advance { .. } => {
                Ok(Outcome::Done)
            }
        }
    }

    /// A number of a device, as it is now; `None` where it is not there or no number.
    pub(crate) fn reading(&self, device: u16, subject: Subject) -> Option<Number> {
        let esc = &self.devices.get(usize::from(device))?.esc;
        match subject {
            Subject::Input { bit_offset, bit_length, r#type } => {
                Some(number(esc.input(bit_offset, bit_length), bit_length, r#type))
            }
            Subject::Output { bit_offset, bit_length, r#type } => {
                Some(number(esc.output(bit_offset, bit_length), bit_length, r#type))
            }
            Subject::Object { index, subindex, r#type } => {
                let device = self.devices.get(usize::from(device))?;
                match object(device, index, subindex, r#type, None) {
                    Ok(Outcome::Number(number, ..)) => Some(number),
                    _ => None,
                }
            }
            Subject::AlState if !self.topology.is_powered(device) => Some(Number::Integer(0)),
            Subject::AlState => Some(Number::Integer(esc.state().into())),
            Subject::AlStatusCode => {
                Some(Number::Integer(word(|at| esc.peek(at), reg::AL_STATUS_CODE).into()))
            }
            Subject::Register { address, bytes } => {
                let byte = |n: u8| u64::from(esc.peek(address.saturating_add(n.into())));
                let all = (0..bytes.min(8)).fold(0, |all, n| all | byte(n) << (8 * n));
                Some(Number::Integer(all.into()))
            }
        }
    }

    /// Whether the conditions of a watch hold; takes note of the values.
    pub(crate) fn holds(&self, watch: &mut Watch) -> bool {
        let mut holding = 0;
        for term in &mut watch.terms {
            let value = self.reading(term.device, term.subject);
            holding += usize::from(term.holds(value));
        }
        holding == watch.terms.len() || watch.any && holding > 0
    }

    fn state_of(&self, number: u16) -> Result<DeviceState, Refusal> {
        let esc = &self.device(number)?.esc;
        let peek = |address| esc.peek(address);
        let reached = &self.line.present[..self.line.reached];
        Ok(DeviceState {
            powered: self.topology.is_powered(number),
            reached: reached.contains(&number),
            al_status: word(peek, reg::AL_STATUS),
            al_status_code: word(peek, reg::AL_STATUS_CODE),
            station_address: word(peek, reg::STATION_ADDRESS),
        })
    }

    fn device(&self, device: u16) -> Result<&Device, Refusal> {
        self.devices.get(usize::from(device)).ok_or(Refusal::NoDevice)
    }

    fn device_mut(&mut self, device: u16) -> Result<&mut Device, Refusal> {
        self.devices.get_mut(usize::from(device)).ok_or(Refusal::NoDevice)
    }
}

fn word(peek: impl Fn(u16) -> u8, register: u16) -> u16 {
    u16::from_le_bytes([peek(register), peek(register + 1)])
}

fn fill(into: &mut Vec<u8>, content: &[u8]) -> Result<(), Refusal> {
    into.clear();
    if into.capacity() < content.len() {
        return Err(Refusal::Room { bytes: content.len() });
    }
    into.extend_from_slice(content);
    Ok(())
}

fn point(device: &Device, direction: Direction, index: u16, subindex: u8) -> Option<Point> {
    let points = &device.esc.profile().application.points;
    let is_it = |point: &&Point| {
        point.direction == direction && (point.index, point.subindex) == (index, subindex)
    };
    points.iter().find(is_it).copied()
}

/// Reads an object as a program sees it ([`crate::ProgramIo::get`]): of process data the value that is there.
fn object(
    device: &Device,
    index: u16,
    subindex: u8,
    hint: ChannelType,
    into: Option<&mut Vec<u8>>,
) -> Result<Outcome, Refusal> {
    let esc = &device.esc;
    let entry = esc.objects().and_then(|objects| objects.entry(index, subindex));
    let output = point(device, Direction::Output, index, subindex);
    let input = point(device, Direction::Input, index, subindex);
    let driven = output.filter(|point| {
        entry.is_none() || esc.drives_outputs() && esc.carries_output(point.bit_offset)
    });
    let data_type = entry.map_or(0, |entry| entry.data_type);
    let bits = match (driven, input) {
        (Some(at), _) if at.bit_length <= 64 => {
            Some((esc.output(at.bit_offset, at.bit_length), at.bit_length))
        }
        (None, Some(at)) if at.bit_length <= 64 => {
            Some((esc.input(at.bit_offset, at.bit_length), at.bit_length))
        }
        _ => None,
    };
    if let Some((bits, length)) = bits {
        let r#type = entry.map_or(hint, |entry| channel_type(entry.data_type, length.into()));
        return Ok(Outcome::Number(number(bits, length, r#type), data_type, length.into()));
    }
    let entry = entry.ok_or(Refusal::NoObject)?;
    if is_number(data_type, entry.bit_length) {
        let mut bytes = [0; 8];
        let length = entry.value.len().min(8);
        bytes[..length].copy_from_slice(&entry.value[..length]);
        let length = u8::try_from(entry.bit_length).unwrap_or(64);
        let r#type = channel_type(data_type, entry.bit_length);
        let number = number(u64::from_le_bytes(bytes), length, r#type);
        return Ok(Outcome::Number(number, data_type, length.into()));
    }
    if let Some(into) = into {
        fill(into, &entry.value)?;
    }
    Ok(Outcome::Bytes(data_type))
}

/// Gives an object a value as its program would. Of inputs, that is what the next frame finds.
fn write(
    device: &mut Device,
    index: u16,
    subindex: u8,
    value: Option<Number>,
    bytes: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let input = point(device, Direction::Input, index, subindex);
    let entry = device.esc.objects().and_then(|objects| objects.entry(index, subindex));
    let (data_type, bit_length) = match (entry, input) {
        (Some(entry), _) => (entry.data_type, entry.bit_length),
        (None, Some(at)) => (0, at.bit_length.into()),
        (None, None) => return Err(Refusal::NoObject),
    };
    let in_dictionary = entry.is_some();
    let Some(value) = value else {
        let most = (bit_length as usize).div_ceil(8);
        let fits = if is_string(data_type) { bytes.len() <= most } else { bytes.len() == most };
        if !fits {
            return Err(Refusal::Length { bytes: most });
        }
        if let Some(at) = input.filter(|_| bytes.len() <= 8) {
            let mut all = [0; 8];
            all[..bytes.len()].copy_from_slice(bytes);
            device.esc.set_input(at.bit_offset, at.bit_length, u64::from_le_bytes(all));
        }
        if in_dictionary && let Some(objects) = device.esc.objects_mut() {
            objects.writes += 1;
            if let Some(entry) = objects.entry_mut(index, subindex) {
                mem::swap(&mut entry.value, bytes);
            }
        }
        return Ok(());
    };
    if in_dictionary && !is_number(data_type, bit_length) {
        return Err(Refusal::NotBytes);
    }
    let bits = encoded(value, data_type, bit_length, !in_dictionary)?;
    if let Some(at) = input {
        device.esc.set_input(at.bit_offset, at.bit_length, bits);
    }
    if in_dictionary && let Some(objects) = device.esc.objects_mut() {
        objects.writes += 1;
        objects.set_integer(index, subindex, bits.cast_signed());
    }
    Ok(())
}

/// The bits of a number of a type. Without one, everything that the bits can hold goes.
fn encoded(value: Number, data_type: u16, bit_length: u32, untyped: bool) -> Result<u64, Refusal> {
    let r#type = channel_type(data_type, bit_length);
    #[expect(clippy::cast_precision_loss, reason = "the object is a real")]
    let real = match value {
        Number::Integer(value) => value as f64,
        Number::Real(value) => value,
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the object has no more; checked to be whole"
    )]
    let whole = match (r#type, value) {
        (ChannelType::Real32, _) => return Ok(u64::from((real as f32).to_bits())),
        (ChannelType::Real64, _) => return Ok(real.to_bits()),
        (_, Number::Integer(value)) => value,
        (_, Number::Real(value)) if value.fract() == 0.0 => value as i128,
        (_, Number::Real(_)) => return Err(Refusal::NotWhole),
    };
    let bits = bit_length.clamp(1, 64);
    let least = if untyped || r#type == ChannelType::Signed { -(1 << (bits - 1)) } else { 0 };
    let most =
        if r#type == ChannelType::Signed { (1 << (bits - 1)) - 1 } else { (1_i128 << bits) - 1 };
    if !(least..=most).contains(&whole) {
        return Err(Refusal::Range { least, most });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 64 bits")]
    Ok(whole as u64)
}

fn is_string(data_type: u16) -> bool {
    STRINGS.contains(&data_type)
}

fn is_number(data_type: u16, bit_length: u32) -> bool {
    bit_length <= 64 && !is_string(data_type)
}

fn channel_type(data_type: u16, bit_length: u32) -> ChannelType {
    let bits = u8::try_from(bit_length).unwrap_or(u8::MAX);
    ChannelType::by(u8::try_from(data_type).unwrap_or(0), bits)
}

fn number(bits: u64, length: u8, r#type: ChannelType) -> Number {
    let unused = 64 - u32::from(length.clamp(1, 64));
    match r#type {
        ChannelType::Unsigned => Number::Integer(bits.into()),
        ChannelType::Signed => Number::Integer(((bits << unused).cast_signed() >> unused).into()),
        #[expect(clippy::cast_possible_truncation, reason = "it has 32 bits")]
        ChannelType::Real32 => Number::Real(f32::from_bits(bits as u32).into()),
        ChannelType::Real64 => Number::Real(f64::from_bits(bits)),
    }
}
