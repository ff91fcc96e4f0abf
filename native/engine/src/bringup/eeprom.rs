//! SII images, read from many SubDevices at once.
//!
//! An EEPROM takes about half a millisecond for eight bytes, so one SubDevice after the other would
//! cost a plant of a hundred many seconds. Here all of them work at the same time, a few frames a
//! round, and only what the engine needs is read: the words below 0x40 and the categories that
//! [`Sii`](ecat_wire::sii::Sii) understands. What is skipped reads as zeroes.

use ecat_wire::register::{EEPROM_CONTROL, EEPROM_OWNER};
use ecat_wire::sii::{CATEGORIES_START_BYTES, Sii, SiiError};

use super::exchange::{Exchanger, Reply, Request};
use crate::clock;
use crate::error::EngineError;

/// How long one read of eight bytes may take; real ones take a millisecond, but hosts stall.
const READ_TIMEOUT_NS: u64 = 1_000_000_000;
/// Pause before all EEPROMs are asked again whether they are ready.
const POLL_NS: u64 = 100_000;
/// How often a read that the EEPROM does not acknowledge is repeated.
const RETRIES: u32 = 5;
/// Nothing that the engine needs stands behind this byte in any device.
const LIMIT_BYTES: usize = 128 * 1024;

const OWNER_ECAT_FORCED: u8 = 0x02;
const OWNER_ECAT: u8 = 0x00;
const OWNER_PDI: u8 = 0x01;

const READ: u16 = 0x0100;
const STATUS_EIGHT_BYTES: u16 = 0x0040;
const STATUS_NOT_ACKNOWLEDGED: u16 = 0x2000;
const STATUS_BUSY: u16 = 0x8000;
/// Control and status, address, eight bytes of data.
const REGISTERS_BYTES: usize = 14;
const DATA_OFFSET: usize = 6;

/// Why an image could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EepromProblem {
    /// The SubDevice does not answer.
    Lost,
    /// It answers, but its interface stays busy; the status register (0x0502).
    Busy(u16),
    /// It answers, but its interface takes no command; the status register.
    NoCommand(u16),
    /// The EEPROM does not acknowledge; the status register (0x0502).
    NotAcknowledged(u16),
    /// Nothing was ever written into it.
    Blank,
    /// Its categories have no end.
    Endless,
}

/// Takes all EEPROMs from their devices, reads their images, and gives them back: some devices leave
/// INIT or PRE-OP only while they own their EEPROM.
pub(super) fn read_images(
    exchanger: &mut Exchanger<'_>,
    stations: &[u16],
) -> Result<Vec<Result<Vec<u8>, EepromProblem>>, EngineError> {
    set_owner(exchanger, stations, OWNER_ECAT_FORCED)?;
    set_owner(exchanger, stations, OWNER_ECAT)?;
    let mut readers: Vec<_> = stations.iter().map(|&station| Reader::new(station)).collect();
    while readers.iter().any(|reader| reader.outcome.is_none()) {
        if !round(exchanger, &mut readers)? {
            exchanger.pause(POLL_NS)?;
        }
    }
    set_owner(exchanger, stations, OWNER_PDI)?;
    Ok(readers.into_iter().map(Reader::finish).collect())
}

fn set_owner(
    exchanger: &mut Exchanger<'_>,
    stations: &[u16],
    owner: u8,
) -> Result<(), EngineError> {
    let requests: Vec<_> =
        stations.iter().map(|&station| Request::write(station, EEPROM_OWNER, &[owner])).collect();
    exchanger.exchange(&requests).map(drop)
}

/// Commands all that are idle and polls all that are busy; whether any got further.
fn round(exchanger: &mut Exchanger<'_>, readers: &mut [Reader]) -> Result<bool, EngineError> {
    type Ask = fn(&Reader) -> Option<Request>;
    type Take = fn(&mut Reader, &Reply, u64) -> bool;
    let now = clock::now_ns();
    let mut moved = false;
    let phases: [(Ask, Take); 2] =
        [(Reader::command, Reader::take_command), (Reader::poll, Reader::take_poll)];
    for (ask, take) in phases {
        let (numbers, requests): (Vec<_>, Vec<_>) = readers
            .iter()
            .enumerate()
            .filter_map(|(number, reader)| Some((number, ask(reader)?)))
            .unzip();
        let replies = exchanger.exchange(&requests)?;
        for (number, reply) in numbers.into_iter().zip(replies) {
            moved |= take(&mut readers[number], &reply, now);
        }
    }
    Ok(moved)
}

struct Reader {
    station: u16,
    image: Vec<u8>,
    /// Where the category begins that is looked at, and up to where the image is wanted.
    category: usize,
    wanted: usize,
    commanded: bool,
    since_ns: Option<u64>,
    failures: u32,
    outcome: Option<Result<(), EepromProblem>>,
}

