//! Mail of EoE, SoE, AoE and VoE: bytes as public sources have them, round trips, and arbitrary bytes.

use std::net::Ipv4Addr;

use ecat_wire::ethernet::MacAddress;
use ecat_wire::mailbox::aoe::{
    self, AdsError, AmsAddress, DeviceInfo, NetId, Request, Response, Sample, Samples, command,
};
use ecat_wire::mailbox::eoe::{
    self, AddressFilter, Arrived, Assembler, Cutter, EoeResult, Fragment, IpParameters, Message,
};
use ecat_wire::mailbox::soe::{
    self, Attribute, Content, DataType, Elements, Emergency, Idn, List, Opcode, SoeError,
};
use ecat_wire::mailbox::{MailError, voe};
use proptest::prelude::*;

fn emitted(emit: impl FnOnce(&mut [u8]) -> Result<usize, MailError>) -> Vec<u8> {
    let mut buffer = vec![0xEE; 4_096];
    let length = emit(&mut buffer).expect("room");
    buffer.truncate(length);
    buffer
}

/// SOEM's `ecx_EOEsetIp` (1.4): `frameinfo1 = INIT_REQ | port << 4 | LAST`, all parts in their places, each number's
/// last part first.
const SOEM_SET_IP: [u8; 62] = [
    0x12, 0x01, 0, 0, 0x3F, 0, 0, 0, // port 1, everything counts
    0x02, 0x00, 0x5E, 0x10, 0x20, 0x30, // MAC address
    7, 1, 168, 192, 0, 255, 255, 255, 1, 1, 168, 192, 8, 8, 8, 8, // 192.168.1.7 …
    b'd', b'r', b'i', b'v', b'e', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0,
];

#[test]
fn addresses_have_the_bytes_that_soem_sends() {
    let parameters = IpParameters {
        mac: Some(MacAddress([0x02, 0x00, 0x5E, 0x10, 0x20, 0x30])),
        ip: Some(Ipv4Addr::new(192, 168, 1, 7)),
        mask: Some(Ipv4Addr::new(255, 255, 255, 0)),
        gateway: Some(Ipv4Addr::new(192, 168, 1, 1)),
        dns_server: Some(Ipv4Addr::new(8, 8, 8, 8)),
        dns_name: Some(b"drive"),
        append_time_stamp: false,
    };
    let mail = eoe::Mail { port: 1, message: Message::SetIp(parameters) };
    assert_eq!(emitted(|buffer| mail.emit(buffer)), SOEM_SET_IP);
    assert_eq!(eoe::Mail::parse(&SOEM_SET_IP), Ok(mail));
}

#[test]
fn parts_that_do_not_count_are_in_their_places_or_left_out() {
    let (ip, mask) = (Some(Ipv4Addr::new(10, 0, 0, 9)), Some(Ipv4Addr::new(255, 0, 0, 0)));
    let expected = IpParameters { ip, mask, ..IpParameters::default() };
    // SOEM 2.0 leaves them out; SOEM 1.4 and TwinCAT send zeros.
    let packed = [0x02, 0x01, 0, 0, 0x06, 0, 0, 0, 9, 0, 0, 10, 0, 0, 0, 255];
    let parsed = eoe::Mail::parse(&packed).unwrap();
    assert_eq!(parsed, eoe::Mail { port: 0, message: Message::SetIp(expected) });
    let fixed = emitted(|buffer| parsed.emit(buffer));
    assert_eq!(fixed.len(), 62);
    assert_eq!(eoe::Mail::parse(&fixed), Ok(parsed));
    // Nothing behind the last part that counts.
    assert_eq!(eoe::Mail::parse(&fixed[..22]), Ok(parsed));
    let short = eoe::Mail::parse(&fixed[..21]);
    assert_eq!(short, Err(MailError::Short("EoE addresses")));
}

