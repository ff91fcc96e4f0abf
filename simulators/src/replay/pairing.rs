//! Which answer belongs to which request.
//!
//! Real captures are not tidy: answers are lost, indices are used again, several frames are in flight, a
//! request and its answer may bear the same time, and other protocols share the wire. An answer belongs
//! to the newest request that it can be the answer to.

use std::collections::BTreeMap;
use std::ops::Range;

use ecat_wire::ethernet::{ETHERTYPE, HEADER_BYTES, SOURCE_PROCESSED};
use ecat_wire::frame::{DATAGRAM_HEADER_BYTES, DATAGRAM_OVERHEAD_BYTES, datagrams};

use super::pcap::{Link, Packet};

/// A request with its answer. Both are bare Ethernet II frames.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(super) number: u32,
    pub(crate) time_ns: u64,
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Option<Answer>,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(super) number: u32,
    pub(crate) frame: Vec<u8>,
}

/// A capture, sorted.
#[derive(Debug, Default)]
pub(crate) struct Paired {
    pub(crate) exchanges: Vec<Exchange>,
    /// Frames that are no part of an exchange, by what they are.
    pub(super) skipped: BTreeMap<&'static str, usize>,
    /// Datagrams of all requests, and of answers without one, and one for every other frame.
    pub(super) total: usize,
}

const ETHERTYPE_AT: usize = 12;
const ETHERCAT_LENGTH: Range<usize> = 14..16;
/// Tags of networks: customer's, service provider's, and what stood for the latter before.
const VLAN: [u16; 3] = [0x8100, 0x88A8, 0x9100];
const VLAN_TAGS_MAX: usize = 4;
const IPV4: u16 = 0x0800;
const UDP: u8 = 17;
const UDP_PORT: u16 = 0x88A4;

/// How long before an answer its request may have been sent where they differ in a field, in ns.
const MUTILATED_NS: u64 = 50_000_000;

/// Frames that are the same and within this time of one another are the same frame, in a capture where many
/// are: one of several interfaces that it passed, or of a mirrored port. In ns.
const TWICE_NS: u64 = 50_000;
/// How many frames may lie between them.
const TWICE_FRAMES: usize = 8;

/// How many frames an answer may come after its request, at a sender whose address tells nothing.
const AHEAD_FRAMES: usize = 64;

struct Waiting {
    exchange: usize,
    shape: Shape,
}

/// The fields by which requests and answers are told from one another.
struct Shape {
    source: [u8; 6],
    /// Where in the frame they stand.
    fields: Vec<Range<usize>>,
    /// Where datagrams begin.
    codes: Vec<usize>,
    counters: Vec<usize>,
}

impl Shape {
    fn of(frame: &[u8]) -> Option<Self> {
        let mut shape = Self {
            source: *frame.get(6..12)?.first_chunk()?,
            fields: vec![ETHERTYPE_AT..HEADER_BYTES, ETHERCAT_LENGTH],
            codes: Vec::new(),
            counters: Vec::new(),
        };
        let mut at = HEADER_BYTES + 2;
        for datagram in datagrams(frame).into_iter().flatten() {
            let Ok(datagram) = datagram else {
                // What cannot be read comes back as it went.
                shape.fields.push(at..(at + 2).min(frame.len()));
                break;
            };
            shape.fields.extend([at..at + 1, at + 1..at + 2, at + 6..at + 8]);
            shape.fields.push(at + 4..at + 6);
            shape.codes.push(at);
            at += DATAGRAM_OVERHEAD_BYTES + datagram.data.len();
            shape.counters.push(at - 2);
        }
        Some(shape)
    }

    /// In how many fields `frame` differs; `None` if it is too short to tell.
    fn differences(&self, request: &[u8], frame: &[u8]) -> Option<usize> {
        if self.fields.iter().any(|field| field.end > frame.len()) {
            return None;
        }
        let differ = |field: &&Range<usize>| request[(*field).clone()] != frame[(*field).clone()];
        let station_differs = |&&at: &&usize| {
            let both = [request[at], frame[at]];
            !both.into_iter().any(counts_up) && request[at + 2..at + 4] != frame[at + 2..at + 4]
        };
        let stations = self.codes.iter().filter(station_differs).count();
        Some(self.fields.iter().filter(differ).count() + stations)
    }

    fn has_counted(&self, frame: &[u8]) -> bool {
        self.counters.iter().any(|&at| frame.get(at..at + 2).is_some_and(|bytes| bytes != [0, 0]))
    }

    /// Whether a device has left its mark in `frame`, which fits the request: a working counter, or a
    /// position that was counted up.
    fn is_processed(&self, request: &[u8], frame: &[u8]) -> bool {
        let counted_up = |&at: &usize| frame.get(at + 2..at + 4) != request.get(at + 2..at + 4);
        self.has_counted(frame) || self.codes.iter().any(counted_up)
    }

    /// Whether all data are as in the request.
    fn brings_the_same(&self, request: &[u8], frame: &[u8]) -> bool {
        let data = |at: usize, counter: usize| at + DATAGRAM_HEADER_BYTES..counter;
        let all = self.codes.iter().zip(&self.counters);
        all.clone()
            .all(|(&at, &counter)| frame.get(data(at, counter)) == request.get(data(at, counter)))
    }
}

