//! A recording of real hardware, played to the simulated devices: an EK1100, an EL2828 and an EL2889 that
//! ethercrab took from INIT to OP.

use std::fs;

use ecat_simulator::description::DeviceDescription;
use ecat_simulator::{ReplayReport, SegmentDescription, replay};
use ecat_wire::Command;
use ecat_wire::frame::datagrams;
use ecat_wire::register as reg;
use proptest::prelude::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../test/fixtures");

fn segment() -> SegmentDescription {
    let mut description = SegmentDescription::default();
    for name in ["ek1100", "el2828", "el2889"] {
        let sii = fs::read(format!("{FIXTURES}/eeprom/{name}.bin")).expect("an image");
        description.devices.push(DeviceDescription { sii: Some(sii), ..Default::default() });
    }
    description
}

fn recording() -> Vec<u8> {
    fs::read(format!("{FIXTURES}/captures/ek1100-el2828-el2889.pcapng")).expect("a recording")
}

fn sum(report: &ReplayReport) -> usize {
    let counts = report.counts;
    counts.identical
        + counts.clock
        + counts.live
        + counts.unanswered
        + counts.skipped
        + counts.structural
}

#[test]
fn recorded_devices_and_simulated_ones_answer_alike() {
    let report = replay(&recording(), &segment()).expect("a capture and a segment");
    assert_eq!(report.differences, []);
    assert_eq!((report.counts.total, report.counts.clock), (2_062, 104));
    assert_eq!((report.counts.structural, sum(&report)), (0, 2_062));
    assert!(report.clocks.iter().all(|clock| clock.worst_residual_ns < 10_000), "{report:?}");
}

/// A capture that can be written again: the frames with their times in ns.
#[derive(Clone)]
struct Capture(Vec<(u64, Vec<u8>)>);

impl Capture {
    /// The beginning of the recording.
    fn begin(frames: usize) -> Self {
        let file = recording();
        let packets = ecat_simulator::replay::packets(&file).expect("a recording");
        Self(packets[..frames].iter().map(|one| (one.time_ns, one.bytes.to_vec())).collect())
    }

    fn pcap(&self) -> Vec<u8> {
        let mut words = vec![0xA1B2_3C4D, 0x0004_0002, 0, 0, 65_535, 1];
        let mut file = Vec::new();
        for (time_ns, frame) in &self.0 {
            let length = frame.len() as u32;
            words.extend([
                (time_ns / 1_000_000_000) as u32,
                (time_ns % 1_000_000_000) as u32,
                length,
                length,
            ]);
            file.extend(words.drain(..).flat_map(u32::to_le_bytes));
            file.extend(frame);
        }
        file
    }
}

/// Where the fields of a frame stand that somebody may have changed.
fn fields(frame: &[u8], request: bool) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    found.push(14..16);
    let mut at = 16;
    for datagram in datagrams(frame).unwrap().map(Result::unwrap) {
        let data = at + 10..at + 10 + datagram.data.len();
        found.extend([at..at + 1, at + 1..at + 2, at + 2..at + 6, at + 6..at + 8, at + 8..at + 10]);
        found.push(data.end..data.end + 2);
        let (reads, register) = match Command::parse(datagram.code, datagram.address).unwrap() {
            Command::Fprd { register, .. }
            | Command::Frmw { register, .. }
            | Command::Brd { register } => (true, register),
            Command::Fpwr { register, .. }
            | Command::Apwr { register, .. }
            | Command::Bwr { register } => (false, register),
            other => panic!("{other:?}"),
        };
        // What a reading request brings along is overwritten, and clocks have a model.
        let clock = (reg::DC_RECEIVE_TIME..reg::DC_SPEED_START).contains(&register);
        if !(reads && (request || clock)) {
            found.extend(data.clone().map(|byte| byte..byte + 1));
        }
        at = data.end + 2;
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_capture_with_one_field_changed_is_told(
        frame in 0..300_usize, pick in any::<prop::sample::Index>(), bit in 0..32_usize,
    ) {
        let segment = segment();
        let mut capture = Capture::begin(300);
        prop_assert_eq!(replay(&capture.pcap(), &segment).unwrap().counts.structural, 0);
        let bytes = &mut capture.0[frame].1;
        let fields = fields(bytes, bytes[6] & 2 == 0);
        let field = &fields[pick.index(fields.len())];
        let at = field.start + bit / 8 % field.len();
        bytes[at] ^= 1 << (bit % 8);
        let report = replay(&capture.pcap(), &segment).unwrap();
        prop_assert!(report.counts.structural > 0, "byte {} of frame {}: {:?}", at, frame + 1, report);
        prop_assert_eq!(sum(&report), report.counts.total);
    }

    #[test]
    fn a_capture_of_anything_is_replayed_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut capture = Capture::begin(200);
        for pick in order {
            let from = pick.index(capture.0.len());
            let moved = capture.0.remove(from);
            capture.0.push(moved);
        }
        let mut file = capture.pcap();
        for (pick, value) in changes {
            let at = 24 + pick.index(file.len() - 24);
            file[at] = value;
        }
        if let Ok(report) = replay(&file, &segment()) {
            prop_assert_eq!(sum(&report), report.counts.total);
        }
    }
}
