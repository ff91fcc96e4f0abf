//! A simulated EtherCAT segment: a function of frames and time, without I/O.
//!
//! [`Segment`] takes a frame through a line of ESCs ([`esc`]) and hands it back as the wire would:
//! addresses counted up, working counters added, source address marked, register effects at the end of
//! the frame. What stands behind the ESCs (signals, wires, devices with a behaviour of their own) moves
//! their process data through [`plant`]. [`SegmentLink`] puts a segment behind [`ecat_wire::Link`] in the
//! same thread; [`SegmentHost`] keeps it between those who take it, and asks it from another thread.
#![forbid(unsafe_code)]

pub mod command;
pub mod description;
pub mod device;
pub mod devices;
pub mod esc;
mod ethernet;
pub mod faults;
pub mod fsoe;
pub mod host;
mod line;
pub mod link;
pub mod mailbox;
pub mod plant;
pub mod program;
pub mod replay;
pub mod request;
mod ring;
pub mod segment;
pub mod topology;
mod transit;
pub mod twin;

pub use command::SegmentCommand;
pub use description::{DescriptionError, SegmentDescription};
pub use device::Device;
pub use faults::{Effect, Fault, FaultDescription, FaultError, Hit, When};
pub use host::{InjectError, Keeper, QueueFull, SegmentHost, Taken};
pub use link::{SegmentControl, SegmentLink};
pub use mailbox::{MailEffect, MailFault, MailProtocol};
pub use program::{Cell, Program, ProgramIo, Trigger};
pub use replay::{ReplayReport, replay};
pub use ring::{RingLink, ring_links};
pub use segment::{Forward, Segment};
pub use topology::{Attachment, MainPort, Outlet, Ring};
