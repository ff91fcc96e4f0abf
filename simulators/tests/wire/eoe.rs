//! Ethernet over EtherCAT: fragments, addresses, filter, the IP host, and switches that are cabled to each other.

use std::net::Ipv4Addr;

use ecat_simulator::{MailEffect, MailFault, MailProtocol, SegmentCommand};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::mailbox::eoe::{
    AddressFilter, Arrived, Assembler, Cutter, EoeResult, IpParameters, Mail, Message,
};
use etherparse::{
    ArpEthIpv4Packet, ArpOperation, NetSlice, PacketBuilder, SlicedPacket, TransportSlice,
};

use crate::mailbox::{Post, STATION};

const KIND: u8 = 2;
const MAIN_DEVICE: MacAddress = MacAddress([0x02, 0, 0, 0, 0, 0x01]);
const OWN: MacAddress = MacAddress([0x02, 0, 0x5E, 0, 0, 0x09]);
const IP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 9);
const BYTES: u16 = 256;

/// A drive with an IP host.
const DRIVE: &str = r#"{ "devices": [{ "type": "generic", "pdos": [], "distributedClock": true,
  "mailbox": { "bytes": 256, "delayMs": 0,
    "eoe": { "mac": "02:00:5e:00:00:09", "ip": "192.168.1.9", "mask": "255.255.255.0",
             "dnsName": "drive", "fragmentTimeoutMs": 50 } } }] }"#;

fn mail(post: &mut Post, message: Message<'_>) {
    write(post, &Mail { port: 0, message });
}

fn write(post: &mut Post, mail: &Mail<'_>) {
    let mut body = [0; 1_500];
    let length = mail.emit(&mut body).unwrap();
    assert_eq!(post.write(KIND, &body[..length]), 1);
    post.wire.wait_us(100);
}

/// A setting and its answer, as bytes.
fn ask(post: &mut Post, message: Message<'_>) -> Vec<u8> {
    mail(post, message);
    let (kind, body) = post.read().expect("an answer");
    assert_eq!(kind & 0x0F, KIND);
    body
}

/// Sends a frame in as many mails as it needs.
fn send(post: &mut Post, frame: &[u8]) {
    let mut cutter = Cutter::new(0, 5, frame, None);
    while let Some(fragment) = cutter.next_mail(usize::from(BYTES) - 6) {
        write(post, &fragment);
    }
    assert!(cutter.is_done());
}

/// Reads mail until it makes a frame.
fn receive(post: &mut Post) -> Option<(Vec<u8>, Option<u32>)> {
    let mut assembler = Assembler::default();
    loop {
        post.wire.wait_us(100);
        let (kind, body) = post.read()?;
        assert_eq!(kind & 0x0F, KIND);
        let Message::Fragment(fragment) = Mail::parse(&body).unwrap().message else {
            panic!("{body:x?} is no fragment");
        };
        if let Arrived::Frame { bytes, time_stamp, .. } = assembler.take(&fragment) {
            return Some((bytes, time_stamp));
        }
    }
}

fn arp(asked: Ipv4Addr) -> Vec<u8> {
    let packet = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: MAIN_DEVICE.0,
        sender_ipv4: [192, 168, 1, 1],
        target_mac: [0; 6],
        target_ipv4: asked.octets(),
    };
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2(MAIN_DEVICE.0, [0xFF; 6]).arp(packet.into());
    builder.write(&mut frame).unwrap();
    frame
}

fn ping(from: MacAddress, to: MacAddress, ip: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(from.0, to.0).ipv4([192, 168, 1, 1], ip.octets(), 64);
    let mut frame = Vec::new();
    builder.icmpv4_echo_request(7, 1).write(&mut frame, payload).unwrap();
    frame
}

/// The sender's address and the payload of an echo reply.
fn pong(frame: &[u8]) -> ([u8; 6], Vec<u8>) {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(TransportSlice::Icmpv4(icmp)) = packet.transport else { panic!("an echo") };
    assert_eq!(icmp.type_u8(), 0);
    let source = frame[6..12].try_into().unwrap();
    (source, icmp.payload().to_vec())
}

