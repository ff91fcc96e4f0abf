//! Interlocks: an acknowledgement releases what was seen, and nothing that came after.

use std::sync::Arc;

use ecat_engine::shared::interlock::{
    BitsKind, Comparison, Interlock, InterlockSpec, Threshold, compile,
};
use ecat_engine::shared::interlocks::{
    Acknowledged, InterlockEventKind, InterlockMemory, InterlockRunner, Seen,
};

use crate::atomics::{Loom, explore, race, words};

fn memory() -> InterlockMemory<Loom> {
    InterlockMemory { states: words(1), acknowledgements: words(1) }
}

/// The cycle thread's end, without interlocks.
pub fn runner() -> InterlockRunner<Loom> {
    InterlockRunner::new(memory())
}

fn guard() -> Arc<[Interlock]> {
    let spec = InterlockSpec {
        name: "guard".to_owned(),
        bit_offset: 0,
        bit_length: 1,
        kind: BitsKind::Unsigned,
        when: Comparison::Is(Threshold::Integer(1)),
        force_mask: [1].into(),
        force_image: [0].into(),
    };
    compile(&[spec], 1, std::slice::from_ref(&(0..1)), |_| (0, 1)).unwrap()
}

#[test]
fn an_acknowledgement_never_releases_a_later_firing() {
    explore(2, || {
        let memory = memory();
        let mut runner = InterlockRunner::new(memory.clone());
        let set = guard();
        let mut run = move |inputs: &[u8]| {
            let (seen, mut events) = (Seen { inputs, quality: &[0] }, Vec::new());
            runner.evaluate(&set, seen, |event| events.push(event.kind));
            (events, runner.forces(0))
        };
        run(&[1]);
        assert!(run(&[0]).1, "latched");
        let cycling = move || {
            // It fires a second time, and falls; whoever acknowledges may have seen only the first.
            let (first, _) = run(&[1]);
            let (second, forces) = run(&[0]);
            (first, second, forces, run)
        };
        let acknowledging = move || memory.acknowledge(0);
        let (acknowledged, (first, second, forces, mut run)) = {
            let acknowledging = loom::thread::spawn(acknowledging);
            let cycling = loom::thread::spawn(cycling);
            (acknowledging.join().unwrap(), cycling.join().unwrap())
        };
        let refused = first.contains(&InterlockEventKind::Refused);
        assert!(second.is_empty(), "released in the cycle after it fired again: {second:?}");
        assert!(forces);
        let (events, forces) = run(&[0]);
        match acknowledged {
            // What holds is said to hold, at once.
            Acknowledged::Holds => assert!(!refused && events.is_empty() && forces),
            // Seen latched: either for the first time, then refused or overtaken; or for the second.
            Acknowledged::Requested => assert!(!refused || forces),
            Acknowledged::NotFired => panic!("it had fired"),
        }
    });
}

#[test]
fn an_acknowledgement_of_what_is_latched_arrives_with_the_next_cycle() {
    explore(3, || {
        let memory = memory();
        let mut runner = InterlockRunner::new(memory.clone());
        let set = guard();
        let mut run = move |inputs: &[u8]| {
            runner.evaluate(&set, Seen { inputs, quality: &[0] }, |_| ());
            runner.forces(0)
        };
        run(&[1]);
        run(&[0]);
        let acknowledging = move || assert_eq!(memory.acknowledge(0), Acknowledged::Requested);
        let mut run = race(acknowledging, move || {
            run(&[0]);
            run
        });
        assert!(!run(&[0]), "an acknowledgement was lost");
    });
}
