//! PDO assignment and mapping that change the process image.

use ecat_wire::register as reg;
use ecat_wire::sync_manager::SyncManager;

use crate::mailbox::{Post, STATION};

/// SyncManager 2 from 0x1080 on, 3 from 0x1100 on.
const DEVICE: &str = r#"{
  "type": "generic",
  "pdos": [
    { "direction": "output", "index": 5632, "entries": [{ "index": 24640, "bits": 16 }] },
    { "direction": "output", "index": 5633, "assigned": false, "fixed": true,
      "entries": [{ "index": 24698, "bits": 32, "dataType": 4 }] },
    { "direction": "input", "index": 6656, "entries": [{ "index": 24641, "bits": 16 },
      { "index": 24642, "subindex": 1, "bits": 8 }] } ],
  "mailbox": { "bytes": 64, "objects": [
    { "index": 24672, "name": "Mode", "dataType": 5, "mapping": "output" },
    { "index": 24673, "name": "Mode display", "dataType": 5, "mapping": "input", "value": 8 } ] } }"#;

fn sync_managers(post: &mut Post, outputs: u16, inputs: u16) {
    for (number, start, length, control) in [(2, 0x1080, outputs, 0x64), (3, 0x1100, inputs, 0x20)]
    {
        let sm = SyncManager { start, length, control, enabled: true };
        post.wire.set(STATION, reg::sync_manager(number), &[0; 8]);
        post.wire.set(STATION, reg::sync_manager(number), &sm.to_bytes());
    }
}

fn write(post: &mut Post, index: u16, subindex: u8, value: &[u8]) -> Vec<u8> {
    let [low, high] = index.to_le_bytes();
    let command = 0x23 | (4 - value.len() as u8) << 2;
    let mut data = [0; 4];
    data[..value.len()].copy_from_slice(value);
    let answer = post.sdo(&[&[command, low, high, subindex], &data[..]].concat());
    if answer[0] == 0x60 { Vec::new() } else { answer[4..].to_vec() }
}

#[test]
fn the_default_assignment_is_that_of_the_sii() {
    let mut post = Post::new(DEVICE);
    assert_eq!(post.sdo(&[0x40, 0x12, 0x1C, 0, 0, 0, 0, 0])[4], 1);
    assert_eq!(post.sdo(&[0x40, 0x12, 0x1C, 1, 0, 0, 0, 0])[..6], [0x4B, 0x12, 0x1C, 1, 0, 0x16]);
    assert_eq!(post.sdo(&[0x40, 0x00, 0x16, 1, 0, 0, 0, 0])[4..], [16, 0, 0x40, 0x60]);
    // 0x1C00: mailboxes, outputs, inputs.
    let kinds = [1, 2, 3, 4].map(|n| post.sdo(&[0x40, 0x00, 0x1C, n, 0, 0, 0, 0])[4]);
    assert_eq!(kinds, [1, 2, 3, 4]);
    sync_managers(&mut post, 2, 3);
    assert_eq!(post.request_state(4), (4, 0));
}

