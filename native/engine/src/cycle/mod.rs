//! The cycle thread: every period outputs → frames → answers → working counters → slot, and in what is
//! left of it the AL engine and the census.

pub mod al;
pub mod census;
pub mod counters;
pub mod frames;
pub mod operation;
pub mod quality;
pub mod schedule;
pub mod states;
