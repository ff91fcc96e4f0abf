//! The stress device by its mail: what it does wrong with counters, and values that are longer than 16 bits can count.

use crate::mailbox::Post;

const LARGE: usize = 100_000;
/// Behind the header of a mail, of CoE, of an SDO; behind those and the command of a segment.
const FIRST: usize = 16;
const SEGMENT: usize = 9;

fn stress(bytes: u16) -> Post {
    let device = format!(r#"{{"type":"stress","mailbox":{{"bytes":{bytes},"delayMs":1}}}}"#);
    Post::of_segment(&format!(r#"{{"devices":[{device}]}}"#), bytes)
}

/// Writes 0x2300 in segments; the abort code, if it comes to one.
fn download(post: &mut Post, bytes: u16, value: &[u8]) -> Result<(), u32> {
    let (size, bytes) = ((value.len() as u32).to_le_bytes(), usize::from(bytes));
    let mut rest = value;
    let (first, behind) = rest.split_at(rest.len().min(bytes - FIRST));
    rest = behind;
    let mut answer = post.sdo(&[&[0x21, 0x00, 0x23, 0], &size[..], first].concat());
    let mut toggle = 0;
    while answer[0] != 0x80 && !rest.is_empty() {
        let (segment, behind) = rest.split_at(rest.len().min(bytes - SEGMENT));
        rest = behind;
        let unused = 7_usize.saturating_sub(segment.len()) as u8;
        let command = toggle << 4 | unused << 1 | u8::from(rest.is_empty());
        let padding = vec![0; usize::from(unused)];
        answer = post.sdo(&[&[command], segment, &padding].concat());
        assert!(answer[0] == 0x80 || answer[0] == 0x20 | toggle << 4, "{answer:?}");
        toggle ^= 1;
    }
    let code = u32::from_le_bytes(answer[4..8].try_into().unwrap());
    if answer[0] == 0x80 { Err(code) } else { Ok(()) }
}

/// Reads 0x2300 in segments.
fn upload(post: &mut Post) -> Vec<u8> {
    let mut answer = post.sdo(&[0x40, 0x00, 0x23, 0, 0, 0, 0, 0]);
    assert_eq!(answer[..4], [0x41, 0x00, 0x23, 0]);
    let size = u32::from_le_bytes(answer[4..8].try_into().unwrap()) as usize;
    let mut value = answer.split_off(8);
    let mut toggle = 0;
    while value.len() < size {
        let answer = post.sdo(&[0x60 | toggle << 4, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(answer[0] & 0xF0, toggle << 4);
        let unused = usize::from(answer[0] >> 1 & 7);
        value.extend(&answer[1..answer.len() - unused]);
        assert_eq!(answer[0] & 1 == 1, value.len() == size, "the last one says so");
        toggle ^= 1;
    }
    assert_eq!(value.len(), size);
    value
}

#[test]
fn values_above_64_kb_go_both_ways_byte_by_byte() {
    for bytes in [64, 1486] {
        let mut post = stress(bytes);
        let initial: Vec<u8> = (0..LARGE).map(|n| (n * 7) as u8).collect();
        assert_eq!(upload(&mut post), initial, "by {bytes}");
        for length in [0xFFFF, 0x1_0000, 0x1_0001, LARGE] {
            let value: Vec<u8> = (0..length).map(|n| (n * 13 + length) as u8).collect();
            assert_eq!(download(&mut post, bytes, &value), Ok(()));
            assert!(upload(&mut post) == value, "{length} bytes by {bytes}");
        }
        let too_long = vec![0; LARGE + 1];
        assert_eq!(download(&mut post, bytes, &too_long), Err(0x0607_0012));
    }
}

#[test]
fn a_mailbox_of_sixteen_bytes_carries_a_long_value_in_pieces_of_seven() {
    let mut post = stress(16);
    let value: Vec<u8> = (0..1_003_u32).map(|n| (n * 5) as u8).collect();
    assert_eq!(download(&mut post, 16, &value), Ok(()));
    assert_eq!(upload(&mut post), value);
}

/// The indices of all objects, by SDO information; and how many mails they took.
fn list(post: &mut Post) -> (Vec<u16>, usize) {
    let (mut data, mut mails) = (Vec::new(), 0);
    assert_eq!(post.write(3, &[0, 0x80, 1, 0, 0, 0, 1, 0]), 1);
    loop {
        post.wire.wait_us(2_000);
        let (_, body) = post.read().expect("a fragment");
        let left = u16::from_le_bytes([body[4], body[5]]);
        // Incomplete, as long as there are more.
        assert_eq!(body[..3], [0, 0x80, 2 | u8::from(left > 0) << 7]);
        data.extend(&body[6..]);
        mails += 1;
        if left == 0 {
            break;
        }
    }
    assert_eq!(data[..2], [1, 0], "the list of all");
    (data[2..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(), mails)
}

#[test]
fn a_thousand_objects_are_listed_by_mailboxes_of_any_size() {
    for (bytes, fragments) in [(16, 510), (64, 40), (1486, 2)] {
        let (indices, mails) = list(&mut stress(bytes));
        assert_eq!((indices.len(), mails), (1_018, fragments), "by {bytes}");
        assert!(indices.windows(2).all(|two| two[0] < two[1]));
        assert!((0x3000..0x33E8).all(|index| indices.binary_search(&index).is_ok()));
    }
}

#[test]
fn counters_are_repeated_as_often_as_commanded() {
    let mut post = stress(64);
    let counter = |post: &mut Post| {
        assert_eq!(post.write(3, &[0, 0x20, 0x40, 0x01, 0x30, 0, 0, 0, 0, 0]), 1);
        post.wire.wait_us(2_000);
        let (kind, body) = post.read().expect("an answer");
        assert_eq!(body[2..], [0x43, 0x01, 0x30, 0, 1, 0, 0, 0]);
        kind >> 4
    };
    let next = |counter: u8| counter % 7 + 1;
    let before = counter(&mut post);
    let answer = post.sdo(&[0x23, 0x00, 0x20, 5, 2, 0, 0, 0]);
    assert_eq!(answer[0], 0x60);
    let commanded = next(before);
    // Two of them have the counter of the answer before them.
    let seen = [0; 4].map(|_| counter(&mut post));
    let after = |n: u8| (0..n).fold(commanded, |counter, _| next(counter));
    assert_eq!(seen, [after(0), after(1), after(3), after(4)]);
}
