//! What the simulated segment itself costs: a cyclic LRW through devices with two FMMUs and two SyncManagers
//! each, and an hour of a plant in virtual time.

use ecat_engine::link::sys;
use ecat_simulator::esc::{Esc, Profile};
use ecat_simulator::{Device, Segment, SegmentDescription};
use ecat_wire::ethernet::{FRAME_BYTES_MAX, MacAddress};
use ecat_wire::fmmu::Fmmu;
use ecat_wire::frame::FrameWriter;
use ecat_wire::sii::{self, Sii};
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, register as reg};

use crate::arguments::Arguments;
use crate::samples::Samples;
use crate::{Outcome, report};

const LOGICAL: u32 = 0x0001_0000;
const CYCLE_NS: u64 = 1_000_000;
/// Frames of one sample: a clock that counts in tens of ns tells a frame of 200 ns badly.
const FRAMES_PER_SAMPLE: u64 = 64;
/// Where outputs and inputs of a device stand: far enough apart for three buffers of each.
const OUTPUTS: u16 = 0x1000;
const INPUTS: u16 = 0x1800;

/// A plant of ten terminals, inputs that move, and an output that is wired back.
const PLANT: &str = r#"{ "devices": [
    { "type": "EK1100" },
    { "name": "a", "type": "digital-inputs", "channels": 16 }, { "name": "b", "type": "digital-inputs" },
    { "name": "c", "type": "digital-outputs", "channels": 16 }, { "name": "d", "type": "digital-outputs" },
    { "name": "e", "type": "analogue-inputs", "channels": 8 }, { "name": "f", "type": "analogue-inputs" },
    { "name": "g", "type": "analogue-outputs", "channels": 8 }, { "name": "h", "type": "analogue-outputs" },
    { "name": "i", "type": "analogue-inputs" } ],
  "signals": [{ "input": "a.1", "counter": { "periodMs": 250 } }, { "input": "b.2", "square": { "periodMs": 2000 } },
              { "input": "e.1", "sine": { "amplitude": 9830, "offset": 16384, "periodMs": 10000 } }],
  "wires": [{ "from": "c.1", "to": "a.8" }] }"#;

/// Prints the time that a frame takes, for each repeat.
pub fn frames(arguments: &mut Arguments) -> Outcome {
    let devices: u16 = arguments.number("devices", 100)?;
    let bytes: usize = arguments.number("bytes", 1_250)?;
    let count: u64 = arguments.number("count", 20_000)?;
    let repeats = arguments.number("repeats", 5)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let granted = place.take();
    for _ in 0..repeats {
        let (mut segment, expected) = line(devices, bytes)?;
        let data = vec![0x5A; bytes];
        let mut frame = [0; FRAME_BYTES_MAX];
        let mut now_ns = u64::from(devices) * CYCLE_NS;
        let mut samples = Samples::new((count / FRAMES_PER_SAMPLE) as usize);
        for _ in 0..count / FRAMES_PER_SAMPLE {
            let begun = sys::monotonic_ns();
            for _ in 0..FRAMES_PER_SAMPLE {
                let length = compose(&mut frame, Command::Lrw { logical: LOGICAL }, &data)?;
                now_ns += CYCLE_NS;
                segment.process(&mut frame[..length], now_ns);
            }
            samples.push((sys::monotonic_ns() - begun) / FRAMES_PER_SAMPLE);
        }
        let counter = u16::from_le_bytes([frame[26 + bytes], frame[27 + bytes]]);
        if counter != expected {
            return Err(format!("the working counter is {counter}, not {expected}"));
        }
        report::figures("ours", "frame", samples.figures());
    }
    report::granted(place, granted);
    Ok(())
}

