//! The process image that PDO assignment and mapping make, where the program has objects for them, or the telegrams
//! of its drives: which of the device's values stand where, and how long its SyncManagers then are.

use ecat_wire::mailbox::soe::Idn;

use super::profile::{Application, Direction, Point, ProcessArea, Role};
use super::{Esc, RAM};
use crate::mailbox::object_dictionary::{Entry, ObjectDictionary};
use crate::mailbox::pdo::{self, Mapped};
use crate::mailbox::{Drive, soe};

/// AL status code: no valid input mapping.
const INVALID_INPUT_MAPPING: u16 = 0x0024;
/// AL status code: no valid output mapping.
const INVALID_OUTPUT_MAPPING: u16 = 0x0025;
/// A three-buffer SyncManager takes this many times its length.
const BUFFERS: usize = 3;

/// Bits of the image that are bits of the device's values.
#[derive(Clone, Copy, Debug)]
struct Piece {
    image_bit: u32,
    value_bit: u32,
    bits: u32,
}

/// Where values stand in the image; what no piece covers is a gap.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    inputs: Vec<Piece>,
    outputs: Vec<Piece>,
}

impl Image {
    /// The bit of the output image that is this bit of the device's outputs.
    pub(super) fn output_bit(&self, value_bit: u32) -> Option<u32> {
        let piece = self
            .outputs
            .iter()
            .find(|piece| (piece.value_bit..piece.value_bit + piece.bits).contains(&value_bit))?;
        Some(piece.image_bit + value_bit - piece.value_bit)
    }
}

/// The levels at the inputs before anything moves them: the values that the objects have.
pub(super) fn levels(application: &Application) -> Vec<u8> {
    let areas: u32 = application.inputs.iter().map(|area| u32::from(area.bytes) * 8).sum();
    let inputs = || application.points.iter().filter(|p| p.direction == Direction::Input);
    let points = inputs().map(|point| point.bit_offset + u32::from(point.bit_length)).max();
    let mut levels = vec![0; points.unwrap_or(0).max(areas).div_ceil(8) as usize];
    let Some(mailbox) = &application.mailbox else { return levels };
    for point in inputs() {
        let parameter = mailbox.drives.get(usize::from(point.subindex));
        let parameter = parameter.and_then(|drive| drive.parameters.get(&Idn(point.index)));
        let entry = || carried_object(mailbox.dictionary.as_ref()?, point);
        let value = match parameter {
            Some(parameter) => &parameter.value.content,
            None => match entry() {
                Some(entry) => &entry.value,
                None => continue,
            },
        };
        for bit in 0..u32::from(point.bit_length) {
            let byte = value.get((bit / 8) as usize).copied().unwrap_or(0);
            let at = point.bit_offset + bit;
            levels[(at / 8) as usize] |= (byte >> (bit % 8) & 1) << (at % 8);
        }
    }
    levels
}

/// The object that process data are the value of. Some devices map the mapping itself (0x1600:1 in 0x1600): its value
/// stays what is mapped.
fn carried_object<'a>(dictionary: &'a ObjectDictionary, point: &Point) -> Option<&'a Entry> {
    let entry = dictionary.entry(point.index, point.subindex);
    entry.filter(|_| !pdo::is_pdo_object(point.index))
}

/// What the telegrams of all drives carry, one drive behind the other. A drive is a subindex of its IDNs.
fn telegrams(drives: &[Drive], output: bool) -> Result<Vec<Mapped>, pdo::Unmappable> {
    let (mut mapped, mut bit_offset) = (Vec::new(), 0);
    for (subindex, drive) in (0..).zip(drives) {
        for (idn, bytes) in soe::mapping_of(drive, output).map_err(|_| pdo::Unmappable)? {
            let bit_length = u8::try_from(bytes * 8).map_err(|_| pdo::Unmappable)?;
            mapped.push(Mapped { index: idn.0, subindex, bit_offset, bit_length });
            bit_offset += u32::from(bit_length);
        }
    }
    Ok(mapped)
}

