//! Interlocks over lanes: what is sent while one forces, and after it.

use ecat_engine::error::ErrorCode;
use ecat_engine::shared::layout::InterlockState;
use ecat_engine::shared::{
    Acknowledged, BitsKind, Claims, Comparison, InterlockEventKind, InterlockSpec, Threshold,
};

use crate::plant::{OUTPUT_BYTES, Plant, bytes, bytes_or, owner, within};

const FIRED: InterlockEventKind = InterlockEventKind::Fired { invalid: false };
const INVALID: InterlockEventKind = InterlockEventKind::Fired { invalid: true };
const RELEASED: InterlockEventKind = InterlockEventKind::Released { removed: false };
const REMOVED: InterlockEventKind = InterlockEventKind::Released { removed: true };
const REFUSED: InterlockEventKind = InterlockEventKind::Refused;

/// Fires while the first input bit is 1, and forces a byte to 0x55. SubDevice 0 has the first two input
/// bytes, SubDevice 1 the others.
fn guard(name: &str, bit_offset: u32, forced: usize) -> InterlockSpec {
    InterlockSpec {
        name: name.to_owned(),
        bit_offset,
        bit_length: 1,
        kind: BitsKind::Unsigned,
        when: Comparison::Is(Threshold::Integer(1)),
        force_mask: within(forced..forced + 1, 0xFF).into(),
        force_image: within(forced..forced + 1, 0x55).into(),
    }
}

impl Plant {
    fn declare(&self, specs: &[InterlockSpec]) -> Vec<u32> {
        self.registry.set_interlocks(specs, &[0..2, 2..4]).unwrap()
    }

    fn kinds(&mut self) -> Vec<(u32, InterlockEventKind)> {
        self.interlock_events.drain(..).map(|event| (event.slot, event.kind)).collect()
    }

    fn state(&self, slot: usize) -> Option<InterlockState> {
        let word = self.memory.interlocks().states[slot].load(std::sync::atomic::Ordering::Acquire);
        InterlockState::from_number(word as u32)
    }

    /// With an owner of everything that has committed 9, and a guard over byte 3.
    fn guarded() -> Self {
        let mut plant = Self::new();
        let mut lane = plant.claim(0, &bytes(0..OUTPUT_BYTES));
        lane.commit(&[9; OUTPUT_BYTES]);
        assert_eq!(plant.declare(&[guard("guard", 0, 3)]), [0]);
        plant.run();
        plant
    }
}

fn forced() -> [u8; OUTPUT_BYTES] {
    let mut image = [9; OUTPUT_BYTES];
    image[3] = 0x55;
    image
}

#[test]
fn a_condition_forces_with_the_very_next_frame_and_latches_until_it_is_acknowledged() {
    let mut plant = Plant::guarded();
    assert_eq!(plant.run(), [9; OUTPUT_BYTES]);
    plant.inputs[0] = 1;
    assert_eq!(plant.run(), [9; OUTPUT_BYTES], "this cycle's frame had left");
    assert_eq!(plant.kinds(), [(0, FIRED)]);
    assert_eq!(plant.run(), forced());
    let interlocks = plant.memory.interlocks();
    assert_eq!(interlocks.acknowledge(0), Acknowledged::Holds);
    plant.inputs[0] = 0;
    plant.run_many(5);
    assert_eq!((plant.run(), plant.state(0)), (forced(), Some(InterlockState::Latched)));
    assert_eq!(plant.kinds(), []);
    assert_eq!(interlocks.acknowledge(0), Acknowledged::Requested);
    assert_eq!(plant.run(), forced());
    assert_eq!(plant.kinds(), [(0, RELEASED)]);
    // What the lane wants, without another commit.
    assert_eq!((plant.run(), plant.state(0)), ([9; OUTPUT_BYTES], Some(InterlockState::Armed)));
    assert_eq!(interlocks.acknowledge(0), Acknowledged::NotFired);
    assert_eq!(interlocks.acknowledge(1_000), Acknowledged::NotFired);
}

#[test]
fn an_acknowledgement_that_meets_the_condition_again_is_refused_and_used_up() {
    let mut plant = Plant::guarded();
    plant.inputs[0] = 1;
    plant.run();
    plant.inputs[0] = 0;
    plant.run();
    let interlocks = plant.memory.interlocks();
    assert_eq!(interlocks.acknowledge(0), Acknowledged::Requested);
    plant.inputs[0] = 1;
    plant.run();
    assert_eq!(plant.kinds(), [(0, FIRED), (0, REFUSED)]);
    plant.inputs[0] = 0;
    plant.run_many(4);
    assert_eq!((plant.run(), plant.kinds()), (forced(), vec![]));
    assert_eq!(interlocks.acknowledge(0), Acknowledged::Requested);
    plant.run();
    assert_eq!(plant.run(), [9; OUTPUT_BYTES]);
}

