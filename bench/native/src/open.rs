//! How long it takes from nothing to OP: the whole engine, and stock ethercrab's `init` and `into_op`, on
//! the same simulated segment of this process, in wall time.

use std::sync::atomic::AtomicBool;

use ecat_engine::bringup::{BringUpOptions, Progress, compute_layout, configure, discover};
use ecat_engine::engine::EngineOptions;
use ecat_engine::error::EngineError;
use ecat_engine::link::sys;
use ecat_simulator::SegmentDescription;
use ecat_simulator::esc::Profile;

use crate::Outcome;
use crate::arguments::{Arguments, Granted, Place};
use crate::running::Running;
use crate::{plant, report, stock};

/// Process data of one device: 4 bytes out, 4 in.
const DEVICE_BYTES: usize = 8;

/// Prints one duration for each variant and repeat.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let devices: usize = arguments.number("devices", 10)?;
    let repeats = arguments.number("repeats", 5)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let description = plant::describe(devices, devices * DEVICE_BYTES);
    report::value("simulator", "eeprom-busy-ns", Profile::default().eeprom_access_ns as f64);
    // Both come to OP in the default class: the engine's thread takes its place with the first cycle.
    for _ in 0..repeats {
        report::value("ours", "open", ours(&description, place)?);
        phases(&description)?;
        report::value("ethercrab", "open", ethercrab(devices, &description)?);
    }
    report::granted(place, Granted { pinned: false, fifo: false });
    Ok(())
}

/// Nanoseconds until the engine is in OP.
fn ours(description: &SegmentDescription, place: Place) -> Outcome<f64> {
    let options = EngineOptions {
        cycle_period_ns: 1_000_000,
        priority: place.priority,
        cpu: Some(place.cpu),
        ..EngineOptions::default()
    };
    let opener = plant::opener(description.clone());
    let begun = sys::monotonic_ns();
    let running = Running::to_op(options, opener)?;
    let took = sys::monotonic_ns() - begun;
    running.close()?;
    Ok(took as f64)
}

/// Prints where the time up to a configured PRE-OP goes, by the functions that the engine calls. ethercrab's
/// `init` is the first of them.
fn phases(description: &SegmentDescription) -> Outcome {
    let text = |error: EngineError| error.to_string();
    let stop = AtomicBool::new(false);
    let mut link = plant::link(description)?;
    let mut last_ns = sys::monotonic_ns();
    let mut phase = |what: &str| {
        let now_ns = sys::monotonic_ns();
        report::value("ours", what, (now_ns - last_ns) as f64);
        last_ns = now_ns;
    };
    let options = BringUpOptions::default();
    let network = discover(&mut link, &options, &stop, &mut |progress| match progress {
        Progress::Counted(_) => phase("counted"),
        Progress::PreOp => phase("pre-op"),
        Progress::Identified => phase("identified"),
    });
    let network = network.map_err(text)?;
    let layout = compute_layout(&network).map_err(text)?;
    configure(&mut link, &network, &layout, &stop).map_err(text)?;
    phase("configured");
    Ok(())
}

/// Nanoseconds until stock ethercrab says that its group is in OP.
fn ethercrab(devices: usize, description: &SegmentDescription) -> Outcome<f64> {
    match devices {
        0..=16 => ethercrab_sized::<16, 512>(description),
        17..=128 => ethercrab_sized::<128, 2_048>(description),
        _ => ethercrab_sized::<512, 8_192>(description),
    }
}

#[inline(never)]
fn ethercrab_sized<const DEVICES: usize, const BYTES: usize>(
    description: &SegmentDescription,
) -> Outcome<f64> {
    let begun = sys::monotonic_ns();
    let mut link = plant::link(description)?;
    let storage = Box::new(stock::Storage::new());
    let iterations = BringUpOptions::default().dc_static_sync_iterations;
    let (main_device, mut bus) = stock::open(&storage, &mut link, iterations)?;
    let group = bus.run(main_device.init_single_group::<DEVICES, BYTES>(sys::monotonic_ns))?;
    let group = bus.run(group.into_op(&main_device))?;
    let took = sys::monotonic_ns() - begun;
    drop(group);
    Ok(took as f64)
}
