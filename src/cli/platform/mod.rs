//! What each operating system does in its own way. The only file that names rustix.

#[cfg(target_os = "linux")]
mod linux;
pub(crate) mod sandbox;
pub(crate) mod signals;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(not(target_os = "linux"))]
use std::fs::File;

#[cfg(target_os = "linux")]
pub(crate) use linux::{create_unnamed, enlarge_pipe, forget, has_access_list, link, read_ahead};
#[cfg(unix)]
pub(crate) use unix::{
    TerminalState, columns, is_disk, is_stdin, keep_memory_private, names, others_may_read, path, read_at,
    read_exact_at, stdin, stdout, umask, was_closed, write_all_at,
};
#[cfg(windows)]
pub(crate) use windows::{
    columns, is_disk, is_stdin, keep_memory_private, names, others_may_read, path, read_at, read_exact_at, stdin,
    stdout, was_closed, write_all_at,
};

/// Makes a pipe hold more. A convenience: where it cannot be done, it is not.
#[cfg(not(target_os = "linux"))]
pub(crate) fn enlarge_pipe(_: &File) {}

/// Where there are such lists, they are not in the bits of a mode.
#[cfg(not(target_os = "linux"))]
pub(crate) fn has_access_list(_: &std::path::Path) -> bool {
    false
}

/// Gives up what is in memory of a file, so that reading it reads the disk. Where it cannot be done, it is not.
#[cfg(not(target_os = "linux"))]
pub(crate) fn forget(_: &File) {}

/// Says that a file will be read from its start to its end. A convenience: where it cannot be done, it is not.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read_ahead(_: &File) {}
