//! Urgent commits on simulated segments: what leaves out of cycle, and what becomes of it.

mod common;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{PATIENCE, Plant, described, virtual_time};
use ecat_engine::engine::{BringUp, EngineOptions, LinkOpener, StartOptions};
use ecat_engine::shared::layout::Verdict;
use ecat_engine::shared::{
    BitsKind, Claims, Comparison, Drained, InterlockSpec, LaneWriter, ReceiptReader, Threshold,
};
use ecat_simulator::{Segment, SegmentCommand, SegmentControl, SegmentLink};
use ecat_wire::frame::datagrams;
use ecat_wire::{Command, Link, LinkError};

const EARLY: u32 = Verdict::Early as u32;
const OK: u32 = Verdict::Ok as u32;

/// Outputs of one byte at 1 and 3 that may be urgent, a servo of two bytes at 2 that may not, and an input
/// that follows the first output.
const SEGMENT: &str = r#"{"devices":[
    {"type":"EK1100"},
    {"name":"valve","type":"digital-outputs","channels":8},
    {"name":"servo","type":"generic","deviceEmulation":false,
     "pdos":[{"direction":"output","index":5632,"entries":[{"index":28672,"subindex":1,"bits":16}]}]},
    {"name":"lamp","type":"digital-outputs","channels":8},
    {"name":"in","type":"digital-inputs","channels":8}],
    "wires":[{"from":"valve.1","to":"in.1"}]}"#;

/// The image: valve 1 byte, servo 2, lamp 1.
const VALVE: usize = 0;
const SERVO: usize = 1;
const LAMP: usize = 3;

/// An LWR: its logical address, data, and the working counter that it came back with.
type Write = (u32, Vec<u8>);

/// A link that notes every LWR: the cycle itself sends none.
struct Noting {
    inner: SegmentLink,
    writes: Arc<Mutex<Vec<Vec<Write>>>>,
}

impl Link for Noting {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        let all = datagrams(frame).unwrap().map(Result::unwrap);
        let writes: Vec<Write> = all
            .filter_map(|datagram| match Command::parse(datagram.code, datagram.address) {
                Some(Command::Lwr { logical }) => Some((logical, datagram.data.to_vec())),
                _ => None,
            })
            .collect();
        if !writes.is_empty() {
            self.writes.lock().unwrap().push(writes);
        }
        self.inner.send(frame, now_ns)
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        self.inner.receive(buffer, now_ns)
    }

    fn is_up(&self) -> bool {
        self.inner.is_up()
    }
}

struct Urgent {
    plant: Plant,
    segment: SegmentControl,
    writes: Arc<Mutex<Vec<Vec<Write>>>>,
    lane: LaneWriter,
    receipts: ReceiptReader,
    tail: u32,
}

fn allowed(_: &BringUp) -> StartOptions {
    StartOptions { urgent_allowed: vec![false, true, false, true], ..StartOptions::default() }
}

fn claims(bytes: &[usize], length: usize) -> Claims {
    let mut mask = vec![0; length];
    bytes.iter().for_each(|&byte| mask[byte] = 0xFF);
    Claims {
        mask: mask.into(),
        loss_mask: vec![0; length].into(),
        loss_image: vec![0; length].into(),
        ..Claims::default()
    }
}

