//! The modes of operation, a file a mode: what each demands of the controllers in a tick, and what it says of itself.

pub(super) mod csp;
pub(super) mod cst;
pub(super) mod csv;
pub(super) mod hm;
pub(super) mod pp;
pub(super) mod pv;

use serde::Deserialize;

use super::limits::Limits;
use super::objects::{Commands, Parameters};
use super::switches::Signals;

/// A mode of operation (0x6060).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Profile position.
    Pp = 1,
    /// Profile velocity.
    Pv = 3,
    /// Homing.
    Hm = 6,
    /// Cyclic synchronous position.
    Csp = 8,
    /// Cyclic synchronous velocity.
    Csv = 9,
    /// Cyclic synchronous torque.
    Cst = 10,
}

impl Mode {
    /// All of them; the first is that of a drive that nobody has told one.
    pub const ALL: [Self; 6] = [Self::Csp, Self::Csv, Self::Cst, Self::Pp, Self::Pv, Self::Hm];

    /// By the number in 0x6060.
    pub(super) fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| *mode as i64 == number)
    }

    /// Its bit in 0x6502: one less than its number.
    pub(super) const fn supported_bit(self) -> i64 {
        1 << (self as i64 - 1)
    }
}

/// What a mode sees of its axis in a tick. Positions are those of the machine, but for those that say so.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) commands: &'a Commands,
    pub(super) parameters: &'a Parameters,
    pub(super) limits: &'a Limits,
    pub(super) signals: Signals,
    /// Where the last tick's demand was, and how fast.
    pub(super) demand: (f64, f64),
    /// Where it is, and how fast.
    pub(super) actual: (f64, f64),
    /// Torque that is demanded, as a share of the rated one.
    pub(super) torque: f64,
    /// The index, if it was passed in this tick.
    pub(super) index: Option<f64>,
    /// Where position 0 of the axis is.
    pub(super) zero: f64,
    /// Position of the axis, as 0x6064 has it before it wraps.
    pub(super) position: i64,
    pub(super) rated_nm: f64,
    pub(super) units_per_revolution: f64,
}

impl View<'_> {
    /// The position of the machine that a number in 0x607A means: the one of all that wrap to it that is nearest.
    pub(super) fn target(&self, number: i32) -> f64 {
        let away = number.wrapping_sub(self.position as i32);
        self.zero + (self.position + i64::from(away)) as f64
    }
}
