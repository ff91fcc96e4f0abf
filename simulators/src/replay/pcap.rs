//! Captures: pcap and pcapng, of either byte order.
//!
//! Sources: the Internet-Drafts "PCAP Capture File Format" and "PCAP Next Generation Capture File Format".
//! Any bytes are either read or refused with the place that is wrong.

use std::fmt;

/// A packet as it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its number in the file, from 1, as packet analysers count.
    pub number: u32,
    /// When, in ns since 1970 (or since whatever the file counts from).
    pub time_ns: u64,
    /// What was captured of it.
    pub bytes: &'a [u8],
    /// Whether there was more of it than was captured (a snap length).
    pub cut: bool,
    /// What the bytes begin with.
    pub link: Link,
}

/// The kind of interface that a packet was captured at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Ethernet II.
    Ethernet,
    /// Linux' cooked captures (`-i any`), first form: a header of 16 bytes, without the destination.
    Cooked,
    /// The second form, with 20 bytes.
    Cooked2,
    /// Something else, by its number.
    Other(u16),
}

impl Link {
    const fn new(number: u16) -> Self {
        match number {
            1 => Self::Ethernet,
            113 => Self::Cooked,
            276 => Self::Cooked2,
            other => Self::Other(other),
        }
    }
}

/// What is wrong with a capture, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureError {
    /// Offset in the file, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.offset, self.message)
    }
}

impl std::error::Error for CaptureError {}

const PCAP_MICROSECONDS: u32 = 0xA1B2_C3D4;
const PCAP_NANOSECONDS: u32 = 0xA1B2_3C4D;
const SECTION: u32 = 0x0A0D_0D0A;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;
const NS_PER_S: u128 = 1_000_000_000;

/// Reads all packets of a capture.
///
/// # Errors
/// With the offset of the first byte that does not belong to a capture of Ethernet frames.
pub fn packets(file: &[u8]) -> Result<Vec<Packet<'_>>, CaptureError> {
    let magic = Reader { file, big_endian: false }.u32(0)?;
    if magic == SECTION {
        return next_generation(file);
    }
    let big_endian = matches!(magic.swap_bytes(), PCAP_MICROSECONDS | PCAP_NANOSECONDS);
    let magic = if big_endian { magic.swap_bytes() } else { magic };
    match magic {
        PCAP_MICROSECONDS => classic(Reader { file, big_endian }, 1_000),
        PCAP_NANOSECONDS => classic(Reader { file, big_endian }, 1),
        _ => Err(error(0, unknown(file, magic))),
    }
}

/// What a file is that is none of ours.
fn unknown(file: &[u8], magic: u32) -> String {
    let packed = [&[0x1F, 0x8B][..], &[0x28, 0xB5, 0x2F, 0xFD], &[0x04, 0x22, 0x4D, 0x18], b"BZh"];
    if packed.iter().any(|start| file.starts_with(start)) {
        return "the file is compressed; unpack it first".to_owned();
    }
    let hint = if matches!(magic, 0xA1B2_CD34 | 0x34CD_B2A1) || file.starts_with(b"snoop") {
        "; another capture format, which Wireshark's editcap turns into pcapng"
    } else {
        ""
    };
    format!("{magic:#010x} begins neither a pcap nor a pcapng file{hint}")
}

fn error(offset: usize, message: impl Into<String>) -> CaptureError {
    CaptureError { offset, message: message.into() }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    file: &'a [u8],
    big_endian: bool,
}

