//! The memory that the cycle thread and JavaScript share, and its protocols.
//!
//! [`layout`] says what lies where; [`memory`] makes the readers and writers of its parts from a
//! pointer. Each protocol exists once, generic over its atomics ([`atomics`]), so that loom explores
//! the code that ships: [`ring`] (cycles to JavaScript), [`lane`] (outputs from JavaScript),
//! [`change_log`] (what the decode workers found), [`receipts`] (what became of a commit). [`claims`]
//! and [`plan`] say who may write which bit, [`merge`] puts the lanes together on the cycle thread,
//! [`interlock`] and [`interlocks`] force outputs whatever the lanes say, [`urgent`] sends them out of
//! cycle, [`consumers`] are waited for in virtual time, [`followers`] have the decode workers work, [`statistics`]
//! counts. The argument of every memory ordering is in `docs/shared-memory.md`.

pub mod atomics;
pub mod change_log;
pub mod claims;
pub mod consumers;
mod describe;
pub mod followers;
pub mod futex;
pub mod geometry;
pub mod interlock;
pub mod interlocks;
pub mod lane;
pub mod layout;
pub mod memory;
pub mod merge;
pub mod plan;
pub mod receipts;
pub mod ring;
pub mod statistics;
pub mod urgent;

pub use change_log::{Drained, LogReader, LogWriter};
pub use claims::{ClaimRegistry, Claims, LaneOwner};
pub use consumers::{ConsumerRegistry, Lockstep};
pub use describe::{Constant, Enumeration, Field, Kind, Section};
pub use followers::Followers;
pub use geometry::{Dimensions, Geometry, default_slot_count, required_bytes};
pub use interlock::{BitsKind, Comparison, InterlockSpec, Threshold};
pub use interlocks::{Acknowledged, InterlockEvent, InterlockEventKind, Seen};
pub use lane::LaneWriter;
pub use layout::{EngineState, LAYOUT_HASH, LaneState};
pub use memory::{Attached, SharedMemory, View};
pub use merge::{LaneEvent, OutputMerger, Settled};
pub use receipts::ReceiptReader;
pub use ring::{Copied, Published, RingReader, RingWriter, SlotWriter};
pub use statistics::Statistics;
pub use urgent::{NOT_URGENT, UrgentAreas, UrgentGuard, UrgentRequest};