#[test]
fn settings_are_answered_by_a_result() {
    let results: [(Message<'_>, &[u8]); 6] = [
        (Message::SetIpResult(EoeResult::NO_IP), &[0x03, 0x01, 0x01, 0x02]),
        (Message::SetFilterResult(EoeResult::SUCCESS), &[0x05, 0x01, 0, 0]),
        (Message::GetIp, &[0x06, 0x01, 0, 0]),
        (Message::Ip(Err(EoeResult::UNSUPPORTED_TYPE)), &[0x07, 0x01, 2, 0]),
        (Message::Filter(Err(EoeResult::NO_FILTER)), &[0x09, 0x01, 0x01, 0x04]),
        (
            Message::TimeStamp { frame: 5, time_ns: 0x0102_0304 },
            &[0x01, 0x01, 0x00, 0x50, 4, 3, 2, 1],
        ),
    ];
    for (message, bytes) in results {
        let mail = eoe::Mail { port: 0, message };
        assert_eq!(emitted(|buffer| mail.emit(buffer)), bytes);
        assert_eq!(eoe::Mail::parse(bytes), Ok(mail));
    }
    assert_eq!(
        eoe::Mail::parse(&[0x0A, 0, 0, 0]),
        Err(MailError::Unknown { what: "EoE type", value: 10 })
    );
}

#[test]
fn a_filter_has_sixteen_addresses_and_four_masks() {
    let mut filter = AddressFilter {
        filter_count: 2,
        mask_count: 1,
        no_broadcasts: true,
        ..AddressFilter::default()
    };
    filter.filters[0] = MacAddress([0x01, 0x00, 0x5E, 0, 0, 0]);
    filter.masks[0] = MacAddress([0xFF, 0xFF, 0xFF, 0, 0, 0]);
    filter.filters[1] = MacAddress([2, 0, 0, 0, 0, 9]);
    let mail = eoe::Mail { port: 0, message: Message::SetFilter(filter) };
    let bytes = emitted(|buffer| mail.emit(buffer));
    // Wireshark's ETHERCAT_EOE_MACFILTER: 122 bytes behind the header.
    assert_eq!(bytes.len(), 4 + 122);
    assert_eq!(bytes[..12], [0x04, 0x01, 0, 0, 0x92, 0, 0x01, 0x00, 0x5E, 0, 0, 0]);
    assert_eq!(eoe::Mail::parse(&bytes), Ok(mail));

    assert!(filter.passes(MacAddress([0x01, 0x00, 0x5E, 1, 2, 3])));
    assert!(filter.passes(MacAddress([2, 0, 0, 0, 0, 9])));
    assert!(!filter.passes(MacAddress([2, 0, 0, 0, 0, 8])));
    assert!(!filter.passes(MacAddress::BROADCAST));
    assert!(AddressFilter::default().passes(MacAddress([2, 0, 0, 0, 0, 8])));
    assert!(AddressFilter::default().passes(MacAddress::BROADCAST));
}

#[test]
fn a_frame_is_cut_at_multiples_of_32_bytes() {
    let frame: Vec<u8> = (0..100).collect();
    let mut cutter = Cutter::new(2, 9, &frame, Some(0x1122_3344));
    // 80 bytes of a body hold 76 bytes of a frame, which is two blocks.
    let first = emitted(|buffer| cutter.next_mail(80).unwrap().emit(buffer));
    // Port 2; four blocks in all; frame 9.
    assert_eq!(first[..5], [0x20, 0x00, 0x00, 0x91, 0]);
    assert_eq!(first.len(), 4 + 64);
    let second = emitted(|buffer| cutter.next_mail(80).unwrap().emit(buffer));
    // The last one, with a time stamp, from block 2 on.
    assert_eq!(second[..5], [0x20, 0x03, 0x81, 0x90, 64]);
    assert_eq!(second[40..], [0x44, 0x33, 0x22, 0x11]);
    assert!(cutter.is_done());
    assert_eq!(cutter.next_mail(80), None);
}

#[test]
fn a_mailbox_without_room_for_a_block_carries_no_frame() {
    assert!(!Cutter::fits(35) && Cutter::fits(36));
    assert_eq!(Cutter::new(0, 0, &[0; 60], None).next_mail(35), None);
}

fn piece(number: u8, blocks: u8, frame: u8, last: bool, data: &[u8]) -> Fragment<'_> {
    Fragment {
        number,
        blocks,
        frame,
        last,
        time_stamp_appended: false,
        time_stamp_requested: false,
        data,
    }
}

#[test]
fn pieces_that_do_not_follow_one_another_end_the_frame() {
    let block = [7; 32];
    let wrong = [
        piece(2, 1, 3, true, &block),
        piece(1, 2, 3, true, &block),
        piece(1, 1, 4, true, &block),
        piece(1, 1, 3, true, &[7; 33]),
    ];
    for fragment in wrong {
        let mut assembler = Assembler::default();
        assert_eq!(assembler.take(&piece(0, 2, 3, false, &block)), Arrived::Incomplete);
        assert_eq!(assembler.take(&fragment), Arrived::Ignored);
        // What would have been right comes too late.
        assert_eq!(assembler.take(&piece(1, 1, 3, true, &block)), Arrived::Ignored);
    }
    // A first piece begins a new frame in any case.
    let mut assembler = Assembler::default();
    assembler.take(&piece(0, 2, 3, false, &block));
    assembler.take(&piece(0, 2, 4, false, &block));
    let Arrived::Frame { bytes, number, .. } = assembler.take(&piece(1, 1, 4, true, &block)) else {
        panic!("a frame");
    };
    assert_eq!((bytes.len(), number), (64, 4));
}

