//! One test a fault: it is seen exactly in the counters, events, states and working counters that belong to it (ESC
//! data sheet, sections I and II; ETG.1000.4 and .6), and in no others.

mod bench;
mod clock;
mod device;
mod frame;
mod mail;
mod port;
mod random;
mod sii;

use bench::Bench;

#[test]
fn without_a_fault_nothing_changes() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        assert_eq!(bench.differences(), [""; 0]);
    }
    assert_eq!(bench.hits(), [""; 0]);
}