#[test]
fn a_changed_assignment_changes_the_image_and_what_safe_op_needs() {
    let mut post = Post::new(DEVICE);
    let whole = [0x31, 0x12, 0x1C, 0, 6, 0, 0, 0, 2, 0, 0x01, 0x16, 0x00, 0x16];
    assert_eq!(post.sdo(&whole)[0], 0x70);
    // 4 bytes of 0x607A and then 2 of 0x6040.
    sync_managers(&mut post, 2, 3);
    assert_eq!(post.request_state(4), (0x12, 0x001D));
    sync_managers(&mut post, 6, 3);
    assert_eq!(post.request_state(4), (4, 0));
    post.wire.set(STATION, 0x1080, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(post.request_state(8), (8, 0));
    post.wire.set(STATION, 0x1080, &[1, 2, 3, 4, 5, 6]);
    // Channels stay what they are: 0x6040 first, then what was not mapped, by index.
    assert_eq!(post.wire.segment.output(0, 0, 16), 0x0605);
    assert_eq!(post.wire.segment.output(0, 24, 32), 0x0403_0201);
    // An upload sees what is in the image.
    assert_eq!(post.sdo(&[0x40, 0x7A, 0x60, 0, 0, 0, 0, 0])[4..], [1, 2, 3, 4]);
    // Not any more here.
    assert_eq!(write(&mut post, 0x1C12, 0, &[0]), [0x22, 0, 0, 8]);
}

#[test]
fn a_changed_mapping_moves_inputs() {
    let mut post = Post::new(DEVICE);
    assert!(write(&mut post, 0x1A00, 0, &[0]).is_empty());
    assert!(write(&mut post, 0x1A00, 1, &[8, 0, 0x61, 0x60]).is_empty());
    // A gap.
    assert!(write(&mut post, 0x1A00, 2, &[4, 0, 0, 0]).is_empty());
    assert!(write(&mut post, 0x1A00, 3, &[16, 0, 0x41, 0x60]).is_empty());
    assert!(write(&mut post, 0x1A00, 0, &[3]).is_empty());
    sync_managers(&mut post, 2, 4);
    assert_eq!(post.request_state(4), (4, 0));
    post.wire.segment.set_input(0, 0, 16, 0xABCD);
    assert_eq!(post.wire.get(STATION, 0x1100, 4), [8, 0xD0, 0xBC, 0x0A]);
    assert_eq!(post.sdo(&[0x40, 0x41, 0x60, 0, 0, 0, 0, 0])[4..6], [0xCD, 0xAB]);
}

#[test]
fn what_cannot_be_mapped_or_assigned_is_refused() {
    let mut post = Post::new(DEVICE);
    // Subindex 0 first.
    assert_eq!(write(&mut post, 0x1C12, 1, &[1, 0x16]), [3, 0, 1, 6]);
    assert!(write(&mut post, 0x1C12, 0, &[0]).is_empty());
    assert_eq!(write(&mut post, 0x1C12, 1, &[9, 0x16]), [0x30, 0, 9, 6]);
    assert_eq!(write(&mut post, 0x1C12, 0, &[9]), [0x31, 0, 9, 6]);
    assert!(write(&mut post, 0x1A00, 0, &[0]).is_empty());
    assert_eq!(write(&mut post, 0x1A00, 1, &[8, 0, 0x99, 0x60]), [0, 0, 2, 6]);
    // An output, and a wrong length.
    assert_eq!(write(&mut post, 0x1A00, 1, &[8, 0, 0x60, 0x60]), [0x41, 0, 4, 6]);
    assert_eq!(write(&mut post, 0x1A00, 1, &[16, 0, 0x61, 0x60]), [0x41, 0, 4, 6]);
    // Its content is fixed.
    assert_eq!(write(&mut post, 0x1601, 0, &[0]), [2, 0, 1, 6]);
}

#[test]
fn an_image_that_does_not_fit_the_memory_is_no_valid_mapping() {
    let mut post = Post::new(DEVICE);
    assert!(write(&mut post, 0x1600, 0, &[0]).is_empty());
    // Gaps of 255 bits: eight make 255 bytes; between 0x1080 and 0x1100 there is room for 42.
    for subindex in 1..=8 {
        assert!(write(&mut post, 0x1600, subindex, &[255, 0, 0, 0]).is_empty());
    }
    assert!(write(&mut post, 0x1600, 0, &[8]).is_empty());
    sync_managers(&mut post, 255, 3);
    assert_eq!(post.request_state(4), (0x12, 0x0025));
}

#[test]
fn a_power_cycle_brings_the_defaults_back() {
    let mut post = Post::new(DEVICE);
    assert!(write(&mut post, 0x1C12, 0, &[0]).is_empty());
    let segment = &mut post.wire.segment;
    segment.apply(ecat_simulator::SegmentCommand::Unplug { device: 0 }, post.wire.now_ns);
    segment.apply(ecat_simulator::SegmentCommand::Plug { device: 0 }, post.wire.now_ns);
    let station = ecat_wire::Command::Apwr { position: 0, register: reg::STATION_ADDRESS };
    post.wire.write(station, &STATION.to_le_bytes());
    post.open();
    assert_eq!(post.request_state(2), (2, 0));
    assert_eq!(post.sdo(&[0x40, 0x12, 0x1C, 0, 0, 0, 0, 0])[4], 1);
}
