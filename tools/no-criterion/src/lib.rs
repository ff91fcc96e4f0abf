//! Empty, in place of a benchmark library and the twenty-three crates below it, which nothing here uses and every first
//! build would compile (see the workspace's `Cargo.toml`).
