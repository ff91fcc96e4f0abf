//! Any composition of faults: nothing panics, and equal seeds give equal traces.

use ecat_simulator::faults::{EepromError, Frames, Identity, Way};
use ecat_simulator::{Effect, Fault, MailEffect, When};
use proptest::prelude::*;

use crate::bench::{Bench, MS};

fn effects() -> impl Strategy<Value = Effect> {
    prop_oneof![
        Just(Effect::Drop {}),
        (0_u16..200).prop_map(|bytes| Effect::Truncate { bytes }),
        (0_u32..5, proptest::option::of(0..5 * MS))
            .prop_map(|(by_frames, by_ns)| Effect::Delay { by_frames, by_ns }),
        (0_u8..5).prop_map(|copies| Effect::Duplicate { copies }),
        (0_u32..5).prop_map(|by| Effect::Reorder { by }),
        (0_u8..10).prop_map(|age| Effect::Replay { age }),
        any::<u8>().prop_map(|by| Effect::WrongIndex { by }),
        any::<i16>().prop_map(|by| Effect::WrongLength { by }),
        (0_u16..80, any::<u8>()).prop_map(|(offset, mask)| Effect::FlipBits { offset, mask }),
        any::<i16>().prop_map(|by| Effect::WorkingCounter { by }),
        Just(Effect::Corrupt {}),
        Just(Effect::Cut {}),
        Just(Effect::PortClosed {}),
        Just(Effect::CarrierLoss {}),
        (0_u16..4).prop_map(|with| Effect::Swap { with }),
        Just(Effect::PowerOff {}),
        Just(Effect::Bypass {}),
        Just(Effect::Reset {}),
        Just(Effect::PdiHang {}),
        any::<u32>().prop_map(|serial| {
            Effect::Identity(Identity { serial: Some(serial), ..Identity::default() })
        }),
        Just(Effect::SiiEmpty {}),
        Just(Effect::EepromBusy {}),
        Just(Effect::EepromError { error: EepromError::Acknowledge }),
        Just(Effect::LeaveState { state: 4, code: 1 }),
        Just(Effect::Watchdog {}),
        Just(Effect::Mail { does: MailEffect::LoseReply, protocol: None }),
        Just(Effect::Emergency { code: 1, register: 0, data: [0; 5], times: 3 }),
        (-500_000..500_000).prop_map(|ppb| Effect::ClockDrift { ppb }),
        any::<i64>().prop_map(|by_ns| Effect::ClockStep { by_ns }),
        any::<u16>().prop_map(|ns| Effect::ClockJitter { ns }),
        Just(Effect::Sync0Loss {}),
        Just(Effect::PllLoss {}),
    ]
}

fn whens() -> impl Strategy<Value = When> {
    (
        0..20 * MS,
        proptest::option::of(0..30 * MS),
        0_u32..3,
        proptest::option::of(1_u32..6),
        proptest::option::of(0_u32..1_000_000),
        proptest::option::of((1..3 * MS, 0..3 * MS)),
    )
        .prop_map(|(after_ns, for_ns, after, count, rate_ppm, flaps)| When {
            after_ns,
            for_ns,
            after,
            count,
            rate_ppm,
            on_ns: flaps.map(|(on, _)| on),
            off_ns: flaps.map(|(_, off)| off),
            ..When::default()
        })
}

fn faults() -> impl Strategy<Value = Fault> {
    (effects(), whens(), 0_u16..4, 0_u8..4, any::<bool>()).prop_map(
        |(effect, when, device, port, out)| {
            let mut fault = Fault::on_device(device, effect).when(when);
            // Whichever place fits.
            if fault.checked().is_err() {
                fault.on.port = Some(port);
            }
            if fault.checked().is_err() {
                fault = Fault::on_link(if out { Way::Out } else { Way::In }, effect).when(when);
            }
            if out && fault.on.link.is_some() && effect != (Effect::CarrierLoss {}) {
                fault =
                    fault.carrying(Frames { device: Some(device), ..Frames::of(&["LRW", "BRD"]) });
            }
            fault
        },
    )
}

/// All answers and hits of a plant with these faults.
fn trace(faults: &[Fault]) -> (Vec<Vec<u8>>, Vec<String>) {
    let mut bench = Bench::new();
    for fault in faults {
        // Those that fit nowhere are refused.
        let now_ns = bench.now_ns;
        let _refused = bench.with_segment(|segment| segment.inject(*fault, now_ns));
    }
    let mut answers = Vec::new();
    for n in 0..60 {
        let brd = ecat_wire::Command::Brd { register: 0 };
        let lrw = ecat_wire::Command::Lrw { logical: crate::bench::LOGICAL };
        let _down = bench.send(if n % 3 == 0 { brd } else { lrw }, &[0x5A; 11]);
        let mut buffer = [0; 1_600];
        let now_ns = bench.now_ns;
        while let Ok(Some(length)) = bench.port(0).receive(&mut buffer, now_ns) {
            answers.push(buffer[..length].to_vec());
        }
    }
    let hits = bench.with_segment(ecat_simulator::Segment::read_hits).hits;
    (answers, hits.iter().map(|hit| format!("{hit:?}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_composition_of_faults_gives_the_same_trace_twice(
        faults in proptest::collection::vec(faults(), 0..8),
    ) {
        prop_assert_eq!(trace(&faults), trace(&faults));
    }
}
