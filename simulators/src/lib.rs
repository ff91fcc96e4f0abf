//! A simulated EtherCAT segment: a function of frames and time, without I/O.
#![forbid(unsafe_code)]

pub mod description;

pub use description::{DescriptionError, SegmentDescription};
