//! The whole life of a cycle thread: link, bring-up, the wait for the order to start, the cycles, the end.
//! Whatever happens, it ends by saying so.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ecat_wire::al::AlState;
use ecat_wire::ethernet::FRAME_BYTES_MAX;
use ecat_wire::{FrameWriter, Link};

use super::control::{Control, StartOrder};
use super::fit::LeastTime;
use super::frames::CyclicFrames;
use super::operation::Operation;
use super::run::Run;
use super::{panic_note, wait};
use crate::bringup::{self, BringUpOptions};
use crate::clock;
use crate::engine::{BringUp, LinkOpener};
use crate::error::{EngineError, ErrorCode, Failure};
use crate::event::EventKind;
use crate::herald::Ear;
use crate::link::sys;
use crate::network::Network;
use crate::shared::layout::EngineState;

/// Stack that is touched before the first cycle, so that no cycle faults it in: a multiple of what cycles were
/// seen to take (`tests/memory.rs`). What the bring-up touched beyond it is given back.
pub const CYCLE_STACK_BYTES: usize = 64 * 1024;
/// How late the system may wake the thread on purpose, to save wake-ups.
const TIMER_SLACK_NS: u32 = 1_000;
/// Where virtual time begins: not at 0, so that the past of the first cycle exists.
const VIRTUAL_START_NS: u64 = 1_000_000_000;

/// How long the wait for the order to start sleeps at most before it looks again.
const LOOK_NS: u64 = 1_000_000_000;

thread_local! {
    static CYCLING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is a cycle thread between its first and its last cycle, where nothing may
/// allocate. For the allocator of a test.
#[must_use]
pub fn is_cycling() -> bool {
    CYCLING.get()
}

/// Lives the life. Returns when the engine has ended, and everything on this thread is dropped.
pub fn live(control: &Arc<Control>, ear: &Arc<Ear>, opener: LinkOpener) {
    panic_note::on_this_thread();
    if control.options.virtual_time {
        clock::enter_virtual(VIRTUAL_START_NS);
    }
    let mut run = None;
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let Some(ready) = prepare(control, ear, opener) else { return };
        let run = run.insert(ready);
        CYCLING.set(true);
        run.run();
        CYCLING.set(false);
    }));
    CYCLING.set(false);
    if let Err(payload) = lived {
        let message = format!("a defect of the engine: {}", panic_note::take(&*payload));
        fault(control, run.as_mut(), Failure::new(ErrorCode::Panic, message));
    }
    // The link's own destructor may panic too.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(run))) {
        let message = format!("a defect at the engine's end: {}", panic_note::take(&*payload));
        control.push_failure(Failure::new(ErrorCode::Panic, message));
    }
    control.set_ended();
    ear.ring();
}

/// A panic ends the engine: no more frames, and the SubDevices' watchdogs do the rest.
fn fault(control: &Control, run: Option<&mut Run>, failure: Failure) {
    match run {
        Some(run) => {
            control.push_failure(failure);
            run.enter(EngineState::Faulted);
        }
        None if control.plant().is_none() => control.set_bring_up(Err(failure.into())),
        None => control.push_failure(failure),
    }
}

/// Everything up to the first cycle; `None` when the engine ends before it.
fn prepare(control: &Arc<Control>, ear: &Arc<Ear>, opener: LinkOpener) -> Option<Run> {
    let mut link = None;
    let outcome = opener().and_then(|opened| bring_up(control, &mut **link.insert(opened)));
    let (plant, frames, least) = match outcome {
        Ok(found) => found,
        Err(error) => {
            control.set_bring_up(Err(error));
            return None;
        }
    };
    let mut link = link?;
    control.set_bring_up(Ok(plant.clone()));
    ear.ring();
    let Some(order) = await_start(control, &mut *link) else {
        request_init(&mut *link);
        return None;
    };
    sys::release_stack(CYCLE_STACK_BYTES);
    sys::prefault_stack(CYCLE_STACK_BYTES);
    sys::set_timer_slack(TIMER_SLACK_NS);
    let refused = real_time(control);
    let mut run =
        Run::new(Arc::clone(control), Arc::clone(ear), link, &plant, (frames, least), *order);
    for (what, error) in refused.into_iter().flatten() {
        run.event(EventKind::Degraded, None, what, error);
    }
    Some(run)
}

fn bring_up(
    control: &Control,
    link: &mut dyn Link,
) -> Result<(BringUp, CyclicFrames, LeastTime), EngineError> {
    let options = &control.options;
    let bring_up = BringUpOptions {
        distributed_clocks: options.distributed_clocks,
        timeout_ns: options.bring_up_timeout_ns,
        ..BringUpOptions::default()
    };
    let network = bringup::discover(link, &bring_up, &control.stop, &mut |_| {})?;
    let layout = bringup::compute_layout(&network)?;
    bringup::configure(link, &network, &layout, &control.stop)?;
    let frames = CyclicFrames::new(&layout, reference_clock(&network, options.distributed_clocks))?;
    let least = LeastTime::of(&frames, &network);
    least.check(options.cycle_period_ns, &frames, &network)?;
    if control.stop.load(Ordering::Acquire) {
        return Err(EngineError::new(ErrorCode::Aborted, "the engine was closed before it ran"));
    }
    Ok(((Arc::new(network), Arc::new(layout)), frames, least))
}

fn reference_clock(network: &Network, distributed_clocks: bool) -> Option<u16> {
    let reference = network.dc_reference.filter(|_| distributed_clocks)?;
    network.sub_devices.get(reference).map(|device| device.station_address)
}

/// Waits for the order to start; `None` when the engine is to stop instead.
fn await_start(control: &Control, link: &mut dyn Link) -> Option<Box<StartOrder>> {
    loop {
        if control.stop.load(Ordering::Acquire) {
            return None;
        }
        if let Some(order) = control.take_start() {
            return Some(order);
        }
        link.idle(clock::now_ns());
        wait::for_doorbell(&control.doorbell, LOOK_NS);
    }
}

/// Takes the scheduling class and the processor that were asked for. What the system refuses is returned
/// with its error number.
fn real_time(control: &Control) -> [Option<(u32, u32)>; 2] {
    let number = |error: std::io::Error| error.raw_os_error().unwrap_or(0).cast_unsigned();
    let options = &control.options;
    let class = options.priority.and_then(|priority| sys::set_fifo(priority).err());
    let processor = options.cpu.and_then(|cpu| sys::set_affinity(cpu).err());
    [class.map(|error| (1, number(error))), processor.map(|error| (2, number(error)))]
}

/// Requests INIT of everybody, without waiting for an answer: the bring-up left them in PRE-OP.
fn request_init(link: &mut dyn Link) {
    let operation = Operation::BroadcastControl { state: AlState::Init };
    let (data, length) = operation.data();
    let mut buffer = [0; FRAME_BYTES_MAX];
    let composed = FrameWriter::new(&mut buffer, ecat_wire::ethernet::MacAddress::MAIN_DEVICE)
        .and_then(|mut writer| {
            writer.push_data(operation.command(&[]), 0, &data[..length])?;
            Ok(writer.finish())
        });
    if let Ok(length) = composed {
        // A link that is gone has nobody on it to tell.
        let _taken = link.send(&buffer[..length], clock::now_ns());
    }
}
