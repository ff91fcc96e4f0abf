//! Modules that are plugged, pulled and configured in any order: no panic, and SAFE-OP is refused for them exactly while
//! the lists differ.

use ecat_simulator::SegmentCommand;
use ecat_wire::{Command, register as reg};
use proptest::prelude::*;

use crate::mailbox::{Post, STATION};

const DEVICE: &str =
    r#"{"devices":[{"type":"modular-coupler","modules":[{"module":"8DI"},{"module":"2AO"}]}]}"#;
const SLOTS: usize = 8;
const OTHER_MODULES: u16 = 0x70;
/// All that there are.
const KINDS: [u32; 7] = [0x0401, 0x0801, 0x0402, 0x0802, 0x0203, 0x0204, 0x0105];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Into a slot of 0 to 9; no module with 0.
    Plug(u8, u32),
    Configure(u8, u32),
    Count(u8),
    SafeOp,
    Power,
}

fn step() -> impl Strategy<Value = Step> {
    let module = || prop::sample::select([&KINDS[..], &[0, 0, 0x4711]].concat());
    prop_oneof![
        4 => (0..10_u8, module()).prop_map(|(slot, ident)| Step::Plug(slot, ident)),
        4 => (1..9_u8, module()).prop_map(|(slot, ident)| Step::Configure(slot, ident)),
        2 => (0..10_u8).prop_map(Step::Count),
        3 => Just(Step::SafeOp),
        1 => Just(Step::Power),
    ]
}

/// What a coupler must know.
struct Known {
    plugged: [u32; SLOTS],
    listed: [u32; SLOTS],
    count: u8,
}

impl Known {
    fn power_on(plugged: [u32; SLOTS]) -> Self {
        let count = plugged.iter().rposition(|ident| *ident != 0).map_or(0, |at| at + 1) as u8;
        Self { plugged, listed: plugged, count }
    }

    fn configured(&self) -> [u32; SLOTS] {
        let mut configured = self.listed;
        configured[usize::from(self.count)..].fill(0);
        configured
    }
}

fn entry(post: &mut Post, index: u16, subindex: u8) -> u32 {
    let [low, high] = index.to_le_bytes();
    let answer = post.sdo(&[0x40, low, high, subindex, 0, 0, 0, 0]);
    assert_ne!(answer[0], 0x80, "{index:#x}:{subindex} aborted: {answer:x?}");
    u32::from_le_bytes(answer[4..8].try_into().unwrap())
}

fn apply(post: &mut Post, command: SegmentCommand) {
    post.wire.segment.apply(command, post.wire.now_ns);
}

fn run(steps: &[Step]) {
    let mut post = Post::of_segment(DEVICE, 256);
    let mut plugged = [0; SLOTS];
    (plugged[0], plugged[1]) = (0x0801, 0x0204);
    let mut known = Known::power_on(plugged);
    for step in steps {
        match *step {
            Step::Plug(slot, module) => {
                let command = match module {
                    0 => SegmentCommand::PullModule { device: 0, slot },
                    module => SegmentCommand::PlugModule { device: 0, slot, module },
                };
                apply(&mut post, command);
                if let Some(at) = usize::from(slot).checked_sub(1).filter(|at| *at < SLOTS) {
                    let changes = known.plugged[at] != module;
                    known.plugged[at] = module;
                    post.wire.wait_us(2_000);
                    // An emergency that names the slot, and none where nothing changed.
                    let emergency = post.read().map(|(_, body)| (body[1] >> 4, body[5]));
                    assert_eq!(emergency, changes.then_some((1, slot)), "{step:?}");
                }
            }
            Step::Configure(slot, ident) => {
                let body = [&[0x23, 0x30, 0xF0, slot], &ident.to_le_bytes()[..]].concat();
                let known_one = ident == 0 || KINDS.contains(&ident);
                assert_eq!(post.sdo(&body)[0] == 0x60, known_one, "{step:?}");
                if known_one {
                    known.listed[usize::from(slot) - 1] = ident;
                }
            }
            Step::Count(count) => {
                let taken = post.sdo(&[0x2F, 0x30, 0xF0, 0, count, 0, 0, 0])[0] == 0x60;
                assert_eq!(taken, usize::from(count) <= SLOTS, "{step:?}");
                if taken {
                    known.count = count;
                }
            }
            Step::SafeOp => {
                let (status, code) = post.request_state(4);
                let differ = known.configured() != known.plugged;
                assert_eq!(code == OTHER_MODULES, differ, "{status:#x} {code:#x}");
                while post.read().is_some() {
                    post.wire.wait_us(2_000);
                }
                assert_eq!(post.request_state(2), (2, 0));
            }
            Step::Power => {
                apply(&mut post, SegmentCommand::Unplug { device: 0 });
                apply(&mut post, SegmentCommand::Plug { device: 0 });
                post.wire.wait_us(500_000);
                let address = Command::Apwr { position: 0, register: reg::STATION_ADDRESS };
                assert_eq!(post.wire.write(address, &STATION.to_le_bytes()), 1);
                post.open();
                assert_eq!(post.request_state(2), (2, 0));
                known = Known::power_on(known.plugged);
            }
        }
        for slot in 0..SLOTS {
            assert_eq!(entry(&mut post, 0xF050, slot as u8 + 1), known.plugged[slot], "{step:?}");
        }
        // PDOs are those of the configured modules, each with the objects that it carries.
        let configured = known.configured();
        for (assignment, carries) in [(0x1C12, [0x2, 0x4, 0x5]), (0x1C13, [0x1, 0x3, 0x5])] {
            // One that the coupler does not know has none.
            let kinds = configured.iter().filter(|ident| KINDS.contains(ident));
            let wanted = kinds.filter(|ident| carries.contains(&(*ident & 0xF))).count();
            let own = usize::from(assignment == 0x1C13);
            let count = entry(&mut post, assignment, 0) & 0xFF;
            assert_eq!(count as usize, wanted + own, "{step:?} {configured:x?}");
            for n in 1..=count as u8 {
                let pdo = entry(&mut post, assignment, n) as u16;
                for mapped in 1..=entry(&mut post, pdo, 0) as u8 {
                    let object = entry(&mut post, pdo, mapped);
                    if object >> 16 != 0 {
                        entry(&mut post, (object >> 16) as u16, (object >> 8) as u8);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn modules_in_any_order_keep_lists_objects_and_states_in_step(
        steps in prop::collection::vec(step(), 1..14)
    ) {
        run(&steps);
    }
}
