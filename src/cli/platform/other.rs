//! Fallbacks for the functions of `linux`.

#[cfg(unix)]
use std::fs::Metadata;
use std::{fs::File, io, num::NonZeroU64, path::Path};

/// Does nothing: pipes keep their size.
pub(crate) fn enlarge_pipe(_: &File) {}

/// Duplicates a descriptor that this process inherited: there, opening its name does.
#[cfg(unix)]
pub(crate) fn descriptor(number: u32) -> io::Result<File> {
    File::open(format!("/dev/fd/{number}"))
}

/// Unsupported: opening the name of a pipe again gives the same pipe, with the same flags for all its writers.
pub(crate) fn without_blocking(_: &File) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Does nothing.
pub(crate) fn read_ahead(_: &File) {}

/// Does nothing: syncing the file writes all of it, and what is read back may come from memory.
pub(crate) fn write_back(_: &File, _: u64, _: Option<NonZeroU64>) {}

/// Takes hold of what `path` names. Only a regular file that can be read is held: opening a pipe would wait for its other end.
///
/// # Errors
///
/// Those of stat(2).
#[cfg(unix)]
pub(crate) fn hold(path: &Path) -> io::Result<(Option<File>, Metadata)> {
    let metadata = std::fs::metadata(path)?;
    let held = if metadata.is_file() { File::open(path).ok() } else { None };
    // Another file may have taken the name since: what is held is what counts.
    match held.map(|file| file.metadata().map(|metadata| (file, metadata))) {
        Some(Ok((file, metadata))) if metadata.is_file() => Ok((Some(file), metadata)),
        _ => Ok((None, metadata)),
    }
}

/// Unsupported: files are created under a hidden name.
pub(crate) fn create_unnamed(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Unsupported, as [`create_unnamed`] is.
pub(crate) fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// False: where these systems have such lists, they do not show in the bits of a mode.
pub(crate) fn has_access_list(_: &Path) -> bool {
    false
}
