//! What one exchange of the process image costs, back to back: ours, stock ethercrab's `tx_rx`, and
//! nothing but sending and receiving the very frames that ours sends.

use std::sync::atomic::AtomicBool;

use ecat_engine::bringup::{
    BringUpOptions, Exchanger, Request, compute_layout, configure, discover,
};
use ecat_engine::cycle::exchange::{Exchange, Images};
use ecat_engine::cycle::frames::CyclicFrames;
use ecat_engine::cycle::urgent::UrgentFrame;
use ecat_engine::cycle::window::AcyclicFrame;
use ecat_engine::layout::ProcessLayout;
use ecat_engine::link::sys;
use ecat_engine::shared::UrgentAreas;
use ecat_engine::shared::statistics::Statistics;
use ecat_wire::al::AlState;
use ecat_wire::ethernet::FRAME_BYTES_MAX;
use ecat_wire::{Link, register};

use crate::Outcome;
use crate::arguments::Arguments;
use crate::running::memory;
use crate::samples::{Figures, Samples};
use crate::stock;
use crate::{plant, report};

/// How long an answer is waited for: the other end shares its processor with whatever runs there, and a
/// processor that was taken away is part of the result. A frame that is really lost ends the run.
const LOST_NS: u64 = 5_000_000_000;
/// For the way to OP.
const BUDGET_NS: u64 = 30_000_000_000;
/// Devices that stock ethercrab's group has room for, and bytes of their image.
const STOCK_DEVICES: usize = 16;
const STOCK_BYTES: usize = 4_096;

/// Prints the distribution of one exchange for each variant and repeat.
pub fn run(arguments: &mut Arguments) -> Outcome {
    let interface = arguments.text("interface");
    let bytes = arguments.number("bytes", 1_250)?;
    let devices = arguments.number("devices", 10)?;
    let count = arguments.number("count", 20_000)?;
    let repeats = arguments.number("repeats", 5)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let mut link: Box<dyn Link> = match interface {
        Some(name) => Box::new(plant::interface(&name)?),
        None => Box::new(plant::link(&plant::describe(devices, bytes))?),
    };
    let granted = place.take();
    for _ in 0..repeats {
        let mut ours = Ours::in_op(&mut *link)?;
        report::value("ours", "frames", ours.frames.count() as f64);
        report::figures("ours", "exchange", ours.measure(&mut *link, count)?);
        report::figures("bare", "exchange", bare(&mut ours.frames, &mut *link, count)?);
        report::figures("ethercrab", "exchange", ethercrab(&mut *link, count)?);
    }
    report::granted(place, granted);
    Ok(())
}

/// The engine's own exchange, on a segment in OP.
pub(crate) struct Ours {
    pub(crate) frames: CyclicFrames,
    exchange: Exchange,
    layout: ProcessLayout,
    statistics: Statistics,
}

impl Ours {
    /// Brings a segment to OP.
    pub(crate) fn in_op(link: &mut dyn Link) -> Outcome<Self> {
        let stop = AtomicBool::new(false);
        let options = BringUpOptions { distributed_clocks: false, ..BringUpOptions::default() };
        let up = |error: ecat_engine::EngineError| format!("bring-up: {error}");
        let network = discover(link, &options, &stop, &mut |_| {}).map_err(up)?;
        let layout = compute_layout(&network).map_err(up)?;
        configure(link, &network, &layout, &stop).map_err(up)?;
        let frames = CyclicFrames::new(&layout, None).map_err(up)?;
        for state in [AlState::SafeOp, AlState::Op] {
            let stations = network.sub_devices.iter().map(|device| device.station_address);
            bring_to(link, &stop, stations.collect(), state)?;
        }
        let statistics = memory::small()?.statistics();
        Ok(Self { exchange: Exchange::new(frames.count(), 0xBE9C), frames, layout, statistics })
    }

