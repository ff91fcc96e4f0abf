//! Objects of every size that ethercrab reads, through mailboxes of several sizes.

use ecat_simulator::{Segment, SegmentDescription};

use crate::support::{self, Storage, open};

/// A device with an object of `N` bytes.
fn segment(mailbox_bytes: u16, object_bytes: usize) -> Segment {
    let json = format!(
        r#"{{ "devices": [ {{ "type": "generic", "pdos": [],
             "mailbox": {{ "bytes": {mailbox_bytes}, "objects": [
               {{ "index": 8192, "name": "Octets", "value": {:?} }} ] }} }} ] }}"#,
        pattern(object_bytes)
    );
    Segment::new(&SegmentDescription::from_json(&json).unwrap()).unwrap()
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n * 7 + bytes) as u8).collect()
}

/// An upload of exactly `N` bytes.
fn uploads<const N: usize>(mailbox_bytes: u16) {
    let storage = Storage::new();
    let (main_device, mut bus) = open(&storage, segment(mailbox_bytes, N));
    let group =
        bus.run(main_device.init_single_group::<2, 64>(support::now_ns)).expect("INIT to PRE-OP");
    let device = group.subdevice(&main_device, 0).expect("there");
    let read = bus.run(device.sdo_read::<[u8; N]>(0x2000, 0)).expect("an upload");
    assert_eq!(read.as_slice(), pattern(N), "{N} bytes by a mailbox of {mailbox_bytes}");
}

#[test]
fn ethercrab_reads_objects_of_every_size_that_a_mail_holds() {
    for mailbox_bytes in [64, 128] {
        // Expedited.
        uploads::<1>(mailbox_bytes);
        uploads::<2>(mailbox_bytes);
        uploads::<4>(mailbox_bytes);
        // With the first mail; of 64 bytes it holds 48.
        uploads::<5>(mailbox_bytes);
        uploads::<8>(mailbox_bytes);
        uploads::<47>(mailbox_bytes);
        uploads::<48>(mailbox_bytes);
        // No more: ethercrab 0.7 does not read segments.
    }
}