impl Urgent {
    /// In OP, with a lane that has everything and has committed zeros.
    fn new(
        segment: &str,
        options: EngineOptions,
        outputs: impl FnOnce(&BringUp) -> StartOptions,
    ) -> Self {
        let (link, segment) = SegmentLink::new(Segment::new(&described(segment)).unwrap());
        let writes = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&writes);
        let opener: LinkOpener =
            Box::new(move || Ok(Box::new(Noting { inner: link, writes: noted }) as Box<dyn Link>));
        let plant = Plant::in_op_on(opener, options, outputs);
        assert_eq!(plant.found.1.output_bytes, 4);
        plant.engine.claim(0, 1, &claims(&[VALVE, SERVO, SERVO + 1, LAMP], 4)).unwrap();
        let lane = plant.memory.lane_writer(0).unwrap();
        let receipts = plant.memory.receipt_reader(0).unwrap();
        Self { plant, segment, writes, lane, receipts, tail: 0 }
    }

    fn in_virtual_time(outputs: impl FnOnce(&BringUp) -> StartOptions) -> Self {
        let mut urgent = Self::new(
            SEGMENT,
            EngineOptions { first_cycle: u32::MAX - 99, ..virtual_time() },
            outputs,
        );
        urgent.plant.run(20);
        urgent
    }

    fn frames(&self) -> u64 {
        self.plant.memory.statistics().counters.urgent_frames.load(Ordering::Relaxed)
    }

    /// Commits, asks, and waits until a frame more has left.
    fn send(&mut self, image: [u8; 4]) -> u32 {
        let before = self.frames();
        let seq = self.lane.commit(&image);
        self.plant.engine.request_urgent();
        let begun = Instant::now();
        while self.frames() == before {
            assert!(begun.elapsed() < PATIENCE, "no urgent frame left");
            std::thread::yield_now();
        }
        seq
    }

    fn receipts(&mut self) -> Vec<[u32; 4]> {
        let mut out = [[0; 4]; 64];
        match self.receipts.drain(&mut self.tail, &mut out) {
            Drained::Records(count) => out[..count].to_vec(),
            Drained::Empty => Vec::new(),
            Drained::Lapped => panic!("lapped"),
        }
    }

    fn await_receipt(&mut self) -> [u32; 4] {
        let begun = Instant::now();
        loop {
            match self.receipts().as_slice() {
                [] => assert!(begun.elapsed() < PATIENCE, "no receipt"),
                [one] => return *one,
                more => panic!("{more:?}"),
            }
            std::thread::yield_now();
        }
    }

    fn writes(&self) -> Vec<Vec<Write>> {
        std::mem::take(&mut self.writes.lock().unwrap())
    }
}

#[test]
fn an_urgent_commit_leaves_at_once_and_its_receipt_names_the_cycle_that_it_preceded() {
    let mut urgent = Urgent::in_virtual_time(allowed);
    let next = urgent.plant.latest().wrapping_add(1);
    let seq = urgent.send([1, 0, 0, 0]);
    assert_eq!(urgent.await_receipt(), [seq, next, next, EARLY]);
    assert_eq!(urgent.writes(), [vec![(0, vec![1])]], "the valve alone, as a whole");
    assert_eq!(urgent.plant.latest().wrapping_add(1), next, "no cycle ran");
    let slots = urgent.plant.run(1);
    // The output was there before the cycle's frame, so its input follows within the cycle.
    assert_eq!((slots[0].cycle, slots[0].outputs[0], slots[0].inputs[0] & 1), (next, 1, 1));
    // Nothing changed since: nothing leaves, and the commit rides the next cycle.
    let seq = urgent.lane.commit(&[1, 0, 0, 0]);
    urgent.plant.engine.request_urgent();
    urgent.plant.run(2);
    let receipt = urgent.await_receipt();
    assert_eq!([receipt[0], receipt[3]], [seq, OK]);
    assert_eq!((urgent.frames(), urgent.writes()), (1, vec![]));
    urgent.plant.close();
}

#[test]
fn what_must_not_be_disturbed_goes_with_the_next_cycle() {
    let mut urgent = Urgent::in_virtual_time(allowed);
    let next = urgent.plant.latest().wrapping_add(1);
    // The commit holds more than may be urgent: that part waits, and so does the receipt.
    let seq = urgent.send([2, 7, 8, 9]);
    assert_eq!(urgent.writes(), [vec![(0, vec![2]), (3, vec![9])]]);
    assert_eq!(urgent.receipts(), [[0; 4]; 0]);
    let slots = urgent.plant.run(1);
    assert_eq!(slots[0].outputs, [2, 7, 8, 9]);
    assert_eq!(urgent.await_receipt(), [seq, next, next, OK]);
    urgent.plant.close();
}

#[test]
fn a_commit_of_another_lane_is_not_sent_early_where_it_must_not_be() {
    let mut urgent = Urgent::in_virtual_time(allowed);
    urgent.plant.engine.claim(0, 1, &claims(&[VALVE, LAMP], 4)).unwrap();
    urgent.plant.run(3);
    urgent.plant.engine.claim(1, 2, &claims(&[SERVO, SERVO + 1], 4)).unwrap();
    let mut servo = urgent.plant.memory.lane_writer(1).unwrap();
    servo.commit(&[0, 5, 6, 0]);
    let next = urgent.plant.latest().wrapping_add(1);
    let seq = urgent.send([4, 0, 0, 0]);
    assert_eq!(urgent.await_receipt(), [seq, next, next, EARLY]);
    assert_eq!(urgent.writes(), [vec![(0, vec![4])]]);
    let mut tail = 0;
    let mut out = [[0; 4]; 4];
    let other = urgent.plant.memory.receipt_reader(1).unwrap();
    assert_eq!(other.drain(&mut tail, &mut out), Drained::Empty);
    assert_eq!(urgent.plant.run(1)[0].outputs, [4, 5, 6, 0]);
    // A receipt follows its slot.
    urgent.plant.await_that(|_| other.drain(&mut tail, &mut out) == Drained::Records(1));
    assert_eq!(out[0], [1, next, next, OK]);
    urgent.plant.close();
}

