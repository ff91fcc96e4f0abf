//! Inputs of any content against everything that reads what others wrote: frames, SII images, mail, captures,
//! descriptions, ESI files, safe frames. None may panic, or take memory without bound; a file that is refused names the place.
//!
//! A driver of our own instead of libFuzzer: it runs on stable Rust in every test, and an input is a function
//! of its target, its seed and its number. What replaces coverage is what a target says that it has seen
//! ([`Targets::run`]).

mod fsoe;
mod mutate;
mod targets;

pub use mutate::Mutator;
pub use targets::{Target, Targets};

/// Random numbers by xorshift64* (Marsaglia; Vigna).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Of a seed; 0 stands for 1.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        ((self.number() >> 32) as usize * limit.min(1 << 31)) >> 32
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        (self.number() >> 56) as u8
    }
}
