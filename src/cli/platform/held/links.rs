//! What becomes of links.

use std::{
    fs::{self, Metadata},
    io,
    path::Path,
};

/// What becomes of a link at the end of a path.
#[derive(Clone, Copy)]
pub(crate) enum Links {
    Follow,
    /// The link itself is held.
    Hold,
}

impl Links {
    /// The metadata of the link, or of what it leads to.
    pub(in crate::cli::platform) fn metadata(self, path: &Path) -> io::Result<Metadata> {
        match self {
            Self::Follow => fs::metadata(path),
            Self::Hold => fs::symlink_metadata(path),
        }
    }
}
