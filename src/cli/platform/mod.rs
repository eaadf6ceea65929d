//! The operating system: everything that differs between Unix, Linux and Windows. The only room that asks which system it is
//! built for, and the owner of rustix, winapi-util and rpassword.
//!
//! Every function exists on every system. Where a system lacks something, its version does nothing, says so with
//! [`std::io::ErrorKind::Unsupported`], or returns `None`; each says which.

pub(crate) mod child;
mod file_handle;
#[cfg(unix)]
mod hidden_input;
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
#[cfg(unix)]
pub(crate) use hidden_input::HiddenInput;
#[cfg(target_os = "linux")]
pub(crate) use linux::{create_unnamed, descriptor, enlarge_pipe, has_access_list, link, read_ahead, write_back};
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) use other::descriptor;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{create_unnamed, enlarge_pipe, has_access_list, link, read_ahead, write_back};
#[cfg(unix)]
pub(crate) use unix::{
    FileId, TERMINAL_INPUT, TERMINAL_OUTPUT, can_read_within, change_time, close_duplicate, columns, create_folder,
    create_private, is_block_device, is_stdin, keep_memory_private, link_count, open_files_limit, others_may_read,
    ownership, path, read_at, read_exact_at, set_group, set_mode, set_owner, stderr, stdin, stdout, sync_folder, umask,
    wait_to_read, wait_to_write, was_closed, write_all_at,
};
#[cfg(windows)]
pub(crate) use windows::{
    FileId, HiddenInput, TERMINAL_INPUT, TERMINAL_OUTPUT, can_read_within, change_time, close_duplicate, columns,
    create_folder, create_private, descriptor, is_block_device, is_stdin, keep_memory_private, link_count,
    open_files_limit, others_may_read, ownership, path, read_at, read_exact_at, set_group, set_mode, set_owner, stderr,
    stdin, stdout, sync_folder, umask, wait_to_read, wait_to_write, was_closed, write_all_at,
};

/// The keys that end the input on a terminal.
pub(crate) const END_OF_INPUT: &str = if WINDOWS { "Ctrl-Z and Enter" } else { "Ctrl-D" };
/// Whether this is Windows.
pub(crate) const WINDOWS: bool = cfg!(windows);
