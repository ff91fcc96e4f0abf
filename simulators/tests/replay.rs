//! Captures of our own making, of what no recording at hand shows.

use ecat_simulator::replay::Counts;
use ecat_simulator::{Segment, SegmentDescription, replay};
use ecat_wire::Command;
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::FrameWriter;

const INPUTS: Command = Command::Aprd { position: 0, register: 0x1000 };
const PLAIN: MacAddress = MacAddress([0x10, 0, 0, 0, 0, 1]);
/// An address that has the bit that an ESC sets, as virtual interfaces have.
const MARKED: MacAddress = MacAddress([0x02, 0, 0, 0, 0, 1]);

fn description() -> SegmentDescription {
    SegmentDescription::from_json(r#"{ "devices": [{ "type": "digital-inputs" }] }"#).unwrap()
}

/// Frames a millisecond apart: requests and answers of a segment whose inputs change.
fn recorded(source: MacAddress, count: usize) -> Vec<Vec<u8>> {
    let mut segment = Segment::new(&description()).unwrap();
    let mut frames = Vec::new();
    for n in 0..count {
        let mut buffer = [0; 60];
        let mut writer = FrameWriter::new(&mut buffer, source).unwrap();
        writer.push(INPUTS, n as u8, 1).unwrap();
        assert_eq!(writer.finish(), 60);
        frames.push(buffer.to_vec());
        segment.set_input(0, 0, 8, n as u64);
        segment.process(&mut buffer, n as u64 * 1_000_000);
        frames.push(buffer.to_vec());
    }
    frames
}

/// A capture at an interface of kind `link`: frames with their times in µs and the bytes that were captured.
fn captured(link: u32, frames: &[(u32, usize, Vec<u8>)]) -> Vec<u8> {
    let mut file: Vec<u8> = [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, link]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    for (time_us, bytes, frame) in frames {
        let [captured, length] = [*bytes as u32, frame.len() as u32];
        file.extend([0, *time_us, captured, length].into_iter().flat_map(u32::to_le_bytes));
        file.extend(&frame[..*bytes]);
    }
    file
}

fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let timed = frames.iter().enumerate();
    let timed = timed.map(|(n, frame)| (n as u32 * 500, frame.len(), frame.clone()));
    captured(1, &timed.collect::<Vec<_>>())
}

fn counts(frames: &[Vec<u8>]) -> Counts {
    replay(&pcap(frames), &description()).unwrap().counts
}

#[test]
fn inputs_may_change_and_nothing_else() {
    let mut frames = recorded(PLAIN, 4);
    let expected = Counts { identical: 1, live: 3, total: 4, ..Counts::default() };
    assert_eq!(counts(&frames), expected);
    // The working counter of the last answer.
    frames[7][27] += 1;
    let expected = Counts { identical: 1, live: 2, structural: 1, total: 4, ..Counts::default() };
    assert_eq!(counts(&frames), expected);
}

#[test]
fn a_sender_whose_address_has_the_bit_already_is_understood() {
    let expected = Counts { identical: 1, live: 3, total: 4, ..Counts::default() };
    assert_eq!(counts(&recorded(MARKED, 4)), expected);
}

#[test]
fn tags_and_headers_around_a_frame_do_not_matter() {
    let tagged = |frame: &Vec<u8>| [&frame[..12], &[0x81, 0, 0, 5], &frame[12..]].concat();
    let mut ip = [0; 28];
    (ip[0], ip[9]) = (0x45, 17);
    ip[22..24].copy_from_slice(&0x88A4_u16.to_be_bytes());
    let in_udp = |frame: &Vec<u8>| [&frame[..12], &[0x08, 0], &ip[..], &frame[14..]].concat();
    let frames = recorded(PLAIN, 3);
    let expected = Counts { identical: 1, live: 2, total: 3, ..Counts::default() };
    assert_eq!(counts(&frames.iter().map(tagged).collect::<Vec<_>>()), expected);
    assert_eq!(counts(&frames.iter().map(in_udp).collect::<Vec<_>>()), expected);
}

