//! By how much a process has grown once an engine of it has run for a while: what the engine holds
//! (`native/engine/tests/memory.rs` counts that), and what the allocator keeps of what was needed on the way. The
//! simulated segment is at the other end of a wire, in a process of its own. A process is good for one measurement:
//! memory that the first engine leaves to the allocator would serve the second.

use ecat_engine::engine::{EngineOptions, MemorySizes, StartOptions};
use ecat_engine::link::sys;

use crate::Outcome;
use crate::arguments::Arguments;
use crate::running::Running;
use crate::{plant, report};

/// After what is needed on the way to OP only.
const SETTLE_NS: u64 = 500_000_000;

/// Records of the change log that JavaScript asks for with 10,000 tags.
const LOG_RECORDS: u32 = 8_192;

/// Prints the growth in bytes: heap, stacks and shared memory that was touched.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let interface = arguments.text("interface").ok_or("memory needs interface=NAME")?;
    let place = arguments.place()?;
    arguments.finish()?;
    let options = EngineOptions {
        cycle_period_ns: 1_000_000,
        priority: place.priority,
        cpu: Some(place.cpu),
        ..EngineOptions::default()
    };
    let before = resident_bytes()?;
    let running = Running::to_op_sized(
        options,
        plant::interface_opener(interface),
        &StartOptions::default(),
        MemorySizes { log_records: LOG_RECORDS, ..MemorySizes::default() },
    )?;
    sys::sleep_until(sys::monotonic_ns() + SETTLE_NS);
    let after = resident_bytes()?;
    report::value("ours", "resident", after.saturating_sub(before) as f64);
    running.close()
}

/// Memory of this process that no file is behind.
fn resident_bytes() -> Outcome<u64> {
    let text = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1_024).ok_or_else(|| "/proc/self/status has no RssAnon".to_owned())
}
