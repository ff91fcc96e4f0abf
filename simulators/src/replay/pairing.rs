//! Which answer belongs to which request.
//!
//! Real captures are not tidy: answers are lost, indices are used again, several frames are in flight, a
//! request and its answer may bear the same time, and other protocols share the wire. An answer belongs
//! to the newest request that it can be the answer to.

use std::collections::BTreeMap;
use std::ops::Range;

use ecat_wire::ethernet::{ETHERTYPE, HEADER_BYTES, SOURCE_PROCESSED};
use ecat_wire::frame::{DATAGRAM_HEADER_BYTES, DATAGRAM_OVERHEAD_BYTES, datagrams};

use super::pcap::Packet;

/// A request with its answer. Both are bare Ethernet II frames.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) number: u32,
    pub(super) time_ns: u64,
    pub(super) request: Vec<u8>,
    pub(super) answer: Option<Answer>,
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) number: u32,
    pub(super) frame: Vec<u8>,
}

/// A capture, sorted.
#[derive(Debug, Default)]
pub(super) struct Paired {
    pub(super) exchanges: Vec<Exchange>,
    /// Frames that are no part of an exchange, by what they are.
    pub(super) skipped: BTreeMap<&'static str, usize>,
    /// Datagrams of all requests, and of answers without one, and one for every other frame.
    pub(super) total: usize,
}

const ETHERTYPE_AT: usize = 12;
const ETHERCAT_LENGTH: Range<usize> = 14..16;
const VLAN: u16 = 0x8100;
const IPV4: u16 = 0x0800;
const UDP: u8 = 17;
const UDP_PORT: u16 = 0x88A4;

/// How long before an answer its request may have been sent where they differ in a field, in ns.
const MUTILATED_NS: u64 = 50_000_000;

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
        // In position addresses and broadcasts, the low word counts up.
        let counts_up = |code: u8| matches!(code, 1..=3 | 7..=9 | 13);
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
}

/// Sorts a capture.
pub(super) fn pair(packets: &[Packet<'_>]) -> Paired {
    let mut paired = Paired::default();
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut orphans: Vec<(u32, u64, Vec<u8>)> = Vec::new();
    // A sender whose address has the bit already: only the content tells the direction.
    let is_marked = |packet: &Packet<'_>| {
        bare(packet.bytes).is_some_and(|frame| frame[6] & SOURCE_PROCESSED == 0)
    };
    let unmarked = !packets.iter().any(is_marked);
    for packet in packets {
        let Some(frame) = bare(packet.bytes) else {
            orphans.push((packet.number, packet.time_ns, packet.bytes.to_vec()));
            continue;
        };
        let found = waiting.iter().rposition(|one| {
            let exchange = &paired.exchanges[one.exchange];
            let mut source = one.shape.source;
            source[0] |= SOURCE_PROCESSED;
            source == frame[6..12] && one.shape.differences(&exchange.request, &frame) == Some(0)
        });
        let shape = Shape::of(&frame);
        let processed = frame[6] & SOURCE_PROCESSED != 0;
        match (found, shape) {
            (Some(found), _) if processed => {
                let exchange = waiting.remove(found).exchange;
                paired.exchanges[exchange].answer = Some(Answer { number: packet.number, frame });
            }
            (_, Some(shape))
                if (!processed || unmarked)
                    && !(shape.has_counted(&frame) && answers_any(&waiting, &paired, &frame)) =>
            {
                waiting.push(Waiting { exchange: paired.exchanges.len(), shape });
                paired.exchanges.push(Exchange {
                    number: packet.number,
                    time_ns: packet.time_ns,
                    request: frame,
                    answer: None,
                });
            }
            _ => orphans.push((packet.number, packet.time_ns, frame)),
        }
    }
    for (number, time_ns, frame) in orphans {
        // An answer that differs from the request in one field is one, and wrong.
        let found = waiting.iter().rposition(|one| {
            let exchange = &paired.exchanges[one.exchange];
            let differences = one.shape.differences(&exchange.request, &frame);
            exchange.number < number
                && time_ns.abs_diff(exchange.time_ns) <= MUTILATED_NS
                && differences.is_some_and(|count| count <= 1)
        });
        if let Some(found) = found {
            let exchange = waiting.remove(found).exchange;
            paired.exchanges[exchange].answer = Some(Answer { number, frame });
            continue;
        }
        let (kind, count) = kind(&frame);
        *paired.skipped.entry(kind).or_default() += count;
        paired.total += count;
    }
    let requested = paired.exchanges.iter().map(|exchange| count_datagrams(&exchange.request));
    paired.total += requested.sum::<usize>();
    paired
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
fn kind(frame: &[u8]) -> (&'static str, usize) {
    let Some(&[high, low]) = frame.get(ETHERTYPE_AT..HEADER_BYTES).and_then(|b| b.first_chunk())
    else {
        return ("short", 1);
    };
    match u16::from_be_bytes([high, low]) {
        ETHERTYPE if bare(frame).is_none() => ("short", 1),
        ETHERTYPE => ("answers without a request", count_datagrams(frame)),
        0x0806 => ("ARP", 1),
        IPV4 => ("IP", 1),
        0x86DD => ("IPv6", 1),
        0x88CC => ("LLDP", 1),
        _ => ("others", 1),
    }
}

/// The EtherCAT frame within an Ethernet frame, without a VLAN tag and UDP's headers.
fn bare(bytes: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let mut at = ETHERTYPE_AT;
    if word(at)? == VLAN {
        at += 4;
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
