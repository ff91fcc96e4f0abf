//! What the simulated ESCs do on the wire, register by register.
//!
//! Every promise is tested through frames, as a MainDevice would see it. Sources: Beckhoff's ESC data
//! sheet (sections I and II), and where a test says "real devices", recordings of them.

mod access;
mod al;
mod al_described;
mod any_frame;
mod aoe;
mod buffers;
mod checksum;
mod chips;
mod clock;
mod commands;
mod data_link;
mod eeprom;
mod envelope;
mod eoe;
mod events;
mod faults;
mod fmmu;
mod latch;
mod mailbox;
mod mailbox_any;
mod mailbox_described;
mod mailbox_faults;
mod mailbox_files;
mod mailbox_process_data;
mod mailbox_recording;
mod modules;
mod plugs;
mod protection;
mod quirks;
mod soe;
mod stress;
mod sync;
mod sync_manager;
mod sync_program;
mod topology;
mod voe;
mod watchdog;
mod wire;