#[test]
fn lost_answers_count_and_other_protocols_are_skipped() {
    let mut frames = recorded(PLAIN, 4);
    frames.remove(3);
    // An answer whose request the capture does not have.
    frames.remove(0);
    let mut arp = vec![0xFF; 60];
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    frames.extend([arp, vec![1, 2, 3]]);
    let report = replay(&pcap(&frames), &description()).unwrap();
    let expected = Counts { live: 2, unanswered: 1, skipped: 3, total: 6, ..Counts::default() };
    assert_eq!(report.counts, expected);
    let skipped: Vec<_> = report.skipped.into_iter().collect();
    assert_eq!(skipped, [("ARP", 1), ("answers without a request", 1), ("short", 1)]);
}

/// A frame with one command, and what comes back.
fn exchange(
    segment: &mut Segment,
    source: MacAddress,
    command: Command,
    index: u8,
) -> [Vec<u8>; 2] {
    let mut buffer = [0; 60];
    let mut writer = FrameWriter::new(&mut buffer, source).unwrap();
    writer.push(command, index, 2).unwrap();
    assert_eq!(writer.finish(), 60);
    let request = buffer.to_vec();
    segment.process(&mut buffer, 0);
    [request, buffer.to_vec()]
}

#[test]
fn a_marked_sender_that_repeats_a_request_is_not_taken_for_an_answer() {
    let mut segment = Segment::new(&description()).unwrap();
    let nobody = Command::Fprd { station: 77, register: 0x0010 };
    let somebody = Command::Fprd { station: 0, register: 0x0010 };
    let by_position = Command::Aprd { position: 0, register: 0x0010 };
    for command in [somebody, by_position] {
        let [request, answer] = exchange(&mut segment, MARKED, command, 1);
        // The first answer is lost, and the request repeated.
        let frames = [request.clone(), request.clone(), answer.clone()];
        let expected = Counts { identical: 1, unanswered: 1, total: 2, ..Counts::default() };
        assert_eq!(counts(&frames), expected, "{command:?}");
    }
    // Nobody answers: what comes back is as it went.
    let [request, answer] = exchange(&mut segment, MARKED, nobody, 1);
    assert_eq!(request, answer);
    let polled = [request.clone(), answer.clone(), request, answer];
    assert_eq!(counts(&polled), Counts { identical: 2, total: 2, ..Counts::default() });
}

#[test]
fn frames_in_flight_may_use_an_index_again_and_bear_times_that_go_back() {
    let mut segment = Segment::new(&description()).unwrap();
    let registers = [0x0004, 0x0006, 0x0008, 0x0004];
    let mut pairs = registers
        .map(|register| exchange(&mut segment, PLAIN, Command::Aprd { position: 0, register }, 7));
    let answers: Vec<_> = pairs.iter_mut().map(|pair| std::mem::take(&mut pair[1])).collect();
    let order = [0, 1, 2, 3].into_iter().map(|n: usize| pairs[n][0].clone());
    let frames: Vec<_> = order.chain(answers.into_iter().rev()).collect();
    let times = [900, 900, 100, 50, 50, 0, 900, 901];
    let timed: Vec<_> =
        times.into_iter().zip(frames).map(|(time, frame)| (time, frame.len(), frame)).collect();
    let report = replay(&captured(1, &timed), &description()).unwrap();
    let expected = Counts { identical: 4, total: 4, ..Counts::default() };
    assert_eq!(report.counts, expected, "{report:?}");
}

#[test]
fn one_direction_alone_is_told_by_its_class() {
    let frames = recorded(PLAIN, 3);
    let requests: Vec<_> = frames.iter().step_by(2).cloned().collect();
    let answers: Vec<_> = frames.iter().skip(1).step_by(2).cloned().collect();
    assert_eq!(counts(&requests), Counts { unanswered: 3, total: 3, ..Counts::default() });
    assert_eq!(counts(&answers), Counts { skipped: 3, total: 3, ..Counts::default() });
}