/// Prints how long an hour of the plant takes, for each repeat, in ns.
pub fn virtual_time(arguments: &mut Arguments) -> Outcome {
    let seconds: u64 = arguments.number("seconds", 360)?;
    let repeats = arguments.number("repeats", 5)?;
    let place = arguments.place()?;
    arguments.finish()?;
    let granted = place.take();
    for _ in 0..repeats {
        let description =
            SegmentDescription::from_json(PLANT).map_err(|error| error.to_string())?;
        let mut segment = Segment::new(&description).map_err(|error| error.to_string())?;
        let devices = segment.sub_device_count() as u16;
        let mut frame = [0; FRAME_BYTES_MAX];
        map(&mut segment, devices, 160)?;
        let begun = sys::monotonic_ns();
        for cycle in 0..seconds * 1_000 {
            let now_ns = u64::from(devices) * CYCLE_NS + cycle * CYCLE_NS;
            let mut writer = writer(&mut frame)?;
            let said = |error| format!("{error:?}");
            writer
                .push_data(Command::Frmw { station: 1, register: 0x0910 }, 0, &[0; 8])
                .map_err(said)?;
            writer
                .push_data(Command::Lrw { logical: LOGICAL }, 1, &[cycle as u8; 160])
                .map_err(said)?;
            writer
                .push_data(Command::Brd { register: reg::AL_STATUS }, 2, &[0; 2])
                .map_err(said)?;
            let length = writer.finish();
            segment.process(&mut frame[..length], now_ns);
        }
        let took_ns = (sys::monotonic_ns() - begun) as f64;
        report::value("ours", "hour", took_ns * 3_600.0 / seconds as f64);
    }
    report::granted(place, granted);
    Ok(())
}

/// Devices on a line that map `bytes` among them; and the working counter of an LRW.
fn line(devices: u16, bytes: usize) -> Outcome<(Segment, u16)> {
    let said = |error: sii::SiiError| error.to_string();
    let image = sii::build(&Sii { size_bytes: 2_048, ..Sii::default() }).map_err(said)?;
    let device = |n| Device {
        name: format!("device {n}"),
        esc: Esc::new(Profile::default(), image.clone()),
    };
    let mut segment = Segment::from_parts((0..devices).map(device).collect(), Vec::new());
    map(&mut segment, devices, bytes)?;
    Ok((segment, 3 * devices))
}

/// Activates SyncManagers and FMMUs of every device. Each has its part of the image, half outputs, or with
/// more devices than that, a byte that others have too.
fn map(segment: &mut Segment, devices: u16, bytes: usize) -> Outcome {
    let share = (bytes / usize::from(devices) / 2).max(1) as u16;
    let mut frame = [0; FRAME_BYTES_MAX];
    for n in 0..devices {
        let position = Command::position(n);
        let mut send = |register: u16, data: &[u8]| {
            let length = compose(&mut frame, Command::Apwr { position, register }, data)?;
            segment.process(&mut frame[..length], u64::from(n) * CYCLE_NS);
            Ok::<(), String>(())
        };
        send(reg::STATION_ADDRESS, &(n + 1).to_le_bytes())?;
        for (half, start, control, read) in [(0, OUTPUTS, 0x24, false), (1, INPUTS, 0x20, true)] {
            let sync_manager = SyncManager { start, length: share, control, enabled: true };
            send(reg::sync_manager(2 + half as u8), &sync_manager.to_bytes())?;
            let at = (usize::from(n) * 2 + half) * usize::from(share);
            let fmmu = Fmmu {
                logical_start: LOGICAL + (at % (bytes - usize::from(share) + 1)) as u32,
                length: share,
                logical_start_bit: 0,
                logical_stop_bit: 7,
                physical_start: start,
                physical_start_bit: 0,
                read,
                write: !read,
                enabled: true,
            };
            send(reg::fmmu(half as u8), &fmmu.to_bytes())?;
        }
    }
    Ok(())
}

fn writer(frame: &mut [u8]) -> Outcome<FrameWriter<'_>> {
    FrameWriter::new(frame, MacAddress::MAIN_DEVICE).map_err(|error| format!("{error:?}"))
}

fn compose(frame: &mut [u8], command: Command, data: &[u8]) -> Outcome<usize> {
    let mut writer = writer(frame)?;
    writer.push_data(command, 0, data).map_err(|error| format!("{error:?}"))?;
    Ok(writer.finish())
}
