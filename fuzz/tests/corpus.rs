//! The inputs that were kept, and some thousand changes of them. The seed of a run is printed where it fails.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ecat_fuzz::{Mutator, Target, Targets};

fn corpus(target: Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name());
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("an input")).collect()
}

#[test]
fn no_input_that_was_kept_panics() {
    for target in Target::ALL {
        let inputs = corpus(target);
        assert!(inputs.len() > 10, "{target:?} has a corpus");
        let mut targets = Targets::new();
        for input in &inputs {
            targets.run(target, input);
        }
    }
}

#[test]
fn changes_of_them_do_not_either() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs());
    for target in Target::ALL {
        let inputs = corpus(target);
        let (mut targets, mut mutator) = (Targets::new(), Mutator::new(seed));
        for number in 0..1_000 {
            let input = mutator.next(target, &inputs);
            let run = catch_unwind(AssertUnwindSafe(|| targets.run(target, &input)));
            assert!(run.is_ok(), "change {number} of seed {seed} of {target:?}");
        }
    }
}