impl<'a> Reader<'a> {
    fn bytes(self, at: usize, length: usize) -> Result<&'a [u8], CaptureError> {
        let end = at.checked_add(length);
        end.and_then(|end| self.file.get(at..end)).ok_or_else(|| {
            let size = self.file.len();
            error(
                at.min(size),
                format!("{length} bytes are needed here, and there is no more than {size}"),
            )
        })
    }

    fn u16(self, at: usize) -> Result<u16, CaptureError> {
        let bytes = self.bytes(at, 2)?;
        let array = [bytes[0], bytes[1]];
        Ok(if self.big_endian { u16::from_be_bytes(array) } else { u16::from_le_bytes(array) })
    }

    fn u32(self, at: usize) -> Result<u32, CaptureError> {
        let bytes = self.bytes(at, 4)?;
        let array = [bytes[0], bytes[1], bytes[2], bytes[3]];
        Ok(if self.big_endian { u32::from_be_bytes(array) } else { u32::from_le_bytes(array) })
    }
}

fn refused(link: u16, at: usize) -> CaptureError {
    let message = format!(
        "link type {link}; Ethernet (1) and Linux' cooked captures (113, 276) are understood"
    );
    error(at, message)
}

fn classic(reader: Reader<'_>, tick_ns: u64) -> Result<Vec<Packet<'_>>, CaptureError> {
    // The upper half says how long the FCS is, if it was captured; it does no harm behind a frame.
    let link = Link::new((reader.u32(20)? & 0xFFFF) as u16);
    if let Link::Other(number) = link {
        return Err(refused(number, 20));
    }
    let mut found = Vec::new();
    let mut at = 24;
    while at < reader.file.len() {
        let seconds = u64::from(reader.u32(at)?);
        let fraction = u64::from(reader.u32(at + 4)?);
        let length = reader.u32(at + 8)? as usize;
        let cut = reader.u32(at + 12)? as usize > length;
        let bytes = reader.bytes(at + 16, length)?;
        let time_ns = seconds * NS_PER_S as u64 + fraction * tick_ns;
        found.push(Packet { number: found.len() as u32 + 1, time_ns, bytes, cut, link });
        at += 16 + length;
    }
    Ok(found)
}

/// How an interface of a section counts time.
#[derive(Clone, Copy)]
struct Clock {
    link: Link,
    /// Bytes of a packet that are captured at most; 0: all.
    snap_bytes: usize,
    ticks_per_s: u64,
    offset_s: u64,
}

impl Clock {
    fn ns(self, ticks: u64) -> u64 {
        let ns = u128::from(ticks) * NS_PER_S / u128::from(self.ticks_per_s);
        (ns as u64).wrapping_add(self.offset_s.wrapping_mul(NS_PER_S as u64))
    }
}

fn next_generation(file: &[u8]) -> Result<Vec<Packet<'_>>, CaptureError> {
    let mut reader = Reader { file, big_endian: false };
    let mut clocks: Vec<Clock> = Vec::new();
    let mut found: Vec<Packet<'_>> = Vec::new();
    // The first interface that is not understood. Others may stand beside it.
    let mut foreign = None;
    let mut at = 0;
    while at < file.len() {
        let mut kind = reader.u32(at)?;
        // The type of a section reads the same in both orders, and the order may change with it.
        if kind == SECTION {
            reader.big_endian = match reader.bytes(at + 8, 4)? {
                bytes if bytes == BYTE_ORDER.to_be_bytes() => true,
                bytes if bytes == BYTE_ORDER.to_le_bytes() => false,
                _ => return Err(error(at + 8, "this is no byte-order mark")),
            };
            kind = SECTION;
            clocks.clear();
        }
        let length = reader.u32(at + 4)? as usize;
        if length < 12 || !length.is_multiple_of(4) {
            return Err(error(at + 4, format!("a block cannot have {length} bytes")));
        }
        reader.bytes(at, length)?;
        if reader.u32(at + length - 4)? as usize != length {
            return Err(error(at + length - 4, "the block's length is not repeated at its end"));
        }
        // Its content reads as far as the block goes.
        let block = Reader { file: &file[..at + length - 4], ..reader };
        let clock_of = |interface: usize, at: usize| {
            let clock = clocks.get(interface).copied();
            clock.ok_or_else(|| error(at, format!("interface {interface} was not described")))
        };
        let number = found.len() as u32 + 1;
        match kind {
            INTERFACE => {
                let clock = interface(block, at)?;
                if let Link::Other(number) = clock.link {
                    foreign.get_or_insert((number, at + 8));
                }
                clocks.push(clock);
            }
            ENHANCED_PACKET | OLD_PACKET => {
                let interface = if kind == OLD_PACKET {
                    usize::from(block.u16(at + 8)?)
                } else {
                    block.u32(at + 8)? as usize
                };
                let clock = clock_of(interface, at + 8)?;
                let ticks = u64::from(block.u32(at + 12)?) << 32 | u64::from(block.u32(at + 16)?);
                let captured = block.u32(at + 20)? as usize;
                let bytes = block.bytes(at + 28, captured)?;
                let cut = block.u32(at + 24)? as usize > captured;
                let time_ns = clock.ns(ticks);
                found.push(Packet { number, time_ns, bytes, cut, link: clock.link });
            }
            SIMPLE_PACKET => {
                let clock = clock_of(0, at)?;
                let original = block.u32(at + 8)? as usize;
                let limit = if clock.snap_bytes == 0 { original } else { clock.snap_bytes };
                let captured = original.min(limit);
                let bytes = block.bytes(at + 12, captured)?;
                // These have no time of their own.
                let time_ns = found.last().map_or(0, |packet| packet.time_ns);
                let cut = captured < original;
                found.push(Packet { number, time_ns, bytes, cut, link: clock.link });
            }
            _ => {}
        }
        at += length;
    }
    let is_foreign = |packet: &Packet<'_>| matches!(packet.link, Link::Other(_));
    match foreign {
        Some((number, at)) if found.iter().all(is_foreign) => Err(refused(number, at)),
        _ => Ok(found),
    }
}

