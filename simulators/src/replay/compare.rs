//! Whether an answer is the recorded one, datagram by datagram.
//!
//! Command, index, address, length word, event field and working counter must be equal, and the source
//! address must be marked. Data must be equal but for what depends on more than the MainDevice: clocks
//! ([`super::clock`]), live inputs, and of a mail its counter's start and the bytes behind its length.

use std::collections::{BTreeMap, BTreeSet};

use ecat_wire::Command;
use ecat_wire::ethernet::SOURCE_PROCESSED;
use ecat_wire::frame::{DATAGRAM_HEADER_BYTES, DATAGRAM_OVERHEAD_BYTES, Datagram, datagrams};
use ecat_wire::register as reg;
use serde::Serialize;

use super::clock::{self, Clocks, Sample};
use super::explain::{self, Context};
use super::pairing::{Answer, Exchange, count_datagrams};
use super::statics::Statics;
use crate::segment::{Forward, Segment, Source, SourceKind};

/// What a comparison of one datagram ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Identical,
    Clock,
    Live,
    Structural,
}

/// A place where the segment does not behave as the recorded one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Number of the request's frame in the capture, from 1.
    pub request_frame: u32,
    /// Number of the answer's frame.
    pub answer_frame: u32,
    /// Which datagram of the frame, from 0.
    pub datagram: usize,
    /// Command and address of the request.
    pub command: String,
    /// Which field of the datagram.
    pub field: &'static str,
    /// The register concerned: for data, that of the first byte that differs.
    pub register: Option<u16>,
    /// Its name in the data sheet.
    pub register_name: Option<&'static str>,
    /// What was recorded.
    pub expected: String,
    /// What the segment answered.
    pub got: String,
    /// Name of the device concerned, where it is one alone.
    pub device: Option<String>,
    /// Which key of the segment's description may tell of it; empty where none is likely.
    pub hint: String,
}

#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) class: Class,
    pub(super) difference: Option<Difference>,
}

/// What an answer teaches about devices, once it is taken for the right one.
#[derive(Debug, Default)]
pub(super) struct Lessons {
    clocks: Vec<Sample>,
    /// By how much the recorded mail counter of a device is ahead of ours, modulo 7.
    mail_counters: Vec<(usize, u8)>,
    /// Words of a device's EEPROM that were read and of which nothing is known.
    unknown_words: BTreeSet<(usize, u32)>,
}

/// The comparison of a frame.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) lessons: Lessons,
    /// Fields and bytes that differ: 0 where nothing is structural.
    pub(super) weight: usize,
}

impl Comparison {
    /// The rest of a frame whose lengths contradict one another comes back as it went.
    fn push_unreadable(
        &mut self,
        exchange: &Exchange,
        answer: &Answer,
        ours: Option<&[u8]>,
        at: usize,
    ) {
        let theirs = answer.frame.get(at..).unwrap_or(&[]);
        let ours = ours.unwrap_or(&[]);
        let length = theirs.len().min(exchange.request.len().saturating_sub(at));
        let equal = ours.get(..length) == Some(&theirs[..length]);
        let difference = (!equal).then(|| Difference {
            request_frame: exchange.number,
            answer_frame: answer.number,
            datagram: self.verdicts.len(),
            command: "unreadable".to_owned(),
            field: "rest of the frame",
            register: None,
            register_name: None,
            expected: hex(&theirs[..length.min(SHOWN_BYTES)]),
            got: hex(&ours[..ours.len().min(length).min(SHOWN_BYTES)]),
            device: None,
            hint: String::new(),
        });
        self.weight += usize::from(!equal);
        let class = if equal { Class::Identical } else { Class::Structural };
        self.verdicts.push(Verdict { class, difference });
    }
}

/// What comparisons have learnt so far.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    pub(super) clocks: Clocks,
    /// Which bits are compared at all.
    statics: Statics,
    mail_counters: BTreeMap<usize, u8>,
    unknown_words: BTreeMap<(usize, u32), usize>,
}

impl Learnt {
    pub(super) fn new(statics: Statics) -> Self {
        Self { statics, ..Self::default() }
    }

    pub(super) fn unknown_words(&self) -> Vec<UnknownWord> {
        let all = self.unknown_words.iter();
        all.map(|(&(device, word), &count)| UnknownWord { device, word, count }).collect()
    }