impl Esc {
    /// Makes the image anew on the way to SAFE-OP, from the objects as they are.
    ///
    /// # Errors
    /// The AL status code, if what is assigned does not exist or fit the memory.
    pub(super) fn generate_mapping(&mut self) -> Result<(), u16> {
        let Some(mailbox) = &self.mailbox else { return Ok(()) };
        if let Some(missing) = mailbox.misses_pdo() {
            return Err(if pdo::is_tx_pdo(missing) {
                INVALID_INPUT_MAPPING
            } else {
                INVALID_OUTPUT_MAPPING
            });
        }
        let (dictionary, drives) = (mailbox.dictionary(), mailbox.drives());
        let mut image = Image::default();
        let mut expected = self.profile.application.sync_managers.clone();
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let starts: Vec<usize> = expected.iter().map(|sm| usize::from(sm.start)).collect();
        for sm in &mut expected {
            let (pieces, areas, direction, code) = match sm.role {
                Role::Inputs => {
                    (&mut image.inputs, &mut inputs, Direction::Input, INVALID_INPUT_MAPPING)
                }
                Role::Outputs => {
                    (&mut image.outputs, &mut outputs, Direction::Output, INVALID_OUTPUT_MAPPING)
                }
                Role::MailboxOut | Role::MailboxIn => continue,
            };
            let mapped = match dictionary {
                _ if drives.iter().any(soe::has_telegrams) => {
                    Some(telegrams(drives, sm.role == Role::Outputs).map_err(|_| code)?)
                }
                Some(dictionary) => pdo::image(dictionary, sm.number).map_err(|_| code)?,
                None => None,
            };
            let Some(mapped) = mapped else {
                // Without objects for them, the PDOs are what they are.
                return Ok(());
            };
            let bits = mapped.last().map_or(0, |m| m.bit_offset + u32::from(m.bit_length));
            let bytes = bits.div_ceil(8) as usize;
            let start = usize::from(sm.start);
            let ram_end = RAM + usize::from(self.profile.ram_kb) * 1024;
            let next = starts.iter().copied().filter(|other| *other > start).min();
            if bytes > 0 && bytes * BUFFERS > next.unwrap_or(ram_end).saturating_sub(start) {
                return Err(code);
            }
            let first: u32 = areas.iter().map(|area: &ProcessArea| u32::from(area.bytes) * 8).sum();
            for m in &mapped {
                let known = self.profile.application.points.iter().find(|point| {
                    point.direction == direction
                        && (point.index, point.subindex) == (m.index, m.subindex)
                });
                if let (Some(point), true) = (known, m.index != 0) {
                    pieces.push(Piece {
                        image_bit: first + m.bit_offset,
                        value_bit: point.bit_offset,
                        bits: u32::from(m.bit_length.min(point.bit_length)),
                    });
                }
            }
            sm.length = u16::try_from(bytes).map_err(|_| code)?;
            if bytes > 0 {
                areas.push(ProcessArea { start: sm.start, bytes: sm.length });
            }
        }
        let application = &mut self.profile.application;
        (application.sync_managers, application.inputs, application.outputs) =
            (expected, inputs, outputs);
        self.image = Some(image);
        self.find_absent();
        self.show_inputs_anew();
        Ok(())
    }

    /// Writes the device's inputs to where the image has them.
    pub(super) fn show_inputs(&mut self) {
        let Some(image) = self.image.take() else { return };
        for piece in &image.inputs {
            for n in 0..piece.bits {
                let level = self.pin(piece.value_bit + n);
                self.set_image_bit(piece.image_bit + n, level);
            }
        }
        self.image = Some(image);
    }