#[test]
fn an_input_that_is_not_good_fires_but_not_before_it_was_good_once() {
    let mut plant = Plant::new();
    let mut lane = plant.claim(0, &bytes(0..OUTPUT_BYTES));
    lane.commit(&[9; OUTPUT_BYTES]);
    plant.declare(&[guard("guard", 0, 3)]);
    plant.quality = [3, 3];
    // Nobody knows the input yet: forced, and nothing to acknowledge.
    assert_eq!(plant.run(), forced());
    assert_eq!((plant.run(), plant.state(0)), (forced(), Some(InterlockState::Waiting)));
    plant.quality = [0, 3];
    plant.run();
    assert_eq!((plant.run(), plant.kinds()), ([9; OUTPUT_BYTES], vec![]));
    plant.quality = [1, 0];
    plant.run();
    assert_eq!((plant.run(), plant.kinds()), (forced(), vec![(0, INVALID)]));
    assert_eq!(plant.memory.interlocks().acknowledge(0), Acknowledged::Holds);
    plant.quality = [0, 3];
    plant.run();
    assert_eq!(plant.memory.interlocks().acknowledge(0), Acknowledged::Requested);
    plant.run();
    assert_eq!((plant.run(), plant.kinds()), ([9; OUTPUT_BYTES], vec![(0, RELEASED)]));
}

#[test]
fn an_interlock_outweighs_loss_values_and_whoever_resumes_finds_what_was_sent() {
    let mut plant = Plant::new();
    let claims = Claims { deadline_cycles: 2, ..bytes_or(0..OUTPUT_BYTES, 0xEE) };
    let mut lane = plant.claim(0, &claims);
    lane.commit(&[9; OUTPUT_BYTES]);
    plant.declare(&[guard("guard", 0, 3)]);
    plant.inputs[0] = 1;
    plant.run_many(5);
    let mut expected = [0xEE; OUTPUT_BYTES];
    expected[3] = 0x55;
    assert_eq!(plant.run(), expected);
    let mut shadow = [0; OUTPUT_BYTES];
    lane.resume(&mut shadow).unwrap();
    assert_eq!(shadow, expected);
    // Also on the way down.
    let image: [u8; OUTPUT_BYTES] = plant.merger.lose_all(plant.cycle).try_into().unwrap();
    assert_eq!(image, expected);
}

#[test]
fn declared_anew_a_name_keeps_its_latch_and_a_new_one_forces_nothing_without_a_cause() {
    let mut plant = Plant::guarded();
    plant.inputs[0] = 1;
    plant.run();
    plant.inputs[0] = 0;
    plant.run();
    plant.kinds();
    let slots = plant.declare(&[guard("door", 9, 5), guard("guard", 0, 3)]);
    assert_eq!(slots, [1, 0], "the place of a name stays");
    assert_eq!((plant.run(), plant.kinds()), (forced(), vec![]));
    assert_eq!(plant.state(1), Some(InterlockState::Armed));
    // One that is not declared any more is released.
    assert_eq!(plant.declare(&[guard("door", 9, 5)]), [1]);
    assert_eq!((plant.run(), plant.kinds()), ([9; OUTPUT_BYTES], vec![(0, REMOVED)]));
    assert_eq!(plant.state(0), Some(InterlockState::Unused));
    // Its place can be another's, whom the old latch does not concern.
    assert_eq!(plant.declare(&[guard("other", 8, 7), guard("door", 9, 5)]), [0, 1]);
    assert_eq!((plant.run(), plant.kinds()), ([9; OUTPUT_BYTES], vec![]));
    assert_eq!(plant.state(0), Some(InterlockState::Armed));
    let mut wrong = guard("wrong", 12, 3);
    wrong.bit_length = 8;
    let error = plant.registry.set_interlocks(&[wrong], &[0..2, 2..4]).unwrap_err();
    assert_eq!(error.first.code, ErrorCode::InvalidArgument);
    plant.run();
    assert_eq!(plant.state(1), Some(InterlockState::Armed), "nothing was changed");
}

#[test]
fn claims_that_change_leave_the_interlocks_alone() {
    let mut plant = Plant::guarded();
    plant.inputs[0] = 1;
    plant.run();
    plant.registry.release(0, owner(0)).unwrap();
    plant.run_many(2);
    let _second = plant.claim(1, &bytes(3..4));
    assert_eq!(plant.run()[3], 0x55);
    assert_eq!(plant.kinds(), [(0, FIRED)]);
}