#[test]
fn idns_are_read_and_written_as_people_write_them() {
    for (text, number) in
        [("S-0-0047", 47), ("P-0-0100", 0x8064), ("S-7-0091", 0x705B), ("P-7-4095", 0xFFFF)]
    {
        assert_eq!(text.parse(), Ok(Idn(number)));
        assert_eq!(Idn(number).to_string(), text);
    }
    for text in ["", "S-0", "X-0-0001", "S-8-0001", "S-0-4096", "S-0-0001-", "S-+0-1", "S--1-1"] {
        assert!(text.parse::<Idn>().is_err(), "{text}");
    }
}

#[test]
fn a_drives_requests_have_the_bytes_that_soem_and_igh_send() {
    // SOEM's `ecx_readIDNmap`: value of S-0-0024 (`EC_IDN_MDTCONFIG`) of drive 1; IgH writes the same bytes.
    let request = soe::Mail {
        opcode: Opcode::ReadRequest,
        drive: 1,
        elements: Elements::VALUE,
        content: Content::Last { idn: Idn::standard(24), data: &[] },
    };
    assert_eq!(emitted(|buffer| request.emit(buffer)), [0x21, 0x40, 24, 0]);
    // And what it takes for an answer: two bytes now, eight at most, S-0-0047.
    let list = List { maximum: 8, content: &[47, 0] }.to_vec();
    let answer = soe::Mail {
        opcode: Opcode::ReadResponse,
        content: Content::Last { idn: Idn::standard(24), data: &list },
        ..request
    };
    let bytes = [0x22, 0x40, 24, 0, 2, 0, 8, 0, 47, 0];
    assert_eq!(emitted(|buffer| answer.emit(buffer)), bytes);
    assert_eq!(soe::Mail::parse(&bytes), Ok(answer));
    // IgH: the last two bytes of an error are its code.
    let refused = soe::Mail {
        content: Content::Error { idn: Idn::standard(24), code: SoeError::NO_DRIVE },
        ..answer
    };
    assert_eq!(soe::Mail::parse(&[0x32, 0x40, 24, 0, 9, 9, 0x0A, 0x80]), Ok(refused));
    assert_eq!(emitted(|buffer| refused.emit(buffer)), [0x32, 0x40, 24, 0, 0x0A, 0x80]);
    assert_eq!(SoeError(0x700C).text(), "value write-protected by other settings");
    // IgH's `ec_fsm_soe_write_next_fragment`: drive 2, a value, one more fragment.
    let fragment = soe::Mail {
        opcode: Opcode::WriteRequest,
        drive: 2,
        elements: Elements::VALUE,
        content: Content::Fragment { left: 1, data: &[5] },
    };
    assert_eq!(emitted(|buffer| fragment.emit(buffer)), [0x4B, 0x40, 1, 0, 5]);
}

#[test]
fn an_attribute_has_the_bits_of_sercos() {
    // A signed value of four bytes with two decimals that cannot be written in OP, shown as it is.
    let attribute = Attribute {
        conversion: 1,
        length: 2,
        data_type: DataType::Signed,
        decimals: 2,
        protected_op: true,
        ..Attribute::default()
    };
    assert_eq!((attribute.bits(), attribute.bytes()), (0x4222_0001, 4));
    assert_eq!(Attribute::from_bits(0x4222_0001), attribute);
}

#[test]
fn a_drives_emergency_is_told_from_other_mail() {
    let emergency = Emergency { drive: 1, code: 0x8130, register: 0x11, data: [1, 2, 3, 4, 5] };
    let bytes = emitted(|buffer| emergency.emit(buffer));
    assert_eq!(bytes, [0x26, 0, 0x30, 0x81, 0x11, 1, 2, 3, 4, 5]);
    assert_eq!(Emergency::of(&soe::Mail::parse(&bytes).unwrap()), Ok(Some(emergency)));
    assert_eq!(Emergency::of(&soe::Mail::parse(&[0x01, 0x40, 1, 0]).unwrap()), Ok(None));
}

const MAIN_DEVICE: AmsAddress = AmsAddress { net_id: NetId([172, 16, 17, 5, 1, 1]), port: 0x8001 };
const DEVICE: AmsAddress = AmsAddress { net_id: NetId([172, 16, 17, 5, 3, 1]), port: 0xFFFF };

