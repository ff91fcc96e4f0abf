//! Where the sections stand whose sizes depend on the segment.

use super::layout::{
    DYNAMIC_OFFSET, LANE_BUFFERS, LANE_STRIDE_BYTES, LOG_RECORDS_OFFSET, LaneBufferHeader,
    PARTITIONS_MAX, RECEIPTS_STRIDE_BYTES, RECORD_BYTES, SlotHeader, next_line,
};
use crate::error::{EngineError, ErrorCode};

/// Lanes of a MainDevice where nothing else is asked for.
pub const DEFAULT_LANE_COUNT: u32 = 4;
/// Records of a partition's change log where nothing else is asked for: 1 MiB.
pub const DEFAULT_LOG_RECORDS: u32 = 1 << 16;
/// What the input ring covers where nothing else is asked for: a garbage collection and more.
pub const DEFAULT_HISTORY_NS: u64 = 32_000_000;

const MAX_IMAGE_BYTES: u32 = 1 << 24;
const MAX_SUB_DEVICES: u32 = 1 << 16;
const MAX_DATAGRAMS: u32 = 1 << 14;
const MAX_SLOTS: u32 = 1 << 20;
const MAX_LOG_RECORDS: u32 = 1 << 24;
const MAX_LANES: u32 = 64;

/// The numbers that everything else follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// Bytes of the input image.
    pub input_bytes: u32,
    /// Bytes of the output image.
    pub output_bytes: u32,
    /// SubDevices of the segment.
    pub sub_device_count: u32,
    /// Process-data datagrams of a cycle.
    pub datagram_count: u32,
    /// Slots of the input ring: a power of two, at least 2.
    pub slot_count: u32,
    /// Records of each partition's change log: a power of two, at least 64.
    pub log_records: u32,
    /// Partitions, 1 to 8: change logs with a publisher each.
    pub partition_count: u32,
    /// Output lanes, 1 to 64.
    pub lane_count: u32,
    /// Period of the cycle.
    pub cycle_period_ns: u32,
    /// Number of the first cycle: 0, but for tests of the wrap.
    pub first_cycle: u32,
}

impl Default for Dimensions {
    /// An empty image with the defaults of everything that is not the segment's.
    fn default() -> Self {
        Self {
            input_bytes: 0,
            output_bytes: 0,
            sub_device_count: 0,
            datagram_count: 0,
            slot_count: default_slot_count(1_000_000),
            log_records: DEFAULT_LOG_RECORDS,
            partition_count: 1,
            lane_count: DEFAULT_LANE_COUNT,
            cycle_period_ns: 1_000_000,
            first_cycle: 0,
        }
    }
}

/// Slots of a ring that covers [`DEFAULT_HISTORY_NS`]: a power of two, at least 8.
#[must_use]
pub fn default_slot_count(cycle_period_ns: u32) -> u32 {
    let slots = DEFAULT_HISTORY_NS.div_ceil(u64::from(cycle_period_ns.max(1))).max(8);
    u32::try_from(slots.next_power_of_two()).unwrap_or(MAX_SLOTS).min(MAX_SLOTS)
}

/// Byte offsets and distances, computed from [`Dimensions`]. All but those within a slot are
/// multiples of 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// What this was computed from.
    pub dimensions: Dimensions,
    /// Quality bytes, from the start of a slot.
    pub slot_quality_offset: usize,
    /// Working counters, from the start of a slot.
    pub slot_working_counters_offset: usize,
    /// Inputs, from the start of a slot.
    pub slot_inputs_offset: usize,
    /// Outputs as sent, from the start of a slot.
    pub slot_outputs_offset: usize,
    /// Bytes of a slot that are in use, a multiple of 8.
    pub slot_bytes: usize,
    /// Distance of two slots.
    pub slot_stride_bytes: usize,
    /// Lines of lane 0.
    pub lanes_offset: usize,
    /// First buffer of lane 0.
    pub lane_buffers_offset: usize,
    /// Distance of two lane buffers.
    pub lane_buffer_stride_bytes: usize,
    /// Receipts of lane 0.
    pub receipts_offset: usize,
    /// First slot.
    pub ring_offset: usize,
    /// Change log of partition 0.
    pub log_offset: usize,
    /// Distance of two partitions' change logs.
    pub log_stride_bytes: usize,
    /// Everything.
    pub total_bytes: usize,
}

