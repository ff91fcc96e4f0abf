//! The SYNC unit (0x0980–0x09A7). Sections and tables are those of the ESC data sheet.

use std::sync::{Arc, Mutex};

use ecat_simulator::description::LocalClockDescription;
use ecat_simulator::esc::{Esc, Profile, SyncPulse};
use ecat_simulator::plant::{Behaviour, Plant};
use ecat_simulator::{Device, Segment, SegmentCommand, SegmentDescription};
use ecat_wire::register as reg;

use crate::wire::{Wire, emulated, emulated_with, image};

const STATION: u16 = 0x1001;
const MS: u64 = 1_000_000;

type Pulses = Arc<Mutex<Vec<(u16, SyncPulse)>>>;

/// Writes down every pulse.
struct Recorder(Pulses);

impl Behaviour for Recorder {
    fn step(&mut self, _: &mut Plant<'_>, _: u64) {}

    fn takes_pulses(&self) -> bool {
        true
    }

    fn pulse(&mut self, _: &mut Plant<'_>, device: u16, pulse: SyncPulse) {
        self.0.lock().unwrap().push((device, pulse));
    }
}

fn recorded(escs: Vec<Esc>) -> (Wire, Pulses) {
    let pulses = Pulses::default();
    let devices = (0..)
        .zip(escs)
        .map(|(n, esc): (u16, Esc)| Device { name: format!("device {n}"), esc })
        .collect();
    let segment = Segment::from_parts(devices, vec![Box::new(Recorder(Arc::clone(&pulses)))]);
    let mut wire = Wire { segment, now_ns: MS };
    for n in 0..wire.segment.sub_device_count() as u16 {
        let command = ecat_wire::Command::Apwr {
            position: ecat_wire::Command::position(n),
            register: reg::STATION_ADDRESS,
        };
        wire.write(command, &(STATION + n).to_le_bytes());
    }
    (wire, pulses)
}

fn time(wire: &mut Wire) -> u64 {
    u64::from_le_bytes(wire.get(STATION, reg::DC_SYSTEM_TIME, 8).try_into().unwrap())
}

fn next(wire: &mut Wire, register: u16) -> u64 {
    u64::from_le_bytes(wire.get(STATION, register, 8).try_into().unwrap())
}

/// Sets cycle times and a start time, and switches the unit on.
fn start(wire: &mut Wire, at: u64, cycles: [u32; 2], activation: u8) {
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[0]);
    wire.set(STATION, reg::DC_START_TIME, &at.to_le_bytes());
    wire.set(STATION, reg::DC_SYNC0_CYCLE, &cycles[0].to_le_bytes());
    wire.set(STATION, reg::DC_SYNC1_CYCLE, &cycles[1].to_le_bytes());
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[activation]);
}

fn times(pulses: &Pulses, number: u8) -> Vec<u64> {
    let all = pulses.lock().unwrap();
    all.iter().filter(|(_, p)| p.number == number).map(|(_, p)| p.system_time_ns).collect()
}

#[test]
fn sync0_begins_at_its_start_time_and_comes_each_cycle() {
    // Section I, "Cyclic generation"; 0x0984 bit 0: the first pulse is pending.
    let (mut wire, pulses) = recorded(vec![emulated()]);
    let begin = time(&mut wire) + 5 * MS;
    start(&mut wire, begin, [1_000_000, 0], 0x03);
    assert_eq!(wire.get(STATION, reg::DC_ACTIVATION_STATUS, 1), [0x01]);
    assert_eq!(next(&mut wire, reg::DC_START_TIME), begin, "0x0990 reads the next pulse");
    wire.wait_us(5_500);
    assert_eq!(wire.get(STATION, reg::DC_ACTIVATION_STATUS, 1), [0x00]);
    assert_eq!(next(&mut wire, reg::DC_START_TIME), begin + MS);
    wire.wait_us(3_000);
    assert_eq!(times(&pulses, 0), [0, 1, 2, 3].map(|n| begin + n * MS));
    assert_eq!(times(&pulses, 1), [] as [u64; 0], "0x0981 bit 2 is off");
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[0]);
    wire.wait_us(5_000);
    assert_eq!(times(&pulses, 0).len(), 4);
}

