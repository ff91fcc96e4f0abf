//! Virtual time: a segment is a function of its seed and of what it is sent, and quick.

mod plant;

use plant::run;

const CYCLES: u64 = 5_000;

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    // Drift, jitter, SYNC0, signals, wires, mail.
    let first = run(1, CYCLES);
    assert!(first.good > CYCLES * 9 / 10, "{first:?}");
    assert_eq!(first.answers, CYCLES / 10, "{first:?}");
    assert_eq!(run(1, CYCLES), first);
    let other = run(2, CYCLES);
    assert_ne!(other.hash, first.hash);
    assert_eq!((other.frames, other.answers), (first.frames, first.answers));
}
