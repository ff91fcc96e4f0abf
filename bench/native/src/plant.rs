//! The simulated segments that are measured with.

use ecat_engine::engine::LinkOpener;
use ecat_engine::error::{EngineError, ErrorCode};
use ecat_engine::link::packet::PacketLink;
use ecat_engine::link::sys;
use ecat_simulator::description::{
    DeviceDescription, DeviceType, Direction, EntryDescription, EscDescription, PdoDescription,
};
use ecat_simulator::{Segment, SegmentDescription, SegmentLink};
use ecat_wire::Link;

use crate::Outcome;

/// How long a carrier is waited for, and how often it is looked for.
const CARRIER_NS: u64 = 5_000_000_000;
const LOOK_NS: u64 = 10_000_000;

/// Register 0x0007: two ports of E-bus.
const EBUS_PORTS: u8 = 0x0A;

/// Devices on one line of E-bus whose process data are `bytes` altogether: each has as many outputs as inputs,
/// the first ones one more where it does not divide.
pub fn describe(devices: usize, bytes: usize) -> SegmentDescription {
    let device = |n: usize| {
        let share = bytes / devices + usize::from(n < bytes % devices);
        let outputs = share / 2;
        let pdos =
            [(Direction::Output, 0x1600, outputs), (Direction::Input, 0x1A00, share - outputs)]
                .into_iter()
                .filter(|&(_, _, bytes)| bytes > 0)
                .map(|(direction, index, bytes)| pdo(direction, index, bytes))
                .collect();
        DeviceDescription {
            name: Some(format!("device {n}")),
            r#type: Some(DeviceType::Generic),
            esc: Some(EscDescription {
                port_descriptor: Some(EBUS_PORTS),
                ..EscDescription::default()
            }),
            pdos: Some(pdos),
            ..DeviceDescription::default()
        }
    };
    SegmentDescription {
        devices: (0..devices).map(device).collect(),
        ..SegmentDescription::default()
    }
}

fn pdo(direction: Direction, index: u16, bytes: usize) -> PdoDescription {
    // Objects of outputs and of inputs stand apart, as in the modular device profile (ETG.5001).
    let object = if direction == Direction::Output { 0x7000 } else { 0x6000 };
    let entry = |(n, bits)| EntryDescription {
        index: object,
        subindex: n,
        name: String::new(),
        bits,
        data_type: None,
    };
    let bits = std::iter::repeat_n(64, bytes / 8).chain(std::iter::repeat_n(8, bytes % 8));
    PdoDescription {
        direction,
        index,
        name: String::new(),
        assigned: None,
        fixed: None,
        entries: (1..).zip(bits).map(entry).collect(),
    }
}

/// A described segment behind a link of this process.
pub fn link(description: &SegmentDescription) -> Outcome<SegmentLink> {
    let segment = Segment::new(description).map_err(|error| error.to_string())?;
    Ok(SegmentLink::new(segment).0)
}

/// Makes that link on an engine's thread.
pub fn opener(description: SegmentDescription) -> LinkOpener {
    Box::new(move || boxed(link(&description)))
}

/// Opens that interface on an engine's thread.
pub fn interface_opener(name: String) -> LinkOpener {
    Box::new(move || boxed(interface(&name)))
}

fn boxed<L: Link + 'static>(link: Outcome<L>) -> Result<Box<dyn Link>, EngineError> {
    match link {
        Ok(link) => Ok(Box::new(link)),
        Err(message) => Err(EngineError::new(ErrorCode::InvalidArgument, message)),
    }
}

/// The link on an interface that was made a moment ago: the kernel notices its carrier within a second.
pub fn interface(name: &str) -> Outcome<PacketLink> {
    let give_up_ns = sys::monotonic_ns() + CARRIER_NS;
    loop {
        match PacketLink::open(name) {
            Ok(link) => return Ok(link),
            Err(error)
                if error.first.code == ErrorCode::LinkDown && sys::monotonic_ns() < give_up_ns =>
            {
                sys::sleep_until(sys::monotonic_ns() + LOOK_NS);
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}
