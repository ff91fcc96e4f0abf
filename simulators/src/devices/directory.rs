//! What the devices of a segment are called, and what there is to ask of them.

use serde_json::{Value, json};

use super::{Channel, DeviceImage};
use crate::description::{DescriptionError, SegmentDescription};
use crate::esc::Direction;

/// Names, channels and objects of all devices, in the order of their numbers.
///
/// # Errors
/// As [`DeviceImage::all`].
pub fn directory(description: &SegmentDescription) -> Result<Value, DescriptionError> {
    Ok(DeviceImage::all(description)?.iter().map(device).collect())
}

fn device(image: &DeviceImage) -> Value {
    let application = &image.profile.application;
    let channel = |direction| {
        move |channel: &Channel| {
            let mut points = application.points.iter();
            let point = points.find(|point| {
                point.direction == direction && point.bit_offset == channel.bit_offset
            });
            json!({
                "bitOffset": channel.bit_offset, "bitLength": channel.bit_length,
                "type": channel.r#type,
                "index": point.map(|point| point.index),
                "subindex": point.map(|point| point.subindex),
            })
        }
    };
    let mailbox = application.mailbox.as_ref();
    let slots = mailbox.and_then(|mailbox| mailbox.slots.as_ref());
    let kinds = slots.iter().flat_map(|slots| &slots.kinds);
    let files = mailbox.and_then(|mailbox| mailbox.files.as_ref());
    json!({
        "name": image.name,
        "inputs": image.inputs.iter().map(channel(Direction::Input)).collect::<Vec<_>>(),
        "outputs": image.outputs.iter().map(channel(Direction::Output)).collect::<Vec<_>>(),
        "files": files.iter().flat_map(|files| files.iter()).map(|file| &file.name).collect::<Vec<_>>(),
        "slots": slots.map_or(0, |slots| slots.plugged.len()),
        "modules": kinds.map(|kind| json!({ "name": kind.name, "ident": kind.ident })).collect::<Vec<_>>(),
        "hasObjects": mailbox.is_some_and(|mailbox| mailbox.dictionary.is_some()),
    })
}
