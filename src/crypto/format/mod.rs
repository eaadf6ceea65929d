//! The textual parts of the format: the header with its stanzas, and ASCII armor.

pub mod armor;
pub(crate) mod base64;
mod damaged_header;
pub(crate) mod header;
pub(crate) mod lines;
pub mod stanza_type;
