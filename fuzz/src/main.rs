//! Runs inputs, and keeps those in which a target saw something new.
//!
//! ```text
//! cargo run --release -p ecat-fuzz -- TARGET INPUTS [SEED]
//! ```
//! The last thousand inputs of a run that panics are written to `ecat-fuzz-failure` in the folder for temporary files; what is new goes to
//! `fuzz/corpus/TARGET`, as small as it can be made, until there are [`KEPT_MAX`].

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ecat_fuzz::{Mutator, Target, Targets};

/// A corpus is for reading by a test within a second, not for everything that was ever seen.
const KEPT_MAX: usize = 120;
/// What a run has in memory at most, in addition to the files.
const POOL_MAX: usize = 4_000;
/// More memory than this is without bound, in 4 KB pages.
const PAGES_MAX: usize = 512 << 8;
/// An input that takes longer is worth looking at.
const SLOW: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let inputs = words.next().and_then(|word| word.parse().ok()).unwrap_or(100_000_u64);
    let seed = words.next().and_then(|word| word.parse().ok()).unwrap_or(1_u64);
    let Some(target) = Target::ALL.into_iter().find(|target| target.name() == name) else {
        let names: Vec<_> = Target::ALL.iter().map(|target| target.name()).collect();
        eprintln!("ecat-fuzz {} [INPUTS] [SEED]", names.join("|"));
        return ExitCode::FAILURE;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name());
    match run(target, inputs, seed, &folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("ecat-fuzz: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(target: Target, inputs: u64, seed: u64, folder: &Path) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    fs::create_dir_all(folder).map_err(said)?;
    let mut pool = Vec::new();
    for entry in fs::read_dir(folder).map_err(said)? {
        pool.push(fs::read(entry.map_err(said)?.path()).map_err(said)?);
    }
    let mut kept = pool.len();
    let mut targets = Targets::new();
    let mut seen: HashSet<u64> = pool.iter().map(|input| targets.run(target, input)).collect();
    let mut mutator = Mutator::new(seed);
    let mut recent: Vec<Vec<u8>> = Vec::new();
    let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
    for number in 1..=inputs {
        let input = mutator.next(target, &pool);
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| targets.run(target, &input)));
        let took = started.elapsed();
        slowest = slowest.max(took);
        if recent.len() == 1_000 {
            recent.clear();
        }
        recent.push(input.clone());
        let Ok(outcome) = outcome else {
            let place = save(&recent).map_err(said)?;
            return Err(format!("input {number} of seed {seed} panics; {}", place.display()));
        };
        if took > SLOW {
            let place = save(&recent).map_err(said)?;
            eprintln!("input {number} of seed {seed} took {took:?}; {}", place.display());
        }
        if seen.insert(outcome) && pool.len() < POOL_MAX {
            if kept < KEPT_MAX {
                let small = smaller(target, input.clone(), outcome);
                fs::write(folder.join(format!("{outcome:016x}")), small).map_err(said)?;
                kept += 1;
            }
            pool.push(input);
        }
        if number.is_multiple_of(100_000) {
            let pages = resident_pages();
            println!(
                "{} {number}: {} outcomes, {kept} kept, slowest {slowest:?}, {} MB, {:.0} s",
                target.name(),
                seen.len(),
                pages / 256,
                begun.elapsed().as_secs_f64(),
            );
            if pages > PAGES_MAX {
                return Err(format!("{} MB are in use", pages / 256));
            }
        }
    }
    Ok(())
}

/// The input with pieces taken out, as long as a fresh target sees the same in it.
fn smaller(target: Target, mut input: Vec<u8>, outcome: u64) -> Vec<u8> {
    let same = |input: &[u8]| {
        catch_unwind(AssertUnwindSafe(|| Targets::new().run(target, input)))
            .is_ok_and(|one| one == outcome)
    };
    let mut piece = input.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at + piece <= input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..at + piece);
            if same(&shorter) {
                input = shorter;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    input
}

fn save(inputs: &[Vec<u8>]) -> std::io::Result<PathBuf> {
    let folder = std::env::temp_dir().join("ecat-fuzz-failure");
    fs::create_dir_all(&folder)?;
    for (number, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("{number:04}")), input)?;
    }
    Ok(folder)
}

/// Pages of memory that the process has; 0 where the system does not tell.
fn resident_pages() -> usize {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}
