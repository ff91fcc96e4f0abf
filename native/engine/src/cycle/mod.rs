//! The cycle thread: every period outputs → frames → answers → working counters → slot, and in what is
//! left of it the AL engine and the census.
//!
//! Before the first: [`fit`] (whether the period is long enough). In the order of a cycle: [`schedule`] and [`wait`] (when), [`frames`] and [`exchange`] (out and back),
//! [`counters`], [`states`] and [`quality`] (what it is worth), [`publish`] (the slot), [`suspicion`] and
//! [`census`] (who it was), [`strangers`] (who else is there), [`acyclic`], [`window`], [`operation`], [`registers`], [`urgent`] (the rest of the period), [`al`] and
//! [`phase`] (up to OP and down again). [`run`] holds them together, [`thread`] is the life around it, and
//! [`control`], [`outbox`], [`reporter`], [`record`], [`plant`] speak with the engine's holders.

mod acyclic;
pub mod al;
pub mod census;
pub mod control;
pub mod counters;
pub mod exchange;
pub mod fit;
pub mod frames;
pub mod operation;
pub mod outbox;
pub mod panic_note;
pub mod phase;
pub mod plant;
pub mod publish;
pub mod quality;
pub mod record;
pub mod registers;
pub mod reporter;
pub mod run;
pub mod schedule;
pub mod states;
pub mod strangers;
mod suspicion;
pub mod thread;
pub mod urgent;
pub mod wait;
pub mod window;