#[test]
fn pulses_come_at_the_devices_own_time() {
    // Offset counts, delay does not (section I, table 30).
    let fast = Profile { clock_drift_ppb: 50_000, ..Profile::default() };
    let (mut wire, pulses) = recorded(vec![emulated_with(fast)]);
    wire.set(STATION, reg::DC_SYSTEM_TIME_OFFSET, &1_000_000_000_u64.to_le_bytes());
    wire.set(STATION, reg::DC_SYSTEM_TIME_DELAY, &400_u32.to_le_bytes());
    let begin = time(&mut wire) + 400 + MS;
    let before = wire.now_ns;
    start(&mut wire, begin, [1_000_000, 0], 0x03);
    wire.wait_us(1_000_000);
    let all = pulses.lock().unwrap().clone();
    assert_eq!(all[0].1.system_time_ns, begin);
    assert!(all[0].1.at_ns.abs_diff(before + MS) < 100, "{all:?}");
    // 50 ppm: twenty thousand cycles make a ms more or less.
    let lasted = all[990].1.at_ns - all[0].1.at_ns;
    assert!(lasted.abs_diff(990 * MS - 990 * 50) <= 5, "{lasted}");
}

#[test]
fn sync1_follows_sync0_by_its_cycle_time() {
    // Section I, figure 31; a SYNC1 cycle time of 0 reflects SYNC0.
    let cases: [(u32, [u64; 4]); 4] = [
        (0, [0, 1_000, 2_000, 3_000]),
        (300, [300, 1_300, 2_300, 3_300]),
        (1_000, [1_000, 3_000, 5_000, 7_000]),
        (1_500, [1_500, 3_500, 5_500, 7_500]),
    ];
    for (after_us, expected_us) in cases {
        let (mut wire, pulses) = recorded(vec![emulated()]);
        let begin = time(&mut wire) + MS;
        start(&mut wire, begin, [1_000_000, after_us * 1_000], 0x07);
        assert_eq!(wire.get(STATION, reg::DC_ACTIVATION_STATUS, 1), [0x03]);
        wire.wait_us(9_000);
        let relative: Vec<_> = times(&pulses, 1).iter().map(|at| (at - begin) / 1_000).collect();
        assert_eq!(relative[..4], expected_us, "{after_us} µs");
        assert_eq!(next(&mut wire, reg::DC_NEXT_SYNC1) % 1_000, begin % 1_000);
    }
}

#[test]
fn a_cycle_time_of_0_is_a_single_shot() {
    // Section I, "Single shot mode": another pulse needs the unit off, a new start time, and on again.
    let (mut wire, pulses) = recorded(vec![emulated()]);
    let begin = time(&mut wire) + MS;
    start(&mut wire, begin, [0, 0], 0x03);
    wire.wait_us(10_000);
    assert_eq!(times(&pulses, 0), [begin]);
    let again = time(&mut wire) + MS;
    start(&mut wire, again, [0, 0], 0x03);
    wire.wait_us(10_000);
    assert_eq!(times(&pulses, 0), [begin, again]);
}

#[test]
fn a_start_time_in_the_past_gives_no_pulse_unless_it_is_checked() {
    // 0x0981 bits 5 and 6, 0x0984 bit 2.
    let (mut wire, pulses) = recorded(vec![emulated()]);
    wire.wait_us(10_000);
    start(&mut wire, 1_000, [1_000_000, 0], 0x03);
    assert_eq!(wire.get(STATION, reg::DC_ACTIVATION_STATUS, 1), [0x05]);
    wire.wait_us(10_000);
    assert_eq!(times(&pulses, 0), [] as [u64; 0]);
    start(&mut wire, 1_000, [1_000_000, 0], 0x23);
    assert_eq!(wire.get(STATION, reg::DC_ACTIVATION_STATUS, 1)[0] & 0x04, 0x04);
    wire.wait_us(10_000);
    assert_eq!(times(&pulses, 0).len(), 11);
    // Three seconds ahead is far with bit 6, and near without.
    for (activation, out) in [(0x43, 0x05), (0x03, 0x01)] {
        let begin = time(&mut wire) + 3_000 * MS;
        start(&mut wire, begin, [1_000_000, 0], activation);
        assert_eq!(wire.get(STATION, reg::DC_ACTIVATION_STATUS, 1), [out]);
    }
}

#[test]
fn a_start_time_of_32_bits_wraps_where_the_clock_has_no_more() {
    let narrow = Profile { features: 0x0184, ..Profile::default() };
    let (mut wire, pulses) = recorded(vec![emulated_with(narrow)]);
    wire.wait_us(4_292_500);
    let now = wire.get(STATION, reg::DC_SYSTEM_TIME, 4);
    let now = u32::from_le_bytes(now.try_into().unwrap());
    let begin = now.wrapping_add(2_000_000);
    assert!(begin < now, "it wraps");
    wire.set(STATION, reg::DC_SYNC0_CYCLE, &1_000_000_u32.to_le_bytes());
    wire.set(STATION, reg::DC_START_TIME, &begin.to_le_bytes());
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[0x03]);
    wire.wait_us(2_500);
    assert_eq!(times(&pulses, 0).iter().map(|at| *at as u32).collect::<Vec<_>>(), [begin]);
}

