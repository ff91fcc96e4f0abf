//! What is printed.

use serde::Serialize;

use crate::arguments::{Granted, Place};
use crate::samples::Figures;

/// One variant's outcome of one repeat.
#[derive(Debug, Default, Serialize)]
pub struct Line<'a> {
    /// Which variant: `ours`, `bare`, `ethercrab` …
    pub variant: &'a str,
    /// What of it: `exchange`, `lateness` …
    pub what: &'a str,
    /// Distribution, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns: Option<Figures>,
    /// A count or a share that has no distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// Prints an outcome with a distribution.
pub fn figures(variant: &str, what: &str, ns: Figures) {
    print(&Line { variant, what, ns: Some(ns), value: None });
}

/// Prints an outcome that is one number.
pub fn value(variant: &str, what: &str, value: f64) {
    print(&Line { variant, what, ns: None, value: Some(value) });
}

/// Prints what the system granted, as the last line.
pub fn granted(place: Place, granted: Granted) {
    #[derive(Serialize)]
    struct Last {
        cpu: usize,
        priority: Option<u8>,
        #[serde(flatten)]
        granted: Granted,
    }
    print(&Last { cpu: place.cpu, priority: place.priority, granted });
}

fn print(line: &impl Serialize) {
    match serde_json::to_string(line) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("ecat-bench: {error}"),
    }
}