#[test]
fn a_capture_of_two_interfaces_that_frames_pass_counts_them_once() {
    let frames = recorded(PLAIN, 3);
    let twice = frames.iter().enumerate().flat_map(|(n, frame)| {
        [0, 12].map(|later: u32| (n as u32 * 500 + later, frame.len(), frame.clone()))
    });
    let report = replay(&captured(1, &twice.collect::<Vec<_>>()), &description()).unwrap();
    let expected = Counts { identical: 1, live: 2, skipped: 6, total: 9, ..Counts::default() };
    assert_eq!(report.counts, expected);
    assert_eq!(report.skipped.into_iter().collect::<Vec<_>>(), [("captured twice", 6)]);
}

#[test]
fn frames_that_the_capture_cut_short_are_skipped_unless_only_padding_is_missing() {
    let cut = |fourth: usize| {
        let lengths = [29, 29, 29, fourth, 29, 29];
        let all = (0..).zip(lengths).zip(recorded(PLAIN, 3));
        captured(1, &all.map(|((n, length), frame)| (n * 500, length, frame)).collect::<Vec<_>>())
    };
    // Padding is not compared: 14 + 2 + 12 + 1 bytes are all of a frame.
    let report = replay(&cut(29), &description()).unwrap();
    assert_eq!(report.counts, Counts { identical: 1, live: 2, total: 3, ..Counts::default() });
    let report = replay(&cut(28), &description()).unwrap();
    let expected =
        Counts { identical: 1, live: 1, unanswered: 1, skipped: 1, total: 4, ..Counts::default() };
    assert_eq!(report.counts, expected);
    assert_eq!(report.skipped.into_iter().collect::<Vec<_>>(), [("cut short by the capture", 1)]);
}

#[test]
fn cooked_captures_and_two_tags_are_understood() {
    let frames = recorded(PLAIN, 3);
    let expected = Counts { identical: 1, live: 2, total: 3, ..Counts::default() };
    let tagged =
        |frame: &Vec<u8>| [&frame[..12], &[0x88, 0xA8, 0, 5, 0x81, 0, 0, 6], &frame[12..]].concat();
    assert_eq!(counts(&frames.iter().map(tagged).collect::<Vec<_>>()), expected);
    let cooked =
        |frame: &Vec<u8>| [&[0, 4, 0, 1, 0, 6][..], &frame[6..12], &[0, 0], &frame[12..]].concat();
    let cooked2 = |frame: &Vec<u8>| {
        [&frame[12..14], &[0, 0, 0, 0, 0, 2, 0, 1, 4, 6], &frame[6..12], &[0, 0], &frame[14..]]
            .concat()
    };
    for (link, form) in [(113, &cooked as &dyn Fn(&Vec<u8>) -> Vec<u8>), (276, &cooked2)] {
        let timed = frames.iter().enumerate().map(|(n, frame)| {
            let frame = form(frame);
            (n as u32 * 500, frame.len(), frame)
        });
        let file = captured(link, &timed.collect::<Vec<_>>());
        assert_eq!(replay(&file, &description()).unwrap().counts, expected, "{link}");
    }
}

/// Frames a millisecond apart, through a segment that is not the one that is judged.
fn played(json: &str, writes: &[(Command, &[u8])]) -> Vec<Vec<u8>> {
    let mut segment = Segment::new(&SegmentDescription::from_json(json).unwrap()).unwrap();
    let mut frames = Vec::new();
    for (n, (command, data)) in (0u8..).zip(writes) {
        let mut buffer = [0; 60];
        let mut writer = FrameWriter::new(&mut buffer, PLAIN).unwrap();
        writer.push_data(*command, n, data).unwrap();
        assert_eq!(writer.finish(), 60);
        frames.push(buffer.to_vec());
        segment.process(&mut buffer, u64::from(n) * 1_000_000);
        frames.push(buffer.to_vec());
    }
    frames
}

