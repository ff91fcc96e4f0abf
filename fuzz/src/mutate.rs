//! Changes of inputs, by chance and with what the formats have in common: lengths, numbers at their limits,
//! pieces of other inputs.

use crate::{Random, Target};

/// Inputs do not grow beyond this.
const BYTES_MAX: usize = 8 << 10;

/// Pieces of descriptions, one of which may take another's place.
const WORDS: [&str; 64] = [
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
    "\"eoe\"",
    "\"sockets\"",
    "\"behind\"",
    "\"mac\"",
    "\"ethernet\"",
    "\"soe\"",
    "\"drives\"",
    "\"idns\"",
    "\"S-0-0024\"",
    "\"command\"",
    "\"aoe\"",
    "\"areas\"",
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

/// Pieces of ESI files, one of which may take the place of a tag, a text or an attribute.
const ESI_WORDS: [&str; 40] = [
    "<Device Physics=\"YKY\">",
    "</Device>",
    "<Sm DefaultSize=\"128\" StartAddress=\"#x1000\" ControlByte=\"#x26\" Enable=\"1\">MBoxOut</Sm>",
    "<Sm DefaultSize=\"65535\" StartAddress=\"#xFFFF\" ControlByte=\"#x22\">MBoxIn</Sm>",
    "<Sm StartAddress=\"#x1100\" ControlByte=\"#x64\" OpOnly=\"1\">Outputs</Sm>",
    "<Sm Virtual=\"true\"/>",
    "<Fmmu Sm=\"9\">Inputs</Fmmu>",
    "<RxPdo Sm=\"0\" Mandatory=\"1\"><Index>#x1600</Index><Exclude>#x1601</Exclude></RxPdo>",
    "<TxPdo Sm=\"3\"><Index DependOnSlot=\"1\">#x1AFF</Index>",
    "</TxPdo>",
    "<Entry><Index>#x6000</Index><SubIndex>1</SubIndex><BitLen>65535</BitLen></Entry>",
    "<Entry><Index>0</Index><BitLen>0</BitLen></Entry>",
    "<Mailbox DataLinkLayer=\"1\"><CoE SdoInfo=\"1\" PdoAssign=\"1\" PdoConfig=\"1\"/></Mailbox>",
    "<Mailbox><EoE IP=\"1\"/><FoE/><SoE ChannelCount=\"2\"/><AoE/><VoE/></Mailbox>",
    "<Dc><OpMode><Name>DC</Name><AssignActivate>#x300</AssignActivate></OpMode></Dc>",
    "<Slots SlotIndexIncrement=\"4294967295\" MaxSlotCount=\"65535\"><Slot MaxInstances=\"4294967295\"/></Slots>",
    "<Slot MinInstances=\"1\"><ModuleIdent Default=\"1\">1</ModuleIdent></Slot>",
    "<Modules><Module><Type ModuleIdent=\"1\">M</Type></Module></Modules>",
    "<Profile><Dictionary><DataTypes/><Objects/></Dictionary></Profile>",
    "<DataType><Name>A</Name><BaseType>A</BaseType><BitSize>4294967295</BitSize></DataType>",
    "<ArrayInfo><LBound>-1</LBound><Elements>4294967295</Elements></ArrayInfo>",
    "<Object><Index>#x2000</Index><Type>A</Type><BitSize>4294967295</BitSize></Object>",
    "<Object><Index>#x1018</Index><Type>STRING(4294967295)</Type></Object>",
    "<DefaultData>0102</DefaultData>",
    "<DefaultValue>-170141183460469231731687303715884105728</DefaultValue>",
    "<SubItem><SubIdx>255</SubIdx><Type>UDINT</Type></SubItem>",
    "<Eeprom><Data>0102</Data></Eeprom>",
    "<Eeprom><ByteSize>4294967295</ByteSize></Eeprom>",
    "<Category><CatNo>10</CatNo><Data>FF</Data></Category>",
    "<Category><CatNo>65535</CatNo><Data>00</Data></Category>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "&#1;",
    "&lt;",
    "#xFFFFFFFF",
    "-1",
    "4294967296",
    "",
    "1e9",
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
                let ends = |byte: &u8| matches!(byte, b',' | b':' | b'[' | b']' | b'{' | b'}');
                self.reword(&mut input, ends, &WORDS);
            } else if target == Target::Esi && self.random.below(4) > 0 {
                self.reword(&mut input, |byte| matches!(byte, b'<' | b'>' | b'"'), &ESI_WORDS);
            } else {
                self.change(&mut input, corpus);
            }
        }
        input.truncate(BYTES_MAX);
        input
    }

    /// Replaces a piece of a text by another one, drops it, or doubles it.
    fn reword(&mut self, text: &mut Vec<u8>, ends: fn(&u8) -> bool, words: &[&str]) {
        let marks: Vec<usize> = (0..text.len()).filter(|&at| ends(&text[at])).collect();
        if marks.len() < 2 {
            return;
        }
        let first = self.random.below(marks.len() - 1);
        let long = self.random.below(3) == 0;
        let span = 1 + self.random.below(if long { 6 } else { 1 });
        let last = (first + span).min(marks.len() - 1);
        let (from, to) = (marks[first] + 1, marks[last]);
        let word = words[self.random.below(words.len())].as_bytes().to_vec();
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
