//! How much stack a bring-up takes. A file with a single test, hence a process of its own: the C library hands a
//! thread the larger stack of another one that has ended, which hides what is too small.

use std::sync::atomic::AtomicBool;
use std::thread;

use ecat_engine::bringup::{
    BringUpOptions, DISCOVER_STACK_BYTES, SUB_DEVICES_MAX, compute_layout, configure, discover,
};
use ecat_engine::clock;
use ecat_simulator::description::DeviceDescription;
use ecat_simulator::{Segment, SegmentDescription, SegmentLink};

/// The cycle thread's stack over what is enough here: this overflows, and ends the process, before it gets
/// tight in the product.
const MARGIN: usize = 4;

#[test]
fn the_largest_segment_comes_up_on_a_quarter_of_the_stack() {
    let image = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/fixtures/eeprom/el2889.bin");
    let device = DeviceDescription {
        sii: Some(std::fs::read(image).unwrap()),
        ..DeviceDescription::default()
    };
    let description = SegmentDescription {
        devices: vec![device; SUB_DEVICES_MAX.into()],
        ..SegmentDescription::default()
    };
    let (mut link, _control) = SegmentLink::new(Segment::new(&description).unwrap());
    let body = move || {
        clock::enter_virtual(0);
        let stop = AtomicBool::new(false);
        let options = BringUpOptions { dc_static_sync_iterations: 10, ..BringUpOptions::default() };
        let network = discover(&mut link, &options, &stop, &mut |_| ()).unwrap();
        let layout = compute_layout(&network).unwrap();
        configure(&mut link, &network, &layout, &stop).unwrap();
        network.sub_devices.len()
    };
    let thread = thread::Builder::new().stack_size(DISCOVER_STACK_BYTES / MARGIN);
    let found = thread.spawn(body).unwrap().join().unwrap();
    assert_eq!(found, usize::from(SUB_DEVICES_MAX));
}