/// Reads words 8 to 11 of the first device's EEPROM, and register 0x0012.
const READS: [(Command, &[u8]); 3] = [
    (Command::Apwr { position: 0, register: 0x0502 }, &[0, 1, 8, 0, 0, 0]),
    (Command::Aprd { position: 0, register: 0x0508 }, &[0; 8]),
    (Command::Aprd { position: 0, register: 0x0012 }, &[0; 2]),
];

#[test]
fn words_of_an_eeprom_that_nobody_knows_are_live_and_counted() {
    let recorded = r#"{ "devices": [{ "alias": 7, "siiWords": [{ "word": 8, "values": [2, 3, 4, 5] }],
                                      "esc": { "eepromStatus": 64 } }] }"#;
    let judged = r#"{ "devices": [{ "siiWords": [{ "word": 8, "values": [2, 3] }, { "word": 11, "values": [5] }],
                                    "esc": { "eepromStatus": 64 } }] }"#;
    let frames = played(recorded, &READS);
    let judged = SegmentDescription::from_json(judged).unwrap();
    let report = replay(&pcap(&frames), &judged).unwrap();
    assert_eq!(report.counts, Counts { identical: 1, live: 2, total: 3, ..Counts::default() });
    let words: Vec<_> = report.unknown_words.iter().map(|one| (one.word, one.count)).collect();
    assert_eq!(words, [(4, 1), (10, 1)]);
    // A word that is known is compared, beside one that is not.
    let mut changed = frames.clone();
    changed[3][26 + 6] ^= 1;
    let report = replay(&pcap(&changed), &judged).unwrap();
    assert_eq!(report.counts.structural, 1);
    assert_eq!(report.differences[0].hint, "sii or sii_words: word 0x000b of the EEPROM");
    assert_eq!(report.differences[0].device.as_deref(), Some("device 0"));
}

#[test]
fn a_description_may_say_which_bits_of_a_register_are_compared() {
    let plain = r#"{ "devices": [{ "type": "EK1100" }] }"#;
    let counted = r#"{ "devices": [{ "type": "EK1100", "start": { "registers": [{ "register": 768, "bytes": [3, 1] }] } }] }"#;
    let masked = r#"{ "devices": [{ "type": "EK1100" }], "compare": [{ "register": 768, "mask": [0, 254] }] }"#;
    let counters = (Command::Aprd { position: 0, register: 0x0300 }, &[0; 8][..]);
    let frames = played(counted, &[counters]);
    let judge = |json: &str| {
        let description = SegmentDescription::from_json(json).unwrap();
        replay(&pcap(&frames), &description).unwrap()
    };
    assert_eq!(judge(plain).counts.structural, 1);
    assert!(judge(plain).differences[0].hint.contains("start.registers"));
    assert_eq!(judge(masked).counts, Counts { live: 1, total: 1, ..Counts::default() });
    assert_eq!(judge(counted).counts, Counts { identical: 1, total: 1, ..Counts::default() });
    let nobody = masked.replace("\"register\": 768", "\"device\": \"x\", \"register\": 768");
    let nobody = SegmentDescription::from_json(&nobody).unwrap();
    let error = replay(&pcap(&frames), &nobody).unwrap_err();
    assert!(error.to_string().starts_with("/compare/0/device"), "{error}");
}

