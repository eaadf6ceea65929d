//! The operating system: everything that differs between Unix, Linux and Windows. The only room that asks which system it is
//! built for, and the owner of rustix and winapi-util.
//!
//! Every function exists on every system. Where a system lacks something, its version does nothing, says so with
//! [`std::io::ErrorKind::Unsupported`], or returns `None`; each says which.

mod file_handle;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
mod ownership;
pub(crate) mod sandbox;
pub(crate) mod signals;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub(crate) use file_handle::FileHandle;
#[cfg(target_os = "linux")]
pub(crate) use linux::{create_unnamed, enlarge_pipe, has_access_list, link, read_ahead, write_back};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{create_unnamed, enlarge_pipe, has_access_list, link, read_ahead, write_back};
#[cfg(unix)]
pub(crate) use unix::{
    FileId, TERMINAL_INPUT, TERMINAL_OUTPUT, columns, create_folder, create_private, is_block_device, is_stdin,
    keep_memory_private, link_count, open_files_limit, others_may_read, ownership, path, read_at, read_exact_at,
    set_group, set_mode, set_owner, stdin, stdout, sync_folder, umask, was_closed, write_all_at,
};
#[cfg(windows)]
pub(crate) use windows::{
    FileId, TERMINAL_INPUT, TERMINAL_OUTPUT, columns, create_folder, create_private, is_block_device, is_stdin,
    keep_memory_private, link_count, open_files_limit, others_may_read, ownership, path, read_at, read_exact_at,
    set_group, set_mode, set_owner, stdin, stdout, sync_folder, umask, was_closed, write_all_at,
};

/// Whether this is Windows.
pub(crate) const WINDOWS: bool = cfg!(windows);
