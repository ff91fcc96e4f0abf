//! Touch probes: positions at the edges of two inputs, or at the index (0x60B8 to 0x60BD).
//!
//! IEC 61800-7-201, "Touch probe functionality": bits 0 to 5 of function and status are probe 1's, bits 8 to 13 probe 2's.

/// Bits of the function.
const ENABLE: u16 = 0x01;
const CONTINUOUS: u16 = 0x02;
const BY_INDEX: u16 = 0x04;
const RISING: u16 = 0x10;
const FALLING: u16 = 0x20;
/// Bits of the status.
const RISING_STORED: u16 = 0x02;
const FALLING_STORED: u16 = 0x04;

/// One probe.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probe {
    function: u16,
    status: u16,
    input: bool,
    /// Positions of the axis.
    pub(super) rising: i32,
    pub(super) falling: i32,
}

impl Probe {
    /// One tick: the level of its input, the index if it was passed, and where the axis is.
    pub(super) fn tick(&mut self, function: u16, input: bool, index: Option<i32>, position: i32) {
        let before = std::mem::replace(&mut self.input, input);
        if function & ENABLE == 0 || self.function & ENABLE == 0 {
            // What was stored stays; a new start begins without.
            self.status = 0;
        }
        if function & RISING == 0 {
            self.status &= !RISING_STORED;
        }
        if function & FALLING == 0 {
            self.status &= !FALLING_STORED;
        }
        self.function = function;
        if function & ENABLE == 0 {
            return;
        }
        self.status |= ENABLE;
        let once = |stored: u16| function & CONTINUOUS != 0 || self.status & stored == 0;
        let by_index = function & BY_INDEX != 0;
        let rising = if by_index { index } else { (input && !before).then_some(position) };
        let falling = if by_index { None } else { (!input && before).then_some(position) };
        let (rising, falling) = (
            rising.filter(|_| function & RISING != 0 && once(RISING_STORED)),
            falling.filter(|_| function & FALLING != 0 && once(FALLING_STORED)),
        );
        if let Some(position) = rising {
            (self.rising, self.status) = (position, self.status | RISING_STORED);
        }
        if let Some(position) = falling {
            (self.falling, self.status) = (position, self.status | FALLING_STORED);
        }
    }

    pub(super) const fn status(&self) -> u16 {
        self.status
    }
}