#[test]
fn writing_the_start_time_can_switch_the_unit_on_and_be_extended() {
    // 0x0981 bits 3 (auto-activation) and 4 (32 bits become 64).
    let (mut wire, pulses) = recorded(vec![emulated()]);
    wire.wait_us(6_000_000);
    let begin = time(&mut wire) + MS;
    assert!(begin > u64::from(u32::MAX));
    wire.set(STATION, reg::DC_SYNC0_CYCLE, &1_000_000_u32.to_le_bytes());
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[0x1A]);
    wire.set(STATION, reg::DC_START_TIME, &(begin as u32).to_le_bytes());
    assert_eq!(wire.get(STATION, reg::DC_SYNC_ACTIVATION, 1), [0x1B]);
    wire.wait_us(1_500);
    assert_eq!(times(&pulses, 0), [begin]);
}

#[test]
fn the_debug_bit_gives_one_pulse_at_once_and_reads_0() {
    // 0x0981 bit 7.
    let (mut wire, pulses) = recorded(vec![emulated()]);
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[0x86]);
    assert_eq!(wire.get(STATION, reg::DC_SYNC_ACTIVATION, 1), [0x06]);
    wire.wait_us(1_000);
    assert_eq!((times(&pulses, 0).len(), times(&pulses, 1).len()), (1, 1));
}

#[test]
fn a_unit_that_the_device_has_takes_no_write() {
    // 0x0980 bit 0; the start time is writable while the unit is off.
    let mut wire = Wire::new(vec![emulated()]);
    let registers = [reg::DC_SYNC_ACTIVATION, reg::DC_START_TIME, reg::DC_SYNC0_CYCLE];
    wire.set(STATION, reg::DC_UNIT_CONTROL, &[1]);
    assert_eq!(registers.map(|register| wire.set(STATION, register, &[0; 1])), [0; 3]);
    wire.set(STATION, reg::DC_UNIT_CONTROL, &[0]);
    assert_eq!(registers.map(|register| wire.set(STATION, register, &[0; 1])), [1; 3]);
    wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[1]);
    assert_eq!(wire.set(STATION, reg::DC_START_TIME, &[0; 8]), 0);
    assert_eq!(wire.set(STATION, reg::DC_SYNC0_CYCLE, &[0; 4]), 1);
}

#[test]
fn in_acknowledge_mode_the_status_stays_until_the_device_reads_it() {
    // A pulse length (0x0982, SII word 2) of 0; nobody behind an emulated device reads 0x098E.
    let mut wire = Wire::new(vec![emulated()]);
    assert_eq!(wire.word(STATION, reg::DC_PULSE_LENGTH), 0);
    let begin = time(&mut wire) + MS;
    start(&mut wire, begin, [1_000_000, 0], 0x03);
    assert_eq!(wire.get(STATION, reg::DC_SYNC0_STATUS, 2), [0, 0]);
    wire.wait_us(1_500);
    assert_eq!(wire.get(STATION, reg::DC_SYNC0_STATUS, 2), [1, 0]);
    assert_eq!(wire.get(STATION, reg::DC_SYNC0_STATUS, 2), [1, 0], "the MainDevice's read is none");
    let mut sii = image(0x0100, 0);
    sii[4..6].copy_from_slice(&250_u16.to_le_bytes());
    sii[14] = ecat_wire::sii::checksum(&sii[..14]);
    let mut wire = Wire::new(vec![Esc::new(Profile::default(), sii)]);
    assert_eq!(wire.word(STATION, reg::DC_PULSE_LENGTH), 250);
    let begin = time(&mut wire) + MS;
    start(&mut wire, begin, [1_000_000, 0], 0x03);
    wire.wait_us(1_500);
    assert_eq!(wire.get(STATION, reg::DC_SYNC0_STATUS, 2), [0, 0]);
}