#[test]
fn addresses_are_read_set_and_read_again() {
    let mut post = Post::of_segment(DRIVE, BYTES);
    let mac = Some(OWN);
    let body = ask(&mut post, Message::GetIp);
    let Message::Ip(Ok(before)) = Mail::parse(&body).unwrap().message else { panic!("addresses") };
    assert_eq!((before.mac, before.ip, before.dns_name), (mac, Some(IP), Some(&b"drive"[..])));

    let ip = Some(Ipv4Addr::new(10, 0, 0, 9));
    let gateway = Some(Ipv4Addr::new(10, 0, 0, 1));
    let new = IpParameters { ip, gateway, ..IpParameters::default() };
    assert_eq!(ask(&mut post, Message::SetIp(new)), [3, 1, 0, 0]);
    let body = ask(&mut post, Message::GetIp);
    let expected = IpParameters { ip, gateway, ..before };
    assert_eq!(Mail::parse(&body).unwrap().message, Message::Ip(Ok(expected)));
    // The host goes by it.
    send(&mut post, &arp(IP));
    assert_eq!(receive(&mut post), None);
    send(&mut post, &arp(Ipv4Addr::new(10, 0, 0, 9)));
    assert!(receive(&mut post).is_some());
}

#[test]
fn a_drive_without_sockets_has_no_filter_and_knows_no_other_types() {
    let mut post = Post::of_segment(DRIVE, BYTES);
    let filter = AddressFilter::default();
    assert_eq!(ask(&mut post, Message::SetFilter(filter)), [5, 1, 1, 4]);
    assert_eq!(ask(&mut post, Message::GetFilter), [9, 1, 1, 4]);
    // An answer, and a type that nobody defines.
    assert_eq!(ask(&mut post, Message::SetIpResult(EoeResult::SUCCESS)), [3, 1, 2, 0]);
    assert_eq!(post.ask(KIND, &[0x0B, 0, 0, 0]), [3, 1, 2, 0]);
    // Too short for a header: no EoE at all.
    post.write(KIND, &[2, 0]);
    post.wire.wait_us(100);
    assert_eq!(post.read().unwrap().1, [1, 0, 6, 0]);
}

#[test]
fn a_host_answers_arp_and_echoes() {
    let mut post = Post::of_segment(DRIVE, BYTES);
    send(&mut post, &arp(IP));
    let (reply, _) = receive(&mut post).unwrap();
    assert_eq!(reply.len(), 60);
    let packet = SlicedPacket::from_ethernet(&reply).unwrap();
    let Some(NetSlice::Arp(arp)) = packet.net else { panic!("ARP") };
    let arp = arp.to_packet().try_eth_ipv4().unwrap();
    assert_eq!((arp.operation, arp.sender_mac), (ArpOperation::REPLY, OWN.0));
    assert_eq!((arp.target_mac, arp.sender_ipv4_addr()), (MAIN_DEVICE.0, IP));

    // In six fragments there, and back.
    let payload: Vec<u8> = (0..1_200).map(|n| n as u8).collect();
    send(&mut post, &ping(MAIN_DEVICE, OWN, IP, &payload));
    assert_eq!(pong(&receive(&mut post).unwrap().0), (OWN.0, payload));

    let udp = |port| {
        let builder = PacketBuilder::ethernet2(MAIN_DEVICE.0, OWN.0)
            .ipv4([192, 168, 1, 1], IP.octets(), 64)
            .udp(4_000, port);
        let mut frame = Vec::new();
        builder.write(&mut frame, b"hello").unwrap();
        frame
    };
    send(&mut post, &udp(7));
    let (reply, _) = receive(&mut post).unwrap();
    let packet = SlicedPacket::from_ethernet(&reply).unwrap();
    let Some(TransportSlice::Udp(udp_reply)) = packet.transport else { panic!("UDP") };
    assert_eq!((udp_reply.source_port(), udp_reply.destination_port()), (7, 4_000));
    assert_eq!(udp_reply.payload(), b"hello");
    // Nobody listens there, and nobody has that address.
    send(&mut post, &udp(8));
    send(&mut post, &ping(MAIN_DEVICE, OWN, Ipv4Addr::new(192, 168, 1, 8), b"x"));
    assert_eq!(receive(&mut post), None);
}