#[test]
fn a_vendor_id_is_asked_for_as_beckhoff_documents_it() {
    // Infosys, "ADS over EtherCAT (AoE)": index group 0xF302, offset 0x10180001, four bytes.
    let header = aoe::Header::request(DEVICE, MAIN_DEVICE, 7);
    let request = Request::Read { group: 0xF302, offset: 0x1018_0001, length: 4 };
    let bytes = emitted(|buffer| request.emit(&header, buffer));
    let expected = [
        172, 16, 17, 5, 3, 1, 0xFF, 0xFF, 172, 16, 17, 5, 1, 1, 0x01, 0x80, // target, source
        2, 0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, // read, ADS command, 12 bytes
        0x02, 0xF3, 0, 0, 1, 0, 0x18, 0x10, 4, 0, 0, 0,
    ];
    assert_eq!(bytes, expected);
    let (parsed, data) = aoe::Header::parse(&bytes).unwrap();
    assert_eq!(parsed, aoe::Header { command: command::READ, length: 12, ..header });
    assert_eq!(Request::parse(parsed.command, data), Ok(request));

    let answer = Response::Read(AdsError::NONE, &[2, 0, 0, 0]);
    let bytes = emitted(|buffer| answer.emit(&parsed.answer(), buffer));
    assert_eq!(bytes[..8], expected[8..16]);
    assert_eq!(bytes[16..32], [2, 0, 5, 0, 12, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0]);
    assert_eq!(bytes[32..], [0, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0]);
}

#[test]
fn every_service_of_ads_goes_both_ways() {
    let requests = [
        Request::DeviceInfo,
        Request::Read { group: 1, offset: 2, length: 3 },
        Request::Write { group: 1, offset: 2, data: &[3, 4] },
        Request::ReadState,
        Request::WriteControl { ads_state: aoe::state::RUN, device_state: 1, data: &[9] },
        Request::AddNotification {
            group: 1,
            offset: 2,
            length: 3,
            mode: 4,
            maximum_delay: 5,
            cycle_time: 6,
        },
        Request::DeleteNotification { handle: 5 },
        Request::ReadWrite { group: 1, offset: 2, read_length: 3, data: &[4] },
    ];
    let info = DeviceInfo { major: 3, minor: 1, build: 1109, name: *b"simulated\0\0\0\0\0\0\0" };
    let responses = [
        Response::DeviceInfo(AdsError::NONE, info),
        Response::Read(AdsError::NONE, &[1, 2]),
        Response::Write(AdsError::ACCESS),
        Response::ReadState(AdsError::NONE, aoe::state::STOP, 7),
        Response::WriteControl(AdsError::SERVICE),
        Response::AddNotification(AdsError::NONE, 5),
        Response::DeleteNotification(AdsError::HANDLE),
        Response::ReadWrite(AdsError::GROUP, &[]),
    ];
    let header = aoe::Header::request(DEVICE, MAIN_DEVICE, 1);
    for (request, response) in requests.into_iter().zip(responses) {
        assert_eq!(request.command(), response.command());
        let bytes = emitted(|buffer| request.emit(&header, buffer));
        let (parsed, data) = aoe::Header::parse(&bytes).unwrap();
        assert_eq!(Request::parse(parsed.command, data), Ok(request));
        let bytes = emitted(|buffer| response.emit(&parsed.answer(), buffer));
        let (parsed, data) = aoe::Header::parse(&bytes).unwrap();
        assert!(parsed.is_answer());
        assert_eq!(Response::parse(parsed.command, data), Ok(response));
    }
    let sample = Sample { time: 0x01D0_0000_0000_0000, handle: 5, value: &[1, 2, 3] };
    let bytes = emitted(|buffer| sample.emit(&header, buffer));
    let (parsed, data) = aoe::Header::parse(&bytes).unwrap();
    assert_eq!(parsed.command, command::NOTIFICATION);
    let samples: Vec<_> = Samples::parse(data).unwrap().collect();
    assert_eq!(samples, [Ok(sample)]);
    assert_eq!("172.16.17.5.3.1".parse(), Ok(DEVICE.net_id));
    assert_eq!(DEVICE.net_id.to_string(), "172.16.17.5.3.1");
    assert!("1.2.3.4.5".parse::<NetId>().is_err() && "1.2.3.4.5.256".parse::<NetId>().is_err());
}