#[test]
fn pulses_go_missing_when_that_is_commanded_or_the_clock_jumps_over_them() {
    let (mut wire, pulses) = recorded(vec![emulated()]);
    let begin = time(&mut wire) + MS;
    start(&mut wire, begin, [1_000_000, 0], 0x03);
    wire.wait_us(2_500);
    wire.segment.apply(SegmentCommand::LosePulses { device: 0, count: 2 }, wire.now_ns);
    wire.wait_us(3_000);
    assert_eq!(times(&pulses, 0), [0, 1, 4].map(|n| begin + n * MS));
    wire.segment.apply(SegmentCommand::StepClock { device: 0, by_ns: 5_000_000 }, wire.now_ns);
    wire.wait_us(10_000);
    assert_eq!(times(&pulses, 0).len(), 3);
}

#[test]
fn two_devices_with_different_crystals_pulse_together_once_their_clocks_do() {
    let description = SegmentDescription::from_json(
        r#"{ "seed": 7, "devices": [
             { "name": "a", "type": "EK1100", "clock": { "driftPpm": -20, "jitterNs": 15 } },
             { "name": "b", "type": "EK1100", "clock": { "driftPpm": 35.5, "jitterNs": 15, "offsetNs": 99 } } ] }"#,
    )
    .unwrap();
    assert_eq!(
        description.devices[0].clock,
        Some(LocalClockDescription { drift_ppm: -20.0, jitter_ns: 15, offset_ns: 0 })
    );
    let images = ecat_simulator::devices::DeviceImage::all(&description).unwrap();
    let escs = images.into_iter().map(|image| Esc::new(image.profile, image.sii)).collect();
    let (mut wire, pulses) = recorded(escs);
    wire.set(STATION + 1, reg::DC_SYSTEM_TIME_DELAY, &150_u32.to_le_bytes());
    let frmw = ecat_wire::Command::Frmw { station: STATION, register: reg::DC_SYSTEM_TIME };
    let cycle = |wire: &mut Wire| {
        wire.wait_us(999);
        assert_eq!(wire.write(frmw, &[0; 8]), 2);
    };
    (0..1_000).for_each(|_| cycle(&mut wire));
    let begin = time(&mut wire) + 10 * MS;
    for station in [STATION, STATION + 1] {
        wire.set(station, reg::DC_START_TIME, &begin.to_le_bytes());
        wire.set(station, reg::DC_SYNC0_CYCLE, &1_000_000_u32.to_le_bytes());
        wire.set(station, reg::DC_SYNC_ACTIVATION, &[0x03]);
    }
    (0..1_000).for_each(|_| cycle(&mut wire));
    let all = pulses.lock().unwrap().clone();
    let of = |device| -> Vec<u64> {
        all.iter().filter(|(n, _)| *n == device).map(|(_, pulse)| pulse.at_ns).collect()
    };
    let apart = of(0).iter().zip(&of(1)).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(of(1).len() > 900 && apart < 60, "{apart} ns apart at most");
}

#[test]
fn a_start_time_behind_the_end_of_the_clock_does_not_let_all_its_pulses_come_at_once() {
    let (mut wire, pulses) = recorded(vec![emulated()]);
    wire.set(STATION, reg::DC_SYSTEM_TIME_OFFSET, &(u64::MAX - 20 * MS).to_le_bytes());
    let at = time(&mut wire).wrapping_add(30 * MS);
    assert!(at < 30 * MS, "it wraps");
    start(&mut wire, at, [1, 0], 0x03);
    wire.wait_us(2_000);
    assert!(times(&pulses, 0).len() < 10_000);
    assert_eq!(wire.get(STATION, reg::TYPE, 1), [0x11]);
}

#[test]
fn pulses_of_a_nanosecond_and_times_at_the_end_of_the_clock_end() {
    // Found by `fuzz/`: a tick that counted each of them, or never ended.
    let (mut wire, pulses) = recorded(vec![emulated()]);
    let begin = time(&mut wire) + MS;
    start(&mut wire, begin, [1, 1], 0x07);
    wire.wait_us(20_000);
    assert_eq!(wire.word(STATION, reg::AL_STATUS), 1);
    assert!(pulses.lock().unwrap().len() < 100_000);
    for short_of_the_end_ns in [0, 1, 3 * MS, 10 * MS] {
        wire.set(STATION, reg::DC_SYNC_ACTIVATION, &[0]);
        let offset = 0_u64.wrapping_sub(short_of_the_end_ns).wrapping_sub(wire.now_ns);
        wire.set(STATION, reg::DC_SYSTEM_TIME_OFFSET, &offset.to_le_bytes());
        let begin = time(&mut wire).wrapping_add(1);
        start(&mut wire, begin, [1_000_000, 500_000], 0x27);
        wire.wait_us(20_000);
        assert_eq!(wire.word(STATION, reg::AL_STATUS), 1, "{short_of_the_end_ns} ns");
    }
}
