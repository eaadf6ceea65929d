//! Ownership of files.

/// Owner, group and mode bits of a file, on systems that have them.
#[derive(Clone, Copy)]
pub(crate) struct Ownership {
    pub(crate) user: u32,
    pub(crate) group: u32,
    /// All bits of the mode, those of the file type included.
    pub(crate) mode: u32,
}
