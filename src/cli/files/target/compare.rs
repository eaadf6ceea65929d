//! Compares outputs with inputs and with each other, by file rather than by name.

use std::{fs::Metadata, path::PathBuf};

use anyhow::Result;

use crate::cli::{
    files::{naming::canonical, target::Target},
    platform::{self, FileHandle, FileId},
    terminal::{advice::Advise, errors::Misuse},
};

impl Target {
    /// The file, device or pipe that is there now.
    fn existing(&self) -> Option<&FileHandle> {
        match self {
            Self::Stdout(_) => None,
            Self::Direct { existing, .. } => Some(existing),
            Self::File { existing, .. } => existing.as_ref(),
        }
    }

    /// Refuses an output that is the file `input`, which is also read. Compares device and inode, whatever the spelling.
    ///
    /// # Errors
    ///
    /// [`Misuse::InputIsOutput`].
    pub(crate) fn check_is_not(&self, input: &FileId, input_name: &str) -> Result<()> {
        let keeps_data = |found: &Metadata| found.is_file() || platform::is_block_device(found);
        let is_same = match self {
            // Not held: on some file systems, closing a descriptor ends all writing.
            Self::Stdout(_) => platform::stdout().is_ok_and(|stdout| {
                stdout.metadata().is_ok_and(|found| keeps_data(&found))
                    && FileId::of(&stdout).is_ok_and(|id| id == *input)
            }),
            Self::Direct { .. } | Self::File { .. } => {
                self.existing().is_some_and(|existing| keeps_data(existing.metadata()) && existing.id() == input)
            }
        };
        if !is_same {
            return Ok(());
        }
        let name = self.name();
        let message = if input_name == name {
            format!("{name} would be both read and written")
        } else {
            format!("{input_name} and {name} are the same file")
        };
        Err(Misuse::InputIsOutput(message)).hint("nothing was written; choose another output with -o")
    }

    /// Whether both go to the same place. Where nothing exists yet, the names decide.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        if let (Some(existing), Some(other)) = (self.existing(), other.existing()) {
            return existing.id() == other.id();
        }
        match (self.path_now(), other.path_now()) {
            (Some(path), Some(other)) => {
                path == other || canonical(&path).is_some_and(|path| canonical(&other) == Some(path))
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// The path to use, or `None` for standard output.
    fn path_now(&self) -> Option<PathBuf> {
        match self {
            Self::Stdout(_) => None,
            Self::Direct { path, .. } => Some(path.clone()),
            Self::File { place, .. } => Some(place.reachable()),
        }
    }

    /// The path of a file that does not exist yet, the same for all its spellings.
    pub(crate) fn canonical_if_new(&self) -> Option<PathBuf> {
        match self {
            Self::File { place, existing: None, .. } => canonical(&place.reachable()),
            _ => None,
        }
    }
}
