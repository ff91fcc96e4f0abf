//! The shared memory's protocols under loom: every interleaving (with at most a few preemptions) of
//! the code that ships, with every value that the memory model lets a load return.
//!
//! loom's atomics stand in for the processor's, in memory of a few words; nothing else is replaced.
//! Where loom cannot look, the argument is in `docs/shared-memory.md`.

mod atomics;
mod followers;
mod interlocks;
mod lanes;
mod lockstep;
mod logs;
mod plans;
mod ring;
mod urgent;
