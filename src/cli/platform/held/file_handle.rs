//! Holding a file, so that its identity cannot be taken by another.

use std::{
    fs::{File, Metadata},
    io,
    path::Path,
};

#[cfg(target_os = "linux")]
use crate::cli::platform::linux::hold;
#[cfg(all(unix, not(target_os = "linux")))]
use crate::cli::platform::other::hold;
#[cfg(unix)]
use crate::cli::platform::unix::FileId;
#[cfg(windows)]
use crate::cli::platform::windows::{FileId, hold};

use crate::cli::platform::{has_access_list, held::links::Links, is_in_user_space, lock, open_without_waiting};

/// A file, device or pipe that exists, held by a descriptor where the system can.
///
/// As long as it is held, no other file can get its inode number, so [`FileHandle::id`] stays its own. Holding reads
/// nothing, and never waits for the other end of a pipe.
pub(crate) struct FileHandle {
    /// `None` where the system cannot hold such a file without opening it for reading.
    held: Option<File>,
    id: FileId,
    metadata: Metadata,
}

impl FileHandle {
    /// Holds what `path` names; links are followed.
    ///
    /// # Errors
    ///
    /// [`std::io::ErrorKind::NotFound`] if nothing is there; errors from the system.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Self::hold(path, Links::Follow)
    }

    /// Holds what has the name `path` itself, be it a link.
    ///
    /// # Errors
    ///
    /// [`std::io::ErrorKind::NotFound`] if nothing is there; errors from the system.
    pub(crate) fn named(path: &Path) -> io::Result<Self> {
        Self::hold(path, Links::Hold)
    }

    fn hold(path: &Path, links: Links) -> io::Result<Self> {
        let (held, metadata) = hold(path, links)?;
        let id = FileId::at(path, held.as_ref(), &metadata)?;
        Ok(Self { held, id, metadata })
    }

    /// Holds an open file.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let held = file.try_clone()?;
        let metadata = held.metadata()?;
        Ok(Self { id: FileId::of(&held)?, held: Some(held), metadata })
    }

    /// Holds an open file that `path` named.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn opened(path: &Path, file: &File) -> io::Result<Self> {
        let held = file.try_clone()?;
        let metadata = held.metadata()?;
        Ok(Self { id: FileId::at(path, Some(&held), &metadata)?, held: Some(held), metadata })
    }

    /// Which file this is.
    pub(crate) fn id(&self) -> &FileId {
        &self.id
    }

    /// The metadata when the file was first held.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The metadata now, where the system can hold such a file.
    pub(crate) fn metadata_now(&self) -> io::Result<Metadata> {
        self.held.as_ref().map_or_else(|| Ok(self.metadata.clone()), File::metadata)
    }

    /// Takes an advisory lock on a regular file that `path` names, if it still is this one and the system can. Returns the lock,
    /// which lasts until it is dropped.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if another process has it.
    pub(crate) fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        // Some file systems in user space die if an open file is replaced.
        if !self.metadata.is_file() || is_in_user_space(path) {
            return Ok(None);
        }
        let file = open_without_waiting(path).ok().filter(|file| FileId::of(file).is_ok_and(|id| id == self.id));
        match file.as_ref().map(lock) {
            Some(Ok(false)) => Err(io::ErrorKind::WouldBlock.into()),
            Some(Ok(true)) => Ok(file),
            // It cannot be read, or the file system has no locks.
            Some(Err(_)) | None => Ok(None),
        }
    }

    /// Whether it has an access control list.
    pub(crate) fn has_access_list(&self) -> bool {
        self.held.as_ref().is_some_and(has_access_list)
    }
}
