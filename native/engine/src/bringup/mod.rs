//! From power-on to a configured PRE-OP.
//!
//! ```text
//! discover          ethercrab's init on our own poll loop, then identity, SII and registers  → Network
//!   └ diagnosis     when init fails: which SubDevice, and why
//! compute_layout    pure: the SII's PDOs → ProcessLayout
//! configure         SM2+ and FMMUs written from the layout, read back, compared
//! ```
//! ethercrab is used for this once, before the first cyclic frame (its `init` resets the segment).
//! Nothing of it leaves this module; from PRE-OP on all frames are ours. ethercrab's frames and ours
//! share the link and are told apart by their source address.

mod configurator;
mod diagnosis;
mod discover;
mod driver;
mod eeprom;
pub mod exchange;
mod identity;
mod layout;
mod packing;
mod watch;

pub use configurator::configure;
pub use discover::{BringUpOptions, DISCOVER_STACK_BYTES, Progress, SUB_DEVICES_MAX, discover};
pub use exchange::{Exchanger, Reply, Request};
pub use layout::compute_layout;