#[test]
fn fragments_have_offsets_in_32_bytes_and_frame_numbers_that_count() {
    let mut post = Post::of_segment(DRIVE, BYTES);
    send(&mut post, &ping(MAIN_DEVICE, OWN, IP, &[1; 458]));
    // 500 bytes: 224 and 224, which is seven blocks each, and 52.
    let heads = [0, 1, 2].map(|_| {
        post.wire.wait_us(100);
        post.read().unwrap().1[..4].to_vec()
    });
    assert_eq!(heads[0], [0x00, 0x00, 0x00, 0x14]);
    assert_eq!(heads[1], [0x00, 0x00, 0xC1, 0x11]);
    assert_eq!(heads[2], [0x00, 0x01, 0x82, 0x13]);
    send(&mut post, &ping(MAIN_DEVICE, OWN, IP, &[1; 40]));
    post.wire.wait_us(100);
    assert_eq!(post.read().unwrap().1[3] >> 4, 2);
}

#[test]
fn other_mail_passes_between_the_fragments_of_a_frame() {
    let mut post = Post::of_segment(DRIVE, BYTES);
    let upload = [0, 0x20, 0x40, 0x18, 0x10, 0, 0, 0, 0, 0];
    let frame = ping(MAIN_DEVICE, OWN, IP, &[3; 600]);
    let mut cutter = Cutter::new(0, 1, &frame, None);
    while let Some(fragment) = cutter.next_mail(usize::from(BYTES) - 6) {
        write(&mut post, &fragment);
        if !cutter.is_done() {
            assert_eq!(post.ask(3, &upload)[2], 0x4F);
        }
    }
    // On the way back, an answer comes before the fragments that wait.
    let mut assembler = Assembler::default();
    let mut kinds = Vec::new();
    while let Some((kind, body)) = post.read() {
        kinds.push(kind & 0x0F);
        if kind & 0x0F == KIND {
            let Message::Fragment(fragment) = Mail::parse(&body).unwrap().message else { panic!() };
            let arrived = assembler.take(&fragment);
            assert_eq!(matches!(arrived, Arrived::Frame { .. }), fragment.last);
        }
        if kinds.len() == 1 {
            assert_eq!(post.write(3, &upload), 1);
        }
        post.wire.wait_us(100);
    }
    assert_eq!(kinds, [2, 2, 3, 2]);
}

#[test]
fn a_fragment_that_does_not_come_in_time_ends_the_frame() {
    for (wait_us, answered) in [(40_000, true), (60_000, false)] {
        let mut post = Post::of_segment(DRIVE, BYTES);
        let frame = ping(MAIN_DEVICE, OWN, IP, &[3; 300]);
        let mut cutter = Cutter::new(0, 1, &frame, None);
        write(&mut post, &cutter.next_mail(250).unwrap());
        post.wire.wait_us(wait_us);
        write(&mut post, &cutter.next_mail(250).unwrap());
        assert_eq!(receive(&mut post).is_some(), answered);
        let counters = post.wire.segment.devices()[0].esc.ethernet_counters().unwrap();
        assert_eq!(counters.ignored_fragments, u32::from(!answered));
    }
}

#[test]
fn a_time_stamp_is_told_where_it_is_requested_and_appended_where_it_is_wanted() {
    let mut post = Post::of_segment(DRIVE, BYTES);
    let frame = arp(Ipv4Addr::new(192, 168, 1, 200));
    let mut cutter = Cutter::new(3, 11, &frame, None).with_time_stamp_requested();
    write(&mut post, &cutter.next_mail(250).unwrap());
    let (_, body) = post.read().unwrap();
    let mail = Mail::parse(&body).unwrap();
    let Message::TimeStamp { frame: 11, time_ns } = mail.message else { panic!("{mail:?}") };
    assert_eq!(mail.port, 3);
    // The device's clock, which began with the segment's.
    let late_ns = post.wire.now_ns as u32 - time_ns;
    assert!(late_ns < 200_000, "{late_ns}");

    let new = IpParameters { append_time_stamp: true, ..IpParameters::default() };
    assert_eq!(ask(&mut post, Message::SetIp(new)), [3, 1, 0, 0]);
    send(&mut post, &arp(IP));
    let (reply, time_stamp) = receive(&mut post).unwrap();
    assert_eq!(reply.len(), 60);
    assert!(time_stamp.unwrap() > time_ns);
}

