//! ESI files: of vendors, of others, and made up.

mod errors;
mod files;
mod modules;
mod objects;
mod quirks;
mod real_images;
mod sii;
mod support;