#[test]
fn a_capture_may_begin_in_the_middle_of_everything() {
    let json = r#"{ "devices": [
        { "name": "coupler", "type": "EK1100", "outsidePorts": [2],
          "start": { "stationAddress": 1001, "eepromBusy": true, "localTimeNs": 5000000000 } },
        { "type": "analogue-inputs", "start": { "alState": "INIT", "alControl": 2, "stationAddress": 1002 } } ] }"#;
    let judged = SegmentDescription::from_json(json).unwrap();
    let reads: [(Command, &[u8]); 4] = [
        (Command::Fprd { station: 1001, register: 0x0110 }, &[0; 2]),
        (Command::Fprd { station: 1001, register: 0x0502 }, &[0; 2]),
        // The request was not read: a second one is not taken.
        (Command::Fpwr { station: 1002, register: 0x0120 }, &[1, 0]),
        (Command::Fprd { station: 1001, register: 0x0918 }, &[0; 8]),
    ];
    let mut segment = Segment::new(&judged).unwrap();
    let mut answers = Vec::new();
    for (n, (command, data)) in (0u8..).zip(reads) {
        let mut buffer = [0; 60];
        let mut writer = FrameWriter::new(&mut buffer, PLAIN).unwrap();
        writer.push_data(command, n, data).unwrap();
        assert_eq!(writer.finish(), 60);
        segment.process(&mut buffer, 1_000);
        answers.push(buffer[26..26 + data.len() + 2].to_vec());
    }
    // Ports 0, 1 and 2 have a link and are open.
    assert_eq!(answers[0], [0x71, 0x6A, 1, 0]);
    assert_eq!(answers[1], [0x40, 0x81, 1, 0]);
    assert_eq!(answers[2][2..], [0, 0]);
    assert_eq!(segment.positions(), [0, 1]);
}

#[test]
fn mail_of_a_protocol_that_is_not_simulated_is_live_where_the_description_says_so() {
    const PLAIN_MAIL: &str = r#"{ "devices": [{ "type": "generic", "pdos": [], "deviceEmulation": false, MAILBOX,
        "start": { "alState": "PRE-OP", "stationAddress": 1,
                   "registers": [{ "register": 2048, "bytes": [0, 16, 64, 0, 38, 0, 1, 0, 64, 16, 64, 0, 34, 0, 1, 0] }] } }] }"#;
    let json = |mailbox: &str| {
        PLAIN_MAIL.replace("MAILBOX", &format!("\"mailbox\": {{ \"bytes\": 64{mailbox} }}"))
    };
    let with = |mailbox: &str| SegmentDescription::from_json(&json(mailbox)).unwrap();
    // The MainDevice asks by EoE; the recorded device answers by EoE with a counter of its own.
    let mut mail = [0; 64];
    mail[..8].copy_from_slice(&[4, 0, 0, 0, 0, 0x12, 2, 0]);
    let mut answer = mail;
    answer[6..12].copy_from_slice(&[3, 0, 0, 0, 9, 9]);
    let frame = |source, command, index, data: &[u8], counter: u8| {
        let mut buffer = [0; 128];
        let mut writer = FrameWriter::new(&mut buffer, source).unwrap();
        writer.push_data(command, index, data).unwrap();
        let length = writer.finish();
        buffer[26 + data.len()] = counter;
        buffer[..length].to_vec()
    };
    let processed = MacAddress([0x12, 0, 0, 0, 0, 1]);
    let write = Command::Fpwr { station: 1, register: 0x1000 };
    let read = Command::Fprd { station: 1, register: 0x1040 };
    let frames = [
        frame(PLAIN, write, 1, &mail, 0),
        frame(processed, write, 1, &mail, 1),
        frame(PLAIN, read, 2, &[0; 64], 0),
        frame(processed, read, 2, &answer, 1),
    ];
    let judge = |mailbox: &str| replay(&pcap(&frames), &with(mailbox)).unwrap();
    let known = judge(", \"foreign\": [\"EoE\"]");
    let expected = Counts { identical: 1, live: 1, total: 2, ..Counts::default() };
    assert_eq!(known.counts, expected, "{known:?}");
    // There is no model of when it comes.
    assert!(known.latencies.iter().all(|one| one.event != "MailForeign"));
    let unknown = judge("");
    assert_eq!(unknown.counts.structural, 1);
    assert!(unknown.differences[0].hint.contains("mailbox"), "{unknown:?}");
}
