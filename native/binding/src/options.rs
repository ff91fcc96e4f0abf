//! What JavaScript chooses of an engine, and what the engine makes of it.

use ecat_engine::EngineError;
use ecat_engine::engine::{Engine, EngineOptions, LinkOpener, MemorySizes, StartOptions};
use ecat_engine::error::ErrorCode;
use ecat_engine::link::packet::PacketLink;
use ecat_engine::shared::Dimensions;
use ecat_simulator::SegmentHost;
use ecat_wire::link::Link;
use napi_derive::napi;

use crate::failure::invalid;
use crate::interlock::{self, BindingInterlock};
use crate::pinned::{CopiedBytes, Natural};
use crate::segment::busy;

/// What to open, and how to run it. Without an `interface`, a simulated segment is given.
#[napi(object, object_to_js = false)]
pub struct BindingEngineOptions {
    /// Name of a network interface.
    pub interface: Option<String>,
    /// Period of the cycle, 100,000 to 100,000,000 ns.
    #[napi(ts_type = "number")]
    pub cycle_period_ns: Natural,
    /// How long before a cycle's start the thread stops sleeping and spins; half a period at most.
    #[napi(ts_type = "number")]
    pub pre_spin_ns: Natural,
    /// SCHED_FIFO priority, 1 to 99; without it the thread is scheduled like any other.
    #[napi(ts_type = "number")]
    pub priority: Option<Natural>,
    /// The CPU that the thread is pinned to.
    #[napi(ts_type = "number")]
    pub cpu: Option<Natural>,
    /// Whether distributed clocks are set up and kept.
    pub distributed_clocks: bool,
    /// Whether time is virtual: cycles then run as `grant` allows, as fast as they can.
    pub virtual_time: bool,
    /// Virtual time: how long on the wall clock a cycle waits for the consumers in lockstep before it goes on
    /// without those that stay away; 10,000 by default.
    #[napi(ts_type = "number")]
    pub lockstep_timeout_ms: Option<Natural>,
    /// Number of the first cycle, 0 by default; they wrap at 2³².
    #[napi(ts_type = "number")]
    pub first_cycle: Option<Natural>,
    /// Limit for everything up to PRE-OP.
    #[napi(ts_type = "number")]
    pub bring_up_timeout_ms: Option<Natural>,
    /// Limit for each SubDevice's way to SAFE-OP and to OP.
    #[napi(ts_type = "number")]
    pub state_timeout_ms: Option<Natural>,
}

/// Sizes of the shared memory that JavaScript chooses.
#[napi(object, object_to_js = false)]
pub struct BindingStartOptions {
    /// Slots of the input ring, a power of two.
    #[napi(ts_type = "number")]
    pub slot_count: Natural,
    /// Records of each partition's change log, a power of two.
    #[napi(ts_type = "number")]
    pub log_records: Natural,
    /// Partitions, 1 to 8: change logs with a publisher each. 1 by default.
    #[napi(ts_type = "number")]
    pub partition_count: Option<Natural>,
    /// Output lanes, 1 to 64. 4 by default.
    #[napi(ts_type = "number")]
    pub lane_count: Option<Natural>,
}

/// What the engine is started with.
#[napi(object, object_to_js = false)]
pub struct BindingOutputOptions {
    /// One byte a SubDevice, by position: 1 where its outputs may be sent out of cycle (`commitUrgent`), which
    /// disturbs a SubDevice that is synchronous to its SyncManager or to distributed clocks. None by default.
    #[napi(ts_type = "Uint8Array")]
    pub urgent_allowed: Option<CopiedBytes>,
    /// The interlocks; their places in the table of states are their positions here.
    pub interlocks: Option<Vec<BindingInterlock>>,
}

/// The sizes of the shared memory.
///
/// # Errors
/// `ECAT_ERR_INVALID_ARGUMENT` before a bring-up that succeeded.
pub fn dimensions(
    engine: &Engine,
    options: &BindingStartOptions,
) -> Result<Dimensions, EngineError> {
    let or = |chosen: Option<Natural>, default| chosen.map_or(default, |chosen| chosen.0);
    let default = MemorySizes::default();
    let chosen = MemorySizes {
        slot_count: options.slot_count.0,
        log_records: options.log_records.0,
        partition_count: or(options.partition_count, default.partition_count),
        lane_count: or(options.lane_count, default.lane_count),
    };
    engine.dimensions(chosen).ok_or_else(|| {
        invalid("the size of the shared memory is known after a bring-up that succeeded")
    })
}

/// What the engine is started with.
///
/// # Errors
/// `ECAT_ERR_INVALID_ARGUMENT`.
pub fn start_options(outputs: BindingOutputOptions) -> Result<StartOptions, EngineError> {
    let allowed = outputs.urgent_allowed.map_or_else(Box::default, |bytes| bytes.0);
    Ok(StartOptions {
        urgent_allowed: allowed.iter().map(|&byte| byte != 0).collect(),
        interlocks: interlock::specs(outputs.interlocks.unwrap_or_default())?,
    })
}

/// Options of an engine and its link.
///
/// # Errors
/// `ECAT_ERR_INVALID_ARGUMENT`; `ECAT_ERR_LINK_BUSY` where somebody else has the segment.
pub fn prepare(
    options: BindingEngineOptions,
    segment: Option<&SegmentHost>,
) -> Result<(EngineOptions, LinkOpener), EngineError> {
    let ns = |ms: Natural| u64::from(ms.0) * 1_000_000;
    let defaults = EngineOptions::default();
    let engine_options = EngineOptions {
        cycle_period_ns: options.cycle_period_ns.0.into(),
        pre_spin_ns: options.pre_spin_ns.0.into(),
        priority: narrow("priority", options.priority)?,
        cpu: options.cpu.map(|cpu| cpu.0 as usize),
        distributed_clocks: options.distributed_clocks,
        virtual_time: options.virtual_time,
        first_cycle: options.first_cycle.map_or(defaults.first_cycle, |first| first.0),
        bring_up_timeout_ns: options.bring_up_timeout_ms.map_or(defaults.bring_up_timeout_ns, ns),
        state_timeout_ns: options.state_timeout_ms.map(ns),
        lockstep_timeout_ns: options.lockstep_timeout_ms.map_or(defaults.lockstep_timeout_ns, ns),
        ..defaults
    };
    match (options.interface, segment) {
        (Some(interface), None) => {
            if options.virtual_time {
                return Err(invalid(
                    "virtual time needs a simulated segment: a network card has its own",
                ));
            }
            let opener: LinkOpener =
                Box::new(move || Ok(Box::new(PacketLink::open(&interface)?) as Box<dyn Link>));
            Ok((engine_options, opener))
        }
        (None, Some(segment)) => {
            let link = segment.link().map_err(busy)?;
            let opener: LinkOpener = Box::new(move || Ok(Box::new(link) as Box<dyn Link>));
            Ok((engine_options, opener))
        }
        _ => Err(EngineError::new(
            ErrorCode::InvalidArgument,
            "expected either an interface or a segment",
        )),
    }
}

fn narrow<T: TryFrom<u32>>(name: &str, value: Option<Natural>) -> Result<Option<T>, EngineError> {
    value
        .map(|value| {
            T::try_from(value.0)
                .map_err(|_| invalid(format!("{name}: {} is out of range", value.0)))
        })
        .transpose()
}