impl Geometry {
    /// Computes every offset.
    ///
    /// # Errors
    /// [`ErrorCode::LayoutInvalid`] where a number is out of range, or everything together does not
    /// stay below 2³¹ bytes (so that every offset is a small integer in JavaScript).
    pub fn new(dimensions: &Dimensions) -> Result<Self, EngineError> {
        let d = *dimensions;
        within("input_bytes", d.input_bytes, 0, MAX_IMAGE_BYTES)?;
        within("output_bytes", d.output_bytes, 0, MAX_IMAGE_BYTES)?;
        within("sub_device_count", d.sub_device_count, 0, MAX_SUB_DEVICES)?;
        within("datagram_count", d.datagram_count, 0, MAX_DATAGRAMS)?;
        within("lane_count", d.lane_count, 1, MAX_LANES)?;
        within("slot_count", d.slot_count, 2, MAX_SLOTS)?;
        within("log_records", d.log_records, 64, MAX_LOG_RECORDS)?;
        within("partition_count", d.partition_count, 1, PARTITIONS_MAX as u32)?;
        power_of_two("slot_count", d.slot_count)?;
        power_of_two("log_records", d.log_records)?;

        let slot_quality_offset = SlotHeader::SECTION.size;
        let slot_working_counters_offset =
            next_word(slot_quality_offset + d.sub_device_count as usize);
        let slot_inputs_offset =
            next_word(slot_working_counters_offset + 2 * d.datagram_count as usize);
        let slot_outputs_offset = next_word(slot_inputs_offset + d.input_bytes as usize);
        let slot_bytes = next_word(slot_outputs_offset + d.output_bytes as usize);
        let slot_stride_bytes = next_line(slot_bytes);
        let lane_buffer_stride_bytes =
            next_line(LaneBufferHeader::SECTION.size + d.output_bytes as usize);

        let lanes = d.lane_count as usize;
        let lanes_offset = DYNAMIC_OFFSET;
        let lane_buffers_offset = lanes_offset + lanes * LANE_STRIDE_BYTES;
        let receipts_offset = lane_buffers_offset + lanes * LANE_BUFFERS * lane_buffer_stride_bytes;
        let ring_offset = receipts_offset + lanes * RECEIPTS_STRIDE_BYTES;
        let log_offset = ring_offset + d.slot_count as usize * slot_stride_bytes;
        let log_stride_bytes =
            next_line(LOG_RECORDS_OFFSET + d.log_records as usize * RECORD_BYTES);
        let total_bytes = log_offset + d.partition_count as usize * log_stride_bytes;
        if total_bytes >= 1 << 31 {
            return Err(EngineError::new(
                ErrorCode::LayoutInvalid,
                format!("the shared memory would take {total_bytes} bytes, 2 GiB or more"),
            ));
        }
        Ok(Self {
            dimensions: d,
            slot_quality_offset,
            slot_working_counters_offset,
            slot_inputs_offset,
            slot_outputs_offset,
            slot_bytes,
            slot_stride_bytes,
            lanes_offset,
            lane_buffers_offset,
            lane_buffer_stride_bytes,
            receipts_offset,
            ring_offset,
            log_offset,
            log_stride_bytes,
            total_bytes,
        })
    }
}

/// Bytes that JavaScript has to allocate; 0 where the dimensions are not valid
/// ([`Geometry::new`] says why).
#[must_use]
pub fn required_bytes(dimensions: &Dimensions) -> usize {
    Geometry::new(dimensions).map_or(0, |geometry| geometry.total_bytes)
}

const fn next_word(offset: usize) -> usize {
    offset.next_multiple_of(8)
}

fn within(name: &str, value: u32, least: u32, most: u32) -> Result<(), EngineError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(EngineError::new(
        ErrorCode::LayoutInvalid,
        format!("{name} is {value}, and must be from {least} to {most}"),
    ))
}

fn power_of_two(name: &str, value: u32) -> Result<(), EngineError> {
    if value.is_power_of_two() {
        return Ok(());
    }
    Err(EngineError::new(
        ErrorCode::LayoutInvalid,
        format!("{name} is {value}, and must be a power of two"),
    ))
}