    /// Takes the lessons of an answer over; the segment's clocks are set by their first samples.
    pub(super) fn take(&mut self, lessons: Lessons, segment: &mut Segment) {
        for sample in lessons.clocks {
            self.clocks.take(sample, segment);
        }
        for (device, ahead) in lessons.mail_counters {
            self.mail_counters.entry(device).or_insert(ahead);
        }
        for word in lessons.unknown_words {
            *self.unknown_words.entry(word).or_default() += 1;
        }
    }
}

/// A word of an EEPROM that was read, and that the segment's description does not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnknownWord {
    /// The device's place in the description, from 0.
    pub device: usize,
    /// Address of the word.
    pub word: u32,
    /// In how many datagrams it showed.
    pub count: usize,
}

/// Offset in a frame.
const ETHERTYPE: usize = 12;
const ADDRESS: usize = 2;
const LENGTH: usize = 6;
const IRQ: usize = 8;

/// Sends a request through the segment, and compares what comes out with the recorded answer.
pub(super) fn attempt(
    segment: &mut Segment,
    exchange: &Exchange,
    now_ns: u64,
    learnt: &Learnt,
) -> Comparison {
    let mut ours = exchange.request.clone();
    ours.resize(ours.len().max(ecat_wire::ethernet::FRAME_BYTES_MIN), 0);
    segment.advance(now_ns);
    let requests: Vec<Datagram<'_>> = datagrams(&exchange.request)
        .map_or_else(|_| Vec::new(), |all| all.map_while(Result::ok).collect());
    let commands: Vec<_> =
        requests.iter().map(|one| Command::parse(one.code, one.address)).collect();
    let Some(answer) = &exchange.answer else {
        let _lost_in_the_capture = segment.process(&mut ours, now_ns);
        return Comparison::default();
    };
    let sources: Vec<Vec<Source>> = requests
        .iter()
        .zip(&commands)
        .map(|(one, command)| {
            command.map_or_else(Vec::new, |command| segment.sources(command, one.data.len()))
        })
        .collect();
    let mails = mail_lengths(segment, &sources);
    // Hints are for what remains, and trials are many: names and words are looked up once.
    let addressed: Vec<Vec<usize>> = commands
        .iter()
        .map(|command| command.map_or_else(Vec::new, |command| segment.addressed(command)))
        .collect();
    let words: Vec<Option<u32>> = addressed
        .iter()
        .map(|devices| match devices[..] {
            [device] => {
                let at = [0, 1, 2, 3].map(|n| segment.peek(device, reg::EEPROM_ADDRESS + n));
                Some(u32::from_le_bytes(at))
            }
            _ => None,
        })
        .collect();
    let returned = segment.process(&mut ours, now_ns) == Forward::Returned;

    let theirs = &answer.frame;
    let mut comparison = Comparison::default();
    let mut at = 16;
    for (number, ((request, command), sources)) in
        requests.iter().zip(&commands).zip(&sources).enumerate()
    {
        let end = at + DATAGRAM_OVERHEAD_BYTES + request.data.len();
        let mut judge = Judge {
            exchange,
            answer_frame: answer.number,
            number,
            request,
            command: *command,
            sources,
            sii_word: words[number],
            mail: None,
            weight: 0,
            difference: None,
        };
        if number == 0 {
            let mut source = [0; 6];
            source.copy_from_slice(&exchange.request[6..12]);
            source[0] |= SOURCE_PROCESSED;
            judge.field("source address", None, &theirs[6..12], &source);
            judge.field("destination address", None, &theirs[..6], &exchange.request[..6]);
            judge.field("EtherType", None, &theirs[12..14], &ours[12..14]);
            judge.field("frame length and type", None, &theirs[14..16], &ours[14..16]);
        }
        let empty = [0; DATAGRAM_OVERHEAD_BYTES];
        let (theirs, ours) = match (theirs.get(at..end), ours.get(at..end)) {
            (Some(theirs), Some(ours)) if returned => (theirs, ours),
            (theirs, _) => {
                judge.field("datagram", None, theirs.unwrap_or(&empty), &[]);
                (&[][..], &[][..])
            }
        };
        let class = if theirs.is_empty() {
            Class::Structural
        } else {
            judge.datagram(theirs, ours, &mails, learnt, now_ns, &mut comparison.lessons)
        };
        let Judge { weight, mut difference, .. } = judge;
        if let (Some(difference), [device]) = (&mut difference, &addressed[number][..]) {
            difference.device.get_or_insert_with(|| segment.name(*device).to_owned());
        }
        comparison.weight += weight;
        let class = if weight > 0 { Class::Structural } else { class };
        comparison.verdicts.push(Verdict { class, difference });
        at = end;
    }
    if requests.len() < count_datagrams(&exchange.request) {
        let from = if requests.is_empty() { ETHERTYPE } else { at };
        comparison.push_unreadable(exchange, answer, ours.get(from..).filter(|_| returned), from);
    }
    comparison
}

