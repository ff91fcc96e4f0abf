//! The stress device: everything that the protocols allow, and what it does on command.

use crate::machine::Machine;

fn machine() -> Machine {
    let mut machine = Machine::new(r#"{ "type": "stress" }"#);
    machine.operate();
    machine
}

#[test]
fn packed_entries_of_odd_lengths_come_back_bit_by_bit() {
    let mut machine = machine();
    assert_eq!(machine.input_bytes().len(), 26, "204 bits");
    let bits = [3, 24, 1, 40, 11, 64, 5, 56];
    for (subindex, length) in (1..).zip(bits) {
        let mask = (u64::MAX >> (64 - length)).cast_signed();
        for value in [mask, 0x5AA5_C33C_9669_0FF1_u64.cast_signed() & mask, 1, 0] {
            machine.set(0x7000, subindex, value);
            machine.cycles(3);
            assert_eq!(machine.input(0x6000, subindex), value, "{length} bits");
        }
    }
    machine.set(0x7000, 3, 1);
    machine.download(0x2000, 9, 1, 1).unwrap();
    let seen: Vec<i64> = (0..4)
        .map(|_| {
            machine.cycle();
            machine.input(0x6000, 3)
        })
        .collect();
    assert_eq!(seen[0] + seen[1], 1, "it toggles: {seen:?}");
    assert_eq!((seen[0], seen[1]), (seen[2], seen[3]));
}

#[test]
fn a_mailbox_of_sixteen_bytes_carries_sdos() {
    let mut machine = Machine::new(r#"{ "type": "stress", "mailbox": { "bytes": 16 } }"#);
    assert_eq!(machine.upload(0x33E7, 0), Ok(999));
    machine.download(0x3001, 0, 4, 77).unwrap();
    assert_eq!(machine.upload(0x3001, 0), Ok(77));
    assert_eq!(machine.upload(0x3400, 0), Err(0x0602_0000));
}

#[test]
fn odd_types_and_arrays_with_holes_have_their_values() {
    let mut machine = machine();
    assert_eq!(machine.upload(0x2100, 0), Ok(24));
    assert_eq!(machine.upload(0x2100, 1).map(|value| value & 0x00FF_FFFF), Ok(0x0003_0201));
    assert_eq!(machine.upload(0x2100, 11).map(|value| value & 0xFF), Ok(1), "BIT3");
    assert_eq!(machine.upload(0x2200, 0).map(|value| value & 0xFF), Ok(255));
    for (subindex, there) in
        [(1, true), (2, false), (3, true), (7, true), (199, false), (200, true), (255, true)]
    {
        let answer = machine.upload(0x2200, subindex).map(|value| value & 0xFF);
        assert_eq!(answer, if there { Ok(u32::from(subindex)) } else { Err(0x0609_0011) });
    }
}

#[test]
fn emergencies_come_at_the_rate_that_is_commanded() {
    let mut machine = machine();
    machine.download(0x2000, 1, 4, 100).unwrap();
    let mut numbers = Vec::new();
    for _ in 0..500 {
        machine.cycle();
        if let Some(mail) = machine.mail() {
            assert_eq!((mail[5] & 0x0F, mail[7] >> 4), (3, 1), "an emergency");
            numbers.push(u32::from_le_bytes([mail[11], mail[12], mail[13], mail[14]]));
        }
    }
    assert!(numbers.len().abs_diff(50) <= 2, "{}", numbers.len());
    assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
    // An SDO gets through, and ends it.
    machine.download(0x2000, 1, 4, 0).unwrap();
    machine.cycles(50);
    while machine.mail().is_some() {
        machine.cycles(3);
    }
    machine.cycles(100);
    assert_eq!(machine.mail(), None);
}

#[test]
fn answers_are_late_missing_or_out_of_order_as_often_as_commanded() {
    let mut machine = machine();
    let request = |machine: &mut Machine, object: u16| machine.request_upload(object, 0);
    let answer = |machine: &mut Machine, cycles: usize| {
        (0..cycles).find_map(|_| {
            machine.cycle();
            machine.mail().map(|mail| u16::from_le_bytes([mail[9], mail[10]]))
        })
    };
    machine.download(0x2000, 3, 4, 30).unwrap();
    machine.download(0x2000, 2, 4, 1).unwrap();
    request(&mut machine, 0x3001);
    assert_eq!(answer(&mut machine, 20), None, "late");
    assert_eq!(answer(&mut machine, 30), Some(0x3001));
    request(&mut machine, 0x3002);
    assert_eq!(answer(&mut machine, 20), Some(0x3002));
    machine.download(0x2000, 4, 4, 1).unwrap();
    request(&mut machine, 0x3003);
    assert_eq!(answer(&mut machine, 100), None, "silent");
    request(&mut machine, 0x3004);
    assert_eq!(answer(&mut machine, 20), Some(0x3004));
    machine.download(0x2000, 6, 4, 1).unwrap();
    request(&mut machine, 0x3005);
    assert_eq!(answer(&mut machine, 20), None);
    request(&mut machine, 0x3006);
    assert_eq!([answer(&mut machine, 20), answer(&mut machine, 20)], [Some(0x3006), Some(0x3005)]);
}

#[test]
fn it_takes_another_state_by_itself() {
    let mut machine = machine();
    machine.download(0x2000, 8, 2, 0x0050).unwrap();
    machine.download(0x2000, 7, 1, 4).unwrap();
    machine.cycles(5);
    assert_eq!((machine.register(0x0130), machine.register(0x0134)), (0x14, 0x0050));
}
