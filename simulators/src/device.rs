//! A device: an ESC with a name.

use crate::esc::Esc;

/// One device of a segment.
#[derive(Clone, Debug)]
pub struct Device {
    /// How the description calls it.
    pub name: String,
    /// Its ESC, with EEPROM and application.
    pub esc: Esc,
}