    fn measure(&mut self, link: &mut dyn Link, count: usize) -> Outcome<Figures> {
        let (acyclic, urgent) =
            (AcyclicFrame::new(FRAME_BYTES_MAX), UrgentFrame::new(&UrgentAreas::default()));
        let others = (&acyclic, &urgent);
        let mut outputs = vec![0; self.layout.output_bytes];
        let mut inputs = vec![0; self.layout.input_bytes];
        let mut working_counters = vec![None; self.layout.datagrams.len()];
        let counters = &self.statistics.counters;
        let mut samples = Samples::new(count);
        for cycle in 0..count as u32 {
            outputs[0] = cycle as u8;
            let begun = sys::monotonic_ns();
            self.frames.fill(&outputs, &inputs);
            self.exchange.send(link, &mut self.frames, cycle, counters);
            let images =
                &mut Images { inputs: &mut inputs, working_counters: &mut working_counters };
            while self.exchange.missing() > 0 {
                let arrival = self.exchange.take(link, &self.frames, others, images, counters);
                if arrival.is_none() && sys::monotonic_ns() - begun > LOST_NS {
                    return Err("an exchange of ours did not come back".to_owned());
                }
            }
            samples.push(sys::monotonic_ns() - begun);
        }
        // What was measured was an exchange with everybody: 3 for each device with both directions.
        let added: u16 = working_counters.iter().flatten().sum();
        let expected: u16 =
            self.layout.datagrams.iter().flat_map(|d| &d.members).map(|m| m.operational).sum();
        if added != expected {
            return Err(format!("working counters add up to {added}, not {expected}"));
        }
        Ok(samples.figures())
    }
}

fn bring_to(link: &mut dyn Link, stop: &AtomicBool, stations: Vec<u16>, state: AlState) -> Outcome {
    let control = [state as u8, 0];
    let exchange = |link: &mut dyn Link, request: &dyn Fn(u16) -> Request| {
        let requests: Vec<_> = stations.iter().map(|&station| request(station)).collect();
        Exchanger::new(link, stop, sys::monotonic_ns() + BUDGET_NS)
            .exchange(&requests)
            .map_err(|error| error.to_string())
    };
    exchange(link, &|station| Request::write(station, register::AL_CONTROL, &control))?;
    let give_up_ns = sys::monotonic_ns() + BUDGET_NS;
    while sys::monotonic_ns() < give_up_ns {
        let replies = exchange(link, &|station| Request::read(station, register::AL_STATUS, 2))?;
        if replies.iter().all(|reply| reply.word() == Some(state as u16)) {
            return Ok(());
        }
    }
    Err(format!("the segment did not come to {}", state.name()))
}

/// Sends the frames of ours and receives as many.
fn bare(frames: &mut CyclicFrames, link: &mut dyn Link, count: usize) -> Outcome<Figures> {
    let prepared: Vec<Vec<u8>> =
        (0..frames.count()).map(|number| frames.stamped(number, 0, 0).to_vec()).collect();
    let mut buffer = [0; FRAME_BYTES_MAX];
    let mut samples = Samples::new(count);
    for _ in 0..count {
        let begun = sys::monotonic_ns();
        for frame in &prepared {
            link.send(frame, begun).map_err(|error| format!("{error:?}"))?;
        }
        let mut missing = prepared.len();
        while missing > 0 {
            match link.receive(&mut buffer, begun).map_err(|error| format!("{error:?}"))? {
                Some(_) => missing -= 1,
                None if sys::monotonic_ns() - begun > LOST_NS => {
                    return Err("a bare exchange did not come back".to_owned());
                }
                None => {}
            }
        }
        samples.push(sys::monotonic_ns() - begun);
    }
    Ok(samples.figures())
}

/// `group.tx_rx`, on a group that stock ethercrab took to OP itself.
fn ethercrab(link: &mut dyn Link, count: usize) -> Outcome<Figures> {
    let storage = stock::Storage::new();
    let (main_device, mut bus) = stock::open(&storage, link, 0)?;
    let group =
        bus.run(main_device.init_single_group::<STOCK_DEVICES, STOCK_BYTES>(sys::monotonic_ns))?;
    let group = bus.run(group.into_op(&main_device))?;
    let mut samples = Samples::new(count);
    let mut added = 0;
    for _ in 0..count {
        let begun = sys::monotonic_ns();
        let response = bus.run(group.tx_rx(&main_device))?;
        samples.push(sys::monotonic_ns() - begun);
        added = response.working_counter;
    }
    if added == 0 {
        return Err("nobody took part in ethercrab's exchange".to_owned());
    }
    Ok(samples.figures())
}
