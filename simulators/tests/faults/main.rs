//! One test a fault: it is seen exactly in the counters, events, states and working counters that belong to it, and in no
//! others. What has to be seen comes from the ESC data sheet, sections I and II, and from ETG.1000.4 and .6, as each test says;
//! [`observation`] is all that can be.

mod bench;
mod cable;
mod clock;
mod device;
mod frame;
mod mail;
mod observation;
mod port;
mod random;
mod seen;
mod sii;
mod when;

use bench::{Bench, NOTHING};

#[test]
fn without_a_fault_nothing_changes() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        assert_eq!(bench.differences(), NOTHING);
    }
    assert_eq!(bench.hits(), NOTHING);
    let mut bench = Bench::synchronised(r#"{ "missedCycles": 200 }"#);
    for _ in 0..20 {
        assert_eq!(bench.differences(), NOTHING);
    }
}
