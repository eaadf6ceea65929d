//! Fallbacks for the functions of `linux`.

#[cfg(unix)]
use std::fs::Metadata;
use std::{
    ffi::OsStr,
    fs::File,
    io,
    num::NonZeroU64,
    path::{Path, PathBuf},
};

#[cfg(unix)]
use crate::cli::platform::held::links::Links;

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
pub(crate) fn drop_cached(_: &File, _: u64, _: Option<NonZeroU64>) {}

/// Not supported.
pub(crate) fn write_all_at_uncached(_: &File, _: &[u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Takes hold of what `path` names. Only a regular file that can be read is held: opening a pipe would wait for its other end.
///
/// # Errors
///
/// Those of stat(2).
#[cfg(unix)]
pub(crate) fn hold(path: &Path, links: Links) -> io::Result<(Option<File>, Metadata)> {
    let metadata = links.metadata(path)?;
    let held = if metadata.is_file() { File::open(path).ok() } else { None };
    // Another file may have taken the name since: what is held is what counts.
    match held.map(|file| file.metadata().map(|metadata| (file, metadata))) {
        Some(Ok((file, metadata))) if metadata.is_file() => Ok((Some(file), metadata)),
        _ => Ok((None, metadata)),
    }
}

/// Holds nothing, but fails unless it is a folder.
pub(super) fn hold_folder(path: &Path) -> io::Result<Option<File>> {
    if std::fs::metadata(path)?.is_dir() { Ok(None) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Holds nothing, but fails unless it is a folder that is reached without a link.
pub(super) fn hold_folder_beneath(_: Option<&File>, above: &Path, relative: &Path) -> io::Result<Option<File>> {
    check_has_no_links(above, relative)?;
    hold_folder(&above.join(relative))
}

/// Fails if a part of `relative` is a link.
fn check_has_no_links(folder: &Path, relative: &Path) -> io::Result<()> {
    let mut path = folder.to_owned();
    for component in relative.components() {
        path.push(component);
        if std::fs::symlink_metadata(&path)?.is_symlink() {
            return Err(io::Error::other("its path contains a link, which solekey does not follow"));
        }
    }
    Ok(())
}

/// Opens a file of a folder for reading, if it is a regular file.
pub(super) fn open_beneath(_: Option<&File>, folder: &Path, name: &OsStr) -> io::Result<File> {
    let path = folder.join(name);
    if !std::fs::symlink_metadata(&path)?.is_file() {
        return Err(io::Error::other("it is not a regular file any more"));
    }
    File::open(path)
}

/// `None`: there is no such path.
pub(super) fn path_of(_: &File) -> Option<PathBuf> {
    None
}

/// Unsupported: files are created under a hidden name.
pub(crate) fn create_unnamed(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Creates an empty file. Its name must be free.
pub(crate) fn create_placeholder(path: &Path) -> io::Result<()> {
    File::options().write(true).create_new(true).open(path).map(drop)
}

/// Unsupported, as [`create_unnamed`] is.
pub(crate) fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// False: where these systems have such lists, they do not show in the bits of a mode.
pub(crate) fn has_access_list(_: &File) -> bool {
    false
}

/// False: where these systems have such file systems, they are not recognised.
pub(crate) fn is_in_user_space(_: &Path) -> bool {
    false
}

/// False: where these systems have such folders, they are found when a file is to be renamed.
pub(crate) fn is_append_only(_: &Path) -> bool {
    false
}

/// Does nothing: files are created with the permissions that they are given.
pub(crate) fn drop_access_list(_: &File) {}