/// Two switches with four sockets, cabled to each other, a host at each, and a coupler's place between them.
fn switches(ethernet: &str) -> Post {
    let switch = |name: &str, last: u8| {
        format!(
            r#"{{ "name": "{name}", "type": "generic", "pdos": [], "mailbox": {{ "bytes": 256, "delayMs": 0,
                "eoe": {{ "sockets": 4, "agingS": 10, "behind": [{{ "socket": 4,
                  "mac": "02:00:00:00:00:{last:02x}", "ip": "192.168.1.{last}" }}] }} }} }}"#
        )
    };
    let (a, b) = (switch("a", 0x0A), switch("b", 0x0B));
    let json = format!(r#"{{ "devices": [{a}, {b}], "ethernet": {ethernet} }}"#);
    Post::of_segment(&json, BYTES)
}

const AT_A: (MacAddress, Ipv4Addr) =
    (MacAddress([2, 0, 0, 0, 0, 0x0A]), Ipv4Addr::new(192, 168, 1, 10));
const AT_B: (MacAddress, Ipv4Addr) =
    (MacAddress([2, 0, 0, 0, 0, 0x0B]), Ipv4Addr::new(192, 168, 1, 11));
const ONE_CABLE: &str = r#"[{ "from": "a.1", "to": "b.2" }]"#;

fn counters(post: &Post, device: usize) -> (u32, u32) {
    let counters = post.wire.segment.devices()[device].esc.ethernet_counters().unwrap();
    (counters.received, counters.sent)
}

#[test]
fn a_host_behind_another_device_answers_over_the_cable() {
    let mut post = switches(ONE_CABLE);
    send(&mut post, &arp(AT_B.1));
    let (reply, _) = receive(&mut post).unwrap();
    assert_eq!(reply[6..12], AT_B.0.0);
    // Broadcasts flood: the second switch has shown its MainDevice the question, too. The answer went its way.
    assert_eq!((counters(&post, 0), counters(&post, 1)), ((1, 1), (0, 1)));
    // Now both know where everybody is: nothing of this comes out at the second device.
    send(&mut post, &ping(MAIN_DEVICE, AT_B.0, AT_B.1, b"hello"));
    assert_eq!(pong(&receive(&mut post).unwrap().0), (AT_B.0.0, b"hello".to_vec()));
    assert_eq!(counters(&post, 1), (0, 1));
    // Nobody has seen the near one yet: this floods once.
    for _ in 0..2 {
        send(&mut post, &ping(MAIN_DEVICE, AT_A.0, AT_A.1, b"near"));
        assert_eq!(pong(&receive(&mut post).unwrap().0).0, AT_A.0.0);
        assert_eq!(counters(&post, 1), (0, 2));
    }
}

#[test]
fn an_address_that_was_not_seen_for_long_is_flooded_again() {
    let mut post = switches(ONE_CABLE);
    let hello = ping(MAIN_DEVICE, AT_B.0, AT_B.1, b"hello");
    // Unknown at first: the other device's MainDevice sees it.
    send(&mut post, &hello);
    receive(&mut post).unwrap();
    assert_eq!(counters(&post, 1).1, 1);
    send(&mut post, &hello);
    receive(&mut post).unwrap();
    assert_eq!(counters(&post, 1).1, 1);
    post.wire.wait_us(11_000_000);
    send(&mut post, &hello);
    receive(&mut post).unwrap();
    assert_eq!(counters(&post, 1).1, 2);
}

#[test]
fn a_loop_of_cables_ends() {
    let mut post = switches(
        r#"[{ "from": "a.1", "to": "b.1" }, { "from": "a.2", "to": "b.2" }, { "from": "a.3", "to": "b.3" }]"#,
    );
    send(&mut post, &arp(AT_B.1));
    post.wire.wait_us(1_000_000);
    let before = post.wire.segment.devices().iter().map(|one| one.esc.ethernet_counters());
    let before: Vec<_> = before.collect();
    post.wire.wait_us(1_000_000);
    let after: Vec<_> =
        post.wire.segment.devices().iter().map(|one| one.esc.ethernet_counters()).collect();
    assert_eq!(before, after);
    assert!(after.iter().all(|counters| counters.unwrap().lost > 0));
}