    /// Writes one byte of the device's inputs to where the image has its bits.
    pub(super) fn show_input_byte(&mut self, n: u32) {
        let Some(image) = self.image.take() else { return };
        let (first, end) = (8 * n, 8 * n + 8);
        for piece in &image.inputs {
            let from = piece.value_bit.max(first);
            let to = (piece.value_bit + piece.bits).min(end);
            let image_bit = piece.image_bit + from.saturating_sub(piece.value_bit);
            let whole = (from, to) == (first, end) && image_bit.is_multiple_of(8);
            if whole && !self.absent.has_inputs() {
                // A whole byte, as most values are made of.
                let areas = &self.profile.application.inputs;
                let byte = self.pins.get(n as usize).copied().unwrap_or(0);
                if let Some(address) = super::process_data::byte_address(areas, image_bit / 8) {
                    self.set_device_input(address, byte);
                }
                continue;
            }
            for bit in from..to {
                let level = self.pin(bit);
                self.set_image_bit(piece.image_bit + bit - piece.value_bit, level);
            }
        }
        self.image = Some(image);
    }

    /// Whether the image of the outputs has one value twice.
    pub(super) fn maps_twice(&self) -> bool {
        self.image.as_ref().is_some_and(|Image { outputs, .. }| {
            outputs.iter().enumerate().any(|(n, piece)| {
                outputs[..n].iter().any(|other| other.value_bit == piece.value_bit)
            })
        })
    }

    /// The level at an input; 0 at one of a module that is not there.
    fn pin(&self, bit: u32) -> bool {
        let pin = self.pins.get((bit / 8) as usize).copied().unwrap_or(0);
        pin >> (bit % 8) & 1 != 0 && !self.absent.has_input(bit)
    }

    fn set_image_bit(&mut self, bit: u32, level: bool) {
        let areas = &self.profile.application.inputs;
        if let Some(address) = super::process_data::byte_address(areas, bit / 8) {
            let mask = 1 << (bit % 8);
            let byte = self.device_input(address) & !mask;
            self.set_device_input(address, if level { byte | mask } else { byte });
        }
    }

    /// Gives objects that are process data the values that they have there, for an upload to see.
    pub(super) fn refresh_objects(&mut self) {
        self.refresh_sync_objects();
        self.find_absent();
        let driven = self.al_state() == super::al::OP;
        for n in 0..self.profile.application.points.len() {
            let point = self.profile.application.points[n];
            if pdo::is_pdo_object(point.index) {
                continue;
            }
            let mut value = vec![0; usize::from(point.bit_length).div_ceil(8)];
            for bit in 0..u32::from(point.bit_length) {
                let at = point.bit_offset + bit;
                let level = match point.direction {
                    Direction::Input => self.pin(at),
                    Direction::Output if driven => self.output(at, 1) != 0,
                    Direction::Output => continue,
                };
                value[(bit / 8) as usize] |= u8::from(level) << (bit % 8);
            }
            if point.direction == Direction::Output && (!driven || !self.is_mapped(&point)) {
                continue;
            }
            let Some(mailbox) = &mut self.mailbox else { return };
            if let Some(parameter) = mailbox
                .drives_mut()
                .get_mut(usize::from(point.subindex))
                .and_then(|drive| drive.parameters.get_mut(&Idn(point.index)))
            {
                parameter.value.content = value;
            } else if let Some(entry) = mailbox
                .dictionary_mut()
                .and_then(|objects| objects.entry_mut(point.index, point.subindex))
            {
                entry.value = value;
            }
        }
    }

    /// The objects of the program.
    pub(crate) fn objects(&self) -> Option<&ObjectDictionary> {
        self.mailbox.as_ref()?.dictionary()
    }

    /// The objects of the program.
    pub(crate) fn objects_mut(&mut self) -> Option<&mut ObjectDictionary> {
        self.mailbox.as_mut()?.dictionary_mut()
    }

    fn is_mapped(&self, point: &Point) -> bool {
        self.carries_output(point.bit_offset)
    }

    /// Whether a PDO carries this bit of the device's outputs.
    pub(crate) fn carries_output(&self, value_bit: u32) -> bool {
        self.image.as_ref().is_none_or(|image| image.output_bit(value_bit).is_some())
    }
}
