//! The place of an input: its name, and the folder that it was found in.

use std::{
    borrow::Cow,
    fs::{File, Metadata},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::cli::platform::Folder;

/// The name of a file, and its folder if a walk found it.
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) folder: Option<Arc<Folder>>,
}

impl Place {
    /// The path to use. It leads to the folder that is held, wherever that is now.
    pub(super) fn reachable(&self) -> Cow<'_, Path> {
        match (&self.folder, self.path.file_name()) {
            (Some(folder), Some(name)) => folder.path().join(name).into(),
            _ => (&self.path).into(),
        }
    }

    /// Opens it for reading. In a walked folder, opens only regular files, and follows no links.
    pub(super) fn open(&self) -> io::Result<(File, Metadata)> {
        match (&self.folder, self.path.file_name()) {
            (Some(folder), Some(name)) => folder.open(name),
            _ => {
                let file = File::open(&self.path)?;
                let metadata = file.metadata()?;
                Ok((file, metadata))
            }
        }
    }
}
