//! Write protection (0x0020, 0x0021 for registers, 0x0030, 0x0031 for everything) and reset (0x0040).
//! ESC data sheet, section I, "Write Protection", and section II, 2.3.

use ecat_wire::register as reg;

use super::Esc;

/// What is written to 0x0040, a letter a frame.
const RESET: [u8; 3] = *b"RES";
const ON: u8 = 0x01;

#[derive(Clone, Debug, Default)]
pub(super) struct Protection {
    /// 0x0021 and 0x0031.
    registers: bool,
    all: bool,
    /// 0x0020 and 0x0030 were written in the passing frame.
    registers_released: bool,
    all_released: bool,
    /// Letters of [`RESET`] that have come.
    letters: u8,
    /// One of them in the passing frame.
    continued: bool,
}

/// How far a reset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reset {
    /// None is under way.
    None,
    /// The next frame may continue it.
    UnderWay,
    /// All letters have come.
    Complete,
}

impl Protection {
    /// Whether any write may be refused.
    pub(super) const fn is_on(&self) -> bool {
        self.registers || self.all
    }

    /// Whether this byte takes no write at the moment. 0x0020 and 0x0030 always do.
    pub(super) const fn refuses(&self, address: u16) -> bool {
        let everything = self.all && !self.all_released;
        let registers = self.registers && !self.registers_released && address < reg::USER_RAM;
        let release = matches!(address, reg::REGISTER_WRITE_ENABLE | reg::ESC_WRITE_ENABLE);
        (everything || registers) && !release
    }

    /// 0x0020 or 0x0030 is being written: the value does not matter, and what follows in this frame counts.
    pub(super) const fn release(&mut self, address: u16) {
        self.registers_released |= address == reg::REGISTER_WRITE_ENABLE;
        self.all_released |= address == reg::ESC_WRITE_ENABLE;
    }

    const fn is_released(&self) -> bool {
        self.registers_released || self.all_released
    }

    pub(super) const fn end_of_frame(&mut self) {
        (self.registers_released, self.all_released) = (false, false);
    }
}

impl Esc {
    /// A write under protection: the pieces of it that are not refused, where what is written before them in
    /// the same frame may have released them.
    pub(super) fn stage_protected(&mut self, start: usize, data: &[u8], now_ns: u64) -> bool {
        let (mut accessible, mut from) = (false, 0);
        for n in 0..=data.len() {
            let address = (start + n) as u16;
            if n < data.len() && !self.protection.refuses(address) {
                self.protection.release(address);
                self.pending |= self.protection.is_released();
                continue;
            }
            if from < n {
                accessible |= self.stage(start + from, &data[from..n], now_ns);
            }
            from = n + 1;
        }
        accessible
    }

    /// Takes over one byte of 0x0020–0x0040.
    pub(super) fn write_protection(&mut self, address: u16, value: u8) {
        match address {
            reg::REGISTER_WRITE_PROTECTION => {
                self.protection.registers = value & ON != 0;
                self.memory.set_u8(address, value & ON);
            }
            reg::ESC_WRITE_PROTECTION => {
                self.protection.all = value & ON != 0;
                self.memory.set_u8(address, value & ON);
            }
            reg::RESET_ECAT => self.continue_reset(value),
            // The release bits clear themselves before anybody can read them.
            _ => {}
        }
    }

    /// One letter a frame, and nothing but the next one.
    fn continue_reset(&mut self, letter: u8) {
        let expected = RESET.get(usize::from(self.protection.letters));
        let fits = !self.protection.continued && expected == Some(&letter);
        self.protection.letters = if fits { self.protection.letters + 1 } else { 0 };
        self.protection.continued = fits;
        self.memory.set_u8(reg::RESET_ECAT, self.protection.letters);
    }

    /// Whether a reset has begun.
    pub(super) const fn resets(&self) -> bool {
        self.protection.letters > 0
    }

    /// A frame has passed: one that does not continue the reset ends it.
    pub(crate) fn follow_reset(&mut self) -> Reset {
        let continued = std::mem::take(&mut self.protection.continued);
        match usize::from(self.protection.letters) {
            0 => Reset::None,
            n if n == RESET.len() => Reset::Complete,
            _ if continued => Reset::UnderWay,
            _ => {
                self.protection.letters = 0;
                self.memory.set_u8(reg::RESET_ECAT, 0);
                Reset::None
            }
        }
    }

    /// What FPRW, APRW and BRW add to the address that they write (0x0108; ESC data sheet, section II, 2.4.2).
    pub(crate) fn write_offset(&self) -> u16 {
        self.memory.u16(reg::RW_OFFSET)
    }
}
