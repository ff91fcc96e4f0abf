//! What is on the EtherCAT wire.
//!
//! Frames and datagrams, ESC registers, AL states and status codes, the SII EEPROM image, and the
//! [`Link`] trait behind which a network card or a simulated segment stands. No I/O, no clock, and no
//! allocation in anything the cyclic path calls ([`frame`], [`command`]).
//!
//! Both sides build on this crate, the MainDevice (`ecat-engine`) and the simulated segment
//! (`ecat-simulator`), and neither knows the other.
#![forbid(unsafe_code)]

pub mod al;
pub mod command;
pub mod ethernet;
pub mod fmmu;
pub mod frame;
pub mod link;
pub mod mailbox;
pub mod register;
pub mod sii;
pub mod sync_manager;

pub use command::Command;
pub use frame::{Datagram, DatagramMut, Datagrams, FrameError, FrameWriter};
pub use link::{Link, LinkError};