impl Reader {
    fn new(station: u16) -> Self {
        Self {
            station,
            image: Vec::with_capacity(2048),
            category: CATEGORIES_START_BYTES,
            wanted: CATEGORIES_START_BYTES + 4,
            commanded: false,
            since_ns: None,
            failures: 0,
            outcome: None,
        }
    }

    fn command(&self) -> Option<Request> {
        if self.outcome.is_some() || self.commanded {
            return None;
        }
        let [a, b] = READ.to_le_bytes();
        #[expect(clippy::cast_possible_truncation, reason = "at most LIMIT_BYTES")]
        let [c, d, e, f] = ((self.image.len() / 2) as u32).to_le_bytes();
        Some(Request::write(self.station, EEPROM_CONTROL, &[a, b, c, d, e, f]))
    }

    /// Also where no command was taken: whether it answers at all decides what is wrong.
    fn poll(&self) -> Option<Request> {
        let request = || Request::read(self.station, EEPROM_CONTROL, REGISTERS_BYTES);
        self.outcome.is_none().then(request)
    }

    /// Takes the reply to what [`Reader::command`] asked; whether that was a step.
    fn take_command(&mut self, reply: &Reply, now_ns: u64) -> bool {
        self.since_ns.get_or_insert(now_ns);
        self.commanded = reply.one().is_some();
        self.commanded
    }

    /// Takes the reply to what [`Reader::poll`] asked; whether that was a step.
    fn take_poll(&mut self, reply: &Reply, now_ns: u64) -> bool {
        let since = *self.since_ns.get_or_insert(now_ns);
        let late = now_ns.saturating_sub(since) >= READ_TIMEOUT_NS;
        let step = match reply.one() {
            Some(registers) if self.commanded => self.data(registers),
            Some(_) => Ok(false),
            None if self.commanded || late => Err(EepromProblem::Lost),
            None => Ok(false),
        };
        match step {
            Ok(true) => self.since_ns = None,
            Ok(false) if late => {
                let status = reply.word().unwrap_or(0);
                let is_busy = status & STATUS_BUSY != 0;
                let problem = if is_busy { EepromProblem::Busy } else { EepromProblem::NoCommand };
                self.outcome = Some(Err(problem(status)));
            }
            Ok(false) => {}
            Err(problem) => self.outcome = Some(Err(problem)),
        }
        matches!(step, Ok(true))
    }

    fn data(&mut self, registers: &[u8]) -> Result<bool, EepromProblem> {
        let status = u16::from_le_bytes([registers[0], registers[1]]);
        if status & STATUS_BUSY != 0 {
            return Ok(false);
        }
        self.commanded = false;
        if status & STATUS_NOT_ACKNOWLEDGED != 0 {
            self.failures += 1;
            return if self.failures > RETRIES {
                Err(EepromProblem::NotAcknowledged(status))
            } else {
                Ok(false)
            };
        }
        let length = if status & STATUS_EIGHT_BYTES != 0 { 8 } else { 4 };
        self.image.extend_from_slice(&registers[DATA_OFFSET..DATA_OFFSET + length]);
        self.walk()?;
        Ok(true)
    }