/// A frame of the capture.
struct Frame {
    number: u32,
    time_ns: u64,
    /// As Ethernet II, without tags and UDP's headers; as it is, where it carries no EtherCAT.
    bytes: Vec<u8>,
    sort: Sort,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    EtherCat,
    /// It carries EtherCAT, and the capture does not have all of it.
    Cut,
    /// The same frame was captured before.
    Twice,
    OtherLink,
    Other,
}

impl Frame {
    fn new(packet: &Packet<'_>) -> Self {
        let (sort, bytes) = match (packet.link, bare(packet)) {
            (Link::Other(_), _) => (Sort::OtherLink, Vec::new()),
            (_, None) => (Sort::Other, packet.bytes.to_vec()),
            (_, Some(bytes)) => {
                // Padding may be missing.
                let whole =
                    datagrams(&bytes).is_ok_and(|mut all| all.all(|datagram| datagram.is_ok()));
                (if packet.cut && !whole { Sort::Cut } else { Sort::EtherCat }, bytes)
            }
        };
        Self { number: packet.number, time_ns: packet.time_ns, bytes, sort }
    }

    fn is_ethercat(&self) -> bool {
        self.sort == Sort::EtherCat
    }

    fn is_marked(&self) -> bool {
        self.bytes[6] & SOURCE_PROCESSED != 0
    }
}

/// Marks frames that were captured twice, where that is so of a third of them and no accident.
fn mark_twice(frames: &mut [Frame]) {
    let mut found = Vec::new();
    for (n, frame) in frames.iter().enumerate().filter(|(_, frame)| frame.is_ethercat()) {
        let same = |before: &Frame| {
            before.bytes == frame.bytes && before.time_ns.abs_diff(frame.time_ns) <= TWICE_NS
        };
        if frames[n.saturating_sub(TWICE_FRAMES)..n].iter().any(same) {
            found.push(n);
        }
    }
    if found.len() * 3 >= frames.iter().filter(|frame| frame.is_ethercat()).count() {
        found.into_iter().for_each(|n| frames[n].sort = Sort::Twice);
    }
}

