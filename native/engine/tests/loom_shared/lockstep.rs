//! Consumers in lockstep: no acknowledgement is slept through, and what was committed before it is found.

use std::sync::Arc;

use ecat_engine::shared::atomics::{Ordering, Word};
use ecat_engine::shared::consumers::{ConsumerMemory, ConsumerRegistry, Lockstep};
use ecat_engine::shared::layout::{ConsumerLine, Control};

use crate::atomics::{Loom, U32, explore};

fn consumers() -> (ConsumerRegistry<Loom>, Lockstep<Loom>) {
    let lines = (0..2).map(|_| Arc::new(ConsumerLine::zeroed())).collect();
    let memory = ConsumerMemory { lines, control: Arc::new(Control::zeroed()) };
    (ConsumerRegistry::new(memory.clone()), Lockstep::new(memory))
}

/// What the cycle thread does before it sleeps: whether it would.
fn would_sleep(lockstep: &mut Lockstep<Loom>, cycle: u32) -> bool {
    if lockstep.missing(cycle).is_none() {
        return false;
    }
    lockstep.announce();
    lockstep.missing(cycle).is_some()
}

#[test]
fn an_acknowledgement_is_seen_or_rings() {
    explore(3, || {
        let (registry, mut lockstep) = consumers();
        assert_eq!(registry.register().unwrap(), 0);
        let committed: Arc<U32> = Arc::new(Word::new(0));
        let writes = Arc::clone(&committed);
        let consuming = loom::thread::spawn(move || {
            writes.store(1, Ordering::Relaxed);
            registry.memory().acknowledge(0, 1)
        });
        let cycling = loom::thread::spawn(move || {
            let sleeps = would_sleep(&mut lockstep, 1);
            if !sleeps {
                assert_eq!(
                    committed.load(Ordering::Relaxed),
                    1,
                    "the cycle runs without the write"
                );
            }
            sleeps
        });
        let (rung, sleeps) = (consuming.join().unwrap(), cycling.join().unwrap());
        assert!(rung || !sleeps, "the cycle thread sleeps through an acknowledgement");
    });
}

#[test]
fn a_consumer_that_goes_is_seen_or_rings() {
    explore(3, || {
        let (registry, mut lockstep) = consumers();
        registry.register().unwrap();
        let going = loom::thread::spawn(move || registry.unregister(0));
        let cycling = loom::thread::spawn(move || would_sleep(&mut lockstep, 1));
        let (rung, sleeps) = (going.join().unwrap(), cycling.join().unwrap());
        assert!(rung || !sleeps, "the cycle thread waits for nobody");
    });
}

#[test]
fn a_consumer_that_registers_is_not_late_at_once() {
    explore(3, || {
        let (registry, mut lockstep) = consumers();
        // The newest cycle is 0: a new consumer is done with it.
        let coming = loom::thread::spawn(move || registry.register().unwrap());
        let cycling = loom::thread::spawn(move || {
            let missing = lockstep.missing(0);
            assert!(missing.is_none(), "{missing:?}");
        });
        coming.join().unwrap();
        cycling.join().unwrap();
    });
}