/// Length of the mail that a device presents, by device and physical start of the mailbox.
fn mail_lengths(segment: &Segment, sources: &[Vec<Source>]) -> BTreeMap<(usize, u16), usize> {
    let mut lengths = BTreeMap::new();
    for source in sources.iter().flatten() {
        if let SourceKind::Mail { offset } = source.kind {
            let start = source.physical - offset as u16;
            lengths.entry((source.device, start)).or_insert_with(|| {
                let bytes =
                    [segment.peek(source.device, start), segment.peek(source.device, start + 1)];
                usize::from(u16::from_le_bytes(bytes))
            });
        }
    }
    lengths
}

struct Judge<'a> {
    exchange: &'a Exchange,
    answer_frame: u32,
    number: usize,
    request: &'a Datagram<'a>,
    command: Option<Command>,
    sources: &'a [Source],
    sii_word: Option<u32>,
    /// The recorded mail, where the datagram reads one.
    mail: Option<&'a [u8]>,
    weight: usize,
    difference: Option<Difference>,
}

impl<'a> Judge<'a> {
    fn field(&mut self, field: &'static str, register: Option<u16>, theirs: &[u8], ours: &[u8]) {
        if theirs == ours {
            return;
        }
        self.weight += 1;
        if self.difference.is_some() {
            return;
        }
        let register = register.or_else(|| self.register());
        let is_mail = |source: &Source| matches!(source.kind, SourceKind::Mail { .. });
        let hint = explain::hint(&Context {
            field,
            command: self.command,
            register,
            expected: theirs,
            got: ours,
            mail: self.mail,
            sii_word: self.sii_word,
            reads_mailbox: self.sources.iter().any(is_mail),
        });
        self.difference = Some(Difference {
            request_frame: self.exchange.number,
            answer_frame: self.answer_frame,
            datagram: self.number,
            command: describe(self.request, self.command),
            field,
            register,
            register_name: register.and_then(reg::name),
            expected: hex(theirs),
            got: hex(ours),
            device: None,
            hint,
        });
    }

    /// The first register of a physical command.
    fn register(&self) -> Option<u16> {
        match self.command? {
            Command::Nop | Command::Lrd { .. } | Command::Lwr { .. } | Command::Lrw { .. } => None,
            command => {
                let [_, _, low, high] = command.address();
                Some(u16::from_le_bytes([low, high]))
            }
        }
    }