#[test]
fn an_urgent_frame_that_is_lost_is_made_good_by_the_next_cycle() {
    let mut urgent = Urgent::in_virtual_time(allowed);
    urgent.segment.send(SegmentCommand::LoseFrames { count: 1 }).unwrap();
    let next = urgent.plant.latest().wrapping_add(1);
    let seq = urgent.send([1, 0, 0, 0]);
    assert_eq!(urgent.receipts(), [[0; 4]; 0]);
    assert_eq!(urgent.plant.run(1)[0].outputs, [1, 0, 0, 0]);
    assert_eq!(urgent.await_receipt(), [seq, next, next, OK]);
    // The loss is noticed by its time, and the next one goes as always.
    urgent.plant.run(3);
    let next = urgent.plant.latest().wrapping_add(1);
    let seq = urgent.send([3, 0, 0, 0]);
    assert_eq!(urgent.await_receipt(), [seq, next, next, EARLY]);
    urgent.plant.close();
}

#[test]
fn nothing_is_sent_to_who_is_not_there_and_the_cycle_says_that_it_is_away() {
    let mut urgent = Urgent::in_virtual_time(allowed);
    urgent.segment.send(SegmentCommand::Unplug { device: 1 }).unwrap();
    urgent.plant.run(30);
    urgent.lane.commit(&[1, 0, 0, 0]);
    urgent.plant.engine.request_urgent();
    urgent.plant.run(12);
    assert_eq!((urgent.frames(), urgent.writes()), (0, vec![]));
    assert_eq!(urgent.await_receipt()[3], Verdict::Partial as u32);
    urgent.plant.close();
}

#[test]
fn interlocks_hold_for_urgent_frames_too() {
    let guard = InterlockSpec {
        name: "guard".to_owned(),
        bit_offset: 7,
        bit_length: 1,
        kind: BitsKind::Unsigned,
        when: Comparison::Is(Threshold::Integer(1)),
        force_mask: [0x0F, 0, 0, 0].into(),
        force_image: [0x08, 0, 0, 0].into(),
    };
    let mut urgent =
        Urgent::in_virtual_time(|found| StartOptions { interlocks: vec![guard], ..allowed(found) });
    urgent.send([0xFF, 0, 0, 0]);
    urgent.await_receipt();
    urgent
        .segment
        .send(SegmentCommand::SetInput { device: 4, bit_offset: 7, bit_length: 1, value: 1 })
        .unwrap();
    // Fires with this cycle's input: the next frame is the urgent one.
    urgent.plant.run(1);
    urgent.writes();
    urgent.send([0xFE, 0, 0, 0]);
    assert_eq!(urgent.writes(), [vec![(0, vec![0xF8])]]);
    assert_eq!(urgent.plant.run(1)[0].outputs[0], 0xF8);
    urgent.plant.close();
}

#[test]
fn on_the_wall_clock_every_commit_has_one_receipt_whether_it_was_early_or_not() {
    let options = EngineOptions {
        cycle_period_ns: 2_000_000,
        pre_spin_ns: 0,
        first_cycle: u32::MAX - 99,
        ..EngineOptions::default()
    };
    // Without a program no device leaves OP where a busy machine is away for longer than a watchdog.
    let segment = SEGMENT
        .replace(r#""generic","deviceEmulation":false,"#, r#""generic","deviceEmulation":true,"#);
    let mut urgent = Urgent::new(&segment, options, allowed);
    let (mut early, mut last) = (0, u32::MAX - 99);
    for n in 0..300_u32 {
        let seq = urgent.lane.commit(&[n as u8, 0, 0, 0]);
        urgent.plant.engine.request_urgent();
        let [of, first, _, verdict] = urgent.await_receipt();
        assert_eq!(of, seq);
        // A busy machine may make the cycle late, so that the commit rides it.
        assert!(verdict == EARLY || verdict == OK, "commit {n}: {verdict}");
        assert!(first.wrapping_sub(last) < 10_000, "first cycles go forward: {first} after {last}");
        last = first;
        early += u32::from(verdict == EARLY);
        std::thread::sleep(Duration::from_micros(u64::from(n * 131 % 2_000)));
    }
    println!("{early} of 300 left out of cycle");
    assert!(early > 0);
    urgent.plant.close();
}