    /// Follows the chain of categories as far as it is known.
    fn walk(&mut self) -> Result<(), EepromProblem> {
        while self.image.len() >= self.wanted {
            let first = self.category == CATEGORIES_START_BYTES;
            if first && Sii::parse(&self.image) == Err(SiiError::Blank) {
                return Err(EepromProblem::Blank);
            }
            let header = &self.image[self.category..self.category + 4];
            let kind = u16::from_le_bytes([header[0], header[1]]);
            let words = usize::from(u16::from_le_bytes([header[2], header[3]]));
            if kind == 0xFFFF {
                self.image.truncate(self.category + 4);
                self.outcome = Some(Ok(()));
                return Ok(());
            }
            let next = self.category + 4 + 2 * words;
            if next > LIMIT_BYTES || (kind == 0 && words == 0) {
                return Err(EepromProblem::Endless);
            }
            if !is_understood(kind) && self.image.len() < next {
                self.image.resize(next, 0);
            }
            self.category = next;
            self.wanted = next + 4;
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, EepromProblem> {
        self.outcome.unwrap_or(Err(EepromProblem::Lost)).map(|()| self.image)
    }
}

/// Strings, general, FMMU usage, SyncManagers, TxPDOs, RxPDOs, DC modes.
const fn is_understood(category: u16) -> bool {
    matches!(category, 10 | 30 | 40 | 41 | 50 | 51 | 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers a reader from an image, four or eight bytes at a time; how many reads it took.
    fn read(image: &[u8], bytes: usize) -> (Result<Vec<u8>, EepromProblem>, usize) {
        let mut reader = Reader::new(0x1000);
        let mut reads = 0;
        while reader.outcome.is_none() {
            let request = reader.command().expect("a reader that waits for nothing reads on");
            let address = u32::from_le_bytes(request.data[2..6].try_into().unwrap()) as usize * 2;
            assert!(reader.take_command(&Reply { data: request.data, working_counter: 1 }, 0));
            let status = if bytes == 8 { STATUS_EIGHT_BYTES } else { 0 };
            let mut registers = status.to_le_bytes().to_vec();
            registers.extend_from_slice(&[0; 4]);
            registers.extend((0..8).map(|n| image.get(address + n).copied().unwrap_or(0xFF)));
            assert!(reader.poll().is_some());
            reader.take_poll(&Reply { data: registers, working_counter: 1 }, 0);
            reads += 1;
        }
        (reader.finish(), reads)
    }

    fn fixture(name: &str) -> Vec<u8> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/fixtures/eeprom/");
        std::fs::read(format!("{path}{name}")).unwrap()
    }

    #[test]
    fn real_images_are_read_as_far_as_needed_and_say_the_same() {
        for name in ["ek1100.bin", "el2004.bin", "el2828.bin", "el2889.bin", "akd.bin"] {
            let image = fixture(name);
            for bytes in [4, 8] {
                let (read, reads) = read(&image, bytes);
                let read = read.unwrap();
                // Categories that nobody here wants are passed over.
                let wanted =
                    |image: &[u8]| Sii::parse(image).map(|sii| Sii { others: Vec::new(), ..sii });
                assert_eq!(wanted(&read), wanted(&image), "{name}");
                assert!(reads * bytes < image.len(), "{name}: {reads} reads");
            }
        }
    }

    #[test]
    fn a_blank_image_is_found_out_early() {
        for blank in [fixture("empty.bin"), vec![0xFF; 2048], vec![0; 2048]] {
            let (outcome, reads) = read(&blank, 8);
            assert_eq!(outcome, Err(EepromProblem::Blank));
            assert!(reads < 40);
        }
    }

    #[test]
    fn categories_without_an_end_are_refused() {
        let mut image = fixture("ek1100.bin");
        image.truncate(CATEGORIES_START_BYTES);
        let mut zeroes = image.clone();
        zeroes.resize(2048, 0);
        for _ in 0..8 {
            image.extend_from_slice(&[0x00, 0x08, 0xFF, 0x7F]);
            image.resize(image.len() + 0x7FFF * 2, 0x11);
        }
        for image in [image, zeroes] {
            let (outcome, reads) = read(&image, 8);
            assert_eq!(outcome, Err(EepromProblem::Endless));
            assert!(reads < 40);
        }
    }

    #[test]
    fn a_busy_a_silent_and_a_refusing_eeprom_each_have_their_problem() {
        let one = |data: Vec<u8>| Reply { data, working_counter: 1 };
        let registers = |status: u16| {
            let mut data = vec![0; REGISTERS_BYTES];
            data[..2].copy_from_slice(&status.to_le_bytes());
            one(data)
        };
        let mut busy = Reader::new(0x1000);
        busy.take_command(&one(vec![0; 6]), 0);
        busy.take_poll(&registers(STATUS_BUSY), 0);
        assert_eq!(busy.outcome, None);
        busy.take_poll(&registers(STATUS_BUSY), READ_TIMEOUT_NS);
        assert_eq!(busy.outcome, Some(Err(EepromProblem::Busy(STATUS_BUSY))));

        // What is busy from the start takes no command, and is there all the same; so is what takes none.
        for (status, problem) in
            [(STATUS_BUSY, EepromProblem::Busy(STATUS_BUSY)), (0, EepromProblem::NoCommand(0))]
        {
            let mut deaf = Reader::new(0x1000);
            for now_ns in [0, READ_TIMEOUT_NS] {
                assert_eq!(deaf.outcome, None);
                assert!(!deaf.take_command(&Reply::default(), now_ns));
                assert!(!deaf.take_poll(&registers(status), now_ns));
            }
            assert_eq!(deaf.outcome, Some(Err(problem)));
        }

        let mut silent = Reader::new(0x1000);
        for now_ns in [0, READ_TIMEOUT_NS] {
            assert_eq!(silent.outcome, None);
            silent.take_command(&Reply::default(), now_ns);
            silent.take_poll(&Reply::default(), now_ns);
        }
        assert_eq!(silent.outcome, Some(Err(EepromProblem::Lost)));

        let mut refusing = Reader::new(0x1000);
        for _ in 0..=RETRIES {
            refusing.take_command(&one(vec![0; 6]), 0);
            refusing.take_poll(&registers(STATUS_NOT_ACKNOWLEDGED), 0);
        }
        let expected = EepromProblem::NotAcknowledged(STATUS_NOT_ACKNOWLEDGED);
        assert_eq!(refusing.outcome, Some(Err(expected)));
    }
}