    /// Compares a datagram, both sides with header and working counter.
    fn datagram(
        &mut self,
        theirs: &'a [u8],
        ours: &[u8],
        mails: &BTreeMap<(usize, u16), usize>,
        learnt: &Learnt,
        now_ns: u64,
        lessons: &mut Lessons,
    ) -> Class {
        let counter = theirs.len() - 2;
        self.field("command", None, &theirs[..1], &ours[..1]);
        self.field("index", None, &theirs[1..2], &ours[1..2]);
        self.field("address", None, &theirs[ADDRESS..LENGTH], &ours[ADDRESS..LENGTH]);
        self.field("length", None, &theirs[LENGTH..IRQ], &ours[LENGTH..IRQ]);
        self.field(
            "event field",
            None,
            &theirs[IRQ..DATAGRAM_HEADER_BYTES],
            &ours[IRQ..DATAGRAM_HEADER_BYTES],
        );
        self.field("working counter", None, &theirs[counter..], &ours[counter..]);
        let theirs_data = &theirs[DATAGRAM_HEADER_BYTES..counter];
        let ours_data = &ours[DATAGRAM_HEADER_BYTES..counter];
        // Bits that need not be equal.
        let mut open = vec![0_u8; theirs_data.len()];
        let read = ours[counter..] != [0, 0];
        let (mut clock, mut live) = (false, false);
        if read {
            for source in self.sources {
                let differing = theirs_data[source.index] ^ ours_data[source.index];
                match source.kind {
                    SourceKind::Exact | SourceKind::Clock => {
                        let compared = learnt.statics.mask(source.device, source.physical);
                        let free = source.mask & !compared;
                        open[source.index] |= free;
                        live |= differing & free != 0;
                    }
                    SourceKind::Live => {
                        open[source.index] |= source.mask;
                        live |= differing & source.mask != 0;
                    }
                    SourceKind::Unknown { word } => {
                        open[source.index] |= source.mask;
                        live = true;
                        lessons.unknown_words.insert((source.device, word));
                    }
                    SourceKind::Mail { offset } => {
                        let start = source.physical - offset as u16;
                        let length = mails.get(&(source.device, start)).copied().unwrap_or(0);
                        if offset == 0 {
                            self.mail = theirs_data.get(source.index..);
                        }
                        let (theirs, ours) = (theirs_data[source.index], ours_data[source.index]);
                        if offset == MAIL_TYPE_AND_COUNTER {
                            open[source.index] |= MAIL_COUNTER;
                            self.mail_counter(source, theirs, ours, learnt, lessons);
                        } else if offset >= MAIL_HEADER_BYTES + length {
                            open[source.index] = 0xFF;
                        }
                    }
                }
            }
            for value in clock::values(self.sources) {
                let range = value.index..value.index + value.bytes;
                let (theirs, ours) = (&theirs_data[range.clone()], &ours_data[range.clone()]);
                if theirs == ours || open[range.clone()].iter().all(|&open| open == 0xFF) {
                    continue;
                }
                clock = true;
                open[range].fill(0xFF);
                match learnt.clocks.judge(&value, theirs, ours, now_ns, &lessons.clocks) {
                    Ok(Some(sample)) => lessons.clocks.push(sample),
                    Ok(None) => {}
                    Err(residual_ns) => {
                        self.weight += value.bytes;
                        self.field("clock value", Some(value.register), theirs, ours);
                        if let Some(difference) = &mut self.difference {
                            difference.got +=
                                &format!(" ({residual_ns:+} ns by the clock's model)");
                        }
                    }
                }
            }
        }
        let differs = |n: &usize| (theirs_data[*n] ^ ours_data[*n]) & !open[*n] != 0;
        let wrong: Vec<usize> = (0..open.len()).filter(differs).collect();
        if let Some(&first) = wrong.first() {
            self.weight += wrong.len() - 1;
            let last = wrong[wrong.len() - 1].min(first + SHOWN_BYTES - 1);
            let physical = self.sources.iter().find(|source| source.index == first);
            let register = physical
                .map(|source| source.physical)
                .or_else(|| self.register().map(|register| register.wrapping_add(first as u16)));
            if !physical.is_some_and(|source| matches!(source.kind, SourceKind::Mail { .. })) {
                self.mail = None;
            }
            self.field("data", register, &theirs_data[first..=last], &ours_data[first..=last]);
        }
        if clock {
            Class::Clock
        } else if live {
            Class::Live
        } else {
            Class::Identical
        }
    }

    /// The counters of both sides run from 1 to 7 and on at 1, each from a start of its own; 0 is none.
    fn mail_counter(
        &mut self,
        source: &Source,
        theirs: u8,
        ours: u8,
        learnt: &Learnt,
        lessons: &mut Lessons,
    ) {
        let (their_count, our_count) = ((theirs & MAIL_COUNTER) >> 4, (ours & MAIL_COUNTER) >> 4);
        let ahead = (7 + their_count).wrapping_sub(our_count) % 7;
        let in_sequence = (their_count == 0) == (our_count == 0)
            && learnt.mail_counters.get(&source.device).is_none_or(|&known| known == ahead);
        if !in_sequence {
            self.field("mail counter", Some(source.physical), &[theirs], &[ours]);
        } else if their_count != 0 {
            lessons.mail_counters.push((source.device, ahead));
        }
    }
}

const MAIL_HEADER_BYTES: usize = 6;
const MAIL_TYPE_AND_COUNTER: usize = 5;
const MAIL_COUNTER: u8 = 0x70;

/// More bytes of a difference are not shown.
const SHOWN_BYTES: usize = 16;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn describe(request: &Datagram<'_>, command: Option<Command>) -> String {
    const NAMES: [&str; 15] = [
        "NOP", "APRD", "APWR", "APRW", "FPRD", "FPWR", "FPRW", "BRD", "BWR", "BRW", "LRD", "LWR",
        "LRW", "ARMW", "FRMW",
    ];
    let Some(name) = NAMES.get(usize::from(request.code)) else {
        return format!("command {}", request.code);
    };
    let length = request.data.len();
    let [a, b, c, d] = request.address;
    let logical =
        matches!(command, Some(Command::Lrd { .. } | Command::Lwr { .. } | Command::Lrw { .. }));
    if logical {
        format!("{name} {:#010x} ({length} bytes)", u32::from_le_bytes(request.address))
    } else {
        let (station, register) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        format!("{name} {station:#06x}:{register:#06x} ({length} bytes)")
    }
}
