//! The operating system: everything that differs between Unix, Linux and Windows. The only room that asks which system it is
//! built for, and the owner of rustix, winapi-util and rpassword.
//!
//! Every function exists on every system. Where a system lacks something, its version does nothing, says so with
//! [`std::io::ErrorKind::Unsupported`], or returns `None`; each says which.

pub(crate) mod child;
mod held;
#[cfg(unix)]
mod hidden_input;
mod limit;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(unix)]
mod metadata;
#[cfg(not(target_os = "linux"))]
mod other;
mod ownership;
pub(crate) mod sandbox;
pub(crate) mod signals;
mod typed_ahead;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub(crate) use held::{
    file_handle::FileHandle,
    file_system::FileSystem,
    folder::{Folder, cannot_be_synced},
    links::Links,
};
#[cfg(unix)]
pub(crate) use hidden_input::HiddenInput;
pub(crate) use limit::Limit;
#[cfg(target_os = "linux")]
pub(crate) use linux::{
    create_placeholder, create_unnamed, descriptor, drop_access_list, drop_cached, enlarge_pipe, has_access_list,
    is_append_only, is_in_user_space, link, read_ahead, without_blocking, write_all_at_uncached,
};
#[cfg(unix)]
pub(crate) use metadata::{
    change_time, file_number, is_block_device, link_count, others_may_read, ownership, takes_space,
};
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) use other::descriptor;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{
    create_placeholder, create_unnamed, drop_access_list, drop_cached, enlarge_pipe, has_access_list, is_append_only,
    is_in_user_space, link, read_ahead, without_blocking, write_all_at_uncached,
};
pub(crate) use typed_ahead::TypedAhead;
#[cfg(unix)]
pub(crate) use unix::{
    FileId, TERMINAL_INPUT, TERMINAL_OUTPUT, can_read_within, can_write_within, close_duplicate, columns,
    create_folder, create_private, free_space, is_stdin, keep_memory_private, lock, open_files_limit,
    open_without_waiting, path, read_at, read_exact_at, set_group, set_mode, set_owner, stderr, stdin, stdout,
    sync_folder, umask, user, wait_to_read, wait_to_write, was_closed, write_all_at,
};
#[cfg(windows)]
pub(crate) use windows::{
    FileId, HiddenInput, TERMINAL_INPUT, TERMINAL_OUTPUT, can_read_within, can_write_within, change_time,
    close_duplicate, columns, create_folder, create_private, descriptor, file_number, free_space, is_block_device,
    is_stdin, keep_memory_private, link_count, lock, open_files_limit, open_without_waiting, others_may_read,
    ownership, path, read_at, read_exact_at, set_group, set_mode, set_owner, stderr, stdin, stdout, sync_folder,
    takes_space, umask, user, wait_to_read, wait_to_write, was_closed, write_all_at,
};

/// The keys that end the input on a terminal.
pub(crate) const END_OF_INPUT: &str = if WINDOWS { "Ctrl-Z and Enter" } else { "Ctrl-D" };
/// Whether this is Windows.
pub(crate) const WINDOWS: bool = cfg!(windows);
