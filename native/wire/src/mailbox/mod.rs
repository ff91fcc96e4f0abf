//! Mail: what a MainDevice and a SubDevice send each other through SyncManagers 0 and 1.
//!
//! ```text
//! header (6 bytes)   length u16, station u16, channel 6 bits + priority 2, type 4 bits + counter 3
//! body (length)      type 0 an error, 1 AoE, 2 EoE, 3 CoE, 4 FoE, 5 SoE, 15 vendor specific
//! the rest           old memory: nobody may rely on it
//! ```
//! Everything little-endian. Sources: ETG1000.4, "Mailbox structure"; ETG1000.6, "CAN application protocol
//! over EtherCAT" and "File access over EtherCAT"; those of the others stand in their files. Every type here parses arbitrary bytes without a panic
//! and borrows what it does not need to copy; what it emits, it parses back as the same value.

mod cursor;
mod error;
mod error_reply;
mod header;

pub mod aoe;
pub mod coe;
pub mod eoe;
pub mod foe;
pub mod soe;
pub mod voe;

pub use error::MailError;
pub use error_reply::{ErrorDetail, ErrorReply};
pub use header::{HEADER_BYTES, Header, Kind, next_counter};
