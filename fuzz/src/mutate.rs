//! Changes of inputs, by chance and with what the formats have in common: lengths, numbers at their limits,
//! pieces of other inputs.

use crate::{Random, Target};

/// Inputs do not grow beyond this.
const BYTES_MAX: usize = 8 << 10;

/// Pieces of descriptions, one of which may take another's place.
const WORDS: [&str; 52] = [
    "\"devices\"",
    "\"type\"",
    "\"EK1100\"",
    "\"generic\"",
    "\"digital-inputs\"",
    "\"analogue-outputs\"",
    "\"sii\"",
    "\"siiWords\"",
    "\"word\"",
    "\"values\"",
    "\"esc\"",
    "\"ramKb\"",
    "\"fmmus\"",
    "\"syncManagers\"",
    "\"portDescriptor\"",
    "\"clock\"",
    "\"full\"",
    "\"start\"",
    "\"registers\"",
    "\"register\"",
    "\"bytes\"",
    "\"alState\"",
    "\"OP\"",
    "\"alControl\"",
    "\"eepromBusy\"",
    "\"channels\"",
    "\"parent\"",
    "\"port\"",
    "\"outsidePorts\"",
    "\"ring\"",
    "\"compare\"",
    "\"mask\"",
    "\"mailbox\"",
    "\"objects\"",
    "\"index\"",
    "\"entries\"",
    "\"subindex\"",
    "\"value\"",
    "\"files\"",
    "\"pdos\"",
    "\"bits\"",
    "\"signals\"",
    "\"wires\"",
    "null",
    "true",
    "[]",
    "{}",
    "-1",
    "65536",
    "1e99",
    "18446744073709551615",
    "\"\"",
];

/// Makes new inputs of old ones.
#[derive(Debug)]
pub struct Mutator {
    random: Random,
}

impl Mutator {
    /// Of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed) }
    }

    /// The next input.
    pub fn next(&mut self, target: Target, corpus: &[Vec<u8>]) -> Vec<u8> {
        let pick = self.random.below(corpus.len());
        let mut input = corpus.get(pick).cloned().unwrap_or_default();
        for _ in 0..=self.random.below(5) {
            if target == Target::Description && self.random.below(4) > 0 {
                self.reword(&mut input);
            } else {
                self.change(&mut input, corpus);
            }
        }
        input.truncate(BYTES_MAX);
        input
    }

    /// Replaces a piece of a text by another one, drops it, or doubles it.
    fn reword(&mut self, text: &mut Vec<u8>) {
        let ends = |byte: &u8| matches!(byte, b',' | b':' | b'[' | b']' | b'{' | b'}');
        let marks: Vec<usize> = (0..text.len()).filter(|&at| ends(&text[at])).collect();
        if marks.len() < 2 {
            return;
        }
        let first = self.random.below(marks.len() - 1);
        let long = self.random.below(3) == 0;
        let span = 1 + self.random.below(if long { 6 } else { 1 });
        let last = (first + span).min(marks.len() - 1);
        let (from, to) = (marks[first] + 1, marks[last]);
        let word = WORDS[self.random.below(WORDS.len())].as_bytes().to_vec();
        let replacement = match self.random.below(5) {
            0 => Vec::new(),
            1 => [&text[from..to], &text[marks[first]..to]].concat(),
            2 => self.random.number().to_string().into_bytes(),
            _ => word,
        };
        text.splice(from..to, replacement);
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let random = &mut self.random;
        if input.is_empty() {
            input.push(random.byte());
            return;
        }
        let at = random.below(input.len());
        match random.below(10) {
            0 | 1 => input[at] ^= 1 << random.below(8),
            2 | 3 => input[at] = random.byte(),
            4 => {
                let limits = [0, 1, 0x7F, 0x80, 0xFF, 0xFE, 0x10, 0x0F];
                let value = limits[random.below(limits.len())];
                let end = (at + 1 + random.below(4)).min(input.len());
                input[at..end].fill(value);
            }
            5 => input[at] = input[at].wrapping_add(random.below(9) as u8).wrapping_sub(4),
            6 => {
                let end = (at + 1 + random.below(64)).min(input.len());
                input.drain(at..end);
            }
            7 => {
                let end = (at + 1 + random.below(64)).min(input.len());
                let piece = input[at..end].to_vec();
                let to = random.below(input.len() + 1);
                input.splice(to..to, piece);
            }
            8 => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len());
                let piece = &other[from..(from + 1 + random.below(128)).min(other.len())];
                let end = (at + random.below(piece.len() + 1)).min(input.len());
                input.splice(at..end, piece.iter().copied());
            }
            _ => input.truncate(at),
        }
    }
}