/// Sorts a capture.
pub(crate) fn pair(packets: &[Packet<'_>]) -> Paired {
    let mut frames: Vec<Frame> = packets.iter().map(Frame::new).collect();
    // A sender whose address has the bit already: only the content tells the direction.
    let unmarked = frames.iter().filter(|frame| frame.is_ethercat()).all(Frame::is_marked);
    if !unmarked {
        mark_twice(&mut frames);
    }
    // Requests have not been counted; where all frames are, they are answers alone.
    let counted =
        |frame: &Frame| Shape::of(&frame.bytes).is_some_and(|s| s.has_counted(&frame.bytes));
    let answers_alone = unmarked && frames.iter().filter(|frame| frame.is_ethercat()).all(counted);
    let mut paired = Paired::default();
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut orphans: Vec<usize> = Vec::new();
    for (n, frame) in frames.iter().enumerate() {
        if !frame.is_ethercat() {
            orphans.push(n);
            continue;
        }
        let bytes = &frame.bytes;
        let found = waiting.iter().rposition(|one| {
            let request = &paired.exchanges[one.exchange].request;
            let mut source = one.shape.source;
            source[0] |= SOURCE_PROCESSED;
            let fits = source == bytes[6..12] && one.shape.differences(request, bytes) == Some(0);
            fits && (!unmarked
                || one.shape.is_processed(request, bytes)
                || one.shape.brings_the_same(request, bytes))
        });
        let found = found.filter(|&found| {
            let one = &waiting[found];
            let request = &paired.exchanges[one.exchange].request;
            frame.is_marked() && !(unmarked && is_repeated(one, request, bytes, &frames[n + 1..]))
        });
        let shape = Shape::of(bytes);
        match (found, shape) {
            (Some(found), _) => {
                let exchange = waiting.remove(found).exchange;
                let answer = Answer { number: frame.number, frame: bytes.clone() };
                paired.exchanges[exchange].answer = Some(answer);
            }
            (_, Some(shape))
                if (!frame.is_marked() || unmarked && !answers_alone)
                    && !(shape.has_counted(bytes) && answers_any(&waiting, &paired, bytes)) =>
            {
                waiting.push(Waiting { exchange: paired.exchanges.len(), shape });
                paired.exchanges.push(Exchange {
                    number: frame.number,
                    time_ns: frame.time_ns,
                    request: bytes.clone(),
                    answer: None,
                });
            }
            _ => orphans.push(n),
        }
    }
    for frame in orphans.into_iter().map(|n| &frames[n]) {
        // An answer that differs from the request in one field is one, and wrong.
        let found = waiting.iter().rposition(|one| {
            let exchange = &paired.exchanges[one.exchange];
            let differences = one.shape.differences(&exchange.request, &frame.bytes);
            matches!(frame.sort, Sort::EtherCat | Sort::Other)
                && exchange.number < frame.number
                && frame.time_ns.abs_diff(exchange.time_ns) <= MUTILATED_NS
                && differences.is_some_and(|count| count <= 1)
        });
        if let Some(found) = found {
            let exchange = waiting.remove(found).exchange;
            let answer = Answer { number: frame.number, frame: frame.bytes.clone() };
            paired.exchanges[exchange].answer = Some(answer);
            continue;
        }
        let (kind, count) = kind(frame);
        *paired.skipped.entry(kind).or_default() += count;
        paired.total += count;
    }
    let requested = paired.exchanges.iter().map(|exchange| count_datagrams(&exchange.request));
    paired.total += requested.sum::<usize>();
    paired
}

/// Whether a frame of a sender whose address tells nothing, and which is as a request that waits, is that
/// request once more: the answer is still to come, or every device would have left its mark.
fn is_repeated(one: &Waiting, request: &[u8], frame: &[u8], ahead: &[Frame]) -> bool {
    let processed = |bytes: &[u8]| one.shape.is_processed(request, bytes);
    if processed(frame) || request[..HEADER_BYTES] != frame[..HEADER_BYTES] {
        return false;
    }
    let events = |&at: &usize| frame[at + 8..at + 10] != request[at + 8..at + 10];
    if one.shape.codes.iter().any(events) {
        return false;
    }
    if one.shape.codes.iter().any(|&at| counts_up(request[at])) {
        return true;
    }
    let next = ahead.iter().take(AHEAD_FRAMES).filter(|next| next.is_ethercat());
    let mut fitting = next.filter(|next| one.shape.differences(request, &next.bytes) == Some(0));
    fitting.next().is_some_and(|next| processed(&next.bytes))
}

/// Whether a command has an address whose low word counts up: positions and broadcasts.
fn counts_up(code: u8) -> bool {
    matches!(code, 1..=3 | 7..=9 | 13)
}

/// Whether a frame fits a request, whoever it is from.
fn answers_any(waiting: &[Waiting], paired: &Paired, frame: &[u8]) -> bool {
    waiting
        .iter()
        .any(|one| one.shape.differences(&paired.exchanges[one.exchange].request, frame) == Some(0))
}

/// How many datagrams an EtherCAT frame has. What cannot be read at its end counts as one.
pub(super) fn count_datagrams(frame: &[u8]) -> usize {
    datagrams(frame).map_or(1, Iterator::count)
}

/// What a frame that belongs to no exchange is, and how many things it counts as.
fn kind(frame: &Frame) -> (&'static str, usize) {
    match frame.sort {
        Sort::EtherCat => return ("answers without a request", count_datagrams(&frame.bytes)),
        Sort::Twice => return ("captured twice", count_datagrams(&frame.bytes)),
        Sort::Cut => return ("cut short by the capture", 1),
        Sort::OtherLink => return ("other link types", 1),
        Sort::Other => {}
    }
    let kind =
        frame.bytes.get(ETHERTYPE_AT..HEADER_BYTES).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let name = match kind {
        None | Some(ETHERTYPE) => "short",
        Some(0x0806) => "ARP",
        Some(IPV4) => "IP",
        Some(0x86DD) => "IPv6",
        Some(0x88CC) => "LLDP",
        _ => "others",
    };
    (name, 1)
}

/// A packet's Ethernet frame; of a cooked one, as if to everybody.
fn ethernet(packet: &Packet<'_>) -> Option<Vec<u8>> {
    let bytes = packet.bytes;
    let (source, protocol, payload) = match packet.link {
        Link::Ethernet => return Some(bytes.to_vec()),
        Link::Cooked => (6..12, 14..16, 16),
        Link::Cooked2 => (12..18, 0..2, 20),
        Link::Other(_) => return None,
    };
    let parts = [&[0xFF; 6], bytes.get(source)?, bytes.get(protocol)?, bytes.get(payload..)?];
    Some(parts.concat())
}

/// The EtherCAT frame within a packet, without VLAN tags and UDP's headers.
fn bare(packet: &Packet<'_>) -> Option<Vec<u8>> {
    let bytes = ethernet(packet)?;
    let word = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let mut at = ETHERTYPE_AT;
    let mut tags = 0;
    while VLAN.contains(&word(at)?) && tags < VLAN_TAGS_MAX {
        at += 4;
        tags += 1;
    }
    let payload = match word(at)? {
        ETHERTYPE => at + 2,
        IPV4 => {
            let header = at + 2;
            let length = usize::from(bytes.get(header)? & 0x0F) * 4;
            let to_port = *bytes.get(header + 9)? == UDP && word(header + length + 2)? == UDP_PORT;
            to_port.then_some(header + length + 8)?
        }
        _ => return None,
    };
    let mut frame = bytes.get(..ETHERTYPE_AT)?.to_vec();
    frame.extend(ETHERTYPE.to_be_bytes());
    frame.extend(bytes.get(payload..)?);
    (frame.len() >= HEADER_BYTES + 2 + DATAGRAM_HEADER_BYTES).then_some(frame)
}
