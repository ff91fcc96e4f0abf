//! What an SII says about process data: where it stands in the ESC, and what its channels are.

use serde::{Deserialize, Serialize};

use ecat_wire::sii::{PdoDirection, PdoEntry, Sii, SiiSyncManager, SyncManagerKind};

use crate::esc::{Direction, ExpectedSyncManager, Point, ProcessArea, Role};

/// One entry of the process data, as signals and wires reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// First bit, counted over the device's areas of this direction in their order.
    pub bit_offset: u32,
    /// Bits.
    pub bit_length: u8,
    /// How its bits are a number.
    pub r#type: ChannelType,
}

/// How the bits of a channel are a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChannelType {
    /// Unsigned, or unknown.
    Unsigned,
    /// Two's complement.
    Signed,
    /// IEEE 754 of 32 bits.
    Real32,
    /// IEEE 754 of 64 bits.
    Real64,
}

impl ChannelType {
    /// By the data type of an SII entry (ETG1000.6, basic data types).
    pub(crate) const fn by(data_type: u8, bit_length: u8) -> Self {
        match (data_type, bit_length) {
            (0x02..=0x04 | 0x10 | 0x12..=0x15, _) => Self::Signed,
            (0x08, 32) => Self::Real32,
            (0x11, 64) => Self::Real64,
            _ => Self::Unsigned,
        }
    }
}

#[derive(Default)]
pub(super) struct ProcessData {
    pub(super) points: Vec<Point>,
    pub(super) sync_managers: Vec<ExpectedSyncManager>,
    pub(super) input_areas: Vec<ProcessArea>,
    pub(super) output_areas: Vec<ProcessArea>,
    pub(super) inputs: Vec<Channel>,
    pub(super) outputs: Vec<Channel>,
}

impl ProcessData {
    /// Makes values (0x60n0:11) the only channels among the inputs.
    pub(super) fn keep_values(&mut self) {
        const VALUE: u8 = 0x11;
        let points = &self.points;
        self.inputs.retain(|channel| {
            points.iter().any(|point| {
                point.direction == Direction::Input
                    && point.subindex == VALUE
                    && point.bit_offset == channel.bit_offset
            })
        });
    }
}

/// Every SyncManager with the PDOs that it carries by default, each beginning at a whole byte.
pub(super) fn of(sii: &Sii) -> ProcessData {
    let mut data = ProcessData::default();
    for (number, sync_manager) in (0..=u8::MAX).zip(&sii.sync_managers) {
        if sync_manager.is_virtual() {
            continue;
        }
        let role = match sync_manager.effective_kind() {
            SyncManagerKind::Unused => continue,
            SyncManagerKind::MailboxOut => Role::MailboxOut,
            SyncManagerKind::MailboxIn => Role::MailboxIn,
            SyncManagerKind::ProcessDataOut => Role::Outputs,
            SyncManagerKind::ProcessDataIn => Role::Inputs,
        };
        let length = match role {
            Role::MailboxOut => mailbox_bytes(sii.mailbox.receive_size, sync_manager),
            Role::MailboxIn => mailbox_bytes(sii.mailbox.send_size, sync_manager),
            Role::Inputs => {
                let start = areas_bits(&data.input_areas);
                area(sii, number, sync_manager, start, Direction::Input, &mut data)
            }
            Role::Outputs => {
                let start = areas_bits(&data.output_areas);
                area(sii, number, sync_manager, start, Direction::Output, &mut data)
            }
        };
        data.sync_managers.push(ExpectedSyncManager {
            number,
            start: sync_manager.start,
            length,
            role,
            op_only: sync_manager.is_op_only(),
        });
    }
    data
}

/// Words 0x19 and 0x1B decide about the size of a mailbox; where they are 0, the category does.
const fn mailbox_bytes(size: u16, sync_manager: &SiiSyncManager) -> u16 {
    if size == 0 { sync_manager.length } else { size }
}

fn areas_bits(areas: &[ProcessArea]) -> u32 {
    areas.iter().map(|area| u32::from(area.bytes) * 8).sum()
}

/// Adds the channels and the area of one SyncManager, and returns its bytes.
fn area(
    sii: &Sii,
    number: u8,
    sync_manager: &SiiSyncManager,
    start_bit: u32,
    direction: Direction,
    data: &mut ProcessData,
) -> u16 {
    let (channels, areas) = match direction {
        Direction::Input => (&mut data.inputs, &mut data.input_areas),
        Direction::Output => (&mut data.outputs, &mut data.output_areas),
    };
    let mut bit_offset = start_bit;
    for pdo in sii.pdos.iter().filter(|pdo| pdo.sync_manager == Some(number)) {
        for entry in &pdo.entries {
            let PdoEntry { index, subindex, bit_length, data_type, .. } = *entry;
            if index != 0 {
                let r#type = ChannelType::by(data_type, bit_length);
                channels.push(Channel { bit_offset, bit_length, r#type });
                data.points.push(Point { direction, index, subindex, bit_offset, bit_length });
            }
            bit_offset += u32::from(bit_length);
        }
    }
    let listed = match direction {
        Direction::Input => PdoDirection::Tx,
        Direction::Output => PdoDirection::Rx,
    };
    // Where the image lists no PDO (they are objects only, or unknown), its SyncManager has their length.
    let bytes = if sii.pdos.iter().any(|pdo| pdo.direction == listed) {
        u16::try_from((bit_offset - start_bit).div_ceil(8)).unwrap_or(u16::MAX)
    } else {
        sync_manager.length
    };
    if bytes > 0 {
        areas.push(ProcessArea { start: sync_manager.start, bytes });
    }
    bytes
}
