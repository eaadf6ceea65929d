//! Folders held by a descriptor: whatever is swapped for a link while a run lasts, nothing outside of the folder is reached.

use std::{
    ffi::OsStr,
    fs::{File, Metadata},
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

#[cfg(target_os = "linux")]
use crate::cli::platform::linux::{hold_folder, hold_folder_beneath, open_beneath, path_of};
#[cfg(not(target_os = "linux"))]
use crate::cli::platform::other::{hold_folder, hold_folder_beneath, open_beneath, path_of};
use crate::cli::platform::{create_folder, sync_folder};

/// A folder that was named, or one below it that was reached without following a link.
pub(crate) struct Folder {
    /// `None` where the system cannot hold a folder.
    held: Option<File>,
    /// Leads to the folder that is held, wherever it is moved. Where the system has no such path, the path that was named.
    path: PathBuf,
    /// The folder below this one that was asked for last: files of one folder come one after the other.
    last: Mutex<Option<(PathBuf, Arc<Folder>)>>,
}

impl Folder {
    /// Holds the folder that `path` names; links are followed.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(hold_folder(path)?, path))
    }

    fn of(held: Option<File>, named: &Path) -> Self {
        let path = held.as_ref().and_then(path_of).unwrap_or_else(|| named.to_owned());
        Self { held, path, last: Mutex::default() }
    }

    /// A path that leads to this folder, for as long as it is held.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Holds the folder that `relative` names below this one. No link is followed, and none leads out.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotADirectory`] or a similar one if a part of the path is a link; errors from the system.
    pub(crate) fn below(self: &Arc<Self>, relative: &Path) -> io::Result<Arc<Self>> {
        if relative.components().next().is_none() {
            return Ok(self.clone());
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((path, folder)) = &*last
            && path == relative
        {
            return Ok(folder.clone());
        }
        let held = hold_folder_beneath(self.held.as_ref(), &self.path, downwards(relative)?)?;
        let folder = Arc::new(Self::of(held, &self.path.join(relative)));
        *last = Some((relative.to_owned(), folder.clone()));
        Ok(folder)
    }

    /// The same, with missing folders created, each durable. `mode` gives the mode bits of the new one that `relative` names.
    ///
    /// # Errors
    ///
    /// Those of [`below`](Self::below), and of creating a folder.
    pub(crate) fn create(
        self: &Arc<Self>,
        relative: &Path,
        mode: &dyn Fn(&Path) -> Option<u32>,
    ) -> io::Result<Arc<Self>> {
        match self.below(relative) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let (Some(above), Some(name)) = (relative.parent(), relative.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let above = self.create(above, mode)?;
        match create_folder(&above.path.join(name), mode(relative)) {
            // Another file of the run may have created it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => created?,
        }
        match sync_folder(&above.path) {
            // Reported for the outputs in it.
            Err(error) if cannot_be_synced(&error) => {}
            synced => synced?,
        }
        self.below(relative)
    }

    /// Opens a regular file in this folder for reading. A link is not followed, and a pipe makes nobody wait.
    ///
    /// # Errors
    ///
    /// If it is not a regular file; errors from the system.
    pub(crate) fn open(&self, name: &OsStr) -> io::Result<(File, Metadata)> {
        let file = open_beneath(self.held.as_ref(), &self.path, name)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file any more"));
        }
        Ok((file, metadata))
    }
}

/// The path itself, if it leads downwards only.
fn downwards(relative: &Path) -> io::Result<&Path> {
    let down = |component| matches!(component, Component::Normal(_) | Component::CurDir);
    if relative.components().all(down) { Ok(relative) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Whether a failure to sync a folder says that the folder never can be: it may be writable but not readable, and not all file
/// systems can do it. Any other failure means that something may be lost.
pub(crate) fn cannot_be_synced(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), PermissionDenied | InvalidInput | Unsupported)
}
