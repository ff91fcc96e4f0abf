//! From its first cycle to its last a cycle thread allocates nothing, whatever happens on the wire. The
//! allocator of this test counts.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Plant, described, virtual_time};
use ecat_engine::cycle::registers::RegisterRead;
use ecat_engine::cycle::thread::is_cycling;
use ecat_engine::engine::{EngineOptions, StartOptions};
use ecat_engine::event::EventKind;
use ecat_engine::layout::ProcessLayout;
use ecat_engine::shared::{BitsKind, Claims, Comparison, InterlockSpec, Threshold};
use ecat_simulator::SegmentCommand;
use ecat_simulator::request::Request;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
/// The tests of this file count one after another.
static ALONE: Mutex<()> = Mutex::new(());

struct Counting;

impl Counting {
    fn note(bytes: usize) {
        if is_cycling() {
            COUNT.fetch_add(1, Ordering::Relaxed);
            BYTES.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

// SAFETY: every call is handed on to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size());
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::note(0);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        Self::note(bytes);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(pointer, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Fires while an input bit is not 0, or not good.
fn interlock(layout: &ProcessLayout, name: &str, forced_bit: usize) -> InterlockSpec {
    let inputs =
        layout.devices.iter().map(|device| &device.inputs).find(|inputs| !inputs.is_empty());
    let mut force_mask = vec![0; layout.output_bytes];
    force_mask[forced_bit / 8] = 1 << (forced_bit % 8);
    InterlockSpec {
        name: name.to_owned(),
        bit_offset: inputs.unwrap().start as u32 * 8,
        bit_length: 1,
        kind: BitsKind::Unsigned,
        when: Comparison::Is(Threshold::Integer(1)),
        force_image: force_mask.clone().into(),
        force_mask: force_mask.into(),
    }
}

#[test]
fn no_cycle_allocates_whatever_is_lost() {
    let _alone = ALONE.lock().unwrap();
    let before = COUNT.load(Ordering::Relaxed);
    let mut devices = vec![r#"{"type":"EK1100"}"#.to_owned()];
    for n in 1..60 {
        let kind = ["analogue-inputs", "digital-outputs", "digital-inputs"][n % 3];
        devices.push(format!(r#"{{"name":"d{n}","type":"{kind}"}}"#));
    }
    devices.push(
        r#"{"name":"stubborn","type":"generic","deviceEmulation":false,
            "pdos":[{"direction":"input","index":6656,
                     "entries":[{"index":24576,"subindex":1,"bits":16}]}],
            "refuse":[{"to":"OP","code":30}]}"#
            .to_owned(),
    );
    let mut bytes = 0;
    let mut plant = Plant::in_op_with(
        &described(&format!(r#"{{"devices":[{}]}}"#, devices.join(","))),
        EngineOptions { lockstep_timeout_ns: 20_000_000, ..virtual_time() },
        |(_, layout)| {
            bytes = layout.output_bytes;
            StartOptions {
                urgent_allowed: vec![true; layout.devices.len()],
                interlocks: vec![interlock(layout, "first", 0)],
            }
        },
    );
    let claims = Claims {
        mask: vec![0xFF; bytes].into(),
        loss_mask: vec![0xFF; bytes].into(),
        loss_image: vec![0; bytes].into(),
        deadline_cycles: 20,
        ..Claims::default()
    };
    plant.engine.claim(0, 1, &claims).unwrap();
    let mut lane = plant.memory.lane_writer(0).unwrap();
    lane.commit(&vec![0x5A; bytes]);
    plant.run(2);
    // Urgent commits, with the first interlock's input good, bad and acknowledged.
    for value in 0..50 {
        lane.commit(&vec![value; bytes]);
        plant.engine.request_urgent();
        plant.run(1);
        let _ = plant.memory.interlocks().acknowledge(0);
    }
    for n in 0..4 {
        let layout = &plant.found.1;
        let all: Vec<_> = (0..=n).map(|k| interlock(layout, &format!("no {k}"), k * 8)).collect();
        plant.engine.set_interlocks(&all).unwrap();
        plant.run(3);
    }
    let consumer = plant.engine.register_consumer().unwrap();
    plant.run(3);
    plant.engine.unregister_consumer(consumer);
    for command in [
        SegmentCommand::LoseFrames { count: 7 },
        SegmentCommand::DelayFrames { count: 4, by_frames: 9 },
        SegmentCommand::Unplug { device: 30 },
        SegmentCommand::CutCable { after: 40 },
        SegmentCommand::MendCable,
        SegmentCommand::Plug { device: 30 },
        SegmentCommand::LinkDown,
        SegmentCommand::LinkUp,
    ] {
        plant.command(command);
        (0..8).for_each(|id| {
            let read = RegisterRead { id, position: 30 + id as u16, register: 0x0130, length: 6 };
            plant.engine.read_register(read).unwrap();
        });
        plant.run(150);
        while plant.engine.take_register_answer().is_some() {}
    }
    plant.engine.release_lanes(1);
    plant.run(20);
    plant.close();
    assert!(plant.events_of(EventKind::LaneLost).len() == 1);
    assert!(!plant.events_of(EventKind::InterlockFired).is_empty());
    assert_eq!(plant.events_of(EventKind::ConsumerLate).len(), 1);
    let counters = plant.memory.statistics().counters;
    assert!(counters.urgent_frames.load(Ordering::Relaxed) > 0);
    assert!(plant.events_of(EventKind::SubDeviceLost).len() >= 20);
    let bytes = BYTES.load(Ordering::Relaxed);
    assert_eq!(COUNT.load(Ordering::Relaxed), before, "{bytes} bytes");
}

/// Everything that can be asked of the simulated segment, which the cycle thread serves.
#[test]
fn no_answer_of_the_simulated_segment_allocates() {
    const DEVICE: u16 = 1;
    let _alone = ALONE.lock().unwrap();
    let segment = described(
        r#"{"devices":[{"type":"EK1100"},
            {"name":"asked","type":"generic",
             "pdos":[{"direction":"input","index":6656,
                      "entries":[{"index":24576,"subindex":1,"bits":16}]}],
             "mailbox":{"objects":[{"index":8192,"dataType":6,"value":100},
                                   {"index":8193,"value":"simulated"}],
                        "files":[{"name":"log"}]}}]}"#,
    );
    let mut plant = Plant::in_op(&segment, virtual_time());
    let host = plant.segment.host().clone();
    let object = |index: u16, r#type: &str| {
        format!(r#"{{"of":"object","index":{index},"subindex":0,"type":"{type}"}}"#)
    };
    let read =
        |subject: &str| format!(r#"{{"kind":"read","device":{DEVICE},"subject":{subject}}}"#);
    let bits = r#""bitOffset":0,"bitLength":16,"type":"unsigned"}"#;
    let watch = |than: u32| {
        let subject = object(8192, "unsigned");
        format!(
            r#"{{"kind":"watch","terms":[{{"device":{DEVICE},"subject":{subject},"comparison":"is","than":"{than}"}}]}}"#
        )
    };
    let asked = [
        read(&object(8192, "unsigned")),
        read(&object(8193, "unsigned")),
        read(&object(12_288, "unsigned")),
        read(&format!(r#"{{"of":"input",{bits}"#)),
        read(&format!(r#"{{"of":"output",{bits}"#)),
        read(r#"{"of":"alState"}"#),
        watch(8),
        watch(7),
        format!(r#"{{"kind":"write","device":{DEVICE},"index":8192,"subindex":0,"value":"7"}}"#),
        format!(r#"{{"kind":"write","device":{DEVICE},"index":8193,"subindex":0}}"#),
        format!(r#"{{"kind":"writeFile","device":{DEVICE},"name":"log"}}"#),
        format!(r#"{{"kind":"readFile","device":{DEVICE},"name":"log"}}"#),
        format!(r#"{{"kind":"readMemory","device":{DEVICE},"address":256,"length":64}}"#),
        format!(r#"{{"kind":"state","device":{DEVICE}}}"#),
        r#"{"kind":"advance","byNs":5}"#.to_owned(),
    ];
    let mut watched = 0;
    let requests = asked.iter().map(|json| {
        let mut request: Request = serde_json::from_str(json).unwrap();
        request.attach(b"other".to_vec());
        request
    });
    for request in requests.collect::<Vec<_>>() {
        let is_watch = matches!(request, Request::Watch(_));
        let id = host.ask(request, None).unwrap();
        watched = if is_watch && watched == 0 { id } else { watched };
    }
    // On its way up a device with objects makes its process image, which is its own doing.
    let before = COUNT.load(Ordering::Relaxed);
    plant.run(3);
    host.ask(Request::Unwatch { watch: watched }, None).unwrap();
    plant.run(1);
    let answers: Vec<_> = std::iter::from_fn(|| host.take_answer()).collect();
    assert_eq!(answers.len(), asked.len() + 1);
    let refused = answers.iter().filter(|answer| answer.outcome.is_err()).count();
    assert_eq!(refused, 2, "an object that is not there, and time: {answers:?}");
    plant.run(10);
    assert_eq!(COUNT.load(Ordering::Relaxed), before);
    plant.close();
}

/// Everything that can go wrong in the simulated segment, which the cycle thread carries: injected, hit and cleared. Of a mailbox
/// a device's program makes buffers of its own; here no device has one.
#[test]
fn no_fault_allocates_as_it_acts() {
    const FAULTS: [&str; 36] = [
        r#"{"on":{"link":"in"},"when":{"ratePpm":200000,"burst":2},"effect":{"kind":"drop"}}"#,
        r#"{"on":{"device":"lamp","port":0},"when":{"count":5},"effect":{"kind":"drop"}}"#,
        r#"{"on":{"link":"out"},"when":{"count":5},"effect":{"kind":"truncate","bytes":40}}"#,
        r#"{"on":{"link":"in"},"when":{"count":5},"effect":{"kind":"delay","byFrames":3,"byMs":1.5}}"#,
        r#"{"on":{"link":"out"},"when":{"count":5},"effect":{"kind":"delay","byFrames":1}}"#,
        r#"{"on":{"link":"in"},"when":{"count":5},"effect":{"kind":"duplicate","copies":3}}"#,
        r#"{"on":{"link":"in"},"when":{"count":5},"effect":{"kind":"reorder"}}"#,
        r#"{"on":{"link":"in"},"when":{"count":5},"effect":{"kind":"replay","age":3}}"#,
        r#"{"on":{"link":"in"},"when":{"count":5},"effect":{"kind":"wrong-index"}}"#,
        r#"{"on":{"link":"in"},"when":{"count":5},"effect":{"kind":"wrong-length"}}"#,
        r#"{"on":{"link":"out"},"when":{"count":5},"effect":{"kind":"flip-bits","offset":12,"mask":1}}"#,
        r#"{"on":{"link":"in","frames":{"command":"LRW","device":"axis"}},"effect":{"kind":"working-counter","by":-1}}"#,
        r#"{"on":{"device":"axis","port":0},"when":{"ratePpm":300000},"effect":{"kind":"corrupt"}}"#,
        r#"{"on":{"device":"axis","port":0},"when":{"onMs":2,"offMs":3},"effect":{"kind":"cut"}}"#,
        r#"{"on":{"device":"lamp","port":1},"effect":{"kind":"port-closed"}}"#,
        r#"{"when":{"forMs":5},"effect":{"kind":"carrier-loss"}}"#,
        r#"{"on":{"device":"lamp"},"effect":{"kind":"swap","with":"axis"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"pdi-hang"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"identity","serial":7}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"sii-checksum"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"sii-empty"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"eeprom-busy"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"eeprom-error"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"clock-drift","ppm":100}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"clock-step","byNs":50000}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"clock-jitter","ns":100}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"pll-loss"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"sync0-loss"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"start-in-past"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"watchdog"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"leave-state","state":"PRE-OP","code":1}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"refuse","code":30}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"slow-transition","delayMs":3}}"#,
        r#"{"on":{"device":"lamp"},"effect":{"kind":"reset"}}"#,
        r#"{"on":{"device":"lamp"},"effect":{"kind":"bypass"}}"#,
        r#"{"on":{"device":"axis"},"effect":{"kind":"power-off"}}"#,
    ];
    let _alone = ALONE.lock().unwrap();
    let segment = described(
        r#"{"devices":[{"name":"coupler","type":"EK1100"},
            {"name":"lamp","type":"digital-outputs"},
            {"name":"axis","type":"generic","deviceEmulation":false,"distributedClock":true,
             "pdos":[{"direction":"input","index":6656,"entries":[{"index":24676,"bits":32}]},
                     {"direction":"output","index":5632,"entries":[{"index":24698,"bits":32}]}]}]}"#,
    );
    let mut plant = Plant::in_op(&segment, virtual_time());
    plant.run(10);
    let before = COUNT.load(Ordering::Relaxed);
    let mut idle = 0;
    for json in FAULTS {
        let fault = serde_json::from_str(json).unwrap();
        let name = plant.segment.inject(&fault).unwrap();
        plant.run(30);
        let of = |count: usize| format!("{json}: {} allocations", count - before);
        assert_eq!(COUNT.load(Ordering::Relaxed), before, "{}", of(COUNT.load(Ordering::Relaxed)));
        // Some are over by themselves.
        let _over = plant.segment.clear(&name);
        plant.run(30);
        assert_eq!(COUNT.load(Ordering::Relaxed), before, "{}", of(COUNT.load(Ordering::Relaxed)));
        idle += usize::from(plant.segment.read_hits().hits.is_empty());
    }
    // In OP nobody asks the EEPROM or for states, or has pulses.
    assert_eq!(idle, 5);
    // Sixty-four at a time, and one more than there is room for.
    for _ in 0..65 {
        let fault = r#"{"on":{"link":"in"},"effect":{"kind":"working-counter","by":1}}"#;
        let fault = serde_json::from_str(fault).unwrap();
        plant.segment.inject(&fault).unwrap();
        plant.run(1);
    }
    plant.run(10);
    let log = plant.segment.read_hits();
    assert_eq!(log.refused, 1);
    assert!(log.lost > 0, "more hits than are kept");
    assert_eq!(COUNT.load(Ordering::Relaxed), before);
    plant.close();
}
