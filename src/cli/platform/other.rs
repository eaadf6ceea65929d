//! What systems other than Linux do in place of `linux`.

use std::{
    fs::{self, File, Metadata},
    io,
    path::Path,
};

/// Does nothing: pipes keep their size.
pub(crate) fn enlarge_pipe(_: &File) {}

/// Does nothing.
pub(crate) fn read_ahead(_: &File) {}

/// Does nothing: what is read back may come from memory.
pub(crate) fn drop_cache(_: &File) {}

/// Takes hold of what `path` names. Only regular files are opened: opening a pipe would wait for its other end.
///
/// # Errors
///
/// Those of stat(2).
pub(crate) fn hold(path: &Path) -> io::Result<(Option<File>, Metadata)> {
    let metadata = fs::metadata(path)?;
    let held = if metadata.is_file() { File::open(path).ok() } else { None };
    Ok((held, metadata))
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
