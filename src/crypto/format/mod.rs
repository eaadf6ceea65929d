//! The textual parts of the format: the header, its stanzas, and ASCII armor.

pub mod armor;
mod damaged_header;
pub(crate) mod header;
pub mod stanza_type;