#[test]
fn a_filter_keeps_frames_from_the_main_device() {
    let mut post = switches(ONE_CABLE);
    let mut filter =
        AddressFilter { filter_count: 1, no_broadcasts: true, ..AddressFilter::default() };
    filter.filters[0] = MAIN_DEVICE;
    post.station = STATION + 1;
    assert_eq!(ask(&mut post, Message::SetFilter(filter)), [5, 1, 0, 0]);
    let body = ask(&mut post, Message::GetFilter);
    assert_eq!(Mail::parse(&body).unwrap().message, Message::Filter(Ok(filter)));
    // A switch has no IP of its own here.
    assert_eq!(ask(&mut post, Message::GetIp), [7, 1, 1, 2]);
    let ip = IpParameters { ip: Some(IP), ..IpParameters::default() };
    assert_eq!(ask(&mut post, Message::SetIp(ip)), [3, 1, 1, 2]);
    post.station = STATION;
    send(&mut post, &arp(AT_B.1));
    receive(&mut post).unwrap();
    assert_eq!(counters(&post, 1), (0, 0));
    let counters = post.wire.segment.devices()[1].esc.ethernet_counters().unwrap();
    assert_eq!(counters.filtered, 1);
}

#[test]
fn a_frame_for_one_socket_leaves_by_that_alone() {
    let mut post = switches(ONE_CABLE);
    // Socket 4 has a host behind it; the cable at socket 1 stays silent.
    let question = arp(AT_A.1);
    let mut cutter = Cutter::new(4, 1, &question, None);
    write(&mut post, &cutter.next_mail(250).unwrap());
    assert_eq!(receive(&mut post).unwrap().0[6..12], AT_A.0.0);
    assert_eq!(counters(&post, 1), (0, 0));
}

#[test]
fn a_switch_without_power_passes_nothing() {
    let mut post = switches(ONE_CABLE);
    post.wire.segment.apply(SegmentCommand::Unplug { device: 1 }, post.wire.now_ns);
    send(&mut post, &arp(AT_B.1));
    assert_eq!(receive(&mut post), None);
    post.wire.segment.apply(SegmentCommand::Plug { device: 1 }, post.wire.now_ns);
    send(&mut post, &arp(AT_B.1));
    assert!(receive(&mut post).is_some());
}

fn disturbed(after: u32, protocol: Option<MailProtocol>, effect: MailEffect) -> Post {
    let mut post = Post::of_segment(DRIVE, BYTES);
    let fault = MailFault { after, count: 1, protocol, effect };
    post.wire.segment.apply(SegmentCommand::DisturbMail { device: 0, fault }, 0);
    post
}

#[test]
fn fragments_get_lost_in_either_direction() {
    let frame = ping(MAIN_DEVICE, OWN, IP, &[3; 600]);
    // The second one that the device sends: the third is not the one that follows the first.
    let mut post = disturbed(1, None, MailEffect::LoseFragment);
    send(&mut post, &frame);
    let numbers: Vec<u8> = std::iter::from_fn(|| {
        post.wire.wait_us(100);
        post.read().map(|(_, body)| body[2] & 0x3F)
    })
    .collect();
    assert_eq!(numbers, [0, 2]);
    // The second one that it gets; CoE is not concerned.
    let mut post = disturbed(1, Some(MailProtocol::Eoe), MailEffect::Silence);
    post.ask(3, &[0, 0x20, 0x40, 0x18, 0x10, 0, 0, 0, 0, 0]);
    send(&mut post, &frame);
    assert_eq!(receive(&mut post), None);
    let counters = post.wire.segment.devices()[0].esc.ethernet_counters().unwrap();
    assert_eq!((counters.received, counters.ignored_fragments), (0, 1));
    send(&mut post, &frame);
    assert!(receive(&mut post).is_some());
}

#[test]
fn settings_can_be_refused_by_a_fault() {
    let mut post = disturbed(0, None, MailEffect::EthernetResult { code: 0x0202 });
    assert_eq!(ask(&mut post, Message::SetIp(IpParameters::default())), [3, 1, 2, 2]);
    assert_eq!(ask(&mut post, Message::SetIp(IpParameters::default())), [3, 1, 0, 0]);
    let mut post = disturbed(0, None, MailEffect::WrongType);
    mail(&mut post, Message::GetIp);
    assert_eq!(post.read().unwrap().0 & 0x0F, 3);
}