#[test]
fn a_vendors_mail_names_the_vendor_and_its_type() {
    let message = voe::Message { vendor_id: 0xE0B1_F057, vendor_type: 0x0102, data: &[9] };
    let bytes = [0x57, 0xF0, 0xB1, 0xE0, 0x02, 0x01, 9];
    assert_eq!(emitted(|buffer| message.emit(buffer)), bytes);
    assert_eq!(voe::Message::parse(&bytes), Ok(message));
    assert_eq!(voe::Message::parse(&bytes[..5]), Err(MailError::Short("VoE type")));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused_and_written_back_the_same(
        bytes in prop::collection::vec(any::<u8>(), 0..160), code in 0..11_u16,
    ) {
        if let Ok(mail) = eoe::Mail::parse(&bytes) {
            let again = emitted(|buffer| mail.emit(buffer));
            prop_assert_eq!(eoe::Mail::parse(&again), Ok(mail));
        }
        if let Ok(mail) = soe::Mail::parse(&bytes) {
            let again = emitted(|buffer| mail.emit(buffer));
            prop_assert_eq!(soe::Mail::parse(&again), Ok(mail));
            let _ = Emergency::of(&mail);
        }
        if let Ok((header, data)) = aoe::Header::parse(&bytes) {
            prop_assert!(data.len() as u64 <= u64::from(header.length));
            let again = emitted(|buffer| header.emit(buffer));
            prop_assert_eq!(aoe::Header::parse(&again).map(|(header, _)| header), Ok(header));
        }
        let header = aoe::Header::request(DEVICE, MAIN_DEVICE, 1);
        if let Ok(request) = Request::parse(code, &bytes) {
            let again = emitted(|buffer| request.emit(&header, buffer));
            prop_assert_eq!(Request::parse(code, &again[aoe::HEADER_BYTES..]), Ok(request));
        }
        if let Ok(response) = Response::parse(code, &bytes) {
            let again = emitted(|buffer| response.emit(&header, buffer));
            prop_assert_eq!(Response::parse(code, &again[aoe::HEADER_BYTES..]), Ok(response));
        }
        if let Ok(samples) = Samples::parse(&bytes) {
            prop_assert!(samples.count() <= bytes.len());
        }
        if let Ok(message) = voe::Message::parse(&bytes) {
            prop_assert_eq!(emitted(|buffer| message.emit(buffer)), bytes.clone());
        }
        if let Ok((list, rest)) = List::parse(&bytes) {
            prop_assert_eq!([&list.to_vec(), rest].concat(), bytes.clone());
        }
        let bits = bytes.first_chunk().map_or(0, |bits| u32::from_le_bytes(*bits));
        let attribute = Attribute::from_bits(bits);
        prop_assert_eq!(Attribute::from_bits(attribute.bits()), attribute);
        let idn = Idn(bits as u16);
        prop_assert_eq!(idn.to_string().parse(), Ok(idn));
    }

    #[test]
    fn a_frame_comes_whole_through_mailboxes_of_any_size(
        frame in prop::collection::vec(any::<u8>(), 14..=1_518),
        body_bytes in 36..1_500_usize, number in 0..16_u8, stamp: Option<u32>, requested: bool,
    ) {
        let mut cutter = Cutter::new(1, number, &frame, stamp);
        if requested {
            cutter = cutter.with_time_stamp_requested();
        }
        let mut assembler = Assembler::default();
        let arrived = loop {
            let mail = cutter.next_mail(body_bytes).expect("a piece");
            let bytes = emitted(|buffer| mail.emit(buffer));
            prop_assert!(bytes.len() <= body_bytes);
            let Ok(eoe::Mail { port: 1, message: Message::Fragment(fragment) }) =
                eoe::Mail::parse(&bytes)
            else {
                panic!("a fragment");
            };
            match assembler.take(&fragment) {
                Arrived::Incomplete => {}
                arrived => break arrived,
            }
        };
        let expected = Arrived::Frame {
            bytes: frame,
            number,
            time_stamp: stamp,
            time_stamp_requested: requested,
        };
        prop_assert_eq!(arrived, expected);
        prop_assert!(cutter.is_done());
    }

    #[test]
    fn pieces_in_any_order_make_frames_or_nothing(
        pieces in prop::collection::vec((0..4_u8, 0..4_u8, 0..2_u8, any::<bool>(), 0..80_usize), 0..60),
    ) {
        let mut assembler = Assembler::default();
        for (number, blocks, frame, last, length) in pieces {
            let data = vec![number; length];
            if let Arrived::Frame { bytes, .. } = assembler.take(&piece(number, blocks, frame, last, &data)) {
                prop_assert!(last && bytes.len() <= 4 * eoe::BLOCK_BYTES);
            }
        }
    }
}
