//! What an engine keeps of its segment for as long as it lives: names and places. SII images and PDO entries, a
//! hundred times that, belong to whoever takes the bring-up, and go with it.

use std::ops::Range;

use crate::layout::ProcessLayout;
use crate::network::Network;

/// The SubDevices by their positions, and the sizes of the process image.
#[derive(Clone, Debug, Default)]
pub struct Plant {
    /// One entry a SubDevice; the index is the position.
    pub devices: Box<[PlantDevice]>,
    /// Bytes of the input image.
    pub input_bytes: usize,
    /// Bytes of the output image.
    pub output_bytes: usize,
    /// Process-data datagrams of a cycle.
    pub datagram_count: usize,
}

/// One SubDevice.
#[derive(Clone, Debug, Default)]
pub struct PlantDevice {
    /// Order text of the SII; may be empty.
    pub name: Box<str>,
    /// Its bytes of the input image.
    pub inputs: Range<usize>,
    /// Its bytes of the output image.
    pub outputs: Range<usize>,
}

impl Plant {
    /// Takes from a bring-up what is kept.
    #[must_use]
    pub fn of(network: &Network, layout: &ProcessLayout) -> Self {
        let devices = network.sub_devices.iter().zip(&layout.devices);
        let devices = devices.map(|(found, placed)| PlantDevice {
            name: found.name.as_str().into(),
            inputs: placed.inputs.clone(),
            outputs: placed.outputs.clone(),
        });
        Self {
            devices: devices.collect(),
            input_bytes: layout.input_bytes,
            output_bytes: layout.output_bytes,
            datagram_count: layout.datagrams.len(),
        }
    }
}