fn interface(block: Reader<'_>, at: usize) -> Result<Clock, CaptureError> {
    let mut clock = Clock {
        link: Link::new(block.u16(at + 8)?),
        snap_bytes: block.u32(at + 12)? as usize,
        ticks_per_s: 1_000_000,
        offset_s: 0,
    };
    let mut option = at + 16;
    while option < block.file.len() {
        let (code, length) = (block.u16(option)?, usize::from(block.u16(option + 2)?));
        match code {
            0 => break,
            OPTION_TIME_RESOLUTION => {
                let resolution = block.bytes(option + 4, 1)?[0];
                let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
                clock.ticks_per_s =
                    base.checked_pow(u32::from(resolution & 0x7F)).ok_or_else(|| {
                        error(
                            option + 4,
                            format!("a time resolution of {resolution:#04x} is too fine"),
                        )
                    })?;
            }
            OPTION_TIME_OFFSET => {
                let bytes = block.bytes(option + 4, 8)?;
                let array = bytes.first_chunk::<8>().copied().unwrap_or_default();
                clock.offset_s = if block.big_endian {
                    u64::from_be_bytes(array)
                } else {
                    u64::from_le_bytes(array)
                };
            }
            _ => {}
        }
        option += 4 + length.next_multiple_of(4);
    }
    Ok(clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classic_file(big_endian: bool, magic: u32) -> Vec<u8> {
        let word = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        [magic, 0x0004_0002, 0, 0, 65_535, 1, 7, 5, 3, 3]
            .iter()
            .flat_map(|&value| word(value))
            .chain([1, 2, 3])
            .collect()
    }

    fn block(big_endian: bool, kind: u32, words: &[u32], tail: &[u8]) -> Vec<u8> {
        let word = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let length = (12 + words.len() * 4 + tail.len().next_multiple_of(4)) as u32;
        let mut bytes: Vec<u8> =
            [kind, length].iter().chain(words).flat_map(|&value| word(value)).collect();
        bytes.extend(tail);
        bytes.resize(length as usize - 4, 0);
        bytes.extend(word(length));
        bytes
    }

    fn pcapng(big_endian: bool) -> Vec<u8> {
        let link = if big_endian { 0x0001_0000 } else { 1 };
        [
            block(big_endian, SECTION, &[BYTE_ORDER, 1, 0, 0], &[]),
            block(big_endian, INTERFACE, &[link, 0], &[]),
            block(big_endian, ENHANCED_PACKET, &[0, 0, 7_000_005, 3, 3], &[1, 2, 3]),
            block(big_endian, 5, &[9], &[]),
            block(big_endian, SIMPLE_PACKET, &[3], &[1, 2, 3]),
        ]
        .concat()
    }

    #[test]
    fn both_formats_read_in_both_byte_orders() {
        for big_endian in [false, true] {
            let file = classic_file(big_endian, PCAP_MICROSECONDS);
            let packet = Packet {
                number: 1,
                time_ns: 7_000_005_000,
                bytes: &[1, 2, 3],
                cut: false,
                link: Link::Ethernet,
            };
            assert_eq!(packets(&file).unwrap(), [packet]);
            let file = classic_file(big_endian, PCAP_NANOSECONDS);
            assert_eq!(packets(&file).unwrap()[0].time_ns, 7_000_000_005);
            let file = pcapng(big_endian);
            assert_eq!(packets(&file).unwrap(), [packet, Packet { number: 2, ..packet }]);
        }
    }

    #[test]
    fn interfaces_have_links_snap_lengths_clocks_and_byte_orders_of_their_own() {
        // A nanosecond clock with an offset of 2 s, and a comment before it.
        let options = [
            1, 0, 2, 0, b'o', b'k', 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0,
        ];
        let file = [
            block(false, SECTION, &[BYTE_ORDER, 1, 0, 0], &[]),
            block(false, INTERFACE, &[1, 2], &[]),
            block(false, INTERFACE, &[189, 0], &[]),
            block(false, INTERFACE, &[276, 0], &options),
            block(false, SIMPLE_PACKET, &[3], &[1, 2]),
            block(false, ENHANCED_PACKET, &[1, 0, 5, 1, 1], &[4]),
            block(false, ENHANCED_PACKET, &[2, 0, 5, 1, 1], &[5]),
            pcapng(true),
        ]
        .concat();
        let found = packets(&file).unwrap();
        let seen: Vec<_> = found.iter().map(|p| (p.link, p.cut, p.time_ns, p.bytes)).collect();
        assert_eq!(
            seen[..4],
            [
                (Link::Ethernet, true, 0, &[1, 2][..]),
                (Link::Other(189), false, 5_000, &[4]),
                (Link::Cooked2, false, 2_000_000_005, &[5]),
                (Link::Ethernet, false, 7_000_005_000, &[1, 2, 3]),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(packets(b"hello").unwrap_err().offset, 0);
        assert_eq!(packets(b"").unwrap_err().offset, 0);
        let file = classic_file(false, PCAP_MICROSECONDS);
        assert_eq!(packets(&file[..file.len() - 1]).unwrap_err().offset, 40);
        let mut file = pcapng(false);
        file[32] = 8;
        assert_eq!(packets(&file).unwrap_err().offset, 32);
        let mut foreign = pcapng(false);
        foreign[36] = 113 + 1;
        let error = packets(&foreign).unwrap_err();
        assert_eq!((error.offset, error.message.contains("link type 114")), (36, true));
        assert!(packets(&[0x1F, 0x8B, 8, 0]).unwrap_err().message.contains("compressed"));
        file[32] = 20;
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]
        #[test]
        fn arbitrary_bytes_are_read_or_refused(at in 0usize..144, value: u8, cut in 0usize..200, big_endian: bool) {
            let mut file = pcapng(big_endian);
            if let Some(byte) = file.get_mut(at) { *byte = value; }
            file.truncate(cut);
            let length = file.len();
            if let Err(error) = packets(&file) { assert!(error.offset <= length); }
        }
    }
}
